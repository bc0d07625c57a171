"""Our own refusal of a suppressed recipient, seen again wherever mail servers tell of it: never evidence. One that a
stranger made is a bounce like all others."""
import json
import time
import unittest

from feedback_mail import KEY, Lmtp, bounce as notice, token
from support import DaemonTest, free_port, message_begins, now, over_unix, write
from test_kumomta import pack
from test_suppressions import DETECTOR, RULES, bounce

SOURCES = """
[[source]]
kind   = "feedback_mail"
listen = ["127.0.0.1:{port}"]
[[source]]
kind  = "postfix_log"
path  = "{folder}/mail.log"
start = "beginning"
[[source]]
kind  = "kumomta_log"
path  = "{folder}/kumo/"
start = "beginning"
[[source]]
kind  = "powermta_csv"
path  = "{folder}/acct.csv"
start = "beginning"
[source.columns]
customer = ["vmta"]
"""
TEXT = "550 5.1.1 <{to}>: Recipient address rejected: This recipient is not mailed any more "
WAYS = ("notice", "postfix", "kumomta", "powermta", "pushed")


class Echoes(DaemonTest):
    def setUp(self):
        super().setUp()
        (self.folder / "kumo").mkdir()
        self.port = free_port()
        sources = SOURCES.replace("{port}", str(self.port)).replace("{folder}", str(self.folder))
        self.daemon = self.watchpost(RULES + DETECTOR + KEY + sources)

    def mark_of(self, recipient):
        """As refusals have it: of another customer's suppression, so that this one's can still be made."""
        self.daemon.run("suppressions", "add", recipient, "--customer", "other.example")
        return self.daemon.json("suppressions", "list", recipient)["suppressions"][0]["refusal_mark"]

    def notice(self, to, reply):
        mark = token(to, "acme.example")
        link = Lmtp(self.port)
        link.send(notice(to, mark, reply=reply), recipient=f"{mark}@bounces.example")
        link.close()

    def postfix(self, to, reply):
        queue_id = f"4F{abs(hash(to)) % 10**8:08}"
        write(self.folder / "mail.log", message_begins(queue_id, "anna@acme.example") +
              f"{now()} mx1 postfix/smtp[80]: {queue_id}: to=<{to}>, relay=mx1[198.51.100.9]:25, delay=0.5, "
              f"delays=0.1/0/0.2/0.2, dsn=5.1.1, status=bounced (host mx1[198.51.100.9] said: {reply} "
              "(in reply to RCPT TO command))\n")

    def kumomta(self, to, reply):
        at = int(time.time())
        record = {"type": "Bounce", "id": f"{abs(hash(to)):032x}", "sender": "a@acme.example", "recipient": to,
                  "queue": "acme.example", "site": "", "size": 10,
                  "response": {"code": 550, "enhanced_code": {"class": 5, "subject": 1, "detail": 1},
                               "content": reply[10:], "command": "RCPT TO"},
                  "peer_address": {"name": "mx1", "addr": "198.51.100.9"}, "timestamp": at, "created": at - 1,
                  "num_attempts": 0, "meta": {"authn_id": "anna@acme.example"}, "headers": {}, "nodeid": "n1"}
        write(self.folder / "kumo/20261129-104500.123456789", pack(json.dumps(record) + "\n"))

    def powermta(self, to, reply):
        path = self.folder / "acct.csv"
        header = "" if path.exists() else "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,srcMta,vmta,jobId\r\n"
        at = int(time.time())
        write(path, f"{header}b,{at},{at - 2},a@acme.example,{to},5.1.1 (bad destination mailbox address),"
                    f"smtp;{reply},app (198.51.100.4),acme.example,autumn\r\n")

    def pushed(self, to, reply):
        status, text, _ = over_unix(self.daemon, "POST", "/v1/events", json.dumps(bounce(to, to, reply=reply)))
        self.assertEqual(status, 200, text)

    def test_an_echo_is_never_evidence_and_a_forged_one_is(self):
        for way in WAYS:
            echo, forged = f"echo-{way}@dest.example", f"forged-{way}@dest.example"
            mark = self.mark_of(echo)
            self.assertNotEqual(mark, self.mark_of(forged))
            for to in (echo, forged):
                getattr(self, way)(to, TEXT.format(to=to) + mark)
        found = {}

        def all_there():
            found.update((one["recipient"], one) for one in
                         self.daemon.json("events", "--kind", "bounced", "--limit", "100")["events"])
            return len(found) >= 2 * len(WAYS)
        self.daemon.wait_until(all_there, "all bounces are stored")
        own = sorted(to for to, one in found.items() if one.get("self_inflicted"))
        self.assertEqual(own, sorted(f"echo-{way}@dest.example" for way in WAYS), found)
        # Each of the forged ones had all that it takes: so had the echoes.
        listed = self.daemon.json("suppressions", "list", "--customer", "acme.example")["suppressions"]
        self.assertEqual(sorted(one["recipient"] for one in listed), sorted(f"forged-{way}@dest.example" for way in WAYS))
        # Five forged ones reach the detector, and the echoes are not among what it counted.
        incident = self.daemon.json("incidents")["incidents"][0]
        self.assertNotIn("echo-", json.dumps(self.daemon.json("incident", "show", incident["id"])))


if __name__ == "__main__":
    unittest.main()
