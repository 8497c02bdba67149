#!/usr/bin/python3
"""Does the crash matrix see anything?  The program is spoilt on purpose, in
one way after the other, and each time the matrix must not be content."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from mutants import B, Copy, Trouble                            # noqa: E402

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


def play(copy, scenario, kind):
    env = dict(os.environ, CRASH=str(copy.build), B=str(B))
    command = [HERE + "/crowd.py"] if scenario is None else [
        HERE + "/matrix.py", "--only", scenario, "--kinds", kind]
    return subprocess.run([sys.executable, *command], env=env, check=False,
                          stdout=subprocess.PIPE).stdout.decode()


def is_seen(out, found):
    want = rf"{found} [1-9]" if found else "^not ok"
    return bool(re.search(f"(?m){want}", out))


def main():
    copy = Copy("crash/mutant")

    def try_one(old, new, scenario, kind, found):
        with copy.spoilt(old, new, "*.c"):
            copy.make("build/sendmail")
            out = play(copy, scenario, kind)
        if not is_seen(out, found):
            raise Trouble("it was not seen: " + str(
                [x for x in out.splitlines()
                 if x.startswith(("# points", "not ok"))]))

    sys.exit(not copy.try_all(MUTANTS, try_one))


if __name__ == "__main__":
    main()
