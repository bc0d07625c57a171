"""What replies mean: `watchpost classify`, and the ones that no rule knows: `watchpost unknown-replies`."""
import gzip
import json
import os
import subprocess
import unittest

from support import LOG_SOURCE, PROGRAM, DaemonTest, message, unsafe, wait_for_events

NO_CONFIGURATION = {**os.environ, "WATCHPOST_CONFIG": "/dev/null"}
OURS = '[[rule]]\nname = "policy/ours"\nclass = "policy"\ntext = ["user unknown"]\n'

# Wordings that no mail server has, so that no rule knows them.
SEALED = "550 Cupboard for {} is sealed until Monday (ref {})\n"
PIGEONS = "The quorum of pigeons declined parcel {}\n"
REPLIES = (PIGEONS.format(1234) + PIGEONS.format(98765)
           + SEALED.format("anna@example.net", "4F17A2B3C")
           + "550 5.1.1 <gone@example.net>: User unknown\n"
           + SEALED.format("ben@example.org", "5A99C0D1E") + SEALED.format("cleo@example.com", "77AA88BB9"))


class RepliesTest(DaemonTest):
    def file(self, name, content):
        path = self.folder / name
        path.write_text(content)
        return str(path)

    def settings(self, rules):
        return self.file("watchpost.toml", f'[events]\nreply_classes = "{rules}"\n')

    def run_program(self, *arguments, stdin="", code=0):
        """(standard output, standard error) of a run that needs no daemon and no configuration."""
        done = subprocess.run([PROGRAM, *arguments], input=stdin.encode(), capture_output=True, check=False,
                              timeout=200, env=NO_CONFIGURATION)
        out, error = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{arguments}: {out[-2000:]}{error[-2000:]}")
        self.assertEqual(unsafe(out + error), [], arguments)
        return out, error


class Classify(RepliesTest):
    def classify(self, *arguments, stdin="", code=0):
        """One object for each reply."""
        out, _ = self.run_program("classify", "-o", "json", *arguments, stdin=stdin, code=code)
        return [json.loads(line) for line in out.splitlines()]

    def test_what_a_reply_means_and_by_which_rule(self):
        out, error = self.run_program("classify", "550 5.1.1 <gone@example.net>: User unknown")
        self.assertEqual(error, "")
        rows = {line[:12].strip(): line[12:] for line in out.splitlines()}
        self.assertEqual(rows["class"], "unknown_user")
        self.assertTrue(rows["rule"].startswith("unknown_user/"), out)
        self.assertGreater(float(rows["confidence"]), 0.5)
        self.assertEqual((rows["for good"], rows["address"]), ("yes", "dead: mail it no more"))
        for other in ("Sisimai userunknown", "KumoMTA InvalidRecipient", "SparkPost 10 ", "PowerMTA bad-mailbox"):
            self.assertIn(other, rows["others say"])
        in_words, _ = self.run_program("classify", "550", "5.1.1", "<gone@example.net>:", "User", "unknown")
        self.assertEqual(in_words, out)

    def test_what_no_rule_knows(self):
        for text in ("The quorum of pigeons declined", ""):
            one, = self.classify(text)
            self.assertEqual((one["class"], one["rule"], one["confidence"]), ("unclassified", "none", 0))
            self.assertFalse(one["hard"])
        self.assertIn("not told", self.run_program("classify", "The quorum of pigeons declined")[0])

    def test_codes_beside_the_text(self):
        bare, = self.classify("Cupboard sealed")
        self.assertEqual(bare["class"], "unclassified")
        told, = self.classify("--code", "452", "--status", "4.2.2", "Cupboard sealed")
        self.assertEqual((told["class"], told["for_good"], told["hard"]), ("mailbox_full", False, False))
        self.run_program("classify", "--code", "99", "Cupboard sealed", code=2)
        self.run_program("classify", "--stage", "LUNCH", "Cupboard sealed", code=2)
        self.run_program("classify", code=2)

    def test_a_reply_a_line_from_standard_input(self):
        event = {"kind": "bounced", "reply_code": 452, "status": "4.2.2", "reply": "Cupboard sealed"}
        lines = "550 5.1.1 User unknown\r\n\n" + json.dumps(event) + "\nThe quorum of pigeons declined"
        found = self.classify("-", stdin=lines)
        self.assertEqual([one["class"] for one in found], ["unknown_user", "mailbox_full", "unclassified"])
        self.assertEqual([one["reply"] for one in found],
                         ["550 5.1.1 User unknown", "Cupboard sealed", "The quorum of pigeons declined"])
        self.assertEqual([one["hard"] for one in found], [True, False, False])
        table, error = self.run_program("classify", "-", stdin=lines)
        self.assertEqual(error, "")
        self.assertEqual([row.split()[0] for row in table.splitlines()],
                         ["CLASS", "unknown_user", "mailbox_full", "unclassified"])
        self.assertIn("No replies.", self.run_program("classify", "-")[0])

    def test_a_line_that_cannot_be_read_is_said_and_the_rest_is_read(self):
        lines = '{"reply": \n550 5.1.1 User unknown\n'
        out, error = self.run_program("classify", "-o", "json", "-", stdin=lines, code=1)
        self.assertEqual(json.loads(out)["class"], "unknown_user")
        self.assertIn("not a JSON object", error)

    def test_more_replies_than_one_table_has_rows(self):
        out, _ = self.run_program("classify", "-", stdin="550 5.1.1 User unknown\n" * 1001)
        self.assertEqual(out.count("unknown_user"), 2 * 1001)  # the class, and the name of its rule
        self.assertEqual(out.count("CONFIDENCE"), 2)

    def test_rules_of_the_configuration(self):
        text = "550 5.1.1 User unknown"
        self.assertEqual(self.classify(text)[0]["class"], "unknown_user")
        settings = self.settings(self.file("rules.toml", OURS))
        one, = self.classify("-c", settings, text)
        self.assertEqual((one["class"], one["rule"]), ("policy", "policy/ours"))
        self.assertEqual(self.classify("-c", settings, "-", stdin=text)[0]["class"], "policy")

    def test_a_configuration_that_is_wrong(self):
        absent = str(self.folder / "absent.toml")
        broken = self.file("broken.toml", OURS.replace("policy\"\n", "lunch\"\n"))
        for settings, said in ((absent, "absent.toml"), (self.settings(absent), "absent.toml"),
                               (self.file("misspelt.toml", "[events]\nreply_clases = 1\n"), "reply_clases")):
            self.assertIn(said, self.run_program("classify", "-c", settings, "User unknown", code=1)[1])
        error = self.run_program("classify", "-c", self.settings(broken), "User unknown", code=1)[1]
        self.assertIn("broken.toml", error)
        self.assertIn("lunch", error)

    def test_hostile_text_reaches_no_terminal(self):
        evil = "550 evil\x1b]0;owned\x07\x1b[2J\u202egnp\u2066\x7f"
        for arguments in (("-",), ("-o", "json", "-")):
            out, _ = self.run_program("classify", *arguments, stdin=evil + "\n{" + evil + "\n", code=1)
            self.assertIn("owned", out)
        self.run_program("classify", "-o", "json", "-", stdin="\xff" * 200_000 + "\n" + "x\0" * 100_000)


class UnknownReplies(RepliesTest):
    def setUp(self):
        super().setUp()
        self.replies = self.file("replies.txt", REPLIES)

    def unknown(self, *arguments, **options):
        return json.loads(self.run_program("unknown-replies", "-o", "json", *arguments, **options)[0])

    def make(self, *arguments, code=0):
        """(standard output, standard error) of making a rule for the sealed cupboards."""
        return self.run_program("unknown-replies", self.replies, "--make-rule", "1", "--class", "mailbox_full",
                                *arguments, code=code)

    def test_wordings_and_how_many_of_each(self):
        found = self.unknown(self.replies)
        self.assertEqual({key: found[key] for key in ("replies", "unknown", "forgotten", "clusters_total")},
                         {"replies": 6, "unknown": 5, "forgotten": 0, "clusters_total": 2})
        self.assertEqual([(one["number"], one["count"]) for one in found["clusters"]], [(1, 3), (2, 2)])
        first, second = (one["wording"] for one in found["clusters"])
        self.assertTrue(first.startswith("cupboard for "), first)
        self.assertIn("is sealed until monday", first)
        self.assertTrue(second.startswith("the quorum of pigeons declined parcel "), second)
        for own in ("example", "4f17", "1234"):
            self.assertNotIn(own, first + second)
        table, error = self.run_program("unknown-replies", self.replies)
        self.assertEqual(error, "")
        self.assertIn(first, table)
        self.assertIn("5 of 6 replies of failures in 2 wordings", table)
        self.assertNotIn("user unknown", table)

    def test_standard_input_and_the_keys_of_an_event(self):
        events = "".join(json.dumps({"reply": f"Cupboard {n}000 is sealed", "provider": "isp.example",
                                     "at": f"2026-11-2{n}T03:00:00Z"}) + "\n" for n in (4, 6, 5))
        one, = self.unknown("-", stdin=events)["clusters"]
        self.assertEqual((one["count"], one["providers"]), (3, {"isp.example": 3}))
        self.assertTrue(one["first_seen"].startswith("2026-11-24"), one)
        self.assertTrue(one["last_seen"].startswith("2026-11-26"), one)
        out, _ = self.run_program("unknown-replies", "-", stdin=events)
        self.assertIn("isp.example", out)
        made, _ = self.run_program("unknown-replies", "-", "--make-rule", "1", "--class", "policy", stdin=events)
        self.assertIn("It would change 3 of 3", made)
        self.assertIn("No reply is unknown.", self.run_program("unknown-replies", "-")[0])

    def test_a_packed_file(self):
        packed = self.folder / "replies.gz"
        packed.write_bytes(gzip.compress(REPLIES.encode()))
        self.assertEqual(self.unknown(str(packed)), self.unknown(self.replies))

    def test_limits_and_what_only_a_code_decided(self):
        limited = self.unknown("--limit", "1", self.replies)
        self.assertEqual((len(limited["clusters"]), limited["clusters_total"]), (1, 2))
        coded = self.file("coded.txt", "550 5.2.2 Cupboard sealed\n")
        self.assertEqual(self.unknown(coded)["clusters"], [])
        self.assertEqual(self.unknown("--by-code", coded)["unknown"], 1)

    def test_what_cannot_be_read(self):
        absent = str(self.folder / "absent.txt")
        for path in (absent, str(self.folder)):
            done = subprocess.run([PROGRAM, "unknown-replies", path], capture_output=True, text=True, check=False,
                                  timeout=200, env=NO_CONFIGURATION)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(path, done.stderr)

    def test_a_rule_is_shown_with_what_it_would_change(self):
        before = sorted(os.listdir(self.folder))
        out, error = self.make()
        self.assertEqual(error, "")
        self.assertTrue(out.startswith('[[rule]]\nname = "mailbox_full/'), out)
        self.assertIn('class = "mailbox_full"', out)
        self.assertIn("It would change 3 of 6 replies of failures: 3 were unclassified", out)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        found = json.loads(self.make("-o", "json")[0])
        self.assertEqual({key: found[key] for key in ("replies", "changed", "from", "written")},
                         {"replies": 6, "changed": 3, "from": {"unclassified": 3}, "written": ""})
        # What is shown is what a rule file may hold.
        one = self.classify_with(self.file("shown.toml", found["rule"]))
        self.assertEqual(one["class"], "mailbox_full")

    def classify_with(self, rules, text=SEALED.format("dora@example.net", "90FFEE123").strip()):
        out, _ = self.run_program("classify", "-o", "json", "-c", self.settings(rules), text)
        return json.loads(out)

    def test_a_rule_is_written_into_a_file_that_is_not_there(self):
        path = str(self.folder / "rules.toml")
        self.assertIn(f'reply_classes = "{path}"', self.make("--write", path)[0])
        self.assertEqual(self.classify_with(path)["class"], "mailbox_full")
        # The rules that ship stand in it too.
        self.assertEqual(self.classify_with(path, "User unknown")["class"], "unknown_user")
        self.run_program("config", "check", "-c", self.settings(path))
        self.assertEqual(self.unknown("-c", self.settings(path), self.replies)["unknown"], 2)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("rules")], ["rules.toml"])

    def test_a_rule_is_written_behind_the_rules_of_a_file(self):
        path = self.file("rules.toml", OURS + "# the end")
        os.chmod(path, 0o640)
        self.make("--write", path, "--name", "mailbox_full/cupboard")
        with open(path, encoding="utf-8") as file:
            whole = file.read()
        self.assertTrue(whole.startswith(OURS + "# the end\n"), whole)
        self.assertEqual(whole.count("[[rule]]"), 2)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
        one = self.classify_with(path)
        self.assertEqual((one["class"], one["rule"]), ("mailbox_full", "mailbox_full/cupboard"))
        self.assertEqual(self.classify_with(path, "User unknown")["rule"], "policy/ours")
        # The second wording of the list is the first that the file does not know.
        self.run_program("unknown-replies", "-c", self.settings(path), self.replies, "--make-rule", "1",
                         "--class", "policy", "--write", path)
        self.assertEqual(self.unknown("-c", self.settings(path), self.replies)["unknown"], 0)

    def test_only_an_ordinary_file_is_written(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        _, error = self.make("--write", str(pipe), code=2)
        self.assertIn("no ordinary file", error)
        self.assertTrue(pipe.is_fifo())

    def test_a_link_stays_a_link(self):
        ours = self.file("ours.toml", OURS)
        link = self.folder / "link.toml"
        link.symlink_to(ours)
        self.make("--write", str(link))
        self.assertTrue(link.is_symlink())
        self.assertIn("policy/ours", link.read_text())
        self.assertEqual(link.read_text().count("[[rule]]"), 2)

    def test_a_full_disk_behind_the_output_is_no_success(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "classify", "550 no"], stdout=full, stderr=subprocess.PIPE, check=False,
                                  timeout=200, env=NO_CONFIGURATION)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"could not be written", done.stderr)

    def test_what_makes_no_rule_leaves_the_file_alone(self):
        broken = self.file("broken.toml", "[[rule]\n")
        rules = self.file("rules.toml", OURS)
        self.assertIn("broken.toml", self.make("--write", broken, code=2)[1])
        self.make("--write", rules, "--detail", "lunch", code=2)
        for number, name, said in (("3", "policy", "only 2"), ("1", "lunch", "lunch")):
            error = self.run_program("unknown-replies", self.replies, "--make-rule", number, "--class", name,
                                     "--write", rules, code=2)[1]
            self.assertIn(said, error)
        self.run_program("unknown-replies", self.replies, "--make-rule", "1", "--write", rules, code=2)
        self.run_program("unknown-replies", self.replies, "--write", rules, code=2)
        self.make("--write", str(self.folder / "absent" / "rules.toml"), code=2)
        for path, content in ((broken, "[[rule]\n"), (rules, OURS)):
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), content)

    def test_hostile_text_reaches_no_terminal(self):
        evil = self.file("evil.txt", "Owned\x1b]0;owned\x07\x1b[2J \u202egnp\u2066 \x7f\n" * 3)
        self.assertIn("owned", self.run_program("unknown-replies", evil)[0])
        self.unknown(evil)


class OfTheStore(RepliesTest):
    def test_replies_that_a_daemon_stored(self):
        watchpost = self.watchpost(LOG_SOURCE.format(folder=self.folder), start=False)
        self.log("".join(message(n, "alice@shop.example", f"gone{n}@example.net", bounced=True).replace(
            "550 5.1.1", "550").replace("Recipient address rejected: User unknown in virtual mailbox table",
                                        "Cupboard sealed until Monday") for n in range(1, 4))
                 + message(4, "alice@shop.example", "gone@example.net", bounced=True)
                 + message(5, "alice@shop.example", "anna@example.net"))
        watchpost.start()
        wait_for_events(watchpost, 4, "--kind", "bounced")
        found = watchpost.json("unknown-replies", "--by-code")
        self.assertEqual(found["replies"], 4)
        self.assertIn("cupboard sealed until monday", [one["wording"] for one in found["clusters"]][0])
        self.assertEqual(found["clusters"][0]["count"], 3)
        made = watchpost.json("unknown-replies", "--by-code", "--make-rule", "1", "--class", "mailbox_full")
        self.assertEqual((made["replies"], made["changed"]), (4, 3))


if __name__ == "__main__":
    unittest.main()
