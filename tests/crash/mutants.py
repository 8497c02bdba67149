#!/usr/bin/python3
"""Does the crash matrix see anything?  The program is spoilt on purpose, in
one way after the other, and each time the matrix must not be content."""

import glob
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import run                                                      # noqa: E402

COPY = run.B + "/crash/mutant"
HERE = os.path.dirname(os.path.abspath(__file__))

# (what is wrong, the text in one of the rooms, what it is made, scenario, kind
# of disturbance, what must be found)
MUTANTS = [
    ("its octets are not settled before it has its name",
     """\treturn fsync(fd) == 0 || fail_errno(why, FAILURE_KEEP, "%s", path);
}

/* Whole""", """\treturn true;
}

/* Whole""", "queue-down", "cut", "lost"),
    ("its name is not settled",
     "if (ok && fsync(folder) != 0)", "if (ok && folder < 0)",
     "queue-down", "cut", "lost"),
    ("it has its name at once",
     '".new.%s"', '"%s.new"', "queue-down", "kill", "lost"),
    ("0 although it could not be kept",
     "if (!any || !keep(s, p, \"queued\", which, &p->queued))",
     "if (!any || (!keep(s, p, \"queued\", which, &p->queued) && 0))",
     "queue-down", "errno", "lost"),
    ("removed before it is sent",
     """\ta->stored.record.reason = "an attempt""",
     """\t(void)unlink(a->stored.path);
\ta->stored.record.reason = "an attempt""",
     "resend-451", "kill", "lost"),
    ("not marked before the data",
     """    "have had all of it";
\treturn attempt_settle(a, why);""", """    "have had all of it";
\treturn true;""", "resend", "kill", "doubled"),
    ("the mark is not settled",
     "n == RECORD_ROOM && fsync(fd) == 0", "n == RECORD_ROOM",
     "resend", "cut", "doubled"),
    ("who has it is not struck out",
     "return keep_strike(fileno(a->f), a->gone, n, why);", "return true;",
     "resend-451", "kill", "doubled"),
    ("who could not be struck out is queued",
     "a->spoilt = !strike(a, &why);", "(void)strike(a, &why);",
     "resend-451", "errno", "doubled"),
    ("unknown is tried again",
     "r->verdict != VERDICT_UNKNOWN &&", "", "resend-lost", "kill",
     "doubled"),
    ("sent by a run that had listed it before another sent it",
     "return !a->busy || fail(", "return true || fail(", "resend", "beside",
     "doubled"),
    ("a signal ends it on the spot",
     "set(ending[i], note);", "set(ending[i], SIG_DFL);",
     "queue-451", "signal", "wrong"),
    ("two send the same file",
     "else if (flock(fd, LOCK_EX | LOCK_NB) != 0)", "else if (false)",
     None, None, None),
]


def prepare():
    """The sources, with what is built of them."""
    shutil.rmtree(COPY, ignore_errors=True)
    os.makedirs(COPY + "/build")
    for folder, to in (run.TOP, COPY), (run.B, COPY + "/build"):
        for name in os.listdir(folder):
            if name.endswith((".c", ".h", ".o", ".d")) or name == "Makefile":
                shutil.copy2(f"{folder}/{name}", to)


def read(name):
    with open(name, encoding="utf-8") as f:
        return f.read()


def write(name, text):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)


def play(scenario, kind):
    env = dict(os.environ, CRASH=COPY + "/build", B=run.B)
    command = [HERE + "/crowd.py"] if scenario is None else [
        HERE + "/matrix.py", "--only", scenario, "--kinds", kind]
    return subprocess.run([sys.executable, *command], env=env, check=False,
                          stdout=subprocess.PIPE).stdout.decode()


def is_seen(out, found):
    want = rf"{found} [1-9]" if found else "^not ok"
    return bool(re.search(f"(?m){want}", out))


def try_mutant(old, new, *how):
    rooms = [x for x in glob.glob(COPY + "/*.c") if old in read(x)]
    text = read(rooms[0]) if rooms else ""
    if len(rooms) != 1 or text.count(old) != 1:
        return f"once this was in one room: {old!r}"
    name = rooms[0]
    write(name, text.replace(old, new))
    try:
        subprocess.run(["make", "-s", "-C", COPY, "B=build",
                        "build/sendmail"], check=True,
                       stderr=subprocess.DEVNULL)
        out = play(*how[:2])
    finally:
        write(name, text)
    figure = [x for x in out.splitlines() if x.startswith(
        ("# points", "not ok"))]
    return None if is_seen(out, how[2]) else f"it was not seen: {figure}"


def main():
    prepare()
    bad = 0
    for i, (what, *mutant) in enumerate(MUTANTS, 1):
        trouble = try_mutant(*mutant)
        bad += trouble is not None
        print(f"{'not ' if trouble else ''}ok {i} - seen: {what}", flush=True)
        if trouble:
            print(f"# {trouble}", flush=True)
    print(f"1..{len(MUTANTS)}")
    shutil.rmtree(COPY)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
