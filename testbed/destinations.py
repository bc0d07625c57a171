"""A mail server of the outside world: takes, defers or refuses by the recipient's local part."""
import asyncio
import re
import threading

# The first pattern that the local part starts with decides.
ANSWERS = [
    ("gone", "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table"),
    ("full", "552 5.2.2 The recipient's mailbox is over its quota"),
    ("busy", "451 4.7.1 Greylisted, please try again later"),
    ("blocked", "550 5.7.1 Service unavailable; client host blocked because of its reputation"),
]


def answer_for(address):
    local = address.split("@")[0].lower()
    for start, answer in ANSWERS:
        if local.startswith(start):
            return answer.format(address=address)
    return "250 2.1.5 Ok"


def address_in(command):
    found = re.search(r"<([^>]*)>", command)
    return found[1] if found else ""


class Destinations:
    """Listens on 127.0.0.1 in a thread of its own; `port` is free when it starts."""

    def __init__(self):
        self.port = 0
        self.taken = 0
        self.messages = []  # the last few, as bytes
        self.each = None  # called with the recipients and the bytes of each message
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._session, "127.0.0.1", 0, backlog=512))
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _session(self, reader, writer):
        accepted = []  # recipients of the message at hand
        try:
            writer.write(b"220 destination.example ESMTP\r\n")
            while line := await reader.readline():
                verb = line.decode("utf-8", "replace").strip().upper().split(" ")[0]
                if verb == "DATA" and accepted:
                    await self._take(reader, writer, accepted)
                answer = self._answer(verb, line.decode("utf-8", "replace"), accepted)
                writer.write(answer.encode() + b"\r\n")
                await writer.drain()
                if verb == "QUIT":
                    break
                if verb == "RCPT" and answer.startswith("250"):
                    accepted.append(address_in(line.decode("utf-8", "replace")))
                elif verb in ("MAIL", "RSET", "DATA"):
                    accepted = []
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _take(self, reader, writer, recipients):
        writer.write(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        lines = []
        while (line := await reader.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        message = b"".join(lines)
        if self.each:
            self.each(recipients, message)
        self.messages = [*self.messages[-99:], message]
        self.taken += 1

    def _answer(self, verb, line, accepted):
        if verb in ("EHLO", "HELO"):
            return "250-destination.example\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME"
        if verb == "RCPT":
            return answer_for(address_in(line))
        # A client that pipelines sends DATA before it knows that nobody was accepted.
        if verb == "DATA":
            return "250 2.0.0 Ok: queued" if accepted else "554 5.5.1 No valid recipients"
        return "221 2.0.0 Bye" if verb == "QUIT" else "250 2.0.0 Ok"

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._server.close()
        self._loop.close()
