"""The other end of the webhook: somebody's service that does what it is told, and remembers."""
import collections
import hashlib
import hmac
import http.server
import json
import random
import threading


class Receiver:
    """Takes a call once for each idempotency key. Fails now and then, before or after taking."""

    def __init__(self, secret, seed):
        self.secret = secret.encode()
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.calls = collections.Counter()  # by idempotency key, failed ones too
        self.taken = {}  # idempotency key -> body
        self.state = {}  # decision -> what it is now
        self.faults = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(self.headers, body)
                if status:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the other side was killed in the middle of a call

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body):
        signed = headers["X-Watchpost-Timestamp"].encode() + b"." + body
        signature = "v1=" + hmac.new(self.secret, signed, hashlib.sha256).hexdigest()
        key = headers["Idempotency-Key"]
        call = json.loads(body)
        with self.lock:
            if not hmac.compare_digest(signature, headers["X-Watchpost-Signature"]):
                self.faults.append(f"{key}: the signature is wrong")
            self.calls[key] += 1
            chance = self.random.random()
            if chance < 0.05:
                return 500
            first = self.taken.setdefault(key, call)
            if (first["decision"], first["wanted"], first["scope"]) != (call["decision"], call["wanted"], call["scope"]):
                self.faults.append(f"{key}: one key, two meanings: {first} and {call}")
            if first is call:
                self.state[call["decision"]] = call["wanted"]
            return None if chance < 0.10 else 200  # taken, but the answer is lost

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
