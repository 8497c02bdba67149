"""One program run once, and what that has cost."""
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / os.environ.get("B", "build")


class Failed(Exception):
    """Why there is no figure, in a few words."""


@dataclasses.dataclass
class Command:
    """environment: what is set beside PATH, HOME and the locale."""
    argv: list
    environment: dict


@dataclasses.dataclass
class Cost:
    seconds: float              # of wall time
    processor: float            # seconds, user and system
    megabytes: float            # at the peak


def surroundings(command, home):
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C",
            **command.environment}


def finish(child, patience):
    """What the child says on standard error; ended with its children when it
    is too slow."""
    try:
        _, said = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        raise Failed(f"not within {patience} s") from None
    if child.returncode:
        line = said.decode(errors="replace").strip().split("\n")[-1][:70]
        raise Failed(f"status {child.returncode}: {line}")
    return said


class Measure:
    """home: a folder for what programs leave behind, and our own files."""

    def __init__(self, home, patience):
        self.home, self.patience = home, patience

    def start(self, before, command, message):
        """The command, behind the words of one that runs it."""
        with open(message, "rb") as stdin:
            return subprocess.Popen(
                [*map(str, before), *map(str, command.argv)], stdin=stdin,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=surroundings(command, self.home), start_new_session=True)

    def once(self, command, message):
        figures = self.home / "peak"
        began = time.monotonic()
        finish(self.start([BUILD / "peak", figures], command, message),
               self.patience)
        seconds = time.monotonic() - began
        kilobytes, microseconds = figures.read_text().split()
        return Cost(seconds, int(microseconds) / 1e6, int(kilobytes) / 1024)

    def best(self, command, message, count):
        """Of each kind the least, of memory the most, of count runs or as
        many as begin within 5 seconds."""
        costs = []
        end = time.monotonic() + 5
        while not costs or len(costs) < count and time.monotonic() < end:
            costs.append(self.once(command, message))
        return Cost(min(c.seconds for c in costs),
                    min(c.processor for c in costs),
                    max(c.megabytes for c in costs))

    def together(self, command, message, count):
        """Seconds until all of count, begun at once, have ended."""
        began = time.monotonic()
        children = [self.start([], command, message) for _ in range(count)]
        for child in children:
            finish(child, self.patience)
        return time.monotonic() - began

    def instructions(self, command, message):
        """Millions, in user space, by callgrind."""
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            log = pathlib.Path(folder) / "log"
            child = self.start(
                [tool("valgrind"), "--tool=callgrind", f"--log-file={log}",
                 f"--callgrind-out-file={folder}/out"], command, message)
            finish(child, self.patience)
            found = re.search(r"Collected : (\d+)", log.read_text())
        return int(found[1]) / 1e6

    def calls(self, command, message):
        """System calls, of its children as well."""
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            log = pathlib.Path(folder) / "log"
            finish(self.start([tool("strace"), "-f", "-c", "-o", log],
                              command, message), self.patience)
            total = log.read_text().strip().split("\n")[-1].split()
        return int(total[3])


def tool(name):
    return shutil.which(name) or missing(name)


def missing(name):
    raise Failed(f"no {name} here")
