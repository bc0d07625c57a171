"""Every command, for people and for programs, against a daemon with an incident."""
import gzip
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import unittest

from support import (LOG_SOURCE, PROGRAM, ROOT, UNKNOWN_USERS, DaemonTest, bounces, free_port, login_line,
                     message, now, over_unix, unsafe, wait_for_decision, wait_for_events, write)

HOSTILE = "evil\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\x7f\x00\r\nend"
ENFORCED = """
[[enforcer]]
name   = "submission"
kind   = "postfix_policy"
listen = ["127.0.0.1:{policy_port}"]

[[detector]]
name   = "shadow of it"
watch  = ["customer", "credential"]
window = "10m"
when   = "bounced >= 3"
mode   = "shadow"
then   = ["hold 1h"]

[[map]]
set     = "customer"
from    = "credential"
pattern = '@(.+)$'
"""
MALLORY = "mallory@shop.example"


def raw(*command, stdin=None, env=None):
    done = subprocess.run([PROGRAM, *command], capture_output=True, input=stdin, timeout=300, check=False,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Commands(DaemonTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.watchpost(
            LOG_SOURCE + UNKNOWN_USERS + ENFORCED.replace("{policy_port}", str(free_port())))
        self.log(bounces(MALLORY, 6) + message(50, "alice@shop.example"))
        wait_for_decision(self.daemon)
        wait_for_events(self.daemon, 21)

    def both(self, *arguments, has):
        """The command for people has these words; for programs it is one JSON object. Gives that."""
        out = self.daemon.run(*arguments)[1]
        for word in has:
            self.assertIn(word, out, arguments)
        self.assertEqual(unsafe(out), [], arguments)
        answer = self.daemon.run("-o", "json", *arguments)[1]
        self.assertEqual(answer.count("\n"), 1)
        value = json.loads(answer)
        self.assertIsInstance(value, dict)
        return value

    def test_looking(self):
        status = self.both("status", has=["storing: yes", "automatic measures: on", "postfix_log", "submission", "1 open"])
        self.assertEqual((status["events"], status["open_incidents"], status["active_decisions"]), (21, 1, 1))
        sources = self.both("sources", has=["SOURCE", "postfix_log", "following"])["sources"]
        self.assertEqual((sources[0]["lines"], sources[0]["events"]), (35, 21))
        streams = self.both("streams", has=["STREAM", f"credential={MALLORY}"])["streams"]
        self.assertTrue(streams)
        only = self.both("streams", "customer", "--limit", "1", has=["customer=shop.example"])["streams"]
        self.assertEqual([one["stream"] for one in only], ["customer=shop.example"])
        views = self.both("explain", f"credential={MALLORY}", has=["FIRING", "guard holds", "unknown users"])["detectors"]
        self.assertEqual({one["detector"] for one in views}, {"unknown users", "shadow of it"})
        self.assertEqual(self.daemon.json("explain", "credential=nobody")["detectors"][0]["firing"], False)
        incidents = self.both("incidents", has=["INCIDENT", "i-1", MALLORY])["incidents"]
        self.assertEqual(len(incidents), 1)
        self.both("incident", "show", "i-1", has=["Evidence", "Measures", "Timeline", "sample:", "unknown users", "d-1"])
        decisions = self.both("decisions", has=["d-1", "active", "suspend 1h", "submission"])["decisions"]
        self.assertEqual(decisions[0]["made_by"], "watchpost")
        shadow = self.both("decisions", "--shadow", has=["shadow of it", "hold 1h"])["shadow_decisions"]
        self.assertEqual({one["scope"] for one in shadow},
                         {"customer=shop.example", f"credential={MALLORY}"})
        self.both("notices", has=["No notices."])
        audit = self.both("audit", has=["WHO", "watchpost", "d-1"])["audit"]
        self.assertGreaterEqual(len(audit), 1)
        self.assertTrue(self.both("audit", "--verify", has=["intact"])["intact"])

    def test_searching(self):
        def count(*arguments):
            return len(self.both("events", *arguments, has=[])["events"])
        self.assertEqual(count(), 21)
        self.assertEqual(count("--kind", "bounced"), 6)
        self.assertEqual(count("credential=alice@shop.example"), 3)
        self.assertEqual(count(f"credential={MALLORY}", "class=unknown_user"), 6)
        self.assertEqual(count("customer=shop.example", "--kind", "login"), 7)
        self.assertEqual(count("recipient=gone3@example.net"), 1)
        self.assertEqual(count("message_id=4F00000032@sender.example"), 2)
        self.assertEqual(count("--where", 'class == unknown_user and recipient ends_with "4@example.net"'), 1)
        self.assertEqual(count("--since", "1h", "--until", "2099-01-01T00:00:00Z"), 21)
        self.assertEqual(count("--until", "1h"), 0)
        self.assertIn("No events.", self.daemon.run("events", "--until", "1h")[1])
        self.assertEqual(count("--limit", "10000"), 21)

    def test_pages(self):
        seen, after = [], []
        while True:
            answer = self.daemon.json("events", "--limit", "4", *after)
            seen += [one["id"] for one in answer["events"]]
            if not answer["next"]:
                break
            after = ["--after", answer["next"]]
        self.assertEqual(len(seen), 21)
        self.assertEqual(len(set(seen)), 21)
        self.assertIn("More: --after ", self.daemon.run("events", "--limit", "4")[1])

    def test_acting(self):
        self.both("incident", "note", "i-1", "asked the customer", has=["asked the customer"])
        self.both("incident", "confirm", "i-1", "bad_list", "--why", "it is", has=["verdict bad_list"])
        self.daemon.run("suspend", "customer=b", "--for", "2h", "--why", "ticket 1")
        self.both("hold", "customer=c", has=["hold 1h", "customer=c"])
        self.both("throttle", "customer=d", "--to", "7/1m", "--for", "30m", has=["throttle 7/1m for 30m"])
        self.both("decisions", has=["customer=b", "suspend 2h", "ticket 1", "customer=d"])
        self.assertIn("revoked", self.daemon.run("release", "customer=b", "--why", "w")[1])
        revoked = self.daemon.json("decision", "revoke", "d-1", "--why", "it is over")["decision"]
        self.assertEqual((revoked["state"], revoked["ended_why"]), ("revoked", "it is over"))
        self.both("decisions", "--all", has=["revoked", "active"])
        self.assertNotIn("revoked", self.daemon.run("decisions")[1])
        self.assertIn("false_positive", self.daemon.run("incident", "false-positive", "i-1")[1])
        self.both("incidents", "--all", has=["false_positive", "closed"])
        self.assertIn("off", self.daemon.run("automation", "off", "--why", "w")[1])
        self.both("status", has=["automatic measures: OFF"])
        self.assertEqual(self.daemon.json("automation", "on"), {"automation": True})
        self.both("reload", has=["in force"])

    def test_the_kill_switch_only_proposes_and_confirming_brings_into_force(self):
        self.daemon.run("automation", "off")
        self.log(bounces("trudy@shop.example", 6, first=100))
        decision = wait_for_decision(self.daemon, "proposed")
        self.assertEqual(decision["scope"], "credential=trudy@shop.example")
        self.daemon.stop()
        self.daemon.start()
        self.assertFalse(self.daemon.json("status")["automation"])
        # Nothing is suggested: the verdict has to be said.
        code, _, errors = self.daemon.run("incident", "confirm", decision["incident"], check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("say a verdict", errors)
        self.daemon.run("incident", "confirm", decision["incident"], "compromised")
        self.assertEqual(self.daemon.json("status")["active_decisions"], 2)

    def test_exit_codes(self):
        usage = [("nonsense",), (), ("events", "--kind", "bounct"), ("events", "credental=a"), ("events", "--where", "bounct"),
                 ("events", "--limit", "0"), ("events", "--since", "lately"), ("incident",), ("incident", "show"),
                 ("incident", "show", "x"), ("suspend",), ("suspend", "nonsense=1"), ("suspend", "customer=a", "--for", "ever"),
                 ("throttle", "customer=a", "--to", "many"), ("automation", "maybe"), ("-o", "xml", "status"),
                 ("streams", "kustomer"), ("completion", "csh"), ("replay",), ("replay", "--source", "nonsense", "x"),
                 ("explain", "customer"), ("incident", "confirm", "i-1", "guilty"), ("status", "--nonsense")]
        for arguments in usage:
            error = self.complain(self.daemon, *arguments, code=2)
            self.assertNotEqual(error, "", arguments)
        refused = [("incident", "show", "i-99"), ("incident", "note", "i-99", "x"), ("decision", "revoke", "d-99"),
                   ("release", "customer=nobody"), ("incident", "confirm", "i-99")]
        for arguments in refused:
            self.assertNotEqual(self.complain(self.daemon, *arguments, code=4), "", arguments)
        self.daemon.run("incident", "false-positive", "i-1")
        self.complain(self.daemon, "incident", "false-positive", "i-1", code=4, says="closed")
        self.complain(self.daemon, "decision", "revoke", "d-1", code=4, says="ended")
        self.daemon.stop()
        for arguments in (("status",), ("events",), ("suspend", "customer=a"), ("-o", "json", "incidents")):
            self.complain(self.daemon, *arguments, code=3, says="does not answer")

    def test_hostile_text_never_reaches_the_terminal(self):
        line = login_line("NAME").encode().replace(b"NAME", HOSTILE.split("\r")[0].encode())
        write(self.folder / "mail.log", line)
        wait_for_events(self.daemon, 22)
        body = self.folder / "hostile.json"
        fields = {name: HOSTILE for name in ("sender", "recipient", "reply", "client_ip", "customer", "campaign")}
        lines = [json.dumps({"v": 1, "id": f"h{n}", "at": login_line("")[:32], "kind": "bounced", "credential": HOSTILE,
                             "class": "unknown_user", "reply_code": 550, **fields}) for n in range(6)]
        body.write_text("\n".join(lines) + "\n")
        self.push(body.read_bytes() + HOSTILE.encode())
        self.daemon.wait_until(lambda: self.daemon.json("status")["open_incidents"] == 2, "a second incident is open")
        self.daemon.run("incident", "note", "i-2", HOSTILE.replace("\0", ""))
        self.complain(self.daemon, "suspend", "credential=" + HOSTILE.replace("\0", ""), "--for", "x" + HOSTILE[:9], code=2)
        self.daemon.run("hold", 'customer="' + HOSTILE.replace("\0", "").replace("\r\n", "") + '"', "--why", HOSTILE[:20])
        for arguments in (("status",), ("sources",), ("events",), ("streams",), ("incidents",), ("incident", "show", "i-2"),
                          ("decisions",), ("decisions", "--shadow"), ("audit",), ("notices",),
                          ("events", "--where", f'reply contains "{HOSTILE[:5]}"'),
                          ("events", "--where", f'reply == "{HOSTILE[:12]}"'), ("events", "nonsense" + HOSTILE[:12]),
                          ("incident", "show", HOSTILE[:9]), (HOSTILE[:9],), ("events", "--kind", HOSTILE[:9])):
            with self.subTest(arguments[:2]):
                _, out, error = self.daemon.run(*arguments, check=False)
                self.assertEqual(unsafe(out + error), [])
        for arguments in (("events",), ("incident", "show", "i-2"), ("decisions",), ("streams",), ("sources",), ("audit",)):
            with self.subTest(("json", *arguments)):
                out = self.daemon.run("-o", "json", *arguments)[1]
                self.assertEqual(unsafe(out), [])
                json.loads(out)

    def push(self, body):
        status, text = over_unix(self.daemon, "POST", "/v1/events", body)[:2]
        self.assertEqual(status, 200, text)

    def test_colour_only_on_a_terminal(self):
        self.assertNotIn("\x1b", self.daemon.run("status")[1])
        command = [PROGRAM, "-c", str(self.daemon.config), "incidents"]
        self.assertIn("\x1b[", on_a_terminal(command, {}))
        self.assertNotIn("\x1b[", on_a_terminal(command, {"NO_COLOR": "1"}))
        self.assertNotIn("\x1b", on_a_terminal(command[:-1] + ["-o", "json", "incidents"], {}))

    def test_the_socket_is_found_through_the_configuration_and_the_environment(self):
        self.assertEqual(raw("-c", str(self.daemon.config), "status")[0], 0)
        self.assertEqual(raw("status", env={"WATCHPOST_CONFIG": str(self.daemon.config)})[0], 0)
        self.assertEqual(raw("status", env={"WATCHPOST_SOCKET": str(self.daemon.socket)})[0], 0)
        self.assertEqual(raw("-c", "/nonexistent", "status")[0], 3)
        # Options of the whole program may stand anywhere.
        self.assertEqual(raw("incidents", "-o", "json", "-c", str(self.daemon.config))[0], 0)


def on_a_terminal(command, env):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                          env={**clean, **env}) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:
                break
            if not more:
                break
            seen += more
    os.close(ours)
    assert process.returncode == 0, seen
    return seen.decode()


class Undone(DaemonTest):
    def test_what_comes_again_within_the_second_of_an_undo_is_not_forgotten(self):
        daemon = self.watchpost(LOG_SOURCE + UNKNOWN_USERS + '[decide]\ngrace = "1s"\n')
        whole_second = re.compile(r"\.\d{6}\+")

        def put(first):
            # All of one second, as traditional stamps have it.
            nonlocal stamp
            lines = bounces(MALLORY, 6, first).splitlines(keepends=True)
            self.log("".join(stamp + line[len(stamp):] for line in lines))
        stamp = whole_second.sub(".000000+", now())
        put(1)
        wait_for_decision(daemon)
        daemon.run("release", f"credential={MALLORY}")
        put(100)
        wait_for_events(daemon, 36)
        self.assertEqual(daemon.json("status")["active_decisions"], 0)
        daemon.wait_until(lambda: "grace ended" in [row["what"] for row in daemon.json("audit")["audit"]],
                          "the grace ends")
        self.assertEqual(daemon.json("status")["active_decisions"], 0)
        stamp = now()
        put(200)
        self.assertEqual(wait_for_decision(daemon)["id"], "d-2")


class Reference(unittest.TestCase):
    def test_help_and_version(self):
        code, out, _ = raw("--help")
        self.assertEqual(code, 0)
        for command in ("serve", "status", "events", "incident", "explain", "replay", "config", "completion"):
            self.assertIn(command, out)
            self.assertEqual(raw(command, "--help")[0], 0, command)
        self.assertRegex(raw("--version")[1], r"^\d+\.\d+\.\d+\n$")

    def test_reference_pages(self):
        pages = {name: raw("reference", name)[1] for name in ("commands", "configuration")}
        for word in ("`watchpost incident confirm`", "--why", "`watchpost replay`"):
            self.assertIn(word, pages["commands"])
        for word in ("[store]", "most_decisions", "postfix_log", "webhook", "error_rate"):
            self.assertIn(word, pages["configuration"])

    def test_completion(self):
        for shell in ("bash", "zsh", "fish"):
            code, out, _ = raw("completion", shell)
            self.assertEqual(code, 0)
            self.assertIn("watchpost __complete", out)
        script = raw("completion", "bash")[1]
        asked = (script + f'\nwatchpost() {{ "{PROGRAM}" "$@"; }}\n'
                 'COMP_WORDS=(watchpost incident "") COMP_CWORD=2\n_watchpost\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
                 'COMP_WORDS=(watchpost dec) COMP_CWORD=1\n_watchpost\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
                 'COMP_WORDS=(watchpost events --ki) COMP_CWORD=2\n_watchpost\nprintf "%s\\n" "${COMPREPLY[@]}"\n')
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=120, check=True)
        self.assertEqual(done.stdout.split(), ["show", "confirm", "false-positive", "note", "decisions", "decision", "--kind"])
        self.assertEqual(raw("__complete", "\x1b")[0], 0)
        self.assertEqual(raw("__complete")[0], 0)


class Proposals(DaemonTest):
    def test_one_that_nobody_confirms_is_called_lapsed(self):
        rule = UNKNOWN_USERS.replace("suspend 1h", "suspend 3s")
        daemon = self.watchpost(LOG_SOURCE + "[decide]\nmost_decisions = 0\n" + rule
                                + ENFORCED.replace("{policy_port}", str(free_port())))
        self.log(bounces(MALLORY, 6))
        wait_for_decision(daemon, "expired")
        out = daemon.run("decisions", "--all")[1]
        self.assertRegex(out, r"d-1 +lapsed +suspend 3s")
        self.assertNotIn("undone", out)


class Explain(DaemonTest):
    def test_what_is_not_known_yet_is_called_so(self):
        rule = UNKNOWN_USERS.replace("bounced(class == unknown_user) / attempted > 20%", "bounced > 3 * usual(bounced)")
        daemon = self.watchpost(LOG_SOURCE + rule)
        self.log(bounces(MALLORY, 6))
        wait_for_events(daemon, 6)
        out = daemon.run("explain", f"credential={MALLORY}")[1]
        self.assertRegex(out, r"value \d+, threshold unknown: what is usual is known after three days")


class Replay(DaemonTest):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "old.log"
        self.truth = self.folder / "truth.json"
        with self.path.open("wb") as out:
            subprocess.run([sys.executable, str(ROOT / "tools/make_postfix_log.py"), "--lines", "30000", "--hours", "6",
                            "--rfc3339", "--stolen", str(self.truth)], stdout=out, check=True, timeout=300)
        self.stolen = json.loads(self.truth.read_text())
        configuration = self.folder / "watchpost.toml"
        configuration.write_text(f'[store]\npath = "{self.folder}/data"\n' + UNKNOWN_USERS)
        self.command = ["-c", str(configuration), "replay"]

    def report(self, *arguments, stdin=None):
        code, out, error = raw("-o", "json", *self.command, *arguments, stdin=stdin)
        self.assertEqual(code, 0, error)
        self.assertEqual(error, "")
        return json.loads(out)

    def test_what_would_have_fired(self):
        report = self.report("--source", "postfix_log", str(self.path))
        self.assertEqual(report["lines"], 30000)
        self.assertGreater(report["events"], 5000)
        self.assertGreater(report["seconds"], 0)
        signals = report["signals"]
        self.assertEqual({one["stream"] for one in signals}, {f"credential={self.stolen['login']}"})
        first = signals[0]
        self.assertEqual(first["detector"], "unknown users")
        self.assertEqual(first["threshold"], 0.2)
        self.assertGreater(first["value"], 0.2)
        self.assertGreater(first["messages"], 0)
        self.assertLess(self.stolen["first"], first["at"])
        # Nothing is stored or enforced, and no daemon is asked.
        self.assertFalse((self.folder / "data").exists())
        out = raw(*self.command, str(self.path))[1]
        self.assertIn("unknown users", out)
        self.assertRegex(out, r"30,000 lines, [\d,]+ events in [\d.]+ s")

    def test_packed_and_standard_input_give_the_same(self):
        def essence(report):
            return {name: value for name, value in report.items() if name != "seconds"}
        plain = essence(self.report(str(self.path)))
        packed = self.folder / "old.log.gz"
        packed.write_bytes(gzip.compress(self.path.read_bytes()))
        subprocess.run(["zstd", "-q", str(self.path)], check=True)
        for arguments, stdin in (((str(packed),), None), ((f"{self.path}.zst",), None),
                                 (("-",), self.path.read_bytes()), (("-",), packed.read_bytes())):
            with self.subTest(arguments):
                self.assertEqual(essence(self.report(*arguments, stdin=stdin)), plain)

    def test_several_files_are_one_log(self):
        lines = self.path.read_bytes().splitlines(keepends=True)
        parts = []
        for number in range(3):
            part = self.folder / f"part{number}"
            part.write_bytes(b"".join(lines[number * 10000:number * 10000 + 10000]))
            parts.append(str(part))
        whole, report = self.report(str(self.path)), self.report(*parts)
        self.assertEqual(report["lines"], 30000)
        # The join goes on over the end of a file: nothing is lost at the seams.
        self.assertEqual(report["events"], whole["events"])

    def test_a_file_of_another_format_is_said(self):
        other = self.folder / "other.log"
        other.write_text("nothing that a source knows\n" * 50)
        code, out, error = raw(*self.command, "--source", "events", str(other))
        self.assertEqual(code, 1)
        self.assertIn("not read: 50 lines", out)
        self.assertIn("none of the 50 lines could be read as events", error)
        # Half of it is no other format.
        other.write_text("nothing that a source knows\n" + '{"kind":"delivered","at":"2026-11-24T10:00:00Z","id":"1"}\n')
        self.assertEqual(raw(*self.command, "--source", "events", str(other))[0], 0)

    def test_limit(self):
        out = raw(*self.command, "--limit", "0", str(self.path))[1]
        self.assertNotIn("unknown users", out)
        self.assertRegex(out, r"\.\.\. and \d+ more")
        self.assertNotIn("more", raw(*self.command, str(self.path))[1])

    def test_ctrl_c_while_standard_input_is_waited_for(self):
        with subprocess.Popen([PROGRAM, *self.command, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            # More than a pipe holds: what is written was read, and the handler stands.
            process.stdin.write(self.path.read_text())
            process.stdin.flush()
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=60), 1)
            self.assertIn("stopped before the end", process.stderr.read())

    def test_faults(self):
        self.assertEqual(raw(*self.command, str(self.folder / "nothing"))[0], 1)
        self.assertEqual(raw(*self.command, str(self.folder))[0], 1)
        broken = self.folder / "broken.gz"
        broken.write_bytes(gzip.compress(self.path.read_bytes())[:-20000])
        code, _, error = raw(*self.command, str(broken))
        self.assertEqual(code, 1)
        self.assertIn("broken.gz", error)
        write(self.folder / "garbage", os.urandom(100_000))
        code, out, error = raw("-o", "json", *self.command, str(self.folder / "garbage"))
        self.assertEqual(code, 1)
        self.assertIn("could be read as postfix_log", error)
        report = json.loads(out)
        self.assertEqual((report["events"], report["signals"]), (0, []))
        self.assertTrue(report["unread"])
        self.assertEqual(self.report("-", stdin=b"")["lines"], 0)

    def test_own_format(self):
        path = self.folder / "events.ndjson"
        path.write_text("".join(json.dumps({"at": f"2026-03-01T10:00:{n:02}Z", "kind": "bounced", "credential": "m",
                                            "class": "unknown_user", "reply_code": 550}) + "\n" for n in range(20)))
        report = self.report("--source", "events", str(path))
        self.assertEqual((report["lines"], report["events"], len(report["signals"])), (20, 20, 1))
        self.assertEqual(report["signals"][0]["at"], "2026-03-01T10:00:04Z")


class Simulate(DaemonTest):
    def test_ctrl_c_leaves_whole_lines_and_the_truth_so_far(self):
        out, truth = self.folder / "out.ndjson", self.folder / "truth.json"
        with subprocess.Popen([PROGRAM, "simulate", "--days", "3000", "--out", str(out), "--truth", str(truth),
                               "--incident", "stolen_login@00:10"], stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None and not (out.exists() and out.stat().st_size > 0):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=60), 1)
            self.assertIn("stopped before the end", process.stderr.read())
        lines = out.read_text().split("\n")
        self.assertEqual(lines.pop(), "")
        last = json.loads(lines[-1])
        told = json.loads(truth.read_text())
        self.assertLess(told["end"], "2034")
        self.assertGreaterEqual(told["end"][:16], last["at"][:16])
        self.assertTrue(told["incidents"])


if __name__ == "__main__":
    unittest.main()
