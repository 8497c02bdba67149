"""The converter, many messages at once, and all that is asked of it."""

import os
import shutil
import subprocess
import tempfile

import judge

OFFERS = ((), ("8bitmime",), ("smtputf8",), ("8bitmime", "smtputf8"))


class Tool:
    """build/convert in a folder of its own; close() takes it away."""

    def __init__(self):
        self.program = os.path.join(
            os.environ.get("B", "build"), "convert")
        self.folder = tempfile.mkdtemp()

    def close(self):
        shutil.rmtree(self.folder)

    def convert(self, messages, offers):
        """{name: octets} -> {name: (octets or None, what it says)}."""
        paths = {name: os.path.join(self.folder, str(i))
                 for i, name in enumerate(messages)}
        for name, path in paths.items():
            with open(path, "wb") as f:
                f.write(messages[name])
        done = {}
        while len(done) < len(messages):
            names = [n for n in messages if n not in done]
            run = subprocess.run(
                [self.program, *offers, *[paths[n] for n in names]],
                check=False, capture_output=True, timeout=600)
            answers = {n: self.answer(paths[n]) for n in names}
            answers = {n: a for n, a in answers.items() if a is not None}
            if run.returncode not in (0, 65):   # it died of the last one
                answers[list(answers)[-1]] = \
                    None, run.stderr.decode("utf-8", "replace")
            done.update(answers)
        return done

    @staticmethod
    def answer(path):
        for end in ".err", ".out":
            if os.path.exists(path + end):
                with open(path + end, "rb") as f:
                    octets = f.read()
                os.unlink(path + end)
                if end == ".err":
                    if os.path.exists(path + ".out"):
                        os.unlink(path + ".out")
                    return None, "65 " + octets.decode("utf-8", "replace")
                return octets, ""
        return None


def examine(tool, messages, offers, verdict=None):
    """{name: [complaint]} for all messages; none without complaints."""
    first = tool.convert(messages, offers)
    second = tool.convert(
        {n: octets for n, (octets, _) in first.items() if octets is not None},
        offers)
    found = {}
    for name, (octets, says) in first.items():
        original = judge.canonical(messages[name])
        complaints = (verdict or compared)(original, octets, says, offers)
        if octets is not None and second[name][0] != octets:
            complaints.append(f"not the same when converted again: "
                              f"{again(octets, *second[name])}")
        if complaints:
            found[name] = complaints
    return found


def again(octets, other, says):
    if other is None:
        return says
    return judge.first_difference(octets, other)


def refusal(says):
    """What is wrong with the way in which it refuses."""
    if not says.startswith("65 "):
        return [f"died: {says[-2000:]}"]
    if says.count("\n") != 1:
        return [f"no single line says why: {says!r}"]
    return []


def compared(original, octets, says, offers):
    """Is it converted when it can be, and does it say the same?"""
    tree = judge.parse(original)
    forbids = judge.why_not(tree, offers)
    if octets is not None:
        if forbids:
            return [f"converted, although {forbids}"]
        return judge.judge(original, octets, offers)
    if refusal(says) or forbids or judge.may_refuse(tree, offers):
        return refusal(says)
    return [f"not converted: {says[3:].strip()}"]


def merely_fit(original, octets, says, offers):
    """Of what nobody can read: may the server be given what comes out?"""
    del original
    return refusal(says) if octets is None else list(
        judge.wire(octets, offers))
