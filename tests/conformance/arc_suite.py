"""ARC chains against the suite of RFC 8617's authors. Rows without a decided result must be answered, no more."""
import json
import pathlib
import tempfile

from conformance.suite import Checked, ask, rows
from conformance.zone_text import zone_text

FOLDER = "arc"


def verdict(watchpost, file, zone):
    answer = ask(watchpost, "check", file, "--zone", zone, "-o", "json")
    if answer.crashed or answer.code != 0:
        return {"result": f"{answer.code} {answer.error}", "why": ""}
    return json.loads(answer.out)["arc"]


def zone_of(row):
    names = row["txt"] or {}
    return zone_text([{"name": name, "type": "TXT", "strings": [text]} for name, text in names.items()])


def run(corpora, watchpost):
    folder = corpora / FOLDER
    zones = {row["zone"]: zone_of(row) for row in rows(folder / "zones.jsonl")}
    decided, others = Checked(), Checked()
    with tempfile.TemporaryDirectory() as place:
        zone = pathlib.Path(place) / "zone"
        for row in rows(folder / "validate.jsonl"):
            zone.write_text(zones[row["zone"]], encoding="ascii")
            got = verdict(watchpost, folder / row["file"], zone)
            expected = row["cv"].lower()
            if expected:
                decided.judged(row["key"], got["result"] == expected, expected, f"{got['result']} {got['why']}")
            else:
                others.judged(row["key"], got["result"] in ("none", "pass", "fail"), "an answer", got["result"])
    return [decided.result("arc decided"), others.result("arc undecided")]
