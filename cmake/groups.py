#!/usr/bin/env python3
"""Puts sources that are compiled together into groups, and writes a file that includes them for each group.

Compiled one by one, most of the time goes to headers and templates that the next one wants as well. What sources name
for themselves, in an unnamed namespace, must not meet another's: two sources come together only where no name of the
one is written in the other. Sources that define macros, or use the names of a whole enum, stay alone.

Usage: groups.py OUT SRC. Writes OUT/x/x_0.cc and so on for each folder SRC/x, and OUT/x_test/... for its tests. Includes
are relative to SRC, so that the files are the same in every clone. What would not change is not written.
"""
import pathlib
import re
import sys

MOST_BYTES = 48_000  # of one group: larger ones leave one of two cores idle at the end

TYPE = re.compile(r"^(?:template <.*> ?)?(?:struct|class|enum class|enum|union) (?:\[\[\w+\]\] )?(\w+)|^using (\w+) =")
VALUE = re.compile(r"^(?:constinit |thread_local |static |inline )*(?:constexpr|const)\b[^(]*?\b(\w+)(?:\[\w*\])?(?: =|\{|;|\()")
VARIABLE = re.compile(r"^(?:thread_local |static |std::|volatile )[^(=]*\b(\w+)(?: =|\{|;)")
FUNCTION = re.compile(r"^[A-Za-z_][^=;]*?[ *&>](\w+)\(")
USED = re.compile(r"^using ((?:\w+::)+)(\w+);")
WORD = re.compile(r"(?<![\w.:>])(\w+)|(?<=[^-]>)(\w+)")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"")


def words_of(text):
    return {one or other for one, other in WORD.findall(COMMENT.sub("", text))}


class Headers:
    """The words of a source's headers, with all that they include."""

    def __init__(self, root):
        self.root, self.known = root, {}

    def words_behind(self, text):
        words = set()
        for name in INCLUDE.findall(text):
            words |= self.words_of_header(name)
        return words

    def words_of_header(self, name):
        if name not in self.known:
            self.known[name] = set()
            file = self.root / name
            text = file.read_text() if file.exists() else ""
            self.known[name] = words_of(text) | self.words_behind(text)
        return self.known[name]


class Source:
    def __init__(self, path, headers):
        text = path.read_text()
        self.path, self.size = path, len(text)
        self.alone = re.search(r"^(#define|using enum) ", text, re.MULTILINE) is not None
        self.words = words_of(text)
        self.words_of_headers = headers.words_behind(text)
        self.names, self.aliases = set(), {}
        unnamed = False
        for line in text.splitlines():
            unnamed = (unnamed or line == "namespace {") and line != "}  // namespace"
            if match := USED.match(line):
                self.aliases[match[2]] = match[1]
            elif unnamed and line[:1].isalpha() and not line.startswith("namespace"):
                self.read(line)

    def read(self, line):
        """A declaration of the outermost level: what is indented belongs to another."""
        for kind in (TYPE, VALUE, VARIABLE, FUNCTION):
            if match := kind.match(line):
                self.names.add(match[match.lastindex])
                return


class Group:
    def __init__(self, source):
        self.sources, self.size, self.alone = [], 0, source.alone
        self.names, self.words, self.words_of_headers, self.aliases = set(), set(), set(), {}
        self.add(source)

    def takes(self, source):
        return (not self.alone and not source.alone and self.size + source.size <= MOST_BYTES
                and self.names.isdisjoint(source.words) and self.words.isdisjoint(source.names)
                # A header that only the later one includes would see the names of the one before.
                and self.names.isdisjoint(source.words_of_headers - self.words_of_headers)
                and all(self.aliases.get(name, of) == of for name, of in source.aliases.items())
                and self.words.isdisjoint(source.aliases.keys() - self.aliases.keys())
                and source.words.isdisjoint(self.aliases.keys() - source.aliases.keys()))

    def add(self, source):
        self.sources.append(source)
        self.size += source.size
        self.names |= source.names
        self.words |= source.words
        self.words_of_headers |= source.words_of_headers
        self.aliases |= source.aliases


def groups_of(sources):
    groups = []
    for source in sources:
        for group in groups:
            if group.takes(source):
                group.add(source)
                break
        else:
            groups.append(Group(source))
    return groups


def write_groups(out, root, paths, headers):
    out.mkdir(parents=True, exist_ok=True)
    written = set()
    for number, group in enumerate(groups_of([Source(path, headers) for path in sorted(paths)])):
        file = out / f"{out.name}_{number}.cc"
        text = "".join(f'#include "{one.path.relative_to(root)}"\n' for one in group.sources)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
        written.add(file)
    for file in set(out.iterdir()) - written:
        file.unlink()


def main():
    out, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    headers = Headers(root)
    for folder in [one for one in root.iterdir() if one.is_dir()]:
        sources = set(folder.rglob("*.cc"))
        tests = set(folder.rglob("*_test.cc"))
        write_groups(out / folder.name, root, sources - tests, headers)
        write_groups(out / f"{folder.name}_test", root, tests, headers)


if __name__ == "__main__":
    sys.exit(main())
