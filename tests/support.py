"""What the whole-daemon tests share.

Each test has a folder and daemons of its own; both are gone at its end, also where it failed.
"""
import atexit
import datetime
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sqlite3
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from testbed.mail_host import free_port  # noqa: E402, F401
from testbed.watchpost import Watchpost  # noqa: E402

PROGRAM = os.environ.get("WATCHPOST_PROGRAM", str(ROOT / "build/dev/src/watchpost"))
# A test that hangs is ended from inside, so that it cleans up what it started.
SECONDS_FOR_ONE_TEST = float(os.environ.get("WATCHPOST_TEST_SECONDS", "500"))

LOG_SOURCE = """
[[source]]
kind = "postfix_log"
path = "{folder}/mail.log"
start = "beginning"
"""
UNKNOWN_USERS = """
[[detector]]
name   = "unknown users"
watch  = ["credential"]
window = "1h"
when   = "bounced(class == unknown_user) / attempted > 20%"
guard  = "bounced(class == unknown_user) >= 5"
mode   = "enforce"
then   = ["suspend 1h"]
"""


class TookTooLong(BaseException):
    pass


def too_long(*_):
    raise TookTooLong("the test took too long")


class DaemonTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        # Also where the runner itself breaks off; cleaned up twice is cleaned up once.
        atexit.register(self.doCleanups)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        before = signal.signal(signal.SIGALRM, too_long)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, SECONDS_FOR_ONE_TEST)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def watchpost(self, configuration, start=True, folder=None, runner=()):
        """A daemon in the test's folder, that ends with the test."""
        made = Watchpost(PROGRAM, folder or self.folder, configuration, runner)
        self.addCleanup(end, made)
        if start:
            made.start()
        return made

    def log(self, text):
        """Adds to the log that LOG_SOURCE follows."""
        write(self.folder / "mail.log", text)

    def complain(self, watchpost, *arguments, code, says=""):
        """The command ends with `code` and says why on standard error."""
        got, out, error = watchpost.run(*arguments, check=False)
        self.assertEqual(got, code, f"{arguments}: {out}{error}")
        self.assertIn(says, error + out, arguments)
        return error


class SmallDiskTest(DaemonTest):
    """With a disk that can be filled; takes root."""

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(self.disk)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"cannot mount a small disk: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=False)

    def fill(self):
        filler = self.disk / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        return filler

    def put_on_disk(self, watchpost):
        text = watchpost.config.read_text()
        watchpost.config.write_text(text.replace(f"{self.folder}/data", f"{self.disk}/data"))


def end(watchpost):
    """Ends it, and holds it to a clean end: also what sanitizers say comes to light here."""
    process, watchpost.process = watchpost.process, None
    code = 0
    if process and process.poll() is None:
        process.terminate()
        try:
            code = process.wait(timeout=60)
        except BaseException:
            process.kill()
            process.wait()
            raise
    log = watchpost.log.read_text(errors="replace") if watchpost.log.exists() else ""
    if code != 0 or "Sanitizer" in log or ": runtime error: " in log:
        raise AssertionError(f"the daemon did not end well ({code}):\n{log[-20000:]}")


def unsafe(text):
    """What must not reach a terminal: control characters, bidirectional controls, the colours too."""
    return [f"{ord(c):x}" for c in text
            if (c != "\n" and (c < " " or "\x7f" <= c < "\xa0")) or c in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
            or "\u2066" <= c <= "\u2069"]


def write(path, text):
    with open(path, "ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def now(offset=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def login_line(name, client="192.0.2.7"):
    """A log line that is one event: somebody failed to log in."""
    return (f"{now()} mx1 postfix/submission/smtpd[77]: warning: unknown[{client}]: SASL LOGIN "
            f"authentication failed: authentication failure, sasl_username={name}\n")


def login_lines(first, last):
    return "".join(login_line(f"login{n}") for n in range(first, last))


def names(first, last):
    return [f"login{n}" for n in range(first, last)]


def message_begins(queue_id, login, client="192.0.2.7"):
    return (f"{now()} mx1 postfix/submission/smtpd[77]: {queue_id}: client=unknown[{client}], "
            f"sasl_method=PLAIN, sasl_username={login}\n"
            f"{now()} mx1 postfix/cleanup[78]: {queue_id}: message-id=<{queue_id}@sender.example>\n"
            f"{now()} mx1 postfix/qmgr[79]: {queue_id}: from=<{login}>, size=1200, nrcpt=1 "
            "(queue active)\n")


def message_ends(queue_id, recipient, bounced=False):
    if bounced:
        result = (f"dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.9] said: 550 5.1.1 "
                  f"<{recipient}>: Recipient address rejected: User unknown in virtual mailbox table "
                  "(in reply to RCPT TO command))")
    else:
        result = "dsn=2.0.0, status=sent (250 2.0.0 Ok)"
    return (f"{now()} mx1 postfix/smtp[80]: {queue_id}: to=<{recipient}>, "
            f"relay=mx.example.net[198.51.100.9]:25, delay=0.5, delays=0.1/0/0.2/0.2, {result}\n"
            f"{now()} mx1 postfix/qmgr[79]: {queue_id}: removed\n")


def message(number, login, recipient="a@example.net", bounced=False):
    queue_id = f"4F{number:08X}"
    return message_begins(queue_id, login) + message_ends(queue_id, recipient, bounced)


def bounces(login, count, first=1):
    return "".join(message(first + n, login, f"gone{n}@example.net", bounced=True)
                   for n in range(count))


def events(watchpost, *arguments):
    """All events stored that fit, oldest first."""
    answer = watchpost.json("events", "--limit", "10000", *arguments)
    assert answer["next"] in ("", None), "more than 10,000 events"
    return answer["events"][::-1]


def wait_for_events(watchpost, count, *arguments):
    watchpost.wait_until(lambda: len(events(watchpost, *arguments)) >= count,
                         f"{count} events are stored")
    return events(watchpost, *arguments)


def wait_for_decision(watchpost, state="active"):
    def found():
        decisions = watchpost.json("decisions", "--all")["decisions"]
        return next((one for one in decisions if one["state"] == state), None)
    return watchpost.wait_until(found, f"a decision is {state}")


def keep_mail(state, number, why, mail):
    """Puts a mail among those that were not understood (docs/formats/store.md), as intake would."""
    def varint(value):
        out = b""
        while value > 0x7F:
            out += bytes((value & 0x7F | 0x80,))
            value >>= 7
        return out + bytes((value,))
    def text(value):
        value = value if isinstance(value, bytes) else value.encode()
        return varint(len(value)) + value
    micros = int(datetime.datetime.now().timestamp() * 1_000_000)
    body = (varint(micros * 2) + text("mail") + text("mx.example.net") + text(why) + text("<>")
            + varint(1) + text("fbl@shop.example"))
    with sqlite3.connect(state) as database:
        database.execute("INSERT INTO kept_mail(number, size, body, bytes) VALUES(?, ?, ?, ?)",
                         (number, len(mail), body, mail))
    database.close()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=120):
        super().__init__("watchpost", timeout=timeout)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(connection, method, path, body=None, token=None, headers=None):
    """(status, body as text, header fields) of one request."""
    fields = dict(headers or {})
    if token:
        fields["Authorization"] = f"Bearer {token}"
    connection.request(method, path, body=body, headers=fields)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def over_tcp(port, method, path, body=None, token=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        return ask(connection, method, path, body, token, headers)
    finally:
        connection.close()


def over_unix(watchpost, method, path, body=None):
    connection = UnixConnection(watchpost.socket)
    try:
        return ask(connection, method, path, body)
    finally:
        connection.close()


class SmtpSink:
    """An SMTP relay that keeps the messages it is given."""

    def __init__(self):
        self.messages = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                try:
                    self._session(stream)
                except OSError:
                    pass

    def _session(self, stream):
        def say(text):
            stream.write(text.encode() + b"\r\n")
            stream.flush()
        sender, recipients = "", []
        say("220 sink.example ESMTP")
        while line := stream.readline():
            verb = line[:4].upper()
            if verb == b"MAIL":
                sender = line.decode().strip()
            elif verb == b"RCPT":
                recipients.append(line.decode().strip())
            elif verb == b"DATA":
                say("354 go on")
                text = b""
                while (more := stream.readline()) not in (b".\r\n", b""):
                    text += more
                self.messages.append((sender, recipients, text.decode()))
                recipients = []
            say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def stop(self):
        # A thread that waits in accept() is woken by this, not by closing alone.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(timeout=10)
