"""What is measured.  Each row is one errand, run by each program."""
import os
import statistics

from forwarder import Forwarder
from lab import PASSWORD, USER
from measure import Failed
from programs import Errand
from results import Budget, Row

LOGIN = ("--user", f"{USER}:{PASSWORD}")
IMPLICIT = ("--tls=implicit", *LOGIN)
STARTTLS = ("--tls=starttls", *LOGIN)
PLAIN = ("--tls=none", "--no-auth")
KILO = ("lf", 1000)
MEGA = 1000000
LATE = 0.04                     # seconds each way, where trips are counted
QUICK = bool(os.environ.get("BENCH_QUICK"))


def without(*names):
    return ("--without", ",".join(names))


# title, options of submitd, security, mechanism, budget: the least that the
# protocols allow (README.md)
TRIPS = (
    ("implicit TLS, PLAIN", IMPLICIT, "implicit", "PLAIN", 6),
    ("implicit TLS, EXTERNAL", ("--tls=implicit", "--client-ca", *LOGIN),
     "implicit", "EXTERNAL", 6),
    ("implicit TLS, CRAM-MD5", IMPLICIT, "implicit", "CRAM-MD5", 7),
    ("implicit TLS, LOGIN", IMPLICIT, "implicit", "LOGIN", 8),
    ("implicit TLS, SCRAM-SHA-256", IMPLICIT, "implicit", "SCRAM-SHA-256", 8),
    ("implicit TLS, SCRAM-SHA-256-PLUS", IMPLICIT, "implicit",
     "SCRAM-SHA-256-PLUS", 8),
    ("STARTTLS, PLAIN", STARTTLS, "starttls", "PLAIN", 8),
    ("STARTTLS, SCRAM-SHA-256", STARTTLS, "starttls", "SCRAM-SHA-256", 10),
    ("plain TCP, no login", PLAIN, "none", None, 4),
    ("unix socket, no login", (*PLAIN, "--unix"), "none", None, 3),
    ("implicit TLS, PLAIN, no CHUNKING", (*IMPLICIT, *without("CHUNKING")),
     "implicit", "PLAIN", 7),
    ("implicit TLS, PLAIN, no PIPELINING", (*IMPLICIT, *without("PIPELINING")),
     "implicit", "PLAIN", 8),
    ("implicit TLS, PLAIN, neither",
     (*IMPLICIT, *without("CHUNKING", "PIPELINING")), "implicit", "PLAIN", 9),
)

# lab.SHAPES by name: what it is, the part of the large message's octets that
# sendoff gets, that a peer gets, and the budget in MB/s
SHAPES = {
    "lf": ("lines of 76", 1, 0.2, 800),
    "crlf": ("CR LF lines of 77", 1, 0.2, 800),
    "8bit": ("8-bit lines", 1, 0.2, 800),
    "dots": ("all dots", 1, 0.02, 150),
    "empty": ("empty lines", 1, 0.02, 150),
    "one": ("one line", 2, 0.2, 1000),
}


def recipients(count):
    return tuple(f"r{i}@example.net" for i in range(count))


class Bench:
    def __init__(self, lab, measure, programs, results):
        self.lab, self.measure = lab, measure
        self.programs, self.results = programs, results
        self.mb = int(os.environ.get("BENCH_MB", "20" if QUICK else "500"))

    # --- rows and what they are made from ---

    def ask(self, figure):
        """Of each program its figure, or why it has none."""
        found = {}
        for program in self.programs:
            try:
                found[program.name] = figure(program)
            except Failed as why:
                found[program.name] = why
        return found

    def tell(self, title, unit, found, budget=None, pick=lambda each: each):
        values = {who: pick(each) for who, each in found.items()
                  if not isinstance(each, Failed)}
        remarks = {who: str(each) for who, each in found.items()
                   if isinstance(each, Failed)}
        self.results.add(Row(title, unit, budget, values, remarks))

    def row(self, title, unit, figure, budget=None):
        self.tell(title, unit, self.ask(figure), budget)

    def taken(self, server, figure):
        """What figure gives, if the server has then taken a message: not
        every program's exit status can be believed."""
        before = server.taken()
        result = figure()
        if server.taken() == before:
            raise Failed("the server has taken nothing")
        return result

    def implicit(self, program, figure, has_crlf=False):
        """A figure of one command over implicit TLS with PLAIN."""
        server = self.lab.server(*IMPLICIT)
        command = program.command(Errand(server.where, has_crlf=has_crlf))
        return self.taken(server, lambda: figure(command))

    def smarthost(self, program, figure, to=1, has_crlf=False):
        """One of plain TCP without a login."""
        server = self.lab.server(*PLAIN)
        command = program.command(Errand(server.where, "none", None,
                                         recipients(to), has_crlf))
        return self.taken(server, lambda: figure(command))

    def late(self, program, server, errand, delay):
        """Round trips and cost of a run with so many seconds each way."""
        path = None if isinstance(server.where, int) \
            else self.lab.folder / "late"
        with Forwarder(server.where, delay, path) as forwarder:
            errand.where = path or forwarder.port
            command = program.command(errand)
            cost = self.taken(server, lambda: self.measure.once(
                command, self.lab.message(*KILO)))
            trips = forwarder.trips()
        if path:
            path.unlink()
        return trips, cost

    # --- the groups ---

    def trips(self):
        for title, options, security, mechanism, least in TRIPS:
            server = self.lab.server(*options)
            self.row(title, "round trips", lambda program, s=security,
                     m=mechanism, server=server: self.late(
                         program, server, Errand(0, s, m), LATE)[0],
                     Budget(least))

    def recipients(self):
        for count in (1, 100, 1000) if QUICK else (1, 100, 1000, 10000):
            self.some(count, f"{count:,} recipient" + "s" * (count > 1))

    def some(self, count, title):
        kilo = self.lab.message(*KILO)
        self.row(title, "round trips",
                 lambda program: self.to_some(program, count, LATE)[0],
                 Budget(7))
        self.row(title + ", 20 ms away: wall", "s",
                 lambda program: self.patient(program, count),
                 Budget(0.3) if count == 10000 else None)
        self.row(title + ": memory", "MB",
                 lambda program: self.smarthost(
                     program, lambda command: self.measure.once(
                         command, kilo).megabytes, count),
                 Budget(11))

    def to_some(self, program, count, delay):
        """Who waits for each reply makes trips that need no delay to be told
        apart, and would take minutes with one."""
        return self.late(program, self.lab.server(*PLAIN),
                         Errand(0, "none", None, recipients(count)),
                         delay if count == 1 or not program.waits_for_each
                         else 0)

    def patient(self, program, count):
        if count > 1 and program.waits_for_each:
            raise Failed(f"more than {count * 0.02:g}")
        return self.to_some(program, count, 0.01)[1].seconds

    def cost(self):
        kilo = self.lab.message(*KILO)
        measure = self.measure
        self.row("implicit TLS, PLAIN: instructions", "million",
                 lambda program: self.implicit(
                     program, lambda c: measure.instructions(c, kilo)),
                 Budget(22))
        self.row("plain TCP, no login: instructions", "million",
                 lambda program: self.smarthost(
                     program, lambda c: measure.instructions(c, kilo)))
        self.row("implicit TLS, PLAIN: system calls", "calls",
                 lambda program: self.implicit(
                     program, lambda c: measure.calls(c, kilo)))
        found = self.ask(lambda program: self.implicit(
            program, lambda c: measure.best(c, kilo, 5 if QUICK else 20)))
        self.tell("implicit TLS, PLAIN: memory", "MB", found, Budget(7.5),
                  lambda cost: cost.megabytes)
        self.tell("implicit TLS, PLAIN: processor", "ms", found, None,
                  lambda cost: cost.processor * 1000)
        self.tell("implicit TLS, PLAIN: wall", "ms", found,
                  Budget(0.2, "msmtp"), lambda cost: cost.seconds * 1000)
        for ms in (20, 100):
            self.row(f"the same {ms} ms away: wall", "ms",
                     lambda program, ms=ms: self.wall(program, ms))

    def wall(self, program, ms):
        server = self.lab.server(*IMPLICIT)
        return 1000 * min(
            self.late(program, server, Errand(0), ms / 2000)[1].seconds
            for _ in range(1 if QUICK else 3))

    def large(self):
        measure, mb = self.measure, self.mb
        for size in (size for size in (1, 25, 100) if size < mb):
            message = self.lab.message("lf", size * MEGA)
            self.row(f"{size} MB, implicit TLS: memory", "MB",
                     lambda program, m=message: self.implicit(
                         program, lambda c: measure.once(c, m).megabytes),
                     Budget(11))
        message = self.lab.message("lf", mb * MEGA)
        found = self.ask(lambda program: self.implicit(
            program, lambda c: measure.best(c, message, 3)))
        self.tell(f"{mb} MB, implicit TLS: memory", "MB", found, Budget(11),
                  lambda cost: cost.megabytes)
        self.tell(f"{mb} MB, implicit TLS: processor", "s", found, None,
                  lambda cost: cost.processor)
        self.tell(f"{mb} MB, implicit TLS: speed", "MB/s", found,
                  Budget(1, "curl", at_least=True),
                  lambda cost: mb / cost.seconds)
        self.lab.discard("lf")
        self.row(f"{mb} MB of CR LF lines, implicit TLS: speed", "MB/s",
                 self.crlf, Budget(1, "curl", at_least=True))
        self.lab.discard("crlf")

    def crlf(self, program):
        """curl needs not change the line ends of this one."""
        if program.name not in ("sendoff", "curl"):
            raise Failed("")
        message = self.lab.message("crlf", self.mb * MEGA)
        return self.mb / self.implicit(
            program, lambda c: self.measure.best(c, message, 3),
            has_crlf=True).seconds

    def shapes(self):
        """sendoff gets all of the octets, a peer as many as it takes to
        know its speed."""
        for shape, (what, ours, theirs, least) in SHAPES.items():
            found = self.ask(lambda program, s=shape, o=ours, t=theirs:
                             self.speed(program, s, self.mb * (
                                 o if program.name == "sendoff" else t)))
            self.tell(f"plain TCP, {what}: speed", "MB/s", found,
                      Budget(least, at_least=True),
                      lambda each: each[0] / each[1].seconds)
            self.tell(f"plain TCP, {what}: speed, processor time only",
                      "MB/s", found, None,
                      lambda each: each[0] / each[1].processor)
            self.lab.discard(shape)

    def speed(self, program, shape, mb):
        """MB and their cost."""
        message = self.lab.message(shape, int(mb * MEGA))
        return message.stat().st_size / MEGA, self.smarthost(
            program, lambda c: self.measure.best(c, message, 3),
            has_crlf=shape == "crlf")

    def scan(self):
        for shape, (what, *_) in SHAPES.items():
            self.row(f"plain TCP, {what}", "instructions for each octet",
                     lambda program, s=shape: self.each_octet(program, s))

    def each_octet(self, program, shape):
        """Millions of instructions for millions of octets, start-up and
        session left out by taking the difference of two sizes."""
        found = []
        ours = program.name == "sendoff"
        if QUICK and not ours:
            raise Failed("")
        for size in (MEGA, 3 * MEGA) if ours else (MEGA // 10, 3 * MEGA // 10):
            message = self.lab.message(shape, size)
            found.append((message.stat().st_size / MEGA, self.smarthost(
                program, lambda c, m=message: self.measure.instructions(c, m),
                has_crlf=shape == "crlf")))
        (small, few), (big, many) = found
        return (many - few) / (big - small)

    def many(self):
        kilo = self.lab.message(*KILO)
        runs, together = (10, 10) if QUICK else (200, 50)
        self.row(f"{runs} in a row, the median", "ms",
                 lambda program: self.implicit(
                     program, lambda c: statistics.median(
                         self.measure.once(c, kilo).seconds
                         for _ in range(runs))) * 1000, Budget(12))
        self.row(f"{together} at once", "ms",
                 lambda program: 1000 * self.implicit(
                     program, lambda c: self.measure.together(
                         c, kilo, together)), Budget(300))


GROUPS = {
    "trips": "Round trips, 1 kB, one recipient",
    "recipients": "Many recipients, 1 kB, plain TCP",
    "cost": "One message of 1 kB",
    "large": "Large messages",
    "shapes": "Speed by the shape of the body",
    "scan": "Instructions for each octet, by the shape of the body",
    "many": "Many messages",
}
