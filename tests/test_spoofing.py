"""Mail that pretends to be from somebody else, handed to a real Postfix: public test data where it is there, and the same
tricks in our own words."""
import json
import pathlib
import unittest

from border_world import ATTACKER, NAMES, US, BorderTest
from support import ROOT, wait_for_events
from testbed.sender import Refused, Stranger

CORPUS = pathlib.Path(ROOT).parent / "shared/corpora/spoofing"
VICTIM = "chief@bank.example"
# What stands in the header, in place of one From field: E-S8 to E-S19 of the list of attacks.
HEADERS = {
    "two fields": f"From: <a@attack.example>\r\nFrom: <{VICTIM}>\r\n",
    "a first line with a blank": f" From: <a@attack.example>\r\nFrom: <{VICTIM}>\r\n",
    "a blank before the colon": f"From : <a@attack.example>\r\nFrom: <{VICTIM}>\r\n",
    "a fold before the colon": f"From\r\n : <a@attack.example>\r\nFrom: <{VICTIM}>\r\n",
    "the victim as Sender": f"From: <a@attack.example>, b@\r\nSender: <{VICTIM}>\r\n",
    "the victim as Resent-From": f"From: <a@attack.example>, b@\r\nResent-From: <{VICTIM}>\r\n",
    "two addresses": f"From: <a@attack.example>, <{VICTIM}>\r\n",
    "an encoded word around it": "From: =?utf-8?Q?=3Cchief=40bank.example=3E?= <>\r\n",
    "a route": f"From: <@attack.example,@any.example:{VICTIM}>\r\n",
    "a quoted pair between": f"From: <{VICTIM}>\\,<a@attack.example>\r\n",
    "bare, then in brackets": f"From: {VICTIM},<a@attack.example>\r\n",
    "in brackets, then as text": f"From: <a@attack.example>{VICTIM}\r\n",
    "the victim, plainly": f"From: <{VICTIM}>\r\n",
}
SENDERS = ["any@attack.example", "any@mail.bank.example", "(any@bank.example", "any@attack.example(.bank.example",
           "\"any@attack.example\"@bank.example", "@bank.example,@attack.example:any@attack.example", ""]


def records(answers):
    """The corpus's DNS as the name server wants it."""
    made = {}
    for name, types in answers.items():
        entry = made.setdefault(name, {})
        for kind, values in types.items():
            values = values if isinstance(values, list) else [values]
            if kind == "MX":
                values = [(10, str(one if isinstance(one, str) else one[-1]).split()[-1]) for one in values]
            entry[kind] = values
    return made


class Spoofing(BorderTest):
    def handed_in(self, client, helo, sender, recipients, message):
        """True where Postfix took it; what Postfix itself refuses is no success of the attacker."""
        try:
            stranger = Stranger(self.host.mx_port, client, helo)
            try:
                stranger.deliver(sender, recipients, message)
            finally:
                stranger.close()
        except Refused as refused:
            return refused
        return None

    def hold_to_it(self, what, count, domain):
        """The verdict that came last: no acceptance, and no word of ours that it passed."""
        event = wait_for_events(self.daemon, count, "--kind", "judged")[-1]
        self.assertNotEqual(event["disposition"], "accept", (what, event))
        verdict = self.daemon.json("verdict", event["queue_id"])["verdicts"][0]["verdict"]
        passed = [one for one in verdict["identity"] if one["method"] == "dmarc" and one["result"] == "pass"
                  and one.get("domain") == domain]
        self.assertEqual(passed, [], (what, verdict["identity"]))

    def test_tricks_with_the_author(self):
        self.begin('[border]\ndmarc_reject = "reject"\n')
        judged = 0
        for what, header in HEADERS.items():
            message = f"{header}To: <you@{US}>\r\nSubject: {what}\r\nMessage-ID: <{judged}@t.example>\r\n\r\nIt is me.\r\n"
            self.handed_in(ATTACKER, "attack.example", "any@attack.example", [f"you@{US}"], message.encode())
            judged += 1
            self.hold_to_it(what, judged, "bank.example")

    def test_tricks_with_the_envelope(self):
        self.begin('[border]\ndmarc_reject = "reject"\n')
        judged = 0
        for sender in SENDERS:
            message = f"From: <{VICTIM}>\r\nTo: <you@{US}>\r\nSubject: hello\r\n\r\nIt is me.\r\n"
            refused = self.handed_in(ATTACKER, "bank.example", sender, [f"you@{US}"], message.encode())
            if refused and "watchpost" not in refused.text:
                continue  # Postfix does not take it for an address
            judged += 1
            self.hold_to_it(sender, judged, "bank.example")
        self.assertGreaterEqual(judged, 3)

    @unittest.skipUnless(CORPUS.is_dir(), "public test data is not there")
    def test_public_cases(self):
        rows = [json.loads(line) for line in (CORPUS / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
        rows = [row for row in rows if row["mode"] == "server"]
        self.assertGreater(len(rows), 5)
        answers = json.loads((CORPUS / rows[0]["file"].split("/")[0] / "dns.json").read_text(encoding="utf-8"))["records"]
        self.begin(names={**NAMES, **records(answers)})
        judged = 0
        for row in rows:
            message = (CORPUS / row["file"]).read_bytes()
            refused = self.handed_in(row["ip"], row["helo"], row["mailfrom"].strip("<>"), [f"you@{US}"], message)
            if refused and "watchpost" not in refused.text:
                continue
            judged += 1
            self.hold_to_it(row["key"], judged, row["spoofed_identity"].rpartition("@")[2])
        self.assertGreaterEqual(judged, 8)

    def test_our_own_logins(self):
        """E-C1 to E-C3: an author that is not the login's."""
        self.begin('[border]\nforeign_author = "reject"\n')
        for number, header in enumerate(("From: <alice@sender.example>\r\nFrom: <chief@bank.example>\r\n",
                                         "From: <alice@sender.example>, <chief@bank.example>\r\n",
                                         "From: <chief@bank.example>\r\n")):
            with self.assertRaises(Refused, msg=header):
                self.submit(message=f"{header}To: <x@elsewhere.example>\r\nSubject: {number}\r\n\r\nHello\r\n")
        self.submit()


if __name__ == "__main__":
    unittest.main()
