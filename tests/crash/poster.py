"""Posts the script's bodies to the daemon's API and remembers what was acknowledged."""
import http.client
import json
import random
import threading
import time


class Poster(threading.Thread):
    """Sends a body until it is answered with 200, as the documentation asks; sends some of those
    again. In between it takes measures by hand, each once only."""

    def __init__(self, port, token, bodies, rounds, seed):
        super().__init__(daemon=True)
        self.port, self.token, self.bodies = port, token, bodies
        self.share = -(-len(bodies) // rounds)
        self.released = threading.Semaphore(0)
        self.random = random.Random(seed)
        self.connection = None
        self.acknowledged = set()  # recipients of events
        self.asked, self.imposed = [], []  # scopes of measures by hand: asked for, acknowledged
        self.answers = self.again = 0
        self.done = self.stopping = False
        self.faults = []

    def run(self):
        for number, body in enumerate(self.bodies):
            if number % self.share == 0:
                self.released.acquire()
                self.impose(f"credential=by-hand{len(self.asked)}@mail.example")
            text = "".join(line + "\n" for _, line in body)
            while not (receipt := self.post("/v1/events", text)):
                if self.stopping:
                    return
                time.sleep(0.01)
            if receipt["refused_total"] or receipt["accepted"] != len(body):
                self.faults.append(f"a body of {len(body)} events got {receipt}")
            self.acknowledged.update(recipient for recipient, _ in body)
            if self.random.random() < 0.1:
                self.again += 1
                self.post("/v1/events", text)
            time.sleep(0.005)
        self.done = True

    def impose(self, scope):
        self.asked.append(scope)
        if self.post("/v1/measures", json.dumps({"scope": scope, "measure": "suspend 12h", "why": "test"})):
            self.imposed.append(scope)

    def post(self, path, text):
        """The answer where it was 200; None for anything else, and for no answer."""
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.connection.request("POST", path, text, {"Authorization": f"Bearer {self.token}"})
            answer = self.connection.getresponse()
            body = answer.read()
            self.answers += 1
            if answer.status == 200:
                return json.loads(body)
            if answer.status != 503:
                self.faults.append(f"{path}: {answer.status} {body[:300]}")
        except (OSError, http.client.HTTPException):
            self.connection = None
        return None
