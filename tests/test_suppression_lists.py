"""Lists of others, as files: what is understood, what is refused whole, and what comes out again."""
import csv
import io
import json
import unittest

from support import DaemonTest, over_unix
from test_suppressions import DAY, RULES, bounce, event

MANY = 20_000  # more than goes into one request


class Lists(DaemonTest):
    def file(self, text, encoding="utf-8"):
        path = self.folder / "list.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    def listed(self, daemon, *arguments):
        return daemon.json("suppressions", "list", "--limit", "10000", *arguments)["suppressions"]

    def test_each_piece_of_a_long_list_has_its_columns(self):
        daemon = self.watchpost(RULES)
        rows = "".join(f"sender{n}@own.example,r{n}@dest.example\n" for n in range(MANY))
        # The heading is not on the first line, or is longer than a line; a quote means nothing inside of a field.
        for number, heading in enumerate(("\nfrom,email\n", '"sent\nfrom",email\n', 'say "from,E-Mail\n')):
            out = daemon.run("suppressions", "import", self.file(heading + rows), "--customer", f"c{number}")[1]
            self.assertIn(f"{MANY:,} suppressed, 0 suppressed already, 0 lines left out", out)
            last = self.listed(daemon, f"r{MANY - 1}@dest.example", "--customer", f"c{number}")
            self.assertEqual(len(last), 1)
        self.assertEqual(self.listed(daemon, "sender19999@own.example"), [])

    def test_a_quote_inside_a_field_cuts_nothing_in_half(self):
        daemon = self.watchpost(RULES)
        rows = "".join(f'q{n}@dest.example,it is 5" long,"two\nlines, and ""quotes"""\n' for n in range(8_000))
        out = daemon.run("suppressions", "import", self.file("email,size,note\n" + rows))[1]
        self.assertIn("8,000 suppressed, 0 suppressed already, 0 lines left out", out)
        self.assertEqual({one["note"] for one in self.listed(daemon)}, {'two\nlines, and "quotes"'})

    def test_lists_of_others_are_understood_or_refused_whole(self):
        daemon = self.watchpost(RULES)
        for text, recipient, reason, note in (
                ("Email Address,First Name\na@mc.example,Jo\n", "a@mc.example", "imported", ""),
                ("Email Address,Reason,Last updated\nb@ses.example,BOUNCE,2024\n", "b@ses.example", "hard_bounce", ""),
                ("created,email,reason\n14436,c@sg.example,550 no such user\n", "c@sg.example", "imported", "550 no such user")):
            daemon.run("suppressions", "import", self.file(text))
            one = self.listed(daemon, recipient)[0]
            self.assertEqual((one["customer"], one["reason"], one["note"]), (None, reason, note))
        for text, encoding, says in (
                ("Name,Mailbox\nJo,z@x.example\n", "utf-8", "line 1: `Name` is not an address"),
                ("recipient\nz@x.example\n", "utf-16", "UTF-16"), ("recipient\rz@x.example\r", "utf-8", "CR alone"),
                ("recipient;reason\nz@x.example;spam\n", "utf-8", "only commas are read"),
                ("Name,Mailbox\n" + "Jo,z@x.example\n" * MANY, "utf-8", "line 1: ")):
            self.complain(daemon, "suppressions", "import", self.file(text, encoding), code=2, says=says)
        self.complain(daemon, "suppressions", "import", self.file("z@x.example,y@x.example\n"), code=1, says="is an address")
        self.assertEqual(len(self.listed(daemon)), 3)

    def test_a_dry_run_shows_and_changes_nothing(self):
        daemon = self.watchpost(RULES)
        path = self.file("Email Address,Name,Reason\n" + "".join(f"d{n}@x.example,Jo,Spam\n" for n in range(9)) + "nobody,,\n")
        code, out, error = daemon.run("suppressions", "import", path, "--dry-run", check=False)
        self.assertEqual(code, 1, out)
        for words in ("Columns: recipient, (unused), reason.", "d4@x.example", "complaint", "9 would be suppressed",
                      "1 line left out", "Nothing was changed"):
            self.assertIn(words, out)
        self.assertIn("line 11: `nobody` is not an address", error)
        self.assertEqual(self.listed(daemon, "--all"), [])

    def test_an_export_says_how_each_came_and_what_is_over(self):
        daemon = self.watchpost(RULES)
        body = "".join(json.dumps(one) + "\n" for one in (
            bounce(1, "old@dest.example", at=-5 * DAY), bounce(2, "new@dest.example"), bounce(3, "back@dest.example"),
            event(4, "complained", "angry@dest.example")))
        self.assertEqual(over_unix(daemon, "POST", "/v1/events", body)[0], 200)
        daemon.run("suppressions", "remove", "back@dest.example", "--customer", "acme.example", "--note", "it is back")

        def exported(*arguments):
            text = daemon.run("suppressions", "export", *arguments)[1]
            return text, {row["recipient"]: row for row in csv.DictReader(io.StringIO(text))}
        held = exported()[1]
        self.assertEqual(sorted(held), ["angry@dest.example", "new@dest.example", "old@dest.example"])
        self.assertEqual((held["old@dest.example"]["state"], held["old@dest.example"]["origin"]),
                         ("holds", "rule `no such mailbox`"))
        self.assertIn("550 5.1.1 no such user", held["old@dest.example"]["evidence"])
        self.assertEqual(held["old@dest.example"]["since"],
                         self.listed(daemon, "old@dest.example")[0]["since"])
        self.assertEqual(sorted(exported("--since", "1d")[1]), ["angry@dest.example", "new@dest.example"])
        text, all_rows = exported("--all")
        self.assertEqual((all_rows["back@dest.example"]["state"], len(all_rows)), ("lifted", 4))
        # What is over elsewhere is not begun here.
        folder = self.folder / "other"
        folder.mkdir()
        other = self.watchpost(RULES, folder=folder)
        out = other.run("suppressions", "import", "-", stdin=text)[1]
        self.assertIn("3 suppressed, 0 suppressed already, 1 lifted or ended before, 0 lines left out", out)
        self.assertEqual(sorted(one["recipient"] for one in self.listed(other)), sorted(held))


if __name__ == "__main__":
    unittest.main()
