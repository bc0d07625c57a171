"""Recipients that are mailed no more: from events to the list, what people do, who refuses by it, what undoing takes
back, and the feeds."""
import csv
import hashlib
import hmac
import http.server
import io
import json
import socket
import threading
import unittest

from support import ROOT, DaemonTest, free_port, now, over_unix, write

RULES = """
[[map]]
set     = "customer"
from    = "credential"
pattern = '@(.+)$'
[[suppress]]
name = "no such mailbox"
when = "kind == bounced and class == unknown_user"
[[suppress]]
name   = "mailbox full"
when   = "class == mailbox_full"
after  = 3
within = "30d"
apart  = "1d"
for    = "90d"
[[suppress]]
name   = "complaint"
when   = "kind == complained"
reason = "complaint"
[[suppress]]
name   = "unsubscribe"
when   = "kind == unsubscribed"
reason = "unsubscribe"
"""
POLICY = """
[[enforcer]]
kind         = "postfix_policy"
listen       = ["127.0.0.1:{port}"]
suppressions = true
"""
DETECTOR = """
[[detector]]
name   = "unknown users"
watch  = ["customer"]
window = "1h"
when   = "bounced(class == unknown_user) >= 5"
mode   = "enforce"
then   = ["hold 1h"]
"""
DAY = 86400


def event(number, kind, recipient, customer="acme.example", at=-60, **more):
    made = {"v": 1, "id": f"e{number}", "at": now(at), "kind": kind, "recipient": recipient, **more}
    if customer:
        made["customer"] = customer
    return made


def bounce(number, recipient, customer="acme.example", **more):
    return event(number, "bounced", recipient, customer, **{"class": "unknown_user", "reply": "550 5.1.1 no such user",
                                                             **more})


class SuppressionTest(DaemonTest):
    def push(self, daemon, *events):
        body = "".join(json.dumps(one) + "\n" for one in events)
        status, text, _ = over_unix(daemon, "POST", "/v1/events", body)
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text)["accepted"], len(events), text)

    def listed(self, daemon, *arguments):
        return daemon.json("suppressions", "list", "--limit", "10000", *arguments)["suppressions"]

    def recipients(self, daemon, *arguments):
        return sorted(one["recipient"] for one in self.listed(daemon, *arguments))

    def refusal(self, port, login, recipient):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
            link.sendall(("request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@acme.example\n"
                          f"recipient={recipient}\nclient_address=192.0.2.7\ninstance=1\n"
                          f"sasl_username={login}\n\n").encode())
            return link.recv(4096).decode().strip()


class Suppressions(SuppressionTest):
    def test_events_make_the_list_and_postfix_is_told(self):
        port = free_port()
        daemon = self.watchpost(RULES + POLICY.replace("{port}", str(port)))
        self.push(daemon, bounce(1, "Gone@Dest.example"), event(2, "complained", "angry@dest.example"),
                  event(3, "unsubscribed", "tired@dest.example"), event(4, "delivered", "happy@dest.example"),
                  bounce(5, "other@dest.example", customer="other.example"), bounce(6, "nobodys@dest.example", customer=""),
                  bounce(7, "forged@dest.example", proof="none"), bounce(8, "own@dest.example", self_inflicted=True))
        self.assertEqual(self.recipients(daemon),
                         ["angry@dest.example", "gone@dest.example", "other@dest.example", "tired@dest.example"])
        gone = self.listed(daemon, "GONE@dest.example")[0]
        self.assertEqual((gone["customer"], gone["reason"], gone["origin"], gone["state"]),
                         ("acme.example", "hard_bounce", "rule `no such mailbox`", "holds"))
        self.assertIn("550 5.1.1 no such user", gone["evidence"])
        self.assertEqual(self.recipients(daemon, "--reason", "unsubscribe"), ["tired@dest.example"])
        self.assertEqual(self.recipients(daemon, "--customer", "other.example"), ["other@dest.example"])
        self.assertEqual(self.recipients(daemon, "--everybody"), [])
        # Of this customer's mail, and of nobody else's.
        self.assertEqual(self.refusal(port, "anna@acme.example", "GONE@dest.example"),
                         "action=550 5.1.1 This recipient is not mailed any more " + gone["refusal_mark"])
        for login, recipient in (("x@other.example", "gone@dest.example"), ("anna@acme.example", "happy@dest.example"),
                                 ("", "gone@dest.example"), ("anna@acme.example", "")):
            self.assertEqual(self.refusal(port, login, recipient), "action=dunno", (login, recipient))
        daemon.run("suppressions", "remove", "gone@dest.example", "--customer", "acme.example", "--note", "it is back")
        self.assertEqual(self.refusal(port, "anna@acme.example", "gone@dest.example"), "action=dunno")
        lifted = self.listed(daemon, "gone@dest.example", "--all")[0]
        self.assertEqual((lifted["state"], lifted["note"], lifted["lifted_note"]), ("lifted", "", "it is back"))
        # All of it is there after the next start, and after a crash.
        mark = self.listed(daemon, "angry@dest.example")[0]["refusal_mark"]
        for end in (daemon.stop, daemon.kill):
            end()
            daemon.start()
            self.assertEqual(self.recipients(daemon),
                             ["angry@dest.example", "other@dest.example", "tired@dest.example"])
            angry = self.listed(daemon, "angry@dest.example")[0]
            self.assertEqual(angry["refusal_mark"], mark)
            self.assertIn(angry["refusal_mark"], self.refusal(port, "anna@acme.example", "angry@dest.example"))
            self.assertEqual(self.refusal(port, "anna@acme.example", "gone@dest.example"), "action=dunno")

    def test_several_over_weeks_and_a_restart_between(self):
        daemon = self.watchpost(RULES)
        full = {"class": "mailbox_full", "reply": "452 4.2.2 full"}
        self.push(daemon, event(1, "bounced", "a@dest.example", at=-9 * DAY, **full),
                  event(2, "bounced", "a@dest.example", at=-8 * DAY, **full),
                  event(3, "bounced", "b@dest.example", at=-9 * DAY, **full),
                  event(4, "bounced", "b@dest.example", at=-8 * DAY, **full),
                  event(5, "delivered", "b@dest.example", at=-7 * DAY))
        daemon.stop()
        daemon.start()
        self.assertEqual(self.recipients(daemon), [])
        self.push(daemon, event(6, "bounced", "a@dest.example", at=-6 * DAY, **full),
                  event(7, "bounced", "b@dest.example", at=-6 * DAY, **full))
        self.assertEqual(self.recipients(daemon), ["a@dest.example"])
        self.assertIsNotNone(self.listed(daemon)[0]["until"])

    def test_undoing_takes_back_what_was_suppressed(self):
        daemon = self.watchpost(RULES + DETECTOR)
        self.push(daemon, event(90, "unsubscribed", "tired@dest.example"))
        self.push(daemon, *(bounce(n, f"r{n}@dest.example") for n in range(8)))
        self.push(daemon, bounce(99, "elsewhere@dest.example", customer="other.example"),
                  event(98, "complained", "angry@dest.example"))
        incident = daemon.json("incidents")["incidents"][0]["id"]
        # Those that came before it opened have no number, and are taken back all the same.
        mine = [one for one in self.listed(daemon) if one["incident"] == incident]
        self.assertEqual(len(mine), 5, self.listed(daemon))
        daemon.run("incident", "false-positive", incident, "--why", "the receiver was broken")
        self.assertEqual(self.recipients(daemon), ["elsewhere@dest.example", "tired@dest.example"])
        lifted = self.listed(daemon, "r1@dest.example", "--all")[0]
        self.assertEqual(lifted["lifted_by"], f"{incident} was found false_positive")
        audit = daemon.json("audit")
        self.assertIn("9 of them: ", json.dumps(audit))
        self.assertEqual(daemon.run("audit", "--verify", check=False)[0], 0)

    def test_a_decision_undone_takes_back_too(self):
        daemon = self.watchpost(RULES + DETECTOR)
        self.push(daemon, *(bounce(n, f"r{n}@dest.example") for n in range(6)))
        decision = daemon.json("decisions")["decisions"][0]["id"]
        daemon.run("decision", "revoke", decision)
        self.assertEqual(self.recipients(daemon), [])

    def test_what_was_right_stays_when_its_measure_is_over(self):
        daemon = self.watchpost(RULES + DETECTOR)
        self.push(daemon, *(bounce(n, f"r{n}@dest.example") for n in range(6)))
        decision = daemon.json("decisions")["decisions"][0]
        daemon.run("incident", "confirm", decision["incident"], "bad_list")
        daemon.run("decision", "revoke", decision["id"])
        self.assertEqual(len(self.recipients(daemon)), 6)

    def test_lists_are_taken_and_given_back(self):
        daemon = self.watchpost(RULES)
        path = self.folder / "list.csv"
        lines = ["recipient,customer,reason,until,note"]
        lines += [f"u{n}@dest.example,acme.example,complaint,," for n in range(9000)]
        lines[5000] = "no address,acme.example,,,"
        lines += ['"quoted@dest.example",,,2099-01-01,"two', 'lines, and a comma"', "late@dest.example,,,2020-01-01,"]
        path.write_text("\n".join(lines))
        code, out, error = daemon.run("suppressions", "import", str(path), check=False)
        self.assertEqual(code, 1, out + error)
        self.assertIn("9,000 suppressed, 0 suppressed already, 2 lines left out.", out)
        self.assertIn("line 5001: `no address` is not an address", error)
        self.assertIn("line 9004: `2020-01-01` is in the past", error)
        again = daemon.run("suppressions", "import", str(path), check=False)[1]
        self.assertIn("0 suppressed, 9,000 suppressed already", again)
        exported = daemon.run("suppressions", "export")[1]
        self.assertEqual(len(exported.splitlines()), 9002, exported[-500:])
        self.assertIn('"two\nlines, and a comma"', exported)
        table = daemon.run("suppressions", "export", "--format", "postfix")[1]
        self.assertRegex(table, r"^quoted@dest\.example 550 5\.1\.1 This recipient is not mailed any more "
                                r"\(watchpost suppression [0-9a-f]{16}\)\n$")
        table = daemon.run("suppressions", "export", "--format", "postfix", "--customer", "acme.example")[1]
        self.assertEqual(len(table.splitlines()), 9000)
        other = self.watchpost_in("other")
        other.run("suppressions", "import", "-", stdin=exported)
        again = other.run("suppressions", "export")[1]

        def columns(text):
            return sorted(row[:5] for row in csv.reader(io.StringIO(text)))
        self.assertEqual(columns(again), columns(exported))

    def test_an_export_that_nobody_answers_writes_nothing(self):
        code, out, error = self.watchpost(RULES, start=False).run("suppressions", "export", check=False)
        self.assertNotEqual(code, 0)
        self.assertEqual(out, "")
        self.assertNotEqual(error, "")

    def watchpost_in(self, name):
        folder = self.folder / name
        folder.mkdir()
        return self.watchpost(RULES, folder=folder)

    def test_by_hand(self):
        daemon = self.watchpost(RULES)
        daemon.run("suppressions", "add", "<A@Dest.example>", "--until", "90d", "--note", "they asked")
        one = self.listed(daemon)[0]
        self.assertEqual((one["recipient"], one["customer"], one["reason"], one["note"]),
                         ("a@dest.example", None, "by_hand", "they asked"))
        self.complain(daemon, "suppressions", "add", "a@dest.example", "--until", "30d", code=4, says="already")
        self.complain(daemon, "suppressions", "add", "nobody", code=2, says="not an address")
        self.complain(daemon, "suppressions", "add", "b@dest.example", "--until", "lately", code=2, says="until")
        self.complain(daemon, "suppressions", "add", "b@dest.example", "--reason", "why", code=2, says="no reason")
        self.complain(daemon, "suppressions", "remove", "b@dest.example", "--note", "x", code=4, says="nothing to remove")
        self.complain(daemon, "suppressions", "remove", "a@dest.example", "--customer", "acme", "--note", "x", code=4,
                      says="for this customer")
        self.complain(daemon, "suppressions", "remove", "a@dest.example", code=2, says="--note")
        self.complain(daemon, "suppressions", "import", str(self.folder / "none.csv"), code=4, says="cannot be read")
        self.complain(daemon, "suppressions", "import", str(self.folder), code=4, says="cannot be read")
        self.complain(daemon, "suppressions", "export", "--format", "postfix", "--reply", "250 2.0.0 ok", code=2,
                      says="reply")
        self.complain(daemon, "suppressions", "list", "--reason", "why", code=2, says="no reason")
        for path in ("/v1/suppressions?after=x", "/v1/suppressions/changes?after=x", "/v1/suppressions?recipient=x",
                     "/v1/suppressions?all=maybe", "/v1/suppressions/changes?limit=0"):
            status, text, _ = over_unix(daemon, "GET", path)
            self.assertEqual(status, 400, path + text)
        said = [(one["what"], one["about"]) for one in daemon.json("audit")["audit"]]
        self.assertIn(("suppression added", "a@dest.example"), said)

    def test_the_feed_has_every_change_in_its_order(self):
        daemon = self.watchpost(RULES)
        self.push(daemon, *(bounce(n, f"r{n}@dest.example") for n in range(25)))
        daemon.run("suppressions", "remove", "r3@dest.example", "--customer", "acme.example", "--note", "back")
        seen, after = [], 0
        while True:
            text = over_unix(daemon, "GET", f"/v1/suppressions/changes?after={after}&limit=10")[1]
            answer = json.loads(text)
            if not answer["changes"]:
                break
            seen += answer["changes"]
            after = answer["last"]
        self.assertEqual([one["change"] for one in seen], sorted(one["change"] for one in seen))
        self.assertEqual(len(seen), 25)
        self.assertEqual((seen[-1]["recipient"], seen[-1]["state"]), ("r3@dest.example", "lifted"))
        # Pages of the list.
        page = json.loads(over_unix(daemon, "GET", "/v1/suppressions?limit=20")[1])
        rest = json.loads(over_unix(daemon, "GET", f"/v1/suppressions?limit=20&after={page['next']}")[1])
        self.assertEqual((len(page["suppressions"]), len(rest["suppressions"]), rest["next"]), (20, 4, None))

    def test_an_access_table_follows(self):
        path = self.folder / "suppressed"
        daemon = self.watchpost(RULES + f"""
[[enforcer]]
kind     = "postfix_access"
path     = "{path}"
customer = "acme.example"
every    = "1s"
""" + DETECTOR)
        daemon.wait_until(path.exists, "the table is there")
        self.push(daemon, bounce(1, "gone@dest.example"), bounce(2, "other@dest.example", customer="other.example"))
        daemon.run("suppressions", "add", "all@dest.example")

        def lines():
            return [line.split()[0] for line in path.read_text().splitlines() if not line.startswith("#")]
        daemon.wait_until(lambda: sorted(lines()) == ["all@dest.example", "gone@dest.example"], "the table has them")
        daemon.run("suppressions", "remove", "all@dest.example", "--note", "x")
        daemon.wait_until(lambda: lines() == ["gone@dest.example"], "the table lets go of it")
        self.assertFalse((self.folder / "suppressed.new").exists())
        # Decisions are none of its business.
        self.push(daemon, *(bounce(10 + n, f"r{n}@dest.example") for n in range(6)))
        self.assertEqual(daemon.json("decisions")["decisions"][0]["enforcements"], [])

    def test_a_webhook_is_told_in_order_and_again_after_a_no(self):
        hook = Hook()
        self.addCleanup(hook.close)
        daemon = self.watchpost(RULES + f"""
[[enforcer]]
kind          = "suppression_webhook"
url           = "http://127.0.0.1:{hook.port}/"
secret        = "s3cret"
allow_private = true
""")
        hook.refuse = 1_000_000
        self.push(daemon, bounce(1, "a@dest.example"))

        def health():
            status, text, _ = over_unix(daemon, "GET", "/health")
            return status, json.loads(text)
        # Mail goes on: that it fails is no reason to be unhealthy, and alerts can say so all the same.
        daemon.wait_until(lambda: health()[1]["degraded"], "it is degraded")
        self.assertEqual((health()[0], health()[1]["failing_enforcers"]), (200, 1))
        enforcer = daemon.json("status")["enforcers"][0]
        self.assertTrue(enforcer["failing"] and enforcer["failed"] > 0, enforcer)
        hook.refuse = 0
        daemon.wait_until(lambda: hook.changes == ["a@dest.example"], "it was told")
        feed = json.loads(over_unix(daemon, "GET", "/v1/suppressions/changes")[1])["changes"]
        self.assertEqual(hook.rows, feed)
        daemon.wait_until(lambda: not health()[1]["degraded"], "it is well again")
        self.push(daemon, *(bounce(10 + n, f"r{n}@dest.example") for n in range(5)))
        expected = ["a@dest.example"] + [f"r{n}@dest.example" for n in range(5)]
        daemon.wait_until(lambda: hook.changes == expected, "it was told of all")
        # A restart goes on where it was.
        daemon.wait_until(lambda: "told up to change 6" in daemon.run("status")[1], "the status says so")
        daemon.stop()
        daemon.start()
        self.push(daemon, bounce(30, "last@dest.example"))
        daemon.wait_until(lambda: hook.changes[-1] == "last@dest.example", "it goes on")
        self.assertEqual(hook.changes, expected + ["last@dest.example"])
        self.assertEqual(hook.unsigned, 0)

    def test_wrong_rules_are_refused_with_their_place(self):
        for line, says in (('when = "class == unknown_usr"', "did you mean `unknown_user`"), ('when = ""', "condition"),
                           ('when = "kind == bounced"\nafter = 0', ":8:9: "), ('when = "kind == bounced"\nscope = "x"', ":8:9: `x` is none of: customer, all"),
                           ('when = "kind == bounced"\nuntil = "1d"', "until"), ("", "when")):
            daemon = self.watchpost(f'[[suppress]]\nname = "a rule"\n{line}\n', start=False)
            self.complain(daemon, "config", "check", code=1, says=says)
        daemon = self.watchpost(RULES + RULES[RULES.index("[[suppress]]"):], start=False)
        self.complain(daemon, "config", "check", code=1, says="two tables [[suppress]]")
        for setting in ('kind = "postfix_access"\npath = "relative"', 'kind = "postfix_access"\npath = "/x"\nreply = "no"',
                        'kind = "suppression_webhook"\nurl = "http://x.example/"\nsecret = "s"',
                        'kind = "postfix_policy"\nlisten = ["127.0.0.1:1"]\nsuppression_reply = "550 no"'):
            daemon = self.watchpost(f"[[enforcer]]\n{setting}\n", start=False)
            self.complain(daemon, "config", "check", code=1, says="watchpost.toml:")
        twice = "".join(f'[[enforcer]]\nname = "{name}"\nkind = "postfix_access"\npath = "{path}"\n'
                        for name, path in (("one", "/etc/postfix/x"), ("two", "/etc/postfix//./x")))
        self.complain(self.watchpost(twice, start=False), "config", "check", code=1, says="another enforcer writes this file")

    def test_rules_are_taken_over_by_reload(self):
        daemon = self.watchpost(RULES)
        daemon.configure(RULES.replace("class == unknown_user", "class == moved"))
        daemon.run("reload")
        self.push(daemon, bounce(1, "a@dest.example"), bounce(2, "b@dest.example", **{"class": "moved"}))
        self.assertEqual(self.recipients(daemon), ["b@dest.example"])

    def test_our_own_echo_is_no_bounce(self):
        daemon = self.watchpost(RULES + f"""
[[source]]
kind  = "postfix_log"
path  = "{self.folder}/mail.log"
start = "beginning"
[[suppress]]
name = "rejected"
when = "kind == rejected"
""")
        line = ("{at} mx1 postfix/submission/smtpd[77]: NOQUEUE: reject: RCPT from c[192.0.2.7]: 550 5.1.1 <{to}>: "
                "Recipient address rejected: {text}; from=<a@acme.example> to=<{to}> proto=ESMTP helo=<c> "
                "sasl_username=<anna@acme.example>\n")
        write(self.folder / "mail.log",
              line.format(at=now(), to="echo@dest.example",
                          text="This recipient is not mailed any more (watchpost suppression)") +
              line.format(at=now(), to="echo2@dest.example",
                          text="This recipient is not mailed any more (watchpost suppression 0123456789abcdef)") +
              line.format(at=now(), to="real@dest.example", text="User unknown in virtual mailbox table"))
        daemon.wait_until(lambda: self.recipients(daemon) == ["real@dest.example"], "the real one is suppressed")
        found = daemon.json("events", "--kind", "rejected")["events"]
        self.assertEqual([one.get("self_inflicted", False) for one in found if one["recipient"].startswith("echo")],
                         [True, True])

    def test_the_rules_that_ship(self):
        text = (ROOT / "config/watchpost.toml").read_text()
        daemon = self.watchpost(text[text.index("# ---- List hygiene"):])
        self.push(daemon, bounce(1, "now@dest.example", stage="RCPT"), bounce(2, "status@dest.example", status="5.1.1"),
                  bounce(3, "late@dest.example", stage="END-OF-MESSAGE", status="5.7.1"),
                  bounce(4, "domain@dest.example", **{"class": "bad_domain", "class_rule": "bad_domain/null-mx"}),
                  bounce(5, "dns@dest.example", **{"class": "bad_domain", "class_rule": "bad_domain/dns-error"}),
                  bounce(6, "full@dest.example", **{"class": "mailbox_full"}),
                  bounce(7, "block@dest.example", **{"class": "reputation_block"}),
                  event(8, "complained", "angry@dest.example"), event(9, "unsubscribed", "tired@dest.example"))
        self.assertEqual(self.recipients(daemon), ["angry@dest.example", "domain@dest.example", "now@dest.example",
                                                   "status@dest.example", "tired@dest.example"])


class Hook:
    """A web service that keeps what it is told."""

    def __init__(self):
        self.changes, self.rows, self.unsigned, self.refuse = [], [], 0, 0
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stamp = self.headers["X-Watchpost-Timestamp"]
                wanted = hmac.new(b"s3cret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
                hook.unsigned += self.headers["X-Watchpost-Signature"] != "v1=" + wanted
                if hook.refuse > 0:
                    hook.refuse -= 1
                    self.send_response(503)
                else:
                    hook.rows += json.loads(body)["changes"]
                    hook.changes = [one["recipient"] for one in hook.rows]
                    self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


if __name__ == "__main__":
    unittest.main()
