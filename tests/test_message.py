"""`watchpost message`: a message taken apart, for people and for programs."""
import base64
import json
import unittest

from test_commands import raw, unsafe

NO_FILE = {"WATCHPOST_CONFIG": "/dev/null"}
INNER = "From: inner@example.org\nSubject: within\n\nhello\n"
MESSAGE = f"""From: "Sales, Inc" <sales@shop.example>
To: =?utf-8?q?J=C3=BCrgen?= <juergen@example.org>, list: one@example.org;
Subject: =?iso-8859-1?q?Gr=FC=DFe?=\tto\x1b[2J all\u202e
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

caf=E9 \x1b]0;owned\x07
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="report.exe"
Content-Transfer-Encoding: base64

AAEC!
--b
Content-Type: message/rfc822
Content-Transfer-Encoding: base64

{base64.b64encode(INNER.encode()).decode()}
"""


def message(*arguments, stdin=MESSAGE):
    return raw("message", "-", *arguments, stdin=stdin if isinstance(stdin, bytes) else stdin.encode(), env=NO_FILE)


class Message(unittest.TestCase):
    def test_for_people(self):
        code, out, err = message("--text")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(unsafe(out), [])
        for seen in ("Grüße", "sales@shop.example", "of the group list", "multipart/mixed", "report.exe", "café",
                     "bad_base64", "missing_end_boundary", "The message that is packed in part 3", "inner@example.org",
                     "hello"):
            self.assertIn(seen, out)
        _, without, _ = message()
        self.assertNotIn("café", without)

    def test_for_programs(self):
        code, out, _ = message("-o", "json")
        self.assertEqual((code, unsafe(out)), (0, []))
        report = json.loads(out)
        parts = report["parts"]
        self.assertEqual([(part["parent"], part["type"]["value"]) for part in parts],
                         [(None, "multipart/mixed"), (0, "text/plain"), (0, "application/octet-stream"),
                          (0, "message/rfc822")])
        everything = MESSAGE.encode()
        for part in parts:
            header = everything[part["begin"]:part["body"]]
            for field in part["header"]:
                self.assertIn(everything[field["begin"]:field["end"]], header)
        self.assertEqual(parts[1]["text"], "café \x1b]0;owned\x07")
        self.assertEqual((parts[2]["file_name"], parts[2]["decoded_bytes"]), ("report.exe", 3))
        self.assertEqual(parts[3]["message"]["parts"][0]["text"], "hello\n")
        to = [(one["group"], one["name"], one["address"]) for one in parts[0]["header"][1]["addresses"]]
        self.assertEqual(to, [("", "Jürgen", "juergen@example.org"), ("list", "", "one@example.org")])
        places = {one["defect"]: (one["at"], one["line"], one["part"]) for one in report["defects"]}
        at = everything.index(b"AAEC!") + 4
        self.assertEqual(places["bad_base64"], (at, everything[:at].count(b"\n") + 1, 2))
        self.assertIn("missing_end_boundary", places)

    def test_any_bytes(self):
        for stdin in (b"", b"\0" * 1000, bytes(range(256)) * 10, b"\xff\xfe: \xff\r\r\n\n--", b"=?utf-8?b?\xff?=: x\n\n"):
            code, out, _ = message("-o", "json", stdin=stdin)
            self.assertEqual(code, 0)
            self.assertEqual(json.loads(out)["bytes"], len(stdin))
            self.assertEqual(unsafe(message("--text", stdin=stdin)[1]), [])

    def test_what_cannot_be_read(self):
        code, out, err = raw("message", "/nonexistent", "/", "-", stdin=b"Subject: still read\n\n", env=NO_FILE)
        self.assertEqual(code, 1)
        self.assertIn("/nonexistent: cannot be read: No such file", err)
        self.assertIn("/: cannot be read", err)
        self.assertIn("still read", out)


if __name__ == "__main__":
    unittest.main()
