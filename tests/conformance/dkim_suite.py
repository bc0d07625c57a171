"""DKIM against messages of other verifiers' own tests, and canonical forms.

A row of dkim/expected.jsonl or dkim/opendkim.jsonl passes where `watchpost check` says of one signature at least that it
passes. Where a row names what RFC 8301 or RFC 6376 forbids today (`legacy`), or is signed with SHA-1, no pass is wanted,
and what should fail must still not pass. Canonical forms are compared byte by byte.
"""
import json
import pathlib
import tempfile
import time

from conformance.suite import Checked, ask, rows
from conformance.zone_text import zone_text

FOLDER = "dkim"


def records_of(names):
    """{name: {"txt": ...} or {"error": ...} or {"rcode": ...}} as records of zone_text()."""
    for name, answer in names.items():
        if "error" in answer:
            yield {"name": name, "type": "SERVFAIL" if "SERVFAIL" in answer["error"] else "TIMEOUT"}
        texts = answer.get("txt", [])
        for text in [texts] if isinstance(texts, str) else texts:
            yield {"name": name, "type": "TXT", "strings": [text]}


def verdicts(watchpost, file, zone, now):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now or time.time()))
    answer = ask(watchpost, "check", file, "--zone", zone, "--now", at, "-o", "json")
    if answer.crashed or answer.code != 0:
        return None, f"{answer.code} {answer.error}"
    return json.loads(answer.out)["dkim"], ""


def shown(found):
    return ", ".join(f"{one['result']} ({one['domain']} {one['algorithm']} {one['why']})" for one in found) or "none"


def check(checked, row, found, error):
    """`wanted` is whether the message has to pass; None where it need not, but may."""
    if found is None:
        checked.judged(row["key"], False, "an answer", error)
        return
    passed = any(one["result"] == "pass" for one in found)
    should = row["expect"] == "pass" if "expect" in row else row["expect_status"] in ("DKIM_STAT_OK", None)
    old = row.get("legacy") or [one for one in found if one["algorithm"] == "rsa-sha1"]
    right = passed == should or (should and bool(old))
    checked.judged(row["key"], right, "pass" if should else "no pass", shown(found))


def judge(watchpost, folder, wanted, zones):
    checked = Checked()
    with tempfile.TemporaryDirectory() as place:
        zone = pathlib.Path(place) / "zone"
        for row in wanted:
            zone.write_text(zones[row.get("dns")], encoding="ascii")
            check(checked, row, *verdicts(watchpost, folder / row["file"], zone, row.get("now")))
    return checked


def judge_forms(watchpost, folder):
    checked = Checked()
    for row in rows(folder / "canon.jsonl"):
        for form in ("simple", "relaxed"):
            answer = ask(watchpost, "dkim", "canonical", folder / row["input"], "--header", form, "--body", form)
            expected = (folder / row[form]).read_bytes().decode(errors="replace")
            # Line ends of the expected forms may have become those of the disk they were kept on.
            same = answer.out.replace("\r\n", "\n") == expected.replace("\r\n", "\n")
            checked.judged(f"{row['key']} {form}", answer.code == 0 and same, expected, answer.out)
    return checked


def run(corpora, watchpost):
    folder = corpora / FOLDER
    zones = {row["zone"]: zone_text(list(records_of(row["records"]))) for row in rows(folder / "dns.jsonl")}
    given = [row for row in rows(folder / "expected.jsonl") if (folder / row["file"]).exists()]
    results = [judge(watchpost, folder, given, zones).result("dkim messages")]
    opendkim = folder / "opendkim.jsonl"
    if opendkim.exists():
        names = json.loads((folder / "opendkim" / "dns.json").read_text(encoding="utf-8"))["records"]
        confirmed = [row for row in rows(opendkim) if row["confirmed"] and row["expect_status"]]
        zone = {None: zone_text(list(records_of(names)))}
        results.append(judge(watchpost, folder, confirmed, zone).result("dkim opendkim"))
    results.append(judge_forms(watchpost, folder).result("dkim canonical"))
    return results
