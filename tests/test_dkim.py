"""`watchpost dkim`: messages signed, keys published, and what `watchpost check` says of them."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from test_commands import raw, unsafe

NO_FILE = {"WATCHPOST_CONFIG": "/dev/null"}
LETTER = b"From: Ann <ann@shop.example>\r\nTo: bob@example.org\r\nSubject: Your order\r\n\r\nIt is on its way.\r\n"


def wait_for_name_server(port):
    """Until it answers a question, whatever it is."""
    question = b"\x01\x02\x01\x00\x00\x01" + bytes(6) + b"\x04shop\x07example\x00\x00\x06\x00\x01"
    for _ in range(600):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.1)
            try:
                asking.sendto(question, ("127.0.0.1", port))
                asking.recv(512)
                return
            except OSError:
                time.sleep(0.05)
    raise AssertionError("the name server does not answer")


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

    def entry(self, key, *arguments):
        code, out, err = self.dkim("record", "--key", self.folder / f"{key}.pem", "--domain", "Shop.example", "--selector", key,
                                   *arguments)
        self.assertEqual((code, err), (0, ""))
        return out

    def checked(self, text):
        zone = self.folder / "zone"
        zone.write_text("".join(self.entry(key) for key in ("rsa", "ed25519")))
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

    def test_an_entry_of_a_zone_file(self):
        entry = self.entry("rsa")
        self.assertTrue(entry.startswith("rsa._domainkey.shop.example. IN TXT ("))
        strings = re.findall(r'"([^"]*)"', entry)
        self.assertEqual("".join(strings), self.record("rsa"))
        self.assertEqual([len(one) <= 255 for one in strings], [True, True])
        self.assertEqual(self.entry("ed25519"), f'ed25519._domainkey.shop.example. IN TXT "{self.record("ed25519")}"\n')
        got = json.loads(self.entry("rsa", "-o", "json"))
        self.assertEqual(got, {"name": "rsa._domainkey.shop.example", "type": "TXT", "text": self.record("rsa"), "zone": entry})
        for arguments, words in ((["--domain", "shop.example"], "selector"), (["--selector", "s"], "domain"),
                                 (["--domain", "a b", "--selector", "s"], "no domain"),
                                 (["--domain", "shop.example", "--selector", "s\n@ TXT x"], "no selector"),
                                 (["--domain", ".".join(["a" * 60] * 4), "--selector", "s"], "longer")):
            code, out, err = self.dkim("record", "--key", self.folder / "rsa.pem", *arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertIn(words, err)

    def test_other_readers_take_the_entry(self):
        zone = self.folder / "shop.zone"
        zone.write_text("$TTL 300\nshop.example. SOA ns hostmaster 1 2 3 4 5\nshop.example. NS ns.other.example.\n" +
                        self.entry("rsa") + self.entry("ed25519"))
        read = 0
        for checker in ("named-checkzone", "nsd-checkzone"):
            program = shutil.which(checker, path="/usr/sbin:/usr/bin")
            if program is None:
                continue
            done = subprocess.run([program, "shop.example", zone], capture_output=True, check=False, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            read += 1
        if read == 0:
            self.skipTest("neither named-checkzone nor nsd-checkzone is installed")

    def test_unbound_serves_the_entry(self):
        if not pathlib.Path("/usr/sbin/unbound").exists() or os.geteuid() != 0:
            self.skipTest("unbound is not installed, or this is not root")
        zone = self.folder / "auth.zone"
        zone.write_text("$TTL 300\nshop.example. SOA ns.shop.example. h.shop.example. 1 2 3 4 5\n"
                        "shop.example. NS ns.shop.example.\n" + self.entry("rsa") + self.entry("ed25519"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (self.folder / "unbound.conf").write_text(
            f'server:\n interface: 127.0.0.1@{port}\n port: {port}\n do-daemonize: no\n username: ""\n chroot: ""\n'
            f' pidfile: ""\n use-syslog: no\n logfile: ""\n directory: "{self.folder}"\n do-ip6: no\n'
            f' module-config: "iterator"\nauth-zone:\n name: shop.example\n zonefile: "{zone}"\n'
            " for-upstream: no\n for-downstream: yes\n fallback-enabled: no\nremote-control:\n control-enable: no\n")
        unbound = subprocess.Popen(["/usr/sbin/unbound", "-d", "-c", self.folder / "unbound.conf"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(unbound.wait)
        self.addCleanup(unbound.terminate)
        configuration = self.folder / "unbound.toml"
        configuration.write_text(f'[dns]\nservers = ["127.0.0.1:{port}"]\n')
        wait_for_name_server(port)
        for key in ("rsa", "ed25519"):
            _, letter, _ = self.sign(key)
            code, out, err = raw("-c", str(configuration), "check", "-", "-o", "json", stdin=letter.encode())
            self.assertEqual((code, err), (0, ""))
            self.assertEqual([one["result"] for one in json.loads(out)["dkim"]], ["pass"])

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
