"""A real Sendmail on loopback, in a folder of its own, that passes all mail on to one port.

As a package it cannot stand beside Postfix: `./dev test` unpacks it into build/sendmail. Its configuration
is as small as can be, written here by hand. Needs root, or sudo: for a host name of its own.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import time

from testbed.mail_host import as_root, free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("WATCHPOST_SENDMAIL", str(ROOT / "build/sendmail/usr/libexec/sendmail/sendmail"))

# Rulesets: an address becomes local<@domain>, goes to the one mailer, and becomes local@domain again.
SENDMAIL_CF = r"""V10/Berkeley
Djmail.sender.example
DnMAILER-DAEMON
Cwlocalhost
O OperatorChars=.:@[]
O DaemonPortOptions=Name=MTA, Addr=127.0.0.1, Port={port}
O QueueDirectory={folder}/queue
O PidFile={folder}/pid
O DeliveryMode=background
O Timeout.ident=0
O DontProbeInterfaces=true
O DontBlameSendmail=GroupWritableDirPathSafe
O SmtpGreetingMessage=$j ESMTP
O InputMailFilters=milter
Xmilter, S={milter}, F=T, T=S:30s;R:30s;E:5m
H?P?Return-Path: <$g>
HReceived: from $s ($_) by $j; $b
SCanonify=3
R$* <> $*	$@ <@>
R$* < $+ @ $+ > $*	$@ $2 <@ $3>
R$+ @ $+	$@ $1 <@ $2>
Sparse=0
R$+ <@ $+ >	$#relay $@ [127.0.0.1] $: $1@$2
R$*	$#relay $@ [127.0.0.1] $: $1
Sfinal=4
R$+ <@ $+ >	$1@$2
Mlocal, P=/bin/false, F=lsDFM, S=0, R=0, A=false
Mprog, P=/bin/false, F=lsDFM, S=0, R=0, A=false
Mrelay, P=[IPC], F=mDFMuXa8, E=\r\n, L=2040, A=TCP $h {relay_port}
"""


def is_there():
    if not os.access(PROGRAM, os.X_OK):
        return False
    libraries = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True)
    return libraries.returncode == 0 and "not found" not in libraries.stdout


class SendmailHost:
    """start(), and remove() always. `milter` as Sendmail writes it: "inet:8892@127.0.0.1"."""

    def __init__(self, folder, relay_port, milter):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self._settings = {"folder": self.folder, "port": self.port, "relay_port": relay_port, "milter": milter}
        self._process = None

    def start(self):
        (self.folder / "queue").mkdir(mode=0o700)
        configuration = self.folder / "sendmail.cf"
        configuration.write_text(SENDMAIL_CF.format(**self._settings))
        as_root("chown", "-R", "root:root", str(self.folder))
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        # A host name without a dot makes it wait for a minute.
        self._process = subprocess.Popen(
            [*prefix, "unshare", "--uts", "sh", "-c", 'hostname mail.sender.example; exec "$@"', "sh", PROGRAM,
             "-bD", f"-C{configuration}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self._wait_for_port()

    def _wait_for_port(self):
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"Sendmail does not listen on port {self.port}")

    def remove(self):
        if self._process is not None:
            if self._process.poll() is None:
                as_root("kill", (self.folder / "pid").read_text().split()[0], check=False)
            self._process.wait(timeout=60)
            self._process = None
        if os.geteuid() == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            as_root("rm", "-rf", "--one-file-system", str(self.folder), check=False)
