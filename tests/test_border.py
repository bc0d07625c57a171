"""Mail for us, through a real Postfix and the gate behind its milter."""
import unittest

from border_world import ATTACKER, AUTHSERV, LISTED, NAMES, US, BorderTest, letter
from support import SmallDiskTest


def queue_id(reply):
    """"2.0.0 Ok: queued as 4F3A..." """
    return reply.rpartition(" ")[2]


class Inbound(BorderTest):
    def test_genuine_mail_is_left_alone_but_for_what_we_found(self):
        self.begin()
        reply = self.deliver(letter())
        got = self.delivered()
        names = [name.lower() for name in got.keys()]
        self.assertEqual(names.index("authentication-results"), names.index("received") + 1)
        results = got["Authentication-Results"]
        for word in (AUTHSERV, "spf=pass", "dmarc=pass", "iprev=pass"):
            self.assertIn(word, results)
        self.assertNotIn("x-watchpost", names)
        [event] = self.judged()
        self.assertEqual((event["disposition"], event["author_domain"], event["client_ip"], event["direction"]),
                         ("accept", "shop.example", "192.0.2.1", "inbound"))
        self.assertEqual(event["queue_id"], queue_id(reply))

    def test_by_default_nothing_is_refused_and_forgeries_are_marked(self):
        self.begin()
        self.deliver(letter("chief@bank.example"), "any@attack.example", ATTACKER, "attack.example")
        got = self.delivered()
        self.assertIn("tag", got["X-Watchpost"])
        self.assertIn("dmarc=fail", got["Authentication-Results"])
        [event] = self.judged()
        self.assertEqual(event["disposition"], "tag")
        self.assertIn("dmarc_fail", event["findings"].split())

    def test_a_forgery_is_refused_where_that_is_wanted(self):
        self.begin('[border]\ndmarc_reject = "reject"\ncontact = "postmaster@receiver.example"\n')
        refusal = self.refused(letter("chief@bank.example"), "any@attack.example", ATTACKER, "attack.example")
        self.assertEqual(refusal.code, 550)
        self.assertIn("postmaster@receiver.example", refusal.text)
        [event] = self.judged()
        self.assertEqual(event["disposition"], "reject")
        self.assertEqual(self.destinations.taken, 0)
        # What we refused is no evidence against anybody, whoever tells it.
        explained = self.daemon.run("verdict", event["queue_id"])[1]
        for word in ("reject", "bank.example", "dmarc"):
            self.assertIn(word, explained)

    def test_a_quarantine_that_cannot_be_had_is_no_acceptance(self):
        self.begin('[border]\ndmarc_reject = "quarantine"\n')
        refusal = self.refused(letter("chief@bank.example"), "any@attack.example", ATTACKER, "attack.example")
        self.assertEqual(refusal.code // 100, 4)

    def test_a_bad_neighbourhood(self):
        self.begin()
        self.deliver(letter("x@attack.example"), "x@attack.example", LISTED, "attack.example")
        self.assertIn("bl.example", self.delivered()["X-Watchpost"])
        [event] = self.judged()
        findings = event["findings"].split()
        self.assertTrue(any(word.startswith("listed") and "bl.example" in word for word in findings), findings)
        # A list that says that it does not answer us lists nobody.
        self.assertFalse(any("blocked.example" in word for word in findings if word.startswith("listed:")), findings)

    def test_shadow_changes_nothing_and_remembers_everything(self):
        self.begin('[border]\ndmarc_reject = "reject"\n', mode="shadow")
        self.deliver(letter("chief@bank.example"), "any@attack.example", ATTACKER, "attack.example")
        got = self.delivered()
        self.assertIsNone(got["Authentication-Results"])
        self.assertIsNone(got["X-Watchpost"])
        [event] = self.judged()
        self.assertEqual(event["disposition"], "accept")
        verdict = self.daemon.json("verdict", event["queue_id"])["verdicts"][0]["verdict"]
        self.assertEqual((verdict["decided"], verdict["carried_out"]), ("reject", "accept"))

    def test_forged_results_are_removed_however_many(self):
        self.begin()
        for count in (1, 2, 7, 20):
            forged = "".join(f"Authentication-Results: {AUTHSERV};\r\n dmarc=pass header.from=bank.example ({n})\r\n"
                             for n in range(count))
            kept = "Authentication-Results: other.example; spf=fail\r\n"
            before = self.destinations.taken
            self.deliver(letter("chief@bank.example", f"forged {count}", more=forged + kept),
                         "any@attack.example", ATTACKER, "attack.example")
            got = self.delivered(before + 1).get_all("Authentication-Results")
            self.assertEqual(len(got), 2, got)
            self.assertIn("dmarc=fail", got[0])
            self.assertTrue(got[1].startswith("other.example"), got)

    def test_results_behind_more_fields_than_are_looked_at(self):
        self.begin()
        many = "".join(f"X-{n}: a\r\n" for n in range(1200))
        forged = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=bank.example\r\n"
        self.deliver(letter("chief@bank.example", more=many + forged), "any@attack.example", ATTACKER, "attack.example")
        got = self.delivered().get_all("Authentication-Results")
        self.assertFalse([one for one in got if "dmarc=pass" in one], got)
        self.assertIn("malformed", self.judged()[0]["findings"].split())

    def test_dns_that_does_not_answer(self):
        self.begin('[border]\nprotected_domains = ["dead.example"]\n')
        refusal = self.refused(letter("chief@dead.example"), "any@attack.example", ATTACKER, "attack.example")
        self.assertEqual(refusal.code // 100, 4)
        names = dict(NAMES, **{"other.example": "SERVFAIL", "_dmarc.other.example": "SERVFAIL"})
        self.names.records.update({name: names[name] for name in ("other.example", "_dmarc.other.example")})
        self.deliver(letter("jo@other.example"), "any@attack.example", ATTACKER, "attack.example")
        self.assertIn("dmarc=temperror", self.delivered()["Authentication-Results"])
        self.assertIn("dns_temperror", self.judged(2)[1]["findings"].split())

    def test_filters_come_into_force_with_a_reload(self):
        self.begin()
        self.deliver(letter(subject="Prize inside"))
        self.assertIsNone(self.delivered()["X-Watchpost"])
        text = self.daemon.config.read_text()
        self.daemon.config.write_text(text + '[[filter]]\nname = "prizes"\nwhen = \'subject contains "Prize"\'\n'
                                             'then = "reject"\nmode = "enforce"\nowner = "sam"\n')
        self.daemon.run("reload")
        self.assertEqual(self.refused(letter(subject="Prize inside", body="again\r\n")).code, 550)
        self.daemon.config.write_text(text + '[[filter]]\nname = "prizes"\nwhen = \'subjet contains "Prize"\'\n'
                                             'then = "reject"\nmode = "enforce"\n')
        error = self.complain(self.daemon, "reload", code=4, says="subject")
        self.assertIn("watchpost.toml:", error)
        self.assertEqual(self.refused(letter(subject="Prize inside", body="still\r\n")).code, 550)

    def test_a_person_blocks_a_client(self):
        self.begin()
        self.deliver(letter())
        self.delivered()
        self.daemon.run("suspend", "client_ip=192.0.2.1", "--for", "1h", "--why", "test")
        refusal = self.refused(letter(body="more\r\n"))
        self.assertEqual(refusal.code // 100, 5)
        self.assertIn("watchpost d-", refusal.text)
        self.daemon.run("release", "client_ip=192.0.2.1", "--why", "it was a test")
        self.deliver(letter(body="and more\r\n"))

    def test_without_watchpost_mail_waits(self):
        self.begin()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.refused(letter()).code // 100, 4)
        self.daemon.start()
        self.deliver(letter())
        self.delivered()

    def test_reputation_is_what_we_saw(self):
        self.begin()
        for number in range(4):
            self.deliver(letter(body=f"{number}\r\n"))
            self.deliver(letter("chief@bank.example", body=f"{number}\r\n"), "any@attack.example", ATTACKER,
                         "attack.example")
        self.judged(8)

        def known(*of):
            return self.daemon.json("reputation", *of)["reputation"][0]

        good, bad = known("domain", "shop.example"), known("ip", ATTACKER)
        self.assertEqual(round(good["messages"]), 4)
        self.assertEqual(good["badness"], 0)
        self.assertGreater(bad["badness"], 0.3)
        # Nobody spoils the name of a domain that did not vouch for the mail.
        self.assertIsNone(known("domain", "bank.example")["last_seen"])
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.assertEqual(round(known("domain", "shop.example")["messages"]), 4)
        self.daemon.run("reputation", "forget", "ip", ATTACKER, "--why", "sold to somebody else")
        self.assertIsNone(known("ip", ATTACKER)["last_seen"])
        self.assertIn("sold to somebody else", self.daemon.run("audit")[1])

    def test_one_message_is_tried_without_a_mail_server(self):
        self.begin()
        forged, zone = self.folder / "forged.eml", self.folder / "zone"
        forged.write_bytes(letter("chief@bank.example"))
        where = ("--ip", ATTACKER, "--helo", "attack.example", "--from", "any@attack.example", "--to", f"you@{US}")
        self.deliver(letter("chief@bank.example"), "any@attack.example", ATTACKER, "attack.example")
        [event] = self.judged()
        zone.write_text(self.daemon.run("verdict", event["queue_id"], "--dns")[1])
        shown = self.daemon.run("milter", "replay", str(forged), "--zone", str(zone), *where)[1]
        for words in (f"    + Authentication-Results: {AUTHSERV};", "    + X-Watchpost: tag; dmarc;", "because     dmarc wanted tag",
                      "tag, carried out"):
            self.assertIn(words, shown)
        shown = self.daemon.run("milter", "replay", str(forged), "--zone", str(zone), *where, "--mode", "off")[1]
        self.assertEqual(shown, f"{forged}: the mail server is told accept\n")
        # The guide's first look at what the border did says of each what and why, and which message it is.
        listed = self.daemon.run("events", "--kind", "judged", "--where", "disposition != accept")[1]
        self.assertIn(f"{event['queue_id']} tag: ", listed)
        # A Message-ID as it stands in the header, and as it is kept.
        for form in (event["message_id"], f"<{event['message_id']}>"):
            self.assertEqual(len(self.daemon.json("verdict", "--message-id", form)["verdicts"]), 1)

    def test_two_recipients_and_a_message_that_is_too_long(self):
        self.begin("", mode="enforce")
        self.deliver(letter(), recipients=(f"you@{US}", f"me@{US}"))
        [event] = self.judged()
        self.assertEqual(event["recipients"], 2)
        long = letter(body="x" * 70 + "\r\n") + b"y" * 998 + b"\r\n"
        self.deliver(long * 1)
        self.delivered(2)


class FullDisk(SmallDiskTest, BorderTest):
    def test_mail_goes_on_where_nothing_can_be_stored(self):
        self.begin('[border]\ndmarc_reject = "quarantine"\n', start=False)
        self.put_on_disk(self.daemon)
        self.daemon.start()
        self.deliver(letter())
        self.delivered()
        self.daemon.run("suspend", "client_ip=203.0.113.9", "--for", "1h", "--why", "known before")
        filler = self.fill()
        # Plain mail passes, what should be kept waits, what is known to be blocked is.
        self.deliver(letter(body="while full\r\n"))
        self.delivered(2)
        self.assertEqual(self.refused(letter("chief@bank.example"), "any@attack.example", ATTACKER,
                                      "attack.example").code // 100, 4)
        self.assertEqual(self.refused(letter(), "x@attack.example", "203.0.113.9", "attack.example").code // 100, 5)
        filler.unlink()
        self.daemon.wait_until(lambda: self.daemon.json("status")["storing"], "it stores again")


if __name__ == "__main__":
    unittest.main()
