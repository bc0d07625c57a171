#!/usr/bin/env python3
"""Whole-program figures: replay of a log, following it with every event stored, and the time from a
log line to the refusal. Prints each command and what it gave; docs/benchmarks.md explains them.

  ./dev bench end_to_end
  bench/end_to_end.py --watchpost build/release/src/watchpost --json figures.json
"""
import argparse
import datetime
import http.client
import json
import os
import pathlib
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from testbed.mail_host import free_port  # noqa: E402
from testbed.milter_client import CONTINUE, MilterClient  # noqa: E402
from testbed.watchpost import Watchpost, add_program_option  # noqa: E402

GOALS = {"replay lines/s": 1_500_000, "replay MiB": 300, "stored events/s": 100_000, "refusal p99 ms": 300, "milter refusal p99 ms": 300}

LATENCY = """
[listen]
[decide]
most_decisions = 1000000
most_share = 1.0
period = "1s"
[[source]]
kind = "postfix_log"
path = "{folder}/mail.log"
start = "beginning"
[[enforcer]]
kind = "postfix_policy"
listen = ["127.0.0.1:POLICY_PORT"]
"""

# Beside the detectors that ship, which count and judge: one that fires at a line that is known beforehand.
TENTH_BOUNCE = """
[[detector]]
name = "tenth bounce"
watch = ["credential"]
window = "1h"
when = "bounced(class == unknown_user) >= 10"
mode = "enforce"
then = ["suspend 1h"]
"""


BITE = """
[listen]
[decide]
most_decisions = 1000000
most_share = 1.0
period = "1s"
[[milter]]
role = "outbound"
listen = ["127.0.0.1:MILTER_PORT"]
"""
TENTH_MESSAGE = """
[[detector]]
name = "tenth message"
watch = ["credential"]
window = "1h"
when = "accepted >= 10"
mode = "enforce"
then = ["suspend 1h"]
"""


def tell(text):
    print(text, flush=True)


def run(command):
    """(standard output, seconds of processor time, peak memory in MiB) of a command that must not fail."""
    tell(f"$ {shlex.join(map(str, command))}")
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"it ended with {process.returncode}")
        out.seek(0)
        return out.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def shipped_configuration(folder, log):
    """The configuration that ships, with paths of its own."""
    text = (ROOT / "config/watchpost.toml").read_text()
    for old, new in {"/var/lib/watchpost": f"{folder}/data", "/run/watchpost/api.sock": f"{folder}/api.sock",
                     "127.0.0.1:8891": f"127.0.0.1:{free_port()}",
                     'path = "/var/log/mail.log"': f'path = "{log}"\nstart = "beginning"'}.items():
        assert old in text, f"config/watchpost.toml no longer has {old}"
        text = text.replace(old, new)
    return text


class Daemon(Watchpost):
    """With a whole configuration of its own, and a status that costs no process."""

    def configure(self, configuration):
        if "[store]" in configuration:
            self.config.write_text(configuration)
        else:
            super().configure(configuration)

    def status(self):
        line = http.client.HTTPConnection("localhost", timeout=30)
        line.sock = socket.socket(socket.AF_UNIX)
        line.sock.connect(str(self.socket))
        line.request("GET", "/v1/status")
        answer = json.loads(line.getresponse().read())
        line.close()
        return answer

    def memory(self):
        """Peak, in MiB."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def disk_sync(folder):
    """Milliseconds of writing a page and making it durable: no commit is faster than two of these."""
    spans = []
    with open(f"{folder}/probe", "wb", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            spans.append((time.perf_counter() - began) * 1000)
    return quantiles(spans)


def quantiles(spans):
    spans = sorted(spans)
    return {"p50_ms": round(statistics.median(spans), 2), "p99_ms": round(spans[-(len(spans) // 100) - 1], 2),
            "most_ms": round(spans[-1], 2)}


def feed(source, log, lines_per_second):
    """Writes the lines of one log to another, with the present time, until it is ended."""
    at = time.monotonic()
    with open(source, "rb") as lines, open(log, "ab", buffering=0) as out:
        while True:
            stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%b %e %H:%M:%S").encode()
            out.write(b"".join(stamp + lines.readline()[15:] for _ in range(lines_per_second // 100)))
            at += 0.01
            time.sleep(max(0, at - time.monotonic()))


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.log = folder / "benchmark.log"
        self.figures = {"cores": os.cpu_count(), "disk_sync": disk_sync(folder)}
        tell(f"{os.cpu_count()} cores; a page is on disk in {self.figures['disk_sync']}")

    def make_log(self):
        start = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=7)).strftime("%Y-%m-%dT%H:%M:%S")
        command = ["tools/make_postfix_log.py", "--lines", str(self.options.lines), "--seed", "1", "--start", start,
                   "--stolen", str(self.folder / "truth.json")]
        tell(f"$ {shlex.join(command)} > {self.log}")
        with self.log.open("wb") as out:
            subprocess.run([sys.executable, *command], cwd=ROOT, stdout=out, check=True)
        self.figures["log_mb"] = round(self.log.stat().st_size / 1e6, 1)

    def replay(self):
        """On one core; best of several, since whatever else runs only ever makes it slower."""
        config = self.folder / "replay.toml"
        config.write_text(shipped_configuration(self.folder, self.log))
        command = ["taskset", "-c", "0", self.options.watchpost, "-c", str(config), "-o", "json", "replay",
                   "--source", "postfix_log", str(self.log)]
        seconds, processor, memory = [], [], 0
        for _ in range(self.options.repeat):
            out, used, peak = run(command)
            report = json.loads(out)
            seconds.append(round(report["seconds"], 3))
            processor.append(round(used, 3))
            memory = max(memory, peak)
        lines = report["lines"]
        stolen = json.loads((self.folder / "truth.json").read_text())["login"]
        assert any(stolen in signal["stream"] for signal in report["signals"]) or lines < 500_000, "the stolen login was not found"
        self.events = report["events"]
        self.figures["replay"] = {
            "lines": lines, "events": self.events, "signals": len(report["signals"]), "seconds": seconds,
            "processor_seconds": processor,
            "lines_per_second": round(lines / min(seconds)), "peak_mib": round(memory, 1)}
        self.say("replay lines/s", lines / min(seconds))
        self.say("replay MiB", memory, least=False)

    def store(self):
        """From the start of the daemon until all events of the log are committed."""
        folder = self.folder / "serve"
        folder.mkdir()
        daemon = Daemon(self.options.watchpost, folder, shipped_configuration(folder, self.log))
        tell(f"$ {shlex.join([daemon.program, '-c', str(daemon.config), 'serve'])}")
        began = time.monotonic()
        daemon.start(wait=False)
        try:
            daemon.wait_until(lambda: daemon.socket.exists() and self.answers(daemon), "the daemon answers")
            daemon.wait_until(lambda: daemon.status()["events"] >= self.events, "all events are stored", 600)
            seconds = time.monotonic() - began
            memory = daemon.memory()
            daemon.stop()
        finally:
            if daemon.process:
                daemon.kill()
        size = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
        self.figures["store"] = {
            "events": self.events, "seconds": round(seconds, 3), "events_per_second": round(self.events / seconds),
            "lines_per_second": round(self.options.lines / seconds), "peak_mib": round(memory, 1),
            "bytes_per_event": round(size / self.events)}
        self.say("stored events/s", self.events / seconds)

    @staticmethod
    def answers(daemon):
        try:
            return daemon.status()
        except (OSError, http.client.HTTPException):
            return False

    def refusal(self, name, lines_per_second, folder):
        """From the bounce line that meets a detector's condition to the refusal Postfix would get."""
        port = free_port()
        text = (ROOT / "config/watchpost.toml").read_text()
        shipped = text[text.index("[[detector]]"):]
        daemon = Daemon(self.options.watchpost, folder, LATENCY.replace("POLICY_PORT", str(port)) + shipped + TENTH_BOUNCE)
        log = folder / "mail.log"
        log.touch()
        tell(f"$ {shlex.join([daemon.program, '-c', str(daemon.config), 'serve'])}")
        daemon.start()
        writer = None
        try:
            if lines_per_second:
                writer = subprocess.Popen([sys.executable, __file__, "--feed", str(self.log), str(log), str(lines_per_second)])
            spans = [self.one_refusal(daemon, log, port, number) for number in range(self.options.refusals)]
        finally:
            if writer:
                writer.kill()
                writer.wait()
            if daemon.process:
                daemon.stop(seconds=120)
        figures = {"refusals": len(spans), "other_lines_per_second": lines_per_second, **quantiles(spans)}
        self.figures[name] = figures
        tell(f"  {name}: p50 {figures['p50_ms']} ms, most {figures['most_ms']} ms, {len(spans)} logins, "
             f"{lines_per_second} other lines/s")
        self.say("refusal p99 ms", figures["p99_ms"], least=False)

    def one_refusal(self, daemon, log, port, number):
        login = f"stolen{number}@shop{number}.example"
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        question = f"request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username={login}\n\n".encode()

        def lines(message):
            queue_id = f"{number:04X}{message:02X}F"
            to = f"nobody{message}@there.example"
            return (f"{stamp} mx1 postfix/submission/smtpd[71]: {queue_id}: client=unknown[203.0.113.9], sasl_method=PLAIN, sasl_username={login}\n"
                    f"{stamp} mx1 postfix/cleanup[72]: {queue_id}: message-id=<{queue_id}@shop.example>\n"
                    f"{stamp} mx1 postfix/qmgr[73]: {queue_id}: from=<{login}>, size=1234, nrcpt=1 (queue active)\n",
                    f"{stamp} mx1 postfix/smtp[74]: {queue_id}: to=<{to}>, relay=mx.there.example[192.0.2.7]:25, delay=1, delays=0.1/0/0.4/0.5, dsn=5.1.1, status=bounced (host mx.there.example[192.0.2.7] said: 550 5.1.1 <{to}>: Recipient address rejected: User unknown (in reply to RCPT TO command))\n")

        bounces = [lines(message) for message in range(10)]
        with log.open("ab", buffering=0) as out, socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            answers = line.makefile("rb")

            def refused():
                line.sendall(question)
                action = answers.readline()
                answers.readline()
                return b"dunno" not in action.lower()

            def counted():
                found = self.get(daemon, f"/v1/events?limit=100&credential={login}&kind=bounced")["events"]
                return len(found) >= 9

            out.write("".join(begin + end for begin, end in bounces[:9]).encode() + bounces[9][0].encode())
            daemon.wait_until(counted, "nine bounces are counted")
            assert not refused(), f"{login} was refused too early"
            began = time.perf_counter()
            out.write(bounces[9][1].encode())
            while not refused():
                if time.perf_counter() - began > 30:
                    raise SystemExit(f"{login} was not refused in 30 s\n{daemon.tail()}")
            return (time.perf_counter() - began) * 1000

    def bite(self, folder):
        """From the end of the message that meets a detector's condition to the refusal in another milter session."""
        port = free_port()
        text = (ROOT / "config/watchpost.toml").read_text()
        shipped = text[text.index("[[detector]]"):]
        daemon = Daemon(self.options.watchpost, folder, BITE.replace("MILTER_PORT", str(port)) + shipped + TENTH_MESSAGE)
        daemon.start()
        try:
            spans = [self.one_bite(port, number) for number in range(self.options.refusals)]
        finally:
            daemon.stop(seconds=120)
        self.figures["milter refusal"] = {"refusals": len(spans), **quantiles(spans)}
        tell(f"  milter refusal: p50 {quantiles(spans)['p50_ms']} ms, most {quantiles(spans)['most_ms']} ms, {len(spans)} logins")
        self.say("milter refusal p99 ms", quantiles(spans)["p99_ms"], least=False)

    @staticmethod
    def one_bite(port, number):
        login = f"stolen{number}@shop{number}.example"
        macros = {"auth_authen": login, "auth_type": "PLAIN"}
        sending, other = MilterClient(port, macros=macros), MilterClient(port, macros=macros)
        fields = [("From", f" <{login}>"), ("Subject", " Hello"), ("Message-ID", f" <{number}@shop.example>")]
        for message in range(10):
            sending.mail(login)
            sending.rcpt("anybody@there.example", i=f"{number:04X}{message:02X}F")
            began = time.perf_counter()
            letter, _ = sending.message(fields, b"Hello\r\n", i=f"{number:04X}{message:02X}F")
            assert letter == CONTINUE, letter
        other.mail(login)
        while other.rcpt("anybody@there.example")[0] == CONTINUE:
            if time.perf_counter() - began > 30:
                raise SystemExit(f"{login} was not refused in 30 s")
            other.abort()
            other.mail(login)
        sending.close()
        other.close()
        return (time.perf_counter() - began) * 1000

    @staticmethod
    def get(daemon, path):
        line = http.client.HTTPConnection("localhost", timeout=30)
        line.sock = socket.socket(socket.AF_UNIX)
        line.sock.connect(str(daemon.socket))
        line.request("GET", path)
        answer = json.loads(line.getresponse().read())
        line.close()
        return answer

    def say(self, name, value, least=True):
        goal = GOALS[name]
        reached = value >= goal if least else value <= goal
        bound = "at least" if least else "at most"
        tell(f"  {name}: {value:,.1f}; goal {bound} {goal:,}: {'reached' if reached else 'NOT REACHED'}, "
             f"ratio {value / goal:.2f}")


def main():
    if sys.argv[1:2] == ["--feed"]:
        feed(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_program_option(parser)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5, help="how often the log is replayed")
    parser.add_argument("--refusals", type=int, default=200)
    parser.add_argument("--only", choices=["replay", "store", "refusal", "bite"])
    parser.add_argument("--folder", help="where the data goes; default: a temporary folder")
    parser.add_argument("--json", help="write the figures there")
    options = parser.parse_args()
    options.watchpost = str(pathlib.Path(options.watchpost).resolve())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-bench-", dir=options.folder))
    try:
        bench = Bench(options, folder)
        bench.make_log()
        if options.only not in ("refusal", "bite"):
            bench.replay()
        if options.only in (None, "store"):
            bench.store()
        if options.only in (None, "bite"):
            with tempfile.TemporaryDirectory(prefix="bite-", dir=folder) as scratch:
                bench.bite(pathlib.Path(scratch))
        if options.only in (None, "refusal"):
            for name, other in ("refusal", 0), ("refusal beside other mail", 5000):
                with tempfile.TemporaryDirectory(prefix="refusal-", dir=folder) as scratch:
                    bench.refusal(name, other, pathlib.Path(scratch))
            # What of it is the disk's: the same where nothing has to reach one.
            with tempfile.TemporaryDirectory(prefix="watchpost-bench-", dir="/dev/shm") as scratch:
                bench.refusal("refusal, data in memory", 5000, pathlib.Path(scratch))
        text = json.dumps(bench.figures, indent=1)
        tell(text)
        if options.json:
            pathlib.Path(options.json).write_text(text + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
