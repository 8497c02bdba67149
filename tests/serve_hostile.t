#!/usr/bin/python3
"""-bs: nothing lost, nothing twice, no reply out of step."""

import fcntl
import os
import re
import resource
import select
import signal
import struct
import sys
import termios
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    Caller, Gone, HELLO, HOME, PATIENCE, SENDMAIL, SENDOFF, Server, TEXT,
    account, batch, config, ok, play, rcpt, same, until)

BOB, CARL, DORA = "bob@example.net", "carl@example.net", "dora@example.net"


def begun(server, *rcpts, program=SENDMAIL, args=()):
    """A caller whose MAIL and RCPTs were accepted."""
    c = Caller(*args, program=program)
    c.ask("EHLO me")
    c.ask("MAIL FROM:<alice@example.org>")
    for r in rcpts:
        same(c.ask(rcpt(r).rstrip()), "250", f"{r} is accepted")
    return c


def send(c):
    """DATA; the code of the verdict."""
    code = c.ask("DATA")
    return c.ask(TEXT.rstrip()) if code == "354" else code


# --- one name for several people -------------------------------------------

def aliases():
    s = Server("aliases")
    config(account(s), aliases=f"team: {BOB}, no@example.net, {DORA}\n"
           f"pair: {BOB}, {DORA}\n")
    out, _, _ = batch(HELLO + rcpt(CARL) + rcpt("team") + "DATA\r\n" + TEXT)
    same(out, "220 250 250 250 550 354 250", "one behind an alias is refused")
    same(s.envelopes(), [[CARL]], "then none behind it gets the message")
    s.mails.clear()
    out, _, _ = batch(HELLO + rcpt("team") + "DATA\r\n")
    same(out, "220 250 250 550 554", "an alias alone")
    out, _, _ = batch(HELLO + rcpt("team") + rcpt(BOB) + "DATA\r\n" + TEXT)
    same(s.envelopes(), [[BOB]], "who is named again gets it, once")
    s.mails.clear()
    out, _, _ = batch(HELLO + rcpt(BOB) + rcpt("pair") + rcpt(DORA) +
                      rcpt("Bob@Example.NET") + "DATA\r\n" + TEXT)
    same(out, "220 250 250 250 250 250 250 354 250", "named twice")
    same([sorted(x) for x in s.envelopes()],
         [sorted([BOB, "Bob@Example.NET", DORA])], "each gets one copy")
    s.mails.clear()
    batch(HELLO + rcpt(BOB) + rcpt("team") + "DATA\r\n" + TEXT)
    same(s.envelopes(), [[BOB]], "a refused alias takes nobody else along")


# --- the connection is lost between commands -------------------------------

def lost_at_rcpt():
    for what in "421 4.3.2 going down", None:
        def hook(c, verb, line, what=what):
            if c.number == 0 and verb == "RCPT" and CARL in line:
                if what is None:
                    raise Gone
                return what
            return None
        s = Server("lost", hook)
        config(account(s))
        c = begun(s, BOB)
        code = c.ask(rcpt(CARL).rstrip())
        ok(code[:1] == "4" and code != "421", f"RCPT and {what}: 4yz")
        same(c.ask(rcpt(DORA).rstrip()), "250", "the next is accepted")
        same(send(c), "250", "and the message")
        c.end()
        same(s.envelopes(), [[BOB, DORA]], "who was accepted gets it")


def lost_while_idle():
    for chunking in (), ("CHUNKING",), ("CHUNKING", "PIPELINING"):
        for what in "421 4.4.2 idle", None:
            gone = threading.Event()

            def hook(c, verb, _, what=what, gone=gone):
                if c.number == 0 and verb == "RCPT":
                    c.on_rcpt(_)
                    c.say("250 2.1.5 ok")
                    if what is not None:
                        c.say(what)
                    c.sock.close()
                    gone.set()
                    raise Gone
                return None
            s = Server("idle", hook, chunking)
            config(account(s))
            c = begun(s, BOB)
            gone.wait(PATIENCE)
            same(send(c), "250", f"idle {chunking} {what}: sent all the same")
            c.end()
            same(s.envelopes(), [[BOB]], "and once")


def late_reply():
    """It comes when the next command has been said."""
    def hook(c, verb, line):
        if verb == "RCPT" and "slow" in line:
            select.select([c.sock], [], [], PATIENCE)
            return "250 2.1.5 too late"
        return None
    s = Server("late", hook)
    config(account(s, "timeout-reply 4"))
    c = begun(s, BOB)
    same(c.ask(rcpt("slow@example.net").rstrip()), "451", "a reply too late")
    same(c.ask("RSET"), "250", "late: RSET")
    same(c.ask("MAIL FROM:<alice@example.org>"), "250", "late: MAIL")
    same(c.ask(rcpt("no@example.net").rstrip()), "550", "late: in step")
    same(c.ask(rcpt(DORA).rstrip()), "250", "late: RCPT")
    same(send(c), "250", "late: DATA")
    c.end()
    same(s.envelopes(), [[DORA]], "late: what was said is what was done")


def between():
    """What a server may say to RSET or MAIL of a connection that is old."""
    for verb, reply in (("RSET", "421 4.7.0 enough"), ("RSET", "502 5.5.1 no"),
                        ("MAIL", "421 4.7.0 enough"),
                        ("MAIL", "452 4.5.3 enough mails")):
        def hook(c, said, _, verb=verb, reply=reply):
            old = c.number == 0 and any(
                x.startswith("MAIL") for x in c.server.commands()[:-1])
            return reply if old and said == verb else None
        s = Server("between", hook)
        config(account(s))
        c = begun(s, BOB)
        c.ask("RSET")
        same(c.ask("MAIL FROM:<alice@example.org>"), "250",
             f"{reply} to {verb}: asked again on a new connection")
        c.ask(rcpt(DORA).rstrip())
        same(send(c), "250", "and sent")
        c.end()
        same(s.envelopes(), [[DORA]], "to whom it was meant")


def nonsense():
    for verb in "MAIL", "RCPT":
        s = Server("nonsense", lambda c, said, _, verb=verb:
                   "354 go on" if said == verb else None)
        config(account(s))
        out, _, _ = batch(HELLO + rcpt(BOB) + "DATA\r\nQUIT\r\n")
        ok(not re.search("(?<!^220 250 250 250 )354", out),
           f"354 to {verb} is not passed on")
        same(s.mails, [], "nothing is sent")
    s = Server("nonsense", lambda c, verb, _:
               "421 4.3.2 going down" if verb == "DATA" else None)
    config(account(s))
    out, _, _ = batch(HELLO + rcpt(BOB) + "DATA\r\n" + TEXT + "NOOP\r\n")
    same(out, "220 250 250 250 354 451 250", "the server's 421 is not ours")


def out_of_order():
    """It is our side that is out of step: the caller keeps the message."""
    for verb, want in (("MAIL", "220 250 451 503 503 221"),
                       ("RCPT", "220 250 250 451 554 221"),
                       ("DATA", "220 250 250 250 354 451 221")):
        s = Server("order", lambda c, said, _, verb=verb:
                   "503 5.5.1 not now" if said == verb else None)
        config(account(s))
        out, text, _ = batch(HELLO + rcpt(BOB) + "DATA\r\n" +
                             TEXT * (verb == "DATA") + "QUIT\r\n")
        same(out, want, f"503 to {verb} is a 4yz")
        ok("503 5.5.1 not now" in text, "and the server is quoted")
        ok(not re.search("(?m)^4.. 5", text), "under a status of its class")
    s = Server("nested", lambda c, verb, _: "503 5.5.1 nested MAIL"
               if verb == "MAIL" and c.mails > 0 else None)
    config(account(s))
    out, _, _ = batch("EHLO me\r\n" + 2 * (
        "MAIL FROM:<alice@example.org>\r\n" + rcpt(BOB) + "DATA\r\n" + TEXT))
    same(out, "220 250" + 2 * " 250 250 354 250", "503 after a mail: the "
         "caller sees nothing of the new connection")
    same(s.envelopes(), [[BOB]] * 2, "each message once")


def again_refused():
    """MAIL has claimed less than there is; the truth is refused."""
    s = Server("again", lambda c, verb, line:
               "552 5.3.4 too much" if "SIZE=" in line and
               verb == "MAIL" and int(line.split("SIZE=")[1].split()[0]) > 99
               else None, ["SIZE 100000"])
    config(account(s))
    big = "Subject: x\r\n\r\n" + ("x" * 70 + "\r\n") * 100 + ".\r\n"
    out, text, _ = batch("EHLO me\r\nMAIL FROM:<alice@example.org> SIZE=9\r\n"
                         + rcpt(BOB) + "DATA\r\n" + big)
    same(out, "220 250 250 250 354 552", "again: the server's own code")
    ok("552 5.3.4 too much" in text, "and words")
    same(s.mails, [], "again: nothing is sent")
    out, text, _ = batch("EHLO me\r\nMAIL FROM:<alice@example.org> "
                         "SIZE=100001\r\n")
    ok("552 5.3.4" in text, "a size that the server does not take: 552")


# --- the caller --------------------------------------------------------------

def refused_data():
    """What follows a refused DATA may be a message, not commands."""
    inner = ("Subject: x\r\n{}\r\nMAIL FROM:<evil@example.org>\r\n" +
             rcpt("eve@example.net") + "DATA\r\n\r\nspam\r\n.\r\nQUIT\r\n")
    s = Server("refused")
    config(account(s))
    for first in "", "NOOP : x\r\n", "RSET : x\r\n", "MAIL : <>\r\n":
        for before in rcpt("no@example.net"), "":
            batch(HELLO + before + "DATA\r\n" + first + inner.format(""))
    batch("EHLO me\r\nDATA\r\n" + inner.format("RSET : x\r\n"))
    same(s.mails, [], "the text of a refused message is no dialogue")
    out, _, _ = batch(HELLO + "DATA\r\nSubject: x\r\n\r\n")
    same(out, "220 250 250 554 421", "it ends with 421")
    out, _, _ = batch(HELLO + "DATA\r\nRSET\r\nx\r\nNOOP\r\n")
    same(out, "220 250 250 554 250 500 250", "RSET: commands again")


def caller_leaves():
    s = Server("leaves")
    config(account(s))
    whole = HELLO + rcpt(BOB) + "DATA\r\n"
    text = "Subject: x\r\n\r\na\r\n..\r\n.b\r\n.\r\n"
    for n in range(len(text)):
        batch(whole + text[:n])
    same(s.mails, [], "half a DATA is not sent, wherever it is cut")
    same(batch(whole + text)[0], "220 250 250 250 354 250", "a whole one is")
    s.mails.clear()
    for chunk in ("BDAT 5 LAST\r\nA: b", "BDAT 6\r\nA: b\r\n", "BDAT 6 LAST",
                  "BDAT 6\r\nA: b\r\nBDAT 0 LAST", "BDAT 6\r\nA: b\r\nRSET\r\n"
                  "BDAT 0 LAST\r\n", "BDAT 6\r\nA: b\r\nEHLO me\r\nBDAT 0 "
                  "LAST\r\n", "BDAT 6\r\nA: b\r\nDATA\r\n.\r\n",
                  "BDAT x LAST\r\nA: b\r\n", "BDAT -1 LAST\r\nA: b\r\n",
                  "BDAT 18446744073709551617 LAST\r\nA: b\r\n"):
        batch(HELLO + rcpt(BOB) + chunk)
    same(s.mails, [], "nor is half a BDAT")
    batch(HELLO + rcpt(BOB) + "BDAT 6\r\nA: b\r\nRSET\r\n" + HELLO +
          rcpt(DORA) + "DATA\r\n" + TEXT)
    same([x[1] for x in s.mails], [[DORA]], "BDAT, RSET, DATA: one message")
    ok(b"A: b" not in s.mails[0][2], "of the second alone")


def smuggling():
    s = Server("smuggling", extensions=["CHUNKING"])
    for extensions in ["CHUNKING"], []:
        s = Server("smuggling", extensions=extensions)
        config(account(s))
        ends = "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\r.\r\n", \
            "\n.\r", "\r\n.\0\r\n", "\r\n\0.\r\n", "\r\n.\r\r\n"
        evil = "MAIL FROM:<evil@example.org>\r\n" + rcpt("eve@example.net") + \
            "DATA\r\n\r\nspam"
        for end in ends:
            body = f"Subject: x\r\n\r\na{end}{evil}"
            batch(HELLO + rcpt(BOB) + f"DATA\r\n{body}\r\n.\r\nQUIT\r\n")
            n = len(body) + 2
            batch(HELLO + rcpt(BOB) + f"BDAT {n} LAST\r\n{body}\r\nQUIT\r\n")
        same([x for x in s.commands() if "evil" in x or "eve@" in x], [],
             f"{extensions}: no command is smuggled")
        ok(all(b"\n" not in x[2].replace(b"\r\n", b"") and b"\r" not in
               x[2].replace(b"\r\n", b"") and x[1] == [BOB] and
               b"eve@" in x[2] for x in s.mails), "the text arrives as text")
        same(len(s.mails), 20, "each of them")
        same([x for x in s.mails if b"\0" in x[2]], [], "NUL is encoded")


def limits():
    s = Server("limits")
    config(account(s))
    out, _, _ = batch("EHLO me\r\nNOOP " + "x" * 70000 + "\r\nNOOP\r\n")
    ok(out in ("220 250 421", "220 250 500 250"), "a line too long is told")
    big = "X: " + "x" * (65 << 20) + "\r\n"
    out, _, _ = batch(HELLO + rcpt(BOB) + "DATA\r\n" + big + TEXT +
                      "MAIL FROM:<alice@example.org>\r\n" + rcpt(DORA) +
                      "DATA\r\n" + TEXT)
    same(out, "220 250 250 250 354 554 250 250 354 250",
         "a header without end: that transaction is over")
    same(s.envelopes(), [[DORA]], "and only that")
    s.mails.clear()

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
    body = "Subject: x\r\n\r\n" + ("x" * 70 + "\r\n") * 40000 + ".\r\n"
    out, _, status = batch(HELLO + rcpt(BOB) + "DATA\r\n" + body +
                           "MAIL FROM:<alice@example.org>\r\n" + rcpt(DORA) +
                           "DATA\r\n" + TEXT, preexec=small_files)
    same(out, "220 250 250 250 354 452 250 250 354 250", "no room: told")
    same(status, 0, "which is no failure of the dialogue")
    same(s.envelopes(), [[DORA]], "no room: the next is sent")


def command_line_server():
    s = Server("one")
    config("log none")
    os.unlink(HOME + "/.config/sendoff.conf")
    text = "MAIL FROM:<alice@example.org>\r\n" + rcpt(BOB) + "DATA\r\n" + TEXT
    batch("EHLO me\r\n" + text * 5, "--server", s.url(), "--auth", "none",
          "--from", "alice@example.org", program=SENDOFF)
    same(s.envelopes(), [[BOB]] * 5, "--server: five messages")
    same(len(s.connections), 1, "over one connection")


def ended(c, s, name, last):
    """After SIGTERM: the process is gone, the last reply is one of these."""
    c.p.send_signal(signal.SIGTERM)
    out, status = c.end(at_once=True)
    same(status, 75, f"SIGTERM {name}: it ends")
    ok(out and out[-1] in last, f"SIGTERM {name}: {out} is told")
    same(s.mails, [], f"SIGTERM {name}: nothing is sent")


def signals():
    for where, last in ("EHLO", ["451", "421"]), ("RCPT", ["451", "421"]), \
            ("DATA", ["451", "421"]), ("DOT", ["554", "421"]):
        reached, never = threading.Event(), threading.Event()

        def hook(_, verb, __, where=where, reached=reached, never=never):
            if verb == where:
                reached.set()
                never.wait(PATIENCE)
                raise Gone
            return None
        s = Server("signals", hook)
        config(account(s))
        c = Caller()
        c.say(HELLO + rcpt(BOB) + "DATA\r\n")
        if where in ("DATA", "DOT"):
            c.say(TEXT)
        reached.wait(PATIENCE)
        ended(c, s, f"while the server is at {where}", last)
        never.set()
    s = Server("signals")
    config(account(s))
    c = Caller()
    same(c.ask("EHLO me"), "250", "idle")
    ended(c, s, "while the caller is idle", ["421"])
    c = begun(s, BOB)
    c.ask("DATA")
    c.say("Subject: x\r\n\r\nhalf\r\n")
    ended(c, s, "within DATA", ["421"])
    c = begun(s, BOB)
    c.say("BDAT 10\r\nhalf")
    ended(c, s, "within BDAT", ["421"])
    c = Caller()
    full = 0
    os.set_blocking(c.p.stdin.fileno(), False)

    def is_stuck():
        nonlocal full
        try:
            os.write(c.p.stdin.fileno(), b"HELP\r\n" * 600)
        except BlockingIOError:
            octets = fcntl.ioctl(c.p.stdout, termios.FIONREAD, b"    ")
            full += struct.unpack("i", octets)[0] > 60000
        return full > 20
    ok(until(is_stuck), "a caller who does not read")
    c.p.send_signal(signal.SIGTERM)
    _, status = c.end(at_once=True)
    same(status, 75, "SIGTERM while nobody reads: it ends")


# --- the server's own limits (RFC 9422) --------------------------------------

def mails(server):
    """How many MAILs each connection has had."""
    numbers = [n for n, line in server.said if line.startswith("MAIL")]
    return [numbers.count(c.number) for c in server.connections]


def mailmax():
    def hook(c, verb, line):
        return "550 5.1.8 not from you" if verb == "MAIL" and "evil" in line \
            else None
    s = Server("mailmax", hook, ["LIMITS MAILMAX=2"])
    config(account(s))
    one = "MAIL FROM:<alice@example.org>\r\n" + rcpt(BOB) + "DATA\r\n" + TEXT
    evil = "MAIL FROM:<evil@example.org>\r\n"
    out, _, _ = batch("EHLO me\r\n" + one * 3 + evil + one)
    same(out, "220 250" + " 250 250 354 250" * 3 + " 550 250 250 354 250",
         "MAILMAX: the caller sees nothing of it")
    same(s.envelopes(), [[BOB]] * 4, "each message once")
    same(mails(s), [2, 2, 1], "no connection has more MAILs than it takes")
    s = Server("mailmax1", extensions=["LIMITS MAILMAX=1", "CHUNKING"])
    config(account(s))
    out, _, _ = batch(HELLO + rcpt(BOB) + rcpt(CARL) + rcpt("no@example.net") +
                      "DATA\r\n" + TEXT)
    same(out, "220 250 250 250 250 550 354 250", "MAILMAX=1")
    same((s.envelopes(), mails(s)), ([[BOB, CARL]], [1]), "one is enough")


def rcptdomainmax():
    s = Server("domains", extensions=["LIMITS RCPTDOMAINMAX=1"])
    config(account(s))
    one = "MAIL FROM:<alice@example.org>\r\n{}DATA\r\n" + TEXT
    batch("EHLO me\r\n" + one.format(rcpt(BOB)) +
          one.format(rcpt("dora@example.com")))
    same(s.envelopes(), [[BOB], ["dora@example.com"]], "RCPTDOMAINMAX=1")
    same(mails(s), [1, 1], "the next mail may be for another domain")


play(aliases, lost_at_rcpt, lost_while_idle, late_reply, between, nonsense,
     out_of_order, again_refused, refused_data, caller_leaves, smuggling, limits,
     command_line_server, signals, mailmax, rcptdomainmax)
