"""What a suite of conformance cases is.

A suite is a module here, named NAME_suite.py, with

    FOLDER = "NAME"                     # the folder of the corpora that it needs; it runs only where that is there

    def run(corpora, watchpost):        # both pathlib.Path: the corpora's folder, the program
        checked = Checked()
        checked.case("key of the case", expected, got)
        return "name", checked.total, checked.passed, checked.disagreements

and one line in SUITES (run.py). A suite that judges several things returns a list of such tuples, one for each.
All that is expected comes out of the corpora's folder; nothing is keyed on the words of a case, so that other folders of the
same layout are judged as well. What no answer can be given for, because Watchpost refused or crashed, is a disagreement.
"""
import dataclasses
import json
import subprocess
import typing

SECONDS_FOR_ONE_COMMAND = 300


@dataclasses.dataclass
class Checked:
    """The cases of one line of the report."""
    total: int = 0
    passed: int = 0
    disagreements: list = dataclasses.field(default_factory=list)

    def case(self, key, expected, got):
        """One case: it passes where both are the same. Gives whether they are."""
        return self.judged(key, expected == got, expected, got)

    def judged(self, key, passed, expected, got):
        """One case that was compared by the caller."""
        self.total += 1
        if passed:
            self.passed += 1
        else:
            self.disagreements.append({"key": key, "expected": expected, "got": got})
        return passed

    def result(self, name):
        return name, self.total, self.passed, self.disagreements


class Answer(typing.NamedTuple):
    """What a command said. `crashed` is True where a signal or a sanitizer ended it, or its time was up."""
    code: int
    out: str
    error: str
    crashed: bool


def ask(watchpost, *arguments, stdin=None, seconds=SECONDS_FOR_ONE_COMMAND):
    """Runs `watchpost ARGUMENTS`; `stdin` may be text or bytes."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        done = subprocess.run([str(watchpost), *map(str, arguments)], input=given if given is not None else b"",
                              capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Answer(-1, "", f"no answer within {seconds} s", True)
    error = done.stderr.decode(errors="replace")
    crashed = done.returncode < 0 or "Sanitizer" in error or ": runtime error: " in error
    return Answer(done.returncode, done.stdout.decode(errors="replace"), error, crashed)


def rows(path):
    """The objects of a file with one JSON object a line."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def objects(text):
    """The objects of an answer with one JSON object a line."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]
