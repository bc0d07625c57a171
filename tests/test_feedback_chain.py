"""The rules that ship, from a real Postfix to a measure and back: mail goes out, bounces and complaints come in."""
import re
import smtplib
import subprocess
import unittest

from feedback_mail import KEY, bounce, complaint, token
from support import ROOT, DaemonTest, events, free_port, wait_for_decision, wait_for_events
from testbed.destinations import Destinations
from testbed.mail_host import MailHost
from testbed.sender import Refused, Sender

ALICE = "alice@acme.example"
BOB = "bob@florist.example"
CUSTOMER = "acme.example"
# Where complaints are told of, each a provider of its own.
DOMAINS = ("yahoo.com", "hotmail.com", "comcast.net", "mail.ru", "fastmail.com", "cox.net")
FEEDBACK = """
[[source]]
name   = "feedback"
kind   = "feedback_mail"
listen = ["127.0.0.1:{intake_port}"]
{more}

# Mailings have their name in the return path.
[[map]]
set     = "campaign"
from    = "sender"
pattern = '^b-([a-z]+)\\+'
"""
ROUTES = ("transport_maps = inline:{{feedback.example=lmtp:inet:127.0.0.1:{0}, "
          "bounces.example=lmtp:inet:127.0.0.1:{0}}}\n")


def with_places(text, places):
    """The file that ships, with the test's own paths and ports, and its detectors switched on as the guide says."""
    text = re.sub(r'\[store\]\npath = .*\n\n\[listen\]\nsocket = .*\n', "", text)
    for old, new in places.items():
        if text.count(old) != 1:
            raise AssertionError(f"{old} does not stand in the file that ships, once")
        text = text.replace(old, new)
    return re.sub(r'^(mode +=) "shadow"$', r'\1 "enforce"', text, flags=re.M)


def people(start, count):
    return [f"{start}{number}@{DOMAINS[number % len(DOMAINS)]}" for number in range(count)]


class ChainTest(DaemonTest):
    def begin(self, postfix="", intake_settings=""):
        destinations = Destinations()
        self.addCleanup(destinations.stop)
        policy, intake = free_port(), free_port()
        self.folder.chmod(0o755)
        folder = self.folder / "postfix"
        folder.mkdir()
        self.host = MailHost(folder, destinations.port, {ALICE: "demo", BOB: "demo"}, policy,
                             more=ROUTES.format(intake) + postfix, receives=("feedback.example", "bounces.example"))
        self.addCleanup(self.host.remove)
        shipped = with_places((ROOT / "config/watchpost.toml").read_text(), {
            "/var/log/mail.log": str(self.host.log),
            # Which refuses suppressed recipients as well: docs/guide/list-hygiene.md.
            '["127.0.0.1:8891"]': f'["127.0.0.1:{policy}"]\nsuppressions = true',
            "127.0.0.1:8892": f"127.0.0.1:{free_port()}",
            "127.0.0.1:8893": f"127.0.0.1:{free_port()}"})
        self.host.start()
        feedback = FEEDBACK.replace("{intake_port}", str(intake)).replace("{more}", intake_settings)
        self.daemon = self.watchpost(shipped + KEY + feedback)
        self.marks = {}

    def mail(self, recipients, login=ALICE):
        """A message of the mailing to each of them; the reply where Postfix refuses one."""
        sender = Sender(self.host.port, login, "demo", "192.0.2.10")
        try:
            for to in recipients:
                mark = self.marks.setdefault(to, token(to, CUSTOMER))
                message = (f"From: <{login}>\r\nTo: <{to}>\r\nSubject: offer\r\nMessage-ID: <{mark}@acme.example>\r\n"
                           "\r\nBuy now.\r\n")
                sender.send([to], sender=f"b-spring+{mark}@bounces.example", message=message)
            return ""
        except Refused as refused:
            return str(refused)
        finally:
            sender.close()

    def arrives(self, report, recipient, sender="", options=()):
        """Somebody's mail server hands in a mail for us, at the door for strangers."""
        with smtplib.SMTP("127.0.0.1", self.host.mx_port, timeout=60) as client:
            client.sendmail(sender, [recipient], report.encode(), options)

    def bounces_late(self, *recipients):
        for to in recipients:
            self.arrives(bounce(to, self.marks[to]), f"b-spring+{self.marks[to]}@bounces.example")

    def complains(self, *recipients):
        for to in recipients:
            self.arrives(complaint(to, self.marks[to]), "complaints@feedback.example", "fbl@provider.example")

    def read(self, mails):
        """So many mails were handed in, and what came of them is stored."""
        def taken():
            shown = self.daemon.json("sources")["sources"]
            return next(one for one in shown if one["name"] == "feedback")["lines"] >= mails
        self.daemon.wait_until(taken, f"{mails} mails came")

    def counted(self, kind):
        """Those that are evidence."""
        return [one for one in events(self.daemon, "--kind", kind) if one.get("proof") in (None, "token")]

    def suppressed(self):
        return {one["recipient"]: one["reason"] for one in self.daemon.json("suppressions", "list")["suppressions"]}

    def in_force(self):
        return self.daemon.json("decisions")["decisions"]


class Chain(ChainTest):
    def setUp(self):
        super().setUp()
        self.begin()

    def test_bounces_hold_a_bad_list_until_a_person_says_it_was_none(self):
        refused, late = people("gone", 8), people("late", 6)
        self.mail(people("reader", 12) + late)
        wait_for_events(self.daemon, 18, "--kind", "delivered")
        # Our own Postfix is refused, logs it, and sends a notice of it to the return path: one bounce each.
        self.mail(refused)
        wait_for_events(self.daemon, 16, "--kind", "bounced")
        self.read(8)
        self.assertEqual(len(self.counted("bounced")), 8)
        # Other servers took their mail, and send notices now; some of them twice.
        self.bounces_late(*late[:4], *late[:4])
        self.read(16)
        counted = self.counted("bounced")
        self.assertEqual(len(counted), 12)
        of_mail = [one for one in counted if "proof" in one and one["recipient"] in late]
        self.assertEqual(sorted((one["customer"], one["campaign"], one["credential"], one["class"]) for one in of_mail),
                         [(CUSTOMER, "spring", ALICE, "unknown_user")] * 4)
        # From 3.5% to 16% at 1e-8: 12 in a row are just too few (12 ln(16/3.5) = 18.2 of 18.4).
        self.assertEqual(self.in_force(), [])
        self.bounces_late(late[4])
        decision = wait_for_decision(self.daemon)
        self.assertEqual((decision["measure"], decision["scope"]), ("hold 1h", f"credential={ALICE}"))
        incident = self.daemon.json("incident", "show", decision["incident"])["incident"]
        self.assertEqual(incident["evidence"][0]["signal"]["detector"], "unknown users")
        self.assertIn(f"(watchpost {decision['id']})", self.mail(["reader0@yahoo.com"]))
        self.assertEqual(self.mail(["reader1@yahoo.com"], BOB), "")
        self.assertEqual(self.suppressed(), dict.fromkeys(refused + late[:5], "hard_bounce"))

        # Of the login, and of the mailing that it sent.
        for incident in self.daemon.json("incidents")["incidents"]:
            self.daemon.run("incident", "false-positive", incident["id"], "--why", "their directory was down")
        self.assertEqual((self.in_force(), self.suppressed()), ([], {}))
        self.assertEqual(self.mail(["reader0@yahoo.com", *late]), "")

    def test_complaints_hold_a_customer_until_the_measure_is_taken_back(self):
        readers = people("reader", 30)
        self.mail(readers)
        wait_for_events(self.daemon, 30, "--kind", "delivered")
        leaver, forged, angry = readers[20], readers[21], readers[:5]
        unsubscribe = f"From: <{leaver}>\r\nTo: unsubscribe@feedback.example\r\nSubject: unsubscribe\r\n\r\n\r\n"
        self.arrives(unsubscribe, f"unsubscribe+{self.marks[leaver]}@feedback.example", leaver)
        self.complains(*angry[:4], *angry[:4])
        self.arrives(complaint(forged, self.marks[angry[4]]), "complaints@feedback.example", "fbl@provider.example")
        self.read(10)
        counted = self.counted("complained")
        whose = [(one["recipient"], one["customer"], one["campaign"], one["credential"]) for one in counted]
        self.assertEqual(sorted(whose), sorted((to, CUSTOMER, "spring", ALICE) for to in angry[:4]))
        # It takes five people.
        self.assertEqual(self.in_force(), [])
        self.complains(angry[4])
        decision = wait_for_decision(self.daemon)
        self.assertEqual(decision["measure"], "suspend 1d")
        incident = self.daemon.json("incident", "show", decision["incident"])["incident"]
        self.assertEqual({one["signal"]["detector"] for one in incident["evidence"]}, {"complaints by send time"})
        self.assertIn("(watchpost d-", self.mail([readers[25]]))
        self.assertEqual(self.mail([readers[25]], BOB), "")
        self.assertEqual(self.suppressed(), {leaver: "unsubscribe", **dict.fromkeys(angry, "complaint")})

        for one in self.in_force():
            self.daemon.run("decision", "revoke", one["id"], "--why", "the provider's mistake")
        self.assertEqual((self.in_force(), self.suppressed()), ([], {leaver: "unsubscribe"}))
        self.assertEqual(self.mail([readers[25], *angry]), "")
        self.assertIn("(watchpost suppression ", self.mail([leaver]))


class UnderTls(ChainTest):
    def test_addresses_of_other_scripts_come_encrypted(self):
        certificate, key = str(self.folder / "certificate"), str(self.folder / "key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "1", "-subj", "/CN=intake.example", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        self.begin("lmtp_tls_security_level = encrypt\nlmtp_tls_loglevel = 1\n",
                   f'certificate = "{certificate}"\nkey = "{key}"')
        to, utf8 = "j\u00f6rg@b\u00fccher.example", ("BODY=8BITMIME", "SMTPUTF8")
        mark = token(to, CUSTOMER)
        notice = bounce(to, mark).replace("message/delivery-status", "message/global-delivery-status")
        notice = notice.replace("rfc822; ", "utf-8; ").replace("message/rfc822", "message/global")
        self.arrives(notice, f"r\u00fccklauf+{mark}@bounces.example", options=utf8)
        self.arrives(complaint(to, mark), "beschwerde\u00fc@feedback.example", "fbl@provider.example", utf8)
        for kind, reason in (("bounced", "unknown_user"), ("complained", None)):
            one = wait_for_events(self.daemon, 1, "--kind", kind)[0]
            self.assertEqual((one["recipient"], one["customer"], one["proof"], one.get("class")),
                             (to, CUSTOMER, "token", reason))
        self.assertIn("TLS connection established to 127.0.0.1", self.host.log.read_text())
        self.assertEqual(self.suppressed(), {"j\u00f6rg@xn--bcher-kva.example": "hard_bounce"})


if __name__ == "__main__":
    unittest.main()
