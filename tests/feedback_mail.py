"""Mail as it comes back: bounces and complaints about mail with a token in it, and a client of LMTP.

The token is made as docs/guide/attribution.md tells sending systems to.
"""
import base64
import hashlib
import hmac
import smtplib
import struct
import time

SECRET = "a secret of the tests, long enough"
KEY = f"""
[[feedback.key]]
id = 1
secret = "{SECRET}"
"""


def token(recipient, customer, campaign="", sent=None, key_id=1, secret=SECRET):
    def code(key, data):
        return hmac.new(key, data, hashlib.sha256).digest()

    seal, hide, who = (code(secret.encode(), b"watchpost token 1 " + use) for use in (b"seal", b"hide", b"recipient"))
    texts = "\n".join([customer, campaign]).rstrip("\n").encode()
    plain = struct.pack(">I", int(sent or time.time())) + code(who, recipient.encode().lower())[:5] + texts
    tag = code(seal, bytes([key_id]) + plain)[:10]
    stream = b"".join(code(hide, tag + bytes([n])) for n in range(len(plain) // 32 + 1))
    body = bytes([key_id]) + tag + bytes(a ^ b for a, b in zip(plain, stream))
    return "wp1" + base64.b32encode(body).decode().lower().rstrip("=")


def complaint(recipient, mark, reporter="provider.example", kind="abuse"):
    """An ARF report (RFC 5965) about a mail whose Message-ID is the token."""
    return f"""From: Feedback <fbl@{reporter}>
To: complaints@feedback.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

A recipient called this mail unwanted.

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1
Version: 1
Original-Rcpt-To: <{recipient}>

--b
Content-Type: message/rfc822

From: shop@acme.example
To: {recipient}
Subject: offer
Message-ID: <{mark}@acme.example>

Buy now.
--b--
""".replace("\n", "\r\n")


def bounce(recipient, mark, status="5.1.1", reply="550 5.1.1 user unknown"):
    """A delivery report (RFC 3464) that came to the return path of the mail."""
    return f"""From: Mail Delivery System <mailer-daemon@provider.example>
To: {mark}@bounces.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.provider.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {reply}

--b
Content-Type: message/rfc822

From: shop@acme.example
To: {recipient}
Subject: offer
Message-ID: <{mark}@acme.example>

Buy now.
--b--
""".replace("\n", "\r\n")


class Lmtp:
    """One connection, on which mail is handed in."""

    def __init__(self, port):
        self.client = smtplib.LMTP("127.0.0.1", port, local_hostname="client.example")

    def send(self, message, recipient="feedback@feedback.example", sender=""):
        self.client.sendmail(sender, [recipient], message.encode())

    def close(self):
        self.client.close()
