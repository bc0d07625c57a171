"""The suite `arf`: complaints, against what mail-auth, KumoMTA and Sisimai read in them, and against what the XARF schemas
say of their own samples (arf/expected.jsonl).

Three lines:

  arf            each field of an ARF report that upstream gives, one case for each report (for each recipient of Sisimai's)
  xarf valid     a sample that the schemas take is read, and without a defect
  xarf invalid   a sample that they refuse is refused, or has a defect

docs/conformance.md says what is not compared, and why.
"""

import base64
import datetime
import email
import email.policy
import email.utils
import pathlib
import re

from conformance.suite import Checked, ask, objects, rows

FOLDER = "arf"
COMPLAINTS = {"complaint", "complaint_withdrawn", "auth_failure", "unsubscribe"}
AT_ONCE = 100

# How mail-auth writes the values of fields that are words. "Unspecified" is what it has for those that are not there.
FIELDS_OF_MAIL_AUTH = {
    "auth_failure": "auth-failure",
    "delivery_result": "delivery-result",
    "identity_alignment": "identity-alignment",
    "dkim_adsp_dns": "dkim-adsp-dns",
    "dkim_canonicalized_body": "dkim-canonicalized-body",
    "dkim_canonicalized_header": "dkim-canonicalized-header",
    "dkim_domain": "dkim-domain",
    "dkim_identity": "dkim-identity",
    "dkim_selector": "dkim-selector",
    "dkim_selector_dns": "dkim-selector-dns",
    "spf_dns": "spf-dns",
    "source_port": "source-port",
}
WORDS_OF_MAIL_AUTH = {"auth_failure", "delivery_result", "identity_alignment"}


def run(corpora, watchpost):
    folder = pathlib.Path(corpora) / FOLDER
    all_rows = rows(folder / "expected.jsonl")
    read = read_all(watchpost, folder, sorted({row["file"] for row in all_rows}))
    arf, valid, invalid = Checked(), Checked(), Checked()
    for row in all_rows:
        message = read.get(row["file"])
        if row["format"] != "arf":
            judge_xarf(row, message, valid if row["valid"] else invalid)
            continue
        expected, got = judge_arf(row, message)
        key = row["key"] if row.get("of", 1) == 1 else f"{row['key']}#{row['index']}"
        arf.case(key, expected, got)
    return [arf.result("arf"), valid.result("xarf valid"), invalid.result("xarf invalid")]


def read_all(watchpost, folder, files):
    """What was read of each file: of the last message in it."""
    read = {}
    for first in range(0, len(files), AT_ONCE):
        names = [folder / name for name in files[first:first + AT_ONCE]]
        answer = ask(watchpost, "feedback", "parse", "-o", "json", *names)
        for message in objects(answer.out):
            read[str(pathlib.Path(message["file"]).relative_to(folder))] = message
    return read


def judge_xarf(row, message, checked):
    if message is None:
        checked.case(row["key"], "an answer", "none")
        return
    taken = message["kind"] in COMPLAINTS
    if row["valid"]:
        checked.judged(row["key"], taken and not message["defects"], "no defect", message["defects"] or message["why"])
    else:
        checked.judged(row["key"], not taken or bool(message["defects"]), "a defect, or refused", "neither")


def judge_arf(row, message):
    """What upstream has, and what came of it under the same names; only what upstream decided."""
    if message is None or message["kind"] not in COMPLAINTS or message["complaint"] is None:
        return "a complaint", None if message is None else f"{message['kind']}: {message['why']}"
    if row.get("expected_json"):
        return of_mail_auth(row["expected_json"], message)
    if not row.get("expected"):
        return "a complaint", "a complaint"
    if "recipient" in row["expected"]:
        return of_sisimai(row["expected"], message)
    return of_kumomta(row["expected"], message)


def plain(text):
    """Blanks and brackets do not count."""
    return re.sub(r"\s+", " ", text or "").strip().strip("<>")


def moment(text):
    """A date as mail has it, ISO 8601, or seconds, as seconds of UTC; None where it is none."""
    if text is None or isinstance(text, (int, float)):
        return text
    for reader in (email.utils.parsedate_to_datetime, lambda t: datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))):
        try:
            date = reader(text)
            return int((date if date.tzinfo else date.replace(tzinfo=datetime.timezone.utc)).timestamp())
        except (TypeError, ValueError):
            continue
    return None


def packed_and_unpacked(value):
    """A value without blanks, and what it is where it is base64 (RFC 6591 section 3.2 has such fields)."""
    packed = "".join(value.split())
    yield packed
    try:
        yield "".join(base64.b64decode(packed, validate=True).decode().split())
    except (ValueError, UnicodeDecodeError):
        pass


def common(expected, complaint):
    """The fields that both mail-auth and KumoMTA have under one name."""
    want, got = {}, {}
    for name in ("original_envelope_id", "original_mail_from", "source_ip", "user_agent"):
        if name in expected:
            want[name], got[name] = plain(expected[name]), plain(complaint[name])
    for name in ("authentication_results", "reported_domain", "reported_uri"):
        if name in expected:
            want[name] = [plain(value) for value in expected[name] or []]
            got[name] = [plain(value) for value in complaint[name]]
    if "arrival_date" in expected:
        # What upstream cannot read as a date is not compared.
        want["arrival_date"] = moment(expected["arrival_date"])
        got["arrival_date"] = moment(complaint["arrival_date"]) if want["arrival_date"] is not None else None
    if "incidents" in expected:
        want["incidents"], got["incidents"] = expected["incidents"] or 1, complaint["incidents"]
    return want, got


def number_of(version):
    found = re.match(r"\d+(\.\d+)?", str(version))
    return float(found.group()) if found else None


def of_mail_auth(expected, message):
    complaint = message["complaint"]
    want, got = common(expected, complaint)
    # "AuthFailure", "NotSpam"; all that it does not know is "Other".
    want["feedback_type"] = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", expected["feedback_type"]).lower()
    known = {"abuse", "auth-failure", "fraud", "not-spam", "virus"}
    got["feedback_type"] = complaint["feedback_type"] if complaint["feedback_type"] in known else "other"
    want["version"], got["version"] = number_of(expected["version"]), number_of(complaint["version"])
    if expected.get("original_rcpt_to"):
        # It keeps one of them.
        want["recipient"] = plain(expected["original_rcpt_to"])
        got["recipient"] = want["recipient"] if want["recipient"] in complaint["original_rcpt_to"] else \
            complaint["original_rcpt_to"]
    if expected.get("reporting_mta"):
        want["reporting_mta"] = plain(expected["reporting_mta"]).split(";")[-1].strip()
        got["reporting_mta"] = complaint["reporting_mta"]
    for name, field in FIELDS_OF_MAIL_AUTH.items():
        if expected.get(name) in (None, 0, "Unspecified"):
            continue
        values = [value["value"] for value in complaint["fields"] if value["name"].lower() == field]
        if name in WORDS_OF_MAIL_AUTH:
            want[name] = expected[name].lower()
            found = [re.sub("[^a-z]", "", value.lower()) for value in values]
        else:
            want[name] = "".join(str(expected[name]).split())
            found = [form for value in values for form in packed_and_unpacked(value)]
        # Of a field that comes again it keeps one.
        got[name] = want[name] if want[name] in found else values
    original = expected.get("message") or expected.get("headers")
    if original:
        compare_original(original, message["original"], want, got)
    return want, got


def compare_original(text, original, want, got):
    """The fields of the mail that was complained about, as Python reads them."""
    mail = email.message_from_string(text, policy=email.policy.compat32)
    if mail["Message-ID"]:
        want["message_id"], got["message_id"] = plain(mail["Message-ID"]), plain(original["message_id"])
    if mail["Subject"] and "=?" not in mail["Subject"]:
        want["subject"], got["subject"] = plain(mail["Subject"]), plain(original["subject"])
    sender = email.utils.parseaddr(mail["From"] or "")[1]
    if "@" in sender:
        want["from"], got["from"] = sender, original["from"]


def of_kumomta(expected, message):
    complaint = message["complaint"]
    want, got = common(expected, complaint)
    want["feedback_type"], got["feedback_type"] = expected["feedback_type"].lower(), complaint["feedback_type"]
    want["version"], got["version"] = plain(expected["version"]), complaint["version"]
    want["recipients"] = [plain(value) for value in expected.get("original_rcpto_to") or []]
    got["recipients"] = complaint["original_rcpt_to"]
    reporter = expected.get("reporting_mta")
    if reporter:
        want["reporting_mta"] = plain(reporter["name"] if isinstance(reporter, dict) else reporter.split(";")[-1])
        got["reporting_mta"] = complaint["reporting_mta"]
    return want, got


def of_sisimai(expected, message):
    """Its `rhost` and `lhost` are guesses at who spoke, and its recipient is made up where there is none."""
    complaint, original = message["complaint"], message["original"]
    want, got = {"feedback_type": expected["feedback_type"]}, {"feedback_type": complaint["feedback_type"]}
    if not expected["recipient"].endswith(".invalid"):
        want["recipient"] = expected["recipient"]
        found = [*complaint["original_rcpt_to"], original["to"]]
        got["recipient"] = expected["recipient"] if expected["recipient"] in found else found
    if expected["addresser"] and not expected["addresser"].endswith(".invalid"):
        want["addresser"] = expected["addresser"]
        found = [complaint["original_mail_from"], original["from"], original["return_path"]]
        got["addresser"] = expected["addresser"] if expected["addresser"] in found else found
    if expected["messageid"]:
        want["messageid"], got["messageid"] = expected["messageid"], original["message_id"]
    return want, got
