#!/usr/bin/env python3
"""Messages a second through a milter: Watchpost and rspamd at equal checks (SPF, DKIM, DMARC, ARC, one field written), and
a real Postfix without a milter, with each of them. One run, one machine; what is not installed is left out.

  bench/milter_peers.py --watchpost build/release/src/watchpost --bench build/release/bench/milter_bench

Needs root: rspamd and Postfix drop their rights by themselves. Name servers, mail servers and clients are all on loopback.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from testbed.mail_host import MailHost, free_port  # noqa: E402
from testbed.watchpost import Watchpost  # noqa: E402

US = "receiver.example"
RSPAMD = """options {{
  pidfile = "{folder}/rspamd.pid";
  filters = "dkim";
  local_addrs = [];
  dns {{ nameserver = ["127.0.0.1:{dns}:10"]; timeout = 2s; retransmits = 2; }}
}}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "warning"; }}
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}";
  milter = yes;
  timeout = 60s;
  count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
modules {{ path = "/usr/share/rspamd/plugins/"; }}
spf {{ }}
dkim {{ }}
dmarc {{ }}
arc {{ }}
milter_headers {{ use = ["authentication-results"]; }}
actions {{ reject = 150000; add_header = 60000; greylist = 40000; }}
"""
UNBOUND = """server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  num-threads: 1
  do-not-query-localhost: no
  local-zone: "example." static
  local-zone: "in-addr.arpa." static
{records}
"""
WATCHPOST = """
[dns]
servers = ["127.0.0.1:{dns}"]
[identity]
authserv_id = "mx.receiver.example"
[[milter]]
role   = "inbound"
listen = ["127.0.0.1:{port}", "unix:{folder}/milter.sock"]
socket_mode = "0666"
connections = 10000
"""


class World:
    """A name server and the signed message that everybody checks."""
    def __init__(self, watchpost):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-bench-"))
        self.folder.chmod(0o755)
        self.processes = []
        self.dns = free_port()
        key = self.folder / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        record = subprocess.run([watchpost, "dkim", "record", "--key", key], check=True, capture_output=True, text=True)
        text = record.stdout.strip()
        body = "".join(f"This is line {n} of a letter that is neither short nor long, as letters are.\r\n" for n in range(138))
        plain = ("Received: from mx.shop.example by mx.receiver.example; Sun, 29 Nov 2026 07:00:00 +0000\r\n"
                 f"From: Jo <jo@shop.example>\r\nTo: <you@{US}>\r\nSubject: Your order of yesterday\r\n"
                 "Date: Sun, 29 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\nMIME-Version: 1.0\r\n"
                 f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}")
        (self.folder / "plain.eml").write_bytes(plain.encode())
        signed = subprocess.run([watchpost, "dkim", "sign", str(self.folder / "plain.eml"), "--key", key, "--domain",
                                 "shop.example", "--selector", "s"], check=True, capture_output=True)
        self.message = self.folder / "signed.eml"
        self.message.write_bytes(signed.stdout)
        chunks = " ".join(f'\\"{text[at:at + 250]}\\"' for at in range(0, len(text), 250)).replace('\\"', '"')
        records = [f"shop.example. TXT \"v=spf1 ip4:192.0.2.0/24 ip4:127.0.0.0/8 -all\"",
                   "_dmarc.shop.example. TXT \"v=DMARC1; p=reject\"", f"s._domainkey.shop.example. TXT {chunks}",
                   "mx.shop.example. A 192.0.2.1"]
        lines = [f"  local-data: '{record}'" for record in records]
        lines.append("  local-data: '1.2.0.192.in-addr.arpa. PTR mx.shop.example.'")
        config = self.folder / "unbound.conf"
        config.write_text(UNBOUND.format(port=self.dns, folder=self.folder, records="\n".join(lines)))
        self.start(["/usr/sbin/unbound", "-d", "-c", str(config)])

    def start(self, command, **how):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=(self.folder / "errors.log").open("ab"), **how)
        self.processes.append(process)
        return process

    def rspamd(self):
        """(port, pids), or None where it is not installed."""
        if not shutil.which("rspamd"):
            return None
        port = free_port()
        folder = self.folder / "rspamd"
        folder.mkdir()
        shutil.chown(folder, "_rspamd", "_rspamd")
        (folder / "rspamd.conf").write_text(RSPAMD.format(folder=folder, dns=self.dns, port=port))
        main = self.start(["rspamd", "-c", str(folder / "rspamd.conf"), "-f", "-u", "_rspamd", "-g", "_rspamd"])
        wait_for(port)
        children = subprocess.run(["pgrep", "-P", str(main.pid)], capture_output=True, text=True, check=False).stdout.split()
        return port, [main.pid, *map(int, children)]

    def end(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_for(port):
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens at {port}")


def load(bench, where, connections, messages, message, pids):
    """One run of the load client: its figures, with the server's processor time for a message."""
    done = subprocess.run([bench, "--connect", where, "--connections", str(connections), "--messages", str(messages),
                           "--message", str(message), "--client", "192.0.2.1", "--from", "jo@shop.example", "--to", f"you@{US}",
                           "--pid", ",".join(map(str, pids))], check=True, capture_output=True, text=True)
    found = re.search(r"([\d.]+) messages/s  p50 ([\d.]+) ms  p99 ([\d.]+) ms +([\d.]+) us", done.stdout)
    if not found:
        raise RuntimeError(f"not understood: {done.stdout} {done.stderr}")
    rate, p50, p99, processor = map(float, found.groups())
    return {"rate": rate, "p50": p50, "p99": p99, "us": processor}


def sockets(options, world, places):
    print(f"{'':32}{'connections':>12}{'messages/s':>12}{'CPU us':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for name, where, pids, messages in places:
        load(options.bench, where, 4, 200, world.message, pids)  # names are known from here on
        for connections in (1, 8, 32):
            runs = [load(options.bench, where, connections, messages, world.message, pids) for _ in range(options.runs)]
            one = sorted(runs, key=lambda run: run["rate"])[len(runs) // 2]
            print(f"{name:32}{connections:>12}{one['rate']:>12.0f}{one['us']:>9.0f}{one['p50']:>9.2f}{one['p99']:>9.2f}",
                  flush=True)


def through_postfix(options, world, milters):
    """Messages a second that Postfix accepts from smtp-source, without a milter and with each, and the latency at a steady rate."""
    sink = free_port()
    world.start(["smtp-sink", "-u", "postfix", f"127.0.0.1:{sink}", "1000"])
    wait_for(sink)
    hosts = {}
    spool = "/dev/shm" if os.path.isdir("/dev/shm") else None
    try:
        for name, milter in milters.items():
            folder = tempfile.mkdtemp(prefix="watchpost-bench-", dir=spool)
            host = MailHost(folder, sink, {}, receives=(US,), mx_milters=milter, more="milter_default_action = tempfail\n")
            hosts[name] = host
            host.start()
        if options.steady:
            steady(options, world, hosts)
        rates = {name: [] for name in hosts}
        for sessions in (1, 20):
            for name in hosts:
                rates[name] = []
            for _ in range(options.runs):
                for name, host in hosts.items():  # in turns: the machine is noisy
                    count = options.mails if sessions > 1 else options.mails // 2
                    began = time.monotonic()
                    subprocess.run(["smtp-source", "-s", str(sessions), "-m", str(count), "-l", "10240", "-f",
                                    "jo@shop.example", "-t", f"you@{US}", f"127.0.0.1:{host.mx_port}"], check=True)
                    rates[name].append(count / (time.monotonic() - began))
            for name in hosts:
                median = statistics.median(rates[name])
                share = median / statistics.median(rates["no milter"])
                print(f"Postfix, {sessions:2} sessions, {name:24}{median:>10.0f} messages/s{share:>8.2f} of no milter", flush=True)
    finally:
        for host in hosts.values():
            host.remove()


class Steady:
    """Messages at a steady rate over some SMTP sessions. A message's end of data is due at a time of a schedule that nobody's
    slowness moves, and its latency is from there to the reply: who comes late because the one before was slow, has waited."""
    def __init__(self, port, message, rate, seconds, sessions):
        self.port, self.rate, self.sessions = port, rate, sessions
        self.count = int(rate * seconds)
        self.data = message.read_bytes().rstrip(b"\r\n")
        self.latencies, self.faults = [], []

    def run(self):
        self.begin = time.monotonic() + 0.2
        threads = [threading.Thread(target=self.session, args=(first,)) for first in range(self.sessions)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        if self.faults:
            raise RuntimeError(self.faults[0])
        ordered = sorted(self.latencies)
        return {"p50": statistics.median(ordered) * 1000, "p99": ordered[len(ordered) * 99 // 100] * 1000}

    def session(self, first):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line, line.makefile("rb") as replies:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.expect(replies, b"220")
                self.say(line, replies, b"EHLO client.example\r\n", b"250")
                for number in range(first, self.count, self.sessions):
                    self.say(line, replies, b"MAIL FROM:<jo@shop.example>\r\n", b"250")
                    self.say(line, replies, b"RCPT TO:<you@%s>\r\n" % US.encode(), b"250")
                    self.say(line, replies, b"DATA\r\n", b"354")
                    line.sendall(self.data)
                    due = self.begin + number / self.rate
                    time.sleep(max(0, due - time.monotonic()))
                    self.say(line, replies, b"\r\n.\r\n", b"250")
                    self.latencies.append(time.monotonic() - due)
                line.sendall(b"QUIT\r\n")
        except (OSError, RuntimeError) as error:
            self.faults.append(error)

    def say(self, line, replies, text, wanted):
        line.sendall(text)
        self.expect(replies, wanted)

    @staticmethod
    def expect(replies, wanted):
        while (reply := replies.readline())[3:4] == b"-":
            pass
        if not reply.startswith(wanted):
            raise RuntimeError(f"not {wanted}: {reply}")


def steady(options, world, hosts):
    """What each milter adds to the time from a message's end to Postfix's reply. In turns; the round with the least p99
    without a milter is the one that other programs disturbed least."""
    rounds = []
    for _ in range(options.runs):
        rounds.append({name: Steady(host.mx_port, world.message, options.steady, options.seconds, 8).run()
                       for name, host in hosts.items()})
        for name, one in rounds[-1].items():
            print(f"Postfix, steady {options.steady}/s, {name:24}p50 {one['p50']:8.2f} ms  p99 {one['p99']:8.2f} ms", flush=True)
    quiet = min(rounds, key=lambda one: one["no milter"]["p99"])
    for name, one in quiet.items():
        p50, p99 = (one[which] - quiet["no milter"][which] for which in ("p50", "p99"))
        print(f"Postfix, steady {options.steady}/s, least disturbed round, {name} adds: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchpost", default=str(ROOT / "build/release/src/watchpost"))
    parser.add_argument("--bench", default=str(ROOT / "build/release/bench/milter_bench"))
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--steady", type=int, default=200, help="messages a second through Postfix for latencies; 0: none")
    parser.add_argument("--seconds", type=float, default=10, help="of each steady run")
    parser.add_argument("--only", choices=("sockets", "postfix"), help="only the milters alone, or only through Postfix")
    options = parser.parse_args()
    world = World(options.watchpost)
    daemon = None
    try:
        port = free_port()
        folder = world.folder / "watchpost"
        folder.mkdir()
        text = WATCHPOST.replace("{dns}", str(world.dns)).replace("{port}", str(port))
        daemon = Watchpost(options.watchpost, folder, text)
        daemon.start()
        ours = [daemon.process.pid]
        places = [("Watchpost, UNIX socket", f"unix:{folder}/milter.sock", ours, options.messages),
                  ("Watchpost, TCP", f"inet:127.0.0.1:{port}", ours, options.messages)]
        milters = {"no milter": "", "Watchpost": f"inet:127.0.0.1:{port}"}
        if rspamd := world.rspamd():
            places.append(("rspamd 3.4, TCP", f"inet:127.0.0.1:{rspamd[0]}", rspamd[1], max(options.messages // 10, 500)))
            milters["rspamd"] = f"inet:127.0.0.1:{rspamd[0]}"
        if options.only != "postfix":
            sockets(options, world, places)
        if options.only != "sockets":
            through_postfix(options, world, milters)
    finally:
        if daemon:
            daemon.stop()
        world.end()


if __name__ == "__main__":
    main()
