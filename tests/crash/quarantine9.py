#!/usr/bin/env python3
"""kill -9 while mail flows both ways through a real Postfix: no message is lost, and none comes twice.

Strangers deliver and logins submit, some of it to be kept, some of it for one of its two recipients alone, some not
at all; each hands a message in again until it is answered with 250. Somebody releases what is held all the while.
The daemon is killed and started again, round after round. At the end all that is held is released, and every copy of
every message that was answered with 250 has arrived exactly once, with the bytes it was handed in with.
"""
import argparse
import collections
import email
import hashlib
import os
import pathlib
import random
import re
import smtplib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from testbed.destinations import Destinations  # noqa: E402
from testbed.mail_host import MailHost, free_port  # noqa: E402
from testbed.name_server import NameServer  # noqa: E402
from testbed.sender import Refused, Sender, Stranger  # noqa: E402
from testbed.watchpost import CommandFailed, Watchpost, add_program_option  # noqa: E402

# Then all is released and counted, and another mail server and another store begin: what is held and logged would
# only grow.
ROUNDS_OF_A_WORLD = 50
US = "receiver.example"
LOGINS = {"alice@sender.example": "demo", "held@sender.example": "demo"}
NAMES = {"shop.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}}
CONFIGURATION = """
[dns]
servers = ["{dns}"]
[quarantine]
key_file = "{folder}/quarantine.key"
release_to = "127.0.0.1:{release_mx}"
release_outbound_to = "127.0.0.1:{release}"
[[source]]
kind = "postfix_log"
path = "{folder}/mail.log"
start = "beginning"
[[milter]]
role = "inbound"
listen = ["127.0.0.1:{inbound}"]
[[milter]]
role = "outbound"
listen = ["127.0.0.1:{outbound}"]
[[filter]]
name = "evil"
when = 'subject matches "evil"'
then = "quarantine"
mode = "enforce"
[[filter]]
name = "not for the boss"
when = 'recipient matches "boss" and subject matches "half"'
then = "quarantine"
mode = "enforce"
"""


OURS = re.compile(rb"^(Received|Authentication-Results|X-Watchpost):", re.IGNORECASE)


def digest_of(message):
    """Of what was handed in: without what mail servers and the milter have added."""
    header, body = message.split(b"\r\n\r\n", 1)
    fields = re.split(rb"\r\n(?![ \t])", header)
    return hashlib.sha256(b"\r\n".join([one for one in fields if not OURS.match(one)] + [body])).hexdigest()


class Client(threading.Thread):
    """Hands in mail over and over until it is taken."""

    def __init__(self, host, number, seed):
        super().__init__(daemon=True)
        self.host, self.number, self.random = host, number, random.Random(seed * 100 + number)
        self.taken = {}  # (test id, recipient) -> digest
        self.stopping = False
        self.session = None

    def run(self):
        count = 0
        while not self.stopping:
            count += 1
            name = f"t{self.number}-{count}"
            recipients, message = self.message(name)
            while not self.hand_in(recipients, message):
                time.sleep(0.1)
            for recipient in recipients:
                self.taken[name, recipient] = digest_of(message)

    def message(self, name):
        kind = self.random.choice(["plain", "evil", "half"])
        text = "\r\n".join(self.random.choice(["", ".", "..", "line", "x" * 900, "\xe4\xf6"])
                           for _ in range(self.random.randrange(1, 30)))
        message = (f"X-Test: {name}\r\nFrom: <{self.author()}>\r\nTo: <you@{US}>\r\nSubject: {kind}  {name}\r\n"
                   f"Message-ID: <{name}@test.example>\r\nDate: Sun, 29 Nov 2026 07:00:00 +0000\r\n\r\n{text}\r\n").encode("latin-1")
        return self.recipients(kind), message

    def hand_in(self, recipients, message):
        try:
            self.session = self.session or self.connect()
            self.send(recipients, message)
            return True
        except Refused as refused:
            if refused.code // 100 != 4:
                raise
        except (OSError, smtplib.SMTPException):
            pass
        self.session = None
        return False


class FromOutside(Client):
    def author(self):
        return "jo@shop.example"

    def recipients(self, kind):
        return [f"you@{US}", f"boss@{US}"] if kind == "half" else [f"you@{US}"]

    def connect(self):
        return Stranger(self.host.mx_port, "192.0.2.1", "mx.shop.example")

    def send(self, recipients, message):
        self.session.deliver("jo@shop.example", recipients, message)


class FromInside(Client):
    """One of the two logins is on hold."""

    def author(self):
        return sorted(LOGINS)[self.number % 2]

    def recipients(self, kind):
        return ["a@elsewhere.example", "b@other.example"] if kind == "half" else ["a@elsewhere.example"]

    def connect(self):
        return Sender(self.host.port, self.author(), LOGINS[self.author()])

    def send(self, recipients, message):
        self.session.send(recipients, message=message)


class Arrivals:
    """What has come out at the other end."""

    def __init__(self):
        self.lock = threading.Lock()
        self.count = collections.Counter()
        self.digests = {}
        self.faults = []

    def take(self, recipients, message):
        header = email.message_from_bytes(message)
        with self.lock:
            for recipient in recipients:
                self.count[header["X-Test"], recipient] += 1
                self.digests[header["X-Test"], recipient] = digest_of(message)
            if header["X-Watchpost-Release"]:
                self.faults.append(f"{header['X-Test']}: the token of its release came with it")


class World:
    def __init__(self, options, seed):
        self.random = random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-crash-"))
        self.arrivals = Arrivals()
        self.destinations = Destinations()
        self.destinations.each = self.arrivals.take
        self.names = NameServer(NAMES)
        inbound, outbound = free_port(), free_port()
        self.host = MailHost(self.folder, self.destinations.port, LOGINS, receives=(US,),
                             more="milter_default_action = tempfail\nmilter_protocol = 6\nmilter_connect_timeout = 2s\n",
                             milters=f"inet:127.0.0.1:{outbound}", mx_milters=f"inet:127.0.0.1:{inbound}")
        text = CONFIGURATION
        for name, value in (("dns", self.names.place), ("inbound", inbound), ("outbound", outbound),
                            ("release_mx", self.host.release_mx_port), ("release", self.host.release_port)):
            text = text.replace("{%s}" % name, str(value))
        self.watchpost = Watchpost(options.watchpost, self.folder, text)
        self.clients = [kind(self.host, number, seed)
                        for kind in (FromOutside, FromInside) for number in range(2)]
        for number, client in enumerate(self.clients):
            client.number = number

    def begin(self):
        self.names.start()
        self.host.start()
        self.watchpost.make_key(self.folder / "quarantine.key")
        self.watchpost.start()
        self.watchpost.run("hold", "credential=held@sender.example", "--for", "7d", "--why", "test")
        for client in self.clients:
            client.start()

    def held(self, *more):
        return self.watchpost.all_of("held", "quarantine", "list", "--limit", "1000", *more)

    def release_some(self, killed):
        """Until the daemon is killed. What it was asked may be done or not."""
        try:
            if self.random.random() < 0.2:
                self.release_all()
            for message in self.held():
                if killed.is_set():
                    return
                if self.random.random() < 0.5:
                    self.watchpost.run("quarantine", "release", message["id"], "--why", "test", check=False)
        except (CommandFailed, OSError, ValueError, subprocess.TimeoutExpired):
            pass

    def release_all(self):
        for direction in ("inbound", "outbound"):
            self.watchpost.run("quarantine", "release", "--direction", direction, "--why", "test", check=False)

    def wait_for_mail(self):
        """Until some more of it is taken."""
        def taken():
            return sum(len(client.taken) for client in self.clients)
        before = taken()
        self.watchpost.wait_until(lambda: taken() >= before + 4, "mail is taken")

    def end(self, keep):
        for client in self.clients:
            client.stopping = True
        if self.watchpost.process:
            self.watchpost.kill()
        self.host.stop()
        self.destinations.stop()
        self.names.stop()
        if keep:
            print(f"all of it is in {self.folder}")
        else:
            self.host.remove()


def run(options, rounds, seed):
    world = World(options, seed)
    faults = ["it did not get to its end"]
    try:
        world.begin()
        for _ in range(rounds):
            killed = threading.Event()
            releasing = threading.Thread(target=world.release_some, args=[killed], daemon=True)
            releasing.start()
            if world.random.random() < 0.9:  # else it may be killed before it does anything
                world.wait_for_mail()
            time.sleep(world.random.uniform(0, 2))
            if world.watchpost.process.poll() is not None:
                raise AssertionError(f"the daemon ended by itself:\n{world.watchpost.tail()}")
            world.watchpost.kill()
            killed.set()
            releasing.join(120)
            world.watchpost.start()
        for client in world.clients:
            client.stopping = True
        for client in world.clients:
            client.join(120)
        faults = check(world)
        return faults
    finally:
        world.end(keep=bool(faults))


def check(world):
    taken = {}
    for client in world.clients:
        taken.update(client.taken)
    arrived = sum(world.arrivals.count.values())
    world.release_all()
    try:
        world.watchpost.wait_until(lambda: not world.held() and set(world.arrivals.count) >= set(taken),
                                   "all that was held has arrived", 300)
    except AssertionError as late:
        print(late)
    time.sleep(2)  # for one that comes twice
    count = world.arrivals.count
    faults = list(world.arrivals.faults)
    faults += [f"{one}: taken and never arrived" for one in taken if one not in count]
    faults += [f"{one}: arrived {times} times" for one, times in count.items() if times != 1]
    faults += [f"{one}: other bytes" for one, digest in taken.items()
               if world.arrivals.digests.get(one, digest) != digest]
    faults += [f"{message['id']}: still held: {message}" for message in world.held()]
    for name in {one[0] for one in taken if count[one] != 1}:
        print(story_of(world, name))
    print(f"{len(taken)} copies taken, {arrived} arrived before the end, {sum(count.values())} in all")
    if len(taken) < 10:
        faults.append("next to nothing was taken")
    return faults


def story_of(world, name):
    """All that the mail server's log has of a message."""
    lines = world.host.log.read_text(errors="replace").splitlines()
    mark = f"<{name}@test.example>"
    queue_ids = {line.split(": ")[1] for line in lines if mark in line}
    held = [f"held: {one}" for one in world.held("--all", "--subject", name)]
    return "\n".join([line for line in lines if any(f": {one}:" in line for one in queue_ids)] + held)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add_program_option(parser)
    parser.add_argument("--rounds", type=int, default=1000 if os.environ.get("WATCHPOST_LONG") else 20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    for first in range(0, options.rounds, ROUNDS_OF_A_WORLD):
        rounds, seed = min(ROUNDS_OF_A_WORLD, options.rounds - first), options.seed + first
        faults = run(options, rounds, seed)
        for fault in faults[:20]:
            print(fault)
        print(f"seed {seed}, {rounds} rounds: {len(faults)} faults", flush=True)
        if faults:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
