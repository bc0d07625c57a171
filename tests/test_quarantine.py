"""Mail that is held, through a real Postfix: kept, shown, released once, thrown away; and what may go wrong with that."""
import email
import hashlib
import http.client
import os
import pathlib
import re
import subprocess
import time
import unittest

from border_world import ATTACKER, SHOP, US, BorderTest, letter
from support import free_port
from testbed.destinations import Destinations
from testbed.mail_host import MailHost
from testbed.sender import Refused, Stranger
from testbed.watchpost import CommandFailed

FILTERS = """
[[filter]]
name = "evil"
when = 'subject contains "evil"'
then = "quarantine"
mode = "enforce"
why  = "its subject is evil"
[[filter]]
name = "not for the boss"
when = 'recipient contains "boss" and subject contains "half"'
then = "quarantine"
mode = "enforce"
"""
QUARANTINE = """
[quarantine]
key_file = "{folder}/quarantine.key"
release_to = "127.0.0.1:{release_mx}"
release_outbound_to = "127.0.0.1:{release}"
"""


def without_trace(message):
    """What the mail servers on the way have put on top is off."""
    lines = message.splitlines(keepends=True)
    at = 0
    while at < len(lines) and (lines[at].lower().startswith(b"received:") or lines[at][:1] in b" \t"):
        at += 1
    return b"".join(lines[at:])


class QuarantineTest(BorderTest):
    def begin(self, more="", quarantine=QUARANTINE, lists="", runner=(), **named):
        super().begin(more + quarantine, log=True, start=False, **named)
        self.new_key()
        self.daemon.runner = list(runner)
        self.add_lists(FILTERS + lists)
        self.daemon.start()

    def new_key(self):
        self.folder = pathlib.Path(self.folder)
        self.daemon.make_key(self.folder / "quarantine.key")

    def add_lists(self, text):
        config = self.daemon.config
        config.write_text(config.read_text() + text)

    def held(self, *arguments):
        return self.daemon.json("quarantine", "list", *arguments)["held"]

    def wait_for_held(self, count=1, *arguments):
        return self.daemon.wait_until(lambda: found if len(found := self.held(*arguments)) >= count else None,
                                      f"{count} messages are held")

    def release(self, held, *arguments):
        return self.daemon.run("quarantine", "release", held["id"], "--why", "test", *arguments)

    def evil(self, subject="evil", recipients=(f"you@{US}",), **named):
        message = letter(subject=subject, **named)
        self.deliver(message, recipients=recipients)
        return message

    def arrived(self, count):
        self.daemon.wait_until(lambda: self.destinations.taken >= count, f"{count} messages have arrived")
        return [without_trace(one) for one in self.destinations.messages]


class Inbound(QuarantineTest):
    def test_held_shown_and_released_once_as_it_was(self):
        self.begin()
        message = self.evil(body="..\r\n.\r\n\r\nlast\r\n")
        [held] = self.wait_for_held()
        self.assertEqual(self.destinations.taken, 0)
        self.assertEqual((held["sender"], held["subject"], held["direction"]), ("jo@shop.example", "evil", "inbound"))
        self.assertEqual(held["rule"], "filter evil")
        self.assertEqual([(one["recipient"], one["state"]) for one in held["copies"]], [(f"you@{US}", "held")])
        verdict = self.daemon.json("verdict", held["queue_id"])["verdicts"][0]["verdict"]
        self.assertEqual((verdict["carried_out"], verdict["held"]), ("quarantine", held["id"]))
        exported = self.folder / "one.eml"
        self.daemon.run("quarantine", "export", held["id"], "-f", str(exported))
        self.assertEqual(exported.read_bytes(), message)
        self.release(held)
        self.assertEqual(self.arrived(1), [message])
        self.daemon.wait_until(lambda: not self.held(), "nothing is held")
        with self.assertRaises(CommandFailed):
            self.release(held)
        time.sleep(1)
        self.assertEqual(self.destinations.taken, 1)

    def test_one_recipient_gets_it_and_one_does_not(self):
        self.begin()
        seen = []
        self.destinations.each = lambda recipients, message: seen.append(sorted(recipients))
        self.evil("half", recipients=(f"you@{US}", f"boss@{US}"))
        self.arrived(1)
        [held] = self.wait_for_held()
        self.assertEqual([one["recipient"] for one in held["copies"]], [f"boss@{US}"])
        self.release(held)
        self.arrived(2)
        self.assertEqual(seen, [[f"you@{US}"], [f"boss@{US}"]])

    def test_each_recipient_apart(self):
        self.begin()
        self.evil(recipients=(f"a@{US}", f"b@{US}", f"c@{US}"))
        [held] = self.wait_for_held()
        seen = []
        self.destinations.each = lambda recipients, message: seen.append(sorted(recipients))
        self.release(held, "--to", f"b@{US}")
        self.arrived(1)
        self.daemon.run("quarantine", "discard", held["id"], "--to", f"c@{US}", "--why", "test")
        [held] = self.held()
        self.assertEqual(sorted((one["recipient"], one["state"]) for one in held["copies"]),
                         [(f"a@{US}", "held"), (f"b@{US}", "released"), (f"c@{US}", "discarded")])
        self.release(held, "--to", f"a@{US}")
        self.arrived(2)
        self.assertEqual(seen, [[f"b@{US}"], [f"a@{US}"]])
        self.assertEqual(self.held(), [])

    def test_the_token_of_a_release_cannot_be_forged_or_used_again(self):
        self.begin()
        forged = "X-Watchpost-Release: " + "ab" * 32 + "\r\n"
        self.deliver(forged.encode() + letter(subject="evil, forged"))
        self.wait_for_held()
        self.deliver(forged.encode() + letter(subject="fine"))
        self.assertIsNone(self.delivered()["X-Watchpost-Release"])

    def test_two_mail_servers_and_one_message(self):
        self.begin()
        folder = self.folder / "second"
        folder.mkdir()
        second = MailHost(folder, self.destinations.port, {}, receives=(US,),
                          more="milter_default_action = tempfail\nmilter_protocol = 6\n",
                          mx_milters=f"inet:127.0.0.1:{self.inbound}")
        self.addCleanup(second.remove)
        second.start()
        message = self.evil(recipients=(f"a@{US}",))
        stranger = Stranger(second.mx_port, SHOP, "mx.shop.example")
        stranger.deliver("jo@shop.example", [f"b@{US}"], message)
        # A sender that has lost the answer hands it in again, perhaps to the other server.
        stranger.deliver("jo@shop.example", [f"a@{US}", f"b@{US}"], message)
        stranger.close()
        held = self.wait_for_held(2)
        self.assertEqual(sorted(copy["recipient"] for one in held for copy in one["copies"]), [f"a@{US}", f"b@{US}"])
        for one in held:
            self.release(one)
        self.assertEqual(self.arrived(2), [message, message])
        time.sleep(1)
        self.assertEqual(self.destinations.taken, 2)

    def test_accept_the_like_from_now_on(self):
        self.begin()
        self.evil()
        [held] = self.wait_for_held()
        self.release(held, "--accept-like")
        self.arrived(1)
        self.deliver(letter(subject="evil, again"))
        self.arrived(2)
        # Whoever else says that he is this author gains nothing.
        self.deliver(letter(subject="evil, forged"), client=ATTACKER, helo="attack.example")
        self.wait_for_held()
        self.daemon.stop()
        self.daemon.start()
        self.deliver(letter(subject="evil, after a start"))
        self.arrived(3)

    def test_this_was_wrong(self):
        self.begin()
        self.evil()
        [held] = self.wait_for_held()

        def of_client():
            return self.daemon.json("reputation", "ip", SHOP)["reputation"][0]
        self.assertGreater(of_client()["bad"], 0.5)
        self.assertIsNone(self.daemon.json("verdict", held["queue_id"])["verdicts"][0]["correction"])
        self.release(held, "--wrong")
        self.assertLess(of_client()["bad"], 0.5)
        self.assertGreater(of_client()["good"], 0.5)
        [verdict] = self.daemon.json("verdict", held["queue_id"])["verdicts"]
        shown = self.daemon.run("verdict", held["queue_id"])[1]
        self.assertIn(verdict["correction"]["by"], shown)
        self.assertIn("it should not have been held", shown)

    def test_a_mail_server_that_is_gone_is_waited_for(self):
        self.begin()
        self.evil()
        [held] = self.wait_for_held()
        self.host.stop()
        self.release(held)
        self.daemon.wait_until(lambda: self.held()[0]["copies"][0]["note"], "it is said why it has not gone out")
        self.assertEqual(self.held()[0]["copies"][0]["state"], "due")


class Outbound(QuarantineTest):
    HELD = "alice@sender.example"

    def hold(self):
        self.daemon.run("hold", f"credential={self.HELD}", "--for", "1h", "--why", "test")

    def test_a_hold_keeps_mail_here_until_it_is_undone(self):
        self.begin()
        self.hold()
        for number in range(5):
            self.submit(self.HELD, message=letter(self.HELD, f"number {number}"))
        self.submit("bob@sender.example")
        self.arrived(1)
        held = self.wait_for_held(5)
        self.assertEqual({(one["login"], one["direction"]) for one in held}, {(self.HELD, "outbound")})
        self.daemon.run("release", f"credential={self.HELD}", "--why", "it was a mistake")
        self.arrived(6)
        time.sleep(1)
        self.assertEqual(self.destinations.taken, 6)
        self.assertEqual(self.held(), [])

    def test_released_in_full_or_thrown_away(self):
        self.begin()
        self.hold()
        for number in range(4):
            self.submit(self.HELD, message=letter(self.HELD, f"number {number}"))
        held = self.wait_for_held(4)
        self.daemon.run("quarantine", "discard", held[0]["id"], "--why", "test")
        self.daemon.run("quarantine", "release", "--decision", "d-1", "--why", "test")
        self.arrived(3)
        self.assertEqual(self.held(), [])

    def test_a_paced_release_waits_while_a_decision_is_against_it(self):
        self.begin()
        self.hold()
        for number in range(4):
            self.submit(self.HELD, message=letter(self.HELD, f"number {number}"))
        self.wait_for_held(4)
        self.daemon.run("quarantine", "release", "--decision", "d-1", "--paced", "--why", "test")
        time.sleep(1)
        self.assertEqual(self.destinations.taken, 0)
        self.assertEqual({copy["state"] for one in self.held() for copy in one["copies"]}, {"due"})


class Trouble(QuarantineTest):
    def refuses_to_start(self):
        before = self.daemon.tail()
        self.daemon.start(wait=False)
        self.assertIn(self.daemon.process.wait(timeout=60), (1, 4))
        return self.daemon.tail().replace(before, "")

    def begin_without_a_daemon(self):
        BorderTest.begin(self, QUARANTINE, start=False)

    def test_without_its_key_it_does_not_start_and_says_why(self):
        self.begin_without_a_daemon()
        text = self.refuses_to_start()
        self.assertIn("quarantine.key", text)
        self.assertIn("new-key", text)

    def test_a_key_that_others_can_read_is_none(self):
        self.begin_without_a_daemon()
        self.new_key()
        (self.folder / "quarantine.key").chmod(0o644)
        self.assertIn("quarantine.key", self.refuses_to_start())

    def test_another_key_than_that_of_what_is_held(self):
        self.begin()
        self.evil()
        self.wait_for_held()
        self.daemon.stop()
        (self.folder / "quarantine.key").unlink()
        self.new_key()
        self.assertIn("key", self.refuses_to_start())

    def test_an_index_that_is_lost_is_made_again_from_the_files(self):
        self.begin()
        message = self.evil()
        [held] = self.wait_for_held()
        code, _, error = self.daemon.run("quarantine", "recover", check=False)
        self.assertEqual(code, 4)  # the daemon has it
        self.assertIn("lock", error)
        self.daemon.stop()
        for file in (self.folder / "data" / "quarantine").glob("index.db*"):
            file.unlink()
        self.assertIn("1 message came back", self.daemon.run("quarantine", "recover")[1])
        self.daemon.start()
        self.assertEqual([one["id"] for one in self.held()], [held["id"]])
        self.release(held)
        self.assertEqual(self.arrived(1), [message])

    def small_disk(self, size="16m"):
        if os.geteuid() != 0:
            self.skipTest("this needs root")
        place = self.folder / "disk"
        place.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "none", str(place)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)])
        return place

    def test_a_full_disk_makes_senders_wait_and_loses_nothing(self):
        self.folder = pathlib.Path(self.folder)
        place = self.small_disk("100m")
        self.begin(quarantine=QUARANTINE + f'path = "{place}/quarantine"\n')
        self.evil("evil before")
        filler = place / "filler"
        with filler.open("wb") as out:
            try:
                while True:
                    out.write(bytes(1 << 20))
            except OSError:
                pass
        with self.assertRaises(Refused) as caught:
            for number in range(200):
                self.evil(f"evil while full {number}", body="x" * 70 + "\r\n" * 5000)
        self.assertEqual(caught.exception.code // 100, 4)
        status = self.daemon.json("quarantine", "usage")["usage"]
        self.assertTrue(status["trouble"], status)
        filler.unlink()
        self.daemon.wait_until(lambda: self.taken("evil after"), "mail is kept again", 60)
        self.assertFalse(self.daemon.json("quarantine", "usage")["usage"]["trouble"])
        subjects = {one["subject"] for one in self.held("--limit", "1000")}
        self.assertLessEqual({"evil before", "evil after"}, subjects)

    def test_a_disk_that_fails_makes_senders_wait_and_loses_nothing(self):
        library = os.environ.get("WATCHPOST_FAILING_SYNC")
        if not library:
            self.skipTest("WATCHPOST_FAILING_SYNC names no library")
        self.folder = pathlib.Path(self.folder)
        flag = self.folder / "failing"
        options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        runner = ["env", f"LD_PRELOAD={library}", f"FAILING_SYNC={flag}", f"ASAN_OPTIONS={options}",
                  f"FAILING_SYNC_UNDER={self.folder}/data/quarantine"]
        self.begin(runner=runner)
        self.evil("evil before")
        flag.touch()
        for number in range(3):
            with self.assertRaises(Refused) as caught:
                self.evil(f"evil while it fails {number}")
            self.assertEqual(caught.exception.code // 100, 4)
        self.assertTrue(self.daemon.json("quarantine", "usage")["usage"]["trouble"])
        self.deliver(letter(subject="plain mail passes"))
        self.arrived(1)
        flag.unlink()
        self.daemon.wait_until(lambda: self.taken("evil after"), "mail is kept again", 60)
        self.assertEqual({one["subject"] for one in self.held()}, {"evil before", "evil after"})
        for one in self.held():
            self.release(one)
        self.arrived(3)

    def taken(self, subject):
        try:
            self.evil(subject)
            return True
        except Refused:
            return False

    def test_a_read_only_disk(self):
        self.folder = pathlib.Path(self.folder)
        place = self.small_disk("100m")
        self.begin(quarantine=QUARANTINE + f'path = "{place}/quarantine"\n')
        self.evil("evil before")
        self.wait_for_held()
        # Open files keep a file system writable: what is mounted over it is read-only.
        subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)])
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        with self.assertRaises(Refused) as caught:
            self.evil("evil while read-only")
        self.assertEqual(caught.exception.code // 100, 4)
        self.deliver(letter(subject="plain mail passes"))
        self.arrived(1)
        subprocess.run(["mount", "-o", "remount,bind,rw", str(place)], check=True)
        self.daemon.wait_until(lambda: self.taken("evil after"), "mail is kept again", 60)
        self.assertEqual({one["subject"] for one in self.held()}, {"evil before", "evil after"})


class People(QuarantineTest):
    def test_a_safe_view(self):
        self.begin()
        html = ("<html><script>alert(1)</script><body onload=x()>Dear <b>you</b>, "
                "<a href=\"http://evil.example/pay\">pay</a><img src=http://track.example/1.gif></body></html>\r\n")
        name = "../../../etc/passwd" + "x" * 3000
        message = (f"From: Jo <jo@shop.example>\r\nTo: <you@{US}>\r\nSubject: evil\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                   f"--b\r\nContent-Type: text/html\r\n\r\n{html}"
                   f"--b\r\nContent-Type: application/octet-stream\r\n"
                   f"Content-Disposition: attachment; filename=\"{name}\"\r\n\r\nMZ\r\n--b--\r\n").encode()
        self.deliver(message)
        [held] = self.wait_for_held()
        shown = self.daemon.run("quarantine", "show", held["id"], "--body")[1]
        self.assertIn("Dear", shown)
        self.assertIn("hxxp://evil[.]example/pay", shown)
        for never in ("<script", "alert(1)", "http://", "x" * 1000):
            self.assertNotIn(never, shown)
        self.assertIn(hashlib.sha256(b"MZ").hexdigest(), shown)
        # Who has read a body stands in the audit log.
        audit = self.daemon.json("audit")["audit"]
        self.assertTrue(any(held["id"] in str(one) and "read" in str(one) for one in audit), audit[:3])

    def test_reading_mail_is_a_right_of_its_own(self):
        self.api = free_port()
        tokens = "".join(f'[[listen.token]]\nname = "{name}"\ntoken = "{name * 4}"\nrole = "{role}"\n{more}\n'
                         for name, role, more in (("looks", "viewer", ""), ("reads", "viewer", "read_mail = true"),
                                                  ("posts", "sender", "read_mail = true"),
                                                  ("acts", "responder", "")))
        self.begin(f'[listen]\napi = "127.0.0.1:{self.api}"\n{tokens}')
        message = self.evil()
        [held] = self.wait_for_held()
        one = f"/v1/quarantine/{held['id']}"
        for path, looks, reads, posts, acts in (("/v1/quarantine", 200, 200, 403, 200), (one, 200, 200, 403, 200),
                                                ("/v1/quarantine/usage", 200, 200, 403, 200),
                                                (one + "/view", 403, 200, 403, 403), (one + "/eml", 403, 200, 403, 403)):
            self.assertEqual(self.call("GET", path)[0], 401, path)
            got = [self.call("GET", path, name)[0] for name in ("looks", "reads", "posts", "acts")]
            self.assertEqual(got, [looks, reads, posts, acts], path)
        self.assertEqual(self.call("GET", one + "/eml", "reads")[1], message)
        self.assertEqual(self.call("POST", one + "/release", "reads", b'{"why": "w"}')[0], 403)
        self.assertEqual(self.call("POST", one + "/release", "acts", b'{"why": "w"}')[0], 200)
        self.assertEqual(self.arrived(1), [message])

    def call(self, method, path, name=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=30)
        try:
            fields = {"Authorization": f"Bearer {name * 4}"} if name else {}
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def test_one_persons_data_can_be_erased(self):
        self.begin()
        self.evil(recipients=(f"you@{US}",))
        self.evil("evil too", recipients=(f"other@{US}",))
        self.wait_for_held(2)
        self.daemon.run("quarantine", "erase", f"you@{US}", "--why", "asked for it")
        self.assertEqual([one["copies"][0]["recipient"] for one in self.held("--all")if one["copies"][0]["recipient"]],
                         [f"other@{US}"])

    def test_a_recipient_asks_for_it_by_the_link_in_the_digest(self):
        self.api = free_port()
        self.begin(f'[listen]\napi = "127.0.0.1:{self.api}"\n')
        message = self.evil()
        self.wait_for_held()
        time.sleep(61)  # what is younger is for the next digest
        # What is held when the first digest of a day is due is told, and so it is after a start.
        self.daemon.stop()
        config = self.daemon.config
        config.write_text(config.read_text().replace("[quarantine]", f"""[quarantine]
digest_at = "00:00"
digest_relay = "127.0.0.1:{self.host.release_mx_port}"
digest_from = "quarantine@{US}"
digest_link = "http://127.0.0.1:{self.api}/v1/quarantine/request"
self_release = ["filter evil"]
"""))
        self.daemon.start()
        digest = email.message_from_bytes(self.arrived(1)[0])
        text = digest.get_payload(decode=True).decode()
        self.assertIn("evil", text)
        token = re.search(r"t=([A-Za-z0-9_-]+)", text)[1]
        status, page = self.ask("GET", token)
        self.assertEqual(status, 200)
        self.assertIn("<form", page)
        time.sleep(0.5)
        self.assertEqual(self.destinations.taken, 1)  # whoever only looks, as scanners do, changes nothing
        self.assertEqual(self.ask("POST", token[:-2] + "AA")[0] // 100, 4)
        self.assertEqual(self.ask("POST", token)[0], 200)
        self.assertEqual(self.arrived(2)[1], message)
        self.assertEqual(self.ask("POST", token)[0] // 100, 4)
        time.sleep(0.5)
        self.assertEqual(self.destinations.taken, 2)

    def ask(self, method, token):
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=30)
        try:
            connection.request(method, f"/v1/quarantine/request?t={token}")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main()
