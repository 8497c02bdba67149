"""What must have come of a run, by the server's own record."""

import json
import os
import re

from faults import EITHER, FINE, LOST, NONSENSE, REPLY, STRAY

PEOPLE = ["one@example.net", "two@example.net", "three@example.net"]
KIB_MAX = 24 * 1024 if "san" not in os.environ.get("B", "") else 1 << 30
CONTROL = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e"
                     "\u2066-\u2069]")
TRACE = re.compile(r"(S:|C:|D|T|#|sendoff:|sendmail:|[{])")


def final(step):
    """The server has the whole message."""
    return step.startswith("dot")


def by_code(step, code):
    """Statuses for a reply that is not the good one."""
    kind = code[0]
    if code == "421":
        return {75}
    if kind == "2":
        if step.startswith(("mail", "dot", "rcpt", "bdat")):
            return {0}
        return {76}
    if kind == "3":
        return {75} if final(step) else {76}
    if kind == "4":
        return {75}
    if step.startswith(("dot", "bdat")):
        return {65}
    if step.startswith("auth"):
        return {77}
    return {69}


def of_body(come, code):
    """Answered before the data were read: the dot may have left, or not."""
    if come == REPLY:
        return {"4": {75}, "5": {65}, "3": {75, 76}, "2": {0, 75, 76}}[code[0]]
    return {0, 75, 76} if come in (FINE, STRAY) else {75, 76}


def statuses(run):
    """Those that are right."""
    if run.want:
        return run.want
    if run.how.second and run.fault.step in ("greeting", "ehlo"):
        return {0, 76} if run.fault.come == STRAY else {0}
    return of_first(run) | ({0} if run.how.second else set())


def of_first(run):
    come, step = run.fault.come, run.fault.step
    if step is None or step == "quit":
        return {0}
    if step == "body":
        return of_body(come, run.fault.code)
    if come == FINE:
        return {0}
    if run.fault.name == "handshake: certificate required":
        return {76, 77}
    if come == REPLY:
        lost = {75} if "reset" in run.fault.name and "." in step else set()
        return by_code(step, run.fault.code) | run.doubt(step) | lost
    if final(step):
        return {0} if come == STRAY else {75}
    if come == STRAY:
        return {76, 77} | run.doubt(step) | run.shifted(step)
    return {LOST: {75}, NONSENSE: {76}, EITHER: {75, 76}}[come] | \
        run.doubt(step)


def untrue(run):
    """Complaints about each recipient's verdict."""
    r = run.record
    for who, said in run.outcomes.items():
        has = any(who in rcpts for rcpts, _ in run.mails())
        if said == "sent" and not has and not run.is_fooled():
            yield f"{who} is called sent, and the server has no such mail"
        if said != "sent" and has and not run.is_stray() and not (
                said == "unknown" and run.is_nonsense()):
            yield f"{who} is called {said}, and the server said 2yz"
        if said in ("deferred", "refused") and r.whole and \
                r.verdicts.get(who) in (None, "421") and who in r.accepted:
            yield f"{who} is called {said}, and nobody knows"
        if said == "unknown" and not (r.whole or run.may_have_left()):
            yield f"{who} is called unknown, and the server cannot have it"
    if (run.status == 0) != (set(run.outcomes.values()) == {"sent"}):
        yield f"status {run.status} of {run.outcomes}"


def data_of(text):
    """The message of a kept file, which is batch SMTP."""
    data = text.replace("\r\n", "\n").partition("\nDATA\n")[2]
    data = data.rpartition("\n.\n")[0] + "\n"
    return re.sub(r"(?m)^\.", "", data)


def kept(run):
    want = 0 if run.status == 0 else 1
    if len(run.kept) != want:
        yield f"{len(run.kept)} kept, not {want}"
    for text in run.kept:
        if run.text != data_of(text):
            yield "what is kept is not the message"
        head = text.partition("MAIL FROM:")[0]
        if CONTROL.search(head.replace("\r\n", "\n")):
            yield f"controls in the head of the file: {head!r}"
        if ("unknown" in run.outcomes.values()) != \
                bool(re.search("(?m)^NOOP.*state.*unknown", head)):
            yield f"the file's state is not that of {run.outcomes}: {head!r}"


def shown(run):
    for name, text in ("standard error", run.err), ("log", run.log), (
            "standard output", run.out):
        if CONTROL.search(text):
            yield f"controls in {name}: {CONTROL.search(text)[0]!r}"
    for line in run.err.splitlines():
        if not TRACE.match(line):
            yield f"a line of standard error is not ours: {line[:100]!r}"
    for line in run.log.splitlines():
        if not re.match(r'time=\S+ pid=|\{"time":', line):
            yield f"a line of the log is not ours: {line[:100]!r}"
    if "correct horse" in run.err + run.log + run.out:
        yield "the password is shown"


def taken(run):
    """What the servers have accepted."""
    who = [x for rcpts, _ in run.mails() for x in rcpts]
    if len(who) > len(set(who)):
        yield f"sent twice: {who}"
    if any(text != run.arrives for _, text in run.mails()):
        yield "what was accepted is not the message"
    if run.record.whole and run.record.verdict in (None, "421") and \
            run.was_begun_elsewhere():
        yield "the first server may have it, and the second was tried"


def complaints(run):
    if run.hung:
        yield f"no end within {run.seconds:.1f} seconds"
        return
    if run.kib > KIB_MAX:
        yield f"{run.kib} KiB"
    want = statuses(run)
    if run.status not in want:
        yield f"status {run.status}, not one of {sorted(want)}"
    if not run.fault.done and run.fault.step not in (None, "every"):
        yield "the fault was not reached"
    yield from taken(run)
    if run.more_connections:
        yield f"{run.more_connections} more connections"
    if run.record.plain_secret and run.how.tls:
        yield "the secret was said without TLS"
    if run.outcomes is None:
        yield f"no JSON: {run.out!r}"
        return
    yield from untrue(run)
    yield from kept(run)
    yield from shown(run)


def outcomes_of(out):
    try:
        return {x["address"]: x["outcome"]
                for x in json.loads(out)["recipients"]}
    except (ValueError, KeyError):
        return None
