#!/usr/bin/python3
"""What is converted for a lesser server says the same: tests/mime/judge.py.

mime.t NAME... plays these of tests/mime/corpus alone.
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "mime"))

# pylint: disable=wrong-import-position
import generate                                                 # noqa: E402
import judge                                                    # noqa: E402
from tap import done, ok                                        # noqa: E402
import tool                                                     # noqa: E402
import wrong                                                    # noqa: E402

RANDOM = 250                                    # messages of each kind


def judge_knows():
    """A check that cannot fail is a defect."""
    for name, original, converted, says in wrong.cases():
        found = judge.judge(original, converted)
        holds = any(says in f for f in found) if says else not found
        ok(holds, f"the judge: {name}", "\n".join(found))
    for name, original, octets, answer, says in wrong.answers():
        found = tool.compared(judge.canonical(original), octets, answer, ())
        holds = any(says in f for f in found) if says else not found
        ok(holds, f"the judge: {name}", "\n".join(found))


def names_hold(messages, complaints, offers):
    """NAME.65 must be refused by name, not only by the judge's own rules."""
    for name, octets in messages.items():
        tree = judge.parse(judge.canonical(octets))
        if judge.needs(tree, offers) and \
                bool(judge.why_not(tree, offers)) != name.endswith(".65"):
            complaints.setdefault(name, []).append("its name says else")


def corpus(converter, messages, offers):
    found = tool.examine(converter, messages, offers)
    names_hold(messages, found, offers)
    for name in messages:
        ok(name not in found, f"{name} to {server(offers)}",
           "\n".join(found.get(name, ())))


def server(offers):
    return " ".join(offers) or "RFC 821"


def many(converter, messages, offers, verdict, what):
    """The message comes again with generate.py and the number."""
    found = tool.examine(converter, messages, offers, verdict)
    ok(not found, f"{len(messages)} messages{what} to {server(offers)}",
       "\n".join(f"generate.py{what} {n}: {c}"
                 for n in found for c in found[n]))


def main(*names):
    messages = {name: octets for name, octets in generate.corpus().items()
                if not names or name in names}
    made = {n: generate.generate(n) for n in range(RANDOM)}
    hurt = {n: generate.damaged(n, messages) for n in range(RANDOM)}
    if not names:
        judge_knows()
    converter = tool.Tool()
    try:
        for offers in tool.OFFERS:
            corpus(converter, messages, offers)
            if not names:
                many(converter, made, offers, tool.compared, "")
                many(converter, hurt, offers, tool.merely_fit, " --damaged")
    finally:
        converter.close()
    done()


if __name__ == "__main__":
    main(*sys.argv[1:])
