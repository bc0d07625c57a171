"""`watchpost doctor`: what it says of a Postfix, of our milters and of ourselves."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import struct
import tempfile
import threading
import unittest

from support import free_port, unsafe
from test_commands import raw
from testbed.mail_host import MailHost
from testbed.name_server import NameServer



class Resolver(NameServer):
    """One that says of its answers that they are validated."""

    def answer(self, query):
        answer = bytearray(super().answer(query))
        answer[3] |= 0x20
        return bytes(answer)


POSTCONF = """#!/bin/sh
# Says what main.cf and master.cf of the test say.
[ "$1" = -c ] && shift 2
case "$1$2" in
  -M*) cat {folder}/services ;;
  -x-P) cat {folder}/overrides ;;
  -x*) cat {folder}/main ;;
esac
"""
MAIN = """mail_version = 3.7.11
mail_owner = root
queue_directory = /var/spool/postfix
smtpd_milters =
milter_default_action = tempfail
milter_protocol = 6
milter_connect_timeout = 30s
milter_command_timeout = 30s
milter_content_timeout = 300s
smtpd_forbid_bare_newline = yes
"""
SERVICES = """smtp       inet  n       -       n       -       -       smtpd
submission inet  n       -       n       -       -       smtpd
"""


class Milter:
    """Answers the greeting of one mail server after another with what it was given."""

    def __init__(self, answer, path=None):
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._socket.bind(path or ("127.0.0.1", 0))
        self._socket.listen()
        self.port = None if path else self._socket.getsockname()[1]
        self.heard = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            with link:
                self.heard.append(link.recv(1024))
                link.sendall(self._answer)
                with contextlib.suppress(OSError):
                    link.recv(1024)

    def stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


VERSION_6 = struct.pack(">IcIII", 13, b"O", 6, 0x1FF, 0)


class Doctor(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-doctor-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        (self.folder / "data").mkdir(mode=0o700)
        (self.folder / "token").write_text("a secret that is long enough for a token\n")
        (self.folder / "token").chmod(0o640)
        self.names = Resolver({"org": {"NS": ["a.nic.example"]}})
        self.names.start()
        self.addCleanup(self.names.stop)
        self.configure()
        self.postfix()

    def configure(self, more="", servers=None):
        (self.folder / "watchpost.toml").write_text(f"""
[store]
path = "{self.folder}/data"
[listen]
socket = "{self.folder}/api.sock"
api = "127.0.0.1:{free_port()}"
[[listen.token]]
name = "anna"
token_file = "{self.folder}/token"
[dns]
servers = ["{servers or self.names.place}"]
timeout = "2s"
{more}""")

    def postfix(self, main=MAIN, services=SERVICES, overrides=""):
        script = self.folder / "postconf"
        script.write_text(POSTCONF.format(folder=self.folder))
        script.chmod(0o755)
        for name, text in (("main", main), ("services", services), ("overrides", overrides)):
            (self.folder / name).write_text(text)

    def milter(self, answer=VERSION_6, path=None):
        made = Milter(answer, path)
        self.addCleanup(made.stop)
        return made

    def raw(self, *arguments, postconf=None):
        return raw("doctor", "--postconf", str(postconf or self.folder / "postconf"), *arguments,
                   env={"WATCHPOST_CONFIG": str(self.folder / "watchpost.toml")})

    def checks(self, *arguments, code=0, postconf=None):
        """Health and finding by subject; the worst of several."""
        got, out, err = self.raw("-o", "json", *arguments, postconf=postconf)
        self.assertEqual(got, code, out + err)
        answer = json.loads(out)
        order = ["good", "warning", "fault"]
        found = {}
        for one in answer["checks"]:
            self.assertEqual(one["advice"] == "", one["health"] == "good", one)
            before = found.get(one["subject"], ("good", ""))
            if order.index(one["health"]) >= order.index(before[0]):
                found[one["subject"]] = (one["health"], one["finding"])
        self.assertEqual(answer["worst"], max((h for h, _ in found.values()), key=order.index))
        return found

    def test_all_is_well(self):
        milter = self.milter()
        self.postfix(overrides=f"submission/inet/smtpd_milters = inet:localhost:{milter.port}\n")
        found = self.checks("--milter", f"outbound=127.0.0.1:{milter.port}")
        well = {s: h for s, (h, _) in found.items() if s != "clock"
                and not s.startswith("disk")}
        self.assertEqual(set(well.values()), {"good"}, found)
        self.assertIn("milter outbound services", well)
        self.assertIn("secret anna", well)
        self.assertEqual(len(milter.heard[0]), 17)

    def test_milters_of_the_configuration(self):
        milter = self.milter()
        self.configure(f"""
[[milter]]
role = "outbound"
name = "logins"
listen = ["127.0.0.1:{milter.port}"]
deadline = "60s"
[[milter]]
role = "inbound"
mode = "off"
listen = ["127.0.0.1:{free_port()}"]
""")
        self.postfix(main=MAIN.replace("300s", "60s"),
                     overrides=f"submission/inet/smtpd_milters = inet:localhost:{milter.port}\n")
        found = self.checks(code=1)
        self.assertEqual({s for s, (h, _) in found.items() if h == "fault"},
                         {"milter logins submission/inet content_timeout"})

    def test_for_people(self):
        code, out, err = self.raw()
        self.assertEqual(code, 0, out + err)
        self.assertEqual(unsafe(out), [])
        self.assertIn("good     postfix: version 3.7.11\n", out)
        self.assertIn("good     dns answers: org NS: found\n", out)

    def test_milters_that_do_not_answer_as_milters_do(self):
        for answer, words in ((b"220 mail.example ESMTP\r\n", "does not speak as milters do"),
                              (struct.pack(">IcIII", 13, b"O", 2, 0x1FF, 0), "version 6"),
                              (None, "cannot be reached")):
            with self.subTest(words):
                port = self.milter(answer).port if answer else free_port()
                place = f"127.0.0.1:{port}"
                self.postfix(overrides=f"smtp/inet/smtpd_milters = inet:{place}\n")
                found = self.checks("--milter", f"inbound={place}", code=1)
                health, finding = found[f"milter inbound at {place}"]
                self.assertEqual(health, "fault")
                self.assertIn(words, finding)

    @unittest.skipUnless(os.geteuid() == 0, "needs another user")
    def test_a_socket_that_postfix_may_not_open(self):
        path = self.folder / "run"
        path.mkdir(mode=0o755)
        self.milter(path=str(path / "m.sock"))
        self.postfix(main=MAIN.replace("mail_owner = root", "mail_owner = nobody"),
                     overrides=f"smtp/inet/smtpd_milters = unix:{path}/m.sock\n")
        subject = f"socket {path}/m.sock"
        milter = ("--milter", f"inbound=unix:{path}/m.sock")
        (path / "m.sock").chmod(0o660)
        self.assertIn("may not write", self.checks(*milter, code=1)[subject][1])
        (path / "m.sock").chmod(0o666)
        self.assertEqual(self.checks(*milter)[subject][0], "good")
        path.chmod(0o700)
        self.assertIn("may not enter", self.checks(*milter, code=1)[subject][1])

    def test_ourselves(self):
        (self.folder / "token").chmod(0o644)
        (self.folder / "data").chmod(0o755)
        found = self.checks(code=1)
        self.assertEqual(found["secret anna"][0], "fault")
        self.assertEqual(found[f"data folder {self.folder}/data"][0], "fault")

    def test_a_configuration_that_does_not_load(self):
        self.configure("[nonsense]\n")
        found = self.checks(code=1)
        health, finding = found[f"configuration {self.folder}/watchpost.toml"]
        self.assertEqual(health, "fault")
        self.assertIn("nonsense", finding)

    def test_a_name_server_that_says_nothing_is_a_warning(self):
        self.configure(servers=f"127.0.0.1:{free_port()}")
        health, finding = self.checks()["dns answers"]
        self.assertEqual(health, "warning")
        self.assertIn("org", finding)

    def test_no_postfix(self):
        found = self.checks("--no-postfix")
        self.assertNotIn("postfix", found)
        found = self.checks(code=1, postconf="/nowhere/postconf")
        self.assertIn("cannot be started", found["postfix"][1])

    def test_a_milter_must_have_a_role(self):
        code, _, err = self.raw("--milter", "127.0.0.1:8892")
        self.assertEqual(code, 2)
        self.assertIn("inbound=ADDRESS", err)

    @unittest.skipUnless(shutil.which("postconf") and os.geteuid() == 0, "needs Postfix and root")
    def test_a_real_postfix(self):
        milter = self.milter()
        place = pathlib.Path(tempfile.mkdtemp(prefix="watchpost-doctor-postfix-"))
        host = MailHost(place, free_port(), {}, more="milter_default_action = accept\n")
        self.addCleanup(host.remove)
        host.configure()
        master = place / "etc/master.cf"
        master.write_text(master.read_text() + f"""submission inet n - n - - smtpd
  -o smtpd_milters={{inet:127.0.0.1:{milter.port},content_timeout=10s}}
  -o milter_command_timeout=1m
smtp inet n - n - - smtpd
""")
        found = self.checks("--postfix-config", str(place / "etc"), "--milter",
                            f"outbound=127.0.0.1:{milter.port}", code=1, postconf="postconf")
        at = "milter outbound submission/inet "
        self.assertEqual(found["milter outbound services"][0], "good", found)
        self.assertEqual(found[at + "default_action"][0], "warning")
        self.assertEqual(found[at + "content_timeout"][0], "fault")
        self.assertEqual(found[at + "command_timeout"][0], "good")
        self.assertIn("postfix smtpd_forbid_bare_newline", found)


if __name__ == "__main__":
    unittest.main()
