"""Mail that came back, read from files: `watchpost feedback parse`, and log lines: `watchpost log parse`."""
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import unittest

from support import PROGRAM, ROOT, DaemonTest, message, unsafe

NO_CONFIGURATION = {**os.environ, "WATCHPOST_CONFIG": "/dev/null"}
POSTMARK = "From MAILER-DAEMON Tue Nov 24 03:00:01 2026\n"

BOUNCE = """\
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: news@shop.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset={charset}

Your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: Recipient address rejected: User unknown

--b1
Content-Type: message/rfc822

From: news@shop.example
To: {recipient}
Subject: {subject}
Message-ID: <m1@shop.example>

Hello
--b1--
"""

COMPLAINT = """\
From: feedback@isp.example
To: abuse@shop.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"

--b2
Content-Type: text/plain

This is a report of mail that a user did not want.

--b2
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Reporter/1.0
Version: 1
Original-Rcpt-To: <anna@isp.example>
Source-IP: 192.0.2.9

--b2
Content-Type: message/rfc822

From: news@shop.example
To: anna@isp.example
Subject: Autumn
Message-ID: <m2@shop.example>

Hello
--b2--
"""

LETTER = "From: ben@friend.example\nTo: news@shop.example\nSubject: Lunch?\n\nAt noon.\n"


def bounce(recipient="nobody@example.net", charset="utf-8", subject="Autumn"):
    return BOUNCE.format(recipient=recipient, charset=charset, subject=subject)


def mbox(*messages):
    return "".join(POSTMARK + one + "\n" for one in messages)


class FeedbackTest(DaemonTest):
    def file(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def run_program(self, *arguments, stdin=b"", code=0):
        """(standard output, standard error) of a run that needs no daemon and no configuration."""
        done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, check=False, timeout=400,
                              env=NO_CONFIGURATION)
        out, error = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{arguments}: {out[-2000:]}{error[-2000:]}")
        self.assertEqual(unsafe(out + error), [], arguments)
        return out, error

    def parse(self, *arguments, stdin=b"", code=0):
        """(one object for each message, standard error)"""
        out, error = self.run_program("feedback", "parse", "-o", "json", *arguments, stdin=stdin, code=code)
        return [json.loads(line) for line in out.splitlines()], error


class Parse(FeedbackTest):
    def test_each_message_with_what_it_is_and_why(self):
        self.file("a-bounce.eml", bounce())
        self.file("b-complaint.eml", COMPLAINT)
        self.file("c-letter.eml", LETTER)
        found, error = self.parse(str(self.folder))
        self.assertEqual(error, "")
        self.assertEqual([one["kind"] for one in found], ["bounce", "complaint", "other"])
        self.assertEqual([os.path.basename(one["file"]) for one in found],
                         ["a-bounce.eml", "b-complaint.eml", "c-letter.eml"])
        recipient = found[0]["recipients"][0]
        self.assertEqual(
            {name: recipient[name] for name in ("recipient", "action", "status", "reply_code", "class",
                                                "sisimai_reason", "hard")},
            {"recipient": "nobody@example.net", "action": "failed", "status": "5.1.1", "reply_code": 550,
             "class": "unknown_user", "sisimai_reason": "userunknown", "hard": True})
        self.assertIn("User unknown", recipient["diagnostic"])
        self.assertTrue(recipient["rule"])
        self.assertIsNone(found[0]["complaint"])
        self.assertEqual(found[0]["original"]["message_id"], "m1@shop.example")
        complaint = found[1]["complaint"]
        self.assertEqual((complaint["feedback_type"], complaint["source_ip"], complaint["original_rcpt_to"]),
                         ("abuse", "192.0.2.9", ["anna@isp.example"]))
        self.assertEqual(found[2]["recipients"], [])
        for one in found:
            self.assertTrue(one["why"])

    def test_for_people(self):
        box = self.file("box", mbox(bounce(), COMPLAINT, LETTER, bounce("gone@example.net")))
        out, error = self.run_program("feedback", "parse", box)
        self.assertEqual(error, "")
        for words in (f"{box}, message 1: bounce", "because", "nobody@example.net  failed  550  5.1.1  unknown_user",
                      "never mail it again", "User unknown", "by rule ", f"{box}, message 2: complaint",
                      "sent by 192.0.2.9", "<m1@shop.example>  from news@shop.example", '"Autumn"',
                      "4 messages in 1 file: 2 bounce, 1 complaint, 1 other",
                      "recipients by class: 2 unknown_user (2 never to be mailed again)"):
            self.assertIn(words, out)

    def test_files_folders_mboxes_and_maildirs(self):
        for part in ("cur", "new", "tmp"):
            self.file(f"Maildir/{part}/1764000000.M1P1.mx", bounce(f"{part}@example.net"))
        box = self.file("box", mbox(bounce("one@example.net"), bounce("two@example.net")))
        packed = self.file("packed.gz", gzip.compress(mbox(bounce("three@example.net")).encode()))
        single = self.file("single.eml", bounce("four@example.net").replace("\n", "\r"))
        found, _ = self.parse(str(self.folder / "Maildir"), box, packed, single, "-",
                              stdin=bounce("five@example.net").encode())
        self.assertEqual([one["recipients"][0]["recipient"].split("@")[0] for one in found],
                         ["cur", "new", "one", "two", "three", "four", "five"])
        self.assertEqual([one["number"] for one in found], [1, 1, 1, 2, 1, 1, 1])
        self.assertEqual(found[-1]["file"], "-")

    def test_what_the_files_are_may_be_told(self):
        box = self.file("box", mbox(bounce(), bounce()))
        self.assertEqual(len(self.parse(box)[0]), 2)
        self.assertEqual(len(self.parse("--as", "message", box)[0]), 1)
        self.run_program("feedback", "parse", "--as", "folder", box, code=2)
        self.run_program("feedback", "parse", code=2)

    def test_abuse_reports_that_are_files(self):
        report = {
            "xarf_version": "4.0.0", "report_id": "7b0d6c6e-3a52-4b0c-9a3b-2f5a3e1f0c11",
            "timestamp": "2026-11-24T03:00:00Z", "category": "messaging", "type": "spam",
            "reporter": {"org": "An ISP", "contact": "abuse@isp.example", "domain": "isp.example"},
            "sender": {"org": "An ISP", "contact": "abuse@isp.example", "domain": "isp.example"},
            "source_identifier": "192.0.2.9", "protocol": "smtp", "smtp_from": "news@shop.example", "source_port": 25,
        }
        self.file("a.json", json.dumps(report))
        self.file("b.json", "{\"some\": \"thing else\"}")
        found, _ = self.parse(str(self.folder))
        self.assertEqual([one["kind"] for one in found], ["complaint", "other"])
        self.assertEqual((found[0]["complaint"]["format"], found[0]["complaint"]["source_ip"]), ("xarf", "192.0.2.9"))
        self.assertTrue(found[1]["defects"])

    def test_rules_of_the_configuration(self):
        rules = self.file("rules.toml", '[[rule]]\nname = "policy/ours"\nclass = "policy"\ntext = ["user unknown"]\n')
        settings = self.file("watchpost.toml", f'[events]\nreply_classes = "{rules}"\n')
        found, _ = self.parse("-c", settings, self.file("a.eml", bounce()))
        self.assertEqual(found[0]["recipients"][0]["class"], "policy")
        broken = self.file("broken.toml", "[events]\nreply_clases = 1\n")
        self.assertIn("reply_clases", self.parse("-c", broken, self.file("a.eml", bounce()), code=1)[1])
        absent = str(self.folder / "absent.toml")
        self.assertIn("absent.toml", self.parse("-c", absent, self.file("a.eml", bounce()), code=1)[1])


class Trouble(FeedbackTest):
    def test_what_cannot_be_read_is_said_and_the_rest_is_read(self):
        self.file("good.eml", bounce())
        empty = self.file("empty.eml", "")
        broken = self.file("broken.gz", gzip.compress(os.urandom(5000))[:-20])
        absent = str(self.folder / "absent")
        found, error = self.parse(absent, str(self.folder), code=1)
        self.assertEqual([one["kind"] for one in found if one["file"].endswith("good.eml")], ["bounce"])
        for path in (absent, empty, broken):
            self.assertIn(path, error)
        out, _ = self.run_program("feedback", "parse", absent, code=1)
        self.assertIn("not read: 1, named on standard error", out)

    def test_half_a_message_in_an_mbox(self):
        whole = bounce("whole@example.net")
        half = bounce("half@example.net").split("--b1\nContent-Type: message/rfc822")[0]
        box = self.file("box", POSTMARK + half + mbox(whole) + POSTMARK + half[:-40])
        found, _ = self.parse(box)
        self.assertEqual([one["recipients"][0]["recipient"] for one in found],
                         ["half@example.net", "whole@example.net", "half@example.net"])
        said = "the file goes on, or ends, in its middle"
        self.assertEqual([said in one["defects"] for one in found], [False, False, True])
        self.assertIn("missing_end_boundary", found[0]["defects"])
        cut = self.file("cut", POSTMARK + half.rstrip("\n") + "\n" + mbox(whole))
        found, _ = self.parse(cut)
        self.assertEqual([said in one["defects"] for one in found], [True, False])

    def test_a_charset_that_nobody_knows(self):
        found, _ = self.parse(self.file("a.eml", bounce(charset="x-klingon-9")))
        self.assertEqual(found[0]["kind"], "bounce")
        self.assertEqual(found[0]["recipients"][0]["class"], "unknown_user")
        notice = ("From: MAILER-DAEMON@mx.example.net\nTo: news@shop.example\nSubject: failure notice\n"
                  "Content-Type: text/plain; charset=x-klingon-9\n\n"
                  "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
                  "<nobody@example.net>:\n550 5.1.1 User unknown\n")
        found, _ = self.parse(self.file("b.eml", notice))
        self.assertEqual(found[0]["kind"], "bounce")

    def test_a_message_of_100_mb(self):
        line = b"a line of seventy-odd bytes that stands for the rest of a large attachment\n"
        path = self.file("large.eml", bounce().encode() + line * (101 * 1024 * 1024 // len(line)))
        small = self.file("small.eml", bounce())
        found, error = self.parse(path, small, code=1)
        self.assertEqual([one["file"] for one in found], [small])
        self.assertIn("large.eml: message 1 is passed over", error)
        found, error = self.parse("--largest", "200MB", path, small)
        self.assertEqual([one["kind"] for one in found], ["bounce", "bounce"])
        self.run_program("feedback", "parse", "--largest", "5", small, code=2)

    def test_bombs(self):
        head = "From: a@b.example\nSubject: s\nMIME-Version: 1.0\n"
        nested = "".join(f'Content-Type: multipart/mixed; boundary="n{n}"\n\n--n{n}\n' for n in range(20_000))
        bombs = {
            "multiparts within multiparts": head + nested,
            "messages within messages": head + "Content-Type: message/rfc822\n\n" * 50_000,
            "parts beside parts": head + 'Content-Type: multipart/mixed; boundary="p"\n\n' + "--p\n\nx\n" * 200_000,
            "fields": head + "X: y\n" * 500_000 + "\n",
            "one field": head + "X-Long: " + "y" * 5_000_000 + "\n\n",
            "folds": head + "X-Folded: y\n" + " y\n" * 500_000 + "\n",
            "addresses": "To: " + "a@b.example, " * 300_000 + "\n\n",
            "comments": "To: " + "(" * 300_000 + "\n\n",
            "encoded words": "Subject: " + "=?utf-8?q?x?= " * 200_000 + "\n\n",
            "parameters": head + "Content-Type: text/plain" + "".join(f"; a*{n}=x" for n in range(100_000)) + "\n\n",
            "recipients": bounce().replace(
                "--b1\nContent-Type: message/rfc822",
                "".join(f"Final-Recipient: rfc822; r{n}@example.net\nAction: failed\nStatus: 5.1.1\n\n"
                        for n in range(100_000)) + "--b1\nContent-Type: message/rfc822"),
            "addresses in a notice": "From: MAILER-DAEMON@b.example\nSubject: failure notice\n\n"
                                     + "".join(f"<r{n}@example.net>:\nUser unknown\n\n" for n in range(50_000)),
            "quotes": "From: MAILER-DAEMON@b.example\nSubject: failure notice\n\n" + ">" * 3_000_000 + "\n",
            "brackets": "{" + "[" * 1_000_000,
            "nothing": "\0" * 5_000_000,
        }
        for name, content in bombs.items():
            self.file(f"bombs/{name}", content)
        self.file("bombs/packed.gz", gzip.compress(b"x" * 300_000_000))
        found, error = self.parse(str(self.folder / "bombs"), code=1)
        self.assertEqual(sorted(os.path.basename(one["file"]) for one in found), sorted(bombs))
        self.assertEqual(error.count("\n"), 1, error)
        self.assertIn("packed.gz: message 1 is passed over", error)

    def test_hostile_text_reaches_no_terminal(self):
        evil = "evil\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066\x7f"
        mail = bounce(subject=evil).replace("User unknown", f"User unknown {evil}")
        path = self.file(f"{evil}.eml", mail + f"\n--b1\n{evil}")
        for arguments in ((), ("-o", "json")):
            out, _ = self.run_program("feedback", "parse", *arguments, path)
            self.assertIn("owned", out)

    def test_an_interrupt_ends_it_between_two_messages(self):
        one = self.file("mails/0000", bounce())
        for number in range(1, 3000):
            os.link(one, self.folder / f"mails/{number:04}")
        # Nobody reads what it says, so that it cannot come to its end.
        with subprocess.Popen([PROGRAM, "feedback", "parse", "-o", "json", str(self.folder / "mails")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                              env=NO_CONFIGURATION) as process:
            self.addCleanup(process.kill)
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            rest, error = process.communicate(timeout=100)
        lines = (first + rest).splitlines()
        for line in lines:
            self.assertEqual(json.loads(line)["kind"], "bounce")
        self.assertEqual(process.returncode, 1)
        self.assertLess(len(lines), 3000)
        self.assertIn("stopped before the end", error.decode())

    def test_a_bar_on_a_terminal_only(self):
        box = self.file("box", mbox(*[bounce()] * 3))
        self.assertNotIn("█", self.run_program("feedback", "parse", box)[1])
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        done = subprocess.run([PROGRAM, "feedback", "parse", box], stdout=subprocess.PIPE, stderr=theirs, check=True,
                              env=NO_CONFIGURATION, timeout=100)
        os.close(theirs)
        shown = os.read(ours, 65536).decode()
        self.assertIn("\r", shown)
        self.assertIn("%", shown)
        self.assertEqual(done.stdout.decode().count(": bounce"), 3)


class LogLines(FeedbackTest):
    def test_events_of_a_log(self):
        log = self.file("mail.log", message(1, "alice@shop.example", "nobody@example.net", bounced=True) + "garbage\n")
        out, error = self.run_program("log", "parse", "-o", "json", log)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([one["kind"] for one in events], ["login", "accepted", "bounced"])
        self.assertEqual((events[2]["recipient"], events[2]["credential"], events[2]["class"]),
                         ("nobody@example.net", "alice@shop.example", "unknown_user"))
        self.assertIn("6 lines, 3 events", error)
        self.assertIn("not read: 1 line, no_timestamp", error)
        out, _ = self.run_program("log", "parse", log)
        self.assertIn("bounced  550", out)
        self.assertIn("recipient          nobody@example.net", out)

    def test_formats_and_faults(self):
        row = b"type,timeLogged,rcpt\nd,2026-11-24T03:00:00Z,anna@example.net\n"
        out, _ = self.run_program("log", "parse", "-o", "json", "--source", "powermta_csv", "-", stdin=row)
        self.assertEqual(json.loads(out)["recipient"], "anna@example.net")
        self.run_program("log", "parse", "--source", "no_such", "-", code=2)
        self.run_program("log", "parse", str(self.folder / "absent"), code=1)


class Conformance(FeedbackTest):
    """The program behind `./dev conformance`, with data of our own."""

    def conformance(self, *arguments, code=0):
        done = subprocess.run([sys.executable, "-B", ROOT / "tests/conformance/run.py", "--watchpost", PROGRAM, *arguments],
                              capture_output=True, text=True, check=False, timeout=400)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def row(self, key, line, **expected):
        return json.dumps({"key": key, "line": line, "pattern": "^%{POSTFIX_SMTP}$", "expect": expected}) + "\n"

    def setUp(self):
        super().setUp()
        line = "4F17A2B3C: to=<anna@example.net>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (no route)"
        said = {"postfix_queueid": "4F17A2B3C", "postfix_status": "deferred", "postfix_keyvalue_data": "to=<anna@example.net>,"}
        self.file("data/logs/lines.jsonl", self.row("right", line, **said)
                  + self.row("wrong", line, **{**said, "postfix_status": "sent"})
                  + self.row("not a delivery", "connect to mx.example.net[192.0.2.1]:25: Connection refused"))
        self.data = str(self.folder / "data")

    def test_a_line_for_each_suite_then_what_disagrees(self):
        out = self.conformance(self.data)
        self.assertTrue(out.startswith("logs/postfix 2/3\n\nlogs/postfix: wrong\n  expected {"), out)
        self.assertIn('"kind": "delivered"', out)
        self.assertIn('"kind": "deferred"', out)
        self.assertEqual(self.conformance(self.data, "--quiet"), "logs/postfix 2/3\n")
        found = json.loads(self.conformance(self.data, "-o", "json", "--suite", "logs"))
        self.assertEqual([(one["name"], one["total"], one["passed"]) for one in found["suites"]], [("logs/postfix", 3, 2)])
        self.assertEqual([one["key"] for one in found["suites"][0]["disagreements"]], ["wrong"])

    def test_floors_and_what_is_not_there(self):
        self.conformance(self.data, "--min", "logs/postfix=0.6", "--min", "mime=0.9")
        self.assertIn("66.7% of at least 90.0%", self.conformance(self.data, "--min", "logs/postfix=0.9", code=1))
        self.assertIn("skipped", self.conformance(self.data, "--suite", "mime", code=77))
        self.assertIn("skipped", self.conformance(str(self.folder / "absent"), code=77))
        self.assertIn("there is no suite", self.conformance(self.data, "--suite", "bouncse", code=2))
        self.file("data/logs/lines.jsonl", "no json\n")
        self.assertIn("logs could not run", self.conformance(self.data, code=1))


if __name__ == "__main__":
    unittest.main()
