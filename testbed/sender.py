"""A mail client: hands messages to a submission server, from a client address of one's choice."""
import smtplib


class Refused(Exception):
    """The server said no; `reply` is its code and text."""

    def __init__(self, code, text):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


class Sender:
    """One login on one connection. `client` is what the mail server is told (XCLIENT) as our address."""

    def __init__(self, port, login, password, client="127.0.0.1"):
        self.login = login
        self._smtp = smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=30)
        self._smtp.ehlo()
        code, text = self._smtp.docmd("XCLIENT", f"ADDR={client} NAME=[UNAVAILABLE]")
        if code != 220:
            raise Refused(code, text.decode())
        self._smtp.ehlo()
        try:
            self._smtp.login(login, password)
        except smtplib.SMTPException:
            self._smtp.close()
            raise

    def send(self, recipients, subject="Hello", sender=None, message=None):
        sender = sender or self.login
        self._command("MAIL", f"FROM:<{sender}>")
        taken = 0
        refusal = None
        for recipient in recipients:
            try:
                self._command("RCPT", f"TO:<{recipient}>")
                taken += 1
            except Refused as refused:
                refusal = refused
        if not taken:
            self._smtp.rset()
            raise refusal
        code, text = self._smtp.data(
            message or f"From: <{sender}>\r\nTo: <{recipients[0]}>\r\nSubject: {subject}\r\n\r\nHello\r\n")
        if code != 250:
            raise Refused(code, text.decode())

    def _command(self, verb, argument):
        code, text = self._smtp.docmd(verb, argument)
        if code != 250:
            if verb == "MAIL":
                self._smtp.rset()
            raise Refused(code, text.decode("utf-8", "replace"))

    def close(self):
        try:
            self._smtp.quit()
        except smtplib.SMTPException:
            pass


class Stranger:
    """A mail server of the outside world, that delivers to us; `client` and `name` are what ours takes it for."""

    def __init__(self, port, client, helo="mail.stranger.example", name="[UNAVAILABLE]"):
        self._smtp = smtplib.SMTP("127.0.0.1", port, local_hostname=helo, timeout=60)
        self._smtp.ehlo()
        code, text = self._smtp.docmd("XCLIENT", f"ADDR={client} NAME={name}")
        if code != 220:
            raise Refused(code, text.decode())
        self._smtp.ehlo()

    def deliver(self, sender, recipients, message):
        """`sender` without brackets, "" for the null sender; `message` in bytes, with CRLF. Gives the last reply."""
        for verb, argument in (("MAIL", f"FROM:<{sender}>"), *(("RCPT", f"TO:<{one}>") for one in recipients)):
            code, text = self._smtp.docmd(verb, argument)
            if code != 250:
                self._smtp.rset()
                raise Refused(code, text.decode("utf-8", "replace"))
        code, text = self._smtp.data(message)
        if code != 250:
            raise Refused(code, text.decode("utf-8", "replace"))
        return text.decode("utf-8", "replace")

    def close(self):
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            pass
