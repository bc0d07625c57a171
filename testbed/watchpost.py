"""A Watchpost daemon in a folder of its own, and its command line."""
import json
import os
import pathlib
import signal
import subprocess
import time


class CommandFailed(Exception):
    def __init__(self, command, code, output):
        super().__init__(f"{' '.join(command)} ended with {code}:\n{output}")
        self.code = code
        self.output = output


class Watchpost:
    """`program` is the binary; the configuration goes into `folder`, with {folder} filled in.

    `runner` are words before the daemon's own command line, for example to run it as another user.
    """

    def __init__(self, program, folder, configuration, runner=()):
        self.program = str(program)
        self.runner = list(runner)
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "watchpost.toml"
        self.log = self.folder / "watchpost.log"
        self.socket = self.folder / "api.sock"
        self.process = None
        self.configure(configuration)

    def make_key(self, path):
        """The key of a quarantine."""
        subprocess.run([self.program, "quarantine", "new-key", str(path)], check=True, capture_output=True)

    def configure(self, configuration):
        own = f'[store]\npath = "{self.folder}/data"\n[listen]\nsocket = "{self.socket}"\n'
        listen = "[listen]\n"
        text = configuration.replace("{folder}", str(self.folder))
        if listen in text:
            text = text.replace(listen, f'{listen}socket = "{self.socket}"\n', 1)
            own = f'[store]\npath = "{self.folder}/data"\n'
        self.config.write_text(own + text)

    def start(self, wait=True):
        command = [*self.runner, self.program, "-c", str(self.config), "serve"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.wait_until(lambda: self.run("status", check=False)[0] == 0, "the daemon answers")

    def wait_until(self, condition, what, seconds=120):
        """Polls; the log goes into the error where it never comes true."""
        end = time.monotonic() + seconds
        pause = 0.02
        while time.monotonic() < end:
            if self.process and self.process.poll() is not None and what != "the daemon ends":
                raise AssertionError(f"the daemon ended with {self.process.returncode}, before {what}:\n{self.tail()}")
            if found := condition():
                return found
            time.sleep(pause)
            pause = min(1.5 * pause, 0.2)  # most conditions start a program, which others wait for
        raise AssertionError(f"after {seconds} s still not: {what}\n{self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def run(self, *arguments, check=True, stdin=None):
        """(exit code, standard output, standard error) of a command of the product."""
        command = [self.program, "-c", str(self.config), "--socket", str(self.socket), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=120,
                              stdin=subprocess.DEVNULL if stdin is None else None)
        if check and done.returncode != 0:
            raise CommandFailed(command, done.returncode, done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    def all_of(self, rows, *command):
        """All rows of a command that answers in pages; `rows` is their name in its answer."""
        found, after = [], ""
        while True:
            page = self.json(*command, *(["--after", after] if after else []))
            found += page[rows]
            after = page["next"]
            if not after:
                return found

    def json(self, *arguments):
        return json.loads(self.run("-o", "json", *arguments)[1])

    def stop(self, how=signal.SIGTERM, seconds=60):
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the daemon did not end in {seconds} s:\n{self.tail()}") from None
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None


def add_program_option(parser):
    default = pathlib.Path(__file__).resolve().parent.parent / "build/dev/src/watchpost"
    parser.add_argument("--watchpost", default=os.environ.get("WATCHPOST_PROGRAM", str(default)),
                        help="the program to run")
