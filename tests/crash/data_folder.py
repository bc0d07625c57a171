"""Reads a data folder by docs/formats/store.md, without the product."""
import collections
import pathlib
import shutil
import sqlite3

KINDS = ["", "accepted", "delivered", "deferred", "bounced", "expired", "complained", "complaint_withdrawn",
         "unsubscribed", "rejected", "login", "judged", "reported"]
TEXTS = ["", "source", "host", "service", "queue_id", "message_id", "sender", "from_domain", "recipient",
         "original_recipient", "recipient_domain", "provider", "customer", "campaign", "credential", "client_ip",
         "source_ip", "peer_ip", "peer_host", "class", "class_rule", "status", "stage", "reply", "outcome", "method",
         "client_network", "client_country"]


class DataFolder:
    """A copy of it, made into `aside`: nothing here may write to the product's files."""

    def __init__(self, folder, aside):
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(folder, aside)
        self.path = pathlib.Path(aside)
        self.state = sqlite3.connect(self.path / "state.db")
        self.faults = []
        self.check(self.state, "state.db")

    def check(self, database, name):
        answer = database.execute("PRAGMA integrity_check").fetchone()[0]
        if answer != "ok":
            self.faults.append(f"{name}: {answer}")

    def events(self):
        """All committed events, as dictionaries."""
        last = self.state.execute("SELECT last_event FROM ledger").fetchone()[0]
        numbers = collections.Counter()
        for path in sorted((self.path / "events").glob("*.db")):
            partition = sqlite3.connect(path)
            self.check(partition, path.name)
            for sequence, kind, body in partition.execute("SELECT sequence, kind, body FROM events"):
                if sequence <= last:
                    numbers[sequence] += 1
                    yield {"kind": KINDS[kind], **event_of(body)}
            partition.close()
        if sorted(numbers) != list(range(1, last + 1)) or max(numbers.values(), default=1) > 1:
            self.faults.append(f"the sequence numbers are not 1 to {last}, each once")

    def decisions(self):
        """(number, detector, scope), in order."""
        rows = self.state.execute("SELECT number, CAST(detector AS TEXT), CAST(scope AS TEXT) FROM decisions ORDER BY number")
        return [(number, detector or "", scope) for number, detector, scope in rows]

    def audit(self):
        """How often each thing was done to what: {("decision made", "d-1"): 1}."""
        rows = self.state.execute("SELECT CAST(what AS TEXT), CAST(about AS TEXT) FROM audit")
        return collections.Counter(tuple(row) for row in rows)


def varint(body, at):
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def event_of(body):
    marks, at = body[0], 1
    event = {"id": body[1:17]}
    at = 17
    for mark in (8, 16, 32):
        if marks & mark:
            _, at = varint(body, at)
    if marks & 64:
        at += 8
    while at < len(body):
        name = TEXTS[body[at]]
        size, at = varint(body, at + 1)
        event[name] = body[at:at + size].decode(errors="replace")
        at += size
    return event
