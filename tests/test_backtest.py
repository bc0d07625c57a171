"""Rules tried before they are in force: on the stored events, on files, and in shadow."""
import datetime
import json
import signal
import subprocess
import unittest

from support import PROGRAM, DaemonTest, now, over_unix

LIVE = """
[[detector]]
name   = "six"
watch  = ["credential"]
window = "1h"
when   = "bounced(class == unknown_user) >= 6"
mode   = "enforce"
then   = ["suspend 1h", "notify desk"]

[[detector]]
name   = "watched"
watch  = ["credential"]
window = "1h"
when   = "bounced(class == mailbox_full) >= 2"
mode   = "shadow"
then   = ["hold 1h"]

[[notify]]
name = "desk"
kind = "syslog"
"""
DRAFT = """
[[detector]]
name   = "three"
watch  = ["credential"]
window = "1h"
when   = "bounced(class == unknown_user) >= 3"
mode   = "shadow"
then   = ["suspend 1h", "notify desk"]
"""
START = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=3)


def at(minutes, seconds=0):
    return (START + datetime.timedelta(minutes=minutes, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def bouncing(login, first, count):
    """A message a minute, and ten seconds later it bounces."""
    events = []
    for minute in range(first, first + count):
        events.append({"at": at(minute), "kind": "accepted", "credential": login})
        events.append({"at": at(minute, 10), "kind": "bounced", "credential": login, "class": "unknown_user",
                       "reply_code": 550})
    return events


def ndjson(events):
    return "".join(json.dumps(event) + "\n" for event in events)


HISTORY = sorted(bouncing("mallory", 0, 20) + bouncing("news", 0, 10) + bouncing("quiet", 30, 4),
                 key=lambda event: event["at"])


class Trial(DaemonTest):
    def setUp(self):
        super().setUp()
        self.draft = self.folder / "draft.toml"
        self.draft.write_text(DRAFT)

    def post(self, events):
        status, text, _ = over_unix(self.daemon, "POST", "/v1/events", ndjson(events))
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text)["accepted"], len(events), text)

    def hits(self, rule_set):
        return {one["stream"]: one for one in rule_set["hits"]}

    def check_what_the_draft_finds(self, draft):
        """By hand: found with the third bounce, at 2 min 10 s; stopped is what was accepted after it."""
        hits = self.hits(draft)
        self.assertEqual(set(hits), {"credential=mallory", "credential=news", "credential=quiet"})
        mallory = hits["credential=mallory"]
        self.assertEqual((mallory["first_bad"], mallory["at"]), (at(0, 10), at(2, 10)))
        self.assertEqual((mallory["minutes"], mallory["messages"]), (2, 2))
        self.assertEqual((mallory["measure"], mallory["decided_at"]), ("suspend 1h", at(2, 10)))
        self.assertEqual((draft["decisions"], draft["proposals"]), (3, 0))
        detector = draft["detectors"][0]
        self.assertEqual((detector["detector"], detector["mode"], detector["streams"]), ("three", "enforce", 3))
        self.assertEqual((detector["median_minutes"], detector["worst_messages"]), (2, 2))

    def check_difference(self, difference):
        self.assertEqual([difference[key] for key in ("only_first", "only_second", "both", "first_sooner", "first_later")],
                         [1, 0, 2, 2, 0])
        subjects = {one["subject"]: one for one in difference["subjects"]}
        for name in ("mallory", "news"):
            one = subjects[f"credential={name}"]
            self.assertEqual((one["sooner_minutes"], one["messages_between"]), (3, 3))
        self.assertIsNone(subjects["credential=quiet"]["second"])


class Backtest(Trial):
    def setUp(self):
        super().setUp()
        self.daemon = self.watchpost(LIVE)
        self.post(HISTORY)
        def both():
            found = self.daemon.json("incidents")["incidents"]
            return {one["subject"]: one["id"] for one in found} if len(found) == 2 else None
        incidents = self.daemon.wait_until(both, "both incidents are there")
        self.daemon.run("incident", "confirm", incidents["credential=mallory"], "compromised")
        self.daemon.run("incident", "false-positive", incidents["credential=news"])

    def backtest(self, *arguments):
        return self.daemon.json("backtest", str(self.draft), "--since", "1d", *arguments)

    def test_rightly_and_wrongly(self):
        report = self.backtest()
        self.assertEqual((report["events"], report["interrupted"]), (len(HISTORY), False))
        self.assertEqual((report["from"], report["until"]), (at(0), at(33, 10)))
        draft, live = report["rule_sets"]
        self.assertEqual((draft["name"], live["name"]), ("draft", "live"))
        self.check_what_the_draft_finds(draft)
        hits = self.hits(draft)
        self.assertEqual(hits["credential=mallory"]["stopped"], {"rightly": 17, "wrongly": 0, "unknown": 0})
        self.assertEqual(hits["credential=mallory"]["verdict"], "compromised")
        self.assertEqual(hits["credential=news"]["stopped"], {"rightly": 0, "wrongly": 7, "unknown": 0})
        self.assertEqual(hits["credential=news"]["verdict"], "false_positive")
        self.assertEqual(hits["credential=quiet"]["stopped"], {"rightly": 0, "wrongly": 0, "unknown": 1})
        self.assertEqual(draft["stopped"], {"rightly": 17, "wrongly": 7, "unknown": 1})
        detector = draft["detectors"][0]
        self.assertEqual([detector[key] for key in ("rightly", "wrongly", "unknown", "alone")], [1, 1, 1, 1])
        # The sixth bounce, at 5 min 10 s.
        self.assertEqual(live["stopped"], {"rightly": 14, "wrongly": 4, "unknown": 0})
        self.assertEqual(self.hits(live)["credential=mallory"]["minutes"], 5)
        self.check_difference(report["difference"])

    def test_the_daemon_need_not_run_and_nothing_changes(self):
        before = self.daemon.json("decisions", "--all")
        running = self.backtest()
        self.assertEqual(self.daemon.json("decisions", "--all"), before)
        self.assertEqual(self.daemon.stop(), 0)
        stopped = self.backtest()
        for report in (running, stopped):
            report.pop("seconds")
        self.assertEqual(running, stopped)

    def test_only_a_part_of_the_time(self):
        report = self.backtest("--until", at(30))
        self.assertEqual(report["events"], len(HISTORY) - 8)
        report = self.daemon.json("backtest", str(self.draft), "--since", at(30))
        self.assertEqual((report["events"], list(self.hits(report["rule_sets"][0]))), (8, ["credential=quiet"]))
        self.assertIn("No events", self.daemon.run("backtest", str(self.draft), "--since", "1m")[1])

    def test_as_written(self):
        draft = self.backtest("--as-written")["rule_sets"][0]
        self.assertEqual((draft["hits_total"], draft["decisions"]), (3, 0))
        self.assertEqual(draft["stopped"], {"rightly": 0, "wrongly": 0, "unknown": 0})

    def test_draft_with_bounds_of_its_own(self):
        self.draft.write_text('[decide]\nprotect = ["credential=mallory"]\n' + DRAFT)
        draft = self.backtest()["rule_sets"][0]
        self.assertEqual(draft["decisions"], 2)
        self.assertEqual(self.hits(draft)["credential=mallory"]["stopped"]["rightly"], 0)

    def test_for_people(self):
        out = self.daemon.run("backtest", str(self.draft), "--since", "1d")[1]
        for word in ("draft: 3 hits", "live: 2 hits", "three", "credential=quiet", "Found only by draft: 1",
                     "3 min sooner and 3 messages", "events/s"):
            self.assertIn(word, out)

    def test_faults(self):
        self.complain(self.daemon, "backtest", str(self.folder / "nothing"), code=1)
        self.draft.write_text(DRAFT.replace("bounced", "bounzed"))
        self.complain(self.daemon, "backtest", str(self.draft), code=1, says="bounced")
        self.draft.write_text(DRAFT.replace("notify desk", "notify nobody"))
        self.complain(self.daemon, "backtest", str(self.draft), code=1, says="nobody")
        self.draft.write_text("[decide]\n")
        self.complain(self.daemon, "backtest", str(self.draft), code=1, says="no [[detector]]")
        self.draft.write_text(DRAFT)
        self.assertNotEqual(self.daemon.run("backtest", str(self.draft), "--since", "soon", check=False)[0], 0)


class Shadow(Trial):
    def test_beside_what_was_in_force(self):
        self.daemon = self.watchpost(LIVE)
        def sent(kind, count, **more):
            self.post([{"at": now(), "kind": kind, "credential": "anna", **more} for _ in range(count)])
        sent("bounced", 2, **{"class": "mailbox_full", "reply_code": 552})
        self.daemon.wait_until(lambda: self.daemon.json("decisions", "--shadow")["shadow_decisions"], "a shadow decision")
        sent("accepted", 5)
        report = self.daemon.json("shadow", "--since", "1h")
        shadow, live = report["rule_sets"]
        self.assertEqual((shadow["name"], live["name"]), ("shadow", "in force"))
        hit = self.hits(shadow)["credential=anna"]
        self.assertEqual((hit["detector"], hit["measure"]), ("watched", "hold 1h"))
        self.assertEqual(hit["stopped"], {"rightly": 0, "wrongly": 0, "unknown": 5})
        self.assertEqual(live["hits_total"], 0)
        self.assertEqual(report["difference"]["only_first"], 1)
        self.assertIn("Found only by shadow: 1", self.daemon.run("shadow")[1])


class Replay(Trial):
    def setUp(self):
        super().setUp()
        self.live = self.folder / "live.toml"
        self.live.write_text(LIVE)
        self.daemon = self.watchpost(LIVE, start=False)
        self.log_file = self.folder / "events.ndjson"
        self.log_file.write_text(ndjson(HISTORY))

    def replay(self, *arguments):
        return self.daemon.json("replay", "--source", "events", str(self.log_file), *arguments)

    def test_two_rule_sets(self):
        report = self.replay("--rules", str(self.draft), "--rules", str(self.live))
        self.assertEqual((report["lines"], report["events"]), (len(HISTORY), len(HISTORY)))
        draft, live = report["rule_sets"]
        self.assertEqual((draft["name"], live["name"]), ("draft.toml", "live.toml"))
        self.check_what_the_draft_finds(draft)
        self.assertEqual(draft["stopped"], {"rightly": 0, "wrongly": 0, "unknown": 25})
        self.assertEqual(live["stopped"], {"rightly": 0, "wrongly": 0, "unknown": 18})
        self.check_difference(report["difference"])

    def test_one_rule_set_is_the_report_of_before(self):
        report = self.replay("--rules", str(self.draft))
        self.assertEqual({one["detector"] for one in report["signals"]}, {"three"})
        self.assertEqual((report["signals_total"], report["events"]), (3, len(HISTORY)))
        self.assertEqual({one["detector"] for one in self.replay()["signals"]}, {"six"})

    def test_truth(self):
        truth = self.folder / "truth.json"
        truth.write_text(json.dumps({"bad": [{"stream": "credential=mallory", "from": at(0), "until": at(60)}]}))
        report = self.replay("--rules", str(self.draft), "--truth", str(truth))
        self.assertEqual(report["rule_sets"][0]["stopped"], {"rightly": 17, "wrongly": 8, "unknown": 0})
        self.assertNotIn("difference", report)
        truth.write_text('{"bad": [{}]}')
        self.complain(self.daemon, "replay", "--source", "events", str(self.log_file), "--truth", str(truth), code=1,
                      says="entry 1")

    def test_at_most_two(self):
        rules = ("--rules", str(self.draft)) * 3
        self.complain(self.daemon, "replay", "--source", "events", str(self.log_file), *rules, code=2, says="two")

    def test_interrupted(self):
        line = ndjson(bouncing("mallory", 0, 1)).encode()
        command = [PROGRAM, "-c", str(self.daemon.config), "-o", "json", "replay", "--source", "events", "-", "--rules",
                   str(self.draft), "--rules", str(self.live)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            # More than fits into the pipe: it is being read when the signal comes.
            process.stdin.write(line * 5000)
            process.send_signal(signal.SIGINT)
            out, error = process.communicate(line * 100_000, timeout=300)
        self.assertEqual(process.returncode, 1, error)
        report = json.loads(out)
        self.assertTrue(report["interrupted"])
        self.assertLess(report["lines"], 210_000)
        self.assertIn(b"stopped before the end", error)


if __name__ == "__main__":
    unittest.main()
