"""`watchpost dkim`: messages signed, keys published, and what `watchpost check` says of them."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from test_commands import raw, unsafe

NO_FILE = {"WATCHPOST_CONFIG": "/dev/null"}
LETTER = b"From: Ann <ann@shop.example>\r\nTo: bob@example.org\r\nSubject: Your order\r\n\r\nIt is on its way.\r\n"


class Dkim(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-dkim-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for name, how in (("rsa", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), ("ed25519", ["ED25519"])):
            subprocess.run(["openssl", "genpkey", "-algorithm", *how, "-out", cls.folder / f"{name}.pem"], check=True,
                           capture_output=True)
        (cls.folder / "letter.eml").write_bytes(LETTER)

    def dkim(self, *arguments, stdin=b""):
        return raw("dkim", *map(str, arguments), stdin=stdin, env=NO_FILE)

    def sign(self, key, *arguments, letter=LETTER):
        return self.dkim("sign", "-", "--key", self.folder / f"{key}.pem", "--domain", "shop.example", "--selector", key,
                         *arguments, stdin=letter)

    def record(self, key):
        code, out, _ = self.dkim("record", "--key", self.folder / f"{key}.pem")
        self.assertEqual(code, 0)
        return out.strip()

    def checked(self, text):
        zone = self.folder / "zone"
        zone.write_text("".join(f'{key}._domainkey.shop.example. TXT "{self.record(key)}"\n' for key in ("rsa", "ed25519")))
        code, out, err = raw("check", "-", "--zone", str(zone), "-o", "json", stdin=text.encode(), env=NO_FILE)
        self.assertEqual((code, err, unsafe(out)), (0, "", []))
        return json.loads(out)["dkim"]

    def test_signed_by_two_keys(self):
        code, once, err = self.sign("rsa", "--expires", "7d")
        self.assertEqual((code, err), (0, ""))
        code, twice, _ = self.sign("ed25519", "--identity", "news@mail.shop.example", letter=once.encode())
        self.assertEqual(code, 0)
        self.assertTrue(twice.startswith("DKIM-Signature: v=1; a=ed25519-sha256;"))
        verdicts = self.checked(twice)
        self.assertEqual([(one["result"], one["selector"]) for one in verdicts], [("pass", "ed25519"), ("pass", "rsa")])
        self.assertEqual(verdicts[0]["identity"], "news@mail.shop.example")
        self.assertIsNotNone(verdicts[1]["expires_at"])
        changed = self.checked(twice.replace("on its way", "lost"))
        self.assertEqual([one["result"] for one in changed], ["fail", "fail"])

    def test_a_message_on_line_feeds_stays_so(self):
        code, out, _ = self.sign("rsa", letter=LETTER.replace(b"\r\n", b"\n"))
        self.assertEqual((code, out.count("\r")), (0, 0))
        self.assertEqual(self.checked(out)[0]["result"], "pass")

    def test_the_field_alone(self):
        _, out, _ = self.sign("rsa", "--field-only")
        self.assertTrue(out.startswith("DKIM-Signature:"))
        self.assertNotIn("From:", out)

    def test_what_signatures_are_made_over(self):
        code, out, _ = self.dkim("canonical", "-", stdin=b"SUBJECT:  a\t b \r\n\r\nx  y \r\n\r\n")
        self.assertEqual((code, out.replace("\r\n", "|").replace("\n", "|")), (0, "subject:a b||x y|"))

    def test_what_cannot_be_signed(self):
        (self.folder / "none.pem").write_text("nothing")
        for arguments, words in (
                (["sign", "-", "--key", self.folder / "none.pem", "--domain", "a.example", "--selector", "s"], "private key"),
                (["sign", "-", "--key", self.folder / "gone.pem", "--domain", "a.example", "--selector", "s"], "gone.pem"),
                (["sign", "-", "--key", self.folder / "rsa.pem", "--domain", "nodots", "--selector", "s"], "nodots"),
                (["sign", "-", "--key", self.folder / "rsa.pem", "--domain", "a.example", "--selector", "s", "--identity",
                  "x@b.example"], "x@b.example"),
                (["sign", "-", "--key", self.folder / "rsa.pem", "--domain", "a.example", "--selector", "s", "--expires",
                  "soon"], "soon")):
            code, out, err = self.dkim(*arguments, stdin=LETTER)
            self.assertNotEqual(code, 0, arguments)
            self.assertEqual(out, "")
            self.assertIn(words, err)
        code, _, err = self.sign("rsa", letter=b"Subject: no author\r\n\r\n")
        self.assertNotEqual(code, 0)
        self.assertIn("From", err)


if __name__ == "__main__":
    unittest.main()
