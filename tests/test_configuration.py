"""Configuration: faults are shown where they are, and a running daemon keeps what works."""
import pathlib
import signal
import subprocess
import unittest

from support import (LOG_SOURCE, PROGRAM, UNKNOWN_USERS, DaemonTest, bounces, events, free_port, login_lines,
                     over_tcp, wait_for_decision, wait_for_events, write)

# text, line, column, what is said
FAULTS = [
    ('[store]\npath = "x"\nparth = "y"\n', 3, 1, "did you mean `path`?"),
    ('[store\npath = "x"\n', 1, None, ""),
    ('[store]\npath = "x\n', 2, None, ""),
    ('[store]\npath = "x"\n[store]\npath = "y"\n', 3, None, ""),
    ('[store]\npath = 7\n', 2, 8, "text in quotes"),
    ('[store]\npath = "x"\nkeep = 30\n', 3, 8, "duration in quotes"),
    ('[store]\npath = "x"\nkeep = "30 fortnights"\n', 3, 8, "fortnights"),
    ('[events]\nstore = "yes"\n', 2, 9, "true or false"),
    ('[decide]\nmost_decisions = 2.5\n', 2, 18, "whole number"),
    ('[decide]\nmost_decisions = -1\n', 2, 18, "must be from 0"),
    ('[decide]\nprotect = "credential=a"\n', 2, 11, "list of texts"),
    ('[decide]\nprotect = ["login=a"]\n', 2, 12, "login"),
    ('[decide]\nalarm_target = "desk"\n[[notify]]\nname = "disk"\nkind = "syslog"\n', 2, 16, "did you mean `disk`?"),
    ('[[sources]]\nkind = "postfix_log"\npath = "x"\n', 1, 3, "did you mean `source`?"),
    ('[source]\nkind = "postfix_log"\npath = "x"\n', 1, None, "[[source]]"),
    ('[[source]]\nkind = "postfix-log"\npath = "x"\n', 2, 8, "did you mean `postfix_log`?"),
    ('[[source]]\nkind = "postfix_log"\n', 1, None, "`path` is missing"),
    ('[[source]]\nkind = "events"\npath = "a"\n[[source]]\nkind = "events"\npath = "b"\n', None, None, "two tables"),
    ('[[enforcer]]\nkind = "postfix_policy"\nlisten = "127.0.0.1:1"\n', 3, 10, "list of texts"),
    ('[[detector]]\nname = "d"\nwatch = ["credential"]\nwhen = "bounced > fife"\n', 4, 19, ""),
    ('[[detector]]\nname = "d"\nwatch = ["credential"]\nwhen = "bounct > 5"\n', 4, 9, "did you mean `bounced`?"),
    ('[[detector]]\nname = "d"\nwatch = ["credential"]\nwhen = "bounced(class == unknown_usr) > 5"\n',
     4, 26, "did you mean `unknown_user`?"),
    ('[[detector]]\nname = "d"\nwatch = ["kredential"]\nwhen = "bounced > 5"\n', 3, None, "kredential"),
    ('[[detector]]\nname = "d"\nwatch = ["credential"]\nwhen = "bounced > 5"\nthen = ["suspend"]\n', 5, None, "suspend"),
    ('[[detector]]\nname = "d"\nwatch = ["credential"]\nwhen = "bounced > 5"\nthen = ["notify desk"]\n',
     5, 9, "there is no [[notify]] named `desk`"),
    ('[[detector]]\nname = "d"\nwatch = ["credential"]\nwhen = "bounced > 5"\nmode = "on"\n', 5, 8, "is none of"),
    ('[[detector]]\nname = "d"\nwatch = ["credential"]\nwhen = "bounced > 5"\nmode = "enforce"\n', None, None, "it must say what to do"),
    ('[[map]]\nset = "customer"\nfrom = "credential"\npattern = "("\n', None, None, "("),
    ('[[listen.token]]\nname = "t"\n', 1, None, "`token` or `token_file`"),
    ('[store]\npath = "\\u001b[31m"\n[x\x1b]\n', 3, None, ""),
]


def check(path):
    return subprocess.run([PROGRAM, "-c", str(path), "config", "check"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False)


class Faults(DaemonTest):
    def test_faults_are_shown_where_they_are(self):
        path = self.folder / "watchpost.toml"
        for text, line, column, says in FAULTS:
            with self.subTest(text):
                path.write_text(text)
                done = check(path)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertEqual(done.stdout, "")
                place = "" if line is None else f"{path}:{line}:" + ("" if column is None else f"{column}:")
                self.assertIn(place, done.stderr)
                self.assertIn(says, done.stderr)
                self.assertNotIn("\x1b", done.stderr)

    def test_all_faults_are_shown_at_once(self):
        path = self.folder / "watchpost.toml"
        path.write_text('[store]\nparth = "x"\n[decide]\ngrace = 1\n[[detector]]\nname = "d"\n')
        errors = check(path).stderr
        for place in (":2:1:", ":4:9:"):
            self.assertIn(place, errors)
        self.assertIn("`watch` is missing", errors)

    def test_files_that_it_names_are_looked_at(self):
        path = self.folder / "watchpost.toml"
        for text in ('[events]\nreply_classes = "/nonexistent/x.toml"\n',
                     '[[listen.token]]\nname = "t"\ntoken_file = "/nonexistent/x.toml"\n'):
            path.write_text(text)
            done = check(path)
            self.assertEqual(done.returncode, 1, text)
            self.assertIn("/nonexistent/x.toml", done.stderr)

    def test_a_missing_file(self):
        done = check(self.folder / "nothing.toml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing.toml", done.stderr)

    def test_as_json(self):
        daemon = self.watchpost('[decide]\ngrace = 1\n', start=False)
        code, out, error = daemon.run("-o", "json", "config", "check", check=False)
        self.assertEqual((code, error), (1, ""))
        self.assertIn('"ok":false', out)
        self.assertIn("watchpost.toml:", out)

    def test_warnings_are_no_faults(self):
        rule = UNKNOWN_USERS.replace('watch', 'watch = ["customer campaign"]\n# watch', 1)
        daemon = self.watchpost(rule + '[[enforcer]]\nname = "p"\nkind = "postfix_policy"\n'
                                       'listen = ["127.0.0.1:0"]\n', start=False)
        code, out, error = daemon.run("config", "check", check=False)
        self.assertEqual(code, 0)
        self.assertIn("warning: [[detector]] `unknown users`", error)
        self.assertIn("does not say the campaign", error)
        self.assertIn("is good", out)
        out = daemon.run("-o", "json", "config", "check")[1]
        self.assertIn('"ok":true', out)
        self.assertIn("[[detector]] `unknown users`", out)
        daemon.start()
        daemon.wait_until(lambda: "does not say the campaign" in daemon.tail(), "the daemon warns, too")

    def test_serve_refuses(self):
        daemon = self.watchpost('[decide]\ngrace = 1\n', start=False)
        daemon.start(wait=False)
        daemon.wait_until(lambda: daemon.process.poll() is not None, "the daemon ends")
        self.assertEqual(daemon.stop(), 1)
        self.assertIn("`grace` wants a duration", daemon.tail())
        self.assertFalse((self.folder / "data").exists())

    def test_garbage(self):
        path = self.folder / "watchpost.toml"
        for garbage in (b"\0" * 1000, b"\xff\xfe\x00[store]", b"[" * 100_000, b"a=" + b"[" * 100_000,
                        b"a." * 50_000 + b"a=1", b'a="' + b"x" * 5_000_000):
            with self.subTest(garbage[:20]):
                path.write_bytes(garbage)
                done = subprocess.run([PROGRAM, "-c", str(path), "config", "check"], capture_output=True,
                                      timeout=120, check=False)
                self.assertEqual(done.returncode, 1, done.stderr[:500])
                self.assertLess(len(done.stderr), 20_000)


class Show(DaemonTest):
    def test_secrets_are_hidden_and_defaults_shown(self):
        text = ('[listen]\n[[listen.token]]\nname = "desk"\ntoken = "hunter2hunter2"\nrole = "viewer"\n'
                '[[enforcer]]\nname = "hook"\nkind = "webhook"\nurl = "https://hook.example/"\n'
                'secret = "swordfish"\n')
        daemon = self.watchpost(text + UNKNOWN_USERS, start=False)
        out = daemon.run("config", "show")[1]
        self.assertNotIn("hunter2", out)
        self.assertNotIn("swordfish", out)
        self.assertEqual(out.count('"(secret)"'), 2)
        for setting in ('grace = "1h"', 'name = "unknown users"', 'window = "1h"', "error_rate = "):
            self.assertIn(setting, out)
        # What it shows is a configuration itself.
        again = self.folder / "again.toml"
        again.write_text(out)
        self.assertEqual(check(again).returncode, 0, check(again).stderr)

    def test_drop_ins(self):
        daemon = self.watchpost(LOG_SOURCE + '[decide]\ngrace = "2h"\n', start=False)
        drop_ins = pathlib.Path(f"{daemon.config}.d")
        drop_ins.mkdir()
        (drop_ins / "20-b.toml").write_text('[decide]\ngrace = "4h"\n' + UNKNOWN_USERS)
        (drop_ins / "10-a.toml").write_text('[decide]\ngrace = "3h"\nstale = "7m"\n')
        (drop_ins / "30.toml.off").write_text("nonsense")
        out = daemon.run("config", "show")[1]
        for setting in ('grace = "4h"', 'stale = "7m"', 'name = "unknown users"', "mail.log"):
            self.assertIn(setting, out)
        (drop_ins / "20-b.toml").write_text('\n\n[decide]\n  grase = "4h"\n')
        error = self.complain(daemon, "config", "check", code=1, says="did you mean `grace`?")
        self.assertIn(f"{drop_ins}/20-b.toml:4:3:", error)


class Reload(DaemonTest):
    def begin(self, more=""):
        self.text = LOG_SOURCE + UNKNOWN_USERS + more
        return self.watchpost(self.text)

    def test_a_broken_file_leaves_the_running_one(self):
        daemon = self.begin()
        daemon.configure(self.text.replace("guard", "gard"))
        error = self.complain(daemon, "reload", code=4, says="did you mean `guard`?")
        self.assertIn(f"{daemon.config}:", error)
        self.log(bounces("mallory", 6))
        wait_for_decision(daemon)

    def test_a_changed_detector_keeps_its_counters(self):
        daemon = self.begin()
        self.log(bounces("mallory", 4))
        wait_for_events(daemon, 12)
        self.assertEqual(daemon.json("status")["active_decisions"], 0)
        daemon.configure(self.text.replace(">= 5", ">= 3").replace("suspend 1h", "hold 2h"))
        daemon.run("reload")
        self.log(bounces("mallory", 1, first=5))
        decision = wait_for_decision(daemon)
        self.assertEqual(decision["measure"], "hold 2h")
        incident = daemon.json("incident", "show", decision["incident"])["incident"]
        counts = incident["evidence"][0]["signal"]["counts"]
        self.assertEqual(max(counts.values()), 5, counts)

    def test_tables_that_need_a_restart_are_named(self):
        daemon = self.begin()
        daemon.configure(self.text.replace(">= 5", ">= 3") + "[decide]\nmost_decisions = 1\n")
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace("[store]\n", '[store]\nkeep = "5d"\n'))
        error = self.complain(daemon, "reload", code=4, says="[store]")
        self.assertNotIn("[decide]", error)
        self.assertNotIn("[[detector]]", error)
        # All or nothing: the guard is the old one.
        self.log(bounces("mallory", 4))
        wait_for_events(daemon, 12)
        self.assertEqual(daemon.json("status")["active_decisions"], 0)
        daemon.config.write_text(text + LOG_SOURCE.replace("{folder}", "/tmp") + 'name = "two"\n')
        self.complain(daemon, "reload", code=4, says="[[source]]")

    def test_tokens_and_bounds_are_taken_over(self):
        port = free_port()
        listen = f'[listen]\napi = "127.0.0.1:{port}"\n[[listen.token]]\nname = "t"\ntoken = "TOKEN"\n'
        daemon = self.watchpost(listen)
        self.assertEqual(over_tcp(port, "GET", "/v1/status", token="TOKEN")[0], 200)
        daemon.configure(listen.replace("TOKEN", "OTHER"))
        daemon.run("reload")
        self.assertEqual(over_tcp(port, "GET", "/v1/status", token="TOKEN")[0], 401)
        self.assertEqual(over_tcp(port, "GET", "/v1/status", token="OTHER")[0], 200)

    def test_sighup(self):
        daemon = self.begin()
        daemon.configure(self.text.replace("guard", "gard"))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: "the running configuration stays" in daemon.tail(), "it says so")
        self.assertIn("did you mean `guard`?", daemon.tail())
        daemon.configure(self.text.replace(">= 5", ">= 2"))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: "reloaded by SIGHUP" in daemon.tail(), "it is reloaded")
        self.log(bounces("mallory", 2))
        wait_for_decision(daemon)

    def test_reload_under_load_loses_no_event(self):
        daemon = self.begin()
        for turn in range(10):
            self.log(login_lines(turn * 100, turn * 100 + 100))
            daemon.configure(self.text.replace(">= 5", f">= {5 + turn}"))
            daemon.run("reload")
        seen = wait_for_events(daemon, 1000)
        self.assertEqual(len({event["credential"] for event in seen}), 1000)
        self.assertEqual(len(events(daemon)), 1000)
        self.assertEqual(len([row for row in daemon.json("audit")["audit"] if "reload" in row["what"]]), 10)

    def test_a_secret_file_that_is_gone(self):
        token = self.folder / "token"
        write(token, "TOKEN\n")
        listen = (f'[listen]\napi = "127.0.0.1:{free_port()}"\n'
                  f'[[listen.token]]\nname = "t"\ntoken_file = "{token}"\n')
        daemon = self.watchpost(listen)
        token.unlink()
        self.complain(daemon, "reload", code=4, says=str(token))


if __name__ == "__main__":
    unittest.main()
