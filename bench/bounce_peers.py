#!/usr/bin/env python3
"""Messages a second of `watchpost feedback parse` beside other readers of returned mail, over the same messages in the
same run, one process each. Readers that are not installed are left out.

  bench/bounce_peers.py --watchpost build/release/src/watchpost ../shared/corpora/bounces
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

COPIES = 20

FLUFL = """
import email, pathlib, sys
from flufl.bounce import all_failures
for name in sys.argv[1:]:
    all_failures(email.message_from_bytes(pathlib.Path(name).read_bytes()))
"""
BOUNCE_PARSER = r"""
use Mail::DeliveryStatus::BounceParser;
for my $name (@ARGV) {
  open(my $file, '<', $name) or die "$name: $!";
  local $/;
  my $text = <$file>;
  eval { my @all = Mail::DeliveryStatus::BounceParser->new($text)->reports; };
}
"""


def processor_seconds(command):
    """Of a command whose output goes nowhere; None where it cannot be run."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=nowhere, stderr=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime if process.returncode == 0 else None


def messages_of(folder):
    """Those that are one message each: no mboxes, and none whose lines end as on an old Mac."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".eml", ".msg", ".txt") and path.is_file():
            text = path.read_bytes()
            if b"\n" in text and not text.startswith(b"From "):
                found.append((path, text))
    return found


def write_mbox(messages, path):
    with open(path, "wb") as mbox:
        for _ in range(COPIES):
            for _, text in messages:
                quoted = re.sub(rb"(?m)^(>*From )", rb">\1", text)
                mbox.write(b"From MAILER-DAEMON Tue Nov 24 10:11:13 2026\n" + quoted.rstrip(b"\n") + b"\n\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchpost", default="build/release/src/watchpost")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    messages = messages_of(options.folder)
    if not messages:
        sys.exit(f"{options.folder}: no messages there")
    names = [str(path) for path, _ in messages]
    size = sum(len(text) for _, text in messages) / len(messages)
    print(f"{len(messages)} messages of {size:.0f} bytes on average; processor time, one process, best of three")
    with tempfile.TemporaryDirectory() as scratch:
        mbox = pathlib.Path(scratch) / "messages.mbox"
        write_mbox(messages, mbox)
        readers = [
            ("watchpost", [options.watchpost, "feedback", "parse", "-o", "json", "--as", "mbox", str(mbox)], COPIES),
            ("flufl.bounce", ["/usr/bin/python3", "-c", FLUFL, *names], 1),
            ("BounceParser", ["perl", "-e", BOUNCE_PARSER, "--", *names], 1),
        ]
        ours = None
        for name, command, copies in readers:
            times = [seconds for _ in range(3) if (seconds := processor_seconds(command)) is not None]
            if not times:
                print(f"{name:14} is not there, or failed")
                continue
            rate = len(messages) * copies / min(times)
            ours = ours or rate
            print(f"{name:14} {rate:9,.0f} messages/s" + ("" if rate == ours else f"   1/{ours / rate:.0f}"))


if __name__ == "__main__":
    main()
