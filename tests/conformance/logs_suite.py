"""Log lines: what becomes of a line of Postfix, a record of KumoMTA and one of PowerMTA (`watchpost log parse`).

    logs/postfix   logs/lines.jsonl. Every line has to be understood; one that tells of a delivery or of a refusal has to be
                   one event, with what the row expects of it. Rows about a part of a line are left out.
    logs/kumomta   logs/kumomta/*.jsonc: the records in it, with what they themselves say. bounce_classify.jsonl: what
                   KumoMTA's own rules call a reply.
    logs/powermta  logs/powermta/*.csv: the rows of accounting files, with what their columns say.
"""
import concurrent.futures
import csv
import json
import re

from conformance.suite import Checked, ask, objects, rows

FOLDER = "logs"

POSTFIX_KINDS = {"sent": "delivered", "bounced": "bounced", "deferred": "deferred", "expired": "expired"}
# Patterns whose names are not that of the program.
PROGRAMS = {"script": "postfix-script"}
PARTS_OF_LINES = {"command_counter_data", "delays", "tls_features", "keyvalue_data"}

KUMOMTA_KINDS = {"Reception": "accepted", "Delivery": "delivered", "TransientFailure": "deferred", "Bounce": "bounced",
                 "AdminBounce": "bounced", "OOB": "bounced", "Expiration": "expired", "Feedback": "complained"}

POWERMTA_NEEDED = {"type", "timeLogged", "rcpt"}
POWERMTA_KINDS = {"d": "delivered", "b": "bounced", "t": "deferred", "rb": "bounced", "f": "complained",
                  "fbl": "complained"}


def parsed(watchpost, source, text):
    """(what Watchpost says of it, its events)."""
    answer = ask(watchpost, "log", "parse", "--source", source, "-o", "json", "-", stdin=text)
    if answer.crashed or answer.code != 0:
        return f"ended with {answer.code}: {answer.error.strip()}", []
    unread = [line for line in answer.error.splitlines() if "not read: " in line]
    return " ".join(unread) or "understood", objects(answer.out)


# Postfix

def postfix_line(row):
    """The line as syslog has it; nothing where the row is about a part of a line."""
    line = " ".join(row["line"].split("\n")).strip()
    if not row.get("pattern"):
        return line
    name = re.sub(r"[^A-Z]*\{POSTFIX_(\w+)\}.*", r"\1", row["pattern"]).lower()
    if name in PARTS_OF_LINES:
        return None
    return f"Nov 24 03:00:01 mx postfix/{PROGRAMS.get(name, name)}[1]: {line}"


def attribute(pairs, name):
    found = re.search(rf"(?:^| ){name}=<([^>]*)>", pairs)
    return found[1] if found else ""


def postfix_expected(fields):
    """What the one event of the line has to have; nothing where the line is no delivery and no refusal."""
    def of(*names):
        return next((fields[name] for name in names if fields.get(name)), "")

    rejected = (fields.get("postfix_action") in ("reject", "milter-reject")
                or fields.get("postfix_proxy_result") == "reject")
    if not rejected and fields.get("postfix_status") not in POSTFIX_KINDS:
        return None
    pairs = of("postfix_keyvalue_data")
    expected = {
        "kind": "rejected" if rejected else POSTFIX_KINDS[fields["postfix_status"]],
        "queue_id": of("postfix_queueid").replace("NOQUEUE", ""),
        "client_ip": of("postfix_client_ip"),
        "recipient": attribute(pairs, "to"),
        "original_recipient": attribute(pairs, "orig_to"),
        "sender": attribute(pairs, "from"),
        "reply": of("postfix_local_response"),
        "reply_code": of("postfix_status_code", "postfix_proxy_status_code"),
        "stage": of("postfix_smtp_stage", "postfix_proxy_smtp_stage") if rejected else "",
    }
    always = {"kind", "queue_id", "client_ip"}
    return {name: value for name, value in expected.items() if value or name in always}


def postfix_case(watchpost, row):
    line = postfix_line(row)
    if line is None:
        return None
    expected = postfix_expected(row["expect"] or {})
    said, events = parsed(watchpost, "postfix_log", line + "\n")
    if expected is None:
        return row["key"], {"line": "understood"}, {"line": said}
    got = {"line": said, "events": len(events)}
    if events:
        got |= {name: str(events[0].get(name, "")) for name in expected}
    return row["key"], {"line": "understood", "events": 1, **expected}, got


def postfix(folder, watchpost):
    checked = Checked()
    with concurrent.futures.ThreadPoolExecutor(2) as several:
        for case in several.map(lambda row: postfix_case(watchpost, row), rows(folder / "lines.jsonl")):
            if case:
                checked.case(*case)
    return checked.result("logs/postfix")


# KumoMTA

def kumomta_records(text):
    """The JSON objects of a page of documentation, its comments taken off; what is not whole is left out."""
    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r",(\s*[}\]])", r"\1", text)
    text = re.sub(r"\bnil\b", "null", text)
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            record, end = decoder.raw_decode(text, at)
        except ValueError:
            end = at + 1
        else:
            if isinstance(record, dict) and record.get("type") in KUMOMTA_KINDS:
                yield record
        at = text.find("{", end)


def kumomta_expected(record):
    recipients = record.get("recipient", "")
    recipients = recipients if isinstance(recipients, list) else [recipients]
    response = record.get("response") or {}
    return {"kind": KUMOMTA_KINDS[record["type"]], "recipients": sorted(filter(None, recipients)),
            "sender": record.get("sender", ""), "reply_code": response.get("code", 0)}


def kumomta_got(events):
    if not events:
        return "no event"
    return {"kind": events[0]["kind"], "recipients": sorted(filter(None, (e.get("recipient") for e in events))),
            "sender": events[0].get("sender", ""), "reply_code": events[0].get("reply_code", 0)}


def kumomta(folder, watchpost):
    checked = Checked()
    for path in sorted((folder / "kumomta").glob("*.jsonc")):
        for number, record in enumerate(kumomta_records(path.read_text(errors="replace")), 1):
            if "timestamp" not in record:
                continue  # an excerpt
            _, events = parsed(watchpost, "kumomta_log", json.dumps(record) + "\n")
            checked.case(f"kumomta/{path.name}#{number}", kumomta_expected(record), kumomta_got(events))
    classified = folder / "kumomta" / "bounce_classify.jsonl"
    for row in rows(classified) if classified.exists() else []:
        answer = ask(watchpost, "classify", "-o", "json", "--", row["response"])
        got = answer.error.strip()
        if answer.code == 0:
            got = json.loads(answer.out).get("kumomta", "no answer")
        checked.case(row["key"], row["expect"], got)
    return checked.result("logs/kumomta")


# PowerMTA

def powermta_expected(row):
    expected = {"kind": POWERMTA_KINDS[row["type"]], "recipient": row["rcpt"]}
    if row.get("orig"):
        expected["sender"] = row["orig"]
    if found := re.match(r"smtp;\s*([2-5]\d\d)\b", row.get("dsnDiag") or ""):
        expected["reply_code"] = found[1]
    return expected


def powermta(folder, watchpost):
    checked = Checked()
    for path in sorted((folder / "powermta").glob("*.csv")):
        lines = path.read_text(errors="replace").splitlines()
        for number, row in enumerate(csv.DictReader(lines), 1):
            # A sample that leaves out what every record has, or is of a type that tells of no delivery.
            if not POWERMTA_NEEDED <= set(row) or row["type"] not in POWERMTA_KINDS:
                continue
            expected = powermta_expected(row)
            _, events = parsed(watchpost, "powermta_csv", f"{lines[0]}\n{lines[number]}\n")
            got = {name: str(events[0].get(name, "")) for name in expected} if len(events) == 1 else len(events)
            checked.case(f"powermta/{path.name}#{number}", expected, got)
    return checked.result("logs/powermta")


def run(corpora, watchpost):
    folder = corpora / FOLDER
    results = []
    for needed, suite in (("lines.jsonl", postfix), ("kumomta", kumomta), ("powermta", powermta)):
        if (folder / needed).exists():
            results.append(suite(folder, watchpost))
    return results
