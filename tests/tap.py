"""TAP, which prove(1) reads, for the tests in Python: a line for each claim."""

import sys
import time

PATIENCE = 60                   # seconds until a test is given up
POINTS = [0, 0]                 # all, failed
LINES_MAX = 40                  # of a detail


def ok(claim, name, detail=""):
    """Does it hold?  The detail is shown when it does not."""
    POINTS[0] += 1
    POINTS[1] += not claim
    print(f"{'ok' if claim else 'not ok'} {POINTS[0]} - {name}", flush=True)
    if not claim:
        note(detail)
    return bool(claim)


def note(text):
    for line in str(text).splitlines()[:LINES_MAX]:
        print(f"# {line}", flush=True)


def same(got, want, name, detail=""):
    return ok(got == want, name, f"got    {got!r}\nwanted {want!r}\n{detail}")


def until(claim, seconds=PATIENCE):
    """Waits for what must come; False when it does not."""
    end = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit()


def done():
    """Behind the last claim: ends the program."""
    print(f"1..{POINTS[0]}", flush=True)
    sys.exit(POINTS[1] > 0)
