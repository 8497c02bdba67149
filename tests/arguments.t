#!/usr/bin/python3
"""Called sendmail, no argument reads, writes or runs what the caller chose.

What PHP's mail() passes on as its fifth argument comes from strangers.  Every
letter and every long option is given paths, commands, servers and
configurations whose names all hold EVIL; strace sees what the program does
with them, and must see nothing.  What the specification grants is no exception
to that: -bs, -q, -bp, -bi and -bv only use the caller's own accounts and kept
messages.
"""

import os
import re
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    HOME, PATIENCE, SENDMAIL, SENDOFF, Server, TMP, TOP, account, config, ok,
    play, same, write)

ROOM = TMP + "/EVIL"                    # what the strangers' values name
CANARY, MADE, MARK = ROOM + "/canary", ROOM + "/made", ROOM + "/mark"
MESSAGE = b"Subject: x\n\nhello\n"
NAMES = ("sendmail", "send-mail", "mailq", "newaliases", "runq", "rmail",
         "hoststat", "purgestat", "-sendmail", "sendoff.bak", "sendofF")
LETTERS = [chr(c) for c in range(33, 127) if chr(c) != "-"]
CALLS = ("%file,connect,bind,mount,fchdir,kill,ptrace")
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|^\d+ +(?:creat|rename|"
                    r"unlink|link|symlink|mkdir|mknod|chmod|chown|truncate)")
STATE = {}
os.environ["ASAN_OPTIONS"] = "detect_leaks=0"   # it cannot, under strace


def evil_server():
    """Counts who connects to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    STATE["port"], STATE["visits"] = listener.getsockname()[1], 0

    def accept():
        while True:
            listener.accept()[0].close()
            STATE["visits"] += 1
    threading.Thread(target=accept, daemon=True).start()


def prepare():
    evil_server()
    STATE["server"] = Server("own")
    write(CANARY, "canary\n")
    write(ROOM + "/conf", "from EVIL@example.org\n"
          f"server smtp+plain://127.0.0.1:{STATE['port']}\n"
          f"log {MADE}\naliases {CANARY}\npassword-command 'touch {MARK}'\n")
    config(account(STATE["server"]), aliases="root: bob@example.net\n")
    STATE["values"] = [
        CANARY, MADE, ROOM + "/conf", f"|touch {MARK}", f"$(touch {MARK})",
        f"`touch {MARK}`", f";touch {MARK};",
        f"smtp+plain://127.0.0.1:{STATE['port']}/EVIL",
        f"smtp:///{ROOM}/socket", f"127.0.0.1:{STATE['port']}", "EVIL.invalid",
        f"<?php system('touch {MARK}'); //EVIL ?>", f":include:{CANARY}",
        f"c{CANARY}", f"file:{CANARY}", f"../../../../../../..{CANARY}"]


def is_own(line):
    """
    What the program does on its own account: its log, its store, syslog, and
    files without a name.
    """
    if re.search(r'"(?:/var)?/tmp", O_RDWR\|O_CLOEXEC\|O_TMPFILE,', line):
        return True
    path = re.search(r'"([^"]*)"', line)
    path = path[1] if path else ""
    return path.startswith((HOME + "/.local", TMP + "/log", "/dev/null",
                            STATE["server"].path, "/dev/log", "/var/run/nscd",
                            "/var/spool/sendoff")) or \
        ("mkdir(" in line and HOME.startswith(path))


def watched(*args, program=SENDMAIL):
    """What it did with a stranger's values, and its exit status."""
    trace = TMP + "/trace"
    p = subprocess.run(
        ["strace", "-f", "-qq", "-s", "4096", "-o", trace, "-e",
         "trace=" + CALLS, "--seccomp-bpf", program, *args],
        check=False, input=MESSAGE, capture_output=True, timeout=PATIENCE)
    with open(trace, encoding="utf-8", errors="replace") as f:
        lines = f.readlines()[1:]                   # the first is execve
    return [x.rstrip()[:300] for x in lines if "EVIL" in x or
            " execve" in x or (" connect(" in x and not is_own(x)) or
            (WRITES.search(x) and not is_own(x))], p.returncode


def faults(*args, statuses=(0, 64, 65), **more):
    """What is wrong with such a call."""
    seen, status = watched(*args, **more)
    wrong = [f"{str(args)[:200]}: {x}" for x in seen]
    if status not in statuses:
        wrong.append(f"{str(args)[:200]}: exit status {status}")
    return wrong


def untouched():
    with open(CANARY, encoding="utf-8") as f:
        text = f.read()
    return (text, sorted(os.listdir(ROOM)), STATE["visits"]) == \
        ("canary\n", ["canary", "conf"], 0)


def judge(wrong, what):
    ok(not wrong and untouched(), what)
    for x in wrong[:10]:
        print(f"# {x}")


def can_see():
    """As sendoff the same words do all of it, so the watch is no blind one."""
    seen, _ = watched("-C", ROOM + "/conf", "bob@example.net",
                      program=SENDOFF)
    seen = "\n".join(seen)
    for what in f'"{ROOM}/conf"', f'"{MADE}", O_WRONLY', "touch":
        ok(what in seen, f"as sendoff -C is obeyed, and that is seen: {what}")
    os.unlink(MADE)
    os.unlink(MARK)
    seen, _ = watched("--server", f"smtp+plain://127.0.0.1:{STATE['port']}",
                      "--auth=none", "--keep=" + ROOM + "/kept",
                      "bob@example.net", program=SENDOFF)
    seen = "\n".join(seen)
    ok(f"htons({STATE['port']})" in seen and "mkdir" in seen,
       "and --server, and --keep")
    subprocess.run(["rm", "-r", ROOM + "/kept"], check=True)
    STATE["visits"] = 0


def attached():
    for letter in LETTERS:
        judge(faults(*[f"-{letter}{v}" for v in STATE["values"]], "bob@x.net"),
              f"-{letter}VALUE")


def detached():
    wrong = []
    for letter in LETTERS:
        for value in STATE["values"][:9:2]:
            wrong += faults(f"-{letter}", value, "--", "bob@x.net")
    judge(wrong, "-LETTER VALUE")
    wrong = []
    for letter in LETTERS:
        wrong += faults(f"-tiv{letter}", CANARY, f"-in{letter}{MADE}", "-oi",
                        "--", "bob@x.net")
    judge(wrong, "-FLAGSLETTER VALUE")
    wrong = []
    for letter in LETTERS:
        wrong += faults(f"-{letter}")
    judge(wrong, "-LETTER alone")


def options_of_options():
    """-oX, -O Name=value, -b, -q: every letter and every name of theirs."""
    for option in "o", "b", "q", "d", "A", "B", "R", "N":
        wrong = faults(*[f"-{option}{x}{v}" for x in LETTERS[15:] for v in
                         STATE["values"][:3]][:2000] if option in "oAqd" else
                       (f"-{option}{CANARY}",), "bob@x.net")
        for value in (CANARY, f"|touch {MARK}"):
            wrong += faults(f"-{option}", value, "bob@x.net")
        judge(wrong, f"-{option}LETTERVALUE")
    known = ("AliasFile QueueDirectory DeliveryMode ErrorMode LogFile "
             "HelpFile StatusFile ForwardPath HostsFile ServiceSwitchFile "
             "PidFile DeadLetterDrop SafeFileEnvironment ControlSocketName "
             "CACertFile ServerKeyFile RunAsUser requiretls smtputf8").split()
    every = [f"{n}={v}" for n in known + settings() for v in STATE["values"]]
    judge(faults(*[f"-O{x}" for x in every[:1500]], "bob@x.net") +
          faults(*[w for x in every for w in ("-O", x)][:3000], "bob@x.net"),
          "-O NAME=VALUE")


def source(name):
    with open(f"{TOP}/{name}", encoding="utf-8") as f:
        return f.read()


def settings():
    return re.findall(r'\[SET_\w+\]\s*=\s*\{ "([a-z0-9-]+)"',
                      source("settings.c"))


def long_names():
    """The program's own: every word of its tables, and of its manual."""
    words = re.findall(r'"([a-z][a-z0-9-]+)"', source("options.c"))
    manual = re.findall(r"\\-\\-([a-z-]+)|\\-(?:\\-)?([a-z\\-]{3,})",
                        source("man/sendoff.1"))
    usage = re.findall(r"--([a-z][a-z-]+)", source("usage.c"))
    manual = [x.replace("\\", "").lstrip("-") for pair in manual for x in
              pair if x]
    return sorted(set(settings() + words + manual + usage) - {"version"})


def long_options():
    names = long_names()
    for name in ("server", "config", "account", "password-command", "keep",
                 "ca-file", "proxy", "log", "resend", "forget", "show",
                 "probe" if "probe" in source("options.c") else "check",
                 "json", "queue", "require-tls", "hold-until", "import"):
        ok(name in names, f"--{name} is among them")
    wrong = []
    for i, name in enumerate(names):
        for j in range(3):
            value = STATE["values"][(3 * i + j) % len(STATE["values"])]
            wrong += faults(*([f"--{name}={value}"] if j else
                              [f"--{name}", value]), "bob@x.net",
                            statuses=(64,))
        wrong += faults("-i", "-t", f"--{name}", statuses=(64,))
    judge(wrong, f"{len(names)} long options are none")
    # Prefixes and disguises of one.
    judge([y for x in ("--serve", "--config", "---config=" + CANARY, "--=x",
                       "--C=" + CANARY, "--confi=" + CANARY, "--config\n")
           for y in faults(x, CANARY, statuses=(64,))], "nor their disguises")
    same(watched("--version")[1], 0, "--version is all that is understood")


def other_names():
    os.mkdir(TMP + "/names")
    for name in NAMES:
        path = f"{TMP}/names/{name}"
        os.symlink(SENDMAIL, path)
        wrong = []
        for letter in "bCDFLoOqQRVXAdprMX":
            wrong += faults(*[f"-{letter}{v}" for v in STATE["values"]],
                            program=path)
        for option in "server", "config", "log", "keep", "password-command":
            wrong += faults(f"--{option}", CANARY, program=path, statuses=(64,))
            wrong += faults(f"--{option}={CANARY}", program=path, statuses=(64,))
        judge(wrong, f"called {name}")


def strangers():
    """The attacks that others fell for, as they were made."""
    server = STATE["server"]
    for args in (
            # CVE-2016-10033: PHPMailer, -f with a blank
            ["-t", "-i", "-fattacker", "-oQ" + ROOM, "-X" + MADE, "x@x.net"],
            # msmtp: -X writes what -f says
            ["-X", MADE, f"-f<?php system('touch {MARK}');?>@x", "x@x.net"],
            ["-C" + CANARY, "-OQueueDirectory=" + ROOM, "-X" + MADE, "x@x.net"],
            ["-D" + MADE, "-be", "${run{/usr/bin/touch " + MARK + "}}"],
            ["-be", "${run{touch " + MARK + "}}"], ["-bt"], ["-bd"],
            ["-bD", "-C" + CANARY], ["-d99.100"], ["-M" + CANARY, "x"],
            # CVE-2020-7769: a recipient that is an option
            ["--", "-oQ" + ROOM], ["--", "-C" + CANARY], ["--", "--"],
            ["--", "-X" + MADE], ["-i", "-f", "-X" + MADE, "x@x.net"],
            # CVE-2020-7247, CVE-2014-7844: shell text in an address
            [f";touch {MARK};@x.net"], [f"|touch {MARK}"],
            [f"`touch {MARK}`@x.net"], [f"$(touch {MARK})@x.net"],
            [f'"|/bin/touch {MARK}"@x.net'], [CANARY], [MADE], ["./" + MADE],
            [f":include:{CANARY}"], ["-f", f"|touch {MARK}", "x@x.net"]):
        judge(faults(*args), " ".join(args).replace(TMP, "")[:70])
    wanted = ["-oQ@example.org", "--server@example.org"]
    server.mails.clear()
    same(watched("--", "-oQ", "--server")[1], 0, "behind -- they are names")
    same(server.envelopes(), [wanted], "and get mail")
    server.mails.clear()


play(prepare, can_see, attached, detached, options_of_options, long_options,
     other_names, strangers)
