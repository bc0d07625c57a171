"""A real Postfix with a stolen login, and what people do about it."""
import math
import unittest

from support import ROOT, DaemonTest, events, free_port, wait_for_decision, wait_for_events
from testbed.destinations import Destinations
from testbed.mail_host import MailHost
from testbed.sender import Refused, Sender

STOLEN = "carol@bakery.example"
ALICE = "alice@bakery.example"
BOB = "bob@florist.example"
LOGINS = {ALICE: "demo", BOB: "demo", STOLEN: "demo"}
OFFICE = "192.0.2.10"

# Would fire on what Watchpost itself causes, if that were evidence.
REJECTED = """
[[detector]]
name   = "rejected"
watch  = ["credential"]
window = "10m"
when   = "rejected >= 3"
mode   = "notify"
"""


def tail(events_seen, attempts, rate):
    """The chance of so many or more events in so many attempts (binomial)."""
    return sum(math.comb(attempts, k) * rate ** k * (1 - rate) ** (attempts - k)
               for k in range(events_seen, attempts + 1))


class Postfix(DaemonTest):
    def begin(self, more=""):
        destinations = Destinations()
        self.addCleanup(destinations.stop)
        self.policy_port = free_port()
        self.host = MailHost(self.folder, destinations.port, LOGINS, self.policy_port)
        self.addCleanup(self.host.remove)
        text = (ROOT / "demo/watchpost.toml").read_text()
        for name, value in (("policy_port", self.policy_port), ("milter_port", free_port()),
                            ("name_server", "127.0.0.1:1"), ("release_port", free_port())):
            text = text.replace("{%s}" % name, str(value))
        self.host.start()
        self.daemon = self.watchpost(text + more, start=False)
        self.daemon.make_key(f"{self.folder}/quarantine.key")
        self.daemon.start()

    def send(self, login, recipient="customer@destination.example", client=OFFICE):
        sender = Sender(self.host.port, login, LOGINS[login], client)
        try:
            sender.send([recipient])
        finally:
            sender.close()

    def refusal(self, login, code, recipient="customer@destination.example"):
        with self.assertRaises(Refused) as caught:
            self.send(login, recipient)
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception.text

    def count(self, kind, *arguments):
        return len(events(self.daemon, "--kind", kind, *arguments))

    def decided(self):
        """How many decisions are in force, when all events stored are judged."""
        return self.daemon.json("status")["active_decisions"]

    def steal(self, most=60):
        """Mail to people who are gone, each waited for, until a decision is made: how many."""
        before = self.count("bounced")
        for sent in range(1, most):
            self.send(STOLEN, f"gone{sent}@destination.example", f"198.51.100.{sent}")
            self.daemon.wait_until(lambda: self.count("bounced") >= before + sent, "the bounce is stored")
            if self.decided():
                return sent
        raise AssertionError(f"no decision after {most} bounces")

    def test_a_stolen_login_is_stopped_and_nobody_else(self):
        self.begin(REJECTED)
        for login in LOGINS:
            for number in range(12):
                self.send(login, f"customer{number}@destination.example")
        wait_for_events(self.daemon, 36, "--kind", "delivered")
        wait_for_events(self.daemon, 36, "--kind", "accepted")
        self.assertEqual(self.count("login"), 36)
        self.assertEqual(self.daemon.json("incidents")["incidents"], [])

        # 12 delivered, then bounces: the first number that 2% makes less likely than one in a million.
        expected = next(n for n in range(5, 60) if tail(n, 12 + n, 0.02) <= 1e-6)
        self.assertEqual(self.steal(), expected)
        text = self.refusal(STOLEN, 554)
        decision = self.daemon.json("decisions")["decisions"][0]
        self.assertIn(f"(watchpost {decision['id']})", text)
        self.assertEqual(decision["scope"], f"credential={STOLEN}")
        self.assertEqual(decision["measure"], "suspend 1h")
        self.assertEqual([(row["enforcer"], row["wanted"]) for row in decision["enforcements"]],
                         [("submission", "applied")])

        self.check_evidence(decision, expected)
        for login in (ALICE, BOB):
            self.send(login)
        self.check_self_inflicted(decision)

    def check_evidence(self, decision, expected):
        incident = self.daemon.json("incident", "show", decision["incident"])["incident"]
        self.assertEqual(incident["subject"], f"credential={STOLEN}")
        self.assertEqual(incident["state"], "open")
        signal = incident["evidence"][0]["signal"]
        self.assertEqual(signal["detector"], "unknown users")
        self.assertEqual(signal["threshold"], 0.02)
        self.assertAlmostEqual(signal["value"], expected / (12 + expected))
        samples = incident["evidence"][0]["sample_events"]
        self.assertTrue(samples)
        for sample in samples:
            self.assertEqual(sample["credential"], STOLEN)
        self.assertIn("unknown_user", [sample.get("class") for sample in samples])
        self.assertIn(decision["id"], incident["decisions"])

    def check_self_inflicted(self, decision):
        for _ in range(6):
            self.refusal(STOLEN, 554)
        rejected = wait_for_events(self.daemon, 7, "--kind", "rejected")
        for event in rejected:
            self.assertTrue(event.get("self_inflicted"), event)
            self.assertIn(f"(watchpost {decision['id']})", event["reply"])
        # No evidence: neither for the detector of rejects nor as a second decision.
        incidents = self.daemon.json("incidents")["incidents"]
        self.assertEqual(len(incidents), 1, incidents)
        self.assertEqual(len(incidents[0]["evidence"]), 1, incidents[0]["evidence"])
        views = self.daemon.json("explain", f"credential={STOLEN}")["detectors"]
        rejects = next(view for view in views if view["detector"] == "rejected")
        self.assertFalse(rejects["firing"])
        self.assertEqual(rejects["value"], 0)

    def test_release_gives_grace(self):
        self.begin()
        self.steal()
        self.refusal(STOLEN, 554)
        self.daemon.run("release", f"credential={STOLEN}", "--why", "password changed")
        self.send(STOLEN)
        # As many as before again: the grace period is an hour.
        before = self.count("bounced")
        for number in range(8):
            self.send(STOLEN, f"gone{number}@destination.example")
        wait_for_events(self.daemon, before + 8, "--kind", "bounced")
        self.assertEqual(self.decided(), 0)
        self.send(STOLEN)
        ended = self.daemon.json("decisions", "--all")["decisions"]
        self.assertEqual([(one["state"], one["ended_why"]) for one in ended],
                         [("revoked", "password changed")])

    def test_after_the_grace_only_new_evidence_counts(self):
        self.begin('\n[decide]\ngrace = "1s"\n')
        self.assertEqual(self.steal(), 5)
        self.refusal(STOLEN, 554)
        self.daemon.run("release", f"credential={STOLEN}")
        self.daemon.wait_until(
            lambda: "grace ended" in [row["what"] for row in self.daemon.json("audit")["audit"]],
            "the grace ends")
        # One more bounce would do, if the old ones still counted: it needs as many as the first time.
        self.assertEqual(self.steal(), 5)
        self.assertIn("(watchpost d-2)", self.refusal(STOLEN, 554))

    def test_confirm_leaves_the_measure_in_force(self):
        self.begin()
        self.steal()
        incident = self.daemon.json("incidents")["incidents"][0]["id"]
        shown = self.daemon.json("incident", "confirm", incident, "compromised",
                                 "--why", "called her")["incident"]
        self.assertEqual(shown["verdict"], "compromised")
        self.refusal(STOLEN, 554)
        self.assertIn("called her", "".join(entry["what"] for entry in shown["timeline"]))

    def test_false_positive_lets_it_send_again(self):
        self.begin()
        self.steal()
        self.refusal(STOLEN, 554)
        incident = self.daemon.json("incidents")["incidents"][0]["id"]
        shown = self.daemon.json("incident", "false-positive", incident)["incident"]
        self.assertEqual((shown["verdict"], shown["state"]), ("false_positive", "closed"))
        self.send(STOLEN)

    def test_hold_and_throttle_by_hand(self):
        self.begin()
        self.daemon.run("hold", f"credential={ALICE}", "--for", "1h", "--why", "looking into it")
        self.assertIn("on hold", self.refusal(ALICE, 451))
        self.daemon.run("throttle", f"credential={BOB}", "--to", "3/1h", "--for", "1h")
        for _ in range(3):
            self.send(BOB)
        self.assertIn("(watchpost d-2)", self.refusal(BOB, 450))
        self.daemon.run("decision", "revoke", "d-1", "--why", "it was nothing")
        self.send(ALICE)
        self.refusal(BOB, 450)

    def test_a_customer_is_suspended_by_the_mapping_rule(self):
        self.begin()
        self.daemon.run("suspend", "customer=bakery.example", "--for", "1h")
        for login in (ALICE, STOLEN):
            self.refusal(login, 554)
        self.send(BOB)

    def test_postfix_goes_on_without_watchpost_and_a_restart_is_in_force_at_once(self):
        self.begin()
        self.steal()
        wait_for_decision(self.daemon)
        self.assertEqual(self.daemon.stop(), 0)
        self.send(ALICE)
        self.send(STOLEN)
        self.daemon.start()
        self.assertIn("(watchpost d-1)", self.refusal(STOLEN, 554))
        self.send(ALICE)
        # What was logged meanwhile was read, and the decision was made once.
        wait_for_events(self.daemon, 1, "--kind", "delivered", f"credential={ALICE}")
        self.assertEqual(len(self.daemon.json("decisions", "--all")["decisions"]), 1)


if __name__ == "__main__":
    unittest.main()
