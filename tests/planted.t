#!/usr/bin/python3
"""What others have put where files are expected: nothing waits, nothing is
read without end, written through a link, believed or shown.
"""

import glob
import os
import resource
import shutil
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    B, HOME, SENDMAIL, SENDOFF, STORE, Server, TMP, account, config, ok, play,
    same, until, write)

SANITIZER = "san" in os.environ.get("B", "")
ROOT = os.getuid() == 0
BOB = "bob@example.net"
CANARY = TMP + "/canary"
SECRET = "root:TOPSECRET:1:0:99999:7:::"
STATE = {}
CONF = HOME + "/.config/sendoff.conf"


def limits():
    if not SANITIZER:
        resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))


def call(*args, program=SENDMAIL, preexec=limits, text=b"Subject: x\n\nhello\n",
         env=None):
    """Status and standard error; "hangs" when it does not end."""
    try:
        p = subprocess.run([program, *args], check=False, input=text,
                           capture_output=True, timeout=40, env=env,
                           preexec_fn=preexec, start_new_session=True)
    except subprocess.TimeoutExpired:
        return "hangs", ""
    return p.returncode, (p.stdout + p.stderr).decode("utf-8", "replace")


# --- what is put there --------------------------------------------------------

def sparse(path):
    with open(path, "wb") as f:
        f.truncate(10 << 30)


def bound(path):
    s = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(os.path.dirname(path))         # its name may be too long
    s.bind(os.path.basename(path))
    os.chdir(here)
    s.close()


def link_to(target):
    return lambda path: os.symlink(target, path)


KINDS = {
    "a FIFO": os.mkfifo, "a folder": os.mkdir, "a socket": bound,
    "a link to /dev/zero": link_to("/dev/zero"),
    "a link to /dev/full": link_to("/dev/full"),
    "a link to /dev/tty": link_to("/dev/tty"),
    "a link to itself": lambda path: os.symlink(path, path),
    "a link to nothing": link_to(TMP + "/nothing"),
    "10 GB of nothing": sparse,
}


def clear(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def whole():
    with open(CANARY, encoding="utf-8") as f:
        return f.read() == SECRET + "\n" and not os.path.exists(TMP +
                                                                "/nothing")


def each(role, path, statuses, run, kinds=None, lines=1):
    """Every kind at the path: the statuses that may come of it."""
    for kind, make in KINDS.items():
        if kinds is not None and kind not in kinds:
            continue
        clear(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        make(path)
        status, err = run()
        ok(status in statuses and err.count("\n") <= lines and whole() and
           (status == 0 or path in err or lines > 1 or "no account" in err),
           f"{role}: {kind}: {status} {err.strip()[-120:]}")
        clear(path)


# --- files that are read ------------------------------------------------------

def prepare():
    STATE["server"] = Server("s")
    write(CANARY, SECRET + "\n")
    subprocess.run([B + "/ca", TMP + "/ca"], check=True, stdout=-3)
    # pylint: disable=consider-using-with
    STATE["submitd"] = subprocess.Popen(
        [B + "/submitd", "--ca", TMP + "/ca", "--tls=implicit", "--maildir",
         TMP + "/mail", "--ready-file", TMP + "/port",
         "--user=alice@example.org:secret"], stdout=-3, stderr=-3)
    until(lambda: os.path.exists(TMP + "/port") and
          os.path.getsize(TMP + "/port") > 0)
    with open(TMP + "/port", encoding="utf-8") as f:
        STATE["port"] = f.readline().strip()


def tls(*more):
    return "\n".join(["from alice@example.org", "domain example.org",
                      f"server smtps://localhost:{STATE['port']}",
                      f"aliases {TMP}/aliases", f"log {TMP}/log", *more])


def configurations():
    text = account(STATE["server"]) + "\n"
    each("~/.config/sendoff.conf", CONF, (78,), lambda: call(BOB))
    config(f"include {TMP}/included")
    each("include", TMP + "/included", (78,), lambda: call(BOB))
    write(TMP + "/included", text)
    same(call(BOB), (0, ""), "a file is")
    each("-C", TMP + "/conf", (78,),
         lambda: call("-C", TMP + "/conf", BOB, program=SENDOFF), lines=2)
    p = subprocess.run(["bash", "-c", f'"{SENDOFF}" -C <(cat "{TMP}/included")'
                        f' {BOB} < /dev/null'], check=False)
    same(p.returncode, 0, "-C takes a pipe")
    write(CONF, "x" * (2 << 20))
    status, err = call(BOB)
    ok(status == 78 and len(err) < 500, f"a line of 2 MB: {err}")
    write(CONF, "# x\n" * (1 << 19))
    status, err = call(BOB)
    ok(status == 78 and "more than 1048576" in err, f"as many lines: {err}")
    config(account(STATE["server"]))


def addresses():
    each("aliases", TMP + "/aliases", (78,), lambda: call("root"))
    for args in ["-bi"], ["-bv", "root"]:
        each(" ".join(args), TMP + "/aliases", (78,), lambda a=args: call(*a))
    write(TMP + "/aliases", f"root: :include:{TMP}/list\n")
    os.chmod(TMP + "/aliases", 0o600)
    each(":include:", TMP + "/list", (78,), lambda: call("root"))
    write(TMP + "/aliases", "root: bob@example.net\n")
    same(call("root"), (0, ""), "a file of aliases is")


def secrets():
    ca = f"ca-file {TMP}/ca/ca.pem"
    config(tls(ca, f"password-file {TMP}/secret"))
    each("password-file", TMP + "/secret", (77, 78), lambda: call(BOB))
    config(tls(ca))
    each(".netrc", HOME + "/.netrc", (77, 78), lambda: call(BOB), lines=2)
    env = dict(os.environ, CREDENTIALS_DIRECTORY=TMP + "/credentials")
    each("a credential", TMP + "/credentials/sendoff.default", (77, 78),
         lambda: call(BOB, env=env), lines=2)
    for setting in "ca-file", "crl-file", "client-certificate", "client-key":
        config(tls("password secret", f"{setting} {TMP}/pem",
                   *[ca] * (setting != "ca-file"),
                   *[f"client-certificate {TMP}/ca/client.pem"] *
                   (setting == "client-key")))
        each(setting, TMP + "/pem", (75, 78), lambda: call(BOB))
        if setting.startswith("client"):
            sparse(TMP + "/pem")
            ok("is too large for one" in call(BOB)[1], f"{setting}: not read")
            clear(TMP + "/pem")
    config(tls("password secret", ca))
    same(call(BOB), (0, ""), "without any of it the mail goes")


def memories():
    seen = HOME + "/.local/state/sendoff.seen"
    for name in seen, seen + ".new", seen + ".lock":
        def run(name=name):
            if name != seen:
                clear(seen)
            return call(BOB)
        each(os.path.basename(name), name, (0,), run)
        os.link(CANARY, name)
        same((run(), whole()), ((0, ""), True),
             f"{os.path.basename(name)}, a second name of another file")
        clear(name)
    clear(seen + ".lock")


# --- files that are written ---------------------------------------------------

def logs():
    config(account(STATE["server"], f"log {TMP}/planted"))
    STATE["planted"] = config_text = account(STATE["server"]).replace(
        f"log {TMP}/log", f"log {TMP}/planted")
    config(config_text)
    each("log", TMP + "/planted", (0,), lambda: call(BOB),
         [x for x in KINDS if x != "a link to nothing"])
    os.link(CANARY, TMP + "/planted")
    same((call(BOB), whole()), ((0, ""), True), "a log that is another file")
    clear(TMP + "/planted")
    os.symlink(CANARY, TMP + "/planted")
    if ROOT:
        os.lchown(TMP + "/planted", 65534, 65534)
        same((call(BOB), whole()), ((0, ""), True), "a stranger's link")
        clear(TMP + "/planted")
        write(TMP + "/planted", "x\n")
        os.chown(TMP + "/planted", 65534, -1)
        call(BOB)
        same(os.path.getsize(TMP + "/planted"), 2, "a stranger's file")
    clear(TMP + "/planted")
    call(BOB)
    ok(os.path.getsize(TMP + "/planted") > 100, "one of our own is written")
    config(account(STATE["server"]))


def down(*more):
    return account(STATE["server"], *more).replace("s.socket", "none")


def keeping():
    folder = TMP + "/kept"
    shutil.rmtree(STORE, ignore_errors=True)
    config(down(f"keep {folder}"))
    for kind, make in KINDS.items():
        clear(folder)
        make(folder)
        status, err = call(BOB)
        if kind == "a folder":
            ok(status == 75 and len(os.listdir(folder)) == 1, "kept there")
            continue
        ok(status == 75 and len(os.listdir(STORE)) == 1 and whole() and
           f"is not kept where it should be: {folder}: " in err,
           f"keep: {kind}: {err.strip()[-100:]}")
        shutil.rmtree(STORE)
    clear(folder)

    def refused(what):
        status, err = call(BOB)
        ok(status == 75 and "another user" in err and "(kept as " + STORE in
           err and err.count("\n") == 2, f"keep: {what}: {err[-90:]}")
        same(call("-bp")[1].count(BOB), 1, "mailq passes it over")
        shutil.rmtree(STORE)

    def prepared(mode, owner=0):
        clear(folder)
        os.mkdir(folder)
        os.chmod(folder, mode)
        if ROOT:
            os.chown(folder, owner, -1)
    prepared(0o770)
    refused("its group can write it")
    prepared(0o1777)
    refused("all can")
    clear(folder)
    os.makedirs(folder + "/in/it")
    config(down(f"keep {folder}/in/it"))
    os.chmod(folder, 0o777)
    refused("all can write what it lies in")
    os.chmod(folder, 0o1777)
    same((call(BOB)[0], len(os.listdir(folder + "/in/it"))), (75, 1),
         "but not if it is sticky")
    if not ROOT:
        return
    config(down(f"keep {folder}"))
    prepared(0o700, 65534)
    refused("it is another's")
    clear(folder)
    os.mkdir(TMP + "/own", 0o700)
    os.symlink(TMP + "/own", folder)
    os.lchown(folder, 65534, 65534)
    refused("another's link to a folder of ours")
    same(os.listdir(TMP + "/own"), [], "nothing is written there")
    os.lchown(folder, 0, 0)
    same((call(BOB)[0], len(os.listdir(TMP + "/own"))), (75, 1),
         "a link of our own is followed")
    clear(folder)


def kept_files():
    config(account(STATE["server"]))
    os.makedirs(STORE, exist_ok=True)
    for kind, make in KINDS.items():
        path, seen = STORE + "/20260101T000000Z-abcdefabcdef", False
        if os.path.exists(STORE + "/.told"):
            os.unlink(STORE + "/.told")
        make(path)
        line = f"{path} is damaged" if make == sparse else \
            f"{path} is no file that a message could be read from; find " \
            "out who has put it there, and delete it"
        for args in ["-bp"], ["-q"], ["-qI2026"], ["-q"]:
            status, err = call(*args)
            told = args != ["-q"] or not seen       # a timer tells it once
            same((status, err.count(line), err.count("\n"), whole(),
                  SECRET in err), (65, 1, 1, True, False) if told else
                 (0, 0, 0, True, False), f"{' '.join(args)}: {kind}")
            seen = seen or args == ["-q"]
        status, err = call("--show", os.path.basename(path), program=SENDOFF)
        ok(status == 64, f"--show: {kind}: {err}")
        clear(path)
    shutil.rmtree(STORE)


# --- whose it is --------------------------------------------------------------

def strangers():
    """Every file that is believed, by its owner and mode."""
    server = STATE["server"]

    def each_owner(role, path, run, status, remedy="chmod go-w"):
        for mode, owner in (0o660, 0), (0o606, 0), (0o600, 65534):
            if owner and not ROOT:
                continue
            os.chmod(path, mode)
            os.chown(path, owner, -1)
            server.mails.clear()
            got, err = run()
            ok(got == status and remedy in err and path in err and
               (err.count("\n") == 1) and not server.mails,
               f"{role} of mode {mode:o}, owner {owner}: {got} {err[-120:]}")
        os.chown(path, os.getuid(), -1)
        os.chmod(path, 0o600)
        same(run(), (0, ""), f"{role} that is one's own")

    config(account(server))
    each_owner("the configuration", CONF, lambda: call(BOB), 78)
    write(TMP + "/included", account(server) + "\n")
    config(f"include {TMP}/included")
    each_owner("what it includes", TMP + "/included", lambda: call(BOB), 78)
    config(account(server), aliases="root: bob@example.net\n")
    each_owner("the aliases", TMP + "/aliases", lambda: call("root"), 78)
    config(tls(f"ca-file {TMP}/ca/ca.pem", f"password-file {TMP}/secret"))
    write(TMP + "/secret", "secret\n")
    each_owner("a password file", TMP + "/secret", lambda: call(BOB), 77,
               "mend it with: ch")
    config(account(server))
    write(TMP + "/conf", account(server) + "\n")
    os.chmod(TMP + "/conf", 0o666)
    same(call("-C", TMP + "/conf", BOB, program=SENDOFF), (0, ""),
         "what a person names with -C is the person's wish")


def system_store():
    """A folder that a stranger has made for us before we could."""
    if not ROOT:
        ok(True, "the system's store # SKIP needs root")
        return
    script = f"""
set -e
mount -t tmpfs none /var/spool
mkdir /var/spool/sendoff
chmod 1733 /var/spool/sendoff
mkdir -m 777 /var/spool/sendoff/65534
chown 65533 /var/spool/sendoff/65534
mount --bind "{TMP}/etc" /etc
printf 'Subject: x\\n\\nx\\n' | HOME="{TMP}/theirs" setpriv --reuid=65534 \
    --regid=65534 --clear-groups "{SENDMAIL}" {BOB} 2>&1 || echo "status $?"
find /var/spool/sendoff -type f
"""
    theirs = TMP + "/theirs"
    os.makedirs(theirs, exist_ok=True)
    for path in TMP, HOME:
        os.chmod(path, 0o711)
    os.chown(theirs, 65534, 65534)
    os.mkdir(TMP + "/etc")
    for name in "passwd", "group", "nsswitch.conf", "ld.so.cache":
        shutil.copy("/etc/" + name, TMP + "/etc")
    for retry in "no", "yes":
        write(TMP + "/etc/sendoff.conf", down(f"retry {retry}").replace(
            f"log {TMP}/log", "log none").replace(
                f"aliases {TMP}/aliases", "aliases none") + "\n")
        os.chmod(TMP + "/etc", 0o755)
        os.chmod(TMP + "/etc/sendoff.conf", 0o644)
        p = subprocess.run(["unshare", "-m", "sh", "-c", script],
                           check=False, capture_output=True, text=True)
        out = p.stdout + p.stderr
        left = glob.glob(theirs + "/.local/state/sendoff/*")
        ok("status 75" in out and "/var/spool/sendoff/65534: others "
           "can write it" in out and len(left) == 1 and
           "\n/var/spool" not in out,
           f"retry {retry}: {out.strip()[-300:]} {left}")
        with open(left[0], "rb") as f:
            ok(b"NOOP state held" in f.read(), "it is not queued where "
               "the system's timer does not look")
        shutil.rmtree(theirs + "/.local", ignore_errors=True)


# --- what is shown ------------------------------------------------------------

def shown():
    """A file that is no configuration is not read out."""
    shadow = f"{SECRET}\nhunter2\nPASSWORD\n'{SECRET}'\n\"hunter2\n"
    for path, what in ((TMP + "/shadow", shadow), (CONF, shadow)):
        write(path, what)
        os.chmod(path, 0o600)
        for args, program in ((["-C", path, BOB], SENDOFF),
                              (["--check", "--config=" + path], SENDOFF),
                              ([BOB], SENDMAIL), (["-bv", BOB], SENDMAIL),
                              (["-q"], SENDMAIL), (["-bs"], SENDMAIL)):
            _, err = call(*args, program=program)
            ok("TOPSECRET" not in err and "hunter2" not in err and
               "PASSWORD" not in err, f"{' '.join(args)[:40]}: {err[:90]}")
        clear(path)
    config(account(STATE["server"]))
    _, err = call("-C", CANARY, BOB)
    same(err, "", "as sendmail -C is ignored")


def end():
    STATE["submitd"].terminate()
    STATE["submitd"].wait()


play(prepare, configurations, addresses, secrets, memories, logs, keeping,
     kept_files, strangers, system_store, shown, end)
