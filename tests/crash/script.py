"""What happens in the crash test's world, made up from a seed: the lines of a mail log, the events
that are posted, and what has to come of them. All times are fixed, so nothing depends on how fast
the test runs. Streams that turn bad cross their detector's condition by at most a few events, and
as many others stay one event below it: an event that is lost or counted twice changes the outcome.
"""
import collections
import datetime
import heapq
import json
import random

BOUNCES, GUESSES, COMPLAINTS, VOLUME = 12, 25, 8, 40  # what the detectors' conditions ask for
SPAN = 40 * 60  # seconds from the first event to the last

CONFIGURATION = f"""
[store]
path = "{{folder}}/data"
partition = "10m"

[listen]
socket = "{{folder}}/api.sock"
api = "127.0.0.1:{{api_port}}"
[[listen.token]]
name = "generator"
token = "{{token}}"
role = "responder"

[detect]
lateness = "6h"

[decide]
most_decisions = 1000000
most_share = 1.0
period = "1s"
stale = "48h"

[[source]]
kind = "postfix_log"
name = "log"
path = "{{folder}}/log/mail.log"
start = "beginning"

[[enforcer]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:{{hook_port}}/hook"
secret = "{{secret}}"
allow_private = true

[[enforcer]]
name = "policy"
kind = "postfix_policy"
listen = ["127.0.0.1:{{policy_port}}"]

[[detector]]
name = "unknown users"
watch = ["credential"]
window = "6h"
when = "bounced(class == unknown_user) >= {BOUNCES}"
mode = "enforce"
then = ["suspend 12h"]

[[detector]]
name = "guessing"
watch = ["client_ip"]
window = "6h"
when = "login(outcome == failure) >= {GUESSES}"
mode = "enforce"
then = ["block 12h"]

[[detector]]
name = "complaints"
watch = ["customer"]
window = "6h"
when = "complained >= {COMPLAINTS}"
mode = "enforce"
then = ["hold 12h"]

[[detector]]
name = "volume"
watch = ["credential"]
window = "6h"
when = "accepted >= {VOLUME}"
mode = "shadow"
then = ["throttle 10/1m for 1h"]
"""


class Script:
    """`lines`: (seconds, text) in the order of time. `bodies`: lists of (recipient, JSON).
    `logged`, `posted`: how often each event has to be in the history, by what tells it from others.
    `decisions`, `shadow`: (detector, scope) that have to be decided, once each."""

    def __init__(self, seed, messages, bodies):
        self.random = random.Random(seed)
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.start = now - datetime.timedelta(seconds=SPAN + 20 * 60)
        self.lines, self.bodies, self.serial = [], [], 0
        self.logged = collections.Counter()
        self.posted = {}
        many = max(12, messages // 400)
        logins = {kind: [f"{kind}{i}@mail{i % 7}.example" for i in range(many)]
                  for kind in ("bad", "edge", "both", "loud")}
        good = [f"good{i}@mail{i % 7}.example" for i in range(10 * many)]
        self.decisions = {("unknown users", f"credential={login}") for login in logins["bad"] + logins["both"]}
        self.edges = [f"credential={login}" for login in logins["edge"]]
        bounces = collections.Counter()  # of unknown users, by login, in the log
        for login in logins["bad"]:
            bounces[login] = BOUNCES + self.random.choice((0, 0, 1, 7))
        for login in logins["edge"]:
            bounces[login] = BOUNCES - 1
        for login in logins["both"]:
            bounces[login] = BOUNCES // 2
        self.make_log(messages, good, bounces, logins["loud"], logins["edge"], many)
        accepted = collections.Counter()
        for (kind, _, login, _, _), count in self.logged.items():
            accepted[login] += count if kind == "accepted" else 0
        self.shadow = {("volume", f"credential={login}") for login, count in accepted.items() if count >= VOLUME}
        self.make_bodies(bodies, logins["both"], many)

    def make_log(self, messages, good, bounces, loud, edges, many):
        pending = []  # lines to come, by time
        work = [(login, "unknown") for login, count in bounces.items() for _ in range(count)]
        work += [(login, "sent") for login in loud for _ in range(VOLUME + self.random.choice((0, 3)))]
        # One below the volume detector's condition, with what they bounce.
        work += [(login, "sent") for login in edges for _ in range(VOLUME - 1 - bounces[login])]
        work += [(None, "guesses")] * (2 * many)
        ordinary = max(0, messages - len(work) - len(good))
        work += [(self.random.choice(good), self.random.choice(("sent", "sent", "full", "deferred")))
                 for _ in range(ordinary)]
        self.random.shuffle(work)
        # All good logins first: the decider's cap is a share of the streams that are active.
        work = [(login, "sent") for login in good] + work
        guesser = 0
        for number, (login, what) in enumerate(work):
            at = number * (SPAN - 90) / len(work)
            if what == "guesses":
                bad = guesser % 2 == 0
                self.guesses(pending, at, f"198.18.{guesser // 250}.{guesser % 250}", GUESSES if bad else GUESSES - 1)
                guesser += 1
            else:
                self.message(pending, at, login, what)
        self.lines = [(at, text) for at, _, text in (heapq.heappop(pending) for _ in range(len(pending)))]

    def put(self, pending, at, text):
        self.serial += 1
        stamp = (self.start + datetime.timedelta(seconds=int(at))).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        heapq.heappush(pending, (at, self.serial, f"{stamp} mx1 {text}\n"))

    def message(self, pending, at, login, what):
        number = self.serial
        queue_id = f"{number:07X}A"
        client = f"203.0.{hash_of(login) % 250}.{hash_of(login) // 250 % 250}"
        recipient, message_id = f"r{number}@there.example", f"m{number}@mail.example"
        took = at + self.random.uniform(0.3, 60)
        replies = {
            "sent": ("2.0.0", "sent", "250 2.0.0 OK"),
            "unknown": ("5.1.1", "bounced", f"host mx.there.example[192.0.2.7] said: 550 5.1.1 <{recipient}>: Recipient address rejected: User unknown (in reply to RCPT TO command)"),
            "full": ("5.2.2", "bounced", "host mx.there.example[192.0.2.7] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command)"),
            "deferred": ("4.4.1", "deferred", "connect to mx.there.example[192.0.2.7]:25: Connection timed out")}
        dsn, status, reply = replies[what]
        self.put(pending, at, f"postfix/submission/smtpd[71]: {queue_id}: client=unknown[{client}], sasl_method=PLAIN, sasl_username={login}")
        self.put(pending, at + 0.01, f"postfix/cleanup[72]: {queue_id}: message-id=<{message_id}>")
        self.put(pending, at + 0.1, f"postfix/qmgr[73]: {queue_id}: from=<{login}>, size=1234, nrcpt=1 (queue active)")
        self.put(pending, took, f"postfix/smtp[74]: {queue_id}: to=<{recipient}>, relay=mx.there.example[192.0.2.7]:25, delay=1, delays=0.1/0/0.4/0.5, dsn={dsn}, status={status} ({reply})")
        self.put(pending, took + 0.1, f"postfix/qmgr[73]: {queue_id}: removed")
        kind = {"sent": "delivered"}.get(status, status)
        self.logged["login", "", login, client, ""] += 1
        self.logged["accepted", queue_id, login, client, ""] += 1
        self.logged[kind, queue_id, login, client, recipient] += 1

    def guesses(self, pending, at, client, count):
        """Many within a second: lines that do not differ, and still count one by one."""
        if count >= GUESSES:
            self.decisions.add(("guessing", f"client_ip={client}"))
        else:
            self.edges.append(f"client_ip={client}")
        for number in range(count):
            self.put(pending, at + number / 10, f"postfix/submission/smtpd[75]: warning: unknown[{client}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=admin")
        self.logged["login", "", "admin", client, ""] += count

    def make_bodies(self, count, both, many):
        work = [("complained", f"bad-customer{i}", None) for i in range(many)
                for _ in range(COMPLAINTS + self.random.choice((0, 0, 4)))]
        work += [("complained", f"edge-customer{i}", None) for i in range(many) for _ in range(COMPLAINTS - 1)]
        work += [("bounced", "mixed", login) for login in both for _ in range(BOUNCES - BOUNCES // 2)]
        work += [("delivered", f"customer{self.random.randrange(10 * many)}", None) for _ in range(count * 50)]
        self.decisions |= {("complaints", f"customer=bad-customer{i}") for i in range(many)}
        self.edges += [f"customer=edge-customer{i}" for i in range(many)]
        self.random.shuffle(work)
        self.bodies = [self.body([("delivered", f"customer{i}", None) for i in range(10 * many)], 0)]
        taken = 0
        for number in range(count):
            upto = len(work) if number == count - 1 else self.random.randint(*between(number, count, len(work)))
            if upto > taken:
                self.bodies.append(self.body(work[taken:upto], number * SPAN / count))
                taken = upto

    def body(self, work, at):
        lines = []
        for kind, customer, login in work:
            self.serial += 1
            recipient = f"p{self.serial}@posted.example"
            when = self.start + datetime.timedelta(seconds=at + len(lines) / 1000)
            event = {"v": 1, "id": f"api-{self.serial}", "at": when.isoformat(), "kind": kind,
                     "recipient": recipient, "customer": customer}
            if login:
                event |= {"credential": login, "reply_code": 550, "status": "5.1.1", "stage": "RCPT",
                          "reply": "550 5.1.1 User unknown"}
            self.posted[recipient] = (kind, customer, login or "")
            lines.append((recipient, json.dumps(event)))
        return lines


def between(number, count, items):
    """Bodies of quite different sizes."""
    middle = (number + 1) * items / count
    return int(middle - items / count * 0.4), int(middle + items / count * 0.4)


def hash_of(text):
    """The same in each run, unlike hash()."""
    value = 7
    for letter in text.encode():
        value = (value * 31 + letter) % 1_000_003
    return value
