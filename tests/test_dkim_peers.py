"""DKIM beside python3-dkim and Mail::DKIM over generated messages: what one signs, whole or damaged, the others judge alike.

2,000 messages; 20,000 with WATCHPOST_LONG=1.
"""
import base64
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from support import PROGRAM

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
# Debian's packages are for Debian's Python.
PYTHON = ["/usr/bin/python3", "-B", str(PEERS / "dkim_python.py")]
PERL = ["perl", str(PEERS / "dkim_perl.pl")]
MESSAGES = 20_000 if os.environ.get("WATCHPOST_LONG") else 2_000
FORMS = ("simple", "relaxed")
MISSING = 77
ENVIRONMENT = {**os.environ, "WATCHPOST_CONFIG": "/dev/null"}


def run(command, lines=()):
    done = subprocess.run(command, input="".join(f"{line}\n" for line in lines).encode(), capture_output=True,
                          env=ENVIRONMENT, check=False)
    if done.returncode == MISSING:
        raise unittest.SkipTest(done.stdout.decode().strip())
    if done.returncode != 0:
        raise AssertionError(f"{command[:4]}: {done.returncode} {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


# ---- messages

WORDS = ["order", "your", "  two", "tab\t", "caf\u00e9", "=3D", "x" * 70, ".", "", "--", " ", "From", "a:b"]


def body(chance):
    kind = chance.randrange(12)
    if kind == 0:
        return ""
    if kind == 1:
        return "\r\n" * chance.randrange(1, 5)
    if kind == 2:
        return " \t\r\n" * chance.randrange(1, 3)
    lines = []
    for _ in range(chance.randrange(1, 12)):
        line = " ".join(chance.choice(WORDS) for _ in range(chance.randrange(6)))
        lines.append(line + chance.choice(["", "", " ", "\t", "  \t "]))
    text = "\r\n".join(lines)
    return text + chance.choice(["\r\n", "\r\n", "\r\n\r\n\r\n", "", " "])


def header(chance):
    fields = [("From", "Ann <ann@shop.example>"), ("To", "bob@example.org"), ("Date", "Mon, 5 Jan 2026 10:00:00 +0000"),
              ("Subject", chance.choice(["Your order", "Your  order\t now", "caf\u00e9", "folded\r\n\tonce", "a\r\n  b\r\n c",
                                         "", " ", "trailing \t "]))]
    if chance.random() < 0.5:
        fields.append(("Message-ID", f"<{chance.randrange(10**9)}@shop.example>"))
    if chance.random() < 0.3:
        fields.append(("MIME-Version", "1.0"))
    if chance.random() < 0.3:
        fields += [("Received", f"from a by b;\r\n\tid {number}") for number in range(chance.randrange(1, 4))]
    if chance.random() < 0.2:
        fields.append(("Reply-To", "  ann@shop.example  "))
    if chance.random() < 0.1:
        fields.append(("subject", "second"))
    chance.shuffle(fields)
    spaced = chance.choice([": ", ": ", ":", ":  ", ":\t"])
    return "".join(f"{chance.choice([name, name, name.upper()])}{spaced}{value}\r\n" for name, value in fields)


def message(chance):
    return (header(chance) + "\r\n" + body(chance)).encode()


# ---- damage

def changed_byte(chance, text):
    at = chance.randrange(len(text))
    return text[:at] + bytes([chance.choice(b"ab \t=;:")]) + text[at + 1:]


def added_blank(chance, text):
    places = [at for at, byte in enumerate(text) if byte in b" \t"]
    at = chance.choice(places)
    return text[:at] + chance.choice([b" ", b"\t"]) + text[at:]


def blank_before_line_end(chance, text):
    places = [at for at in range(len(text)) if text[at:at + 2] == b"\r\n"]
    at = chance.choice(places)
    return text[:at] + b" " + text[at:]


def added_tail(chance, text):
    return text + chance.choice([b"\r\n", b"\r\n\r\n", b" ", b"more\r\n", b" \r\n"])


def lost_tail(_, text):
    return text[:-2] if text.endswith(b"\r\n") and not text.endswith(b"\r\n\r\n") else text + b"\r\n"


def field_on_top(chance, text):
    return chance.choice([b"Received: by a relay\r\n", b"Subject: Pay\r\n", b"From: eve@evil.example\r\n",
                          b"X-Spam: no\r\n", b"to: x@example.org\r\n"]) + text


def changed_tag(chance, text):
    """Something in the signature itself."""
    end = text.find(b"\r\n\r\n")
    old, new = chance.choice([(b"v=1", b"v=2"), (b"d=shop.example", b"d=other.example"), (b"a=rsa-sha256", b"a=rsa-sha512"),
                              (b"; s=", b"; zz=1; s="), (b"; b=", b"; b= "), (b"; bh=", b"; s=rsa; bh="),
                              (b"relaxed", b"simple"), (b"simple", b"relaxed"), (b"; h=", b"; h=Sender:")])
    return text[:end].replace(old, new, 1) + text[end:]


def whole(_, text):
    return text


DAMAGE = [whole, whole, whole, whole, changed_byte, added_blank, blank_before_line_end, added_tail, lost_tail, field_on_top,
          changed_tag]


# ---- what is not alike, and why

def explained(text, ours, peer, theirs):
    """Why both may be right, or who is not, with the section of RFC 6376; empty: there is no excuse."""
    head = text.partition(b"\r\n\r\n")[0]
    if peer == "Mail::DKIM" and re.search(rb"(?<!\r)\n", text):
        return "2.8: a bare line feed ends a line, as it will when the message is sent on; it ends none there"
    if "carriage return that ends no line" in ours["why"]:
        return "2.8: a carriage return within a signature belongs to a line end"
    if peer == "Mail::DKIM" and "b= cannot be read" in ours["why"]:
        return "2.10: it passes over what is no base64"
    if "covers more than the body has" in ours["why"]:
        return "3.5: l= must not be larger than the body"
    if peer == "python3-dkim" and len(re.findall(rb"(?im)^from[ \t]*:", text.partition(b"\r\n\r\n")[0])) > 1:
        return "8.15: it refuses a second From; we pass the signature and say that it is weak"
    if head == text or re.search(rb"\r\n[ \t]+(\r\n|$)", head):
        return "of a header that no empty line ends each makes something else; we read it as Postfix does"
    if theirs.endswith("MessageFormatError") or re.search(rb"(?m)^[^ \t:][^:\n]*$", head):
        return "of a line in the header that is no field each makes something else; we read it as Postfix does"
    if peer == "Mail::DKIM" and b"l=0;" in head:
        return "3.5: l=0 covers nothing of the body; it takes that for no l= at all"
    if peer == "python3-dkim" and re.search(rb"[A-Za-z0-9+/]\s+=[=\s]*\r\n", head):
        return "2.8: blanks may stand before the padding of base64"
    return ""


class DkimPeers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-dkim-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.make_keys()
        cls.sign_all()
        cls.damage_all()

    @classmethod
    def make_keys(cls):
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
                        cls.folder / "rsa.pem"], check=True, capture_output=True)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", cls.folder / "ed.pem"], check=True,
                       capture_output=True)
        der = subprocess.run(["openssl", "pkey", "-in", cls.folder / "ed.pem", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        (cls.folder / "ed.seed").write_bytes(base64.b64encode(der[-32:]))
        zone = ""
        for name in ("rsa", "ed"):
            record = run([PROGRAM, "dkim", "record", "--key", cls.folder / f"{name}.pem"]).decode().strip()
            (cls.folder / f"{name}.txt").write_text(record)
            zone += f'{name}._domainkey.shop.example. TXT "{record}"\n'
        (cls.folder / "zone").write_text(zone)

    @classmethod
    def sign_all(cls):
        chance = random.Random(6)
        cls.names, jobs = [], {"python": [], "perl": [], "ours": []}
        for number in range(MESSAGES):
            name = f"{number:05}.eml"
            (cls.folder / name).write_bytes(message(chance))
            signer = ("python", "perl", "ours")[number % 3]
            algorithm = chance.choice(["rsa-sha256", "rsa-sha256", "ed25519-sha256"])
            jobs[signer].append((name, chance.choice(FORMS), chance.choice(FORMS), algorithm,
                                 "1" if chance.random() < 0.15 else "0"))
            cls.names.append(name)
        run([*PYTHON, "sign", str(cls.folder)], (" ".join(job) for job in jobs["python"]))
        run([*PERL, "sign", str(cls.folder)], (" ".join(job[:3]) for job in jobs["perl"]))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(cls.sign_ours, jobs["ours"]))

    @classmethod
    def sign_ours(cls, job):
        name, head, rest, algorithm, _ = job
        key = "rsa" if algorithm.startswith("rsa") else "ed"
        text = run([PROGRAM, "dkim", "sign", cls.folder / name, "--key", cls.folder / f"{key}.pem", "--domain", "shop.example",
                    "--selector", key, "--header", head, "--body", rest])
        (cls.folder / name).write_bytes(text)

    @classmethod
    def damage_all(cls):
        chance = random.Random(7)
        for name in cls.names:
            file = cls.folder / name
            file.write_bytes(chance.choice(DAMAGE)(chance, file.read_bytes()))

    def ours(self):
        found = {}
        for at in range(0, len(self.names), 250):
            files = [self.folder / name for name in self.names[at:at + 250]]
            out = run([PROGRAM, "check", *files, "--zone", self.folder / "zone", "-o", "json"]).decode()
            for line in out.splitlines():
                answer = json.loads(line)
                found[pathlib.Path(answer["file"]).name] = answer["dkim"]
        return found

    def theirs(self, command, names):
        lines = run([*command, "verify", str(self.folder)], names).decode().splitlines()
        return {name: result for name, _, result in (line.partition(" ") for line in lines)}

    def completed(self, command):
        """What they say of the messages whose last line has no end, with the end that RFC 6376 sections 3.4.3 and 3.4.4 give it."""
        names = []
        for name in self.names:
            text = (self.folder / name).read_bytes()
            if text.endswith(b"\r\n"):
                continue
            body = re.search(rb"[;\s]c=\s*\w+/(\w+)", text)
            if body and body[1] == b"relaxed":
                text = text.rstrip(b" \t")
            names.append(f"{name}.whole")
            (self.folder / names[-1]).write_bytes(text if text.endswith(b"\r\n") else text + b"\r\n")
        return self.theirs(command, names)

    def compare(self, peer, command):
        ours, theirs, completed = self.ours(), self.theirs(command, self.names), self.completed(command)
        passed, differ, excused = 0, [], collections.Counter()
        for name in self.names:
            verdict = ours[name][0] if ours[name] else {"result": "none", "why": "", "algorithm": ""}
            text = (self.folder / name).read_bytes()
            # This Mail::DKIM knows RSA alone.
            if peer == "Mail::DKIM" and b"ed25519" in text:
                continue
            we_pass, they_pass = verdict["result"] == "pass", theirs[name] == "pass"
            passed += we_pass and they_pass
            if we_pass == they_pass:
                continue
            whole_says = completed.get(f"{name}.whole")
            if whole_says is not None and (whole_says == "pass") == we_pass:
                excused["3.4.3, 3.4.4: a last line without an end; they agree where it has one, without blanks before it"] += 1
            elif why := explained(text, verdict, peer, theirs[name]):
                excused[why] += 1
            else:
                differ.append(f"{name}: ours {verdict['result']} ({verdict['why']}), {peer} {theirs[name]}\n{text[:1500]!r}")
        print(f"\n{len(self.names)} messages, {peer}: {passed} pass with both, {excused.total()} differ for reasons that are known")
        for why, count in excused.most_common():
            print(f"  {count:5} {why}")
        self.assertEqual(len(differ), 0, f"{len(differ)} disagreements with {peer}\n" + "\n".join(differ[:10]))
        self.assertGreater(passed, MESSAGES // 5)

    def test_beside_python3_dkim(self):
        self.compare("python3-dkim", PYTHON)

    def test_beside_mail_dkim(self):
        self.compare("Mail::DKIM", PERL)


if __name__ == "__main__":
    unittest.main()
