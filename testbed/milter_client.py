"""The mail server's side of the milter protocol (version 6), as far as tests and benchmarks want it."""
import socket
import struct

CONTINUE = b"c"
ACTIONS, STEPS = 0x1FF, 0x1FFFFF  # all that Postfix offers


class MilterClient:
    """One connection. Answers are (letter, data); of a refusal with a text the letter is "y"."""

    def __init__(self, port, client="192.0.2.10", helo="client.example", macros=()):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")
        self._macros = dict(macros)
        self.send(b"O", struct.pack(">III", 6, ACTIONS, STEPS))
        _, answer = self.read()
        self._steps = struct.unpack(">III", answer[:12])[2]
        self.send(b"D", b"C" + self._macro_bytes({}))
        self._step(b"C", b"client.example\0" + b"4" + struct.pack(">H", 12345) + client.encode() + b"\0", 12)
        self._step(b"H", helo.encode() + b"\0", 13)

    def send(self, letter, data=b""):
        self._socket.sendall(struct.pack(">I", len(data) + 1) + letter + data)

    def read(self):
        size = struct.unpack(">I", self._exactly(4))[0]
        frame = self._exactly(size)
        return frame[:1], frame[1:]

    def _exactly(self, count):
        data = self._stream.read(count)
        if len(data) < count:
            raise ConnectionError("the milter is gone")
        return data

    def _macro_bytes(self, more):
        return b"".join(f"{name}\0{value}\0".encode() for name, value in {**self._macros, **more}.items())

    def _step(self, letter, data, no_reply_bit):
        self.send(letter, data)
        return (CONTINUE, b"") if self._steps >> no_reply_bit & 1 else self.read()

    def mail(self, sender, **macros):
        self.send(b"D", b"M" + self._macro_bytes(macros))
        return self._step(b"M", f"<{sender}>\0".encode(), 14)

    def rcpt(self, recipient, **macros):
        self.send(b"D", b"R" + self._macro_bytes(macros))
        return self._step(b"R", f"<{recipient}>\0".encode(), 15)

    def message(self, fields, body, **macros):
        """`fields` are (name, value with its leading blank). Gives the last answer, without edits and progress."""
        self.send(b"D", b"T" + self._macro_bytes(macros))
        self._step(b"T", b"", 16)
        for name, value in fields:
            self._step(b"L", f"{name}\0{value}\0".encode(), 7)
        self._step(b"N", b"", 18)
        self._step(b"B", body, 19)
        self.send(b"D", b"E" + self._macro_bytes(macros))
        self.send(b"E")
        while True:
            letter, data = self.read()
            if letter in b"cartdy4f":
                return letter, data

    def abort(self):
        self.send(b"A")

    def close(self):
        self._socket.close()
