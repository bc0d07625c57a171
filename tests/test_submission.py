"""Mail of our logins, through a real Postfix and the gate behind its milter."""
import smtplib
import time
import unittest

from border_world import BorderTest
from support import events, wait_for_decision, wait_for_events
from testbed.sender import Refused

VOLUME = """
[[map]]
set     = "customer"
from    = "credential"
pattern = '@(.+)$'
[[detector]]
name   = "volume"
watch  = ["credential"]
window = "10m"
when   = "accepted >= 5"
mode   = "enforce"
then   = ["suspend 1h"]
"""


class Submission(BorderTest):
    def refusal(self, *arguments, **named):
        with self.assertRaises(Refused) as caught:
            self.submit(*arguments, **named)
        return caught.exception

    def test_what_a_login_sends_is_counted_as_it_sends_it(self):
        self.begin(VOLUME)
        for _ in range(5):
            self.submit()
        decision = wait_for_decision(self.daemon)
        self.assertIn("alice@sender.example", decision["scope"])
        refusal = self.refusal()
        self.assertEqual(refusal.code // 100, 5)
        self.assertIn("watchpost d-", refusal.text)
        self.submit("bob@sender.example")
        accepted = events(self.daemon, "--kind", "accepted")
        self.assertEqual(len(accepted), 6)
        first = accepted[0]
        self.assertEqual((first["credential"], first["client_ip"], first["customer"], first["author_domain"]),
                         ("alice@sender.example", "192.0.2.10", "sender.example", "sender.example"))
        self.assertEqual(first["recipients"], 1)
        # The refusal is ours, and nobody's evidence.
        self.assertEqual([one for one in events(self.daemon, "--kind", "rejected") if not one.get("self_inflicted")], [])
        self.daemon.run("release", "credential=alice@sender.example", "--why", "a test")
        self.submit()

    def test_a_message_that_the_log_tells_of_too_counts_once(self):
        self.begin(VOLUME.replace("accepted >= 5", "accepted >= 50"), log=True)
        for _ in range(3):
            self.submit()
        wait_for_events(self.daemon, 3, "--kind", "delivered")
        self.submit("bob@sender.example")
        wait_for_events(self.daemon, 4, "--kind", "delivered")
        self.assertEqual(len(events(self.daemon, "--kind", "accepted")), 4)

    def test_people_stop_and_slow_down_logins(self):
        self.begin()
        self.daemon.run("hold", "credential=alice@sender.example", "--for", "1h", "--why", "test")
        self.assertEqual(self.refusal().code // 100, 4)
        self.submit("bob@sender.example")
        self.daemon.run("release", "credential=alice@sender.example", "--why", "test")
        self.submit()
        self.daemon.run("throttle", "credential=alice@sender.example", "--to", "2/1h", "--for", "1h", "--why", "test")
        self.submit()
        self.submit()
        self.assertEqual(self.refusal().code // 100, 4)

    def test_a_decision_bites_at_once(self):
        self.begin()
        self.submit()
        began = time.monotonic()
        self.daemon.run("suspend", "credential=alice@sender.example", "--for", "1h", "--why", "stolen")
        self.assertEqual(self.refusal().code // 100, 5)
        print(f"from the command to the refusal: {time.monotonic() - began:.3f} s")

    def test_somebody_elses_name(self):
        self.begin('[border]\nforeign_author = "reject"\n'
                   '[[login]]\nlogin = "bob@sender.example"\naddresses = ["@partner.example"]\n')
        self.submit(sender="colleague@sender.example")
        self.assertEqual(self.refusal(sender="chief@bank.example").code // 100, 5)
        self.submit("bob@sender.example", sender="any@partner.example")
        found = wait_for_events(self.daemon, 1, "--kind", "rejected")
        self.assertIn("foreign_author", found[0]["findings"].split())

    def test_without_watchpost_mail_waits(self):
        self.begin()
        self.daemon.stop()
        # Postfix asks nobody any more, and puts off each command from the first one on.
        with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
            self.submit()
        self.assertEqual(caught.exception.smtp_code // 100, 4)


if __name__ == "__main__":
    unittest.main()
