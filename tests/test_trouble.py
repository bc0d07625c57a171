"""What goes wrong around the daemon: nothing is lost, nothing counts twice, and it is said."""
import hashlib
import hmac
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from support import (LOG_SOURCE, UNKNOWN_USERS, DaemonTest, SmallDiskTest, SmtpSink, UnixConnection, ask, bounces, events, free_port,
                     login_line, login_lines, now, over_unix, wait_for_decision, wait_for_events)


def policy_request(login, instance="1"):
    return ("request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@example.com\nrecipient=b@example.net\n"
            f"client_address=192.0.2.7\ninstance={instance}\nsasl_username={login}\n\n").encode()


class TwoDaemons(DaemonTest):
    def test_the_second_on_one_folder_is_refused(self):
        first = self.watchpost(LOG_SOURCE)
        other = self.folder / "other"
        other.mkdir()
        second = self.watchpost("", start=False, folder=other)
        second.config.write_text(second.config.read_text().replace(f"{other}/data", f"{self.folder}/data"))
        second.start(wait=False)
        second.wait_until(lambda: second.process.poll() is not None, "the daemon ends")
        pid = first.process.pid
        self.assertNotEqual(second.stop(), 0)
        self.assertIn(str(pid), second.tail())
        self.assertIn("data", second.tail())
        self.log(login_lines(0, 3))
        wait_for_events(first, 3)
        # When the first has gone, even by force, the second may.
        first.kill()
        second.start()
        self.assertEqual(len(events(second)), 3)

    def test_a_taken_address_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            daemon = self.watchpost(f'[listen]\napi = "127.0.0.1:{port}"\n', start=False)
            daemon.start(wait=False)
            daemon.wait_until(lambda: daemon.process.poll() is not None, "the daemon ends")
            self.assertNotEqual(daemon.stop(), 0)
            self.assertIn(str(port), daemon.tail())
        daemon.start()


class PolicyClients(DaemonTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.daemon = self.watchpost(f'[[enforcer]]\nname = "submission"\nkind = "postfix_policy"\n'
                                     f'listen = ["127.0.0.1:{self.port}", "unix:{self.folder}/policy.sock"]\n')
        self.daemon.run("suspend", "credential=mallory")

    def connect(self, unix=False):
        if unix:
            link = socket.socket(socket.AF_UNIX)
            link.connect(f"{self.folder}/policy.sock")
        else:
            link = socket.create_connection(("127.0.0.1", self.port))
        link.settimeout(120)
        self.addCleanup(link.close)
        return link

    def answer(self, link, request):
        link.sendall(request)
        said = b""
        while not said.endswith(b"\n\n"):
            more = link.recv(4096)
            if not more:
                break
            said += more
        return said.decode()

    def check(self):
        for unix in (False, True):
            link = self.connect(unix)
            self.assertIn("554 5.7.1", self.answer(link, policy_request("mallory")))
            self.assertEqual(self.answer(link, policy_request("alice")), "action=dunno\n\n")
            link.close()

    def test_garbage_closes_only_that_connection(self):
        good = self.connect()
        self.assertIn("(watchpost d-1)", self.answer(good, policy_request("mallory")))
        for garbage in (b"\n", b"EHLO x\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", os.urandom(50_000), b"\0" * 100_000,
                        b"request=other\n\n", b"a=b\n" * 100_000, b"x" * 1_000_000):
            link = self.connect()
            try:
                link.sendall(garbage)
                self.assertEqual(link.recv(4096), b"", garbage[:20])
            except ConnectionError:
                pass
        self.check()
        self.assertIn("dunno", self.answer(good, policy_request("alice")))
        self.assertIn("does not speak the policy protocol", self.daemon.tail())

    def test_half_a_request_and_nothing(self):
        for count in range(60):
            link = self.connect(unix=count % 2 == 0)
            link.sendall(policy_request("mallory")[:count])
        self.check()
        half = self.connect()
        request = policy_request("mallory")
        half.sendall(request[:40])
        self.check()
        self.assertIn("554", self.answer(half, request[40:]))

    def test_a_client_that_never_reads(self):
        link = self.connect()
        link.settimeout(1)
        sent = 0
        try:
            for number in range(20_000):
                link.sendall(policy_request("mallory", str(number)))
                sent += 1
        except (TimeoutError, ConnectionError):
            pass
        self.assertGreater(sent, 10)
        self.check()
        self.assertEqual(self.daemon.stop(), 0)

    def test_many_requests_at_once_are_answered_in_order(self):
        link = self.connect()
        names = [("mallory", "alice")[n % 2] for n in range(500)]
        link.sendall(b"".join(policy_request(name, str(n)) for n, name in enumerate(names)))
        said = b""
        while said.count(b"\n\n") < 500:
            more = link.recv(65536)
            self.assertTrue(more, said[-200:])
            said += more
        answers = said.decode().split("\n\n")[:500]
        self.assertEqual(["554" in one for one in answers], [name == "mallory" for name in names])


class Interrupted(DaemonTest):
    COUNT = 60_000

    def all_names(self, daemon):
        names, after = [], []
        while True:
            answer = daemon.json("events", "--limit", "10000", *after)
            names += [one["credential"] for one in answer["events"]]
            if not answer["next"]:
                return names
            after = ["--after", answer["next"]]

    def write_log(self):
        before, after = login_line("NAME").split("NAME")
        self.log("".join(f"{before}login{n}{after}" for n in range(self.COUNT)))

    def interrupt(self, how):
        self.write_log()
        daemon = self.watchpost(LOG_SOURCE, start=False)
        stored = 0
        for turn in range(4):
            daemon.start()
            daemon.wait_until(lambda: daemon.json("status")["events"] > stored or stored == self.COUNT, "it goes on")
            if how == signal.SIGKILL:
                daemon.kill()
            else:
                self.assertEqual(daemon.stop(how), 0)
            daemon.start()
            stored = daemon.json("status")["events"]
            daemon.stop()
        daemon.start()
        daemon.wait_until(lambda: daemon.json("status")["events"] >= self.COUNT, "all are stored")
        names = self.all_names(daemon)
        self.assertEqual(len(names), self.COUNT)
        self.assertEqual(set(names), {f"login{n}" for n in range(self.COUNT)})
        self.assertEqual(daemon.json("status")["events"], self.COUNT)

    def test_ctrl_c_in_the_middle_of_catching_up(self):
        self.interrupt(signal.SIGINT)

    def test_sigterm_under_load(self):
        daemon = self.watchpost(LOG_SOURCE)
        done, accepted = threading.Event(), []

        def push(sender):
            turn = 0
            while not done.is_set():
                lines = "".join(json.dumps({"at": now(), "id": f"{sender}-{turn}-{n}", "kind": "login",
                                            "outcome": "failure", "credential": f"p{sender}-{turn}-{n}"}) + "\n"
                                for n in range(50))
                try:
                    status, text, _ = over_unix(daemon, "POST", "/v1/events", lines)
                except OSError:
                    return
                except Exception:  # half an answer is none
                    return
                if status == 200:
                    accepted.extend(f"p{sender}-{turn}-{n}" for n in range(50))
                turn += 1

        written = 0
        threads = [threading.Thread(target=push, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        try:
            for turn in range(30):
                self.log(login_lines(written, written + 200))
                written += 200
            daemon.wait_until(lambda: len(accepted) > 500, "events are pushed")
            self.log(login_lines(written, written + 3000))
            written += 3000
            self.assertEqual(daemon.stop(signal.SIGTERM, seconds=60), 0)
        finally:
            done.set()
            for thread in threads:
                thread.join()
        daemon.start()
        daemon.wait_until(lambda: daemon.json("status")["events"] >= written + len(accepted), "all are stored")
        names = self.all_names(daemon)
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual(set(accepted), set(names))
        self.assertEqual({one for one in names if one[0] == "l"}, {f"login{n}" for n in range(written)})

    def test_a_request_that_waits_does_not_keep_it_from_ending(self):
        daemon = self.watchpost(LOG_SOURCE)
        links = [UnixConnection(daemon.socket) for _ in range(5)]
        for link in links:
            link.connect()
            self.addCleanup(link.close)
            self.assertEqual(ask(link, "GET", "/v1/status")[0], 200)
        self.assertEqual(daemon.stop(signal.SIGTERM), 0)


class Damage(DaemonTest):
    def test_damaged_counters_are_counted_anew(self):
        daemon = self.watchpost(LOG_SOURCE + UNKNOWN_USERS)
        self.log(bounces("mallory", 4))
        wait_for_events(daemon, 12)
        daemon.stop()
        state = self.folder / "data/detector.state"
        content = bytearray(state.read_bytes())
        content[len(content) // 2] ^= 0xFF
        state.write_bytes(content)
        daemon.start()
        self.assertIn("detector", daemon.tail())
        # Four from before, and one: the history of events knows them.
        self.log(bounces("mallory", 1, first=9))
        wait_for_decision(daemon)

    def test_history_without_its_ledger_is_refused(self):
        self.log(login_lines(0, 5))
        daemon = self.watchpost(LOG_SOURCE)
        wait_for_events(daemon, 5)
        daemon.stop()
        for file in (self.folder / "data").glob("state.db*"):
            file.unlink()
        daemon.start(wait=False)
        daemon.wait_until(lambda: daemon.process.poll() is not None, "the daemon ends")
        self.assertNotEqual(daemon.stop(), 0)
        self.assertIn("state.db", daemon.tail())


@unittest.skipUnless(os.geteuid() == 0, "takes root to mount a small disk")
class FullDisk(SmallDiskTest):
    def test_following_pauses_and_nothing_is_lost(self):
        policy = free_port()
        daemon = self.watchpost(LOG_SOURCE + UNKNOWN_USERS + '[[enforcer]]\nname = "submission"\n'
                                f'kind = "postfix_policy"\nlisten = ["127.0.0.1:{policy}"]\n', start=False)
        self.put_on_disk(daemon)
        daemon.start()
        self.log(login_lines(0, 100))
        wait_for_events(daemon, 100)
        daemon.run("suspend", "credential=mallory")
        filler = self.fill()
        self.log(login_lines(100, 6000) + bounces("trudy", 6))
        daemon.wait_until(lambda: not daemon.json("status")["storing"], "it says that it cannot store")
        status = daemon.json("status")
        self.assertNotEqual(status["store_error"], "")
        self.assertIn("storing: NO", daemon.run("status")[1])
        code, text, _ = over_unix(daemon, "GET", "/health")
        self.assertEqual((code, json.loads(text)["storing"]), (503, False))
        # What is in force stays in force, and what is stored can be read.
        with socket.create_connection(("127.0.0.1", policy), timeout=120) as link:
            link.sendall(policy_request("mallory"))
            self.assertIn(b"554 5.7.1", link.recv(4096))
        self.assertEqual(len(daemon.json("decisions")["decisions"]), 1)
        filler.unlink()
        daemon.wait_until(lambda: daemon.json("status")["storing"], "it stores again")
        self.assertEqual(wait_for_decision(daemon)["scope"][:11], "credential=")
        seen = [one["credential"] for one in wait_for_events(daemon, 6018) if one["kind"] == "login"]
        self.assertEqual(sorted(seen), sorted([f"login{n}" for n in range(6000)] + ["trudy"] * 6))
        self.assertEqual(len(events(daemon)), 6018)
        daemon.wait_until(lambda: len(daemon.json("decisions")["decisions"]) == 2, "trudy is suspended")

    def test_it_ends_on_a_full_disk_and_goes_on_after(self):
        daemon = self.watchpost(LOG_SOURCE, start=False)
        self.put_on_disk(daemon)
        daemon.start()
        self.log(login_lines(0, 100))
        wait_for_events(daemon, 100)
        filler = self.fill()
        # More than the queue before the store holds: whoever reads has to wait, and is let go all the same.
        before, after = login_line("NAME").split("NAME")
        self.log("".join(f"{before}login{n}{after}" for n in range(100, 150_000)))
        daemon.wait_until(lambda: not daemon.json("status")["storing"], "it says that it cannot store")
        self.wait_until_blocked(daemon)
        pushed = json.dumps({"at": now(), "kind": "login", "outcome": "failure", "credential": "pushed"}) + "\n"
        pusher = threading.Thread(target=self.push_in_vain, args=(daemon, pushed))
        pusher.start()
        daemon.stop(signal.SIGTERM, seconds=120)
        pusher.join()
        filler.unlink()
        daemon.start()
        daemon.wait_until(lambda: daemon.json("status")["events"] >= 150_000, "all are stored")
        self.log(login_line("last"))
        wait_for_events(daemon, 1, "credential=last")
        self.assertEqual(daemon.json("status")["events"], 150_001)
        self.assertEqual(events(daemon, "credential=pushed"), [])

    def wait_until_blocked(self, daemon):
        """Until whoever reads the log has been waiting for room for a while."""
        seen, still = -1, 0
        while still < 30:
            source = daemon.json("sources")["sources"][0]
            still = still + 1 if source["lines"] == seen else 0
            seen = source["lines"]
            time.sleep(0.02)
        self.assertGreater(source["bytes_behind"], 0)

    def push_in_vain(self, daemon, body):
        try:
            self.assertNotEqual(over_unix(daemon, "POST", "/v1/events", body)[0], 200)
        except OSError:
            pass


class Receiver:
    """A webhook's other end: keeps what it is told, answers as it is told to."""

    def __init__(self, port, statuses=()):
        calls, todo = [], list(statuses)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                calls.append((dict(self.headers), body))
                self.send_response(todo.pop(0) if todo else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.calls = calls
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)


class Webhook(DaemonTest):
    SECRET = "swordfish"

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.daemon = self.watchpost(f'[[enforcer]]\nname = "hook"\nkind = "webhook"\n'
                                     f'url = "http://127.0.0.1:{self.port}/hook"\nsecret = "{self.SECRET}"\n'
                                     'allow_private = true\n')

    def row(self):
        return self.daemon.json("decisions", "--all")["decisions"][0]["enforcements"][0]

    def receiver(self, statuses=()):
        made = Receiver(self.port, statuses)
        self.addCleanup(made.stop)
        return made

    def check(self, call, wanted):
        headers, body = call
        stamp = headers["X-Watchpost-Timestamp"]
        self.assertLess(abs(time.time() - int(stamp)), 600)
        signature = hmac.new(self.SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["X-Watchpost-Signature"], f"v1={signature}")
        self.assertEqual(headers["Idempotency-Key"], f"d-1/{wanted}")
        told = json.loads(body)
        self.assertEqual((told["decision"], told["wanted"], told["scope"]), ("d-1", wanted, {"credential": "mallory"}))
        self.assertEqual(told["measure"], {"kind": "suspend"})

    def wait_for(self, actual):
        self.daemon.wait_until(lambda: self.row()["actual"] == actual, f"the enforcement is {actual}")

    def test_a_receiver_that_is_down_is_told_when_it_is_back(self):
        self.daemon.run("suspend", "credential=mallory")
        self.daemon.wait_until(lambda: self.row()["attempts"] >= 1, "it was tried")
        self.assertIn(self.row()["actual"], ("pending", "failed"))
        self.assertNotEqual(self.row()["error"], "")
        self.assertIn("hook: ", self.daemon.run("decisions")[1])
        receiver = self.receiver()
        self.wait_for("applied")
        self.assertEqual(self.row()["error"], "")
        self.check(receiver.calls[0], "applied")
        self.daemon.run("decision", "revoke", "d-1")
        self.daemon.wait_until(lambda: self.row()["actual"] == "undone", "it is undone")
        self.check(receiver.calls[-1], "undone")

    def test_a_restart_does_not_forget_it(self):
        self.daemon.run("suspend", "credential=mallory")
        self.daemon.wait_until(lambda: self.row()["attempts"] >= 1, "it was tried")
        self.daemon.kill()
        self.daemon.start()
        receiver = self.receiver()
        self.wait_for("applied")
        self.check(receiver.calls[0], "applied")

    def test_errors_of_the_receiver_are_tried_again_under_one_key(self):
        receiver = self.receiver([500, 503])
        self.daemon.run("suspend", "credential=mallory")
        self.wait_for("applied")
        self.assertEqual(len(receiver.calls), 3)
        for call in receiver.calls:
            self.check(call, "applied")
        status = self.daemon.json("status")["enforcers"][0]
        self.assertEqual((status["applied"], status["pending"], status["failed"]), (1, 0, 0))


class Notify(DaemonTest):
    def test_people_are_told_by_mail(self):
        sink = SmtpSink()
        self.addCleanup(sink.stop)
        detector = UNKNOWN_USERS.replace('["suspend 1h"]', '["suspend 1h", "notify desk"]')
        daemon = self.watchpost(LOG_SOURCE + detector + '[[notify]]\nname = "desk"\nkind = "mail"\n'
                                f'relay = "127.0.0.1:{sink.port}"\nfrom = "watchpost@example.com"\n'
                                'to = ["desk@example.com", "night@example.com"]\n')
        self.log(bounces("mallory", 6))
        daemon.wait_until(lambda: sink.messages, "mail comes")
        sender, recipients, text = sink.messages[0]
        self.assertIn("<watchpost@example.com>", sender)
        self.assertEqual(len(recipients), 2)
        for word in ("Subject: ", "mallory", "i-1", "d-1"):
            self.assertIn(word, text)
        daemon.wait_until(lambda: [one["state"] for one in daemon.json("notices")["notices"]] == ["sent"],
                          "the notice is sent")
        self.assertIn("sent", daemon.run("notices")[1])

    def test_a_relay_that_is_down_is_tried_again(self):
        port = free_port()
        detector = UNKNOWN_USERS.replace('["suspend 1h"]', '["suspend 1h", "notify desk"]')
        daemon = self.watchpost(LOG_SOURCE + detector + '[[notify]]\nname = "desk"\nkind = "slack"\n'
                                f'url = "http://127.0.0.1:{port}/"\nallow_private = true\n')
        self.log(bounces("mallory", 6))

        def notice():
            return daemon.json("notices")["notices"][0]
        wait_for_decision(daemon)
        daemon.wait_until(lambda: notice()["attempts"] >= 1, "it was tried")
        self.assertEqual(notice()["state"], "pending")
        self.assertNotEqual(notice()["error"], "")
        receiver = Receiver(port)
        self.addCleanup(receiver.stop)
        daemon.wait_until(lambda: notice()["state"] == "sent", "people are told")
        self.assertIn("mallory", json.loads(receiver.calls[0][1])["text"])


if __name__ == "__main__":
    unittest.main()
