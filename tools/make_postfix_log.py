#!/usr/bin/env python3
"""Writes a made-up Postfix log: the same lines for the same seed.

  tools/make_postfix_log.py --lines 1000000 --seed 1 > mail.log
  tools/make_postfix_log.py --lines 100000 --stolen truth.json > mail.log

Several lines a message (smtpd with login, cleanup, qmgr, deliveries, removed), connections, TLS
notes, rejects and failed logins among them; about 145 bytes a line, and for each million lines about
158,000 deliveries, 21,000 deferrals and 13,000 bounces. With --stolen FILE one login turns bad at
about two thirds of the log: many client addresses, mail to addresses that do not exist. FILE gets,
as JSON, which login, from when to when, with how many messages, bounces and addresses.
"""
import argparse
import datetime
import heapq
import json
import random
import sys

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
PROVIDERS = [  # domain, MX, address, share
    ("gmail.com", "gmail-smtp-in.l.google.com", "142.250.27.26", 30),
    ("outlook.com", "outlook-com.olc.protection.outlook.com", "52.101.9.4", 18),
    ("yahoo.com", "mta5.am0.yahoodns.net", "67.195.204.77", 10),
    ("gmx.net", "mx00.emig.gmx.net", "212.227.15.9", 6),
    ("icloud.com", "mx01.mail.icloud.com", "17.57.155.25", 5),
    ("mail.example.org", "mx.example.org", "198.51.100.25", 5),
]
DEFERRALS = [
    "4.7.0|host {mx}[{ip}] said: 421-4.7.0 [192.0.2.10] Our system has detected an unusual rate of 421-4.7.0 unsolicited mail originating from your IP address. 421 4.7.0 To protect our users try again later (in reply to end of DATA command)",
    "4.2.0|host {mx}[{ip}] said: 450 4.2.0 <{to}>: Recipient address rejected: Greylisted, try again later (in reply to RCPT TO command)",
    "4.2.2|host {mx}[{ip}] said: 452 4.2.2 The email account that you tried to reach is over quota (in reply to RCPT TO command)",
    "4.4.1|connect to {mx}[{ip}]:25: Connection timed out",
    "4.3.2|host {mx}[{ip}] refused to talk to me: 421 4.3.2 too many connections from your address",
    "4.4.3|Host or domain name not found. Name service error for name={mx} type=MX: Host not found, try again",
]
BOUNCES = [
    "5.1.1|host {mx}[{ip}] said: 550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
    "5.1.1|host {mx}[{ip}] said: 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address 550 5.1.1 for typos (in reply to RCPT TO command)",
    "5.2.2|host {mx}[{ip}] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command)",
    "5.7.1|host {mx}[{ip}] said: 554 5.7.1 Message blocked: content looks like spam (in reply to end of DATA command)",
    "5.4.4|Host or domain name not found. Name service error for name={mx} type=A: Host not found",
]
UNKNOWN = BOUNCES[0]
WORDS = "amber birch cedar delta ember fjord grove haven inlet jetty knoll larch maple north ocean pines quartz ridge stone tulip umber vista willow zephyr".split()


class Log:
    def __init__(self, args):
        self.args = args
        self.random = random.Random(args.seed)
        self.start = datetime.datetime.fromisoformat(args.start).replace(tzinfo=datetime.timezone.utc)
        self.step = args.hours * 3600 / args.lines  # seconds a line
        self.heap = []
        self.serial = 0
        self.stamp_at, self.stamp_text = None, ""
        r = self.random
        self.logins = [f"{r.choice(WORDS)}.{r.choice(WORDS)}{i}@{r.choice(WORDS)}{i % 97}.example.com" for i in range(400)]
        self.homes = {login: self.address() for login in self.logins}
        self.stolen = r.choice(self.logins)
        self.truth = {"login": self.stolen, "messages": 0, "bounced": 0, "client_ips": 0, "first": None, "last": None}
        self.stolen_ips = [self.address() for _ in range(60)]

    def address(self):
        r = self.random
        return f"{r.choice((45, 77, 89, 103, 185, 203))}.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(1, 255)}"

    def stamp(self, seconds):
        whole = int(seconds)
        if whole != self.stamp_at:
            at = self.start + datetime.timedelta(seconds=whole)
            self.stamp_at = whole
            if self.args.rfc3339:
                self.stamp_text = at.strftime("%Y-%m-%dT%H:%M:%S")
            else:
                self.stamp_text = f"{MONTHS[at.month - 1]} {at.day:2d} {at:%H:%M:%S}"
        if self.args.rfc3339:
            return f"{self.stamp_text}.{int((seconds - whole) * 1e6):06d}+00:00"
        return self.stamp_text

    def put(self, at, text):
        self.serial += 1
        heapq.heappush(self.heap, (at, self.serial, text))

    def domain(self):
        r = self.random
        if r.random() < 0.25:
            word, number = r.choice(WORDS), r.randrange(1, 4000)
            name = f"{word}{number}.example.net"
            return name, f"mx{number % 4}.{name}", f"198.18.{number % 256}.{number // 256}"
        pick = r.randrange(74)
        for name, mx, ip, share in PROVIDERS:
            pick -= share
            if pick < 0:
                return name, mx, ip
        return PROVIDERS[0][:3]

    def queue_id(self):
        return f"{self.random.randrange(16 ** 5):05X}{0x40000 + self.random.randrange(0x3ffff):05X}"

    def noise(self, at):
        r = self.random
        ip = self.address()
        pid = r.randrange(1000, 32000)
        kind = r.random()
        if kind < 0.45:
            self.put(at, f"postfix/smtpd[{pid}]: connect from unknown[{ip}]")
            self.put(at + 1, f"postfix/smtpd[{pid}]: disconnect from unknown[{ip}] ehlo=1 auth=0/1 rset=1 quit=1 commands=3/4")
        elif kind < 0.60:
            name = r.choice(self.logins) if r.random() < 0.5 else r.choice(WORDS)
            self.put(at, f"postfix/submission/smtpd[{pid}]: warning: unknown[{ip}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username={name}")
        elif kind < 0.75:
            to = f"{r.choice(WORDS)}{r.randrange(9999)}@own.example.com"
            self.put(at, f"postfix/smtpd[{pid}]: NOQUEUE: reject: RCPT from unknown[{ip}]: 550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table; from=<{r.choice(WORDS)}@{r.choice(WORDS)}.example> to=<{to}> proto=ESMTP helo=<{r.choice(WORDS)}>")
        elif kind < 0.85:
            self.put(at, f"postfix/anvil[{pid}]: statistics: max connection rate 3/60s for (submission:{ip}) at Nov 24 03:00:01")
        else:
            self.put(at, f"postfix/smtpd[{pid}]: lost connection after AUTH from unknown[{ip}]")

    def message(self, at, stolen=False):
        r = self.random
        login = self.stolen if stolen else r.choice(self.logins)
        if not stolen:
            ip = self.homes[login]
        else:
            ip = r.choice(self.stolen_ips)
        qid, pid, out = self.queue_id(), r.randrange(1000, 32000), r.randrange(1000, 32000)
        client = f"unknown[{ip}]" if stolen or r.random() < 0.3 else f"dsl-{ip.replace('.', '-')}.provider.example[{ip}]"
        self.put(at, f"postfix/submission/smtpd[{pid}]: connect from {client}")
        if r.random() < 0.06:
            self.put(at, f"postfix/submission/smtpd[{pid}]: Anonymous TLS connection established from {client}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256")
        self.put(at, f"postfix/submission/smtpd[{pid}]: {qid}: client={client}, sasl_method=PLAIN, sasl_username={login}")
        self.put(at, f"postfix/cleanup[{pid + 1}]: {qid}: message-id=<{r.randrange(16 ** 12):012x}.{int(at)}@{login.split('@')[1]}>")
        count = 1 if r.random() < 0.85 else r.randrange(2, 5)
        self.put(at + 0.1, f"postfix/qmgr[911]: {qid}: from=<{login}>, size={r.randrange(900, 90000)}, nrcpt={count} (queue active)")
        end = at
        for _ in range(count):
            end = max(end, self.recipient(at, qid, out, stolen))
        self.put(end + 0.2, f"postfix/qmgr[911]: {qid}: removed")
        self.put(at + 2, f"postfix/submission/smtpd[{pid}]: disconnect from {client} ehlo=2 auth=1 mail=1 rcpt={count} quit=1 commands=7")
        if stolen:
            self.truth["messages"] += 1

    def recipient(self, at, qid, pid, stolen):
        r = self.random
        name, mx, ip = self.domain()
        to = f"{r.choice(WORDS)}.{r.choice(WORDS)}{r.randrange(99999)}@{name}"
        values = {"mx": mx, "ip": ip, "to": to}
        head = f"postfix/smtp[{pid}]: {qid}: to=<{to}>, relay="
        took = at + 0.3 + r.random() * 3

        def timing(now):
            return f", delay={now - at:.2g}, delays=0.1/0.02/0.4/{r.random():.2g}"

        if stolen and r.random() < 0.35:
            dsn, text = UNKNOWN.split("|")
            self.truth["bounced"] += 1
            self.put(took, f"{head}{mx}[{ip}]:25{timing(took)}, dsn={dsn}, status=bounced ({text.format(**values)})")
            return took
        kind = r.random()
        while kind < 0.11:  # deferred, once or a few times
            dsn, text = r.choice(DEFERRALS).split("|")
            relay = f"{mx}[{ip}]:25" if "said" in text else "none"
            self.put(took, f"{head}{relay}{timing(took)}, dsn={dsn}, status=deferred ({text.format(**values)})")
            took += 300 + r.random() * 60
            kind = r.random()
        if kind > 0.929 and not stolen:
            dsn, text = r.choice(BOUNCES).split("|")
            relay = f"{mx}[{ip}]:25" if "said" in text else "none"
            self.put(took, f"{head}{relay}{timing(took)}, dsn={dsn}, status=bounced ({text.format(**values)})")
            self.put(took, f"postfix/bounce[{pid + 2}]: {qid}: sender non-delivery notification: {self.queue_id()}")
            return took
        self.put(took, f"{head}{mx}[{ip}]:25{timing(took)}, dsn=2.0.0, status=sent (250 2.0.0 OK  {int(at)} {r.randrange(16 ** 10):010x}.{r.randrange(999)} - gsmtp)")
        return took

    def write(self, out):
        r, args = self.random, self.args
        now, written, lines = 0.0, 0, []
        steal_from, steal_to = args.hours * 3600 * 0.66, args.hours * 3600 * 0.72
        # A message has about 7.2 lines, and comes with a bit of noise.
        gap = self.step * 7.2
        while written < args.lines:
            now += r.expovariate(1 / gap)
            self.message(now)
            while r.random() < 0.10:
                self.noise(now)
            if args.stolen and steal_from <= now < steal_to and r.random() < 0.2:
                at = now + r.random()
                self.truth["first"] = self.truth["first"] or at
                self.truth["last"] = at
                self.message(at, stolen=True)
            while self.heap and self.heap[0][0] <= now and written < args.lines:
                at, _, text = heapq.heappop(self.heap)
                lines.append(f"{self.stamp(at)} mx1 {text}\n")
                written += 1
                if len(lines) == 10000:
                    out.write("".join(lines))
                    lines.clear()
        out.write("".join(lines))
        if args.stolen:
            truth = dict(self.truth, client_ips=len(self.stolen_ips))
            for key in ("first", "last"):
                if truth[key] is not None:
                    truth[key] = (self.start + datetime.timedelta(seconds=truth[key])).isoformat()
            with open(args.stolen, "w") as file:
                json.dump(truth, file, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=6.0, help="time from first to last line")
    parser.add_argument("--start", default="2026-11-24T03:00:00")
    parser.add_argument("--rfc3339", action="store_true", help="stamps with year, fraction and zone")
    parser.add_argument("--stolen", metavar="FILE", help="let one login be stolen; the truth goes here")
    Log(parser.parse_args()).write(sys.stdout)


if __name__ == "__main__":
    main()
