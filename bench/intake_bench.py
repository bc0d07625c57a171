#!/usr/bin/env python3
"""Durable intake of feedback: LMTP deliveries a second, each answered when what came of it is on disk.

Clients on loopback hand in complaints with a token each, every client over one connection that pipelines
(RFC 2920): envelope in one piece, content, then the next. Counts the daemon's answers, and at the end the
events stored.

  bench/intake_bench.py --watchpost build/release/src/watchpost
"""
import argparse
import multiprocessing
import pathlib
import shutil
import socket
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from feedback_mail import KEY, complaint, token  # noqa: E402
from testbed.mail_host import free_port  # noqa: E402
from testbed.watchpost import Watchpost, add_program_option  # noqa: E402

GOALS = {"deliveries/s": 2_000, "p99 ms": 50}


class Client:
    def __init__(self, port):
        self.link = socket.create_connection(("127.0.0.1", port))
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.expect(b"220")
        self.link.sendall(b"LHLO bench.example\r\n")
        self.expect(b"250")

    def expect(self, code):
        while True:
            while b"\r\n" not in self.rest:
                got = self.link.recv(65536)
                if not got:
                    raise ConnectionError("closed")
                self.rest += got
            line, self.rest = self.rest.split(b"\r\n", 1)
            if line[3:4] == b"-":
                continue
            if not line.startswith(code):
                raise AssertionError(line)
            return

    def deliver(self, content):
        self.link.sendall(b"MAIL FROM:<>\r\nRCPT TO:<c@feedback.example>\r\nDATA\r\n")
        for code in (b"250", b"250", b"354"):
            self.expect(code)
        self.link.sendall(content + b".\r\n")
        self.expect(b"250")


def run_clients(port, number, mails, connections, results):
    """One process: its connections take turns, each waiting for its own answer in a thread of its own."""
    import threading
    times, lock = [], threading.Lock()

    def one(which):
        client = Client(port)
        for content in mails[which::connections]:
            began = time.perf_counter()
            client.deliver(content)
            took = time.perf_counter() - began
            with lock:
                times.append(took)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((number, began, time.perf_counter(), times))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add_program_option(parser)
    parser.add_argument("--mails", type=int, default=40_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16, help="of each process")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-bench-"))
    port = free_port()
    watchpost = Watchpost(options.watchpost, folder,
                          f'[[source]]\nname = "feedback"\nkind = "feedback_mail"\nlisten = ["127.0.0.1:{port}"]\n{KEY}')
    try:
        watchpost.start()
        watchpost.wait_until(lambda: try_connect(port), "the intake listens")
        mails = [complaint(f"r{n}@gmail.com", token(f"r{n}@gmail.com", "acme", "spring")).encode()
                 for n in range(options.mails)]
        results = multiprocessing.Queue()
        workers = [multiprocessing.Process(target=run_clients, args=(port, n, mails[n::options.processes],
                                                                     options.connections, results))
                   for n in range(options.processes)]
        for worker in workers:
            worker.start()
        all_results = [results.get() for _ in workers]
        for worker in workers:
            worker.join()
        times = sorted(took for _, _, _, some in all_results for took in some)
        span = max(end for _, _, end, _ in all_results) - min(begin for _, begin, _, _ in all_results)
        stored = watchpost.json("status")["events"]
        print(f"{len(times)} mails of {len(mails[0])} bytes, {options.processes * options.connections} connections")
        print(f"deliveries/s {len(times) / span:,.0f} (goal {GOALS['deliveries/s']:,})")
        print(f"median {1000 * times[len(times) // 2]:.1f} ms, p99 {1000 * times[len(times) * 99 // 100]:.1f} ms "
              f"(goal {GOALS['p99 ms']})")
        print(f"events stored {stored:,}")
        return 0 if stored == options.mails else 1
    finally:
        watchpost.stop()
        shutil.rmtree(folder, ignore_errors=True)


def try_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
