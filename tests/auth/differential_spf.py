#!/usr/bin/env python3
"""SPF against pyspf (Debian's python3-spf): generated records, zones and clients, 2,000 of them, 20,000 with WATCHPOST_LONG=1.

Both are asked the same and have to give the same result. Where pyspf reads RFC 7208 in another way, and `explained` knows
it, the case is counted and left. Anything else is a failure, shown with its seed: `--seed N --cases 1` runs it again.
Ends with 77 where pyspf is not installed.
"""
import argparse
import collections
import ipaddress
import json
import os
import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from conformance.zone_text import zone_text  # pylint: disable=wrong-import-position

try:
    import spf
except ImportError:
    spf = None

SKIPPED = 77
# Debian's packages are Debian's interpreter's, whichever one this is.
DEBIAN_PYTHON = "/usr/bin/python3"
DOMAINS = ["shop.example", "out.example", "deep.example", "a.b.shop.example", "other.example", "slow.example"]
HOSTS = ["mx1.shop.example", "mx2.shop.example", "host.other.example", "gone.example", "slow.example", "mail.out.example"]
ADDRESSES4 = ["192.0.2.1", "192.0.2.2", "192.0.2.129", "198.51.100.7", "203.0.113.250"]
ADDRESSES6 = ["2001:db8::1", "2001:db8::2", "2001:db8:1::7", "2001:db8:ffff::250"]
LETTERS = "slodiphv"


class Maker:
    """A made-up zone, and a question about it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.records = []

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def macro(self):
        made = "%{" + self.pick(LETTERS)
        if self.chance(0.2):
            made = made.upper()
        if self.chance(0.4):
            made += str(self.pick([1, 2, 3, 12]))
        if self.chance(0.4):
            made += "r"
        if self.chance(0.2):
            made += self.pick([".", "-", "+", ".-", "_=", ",/"])
        return made + "}"

    def broken_macro(self):
        return self.pick(["%{d", "%x", "%{d0}", "%{z}", "%", "%{c}", "%{dx}"])

    def domain(self):
        if self.chance(0.75):
            return self.pick(DOMAINS + HOSTS)
        if self.chance(0.02):
            return self.broken_macro() + ".example"
        if self.chance(0.04):
            return self.pick(["example", "a.123", "x.-y", "a..example", "x.example.", "%%.example", "a_b.example"])
        return self.pick([self.macro(), self.macro() + ".list.example", "%{ir}.%{v}.list.example", "%{l}.example"])

    def network4(self):
        made = self.pick(ADDRESSES4)
        if self.chance(0.5):
            made += "/" + self.pick(["32", "24", "25", "8", "0", "30"] * 4 + ["33", "08", ""])
        return made if not self.chance(0.02) else self.pick(["1.2.3", "1.2.3.256", "::1", "1.2.3.4//24", "01.2.3.4"])

    def network6(self):
        made = self.pick(ADDRESSES6)
        if self.chance(0.5):
            made += "/" + self.pick(["128", "64", "32", "0", "127"] * 4 + ["129", "007"])
        return made if not self.chance(0.02) else self.pick(["1.2.3.4", ":::", "2001:db8::g", "2001:db8::1//64"])

    def hosts(self, name):
        made = name
        if self.chance(0.6):
            made += ":" + self.domain()
        if self.chance(0.3):
            made += "/" + self.pick(["24", "32", "0", "31"] * 4 + ["33", "016"])
        if self.chance(0.2):
            made += "//" + self.pick(["64", "128", "0"] * 4 + ["129"])
        return made

    def mechanism(self):
        kind = self.random.randrange(100)
        if kind < 20:
            return "ip4:" + self.network4()
        if kind < 30:
            return "ip6:" + self.network6()
        if kind < 47:
            return self.hosts("a")
        if kind < 60:
            return self.hosts("mx")
        if kind < 70:
            return "include:" + self.domain()
        if kind < 86:
            return "exists:" + self.domain()
        if kind < 90:
            return "ptr" + (":" + self.domain() if self.chance(0.5) else "")
        if kind < 99:
            return "all"
        return self.pick(["foo", "all:x", "include", "a:", "exists", "ptr/24", "ip4", "all.", "a/24/64"])

    def record(self):
        terms = []
        for _ in range(self.pick([1, 2, 2, 3, 3, 4, 5, 6, 12])):
            term = self.pick(["", "", "", "-", "~", "?", "+"]) + self.mechanism()
            terms.append(term.upper() if self.chance(0.03) else term)
        if self.chance(0.2):
            terms.append("redirect=" + self.domain())
        if self.chance(0.1):
            terms.append(self.pick(["x=y", "op=auth", "a1.b_c-d=%{d}", "x="] * 3 + ["1x=y", "x=%", "redirect="]))
        if self.chance(0.1):
            terms.append("exp=" + self.pick(["why.example", "gone.example", "%{d}.why.example", "why"]))
        if self.chance(0.5):
            self.random.shuffle(terms)
        terms += ["-all"] if self.chance(0.5) else []
        return "v=spf1 " + self.pick([" ", " ", "  "]).join(terms)

    def add(self, name, kind, **data):
        self.records.append({"name": name, "type": kind, **data})

    def zone(self):
        for domain in DOMAINS[:5]:
            if self.chance(0.92):
                self.add(domain, "TXT", strings=[self.record()])
            if self.chance(0.03):
                self.add(domain, "TXT", strings=["v=spf1 -all"])
            if self.chance(0.1):
                self.add(domain, "TXT", strings=["v=spf10 +all"])
            for _ in range(self.pick([0, 1, 1, 2, 3])):
                self.add(domain, "MX", pref=self.pick([5, 10, 20]), host=self.pick(HOSTS[:3]))
        for host in DOMAINS[:5] + HOSTS[:3] + ["list.example", "1.2.0.192.in-addr.list.example", "why.example"]:
            for _ in range(self.pick([0, 1, 1, 2])):
                self.add(host, "A", value=self.pick(ADDRESSES4))
            if self.chance(0.4):
                self.add(host, "AAAA", value=self.pick(ADDRESSES6))
        self.add("why.example", "TXT", strings=["no %{i}"])
        if self.chance(0.5):
            self.add("slow.example", "TIMEOUT")
        for address in ADDRESSES4 + ADDRESSES6:
            if self.chance(0.5):
                self.add(address, "PTR", value=self.pick(HOSTS[:4] + DOMAINS[:2]))
        return self.records

    def question(self):
        return {"ip": self.pick(ADDRESSES4 + ADDRESSES6[:2] + ["::ffff:192.0.2.1"]),
                "helo": self.pick(["mx1.shop.example", "client.example", "localhost"]),
                "mail_from": self.pick(["jo@", "a.b+c@", "jo-ann@"]) + self.pick(DOMAINS[:4]), "receiver": "us.example"}


class Zone:
    """What pyspf asks instead of DNS."""

    def __init__(self, records):
        self.sets = collections.defaultdict(list)
        self.slow = set()
        for record in records:
            name = record["name"].lower()
            if record["type"] == "TIMEOUT":
                self.slow.add(name)
            elif record["type"] == "TXT":
                self.sets[name, "TXT"].append([text.encode() for text in record["strings"]])
            elif record["type"] == "MX":
                self.sets[name, "MX"].append((record["pref"], record["host"]))
            elif record["type"] == "PTR":
                self.sets[ipaddress.ip_address(name).reverse_pointer, "PTR"].append(record["value"])
            else:
                self.sets[name, record["type"]].append(record["value"])

    def look_up(self, name, kind, *_, **__):
        name = name.rstrip(".").lower()
        found = self.sets.get((name, kind), [])
        if not found and name in self.slow:
            raise spf.TempError("DNS timeout")
        return [((name, kind), data) for data in found]


def theirs(zone, question):
    """The result and its words."""
    spf.DNSLookup = zone.look_up
    query = spf.query(i=question["ip"], s=question["mail_from"], h=question["helo"], receiver=question["receiver"],
                    strict=True)
    try:
        result, _, words = query.check()
    except Exception as wrong:  # pylint: disable=broad-except; what pyspf ends with is no result of ours
        return "crash", f"{type(wrong).__name__}: {wrong}"
    return result, words


def explained(ours, words):
    """Why the two may differ, by RFC 7208; nothing where they may not."""
    why = ours["why"]
    if "Void lookup limit" in words and ours["void_look_ups"] <= 2:
        return "pyspf counts every void query, we every term that has one (section 4.6.4)"
    if "trivial recursion" in words:
        return "pyspf refuses a record that includes itself though an earlier term decides (section 4.6.2)"
    if "cannot be read" in why and "a macro" in why:
        return "pyspf takes a macro that the grammar does not have (section 7.1)"
    if "cannot be read" in why and "exists`: it needs a domain" in why.lower():
        return "pyspf takes `exists` without a domain behind a qualifier (section 5.7)"
    if re.search(r"%\{[A-Z][0-9]*R", ours["record"]):
        return "pyspf does not know R for r (section 7.1, RFC 5234 section 2.3)"
    return ""


def run(cases, first, probe):
    lines, made = [], []
    for seed in range(first, first + cases):
        maker = Maker(seed)
        records, question = maker.zone(), maker.question()
        made.append((seed, records, question))
        lines += [json.dumps({"zone": zone_text(records)}), json.dumps({"spf": question})]
    done = subprocess.run([probe], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != cases:
        raise RuntimeError(f"{len(answers)} answers to {cases} questions: {done.stderr}")
    reasons, results, unexplained = collections.Counter(), collections.Counter(), []
    for (seed, records, question), ours in zip(made, answers):
        result, words = theirs(Zone(records), question)
        results[ours["result"]] += 1
        if result == ours["result"]:
            continue
        reason = explained(ours, words)
        reasons[reason] += 1
        if not reason:
            unexplained.append((seed, question, result, words, ours, records))
    return results, reasons, unexplained


def main():
    line = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    line.add_argument("--probe", required=True)
    line.add_argument("--cases", type=int, default=20000 if os.environ.get("WATCHPOST_LONG") == "1" else 2000)
    line.add_argument("--seed", type=int, default=1)
    options = line.parse_args()
    if spf is None and sys.executable != DEBIAN_PYTHON and os.path.exists(DEBIAN_PYTHON):
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, "-B", *sys.argv])
    if spf is None:
        print("skipped: python3-spf is not installed", file=sys.stderr)
        return SKIPPED
    results, reasons, unexplained = run(options.cases, options.seed, options.probe)
    print("results:", ", ".join(f"{count} {name}" for name, count in results.most_common()))
    for reason, count in reasons.most_common():
        print(f"{count} differ: {reason or 'UNEXPLAINED'}")
    for seed, question, result, words, ours, records in unexplained[:10]:
        print(f"\nseed {seed}: {question}\n  pyspf {result}: {words}\n  ours  {ours}\n{zone_text(records)}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
