#!/usr/bin/python3
"""What the machine gives too little of: nothing that is lost is called kept,
nothing that was not sent is called sent, and no run ends by a signal.
"""

import ctypes
import email
import email.utils
import itertools
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    B, Gone, HOME, PATIENCE, SENDMAIL, SENDOFF, STORE, Server, TMP, account,
    config, ok, play, same, write)

SANITIZER = "san" in os.environ.get("B", "")        # maps terabytes
ROOT = os.getuid() == 0
BOB = "bob@example.net"
SMALL = b"Subject: x\n\nhello\n"
LARGE = b"Subject: x\n\n" + b"hello\n" * 400_000      # outgrows the memory
LOADER = 127                    # ld.so's, which is told nothing of sysexits
SERVER = None


def defer(_, verb, __):
    return "451 4.3.0 later" if verb == "MAIL" else None


def take(*_):
    return None


def skip(names, reason):
    for name in names:
        ok(True, f"{name} # SKIP {reason}")


def limit(what, n):
    return lambda: resource.setrlimit(what, (n, n))


def stored(folder=STORE):
    """The messages kept whole, and what should not be there."""
    whole, rest = [], []
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        with open(f"{folder}/{name}", "rb") as f:
            text = f.read()
        good = text.endswith(b"\r\n.\r\nQUIT\r\n") and name[0] != "."
        (whole if good else rest).append(name)
    return whole, rest


def run(*args, hook=take, text=SMALL, program=SENDMAIL, **more):
    """(status, standard error, mails the server has, messages kept)."""
    SERVER.hook = hook
    SERVER.mails.clear()
    shutil.rmtree(STORE, ignore_errors=True)
    streams = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE}
    streams.update((x, more.pop(x)) for x in list(streams) if x in more)
    try:
        p = subprocess.run([program, *args], check=False, input=text,
                           timeout=PATIENCE, **streams, **more)
    except subprocess.TimeoutExpired:
        return "hangs", "", len(SERVER.mails), 0
    whole, rest = stored()
    return p.returncode, (p.stderr or b"").decode("utf-8", "replace"), \
        len(SERVER.mails), len(whole) if not rest else f"rubbish: {rest}"


def faults(result, quiet=False):
    """What is wrong with it, in words; "" when nothing is."""
    status, err, mails, kept = result
    return "; ".join(words for claim, words in (
        (status == "hangs", "hangs"),
        (isinstance(status, int) and status < 0, f"died of signal {status}"),
        (mails > 1, "sent twice"),
        (status == 0 and mails != 1, "success, and the server has nothing"),
        (not quiet and status != 0 and err == "", "fails without a word"),
        (mails == 1 and not quiet and status != 0 and not re.search(
            "unknown|1 of 2 recipients have the message|2 recipients 1 sent",
            err),
         "the server has it, and that is not said"),
        ("(kept as" in err and kept != 1, "called kept, and is not"),
        ("others can write" in err, "others are blamed"),
        (kept not in (0, 1), f"in the store: {kept}")) if claim)


def fair(result, statuses, name, **more):
    wrong = faults(result, **more)
    ok(wrong == "" and result[0] in statuses, f"{name}: {result[0]}")
    if wrong or result[0] not in statuses:
        print(f"# {wrong} {result!r}, wanted {statuses}", flush=True)


def prepare():
    global SERVER                       # pylint: disable=global-statement
    SERVER = Server("s")
    config(account(SERVER))


def logged():
    """The log has whole lines alone; how many."""
    if not os.path.exists(TMP + "/log"):
        return 0
    with open(TMP + "/log", encoding="utf-8") as f:
        text = f.read()
    lines = text.split("\n")
    same((lines.pop(), [x for x in lines if not re.match(
        r"time=\S+Z pid=\d+ .*( status=\d+ .*| note=\".*\")$", x)]), ("", []),
         "each line of the log is whole")
    return len(lines)


# --- limits -------------------------------------------------------------------

def file_size():
    """SIGXFSZ ends who does not ignore it, in the middle of a kept file."""
    for n in 0, 1, 100, 1000:
        bound = limit(resource.RLIMIT_FSIZE, n)
        status, err, mails, kept = run(BOB, hook=defer, preexec_fn=bound)
        same((status, mails, kept, "could not be kept: " in err,
              "File too large" in err, "(kept as" in err),
             (75, 0, 0, True, True, False), f"files of {n} octets: not kept")
        fair(run(BOB, preexec_fn=bound), [0], f"files of {n} octets: sent")
        same(logged() > 0, n == 1000, "and no line of the log is cut")
        status, err, mails, kept = run(BOB, text=LARGE, preexec_fn=bound)
        same((status, mails, kept, err.count("\n"), "File too large" in err),
             (74, 0, 0, 1, True), f"files of {n} octets: a large message")
    status, err, mails, kept = run(BOB, hook=defer, preexec_fn=limit(
        resource.RLIMIT_FSIZE, 4096))
    same((status, mails, kept, "(kept as" in err), (75, 0, 1, True),
         "files of 4096 octets: kept")
    config(account(SERVER, "retry yes"))
    status, err, mails, kept = run(BOB, hook=defer, preexec_fn=limit(
        resource.RLIMIT_FSIZE, 100))
    same((status, mails, kept, "could not be kept: " in err),
         (73, 0, 0, True), "files of 100 octets: cannot be queued")
    config(account(SERVER))


def descriptors():
    """One is the loader's own: with 3 there is no program."""
    for n in range(3, 9):
        for hook, statuses in (take, [0, 75]), (defer, [75]):
            for text in SMALL, LARGE:
                fair(run(BOB, hook=hook, text=text, preexec_fn=limit(
                    resource.RLIMIT_NOFILE, n)), [LOADER] if n == 3 else
                    statuses + [74, 71] * (text is LARGE),
                    f"{n} descriptors, {hook.__name__}, {len(text)} octets")
    same(run(BOB, hook=defer, preexec_fn=limit(resource.RLIMIT_NOFILE, 6))[3],
         1, "6 descriptors: kept")
    write(TMP + "/outer", f"include {HOME}/.config/sendoff.conf\n")
    for n, args in (4, [BOB]), (4, ["-C", TMP + "/outer", BOB]), \
            (5, ["-C", TMP + "/outer", BOB]):
        status, err, mails, _ = run(*args, text=LARGE, program=SENDOFF,
                                    preexec_fn=limit(resource.RLIMIT_NOFILE, n))
        same((status, mails, "Too many open files" in err, err.count("\n") < 3),
             (71, 0, True, True), f"{n} descriptors, {args}: no configuration")


def memory():
    names = [f"{n} MB of memory" for n in (10, 12, 15, 20, 25, 40, 60, 100)]
    if SANITIZER:
        return skip(names, "a sanitizer maps terabytes")
    for name in names:
        bound = limit(resource.RLIMIT_AS, int(name.split()[0]) << 20)
        some = [71, LOADER] if int(name.split()[0]) < 40 else []
        fair(run(BOB, preexec_fn=bound), [0] + some, name)
        fair(run(BOB, text=LARGE, preexec_fn=bound), [0] + some,
             name + ", a large message")
        fair(run(BOB, hook=defer, preexec_fn=bound), [75] + some,
             name + ", deferred")
    for hook, status in (take, 0), (defer, 75):
        fair(run(BOB, hook=hook, preexec_fn=limit(resource.RLIMIT_STACK,
             256 << 10)), [status], "256 kB of stack, " + hook.__name__)
    return None


COUNT = TMP + "/count"
FAILS = dict(os.environ, LD_PRELOAD=B + "/scarce.so", SCARCE_COUNT=COUNT)


def counted(what):
    """What it returns, and how many allocations it has made."""
    with open(COUNT, "wb") as f:
        f.write(bytes(8))
    result = what()
    with open(COUNT, "rb") as f:
        return result, int.from_bytes(f.read(), sys.byteorder)


def allocations():
    """Each allocation of a run fails, alone or with all behind it."""
    names = ["memory fails at once", "memory fails from then on"]
    if SANITIZER or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return skip(names, "malloc is the sanitizer's, or not glibc's")
    for (name, more), (hook, to) in itertools.product(
            zip(names, ({}, {"SCARCE_ALL": "1"})),
            ((take, [BOB]), (take, [BOB, "no@example.net"]), (defer, [BOB]))):
        (status, *_), n = counted(lambda hook=hook, to=to: run(
            *to, hook=hook, env=FAILS))
        wrong = []
        for i in range(1, n + 1, 2 if more else 1):
            result = run(*to, hook=hook, env=dict(FAILS, **more, SCARCE=str(i)))
            words = faults(result)
            if words or result[0] not in (status, 71, 75):
                wrong.append(f"# at {i}: {words} {result!r}")
        ok(n > 100 and not wrong, f"{name}, {hook.__name__}, {len(to)} "
           f"recipients: {n} allocations")
        print("\n".join(wrong[:9]), end="\n" * bool(wrong), flush=True)
    return None


def allocations_served():
    """The same under -bs: it ends in order, and 250 is what the server said."""
    names = ["memory fails at once, -bs"]
    if SANITIZER or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return skip(names, "malloc is the sanitizer's, or not glibc's")
    said = TMP + "/said"
    dialogue = b"\r\n".join([b"EHLO x", b"MAIL FROM:<alice@example.org>",
                              b"RCPT TO:<" + BOB.encode() + b">", b"DATA",
                              b"Subject: x", b"", b"hello", b".", b"QUIT", b""])

    def serve(**more):
        with open(said, "wb") as f:
            result = run("-bs", text=dialogue, stdout=f,
                         env=dict(FAILS, **more))
        with open(said, "rb") as f:
            return result, f.read().decode().splitlines()

    n = counted(serve)[1]
    wrong = []
    for i in range(1, n + 1):
        (status, _, mails, _), lines = serve(SCARCE=str(i))
        taken = len(lines) > 2 and lines[-2].startswith("250 ")
        if status not in (0, 71) or (status == 0 and taken != (mails == 1)):
            wrong.append(f"# at {i}: {status} {mails} {lines[-2:]!r}")
    ok(n > 100 and not wrong, f"{names[0]}: {n} allocations")
    print("\n".join(wrong[:9]), end="\n" * bool(wrong), flush=True)
    return None


# --- how it is called ---------------------------------------------------------

def closed():
    for n, hook in itertools.product(range(8), (take, defer)):
        gone = [fd for fd in range(3) if n >> fd & 1]
        result = run(BOB, hook=hook, preexec_fn=lambda gone=gone: [
            os.close(fd) for fd in gone])
        fair(result, [66 if 0 in gone else 75 if hook is defer else 0],
             f"closed: {gone}, {hook.__name__}", quiet=2 in gone)
        if 0 not in gone and hook is defer:
            same(result[3], 1, f"closed: {gone}: kept")


def full():
    """Nobody hears it, and it is as true as before."""
    with open("/dev/full", "wb") as f:
        for hook, status in (take, 0), (defer, 75):
            for more in {"stderr": f}, {"stdout": f}, {"stdout": f, "stderr": f}:
                result = run(BOB, hook=hook, **more)
                fair(result, [status], f"full: {' '.join(more)}, "
                     f"{hook.__name__}", quiet="stderr" in more)
                same(result[3], int(hook is defer), "and what is kept")
        for args, status in ((["-bv", BOB], 74), (["-bp"], 74),
                             (["--version"], 74), (["--help"], 74),
                             (["--check"], 74), (["--json", BOB], 0)):
            got, err, mails, _ = run(*args, program=SENDOFF, stdout=f)
            same((got, mails, err), (status, int(status == 0), "sendoff: "
                 "standard output cannot be written: No space left on "
                 "device\n"), f"full: {args[0]}")


def arguments():
    for n in 0, 1, 100, 4096, 100_000, (128 << 10) - 1:
        status, err, mails, _ = run("no@example.net", program="a" * n,
                                    executable=SENDMAIL)
        same((status, mails, err.startswith("sendmail: "), len(err) < 500),
             (67, 0, True, True), f"a name of {n} octets")
        same(run("-bp", program="a" * n, executable=SENDMAIL)[0], 0,
             f"a name of {n} octets: -bp")
    fair(run(*["-Fx" + "y" * 1000] * 1400, BOB), [0], "1.4 MB of options")
    fair(run(*["-fa" + "y" * 60_000 + "@x.net"] * 20, BOB), [65],
         "1.2 MB of senders")


def without_arguments():
    """Not even the name: execve() of Python would refuse."""
    libc = ctypes.CDLL(None)
    none = (ctypes.c_char_p * 1)(None)
    env = (ctypes.c_char_p * 2)(("HOME=" + HOME).encode(), None)
    for program in SENDMAIL, SENDOFF:
        name, err = program.encode(), TMP + "/err"
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            libc.execve(name, none, env)
            os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with open(err, encoding="utf-8") as f:
            text = f.read()
        ok(status in (0, 64) and text.count("\n") <= 1, f"no argv[0]: {status}")
        print("# " + text, end="")


def folders():
    def away():
        os.mkdir(TMP + "/away")
        os.chdir(TMP + "/away")
        os.rmdir(TMP + "/away")
    for args, hook, status in (([BOB], take, 0), ([BOB], defer, 75),
                               (["-t"], take, 0)):
        fair(run(*args, hook=hook, preexec_fn=away, text=b"To: a@x.net\n\nx\n"),
             [status], f"the folder that it is in is gone: {args}")
    os.mkdir(TMP + "/shut", 0o500)
    for where in TMP + "/nothing", TMP + "/shut", "/proc", "/dev/null", "x":
        env = dict(os.environ, TMPDIR=where)
        fair(run(BOB, text=LARGE, env=env), [0], f"TMPDIR {where[-8:]}")
        same(len(SERVER.mails[-1][2]) > len(LARGE), True, "all of it is sent")


# --- who and where ------------------------------------------------------------

def unshared(script, *args, hook=take, text=SMALL, flags="-m"):
    """In namespaces of its own; the script's last words are the program."""
    return run(flags, "sh", "-c", "set -e\n" + script + '\nexec "$@"', "sh",
               *args, program="unshare", hook=hook, text=text)


def able(flags, script):
    return ROOT and subprocess.run(
        ["unshare", flags, "sh", "-c", script], check=False,
        stderr=subprocess.DEVNULL).returncode == 0


def disks():
    """The file systems are gone with the run, so what is in them is told."""
    names = ["a full disk", "a disk that fills", "a file system to read only",
             "no place for a large message", "a large message, a full TMPDIR"]
    if not able("-m", "mount -t tmpfs none /mnt"):
        return skip(names, "not root, or no mounts of our own")
    os.makedirs(STORE, exist_ok=True)
    tmpfs = f"mkdir -p {STORE}; mount -t tmpfs -o size=64k,mode=700 none {STORE}\n"
    fill = f"dd if=/dev/zero of={STORE}/fill bs=64k count=1 2>/dev/null || :\n"
    for name, script, text, word in (
            (names[0], tmpfs + fill, SMALL, "No space left"),
            (names[1], tmpfs, LARGE[:200_000], "No space left"),
            (names[2], tmpfs + f"mount -o remount,ro {STORE}", SMALL,
             "Read-only")):
        result = unshared(script, SENDMAIL, BOB, hook=defer, text=text)
        fair(result, [75], name)
        ok("could not be kept: " in result[1] and word in result[1],
           name + ": it is said that it is not kept")
        if word not in result[1]:
            print(f"# {result[1]}")
        fair(unshared(script, SENDMAIL, BOB, text=text), [0], name + ": sent")
    small = "mount -t tmpfs -o size=64k none "
    status, err, mails, _ = unshared(
        "".join(f"{small}{x}\n" for x in ("/var/tmp", "/tmp.", "/tmp")
                if os.path.isdir(x) and not TMP.startswith(x + "/")) +
        f"mkdir {TMP}/t; {small}{TMP}/t\nexport TMPDIR={TMP}/t", SENDMAIL, BOB,
        text=LARGE)
    same((status, mails, err.count("\n"), "No space left" in err),
         (74, 0, 1, True), names[3])
    return None


def without_devices():
    """A chroot without /dev/null: what is opened must not become stderr."""
    names = ["closed, and no /dev/null"]
    if not able("-m", "mount -t tmpfs none /dev"):
        return skip(names, "not root, or no mounts of our own")
    for gone, hook in itertools.product(
            ("2>&-", "1>&-", "1>&- 2>&-"), (take, defer)):
        SERVER.said.clear()
        script = "mount -t tmpfs none /dev\nexec " + gone
        result = unshared(script, SENDMAIL, BOB, hook=hook)
        fair(result, [75 if hook is defer else 0],
             f"{names[0]}: {gone}, {hook.__name__}", quiet=True)
        same((result[3], [x for x in SERVER.commands() if not
              re.match("(EHLO|MAIL|RCPT|DATA|RSET|QUIT)", x)]),
             (int(hook is defer), []), "and nothing is written elsewhere")
        result = unshared(script, SENDMAIL, "-v", BOB, hook=hook)
        same([x for x in SERVER.commands() if not
              re.match("(EHLO|MAIL|RCPT|DATA|RSET|QUIT)", x)], [],
             "not by -v either")
        with open(TMP + "/log", encoding="utf-8") as f:
            same([x for x in f if not x.startswith("time=")], [],
                 "nor in the log")
    return None


def nobody():
    names = ["a user without a name", "a host without a dot", "GECOS"]
    if not ROOT:
        return skip(names, "not root")
    os.chmod(TMP, 0o755)
    conf = TMP + "/54321.conf"
    with open(conf, "w", encoding="utf-8") as f:
        f.write(account(SERVER, "keep " + TMP + "/kept").replace(
            f"log {TMP}/log", "log none"))
    os.chown(conf, 54321, 54321)
    os.chmod(SERVER.path, 0o777)
    os.chmod(TMP + "/aliases", 0o644)
    as_one = ["--reuid", "54321", "--regid", "54321", "--clear-groups",
              SENDOFF, "-C", conf]
    result = run(*as_one, BOB, program="setpriv", cwd="/")
    fair(result, [0], names[0])
    ok(result[2] == 1 and not re.search(rb"[\x00-\x09\x80-\xff]",
       SERVER.mails[0][2]), names[0] + ": the header has no rubbish")
    status, err, _, kept = run(*as_one, BOB, program="setpriv", hook=defer,
                               cwd="/")
    same((status, kept, "could not be kept: " in err), (75, 0, True),
         names[0] + ": has no place of his own")
    if not able("--uts", "hostname nodot"):
        return skip(names[1:], "no host name of our own")
    for args in ["-f", "alice"], []:
        fair(unshared("hostname nodot", SENDMAIL, *args, BOB, flags="--uts"),
             [0], names[1])
    return gecos(names[2:])


def gecos(names):
    """What the user database calls root; nothing of it is an address."""
    if not able("-m", "mount --bind /dev/null /etc/passwd"):
        return skip(names, "no mounts of our own")
    for text, name in (
            ("", ""), (",,,", ""), ("&", "Root"), ("& & &", "Root Root Root"),
            ('A "B" C', 'A "B" C'), ("A <eve@x.net>", "A <eve@x.net>"),
            ("A\\", "A\\"), ("(A", "(A"), ("A;B@C", "A;B@C"),
            ("A\rBcc eve@x.net", None), ("A\vB", None), ("\xe4", None)):
        with open(TMP + "/passwd", "w", encoding="latin-1", newline="") as f:
            f.write(f"root:x:0:0:{text}:{HOME}:/bin/sh\n")
        result = unshared(f"mount --bind {TMP}/passwd /etc/passwd", SENDMAIL,
                          BOB)
        fair(result, [0], f"GECOS {text!r}")
        head = SERVER.mails[-1][2].split(b"\r\n\r\n")[0]
        m = email.message_from_bytes(head)
        got = email.utils.getaddresses(m.get_all("From"))
        same((len(got), got[0][1], b"\r" in head.replace(b"\r\n", b""),
              m["Bcc"], name in (None, got[0][0])),
             (1, "alice@example.org", False, None, True),
             f"GECOS {text!r}: {m['From']}")
    return None


# --- signals ------------------------------------------------------------------

def ended(verb, number):
    """The program is ended while the server is silent."""
    silent, over = threading.Event(), threading.Event()

    def stall(_, said, __):
        if said != verb:
            return None
        silent.set()
        over.wait(PATIENCE)
        raise Gone

    SERVER.hook = stall
    shutil.rmtree(STORE, ignore_errors=True)
    with subprocess.Popen([SENDMAIL, BOB], stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        p.stdin.write(SMALL)
        p.stdin.close()
        there = silent.wait(PATIENCE)
        p.send_signal(number)
        try:
            status = p.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            p.kill()
            status = "hangs"
        err = p.stderr.read().decode()
    over.set()
    same((there, status, err.count("\n"), "(kept as" in err, len(stored()[0]),
          "unknown" in err), (True, 75, 1, True, 1, verb == "DOT"),
         f"signal {number} at {verb}")


def signals():
    for number in signal.SIGHUP, signal.SIGINT:     # "nohup make check &"
        signal.signal(number, signal.SIG_DFL)
    for verb in "EHLO", "MAIL", "RCPT", "DATA", "DOT":
        for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
            ended(verb, int(number))


play(prepare, file_size, descriptors, memory, allocations, allocations_served,
     closed, full, arguments, without_arguments, folders, disks,
     without_devices, nobody, signals)
