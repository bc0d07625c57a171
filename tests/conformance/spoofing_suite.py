"""Mail that pretends to be from somebody else: espoofer's cases as raw messages with envelope and address.

A case is a row of spoofing/cases.jsonl; its zone is the dns.json of its set. It is broken where the identity that is forged
comes out as authentic, where any word of ours is a DMARC pass for its domain, or where a From field that is malformed or
names several authors is not called odd. Rows of the mode `client` are mail of somebody who has logged in.
"""
import json
import pathlib
import re
import tempfile

from conformance.suite import Checked, ask, rows
from conformance.zone_text import zone_text

FOLDER = "spoofing"
ONE_ADDRESS = re.compile(r'From:\s*("[^"]*"|[^<>@,;:()"]*)\s*<?[^\s<>@,;:()"\\]+@[^\s<>@,;:()"\\]+>?\s*', re.IGNORECASE)


def records_of(answers):
    for name, types in answers.items():
        for kind, values in types.items():
            for value in values if isinstance(values, list) else [values]:
                record = {"name": name, "type": kind}
                if kind == "TXT":
                    record["strings"] = [value]
                elif kind == "MX":
                    host = value if isinstance(value, str) else value[-1]
                    record.update(pref=10, host=host.split()[-1])
                else:
                    record["value"] = value
                yield record


def broken_by(row, got):
    """What must not be so and is; empty where all is well."""
    found = []
    identity = row["spoofed_identity"].lower()
    domain = identity.rpartition("@")[2]
    named = [one["address"].lower() for one in got["authors"]["addresses"]]
    if got["authentic"] and identity in named:
        found.append("the forged identity is authentic")
    if got["dmarc"]["result"] == "pass" and domain in got["authors"]["domains"]:
        found.append("a DMARC pass for the forged domain")
    for result in re.split(r";\s*", got["authentication_results"]):
        if result.startswith("dmarc=pass") and f"header.from={domain}" in result:
            found.append("a field that says DMARC pass for the forged domain")
    if not ONE_ADDRESS.fullmatch(row["from_header"].strip()) and not got["authors"]["oddities"]:
        found.append("nothing odd was seen in the From field")
    return found


def check(row, folder, zone, watchpost):
    arguments = ["check", str(folder / row["file"]), f"--ip={row['ip']}", f"--helo={row['helo']}",
                 f"--from={row['mailfrom']}", f"--zone={zone}", "-o", "json"]
    if row["mode"] == "client":
        arguments.append(f"--login={row['mailfrom'].strip('<>')}")
    answer = ask(watchpost, *arguments)
    if answer.crashed or answer.code != 0:
        return [f"{answer.code} {answer.error}"]
    return broken_by(row, json.loads(answer.out))


def run(corpora, watchpost):
    folder = corpora / FOLDER
    checked = Checked()
    with tempfile.TemporaryDirectory() as place:
        zones = {}
        for row in rows(folder / "cases.jsonl"):
            name = row["file"].split("/")[0]
            if name not in zones:
                zones[name] = pathlib.Path(place) / name
                answers = json.loads((folder / name / "dns.json").read_text(encoding="utf-8"))["records"]
                zones[name].write_text(zone_text(records_of(answers)), encoding="ascii")
            checked.case(row["key"], [], check(row, folder, zones[name], watchpost))
    return checked.result("spoofing")
