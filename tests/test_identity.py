"""`watchpost check`, `spf explain`, `dmarc explain`: who a message is from, for people and for programs."""
import json
import pathlib
import tempfile
import unittest

from test_commands import raw, unsafe
from testbed.name_server import NameServer

NO_FILE = {"WATCHPOST_CONFIG": "/dev/null"}
ZONE = """$TTL 300
shop.example. TXT "v=spf1 include:_spf.shop.example -all"
_spf.shop.example. TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.shop.example. TXT "v=DMARC1; p=reject; rua=mailto:d@shop.example"
_mta-sts.shop.example. TXT "v=STSv1; id=20260101"
_smtp._tls.shop.example. TXT "v=TLSRPTv1; rua=mailto:t@shop.example"
mx.shop.example. TXT "v=spf1 a -all"
mx.shop.example. A 192.0.2.1
bare.example. A 192.0.2.9
open.example. TXT "v=spf1 +all"
loop.example. TXT "v=spf1 a:gone.example include:back.example -all"
back.example. TXT "v=spf1 ip4:192.0.2.1 include:loop.example -all"
open.example. TXT "other"
_dmarc.open.example. TXT "v=DMARC1; p=none; pct=50"
k._domainkey.open.example. TXT "v=DKIM1; p="
_mta-sts.open.example. TXT "v=STSv1;"
slow.example. TIMEOUT
_dmarc.split.example. TXT "v=DMARC1; p=reject; sp=quarantine; np=none"
silent.split.example. TIMEOUT
"""
MESSAGE = """From: Jo <jo@shop.example>
To: you@example.org
Subject: hello \x1b[2J

text
"""
SHOP = ["--ip", "192.0.2.1", "--helo", "mx.shop.example", "--from", "<jo@shop.example>"]


class Identity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.zone = str(pathlib.Path(cls.place.name) / "zone")
        pathlib.Path(cls.zone).write_text(ZONE, encoding="ascii")

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def run_with_zone(self, *arguments, stdin=MESSAGE, code=0):
        got, out, err = raw(*arguments, "--zone", self.zone, stdin=stdin.encode(), env=NO_FILE)
        self.assertEqual(got, code, err)
        self.assertEqual(unsafe(out), [])
        return out if code == 0 else err

    def check(self, *arguments, stdin=MESSAGE):
        return json.loads(self.run_with_zone("check", "-", "-o", "json", *arguments, stdin=stdin))

    def test_a_message_for_people(self):
        out = self.run_with_zone("check", "-", "--authserv-id", "mx.example.org", *SHOP)
        for seen in ("from jo@shop.example, authentic", "pass", "MAIL FROM shop.example", "HELO mx.shop.example",
                     "Authentication-Results: mx.example.org;", "dmarc=pass header.from=shop.example"):
            self.assertIn(seen, out)
        self.assertEqual(self.run_with_zone("check", "message", "-", "--authserv-id", "mx.example.org", *SHOP), out)

    def test_a_message_for_programs(self):
        got = self.check(*SHOP)
        self.assertTrue(got["authentic"])
        self.assertEqual((got["spf_mail_from"]["result"], got["spf_helo"]["result"]), ("pass", "pass"))
        self.assertEqual(got["spf_mail_from"]["mechanism"], "include:_spf.shop.example")
        self.assertEqual((got["dkim"], got["arc"]["result"], got["remove"]), ([], "none", []))
        self.assertEqual((got["dmarc"]["result"], got["dmarc"]["domain"]), ("pass", "shop.example"))
        self.assertEqual(got["authors"]["domains"], ["shop.example"])
        self.assertIn("dmarc=pass", got["authentication_results"])

    def test_a_forged_message(self):
        got = self.check("--ip", "203.0.113.66", "--helo", "x", "--from", "a@bare.example")
        self.assertFalse(got["authentic"])
        self.assertEqual((got["dmarc"]["result"], got["dmarc"]["disposition"]), ("fail", "reject"))
        two = self.check(*SHOP, stdin="From: jo@shop.example\n" + MESSAGE)
        self.assertFalse(two["authentic"])
        self.assertIn("several_fields", [one["oddity"] for one in two["authors"]["oddities"]])
        self.assertNotIn("dmarc=pass", two["authentication_results"])
        odd = self.check(*SHOP[:4], "--from", "<(jo@shop.example>")
        self.assertEqual((odd["mail_from"]["readable"], odd["spf_mail_from"]["result"]), (False, "none"))

    def test_a_client_that_nobody_knows(self):
        got = self.check()
        self.assertEqual((got["dmarc"]["result"], got["dmarc"]["disposition"]), ("undecided", "none"))
        self.assertIn("no client address", got["dmarc"]["why"])
        self.assertEqual((got["authentic"], got["spf_mail_from"]["asked"]), (False, False))
        self.assertNotIn("dmarc=", got["authentication_results"])
        outcomes = [one["outcome"] for one in got["dmarc"]["authors"][0]["alignments"]]
        self.assertEqual(outcomes, ["not_asked"])
        stranger = self.check("--from", "a@bare.example")
        self.assertEqual(stranger["dmarc"]["result"], "fail")
        out = self.run_with_zone("check", "-")
        for seen in ("from jo@shop.example, undecided", "not asked", "no client address"):
            self.assertIn(seen, out)

    def test_foreign_results(self):
        forged = "Authentication-Results: (x) MX.example.org. 1; dmarc=pass\n" + MESSAGE
        got = self.check("--authserv-id", "mx.example.org", stdin=forged)
        self.assertEqual(got["remove"], [{"field": 0, "ordinal": 1, "reason": "ours"}])
        self.assertEqual(self.check("--authserv-id", "other.example", stdin=forged)["remove"], [])
        self.assertIn("to be removed",
                      self.run_with_zone("check", "-", "--authserv-id", "mx.example.org", stdin=forged))

    def test_a_login_writes_as_itself(self):
        self.assertTrue(self.check("--login", "jo@shop.example")["authentic"])
        other = self.check(*SHOP, "--login", "ann@shop.example")
        self.assertEqual((other["authentic"], other["dmarc"]["result"]), (False, "none"))

    def test_dns_that_does_not_answer(self):
        got = self.check("--ip", "192.0.2.1", "--helo", "x", "--from", "a@slow.example")
        self.assertEqual(got["spf_mail_from"]["result"], "temperror")

    def test_any_bytes(self):
        for stdin in ("", "\0" * 100, "From:", ": \n\n", "".join(map(chr, range(128))) * 9):
            got = self.check(*SHOP, stdin=stdin)
            self.assertFalse(got["authentic"])

    def test_spf_explain(self):
        out = self.run_with_zone("spf", "explain", "shop.example", "--ip", "192.0.2.7")
        for seen in ("Mail of shop.example from 192.0.2.7: pass", "include:_spf.shop.example", "ip4:192.0.2.0/24", "256 IPv4"):
            self.assertIn(seen, out)
        got = json.loads(self.run_with_zone("spf", "explain", "shop.example", "--ip", "203.0.113.1", "-o", "json"))
        self.assertEqual((got["result"], got["mechanism"], got["look_ups"]), ("fail", "-all", 1))
        self.assertTrue(got["steps"])

    def test_dmarc_explain(self):
        out = self.run_with_zone("dmarc", "explain", "a.news.shop.example")
        for seen in ("reject", "_dmarc.a.news.shop.example", "_dmarc.shop.example"):
            self.assertIn(seen, out)
        got = json.loads(self.run_with_zone("dmarc", "explain", "shop.example", "-o", "json"))
        author = got["authors"][0]
        self.assertEqual((author["record_domain"], author["published"], author["published_by"]),
                         ("shop.example", "reject", "p"))
        self.assertIn("none", self.run_with_zone("dmarc", "explain", "bare.example"))

    def test_a_policy_that_nobody_knows(self):
        out = self.run_with_zone("dmarc", "explain", "silent.split.example", "--dkim", "split.example")
        self.assertIn("not authentic: unknown", out)
        self.assertNotIn("is asked for by", out)
        got = json.loads(self.run_with_zone("dmarc", "explain", "silent.split.example", "-o", "json"))
        author = got["authors"][0]
        self.assertEqual((got["result"], author["published"], author["published_by"]), ("temperror", None, ""))
        out = self.run_with_zone("check", "-", *SHOP, stdin="From: jo@silent.split.example\n\n")
        self.assertRegex(out, "asks for +unknown +Nobody knows whether silent.split.example exists")

    def test_posture(self):
        got = json.loads(self.run_with_zone("check", "domain", "shop.example", "-o", "json"))
        self.assertEqual([(one["subject"], one["state"]) for one in got["items"]],
                         [("SPF", "good"), ("DMARC", "good"), ("MTA-STS", "good"), ("TLS-RPT", "good")])
        self.assertEqual((got["worst"], got["spf_look_ups"], got["spf_addresses"]), ("good", 1, 256))
        bad = json.loads(self.run_with_zone("check", "domain", "open.example", "--selector", "k", "--selector", "none",
                                            "-o", "json"))
        self.assertEqual([(one["subject"], one["state"]) for one in bad["items"]],
                         [("SPF", "broken"), ("DKIM k", "weak"), ("DKIM none", "missing"), ("DMARC", "weak"),
                          ("MTA-STS", "broken"), ("TLS-RPT", "missing")])
        self.assertTrue(all(one["advice"] for one in bad["items"]))
        slow = json.loads(self.run_with_zone("check", "domain", "slow.example", "-o", "json"))
        self.assertEqual(slow["items"][0]["state"], "unknown")
        loop = json.loads(self.run_with_zone("check", "domain", "loop.example", "-o", "json"))
        self.assertEqual([one["subject"] for one in loop["items"]].count("SPF"), 2)
        out = self.run_with_zone("spf", "explain", "loop.example", "--ip", "192.0.2.7")
        for seen in ("loop.example leads back to itself", "Take out the include"):
            self.assertIn(seen, out)
        got = json.loads(self.run_with_zone("spf", "explain", "loop.example", "--ip", "192.0.2.7", "-o", "json"))
        self.assertEqual((len(got["problems"]), len(got["advice"])), (1, 1))
        out = self.run_with_zone("check", "domain", "open.example")
        for seen in ("open.example", "SPF", "broken", "Everybody passes", 'Take "+all" out'):
            self.assertIn(seen, out)

    def test_name_servers_of_the_configuration(self):
        server = NameServer({"shop.example": "v=spf1 ip4:192.0.2.1 -all", "_dmarc.shop.example": "v=DMARC1; p=reject"})
        server.start()
        self.addCleanup(server.stop)
        configuration = pathlib.Path(self.place.name) / "watchpost.toml"
        configuration.write_text(f'[dns]\nservers = ["{server.place}"]\n[identity]\nauthserv_id = "mx.example.org"\n',
                                 encoding="ascii")
        code, out, err = raw("-c", str(configuration), "check", "-", *SHOP, "-o", "json", stdin=MESSAGE.encode())
        self.assertEqual((code, err), (0, ""))
        got = json.loads(out)
        self.assertTrue(got["authentic"])
        self.assertEqual((got["iprev"]["result"], got["spf_mail_from"]["result"]), ("permerror", "pass"))
        self.assertTrue(got["authentication_results"].startswith("Authentication-Results: mx.example.org;"))
        self.assertIn(("_dmarc.shop.example", 16), server.asked)
        code, out, _ = raw("-c", str(configuration), "check", "domain", "shop.example")
        self.assertEqual(code, 0)
        self.assertIn("asks for reject", out)
        configuration.write_text('[dns]\nservers = ["nobody"]\n[identity]\ntrusted_sealers = ["a b"]\n', encoding="ascii")
        code, _, err = raw("-c", str(configuration), "config", "check")
        self.assertEqual(code, 1)
        self.assertIn("watchpost.toml:2:", err)
        self.assertIn("watchpost.toml:4:", err)

    def test_wrong_command_lines(self):
        for arguments, said in ((["check"], "needs a file"), (["check", "-", "--ip", "1.2.3"], "no IP address"),
                                (["check", "-", "--now", "soon"], "is no time"), (["check", "domain"], "domain"),
                                (["check", "domain", "a b"], "no domain"), (["spf", "explain", "shop.example"], "--ip"),
                                (["dmarc"], "explain"), (["dmarc", "explain", "a..b"], "no domain")):
            code, _, err = raw(*arguments, "--zone", self.zone, stdin=b"", env=NO_FILE)
            self.assertEqual(code, 2, arguments)
            self.assertIn(said, err)

    def test_what_cannot_be_read(self):
        code, _, err = raw("check", "/nonexistent", "--zone", self.zone, env=NO_FILE)
        self.assertEqual(code, 1)
        self.assertIn("/nonexistent: cannot be read", err)
        code, _, err = raw("check", "-", "--zone", "/nonexistent", stdin=b"", env=NO_FILE)
        self.assertEqual(code, 1)
        self.assertIn("/nonexistent", err)


if __name__ == "__main__":
    unittest.main()
