"""The suite `bounces`: returned mail, against what Sisimai, flufl.bounce, Mail::DeliveryStatus::BounceParser and KumoMTA
make of it (bounces/expected.jsonl). Only rows that upstream decided are judged.

Three lines:

  bounces recipients   the recipient is found, and is hard or soft as upstream has it
  bounces reasons      the class digit of the status and Sisimai's reason, by the published mapping (docs/reference/
                       class-mapping.md); of BounceParser, a class that says the same
  bounces kinds        a bounce is told from a complaint, an answer, a delivery and from what is none of them

docs/conformance.md says which disagreements stand, and who is right.
"""

import pathlib

from conformance.suite import Checked, ask, objects, rows

FOLDER = "bounces"
AT_ONCE = 200

# What BounceParser calls a reason, and which classes say that.
STD_REASONS = {
    "user_unknown": {"unknown_user", "moved", "inactive"},
    "user_disabled": {"inactive", "unknown_user"},
    "over_quota": {"mailbox_full"},
    "message_too_large": {"message_too_large"},
    "domain_error": {"bad_domain", "relay_denied"},
    "spam": {"content_block", "reputation_block", "policy", "auth_required"},
}

# Reasons of Sisimai's that are no failure of a delivery, and what such a message is then.
KINDS_OF_REASONS = {
    "feedback": {"complaint", "complaint_withdrawn", "auth_failure", "unsubscribe"},
    "vacation": {"auto_reply"},
    "delivered": {"delivery"},
}


class Judged:
    """The three lines."""

    def __init__(self):
        self.recipients, self.reasons, self.kinds = Checked(), Checked(), Checked()


def run(corpora, watchpost):
    folder = pathlib.Path(corpora) / FOLDER
    expected = rows(folder / "expected.jsonl")
    messages = parse_all(watchpost, folder, sorted({row["file"] for row in expected}))
    judged = Judged()
    for row in expected:
        judge = {"sisimai": sisimai, "flufl": flufl, "bounceparser": bounceparser, "kumomta": kumomta}[row["corpus"]]
        judge(row, f"{row['file']}#{row.get('index', 1)}", messages.get(row["file"], Nothing), judged)
    return [judged.recipients.result("bounces recipients"), judged.reasons.result("bounces reasons"),
            judged.kinds.result("bounces kinds")]


class Message:
    """All that was read of one file."""

    def __init__(self, kind, recipients):
        self.kind, self.recipients = kind, recipients

    def find(self, wanted):
        """The recipient, by the address that failed or the one that was written to."""
        for recipient in self.recipients:
            if wanted in (recipient["recipient"].lower(), recipient["original_recipient"].lower()):
                return recipient
        return None

    def names(self):
        return sorted(recipient["recipient"].lower() for recipient in self.recipients)


Nothing = Message(None, [])


def parse_all(watchpost, folder, files):
    read = {}
    for first in range(0, len(files), AT_ONCE):
        names = [folder / name for name in files[first:first + AT_ONCE]]
        answer = ask(watchpost, "feedback", "parse", "-o", "json", *names)
        for one in objects(answer.out):
            name = str(pathlib.Path(one["file"]).relative_to(folder))
            message = read.setdefault(name, Message(one["kind"], []))
            message.recipients += one["recipients"]
    return read


def sisimai(row, key, message, judged):
    reason = row.get("reason")
    if row.get("is_bounce") is False:
        judged.kinds.judged(key, message.kind not in (None, "bounce"), "no bounce", message.kind)
    elif reason in KINDS_OF_REASONS:
        judged.kinds.judged(key, message.kind in KINDS_OF_REASONS[reason], reason, message.kind)
    elif reason is not None:
        sisimai_recipient(row, key, message, judged)


def sisimai_recipient(row, key, message, judged):
    wanted = (row.get("recipient") or "").lower()
    if wanted:
        found = message.find(wanted)
        got = f"{wanted} {hardness(found['hard'])}" if found else message.names()
        judged.recipients.case(key, f"{wanted} {hardness(row['hardbounce'])}", got)
    else:
        found = next(iter(message.recipients[row.get("index", 1) - 1:]), None)
    # A recipient that was written otherwise than upstream has it is judged above; its reason stands.
    if found is None and len(message.recipients) == 1:
        found = message.recipients[0]
    got = f"{found['status'][:1]} {found['sisimai_reason']}" if found else None
    judged.reasons.case(key, f"{row['status'][:1]} {row['reason']}", got)


def hardness(hard):
    return "hard" if hard else "soft"


def flufl(row, key, message, judged):
    if row.get("recipients") is None:
        return
    if not row["recipients"]:
        # Of a message that another detector knows, this one's silence says nothing.
        if row["of"] == 1:
            judged.kinds.judged(key, message.kind not in (None, "bounce", "delay"), "no bounce", message.kind)
        return
    wanted = sorted(name.lower() for name in row["recipients"])
    kind = "delay" if row["temporary"] else "bounce"
    passed = message.kind == kind and all(message.find(name) for name in wanted)
    judged.recipients.judged(key, passed, f"{kind} {wanted}", f"{message.kind} {message.names()}")


def bounceparser(row, key, message, judged):
    if row.get("is_bounce") is None:
        return
    wanted = [name.lower() for name in row.get("recipients") or []]
    if wanted:
        passed = message.kind == "bounce" and all(message.find(name) for name in wanted)
        judged.recipients.judged(key, passed, f"bounce {wanted}", f"{message.kind} {message.names()}")
    else:
        expected = "bounce" if row["is_bounce"] else "no bounce"
        judged.kinds.judged(key, (message.kind == "bounce") == row["is_bounce"], expected, message.kind)
    same = STD_REASONS.get(row.get("std_reason"))
    if same:
        classes = sorted({recipient["class"] for recipient in message.recipients})
        judged.reasons.judged(key, bool(same.intersection(classes)), row["std_reason"], classes)


def kumomta(row, key, message, judged):
    wanted = row["recipient"].lower()
    found = message.find(wanted)
    got = f"{wanted} {found['action']} {found['status'][:1]}" if found else message.names()
    judged.recipients.case(key, f"{wanted} {row['action']} {row['status'][:1]}", got)
