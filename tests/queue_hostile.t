#!/usr/bin/python3
"""-q: a kept message is sent once to each, and gone only then."""

import glob
import os
import re
import resource
import shutil
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    Gone, HOME, PATIENCE, SENDMAIL, SENDOFF, STORE, Server, TMP, account, config,
    ok, play, same, until, write)

BOB, CARL = "bob@example.net", "carl@example.net"


def hold(*args, down=True):
    """A message that no server takes now; where it is kept."""
    shutil.rmtree(STORE, ignore_errors=True)
    p = subprocess.run([SENDOFF, "--keep", "-i", *args], check=False,
                       input=b"Subject: x\n\nhello\n", capture_output=True,
                       timeout=PATIENCE)
    ok(p.returncode == 75 or not down, f"it is held: {p.stderr!r}"[:70])
    return glob.glob(STORE + "/*")


def retry(*args, program=SENDMAIL, preexec=None):
    p = subprocess.run([program, *args], check=False, capture_output=True,
                       timeout=PATIENCE, preexec_fn=preexec)
    return p.returncode, (p.stdout + p.stderr).decode()


def left(path):
    with open(path, encoding="utf-8") as f:
        return re.findall("(?m)^RCPT TO:<(.*)>", f.read())


class Down:
    """The address of a server that is not there."""

    @staticmethod
    def url():
        return f"smtp://{TMP}/down"


def partly():
    s = Server("lmtp", lmtp=True)
    config(account(Down))
    path, = hold(BOB, "late@example.net", CARL)
    config(account(s))
    status, err = retry("-qRbob")
    same(status, 65, "LMTP: one of three is refused after the data")
    ok("not even here" in err, "in the words of the server")
    same(left(path), ["late@example.net"], "that one stays kept, alone")
    retry("-qRlate")
    same(s.envelopes()[1:], [[]], "the others do not get it again")
    same(left(path), ["late@example.net"], "and it stays")
    same(retry("-qRbob")[0], 0, "nobody else is found any more")
    same(len(s.mails), 2, "nor sent to")


def accounts():
    one, two = Server("one"), Server("two")
    both = account(one, name="home"), account(
        two, "match *@corp.example", name="work", sender="a@corp.example")
    down = account(Down, name="home"), account(
        Down, "match *@corp.example", name="work", sender="a@corp.example")
    config(*down)
    hold("--account", "work", "-f", "else@example.net", BOB)
    config(*both)
    same(retry("-qRbob")[0], 0, "of the two accounts")
    same((one.envelopes(), two.envelopes()), ([], [[BOB]]),
         "it goes by the one that it was given to")
    two.mails.clear()

    os.unlink(HOME + "/.config/sendoff.conf")       # no account at all
    path, = hold("-f", "x@example.net", BOB, "c@corp.example", down=False)
    config(both[0], down[1])
    same(retry("-qRbob")[0], 75, "one of two servers is down")
    same((one.envelopes(), two.envelopes(), left(path)),
         ([[BOB]], [], ["c@corp.example"]), "the other has it, and only one stays")
    two.hook = lambda c, verb, _: "451 4.3.0 later" if verb == "DOT" else None
    config(*both)
    same(retry("-qRcorp")[0], 75, "it defers the data")
    same((one.envelopes(), left(path)), ([[BOB]], ["c@corp.example"]),
         "who got it is not asked again")
    two.hook = lambda c, verb, _: None
    same(retry("-qRcorp")[0], 0, "later")
    same((one.envelopes(), two.envelopes(), glob.glob(STORE + "/*")),
         ([[BOB]], [["c@corp.example"]], []), "each has it once")


def too_many():
    """RFC 5321 section 4.5.3.1.10, and LIMITS."""
    def hook(c, verb, line):
        if verb == "RCPT" and len(c.rcpts) >= 2:
            return "452 4.5.3 too many recipients"
        return None
    everyone = [f"{x}@example.net" for x in ("a", "no", "b", "c", "d", "e")]
    s = Server("few", hook, ["LIMITS MAILMAX=2"])
    config(account(Down))
    path, = hold(*everyone)
    config(account(s))
    status, err = retry("-qRa@")
    same(status, 67, "one is refused, the others are too many for one mail")
    ok("550 5.1.1 no such user" in err, "in the words of the server")
    same(sorted(sum(s.envelopes(), [])), [x for x in everyone if x[:2] != "no"],
         "each of the others has it once")
    same(left(path), ["no@example.net"], "and that one stays")
    s.hook = lambda c, verb, line: \
        "452 4.2.2 full" if verb == "RCPT" and "no" in line else None
    same(retry("-qRno")[0], 75, "a full mailbox")

    def lost(c, verb, line):
        if verb == "DOT":
            raise Gone
        return hook(c, verb, line)
    for what in lost, lambda c, verb, _: \
            "452 4.5.3 not one" if verb == "RCPT" else None:
        config(account(Down))
        path, = hold(*everyone)
        config(account(s))
        s.hook = what
        s.said.clear()
        same(retry("-qRa@")[0], 75, "lost after the data, or nobody fits")
        same(left(path), everyone, "all stay")
        named = [x for x in s.commands() if x.startswith("RCPT")]
        ok(len(named) <= 6, "and there is no second mail")


def twice():
    reached, go_on = threading.Event(), threading.Event()

    def hook(_, verb, __):
        if verb == "DOT":
            reached.set()
            go_on.wait(PATIENCE)
        return None
    s = Server("twice", hook)
    config(account(Down))
    path, = hold(BOB)
    config(account(s))
    with subprocess.Popen([SENDMAIL, "-qRbob"]) as first:
        reached.wait(PATIENCE)
        second = subprocess.Popen([SENDMAIL, "-qRbob"],
                                  stderr=subprocess.PIPE)
        until(lambda: second.poll() is not None or
              s.commands().count("DATA") > 1)
        go_on.set()
        err = second.communicate(timeout=PATIENCE)[1].decode()
    same(first.returncode, 0, "two at once: the first sends it")
    ok(second.returncode == 75 and "another" in err, f"not the second: {err}")
    same((s.envelopes(), os.path.exists(path)), ([[BOB]], False), "once")


def unknown():
    def hook(_, verb, __):
        if verb == "DOT":
            raise Gone
        return None
    s = Server("unknown", hook)
    config(account(Down))
    path, = hold(BOB)
    config(account(s))
    same(retry("-qRbob")[0], 75, "lost after the dot: unknown is 75")
    same(left(path), [BOB], "it stays kept")
    config(account(s), "no-such-setting 1")
    same(retry("-qRbob")[0], 78, "a broken configuration is 78")
    s = Server("unknown", lambda c, verb, _:
               "550 5.1.1 no" if verb == "RCPT" else None)
    config(account(s))
    same(retry("-qRbob")[0], 67, "a recipient that there is not: 67")


def damaged():
    s = Server("damaged")
    config(account(Down))
    path, = hold(BOB)
    with open(path, encoding="utf-8", newline="") as f:
        whole = f.read()
    config(account(s))
    for n in range(len(whole) - len(".\r\nQUIT\r\n") + 3):
        write(path, whole[:n])
        retry("-qI", "20")
    same(s.mails, [], "a kept message that was cut is not sent")
    ok(os.path.exists(path), "and not removed")
    write(path, re.sub("(?m)^RCPT .*\n", "", whole))
    same(retry("-qI", "20")[0], 65, "nor is one without recipients")
    same((s.mails, os.path.exists(path)), ([], True), "and it stays")
    write(path, whole)

    def nobody():
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
    store = TMP + "/store"
    shutil.copytree(STORE, store)
    for f in glob.glob(store + "/*"):
        os.chmod(f, 0o644)
    if os.getuid() == 0:
        for x in store, *glob.glob(store + "/*"):
            os.chown(x, 65534, 65534)
    for d in TMP, store:
        os.chmod(d, 0o555 if d == store else 0o755)
    os.chmod(s.path, 0o777)
    write(TMP + "/conf", account(s, f"keep {store}") + "\n")
    os.chmod(TMP + "/conf", 0o644)
    os.chmod(TMP + "/aliases", 0o644)
    shutil.copy(SENDOFF, TMP + "/sendoff")      # ours may be below /root
    status, err = retry("-C", TMP + "/conf", "-qRbob",
                        program=TMP + "/sendoff", preexec=nobody)
    ok(status != 0 and "stays kept" in err, f"what cannot be removed: {err}")
    same(s.mails, [], "is not sent")
    os.chmod(store, 0o755)
    path, = glob.glob(store + "/*")
    os.chmod(path, 0)
    want = f"sendoff: {path} cannot be read and is not sent: Permission " \
        f"denied; mend it with: chmod 600 {path}\n"
    for args in ["-bp"], ["-qRbob"], ["-q"]:
        same(retry("-C", TMP + "/conf", *args, program=TMP + "/sendoff",
                   preexec=nobody), (74, want), f"{args}: that it cannot be "
             "read is told")
    if os.getuid() == 0:
        os.chown(path, 0, 0)
        os.chmod(path, 0o600)
        same(retry("-C", TMP + "/conf", "-bp", program=TMP + "/sendoff",
                   preexec=nobody),
             (74, f"sendoff: {path} cannot be read and is not sent, for it "
              "belongs to another user; mend it as root: chown 65534 "
              f"{path}\n"), "whose it should be, too")


def strangers():
    """A folder that others can write holds what others have written."""
    s = Server("strangers")
    config(account(Down))
    hold(BOB)
    config(account(s))
    told = (74, f"sendmail: {STORE} is passed over, with what is in it: others "
            "can write it or what it lies in, or it belongs to another user "
            "(namei -l shows which)\n")
    for mode in 0o770, 0o707:
        os.chmod(STORE, mode)
        same(retry("-qRbob"), told, f"a folder of mode {mode:o}")
        same(retry("-qI", "0"), told, "whatever is named in it")
        same(retry("-bp"), told, "is not called an empty queue")
        same(retry("-q"), (0, ""), "a timer says it in the log alone")
    same(s.mails, [], "nothing of it is sent")
    os.chmod(STORE, 0o755)
    if os.getuid() == 0:
        os.chown(STORE, 65534, -1)
        same(retry("-qRbob"), told, "another's folder")
        same(s.mails, [], "is passed over, too")
        os.chown(STORE, 0, -1)
    same(retry("-qRbob"), (0, ""), "the owner's own")
    same(s.envelopes(), [[BOB]], "is not")


def endless():
    """No line of an envelope is as long, no state is of another name."""
    config(account(Down))
    path, = hold(BOB)
    with open(path, "rb") as f:
        whole = f.read()
    with open(path, "wb") as f:
        f.truncate(1 << 40)
    sanitizer = "san" in os.environ.get("B", "")   # maps terabytes
    broken = (65, f"sendmail: {path} is damaged and is not sent; read what is "
              "left of it, send that anew, and delete the file\n")
    same(retry("-bp", preexec=lambda: sanitizer or resource.setrlimit(
        resource.RLIMIT_AS, (1 << 28, 1 << 28))),
         broken, "a line without end is no message")
    for state in b"another", b"h\0ld", b"x" * 2000:
        with open(path, "wb") as f:
            f.write(whole.replace(b"NOOP state held\r\n",
                                  b"NOOP state " + state + b"\r\n"))
        same(retry("-qRbob"), broken, "nor is one of no known state")


play(partly, accounts, too_many, twice, unknown, damaged, strangers, endless)
