"""A real Postfix asks the milter, which does what recipients are named after (milter_probe.cc)."""
import base64
import json
import os
import pathlib
import queue
import shutil
import smtplib
import subprocess
import tempfile
import threading
import unittest

from support import ROOT
from test_mail_intake import Intake
from testbed.mail_host import MailHost

PROGRAM = os.environ.get("WATCHPOST_MILTER_PROBE", str(ROOT / "build/dev/tests/milter_probe"))
ALICE = "alice@bakery.example"
SENDER = "jo@shop.example"
FIELDS = (b"Date: Sun, 29 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\nFrom: jo@shop.example\r\n"
          b"To: one@mx.example\r\nSubject: milter\r\n")
CONTENT = FIELDS + b"\r\nOne line.\r\n"
MILTER = """smtpd_milters = {at}
milter_default_action = tempfail
smtpd_relay_restrictions = permit
smtpd_recipient_restrictions = check_recipient_access inline:{{nobody@mx.example=REJECT}}, permit
"""


class Probe:
    """The milter, and what it was told."""

    def __init__(self, listen="127.0.0.1:0", *times):
        self._process = subprocess.Popen([PROGRAM, listen, *map(str, times)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         encoding="utf-8", errors="surrogateescape")
        self.port = int(self._process.stdout.readline())
        self._messages = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.metrics = ""

    def _read(self):
        for line in self._process.stdout:
            message = json.loads(line)
            message["message"] = base64.b64decode(message["message"])
            self._messages.put(message)

    def message(self):
        return self._messages.get(timeout=60)

    def stop(self):
        """Its metrics, by series."""
        if self._process.poll() is None:
            self._process.stdin.close()
            said = self._process.stderr.read()
            self._reader.join()
            code = self._process.wait(timeout=60)
            for stream in (self._process.stdout, self._process.stderr):
                stream.close()
            if code != 0:
                raise AssertionError(f"the milter ended with {code}:\n{said}")
            self.metrics = dict(line.rsplit(" ", 1) for line in said.splitlines()
                                if line.startswith("watchpost_"))
        return self.metrics


class Milter(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        mail = self.folder / "mail"
        mail.mkdir()
        self.intake = Intake(mail, "smtp", "127.0.0.1:0")
        self.addCleanup(self.intake.stop)
        self.delivered = 0

    def begin(self, listen="127.0.0.1:0", times=(), more=""):
        self.probe = Probe(listen, *times)
        self.addCleanup(self.probe.stop)
        at = f"inet:127.0.0.1:{self.probe.port}" if self.probe.port else listen
        folder = self.folder / "postfix"
        folder.mkdir()
        self.host = MailHost(folder, self.intake.port, {ALICE: "demo"}, more=MILTER.format(at=at) + more)
        self.addCleanup(self.host.remove)
        self.host.start()

    def client(self):
        client = smtplib.SMTP("127.0.0.1", self.host.port, "client.example", timeout=120)
        self.addCleanup(client.close)
        client.ehlo()
        return client

    def send(self, to, content=CONTENT, client=None):
        """The reply to the message, and what the milter was told."""
        client = client or self.client()
        self.assertEqual(client.mail(SENDER)[0], 250)
        for one in [to] if isinstance(to, str) else to:
            self.assertEqual(client.rcpt(f"{one}@mx.example")[0], 250)
        reply = client.data(content)
        return (reply[0], reply[1].decode()), self.probe.message()

    def next_delivered(self):
        self.delivered += 1
        return self.intake.message(self.delivered)

    def test_what_it_is_told(self):
        self.begin()
        client = self.client()
        client.login(ALICE, "demo")
        self.assertEqual(client.mail(SENDER, ("SIZE=100", "BODY=8BITMIME"))[0], 250)
        self.assertEqual(client.rcpt("one@mx.example", ("NOTIFY=NEVER",))[0], 250)
        self.assertEqual(client.rcpt("nobody@mx.example")[0], 554)
        self.assertEqual(client.rcpt("two@mx.example")[0], 250)
        code, text = client.data(CONTENT)
        self.assertEqual(code, 250)
        told = self.probe.message()
        self.assertEqual(told["message"], CONTENT)
        self.assertEqual(told["size"], len(CONTENT))
        self.assertFalse(told["cut"])
        self.assertEqual(told["from"], f"<{SENDER}>")
        self.assertEqual(told["arguments"], "SIZE=100 BODY=8BITMIME")
        self.assertEqual([one["address"] for one in told["recipients"]], ["one@mx.example", "two@mx.example"])
        self.assertEqual(told["recipients"][0]["arguments"], "NOTIFY=NEVER")
        self.assertEqual(told["refused"], 1)
        self.assertEqual(told["client_ip"], "127.0.0.1")
        self.assertNotEqual(told["client_port"], 0)
        self.assertEqual(told["helo"], "client.example")
        self.assertEqual(told["login"], ALICE)
        self.assertIn(told["queue_id"], text.decode())
        self.assertEqual(told["macros"]["client_addr"], "127.0.0.1")
        for name in ("client_name", "client_ptr", "client_port", "v", "j", "mail_addr", "auth_type"):
            self.assertIn(name, told["macros"])
        # The next message of the connection has its own.
        _, told_next = self.send("one", client=client)
        self.assertNotEqual(told_next["queue_id"], told["queue_id"])
        self.assertEqual(told_next["refused"], 0)
        self.next_delivered()

    def test_fields_as_they_were_written(self):
        self.begin()
        content = FIELDS + (b"A:y\r\nB: y\r\nC:  y\r\nD:\ty\r\nE: a\r\n\tb\r\n  c\r\nF:\r\n x\r\nG: trail \r\n"
                            b"H:\r\n") + b"\r\n\r\n ..\r\n.dot\r\n\xc3\xa4\xff\r\n\r\n"
        reply, told = self.send("one", content)
        self.assertEqual(reply[0], 250)
        self.assertEqual(told["message"], content)

    def test_answers(self):
        self.begin()
        client = self.client()
        for _ in range(2):  # the connection goes on after each
            self.assertEqual(self.send("reject", client=client)[0], (554, "5.7.1 no, 100% sure %s"))
            self.assertEqual(self.send("tempfail", client=client)[0], (451, "4.7.1 later, 100%"))
            self.assertEqual(self.send("reject-plainly", client=client)[0][0], 550)
            self.assertEqual(self.send("discard", client=client)[0][0], 250)
            self.assertEqual(self.send("one", client=client)[0][0], 250)
        self.assertEqual(client.mail(SENDER)[0], 250)
        self.assertEqual(client.rcpt("not@mx.example"), (550, b"5.7.1 not 100% here"))
        self.assertEqual(client.rcpt("later@mx.example"), (450, b"4.7.1 later"))
        self.assertEqual(client.rcpt("one@mx.example")[0], 250)
        self.assertEqual(client.data(CONTENT)[0], 250)
        self.assertEqual(len(self.probe.message()["recipients"]), 1)
        # Of all these, three were passed on.
        for _ in range(3):
            self.assertIn("to one@mx.example", " ".join(self.next_delivered()[0]))
        answers = {name: self.probe_answers(name) for name in ("proceed", "reject", "tempfail", "discard")}
        self.assertEqual(answers, {"proceed": 3, "reject": 4, "tempfail": 2, "discard": 2})

    def probe_answers(self, name):
        return int(self.probe.stop()[f'watchpost_milter_answers_total{{milter="inbound",answer="{name}"}}'])

    def names_of(self, content):
        header = content.partition(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ")
        return [line.partition(b":")[0].decode() for line in header.split(b"\r\n")]

    def test_where_fields_are_put(self):
        self.begin()
        old = b"Received: from a by b; Sun, 29 Nov 2026 06:00:00 +0000\r\nX-Probe: forged\r\n"
        for name, wanted in (("tag", ["Received", "X-Probe", "Received", "X-Probe"]),
                             ("top", ["X-Probe", "Received", "Received", "X-Probe"]),
                             ("append", ["Received", "Received", "X-Probe"])):
            reply, told = self.send(name, old + CONTENT)
            self.assertEqual(reply[0], 250)
            self.assertEqual(told["message"], old + CONTENT)
            content = self.next_delivered()[1]
            self.assertEqual(self.names_of(content)[:len(wanted)], wanted)
            self.assertEqual(self.names_of(content).count("X-Probe"), 2)
            self.assertIn(b"\r\nX-Probe: 100% of\r\n\tit\r\n", b"\r\n" + content)
        self.assertEqual(self.names_of(content)[-1], "X-Probe")

    def test_forged_fields_are_taken_out(self):
        self.begin()
        client = self.client()
        for count in range(1, 21):
            forged = [b"Authentication-Results: mx.example; dkim=pass n=%d\r\n" % n for n in range(count)]
            # At the top, in between, and at the end.
            content = b"".join(forged[::3]) + FIELDS + b"".join(forged[1::3]) + b"X-Stays: a\r\n" + b"".join(
                forged[2::3]) + b"\r\nbody\r\n"
            self.assertEqual(self.send("remove", content, client)[0][0], 250)
            delivered = self.next_delivered()[1]
            self.assertNotIn(b"Authentication-Results", delivered)
            self.assertIn(b"X-Stays: a\r\n", delivered)
            self.assertEqual(self.names_of(delivered).count("Subject"), 1)

    def test_recipients_are_taken_out(self):
        self.begin()
        self.assertEqual(self.send(["one", "less", "two"])[0][0], 250)
        said = " ".join(self.next_delivered()[0])
        self.assertIn("to one@mx.example", said)
        self.assertIn("to two@mx.example", said)
        self.assertNotIn("less@", said)
        # All of them: it is thrown away, and the client is told that it was taken.
        self.assertEqual(self.send(["less"])[0][0], 250)
        self.assertEqual(self.probe_answers("discard"), 1)

    def test_an_answer_that_takes_its_time(self):
        self.begin(times=(25, 2), more="milter_content_timeout = 6s\n")
        self.assertEqual(self.send("slow")[0][0], 250)
        self.next_delivered()

    def test_no_answer(self):
        self.begin(times=(3, 1))
        client = self.client()
        self.assertEqual(self.send("never", client=client)[0], (451, "4.7.1 in trouble: deadline"))
        self.assertEqual(self.send("one", client=client)[0][0], 250)

    def test_over_a_unix_socket(self):
        self.begin(f"unix:{self.folder}/milter.sock")
        self.assertEqual(self.send("tag")[0][0], 250)
        self.assertEqual(self.names_of(self.next_delivered()[1])[:2], ["Received", "X-Probe"])

    def test_chunks(self):
        self.begin()
        client = self.client()
        self.assertIn("chunking", client.esmtp_features)
        self.assertEqual(client.mail(SENDER)[0], 250)
        self.assertEqual(client.rcpt("one@mx.example")[0], 250)
        content = CONTENT + b".\r\n" * 50_000
        for at in range(0, len(content), 40_000):
            piece = content[at:at + 40_000]
            last = b" LAST" if at + 40_000 >= len(content) else b""
            client.send(b"BDAT %d%s\r\n" % (len(piece), last) + piece)
            self.assertEqual(client.getreply()[0], 250)
        self.assertEqual(self.probe.message()["message"], content)

    def test_clients_that_break_off(self):
        self.begin()
        for _ in range(3):
            client = self.client()
            client.mail(SENDER)
            client.rcpt("one@mx.example")
            client.putcmd("data")
            client.getreply()
            client.send(b"Subject: half\r\n")
            client.close()
        client = self.client()
        client.mail(SENDER)
        client.rcpt("one@mx.example")
        client.rset()
        self.assertEqual(self.send("two", client=client)[1]["recipients"][0]["address"], "two@mx.example")

    def test_many_messages_at_once(self):
        self.begin()
        for at in ("-d", ""):  # one connection for each message, and for all
            subprocess.run(["smtp-source", *([at] if at else []), "-s", "10", "-m", "200", "-l", "11000", "-f",
                            SENDER, "-t", "one@mx.example", f"127.0.0.1:{self.host.port}"],
                           check=True, timeout=120)
        for _ in range(400):
            self.assertEqual(self.probe.message()["from"], f"<{SENDER}>")
        self.assertEqual(self.probe_answers("proceed"), 400)


if __name__ == "__main__":
    unittest.main()
