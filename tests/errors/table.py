"""The catalogue's tables (tests/errors/*.cases), taken apart.

    == KIND: what has happened
    server SCHEME               a scripted server, in the clear; SCHEME is what
                                the configuration calls it
    submitd SCHEME OPTION...    tests/servers/submitd
    swallower                   an address whose connections never come about
    offers WORDS                what the scripted server says to EHLO
    reply COMMAND => TEXT       to commands that begin so (GREETING, DOT);
                                " | " ends a line; (close), (silent), (stall)
    dns NAME TYPE VALUE         the resolver's records; "dns NAME SERVFAIL",
                                "dns NAME silent"; "dns signed": it vouches
    bare                        without the lines that every configuration has
    config LINE
    mode MODE                   of the configuration
    file NAME MODE TEXT         \\n is a line end
    run WORDS                   of a shell; the first is the program
    input TEXT                  \\n is a line end; "many" is 2 MB
    stdin closed, stdin folder
    shell WORDS                 what runs the program
    signal NAME                 when the server stalls
    without FILE                only where there is no such file
    root                        only root can play it
    unconnected                 it ends before there is a connection
    status N
    > LINE                      golden: a whole line on standard error
    said WORDS                  of the other side, which are in it
    next WORDS                  what to do, which is in it; "next - WHY" is none

In golden lines PORT, TMP, ID, PIN and DATE stand for what differs; in all others
{PORT}, {TMP}, {HOME} and {URL} do.
"""

import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
ONCE = {"server", "submitd", "offers", "input", "stdin", "shell", "signal",
        "status", "run", "mode", "without"}
FLAGS = {"bare", "root", "swallower", "unconnected"}
LISTS = {"reply", "dns", "config", "file", "said", "next", ">"}


class Case:
    def __init__(self, kind, what, place):
        self.kind, self.what, self.place = kind, what, place
        self.flags, self.once = set(), {}
        self.lists = {name: [] for name in LISTS}

    def take(self, word, rest):
        if word in FLAGS and not rest:
            self.flags.add(word)
        elif word in ONCE and word not in self.once:
            self.once[word] = rest
        elif word in LISTS:
            self.lists[word].append(rest)
        else:
            raise SystemExit(f"Bail out! {self.place}: {word} {rest}")

    @property
    def golden(self):
        return self.lists[">"]

    def get(self, word, otherwise=None):
        return self.once.get(word, otherwise)


def read(path):
    case = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("== "):
            kind, _, what = line[3:].partition(": ")
            case = Case(kind, what, f"{path.name}:{number}")
            yield case
        elif line and line[0] != "#":
            word, _, rest = line.partition(" ")
            case.take(word, rest)


def every():
    return [case for path in sorted(HERE.glob("*.cases"))
            for case in read(path)]


def catalogue(cases):
    """For people: each line below the other."""
    lines = ["What sendoff says when something fails, made by: tests/errors.t "
             "--catalogue", ""]
    for case in cases:
        lines.append(f"{case.kind} ({case.get('status')}): {case.what}")
        lines += ["    " + line for line in case.golden] + [""]
    return "\n".join(lines)


def kinds():
    """The words of enum failure_kind, as failure.c has them."""
    text = (HERE.parents[1] / "failure.c").read_text()
    return dict(re.findall(r'\[FAILURE_(\w+)\]\s*=\s*\{ "([\w-]+)"', text))
