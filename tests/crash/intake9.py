#!/usr/bin/env python3
"""kill -9 while feedback is handed in by LMTP: what was answered with 250 is there exactly once.

Several clients hand in complaints and bounces, each with a token of its own, and hand a mail in again
until it is answered with 250; some of those answered are handed in once more. The daemon is killed and
started again, round after round. At the end the history has one event for each mail, and what was no
feedback is kept.
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import smtplib
import socket
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))
from feedback_mail import KEY, bounce, complaint, token  # noqa: E402
from testbed.watchpost import Watchpost, add_program_option  # noqa: E402

CLIENTS = 4


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class Client(threading.Thread):
    """Hands in mail over and over until it is acknowledged."""

    def __init__(self, port, number, seed):
        super().__init__(daemon=True)
        self.port, self.number, self.random = port, number, random.Random(seed + number)
        self.acknowledged, self.last = [], None
        self.stopping = False
        self.connection = None

    def run(self):
        count = 0
        while not self.stopping:
            count += 1
            to = f"r{self.number}-{count}@gmail.com"
            mark = token(to, "acme", "spring")
            mail = complaint(to, mark) if count % 2 else bounce(to, mark)
            while not self.hand_in(mail, mark):
                time.sleep(0.01)
            self.acknowledged.append(to)
            if self.random.random() < 0.1:
                self.hand_in(mail, mark)

    def hand_in(self, mail, mark):
        try:
            if not self.connection:
                self.connection = smtplib.LMTP("127.0.0.1", self.port, local_hostname="client.example")
            self.connection.sendmail("", [f"{mark}@bounces.example"], mail.encode())
            return True
        except (OSError, smtplib.SMTPException):
            if self.connection:
                self.connection.close()
            self.connection = None
            return False


def run(options):
    chance = random.Random(options.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-crash-"))
    port = free_port()
    source = f'[[source]]\nname = "feedback"\nkind = "feedback_mail"\nlisten = ["127.0.0.1:{port}"]\n'
    watchpost = Watchpost(options.watchpost, folder, source + KEY)
    clients = [Client(port, number, options.seed) for number in range(CLIENTS)]
    try:
        for client in clients:
            client.start()
        for number in range(options.rounds):
            if number and number % 100 == 0:
                print(f"{number} rounds", file=sys.stderr, flush=True)
            watchpost.start(wait=False)
            time.sleep(chance.uniform(0.1, 1.5))
            if watchpost.process.poll() is not None:
                raise AssertionError(f"the daemon ended by itself:\n{watchpost.tail()}")
            watchpost.kill()
        watchpost.start()
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join(120)
        return check(watchpost, clients)
    finally:
        for client in clients:
            client.stopping = True
        if watchpost.process:
            watchpost.kill()
        shutil.rmtree(folder, ignore_errors=True)


def check(watchpost, clients):
    stored = collections.Counter(event["recipient"] for event in watchpost.all_of("events", "events", "--limit", "10000"))
    acknowledged = {to for client in clients for to in client.acknowledged}
    faults = [f"{to}: acknowledged and not stored" for to in acknowledged if to not in stored]
    faults += [f"{to}: stored {count} times" for to, count in stored.items() if count != 1]
    print(f"{len(acknowledged)} mails acknowledged, {len(stored)} stored")
    if not acknowledged:
        faults.append("nothing was acknowledged")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add_program_option(parser)
    parser.add_argument("--rounds", type=int, default=1000 if os.environ.get("WATCHPOST_LONG") else 20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    faults = run(options)
    for fault in faults[:20]:
        print(fault)
    print(f"seed {options.seed}, {options.rounds} rounds: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
