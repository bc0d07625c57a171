"""A real Postfix with SMTP AUTH through a real Dovecot, on loopback, in a folder of its own.

Nothing of the machine's own mail set-up is touched: own configuration, queue, data and log. Needs root,
or sudo for the parts that Postfix and Dovecot want root for.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

POSTFIX_USER = "postfix"
# Ends the process whose id is in the file, and waits for that: one that has ended may stay a zombie for seconds.
END = ('read pid < "$0" && kill "$pid" && '
       'while grep -qs "^State:[[:space:]][^Z]" "/proc/$pid/status"; do sleep 0.02; done')
MASTER = "/usr/lib/postfix/sbin/master"
# (mode, group, names), owned by Postfix: as its package makes them.
QUEUE_FOLDERS = (
    ("0700", "root", ("incoming", "active", "bounce", "defer", "deferred", "flush", "hold", "saved", "trace", "corrupt",
                      "private")),
    ("1730", "postdrop", ("maildrop",)),
    ("2710", "postdrop", ("public",)),
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_root(*command, check=True):
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    # A file and no pipe: what goes into the background would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        code = subprocess.run([*prefix, *command], stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, timeout=60).returncode
        if check and code != 0:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed:\n{output.read()}")
    return code


MAIN_CF = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {log}
maillog_file_prefixes = {folder}
myhostname = mail.sender.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_address_preference = ipv4
relayhost = [127.0.0.1]:{relay_port}
minimal_backoff_time = 300s
queue_run_delay = 300s
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_delay_reject = yes
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtpd_policy_service_default_action = DUNNO
smtpd_policy_service_timeout = 10s
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = {policy}permit_sasl_authenticated, reject
"""

# Mail for us, of strangers: no logins, and whoever we receive for.
MX_DOOR = """127.0.0.1:{port} inet n - n - 100 smtpd
  -o smtpd_sasl_auth_enable=no
  -o smtpd_relay_restrictions=reject_unauth_destination
  -o smtpd_recipient_restrictions=
  -o smtpd_milters={milters}
"""

# What Watchpost hands in again: from this machine alone, to anywhere, past no check but its own milter.
RELEASE_DOOR = """127.0.0.1:{port} inet n - n - 100 smtpd
  -o smtpd_sasl_auth_enable=no
  -o mynetworks=127.0.0.0/8
  -o smtpd_authorized_xclient_hosts=
  -o local_header_rewrite_clients=
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o smtpd_milters={milters}
"""

MASTER_CF = """{doors}127.0.0.1:{port} inet n - n - 100 smtpd
  -o smtpd_milters={milters}
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - 20 smtp
relay     unix  - - n - 20 smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""

DOVECOT_CONF = """protocols =
base_dir = {folder}/dovecot/run
state_dir = {folder}/dovecot/state
log_path = {folder}/dovecot/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/dovecot/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service auth {{
  unix_listener {folder}/queue/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""


def with_more(settings, more):
    """The settings, and those of `more` in place of theirs.

    A parameter that stands there twice is warned of by every process, and postlogd can come to wait for
    itself over that.
    """
    replaced = {line.split("=")[0].strip() for line in more.splitlines() if line[:1].strip()}
    kept = [line for line in settings.splitlines(keepends=True) if line.split("=")[0].strip() not in replaced]
    return "".join(kept) + more


class MailHost:
    """start() when the policy port is known; stop() always. `more` adds to main.cf, or replaces in it.

    `port` is the submission service's. With `receives`, domains that mail is taken for, there is a door for
    strangers at `mx_port`. `milters` and `mx_milters`: what smtpd_milters of each is. `release_port` and
    `release_mx_port` ask the same, and take mail from this machine without a login.
    """

    def __init__(self, folder, relay_port, logins, policy_port=None, more="", receives=(), milters="", mx_milters=""):
        self.folder = pathlib.Path(folder)
        self.log = self.folder / "mail.log"
        self.port = free_port()
        self.release_port = free_port()
        self.mx_port, self.release_mx_port = (free_port(), free_port()) if receives else (None, None)
        self._receives = receives
        self._milters = milters
        self._mx_milters = mx_milters
        self._relay_port = relay_port
        self._policy = f"check_policy_service inet:127.0.0.1:{policy_port}, " if policy_port else ""
        self._logins = logins
        self._more = more
        self._started = False

    def configure(self):
        self.folder.chmod(0o755)
        self._configure_postfix()
        self._configure_dovecot()

    def start(self):
        self.configure()
        self._started = True
        as_root("dovecot", "-c", str(self.folder / "dovecot/dovecot.conf"))
        # As `postfix start` does, but for its checks of what was just made: they take seconds.
        as_root(MASTER, "-c", str(self.folder / "etc"), "-w")
        self._wait_for_port()

    def _configure_postfix(self):
        etc = self.folder / "etc"
        etc.mkdir()
        for name in ("queue", "data"):
            (self.folder / name).mkdir(mode=0o755)
        as_root("chown", POSTFIX_USER, str(self.folder / "data"))
        self.log.touch(mode=0o644)
        settings = MAIN_CF.format(folder=self.folder, log=self.log, relay_port=self._relay_port,
                                  policy=self._policy)
        (etc / "main.cf").write_text(
            with_more(settings + f"relay_domains = {' '.join(self._receives)}\n", self._more))
        doors = RELEASE_DOOR.format(port=self.release_port, milters=self._milters)
        if self.mx_port:
            doors += MX_DOOR.format(port=self.mx_port, milters=self._mx_milters)
            doors += RELEASE_DOOR.format(port=self.release_mx_port, milters=self._mx_milters)
        (etc / "master.cf").write_text(MASTER_CF.format(doors=doors, port=self.port, milters=self._milters))
        for settings in etc.iterdir():  # of the last second they could be unfinished, and Postfix waits that long
            os.utime(settings, (0, 0))
        queue = self.folder / "queue"
        as_root("chown", "-R", "root:root", str(etc), str(queue))
        for mode, group, names in QUEUE_FOLDERS:
            as_root("install", "-d", "-o", POSTFIX_USER, "-g", group, "-m", mode,
                    *(str(queue / name) for name in names))
        as_root("install", "-d", "-m", "0755", str(queue / "pid"))

    def _configure_dovecot(self):
        dovecot = self.folder / "dovecot"
        (dovecot / "run").mkdir(parents=True)
        (dovecot / "state").mkdir()
        dovecot.joinpath("users").write_text(
            "".join(f"{name}:{{PLAIN}}{password}\n" for name, password in self._logins.items()))
        dovecot.joinpath("dovecot.conf").write_text(DOVECOT_CONF.format(folder=self.folder))

    def _wait_for_port(self):
        for port in filter(None, (self.port, self.mx_port, self.release_port, self.release_mx_port)):
            self._wait_for(port)

    def _wait_for(self, port):
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"Postfix does not listen on port {port}:\n{self.log.read_text()}")

    def stop(self):
        if not self._started:
            return
        self._started = False
        # `postfix stop` and `doveadm stop` look once a second whether they are done.
        as_root("sh", "-c", END, str(self.folder / "queue/pid/master.pid"), check=False)
        as_root("pkill", "-F", str(self.folder / "dovecot/run/master.pid"), check=False)

    def remove(self):
        self.stop()
        if os.geteuid() == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            as_root("rm", "-rf", "--one-file-system", str(self.folder), check=False)
