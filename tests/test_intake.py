"""Feedback by mail, from a real Postfix to a measure and back."""
import json
import os
import smtplib
import ssl
import subprocess
import time
import unittest

from feedback_mail import KEY, Lmtp, bounce, complaint, token
from support import PROGRAM, DaemonTest, SmallDiskTest, events, free_port, over_unix, wait_for_decision, wait_for_events
from testbed.destinations import Destinations
from testbed.mail_host import MailHost
from testbed.name_server import NameServer

ALICE = "alice@bakery.example"
DETECTORS = """
[[detector]]
name     = "dead addresses"
watch    = ["customer campaign"]
window   = "1h"
when     = "bounced(class == unknown_user) >= 5"
suggests = "bad_list"
mode     = "enforce"
then     = ["hold 1h"]

[[detector]]
name     = "complaints"
watch    = ["customer campaign"]
window   = "1h"
when     = "complained - complaint_withdrawn >= 5"
mode     = "enforce"
then     = ["hold 1h"]

[[suppress]]
name   = "complaint"
when   = "kind == complained"
reason = "complaint"
"""
INTAKE = """
[[source]]
name   = "feedback"
kind   = "feedback_mail"
listen = ["127.0.0.1:{intake_port}"]
answer_time = "{answer_time}"
"""


class WithIntake:
    def begin(self, more="", answer_time="60s", start=True):
        self.port = free_port()
        intake = INTAKE.replace("{intake_port}", str(self.port)).replace("{answer_time}", answer_time)
        self.daemon = self.watchpost(intake + KEY + DETECTORS + more, start=start)

    def lmtp(self):
        client = self.daemon.wait_until(self.connect, "the intake listens")
        self.addCleanup(client.close)
        return client

    def connect(self):
        try:
            return Lmtp(self.port)
        except (OSError, smtplib.SMTPException):
            return None

    def count(self, *arguments):
        return len(events(self.daemon, *arguments))

    def suppressed(self):
        return self.daemon.json("suppressions", "list")["suppressions"]

    def decisions(self):
        return self.daemon.json("decisions")["decisions"]


class Intake(WithIntake, DaemonTest):
    def test_complaints_by_way_of_postfix_hold_a_campaign_until_it_is_undone(self):
        self.begin()
        destinations = Destinations()
        self.addCleanup(destinations.stop)
        self.folder.chmod(0o755)
        folder = self.folder / "postfix"
        folder.mkdir()
        host = MailHost(folder, destinations.port, {ALICE: "demo"},
                        more=f"transport_maps = inline:{{feedback.example=lmtp:inet:127.0.0.1:{self.port}}}\n")
        self.addCleanup(host.remove)
        self.lmtp()
        host.start()
        sender = smtplib.SMTP("127.0.0.1", host.port)
        self.addCleanup(sender.close)
        sender.login(ALICE, "demo")
        for number in range(5):
            to = f"r{number}@gmail.com"
            report = complaint(to, token(to, "acme", "spring"))
            sender.sendmail(ALICE, ["complaints@feedback.example"], report.encode())
        wait_for_events(self.daemon, 5, "--kind", "complained")
        decision = wait_for_decision(self.daemon)
        self.assertEqual(decision["scope"], "customer=acme campaign=spring")
        for one in events(self.daemon, "--kind", "complained"):
            self.assertEqual((one["proof"], one["attribution"]), ("token", "token"))
        self.assertEqual(len(self.suppressed()), 5)
        self.daemon.run("incident", "false-positive", decision["incident"], "--why", "the provider's mistake")
        self.assertEqual(self.decisions(), [])
        self.assertEqual(self.suppressed(), [])

    def test_a_report_that_comes_again_counts_once(self):
        self.begin()
        client = self.lmtp()
        report = complaint("kim@gmail.com", token("kim@gmail.com", "acme", "spring"))
        for _ in range(7):
            client.send(report)
        client.send(report.replace("fbl@provider", "other@provider"))
        self.assertEqual(self.count("--kind", "complained"), 1)
        self.assertEqual(self.decisions(), [])
        # Also after it was started again.
        self.daemon.stop()
        self.daemon.start()
        self.lmtp().send(report)
        self.assertEqual(self.count("--kind", "complained"), 1)

    def test_a_reload_shows_the_new_certificate(self):
        files = [self.folder / "certificate", self.folder / "key"]

        def renew():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                            "-nodes", "-days", "1", "-subj", "/CN=mx.example", "-keyout", files[1],
                            "-out", files[0]], check=True, capture_output=True)
            return ssl.PEM_cert_to_DER_cert(files[0].read_text())

        def shown():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with smtplib.LMTP("127.0.0.1", self.port, timeout=60) as client:
                client.starttls(context=context)
                return client.sock.getpeercert(binary_form=True)

        first = renew()
        port = free_port()
        self.begin(f'[[source]]\nname = "tls"\nkind = "feedback_mail"\nlisten = ["127.0.0.1:{port}"]\n'
                   f'certificate = "{files[0]}"\nkey = "{files[1]}"\n')
        self.port = port
        self.lmtp()
        self.assertEqual(shown(), first)
        second = renew()
        self.assertEqual(shown(), first)
        self.daemon.run("reload")
        self.assertEqual(shown(), second)
        # A key that does not fit: nothing changes, and it is said what is wrong.
        renew()
        files[1].write_text("none")
        self.complain(self.daemon, "reload", code=4, says="source tls: the key cannot be used")
        self.assertEqual(shown(), second)

    def test_what_proves_nothing_is_kept_and_moves_nothing(self):
        self.begin()
        client = self.lmtp()
        for number in range(12):
            to = f"r{number}@gmail.com"
            good = token(to, "acme", "spring")
            client.send(complaint(to, f"m{number}"))  # no token
            client.send(complaint(to, good[:-1] + ("a" if good[-1] != "a" else "b")))
            client.send(bounce("other@gmail.com", good), f"{good}@bounces.example")  # somebody else's mail
            client.send(complaint(to, token(to, "acme", "spring", key_id=9)))
            client.send(complaint(to, token(to, "acme", "spring", sent=1_000_000_000)))
        self.assertEqual(self.decisions(), [])
        proofs = {one.get("proof") for one in events(self.daemon)}
        self.assertNotIn("token", proofs)
        self.assertIn("expired token", proofs)

    def test_not_spam_takes_back(self):
        self.begin()
        client = self.lmtp()
        marks = {f"r{n}@gmail.com": token(f"r{n}@gmail.com", "acme", "spring") for n in range(6)}
        people = list(marks)
        for to in people[:3]:
            client.send(complaint(to, marks[to]))
        for to in people[:2]:
            client.send(complaint(to, marks[to], kind="not-spam"))
            client.send(complaint(to, marks[to], kind="not-spam"))
        for to in people[3:]:
            client.send(complaint(to, marks[to]))
        self.assertEqual(self.count("--kind", "complained"), 6)
        self.assertEqual(self.count("--kind", "complaint_withdrawn"), 2)
        self.assertEqual(self.decisions(), [])

    def test_not_spam_takes_back_what_comes_after_it(self):
        self.begin()
        client = self.lmtp()
        marks = {f"r{n}@gmail.com": token(f"r{n}@gmail.com", "acme", "spring") for n in range(6)}
        people = list(marks)
        for to in people[:2]:
            client.send(complaint(to, marks[to], kind="not-spam"))
        # Also after it was started again.
        self.daemon.stop()
        self.daemon.start()
        client = self.lmtp()
        for to in people[:2]:
            client.send(complaint(to, marks[to]))
            client.send(complaint(to, marks[to], kind="not-spam"))
            client.send(complaint(to, marks[to]))
        for to in people[2:]:
            client.send(complaint(to, marks[to]))
        proofs = sorted(one["proof"] for one in events(self.daemon))
        self.assertEqual(proofs, ["no such complaint"] * 2 + ["token"] * 4 + ["withdrawn already"] * 2)
        self.assertEqual(self.decisions(), [])
        self.assertEqual({one["recipient"] for one in self.suppressed()}, set(people[2:]))
        client.send(complaint("r9@gmail.com", token("r9@gmail.com", "acme", "spring")))
        wait_for_decision(self.daemon)

    def test_one_person_is_one_in_a_rate_and_many_in_a_burst(self):
        people = DETECTORS.replace("complained - complaint_withdrawn",
                                   "complained(not repeated) - complaint_withdrawn(not repeated)")
        self.port = free_port()
        intake = INTAKE.replace("{intake_port}", str(self.port)).replace("{answer_time}", "60s")
        self.daemon = self.watchpost(intake + KEY + people)
        client = self.lmtp()
        yesterday = int(time.time()) // 86400 * 86400 - 1
        for number in range(8):
            mark = token("kim@gmail.com", "acme", "spring", sent=yesterday - number)
            client.send(complaint("kim@gmail.com", mark))
        self.assertEqual([one.get("repeated", False) for one in events(self.daemon, "--kind", "complained")],
                         [False] + [True] * 7)
        self.assertEqual(self.decisions(), [])
        self.daemon.stop()
        self.daemon.start()
        client = self.lmtp()
        for number in range(4):
            to = f"r{number}@gmail.com"
            client.send(complaint(to, token(to, "acme", "spring")))
        wait_for_decision(self.daemon)

    def test_mail_that_is_no_feedback_is_kept(self):
        self.begin()
        client = self.lmtp()
        client.send("From: a@b.example\r\nSubject: question\r\n\r\nWho are you?\r\n", sender="a@b.example")
        client.send("\x00\xff".encode("latin-1").decode("latin-1") + "\r\n")
        shown = self.daemon.json("sources")["sources"]
        feedback = next(one for one in shown if one["name"] == "feedback")
        self.assertEqual(feedback["lines"], 2)

    def test_a_listed_reporters_signature_is_proof(self):
        key = self.folder / "key.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", key], check=True, capture_output=True)
        record = subprocess.run([PROGRAM, "dkim", "record", "--key", key], check=True, capture_output=True, text=True)
        names = NameServer({f"s._domainkey.{domain}": record.stdout.strip()
                            for domain in ("provider.example", "stranger.example")})
        self.addCleanup(names.stop)
        names.start()
        self.begin(f'[feedback]\nreporters = ["provider.example"]\nfeedback_id = ["campaign", "customer", "", ""]\n'
                   f'[dns]\nservers = ["{names.place}"]\n')

        # What a listed reporter says counts of mail that was sent.
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sent = [{"v": 1, "at": now, "kind": "delivered", "direction": "outbound", "customer": "acme", "campaign": "spring",
                 "recipient": f"r{number}@gmail.com", "message_id": f"m{number}@acme.example"} for number in range(12)]
        status, text, _ = over_unix(self.daemon, "POST", "/v1/events", "\n".join(map(json.dumps, sent)))
        self.assertEqual((status, json.loads(text)["accepted"]), (200, len(sent)), text)

        def signed(domain, mail):
            done = subprocess.run([PROGRAM, "dkim", "sign", "-", "--key", key, "--domain", domain, "--selector", "s"],
                                  input=mail.encode(), check=True, capture_output=True)
            return done.stdout.decode()

        def report(number, reporter):
            mail = complaint(f"r{number}@gmail.com", f"m{number}", reporter)
            return mail.replace("Message-ID:", "Feedback-ID: spring:acme::\nMessage-ID:".replace("\n", "\r\n"))

        client = self.lmtp()
        for number in range(12):
            client.send(report(number, "provider.example"))  # not signed
            client.send(signed("stranger.example", report(number, "stranger.example")))
            client.send(signed("stranger.example", report(number, "provider.example")))
        self.assertEqual(self.decisions(), [])
        for number in range(5):
            client.send(signed("provider.example", report(number, "provider.example")))
        decision = wait_for_decision(self.daemon)
        self.assertEqual(decision["scope"], "customer=acme campaign=spring")
        # The same again, and a report of mail that never was, are nothing new.
        for number in range(5):
            client.send("Received: from elsewhere.example by here.example; Mon, 30 Nov 2026 00:00:00 +0000\r\n"
                        + signed("provider.example", report(number, "provider.example")))
        client.send(signed("provider.example", report(99, "provider.example")))
        self.daemon.wait_until(lambda: "no such mail" in {one.get("proof") for one in events(self.daemon)},
                               "what was never sent is named as such")
        proven = [one for one in events(self.daemon) if one.get("proof") == "reporter"]
        self.assertEqual({one["reporter"] for one in proven}, {"provider.example"})
        self.assertEqual(len(proven), 5)

    def test_bounces_of_a_bad_list_hold_it(self):
        self.begin()
        client = self.lmtp()
        for number in range(5):
            to = f"gone{number}@gmail.com"
            mark = token(to, "acme", "old")
            client.send(bounce(to, mark), f"{mark}@bounces.example")
        decision = wait_for_decision(self.daemon)
        self.assertEqual(decision["scope"], "customer=acme campaign=old")


@unittest.skipUnless(os.geteuid() == 0, "takes root to mount a small disk")
class FullDisk(WithIntake, SmallDiskTest):
    def test_mail_is_put_off_while_nothing_can_be_stored_and_counts_once(self):
        self.begin(answer_time="2s", start=False)
        self.put_on_disk(self.daemon)
        self.daemon.start()
        client = self.lmtp()
        marks = {f"r{n}@gmail.com": token(f"r{n}@gmail.com", "acme", "spring") for n in range(4)}
        reports = [complaint(to, mark) for to, mark in marks.items()]
        client.send(reports[0])
        filler = self.fill()
        # The first of them may still find room; then every one is put off, and none is lost by it.
        for report in reports[1:]:
            for _ in range(3):
                try:
                    client.send(report)
                except smtplib.SMTPException as refused:
                    self.assertIn("45", str(refused))
        self.assertFalse(self.daemon.json("status")["storing"])
        filler.unlink()
        self.daemon.wait_until(lambda: self.daemon.json("status")["storing"], "it stores again")
        again = self.lmtp()
        for report in reports:
            self.daemon.wait_until(lambda report=report: self.taken(again, report), "the mail is taken")
        self.assertEqual(self.count("--kind", "complained"), 4)

    def taken(self, client, report):
        try:
            client.send(report)
            return True
        except smtplib.SMTPException:
            return False


if __name__ == "__main__":
    unittest.main()
