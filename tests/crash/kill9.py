#!/usr/bin/env python3
"""kill -9 at random points, checked by an oracle that shares no code with the product.

A daemon follows a log and takes posted events; it is killed and started again, round after round,
while log and posts go on and the log is rotated. After the last round it may finish, and then:
every line's event and every acknowledged event is in the history exactly once; what had to be
decided was decided exactly once, and nothing else; the webhook's receiver has been told of each
decision, and its state is the one wanted; the audit log is whole.
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import socket
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from testbed.watchpost import Watchpost, add_program_option  # noqa: E402
from data_folder import DataFolder  # noqa: E402
from mail_log import MailLog  # noqa: E402
from poster import Poster  # noqa: E402
from receiver import Receiver  # noqa: E402
from script import CONFIGURATION, Script  # noqa: E402

TOKEN, SECRET = "generator-token", "receiver-secret"


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Crashing(Watchpost):
    """The configuration brings its own store and listeners."""

    def configure(self, configuration):
        self.config.write_text(configuration.replace("{folder}", str(self.folder)))


class Trial:
    def __init__(self, options):
        self.rounds, self.random = options.rounds, random.Random(options.seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-crash-"))
        each = 300 if self.rounds <= 50 else 60  # messages, five lines and three events each
        self.script = Script(options.seed, self.rounds * each, self.rounds * 8)
        self.receiver = Receiver(SECRET, options.seed)
        api_port, self.policy_port = free_ports(2)
        values = {"api_port": api_port, "policy_port": self.policy_port, "hook_port": self.receiver.port,
                  "token": TOKEN, "secret": SECRET}
        text = CONFIGURATION
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        self.watchpost = Crashing(options.watchpost, self.folder, text)
        self.log = MailLog(self.folder / "log", self.script.lines, self.rounds, options.seed)
        self.poster = Poster(api_port, TOKEN, self.script.bodies, self.rounds, options.seed)
        self.faults = []
        self.early = 0  # killed before it answered

    def run(self):
        self.log.start()
        self.poster.start()
        for number in range(self.rounds):
            self.log.released.release()
            self.poster.released.release()
            if number == 0:
                self.first_life()
            self.one_round(number)
        # Whatever the shares' rounding left over.
        self.log.released.release()
        self.poster.released.release()
        self.finish()
        self.undo_some()
        self.check_stored()

    def first_life(self):
        """A log that was never read begins with what is live: so it is rotated only after it was read."""
        self.watchpost.start()
        self.watchpost.wait_until(lambda: any(source["name"] == "log" and source["events"] > 0
                                              for source in self.watchpost.json("status")["sources"])
                                  and self.watchpost.json("status")["events"] > 0, "the log is read", 120)
        self.watchpost.kill()

    def one_round(self, number):
        answers = self.poster.answers
        self.watchpost.start(wait=False)
        life = self.random.uniform(0.02, 1.5)
        if self.random.random() < 0.3:
            # Somewhere in its life, or after it: the next one finds the log rotated.
            pause = self.random.uniform(0, life)
            time.sleep(pause)
            self.log.rotate_wanted.set()
            life -= pause
        time.sleep(life)
        code = self.watchpost.process.poll()
        if code is not None:
            raise AssertionError(f"round {number}: the daemon ended by itself with {code}:\n{self.watchpost.tail()}")
        self.early += answers == self.poster.answers
        self.watchpost.kill()

    def finish(self):
        """Lets it live until all is read and carried out."""
        began = time.monotonic()
        self.watchpost.start()
        self.first_answer = time.monotonic() - began
        wait = self.watchpost.wait_until
        wait(lambda: self.log.written == len(self.script.lines), "the log is written", 300)
        wait(lambda: self.poster.done, "all bodies are acknowledged", 300)
        wanted = sum(self.script.logged.values()) + len(self.script.posted)
        self.reached(lambda: self.watchpost.json("status")["events"] >= wanted, f"{wanted} events are stored")
        self.reached(lambda: self.told() >= len(self.script.decisions) + len(self.poster.imposed),
                     "the receiver knows all decisions")

    def reached(self, condition, what):
        """Where it is not, the checks that follow say what is missing."""
        try:
            self.watchpost.wait_until(condition, what, 120)
        except AssertionError as error:
            self.faults.append(str(error).splitlines()[0])

    def told(self):
        with self.receiver.lock:
            return len(self.receiver.state)

    def undo_some(self):
        """Revokes every third decision, then kills and starts it at once: an undoing sticks too."""
        ids = [decision["id"] for decision in self.watchpost.json("decisions", "--limit", "1000")["decisions"]]
        self.revoked = set(ids[::3])
        for one in self.revoked:
            self.watchpost.run("decision", "revoke", one, "--why", "test")
        self.watchpost.kill()
        self.watchpost.start()
        self.reached(lambda: self.count_state("undone") >= len(self.revoked), "the receiver knows all undoings")
        self.check_refusals()
        verified = self.watchpost.run("audit", "--verify", check=False)
        if verified[0] != 0:
            self.faults.append(f"audit --verify: {verified}")
        for shown in self.watchpost.json("decisions", "--all", "--limit", "1000")["decisions"]:
            wanted = "revoked" if shown["id"] in self.revoked else "active"
            if shown["state"] != wanted:
                self.faults.append(f"{shown['id']} is {shown['state']}, not {wanted}")
        self.shadow = collections.Counter(
            (one["detector"], one["scope"])
            for one in self.watchpost.json("decisions", "--shadow", "--limit", "1000")["shadow_decisions"])
        if code := self.watchpost.stop():
            self.faults.append(f"the daemon ended with {code}")

    def count_state(self, wanted):
        with self.receiver.lock:
            return sum(1 for state in self.receiver.state.values() if state == wanted)

    def check_refusals(self):
        """Postfix's view, after the last start."""
        shown = self.watchpost.json("decisions", "--limit", "1000")["decisions"]
        held = {one["scope"] for one in shown if one["state"] == "active"}
        asked = [scope for _, scope in self.script.decisions] + self.script.edges
        with socket.create_connection(("127.0.0.1", self.policy_port), timeout=30) as line:
            answers = line.makefile("rb")
            for scope in asked:
                dimension, value = scope.split("=", 1)
                name = {"credential": "sasl_username", "client_ip": "client_address"}.get(dimension)
                if not name:
                    continue
                line.sendall(f"request=smtpd_access_policy\nprotocol_state=RCPT\n{name}={value}\n\n".encode())
                action = answers.readline().decode().strip()
                answers.readline()
                if (action.lower() == "action=dunno") == (scope in held):
                    self.faults.append(f"{scope}: the policy says {action}")

    def check_stored(self):
        stored = DataFolder(self.folder / "data", self.folder / "copy")
        self.check_events(stored)
        self.check_decisions(stored)
        self.faults += stored.faults + self.poster.faults + self.receiver.faults

    def check_events(self, stored):
        logged, posted, ids = collections.Counter(), collections.Counter(), collections.Counter()
        for event in stored.events():
            ids[event["id"]] += 1
            recipient = event.get("recipient", "")
            if event.get("source") == "log":
                queue_id = "" if event["kind"] == "login" else event.get("queue_id", "")
                logged[event["kind"], queue_id, event.get("credential", ""), event.get("client_ip", ""), recipient] += 1
            else:
                posted[recipient] += 1
                wanted = self.script.posted.get(recipient)
                if wanted != (event["kind"], event.get("customer", ""), event.get("credential", "")):
                    self.faults.append(f"an event that was never posted, or not so: {event}")
        self.differ("events of the log", logged, self.script.logged)
        # All bodies were acknowledged in the end.
        self.differ("posted events", posted, collections.Counter(self.poster.acknowledged))
        if max(ids.values(), default=1) > 1:
            self.faults.append("events with the same id are stored twice")
        self.stored_events = sum(ids.values())

    def check_decisions(self, stored):
        rows = stored.decisions()
        made = collections.Counter((detector, scope) for _, detector, scope in rows if detector)
        self.differ("decisions", made, collections.Counter(self.script.decisions))
        self.differ("shadow decisions", self.shadow, collections.Counter(self.script.shadow))
        by_hand = collections.Counter(scope for _, detector, scope in rows if not detector)
        # One that was asked for and not acknowledged may be there or not.
        self.differ("acknowledged measures by hand", collections.Counter({scope: by_hand[scope] for scope in self.poster.imposed}),
                    collections.Counter(self.poster.imposed))
        if set(by_hand) - set(self.poster.asked) or max(by_hand.values(), default=1) > 1:
            self.faults.append(f"measures by hand that nobody asked for: {by_hand}")
        audit = stored.audit()
        for number, detector, scope in rows:
            name = f"d-{number}"
            state = "undone" if name in self.revoked else "applied"
            if self.receiver.state.get(name) != state:
                self.faults.append(f"{name} ({detector} {scope}): the receiver has {self.receiver.state.get(name)}, not {state}")
            rows_of = sum(count for (what, about), count in audit.items() if about == name and "made" in what)
            if detector and rows_of != 1:
                self.faults.append(f"{name}: {rows_of} audit rows of its making")
        strangers = set(self.receiver.state) - {f"d-{number}" for number, _, _ in rows}
        if strangers:
            self.faults.append(f"the receiver was told of decisions that are not stored: {sorted(strangers)}")

    def differ(self, what, have, wanted):
        missing, extra = wanted - have, have - wanted
        for name, rows in (("missing", missing), ("too many", extra)):
            if rows:
                self.faults.append(f"{what}: {sum(rows.values())} {name}, for example {list(rows.items())[:3]}")

    def report(self):
        calls = sum(self.receiver.calls.values())
        print(f"{self.rounds} kills ({self.early} of them before it answered a post), {self.log.rotations} rotations; "
              f"{self.stored_events} events, {len(self.script.decisions)} decisions, "
              f"{self.poster.again} bodies sent again; {calls} webhook calls, "
              f"{calls - len(self.receiver.taken)} of them repeats; first answer after the last kill "
              f"{self.first_answer:.2f} s")

    def end(self, keep):
        self.poster.stopping = True
        if self.watchpost.process:
            self.watchpost.kill()
        self.receiver.stop()
        if keep:
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_program_option(parser)
    parser.add_argument("--rounds", type=int, default=1000 if os.environ.get("WATCHPOST_LONG") == "1" else 20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10 ** 9))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    trial = Trial(options)
    failed = True
    try:
        trial.run()
        trial.report()
        for fault in trial.faults[:40]:
            print(f"FAULT: {fault}")
        failed = bool(trial.faults)
    finally:
        trial.end(keep=failed)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
