"""A name server on loopback: answers from a table, over UDP and TCP."""
import ipaddress
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
LARGEST_DATAGRAM = 1232


def name_bytes(name):
    labels = [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def data_of(kind, value):
    if kind == "TXT":
        text = value.encode("latin-1")
        return b"".join(bytes([len(text[at:at + 255])]) + text[at:at + 255] for at in range(0, len(text) or 1, 255))
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        preference, host = value
        return struct.pack(">H", preference) + name_bytes(host)
    return name_bytes(value)


class NameServer:
    """`records`: name -> type -> list of values; a text alone is one TXT record. Names that it does not have are
    not there. Of a name whose types are "SERVFAIL", all questions fail; of "TIMEOUT", none is answered.
    """
    def __init__(self, records):
        self.records = {}
        for name, types in records.items():
            self.records[name.lower().rstrip(".")] = {"TXT": [types]} if isinstance(types, str) and types not in (
                "SERVFAIL", "TIMEOUT") else types
        self.asked = []
        self._serving = False
        server = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                while size := self.rfile.read(2):
                    answer = server.answer(self.rfile.read(struct.unpack(">H", size)[0]))
                    if answer:
                        self.wfile.write(struct.pack(">H", len(answer)) + answer)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._tcp, self._udp = self._bound(lambda: Server(("127.0.0.1", 0), Session))
        self.place = f"127.0.0.1:{self._tcp.server_address[1]}"

    @staticmethod
    def _bound(tcp_server, tries=100):
        """A port that is free for both."""
        for _ in range(tries):
            tcp, udp = tcp_server(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind(tcp.server_address)
                return tcp, udp
            except OSError:
                tcp.server_close()
                udp.close()
        raise RuntimeError("no port is free for UDP and TCP")

    def start(self):
        self._serving = True
        threading.Thread(target=self._tcp.serve_forever, daemon=True).start()
        threading.Thread(target=self._serve_udp, daemon=True).start()

    def _serve_udp(self):
        while True:
            try:
                query, peer = self._udp.recvfrom(4096)
            except OSError:
                return
            answer = self.answer(query)
            if answer is None:
                continue
            if len(answer) > LARGEST_DATAGRAM:  # truncated: to be asked again over TCP
                end = self._question_end(query)
                answer = query[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + query[12:end]
            try:
                self._udp.sendto(answer, peer)
            except OSError:
                return

    @staticmethod
    def _question_end(query):
        at = 12
        while query[at]:
            at += 1 + query[at]
        return at + 5

    def answer(self, query):
        end = self._question_end(query)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
            at += 1 + query[at]
        kind = struct.unpack(">H", query[end - 4:end - 2])[0]
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        types = self.records.get(name)
        if types == "TIMEOUT":
            return None
        code, records = NO_ERROR, []
        if types is None:
            code = NO_ERROR if any(known.endswith("." + name) for known in self.records) else NO_SUCH_NAME
        elif types == "SERVFAIL":
            code = SERVER_FAILURE
        else:
            asked = next((text for text, number in TYPES.items() if number == kind), "")
            asked = asked if asked in types else "CNAME" if "CNAME" in types else asked
            for value in types.get(asked, []):
                data = data_of(asked, value)
                records.append(b"\xc0\x0c" + struct.pack(">HHIH", TYPES[asked], 1, 300, len(data)) + data)
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0)
        return header + query[12:end] + b"".join(records)

    def stop(self):
        if self._serving:
            self._tcp.shutdown()
        self._tcp.server_close()
        self._udp.close()
