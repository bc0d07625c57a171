"""A log that is followed through all that happens to logs: each line counts once."""
import gzip
import json
import os
import shutil
import subprocess
import unittest

from support import (LOG_SOURCE, PROGRAM, DaemonTest, bounces, events, login_line, login_lines, message_begins,
                     message_ends, names, now, wait_for_events, write)

NOBODY = 65534


class Follow(DaemonTest):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "mail.log"

    def stored(self, watchpost, count):
        """The logins stored, in the order of the log, once there are so many."""
        return [event["credential"] for event in wait_for_events(watchpost, count)]

    def check(self, watchpost, count):
        # All are there; a straggler that is there twice would come behind them.
        self.stored(watchpost, count)
        self.log(login_line("last"))
        seen = self.stored(watchpost, count + 1)
        self.assertEqual(sorted(seen), sorted(names(0, count) + ["last"]))
        source = watchpost.json("sources")["sources"][0]
        self.assertEqual(source["state"], "following")
        self.assertTrue(source["healthy"])
        watchpost.wait_until(
            lambda: watchpost.json("sources")["sources"][0]["bytes_behind"] == 0, "it is not behind")

    def test_rename_and_create(self):
        self.log(login_lines(0, 50))
        daemon = self.watchpost(LOG_SOURCE)
        self.stored(daemon, 50)
        os.rename(self.path, self.folder / "mail.log.1")
        # The writer has the old file open a while longer.
        write(self.folder / "mail.log.1", login_lines(50, 60))
        self.stored(daemon, 60)
        self.log(login_lines(60, 90))
        self.check(daemon, 90)

    def test_many_rotations_while_running(self):
        self.log(login_lines(0, 20))
        daemon = self.watchpost(LOG_SOURCE)
        self.stored(daemon, 20)
        for turn in range(20):
            if turn > 0:
                self.log(login_lines(turn * 20, turn * 20 + 20))
            for number in range(turn, 0, -1):
                os.rename(self.folder / f"mail.log.{number}", self.folder / f"mail.log.{number + 1}")
            os.rename(self.path, self.folder / "mail.log.1")
        self.log(login_lines(400, 410))
        self.check(daemon, 410)

    def test_copy_and_truncate(self):
        self.log(login_lines(0, 50))
        daemon = self.watchpost(LOG_SOURCE)
        self.stored(daemon, 50)
        shutil.copy(self.path, self.folder / "mail.log.1")
        os.truncate(self.path, 0)
        self.log(login_lines(50, 60))
        self.check(daemon, 60)

    def test_copy_and_truncate_with_more_than_before(self):
        self.log(login_lines(0, 10))
        daemon = self.watchpost(LOG_SOURCE)
        self.stored(daemon, 10)
        daemon.stop()
        self.log(login_lines(10, 15))
        shutil.copy(self.path, self.folder / "mail.log.1")
        os.truncate(self.path, 0)
        # The new one is longer than the old one was.
        self.log(login_lines(15, 90))
        daemon.start()
        self.check(daemon, 90)

    def test_truncated_without_a_copy_is_read_anew(self):
        self.log(login_lines(0, 50))
        daemon = self.watchpost(LOG_SOURCE)
        self.stored(daemon, 50)
        os.truncate(self.path, 0)
        self.log(login_lines(50, 55))
        self.check(daemon, 55)

    def test_rotated_and_packed_while_away(self):
        for packed, pack in ((".gz", self.pack_gzip), (".zst", self.pack_zstd)):
            with self.subTest(packed):
                folder = self.folder / packed[1:]
                folder.mkdir()
                self.path = folder / "mail.log"
                write(self.path, login_lines(0, 50))
                daemon = self.watchpost(LOG_SOURCE, folder=folder)
                self.stored(daemon, 50)
                daemon.stop()
                write(self.path, login_lines(50, 70))
                os.rename(self.path, folder / "mail.log.2")
                write(folder / "mail.log.1", login_lines(70, 80))
                write(self.path, login_lines(80, 100))
                pack(folder / "mail.log.2")
                daemon.start()
                self.assertEqual(self.stored(daemon, 100), names(0, 100))
                write(self.path, login_line("last"))
                self.assertEqual(self.stored(daemon, 101), names(0, 100) + ["last"])
                daemon.stop()

    def pack_gzip(self, path):
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        shutil.copystat(path, f"{path}.gz")
        path.unlink()

    def pack_zstd(self, path):
        subprocess.run(["zstd", "-q", "--rm", str(path)], check=True)

    def test_identical_first_lines(self):
        header = f"{now()} mx1 rsyslogd: the log begins\n"
        self.log(header + login_lines(10, 30))
        daemon = self.watchpost(LOG_SOURCE)
        self.stored(daemon, 20)
        os.rename(self.path, self.folder / "mail.log.1")
        # The same first line, and then lines at the same places.
        self.log(header + login_lines(30, 50))
        self.assertEqual(self.stored(daemon, 40), names(10, 50))
        daemon.stop()
        os.rename(self.folder / "mail.log.1", self.folder / "mail.log.2")
        os.rename(self.path, self.folder / "mail.log.1")
        self.log(header + login_lines(50, 70))
        daemon.start()
        self.assertEqual(self.stored(daemon, 60), names(10, 70))

    def test_identical_lines_each_count(self):
        self.log(login_line("same") * 30)
        daemon = self.watchpost(LOG_SOURCE)
        self.stored(daemon, 30)
        daemon.stop()
        daemon.start()
        self.log(login_line("last"))
        self.assertEqual(self.stored(daemon, 31), ["same"] * 30 + ["last"])

    def test_restart_in_the_middle_of_a_message(self):
        self.log(message_begins("4FAAAA0001", "alice", "192.0.2.55"))
        daemon = self.watchpost(LOG_SOURCE)
        wait_for_events(daemon, 1, "--kind", "accepted")
        daemon.stop()
        self.log(message_ends("4FAAAA0001", "b@example.net"))
        daemon.start()
        delivered = wait_for_events(daemon, 1, "--kind", "delivered")[0]
        self.assertEqual(delivered["credential"], "alice")
        self.assertEqual(delivered["client_ip"], "192.0.2.55")
        self.assertEqual(delivered["message_id"], "4FAAAA0001@sender.example")
        self.assertEqual(len(events(daemon)), 3)  # login, accepted, delivered

    def test_restart_before_a_message_is_accepted(self):
        first, *rest = message_begins("4FAAAA0002", "alice").splitlines(keepends=True)
        self.log(login_line("before") + first)
        daemon = self.watchpost(LOG_SOURCE)
        wait_for_events(daemon, 2)
        daemon.stop()
        self.log("".join(rest) + message_ends("4FAAAA0002", "b@example.net"))
        daemon.start()
        delivered = wait_for_events(daemon, 1, "--kind", "delivered")[0]
        self.assertEqual(delivered["credential"], "alice")

    def test_many_restarts(self):
        daemon = self.watchpost(LOG_SOURCE, start=False)
        for turn in range(6):
            self.log(login_lines(turn * 300, turn * 300 + 250))
            daemon.start()
            self.log(login_lines(turn * 300 + 250, turn * 300 + 300))
            daemon.stop()
        daemon.start()
        self.assertEqual(sorted(self.stored(daemon, 1800)), sorted(names(0, 1800)))

    def test_a_missing_log_is_waited_for(self):
        daemon = self.watchpost(LOG_SOURCE.replace("beginning", "end"))

        def source():
            return daemon.json("sources")["sources"][0]
        daemon.wait_until(lambda: "does not exist" in source()["state"], "it says what it waits for")
        self.assertFalse(source()["healthy"])
        self.assertIn("mail.log", source()["state"])
        self.assertIn("does not exist", daemon.run("sources")[1])
        self.log(login_lines(0, 5))
        self.check(daemon, 5)

    @unittest.skipUnless(os.geteuid() == 0, "takes root to run the daemon as another user")
    def test_a_log_that_may_not_be_read(self):
        self.folder.chmod(0o755)
        home = self.folder / "home"
        home.mkdir()
        os.chown(home, NOBODY, NOBODY)
        logs = self.folder / "logs"
        logs.mkdir(mode=0o700)
        path = logs / "mail.log"
        write(path, login_lines(0, 5))
        path.chmod(0o600)
        configuration = LOG_SOURCE.replace("{folder}/mail.log", str(path))
        runner = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self.require_reachable(runner)
        daemon = self.watchpost(configuration, folder=home, runner=runner)

        def state():
            return daemon.json("sources")["sources"][0]["state"]
        daemon.wait_until(lambda: "ermission denied" in state(), "it says that it may not")
        self.assertFalse(daemon.json("sources")["sources"][0]["healthy"])
        logs.chmod(0o755)  # the folder was the first obstacle, the file is the next
        daemon.wait_until(lambda: "ermission denied" in state(), "it still may not")
        self.assertEqual(events(daemon), [])
        path.chmod(0o644)
        self.assertEqual(self.stored(daemon, 5), names(0, 5))
        daemon.wait_until(lambda: state() == "following", "it follows")

    def require_reachable(self, runner):
        done = subprocess.run([*runner, PROGRAM, "--version"], capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest("the program cannot be run by another user where it is")

    def test_hostile_bytes(self):
        odd = [b"evil\x1b[31mred", b"nul\x00byte", b"\xff\xfe\xfd", b"r\xc3\xa9sum\xc3\xa9", b"\xe2\x80\xaegnp",
               b"tab\there", b"del\x7f", b"cr\rmiddle"]
        for name in odd:
            line = login_line("NAME").encode().replace(b"NAME", name)
            write(self.path, line)
        self.log(login_lines(0, 10))
        daemon = self.watchpost(LOG_SOURCE)
        seen = self.stored(daemon, 18)
        self.assertEqual(seen[8:], names(0, 10))
        self.assertEqual(seen[0], "evil\x1b[31mred")
        self.assertEqual(seen[3], "r\u00e9sum\u00e9")
        table = daemon.run("events")[1]
        self.assertEqual([c for c in table if c != "\n" and (c < " " or c in "\x7f\u202e")], [])

    def test_very_long_lines_and_garbage(self):
        self.log(login_line("login0"))
        write(self.path, b"x" * 3_000_000 + b"\n")
        self.log(login_line("login1"))
        write(self.path, login_line("y" * 200_000))
        self.log(login_line("login2"))
        write(self.path, os.urandom(20_000).replace(b"\n", b"") + b"\n\n\n\0\0\0\0\n")
        self.log(login_line("login3"))
        daemon = self.watchpost(LOG_SOURCE)
        wait_for_events(daemon, 1, "credential=login3")
        seen = [event.get("credential", "") for event in events(daemon)]
        self.assertEqual([name for name in seen if name and name[0] != "y"], names(0, 4))
        for name in seen:
            self.assertLess(len(name), 20_000)
        source = daemon.json("sources")["sources"][0]
        self.assertGreaterEqual(source["unread_total"], 3)
        self.assertEqual(source["unread"]["line_too_long"]["count"], 3)
        for entry in source["unread"].values():
            for sample in entry["samples"]:
                self.assertLess(len(sample), 5000)

    def test_a_partial_last_line_waits_for_its_end(self):
        first, line = login_line("login0"), login_line("login1")
        half, rest = line[:60], line[60:]
        self.log(first + half)
        daemon = self.watchpost(LOG_SOURCE)
        self.assertEqual(self.stored(daemon, 1), names(0, 1))
        daemon.stop()
        daemon.start()
        self.log(rest + login_line("login2"))
        self.assertEqual(self.stored(daemon, 3), names(0, 3))

    def test_own_format(self):
        path = self.folder / "events.ndjson"
        lines = [json.dumps({"v": 1, "id": f"e{n}", "at": now(n - 200), "kind": "complained",
                             "recipient": f"r{n}@example.net"}) for n in range(100)]
        write(path, "\n".join(lines[:60]) + "\nnonsense\n" + "\n".join(lines[30:]) + "\n")
        daemon = self.watchpost(
            f'[[source]]\nkind = "events"\npath = "{path}"\nstart = "beginning"\n')
        seen = [event["recipient"] for event in wait_for_events(daemon, 100)]
        self.assertEqual(sorted(seen), sorted(f"r{n}@example.net" for n in range(100)))
        source = daemon.json("sources")["sources"][0]
        self.assertEqual(source["lines"], 131)
        self.assertEqual(source["unread_total"], 1)
        self.assertEqual(source["unread"]["bad_event"]["samples"], ["nonsense"])

    def test_two_logs(self):
        more = (LOG_SOURCE.replace("mail.log", "mail2.log") + 'name = "second"\n')
        self.log(login_lines(0, 40))
        write(self.folder / "mail2.log", login_lines(40, 80))
        daemon = self.watchpost(LOG_SOURCE + more)
        self.assertEqual(sorted(self.stored(daemon, 80)), sorted(names(0, 80)))
        self.assertEqual(len(events(daemon, "source=second")), 40)

    def test_a_message_line_by_line_makes_its_events_once(self):
        daemon = self.watchpost(LOG_SOURCE)
        for line in bounces("bob", 3).splitlines(keepends=True):
            self.log(line)
        wait_for_events(daemon, 9)
        kinds = [event["kind"] for event in events(daemon)]
        self.assertEqual(sorted(kinds), sorted(["login", "accepted", "bounced"] * 3))


if __name__ == "__main__":
    unittest.main()
