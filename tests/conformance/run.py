#!/usr/bin/env python3
"""Runs the suites whose data is there, and says what agrees and what does not: `./dev conformance`.

Ends with 0 where the suites ran, however they went; with 1 where a suite could not run or is under its floor; with 2 for a
wrong command line; with 77 where there is no data at all.
"""
import argparse
import importlib
import json
import os
import pathlib
import re
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

# In this order they are run and shown. Each is tests/conformance/NAME_suite.py; a suite whose file is not there is left out.
SUITES = ["bounces", "arf", "mime", "logs", "spf", "dkim", "dmarc", "arc", "spoofing"]
SKIPPED = 77
SHOWN = 300


def corpora_folder(named):
    if named:
        return pathlib.Path(named)
    return pathlib.Path(os.environ.get("WATCHPOST_CORPORA", ROOT.parent / "shared" / "corpora"))


def suite_modules(only):
    for name in SUITES:
        if only and name not in only:
            continue
        if (ROOT / "tests" / "conformance" / f"{name}_suite.py").exists():
            yield name, importlib.import_module(f"conformance.{name}_suite")


def results_of(suite, module, corpora, watchpost):
    """One dictionary for each line of the report."""
    began = time.monotonic()
    answer = module.run(corpora, watchpost)
    lines = answer if isinstance(answer, list) else [answer]
    seconds = round(time.monotonic() - began, 2)
    return [{"suite": suite, "name": name, "total": total, "passed": passed, "seconds": seconds,
             "disagreements": disagreements}
            for name, total, passed, disagreements in lines]


def run_suites(corpora, watchpost, only):
    results, broken = [], []
    for name, module in suite_modules(only):
        if not (corpora / getattr(module, "FOLDER", name)).is_dir():
            continue
        try:
            results += results_of(name, module, corpora, watchpost)
        except Exception:  # pylint: disable=broad-except; what is wrong with one suite must not hide the others
            broken.append({"name": name, "error": traceback.format_exc()})
    return results, broken


def shown(value):
    """A value on one line; what a test file has in it must not reach the terminal as it is."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True, sort_keys=True, default=str)
    text = text.encode("unicode_escape").decode("ascii") if isinstance(value, str) else text
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def print_text(results, broken, quiet):
    for result in results:
        print(f"{result['name']} {result['passed']}/{result['total']}")
    for result in [] if quiet else results:
        for one in result["disagreements"]:
            print(f"\n{result['name']}: {shown(one['key'])}\n  expected {shown(one['expected'])}\n"
                  f"  got      {shown(one['got'])}")
    for one in broken:
        print(f"\n{one['name']} could not run:\n{one['error']}", file=sys.stderr)


def floor_from(text):
    """"mime=0.95" -> (name, share)"""
    name, _, least = text.partition("=")
    return name, float(least)


def under_floors(results, corpora, floors):
    """Sentences about results that are worse than they have to be. A floor is for one line of the report, or for each
    line of a suite."""
    for name, least in floors:
        meant = [one for one in results if name in (one["name"], one["suite"])]
        suite = re.split("[/ ]", name)[0]
        if not meant and suite in SUITES and not (corpora / suite).is_dir():
            continue
        if not any(one["total"] for one in meant):
            yield f"{name}: no case was run, at least {least:.1%} have to pass"
        for one in meant:
            if one["total"] and one["passed"] / one["total"] < least:
                yield (f"{one['name']}: {one['passed']}/{one['total']} pass, that is "
                       f"{one['passed'] / one['total']:.1%} of at least {least:.1%}")


def command_line():
    line = argparse.ArgumentParser(prog="./dev conformance", description="Watchpost against public test data.")
    line.add_argument("folder", nargs="?", help="the corpora (default: $WATCHPOST_CORPORA or ../shared/corpora)")
    line.add_argument("--watchpost", type=pathlib.Path, default=ROOT / "build/dev/src/watchpost", help="the program")
    line.add_argument("-o", "--output", choices=("text", "json"), default="text")
    line.add_argument("--suite", action="append", metavar="NAME", help="only this one; may be given again")
    line.add_argument("--quiet", action="store_true", help="no disagreements, only the counts")
    line.add_argument("--min", action="append", default=[], type=floor_from, metavar="NAME=SHARE",
                      help="fail where fewer of the cases of this line, or of each line of this suite, pass: mime=0.95")
    return line


def main():
    line = command_line()
    options = line.parse_args()
    if unknown := set(options.suite or ()) - set(SUITES):
        line.error(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    corpora = corpora_folder(options.folder)
    if not corpora.is_dir():
        print(f"skipped: there is no folder {corpora}; name one, or set WATCHPOST_CORPORA", file=sys.stderr)
        return SKIPPED
    # The rules that ship are judged, not those of this machine.
    os.environ["WATCHPOST_CONFIG"] = "/dev/null"
    results, broken = run_suites(corpora.resolve(), options.watchpost.resolve(), options.suite)
    if options.output == "json":
        print(json.dumps({"corpora": str(corpora), "suites": results, "broken": broken}, indent=1, default=str))
    else:
        print_text(results, broken, options.quiet)
    if not results and not broken:
        print(f"skipped: {corpora} has no data of these suites", file=sys.stderr)
        return SKIPPED
    worse = list(under_floors(results, corpora, options.min))
    for sentence in worse:
        print(sentence, file=sys.stderr)
    return 1 if broken or worse else 0


if __name__ == "__main__":
    sys.exit(main())
