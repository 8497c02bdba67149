"""What must be true after a run: as the transcript says, or after a cut."""

import base64
import json
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import schema                                                   # noqa: E402

from .pattern import match, unescape
from .session import Cut, data_contains, data_has
from .transcript import OCTETS, dialogue

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / \
    "man/sendoff.schema.json"
CHANCE = re.compile(r"\S*/play-\w+|\d{8}T\d{6}Z-[0-9a-f]{12}|"
                    r"(?<=-qI )[0-9a-f]{12}|(?<=[]t]):\d{4,5}\b")
QUICK = 40              # seconds in which a cut run must have ended


# A run of the whole dialogue

def whole(outcome, way):
    act = outcome.act
    return ended(outcome) + status_is(outcome, {act.status()}) + \
        stderr_is(outcome) + store_is(outcome) + data_is(outcome) + \
        quiet_is(outcome) + leaks(outcome)


def ended(outcome):
    out = list(outcome.complaints)
    if outcome.mismatch:
        out.append(f"expected: {outcome.mismatch.expected}\n"
                   f"got:      {outcome.mismatch.got}")
    if outcome.hung:
        out.append(f"the program hangs (killed after {outcome.seconds:.0f} s)")
    if outcome.extra:
        out.append(f"{outcome.extra} more connections were made")
    return out


def status_is(outcome, allowed):
    if outcome.status in allowed or outcome.hung:
        return []
    want = " or ".join(str(status) for status in sorted(allowed))
    return [f"expected: status {want}\ngot:      status {outcome.status}"]


def stderr_is(outcome):
    out, lines = [], outcome.err.split("\n")
    for text in outcome.act.expected("stderr"):
        if not any(plain(text) in line for line in lines):
            out.append(f"expected: a line of stderr with {text!r}")
    for text in outcome.act.expected("no-stderr"):
        if plain(text) in without_chance(outcome.err):
            out.append(f"expected: no {text!r} in stderr")
    for text in outcome.act.expected("stdout"):
        if text not in outcome.out:
            out.append(f"expected: {text!r} in stdout\n"
                       f"got:      {outcome.out!r}")
    return out


def without_chance(err):
    """What is made by chance may hold any digits: ports, homes, ids."""
    return CHANCE.sub("", err)


def plain(text):
    """The escapes of an expectation undone, as stderr is read."""
    return unescape(text).decode("utf-8", "backslashreplace")


def quiet_is(outcome):
    """P8: success is silent; a failure is told in one line, or two."""
    act, out = outcome.act, []
    if outcome.out and not act.expected("stdout"):
        out.append(f"expected: nothing on stdout\ngot:      {outcome.out!r}")
    lines = outcome.err.count("\n")
    silent = act.status() == 0 or act.expected("silent")
    if silent and outcome.err and not act.expected("stderr"):
        out.append("expected: nothing on stderr")
    if not silent and not outcome.err.endswith("\n"):
        out.append("expected: a whole line on stderr")
    if not silent and act.events and not 1 <= lines <= 2:
        out.append(f"expected: one or two lines on stderr, not {lines}")
    return out


def store_is(outcome):
    act, out, kept = outcome.act, [], outcome.kept
    for want in act.expected("kept"):
        if len(kept) != int(want):
            out.append(f"expected: kept {want}\ngot:      kept {len(kept)}")
    text = "\n".join(kept)
    for want in act.expected("kept-contains"):
        if want not in text:
            out.append(f"expected: {want!r} in the store\ngot:\n{text}")
    for want in act.expected("kept-lacks"):
        if want in text:
            out.append(f"expected: no {want!r} in the store\ngot:\n{text}")
    return out


def data_is(outcome):
    act, out, data = outcome.act, [], outcome.session.data
    for want in act.expected("data"):
        if not data_has(data, want):
            out.append(f"expected: data with the line {want!r}")
    for want in act.expected("no-data"):
        if data_contains(data, want):
            out.append(f"expected: no {want!r} in the data")
    return out


def leaks(outcome):
    """P5: no secret where somebody could read it."""
    out = []
    derived = outcome.session.derived if outcome.session else []
    made = [form for text in derived for form in forms_of(text.encode())]
    for name, text in (("stderr", outcome.err), ("stdout", outcome.out),
                       ("the store", "\n".join(outcome.kept))):
        for form in secret_forms(outcome.act) + made:
            if form in text:
                out.append(f"the password stands in {name}: {form!r}")
    return out


def secret_forms(act):
    words = [line.split(None, 1) for line in act.config]
    secrets = [w[1].strip('"').encode() for w in words
               if len(w) == 2 and w[0] == "password"]
    secrets += [word.encode() for word in act.setup.get("token", "").split()]
    return [form for secret in secrets for form in forms_of(secret)]


def forms_of(secret):
    """As it is, and inside base64 at each of the three alignments."""
    yield secret.decode()
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + secret).decode().rstrip("=")
        start = (lead * 8 + 5) // 6
        end = (lead + len(secret)) * 8 // 6
        if end - start >= 5:
            yield text[start:end]


# Other modes

def verbose(outcome, way):
    """The trace is a transcript: what was said and heard, in order."""
    out = ended(outcome) + status_is(outcome, {outcome.act.status()}) + \
        leaks(outcome)
    lines = outcome.err.split("\n")
    session, events = outcome.session, outcome.act.events
    out += same_trace("S: ", lines, session.said)
    if not outcome.mismatch:
        hung_up = bool(events) and events[-1].kind == "X"
        out += same_trace("C: ", lines, session.heard, hung_up)
    return out


def trace(outcome, way):
    """The same with more in it: logins in words, and the data, which fit what
    the server got; a message that it has refused early it has not read."""
    out = verbose(outcome, way)
    told = [line[2:] for line in outcome.err.split("\n")
            if line == "D" or line.startswith("D ")]
    if any(OCTETS.match(line) for line in told):
        out.append("the trace counts the data")
    at = 0
    for data in outcome.session.data:
        lines = data.split(b"\r\n")
        lines = lines if lines[-1] else lines[:-1]
        at = place_of(lines, told, at)
        if at is None:
            return out + ["the trace has not these data:"] + \
                [repr(line) for line in lines[:20]]
    return out


def place_of(lines, told, at):
    """Where those that are told end, from there on; None: nowhere."""
    for start in range(at, len(told) - len(lines) + 1):
        if all(not match(want, have, {}, {})
               for want, have in zip(told[start:], lines)):
            return start + len(lines)
    return None


def same_trace(mark, lines, real, more=False):
    """more: the server has not read all that was said."""
    told = [line[3:] for i, line in enumerate(lines)
            if (line + " ").startswith(mark)
            and not (line == "C: ." and lines[i - 1].startswith("D"))]
    for line, optional in real:
        want = line.decode("utf-8", "replace")
        if told and traced(told[0], want):
            told.pop(0)
        elif not optional and (told or mark == "C: "):
            return [f"expected: the trace says {mark}{want!r}\n"
                    f"got:      {told[0] if told else 'its end'}"]
    if told and not more:
        return [f"the trace has {mark}{told[0]!r} that was not said"]
    return []


def traced(have, want):
    if "***" in have:
        return want.startswith(have.partition("***")[0])
    if re.search(r"[^ -~]", want) or len(want) > 900:
        plain = re.match(r"[ -~]*", want)[0][:200]
        return have.startswith(plain)
    return have.rstrip() == want.rstrip()


def as_json(outcome, way):
    out = ended(outcome) + status_is(outcome, {outcome.act.status()}) + \
        leaks(outcome)
    try:
        value = json.loads(outcome.out)
    except ValueError as error:
        return out + [f"stdout is not JSON ({error}): {outcome.out!r}"]
    out += schema.faults(SCHEMA, value)
    for line in outcome.act.expected("json"):
        path, _, want = line.partition(" ")
        got = at_path(value, path)
        if got != want:
            out.append(f"expected: json {path} {want}\n"
                       f"got:      {got}, in {outcome.out}")
    return out


def at_path(value, path):
    for name in path.split("."):
        try:
            value = value[int(name)] if isinstance(value, list) \
                else value[name]
        except (KeyError, IndexError, ValueError, TypeError):
            return "(nothing there)"
    return value if isinstance(value, str) else json.dumps(value)


# Cuts

class Story:
    """
    What the client can know at each place of a dialogue.  final is where
    the last reply to data ends, or None; told the first place after which
    the status of the transcript may be right already; anew the first after
    which a lost connection may be followed by another: the server has judged
    some mail, has said how many recipients are too many, or refuses a token.
    """

    def __init__(self, act, events):
        self.act, self.events = act, events
        self.final, self.told, self.anew = None, None, None
        self.unknown = []       # [(from, before)]: data sent, no reply yet
        self.owed, self.open = [("greeting", False)], 0
        self.accepted, self.mail_ok = 0, True
        self.code = ""
        for i, event in enumerate(events):
            getattr(self, "see_" + event.kind, lambda *_: None)(i, event)
        self.last_reply(events)

    def see_C(self, i, event):
        words = event.text.split() or [""]
        verb = words[0].upper()
        if verb == "*" and self.told is None:
            self.told = i - 1
        if self.code == "334":
            verb = "login"
        if verb == "MAIL":
            self.accepted, self.mail_ok = 0, True
        if verb == "." or verb == "BDAT":
            self.owed.append((verb, i, words[-1] == "LAST"))
        elif verb != "QUIT":
            self.owed.append((verb, False))

    def see_D(self, i, event):
        if self.owed and self.owed[-1][0] == "BDAT":
            if self.owed[-1][2]:
                self.owed[-1] = ("data", i)
        else:
            self.owed.append(("data", i))

    def see_T(self, i, event):
        self.owed = [("greeting", False)] if i == 0 else []

    def see_N(self, i, event):
        self.owed = [("greeting", False)]

    def see_S(self, i, event):
        code, more = event.text[:3], event.text[3:4] == "-"
        nonsense = not re.match(r"[2-5]\d\d([ -]|$)", event.text)
        if "token" in self.act.setup and code in ("334", "535") and \
                self.anew is None:
            self.anew = i       # a new token, where this connection is gone
        if (code[:1] in "45" or nonsense) and self.told is None:
            self.told = i
        if more and not nonsense:
            return
        self.code = code
        what = self.owed.pop(0) if self.owed else ("nothing", False)
        if code == "354" and what[0] != "DATA" and self.told is None:
            self.told = i
        self.settle(i, what, code)

    def settle(self, i, what, code):
        if what[0] in ("MAIL", "RCPT") and code[:1] == "3" and \
                self.told is None:
            self.told = i               # nothing after it can be believed
        if what[0] == "MAIL" and code[:1] != "2":
            self.mail_ok = False
        if what[0] == "RCPT" and code[:1] == "2":
            self.accepted += 1
        if what[0] == "data" or \
                what[0] == "RCPT" and code in ("452", "552") and self.accepted:
            self.anew = i if self.anew is None else self.anew
        if what[0] == "data":
            self.final = i
            self.unknown.append((what[1], i))

    def last_reply(self, events):
        """The reply that lets the client give up decides, too."""
        self.unknown += [(what[1], len(events)) for what in self.owed
                         if what[0] == "data"]
        quits = [i for i, event in enumerate(events)
                 if event.kind == "C" and event.text == "QUIT"] + [len(events)]
        replies = [i for i, event in enumerate(events)
                   if event.kind in "SXT" and i < quits[-2 if len(quits) > 1
                                                        else -1]]
        if replies and (self.told is None or self.told > replies[-1]):
            self.told = replies[-1]

    def is_unknown(self, k):
        """Must the word be "unknown" when the cut comes after k?"""
        for start, end in self.unknown:
            if start <= k < end:
                return self.some_hope(k)
        return False

    def some_hope(self, k):
        return not any(event.kind == "S" and event.text[:1] in "45"
                       for event in self.events[:k + 1])

    def allowed(self, k, how):
        """The exit statuses that are right when the cut comes after k."""
        own = self.act.status()
        if how == "hello" and self.events[k + 1].text == "refused":
            return {75, own}
        if self.final is not None and k >= self.final and how != "reset":
            return {own}
        if own == 0:
            after = self.final is not None and k >= self.final
            return {0, 75} if after else {75}
        if self.told is not None and k >= self.told:
            return {75, own}
        return {75}


def cut_points(act, way):
    """Every place at which the server is to hang up, and how."""
    events = dialogue(act, way)
    points = [Cut(-1, "fin")]
    for i, event in enumerate(events):
        if event.kind in "WXN":
            break
        if event.repeated:
            continue
        points += cuts_at(i, event, way)
    return events, points


def cuts_at(i, event, way):
    if event.kind == "T" and event.text == "refused":
        return [Cut(i, "hello")]
    cuts = [Cut(i, "rude" if way == "tls" and i % 2 else "fin")]
    if i % 3 == 0 and way != "unix":
        cuts.append(Cut(i, "reset"))
    if event.kind == "D" and "".join(event.lines):
        cuts.append(Cut(i, "middle"))
    if event.kind == "T":
        cuts.append(Cut(i, "hello"))
    return cuts


def cut(outcome, story, point):
    k = point.index - (point.how in ("middle", "hello"))
    allowed = story.allowed(k, point.how)
    if not outcome.session.data and has_other_servers(outcome.act):
        outcome.extra = 0
    if story.anew is not None and k >= story.anew and outcome.extra == 1:
        outcome.extra = 0
    out = ended(outcome) + status_is(outcome, allowed) + leaks(outcome)
    if outcome.seconds > QUICK:
        out.append(f"it took {outcome.seconds:.1f} s")
    out += told_after_cut(outcome)
    if outcome.status == 75 and story.is_unknown(k) and \
            "unknown" not in outcome.err.lower():
        out.append("expected: the word \"unknown\" on stderr")
    return out + kept_after_cut(outcome, story, k)


def has_other_servers(act):
    return any(len(line.split()) > 2 for line in act.config
               if line.startswith("server "))


def told_after_cut(outcome):
    lines = outcome.err.count("\n")
    if outcome.status == 0:
        return ["expected: silence"] if outcome.err or outcome.out else []
    if not 1 <= lines <= 2 or outcome.out:
        return [f"expected: one or two lines on stderr, not {lines}"]
    return []


def kept_after_cut(outcome, story, k):
    act = outcome.act
    want = {0 if outcome.status == 0 else 1}
    if outcome.status == act.status() and act.expected("kept"):
        want.add(int(act.expected("kept")[0]))
    if len(outcome.kept) in want:
        return []
    return [f"expected: kept {sorted(want)[0]}\n"
            f"got:      kept {len(outcome.kept)}"]
