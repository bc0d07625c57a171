"""Writes the script's lines to a log as a mail server and logrotate would."""
import gzip
import pathlib
import random
import shutil
import threading
import time


KEPT = 1000  # rotated files: all. A daemon that is killed before it reads, many times in a row, finds them


class MailLog(threading.Thread):
    """Writes from one round's share of the lines to the next as rounds are released. When asked to
    rotate, it does so between two lines."""

    def __init__(self, folder, lines, rounds, seed):
        super().__init__(daemon=True)
        self.path = pathlib.Path(folder) / "mail.log"
        self.path.parent.mkdir()
        self.lines = lines
        self.share = -(-len(lines) // rounds)
        self.released = threading.Semaphore(0)
        self.rotate_wanted = threading.Event()
        self.random = random.Random(seed)
        self.written = self.rotations = 0
        self.file = self.path.open("ab", buffering=0)

    def run(self):
        for number, (_, text) in enumerate(self.lines):
            if number % self.share == 0:
                self.released.acquire()
            if self.rotate_wanted.is_set():
                self.rotate()
            self.write(text.encode())
            self.written = number + 1
            if number % 16 == 0:
                time.sleep(0.004)  # a mail server has other things to do; the fault may fall anywhere
        self.file.close()

    def write(self, line):
        if self.random.random() < 0.05:  # seen half written now and then
            cut = self.random.randrange(1, len(line))
            self.file.write(line[:cut])
            time.sleep(0.001)
            line = line[cut:]
        self.file.write(line)

    def rotate(self):
        """Rename and create; what was rotated before is packed, or moves on."""
        self.rotate_wanted.clear()
        old = [self.path.with_name(f"mail.log.{number}") for number in range(1, KEPT + 2)]
        for end in ("", ".gz"):
            self.path.with_name(old[KEPT - 1].name + end).unlink(missing_ok=True)
        kept = sum(1 for path in old if path.exists() or path.with_name(path.name + ".gz").exists())
        for number in range(kept, 0, -1):
            name = old[number - 1].name
            for end in ("", ".gz"):
                there = self.path.with_name(name + end)
                if there.exists():
                    there.rename(self.path.with_name(old[number].name + end))
        if kept and old[1].exists() and self.random.random() < 0.5:
            self.pack(old[1])
        self.path.rename(old[0])
        self.file.close()
        self.file = self.path.open("ab", buffering=0)
        self.rotations += 1

    @staticmethod
    def pack(path):
        packed = path.with_name(path.name + ".gz")
        unfinished = path.with_name("unfinished")
        with path.open("rb") as plain, gzip.open(unfinished, "wb") as out:
            shutil.copyfileobj(plain, out)
        unfinished.rename(packed)
        path.unlink()
