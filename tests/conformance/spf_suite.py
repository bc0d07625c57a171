"""SPF against the suite of RFC 7208, the one of RFC 4408, and rows of pyspf and mail-auth.

A case is a row of spf/tests.jsonl: who delivers, what it said, and which results are right. Its zone is a master file for
`watchpost check`. An explanation is compared where the row has one; DEFAULT means that the domain gives none.
"""
import json
import pathlib
import tempfile

from conformance.suite import Checked, ask, rows
from conformance.zone_text import zone_text

FOLDER = "spf"
MESSAGE = "From: nobody@example.com\r\nSubject: none\r\n\r\n"
DEFAULT = "DEFAULT"


def verdict(watchpost, row, zone):
    """The verdict about MAIL FROM, or what went wrong."""
    arguments = ["check", "-", "--ip", row["ip"], "--zone", str(zone), "--helo", row["helo"] or "",
                 "--from", row["mailfrom"] or "", "-o", "json"]
    if row.get("receiver"):
        arguments.append(f"--authserv-id={row['receiver']}")
    answer = ask(watchpost, *arguments, stdin=MESSAGE)
    if answer.crashed or answer.code != 0:
        return {"result": f"{answer.code} {answer.error}"}
    return json.loads(answer.out)["spf_mail_from"]


def shown(got, explained):
    return f"{got['result']} ({got['explanation']})" if explained and "explanation" in got else got["result"]


def check(checked, row, got):
    explanation = row.get("explanation")
    right = got["result"] in row["expect"]
    if explanation and got["result"] == "fail":
        right = right and got["explanation"] == ("" if explanation == DEFAULT else explanation)
    wanted = " or ".join(row["expect"]) + (f" ({explanation})" if explanation else "")
    checked.judged(row["key"], right, wanted, shown(got, explanation))


def run(corpora, watchpost):
    folder = corpora / FOLDER
    zones = {zone["zone"]: zone_text(zone["records"]) for zone in rows(folder / "zones.jsonl")}
    lines = {}
    with tempfile.TemporaryDirectory() as place:
        zone = pathlib.Path(place) / "zone"
        for row in rows(folder / "tests.jsonl"):
            suite = row["key"].split("/")[0]
            zone.write_text(zones[row["zone"]], encoding="ascii")
            check(lines.setdefault(suite, Checked()), row, verdict(watchpost, row, zone))
    return [checked.result(f"spf {suite}") for suite, checked in lines.items()]
