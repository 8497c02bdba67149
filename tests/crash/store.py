"""The store as it is on disk, read without the product's help."""

import os
import re


def unstuffed(text):
    """Every line that begins with a dot has two."""
    return text.replace(b"\r\n..", b"\r\n.")


class Kept:
    """One file.  whole: it has all that a kept message has."""

    def __init__(self, path, octets):
        self.path, self.octets = path, octets
        head, _, tail = octets.partition(b"\r\nDATA\r\n")
        self.lines = head.decode("latin-1").split("\r\n")
        self.rcpts = [re.search("<(.*?)>", x)[1] for x in self.lines
                      if x.startswith("RCPT TO:<")]
        self.state = self.note("state")
        self.end = tail.endswith(b"\r\n.\r\nQUIT\r\n")
        self.body = unstuffed(tail[:-len(b".\r\nQUIT\r\n")])

    def note(self, name):
        for x in self.lines:
            if x.startswith(f"NOOP {name} "):
                return x[len(f"NOOP {name} "):].strip()
        return None

    def whole(self, body):
        return (self.lines[0].startswith("NOOP ") and self.end and
                self.state in ("queued", "held", "refused", "unknown") and
                any(x.startswith("MAIL FROM:<") for x in self.lines) and
                self.body.endswith(body))


def names(folder):
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def read(folders):
    """Every file that is no temporary one."""
    found = []
    for path in [f"{x}/{name}" for x in folders for name in names(x)
                 if not name.startswith(".")]:
        with open(path, "rb") as f:
            found.append(Kept(path, f.read()))
    return found


def make_due(folders):
    """What waits for its time need not wait for ours."""
    for f in read(folders):
        head = f.octets[:1024]
        due = re.sub(rb"(?m)^NOOP next 2...", b"NOOP next 2001", head)
        if due != head:
            with open(f.path, "r+b") as out:
                out.write(due)
