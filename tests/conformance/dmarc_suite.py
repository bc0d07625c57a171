"""DMARC against mailauth's vectors (RFC 9989 among them), rspamd's cases (RFC 7489), and the public suffix list's own.

`dmarc mailauth`: `watchpost dmarc explain` with what passed. Rows whose zone was lost upstream, and assertions about other things
than policy and result, are not judged. Rows that mailauth has not got to (`pending_upstream`) say what RFC 9989 says.
`dmarc rspamd`: `watchpost check --discovery psl` of a message; the symbols of SPF and DMARC as results of ours. `dmarc rspamd
signatures`: those of DKIM and ARC.
`dmarc psl`: `watchpost dmarc explain --discovery psl`, the organisational domain.
"""
import json
import pathlib
import tempfile

from conformance.suite import Checked, ask, rows
from conformance.zone_text import zone_text

FOLDER = "dmarc"


# ---- mailauth

def mailauth_records(zone):
    for name, types in zone.items():
        for kind, values in types.items():
            for value in values:
                yield {"name": name, "type": kind, **({"strings": value} if kind == "TXT" else {"value": value})}


def explained(watchpost, domain, zone, *arguments):
    """The verdict and its author, or what went wrong."""
    answer = ask(watchpost, "dmarc", "explain", domain, "--zone", zone, "-o", "json", *arguments)
    if answer.crashed or answer.code != 0:
        return {"result": f"{answer.code} {answer.error}"}, {}
    verdict = json.loads(answer.out)
    return verdict, verdict["authors"][0]


def passed(arguments):
    for option, key in (("--dkim", "dkimDomains"), ("--spf", "spfDomains")):
        for one in arguments.get(key) or []:
            yield f"{option}={one['domain']}"


def value_at(path, verdict, author):
    """What we have in place of a property of mailauth's result; KeyError where there is no such thing."""
    record = author.get("record")
    aligned = {one["mechanism"]: one["domain"] for one in author.get("alignments", []) if one["counts"]}
    values = {"status.result": verdict["result"],
              # mailauth gives the policy of the record that counts, whatever the result.
              "policy": author.get("published") if record and verdict["result"] != "none" else None,
              "domain": author.get("record_domain"),
              "rr": record["text"] if record else None,
              "alignment.dkim.result": aligned.get("dkim"),
              "alignment.spf.result": aligned.get("spf")}
    return values[path]


def holds(expected, verdict, author):
    """Whether an assertion holds; nothing where it is about something else."""
    path = expected["value"] if expected["assert"] == "not.property" else expected["path"]
    try:
        value = value_at(path, verdict, author)
    except KeyError:
        return None
    match expected["assert"]:
        case "equal":
            return value == expected["value"]
        case "contain" | "include":
            return expected["value"] in (value or "")
        case "not.property" | "undefined" | "not.ok":
            return value is None
    return None


def mailauth(folder, watchpost, place):
    checked = Checked()
    zone = place / "zone"
    for row in rows(folder / "mailauth/vectors.jsonl"):
        given = row["args"]["headerFrom"]
        if row["zone"] is None or (isinstance(given, list) and len(given) != 1):
            continue
        zone.write_text(zone_text(mailauth_records(row["zone"])), encoding="ascii")
        author = (given[0] if isinstance(given, list) else given).rpartition("@")[2]
        verdict, decisive = explained(watchpost, author, zone, *passed(row["args"]))
        held = [holds(expected, verdict, decisive) for expected in row["expect"]]
        if any(one is not None for one in held):
            checked.judged(row["key"], False not in held, row["expect"], {"verdict": verdict, "author": decisive})
    return checked.result("dmarc mailauth")


# ---- rspamd

DKIM_RESULTS = {"R_DKIM_ALLOW": "pass", "R_DKIM_REJECT": "fail", "R_DKIM_PERMFAIL": "permerror",
                "R_DKIM_TEMPFAIL": "temperror"}
SPF_RESULTS = {"R_SPF_ALLOW": "pass", "R_SPF_FAIL": "fail", "R_SPF_SOFTFAIL": "softfail", "R_SPF_NEUTRAL": "neutral",
               "R_SPF_DNSFAIL": "temperror", "R_SPF_PERMFAIL": "permerror", "R_SPF_NA": "none"}
DMARC_RESULTS = {("pass", None): "DMARC_POLICY_ALLOW", ("temperror", None): "DMARC_DNSFAIL", ("none", None): "DMARC_NA",
                 ("permerror", None): "DMARC_BAD_POLICY", ("fail", "none"): "DMARC_POLICY_SOFTFAIL",
                 ("fail", "quarantine"): "DMARC_POLICY_QUARANTINE", ("fail", "reject"): "DMARC_POLICY_REJECT"}
ARC_RESULTS = {"pass": "ARC_ALLOW", "fail": "ARC_INVALID", "none": "ARC_NA"}


def rspamd_records(answers):
    for answer in answers:
        name, kind = answer["name"], answer["type"]
        if answer["rcode"] in ("timeout", "servfail"):
            yield {"name": name, "type": "TIMEOUT" if answer["rcode"] == "timeout" else "SERVFAIL", "value": kind}
        for reply in answer["replies"]:
            if kind == "TXT":
                yield {"name": name, "type": kind, "strings": [reply]}
            elif kind == "MX":
                preference, host = reply.split()
                yield {"name": name, "type": kind, "pref": preference, "host": host}
            else:
                yield {"name": name, "type": kind, "value": reply}


def symbols(got):
    """Our results by rspamd's names."""
    found = {name for name, result in SPF_RESULTS.items() if got["spf_mail_from"]["result"] == result}
    results = [one["result"] for one in got["dkim"]]
    found |= {name for name, result in DKIM_RESULTS.items() if result in results} or {"R_DKIM_NA"}
    dmarc = got["dmarc"]
    author = next((one for one in dmarc["authors"] if one["domain"] == dmarc["domain"]), {"published": "none"})
    found.add(DMARC_RESULTS.get((dmarc["result"], author["published"] if dmarc["result"] == "fail" else None)))
    found.add(ARC_RESULTS.get(got["arc"]["result"]))
    return found


def envelope(row):
    """Who delivered a message. rspamd takes SPF that nobody asked for one that failed; Watchpost calls that undecided. So a row
    without a client and a sender is asked about as mail of a stranger, for whom SPF cannot vouch whoever the client is."""
    if not row["ip"] and not row["mailfrom"]:
        row = {**row, "mailfrom": "nobody@stranger.invalid"}
    return [f"{option}={row[key]}" for option, key in (("--ip", "ip"), ("--from", "mailfrom"), ("--helo", "helo")) if row[key]]


def rspamd(folder, watchpost, place):
    lines = {"dmarc rspamd": Checked(), "dmarc rspamd signatures": Checked()}
    zones = {}
    answers = rows(folder / "rspamd/dns.jsonl")
    for row in rows(folder / "rspamd/cases.jsonl"):
        if row["zone"] not in zones:
            zones[row["zone"]] = place / row["zone"]
            records = rspamd_records(one for one in answers if one["zone"] == row["zone"])
            zones[row["zone"]].write_text(zone_text(records), encoding="ascii")
        arguments = ["check", folder / row["file"], "--zone", zones[row["zone"]], "--discovery", "psl", "-o", "json"]
        answer = ask(watchpost, *arguments, *envelope(row))
        of_signatures = all(one.startswith(("R_DKIM", "ARC")) for one in row["expect"] + row["not_expect"])
        checked = lines["dmarc rspamd signatures" if of_signatures else "dmarc rspamd"]
        if answer.crashed or answer.code != 0:
            checked.judged(row["key"], False, row["expect"], f"{answer.code} {answer.error}")
            continue
        found = symbols(json.loads(answer.out))
        right = set(row["expect"]) <= found and not set(row["not_expect"]) & found
        checked.judged(row["key"], right, {"expect": row["expect"], "not": row["not_expect"]},
                       sorted(filter(None, found)))
    return [checked.result(name) for name, checked in lines.items()]


# ---- the public suffix list

def a_labels(domain):
    return domain.encode("idna").decode() if domain else domain


def public_suffixes(folder, watchpost, place):
    checked = Checked()
    zone = place / "empty"
    zone.write_text("$TTL 300\n", encoding="ascii")
    for row in rows(folder / "psl/vectors.jsonl"):
        domain = row["domain"]
        # What begins with a dot is no domain to us, and a public suffix is its own organisational domain.
        if not domain or domain.startswith("."):
            continue
        verdict, author = explained(watchpost, domain, zone, "--discovery", "psl")
        walks = author.get("walks") or [{}]
        expected = a_labels(row["registrable"] or domain).lower()
        checked.case(domain, expected, walks[0].get("organizational", verdict["result"]))
    return checked.result("dmarc psl")


def run(corpora, watchpost):
    folder = corpora / FOLDER
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        return [mailauth(folder, watchpost, place), *rspamd(folder, watchpost, place),
                public_suffixes(folder, watchpost, place)]
