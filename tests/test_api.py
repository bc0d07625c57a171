"""The API as programs see it: over TCP with tokens, and over the UNIX socket."""
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import unittest

import openmetrics
from support import (LOG_SOURCE, ROOT, UNKNOWN_USERS, DaemonTest, UnixConnection, ask, bounces, events, free_port,
                     keep_mail, now, over_tcp, over_unix, wait_for_decision)

OPENAPI = json.loads((ROOT / "docs/reference/openapi.json").read_text())
# Queries that paths do not answer without.
NEEDED = {"/v1/explain": "?stream=credential%3Da", "/v1/campaigns/report": "?customer=a&campaign=b",
          "/v1/reputation": "?worst=5"}
TOKENS = {"viewer": "viewer-secret", "sender": "sender-secret", "responder": "responder-secret"}


def event(number, **more):
    return {"v": 1, "id": f"e{number}", "at": now(-60), "kind": "complained",
            "recipient": f"r{number}@example.net", **more}


def ndjson(*values):
    return "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values)


KUMOMTA_DELIVERY = {"type": "Delivery", "id": "0123456789abcdef", "sender": "news@sender.example",
                    "recipient": "r1@example.net", "queue": "example.net", "timestamp": int(time.time()) - 60,
                    "created": int(time.time()) - 62, "response": {"code": 250, "content": "OK"}}


class Api(DaemonTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        tokens = "".join(f'[[listen.token]]\nname = "{role} one"\ntoken = "{secret}"\nrole = "{role}"\n'
                         for role, secret in TOKENS.items())
        self.daemon = self.watchpost(
            f'[listen]\napi = "127.0.0.1:{self.port}"\n{tokens}{LOG_SOURCE}{UNKNOWN_USERS}')

    def tcp(self, method, path, role=None, body=None, headers=None):
        return over_tcp(self.port, method, path, body, TOKENS.get(role), headers)

    def push(self, body, role="sender"):
        status, text, _ = self.tcp("POST", "/v1/events", role, body)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def make_incident(self):
        self.log(bounces("mallory", 6))
        wait_for_decision(self.daemon)


class Access(Api):
    def test_roles(self):
        # Held mail needs a quarantine, and has a right of its own: test_quarantine.py.
        reads = [path for path, methods in OPENAPI["paths"].items() if "get" in methods
                 and path not in ("/health", "/u/{id}") and not path.startswith("/v1/quarantine")]
        acts = {"/v1/measures": {"scope": "credential=a", "measure": "suspend 1h"},
                "/v1/automation": {"on": True}, "/v1/reload": {}}
        for path in reads:
            path = path.replace("{id}", "1" if "unread" in path else "i-1") + NEEDED.get(path, "")
            self.assertEqual(self.tcp("GET", path)[0], 401, path)
            self.assertEqual(self.tcp("GET", path, "sender")[0], 403, path)
            for role in ("viewer", "responder"):
                self.assertIn(self.tcp("GET", path, role)[0], (200, 404), path)
        for path, body in acts.items():
            body = json.dumps(body)
            self.assertEqual(self.tcp("POST", path, None, body)[0], 401, path)
            for role in ("viewer", "sender"):
                self.assertEqual(self.tcp("POST", path, role, body)[0], 403, path)
            self.assertEqual(self.tcp("POST", path, "responder", body)[0], 200, path)
        for role, status in ((None, 401), ("viewer", 403), ("sender", 200), ("responder", 200)):
            self.assertEqual(self.tcp("POST", "/v1/events", role, ndjson(event(1)))[0], status, role)

    def test_bad_tokens(self):
        for field in ("Bearer wrong", "Bearer ", "Basic dXNlcjpwYXNz", "viewer-secret",
                      "Bearer viewer-secre", "Bearer viewer-secrett", "Bearer " + "x" * 5000):
            status, text, fields = self.tcp("GET", "/v1/status", headers={"Authorization": field})
            self.assertEqual(status, 401, field)
            self.assertEqual(fields["WWW-Authenticate"], "Bearer")
            self.assertNotIn("secret", text)
        self.assertEqual(self.tcp("GET", "/v1/status", headers={"Authorization": "bearer viewer-secret"})[0], 200)

    def test_who_did_it_stands_in_the_audit_log(self):
        body = json.dumps({"scope": "credential=a", "measure": "suspend 1h", "why": "ticket 4711"})
        self.tcp("POST", "/v1/measures", "responder", body)
        over_unix(self.daemon, "POST", "/v1/release", json.dumps({"scope": "credential=a"}))
        audit = json.loads(self.tcp("GET", "/v1/audit", "viewer")[1])["audit"]
        who = {row["who"] for row in audit}
        self.assertIn("token responder one", who)
        self.assertTrue(any(f"uid {os.geteuid()}" in one for one in who), who)
        self.assertTrue(json.loads(self.tcp("GET", "/v1/audit/verify", "viewer")[1])["intact"])

    def test_health_and_unix_socket_take_no_token(self):
        status, text, _ = self.tcp("GET", "/health")
        # The log is missing: that is not healthy.
        self.assertEqual((status, json.loads(text)["storing"]), (503, True))
        self.log("\n")
        self.daemon.wait_until(lambda: self.tcp("GET", "/health")[0] == 200, "it is healthy")
        self.assertEqual(json.loads(self.tcp("GET", "/health")[1]),
                         {"healthy": True, "storing": True, "unhealthy_sources": 0, "degraded": False,
                          "failing_enforcers": 0})
        self.assertEqual(over_unix(self.daemon, "GET", "/v1/status")[0], 200)
        self.assertEqual(os.stat(self.daemon.socket).st_mode & 0o777, 0o600)

    @unittest.skipUnless(os.geteuid() == 0, "takes root to be another user")
    def test_other_users_may_not_use_the_socket(self):
        self.folder.chmod(0o755)
        os.chmod(self.daemon.socket, 0o666)
        asked = ("import sys; sys.path.insert(0, sys.argv[1]); from support import *;"
                 "c = UnixConnection(sys.argv[2]); print(ask(c, 'GET', '/v1/status')[0])")
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "python3", "-c",
                               asked, str(ROOT / "tests"), str(self.daemon.socket)],
                              capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        if "Permission" in done.stderr or "No module" in done.stderr:
            self.skipTest("the tests cannot be read by another user where they are")
        self.assertEqual(done.stdout.strip(), "403", done.stderr)

    def test_command_line_over_tcp(self):
        secret = self.folder / "secret"
        secret.write_text(TOKENS["viewer"] + "\n")
        url = ("--url", f"http://127.0.0.1:{self.port}", "--token-file", str(secret))
        self.assertIn("storing: yes", self.daemon.run(*url, "status")[1])
        self.complain(self.daemon, *url, "suspend", "credential=a", code=4, says="responder")


class Push(Api):
    def test_what_is_answered_is_visible(self):
        for number in range(20):
            answer = self.push(ndjson(event(number)))
            self.assertEqual(answer, {"accepted": 1, "refused": [], "refused_total": 0})
            found = json.loads(self.tcp("GET", f"/v1/events?recipient=r{number}%40example.net", "viewer")[1])
            self.assertEqual(len(found["events"]), 1)

    def test_what_is_answered_survives_a_kill(self):
        self.push(ndjson(*(event(n) for n in range(50))))
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(len(events(self.daemon, "--kind", "complained")), 50)
        self.push(ndjson(*(event(n) for n in range(60))))
        self.assertEqual(len(events(self.daemon, "--kind", "complained")), 60)

    def test_the_same_event_counts_once(self):
        body = ndjson(event(1), event(2), event(1))
        for _ in range(3):
            self.push(body)
        self.assertEqual(len(events(self.daemon)), 2)
        # Without an id the body says what is the same: sent again it is, in another body it is not.
        one = event(3)
        del one["id"]
        for body in (ndjson(one), ndjson(one), ndjson(event(1), one)):
            self.push(body)
        self.assertEqual(len(events(self.daemon)), 4)

    def test_bad_lines_are_refused_one_by_one(self):
        body = ndjson(event(1), "nonsense", event(2, kind="complaned"), event(3, at="yesterday"), "[]", event(4),
                      '{"at":"2026-11-24T00:00:00Z","kind":"login","kind":"login"}', event(5, size="big"),
                      "{" * 1000, event(6, reply="x" * 70_000), event(7))
        answer = self.push(body)
        self.assertEqual(answer["accepted"], 3)
        self.assertEqual([one["line"] for one in answer["refused"]], [2, 3, 4, 5, 7, 8, 9, 10])
        self.assertEqual(answer["refused_total"], 8)
        why = {one["line"]: one["why"] for one in answer["refused"]}
        self.assertIn("complained", why[3])
        self.assertIn("at", why[4])
        self.assertIn("size", why[8])
        seen = sorted(one["recipient"] for one in events(self.daemon))
        self.assertEqual(seen, [f"r{n}@example.net" for n in (1, 4, 7)])

    def test_only_bad_lines_and_nothing(self):
        answer = self.push("x\n" * 250)
        self.assertEqual((answer["accepted"], answer["refused_total"], len(answer["refused"])), (0, 250, 100))
        self.assertEqual(self.push("")["accepted"], 0)
        self.assertEqual(self.push("\n\n\n")["accepted"], 0)
        self.assertEqual(self.push(json.dumps(event(1)))["accepted"], 1)  # no newline at the end
        self.assertEqual(self.push(json.dumps(event(2)) + "\r\n")["accepted"], 1)

    def test_a_body_over_the_limit(self):
        status, text, _ = self.send_raw_post(9 * 1024 * 1024)
        self.assertEqual(status, 413, text)
        self.assertEqual(events(self.daemon), [])
        # As large as may be: 8 MiB.
        line = ndjson(event(1, reply="x" * 50_000))
        count = 8 * 1024 * 1024 // len(line)
        answer = self.push(line * count)
        self.assertEqual((answer["accepted"], answer["refused_total"]), (count, 0))
        self.assertEqual(len(events(self.daemon)), 1)

    def send_raw_post(self, length):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.putrequest("POST", "/v1/events")
            connection.putheader("Authorization", f"Bearer {TOKENS['sender']}")
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def test_pushed_events_are_evidence(self):
        lines = [event(n, kind="bounced", credential="mallory", reply_code=550, status="5.1.1",
                       reply="550 5.1.1 User unknown", at=now()) for n in range(6)]
        self.push(ndjson(*lines))
        self.assertEqual(wait_for_decision(self.daemon)["scope"], "credential=mallory")

    def test_many_senders_at_once(self):
        answers = []

        def one(sender):
            for turn in range(10):
                body = ndjson(*(event(f"{sender}-{turn}-{n}") for n in range(10)))
                answers.append(self.push(body)["accepted"])
        threads = [threading.Thread(target=one, args=(sender,)) for sender in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [10] * 80)
        self.assertEqual(len(events(self.daemon)), 800)


class Contract(Api):
    """The server answers at every path of openapi.json, in the shape that stands there."""

    def fits(self, value, schema, where):
        if "$ref" in schema:
            schema = OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
                 "integer": int, "number": (int, float)}
        if types:
            self.assertTrue(any(isinstance(value, kinds[one]) for one in types), f"{where}: {value!r} is no {types}")
        if "enum" in schema and value is not None:
            self.assertIn(value, schema["enum"], where)
        if isinstance(value, dict):
            known = schema.get("properties", {})
            self.assertLessEqual(set(schema.get("required", [])), set(value), where)
            more = schema.get("additionalProperties")
            for name, one in value.items():
                if name in known:
                    self.fits(one, known[name], f"{where}.{name}")
                elif isinstance(more, dict):
                    self.fits(one, more, f"{where}.{name}")
                else:
                    self.assertIsNot(more, False, f"{where}.{name} is not in the contract")
        if isinstance(value, list) and "items" in schema:
            for one in value:
                self.fits(one, schema["items"], f"{where}[]")

    def bodies(self):
        incident, decision = self.made
        return {
            ("get", "/v1/incidents/{id}"): (incident, None),
            ("get", "/v1/explain"): (None, None),
            ("get", "/v1/feedback/unread/{id}"): ("1", None),
            ("post", "/v1/events"): (None, ndjson(event(1), "x")),
            ("post", "/v1/kumomta"): (None, ndjson(KUMOMTA_DELIVERY)),
            ("post", "/v1/incidents/{id}/note"): (incident, {"text": "looked at"}),
            ("post", "/v1/incidents/{id}/confirm"): (incident, {"verdict": "compromised", "why": "it is"}),
            ("post", "/v1/decisions/{id}/revoke"): (decision, {"why": "done"}),
            ("post", "/v1/incidents/{id}/false-positive"): (incident, {"why": "was nothing"}),
            ("post", "/v1/measures"): (None, {"scope": "customer=b", "measure": "hold 1h", "why": "w"}),
            ("post", "/v1/release"): (None, {"scope": "customer=b"}),
            ("post", "/v1/suppressions"): (None, {"recipient": "a@x.example", "until": "90d", "note": "n"}),
            ("post", "/v1/suppressions/lift"): (None, {"recipient": "a@x.example", "note": "n"}),
            ("post", "/v1/suppressions/import"): (None, "b@x.example\nnobody\n"),
            ("post", "/v1/automation"): (None, {"on": False, "why": "w"}),
            ("post", "/v1/reload"): (None, {}),
        }

    def test_every_path(self):
        self.make_incident()
        self.push(ndjson(event(1, customer="a", campaign="b")))
        keep_mail(self.folder / "data/state.db", 1, "no report", b"hello\n")
        decision = self.daemon.json("decisions")["decisions"][0]
        self.made = (decision["incident"], decision["id"])
        bodies = self.bodies()
        asked = 0
        # Reads first, then acts in the order above: each finds what the one before left.
        calls = [(method, path) for path, methods in OPENAPI["paths"].items() for method in methods
                 if method == "get"]
        calls += [call for call in bodies if call[0] == "post"]
        # Not JSON, and with a right of its own: test_attribution.py.
        others = [("get", "/u/{id}"), ("post", "/u/{id}")]
        # Of somebody who is known: test_border.py.
        others += [("post", "/v1/reputation/forget")]
        # Of held mail: test_quarantine.py.
        others += [(method, path) for path, methods in OPENAPI["paths"].items() for method in methods
                   if path.startswith("/v1/quarantine")]
        calls = [call for call in calls if call not in others]
        self.assertEqual(sorted(calls + others), sorted((method, path) for path, methods in OPENAPI["paths"].items()
                                               for method in methods))
        for method, path in calls:
            id, body = bodies.get((method, path), (None, None))
            url = path.replace("{id}", id or "")
            url += NEEDED.get(path, "")
            text = body if isinstance(body, str) or body is None else json.dumps(body)
            status, answer, fields = self.tcp(method.upper(), url, "responder", text)
            self.assertEqual(status, 200, f"{method} {path}: {answer}")
            content = OPENAPI["paths"][path][method]["responses"]["200"]["content"]
            self.assertIn(fields["Content-Type"].split(";")[0], [one.split(";")[0] for one in content])
            if "application/json" in content:
                self.fits(json.loads(answer), content["application/json"]["schema"], f"{method} {path}")
            asked += 1
        self.assertGreater(asked, 20)

    def test_errors_have_the_shape_too(self):
        cases = [("GET", "/v1/events?custommer=a", 400), ("GET", "/v1/events?limit=0", 400),
                 ("GET", "/v1/events?where=bounct", 400), ("GET", "/v1/events?since=lately", 400),
                 ("GET", "/v1/incidents/i-99", 404), ("GET", "/v1/incidents/x", 400), ("GET", "/v1/nothing", 404),
                 ("DELETE", "/v1/events", 405), ("POST", "/v1/status", 405), ("POST", "/v1/measures", 400),
                 ("POST", "/v1/decisions/d-99/revoke", 404), ("GET", "/v1/explain?stream=", 400),
                 ("GET", "/v1/streams?dimensions=kustomer", 400), ("GET", "/", 404)]
        for method, path, wanted in cases:
            status, text, _ = self.tcp(method, path, "responder")
            self.assertEqual(status, wanted, f"{method} {path}: {text}")
            self.fits(json.loads(text), {"$ref": "#/components/schemas/Error"}, path)
        for body in ("x", "[]", '{"scope": 7}', '{"scope": "credential=a"}', '{"scop": "credential=a"}',
                     '{"scope": "credential=a", "measure": "suspend"}', '{"scope": "", "measure": "suspend 1h"}',
                     '{"scope": "credential=a", "measure": "suspend 100000d"}', "{" * 5000, "\0\xff"):
            status, text, _ = self.tcp("POST", "/v1/measures", "responder", body.encode("latin-1"))
            self.assertEqual(status, 400, f"{body}: {text}")
        self.assertEqual(self.daemon.json("decisions", "--all")["decisions"], [])

    def test_metrics_are_open_metrics(self):
        self.make_incident()
        self.push(ndjson(event(1, customer='evil"\\\n{}')))
        status, text, fields = self.tcp("GET", "/metrics", "viewer")
        self.assertEqual(status, 200)
        self.assertIn("application/openmetrics-text", fields["Content-Type"])
        families = openmetrics.parse(text)
        self.assertGreater(len(families), 3)
        self.assertIn("watchpost_api_answers", families)
        for name, (_, samples) in families.items():
            self.assertTrue(name.startswith("watchpost_"), name)
            self.assertLess(len(samples), 500, name)
            for _, labels, _ in samples:
                self.assertNotIn("mallory", str(labels))
                self.assertNotIn("evil", str(labels))


class Garbage(Api):
    def raw(self, data, unix=False):
        """What comes back for these bytes, with nothing more sent."""
        if unix:
            link = socket.socket(socket.AF_UNIX)
            link.connect(str(self.daemon.socket))
        else:
            link = socket.create_connection(("127.0.0.1", self.port))
        link.settimeout(120)
        with link:
            try:
                link.sendall(data)
                link.shutdown(socket.SHUT_WR)
                answer = b""
                while more := link.recv(65536):
                    answer += more
                return answer
            except ConnectionError:
                return b""

    def test_what_is_not_http(self):
        auth = f"Authorization: Bearer {TOKENS['sender']}\r\n".encode()
        post = b"POST /v1/events HTTP/1.1\r\nHost: x\r\n" + auth
        cases = [b"\0" * 1000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500), b"EHLO x\r\n",
                 b"GET\r\n\r\n", b"GET /v1/status\r\n\r\n", b"GET /v1/status HTTP/9.9\r\nHost: x\r\n\r\n",
                 b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
                 post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
                 post + b"Content-Length: -1\r\n\r\n", post + b"Content-Length: 1e3\r\n\r\n",
                 post + b"Transfer-Encoding: gzip\r\n\r\n", post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                 post + b" folded: x\r\n\r\n", b"GET / HTTP/1.1\nHost: x\n\n"]
        for unix in (False, True):
            for data in cases:
                answer = self.raw(data, unix)
                if answer:
                    self.assertRegex(answer[:15], rb"^HTTP/1.1 [45]\d\d ", data[:80])
        self.assertEqual(self.tcp("GET", "/v1/status", "viewer")[0], 200)
        self.assertEqual(events(self.daemon), [])

    def test_half_requests_and_slow_clients_do_not_hold_up_others(self):
        links = []
        for data in (b"", b"G", b"GET /v1/status HTTP/1.1\r\n", b"POST /v1/events HTTP/1.1\r\nContent-Length: 100\r\n\r\nx"):
            for _ in range(20):
                link = socket.create_connection(("127.0.0.1", self.port))
                self.addCleanup(link.close)
                link.sendall(data)
                links.append(link)
        self.assertEqual(self.tcp("GET", "/v1/status", "viewer")[0], 200)
        self.assertEqual(over_unix(self.daemon, "GET", "/v1/status")[0], 200)
        self.assertEqual(self.daemon.stop(), 0)

    def test_one_connection_for_many_requests(self):
        for connection in (http.client.HTTPConnection("127.0.0.1", self.port, timeout=120),
                           UnixConnection(self.daemon.socket)):
            for number in range(30):
                status, text, _ = ask(connection, "POST", "/v1/events", ndjson(event(number)), TOKENS["responder"])
                self.assertEqual(status, 200, text)
                self.assertEqual(ask(connection, "GET", "/v1/status", token=TOKENS["responder"])[0], 200)
            connection.close()
        # An id is unique among those of one sender: these were two.
        self.assertEqual(len(events(self.daemon)), 60)

    def test_head_and_expect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("HEAD", "/health")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (503, b""))
        self.assertEqual(ask(connection, "GET", "/health")[0], 503)  # on the same connection
        connection.close()
        body = ndjson(event(1)).encode()
        answer = self.raw(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                          + f"Authorization: Bearer {TOKENS['sender']}\r\n".encode()
                          + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.assertIn(b"HTTP/1.1 200 ", answer)
        self.assertIn(b'"accepted":1', answer)


class NoTokens(DaemonTest):
    def test_without_tokens_nothing_but_health_is_given(self):
        port = free_port()
        daemon = self.watchpost(f'[listen]\napi = "127.0.0.1:{port}"\n')
        self.assertEqual(over_tcp(port, "GET", "/health")[0], 200)
        for token in (None, "", "x"):
            self.assertEqual(over_tcp(port, "GET", "/v1/status", token=token)[0], 401)
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
