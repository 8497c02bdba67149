#!/usr/bin/python3
"""Kept messages: what is queued, what a timer sends, and what it never does."""

import base64
import calendar
import fcntl
import glob
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    B, Gone, HOME, PATIENCE, SENDMAIL, SENDOFF, STORE, Server, TMP, account,
    config, ok, play, same, until, write)

BOB, CARL, DAN = "bob@example.net", "carl@example.net", "dan@example.net"
LATER = "451 4.3.0 later"
ORDER = "503 5.5.1 bad sequence of commands"
NO_LOGIN = "535 5.7.8 not this one"
ROOM = 1024                     # RECORD_ROOM


def run(*args, program=SENDMAIL, text=b"", env=None):
    p = subprocess.run([program, *args], check=False, input=text,
                       capture_output=True, timeout=PATIENCE, env=env)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def send(*args, program=SENDMAIL, text=b"Subject: x\n\nhello\n"):
    return run("-i", *args, program=program, text=text)


def log():
    """What was written since the last time."""
    try:
        with open(TMP + "/log", encoding="utf-8") as f:
            text = f.read()
        os.unlink(TMP + "/log")
        return text
    except FileNotFoundError:
        return ""


class Kept:
    """A kept file, taken apart."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.octets = f.read()
        envelope, self.data = self.octets.split(b"\r\nDATA\r\n", 1)
        self.lines = envelope.decode().split("\r\n")
        self.noop = {}
        for line in self.lines:
            if line.startswith("NOOP ") and line[5:6] != " ":
                name, _, value = line[5:].partition(" ")
                self.noop[name] = value
        self.state, self.id = self.noop["state"], self.noop["id"]
        self.attempts = int(self.noop["attempts"])
        self.rcpts = re.findall("(?m)^RCPT TO:<(.*?)>", "\n".join(self.lines))
        self.next = self.time("next")

    def time(self, name):
        return name in self.noop and calendar.timegm(time.strptime(
            self.noop[name], "%Y-%m-%dT%H:%M:%SZ"))

    def edit(self, name, value):
        """One NOOP line, in its place."""
        old = f"NOOP {name} {self.noop[name]}\r\n".encode()
        new = f"NOOP {name} {value}\r\n".encode()
        assert len(old) == len(new) and self.octets.count(old) == 1
        stat = os.stat(self.path)
        with open(self.path, "r+b") as f:
            f.write(self.octets.replace(old, new))
        os.utime(self.path, (stat.st_atime, stat.st_mtime))

    def set_time(self, name, when):
        self.edit(name, time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                      time.gmtime(when)))

    def due(self):
        self.set_time("next", time.time() - 10)


def kept(folder=STORE, but=()):
    return [Kept(x) for x in sorted(glob.glob(folder + "/*"))
            if x not in [y.path for y in but]]


def one():
    all_of_them = kept()
    assert len(all_of_them) == 1, [x.path for x in all_of_them]
    return all_of_them[0]


def states(*but):
    return sorted((x.state, x.rcpts) for x in kept(but=but))


def empty():
    shutil.rmtree(STORE, ignore_errors=True)
    log()


def says(**replies):
    """A hook: this reply to that verb."""
    return lambda c, verb, line: replies.get(verb)


def nothing(*_):
    return None


def quits(s, n):
    """So many; it is said, and nobody waits for the answer."""
    return until(lambda: s.commands().count("QUIT") >= n) and \
        s.commands().count("QUIT") == n


class Down:
    """The address of a server that is not there."""

    @staticmethod
    def url():
        return f"smtp://{TMP}/down"


def queue(*args, settings=(), text=b"Subject: x\n\nhello\n"):
    """One more queued message, since no server takes it now."""
    config(account(Down, "retry yes", *settings))
    before = {x.path for x in kept()}
    same(send(*args, text=text), (0, "", ""), "it is queued")
    new, = [x for x in kept() if x.path not in before]
    return new


def login(server, *more, password="secret"):
    write(TMP + "/secret", password + "\n")
    return "\n".join(["from alice@example.org", f"server {server.url()}",
                      "user alice", "auth PLAIN",
                      f"password-file {TMP}/secret", f"log {TMP}/log",
                      "retry yes", *more])


# --- what is queued ---------------------------------------------------------

def queued():
    stuck = threading.Event()

    def gone(verb):
        def hook(_, said, __):
            if said == verb:
                raise Gone
        return hook

    def silent(_, verb, __):
        if verb == "MAIL":
            stuck.wait(PATIENCE)
    for what, hook in (
            ("451 to MAIL", says(MAIL=LATER)),
            ("451 to RCPT", says(RCPT=LATER)),
            ("451 to DATA", says(DATA=LATER)),
            ("451 to the data", says(DOT=LATER)),
            ("503 to MAIL", says(MAIL=ORDER)),
            ("503 to RCPT", says(RCPT=ORDER)),
            ("503 to DATA", says(DATA=ORDER)),
            ("421 to EHLO", says(EHLO="421 4.3.2 going down")),
            ("421 to MAIL", says(MAIL="421 4.3.2 going down")),
            ("a connection lost at RCPT", gone("RCPT")),
            ("a server that says nothing", silent)):
        empty()
        s = Server("queued", hook)
        config(account(s, "retry yes", "timeout-reply 1"))
        same(send(BOB), (0, "", ""), f"{what}: 0, in silence")
        same(states(), [("queued", [BOB])], f"{what}: it is queued")
        text = log()
        ok("result=queued" in text and "queued=" + STORE in text and
           "status=0" in text, f"{what}: the log says so")
        same(s.mails, [], f"{what}: and it was not sent")
    stuck.set()
    empty()
    queue(BOB)
    ok("kind=connect" in log(), "no server there: the log says why")
    k = one()
    same((k.attempts, k.noop["status"]), (1, "75"), "the first attempt")
    ok(k.next <= time.time(), "the next run may try it")
    same((os.stat(k.path).st_mode & 0o777, len(k.octets.split(
        b"NOOP id ")[0])), (0o600, ROOM), "its record has a length")
    empty()
    s = Server("queued", says(AUTH="454 4.7.0 not now"), ["AUTH PLAIN"])
    config(login(s))
    same(send(BOB), (0, "", ""), "454 to the login: 0")
    same(states(), [("queued", [BOB])], "454 to the login: queued")
    empty()
    config(account(Down, "retry yes"))
    status, out, err = send("--json", BOB, program=SENDOFF)
    told = json.loads(out)
    same((status, err, told["status"], told["recipients"][0]["outcome"]),
         (0, "", 0, "queued"), "--json tells it")
    same(told["queued"], one().path, "--json tells where it is")


def not_queued():
    s = Server("never", says(AUTH=NO_LOGIN), ["AUTH PLAIN"])
    for what, lines, status, state in (
            ("535", login(s), 77, "held"),
            ("no login is offered", login(Server("none")), 69, "held"),
            ("a broken configuration", account(s, "retry yes", "hello ''"),
             78, "held"),
            ("retry no", account(Down), 75, "held"),
            ("550 to MAIL", account(Server("mail", says(
                MAIL="550 5.7.1 no")), "retry yes"), 69, "refused"),
            ("554 to the data", account(Server("data", says(
                DOT="554 5.6.0 no")), "retry yes"), 65, "refused")):
        empty()
        config(lines)
        got = send(BOB)
        same((got[0], got[1]), (status, ""), f"{what}: the status")
        ok("kept as" in got[2], f"{what}: and it is told")
        same(states(), [(state, [BOB])], f"{what}: {state}, not queued")
    empty()

    def gone(_, verb, __):
        if verb == "DOT":
            raise Gone
    s = Server("unknown", gone)
    config(account(s, "retry yes"))
    status, _, err = send(BOB)
    ok(status == 75 and "kept as" in err, "lost after the dot: 75, told")
    same(states(), [("unknown", [BOB])], "it is unknown")
    ok("result=unknown" in log(), "and so the log has it")
    ok("unknown" in run("-bp")[1], "and mailq")
    s.hook = nothing
    for _ in range(2):
        same(run("-q"), (0, "", ""), "a timer does not send it")
    same((s.mails, states()), ([], [("unknown", [BOB])]), "ever")
    same(run("-qI", one().id)[0], 0, "a person does")
    same((s.envelopes(), kept()), ([[BOB]], []), "it is gone")


def as_configured():
    """A timer does not know what the command line has made of the account."""
    for args, status, state in (
            (["--server", Down.url()], 75, "held"),
            (["-C", HOME + "/.config/sendoff.conf"], 75, "held"),
            (["--auth", "none"], 75, "held"),
            (["--retry", "yes", "--priority", "0"], 0, "queued")):
        empty()
        config(account(Down, *["retry yes"] * (args[0] != "--retry")))
        got = send(*args, BOB, program=SENDOFF)
        same((got[0], states()), (status, [(state, [BOB])]),
             f"{args[0]}: {state}")


def twins():
    """Two names of one person, kept when nobody could tell."""
    s = Server("twins")
    empty()
    config(account(s, "hello ''"))
    same(send("root", "postmaster", "admin@example.net")[0], 78,
         "a broken configuration")
    config(account(s), aliases="root: admin@example.net\n"
           "postmaster: root\n")
    s.hook = says(RCPT=LATER)
    same(run("-qIT")[0], 75, "not now")
    same(len(one().rcpts), 3, "all three stay")
    s.hook = nothing
    same(run("-qIT"), (0, "", ""), "later")
    same((s.envelopes(), kept()), ([["admin@example.net"]], []),
         "one copy, and all three are done")


def both():
    """One refused, one deferred."""
    empty()

    def hook(_, verb, line):
        return LATER if verb == "RCPT" and "bob" in line else None
    s = Server("both", hook)
    config(account(s, "retry yes"))
    status, out, err = send("no@example.net", BOB, CARL)
    same((status, out), (67, ""), "the status is of the refused one")
    ok("no such user" in err and "later" not in err, f"and the text: {err}")
    same(states(), [("queued", [BOB]), ("refused", ["no@example.net"])],
         "each has a file of its kind")
    same(s.envelopes(), [[CARL]], "the third one has it")
    text = log()
    ok(all(f"result={x}" in text for x in ("queued", "refused", "sent")),
       "the log has all three")
    s.hook = nothing
    s.mails.clear()
    same(run("-q"), (0, "", ""), "-q")
    same((s.envelopes(), states()),
         ([[BOB]], [("refused", ["no@example.net"])]),
         "sends the queued one, and only it")


def the_same():
    """What arrives later is what was given."""
    empty()
    s = Server("same", says(DOT=LATER), ["DSN"])
    config(account(s, "retry yes"))
    text = b"Subject: x\n\n.dot\n..two\nlast\n"
    same(send("-N", "success,delay", "-R", "hdrs", "-V", "id+1", BOB,
              text=text), (0, "", ""), "it is queued")
    first = [x for x in s.commands() if x[:4] in ("MAIL", "RCPT")]
    data = Kept(one().path).data
    s.said.clear()
    s.hook = nothing
    same(run("-q"), (0, "", ""), "-q sends it")
    again = [x for x in s.commands() if x[:4] in ("MAIL", "RCPT")]
    same(again, first, "the envelope is the same")
    ok("NOTIFY=SUCCESS,DELAY" in again[1] and "ENVID=id+2B1" in again[0] and
       "RET=HDRS" in again[0], f"with all that was asked for: {again}")
    arrived = s.mails[0][2]
    same(re.sub(rb"(?m)^\.", b"..", arrived) + b".\r\nQUIT\r\n", data,
         "the data are those of the file")
    ok(len(re.findall(rb"(?mi)^(message-id|date): ", arrived)) == 2,
       "with one Message-ID and Date")
    ok(arrived.endswith(b"\r\n\r\n.dot\r\n..two\r\nlast\r\n"), "and body")
    same(kept(), [], "nothing is left")


def out_of_order():
    """A server that is out of step for a while costs no mail."""
    empty()
    queue(BOB)
    s = Server("order", says(MAIL=ORDER))
    config(account(s, "retry yes"))
    same(run("-q"), (0, "", ""), "503: a timer's run is silent")
    same(states(), [("queued", [BOB])], "503: it stays queued")
    ok("out of order" not in log() and one().attempts == 2, "it was tried")
    s.hook = nothing
    one().due()
    same(run("-q"), (0, "", ""), "the next run")
    same((s.envelopes(), kept()), ([[BOB]], []), "sends it")


def no_room():
    if os.path.exists("/var/spool/sendoff"):
        return
    empty()
    write(STORE, "in the way")

    def hook(_, verb, line):
        return LATER if verb == "RCPT" and "bob" in line else None
    s = Server("full", hook)
    for setting, to, status in (
            ("yes", [BOB], 73), ("yes", [BOB, CARL], 73), ("no", [BOB], 75),
            ("yes", [BOB, "no@example.net"], 75),
            ("yes", ["no@example.net"], 67)):
        config(account(s, f"retry {setting}"))
        got = send(*to)
        same(got[:2], (status, ""), f"no store, retry {setting}: {status}")
        ok("could not be kept" in got[2], "it is told")
    os.unlink(STORE)


def limit():
    empty()
    more = ["retry yes", "keep-limit 1M 2"]
    config(account(Down, *more))
    same([send(BOB)[0] for _ in range(2)], [0, 0], "keep-limit: up to it")
    status, out, err = send(CARL)
    same((status, out), (75, ""), "above it nothing is queued")
    same(states(), [("held", [CARL])] + [("queued", [BOB])] * 2,
         "but held, which counts apart")
    ok("kept as" in err, "and it is told")
    same(send(CARL)[0], 75, "another one")
    status, _, err = send(DAN)
    same(status, 73, "all is full: 73")
    ok("keep-limit" in err and "could not be kept" in err, f"told: {err}")
    same(len(kept()), 4, "nothing is kept, nothing deleted")
    ok("keep-error=" in log(), "the log has it")
    s = Server("limit")
    config(account(s, *more))
    same(run("-q")[0], 0, "-q makes room")
    config(account(Down, *more))
    same(send(BOB)[0], 0, "for one")
    empty()
    config(account(Down, "keep-limit 1K 10"))
    same(send(BOB)[0], 75, "of octets: the first is kept")
    same(send(CARL)[0], 75, "the second")
    same(states(), [("held", [BOB])], "is not")

    # not before its time, and nothing that is not ours
    old = time.time() - 3600 * 24 * 6
    write(STORE + "/letter", "NOOP sendoff\r\nDear Alice\n")
    write(STORE + "/diary", "Dear diary\n")
    for x in glob.glob(STORE + "/*"):
        os.utime(x, (old, old))
    same(send(CARL)[0], 75, "what is older than retry-for")
    ok(not glob.glob(STORE + "/2*/") and os.path.exists(STORE + "/diary") and
       os.path.exists(STORE + "/letter"), "a strange file stays")
    for x in "letter", "diary":
        os.unlink(f"{STORE}/{x}")
    same(states(), [("held", [CARL])], "makes room when it must")
    ok("retry-for" in log(), "the log has it")
    empty()
    config(account(Down, *more))
    for _ in range(2):
        send(BOB)
    for k in kept():
        os.utime(k.path, (old, old))
    same(send(CARL)[0], 75, "what is queued")
    same(len([x for x in kept() if x.state == "queued"]), 2,
         "is not deleted")
    empty()
    config(account(Down, "keep-limit 1M 1"))
    send(BOB)
    os.utime(one().path, (old, old))
    with open(one().path, "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        same(send(CARL)[0], 75, "nor what is being sent")
        same(states(), [("held", [BOB])], "whatever its age")


# --- what a timer does ------------------------------------------------------

def connections():
    empty()
    for who in BOB, CARL, DAN:
        queue(who)
    s, other = Server("conn"), Server("other")
    config(account(s, "retry yes"))
    same(run("-q"), (0, "", ""), "three are sent")
    same((sorted(s.envelopes()), len(s.connections)),
         ([[BOB], [CARL], [DAN]], 1), "on one connection")
    ok(quits(s, 1), "that ends in form")
    same(kept(), [], "nothing is left")
    log()

    config(account(Down, "retry yes", name="home"),
           account(Down, "match *@corp.example", "retry yes", name="work",
                   sender="a@corp.example"))
    for i in range(4):
        same(send("-f", ("a@corp.example", "alice@example.org")[i % 2],
                  f"x{i}@example.net")[0], 0, "it is queued")
    s.mails.clear()
    config(account(s, "retry yes", name="home"),
           account(other, "match *@corp.example", "retry yes", name="work",
                   sender="a@corp.example"))
    same(run("-q"), (0, "", ""), "two of each of two accounts")
    same((len(s.mails), len(other.mails), len(s.connections),
          len(other.connections)), (2, 2, 2, 1), "one connection for each")

    for who in BOB, CARL, DAN:
        queue(who)
    s = Server("conn", lambda c, verb, _: "421 4.7.0 enough" if
               verb == "MAIL" and c.mails else None)
    config(account(s, "retry yes"))
    same(run("-q"), (0, "", ""), "a server that takes one at a time")
    same((sorted(s.envelopes()), len(s.connections)),
         ([[BOB], [CARL], [DAN]], 3), "gets each by a new one")

    for option, text in (
            ("--require-tls", b"Subject: x\n\nhello\n"),
            ("--hold-for=1h", b"Subject: x\n\nhello\n"),
            ("--keep", b"Content-Type: multipart/signed; boundary=b\n\n"
             b"--b\n\n\xc3\xbc\n--b--\n")):
        empty()
        config(account(Down, "retry yes"))
        send(option, BOB, program=SENDOFF, text=text)
        time.sleep(1.1)             # ids are in the order of time
        queue(CARL)
        s = Server("conn")
        s.extensions.remove("8BITMIME")
        config(account(s, "retry yes"))
        run("-q")
        same((s.envelopes(), [x.rcpts for x in kept()]), ([[CARL]], [[BOB]]),
             f"{option}: what one message asks for in vain, the next one "
             "does not")
    empty()
    for who in BOB, CARL, DAN:
        queue(who)
    n = []

    def hook(_, verb, __):
        if verb == "EHLO":
            n.append(1)
            return "421 4.3.2 going down"
    s = Server("conn", hook)
    config(account(s, "retry yes"))
    same(run("-q"), (0, "", ""), "a server that has no time")
    same((len(n), [x.attempts for x in kept()]), (1, [2, 2, 2]),
         "is asked once, for all")
    empty()
    first = queue(BOB), queue(CARL)
    s = Server("conn", says(AUTH=NO_LOGIN), ["AUTH PLAIN"])
    config(login(s))
    same(run("-q"), (0, "", ""), "a login that is refused")
    same(len([x for x in s.commands() if x.startswith("AUTH")]), 1,
         "is not tried for the next one, too")
    same([(x.state, "locked-out" in x.noop, x.attempts) for x in kept()],
         [("queued", True, 2)] * len(first), "that would meet the same")


def cut():
    """Three transactions; the connection ends behind the second dot."""
    empty()
    queue(BOB, CARL, DAN)
    dots = []

    def hook(_, verb, __):
        if verb == "DOT":
            dots.append(1)
            if len(dots) == 2:
                raise Gone
    s = Server("cut", hook, ["LIMITS RCPTMAX=1"])
    config(account(s, "retry yes"))
    status, out, err = run("-q")
    same((status, out), (75, ""), "cut off behind the second dot: 75")
    ok("unknown" in err, f"a person must see to it: {err}")
    k = [x for x in kept() if x.state == "unknown"]
    same([x.rcpts for x in k], [[CARL]], "the second one is unknown")
    same([x for x in states() if x[0] == "unknown" or BOB in x[1]],
         [("unknown", [CARL])], "the first one is struck out")
    seen = list(s.envelopes())
    s.hook = nothing
    for _ in range(3):
        for x in kept():
            if x.next:
                x.due()
        run("-q")
    same(s.envelopes().count([BOB]), 1, "the first one gets it once")
    same(s.envelopes().count([CARL]), 0, "the second one not by a timer")
    ok(s.envelopes().count([DAN]) <= 1, "the third one at most once")
    same(states()[-1], ("unknown", [CARL]), "it stays unknown")
    same(run("-qRcarl")[0], 0, "a person who names it")
    same((s.envelopes().count([CARL]), seen[0]), (1, [BOB]), "sends it")


def killed():
    """Whenever the program ends, nobody gets it twice by a timer."""
    for verb, number, want in (
            ("MAIL", 1, [("queued", [BOB, CARL])]),
            ("RCPT", 1, [("queued", [BOB, CARL])]),
            ("DATA", 1, [("queued", [BOB, CARL])]),
            ("DOT", 1, [("unknown", [BOB, CARL])]),
            ("BDAT", 1, [("unknown", [BOB, CARL])]),
            ("RCPT", 2, [("queued", [CARL])]),
            ("DOT", 2, [("unknown", [CARL])]),
            ("BDAT", 2, [("unknown", [CARL])])):
        empty()
        queue(BOB, CARL)
        reached, go_on = threading.Event(), threading.Event()
        count = []

        def hook(_, said, __):
            # pylint: disable=cell-var-from-loop
            count.extend([1] * (said == verb))
            if said == verb and len(count) == number:
                reached.set()
                go_on.wait(PATIENCE)
                raise Gone
        more = ["LIMITS RCPTMAX=1"]
        if verb == "BDAT":
            more += ["CHUNKING", "PIPELINING"]
        s = Server("killed", hook, more)
        config(account(s, "retry yes"))
        with subprocess.Popen([SENDMAIL, "-q"]) as p:
            ok(reached.wait(PATIENCE), f"{verb} {number}: it comes to that")
            p.send_signal(signal.SIGKILL)
        go_on.set()
        same(states(), want, f"{verb} {number}: what the file says")
        s.hook = nothing
        same(run("-q")[0], 0, f"{verb} {number}: the next run")
        people = sum(s.envelopes(), [])
        same(sorted(people), sorted({*people}), f"{verb} {number}: nobody "
             "gets it twice")
        same(bool(kept()), want[0][0] == "unknown",
             f"{verb} {number}: and only what is unknown stays")


def parts():
    """By three accounts; the first one's server leaves us in the dark."""
    empty()
    config(account(Down, "retry yes", name="gone"))
    same(send("-f", "x@example.com", BOB, "c@two.example",
              "d@three.example")[0], 0, "it is queued")
    reached, go_on = threading.Event(), threading.Event()

    def lost(_, verb, __):
        if verb == "DOT":
            raise Gone

    def stuck(_, verb, __):
        if verb == "RCPT":
            reached.set()
            go_on.wait(PATIENCE)
            raise Gone
    one_, two, three = (Server("one", lost), Server("two"),
                        Server("three", stuck))
    config(account(one_, name="a"), account(
        two, "match *@two.example", name="b", sender="b@two.example"), account(
        three, "match *@three.example", name="c", sender="c@three.example"))
    with subprocess.Popen([SENDMAIL, "-q"]) as p:
        ok(reached.wait(PATIENCE), "the third part's turn comes")
        p.send_signal(signal.SIGKILL)
    go_on.set()
    same(two.envelopes(), [["c@two.example"]], "the second one is sent")
    same(states(), [("unknown", [BOB, "d@three.example"])],
         "and the file is unknown since the first one")
    one_.hook = three.hook = nothing
    same(run("-q"), (0, "", ""), "so no timer")
    same((one_.mails, len(two.mails), three.mails), ([], 1, []), "sends it")


def again():
    """A server that is not ready is left in peace."""
    empty()
    queue(BOB)
    s = Server("again", says(MAIL=LATER))
    config(account(s, "retry yes"))
    for attempts, wait in ((2, 300), (3, 600), (4, 1200), (5, 2400),
                           (6, 4800), (7, 9600), (8, 14400), (9, 14400)):
        before = time.time()
        log()
        same(run("-q"), (0, "", ""), "-q, while it answers 451")
        k = one()
        same((k.state, k.attempts), ("queued", attempts), "is counted")
        ok(before + wait - 2 <= k.next <= time.time() + wait + 1,
           f"the next one is in {wait} seconds")
        text = log()
        ok("result=deferred" in text and "status=75" in text,
           "the log has it")
        k.due()
    ok(quits(s, 8), "each on a connection that ends in form")
    k.set_time("next", time.time() + 1000)
    n = len(s.connections)
    same(run("-q"), (0, "", ""), "before its time")
    same((len(s.connections), one().attempts), (n, 9), "nothing is tried")
    ok("later" in one().noop["reason"], "the reason stays")
    status, _, err = run("-qI", k.id)
    same((status, one().attempts), (75, 10), "-qI tries it")
    ok("stays kept, queued" in err and "later" in err, f"and says so: {err}")
    s.hook = nothing
    same(run("-q"), (0, "", ""), "the server is ready, but not asked")
    same(s.mails, [], "since it is early")
    one().due()
    same(run("-q"), (0, "", ""), "when its time has come")
    same((s.envelopes(), kept()), ([[BOB]], []), "it is sent")


def locked_out():
    empty()
    queue(BOB)
    s = Server("locked", says(AUTH=NO_LOGIN), ["AUTH PLAIN"])

    def old(path, days=1):
        past = time.time() - days * 86400
        os.utime(path, (past, past))
    conf = HOME + "/.config/sendoff.conf"
    config(login(s))
    for x in conf, TMP + "/secret":
        old(x)
    same(run("-q"), (0, "", ""), "-q, and 535")
    k = one()
    same((k.state, k.attempts, "locked-out" in k.noop), ("queued", 2, True),
         "it stays queued, locked out")
    ok("not this one" in k.noop["reason"], "with the reason")
    for _ in range(2):
        one().due()
        same(run("-q"), (0, "", ""), "the next run")
    same(len(s.connections), 1, "does not try the login again")
    ok("(waits until the configuration or the password's file has changed; to "
       f"try it now: sendoff --resend {k.id})\n" in run("-bp")[1],
       "mailq says what it waits for")
    x, = json.loads(run("--queue", "--json", program=SENDOFF)[1])
    ok("next" not in x, "and --json names no time")
    for x, attempts in (conf, 3), (TMP + "/secret", 4):
        future = time.time() + 60
        os.utime(x, (future, future))
        run("-q")
        same((len(s.connections), one().attempts), (attempts - 1, attempts),
             f"but when {os.path.basename(x)} has changed")
        old(x)
        run("-q")
        same(len(s.connections), attempts - 1, "once")
    part = HOME + "/.config/part"
    write(part, "domain example.org\n")
    with open(conf, "a", encoding="utf-8") as f:
        f.write(f"include {part}\n")
    os.utime(part, (future, future))
    old(conf)
    ok("(waits" not in run("-bp")[1], "what is included has changed")
    run("-q")
    same(len(s.connections), 4, "and then it is tried as well")
    config(login(s))
    old(conf)
    same(run("-qI", k.id)[0], 77, "and when it is named")
    same(len(s.connections), 5, "it is tried")
    one().set_time("created", time.time() - 6 * 86400)
    status, _, err = run("-q")
    same((status, states()), (77, [("refused", [BOB])]),
         "it is not locked out beyond its time")
    ok("given up" in one().noop["reason"], f"then it is given up: {err}")


def refused_by_command():
    """What a command prints is seen by nobody: a day, and for a token, which
    no account is locked for, an hour."""
    for setting, mechanism, hours, logins in (
            ("password-command", "PLAIN", 24, 1),
            ("oauth-command", "XOAUTH2", 1, 2)):
        empty()
        queue(BOB)
        s = Server(mechanism, says(AUTH=NO_LOGIN), [f"AUTH {mechanism}"])
        config("\n".join(["from alice@example.org", f"server {s.url()}",
                          f"{setting} 'echo secret'", f"log {TMP}/log",
                          "retry yes"]))
        past = time.time() - 30 * 3600
        os.utime(HOME + "/.config/sendoff.conf", (past, past))
        same(run("-q"), (0, "", ""), f"{setting}, and 535")
        same((one().state, "locked-out" in one().noop,
              [line[:9] for line in s.commands()].count("AUTH " +
                                                        mechanism[:4])),
             ("queued", True, logins), f"tried {logins}, it stays queued")
        for more, connections in (-60, 1), (60, 2):
            one().set_time("tried", time.time() - hours * 3600 - more)
            waits = re.findall(r"\(waits until the configuration has changed, "
                               r"or another (\w+); to try", run("-bp")[1])
            ok(len(waits) == (more < 0) and all(
                re.fullmatch("1m|[1-5]?[0-9]s", x) for x in waits),
               f"mailq says how long: {waits}")
            same(run("-q"), (0, "", ""), "the next run")
            until(lambda n=connections: len(s.connections) >= n)
            same(len(s.connections), connections,
                 f"{hours} hours {more:+} seconds later")


def closed_by_refusal():
    """A server that hangs up with its 535: the new token goes by another
    connection, for all messages; one that hangs up before has refused none."""
    empty()
    for _ in range(3):
        queue(BOB)
    texts = []

    def hook(c, verb, line):
        if verb != "AUTH":
            return None
        texts.append(base64.b64decode(line.split()[2]).decode())
        if "Bearer new" in texts[-1]:
            return "235 2.7.0 welcome"
        if "Bearer gone" not in texts[-1]:
            c.say(NO_LOGIN)
        raise Gone

    def settings(first, second):
        return "\n".join([
            "from alice@example.org", f"server {s.url()}", "retry yes",
            f"log {TMP}/log", "oauth-command '[ \"$SENDOFF_OAUTH_REFRESH\" ] && "
            f"echo {second} || echo {first}'"])
    s = Server("closes", hook, ["AUTH XOAUTH2"])
    config(settings("old", "new"))
    same(run("-q"), (0, "", ""), "-q, and a server that hangs up")
    same((s.envelopes(), states(), len(texts), len(s.connections)),
         ([[BOB]] * 3, [], 2, 2), "all are sent, by a second connection")
    for first, second, status, logins in (("old", "older", 77, 2),
                                          ("gone", "new", 0, 1)):
        texts.clear()
        config(settings(first, second))
        same(send(BOB)[0], status, f"{first}, {second}: {status}")
        same(len(texts), logins, f"{logins} logins, and no more")
        empty()


def refused():
    """By the server, in a resend: the owner is told."""
    empty()
    queue(BOB, CARL)
    s = Server("refused", lambda c, verb, line: "550 5.7.1 not by me" if
               verb == "DOT" and c.rcpts != ["alice@example.org"] else None)
    config(account(s, "retry yes", "notify yes"))
    status, out, err = run("-q")
    same((status, out), (65, ""), "550 to the data, by -q")
    ok("refused" in err and "not by me" in err, f"a person sees it: {err}")
    same(states(), [("refused", [BOB, CARL])], "it is refused")
    same(s.envelopes(), [["alice@example.org"]], "the owner is told")
    mail, _, text = s.mails[0]
    text = text.decode()
    ok("FROM:<>" in mail, "by a message that nothing answers")
    ok(all(x in text for x in (BOB, CARL, "not by me", one().id,
                               "Auto-Submitted: auto-generated",
                               "To: alice@example.org")),
       "with whom, why and which")
    ok("\nMessage-ID:" in text and "\nDate:" in text, "in form")
    same((quits(s, 1), len(s.connections)), (True, 1),
         "on the same connection")
    for _ in range(2):
        same(run("-q"), (0, "", ""), "the next run")
    same((s.envelopes(), states()), ([["alice@example.org"]],
                                     [("refused", [BOB, CARL])]),
         "does not tell it again, nor send it")
    same(run("-qRbob")[0], 65, "when a person names it")
    run("-q")
    same(len(s.mails), 1, "nobody else is told")

    for settings, want in (["notify no"], 0), ([], 0), (["notify yes"], 1):
        empty()
        queue(BOB)
        s.mails.clear()
        config(account(s, "retry yes", *settings))
        run("-q")
        same((len(s.mails), states()), (want, [("refused", [BOB])]),
             f"{settings}: told or not")
    empty()
    config(account(Down, "notify yes"))
    send(BOB)
    s.mails.clear()
    config(account(s, "notify yes"))
    same(run("-qRbob")[0], 65, "what was held")
    run("-q")
    same((len(s.mails), states()), (0, [("refused", [BOB])]),
         "was told to its caller")

    # a notice that does not get through
    def notices():
        return len([x for x in s.commands() if x == "RCPT TO:<alice@example.org>"])
    for reply, want in (LATER, 1), ("550 5.1.1 nobody", 0):
        empty()
        queue(BOB)
        s = Server("notice", says(DOT="550 5.7.1 no"))
        s.hook = lambda c, verb, line, r=reply: (
            r if verb == "RCPT" and "alice" in line else
            "550 5.7.1 no" if verb == "DOT" and c.rcpts == [BOB] else None)
        config(account(s, "retry yes", "notify yes"))
        run("-q")
        same((notices(), "untold" in one().noop), (1, bool(want)),
             f"a notice that is answered {reply[:3]}")
        run("-q")
        same(notices(), 1, "an eager timer does not try it at once")
        if want:
            one().due()
            s.hook = nothing
            run("-q")
        run("-q")
        same((s.envelopes(), "untold" in one().noop),
             ([["alice@example.org"]] * want, False), "in the end")


def expired():
    empty()
    k = queue(BOB)
    s = Server("expired", lambda c, verb, line: LATER if
               verb == "RCPT" and "bob" in line else None)
    config(account(s, "retry yes", "notify yes"))
    k.set_time("created", time.time() - 5 * 86400 + 600)
    same(run("-q"), (0, "", ""), "before five days are over")
    same(states(), [("queued", [BOB])], "it stays queued")
    k = one()
    k.set_time("created", time.time() - 5 * 86400 - 600)
    Kept(k.path).due()
    status, out, err = run("-q")
    same((status, out), (75, ""), "after five days")
    ok("refused" in err and "given up after 3 attempts" in
       one().noop["reason"], f"it is given up: {err}")
    same((states(), s.envelopes()), ([("refused", [BOB])],
                                     [["alice@example.org"]]),
         "and its owner is told")
    ok("given up" in s.mails[0][2].decode(), "why")
    k = one()
    same(run("-q"), (0, "", ""), "then")
    same((len(s.mails), states()), (1, [("refused", [BOB])]), "once, and it "
         "is kept")
    k.set_time("tried", time.time() - 5 * 86400 - 600)
    log()
    same(run("-q"), (0, "", ""), "five more days later")
    same(kept(), [], "it is deleted")
    ok("is deleted" in log(), "with a line in the log")

    k = queue(BOB, settings=["retry-for 1h"])
    s = Server("expired", says(MAIL=LATER))
    config(account(s, "retry yes", "retry-for 1h"))
    k.set_time("created", time.time() - 3700)
    s.hook = nothing
    same(run("-q"), (0, "", ""), "retry-for 1h")
    same(s.envelopes(), [[BOB]], "the last attempt may do")
    for state in "held", "unknown":
        config(account(Down, "retry-for 1h"))
        send(BOB)
        k = one()
        if state == "unknown":
            with open(k.path, "r+b") as f:
                f.write(k.octets.replace(b"state held\r\n", b"state unknown"
                                         b"\r\n")[:len(k.octets)])
            k = rewritten(k, "unknown")
        k.set_time("tried", time.time() - 3500)
        run("-q")
        same(states(), [(state, [BOB])], f"what is {state} is kept")
        one().set_time("tried", time.time() - 3700)
        run("-q")
        same(kept(), [], "for an hour")


def rewritten(k, state):
    """The file in another state, its record as long as it was."""
    head, rest = k.octets[:ROOM], k.octets[ROOM:]
    new = head.replace(f"NOOP state {k.state}\r\n".encode(),
                       f"NOOP state {state}\r\n".encode())
    n = len(new) - ROOM
    new = new[:-2 - n] + b"\r\n" if n > 0 else new[:-2] + b" " * -n + b"\r\n"
    assert len(new) == ROOM
    with open(k.path, "wb") as f:
        f.write(new + rest)
    return Kept(k.path)


def by_name():
    """Held, refused and unknown ones wait for a person."""
    s = Server("named")
    for state in "held", "refused", "unknown":
        empty()
        rewritten(queue(BOB), state)
        config(account(s, "retry yes"))
        s.mails.clear()
        for args in ["-q"], ["-q15m"], ["-qf"]:
            same(run(*args), (0, "", ""), f"{state}: {args}")
        same((s.mails, states()), ([], [(state, [BOB])]),
             f"{state}: it is not sent")
        for args in ["-qInone"], ["-qRcarl"], ["-qSbob"], ["-q!Rbob"]:
            run(*args)
        same(s.mails, [], f"{state}: nor when it is not meant")
        for args in ["-qI", one().id[:12]], ["-qRbob"], ["-qSalice"], \
                ["-q!Rcarl"]:
            rewritten(queue(BOB), state) if not kept() else None
            config(account(s, "retry yes"))
            same(run(*args), (0, "", ""), f"{state}: {args}")
            same(kept(), [], "it is sent")
        same(s.envelopes(), [[BOB]] * 4, f"{state}: once each")
    empty()
    queue(BOB), queue(CARL), queue(DAN)
    config(account(s, "retry yes"))
    s.mails.clear()
    a, other, b = kept()
    same(run("-qI", a.id, "-qI", b.id), (0, "", ""), "two of three")
    same((s.envelopes(), one().id), ([a.rcpts, b.rcpts], other.id),
         "are sent, and no third")
    same(run("-qI", one().id, "-qRnobody"), (0, "", ""), "of two kinds")
    same((len(s.mails), len(kept())), (2, 1), "both must do")

    empty()
    rewritten(queue(BOB), "held")
    s = Server("named", says(MAIL=LATER))
    config(account(s, "retry yes"))
    same(run("-qRbob")[0], 75, "held, named, 451")
    same((states(), one().attempts), ([("held", [BOB])], 2),
         "it is held still")
    s.hook = nothing
    same(run("-q"), (0, "", ""), "so no timer")
    same(s.mails, [], "sends it")


def divided():
    """What is left after a resend is of two kinds."""
    empty()
    queue("-N", "failure", "-V", "e1", BOB, "no@example.net", CARL)

    def hook(_, verb, line):
        return LATER if verb == "RCPT" and "bob" in line else None
    s = Server("divided", hook, ["DSN"])
    config(account(s, "retry yes", "notify yes"))
    status, _, err = run("-q")
    ok(status in (67, 75) and "no such user" in err + one_of("refused").noop[
        "reason"], f"one is refused, one deferred, one sent: {status} {err}")
    same(states(), [("queued", [BOB]), ("refused", ["no@example.net"])],
         "each has a file of its kind")
    k = one_of("queued")
    same((k.attempts, "untold" in k.noop), (2, False), "with its attempts")
    ok("later" in k.noop["reason"] and "no such user" not in k.noop["reason"],
       "and its own reason")
    ok(k.next > time.time() + 200, "and its time")
    ok("no such user" in one_of("refused").noop["reason"], "the other one too")
    same(s.envelopes(), [[CARL], ["alice@example.org"]],
         "the owner is told of the refused one")
    ok(BOB not in s.mails[1][2].decode(), "and of nobody else")
    s.hook = nothing
    s.mails.clear()
    same(run("-q"), (0, "", ""), "an eager timer")
    same(s.mails, [], "does nothing")
    k.due()
    same(run("-q"), (0, "", ""), "later")
    same(s.envelopes(), [[BOB]], "the queued one is sent")
    ok("ENVID=e1" in s.mails[0][0] and any(
        "bob" in x and "NOTIFY=FAILURE" in x for x in s.commands()),
       "with what was asked for")
    same(states(), [("refused", ["no@example.net"])], "the other one stays")
    same(run("-qI", one().id)[0], 67, "and can be named")

    # time that has passed is not taken off twice
    empty()
    queue(BOB, "no@example.net", settings=["deliver-by 3h"]).set_time(
        "created", time.time() - 3600)
    s = Server("divided", hook, ["DELIVERBY"])
    config(account(s, "retry yes"))
    run("-q")
    k = one_of("queued")
    k.due()
    s.hook = nothing
    same(run("-q")[0], 0, "deliver-by: the queued one is sent")
    left = int(re.search(r"BY=(\d+)", s.mails[0][0])[1])
    ok(7140 <= left <= 7200, f"two of three hours are left: {left}")

    # an account whose name is no name of a file
    empty()
    config(account(Down, "retry yes", name="a/b"))
    same(send(BOB, "no@example.net")[0], 0, "an account with a slash")
    s = Server("divided", hook)
    config(account(s, "retry yes", name="a/b"))
    run("-q")
    same(states(), [("queued", [BOB]), ("refused", ["no@example.net"])],
         "is divided, too")

    # a lock-out that is over is not remembered
    empty()
    k = queue(BOB, "no@example.net")
    s = Server("divided", says(AUTH=NO_LOGIN), ["AUTH PLAIN"])
    config(login(s))
    run("-q")
    ok("locked-out" in one().noop, "locked out")
    s.hook = lambda c, verb, line: "235 2.7.0 welcome" if \
        verb == "AUTH" else hook(c, verb, line)
    run("-qI", k.id)
    same([(x.state, "locked-out" in x.noop) for x in kept()],
         [("queued", False), ("refused", False)], "and no longer")


def one_of(state):
    found = [x for x in kept() if x.state == state]
    assert len(found) == 1, states()
    return found[0]


def clock():
    """One that was wrong and is right again."""
    empty()
    s = Server("clock")
    k = queue(BOB)
    config(account(s, "retry yes"))
    k.set_time("next", time.time() + 3 * 3600)
    same((run("-q"), s.mails), ((0, "", ""), []), "in three hours: not yet")
    Kept(k.path).set_time("next", time.time() + 10 * 365 * 86400)
    same(run("-q"), (0, "", ""), "in ten years")
    same((s.envelopes(), kept()), ([[BOB]], []), "was never meant")
    k = queue(CARL)
    s.hook, s.extensions = says(AUTH=NO_LOGIN), s.extensions + ["AUTH PLAIN"]
    config(login(s))
    run("-q")
    one().set_time("tried", time.time() + 10 * 365 * 86400)
    s.hook = says(AUTH="235 2.7.0 welcome")
    same(run("-q"), (0, "", ""), "a login that was refused in ten years")
    same(s.envelopes(), [[BOB], [CARL]], "is tried again")


def long_names():
    """An id is longer each time that its message is divided."""
    empty()
    k = queue(BOB, "no@example.net")
    with open(k.path, "wb") as f:
        f.write(k.octets.replace(k.id.encode(), b"x" * 250))
    s = Server("long", lambda c, verb, line: LATER if verb == "RCPT" and
               "bob" in line else None)
    config(account(s, "retry yes"))
    run("-q")
    same(states(), [("queued", [BOB]), ("refused", ["no@example.net"])],
         "but it has an end")


# --- for people -------------------------------------------------------------

def options():
    empty()
    config(account(Down))
    same(run("--queue", "--json", program=SENDOFF), (0, "[]\n", ""),
         "--queue --json of nothing")
    same(run("--queue", program=SENDOFF)[1], "Mail queue is empty\n",
         "--queue of nothing")
    send("-f", "<>", CARL)
    q = queue(BOB, DAN)
    held = one_of("held")
    status, out, err = run("--queue", "--json", program=SENDOFF)
    got = json.loads(out)
    same((status, err, len(got)), (0, "", 2), "--queue --json")
    x, = [x for x in got if x["state"] == "queued"]
    same({n: x.get(n) for n in ("id", "account", "from", "recipients",
                                "attempts", "status", "created", "tried",
                                "path", "octets")},
         {"id": q.id, "account": "default", "from": "alice@example.org",
          "recipients": [BOB, DAN], "attempts": 1, "status": 75,
          "created": q.noop["created"], "tried": q.noop["tried"],
          "path": q.path, "octets": len(q.octets)}, "each of its fields")
    ok("reason" in x and "next" in x, "the reason, and when it is due")
    x, = [x for x in got if x["state"] == "held"]
    same((x["from"], "next" in x), ("", False), "the other one")
    same(json.loads(run("--json", "-bp", program=SENDOFF)[1]), got,
         "-bp is the same")
    text = run("-bp")[1]
    same(*[re.sub(r" \d+s ", " 0s ", x) for x in (
        run("--queue", program=SENDOFF)[1], text)], "--queue is what mailq is")
    ok(all(x in text for x in (q.id, held.id, "queued", "held", BOB, DAN,
                               CARL, "cannot be reached")), "with all of it")
    ok("to try it now" not in text, "nobody waits")
    q.set_time("next", time.time() + 1000)
    text = run("-bp")[1]
    ok(f"(waits another 16m; to try it now: sendoff --resend {q.id})\n" in text
       and f"--resend {held.id}" not in text, f"who is queued waits: {text}")
    conf = HOME + "/.config/sendoff.conf"
    ok(f"sendoff -C {conf} --resend {q.id})\n" in
       run("-C", conf, "--queue", program=SENDOFF)[1],
       "by the configuration that has been named")
    with open(q.path, "wb") as f:
        f.write(q.octets)

    same(run("--show", q.id, program=SENDOFF), (0, q.octets.decode(), ""),
         "--show")
    if os.getuid() == 0:
        status, out, err = run(
            "-o", os.devnull, "-P", q.path, "-e",
            "inject=read:error=EIO:when=2+", SENDOFF, "--show", q.id,
            program="strace", env={**os.environ, "ASAN_OPTIONS":
                                   "detect_leaks=0"})
        ok(status == 74 and "to its end" in err,
           f"--show of what a disk does not give back: {status} {err}")
    else:
        ok(True, "--show of what a disk does not give back # SKIP needs root: "
           "who is not reads no memory of what is not dumpable")
    status, out, err = run("--show", "none", program=SENDOFF)
    ok(status == 64 and out == "" and "none" in err, f"--show none: {err}")
    s = Server("options")
    config(account(s))
    status, out, err = run("--resend", "none", program=SENDOFF)
    ok(status == 64 and out == "" and "none" in err, f"--resend none: {err}")
    status, _, _ = run("--resend", held.id[:-1], program=SENDOFF)
    same((status, s.mails), (64, []), "--resend wants the whole id")
    same(run("--resend", held.id, program=SENDOFF), (0, "", ""), "--resend")
    same((s.envelopes(), states()), ([[CARL]], [("queued", [BOB, DAN])]),
         "of one")
    ok("FROM:<>" in s.mails[0][0], "with its sender")
    with open(q.path, "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        status, _, err = run("--forget", q.id, program=SENDOFF)
        ok(status != 0 and "sending" in err and kept(),
           f"--forget of one that is being sent: {err}")
    same(run("--forget", q.id, program=SENDOFF), (0, "", ""), "--forget")
    same((kept(), len(s.mails)), ([], 1), "it is gone, unsent")
    status, out, _ = run("--forget", "default", program=SENDOFF)
    ok(status == 0 and "forgotten" in out, "--forget of an account")


def by_option():
    """A folder that only --keep names."""
    empty()
    config(account(Down))
    for folder in TMP + "/by/option", os.path.relpath(TMP + "/by/another"):
        status, _, err = send("--keep=" + folder, BOB, program=SENDOFF)
        name, = os.listdir(folder)
        ok(status == 75 and f"kept as {folder}/{name}; " in err and
           "; its options are not kept)" in err, f"kept there: {err}")
        same((kept(), run("-bp")[1]), ([], "Mail queue is empty\n"),
             "and not where others are")
        listed = run("--keep=" + folder, "--queue", program=SENDOFF)[1]
        ok(name in listed, f"where it is found again: {listed}")
        s = Server(os.path.basename(folder))
        config(account(s))
        same((run("--keep=" + folder, "-qI", name, program=SENDOFF),
              s.envelopes(), os.listdir(folder)), ((0, "", ""), [[BOB]], []),
             "and sent")
        config(account(Down))


def locked():
    empty()
    k = queue(BOB)
    s = Server("locked")
    config(account(s, "retry yes"))
    with open(k.path, "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        same(run("-q"), (0, "", ""), "another run holds it: in silence")
        status, _, err = run("-qI", k.id)
        ok(status == 75 and "another run" in err, f"named: {err}")
    same((s.mails, one().octets == k.octets), ([], True), "it is as it was")

    # what has changed since it was listed
    for reply in None, LATER:
        empty()
        a, b = queue(BOB), queue(CARL)
        reached, go_on = threading.Event(), threading.Event()

        def hook(c, verb, _):
            # pylint: disable=cell-var-from-loop
            if verb == "DOT" and c.rcpts == [BOB]:
                reached.set()
                go_on.wait(PATIENCE)
            if verb == "DOT" and c.rcpts == [CARL]:
                if reply is None:
                    raise Gone
                return reply
            return None
        s = Server("beside", hook)
        config(account(s, "retry yes"))
        with subprocess.Popen([SENDMAIL, "-q"],
                              stderr=subprocess.PIPE) as first:
            reached.wait(PATIENCE)
            second = run("-q")
            want = states()
            go_on.set()
            first.communicate(timeout=PATIENCE)
        same(s.commands().count(f"RCPT TO:<{CARL}>"), 1, "what one run has "
             f"tried the other one leaves alone: {second}")
        same(states(), [x for x in want if x[1] == [CARL]],
             "and as it is")
        ok(a.id != b.id, "two of them")


def damaged():
    empty()
    k = queue(BOB, CARL)
    s = Server("damaged")
    config(account(s, "retry yes"))

    def put(octets):
        with open(k.path, "wb") as f:
            f.write(octets)
    whole = k.octets
    text = whole.decode()
    cases = [
        ("empty", b""), ("only its record", whole[:ROOM]),
        ("cut in the record", whole[:40]),
        ("cut in the data", whole[:-12]), ("cut in the end", whole[:-8]),
        ("without state", whole.replace(b"NOOP state queued", b"NOOP")),
        ("with a longer record", b"NOOP\r\n" + whole),
        ("with a shorter record", whole.replace(b"NOOP sendoff 1\r\n", b"")),
        ("without MAIL", whole.replace(b"MAIL FROM", b"NOOP FROM")),
        ("without recipients", whole.replace(b"RCPT TO", b"NOOP TO")),
        ("with a bad recipient", whole.replace(b"<bob@", b"<b b@")),
        ("with a bad sender", whole.replace(b"FROM:<alice@", b"FROM:<@@@@@@")),
        ("strange", b"Dear diary\n"), ("random", os.urandom(4000)),
    ]
    for what, octets in cases:
        put(octets)
        for args in ["-q"], ["-qI", "2"], ["-qRbob"]:
            run(*args)
        same((s.mails, os.path.exists(k.path)), ([], True),
             f"a file {what}: neither sent nor removed")
        with open(k.path, "rb") as f:
            got = f.read()
        if what in ("cut in the data", "cut in the end",
                    "without recipients"):
            same(b"NOOP state held\r\n" in got, True, f"a file {what}: held")
            got, octets = got[ROOM:], octets[ROOM:]
        same(got, octets, f"a file {what}: nor changed")
    os.unlink(k.path)
    os.mkfifo(k.path)
    os.symlink("/dev/zero", STORE + "/zero")
    os.mkdir(STORE + "/folder")
    for args in ["-q"], ["-bp"]:
        same(run(*args)[0], 0 if args == ["-q"] else 65,
             "a FIFO, a folder, a link: passed over")
    os.unlink(k.path)
    same(run("-bp"), (0, "Mail queue is empty\n", ""), "what has the name of "
         "no message is of no interest")
    os.unlink(STORE + "/zero")
    os.rmdir(STORE + "/folder")

    # what somebody has edited
    put(whole.replace(b"RCPT TO:<bob", b"NOOP TO:<bob"))
    same(run("-q"), (0, "", ""), "one struck out by hand")
    same(s.envelopes(), [[CARL]], "the other one gets it")
    put(text.replace("hello", "hello, Carl").encode())
    same(run("-q"), (0, "", ""), "another text")
    ok(b"hello, Carl" in s.mails[1][2], "is sent")
    put(text.replace("NOOP id ", "NOOP id \x1b[2J").replace(
        "cannot be reached", "\x1b]0;x\x07 be reached").encode())
    config(account(Down, "retry yes"))
    for args in ["-bp"], ["--queue"], ["--queue", "--json"], ["-qRbob"]:
        out = "".join(run(*args, program=SENDOFF)[1:])
        ok("be reached" in out and "\x1b" not in out and "\x07" not in out,
           f"{args}: no terminal is told what to do: {out!r}")
    os.unlink(k.path)


def on_terminal(*args):
    """Its status and what it has said, standard error being a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([SENDMAIL, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=theirs) as p:
        os.close(theirs)
        text = b""
        try:
            while got := os.read(ours, 65536):
                text += got
        except OSError:         # the other end is closed
            pass
        os.close(ours)
        return p.wait(PATIENCE), text.decode().replace("\r\n", "\n")


def unread():
    """Who runs it is told of what cannot be read; a timer tells it once."""
    empty()
    bad, cut_off, good = queue(BOB), queue(CARL), queue(DAN)
    s = Server("unread")
    config(account(s, "retry yes"))
    with open(bad.path, "r+b") as f:
        f.truncate(100)
    with open(cut_off.path, "r+b") as f:
        f.truncate(len(cut_off.octets) - 8)
    what = "and is not sent; read what is left of it, send that anew, and " \
        "delete the file\n"
    line = f"sendmail: {bad.path} is damaged {what}"
    held = f"sendmail: {cut_off.id} stays kept, held: {cut_off.path} is " \
        f"damaged (it has no end) {what}"
    status, out, err = run("-bp")
    same((status, err), (65, line), "mailq tells it")
    ok(good.id in out and cut_off.id in out and bad.id not in out,
       "and lists the others")
    log()
    same(run("-q"), (65, "", line + held), "a timer tells both")
    same(s.envelopes(), [[DAN]], "and sends the other")
    ok(line[10:-1] in log(), "the log has it")
    same(states(bad), [("held", [CARL])], "what can say so is held")
    for _ in range(2):
        same(run("-q"), (0, "", ""), "the next timers are silent")
    same(on_terminal("-q"), (65, line), "whoever looks on is told again")
    same(run("-qRbob"), (65, "", line), "and who names messages")
    same(run("-qI", bad.id[-12:]), (65, "", line), "or this one")
    same(run("-qI", cut_off.id[-12:]), (65, "", held), "but not of another")
    same(run("-qI", cut_off.id[-12:]), (65, "", held), "each time")
    status, out, err = run("--queue", "--json", program=SENDOFF)
    same((status, err, [x["state"] for x in json.loads(out)]),
         (65, line.replace("sendmail", "sendoff", 1), ["held"]), "--json")
    os.unlink(cut_off.path)
    same(run("-bp"), (65, "", line), "the queue is not called empty")
    more = bad.path[:-12] + "0123456789ab"
    with open(more, "wb"):
        pass
    same(run("-q"), (65, "", line.replace(bad.path, more)),
         "a timer tells what is new, and not the old one")
    same(run("-q"), (0, "", ""), "once")
    os.chmod(STORE, 0o500)
    if os.getuid() != 0:
        os.unlink(STORE + "/.told")
        same(run("-q"), (0, "", ""), "what cannot be noted is not told")
    os.chmod(STORE, 0o700)
    with open(more, "r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        same(run("-bp")[2], line, "what a run is changing is not damaged")
    os.unlink(bad.path)
    os.unlink(more)
    same(run("-bp"), (0, "Mail queue is empty\n", ""), "no longer there")


# --- root -------------------------------------------------------------------

ROOT = """
set -e
mount -t tmpfs none /var/spool
mkdir /var/spool/sendoff
chmod 1733 /var/spool/sendoff
chmod 711 "$TMP"
d=/var/spool/sendoff/65534
mkdir -m 700 $d /var/spool/sendoff/65533 /var/spool/sendoff/1
mkdir -m 700 /var/spool/sendoff/0 /var/spool/sendoff/065534
cp "$FILE" /var/spool/sendoff/0/forged
chown -R 65533 /var/spool/sendoff/0
chown 65534 /var/spool/sendoff/065534
cp "$FILE" $d/; chmod 600 $d/*; chown -R 65534 $d
cp "$FILE" /var/spool/sendoff/65533/strange
mount -t tmpfs none /etc/cron.d 2>/dev/null || true
"$@" && status=0 || status=$?
echo status $status
find /var/spool/sendoff -type f
"""

# Root's timer, twice, and root's mailq; the owner's file cannot be read.
UNREAD = """
set -e
mount -t tmpfs none /var/spool
mkdir /var/spool/sendoff
chmod 1733 /var/spool/sendoff
d=/var/spool/sendoff/65534
mkdir -m 700 $d
head -c 99 "$FILE" > $d/${FILE##*/}
chown -R 65534 $d
for run in -q -q -bp; do
	"$1" $run 2>&1 && echo 0 || echo $?
done
stat -c %u $d/.told
"""

# Of another's message root sees and deletes what its owner might.
OTHERS = """
set -e
mount -t tmpfs none /var/spool
mkdir /var/spool/sendoff
chmod 1733 /var/spool/sendoff
d=/var/spool/sendoff/65534
mkdir -m 700 $d
cp "$FILE" $d/
chown -R 65534 $d
"$1" --show $2 | grep -c '^RCPT '
chmod 0 $d/*
"$1" --show $2 2> /dev/null || echo no: $?
chmod 600 $d/*
chmod 500 $d
"$1" --forget $2 2> /dev/null || echo no: $?
chmod 700 $d
"$1" --forget $2 && ls $d
"""


def shut_out(conf, env, seen):
    """What tells root of the owner's end cannot be closed: it waits no hour."""
    if "san" in B:
        return
    seen.clear()
    p = subprocess.run(
        ["unshare", "-m", "sh", "-c", ROOT.replace(
            '"$@" &&', f'LD_PRELOAD={B}/scarce.so SCARCE_CLOSE=1 "$@" &&'),
         "sh", SENDOFF, "-C", conf, "-q"], check=False, capture_output=True,
        env=dict(env, HOME=TMP), timeout=PATIENCE)
    same((len(seen), p.stderr, b"status 0\n" in p.stdout), (1, b"", True),
         "a pipe that does not tell the owner's end")


def root():
    empty()
    if os.getuid() != 0:
        return
    k = queue(BOB)
    seen = []

    def who(c, verb, _):
        if verb == "EHLO":
            seen.append(c.sock.getsockopt(1, 17, 12)[4:8])   # SO_PEERCRED
        return "235 2.7.0 welcome" if verb == "AUTH" else None
    s = Server("root", who, ["AUTH PLAIN"])
    os.chmod(TMP, 0o711)
    os.chmod(s.path, 0o777)
    conf = TMP + "/system.conf"
    write(conf, account(s, "retry yes").replace(
        f"log {TMP}/log", "log none").replace(
        f"aliases {TMP}/aliases", "aliases none").replace(
        "auth none", "auth PLAIN\nuser alice\npassword-command "
        f"\"env > {TMP}/env; echo secret\"") + "\n")
    os.chmod(conf, 0o644)
    write(TMP + "/env", "")
    os.chmod(TMP + "/env", 0o666)
    env = dict(os.environ, TMP=TMP, FILE=k.path, OF_ROOT="alone")
    empty_home = dict(env, HOME=TMP)
    try:
        p = subprocess.run(
            ["unshare", "-m", "sh", "-c", ROOT, "sh", SENDOFF, "-C", conf,
             "-q"], check=False, capture_output=True, env=empty_home,
            timeout=PATIENCE)
    except FileNotFoundError:
        return
    out, err = p.stdout.decode(), p.stderr.decode()
    if "status" not in out and "unshare" in err + "mount" * ("mount" in err):
        print("# no mount namespace: " + err, flush=True)
        return
    same((s.envelopes(), err), ([[BOB]], ""), "root's -q sends another's")
    ok("status 0" in out and "/65534/" not in out, f"and removes it: {out}")
    ok("/65533/strange" in out, "what is not its owner's is left alone")
    ok("/0/forged" in out, "nor is root made to send what others wrote")
    same([int.from_bytes(x, "little") for x in seen], [65534],
         "as that user")
    with open(TMP + "/env", encoding="utf-8") as f:
        text = f.read()
    ok("USER=nobody" in text and "HOME=/nonexistent" in text and
       "OF_ROOT" not in text, "the user's commands do not see root's "
       f"environment: {text}")
    shut_out(conf, env, seen)
    reached, go_on = threading.Event(), threading.Event()

    def stuck(c, verb, _):
        if verb == "MAIL":
            reached.set()
            go_on.wait(2 * PATIENCE)
        return who(c, verb, _)
    s.hook = stuck
    with subprocess.Popen(
            ["unshare", "-m", "sh", "-c", ROOT.split('"$@" &&')[0] +
             'exec "$@"', "sh", SENDOFF, "-C", conf, "-q"],
            env=empty_home, stderr=subprocess.DEVNULL) as p:
        ok(reached.wait(PATIENCE), "a server that keeps the owner waiting")
        p.terminate()
        ended = until(lambda: p.poll() is not None)
        go_on.set()
        ok(ended, "and a signal to root ends that, too")
        p.kill()
    p = subprocess.run(["unshare", "-m", "sh", "-c", UNREAD, "sh", SENDOFF],
                       check=False, capture_output=True, env=empty_home,
                       timeout=PATIENCE)
    line = f"sendoff: /var/spool/sendoff/65534/{k.id} is damaged and is not " \
        "sent; read what is left of it, send that anew, and delete the file"
    same((p.stdout.decode().split("\n"), p.stderr.decode()),
         ([line, "65", "0", line, "65", "65534", ""], ""),
         "root's timer tells an owner's once, root's mailq each time")
    p = subprocess.run(["unshare", "-m", "sh", "-c", OTHERS, "sh", SENDOFF,
                        k.id], check=False, capture_output=True,
                       env=empty_home, timeout=PATIENCE)
    same((p.stdout.decode().split("\n"), p.stderr.decode()),
         (["1", "no: 71", "no: 71", ""], ""),
         "--show and --forget are root's only as the owner's")


play(queued, not_queued, as_configured, twins, both, the_same, no_room, limit, connections, cut,
     killed, parts, again, locked_out, refused_by_command,
     closed_by_refusal, refused, expired, by_name, divided, options, by_option,
     locked, damaged, unread, clock, long_names, root)
