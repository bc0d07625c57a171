"""KumoMTA's records: a folder of segments that grow, end and go while the daemon runs and dies."""
import json
import subprocess
import time
import unittest

from support import DaemonTest, events, free_port, over_tcp, wait_for_events, write

BEGAN = int(time.time()) - 10_000
FOLDER_SOURCE = """
[[source]]
name = "kumo"
kind = "kumomta_log"
path = "{folder}/logs/"
start = "beginning"
"""


def record(number, kind="Delivery", **more):
    made = {"type": kind, "id": f"{number:032x}", "sender": "news@sender.example",
            "recipient": f"r{number}@example.net", "queue": "spring:acme@example.net", "site": "",
            "size": 1047, "response": {"code": 250, "enhanced_code": None, "content": "ok", "command": "."},
            "peer_address": {"name": "mx.example.net.", "addr": "203.0.113.9"},
            "timestamp": BEGAN + number, "created": BEGAN, "num_attempts": 0,
            "meta": {"authn_id": "anna"}, "headers": {}, "nodeid": "n1"}
    made.update(more)
    return json.dumps(made) + "\n"


def records(first, last):
    return "".join(record(n) for n in range(first, last))


def recipients(first, last):
    return [f"r{n}@example.net" for n in range(first, last)]


class Segment:
    """A segment as kumod writes it, but with a frame for each piece."""

    def __init__(self, folder, name):
        self.path = folder / name

    def write(self, text):
        write(self.path, pack(text))
        return self

    def done(self):
        self.path.chmod(0o440)
        return self


def pack(text):
    return subprocess.run(["zstd", "-q", "-c"], input=text.encode(), capture_output=True, check=True).stdout


class Kumomta(DaemonTest):
    def setUp(self):
        super().setUp()
        self.logs = self.folder / "logs"

    def stored(self, watchpost, count):
        return [event["recipient"] for event in wait_for_events(watchpost, count)]

    def source(self, watchpost):
        return watchpost.json("sources")["sources"][0]

    def test_segments_grow_and_rotate_while_the_daemon_is_killed(self):
        daemon = self.watchpost(FOLDER_SOURCE)
        daemon.wait_until(lambda: "does not exist" in self.source(daemon)["state"], "it waits for the folder")
        self.logs.mkdir()
        number = 0
        for turn in range(8):
            segment = Segment(self.logs, f"20261124-1045{turn:02}.123456789")
            segment.write(records(number, number + 100))
            if turn % 2 == 0:
                daemon.kill()
            segment.write(records(number + 100, number + 150))
            # Half a frame is there when it looks.
            piece = pack(records(number + 150, number + 200))
            write(segment.path, piece[:40])
            if turn % 2 == 0:
                daemon.start()
            if turn % 3 == 0:
                self.stored(daemon, number + 150)
            write(segment.path, piece[40:])
            segment.done()
            number += 200
        self.assertEqual(sorted(self.stored(daemon, number)), sorted(recipients(0, number)))
        # What was read may go.
        last = Segment(self.logs, "20261124-104600").write(record(number))
        self.stored(daemon, number + 1)
        for path in self.logs.iterdir():
            if path != last.path:
                path.unlink()
        daemon.kill()
        daemon.start()
        last.write(record(number + 1))
        # A straggler that is there twice would come behind it.
        self.assertEqual(sorted(self.stored(daemon, number + 2)), sorted(recipients(0, number + 2)))
        daemon.wait_until(lambda: self.source(daemon)["state"] == "following", "it follows")
        self.assertEqual(self.source(daemon)["unread_total"], 0)
        event = events(daemon, "recipient=r0@example.net")[0]
        self.assertEqual(event["customer"], "acme")
        self.assertEqual(event["credential"], "anna")

    def test_a_damaged_segment_is_left_and_said(self):
        self.logs.mkdir()
        Segment(self.logs, "20261124-104500").write(records(0, 5))
        write(self.logs / "20261124-104500", b"\xff" * 100)
        Segment(self.logs, "20261124-104501").write(records(5, 10) + "nonsense\n")
        daemon = self.watchpost(FOLDER_SOURCE)
        self.assertEqual(sorted(self.stored(daemon, 10)), sorted(recipients(0, 10)))
        daemon.wait_until(lambda: "not_json" in self.source(daemon)["unread"], "all is read")
        unread = self.source(daemon)["unread"]
        self.assertEqual(unread["segment_damaged"]["count"], 1)
        self.assertEqual(unread["not_json"]["samples"], ["nonsense"])

    def test_a_file_of_lines(self):
        path = self.folder / "kumo.ndjson"
        write(path, records(0, 3))
        daemon = self.watchpost(FOLDER_SOURCE.replace("logs/", "kumo.ndjson"))
        self.stored(daemon, 3)
        write(path, records(3, 5))
        self.assertEqual(sorted(self.stored(daemon, 5)), recipients(0, 5))

    def test_replay_reads_plain_and_packed(self):
        daemon = self.watchpost(FOLDER_SOURCE, start=False)
        write(self.folder / "a", records(0, 3))
        write(self.folder / "b", pack(records(3, 5)))
        report = daemon.json("replay", "--source", "kumomta_log", str(self.folder / "a"),
                             str(self.folder / "b"))
        self.assertEqual(report["events"], 5)
        packed = daemon.run("-o", "json", "replay", "--source", "kumomta_log", "-", stdin=records(0, 2))[1]
        self.assertEqual(json.loads(packed)["events"], 2)

    def test_replay_reads_records_as_long_as_those_that_are_followed(self):
        daemon = self.watchpost(FOLDER_SOURCE, start=False)
        long = self.folder / "long"
        write(long, record(0, headers={"x-long": "x" * 900_000}) + record(1, headers={"x-long": "x" * 1_100_000}))
        report = daemon.json("replay", "--source", "kumomta_log", str(long))
        self.assertEqual((report["events"], report["unread"]), (1, {"not_json": 1}))

    def test_records_over_http(self):
        port = free_port()
        daemon = self.watchpost(HTTP.replace("PORT", str(port)))

        def post(body, query=""):
            return over_tcp(port, "POST", "/v1/kumomta" + query, body, token="a-long-secret-of-a-sender")
        status, answer, _ = post(record(0))
        self.assertEqual((status, json.loads(answer)["accepted"]), (200, 1))
        array = "[" + record(0) + "," + record(1, meta={"account": "other"}) + ',{"type":"Later"}]'
        status, answer, _ = post(array, "?customer=account")
        self.assertEqual((status, json.loads(answer)["accepted"]), (200, 2))
        self.assertEqual(json.loads(answer)["refused"][0]["line"], 3)
        post(record(2) + record(0, "Reception", reception_protocol="LogRecord"))
        # Each is there when it was answered, and once.
        self.assertEqual(sorted(event["recipient"] for event in events(daemon)), recipients(0, 3))
        self.assertEqual(events(daemon, "recipient=r1@example.net")[0]["customer"], "other")
        self.assertEqual(over_tcp(port, "POST", "/v1/kumomta", record(3))[0], 401)


HTTP = """
[listen]
api = "127.0.0.1:PORT"
[[listen.token]]
name = "hook"
role = "sender"
token = "a-long-secret-of-a-sender"
"""

if __name__ == "__main__":
    unittest.main()
