#!/usr/bin/env python3
"""The set-gid program: whoever calls it cannot learn the system's password, nor
send it elsewhere, by whatever word, variable, file, descriptor or signal."""

import ctypes
import itertools
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
os.umask(0o022)

if os.getuid() != 0:
    print("1..0 # SKIP only root can install a set-gid program")
    sys.exit()
if os.path.basename(os.environ.get("B", "build")) == "san":
    print("1..0 # SKIP the sanitizers' shadow is too large to be searched")
    sys.exit()
if "SETGID_TMP" not in os.environ:
    try:
        ready = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none",
                                "/var/spool"], check=False).returncode == 0
    except FileNotFoundError:
        ready = False
    if not ready:
        print("1..0 # SKIP no mounts of our own (unshare -m)")
        sys.exit()
    tmp = tempfile.mkdtemp()
    status = subprocess.run(["unshare", "-m", sys.executable, __file__],
                            check=False, env={**os.environ, "SETGID_TMP": tmp})
    os.rmdir(tmp)
    sys.exit(status.returncode)

# pylint: disable=wrong-import-position,wildcard-import
from setgid.world import *                                      # noqa: E402,F403
from tap import done, skip_all                                # noqa: E402

RAISE = TMP / "evil.mark"
build()
evil, stalled, server = Evil(), Evil(stalls=True), Own()
OWN = f"smtp://localhost:{server.port}"


def safe(run, name):
    """Nothing of the secret was seen by anybody but the server."""
    return ok(not leaks(run.out) and not leaks(evil.heard) and
              b"HANGS" not in run.out, f"{name}: no secret is told",
              f"{run}\n{leaks(evil.heard)}")


def sends(name, *args, **more):
    """The ordinary submission works, in silence."""
    before = server.mails()
    run = Run(*(args or ["-i", "bob@example.net"]), **more)
    ok(run.status == 0 and run.out == b"" and server.mails() == before + 1,
       f"{name}: it is sent", run)
    return run


def ordinary():
    system(*account(OWN))
    ok(os.stat(SENDOFF).st_mode & 0o7777 == 0o2755, "the program is set-gid")
    denied = subprocess.run(["cat", CONFIG], check=False, user=UID, group=UID,
                            extra_groups=[], stderr=subprocess.DEVNULL)
    ok(denied.returncode != 0, "the caller cannot read the configuration")
    sends("sendoff")
    sends("sendmail", "bob@example.net", program=SENDMAIL)
    sends("without an environment", env={"HOME": "", "PATH": ""})
    run = Run("--check")
    ok(run.status == 0 and b"password             ***" in run.out and
       USER.encode() in run.out, "--check shows all but the password", run)
    safe(run, "--check")
    for name in (CONFIG, "/dev/fd/3", "/dev/fd/4", "/proc/self/fd/3"):
        run = Run("--import", f"mox:{name}")
        ok(run.status == 66 and not leaks(run.out),
           f"--import {name}: with the caller's rights", run)
    run = Run("-bv", "bob@example.net")
    ok(run.status == 0 and OWN.encode() in run.out, "-bv", run)
    run = Run("-bs", text=b"EHLO me\r\nMAIL FROM:<" + USER.encode() +
              b">\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n")
    ok(run.out.count(b"\r\n250 ") >= 3 and b"\r\n5" not in run.out, "-bs", run)
    safe(run, "-bs")


# --- words --------------------------------------------------------------------

def settings():
    text = (TOP / "settings.c").read_text()
    names = re.findall(r'=\s*{ "([a-z0-9-]+)",', text)
    assert len(names) > 35, names
    return names


def values():
    (HOME / "file").write_text("x\n")
    e = f"localhost:{evil.port}"
    return [f"smtp://{e}", f"smtps://{e}", f"smtp+plain://{e}",
            f"smtp+opportunistic://{e}", f"socks5://{e}", e,
            f"127.0.0.1:{evil.port}", "localhost", "none", "auto", "off",
            "require", "never", "yes", "no", "PLAIN", "1", "1.3", "*",
            "x@evil.example", str(HOME / "file"), "/etc/sendoff.conf",
            "NORMAL:-VERS-ALL:+VERS-TLS1.2", f"{TMP}/ca/client.pem",
            f"pkcs11:?module-path={TMP}/evil.so", "sha256:" + 64 * "0"]


def long_options():
    told, missed = 0, []
    for name in settings():
        for value in values():
            run = Run(f"--{name}", value, "-i", "bob@example.net")
            if leaks(run.out) or leaks(evil.heard) or b"HANGS" in run.out:
                missed.append(str(run))
                evil.heard = b""
            told += b"takes the secret" in run.out
        tidy()
    ok(not missed, "every long option with every value: nothing is told",
       "\n".join(missed))
    ok(told > 100, f"many take the secret away: {told}")
    ok(RAISE.exists() is False, "nothing was loaded")
    sends("after all that")


BOTH = ["smtp://localhost:%d", "smtps://localhost:%d",
        "smtp+plain://localhost:%d", "smtp+opportunistic://localhost:%d",
        "smtp+plain://127.0.0.1:%d"]


def together():
    for url in BOTH:
        for more in ([], ["--auth", "PLAIN", "--user", "x"],
                     ["--account", "system", "--from", "x@y.example"],
                     ["--tls-name", "localhost", "--ca-file",
                      f"{TMP}/ca/ca.pem", "--dane", "off"]):
            run = Run("--server", url % evil.port, *more, "-v", "-v", "-i",
                      "bob@example.net")
            safe(run, f"{url} {' '.join(more)[:40]}")
    for url in BOTH:
        run = Run("--server", OWN, "--proxy", f"socks5://localhost:{evil.port}",
                  "--auth", "PLAIN", "-i", "bob@example.net")
        safe(run, "a proxy and PLAIN")
    (HOME / ".netrc").write_text(f"machine localhost login {USER} password p\n")
    give(HOME / ".netrc", 0o600)
    run = Run("--server", BOTH[0] % evil.port, "-i", "bob@example.net")
    ok(run.status == 0 and evil.mails > 0,
       "the caller's own password may go wherever the caller likes", run)
    safe(run, "netrc")
    (HOME / ".netrc").unlink()
    (HOME / "pw").write_text("mine\n")
    give(HOME / "pw", 0o600)
    run = Run("--server", BOTH[0] % evil.port, "--password-file", HOME / "pw",
              "-i", "bob@example.net")
    ok(run.status == 0, "the same with a file", run)
    safe(run, "--password-file")
    tidy()


def short_options():
    missed = []
    letters = "".join(map(chr, range(33, 127)))
    for program in SENDOFF, SENDMAIL:
        for letter in letters:
            for value in ("", "/etc/sendoff.conf", "/dev/stderr",
                          f"smtp://localhost:{evil.port}"):
                run = Run(f"-{letter}{value}", "-v", "--", "bob@example.net",
                          program=program)
                if leaks(run.out) or leaks(evil.heard) or b"HANGS" in run.out:
                    missed.append(str(run))
        tidy()
    ok(not missed, "every letter with every value: nothing is told",
       "\n".join(missed))
    for name in "mailq", "newaliases", "runq", "rmail", "smtpd", "x":
        run = Run("bob@example.net", executable=SENDOFF, program=name)
        safe(run, f"called {name}")


def traces():
    log = HOME / "log"
    for args in (["-v"], ["-v", "-v"], ["-vvvv"], ["--json"],
                 ["--log", log, "--log-level", "debug", "-vv"],
                 ["--log", log, "--log-format", "json", "--json",
                  "--log-level", "debug"]):
        run = Run(*args, "-i", "bob@example.net")
        ok(run.status == 0, f"{args}", run)
        safe(run, f"{args}")
    ok(log.exists() and os.stat(log).st_uid == UID and
       os.stat(log).st_gid == UID, "a log is the caller's, with his group")
    ok(not leaks(lying_about()), "nothing that lies about has it")
    run = Run("-v", "-i", "bob@example.net")
    ok(b"C: AUTH" in run.out and b"***" in run.out, "the login is masked", run)
    system(*account(OWN, f'password "{PASSWORD}x"', password=False))
    run = Run("-v", "-v", "-i", "bob@example.net")
    same(run.status, 77, "a login that is refused", run)
    safe(run, "it")
    system(*account(OWN, f"user {PASSWORD.split()[0]}", "auth PLAIN"))
    safe(Run("-vv", "-i", "bob@example.net"), "a refused PLAIN")
    tidy()


def shown_logins():
    """What a password could be guessed from is not for him, at any level."""
    def refused(what, *args, account_of="system", **more):
        before, calls = server.mails(), server.visits()
        run = Run(*args, **more)
        ok(run.status == 64 and run.out.count(b"\n") == 1 and
           f'"{account_of}" (/etc/sendoff.conf:1)' in run.shown() and
           server.mails() == before and server.visits() == calls,
           f"{what}: no, and no server is asked", run)
        safe(run, what)

    def has_challenge(run):
        return re.search(rb"S: 334 [^*\n]|# S?CRAM\S* [cs]|c=biws|s=.*,i=4096",
                         run.out)

    def sends_with(what, *args):
        before = server.mails()
        run = Run(*args, "-i", "bob@example.net")
        ok(run.status == 0 and server.mails() == before + 1 and
           not has_challenge(run), f"{what}: sent, and no challenge is shown",
           run)
        safe(run, what)
        return run

    for mechanism in "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "LOGIN":
        system(*account(OWN, f"auth {mechanism}"))
        run = sends_with(f"{mechanism} -vvv", "-vvv")
        ok(b"S: 334 ***" in run.out, "they are masked", run)
        # A server tells the count to anybody who names the user.
        ok(re.findall(rb"(?m)^.*SCRAM-SHA-\d+: (.*)", run.out) ==
           [b"iterations 4096"] * mechanism.startswith("SCRAM"),
           "but for the count of iterations", run)
    run = sends_with("--trace=data", "--trace=data,protocol")
    ok(b"D hello\n" in run.out, "his own message he may see", run)
    tidy()
    for what in (["--trace=auth"], ["--trace=data,auth", "-v"]):
        for args in (["-i", "bob@example.net"], ["--quit-after", "auth"],
                     ["--talk"], ["--probe"], ["--explain=live",
                     "bob@example.net"], ["--account", "system", "-i",
                                          "bob@example.net"]):
            refused(f"{what} {args}", *what, *args)
    ok(not leaks(lying_about()) and not list(pathlib.Path(
        f"/var/spool/sendoff/{UID}").glob("*")), "nothing is kept for it")
    run = Run("-bs", "--trace=auth", text=b"QUIT\r\n")
    same(run.status, 64, "nor in -bs", run)
    evils = f"smtp+plain://localhost:{evil.port}"
    refused("another server", "--trace=auth", "--server", evils, "-i",
            "bob@example.net")
    system(*account("smtp://localhost:1", "retry yes"))
    same(Run("bob@example.net", program=SENDMAIL).status, 0, "one is queued")
    system(*account(OWN, "retry yes"))
    file, = pathlib.Path(f"/var/spool/sendoff/{UID}").iterdir()
    text = file.read_bytes()
    for args in (["-q"], ["-qSsys"], ["--resend", file.name]):
        refused(f"--trace=auth {args}", "--trace=auth", *args)
        ok(file.read_bytes() == text, "the kept message is as it was")
    own("account mine", "from me@example.net", "aliases none", "log none",
        f"server smtp+plain://localhost:{evil.port}", "password mine",
        "auth PLAIN", f"keep {HOME}/kept")
    run = Run("--trace=auth", "-f", "me@example.net", "-i", "bob@example.net")
    ok(run.status == 0 and b"# PLAIN response: no authorization identity, user "
       b'"me@example.net"' in run.out, "his own account's he may see", run)
    safe(run, "his own")
    refused("the system's beside it", "--trace=auth", "--account", "system",
            "-i", "bob@example.net")
    run = Run("-q", "--trace=auth", program=SENDOFF, user=0, cwd="/",
              env={"HOME": "/root"})
    ok(run.status == 0 and b"# SCRAM-SHA-256" in run.out and
       not file.exists(), "root's -q is root's to see", run)
    safe(run, "root's -q")
    own()
    tidy()


# --- the environment ------------------------------------------------------------

def module():
    source = pathlib.Path(__file__).parent / "setgid/evil.c"
    target = TMP / "evil.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-w", f'-DMARK="{RAISE}"', "-o",
                    target, source], check=True)
    os.chmod(target, 0o755)
    os.chmod(TMP, 0o1777)                   # where the mark would be made
    return target


def environment():
    so = module()
    (HOME / "gss").write_text(f"evil 1.2.840.113554.1.2.2 {so}\n"
                              f"kerberos_v5 1.2.840.113554.1.2.2 {so}\n")
    modules = HOME / ".config/pkcs11/modules"
    modules.mkdir(parents=True, exist_ok=True)
    (modules / "evil.module").write_text(f"module: {so}\n")
    (HOME / "hosts").write_text(f"localhost evil.example\n")
    variables = {
        "RES_OPTIONS": "trust-ad debug", "LOCALDOMAIN": "evil.example",
        "HOSTALIASES": str(HOME / "hosts"), "RESOLV_HOST_CONF":
        "/etc/sendoff.conf", "GNUTLS_SYSTEM_PRIORITY_FILE": str(HOME / "file"),
        "SSLKEYLOGFILE": str(HOME / "keys"), "GNUTLS_DEBUG_LEVEL": "99",
        "XDG_CONFIG_HOME": str(HOME / ".config"), "XDG_STATE_HOME":
        str(HOME / "state"), "TMPDIR": str(HOME), "LD_PRELOAD": str(so),
        "LD_AUDIT": str(so), "LD_LIBRARY_PATH": str(TMP), "LD_DEBUG": "all",
        "LD_DEBUG_OUTPUT": str(HOME / "ld"), "LD_BIND_NOT": "1", "GCONV_PATH":
        str(HOME), "LOCPATH": str(HOME), "NLSPATH": str(HOME / "%N"),
        "MALLOC_TRACE": str(HOME / "malloc"), "MALLOC_CHECK_": "3",
        "MALLOC_PERTURB_": "1", "GLIBC_TUNABLES":
        "glibc.malloc.check=3:glibc.rtld.optional_static_tls=99999",
        "CREDENTIALS_DIRECTORY": str(HOME), "NETRC": str(HOME / "file"),
        "GSSAPI_MECH_CONF": str(HOME / "gss"), "GSS_MECH_CONFIG":
        str(HOME / "gss"), "P11_KIT_DEBUG": "all", "P11_KIT_STRICT": "yes",
        "P11_KIT_SERVER_ADDRESS": f"unix:path={HOME}/p11", "OPENSSL_CONF":
        str(HOME / "file"), "KRB5_CONFIG": str(HOME / "file"), "KRB5_TRACE":
        str(HOME / "krb"), "KRB5CCNAME": f"FILE:{HOME}/cc", "TZ":
        f":{HOME}/file", "TZDIR": str(HOME), "LC_ALL": "../../tmp/evil",
        "LANG": str(HOME), "LANGUAGE": "evil", "PATH": str(HOME), "IFS": "/",
        "ENV": str(HOME / "file"), "BASH_ENV": str(HOME / "file"), "NAME":
        "N\r\nBcc: x@evil.example", "LOGNAME": "root", "USER": "root",
        "all_proxy": f"socks5://localhost:{evil.port}", "HOME": "/root",
        "NETTLE_FAT_OVERRIDE": "none", "GNUTLS_CPUID_OVERRIDE": "1",
        "GNUTLS_FORCE_FIPS_MODE": "1", "GNUTLS_SKIP_FIPS_INTEGRITY_CHECKS":
        "1", "GETCONF_DIR": str(HOME), "NIS_PATH": "evil", "POSIXLY_CORRECT":
        "1", "TMP": str(HOME), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={HOME}",
        "NOTIFY_SOCKET": str(HOME / "notify"), "LISTEN_FDS": "9"}
    system(*account(OWN))
    before = {x for x in HOME.rglob("*")}
    # p11-kit is asked before main() and says that it is there
    talks = {"P11_KIT_DEBUG": variables.pop("P11_KIT_DEBUG")}
    run = Run("-i", "bob@example.net", env=talks)
    same(run.status, 0, "P11_KIT_DEBUG", run)
    safe(run, "P11_KIT_DEBUG")
    for name, value in variables.items():
        safe(sends(name, env={name: value}), name)
    safe(sends("all of them", env=variables), "all of them")
    made = {x for x in HOME.rglob("*") if ".local" not in x.parts} - before
    ok(not [x for x in made if x.parts[-1] not in ("state", "sendoff.memory", "seen",
                                                   "seen.lock")],
       "they have made no file", made)
    ok(not RAISE.exists(), "and loaded nothing",
       RAISE.exists() and RAISE.read_text())
    ok(not leaks(lying_about()), "nothing that lies about has it")
    run = Run("-i", "bob@example.net", env={"TZ": "XYZ-11:30", "NAME": "Ann"})
    mail = max((server.mail / "new").glob("*"), key=os.path.getctime)
    text = mail.read_text()
    ok("+1130" in text and "From: Ann <" in text, "TZ and NAME count", text)
    shutil.rmtree(HOME / "state", ignore_errors=True)


# --- files --------------------------------------------------------------------

def modes():
    """What the group reads: root's, of the group, 640."""
    good = account(OWN)
    for what, more, word in (
            ("660", {"mode": 0o660}, "its mode is not 640"),
            ("another's group", {"gid": 0}, "Permission denied"),
            ("another's", {"owner": 1}, "it is not root's"),
            ("nobody's", {"mode": 0o600}, "Permission denied"),
            ("644", {"mode": 0o644}, "others can read this file"),
            ("666", {"mode": 0o666}, "others can write it")):
        system(*good, **more)
        run = Run("-i", "bob@example.net")
        ok(run.status == 78 and word in run.shown(), f"{what}: {word}", run)
        safe(run, what)
        same(run.out.count(b"\n"), 1, f"{what}: one line")
    system(*good)
    os.rename(CONFIG, "/etc/else.conf")
    CONFIG.symlink_to("/etc/else.conf")
    run = Run("-i", "bob@example.net")
    ok(run.status == 78 and "it is a symbolic link" in run.shown(),
       "a symbolic link is not followed", run)
    CONFIG.unlink()
    os.mkfifo(CONFIG)
    os.chown(CONFIG, 0, group())
    os.chmod(CONFIG, 0o640)
    run = Run("-i", "bob@example.net")
    ok(run.status == 78 and "it is no plain file" in run.shown(), "a fifo", run)
    CONFIG.unlink()
    run = Run("-i", "bob@example.net")
    ok(run.status == 78 and "there is no account" in run.shown(), "none", run)
    system(*account("smtp+plain://localhost:1", "auth none", password=False),
           mode=0o644)
    run = Run("-v", "-i", "bob@example.net")
    ok(run.status == 75, "a public one without a password needs no group", run)
    system(*good, *["name x"] * 50000)
    safe(Run("-i", "bob@example.net"), "a long one")
    tidy()


def own_files():
    """-C and the caller's configuration are read with his rights."""
    system(*account(OWN))
    included = HOME / "include.conf"
    included.write_text("include /etc/sendoff.conf\n")
    for args in (["-C", CONFIG], ["--config", CONFIG], ["-C", included],
                 ["-C", "/proc/self/fd/3"], ["-C", "/dev/stdin"],
                 ["--config", included, "--check"]):
        run = Run(*args, "bob@example.net")
        ok(run.status in (64, 78), f"{args[0]} {args[1]}", run)
        safe(run, f"{args}")
    sends("sendmail -C", "-C", included, "bob@example.net", program=SENDMAIL)
    own("include /etc/sendoff.conf")
    safe(Run("-i", "bob@example.net"), "included by his own")
    own("password-file /etc/sendoff.conf", "from x@y.example",
        f"server smtp+plain://localhost:{evil.port}")
    safe(Run("-i", "bob@example.net"), "as his password file")
    mails = evil.mails
    look = HOME / "look"
    own("account mine", "from me@example.net", "aliases none", "log none",
        f"server smtp://localhost:{evil.port}", f"ca-file {TMP}/ca/ca.pem",
        "password-command 'cat /proc/$PPID/environ /proc/$PPID/mem "
        f"/proc/$PPID/maps > {look} 2>&1; id -gn >> {look}; echo mine:$HOME'")
    run = Run("-i", "bob@example.net")
    ok(run.status == 0 and evil.mails == mails + 1, "his own account", run)
    ok(b"caller" in look.read_bytes() and not leaks(look.read_bytes()),
       "its command has his group and cannot look into the program",
       look.read_bytes())
    safe(run, "his own account")
    run = Run("--account", "system", "-i", "bob@example.net")
    same(run.status, 0, "and the system's beside it", run)
    safe(run, "both")
    own("account mine", "from me@example.net", "aliases none", "log none",
        f"server smtp://localhost:{evil.port}", f"ca-file {TMP}/ca/ca.pem",
        f"client-certificate 'pkcs11:object=x?module-path={TMP}/evil.so'")
    safe(Run("-i", "bob@example.net"), "his own module")
    memory = pathlib.Path(f"{RAISE}.memory")
    ok(not memory.exists() or not leaks(memory.read_bytes()),
       "and it sees nothing")
    own()


def apart():
    """A run uses the caller's accounts or the system's."""
    system(*account(OWN, "match *@corp.example"))
    mine = ["account mine", "from me@example.net", "aliases none", "log none",
            f"server smtp://localhost:{evil.port}", f"ca-file {TMP}/ca/ca.pem",
            "password mine"]
    own(*mine)
    mails, heard = evil.mails, server.mails()
    run = Run("-i", "bob@example.net", "joe@corp.example")
    ok(run.status == 78 and "cannot be used in one run" in run.shown() and
       evil.mails == mails + 1 and server.mails() == heard,
       "one recipient for each: the system's is refused, aloud", run)
    safe(run, "one for each")
    talk = "".join(f"MAIL FROM:<{x}>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n"
                   "\r\nx\r\n.\r\n" for x in (USER, "me@example.net", USER))
    run = Run("-bs", text=("EHLO me\r\n" + talk + "QUIT\r\n").encode())
    ok(run.out.count(b"cannot be used in one run") == 1 and
       evil.mails == mails + 1 and server.mails() >= heard + 1,
       "-bs: nor two in turn", run)
    safe(run, "-bs")
    tidy()

    # -q serves both, each by itself
    system(*account("smtp://localhost:1", "match *@corp.example"))
    own(*[x.replace(str(evil.port), "1") for x in mine])
    run = Run("-f", "me@example.net", "bob@example.net", program=SENDMAIL)
    same(run.status, 75, "his own is kept", run)
    run = Run("-f", USER, "joe@corp.example", program=SENDMAIL)
    same(run.status, 75, "the system's is kept", run)
    ok(list(pathlib.Path(f"/var/spool/sendoff/{UID}").glob("*")) and
       list((HOME / ".local/state/sendoff").glob("*")), "each in its place")
    system(*account(OWN, "match *@corp.example"))
    own(*mine)
    mails, heard = evil.mails, server.mails()
    run = Run("-qSe", program=SENDMAIL)
    ok(run.status == 0 and run.out == b"" and evil.mails == mails + 1 and
       server.mails() == heard + 1, "-q sends both", run)
    safe(run, "-q")
    own()
    tidy()


def key():
    """A key alone is a secret like the password; its certificate is none."""
    line = f"client-key-ed25519 {KEY}"
    system(*account(OWN, line, password=False))
    run = Run("--check")
    digest = re.search(rb"public key is sha256:([0-9a-f]{64})\n", run.out)
    ok(run.status == 0 and b"client-key-ed25519   ***" in run.out and digest,
       "a key: --check", run)
    safe(run, "a key: --check")
    run = Run("--print-certificate")
    ok(run.status == 0 and run.out.startswith(b"-----BEGIN CERTIFICATE"),
       "a key: --print-certificate", run)
    safe(run, "a key: --print-certificate")
    knows = Own("--tls=implicit", "--client-key", digest[1].decode(),
                "--require-client-cert", "--mechanisms", "EXTERNAL")
    own_url = f"smtps://localhost:{knows.port}"
    system(*account(own_url, line, password=False))
    run = Run("-vvv", "--json", "-i", "bob@example.net")
    ok(run.status == 0 and b"AUTH EXTERNAL" in run.out, "a key: it logs in",
       run)
    safe(run, "a key: -vvv --json")
    for args in (["--server", f"smtps://localhost:{evil.port}"],
                 ["--client-certificate", f"{TMP}/ca/client.pem"],
                 ["--auth", "EXTERNAL", "--tls-priority", "NORMAL"]):
        run = Run(*args, "--check")
        safe(run, f"a key: {args[0]}, --check")
        run = Run(*args, "-i", "bob@example.net")
        ok(run.status != 0, f"a key: {args[0]}", run)
        safe(run, f"a key: {args[0]}")
    for wrong in (line + "x", line + " " + KEY, line[:-1], f"'{line}"):
        system(*account(own_url, wrong, password=False))
        run = Run("--check")
        ok(run.status == 78, "a key that is none", run)
        safe(run, "a key that is none")
    knows.process.terminate()
    tidy()


def limits():
    """What the administrator has said stays said."""
    system(*account(OWN, "allow-from *@corp.example", f"user {USER}"))
    for args in (["--allow-from", "*"], ["--from", "x@y.example"]):
        run = Run(*args, "-f", "x@y.example", "-i", "bob@example.net")
        ok(run.status == 78 and f"{args[0]} takes the secret" in run.shown(),
           f"{args[0]}: allow-from stays", run)
    for line, word in (
            (f"password-command 'echo {PASSWORD}'", "is not run"),
            (f"oauth-command 'touch {TMP}/ran; echo {PASSWORD}'",
             "oauth-command of the account"),
            ("password-file /etc/system.password", "Permission denied"),
            ("client-certificate pkcs11:object=x", "pkcs11: URI")):
        pathlib.Path("/etc/system.password").write_text(PASSWORD + "\n")
        os.chown("/etc/system.password", 0, group())
        os.chmod("/etc/system.password", 0o640)
        system(*account(OWN, line, password=False))
        run = Run("-i", "bob@example.net")
        ok(run.status == 78 and word in run.shown() and
           run.out.count(b"\n") == 1, f"{line.split()[0]}: {word}", run)
        safe(run, line.split()[0])
        safe(Run("--check"), "--check")
    system(*account(OWN), "include /etc/system.password")
    run = Run("-i", "bob@example.net")
    ok(run.status == 78 and "must be a file that you may read" in run.shown(),
       "include is read with the caller's rights", run)
    safe(run, "include")
    for line in (f"passwort {PASSWORD}", f'"{PASSWORD}" x', f"'{PASSWORD}",
                 f"{PASSWORD}", f"dane {PASSWORD.split()[0]}",
                 "ca-file ca.pem", "include more.conf"):
        system(*account(OWN), line)
        for args in ["-i", "bob@example.net"], ["--check"]:
            run = Run(*args)
            ok(run.status == 78 and "not for your eyes" in run.shown(),
               f"a mistake in it is not shown: {line.split()[0][:9]}", run)
            safe(run, "it")
    root = Run("--check", user=0)
    ok('begins with "/"' in root.shown(), "root is told all", root)
    tidy()


def other_stores():
    """Kept files: another's, and such as the caller has written himself."""
    system(*account(OWN))
    other = pathlib.Path("/var/spool/sendoff/65534")
    other.mkdir(mode=0o700)
    (other / "20260101T000000Z-000000000000").write_text("x")
    os.chown(other, 65534, 65534)
    for args in (["--show", "20260101T000000Z-000000000000"],
                 ["--resend", "20260101T000000Z-000000000000"],
                 ["--forget", "20260101T000000Z-000000000000"], ["-q"], ["-bp"]):
        run = Run(*args)
        safe(run, f"{args}")
    ok((other / "20260101T000000Z-000000000000").exists(), "it is left alone")
    shutil.rmtree(other)
    mine = pathlib.Path(f"/var/spool/sendoff/{UID}")
    system(*account("smtp://localhost:1"))
    same(Run("bob@example.net", program=SENDMAIL).status, 75, "one is kept")
    file, = mine.iterdir()
    text = file.read_text().replace("NOOP state held", "NOOP state queued")
    system(*account(OWN))
    for change in (
            lambda t: t.replace("EHLO localhost", f"EHLO x\r\nNOOP server smtp+"
                                f"plain://localhost:{evil.port}"),
            lambda t: re.sub("NOOP account.*", "NOOP account system\\r\\nNOOP "
                             f"server smtp+plain://localhost:{evil.port}\\r", t),
            lambda t: re.sub("(MAIL FROM:<.*?>)", r"\1 AUTH=x BODY=8BITMIME "
                             f"RELAY=localhost:{evil.port}", t),
            lambda t: t.replace(USER, f"x@[127.0.0.1:{evil.port}]"),
            lambda t: re.sub("NOOP account.*", "NOOP account ../../x\\r", t)):
        file.write_bytes(change(text).encode())
        give(file, 0o600)
        for args in (["-q"], ["-qSe"], ["-qSe", "--server",
                     f"smtp+plain://localhost:{evil.port}"]):
            if file.exists():
                safe(Run(*args), f"a kept file of his own hand, {args}")
    tidy()


# --- the process --------------------------------------------------------------

LOOK = r"""
import ctypes, os, sys
pid = int(sys.argv[1])
for name in ("mem", "environ", "maps", "auxv", "stack", "syscall", "io",
             "smaps", "pagemap", "map_files", "fd", "fdinfo", "cwd", "root"):
    path = f"/proc/{pid}/{name}"
    try:
        if name in ("map_files", "fd", "fdinfo"):
            print(name, os.listdir(path))
        elif name in ("cwd", "root"):
            print(name, os.readlink(path))
        else:
            print(name, len(open(path, "rb").read(64)))
    except OSError as e:
        pass
libc = ctypes.CDLL(None, use_errno=True)
for request in (16, 0x4206):
    if libc.ptrace(request, pid, None, None) == 0:
        print("ptrace", hex(request))
vec = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
far = (ctypes.c_size_t * 2)(0x400000, 8)
libc.process_vm_readv(pid, vec, 1, far, 1, 0)
if ctypes.get_errno() != 1:
    print("process_vm_readv", ctypes.get_errno())
"""


def inspected():
    """While it waits for a server, and when it dies of a signal."""
    system(*account(f"smtp://localhost:{stalled.port}"))
    cores = TMP / "cores"
    cores.mkdir(mode=0o777)
    os.chmod(cores, 0o1777)

    with subprocess.Popen(["sleep", "60"], user=UID, group=UID,
                          extra_groups=[]) as p:
        seen = subprocess.run([PYTHON, "-c", LOOK, str(p.pid)], check=False,
                              user=UID, group=UID, extra_groups=[],
                              capture_output=True).stdout
        ok(b"mem" in seen or b"maps" in seen and b"ptrace" in seen,
           "another program of the caller's can be looked into", seen)
        p.kill()

    def unlimited():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)   # "make check &"
    for number in signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT:
        calls = stalled.calls
        run = Run("-i", "bob@example.net", wait=False, cwd=cores,
                  preexec=unlimited)
        run.process.stdin.write(MESSAGE)
        run.process.stdin.close()
        run.process.stdin, run.text = None, None
        ok(until(lambda c=calls: stalled.calls > c), "it waits for the server")
        p = subprocess.run([PYTHON, "-c", LOOK, str(run.process.pid)],
                           check=False, user=UID, group=UID, extra_groups=[],
                           capture_output=True)
        same((p.stdout, p.stderr), (b"", b""), "nobody can look into it")
        run.process.send_signal(number)
        run.end()
        same(run.status, -number, f"it dies of {number.name}")
        same(list(cores.iterdir()), [], "and leaves no core")
        safe(run, number.name)
    tidy()


def descriptors():
    system(*account(OWN))
    for closed in itertools.chain.from_iterable(
            itertools.combinations((0, 1, 2), n) for n in range(4)):
        for program in SENDOFF, SENDMAIL:
            def close(fds=closed):
                for fd in fds:
                    os.close(fd)
            before = server.mails()
            run = Run("-i", "bob@example.net", program=program, preexec=close,
                      text=None if 0 in closed else MESSAGE)
            want = 66 if 0 in closed else 0
            ok(run.status == want and
               server.mails() == before + (want == 0),
               f"closed {closed}, {program.name}", run)
            safe(run, f"closed {closed}")
    for most in range(9):
        def few(n=most):
            resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
        before = server.mails()
        run = Run("-i", "bob@example.net", preexec=few)
        ok(run.status != 0 or server.mails() > before, f"{most} descriptors",
           run)
        safe(run, f"{most} descriptors")
    for name in "AS", "DATA", "STACK", "FSIZE", "NPROC", "CPU", "MEMLOCK":
        for value in 0, 1 << 16, 1 << 21:
            def small(n=name, v=value):
                resource.setrlimit(getattr(resource, "RLIMIT_" + n), (v, v))
            try:
                safe(Run("-i", "bob@example.net", preexec=small),
                     f"RLIMIT_{name} {value}")
            except subprocess.SubprocessError:
                pass
    tidy()


def arguments():
    system(*account(OWN))
    for n in 1, 1000, 100000:
        run = sends(f"argv[0] of {n}", program="x" * n, executable=SENDOFF)
        safe(run, f"argv[0] of {n}")
    source = """
import ctypes, os
libc = ctypes.CDLL(None)
libc.execve(%r, None, None)
""" % os.fsencode(SENDOFF)
    p = subprocess.run([PYTHON, "-c", source], check=False, user=UID,
                       group=UID, extra_groups=[], capture_output=True,
                       input=MESSAGE)
    ok(p.returncode == 64 and not leaks(p.stdout + p.stderr), "no argument",
       f"{p}")
    run = Run("-i", *["x" * 1000] * 1500)
    safe(run, "1.5 MB of arguments")
    tidy()


def traced(*inject, args=("-i", "bob@example.net"), text=MESSAGE):
    """Under root's strace: status, its lines, where standard input stands."""
    out = TMP / "trace"
    with open(TMP / "message", "w+b") as f:
        f.write(text)
        f.flush()
        f.seek(0)
        cwd = TMP / "hostile"
        cwd.mkdir(exist_ok=True)
        p = subprocess.run(
            ["strace", "-f", "-u", "caller", "-o", out, *inject, SENDOFF, *args],
            check=False, stdin=f, capture_output=True, cwd=cwd,
            env={"HOME": str(HOME), "PATH": os.environ["PATH"]})
        return p, out.read_text().splitlines(), os.lseek(f.fileno(), 0, 1)


def steps():
    """What is done with the group, in order."""
    system(*account(OWN))
    p, lines, _ = traced()
    if p.returncode != 0:
        print(f"# no strace here: {p.stderr}", flush=True)
        ok(shutil.which("strace") is None, "strace", p.stderr)
        return
    calls = [x.split(None, 1)[1] for x in lines]
    opened = [re.search(r'^open(?:at2?)?\((?:AT_FDCWD, )?"(.*?)"', x)
              for x in calls]
    names = [x[1] for x in opened if x]
    ok(names and not [x for x in names if x[:1] != "/"],
       "nothing is opened from the current folder", names)
    drop = [i for i, x in enumerate(calls) if x.startswith("setresgid")]
    ok(calls[drop[0]].startswith(f"setresgid({UID}, {UID}, {UID})") and
       calls[drop[0]].endswith(" = 0"),
       "the group is given up", calls[drop[0]])
    ok("EPERM" in calls[drop[1]], "and does not come back", calls[drop[1]])
    main = max(i for i, x in enumerate(calls) if "getresuid" in x)
    mine = [x[1] for x in opened[main:drop[0]] if x]
    same(mine, [str(CONFIG)], "it has served one open()")
    ok("O_NOFOLLOW" in calls[main + [bool(x) for x in opened[main:]].index(
        True)], "of no link")
    ok(not [x for x in calls[:drop[0]] if x.startswith(("read(0", "execve(")) and
            "SENDOFF" in x or x.startswith(("socket(", "connect("))],
       "before anything else")
    for what, inject in (
            ("setresgid fails", "setresgid:error=EPERM:when=1"),
            ("setresgid lies", "setresgid:retval=0:when=1"),
            ("the group comes back", "setresgid:retval=0:when=2"),
            ("getresgid fails", "getresgid:error=EPERM:when=2"),
            ("getresuid fails", "getresuid:error=EPERM")):
        before = server.mails()
        p, lines, at = traced("-e", f"inject={inject}")
        ok(p.returncode == 71 and p.stderr.count(b"\n") == 1 and at == 0 and
           server.mails() == before and not leaks(p.stderr),
           f"{what}: 71, and nothing is read",
           f"{p}\n" + "\n".join(lines[-8:]))


def set_uid():
    os.chmod(SENDOFF, 0o4755)
    for user in UID, 0:
        run = Run("-i", "bob@example.net", user=user)
        ok((run.status == 78 and "set-uid" in run.shown()) if user else
           run.status == 0, f"a set-uid program refuses itself ({user})", run)
    os.chmod(SENDOFF, 0o6755)
    run = Run("-i", "bob@example.net")
    ok(run.status == 78 and "chmod u-s" in run.shown(), "set-gid, too", run)
    safe(run, "set-uid")
    os.chmod(SENDOFF, 0o2755)


# --- root's -q ------------------------------------------------------------------

def keep_one(args=()):
    system(*account("smtp://localhost:1", "retry yes"))
    tidy()
    run = Run(*args, "bob@example.net", program=SENDMAIL)
    same(run.status, 0, "one is queued", run)


def queue(env=None, wait=True):
    return Run("-q", program=SENDMAIL, user=0, wait=wait, cwd="/",
               env={"HOME": "/root", "OF_ROOT": PASSWORD, **(env or {})})


def roots_queue():
    for mode, program in itertools.product((0o640, 0o600, 0o400),
                                           (0o2755, 0o755)):
        keep_one()
        system(*account(OWN, "retry yes"), mode=mode)
        before = server.mails()
        os.chmod(SENDOFF, program)
        run = queue()
        os.chmod(SENDOFF, 0o2755)
        ok(run.status == 0 and run.out == b"" and
           server.mails() == before + 1, f"root's -q sends it, {mode:o}", run)
    keep_one()
    system(*account(OWN, f"password-command 'touch {TMP}/ran; echo x'",
                    "retry yes", password=False), mode=0o600)
    run = queue()
    left = Run("--queue", "--json")
    ok("is not run" in left.shown() and not (TMP / "ran").exists(),
       "a command of root's is not the owner's", left)
    system(*account(f"smtp://localhost:{stalled.port}", "retry yes"), mode=0o600)
    keep_one()
    system(*account(f"smtp://localhost:{stalled.port}", "retry yes"), mode=0o600)
    calls = stalled.calls
    run = queue(wait=False)
    ok(until(lambda: stalled.calls > calls), "it waits for the server")
    p = subprocess.run(["pgrep", "-u", str(UID), "-f", "sendmail"], check=False,
                       capture_output=True)
    pids = p.stdout.split()
    ok(pids, "as the owner")
    for pid in pids:
        p = subprocess.run([PYTHON, "-c", LOOK, pid], check=False,
                           user=UID, group=UID, extra_groups=[],
                           capture_output=True)
        same((p.stdout, p.stderr), (b"", b""), "who cannot look into it")
    run.process.terminate()
    run.end()
    safe(run, "root's -q")
    tidy()


def owners_module():
    """The owner's own code in root's -q sees nothing of root's, nor of the
    system's: a PKCS#11 module is loaded into the process."""
    system(*account("smtp://localhost:1", "retry yes"), mode=0o600)
    own("account mine", "from me@example.net", "aliases none", "log none",
        "retry yes", f"server smtp://localhost:{evil.port}",
        f"ca-file {TMP}/ca/ca.pem", "password p")
    system(*account("smtp://localhost:1", "retry yes"))
    for sender in "me@example.net", USER:
        port = evil.port
        own("account mine", "from me@example.net", "aliases none", "log none",
            "retry yes", "server smtp://localhost:1", "password p")
        run = Run("-f", sender, "bob@example.net", program=SENDMAIL)
        same(run.status, 0, f"{sender}: queued", run)
    own("account mine", "from me@example.net", "aliases none", "log none",
        "retry yes", f"server smtp://localhost:{port}",
        f"ca-file {TMP}/ca/ca.pem", "password p",
        "client-certificate 'pkcs11:object=x'")
    # as it is found when a store of one's own is below /var/spool
    spool = pathlib.Path(f"/var/spool/sendoff/{UID}")
    for file in (HOME / ".local/state/sendoff").iterdir():
        shutil.move(file, spool / file.name)
        give(spool / file.name, 0o600)
    root = pathlib.Path("/root-of-test")
    RAISE.unlink(missing_ok=True)
    memory = pathlib.Path(f"{RAISE}.memory")
    memory.unlink(missing_ok=True)
    system(*account(OWN, "retry yes"), mode=0o600)
    before = server.mails()
    os.chmod(SENDOFF, 0o755)        # or p11-kit would not look at his file
    run = queue()
    os.chmod(SENDOFF, 0o2755)
    same(server.mails(), before + 1, "the system's is sent", run)
    if not RAISE.exists():
        print("# p11-kit has loaded no module of the owner's", flush=True)
    else:
        octets = memory.read_bytes()
        ok(f"uid {UID} gid {UID}" in RAISE.read_text(), "his module is loaded",
           RAISE.read_text())
        ok(b"pkcs11:object=x" in octets, "it sees his own configuration")
        for needle in NEEDLES:
            ok(needle not in octets, "and not the secret", [
                octets[m.start() - 60:m.start() + 60] for m in
                re.finditer(re.escape(needle), octets)][:4])
    safe(run, "root's -q")
    own()
    tidy()


try:
    for story in (ordinary, long_options, together, short_options, traces,
                  shown_logins,
                  environment, modes, own_files, apart, key, limits,
                  other_stores,
                  inspected, descriptors, arguments, steps, set_uid,
                  roots_queue, owners_module):
        print(f"# {story.__name__}", flush=True)
        story()
finally:
    server.process.terminate()
    server.process.wait()
done()
