"""Suppressions of one recipient for several reasons: what undoing, lifting and importing do to each; and what an address is,
whoever names it."""
import csv
import io
import json
import unittest

from support import free_port, over_unix
from test_suppressions import DAY, DETECTOR, POLICY, RULES, SuppressionTest, bounce, event

# Ways of writing mailboxes, and what they come to.
ODD = {
    "Bob@BÜCHER.example": "bob@xn--bcher-kva.example",
    "ÉÈ@x.example": "éè@x.example",
    '"a b"@x.example': '"a b"@x.example',
    '"Q"@y.example': "q@y.example",
    '"a;b@c"@x.example': '"a;b@c"@x.example',
    "=cmd@x.example": "=cmd@x.example",
    "#x@y.example": "#x@y.example",
    "+tag@x.example": "+tag@x.example",
    "a'b@x.example": "a'b@x.example",
    "a@some_host.example": "a@some_host.example",
    "last@x.example.": "last@x.example",
    "/^.*$/@x.example": "/^.*$/@x.example",
}
NO_ADDRESS = ("@@x", "a@*", "a@x.example:25", "x@y.example\\n", "mailto:m@x.example", "a;b@x.example", "a@x.example..",
              "a@b@c.example", "a@-", "a@[1.2.3.4]", "a@x{y}", 'a"b@x.example', "Bob <bob@x.example>", "a\u202eb@x.example")


class SuppressionReasons(SuppressionTest):
    def wrong(self, daemon, incident):
        daemon.run("incident", "false-positive", incident, "--why", "the receiver was broken")

    def holding(self, daemon):
        return sorted((one["recipient"], one["reason"]) for one in self.listed(daemon))

    def test_undoing_leaves_what_people_wished(self):
        daemon = self.watchpost(RULES + DETECTOR)
        self.push(daemon, *(bounce(n, f"r{n}@dest.example") for n in range(8)))
        daemon.run("suppressions", "import", "-", "--customer", "acme.example", "--reason", "unsubscribe",
                   stdin="r1@dest.example\n")
        daemon.run("suppressions", "add", "r2@dest.example", "--customer", "acme.example", "--reason", "unsubscribe",
                   "--note", "asked by phone")
        self.push(daemon, event(51, "unsubscribed", "r4@dest.example"), event(52, "complained", "r3@dest.example"))
        daemon.run("suppressions", "import", "-", "--customer", "acme.example", "--reason", "hard_bounce",
                   stdin="r5@dest.example\n")
        self.wrong(daemon, daemon.json("incidents")["incidents"][0]["id"])
        # The complaint came while the incident was open, over its mail: it is taken back, too.
        self.assertEqual(self.holding(daemon),
                         [("r1@dest.example", "unsubscribe"), ("r2@dest.example", "unsubscribe"),
                          ("r4@dest.example", "unsubscribe"), ("r5@dest.example", "hard_bounce")])

    def test_undoing_reaches_over_a_restart_and_over_other_incidents(self):
        daemon = self.watchpost(RULES + DETECTOR + DETECTOR.replace('"unknown users"', '"of a login"')
                                .replace('"customer"', '"credential"').replace(">= 5", ">= 6"))
        made = [bounce(n, f"r{n}@dest.example", credential="anna@acme.example") for n in range(8)]
        self.push(daemon, *made[:4])
        daemon.stop()
        daemon.start()
        self.push(daemon, *made[4:], bounce(20, "bobs@dest.example", credential="bob@acme.example"))
        incidents = daemon.json("incidents")["incidents"]
        for one in incidents:
            self.wrong(daemon, one["id"])
        self.assertEqual(self.recipients(daemon), [])
        for n in range(30, 32):
            self.push(daemon, bounce(n, f"r{n}@dest.example", credential="anna@acme.example"))
        self.assertEqual(len(self.recipients(daemon)), 2)

    def test_many_before_an_incident_are_taken_back(self):
        daemon = self.watchpost(RULES + DETECTOR.replace(">= 5", ">= 5500"))
        made = [bounce(n, f"r{n}@dest.example") for n in range(5600)]
        for first in range(0, len(made), 400):
            self.push(daemon, *made[first:first + 400])
        self.assertEqual(len(self.recipients(daemon)), 5600)
        self.wrong(daemon, daemon.json("incidents")["incidents"][0]["id"])
        self.assertEqual(self.recipients(daemon), [])

    def test_removing_lifts_all_or_the_one_that_is_named(self):
        port = free_port()
        daemon = self.watchpost(RULES + POLICY.replace("{port}", str(port)))
        self.push(daemon, bounce(1, "a@dest.example"), event(2, "complained", "a@dest.example"),
                  event(3, "unsubscribed", "a@dest.example"))
        remove = ("suppressions", "remove", "a@dest.example", "--customer", "acme.example", "--note", "is back")
        daemon.run(*remove, "--reason", "hard_bounce")
        self.complain(daemon, *remove, "--reason", "hard_bounce", code=4, says="removed before")
        self.complain(daemon, *remove, "--reason", "imported", code=4, says="for this reason")
        self.complain(daemon, *remove, "--reason", "why", code=2, says="no reason")
        self.assertEqual(self.holding(daemon), [("a@dest.example", "complaint"), ("a@dest.example", "unsubscribe")])
        self.assertIn("550", self.refusal(port, "anna@acme.example", "a@dest.example"))
        self.assertIn("unsubscribe", daemon.run(*remove)[1])
        self.assertEqual(self.refusal(port, "anna@acme.example", "a@dest.example"), "action=dunno")
        # What each was before can be seen.
        answer = json.loads(over_unix(daemon, "GET", "/v1/suppressions?recipient=a@dest.example&all=true")[1])
        self.assertEqual({one["state"] for one in answer["suppressions"]}, {"lifted"})
        self.assertEqual(sorted(one["reason"] for one in answer["history"]), ["complaint", "hard_bounce", "unsubscribe"])
        self.assertIn("As they were before", daemon.run("suppressions", "list", "a@dest.example", "--all")[1])

    def test_not_spam_lifts_what_an_event_made(self):
        daemon = self.watchpost(RULES)
        daemon.run("suppressions", "import", "-", "--customer", "acme.example", "--reason", "complaint",
                   stdin="imported@dest.example\n")
        self.push(daemon, event(1, "complained", "button@dest.example"))
        self.push(daemon, event(2, "complaint_withdrawn", "button@dest.example"),
                  event(3, "complaint_withdrawn", "imported@dest.example"))
        self.assertEqual(self.recipients(daemon), ["imported@dest.example"])
        lifted = self.listed(daemon, "button@dest.example", "--all")[0]
        self.assertEqual(lifted["origin"], "rule `complaint`")

    def test_what_a_person_removed_is_not_imported_again(self):
        daemon = self.watchpost(RULES)
        self.push(daemon, bounce(1, "a@dest.example"))
        daemon.run("suppressions", "remove", "a@dest.example", "--customer", "acme.example", "--note", "is back")
        again = ("suppressions", "import", "-", "--customer", "acme.example")
        out = daemon.run(*again, stdin="a@dest.example\nb@dest.example\n")[1]
        self.assertIn("1 had been removed by a person; --again suppresses them.", out)
        self.assertEqual(self.recipients(daemon), ["b@dest.example"])
        # That the recipient unsubscribed is another matter.
        daemon.run(*again, "--reason", "unsubscribe", stdin="a@dest.example\n")
        self.assertEqual(self.holding(daemon), [("a@dest.example", "unsubscribe"), ("b@dest.example", "imported")])
        daemon.run(*again, "--again", stdin="a@dest.example\n")
        self.assertIn(("a@dest.example", "imported"), self.holding(daemon))

    def test_complaints_are_counted_over_deliveries(self):
        twice = RULES.replace('reason = "complaint"', 'reason = "complaint"\nafter = 2\nwithin = "60d"')
        daemon = self.watchpost(twice)
        for number, (kind, day) in enumerate((("delivered", 20), ("complained", 19), ("delivered", 10), ("complained", 9))):
            self.push(daemon, event(number, kind, "a@dest.example", at=-day * DAY))
        self.assertEqual(self.recipients(daemon), ["a@dest.example"])

    def test_an_address_is_the_same_to_everybody(self):
        port = free_port()
        daemon = self.watchpost(RULES + POLICY.replace("{port}", str(port)))
        for written in ODD:
            daemon.run("suppressions", "add", "--", written)
            self.assertIn("550", self.refusal(port, "x@acme.example", written), written)
        self.assertEqual(self.recipients(daemon), sorted(ODD.values()))
        for written in NO_ADDRESS:
            self.complain(daemon, "suppressions", "add", "--", written, code=2, says="not an address")
        self.push(daemon, *(bounce(n, written, "other.example") for n, written in enumerate((*NO_ADDRESS, *ODD))))
        self.assertEqual(self.recipients(daemon, "--customer", "other.example"), sorted(ODD.values()))
        # An export is taken whole by another.
        exported = daemon.run("suppressions", "export")[1]
        folder = self.folder / "other"
        folder.mkdir()
        other = self.watchpost(RULES, folder=folder)
        code, out, error = other.run("suppressions", "import", "-", stdin=exported, check=False)
        self.assertEqual((code, error), (0, ""), out)
        taken = other.run("suppressions", "export")[1]
        self.assertEqual(self.what_is_read(taken), self.what_is_read(exported))

    @staticmethod
    def what_is_read(exported):
        """The columns that an import reads: recipient, customer, reason, until and note."""
        return sorted(row[:5] for row in csv.reader(io.StringIO(exported)))

    def test_a_customer_has_a_name(self):
        daemon = self.watchpost(RULES)
        for name in ("  ", "a\nb", "c" * 256):
            self.complain(daemon, "suppressions", "add", "a@dest.example", "--customer", name, code=2, says="customer")
            code = daemon.run("suppressions", "import", "-", "--customer", name, stdin="a@dest.example\n", check=False)[0]
            self.assertEqual(code, 2, name)
        self.assertEqual(self.listed(daemon), [])


if __name__ == "__main__":
    unittest.main()
