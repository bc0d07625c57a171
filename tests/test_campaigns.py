"""How mailings went and what became of feedback, with the whole daemon."""
import csv
import datetime
import io
import json
import os
import subprocess
import unittest

from support import DaemonTest, free_port, keep_mail, over_tcp, over_unix, unsafe

NOW = datetime.datetime.now(datetime.timezone.utc)
# All of a mailing lies in two hours that are over.
START = NOW.replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=6)


def at(minutes, seconds=0):
    return (START + datetime.timedelta(minutes=minutes, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ndjson(events):
    return "".join(json.dumps(event) + "\n" for event in events)


def event(kind, minutes, recipient, campaign="autumn", customer="shop", **more):
    return {"at": at(minutes), "kind": kind, "recipient": recipient, "customer": customer, "campaign": campaign,
            "message_id": f"{campaign}.{recipient}", **more}


def nameless(event):
    return {key: value for key, value in event.items() if key != "message_id"}


def mailing(campaign, first, count, bounced=0, customer="shop"):
    """A message a recipient, half at a provider that tells of complaints."""
    events = []
    for n in range(count):
        recipient = f"r{n}@{'yahoo.com' if n % 2 else 'example.net'}"
        if n < bounced:
            events.append(event("bounced", first, recipient, campaign, customer, **{"class": "unknown_user"}))
        else:
            events.append(event("delivered", first, recipient, campaign, customer, delay=1))
    return events


# By hand: 210 tried; 200 delivered, 100 of them to yahoo; 8 bounced at once and 1 later; 1 still waits.
AUTUMN = (
    [{"at": at(0), "kind": "accepted", "customer": "shop", "campaign": "autumn", "message_id": "one",
      "recipients": 210}]
    + mailing("autumn", 1, 201 + 8, bounced=8)
    # In the second hour: ten deferrals and then delivered, of mail of the first.
    + [event("deferred", 62 + n, "r100@example.net", delay=60 * (61 + n)) for n in range(10)]
    + [event("deferred", 90, "slow@example.net", delay=60)]
    # Late: they belong to the hour of their mail.
    # The bounce came back with the token in its return path, and nothing else of the mail.
    + [nameless(event("bounced", 200, "r20@example.net", delay=199 * 60, reporter="mx.example.net", attribution="verp",
                      proof="token", **{"class": "mailbox_full"}))]
    + [event("complained", 180, f"r{n}@yahoo.com", delay=179 * 60, reporter="yahoo.com", attribution="token",
             proof="token") for n in (11, 13)]
    + [event("complaint_withdrawn", 190, "r13@yahoo.com", delay=189 * 60, reporter="yahoo.com", attribution="token",
             proof="token")]
    + [event("unsubscribed", 181, "r30@example.net", delay=180 * 60)]
    # Forged, and our own.
    + [event("complained", 182, f"r{n}@yahoo.com", reporter="evil.example", proof="no_token") for n in range(40)]
    + [event("deferred", 91, "held@example.net", self_inflicted=True)])


class Campaigns(DaemonTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.daemon = self.watchpost(f'[listen]\napi = "127.0.0.1:{self.port}"\n'
                                     '[[listen.token]]\nname = "v"\ntoken = "viewer-secret"\nrole = "viewer"\n')

    def post(self, events):
        status, text, _ = over_unix(self.daemon, "POST", "/v1/events", ndjson(events))
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text)["accepted"], len(events), text)

    def csv(self, *arguments):
        out = self.daemon.run("-o", "csv", *arguments)[1]
        return list(csv.DictReader(io.StringIO(out)))

    def report(self, *arguments):
        return self.daemon.json("campaign", "report", "shop", "autumn", *arguments)


class Report(Campaigns):
    def setUp(self):
        super().setUp()
        self.post(AUTUMN)

    def test_each_message_once_where_it_was_sent(self):
        report = self.report()
        mail = report["total"]
        self.assertEqual({key: mail[key] for key in ("accepted", "sent", "delivered", "bounced", "late_bounced", "expired",
                                                     "waiting", "deferred", "deferrals", "complained", "withdrawn",
                                                     "unsubscribed", "refused")},
                         {"accepted": 210, "sent": 210, "delivered": 200, "bounced": 9, "late_bounced": 1, "expired": 0,
                          "waiting": 1, "deferred": 2, "deferrals": 11, "complained": 2, "withdrawn": 1,
                          "unsubscribed": 1, "refused": 1})
        self.assertEqual((mail["reporting_delivered"], mail["reporting_complained"]), (100, 1))
        self.assertAlmostEqual(mail["rates"]["complained"], 0.01)
        self.assertAlmostEqual(mail["rates"]["bounced"], 9 / 210)
        self.assertEqual({row["at"]: row["mail"]["sent"] for row in report["hours"]}, {at(0): 209, at(60): 1})
        first = report["hours"][0]["mail"]
        self.assertEqual((first["complained"], first["bounced"], first["unsubscribed"], first["deferrals"]), (2, 9, 1, 10))
        self.assertEqual(report["classes"], [{"class": "unknown_user", "bounced": 8},
                                             {"class": "mailbox_full", "bounced": 1}])
        self.assertEqual(report["unproven"], [{"kind": "complained", "proof": "no_token", "count": 40}])
        self.assertEqual((report["complete"], report["sampled"], report["sending"]), (True, 1, False))
        providers = {row["provider"]: row for row in report["providers"]}
        self.assertEqual((providers["yahoo"]["reports"], providers["yahoo"]["mail"]["delivered"]), (True, 100))

    def test_for_people(self):
        run = lambda *more: self.daemon.run("campaign", "report", "shop", "autumn", *more)[1]
        out = run()
        for words in ("autumn of shop", "delivered", "95.2%", "Too few to compare with: 0 earlier campaigns",
                      "in none of the numbers: 40 complained (no_token)", "measures of Watchpost, in no rate: 1 message",
                      "of the 100 delivered to providers that tell"):
            self.assertIn(words, out)
        self.assertEqual(unsafe(out), [])
        history = self.daemon.run("events", "--kind", "complained", "--limit", "100")[1]
        self.assertEqual(history.count("not proven (no_token)"), 40, history)
        self.assertIn("yahoo", run("--by", "provider"))
        self.assertIn("mailbox_full", run("--by", "class"))
        self.assertIn(at(60)[:16], run("--by", "hour"))
        self.assertIn(at(0)[:10], run("--by", "day"))

    def test_chart(self):
        def chart(**environment):
            command = [self.daemon.program, "-c", str(self.daemon.config), "campaign", "report", "shop", "autumn",
                       "--chart"]
            done = subprocess.run(command, capture_output=True, timeout=120, check=True,
                                  env={"PATH": os.environ["PATH"], **environment})
            return done.stdout.decode().splitlines()[-4:]
        for lines, bar in ((chart(LC_ALL="C.UTF-8"), "█"), (chart(LC_ALL="C"), "#"), (chart(), "#")):
            self.assertRegex(lines[0], f"^delivered +{bar} .*most 200$")
            self.assertRegex(lines[1], f"^bounced +{bar} .*most 9$")
            self.assertRegex(lines[2], f"^complained +{bar} .*most 2$")
            self.assertTrue(all(len(line) <= 80 for line in lines), lines)
            if bar == "#":
                self.assertTrue("".join(lines).isascii())

    def test_csv(self):
        rows = self.csv("campaign", "report", "shop", "autumn", "--by", "provider")
        self.assertEqual({row["provider"]: row["delivered"] for row in rows},
                         {"yahoo": "100", "example.net": "100", "(not known)": "0"})
        self.assertEqual({row["provider"]: row["complained_rate"] for row in rows},
                         {"yahoo": "0.010000", "example.net": "", "(not known)": ""})
        self.assertEqual(self.csv("campaign", "report", "shop", "autumn", "--by", "class")[0],
                         {"class": "unknown_user", "bounced": "8"})
        self.assertEqual(self.csv("campaign", "report", "shop", "autumn")[0]["sent"], "210")
        self.assertEqual(len(self.csv("campaign", "report", "shop", "autumn", "--by", "hour")), 2)

    def test_spans(self):
        self.assertEqual(self.report("--since", at(60))["total"]["sent"], 1)
        self.assertEqual(self.report("--until", at(60))["total"]["sent"], 209)

    def test_over_tcp(self):
        status, text, _ = over_tcp(self.port, "GET", "/v1/campaigns/report?customer=shop&campaign=autumn&past=0s",
                                   token="viewer-secret")
        self.assertEqual((status, json.loads(text)["past"]), (200, None))
        status, text, _ = over_tcp(self.port, "GET", "/v1/campaigns?customer=shop", token="viewer-secret")
        self.assertEqual([row["campaign"] for row in json.loads(text)["campaigns"]], ["autumn"])
        self.assertEqual(over_tcp(self.port, "GET", "/v1/campaigns")[0], 401)

    def test_bad_input(self):
        for arguments, code, says in (
                (("shop", "autunm"), 4, "did you mean `autumn`"),
                (("shopp", "autumn"), 4, "nothing of this customer"),
                (("shop",), 2, "campaign"),
                (("shop", "autumn", "--since", "soon"), 2, "neither a time"),
                (("shop", "autumn", "--since", "1h", "--until", "2h"), 2, "ends before it begins"),
                (("shop", "autumn", "--since", "2099-01-01T00:00:00Z"), 2, "still to come"),
                (("shop", "autumn", "--since", "1m"), 4, "nothing of this campaign was sent in that time"),
                (("shop", "autumn", "--past", "long"), 2, "no duration"),
                (("shop", "autumn", "--by", "moon"), 2, "moon"),
                (("shop", "autumn", "--chart", "-o", "csv"), 2, "a chart is for people")):
            self.complain(self.daemon, "campaign", "report", *arguments, code=code, says=says)
        self.complain(self.daemon, "status", "-o", "csv", code=2, says="no CSV")
        self.complain(self.daemon, "campaign", code=2, says="report")


class Past(Campaigns):
    def test_beside_earlier_ones_of_the_customer(self):
        # Bounce rates of 1, 2, 3 and 4 %, a day apart; another customer's and a small one do not count.
        for n in range(1, 5):
            self.post(mailing(f"c{n}", -1440 * n, 200, bounced=2 * n))
        self.post(mailing("small", -1440, 20, bounced=20) + mailing("c9", -1440, 200, 200, customer="other"))
        self.post(mailing("autumn", 0, 200, bounced=40))
        report = self.report()
        self.assertEqual((report["past"]["campaigns"], report["past"]["small"]), (4, 1))
        bounced = next(one for one in report["past"]["rates"] if one["rate"] == "bounced")
        self.assertAlmostEqual(bounced["median"], 0.025)
        self.assertEqual((bounced["low"], bounced["high"]), (0.01, 0.04))
        out = self.daemon.run("campaign", "report", "shop", "autumn")[1]
        for words in ("higher than any", "lower than any", "2.50%", "the median of 4 earlier campaigns"):
            self.assertIn(words, out)
        self.assertIn("Too few", self.daemon.run("campaign", "report", "shop", "autumn", "--past", "50h")[1])


class Others(Campaigns):
    def test_no_events(self):
        self.complain(self.daemon, "campaign", "report", "shop", "autumn", code=4, says="nothing of this customer")
        self.assertIn("No campaigns of that time.", self.daemon.run("campaign", "list")[1])
        self.assertEqual(self.csv("campaign", "list"), [])
        self.assertIn("No feedback since", self.daemon.run("feedback", "status")[1])
        self.assertIn("All mail was understood.", self.daemon.run("feedback", "unread")[1])

    def test_still_being_sent(self):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.post([{**event("delivered", 0, "a@yahoo.com"), "at": now},
                   {**event("deferred", 0, "b@yahoo.com"), "at": now}])
        report = self.report()
        self.assertTrue(report["sending"])
        self.assertEqual((report["total"]["sent"], report["total"]["waiting"]), (2, 1))
        self.assertIn("still being sent", self.daemon.run("campaign", "report", "shop", "autumn")[1])

    def test_list(self):
        self.post(mailing("autumn", 0, 20, 5) + mailing("winter", 30, 10) + mailing("b,\"1", -60, 4, customer="=other")
                  + [{"at": at(0), "kind": "delivered", "recipient": "x@example.net"}])
        found = self.daemon.json("campaign", "list")
        self.assertEqual([(row["customer"], row["campaign"]) for row in found["campaigns"]],
                         [("shop", "winter"), ("shop", "autumn"), ("=other", "b,\"1")])
        self.assertEqual((found["campaigns"][1]["delivered"], found["campaigns"][1]["bounced"]), (15, 5))
        self.assertEqual((found["without"], found["complete"]), (1, True))
        over = over_unix(self.daemon, "GET", "/v1/campaigns")[1]
        self.assertEqual(json.loads(over)["campaigns"], found["campaigns"])
        self.assertEqual(len(self.daemon.json("campaign", "list", "--customer", "shop")["campaigns"]), 2)
        self.assertEqual(len(self.daemon.json("campaign", "list", "--limit", "1")["campaigns"]), 1)
        self.assertEqual(self.daemon.json("campaign", "list", "--since", "1h")["campaigns"], [])
        rows = self.csv("campaign", "list")
        self.assertEqual((rows[2]["customer"], rows[2]["campaign"]), ("'=other", "b,\"1"))
        self.assertIn("belongs to no campaign", self.daemon.run("campaign", "list")[1])
        self.complain(self.daemon, "campaign", "list", "--since", "soon", code=2, says="neither")
        # The daemon need not run.
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.daemon.json("campaign", "list")["campaigns"], found["campaigns"])

    def test_names_of_strangers_do_no_harm(self):
        name = "x\x1b]0;owned\x07\u202e"
        self.post(mailing(name, 0, 3, customer=name))
        for arguments in (("list",), ("report", name, name), ("report", name, name, "--by", "provider", "-o", "csv"),
                          ("list", "-o", "csv")):
            self.assertEqual(unsafe(self.daemon.run("campaign", *arguments)[1]), [], arguments)


class Feedback(Campaigns):
    def test_status(self):
        self.post(AUTUMN)
        status = self.daemon.json("feedback", "status", "--since", "1d")
        rows = {row["name"]: row for row in status["reporters"]}
        self.assertEqual((rows["yahoo.com"]["received"], rows["yahoo.com"]["attributed"], rows["yahoo.com"]["proven"]),
                         (3, {"token": 3}, 3))
        self.assertEqual((rows["mx.example.net"]["bounced"], rows["mx.example.net"]["attributed"]), (1, {"verp": 1}))
        evil = rows["evil.example"]
        self.assertEqual((evil["received"], evil["proven"], evil["unattributed"], evil["refused"]),
                         (40, 0, 40, {"no_token": 40}))
        self.assertEqual(status["total"]["received"], 45)
        out = self.daemon.run("feedback", "status")[1]
        for words in ("REPORTER", "evil.example", "no_token 40", "not found 40", "SOURCE", "verp 1"):
            self.assertIn(words, out)
        self.assertEqual(self.daemon.json("feedback", "status", "--since", "1m")["reporters"], [])
        self.complain(self.daemon, "feedback", "status", "--since", "soon", code=2, says="neither a time")

    def test_unread(self):
        self.assertEqual(self.daemon.stop(), 0)
        mail = b"From: x\r\nSubject: \x1b[2Jhi\r\n\r\n" + bytes(range(256)) + b"\n" + b"line\n" * 500
        keep_mail(self.folder / "data/state.db", 1, "no report in it", b"hello\n")
        keep_mail(self.folder / "data/state.db", 2, "why \x1b[31m", mail)
        self.daemon.start()
        found = self.daemon.json("feedback", "unread")["unread"]
        self.assertEqual([(one["number"], one["source"], one["reporter"]) for one in found],
                         [(2, "mail", "mx.example.net"), (1, "mail", "mx.example.net")])
        self.assertEqual(len(self.daemon.json("feedback", "unread", "--limit", "1")["unread"]), 1)
        self.assertIn("no report in it", self.daemon.run("feedback", "unread")[1])
        out = self.daemon.run("feedback", "unread", "2")[1]
        self.assertEqual(unsafe(out), [])
        for words in ("Subject: ", "fbl@shop.example", "unread 2 --export FILE"):
            self.assertIn(words, out)
        target = self.folder / "out.eml"
        self.daemon.run("feedback", "unread", "2", "--export", str(target))
        self.assertEqual(target.read_bytes(), mail)
        self.assertEqual(target.stat().st_mode & 0o777, 0o600)
        self.complain(self.daemon, "feedback", "unread", "2", "--export", str(target), code=4, says="there already")
        status = self.daemon.json("feedback", "status")
        self.assertEqual((status["total"]["unread"], status["reporters"][0]["name"]), (2, "mx.example.net"))
        self.assertIn("watchpost feedback unread", self.daemon.run("feedback", "status")[1])

    def test_unread_that_is_not_there(self):
        self.complain(self.daemon, "feedback", "unread", "7", code=4, says="no such mail is kept")
        self.complain(self.daemon, "feedback", "unread", "0", code=2)
        self.complain(self.daemon, "feedback", "unread", "x", code=2)
        self.complain(self.daemon, "feedback", "unread", "--export", "file", code=2, says="which mail?")


if __name__ == "__main__":
    unittest.main()
