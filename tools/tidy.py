#!/usr/bin/env python3
"""clang-tidy over the sources of src/, but for those that were found good before.

A source is good for as long as it, all that it includes, the checks and the program stay as they were. What was good
is remembered under ~/.cache by a digest of all these, for every clone of the project.

Usage: tidy.py BUILD, a folder with compile_commands.json. Ends with 1 where something was found.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "clang-tidy-19"
MEMORY = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "watchpost-tidy"
FORGOTTEN_AFTER = 30 * 86400  # seconds without use


def compile_commands(build):
    """(source, what compiles it) of each source that is no test; most are groups of them (cmake/groups.py)."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        is_ours = source.is_relative_to(ROOT / "src") or source.is_relative_to(build / "groups")
        if is_ours and not source.name.endswith("_test.cc") and not source.parent.name.endswith("_test"):
            yield source, shlex.split(entry["command"])


def rules():
    version = subprocess.run([PROGRAM, "--version"], check=True, capture_output=True).stdout
    return version + (ROOT / ".clang-tidy").read_bytes()


def digest_of(command, build, rules_text):
    """Of all that the result depends on, whichever folder it stands in; comments count, since they can silence."""
    words = list(command)
    words[words.index("-o") + 1] = "-"
    words[words.index("-c"):words.index("-c") + 1] = ["-E", "-frewrite-includes"]
    text = subprocess.run(words, cwd=build, check=True, capture_output=True).stdout
    whole = b"\0".join([rules_text, " ".join(words).encode(), text])
    return hashlib.sha256(whole.replace(os.fsencode(ROOT), b".")).hexdigest()


def faults_of(source, command, build, rules_text):
    """What is wrong with it, as text; nothing where it is good."""
    try:
        memory = MEMORY / digest_of(command, build, rules_text)
    except subprocess.CalledProcessError as failed:
        return failed.stderr.decode(errors="replace")
    if memory.exists():
        memory.touch()
        return ""
    done = subprocess.run([PROGRAM, "--quiet", "-p", str(build), str(source)], capture_output=True, text=True)
    if done.returncode == 0:
        memory.touch()
        return ""
    return done.stdout or done.stderr


def forget_old():
    MEMORY.mkdir(parents=True, exist_ok=True)
    for memory in MEMORY.iterdir():
        if time.time() - memory.stat().st_mtime > FORGOTTEN_AFTER:
            memory.unlink(missing_ok=True)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    forget_old()
    rules_text = rules()
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        running = [threads.submit(faults_of, source, command, build, rules_text)
                   for source, command in compile_commands(build)]
        faults = [text for text in (one.result() for one in concurrent.futures.as_completed(running)) if text]
    print("\n".join(faults), end="")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
