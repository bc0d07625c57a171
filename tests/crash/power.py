#!/usr/bin/env python3
"""Power fails while mail is put into the quarantine: what was acknowledged is there, whole.

The data folder is on a file system of its own, on a loop device, which writes nothing by itself; clients that speak
as a mail server hand in mail of which all is to be kept. At a random time the file system is shut down without what
it had not yet written (EXT4_IOC_SHUTDOWN with its no-log-flush flag), the daemon is killed, the file system mounted
anew and the daemon started again. Then every message that was answered with "discard" before is held, with its bytes.
Needs root and loop devices: skipped elsewhere.
"""
import argparse
import fcntl
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from testbed.mail_host import free_port  # noqa: E402
from testbed.milter_client import MilterClient  # noqa: E402
from testbed.watchpost import Watchpost, add_program_option  # noqa: E402

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32): linux/ext4.h
NO_LOG_FLUSH = 2
SKIPPED = 77
CONFIGURATION = """
[dns]
servers = ["127.0.0.1:9"]
timeout = "100ms"
message_time = "200ms"
[quarantine]
key_file = "{folder}/quarantine.key"
path = "{folder}/disk/quarantine"
[[milter]]
role = "inbound"
listen = ["127.0.0.1:{port}"]
[[filter]]
name = "all"
when = 'recipients > 0'
then = "quarantine"
mode = "enforce"
"""


class Disk:
    def __init__(self, folder):
        self.image, self.place = folder / "disk.img", folder / "disk"
        self.place.mkdir()
        with self.image.open("wb") as image:
            image.truncate(8 << 30)  # sparse: what 200 rounds keep stays in it
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True, capture_output=True)

    def mount(self):
        return subprocess.run(["mount", "-o", "loop,commit=300", str(self.image), str(self.place)],
                              capture_output=True).returncode == 0

    def lose_power(self):
        place = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(place, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(place)

    def unmount(self):
        for _ in range(100):
            if subprocess.run(["umount", str(self.place)], capture_output=True).returncode == 0:
                return
            time.sleep(0.05)


class Client(threading.Thread):
    def __init__(self, port, name, seed):
        super().__init__(daemon=True)
        self.port, self.name_, self.random = port, name, random.Random(seed)
        self.kept = {}  # queue id -> bytes
        self.stopping = False

    def run(self):
        while not self.stopping:
            try:
                client = MilterClient(self.port)
                while not self.stopping:
                    self.hand_in(client)
            except (OSError, ConnectionError, struct.error):
                time.sleep(0.05)

    def hand_in(self, client):
        queue_id = f"{self.name_}{len(self.kept)}-{self.random.randrange(1 << 40):X}"
        body = self.random.randbytes(self.random.randrange(10, 20_000)).hex().encode() + b"\r\n"
        fields = [("From", " <jo@shop.example>"), ("Subject", f" {queue_id}")]
        client.mail("jo@shop.example", i=queue_id)
        client.rcpt("you@receiver.example", i=queue_id)
        letter, _ = client.message(fields, body, i=queue_id)
        if letter == b"d":
            head = "".join(f"{name}:{value}\r\n" for name, value in fields)
            self.kept[queue_id] = head.encode() + b"\r\n" + body


def run(options):
    chance = random.Random(options.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-power-"))
    port = free_port()
    disk = Disk(folder)
    if not disk.mount():
        shutil.rmtree(folder)
        return None
    watchpost = Watchpost(options.watchpost, folder, CONFIGURATION.replace("{port}", str(port)))
    watchpost.config.write_text(watchpost.config.read_text().replace(f'"{folder}/data"', f'"{folder}/disk/data"'))
    watchpost.make_key(folder / "quarantine.key")
    clients = []
    try:
        watchpost.start()
        for number in range(options.rounds):
            clients = [Client(port, f"R{number}C{one}N", chance.randrange(1 << 32)) for one in range(4)]
            for client in clients:
                client.start()
            watchpost.wait_until(lambda: any(client.kept for client in clients), "something is kept")
            time.sleep(chance.uniform(0, 2))
            # What is answered from now on says nothing: a flush that is under way as the file system is shut down may
            # end well, with nothing written.
            kept = {name: message for client in clients for name, message in dict(client.kept).items()}
            disk.lose_power()
            time.sleep(chance.uniform(0, 0.2))
            watchpost.kill()
            for client in clients:
                client.stopping = True
            for client in clients:
                client.join(60)
            disk.unmount()
            if not disk.mount():
                return ["the file system cannot be mounted again"]
            watchpost.start()
            faults = check(watchpost, folder, kept, f"R{number}C")
            print(f"round {number}: {len(kept)} acknowledged, {len(faults)} faults", flush=True)
            if faults:
                return faults
        return []
    finally:
        for client in clients:
            client.stopping = True
        if watchpost.process:
            watchpost.kill()
        disk.unmount()
        shutil.rmtree(folder, ignore_errors=True)


def check(watchpost, folder, kept, mine):
    held = {one["queue_id"]: one["id"] for one in watchpost.all_of("held", "quarantine", "list", "--limit", "1000")
            if one["queue_id"].startswith(mine)}
    faults = [f"{name}: acknowledged and not held" for name in kept if name not in held]
    if not kept:
        faults.append("nothing was acknowledged")
    # Each one's bytes are checked as they are read; some of them beside what was sent as well.
    for name in [name for name in kept if name in held][:20]:
        watchpost.run("quarantine", "export", held[name], "-f", str(folder / "one.eml"))
        if (folder / "one.eml").read_bytes() != kept[name]:
            faults.append(f"{name}: other bytes")
        (folder / "one.eml").unlink()
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add_program_option(parser)
    parser.add_argument("--rounds", type=int, default=200 if os.environ.get("WATCHPOST_LONG") else 5)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        print("skipped: this needs root, and mkfs.ext4")
        return SKIPPED
    faults = run(options)
    if faults is None:
        print("skipped: there are no loop devices here")
        return SKIPPED
    for fault in faults[:20]:
        print(fault)
    print(f"seed {options.seed}, {options.rounds} rounds: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
