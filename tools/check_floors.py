#!/usr/bin/env python3
"""Holds the includes of src/ to the house: a folder includes only folders of lower floors.

The floors are read from src/CMakeLists.txt ("# floor N" above the folders of that floor), and each
folder may include only what its link line (USES) reaches. Also holds headers and sources to their
size, with the exceptions below, each with its reason.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
HEADER_LINES, SOURCE_LINES = 160, 420
# file -> why it may be longer
LONGER = {
    "src/model/event.h": "the one list of what an event has",
}
# Asio stays inside net/ and the drivers that speak a protocol of their own.
ASIO_ALLOWED = ("src/net/", "src/enforce/enforcers/", "src/border/milter/")


def read_house():
    floors, uses, floor = {}, {}, None
    for line in (SRC / "CMakeLists.txt").read_text().splitlines():
        if match := re.match(r"# floor (\d+)", line):
            floor = int(match[1])
        elif match := re.match(r"watchpost_folder\((\w+)(?:.*?USES ([\w ]+?))?(?: LIBS.*)?\)", line):
            floors[match[1]] = floor
            uses[match[1]] = (match[2] or "").split()
    return floors, uses


def reach(folder, uses):
    seen, todo = set(), list(uses[folder])
    while todo:
        below = todo.pop()
        if below not in seen:
            seen.add(below)
            todo += uses[below]
    return seen


def faults():
    floors, uses = read_house()
    for folder in sorted(p.name for p in SRC.iterdir() if p.is_dir()):
        if folder not in floors:
            yield f"src/{folder}: not in src/CMakeLists.txt"
    for folder in floors:
        for below in uses[folder]:
            if floors[below] >= floors[folder]:
                yield f"src/CMakeLists.txt: {folder} (floor {floors[folder]}) uses {below} (floor {floors[below]})"
        allowed = reach(folder, uses) | {folder}
        for path in sorted((SRC / folder).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            name = str(path.relative_to(ROOT))
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines, 1):
                if match := re.match(r'\s*#include "(\w+)/', line):
                    if match[1] in floors and match[1] not in allowed:
                        yield f"{name}:{number}: {folder} may not include {match[1]}"
                if "#include <boost/asio" in line or "#include <boost/beast" in line:
                    if not name.startswith(ASIO_ALLOWED) and "_test.cc" not in name:
                        yield f"{name}:{number}: Boost.Asio stays inside net/"
            if "_test.cc" in name or path.name.startswith(("test_", "fake_")) or name in LONGER:
                continue
            most = HEADER_LINES if path.suffix == ".h" else SOURCE_LINES
            if len(lines) > most:
                yield f"{name}: {len(lines)} lines, at most {most}: split it by theme"


if __name__ == "__main__":
    found = list(faults())
    for fault in found:
        print(fault)
    print(f"floors: {len(found)} faults")
    sys.exit(1 if found else 0)
