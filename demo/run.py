#!/usr/bin/env python3
"""Shows Watchpost at its main job: a stolen login sends through a real Postfix, and is stopped; and what becomes of
mail from outside.

Everything runs on loopback in a folder of its own and is gone at the end. `--keep` leaves it running
until Enter is pressed, to try the commands.
"""
import argparse
import email
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from testbed.destinations import Destinations  # noqa: E402
from testbed.mail_host import MailHost, free_port  # noqa: E402
from testbed.name_server import NameServer  # noqa: E402
from testbed.sender import Refused, Sender, Stranger  # noqa: E402
from testbed.watchpost import Watchpost, add_program_option  # noqa: E402

STOLEN = "carol@bakery.example"
LOGINS = {name: "demo" for name in (
    "alice@bakery.example", "bob@bakery.example", STOLEN,
    "dora@florist.example", "emil@florist.example", "fritz@printer.example")}
# Documentation addresses (RFC 5737): the office, and a botnet.
OFFICE = "192.0.2.10"
BOTNET = [f"{net}.{host}" for net in ("198.51.100", "203.0.113") for host in range(10, 250, 7)]
# What DNS says of those who write to the florist. None of it leaves this machine.
SHOP, SWINDLER, SPAMMER = "192.0.2.1", "203.0.113.66", "198.51.100.7"
NAMES = {
    "shop.example": {"TXT": [f"v=spf1 ip4:{SHOP} -all"]},
    "_dmarc.shop.example": {"TXT": ["v=DMARC1; p=reject"]},
    "mx.shop.example": {"A": [SHOP]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["mx.shop.example"]},
    "bank.example": {"TXT": ["v=spf1 -all"]},
    "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject"]},
    "cheap.example": {"TXT": [f"v=spf1 ip4:{SPAMMER} -all"]},
    "7.100.51.198.bl.example": {"A": ["127.0.0.2"]},
}
# client, its name, envelope sender, From, subject
STRANGERS = [
    ("a supplier", SHOP, "mx.shop.example", "jo@shop.example", "Jo <jo@shop.example>", "Your roses"),
    ("a swindler as the bank", SWINDLER, "bank.example", "x@bank.example", "Bank <help@bank.example>", "Your account"),
    ("a listed spammer", SPAMMER, "cheap.example", "x@cheap.example", "Deals <x@cheap.example>", "Cheap seeds"),
    ("a supplier, as a swindler would", SHOP, "mx.shop.example", "jo@shop.example", "Jo <jo@shop.example>",
     "Gift cards for your staff"),
]


def tell(text=""):
    print(text, flush=True)


def chapter(text):
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    tell(f"\n{bold}{text}{plain}")


class Story:
    def __init__(self, program, keep):
        self.folder = tempfile.mkdtemp(prefix="watchpost-demo-")
        self.keep = keep
        self.random = random.Random(7)
        self.destinations = Destinations()
        self.names = NameServer(NAMES)
        self.policy_port, self.milter_port = free_port(), free_port()
        self.host = MailHost(self.folder, self.destinations.port, LOGINS, self.policy_port,
                             receives=["florist.example"], mx_milters=f"inet:127.0.0.1:{self.milter_port}")
        text = (ROOT / "demo/watchpost.toml").read_text()
        for name, value in (("policy_port", self.policy_port), ("milter_port", self.milter_port),
                            ("name_server", self.names.place), ("release_port", self.host.release_mx_port)):
            text = text.replace("{%s}" % name, str(value))
        self.watchpost = Watchpost(program, self.folder, text)
        self.watchpost.make_key(f"{self.folder}/quarantine.key")

    def run(self):
        chapter("1. A mail server, and Watchpost beside it")
        # The log has to be there, and then Watchpost, before Postfix asks its first question.
        self.names.start()
        self.host.start()
        self.watchpost.start()
        tell(f"   Postfix takes mail on 127.0.0.1:{self.host.port}; its log is {self.host.log}")
        tell(f"   Before each recipient it asks Watchpost on 127.0.0.1:{self.policy_port}")
        self.ordinary_mail()
        refused_after, refusal = self.stolen_login()
        self.evidence(refused_after, refusal)
        self.others_unharmed()
        if self.keep:
            self.pause()
        self.undo()
        self.strangers()
        self.held()
        chapter("That was it. Nothing was left running.")

    def ordinary_mail(self):
        chapter("2. Six people send ordinary mail")
        for login in LOGINS:
            sender = Sender(self.host.port, login, "demo", client=OFFICE)
            for number in range(12):
                who = self.random.choices(["customer", "busy", "gone"], [92, 5, 3])[0]
                sender.send([f"{who}{number}@destination{number % 4}.example"], subject="Your order")
            sender.close()
        wanted = 12 * len(LOGINS)
        self.watchpost.wait_until(lambda: self.events("accepted") >= wanted, "all ordinary mail is counted")
        tell(f"   {wanted} messages: most delivered, some deferred, a few to people who are gone.")
        tell(f"   Open incidents: {self.watchpost.json('status')['open_incidents']}")

    def events(self, kind):
        return len(self.watchpost.json("events", "--kind", kind, "--limit", "10000")["events"])

    def stolen_login(self):
        chapter(f"3. {STOLEN}'s password is stolen: mail from many networks to bought addresses")
        networks = self.random.sample(BOTNET, 40)
        began = time.monotonic()
        for sent in range(400):
            try:
                sender = Sender(self.host.port, STOLEN, "demo", client=networks[sent % len(networks)])
                who = "gone" if self.random.random() < 0.6 else "victim"
                sender.send([f"{who}{sent}@destination{sent % 9}.example"], subject="Invoice overdue")
                sender.close()
            except Refused as refused:
                seconds = time.monotonic() - began
                tell(f"   {sent} messages went out in {seconds:.2f} s. The next one, Postfix refused:")
                tell(f"   > {refused.code} {refused.text}")
                return sent, refused
        raise AssertionError("the stolen login was never refused")

    def evidence(self, sent, refusal):
        chapter("4. Why? (watchpost incidents; watchpost incident show)")
        self.show("incidents")
        incident = self.watchpost.json("incidents")["incidents"][0]
        self.show("incident", "show", incident["id"])
        assert STOLEN in incident["subject"], incident
        assert "watchpost d-" in refusal.text, refusal.text

    def others_unharmed(self):
        chapter("5. Her colleagues go on sending")
        sender = Sender(self.host.port, "alice@bakery.example", "demo", client=OFFICE)
        sender.send(["customer99@destination.example"], subject="Your order")
        sender.close()
        tell("   alice@bakery.example: 250 Ok")

    def undo(self):
        chapter(f"6. The password is changed; the measure is undone (watchpost release credential={STOLEN})")
        self.show("release", f"credential={STOLEN}", "--why", "password changed, sessions ended")
        sender = Sender(self.host.port, STOLEN, "demo", client=OFFICE)
        sender.send(["customer1@destination.example"], subject="I am back")
        sender.close()
        tell(f"   {STOLEN} sends again: 250 Ok. And the log of who did what:")
        self.show("audit", "--limit", "6")
        self.show("audit", "--verify")

    def strangers(self):
        chapter("7. Mail from outside: before Postfix takes a message, it asks who that really is")
        for who, client, helo, sender, author, subject in STRANGERS:
            tell(f"   {who} ({client}) writes as {author}:")
            message = (f"From: {author}\r\nTo: <dora@florist.example>\r\nSubject: {subject}\r\n"
                       f"Message-ID: <{sender}>\r\n\r\nGood morning.\r\n")
            tell(f"   > {self.delivered(client, helo, sender, message)}")
        tell("   And why, of the one that was refused (watchpost verdict QUEUEID):")
        self.watchpost.wait_until(lambda: self.events("judged") >= len(STRANGERS), "all verdicts are stored")
        events = self.watchpost.json("events", "--kind", "judged")["events"]
        refused = next(one for one in events if one["disposition"] == "reject")
        self.show("verdict", refused["queue_id"])
        dispositions = [one["disposition"] for one in reversed(events)]
        assert dispositions == ["accept", "reject", "tag", "quarantine"], events

    def delivered(self, client, helo, sender, message):
        """What became of it, in a line."""
        before = self.destinations.taken
        stranger = Stranger(self.host.mx_port, client, helo)
        try:
            stranger.deliver(sender, ["dora@florist.example"], message.encode())
        except Refused as refused:
            return f"refused: {refused.code} {refused.text}"
        finally:
            stranger.close()
        if "Gift cards" in message:
            return "taken, and held for a person to look at"
        return self.arrived(before)

    def arrived(self, before):
        self.watchpost.wait_until(lambda: self.destinations.taken > before, "it is delivered")
        header = email.message_from_bytes(self.destinations.messages[-1])
        mark = header["X-Watchpost"]
        return f"delivered, marked: X-Watchpost: {' '.join(mark.split())}" if mark else "delivered, as it is"

    def held(self):
        chapter("8. One message was held: a person looks at it, and lets it go (watchpost quarantine)")
        self.show("quarantine", "list")
        one = self.watchpost.json("quarantine", "list")["held"][0]["id"]
        self.show("quarantine", "show", one, "--body")
        before = self.destinations.taken
        self.show("quarantine", "release", one, "--why", "asked Jo on the phone")
        tell(f"   {self.arrived(before)}")
        assert not self.watchpost.json("quarantine", "list")["held"]

    def show(self, *arguments):
        done = subprocess.run([self.watchpost.program, "-c", str(self.watchpost.config), *arguments],
                              check=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0
        tell()

    def pause(self):
        tell(f"\n   Try it: {self.watchpost.program} -c {self.watchpost.config} status")
        input("   Press Enter to go on. ")

    def end(self):
        self.watchpost.stop()
        self.host.remove()
        self.destinations.stop()
        self.names.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_program_option(parser)
    parser.add_argument("--keep", action="store_true", help="wait for Enter before the undoing")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    story = Story(options.watchpost, options.keep)
    # Postfix can hang where the machine is broken; the demo must end all the same.
    watchdog = threading.Timer(600, lambda: signal.raise_signal(signal.SIGTERM))
    watchdog.daemon = True
    watchdog.start()
    try:
        story.run()
    except KeyboardInterrupt:
        tell("\nInterrupted; cleaning up.")
        sys.exit(130)
    finally:
        story.end()


if __name__ == "__main__":
    main()
