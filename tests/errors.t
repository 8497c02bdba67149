#!/usr/bin/python3
"""The catalogue of errors: what is said for each kind of failure and its
important causes, whole lines and exit status (tests/errors/table.py).

errors.t --show [WORD]      what is said now, in the form of the tables
errors.t --catalogue        tests/errors/CATALOGUE, for people to read
"""

import concurrent.futures
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "errors"))

# pylint: disable=wrong-import-position
import table                                                    # noqa: E402
from tap import done, ok, same                                  # noqa: E402
from world import B, CA, World                                  # noqa: E402

JOBS = 6
UNREPORTED = ("--check", " -q", " -bs", " -bp", "-bv", "--forget", "--show",
              "-bi", "--resend", "--import", "--talk")   # say it themselves, without a kind


def play_all(cases):
    if not CA.exists():
        subprocess.run([B / "ca", CA], check=True, stdout=subprocess.DEVNULL)
    cases = [c for c in cases if (os.getuid() == 0 or "root" not in c.flags)
             and not os.path.exists(c.get("without", "/nothing"))]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(zip(cases, pool.map(lambda c: World(c).play(), cases)))


def show(word):
    for case, got in play_all(c for c in table.every() if word in
                              f"{c.kind}: {c.what}"):
        print(f"== {case.kind}: {case.what}\nstatus {got.status}")
        print("".join(f"> {line}\n" for line in got.lines) +
              f"# {' '.join(got.kinds)}\n")


def has_kind(case, got):
    if any(x in " " + case.get("run", "") for x in UNREPORTED) or \
            "unset LD_PRELOAD" in case.get("shell", ""):
        return True
    return case.kind in got.kinds or (case.kind == "keep" and
                                      " keep-error=" in got.kinds)


def helps(case):
    """Where, what the other side said, and what to do."""
    text = "\n".join(case.golden)
    for words in case.lists["said"]:
        ok(words in text, f"{case.place}: in the server's words", words)
    ok(case.lists["next"], f"{case.place}: there is a next step")
    for words in case.lists["next"]:
        if not words.startswith("- "):
            ok(words in text, f"{case.place}: what to do", words)
    for start, reply in (x.split(" => ") for x in case.lists["reply"]):
        if reply[:1] in "45" and start[:1].isupper():
            ok(reply.split(" | ")[-1] in text,
               f"{case.place}: the server's words", reply)
    if (case.get("submitd") or case.get("server")) and \
            "unconnected" not in case.flags and \
            case.kind not in ("config", "usage", "keep", "barred", "message",
                              "permission", "address", "local",
                              "token"):
        ok("[127.0.0.1]:PORT: " in text, f"{case.place}: host, address, port")


def main():
    cases = table.every()
    if sys.argv[1:2] == ["--show"]:
        return show(sys.argv[2] if sys.argv[2:] else "")
    if sys.argv[1:] == ["--catalogue"]:
        return print(table.catalogue(cases), end="")
    for case, got in play_all(cases):
        name = f"{case.kind}: {case.what}"
        same((got.status, got.lines), (int(case.get("status", -1)),
                                       case.golden), name)
        ok(has_kind(case, got), f"{name}: of that kind", got.kinds)
        helps(case)
    words = table.kinds()
    ok(len(words) > 25, "failure.c is understood", words)
    for kind, word in words.items():
        ok(word == "none" or word in [c.kind for c in cases],
           f"FAILURE_{kind} is in the catalogue")
    with open(HERE + "/errors/CATALOGUE", encoding="utf-8") as f:
        same(f.read(), table.catalogue(cases), "CATALOGUE is as the tables are")
    return done()


main()
