"""What must be true after a run that was disturbed, whatever was done.

A verdict is a list of (kind, text); the kinds are

    lost     neither server nor store has it, and the caller thinks otherwise
    doubled  someone has got it twice through -q, or would get it
    wrong    nothing is lost, but what is said or written is not true
"""

import re

NETWORK = {"socket", "connect", "sendto", "recvfrom", "ppoll", "poll",
           "getsockopt", "setsockopt", "getpeername", "getsockname"}


class Case:
    """One point of a matrix: what was done to which run, and what came."""

    def __init__(self, scenario, mode, base, result, server, files):
        self.scenario, self.mode, self.base = scenario, mode, base
        self.result, self.server, self.files = result, server, files
        self.kind = "errno" if mode[0] == "errnos" else mode[0]
        self.at = mode[1] if len(mode) > 1 else 0
        self.call = base.calls[self.at - 1] if self.at else None
        self.mails = len(server.mails)          # those that count
        self.found = []

    def add(self, kind, text):
        self.found.append((kind, text))

    def each(self):
        """(recipient, body, times taken, files that name them)."""
        for body in self.scenario.expected:
            files = [f for f in self.files if f.body.endswith(body)]
            for who in self.scenario.rcpts:
                yield (who, body, self.server.took(who, body, self.mails),
                       [f for f in files if who in f.rcpts])


def read_end(base):
    """The call that has read the end of standard input."""
    return max((i + 1 for i, (a, b) in enumerate(
        zip(base.calls, base.calls[1:]), 1) if (a, b) == ("ppoll", "read")),
        default=0)


def is_memory(error):
    return "memory" in error


def files_are_whole(case):
    bodies = case.scenario.expected
    for f in case.files:
        if not any(f.whole(body) for body in bodies):
            case.add("lost", f"not whole in the store: {f.path}")
    for _, _, parts in case.server.mails[:case.mails]:
        if not any(parts.endswith(body) for body in bodies):
            case.add("lost", "the server has taken a message that was cut")


def one_place(case):
    """At the server or in the store; in both only as unknown."""
    for who, _, took, files in case.each():
        states = [f.state for f in files if f.state != "unknown"]
        if took > 1 or len(states) > 1:
            case.add("doubled" if took > 1 or "queued" in states else "wrong",
                     f"{who}: {took} times at the server, and {states}")
        for f in files:
            if took and f.state != "unknown":
                case.add("wrong", f"{who} has it, and the store says "
                         f"{f.state}")


def claims(case):
    """What standard error says of the store."""
    paths = [f.path for f in case.files]
    for path in re.findall(r"\(kept as ([^;]+); to try again: ", case.result.error):
        if path not in paths:
            case.add("lost", f"said to be kept, and is not: {path}")


def promised(case):
    """Status 0: everyone's is at the server, or queued."""
    if case.result.status != 0:
        return
    for who, _, took, files in case.each():
        states = [f.state for f in files]
        if not took and not states:
            case.add("lost", f"{who}: status 0")
        elif not took and states != ["queued"]:
            case.add("wrong", f"{who}: status 0, and it is {states[0]}")


def not_behind(case):
    """A failure that the caller knows of is not sent behind his back."""
    if case.result.status in (0, None) or case.base.status != 0 or \
            {f.state for f in case.files} != {"queued"}:
        return
    for who, _, _, files in case.each():
        if files:
            case.add("doubled", f"{who}: {case.result.told()}, and queued")


def kept_or_said(case):
    """What was read and not handed over is kept, or the caller told why."""
    error = case.result.error
    if case.result.status is None or case.at <= read_end(case.base):
        return
    may_fail = case.kind == "errno" and case.call not in NETWORK
    for who, _, took, files in case.each():
        if took or files or (may_fail and (
                "could not be kept" in error or is_memory(error) or
                case.call == "write")):
            continue
        case.add("lost", f"{who}: neither kept nor told why: {error!r}")


def orderly(case):
    """The first signal does not kill, and the status says what came."""
    begun = case.base.calls.index("rt_sigprocmask") + 1
    if case.result.signal and case.at > begun:
        case.add("wrong", f"died of signal {case.result.signal}")


def stays(case):
    """Of a resend nothing is lost, whatever the status."""
    for who, _, took, files in case.each():
        if not took and not files:
            case.add("lost", f"{who}: gone from the store")


def judge(case):
    files_are_whole(case)
    one_place(case)
    if case.result.hung:
        case.add("wrong", "it hangs")
    if case.scenario.prepared:
        stays(case)
    else:
        claims(case)
        promised(case)
        if case.kind == "errno":
            not_behind(case)
        if case.kind in ("errno", "signal"):
            kept_or_said(case)
    if case.kind == "signal":
        orderly(case)
    return case.found


def judge_later(case, result, server, files):
    """After -q with a server that takes everything."""
    queued = {f.path for f in case.files if f.state == "queued"}
    for who, body, took, before in case.each():
        more = server.took(who, body)
        due = any(f.path in queued for f in before)
        if took + more > 1:
            case.add("doubled", f"{who}: {took}, and {more} times by -q")
        if more and not due:
            case.add("wrong", f"{who}: -q sent what was not queued")
        if due and not more:
            case.add("lost", f"{who}: queued, and -q does not send it: "
                     f"{result.error!r}")
    left = {f.path for f in files}
    for f in case.files:
        if (f.path in left) == (f.path in queued):
            case.add("wrong", f"{f.state}, and after -q " +
                     ("there" if f.path in left else "gone"))
    if result.status != 0 or result.error:
        case.add("wrong", f"-q: {result.told()}: {result.error!r}")
    return case.found
