"""Feedback that proves itself: tokens made by the guide's recipes, mail in a Maildir, one-click requests."""
import re
import shutil
import subprocess
import sys
import unittest

from support import ROOT, DaemonTest, events, over_unix, wait_for_events, write

SECRET = "0123456789abcdef0123456789abcdef"
CONFIGURATION = f"""
[[feedback.key]]
id     = 7
secret = "{SECRET}"

[[source]]
name = "bounces"
kind = "maildir"
path = "{{folder}}/Maildir"
"""
COMPLAINT = """\
From: Feedback <fbl@provider.example>
To: fbl@example.net
Subject: Complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

A complaint.

--b1
Content-Type: message/feedback-report

Feedback-Type: {type}
User-Agent: Loop/1
Version: 1
Original-Rcpt-To: <kim@example.com>

--b1
Content-Type: message/rfc822

From: News <news@shop.example>
To: kim@example.com
Subject: Offers
X-Mailing: {token}

Hello
--b1--
"""
# What follows a recipe of the guide to print one token.
CALLS = {
    "python": f'\nprint(token(7, "{SECRET}", "Kim@Example.com", "acme", "spring", with_recipient=True))\n',
    "javascript": f'\nconsole.log(token(7, "{SECRET}", "Kim@Example.com", "acme", "spring", "", true));\n',
    "php": f'\nprint token(7, "{SECRET}", "Kim@Example.com", "acme", "spring", "", true) . "\\n";\n',
    "perl": f'\nprint token(7, "{SECRET}", "Kim\\@Example.com", "acme", "spring", "", "Kim\\@Example.com"), "\\n";\n',
}
CALLS_FOR_UNSUBSCRIBE = {
    "python": CALLS["python"].replace("with_recipient=True", "with_recipient=True, for_unsubscribe=True"),
    "javascript": CALLS["javascript"].replace("true)", "true, true)"),
    "php": CALLS["php"].replace("true)", "true, true)"),
    "perl": CALLS["perl"].replace('"), "', '", {for_unsubscribe => 1}), "'),
}
# What follows one to print how many of 33 control characters in each of four texts are refused.
REFUSALS = {
    "python": f"""
refused = 0
for c in [*range(32), 127]:
    for i in range(4):
        texts = ["kim@example.com", "acme", "spring", "mailer"]
        texts[i] += chr(c) + "victim-login"
        try:
            token(7, "{SECRET}", *texts)
        except ValueError:
            refused += 1
print(refused)
""",
    "javascript": f"""
let refused = 0;
for (const c of [...Array(32).keys(), 127]) {{
  for (let i = 0; i < 4; i++) {{
    const texts = ["kim@example.com", "acme", "spring", "mailer"];
    texts[i] += String.fromCharCode(c) + "victim-login";
    try {{ token(7, "{SECRET}", ...texts); }} catch (error) {{ refused++; }}
  }}
}}
console.log(refused);
""",
    "php": f"""
$refused = 0;
foreach (array_merge(range(0, 31), [127]) as $c) {{
  for ($i = 0; $i < 4; $i++) {{
    $texts = ["kim@example.com", "acme", "spring", "mailer"];
    $texts[$i] .= chr($c) . "victim-login";
    try {{ token(7, "{SECRET}", ...$texts); }} catch (InvalidArgumentException $error) {{ $refused++; }}
  }}
}}
print "$refused\\n";
""",
    "perl": f"""
my $refused = 0;
for my $c (0 .. 31, 127) {{
  for my $i (0 .. 3) {{
    my @texts = ("kim\\@example.com", "acme", "spring", "mailer");
    $texts[$i] .= chr($c) . "victim-login";
    eval {{ token(7, "{SECRET}", @texts); 1 }} or $refused++;
  }}
}}
print "$refused\\n";
""",
}
PROGRAMS = {"python": [sys.executable, "-"], "javascript": ["node", "-"], "php": ["php"], "perl": ["perl", "-"]}


def recipe(language):
    page = (ROOT / "docs/guide/attribution.md").read_text()
    begin = "<?php\n" if language == "php" else ""
    return begin + re.search(rf"^```{language}\n(.*?)^```$", page, re.M | re.S).group(1)


class Attribution(DaemonTest):
    def put(self, name, mail):
        maildir = self.folder / "Maildir"
        for inside in ("new", "cur", "tmp"):
            (maildir / inside).mkdir(parents=True, exist_ok=True)
        (maildir / "tmp" / name).write_text(mail)
        (maildir / "tmp" / name).rename(maildir / "new" / name)

    def token(self, watchpost, *more):
        return watchpost.run("token", "make", "kim@example.com", "--customer", "acme", "--campaign",
                             "spring", *more)[1].strip()

    def by_recipe(self, language, call):
        program = PROGRAMS[language]
        self.assertTrue(shutil.which(program[0]), f"the recipe was not tried: there is no {program[0]}")
        done = subprocess.run(program, input=recipe(language) + call, text=True, capture_output=True,
                              timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), language)
        return done.stdout.strip()

    def test_the_recipes_of_the_guide_make_good_tokens(self):
        watchpost = self.watchpost(CONFIGURATION, start=False)
        for language, call in [*CALLS.items(), *CALLS_FOR_UNSUBSCRIBE.items()]:
            with self.subTest(language, call=call):
                read = watchpost.json("token", "read", self.by_recipe(language, call), "--recipient",
                                      "kim@example.com")
                self.assertEqual((read["state"], read["key"], read["customer"], read["campaign"]),
                                 ("token", 7, "acme", "spring"))
                self.assertTrue(read["is_for_recipient"])
                self.assertEqual(read["for_unsubscribe"], call not in CALLS.values())
                self.assertEqual(read["recipient"].lower(), "kim@example.com")

    def test_the_recipes_refuse_control_characters_in_every_text(self):
        for language, call in REFUSALS.items():
            with self.subTest(language):
                self.assertEqual(self.by_recipe(language, call), str(33 * 4))

    def test_tokens_are_made_and_read(self):
        watchpost = self.watchpost(CONFIGURATION, start=False)
        token = self.token(watchpost)
        self.assertLessEqual(len(token), 64)
        out = watchpost.run("token", "read", f"<{token}@example.net>")[1]
        self.assertIn("acme", out)
        self.complain(watchpost, "token", "read", token[:-1] + ("a" if token[-1] != "a" else "b"),
                      code=1, says="wrong token")
        self.complain(watchpost, "token", "read", token, "--recipient", "lee@example.com", code=1,
                      says="another recipient")
        self.complain(watchpost, "token", "read", "nothing", code=1, says="no token")
        self.complain(watchpost, "token", "make", "nobody", code=2, says="no address")
        watchpost.configure(CONFIGURATION + f'[[feedback.key]]\nid = 8\ncustomer = "other"\nsecret = "{SECRET}"\n')
        self.assertIn("key         7", watchpost.run("token", "read", self.token(watchpost))[1])
        self.complain(watchpost, "token", "make", "kim@example.com", "--customer", "acme", "--key", "8", code=4,
                      says="key 8 can speak for `other` only")
        old = self.token(watchpost, "--sent", "2020-01-01T00:00:00Z")
        self.complain(watchpost, "token", "read", old, code=1, says="expired token")

    def test_faults_in_the_configuration_are_all_named(self):
        watchpost = self.watchpost('[feedback]\ntoken_age = "400d"\nfeedback_id = ["client"]\n'
                                   '[[feedback.key]]\nid = 7\n[[feedback.key]]\nid = 7\nsecret = "short"\n'
                                   '[[feedback.verp]]\npattern = "("\n', start=False)
        _, out, error = watchpost.run("config", "check", check=False)
        for said in ("longer than events are kept", "`client` is none of", "either `secret` or",
                     "is the number of another key", "at least 16 bytes", "is not a pattern"):
            self.assertIn(said, out + error)

    def test_a_complaint_in_a_maildir_counts_once_and_a_forged_one_not(self):
        watchpost = self.watchpost(CONFIGURATION)
        token = self.token(watchpost)
        self.put("1.a", COMPLAINT.format(type="abuse", token=token))
        self.put("2.b", "Received: again\n" + COMPLAINT.format(type="abuse", token=token))
        self.put("3.c", COMPLAINT.format(type="abuse", token="wp1" + "a" * 50))
        self.put("4.d", COMPLAINT.format(type="not-spam", token=token))
        got = wait_for_events(watchpost, 3, "source=bounces")
        self.assertEqual(sorted((one["kind"], one["proof"]) for one in got),
                         [("complained", "token"), ("complained", "unknown key"),
                          ("complaint_withdrawn", "token")])
        proven = next(one for one in got if one["proof"] == "token")
        self.assertEqual((proven["customer"], proven["campaign"], proven["reporter"]),
                         ("acme", "spring", "provider.example"))
        # Nothing is read or counted again by the next start.
        watchpost.stop()
        watchpost.start()
        self.put("5.e", COMPLAINT.format(type="abuse", token=self.token(watchpost, "--serial", "2")))
        self.assertEqual(len(wait_for_events(watchpost, 4, "source=bounces")), 4)

    def test_keys_are_changed_by_a_reload(self):
        watchpost = self.watchpost(CONFIGURATION)
        secret = self.folder / "key-8"
        write(secret, "fedcba9876543210fedcba9876543210\n")
        new = f'[[feedback.key]]\nid = 8\nsecret_file = "{secret}"\n'
        watchpost.configure(CONFIGURATION + new)
        tokens = {key: self.token(watchpost, "--with-recipient", "--key", key) for key in ("7", "8")}
        known = {}

        def proof(key):
            """What one more complaint proves, and what a request to unsubscribe gets."""
            number = len(known) + 1
            self.put(f"{number}.a", f"Received: {number}\n" + COMPLAINT.format(type="abuse", token=tokens[key]))
            got = {one["id"]: one["proof"]
                   for one in wait_for_events(watchpost, number, "--kind", "complained", "source=bounces")}
            [proved] = [got[one] for one in got if one not in known]
            known.update(got)
            return proved, over_unix(watchpost, "POST", "/u/" + tokens[key], "List-Unsubscribe=One-Click")[0]

        self.assertEqual(proof("8"), ("unknown key", 404))
        # All or nothing: [feedback] takes over nothing else either.
        watchpost.configure("[feedback]\nlook_back = \"1d\"\n" + CONFIGURATION.replace("id     = 7", "id = 9") + new)
        secret.rename(self.folder / "away")
        self.complain(watchpost, "reload", code=4, says=str(secret))
        (self.folder / "away").rename(secret)
        self.assertEqual(proof("8"), ("unknown key", 404))
        self.assertEqual(over_unix(watchpost, "POST", "/u/" + tokens["7"], "List-Unsubscribe=One-Click")[0], 200)
        watchpost.configure(CONFIGURATION + new)
        watchpost.run("reload")
        self.assertEqual(proof("8"), ("token", 200))
        self.assertEqual(proof("7"), ("token", 200))
        watchpost.configure(CONFIGURATION.replace("id     = 7", "id = 8").replace(SECRET, "f" * 32))
        watchpost.run("reload")
        self.assertEqual(proof("7"), ("unknown key", 404))
        self.assertEqual(proof("8"), ("wrong token", 404))

    def test_the_token_of_a_link_only_unsubscribes(self):
        watchpost = self.watchpost(CONFIGURATION)
        link = self.token(watchpost, "--with-recipient", "--for", "unsubscribe")
        self.put("1.a", COMPLAINT.format(type="abuse", token=link))
        got = wait_for_events(watchpost, 1, "source=bounces")
        self.assertEqual([one["proof"] for one in got], ["unsubscribe token"])
        # A mail has both: the link's does not stand in the other's way.
        both = COMPLAINT.format(type="abuse", token=link + "\nX-Other: " + self.token(watchpost))
        self.put("2.b", both)
        got = wait_for_events(watchpost, 2, "source=bounces")
        self.assertEqual(sorted(one["proof"] for one in got), ["token", "unsubscribe token"])
        self.assertEqual(over_unix(watchpost, "POST", "/u/" + link, "List-Unsubscribe=One-Click")[0], 200)
        got = wait_for_events(watchpost, 1, "--kind", "unsubscribed")
        self.assertEqual([(one["customer"], one["recipient"], one["proof"]) for one in got],
                         [("acme", "kim@example.com", "token")])

    def test_one_click_unsubscribes_once_and_looking_does_not(self):
        watchpost = self.watchpost(CONFIGURATION)
        path = "/u/" + self.token(watchpost, "--with-recipient")
        status, page, _ = over_unix(watchpost, "GET", path)
        self.assertEqual(status, 200)
        self.assertIn("<button>", page)
        self.assertEqual(events(watchpost, "--kind", "unsubscribed"), [])
        for _ in range(3):
            self.assertEqual(over_unix(watchpost, "POST", path, "List-Unsubscribe=One-Click")[0], 200)
        got = wait_for_events(watchpost, 1, "--kind", "unsubscribed")
        self.assertEqual([(one["customer"], one["recipient"], one["proof"]) for one in got],
                         [("acme", "kim@example.com", "token")])
        status, page, _ = over_unix(watchpost, "POST", "/u/" + self.token(watchpost),
                                    "List-Unsubscribe=One-Click")
        self.assertEqual(status, 422)
        self.assertIn("not unsubscribed", page)
        self.assertEqual(over_unix(watchpost, "POST", path, "x=y")[0], 400)
        self.assertEqual(over_unix(watchpost, "POST", "/u/wp1no", "List-Unsubscribe=One-Click")[0], 404)

    def test_whoever_is_put_back_on_a_list_may_leave_it_again(self):
        rule = '[[suppress]]\nname = "unsubscribe"\nwhen = "kind == unsubscribed"\nreason = "unsubscribe"\n'
        watchpost = self.watchpost(CONFIGURATION + rule)
        path = "/u/" + self.token(watchpost, "--with-recipient")

        def click():
            status, page, _ = over_unix(watchpost, "POST", path, "List-Unsubscribe=One-Click")
            self.assertEqual(status, 200)
            return page

        def holds():
            listed = watchpost.json("suppressions", "list", "kim@example.com")["suppressions"]
            return [one["state"] for one in listed] == ["holds"]

        self.assertIn("off the list", click())
        self.assertTrue(holds())
        watchpost.run("suppressions", "remove", "kim@example.com", "--customer", "acme", "--note", "asked for it")
        self.assertFalse(holds())
        self.assertIn("off the list", click())
        self.assertTrue(holds())
        self.assertEqual(len(events(watchpost, "--kind", "unsubscribed")), 1)

    def test_a_page_says_nothing_that_is_not_so(self):
        watchpost = self.watchpost(CONFIGURATION)
        _, page, _ = over_unix(watchpost, "POST", "/u/" + self.token(watchpost, "--with-recipient"),
                               "List-Unsubscribe=One-Click")
        self.assertNotIn("off the list", page)


if __name__ == "__main__":
    unittest.main()
