#!/usr/bin/env python3
"""Adds up the JUnit files of several test runs, ctest's and those of the unit tests: prints "N passed, N failed, N skipped".

For ctest a folder's unit tests, unit.FOLDER, are one test. They are counted in their own file, and here only where the
program as a whole failed: it may have written none.
"""
import sys
import xml.etree.ElementTree as ElementTree

SKIPPED = ("notrun", "disabled")


def outcome_of(case):
    if case.get("status") in SKIPPED or case.get("result") == "skipped":
        return "skipped"
    return "passed" if case.get("status") == "run" and case.find("failure") is None else "failed"


def main(paths):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            print(f"failed: {path}: {error}")
            counts["failed"] += 1
            continue
        for case in cases:
            outcome = outcome_of(case)
            if case.get("name", "").startswith("unit.") and outcome != "failed":
                continue
            counts[outcome] += 1
            if outcome == "failed":
                print(f"failed: {path}: {case.get('classname')} {case.get('name')}")
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
