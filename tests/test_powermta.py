"""PowerMTA accounting files, followed through rotation and read by replay; where clients are."""
import gzip
import os
import struct
import time
import unittest

from support import DaemonTest, events, wait_for_events, write

HEADER = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,srcMta,vmta,jobId\r\n"
SOURCE = """
[[source]]
kind = "powermta_csv"
path = "{folder}/PATH"
start = "START"
[source.columns]
customer = ["vmta"]
"""


def source(path, start="beginning"):
    return SOURCE.replace("PATH", path).replace("START", start)


def record(name, kind="d", reply="smtp;250 ok", client="198.51.100.4"):
    now = int(time.time())
    status = "2.0.0 (success)" if kind == "d" else "5.1.1 (bad destination mailbox address)"
    return f"{kind},{now},{now - 2},a@shop.example,{name}@example.com,{status},{reply},app ({client}),acme,autumn\r\n"


def records(first, last):
    return "".join(record(f"r{n}") for n in range(first, last))


def recipients(first, last):
    return [f"r{n}@example.com" for n in range(first, last)]


class PowerMta(DaemonTest):
    def stored(self, daemon, count):
        return [event["recipient"] for event in wait_for_events(daemon, count)]

    def test_one_file_through_rotation_and_restart(self):
        path = self.folder / "acct.csv"
        write(path, HEADER + records(0, 20))
        daemon = self.watchpost(source("acct.csv"))
        self.assertEqual(self.stored(daemon, 20), recipients(0, 20))
        event = events(daemon)[0]
        self.assertEqual((event["customer"], event["campaign"], event["client_network"]),
                         ("acme", "autumn", "198.51.100.0/24"))
        self.assertNotIn("client_country", event)
        # A record that is there in part is waited for, through a restart as well.
        half = record("r20", "b", '"smtp;550 5.1.1\r\n no such user"')
        write(path, half[:-40])
        daemon.stop()
        daemon.start()
        write(path, half[-40:] + records(21, 30))
        self.assertEqual(self.stored(daemon, 30), recipients(0, 30))
        os.rename(path, self.folder / "acct-2026-11-24-0000.csv")
        write(path, HEADER + records(30, 40))
        self.assertEqual(self.stored(daemon, 40), recipients(0, 40))
        write(path, record("last"))
        self.assertEqual(self.stored(daemon, 41), recipients(0, 40) + ["last@example.com"])
        self.assertEqual(daemon.json("sources")["sources"][0]["unread"], {})

    def test_dated_files_in_the_order_of_their_names(self):
        def file(number):
            return self.folder / f"acct-2026-11-24-{number:04}.csv"

        write(file(1), HEADER + records(10, 20))
        write(file(0), HEADER + records(0, 10))
        write(self.folder / "acct-fbl-2026-11-24-0000.csv", HEADER + records(90, 99))
        daemon = self.watchpost(source("acct-*.csv"))
        self.assertEqual(self.stored(daemon, 20), recipients(0, 20))
        write(file(2), HEADER + records(20, 30))
        self.assertEqual(self.stored(daemon, 30), recipients(0, 30))
        daemon.stop()
        write(file(2), records(30, 40))
        # Another layout from here on.
        write(file(3), "type,rcpt,timeLogged\r\n" + f"d,r40@example.com,{int(time.time())}\r\n")
        write(file(4), HEADER + records(41, 50))
        daemon.start()
        self.assertEqual(self.stored(daemon, 50), recipients(0, 50))
        # Moved away while it is read: what was in it counts, and the next one follows.
        write(file(4), records(50, 55))
        os.makedirs(self.folder / "old")
        os.rename(file(4), self.folder / "old" / file(4).name)
        self.assertEqual(self.stored(daemon, 55), recipients(0, 55))
        write(file(5), HEADER + records(55, 60))
        self.assertEqual(self.stored(daemon, 60), recipients(0, 60))

    def test_a_start_at_the_end_knows_the_columns(self):
        path = self.folder / "acct.csv"
        write(path, HEADER + records(0, 50))
        daemon = self.watchpost(source("acct.csv", "end"))
        daemon.wait_until(lambda: daemon.json("sources")["sources"][0]["state"] == "following",
                          "it follows")
        write(path, records(50, 60))
        self.assertEqual(self.stored(daemon, 10), recipients(50, 60))

    def test_replay_reads_files_packed_ones_and_standard_input(self):
        daemon = self.watchpost("", start=False)
        text = HEADER + records(0, 30) + "d,yesterday,,,,,,,,\r\n"
        write(self.folder / "plain.csv", text)
        with gzip.open(self.folder / "packed.csv.gz", "wt", newline="") as packed:
            packed.write(text)
        report = daemon.json("replay", "--source", "powermta_csv", str(self.folder / "plain.csv"),
                             str(self.folder / "packed.csv.gz"))
        self.assertEqual((report["events"], report["unread"]), (60, {"bad_time": 2}))
        out = daemon.run("replay", "--source", "powermta_csv", "-", stdin=text)[1]
        self.assertIn("30 events", out)


def mmdb(countries):
    """A MaxMind DB (format 2.0) of /24 networks: {"192.0.2": "DE"}."""
    def text(value):
        return bytes([2 << 5 | len(value)]) + value.encode()

    def table(entries):
        return bytes([7 << 5 | len(entries)]) + b"".join(text(k) + v for k, v in entries.items())

    def number(kind, value):
        digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return bytes([kind << 5 | len(digits)]) + digits

    nodes, data = [[None, None]], b""
    for network, country in countries.items():
        bits = "".join(f"{int(part):08b}" for part in network.split("."))
        node = 0
        for bit in bits[:-1]:
            if nodes[node][int(bit)] is None:
                nodes.append([None, None])
                nodes[node][int(bit)] = len(nodes) - 1
            node = nodes[node][int(bit)]
        nodes[node][int(bits[-1])] = ("data", len(data))
        data += table({"country": table({"iso_code": text(country)})})
    count = len(nodes)
    tree = b""
    for side in (side for node in nodes for side in node):
        place = count if side is None else count + 16 + side[1] if isinstance(side, tuple) else side
        tree += struct.pack(">I", place)[1:]
    about = {"binary_format_major_version": number(5, 2), "binary_format_minor_version": number(5, 0),
             "build_epoch": b"\x04\x02" + struct.pack(">I", 1700000000), "database_type": text("Test-Country"),
             "description": table({}), "ip_version": number(5, 4), "languages": b"\x00\x04",
             "node_count": number(6, count), "record_size": number(5, 24)}
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + table(about)


class Countries(DaemonTest):
    def setUp(self):
        super().setUp()
        self.database = self.folder / "geo.mmdb"
        self.configuration = '[geo]\ndatabase = "{folder}/geo.mmdb"\n' + source("acct.csv")

    def country(self, daemon, name):
        write(self.folder / "acct.csv", record(name))
        found = daemon.wait_until(
            lambda: [event for event in events(daemon) if event["recipient"] == f"{name}@example.com"],
            f"{name} is stored")
        return found[0].get("client_country")

    def test_a_database_is_checked_used_and_read_again(self):
        daemon = self.watchpost(self.configuration, start=False)
        self.complain(daemon, "config", "check", code=1, says="geo.mmdb")
        self.database.write_bytes(b"no database")
        self.complain(daemon, "config", "check", code=1, says="not a MaxMind DB")
        self.database.write_bytes(mmdb({"198.51.100": "BR"}))
        daemon.run("config", "check")
        daemon.start()
        write(self.folder / "acct.csv", HEADER)
        self.assertEqual(self.country(daemon, "one"), "BR")
        # Overwritten in place by something that is none: the old one goes on.
        self.database.write_bytes(b"")
        self.assertNotEqual(daemon.run("reload", check=False)[0], 0)
        self.assertEqual(self.country(daemon, "two"), "BR")
        self.database.write_bytes(mmdb({"198.51.100": "PL"}))
        daemon.run("reload")
        self.assertEqual(self.country(daemon, "three"), "PL")

    def test_it_does_not_start_without_the_database_it_is_told_to_use(self):
        daemon = self.watchpost(self.configuration, start=False)
        self.complain(daemon, "serve", code=1, says="geo.mmdb")


if __name__ == "__main__":
    unittest.main()
