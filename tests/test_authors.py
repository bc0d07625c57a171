"""The authors of a message beside another reader of From fields, Python's: where we are certain of one domain and call nothing
odd, that reader must not find one other domain (reliability 3.1)."""
import email
import email.policy
import email.utils
import json
import os
import pathlib
import random
import re
import tempfile
import unittest

from test_commands import raw

NO_FILE = {"WATCHPOST_CONFIG": "/dev/null"}
LONG = bool(os.environ.get("WATCHPOST_LONG"))
HEADERS = 100_000 if LONG else 2_000
BATCH = 500
PIECES = ["a@one.example", "b@two.example", "<", ">", "<a@one.example>", "<b@two.example>", ",", ";", ":", "@", "\\", '"',
          '"a@one.example"', '"b@two.example" ', "(", ")", "(b@two.example)", " ", "\r\n ", "\t", "Jo", "=?utf-8?q?Jo?=",
          "=?utf-8?q?b=40two.example?=", "=?utf-8?b?PGJAdHdvLmV4YW1wbGU+?=", "[", "]", "[192.0.2.1]", "@one.example:",
          "group:", "\0", "\r", "From: ", "\x7f", ".", "=", "'", "%", "\xfc"]
NAME = re.compile(r"[a-z0-9.-]+")
WHOLE = ["From: {}\r\n", "From: {}\r\nFrom: b@two.example\r\n", "From : {}\r\n", "From\r\n : b@two.example\r\nFrom: {}\r\n",
         " From: b@two.example\r\nFrom: {}\r\n", "from:{}\r\nSender: b@two.example\r\n"]


def made(chance):
    body = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 6)))
    form = WHOLE[0] if chance.random() < 0.7 else chance.choice(WHOLE)
    return (form.format(body) + "To: you@example.org\r\n\r\ntext\r\n").encode("latin-1")


def domains_of(addresses):
    named = {address.rpartition("@")[2].lower().rstrip(".") for address in addresses if "@" in address}
    return {name for name in named if NAME.fullmatch(name)}


def other_readings(message):
    """The author domains as Python's readers see them, one set a reader; none from one that gives up."""
    old = email.message_from_bytes(message)
    fields = [str(one) for one in old.get_all("From", [])]
    yield domains_of(address for _, address in email.utils.getaddresses(fields))
    yield domains_of(email.utils.parseaddr(field)[1] for field in fields[:1])
    try:
        new = email.message_from_bytes(message, policy=email.policy.default)
        yield domains_of(one.addr_spec for field in new.get_all("From", []) for one in field.addresses)
    except Exception:  # pylint: disable=broad-except; its reader of odd addresses is known to fail
        return


class Authors(unittest.TestCase):
    def test_nobody_finds_another_one(self):
        chance = random.Random(20261124)
        certain = 0
        with tempfile.TemporaryDirectory() as place:
            zone = pathlib.Path(place) / "zone"
            zone.write_text("$TTL 300\nnone.example. A 192.0.2.1\n", encoding="ascii")
            for _ in range(0, HEADERS, BATCH):
                messages = [made(chance) for _ in range(BATCH)]
                files = []
                for number, message in enumerate(messages):
                    files.append(str(pathlib.Path(place) / str(number)))
                    pathlib.Path(files[-1]).write_bytes(message)
                code, out, err = raw("check", *files, "--zone", str(zone), "-o", "json", env=NO_FILE)
                self.assertEqual(code, 0, err)
                for message, line in zip(messages, out.splitlines(), strict=True):
                    certain += self.agree(message, json.loads(line)["authors"])
        self.assertGreater(certain, HEADERS // 50)

    def agree(self, message, ours):
        if not ours["certain"] or ours["oddities"] or len(ours["domains"]) != 1:
            return 0
        for theirs in other_readings(message):
            if len(theirs) == 1:
                self.assertEqual(theirs, set(ours["domains"]), message)
        return 1


if __name__ == "__main__":
    unittest.main()
