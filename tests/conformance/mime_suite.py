"""Messages against the parse of two other readers: mail-parser (a dump of its message as JSON) and mime4j (its events as XML).

A case is a row of mime/index.jsonl. It passes where our reading says the same as each of its expected files: the parts and how
they lie within each other, fields, addresses, types, texts and the bytes of bodies. A row without expected files passes where
the command answers in time, without a crash, and its parts lie within each other.
"""
import hashlib
import re
import xml.etree.ElementTree
from json import loads
from pathlib import Path

from conformance.suite import Checked, ask, objects, rows

FOLDER = "mime"
SECONDS = 60
SHOWN = 160
UNREADABLE = "\N{REPLACEMENT CHARACTER}"


class Disagreement(Exception):
    """The first thing that differs: where, and the two sides of it."""

    def __init__(self, where, expected, got):
        super().__init__(where)
        self.expected = f"{where}: {brief(expected)}"
        self.got = f"{where}: {brief(got)}"


def brief(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


def equal(expected, got):
    """Where the other reader has U+FFFD it had no charset for a byte; what we read there is not judged."""
    if isinstance(expected, str) and isinstance(got, str) and UNREADABLE in expected:
        return re.fullmatch(".".join(map(re.escape, expected.split(UNREADABLE))), got, re.DOTALL) is not None
    if isinstance(expected, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(expected) == len(got) and all(map(equal, expected, got))
    return expected == got


def same(where, expected, got):
    if equal(expected, got):
        return
    if isinstance(expected, str) and isinstance(got, str) and max(len(expected), len(got)) > SHOWN:
        # What is the same at the beginning would hide what is not.
        first = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b), min(len(expected), len(got)))
        expected, got = f"[{first}:] {expected[first:]}", f"[{first}:] {got[first:]}"
    raise Disagreement(where, expected, got)


# ---- our reading

class Ours:
    """A part of our reading, with its children."""

    def __init__(self, report, index, raw):
        self.part = report["parts"][index]
        self.header = self.part["header"]
        self.raw = raw
        self.children = [Ours(report, i, raw) for i, part in enumerate(report["parts"]) if part["parent"] == index]
        # A message that is packed is read by itself.
        self.packed = Ours(self.part["message"], 0, None) if "message" in self.part else None

    @property
    def type(self):
        return self.part["type"]["value"]

    def inner(self):
        return self.packed or (self.children[0] if self.children and not self.type.startswith("multipart/") else None)

    def body(self):
        """The bytes of the body as they came; nothing where the message is one within a packed one."""
        return None if self.raw is None else self.raw[self.part["body"]:self.part["end"]]


def reading(watchpost, raw):
    answer = ask(watchpost, "-o", "json", "message", "-", stdin=raw, seconds=SECONDS)
    if answer.crashed or answer.code != 0:
        raise Disagreement("the command", "an answer", f"{answer.code} {answer.error}")
    (report,) = objects(answer.out)
    check_places(report, len(raw))
    return Ours(report, 0, raw)


def check_places(report, size):
    """Parts lie within the message and each other, in its order."""
    for index, part in enumerate(report["parts"]):
        outer = None if part["parent"] is None else report["parts"][part["parent"]]
        begin, end = (outer["body"], outer["end"]) if outer else (0, size)
        if not begin <= part["begin"] <= part["body"] <= part["end"] <= end:
            raise Disagreement(f"part {index}", f"a place within {begin}-{end}", f"{part['begin']}-{part['end']}")
        if outer and part["parent"] >= index:
            raise Disagreement(f"part {index}", "an outer part before it", part["parent"])


def folded_away(text):
    return " ".join(text.split())


def lf(text):
    """Line ends of LF, as our texts have them: also of mail that was converted twice."""
    return re.sub("\r+\n", "\n", text)


def as_read(data):
    """Bytes as an XML file has them: each as its character, line ends as LF."""
    return data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


# ---- mail-parser

# It takes the angle brackets off, and of these fields it gives no list where there is but one.
BARE = {"message-id", "content-id", "return-path", "in-reply-to", "references", "resent-message-id"}


def mail_parser_name(name):
    return (name if isinstance(name, str) else next(iter(name.values()))).replace("_", "-").lower()


def mail_parser_addresses(value):
    ((kind, entries),) = value.items()
    if kind == "List":
        return [("", entry["name"] or "", entry["address"]) for entry in entries]
    return [(group["name"] or "", entry["name"] or "", entry["address"])
            for group in entries for entry in group["addresses"]]


def real(addresses):
    """Without words that are no address: a name to one reader, a local part to another, to a third nothing."""
    return [(group, name, address) for group, name, address in addresses if "@" in (address or "")]


def compare_texts(where, expected, field):
    wanted = folded_away(expected)
    candidates = [folded_away(field["text"]), folded_away(field["raw"])]
    if field["name"].lower() in BARE:
        candidates += [" ".join(text.replace("<", " ").replace(">", " ").split()) for text in candidates]
    if not any(equal(wanted, text) for text in candidates):
        raise Disagreement(where, wanted, candidates[0])


def compare_content_value(where, expected, content):
    value = expected["c_type"] + (f"/{expected['c_subtype']}" if expected["c_subtype"] else "")
    same(where, value.lower(), content["value"])
    for attribute in expected["attributes"] or []:
        name = attribute["name"].lower()
        same(f"{where}, parameter {name}", attribute["value"], content["parameters"].get(name))


def compare_mail_parser_field(where, expected, field, part):
    ((kind, value),) = expected.items()
    name = field["name"].lower()
    if kind == "Text":
        compare_texts(where, value, field)
    elif kind == "TextList":
        compare_texts(where, " ".join(value), field)
    elif kind == "ContentType":
        compare_content_value(where, value, part["type" if name == "content-type" else "disposition"])
    elif kind == "Address" and "addresses" in field:
        got = [(address["group"], address["name"], address["address"]) for address in field["addresses"]]
        same(where, real(mail_parser_addresses(value)), real(got))


def compare_mail_parser_header(where, expected, ours):
    names = [mail_parser_name(field["name"]) for field in expected]
    same(f"{where}, fields", names, [field["name"].lower() for field in ours.header])
    first = {}
    for field, got in zip(expected, ours.header):
        name = mail_parser_name(field["name"])
        # Of two we go by the first one, and say so; which one is meant nobody knows.
        if isinstance(field["value"], dict) and first.setdefault(name, got) is got:
            compare_mail_parser_field(f"{where}, {name}", field["value"], got, ours.part)


def bytes_of(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def compare_mail_parser_leaf(where, part, ours):
    ((kind, value),) = part["body"].items()
    if part["is_encoding_problem"] and ours.body() == bytes_of(value):
        # What it cannot decode it shows as it came.
        return
    if ours.part["encoding"] == "uuencode":
        # It does not know that one.
        came = value if isinstance(value, str) else as_read(bytes(value))
        same(f"{where}, bytes as they came", lf(came), as_read(ours.body()))
    elif kind in ("Text", "Html") and "text" in ours.part:
        same(f"{where}, text", lf(value), ours.part["text"])
    else:
        wanted = bytes_of(value)
        same(f"{where}, size", len(wanted), ours.part["decoded_bytes"])
        same(f"{where}, bytes", hashlib.sha256(wanted).hexdigest(), ours.part["sha256"])


def compare_mail_parser(where, parts, index, ours):
    part = parts[index]
    compare_mail_parser_header(where, part["headers"], ours)
    body = part["body"]
    if "Multipart" in body:
        same(f"{where}, parts", len(body["Multipart"]), len(ours.children))
        for number, (child, got) in enumerate(zip(body["Multipart"], ours.children), 1):
            compare_mail_parser(f"{where}.{number}", parts, child, got)
    elif "Message" in body:
        inner = ours.inner()
        same(f"{where}, holds a message", True, inner is not None)
        compare_mail_parser(f"{where}/message", body["Message"]["parts"], 0, inner)
    else:
        same(f"{where}, parts", 0, len(ours.children))
        compare_mail_parser_leaf(where, part, ours)


def judge_mail_parser(watchpost, raw, file):
    if file.name.endswith(".crlf.json"):
        raw = re.sub(rb"(?<!\r)\n", b"\r\n", raw)
    dump = loads(file.read_text(encoding="utf-8"))
    compare_mail_parser("1", dump["parts"], 0, reading(watchpost, raw))


# ---- mime4j

def xml_text(element):
    """Its text; the line end behind the tag is not of it."""
    return (element.text or "").removeprefix("\n")


def compare_mime4j_header(where, header, ours, raw):
    expected = [xml_text(field) for field in header.findall("field")]
    got = [as_read(raw[field["begin"]:field["end"]]).removesuffix("\n") for field in ours.header]
    same(f"{where}, fields", [text.partition(":")[0].strip() for text in expected],
         [text.partition(":")[0].strip() for text in got])
    same(f"{where}, fields", expected, got)


def compare_mime4j_multipart(where, element, ours, raw):
    same(f"{where}, is a multipart", True, ours.type.startswith("multipart/"))
    parts = element.findall("body-part")
    same(f"{where}, parts", len(parts), len(ours.children))
    for name in ("preamble", "epilogue"):
        found = element.find(name)
        if raw is not None:
            same(f"{where}, {name}", "" if found is None else xml_text(found), lf(ours.part[name]))
    for number, (part, got) in enumerate(zip(parts, ours.children), 1):
        compare_mime4j(f"{where}.{number}", part, got, raw)


def compare_mime4j(where, element, ours, raw):
    if raw is not None:
        compare_mime4j_header(where, element.find("header"), ours, raw)
    multipart, message, body = (element.find(name) for name in ("multipart", "message", "body"))
    if multipart is not None:
        compare_mime4j_multipart(where, multipart, ours, raw)
    elif message is not None:
        same(f"{where}, holds a message", True, ours.inner() is not None)
        compare_mime4j(f"{where}/message", message, ours.inner(), None if ours.packed else raw)
    else:
        same(f"{where}, parts", 0, len(ours.children))
        if body is not None and raw is not None:
            same(f"{where}, body", xml_text(body), as_read(ours.body()))


def judge_mime4j(watchpost, raw, file):
    # In these files a byte is a character.
    text = file.read_bytes().decode("latin-1")
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "\N{REPLACEMENT CHARACTER}", text)
    root = xml.etree.ElementTree.fromstring(text)
    compare_mime4j("1", root, reading(watchpost, raw), raw)


# ---- the rows

def judges_of(row, folder):
    for name in row.get("expected_files") or []:
        if name.endswith(".json"):
            yield judge_mail_parser, folder / name
        elif name.endswith(".xml"):
            yield judge_mime4j, folder / name


def judge_row(watchpost, folder, row):
    """Nothing, or what differs."""
    raw = (folder / row["file"]).read_bytes()
    judges = list(judges_of(row, folder))
    try:
        if not judges:
            reading(watchpost, raw)
        for judge, file in judges:
            judge(watchpost, raw, file)
    except Disagreement as one:
        return one
    return None


def run(corpora, watchpost):
    folder = Path(corpora) / FOLDER
    checked = Checked()
    for row in rows(folder / "index.jsonl"):
        found = judge_row(watchpost, folder, row)
        checked.judged(row["key"], found is None, found and found.expected, found and found.got)
    return checked.result("mime")
