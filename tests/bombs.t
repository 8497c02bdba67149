#!/usr/bin/python3
"""Large, deep and many: time that grows with the input, memory with a bound.

Each case has a quarter of a megabyte of stack and a few seconds of processor
time, which what is quadratic exceeds by far.
"""

import os
import re
import resource
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    B, PATIENCE, SENDMAIL, Server, account, config, ok, play, same)

SANITIZER = "san" in os.environ.get("B", "")        # maps terabytes, is slow
SECONDS = 60 if SANITIZER else 6
STACK = (8 if SANITIZER else 1) << 18
N = 10_000 if SANITIZER else 100_000
LATIN = "\u00e4\n".encode()
STATE = {}


def bounds(memory, stack=STACK):
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        if stack:
            resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))
        if not SANITIZER:
            resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
    return limit


def call(*args, text=b"Subject: x\n\nhello\n", memory=300, **more):
    STATE["server"].mails.clear()
    p = subprocess.run([SENDMAIL, *args], check=False, input=text,
                       capture_output=True, timeout=PATIENCE,
                       preexec_fn=bounds(memory, **more))
    return p.returncode, p.stderr.decode()


def got():
    """How many recipients have it."""
    return sum(len(x) for x in STATE["server"].envelopes())


def lines():
    """The longest line of what the server has."""
    return max(len(x) for x in STATE["server"].mails[-1][2].split(b"\r\n"))


def prepare():
    STATE["server"] = Server("s", extensions=["DSN", "PIPELINING", "SIZE"])
    config(account(STATE["server"]), aliases="root: bob@example.net\n")


# --- the command line ---------------------------------------------------------

def arguments():
    n = N // 2
    for what, words in (
            ("-X", ["-Xa"] * n), ("-O", ["-Oa"] * n), ("-v", ["-" + "i" * n]),
            ("-f", ["-fa@x.net"] * (n // 2)), ("-o", ["-oi"] * n),
            ("-qI", ["-F" + "x" * n])):
        same((call(*words, "bob@x.net", stack=0)[0], got()), (0, 1),
             f"{len(words)} of {what}")
    for word in "success", "DELAY":
        status, _ = call("-N", ",".join([word] * 15000), "b@x.net", stack=0)
        said = [x for x in STATE["server"].commands() if "NOTIFY" in x]
        same((status, said[-1].split(" ")[2]),
             (0, "NOTIFY=" + word.upper()), f"-N {word}, 15000 times")
    same((call(*[f"a{i}@x.net" for i in range(n)], stack=0)[0], got()),
         (0, n), f"{n} recipients")
    same((call(",".join(f"a{i}@x.net" for i in range(9999)), stack=0)[0],
          got()), (0, 9999), "9999 in one word")
    for text, status in (("(" * n + "a@x.net", 65), ("a@" + "x." * n, 65),
                         ("(" * n + ")" * n + "a@x.net", 0),
                         ("<" * n, 65), ('"' * n, 65), ("a" * n + "@x.net", 65),
                         ("G:" * (n // 2), 65), ("a@x.net" + "(" * n, 65)):
        status_, err = call("--", text, stack=0)
        same((status_, err.count("\n"), len(err) < 1000),
             (status, int(status > 0), True), f"{text[:9]}...")
    status, err = call("-f", "a" * n + "@x.net", "b@x.net", stack=0)
    same((status, len(err) < 1000), (65, True), "-f of as many letters")


# --- the header ---------------------------------------------------------------

def endless_line():
    """1 GiB without a line end, written as long as it is read."""
    for start in b"Subject: ", b"To: a@x.net, ", b"To: (", b"X: =?":
        # pylint: disable=consider-using-with
        p = subprocess.Popen([SENDMAIL, "-t"], stdin=subprocess.PIPE,
                             stderr=subprocess.PIPE, preexec_fn=bounds(120))

        def pour(p=p, start=start):
            try:
                p.stdin.write(start)
                for _ in range(1024):
                    p.stdin.write(b"x" * (1 << 20))
                p.stdin.close()
            except OSError:
                pass
        threading.Thread(target=pour, daemon=True).start()
        err = p.stderr.read().decode()
        same((p.wait(PATIENCE), err), (65, "sendmail: a line of the "
             "header has more than 16777216 octets; where text begins, a blank "
             "line has to stand before it\n"), f"{start!r} and 1 GiB")


def long_lines():
    """What can be said in shorter lines is."""
    for text, status in ((b"Subject: " + b"x" * (4 << 20), 0),
                         (b"Subject: " + b"x " * (2 << 20), 0),
                         (b"X: " + b" \t" * (2 << 20) + b"x", 0),
                         (b"To: " + b"a@x.net," * N + b"a@x.net", 0),
                         (b"To: " + b"," * N + b"a@x.net", 65),
                         (b"References: " + b"<a@x>" * N, 0),
                         (b"Date: " + b"x " * (1 << 20), 0)):
        got_, err = call("b@x.net", text=text + b"\n\nbody\n", memory=800)
        ok(got_ == status and (status > 0 or lines() <= 998) and
           err.count("\n") == (status > 0),
           f"{text[:12]!r}: {len(text)} octets: {got_} {err[:80]}")


def fields():
    def each(form):
        return b"".join(form % i for i in range(N))
    for what, text, args, many in (
            ("fields", each(b"X-%d: y\n"), ["b@x.net"], 1),
            ("To fields", each(b"To: y%d@x.net\n")[:N * 8] + b"@x.net\n",
             ["-t"], None),
            ("broken To fields", each(b"To: y%d(\n"), ["b@x.net"], 1),
            ("From fields", each(b"From: y%d\n"), ["b@x.net"], 1),
            ("Resent fields", each(b"Resent-%06d: y\n") + b"To: a@x.net\n",
             ["-t"], 1),
            ("Resent-To fields", each(b"Resent-To: y%d@x.net\n"), ["-t"], 1),
            ("Subject fields", each(b"Subject: %d\n"), ["b@x.net"], 1),
            ("continuations", b"Subject: x\n" + b" y\n" * N, ["b@x.net"], 1),
            ("Bcc fields", b"Bcc: a@x.net\n" * N, ["-t"], 1)):
        status, _ = call(*args, text=text + b"\nbody\n", memory=500)
        ok(status == 0 and (many is None or got() == many), f"{N} {what}")


def depth():
    n = N
    for form in (b"(", b"<", b'"', b"a:", b"(a)", b"@a,", b"[", b"\\", b".",
                 b"a.", b",", b";", b"a ", b"a@", b"<a@", b'"a"', b"a(b)",
                 b"=?", b"a@b.c "):
        for text in (form * n + b"a@x.net", (form * 10 + b"\n ") * (n // 10) +
                     b"a@x.net", b"\xc3\xa4" + (form + b"\n ") * n):
            status, err = call("-t", text=b"To: " + text + b"\n\nbody\n")
            if status not in (0, 65, 69) or (status == 0) != (err == ""):
                ok(False, f"To: {text[:30]!r}...: {status} {err[:100]}")
        ok(True, f"To: {form!r} {n} times")
    for pair in b"()", b"<>":
        text = b"To: " + pair[:1] * n + pair[1:] * n + b" a@x.net\n\nbody\n"
        same((call("-t", text=text)[0], got()), (0, 1) if pair == b"()" else
             (65, 0), f"{n} nested {pair!r}")


# --- MIME ---------------------------------------------------------------------

def convert(text, memory=300):
    p = subprocess.run([B + "/convert"], check=False, input=text,
                       capture_output=True, timeout=PATIENCE,
                       preexec_fn=bounds(memory))
    return p.returncode, p.stdout


def mixed(boundary, body):
    return (b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=" +
            boundary + b"\n\n" + body)


def nested(n, boundary=b"b%d"):
    return mixed(boundary % 0, b"".join(
        b"--" + boundary % i + b"\nContent-Type: multipart/mixed; boundary=" +
        boundary % (i + 1) + b"\n\n" for i in range(n)) + b"--" +
        boundary % n + b"\n\n" + LATIN)


def fair(what, text, *statuses, **more):
    """Converted in bounds, to 7-bit in lines that mail may have."""
    status, out = convert(text, **more)
    ok(status in (statuses or (0,)) and (status > 0 or not
       re.search(rb"[\x80-\xff]|[^\n]{1000}", out)), f"{what}: {status}")


def mime_depth():
    message = b"Content-Type: message/rfc822\n\n"
    fair("99 parts in each other", nested(98))
    fair("10000 parts in each other", nested(10000), 65)
    fair("10000 messages in each other", message * 10000 + LATIN, 65)
    fair("multiparts that all begin alike",
         nested(60, b"b" * 900 + b"%d"))
    prefix = [b"b" * i for i in range(1, 60)]
    fair("each boundary the beginning of the next", mixed(b"b", b"".join(
        b"--" + x + b"\nContent-Type: multipart/mixed; boundary=" + x +
        b"b\n\n" for x in prefix) + b"--" + b"b" * 60 + b"\n\n" + LATIN +
        b"".join(b"--" + x + b"--\n" for x in reversed(prefix))))
    fair("no end in sight of a delimiter", nested(98) + b"--\n" * (N * 5) +
         LATIN)


def mime_many():
    fair(f"{N} parts", mixed(b"b", (b"--b\n\n" + LATIN) * 100_000), 65)
    fair("19000 parts", mixed(b"b", (b"--b\n\n" + LATIN) * 19_000 +
                              b"--b--\n"))
    fair("9000 messages", mixed(b"b", (
        b"--b\nContent-Type: message/rfc822\n\nX: \xc3\xa4\n\n" + LATIN) *
        9_000))
    fair(f"{N} fields of a report", b"Content-Type: message/delivery-status"
         b"\n\n" + b"a: \xc3\xa4\n\n" * N)
    fair(f"{N} delimiters that are none", mixed(b"b", b"--bb\n" * N + b"--b\n"
                                               b"\n" + LATIN))


def mime_boundary():
    fair("an empty boundary", mixed(b'""', b"--\n\n" + LATIN + b"----\n"))
    fair("a blank one", mixed(b'" "', b"--\n\n" + LATIN + b"-- --\n"))
    fair("a boundary of 10 MB", mixed(b'"' + b"b" * (10 << 20) + b'"',
                                      (b"--" + b"b" * 50 + b"\n") * 20000 +
                                      LATIN), memory=600)
    fair("one of 3 MB in lines", mixed(
        b'"' + b"b\n " * (1 << 20) + b'"',
        (b"--" + b"b " * 50 + b"\n") * 20000 + LATIN), memory=600)
    fair("its own delimiter", mixed(b"--b--", b"----b--\n\n" + LATIN +
                                    b"----b----\n"))


def mime_parameters():
    tail = b"\n\n--b\n\n" + LATIN

    def each(form):
        return b";\n ".join(form % i for i in range(N))
    for what, text in (
            ("segments of a boundary", each(b"boundary*%d=b")),
            ("segments of it, out of order", b";\n ".join(
                b"boundary*%d=b" % i for i in reversed(range(N)))),
            ("segments beyond ASCII", each(b'name*%d="\xc3\xa4"')),
            ("parameters", each(b'n%d="\xc3\xa4"')),
            ("equal ones", b";\n ".join([b'n="\xc3\xa4"'] * N)),
            ("extended ones", each(b"n%d*=utf-8''%%C3%%A4")),
            ("stars", b";\n ".join([b"n" + b"*" * 50] * N)),
            ("no names", b";\n ".join([b'="\xc3\xa4"'] * N)),
            ("semicolons", b";\n " * N), ("quotes", b';\n "' * N),
            ("parentheses", b"\n (" * N), ("backslashes", b'"' + b"\\" * N)):
        for kind in b"multipart/mixed", b"text/plain":
            fair(f"{what}, {kind.decode()}", b"Content-Type: " + kind +
                 b"; a=\xc3\xa4;\n " + text + tail, 0, 65, memory=600)


def mime_headers():
    for what, text in (("lines", b"y\n " * (5 << 20)),
                       ("one line", b"y" * (16 << 20))):
        fair(f"a part whose header is 16 MB of {what}",
             mixed(b"b", b"--b\nX: " + text + b"\n\n" + LATIN), 65)
    for text in (b"Subject: " + b"\xc3\xa4 \n " * N,
                 b"Subject: \xc3\xa4 " + b"=?utf-8?q?a?=\n " * N,
                 b"Subject: " + b"\xff" * N, b"Subject: \xc3" * N,
                 b"To: " + b"\xc3\xa4 <a@x>,\n " * N + b"a@x",
                 b"To: " + b"\xc3\xa4<\n " * N, b"To: \xc3\xa4" + b"<\n " * N,
                 b"To: " + b"(\n " * N + b"\xc3\xa4" + b")\n " * N + b"a@x",
                 b"To: " + b"\xc3\xa4:\n ;" * N,
                 b"References: " + b"<\xc3\xa4@x>\n " * N):
        fair(f"{text[:20]!r}", text + b"\n\n" + LATIN, memory=600)


play(prepare, arguments, endless_line, long_lines, fields, depth, mime_depth,
     mime_many, mime_boundary, mime_parameters, mime_headers)
