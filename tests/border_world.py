"""What the tests of the border share: a real Postfix with two doors, name servers, a daemon between them."""
import email
import email.policy

from support import DaemonTest, events, free_port
from testbed.destinations import Destinations
from testbed.mail_host import MailHost
from testbed.name_server import NameServer
from testbed.sender import Refused, Sender, Stranger

US = "receiver.example"
AUTHSERV = "mx.receiver.example"
SHOP = "192.0.2.1"      # sends for shop.example
ATTACKER = "203.0.113.66"
LISTED = "198.51.100.7"  # a block list has it
NAMES = {
    "shop.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"], "MX": [(10, "mx.shop.example")]},
    "mx.shop.example": {"A": [SHOP]},
    "_dmarc.shop.example": {"TXT": ["v=DMARC1; p=reject"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["mx.shop.example"]},
    "bank.example": {"TXT": ["v=spf1 -all"]},
    "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject"]},
    "attack.example": {"TXT": ["v=spf1 ip4:203.0.113.66 ip4:198.51.100.7 -all"]},
    "7.100.51.198.bl.example": {"A": ["127.0.0.2"]},
    "66.113.0.203.blocked.example": {"A": ["127.255.255.254"]},
    "7.100.51.198.blocked.example": {"A": ["127.255.255.254"]},
    "dead.example": "SERVFAIL",
    "_dmarc.dead.example": "SERVFAIL",
}
LOGINS = {"alice@sender.example": "demo", "bob@sender.example": "demo"}

CONFIGURATION = """
[dns]
servers = ["{dns}"]
timeout = "4s"
[identity]
authserv_id = "mx.receiver.example"
[[milter]]
role   = "inbound"
mode   = "{mode}"
listen = ["127.0.0.1:{inbound}"]
[[milter]]
role   = "outbound"
listen = ["127.0.0.1:{outbound}"]
[[blocklist]]
zone = "bl.example"
[[blocklist]]
zone = "blocked.example"
"""


def letter(sender="jo@shop.example", subject="Hello", more="", body="It is me.\r\n"):
    return (f"{more}From: Jo <{sender}>\r\nTo: <you@{US}>\r\nSubject: {subject}\r\n"
            f"Message-ID: <{abs(hash((sender, subject, body)))}@test.example>\r\nDate: Sun, 29 Nov 2026 07:00:00 +0000\r\n"
            f"\r\n{body}").encode()


class BorderTest(DaemonTest):
    """begin() starts everything; deliver() and submit() hand mail in."""

    def begin(self, more="", mode="enforce", names=None, log=False, start=True):
        self.destinations = Destinations()
        self.addCleanup(self.destinations.stop)
        self.names = NameServer(NAMES if names is None else names)
        self.addCleanup(self.names.stop)
        self.names.start()
        self.inbound, self.outbound = free_port(), free_port()
        # One policy for both: a milter that is gone is not a reason to lose or to let through anything.
        self.host = MailHost(self.folder, self.destinations.port, LOGINS, receives=(US,),
                             more="milter_default_action = tempfail\nmilter_protocol = 6\n",
                             milters=f"inet:127.0.0.1:{self.outbound}", mx_milters=f"inet:127.0.0.1:{self.inbound}")
        self.addCleanup(self.host.remove)
        self.host.start()
        # What a test says of [border] goes before the lists.
        text = more + CONFIGURATION
        for name, value in (("dns", self.names.place), ("mode", mode), ("inbound", self.inbound),
                            ("outbound", self.outbound), ("release", self.host.release_port),
                            ("release_mx", self.host.release_mx_port)):
            text = text.replace("{%s}" % name, str(value))
        if log:
            text += '[[source]]\nkind = "postfix_log"\npath = "{folder}/mail.log"\nstart = "beginning"\n'
        self.daemon = self.watchpost(text, start=start)

    def deliver(self, message, sender="jo@shop.example", client=SHOP, helo="mx.shop.example",
                recipients=(f"you@{US}",)):
        """Postfix's reply to a message that it took."""
        stranger = Stranger(self.host.mx_port, client, helo)
        try:
            return stranger.deliver(sender, recipients, message)
        finally:
            stranger.close()

    def refused(self, *arguments, **named):
        with self.assertRaises(Refused) as caught:
            self.deliver(*arguments, **named)
        return caught.exception

    def delivered(self, count=1):
        """The last message that came through to the mailbox, when so many have."""
        self.daemon.wait_until(lambda: self.destinations.taken >= count, f"{count} messages are delivered")
        return email.message_from_bytes(self.destinations.messages[-1], policy=email.policy.compat32)

    def judged(self, count=1, *arguments):
        self.daemon.wait_until(lambda: len(events(self.daemon, "--kind", "judged", *arguments)) >= count,
                               f"{count} verdicts are stored")
        return events(self.daemon, "--kind", "judged", *arguments)

    def submit(self, login="alice@sender.example", recipients=("friend@elsewhere.example",), client="192.0.2.10",
               sender=None, message=None):
        one = Sender(self.host.port, login, LOGINS[login], client)
        try:
            one.send(list(recipients), sender=sender, message=message)
        finally:
            one.close()
