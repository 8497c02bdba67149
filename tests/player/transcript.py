"""A transcript, read: acts of set-up, dialogue and expectations."""

import re
import shlex

from .pattern import Bad, check_template, expand_index

WAYS = ("plain", "tls", "unix", "starttls")
MODES = ("whole", "octets", "cuts", "verbose", "trace", "json")
SCHEMES = ("smtp", "smtps", "smtp+plain", "smtp+opportunistic", "unix",
           "lmtp")

DEFAULT_ARGS = ["bob@example.net"]
DEFAULT_INPUT = [
    "From: Me <me@example.org>", "To: bob@example.net",
    "Date: Mon, 1 Jan 2024 12:00:00 +0000",
    "Message-ID: <1@client.example>", "Subject: hello", "", "Hello, Bob.",
]
DEFAULT_CONFIG = {
    "from": "me@example.org", "auth": "none", "ca-file": "{ca}/ca.pem",
    "hello": "client.example", "log": "none",
}

SETUP_KEYS = ("scheme", "config", "without", "args", "name", "input", "cert",
              "host", "env", "again", "only", "tls", "ask-certificate",
              "buffers", "account", "file", "token")
EXPECT_KEYS = ("status", "stderr", "no-stderr", "stdout", "silent", "kept",
               "kept-contains", "kept-lacks", "data", "no-data", "json")

OCTETS = re.compile(r"\d+ octets$")     # as -v shows data
LINE = re.compile(r"(?:(\d+)\* )?([SC]:|[DTXWN=+])(?: (.*))?$", re.S)


class Event:
    """One thing that happens: kind S C D T X W N, its text, its place."""

    def __init__(self, kind, text, number, index=0, repeated=False):
        self.kind, self.text, self.number = kind, text, number
        self.index, self.repeated = index, repeated
        self.lines = [text] if kind == "D" else None

    def __str__(self):
        if self.kind == "D":
            return "\n".join(("D " + line).rstrip() for line in self.lines)
        mark = self.kind + (":" if self.kind in "SC" else "")
        return f"{mark} {self.text}".rstrip() if self.text else mark

    @property
    def key(self):
        return str(self), self.index


class Act:
    """One run of the program: what it is given, said, and must end in."""

    def __init__(self, like=None):
        self.args = list(DEFAULT_ARGS)
        self.input = None
        self.config = list(like.config) if like else []
        self.without = set(like.without) if like else set()
        self.setup = dict(like.setup) if like else {}
        self.env = dict(like.env) if like else {}
        self.events, self.expect = [], []

    def expected(self, key):
        return [value for name, value in self.expect if name == key]

    def status(self):
        return int(self.expected("status")[0])

    def chunk_begun(self):
        """The chunk that goes on behind replies to those before it, as a trace
        shows them: they are said when it is whole."""
        said = [e for e in self.events if e.kind in "CD"][-2:]
        if [e.kind for e in said] == ["C", "D"] and \
                said[0].text.startswith("BDAT ") and \
                self.events[-1].kind == "S":
            return said[1]
        return None

    def signature(self):
        """What else than the dialogue decides how the client behaves."""
        return repr((self.args, self.input, self.config, sorted(self.without),
                     sorted(self.setup.items()), sorted(self.env.items())))


class Transcript:
    def __init__(self, path):
        self.path, self.acts, self.only = path, [Act()], set()
        self.scheme = "smtp+plain"
        self.group = None
        self.done = False       # the act has dialogue or expectations
        with open(path, encoding="utf-8", newline="\n") as file:
            self._read(file.read().split("\n"))
        self._check()

    def _read(self, lines):
        group = []              # adjacent lines with the same count
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                self._flush(group)
                self.group = None
                continue
            found = LINE.match(line)
            if not found:
                raise Bad(f"line {number}: what is this? {line!r}")
            count = int(found[1]) if found[1] else None
            if group and group[0][0] != count:
                self._flush(group)
            if count is None:
                self._line(number, found[2], found[3] or "", 0, False)
            else:
                group.append((count, number, found[2], found[3] or ""))
        self._flush(group)

    def _flush(self, group):
        for i in range(group[0][0] if group else 0):
            for _, number, mark, text in group:
                try:
                    expanded = expand_index(text, i + 1)
                    self._line(number, mark, expanded, i + 1,
                               0 < i < group[0][0] - 1)
                except Bad as bad:
                    raise Bad(f"line {number}: {bad}") from None
        group.clear()

    def _line(self, number, mark, text, index, repeated):
        try:
            if mark == "+":
                self._setup(text)
            elif mark == "=":
                self._expect(text)
            else:
                self._event(mark.rstrip(":"), text, number, index, repeated)
        except (Bad, ValueError) as bad:
            raise Bad(f"line {number}: {bad}") from None

    # Set-up

    def _setup(self, text):
        key, _, value = text.partition(" ")
        if key not in SETUP_KEYS:
            raise Bad(f"no such set-up: {key!r}")
        if key == "again":
            self.acts.append(Act(self.acts[-1]))
            self.acts[-1].args = shlex.split(value) if value \
                else list(DEFAULT_ARGS)
            self.group = None
            return
        act = self.acts[-1]
        if key != "input" and (act.events or act.expect):
            raise Bad("set-up belongs before the dialogue")
        getattr(self, "_set_" + key.replace("-", "_"), self._set_word)(
            act, key, value)

    def _set_word(self, act, key, value):
        act.setup[key] = value

    def _set_scheme(self, act, key, value):
        if value not in SCHEMES:
            raise Bad(f"no such scheme: {value}")
        self.scheme = value

    def _set_config(self, act, key, value):
        act.config.append(value)

    def _set_without(self, act, key, value):
        act.without.update(value.split())

    def _set_args(self, act, key, value):
        act.args = shlex.split(value)

    def _set_input(self, act, key, value):
        act.input = (act.input or []) + [value]

    def _set_env(self, act, key, value):
        name, _, content = value.partition("=")
        act.env[name] = content

    def _set_only(self, act, key, value):
        for word in value.split():
            if word not in WAYS + MODES:
                raise Bad(f"only what? {word!r}")
            self.only.add(word)

    # Expectations and dialogue

    def _expect(self, text):
        key, _, value = text.partition(" ")
        if key not in EXPECT_KEYS:
            raise Bad(f"no such expectation: {key!r}")
        if key in ("status", "kept"):
            int(value)
        if key == "json" and " " not in value:
            raise Bad("json wants a path and a value")
        self.acts[-1].expect.append((key, value))

    def _event(self, kind, text, number, index, repeated):
        act = self.acts[-1]
        if act.expect:
            raise Bad("dialogue after an expectation (wants \"+ again\")")
        if act.events and act.events[-1].kind == "X" and kind != "N":
            raise Bad("nothing is said after X")
        if kind == "C":
            text = text.replace("***", "{any}")
            if text == "." and act.events and act.events[-1].kind == "D":
                return          # as -v shows the end of the data
        if kind == "D" and OCTETS.match(text):
            text = "..."
        if kind in "SCD":
            check_template(text)
        if kind == "W":
            float(text)
        group = (self.group or act.chunk_begun()) if kind == "D" else None
        if group:
            group.lines.append(text)
        else:
            act.events.append(Event(kind, text, number, index, repeated))
            group = act.events[-1]
        self.group = group if kind == "D" else None

    def _check(self):
        for act in self.acts:
            if not act.expect:
                raise Bad("an act without any = line")
            if len(act.expected("status")) != 1:
                raise Bad("an act without its = status")

    # How it is to be played

    def ways(self):
        ways = {
            "smtp+plain": ["plain", "tls", "unix"], "unix": ["unix"],
            "lmtp": ["unix"],
            "smtp": ["starttls"], "smtps": ["tls"],
            "smtp+opportunistic": ["starttls"],
        }[self.scheme]
        if not any(act.events for act in self.acts):
            ways = ways[:1]
        wanted = self.only & set(WAYS)
        return [way for way in ways if not wanted or way in wanted]

    def modes(self):
        wanted = self.only & set(MODES)
        modes = [mode for mode in MODES if not wanted or mode in wanted
                 or mode == "json"]
        if not self.acts[-1].expected("json"):
            modes.remove("json")
        if any(act.setup.get("name", "sendoff") != "sendoff"
               for act in self.acts) and "trace" in modes:
            modes.remove("trace")       # sendmail has no long options
        if not any(act.events for act in self.acts):
            modes = [mode for mode in modes if mode in ("whole", "json")]
        return modes


def dialogue(act, way):
    """The events, with the T that implicit TLS begins with."""
    if way != "tls":
        return act.events
    events = []
    for event in act.events:
        if event.kind != "T" and (not events or events[-1].kind == "N"):
            events.append(Event("T", "", event.number))
        events.append(event)
    return events
