"""Zones of the corpora as master files (RFC 1035 section 5), for `--zone FILE`.

A record is {"name", "type"} and, by type, "strings" (TXT), "value" (A, AAAA, PTR, CNAME), "pref" and "host" (MX). The types
TIMEOUT and SERVFAIL stand for all types that the name does not list. Characters of a string are bytes.
"""
import ipaddress

KNOWN = {"A", "AAAA", "MX", "TXT", "PTR", "CNAME", "NS", "TIMEOUT", "SERVFAIL"}


def quoted(text):
    """A string of TXT: what is not a plain character as \\DDD."""
    plain = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:03}"
             for byte in text.encode("latin-1", errors="replace"))
    return '"' + "".join(plain) + '"'


def name_text(name):
    """A name with its dots as they are; what a master file would take for something else as \\DDD."""
    name = name[:-1] if name.endswith(".") else name
    plain = (chr(byte) if 32 < byte < 127 and chr(byte) not in '"\\();@$' else f"\\{byte:03}"
             for byte in name.encode())
    return "".join(plain) + "."


def is_name(name):
    labels = name.rstrip(".").split(".")
    return len(name.encode()) <= 253 and all(0 < len(label.encode()) < 64 for label in labels)


def owner(record):
    """Some name a pointer by the address itself."""
    try:
        return ipaddress.ip_address(record["name"]).reverse_pointer if record["type"] == "PTR" else record["name"]
    except ValueError:
        return record["name"]


def data_text(record):
    kind = record["type"]
    if kind == "TXT":
        return " ".join(map(quoted, record["strings"])) or '""'
    if kind == "MX":
        return f"{record['pref']} {name_text(record['host'])}"
    if kind in ("PTR", "CNAME", "NS"):
        return name_text(record["value"])
    return record.get("value", "")


def zone_text(records):
    """All records that a resolver can be asked for; unknown types and what is no name are left out."""
    lines = [f"{name_text(owner(record))} {record['type']} {data_text(record)}".rstrip()
             for record in records if record["type"] in KNOWN and is_name(record["name"])]
    return "\n".join(["$TTL 300", *lines, ""])
