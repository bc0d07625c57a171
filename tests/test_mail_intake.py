"""A real Postfix, and Python's own client, hand mail to the intake by LMTP and SMTP."""
import os
import pathlib
import shutil
import smtplib
import subprocess
import tempfile
import time
import unittest

from support import ROOT
from testbed.mail_host import MailHost

PROGRAM = os.environ.get("WATCHPOST_MAIL_INTAKE", str(ROOT / "build/dev/tests/mail_intake"))
ALICE = "alice@bakery.example"
CONTENT = ("Subject: gr\u00fc\u00dfe\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
           "Content-Transfer-Encoding: 8bit\r\n\r\n.\r\n..\r\n.x\r\n\u00e4\r\n" + 400 * "line\r\n")


class Intake:
    """The program, with a folder that messages come to."""

    def __init__(self, folder, protocol, listen, tls=()):
        self.folder = folder
        self._process = subprocess.Popen([PROGRAM, str(folder), protocol, listen, *tls], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self._process.stdout.readline())

    def stop(self):
        self._process.stdin.close()
        code = self._process.wait(timeout=60)
        self._process.stdout.close()
        if code != 0:
            raise AssertionError(f"the intake ended with {code}")

    def message(self, number):
        """What was said of the message, and its bytes."""
        path = self.folder / f"{number}.txt"
        for _ in range(600):
            if path.exists():
                return path.read_text().splitlines(), (self.folder / f"{number}.eml").read_bytes()
            time.sleep(0.05)
        raise AssertionError(f"message {number} did not come")


class MailIntake(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        self.mail = self.folder / "mail"
        self.mail.mkdir()

    def intake(self, protocol, listen="127.0.0.1:0", tls=()):
        made = Intake(self.mail, protocol, listen, tls)
        self.addCleanup(made.stop)
        return made

    def certificate(self):
        certificate, key = str(self.folder / "certificate"), str(self.folder / "key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "1", "-subj", "/CN=intake.example", "-keyout", key,
                        "-out", certificate], check=True, capture_output=True)
        return certificate, key

    def postfix(self, relay_port, more):
        folder = self.folder / "postfix"
        folder.mkdir()
        host = MailHost(folder, relay_port, {ALICE: "demo"}, more=more)
        self.addCleanup(host.remove)
        host.start()
        return host

    def hand_in(self, host, recipients, options=("BODY=8BITMIME",), recipient_options=(), content=CONTENT):
        with smtplib.SMTP("127.0.0.1", host.port, timeout=60) as client:
            client.login(ALICE, "demo")
            client.sendmail(ALICE, recipients, content.encode(), options, recipient_options)

    def wait_for_log(self, host, *texts):
        for _ in range(600):
            lines = host.log.read_text(errors="replace").splitlines()
            if any(all(text in line for text in texts) for line in lines):
                return
            time.sleep(0.05)
        raise AssertionError(f"{texts} is not in the log:\n" + "\n".join(lines))

    def check_content(self, content):
        # Postfix puts a Received field before it and leaves the rest alone.
        self.assertTrue(content.endswith(CONTENT.encode().partition(b"\r\n\r\n")[2]), content)
        self.assertIn("Subject: gr\u00fc\u00dfe\r\n".encode(), content)

    def by_lmtp(self, host, intake):
        self.hand_in(host, ["one@feedback.example", "two@feedback.example"],
                     ("BODY=8BITMIME", "RET=HDRS", "ENVID=list+2B7"),
                     ("NOTIFY=FAILURE", "ORCPT=rfc822;first+40feedback.example"))
        said, content = intake.message(1)
        self.check_content(content)
        self.assertIn(f"from {ALICE}", said)
        self.assertIn("8bit true", said)
        self.assertIn("ret HDRS", said)
        self.assertIn("envid list+7", said)
        for name in ("one", "two"):
            self.assertIn(f"to {name}@feedback.example FAILURE rfc822;first@feedback.example", said)
            self.wait_for_log(host, f"to=<{name}@feedback.example>", "status=sent (250 2.0.0 accepted)")

    def test_postfix_by_lmtp(self):
        intake = self.intake("lmtp")
        host = self.postfix(1, f"relayhost =\ndefault_transport = lmtp:inet:127.0.0.1:{intake.port}\n")
        self.by_lmtp(host, intake)
        # One that is put off stays in the queue; one that is refused goes back.
        self.hand_in(host, ["later@feedback.example"])
        self.wait_for_log(host, "to=<later@feedback.example>", "status=deferred", "451 4.3.0 not yet")
        self.hand_in(host, ["never@feedback.example"])
        self.wait_for_log(host, "to=<never@feedback.example>", "status=bounced", "554 5.3.0 not here")
        # Which comes here, from the null sender.
        said, content = intake.message(4)
        self.assertIn("from ", said)
        self.assertIn(b"554 5.3.0 not here", content)

    def test_postfix_and_a_bare_cr(self):
        intake = self.intake("lmtp")
        host = self.postfix(1, f"relayhost =\ndefault_transport = lmtp:inet:127.0.0.1:{intake.port}\n")
        content = CONTENT + "one\r.\r\nRSET\r\n" + 2000 * "another line\r\n"
        self.hand_in(host, ["one@feedback.example"], content=content)
        # Postfix puts a blank in its place, unless it is told not to.
        self.assertIn(b"\r\none .\r\nRSET\r\n", intake.message(1)[1])

    def test_postfix_is_refused_a_bare_cr(self):
        intake = self.intake("lmtp")
        route = f"relayhost =\ndefault_transport = lmtp:inet:127.0.0.1:{intake.port}\n"
        host = self.postfix(1, route + "cleanup_replace_stray_cr_lf = no\n")
        content = CONTENT + "one\r.\r\nRSET\r\n" + 2000 * "another line\r\n"
        self.hand_in(host, ["one@feedback.example", "two@feedback.example"], content=content)
        for name in ("one", "two"):
            self.wait_for_log(host, f"to=<{name}@feedback.example>", "status=bounced",
                              "550 5.5.2 a bare CR or LF is not accepted")

    def test_postfix_by_lmtp_at_a_unix_socket(self):
        path = self.folder / "lmtp.sock"
        intake = self.intake("lmtp", f"unix:{path}")
        host = self.postfix(1, f"relayhost =\ndefault_transport = lmtp:unix:{path}\n")
        self.by_lmtp(host, intake)

    def test_postfix_by_smtp_under_tls(self):
        intake = self.intake("smtp", tls=self.certificate())
        host = self.postfix(intake.port, "smtp_tls_security_level = encrypt\n")
        self.hand_in(host, ["j\u00f6rg@b\u00fccher.example"], ("BODY=8BITMIME", "SMTPUTF8"))
        said, content = intake.message(1)
        self.check_content(content)
        self.assertIn("utf8 true", said)
        self.assertTrue(any(line.startswith("tls TLSv1.3 TLS_") for line in said), said)
        self.assertTrue(any(line.startswith("to j\u00f6rg@") for line in said), said)
        self.wait_for_log(host, "status=sent (250 2.0.0 accepted)")

    def test_pythons_own_client(self):
        intake = self.intake("lmtp")
        with smtplib.LMTP("127.0.0.1", intake.port) as client:
            self.assertEqual(client.sendmail("a@x.example", ["b@x.example"], CONTENT.encode()), {})
            with self.assertRaises(smtplib.SMTPDataError) as caught:
                client.sendmail("a@x.example", ["never@x.example"], CONTENT.encode())
        self.assertEqual(caught.exception.smtp_code, 554)
        said, content = intake.message(1)
        self.assertEqual(content, CONTENT.encode())


if __name__ == "__main__":
    unittest.main()
