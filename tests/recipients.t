#!/usr/bin/python3
"""Any server, any number of recipients: each has one outcome, the true one.

A server that answers by chance takes down what it has said; what --json, the
exit status and the store say of each recipient must agree with that, nobody
may have got the message twice, and no limit may be passed that was told.

    tests/recipients.t [FIRST COUNT]        plays COUNT seeds from FIRST on
"""

import glob
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    HOME, PATIENCE, SENDOFF, STORE, TMP, config, ok, play)

CLOSED, QUIT, BEFORE = "closed", "QUIT", "not even MAIL"


class Gone(Exception):
    """The client has."""


class Transaction:
    """What one MAIL has led to."""

    def __init__(self, mail):
        self.mail = mail                # the reply to it, "" for none
        self.rcpts = []                 # [(address, reply)]
        self.complete = False           # all of the data came
        self.verdict = ""               # the reply to them, "" for none
        self.early = ""                 # a refusal before their end

    def accepted(self):
        return [a for a, reply in self.rcpts if reply[:1] == "2"]


class Chance:
    """A server of one seed, and what it has done."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        pick, chance = self.rng.choice, self.chance
        self.count = pick((1, 2, 3, 5, 8, 12))
        self.domains = pick((1, 1, 2, 4))
        self.trouble = pick((0, 0.02, 0.1, 0.3))        # refusals
        self.death = pick((0, 0, 0.02, 0.1))            # ends of connections
        self.large = chance(0.15)
        self.limits = {name: pick(values) for name, values, often in (
            ("RCPTMAX", (1, 2, 3, 7), 0.4), ("MAILMAX", (1, 2, 3), 0.3),
            ("RCPTDOMAINMAX", (1, 2), 0.3)) if chance(often)}
        self.fits = pick((1, 2, 4, 99, 99))             # 452 after so many
        self.hangs_up = chance(0.3)                     # after three 452s
        self.mails_max = pick((1, 2, 99, 99, 99))       # 421 or 451 after
        self.enhanced = chance(0.8)
        self.extensions = [x for x in ("PIPELINING", "CHUNKING")
                           if chance(0.6)]
        if self.limits:
            self.extensions.append("LIMITS " + " ".join(
                f"{k}={v}" for k, v in self.limits.items()))
        self.connections, self.complaints = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def chance(self, probability):
        return self.rng.random() < probability

    def accept(self):
        while True:
            try:
                sock = self.listener.accept()[0]
            except OSError:
                return
            self.connections.append(Connection(self, sock))
            self.connections[-1].run()          # one after the other

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.threads[0].join(PATIENCE)


class Connection:
    def __init__(self, server, sock):
        self.server, self.sock, self.octets = server, sock, b""
        self.transactions, self.now = [], None
        self.mute, self.domains, self.too_many = "", set(), 0

    def run(self):
        self.sock.settimeout(PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.say("220 chance.example")
            while True:
                self.command(self.line())
        except (Gone, OSError):
            self.sock.close()

    # A connection that has ended is listened to: what did the client send?

    def say(self, reply):
        """The reply as it went out: "" when nothing does any more."""
        if self.mute:
            return ""
        if reply == CLOSED or reply[:3] == "421":
            if reply != CLOSED:
                self.sock.sendall(reply.encode() + b"\r\n")
            self.sock.shutdown(socket.SHUT_WR)
            self.mute = reply
            return "" if reply == CLOSED else reply
        self.sock.sendall(reply.encode() + b"\r\n")
        return reply

    def line(self):
        while b"\r\n" not in self.octets:
            self.more()
        line, self.octets = self.octets.split(b"\r\n", 1)
        return line.decode()

    def more(self):
        got = self.sock.recv(65536)
        if not got:
            raise Gone
        self.octets += got

    # Replies

    def code(self, text):
        """4yz and 5yz with their enhanced codes, or without."""
        return text if self.server.enhanced else \
            re.sub(r" [245]\.\d+\.\d+", "", text)

    def any(self, good, *bad):
        rng = self.server.rng
        if rng.random() < self.server.death:
            return rng.choice(("421 4.3.2 enough", CLOSED))
        if rng.random() < self.server.trouble:
            return self.code(rng.choice(bad))
        return good

    def command(self, line):
        verb = line.split()[0].upper()
        getattr(self, "on_" + verb.lower())(line)

    def on_ehlo(self, _):
        lines = ["chance.example"] + self.server.extensions
        self.say("\r\n".join([f"250-{x}" for x in lines[:-1]] +
                             [f"250 {lines[-1]}"]))

    def on_mail(self, _):
        server, limit = self.server, self.server.limits.get("MAILMAX", 99)
        if len(self.transactions) >= limit:
            server.complaints.append("more MAILs than MAILMAX")
        reply = self.any("250 2.1.0 ok", "451 4.3.0 later",
                         "550 5.7.1 not from you")
        if len(self.transactions) >= server.mails_max:
            reply = server.rng.choice(("421 4.5.3 so many mails",
                                       "451 4.5.3 so many mails", CLOSED))
        self.now = Transaction(self.say(reply))
        self.transactions.append(self.now)

    def on_rcpt(self, line):
        server, t = self.server, self.now
        address = re.search("<(.*)>", line)[1]
        self.domains.add(address.split("@")[1])
        if len(self.domains) > server.limits.get("RCPTDOMAINMAX", 99):
            server.complaints.append("more domains than RCPTDOMAINMAX")
        if len(t.rcpts) >= server.limits.get("RCPTMAX", 99):
            server.complaints.append("more RCPTs than RCPTMAX")
        reply = "503 5.5.1 no MAIL"
        if t.mail[:1] == "2":
            reply = self.any("250 2.1.5 ok", "550 5.1.1 nobody",
                             "450 4.2.1 busy", "451 4.7.1 later",
                             "452 4.2.2 full", "452 4.3.1 no room",
                             "552 5.5.3 too many", "553 5.7.1 no")
        if reply[:1] == "2" and len(t.accepted()) >= server.fits:
            reply = self.code("452 4.5.3 too many")
            self.too_many += 1
            if self.too_many > 3 and server.hangs_up:
                reply = "421 4.7.0 too many errors"
        t.rcpts.append((address, self.say(reply)))

    def on_data(self, _):
        t = self.now
        if not t.accepted() and self.server.chance(0.7):
            self.say("503 5.5.1 nobody")
            return
        t.early = self.say(self.any("354 go on", "451 4.3.0 later",
                                    "554 5.7.1 no"))
        if t.early[:1] == "3":
            t.early = ""
            while (line := self.line()) != ".":
                if len(line) > 60 and self.server.chance(0.001):
                    t.early = self.say(CLOSED)
            self.judge()

    def on_bdat(self, line):
        t, size = self.now, int(line.split()[1])
        while len(self.octets) < size:
            self.more()
        self.octets = self.octets[size:]
        if t is None or not t.accepted() or t.early:
            self.say("503 5.5.1 nobody")
            t.complete = t.complete or bool(self.mute) and "LAST" in line
        elif "LAST" in line:
            self.judge()
        else:
            reply = self.say(self.any("250 2.0.0 more", "452 4.3.1 full",
                                      "554 5.7.1 no"))
            t.early = reply if reply[:1] in "45" else ""

    def judge(self):
        t = self.now
        t.complete = True
        if not t.accepted():
            self.say("554 5.5.1 nobody")
            return
        t.verdict = self.say(self.any("250 2.0.0 queued", "451 4.3.0 later",
                                      "554 5.6.0 not this", CLOSED))

    def on_rset(self, _):
        self.now = None
        self.say(self.any("250 2.0.0 ok", "451 4.3.0 why"))

    def on_quit(self, _):
        self.say("221 2.0.0 bye")
        self.sock.shutdown(socket.SHUT_WR)
        self.mute = self.mute or QUIT


# The truth

def word(reply, unanswered="deferred"):
    return {"": unanswered, "2": "sent", "4": "deferred",
            "5": "refused"}[reply[:1]]


def truth(connection, t, address):
    """(outcome, exit status when it is refused) of one transaction."""
    reply = dict(t.rcpts).get(address)
    if reply is None or t.mail[:1] in "45" and t.mail:
        return word(t.mail), 69
    lost = "unknown" if t.complete and connection.mute == CLOSED else \
        "deferred"
    if reply == "":
        return lost, 69
    if reply[:1] != "2":
        status = 67 if re.match(r"5\d\d 5\.1\.", reply) else 69
        return "deferred" if reply[:3] == "552" else word(reply), status
    if t.verdict[:3] == "421":
        return "unknown", 69
    if t.verdict:
        return word(t.verdict), 65
    if t.early:
        return word(t.early), 65 if "CHUNKING" in \
            connection.server.extensions else 69
    return lost, 69


def judged(server, address):
    """All that became of one recipient, in order."""
    return [truth(c, t, address) for c in server.connections
            for t in c.transactions if address in dict(t.rcpts)]


def last_mail(server):
    mails = [t.mail for c in server.connections for t in c.transactions]
    return mails[-1] if mails else ""


def gave_up(server, deferred):
    """On people whom a new connection would have served, perhaps."""
    last = server.connections[-1]
    moved = [t for t in last.transactions[:-1]
             if t.verdict and t.verdict[:3] != "421"]
    if not moved:
        return False
    t = last.transactions[-1]
    named = dict(t.rcpts)
    waiting = [who for who in deferred if not judged(server, who) or
               (named.get(who, "4")[:1] in ("", "2") and not t.early)]
    return bool(waiting) and not t.verdict and t.mail[:1] != "5" and \
        (last.mute != QUIT or t.mail[:1] == "4")


def check(server, people, result, status, kept):
    """What is wrong, as a list."""
    wrong = list(server.complaints)
    statuses = []
    got = {r["address"]: r["outcome"] for r in result["recipients"]}
    if sorted(got) != sorted(people):
        wrong.append("not each recipient once")
    for who in people:
        all_of = judged(server, who)
        taken = [x for x, _ in all_of if x in ("sent", "unknown")]
        if len(taken) > 1:
            wrong.append(f"{who} twice: {all_of}")
        want, code = all_of[-1] if all_of else (BEFORE, 69)
        if want == BEFORE:
            want = "refused" if last_mail(server)[:1] == "5" else "deferred"
        if got.get(who) != want and not (all_of and want == "deferred" and
                                         last_mail(server)[:1] == "5" and
                                         got.get(who) == "refused"):
            wrong.append(f"{who} is {got.get(who)}, not {want}: {all_of}")
        statuses.append({"sent": 0, "refused": code}.get(got[who], 75))
        if (who in kept) != (got[who] != "sent"):
            wrong.append(f"{who} is {got[who]}, kept: {who in kept}")
    worst = [s for s in (75, 69, 65, 67, 0) if s in statuses][0]
    if status != worst:
        wrong.append(f"status {status}, not {worst}")
    if gave_up(server, [who for who in people if got[who] == "deferred"]):
        wrong.append("no new connection")
    if len(server.connections) > len(people) + 2:
        wrong.append(f"{len(server.connections)} connections")
    return wrong


# Runs

def run(seed):
    server = Chance(seed)
    people = [f"r{i}@d{server.rng.randrange(server.domains)}.example"
              for i in range(server.count)]
    port = server.listener.getsockname()[1]
    config("from alice@example.org", f"server smtp+plain://127.0.0.1:{port}",
           "auth none", "log none", "aliases none", "hello client.example")
    shutil.rmtree(STORE, ignore_errors=True)
    body = ("x" * 70 + "\n") * (server.large and 30000)
    p = subprocess.run([SENDOFF, "--json", "--keep", "-i", *people],
                       input=f"Subject: x\n\n{body}".encode(), check=False,
                       capture_output=True, timeout=PATIENCE)
    server.end()
    kept = ""
    for name in glob.glob(STORE + "/*"):
        with open(name, encoding="latin-1") as f:
            kept += "\n".join(re.findall(r"(?m)^RCPT TO:(.*)$", f.read()))
    wrong = check(server, people, json.loads(p.stdout), p.returncode, kept)
    for text in wrong:
        print(f"# seed {seed}: {text}")
    if wrong:
        print(f"#   {server.extensions}: {p.stderr.decode()[:300]}")
        for c in server.connections:
            print(f"#   connection, then {c.mute}: " + "; ".join(
                f"{t.mail[:3]} {t.rcpts} {t.early} {t.complete} {t.verdict}"
                for t in c.transactions))
    return not wrong


def seeds():
    first, count = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (1, 300)
    good = sum(run(seed) for seed in range(first, first + count))
    ok(good == count, f"{good} of {count} servers of chance")


assert TMP in HOME
play(seeds)
