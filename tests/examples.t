#!/usr/bin/python3 -B
"""Every example of sendmail(8), sendoff(1) and sendoff.conf(5) is run as it is
printed, on a machine where the servers that it names are there; one that
nobody runs here fails."""

import os
import re
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tap                                                      # noqa: E402
from manual.page import every_example                           # noqa: E402
from manual import world                                        # noqa: E402
from manual.world import ME, PHRASE, ROOT_ENV, SERVERS, sh, systems, write  # noqa: E402,E501

world.enter(__file__)

from servers import activator                                   # noqa: E402

os.umask(0o022)

EXAMPLES = every_example()
OWN = "/home/me/.config/sendoff.conf"
RUN = {}                        # (page, heading): what runs its displays


def runs(page, heading):
    def take(function):
        RUN[page, heading] = function
        return function
    return take


# --- what is looked at --------------------------------------------------------

def good(run, what, status=0, silent=True):
    told = run.stdout + run.stderr
    return tap.ok(run.returncode == status and not (silent and told),
                  what + (": in silence" if silent else ""),
                  f"status {run.returncode}\n{told}")


def good_text(run, what):
    good(run, what, silent=False)
    return run.stdout


def sent(server, what, *words, count=1):
    """So many have come, and the words are in envelope or text of each."""
    mails = SERVERS[server].take()
    tap.ok(len(mails) == count, f"{what}: {count} sent by {server}", mails)
    for envelope, text in mails:
        missing = [w for w in words if w not in envelope + "\n" + text]
        tap.ok(not missing, f"{what}: as it should be",
               f"{missing}\n{envelope}\n{text}")
    others = [n for n, s in SERVERS.items() if s.take()]
    tap.ok(not others, f"{what}: by no other", others)
    return mails


def configuration(text, what, user="me"):
    """--check takes it; it is then in its place."""
    if user == "me":
        write(OWN, text, 0o600, ME)
        os.chown(os.path.dirname(OWN), ME, ME)
    else:
        systems(text)
    good(sh("sendoff --check", user), f"{what}: --check", silent=False)


def submits(text, what, server, *words, user="me", **more):
    """A configuration: by it a message goes, in silence."""
    configuration(text, what, user)
    good(sh("sendmail -i bob@example.net < $HOME/message" if user == "me" else
            "printf 'Subject: a\\n\\nb\\n' | sendmail -i bob@example.net",
            user, **more), what)
    return sent(server, what, *words)


def units(what, **texts):
    """They are put where systemd has them, and it finds nothing wrong."""
    for name, text in texts.items():
        write("/etc/systemd/system/" + name, text)
    checked = sh("systemd-analyze verify " + " ".join(
        shlex.quote("/etc/systemd/system/" + n) if "@" not in n else
        shlex.quote(n.replace("@.", "@backup.service."))
        for n in texts if not n.endswith(".conf")))
    wrong = [x for x in checked.stderr.splitlines()
             if any(name in x for name in texts)]
    tap.ok(checked.returncode == 0 and not wrong,
           f"{what}: systemd-analyze verify", checked.stderr)


def start_unit(text, what, env=None, **specifiers):
    command = shlex.split(world.exec_start(text, **specifiers))
    run = subprocess.run(command, env={"PATH": ROOT_ENV["PATH"],
                                       "LANG": "C.UTF-8", **(env or {})},
                         check=False, capture_output=True, text=True, cwd="/",
                         timeout=tap.PATIENCE)
    good(run, f"{what}: ExecStart")


# --- sendmail(8) --------------------------------------------------------------

ACCOUNT = EXAMPLES["sendoff.conf.5", "A machine", 1]


@runs("sendmail.8", "Cron")
def cron(tab):
    """What cron(8) does with it; the real one is in interop/callers.t."""
    systems(ACCOUNT)
    world.stub("backup", "echo copied\n")
    setting, job = tab.splitlines()
    name, _, whom = setting.partition("=")
    command = job.split(None, 5)[5]
    tap.same((name, len(job.split(None, 5)[:5])), ("MAILTO", 5), "cron: lines")
    run = sh(f"({command}) 2>&1")
    text = "From: root (Cron Daemon)\nTo: " + whom + "\nSubject: Cron " \
        f"<root@host> {command}\nContent-Type: text/plain\n\n" + run.stdout
    good(sh(f"/usr/sbin/sendmail -FCronDaemon -i -B8BITMIME -oem {whom}",
            text=text), "cron")
    sent("org", "cron", "rcpt <admin@example.org>", "\ncopied\n",
         "From: Cron Daemon <alerts@example.org>")


@runs("sendmail.8", "Scripts")
def scripts(text):
    systems(ACCOUNT)
    good(sh(text), "script")
    sent("org", "script", "rcpt <admin@example.org>", "Subject: disks of ",
         "Filesystem")


@runs("sendmail.8", "PHP")
def php(line):
    systems(ACCOUNT)
    name, _, value = line.strip().partition(" = ")
    tap.same((name, value[0], value[-1]), ("sendmail_path", '"', '"'), "php")
    good(sh(value[1:-1], text="To: bob@example.net\nSubject: s\n\nb\n.\nc\n"),
         "php")
    sent("org", "php", "rcpt <bob@example.net>", "\nb\n.\nc\n")


@runs("sendmail.8", "git")
def git(once, each):
    """With what send-email does; the real one is in interop/callers.t."""
    systems(ACCOUNT)
    write(world.TMP + "/bin/git-send-email", """#!/bin/sh
        for to; do case $to in --to=*) to=${to#--to=}; break ;; esac; done
        git format-patch -q --stdout "${*##* }" |
            $(git config sendemail.sendmailCmd) -i "$to"\n""", 0o755)
    good(sh(once), "git config")
    good(sh(f"""cd; git init -q r; cd r; git config user.name A
        git config user.email a@example.org
        for i in 1 2; do echo $i > f; git add f; git commit -q -m "n $i"; done
        {each}"""), "git")
    sent("org", "git", "rcpt <bob@example.net>", "Subject: [PATCH] n 2")


@runs("sendmail.8", "A unit of systemd that fails")
def failing_unit(service, drop_in):
    systems(ACCOUNT)
    write("/etc/systemd/system/backup.service.d/override.conf", drop_in)
    units("failing unit", **{
        "failure-mail@.service": service,
        "backup.service": "[Service]\nExecStart=/bin/false\n"})
    wanted, = re.findall(r"OnFailure=(.*)", drop_in)
    wanted = wanted.replace("%n", "backup.service")
    tap.same(wanted, "failure-mail@backup.service.service", "its name")
    start_unit(service, "failing unit", i="backup.service")
    sent("org", "failing unit", "rcpt <admin@example.org>",
         "Subject: backup.service has failed")


@runs("sendmail.8", "The socket service")
def socket_service(folders, submit, everybody, use):
    good(sh(folders), "socket service: folders")
    for path, mode in (("/etc/sendoff", 0o700), ("/etc/credstore", 0o700),
                       ("/etc/sendoff/submit.conf", 0o600),
                       ("/etc/credstore/sendoff.default", 0o600)):
        tap.same(os.stat(path).st_mode & 0o777, mode, f"socket service: {path}")
    write("/etc/sendoff/submit.conf", submit, 0o600)
    write("/etc/credstore/sendoff.default", PHRASE + "\n", 0o600)
    good(sh("sendoff --config /etc/sendoff/submit.conf --check"),
         "socket service: submit.conf", silent=False)
    write("/etc/sendoff.conf", everybody, 0o644)
    credentials = activator.SECRETS
    os.chmod(activator.TMP, 0o711)
    for folder in credentials, activator.STATE, "/run/sendoff":
        os.makedirs(folder, exist_ok=True)
        activator.own(folder, activator.SERVICE)
    os.chmod("/run/sendoff", 0o755)
    for name, source in (("sendoff.conf", "/etc/sendoff/submit.conf"),
                         ("sendoff.default", "/etc/credstore/sendoff.default")):
        with open(source, encoding="utf-8") as f:
            write(f"{credentials}/{name}", f.read(), 0o400, activator.SERVICE)
    with open("/etc/systemd/system/sendoff@.service", encoding="utf-8") as f:
        command = world.exec_start(f.read())
    listener = activator.Activator(path="/run/sendoff/submit")
    listener.command = shlex.split(command.replace(
        "${CREDENTIALS_DIRECTORY}", credentials))
    enable, try_it = use.splitlines()
    good(sh(enable), "socket service: enabled", silent=False)
    tap.ok(os.path.islink("/etc/systemd/system/sockets.target.wants/"
                          "sendoff.socket"), "socket service: is started")
    run = sh(try_it)
    good(run, "socket service", silent=False)
    tap.ok("S: 250" in run.stderr, "socket service: -v shows it", run.stderr)
    sent("org", "socket service", "user alerts@example.org",
         "rcpt <admin@example.org>", "Subject: it works")
    run = sh("echo x | sendmail bob@example.net", "me")
    tap.ok(run.returncode == 69 and "550" in run.stderr,
           "socket service: who is not in allow-user may not", run.stderr)


def queue(what, user="root"):
    """A message while the server is away: 0, and nothing is sent."""
    world.hosts(mail_example_org=world.AWAY)
    good(sh("printf 'Subject: later\\n\\nb\\n' | sendmail -i bob@example.net",
            user), f"{what}: queued")
    sent("org", what, count=0)
    world.hosts()


@runs("sendmail.8", "A timer that tries again")
def timer(conf, enable, tab):
    configuration(conf, "timer", "root")
    queue("timer")
    good(sh(enable), "timer: enabled", silent=False)
    tap.ok(os.path.islink("/etc/systemd/system/timers.target.wants/"
                          "sendoff-queue.timer"), "timer: is started")
    with open("/etc/systemd/system/sendoff-queue.service",
              encoding="utf-8") as f:
        start_unit(f.read(), "timer")
    sent("org", "timer", "rcpt <bob@example.net>", "Subject: later")
    systems(None)
    configuration(conf, "crontab")
    queue("crontab", "me")
    fields = tab.split(None, 5)
    tap.same(fields[:5], ["*/5", "*", "*", "*", "*"], "crontab: five fields")
    good(sh(fields[5], "me"), "crontab")
    sent("org", "crontab", "rcpt <bob@example.net>", "Subject: later")


@runs("sendmail.8", "What is kept")
def kept(text):
    systems(ACCOUNT)
    world.hosts(mail_example_org=world.AWAY)
    good(sh("echo x | sendmail bob@example.net"), "kept", 75, silent=False)
    world.hosts()
    run = sh(text)
    good(run, "kept", silent=False)
    tap.ok("<bob@example.net>" in run.stdout and
           "goes to <admin@example.org>" in run.stdout, "kept: list, -bv",
           run.stdout)
    sent("org", "kept", "rcpt <bob@example.net>")


# --- sendoff(1) ---------------------------------------------------------------

FIRST = EXAMPLES["sendoff.1", "A first account", 1]


@runs("sendoff.1", "A first account")
def first(conf, script):
    submits(conf, "first account", "org", "user me@example.org")
    run = sh(script, "me")
    good(run, "first account", silent=False)
    tap.ok("***" in run.stdout and "goes to <bob@example.net>" in run.stdout,
           "first account: shown", run.stdout)


@runs("sendoff.1", "Messages")
def messages(script):
    configuration(FIRST, "messages")
    run = sh(script, "me")
    good(run, "messages", silent=False)
    tap.ok("C: EHLO" in run.stderr and '"recipients"' in run.stdout,
           "messages: dialogue and JSON", run.stdout + run.stderr)
    sent("org", "messages", "rcpt <bob@example.net>", "Subject: ", count=3)


@runs("sendoff.1", "Two accounts")
def by_sender(script):
    two_accounts(EXAMPLES["sendoff.conf.5", "Two accounts", 1])
    good(sh(script, "me"), "two accounts")
    sent("com", "two accounts", "user me\n", "mail <me@example.com>", count=2)


@runs("sendoff.1", "Testing a server")
def testing(script):
    configuration(FIRST, "testing")
    run = sh(script, "me")
    good(run, "testing", silent=False)
    tap.ok("smtps://mail.example.org" in run.stdout, "testing: probed",
           run.stdout)
    sent("plain", "testing", "mail <me@example.org>", "rcpt <bob@example.net>")


@runs("sendoff.1", "A login that is refused")
def traced(script):
    configuration(FIRST, "traced")
    run = sh("cd\n" + script, "me")
    good(run, "traced", silent=False)
    with open("/home/me/trace", encoding="utf-8") as f:
        trace = f.read()
    tap.ok('user "me@example.org"' in run.stderr and
           f"password of {len(PHRASE)} octets" in run.stderr or
           "a proof of 44 octets" in run.stderr,
           "traced: the login in words", run.stderr)
    tap.ok(PHRASE not in run.stderr + trace and "D Subject: " in trace,
           "traced: and the data", trace)
    sent("org", "traced", "rcpt <bob@example.net>")


@runs("sendoff.1", "Another day")
def another_day(script):
    configuration(FIRST, "another day")
    good(sh(script, "me"), "another day")
    mails = sent("org", "another day", "rcpt <bob@example.net>", count=2)
    envelopes = sorted(e for e, _ in mails)
    tap.ok(any("HOLDUNTIL=" in e for e in envelopes) and
           any(re.search(r"BY=36\d\d;R|BY=3[56]\d\d;R", e) for e in envelopes),
           "another day: the server was asked for it", envelopes)


@runs("sendoff.1", "What was not sent")
def not_sent(script, forget):
    configuration(FIRST, "not sent")
    ids = []
    for _ in range(2):
        world.hosts(mail_example_org=world.AWAY)
        good(sh("sendoff --keep bob@example.net < message", "me"), "not sent",
             75, silent=False)
        world.hosts()
        ids.append(sh("sendoff --queue | sed -n 2p", "me").stdout.split()[0])
        if len(ids) == 1:
            run = sh(re.sub(r"\bID\b", ids[0], script), "me")
            good(run, "not sent", silent=False)
            tap.ok(run.stdout.count(ids[0]) > 1 and "RCPT TO:" in run.stdout,
                   "not sent: listed and shown", run.stdout)
            sent("org", "not sent", "rcpt <bob@example.net>")
    good(sh(re.sub(r"\bID\b", ids[1], forget), "me"), "forgotten")
    tap.same(sh("mailq", "me").stdout, "Mail queue is empty\n", "nothing left")


@runs("sendoff.1", "Another program's configuration")
def imported(script):
    write("/home/me/.msmtprc", "account default\nhost mail.example.org\n"
          "tls on\ntls_starttls off\nport 465\nauth on\nuser me@example.org\n"
          f"from me@example.org\npassword \"{PHRASE}\"\n", 0o600, ME)
    good(sh("mkdir .config", "me"), "import: a folder")
    good(sh(script, "me"), "import")
    tap.same(os.stat(OWN).st_mode & 0o777, 0o600, "import: for its owner alone")
    with open(OWN, encoding="utf-8") as f:
        submits(f.read(), "import", "org", "user me@example.org")


# --- sendoff.conf(5) ----------------------------------------------------------

@runs("sendoff.conf.5", "The smallest")
def smallest(conf):
    submits(conf, "the smallest", "org", "user alerts@example.org")


@runs("sendoff.conf.5", "A server of one's own")
def own_server(login, none):
    submits(login, "with a login", "org", "user alerts\n",
            "mail <alerts@example.org>")
    submits(none, "without one", "relay", "user none",
            "mail <root@host.example.org>")


@runs("sendoff.conf.5", "Gmail")
def gmail(password, token):
    submits(password, "an app password", "gmail", "mechanism PLAIN",
            "user me@gmail.com")
    world.stub("getmail-gmail-xoauth-tokens",
               '[ "$1" = "$HOME/.config/gmail.json" ] && echo a-token\n')
    submits(token, "a token", "gmail", "mechanism OAUTHBEARER",
            "user me@gmail.com")


@runs("sendoff.conf.5", "Two accounts")
def two_accounts(conf):
    world.stub("pass", f'[ "$*" = "show mail/home" ] && echo "{PHRASE}"\n')
    write("/home/me/.secrets/work", "work secret\n", 0o600, ME)
    os.chown("/home/me/.secrets", ME, ME)
    submits(conf, "home", "org", "user me@example.org")
    good(sh("sendmail -f me@example.com bob@example.net < message", "me"),
         "work, by the sender")
    sent("com", "work, by the sender", "user me\n", "mail <me@example.com>")
    good(sh("sendmail carol@lists.example.com < message", "me"),
         "work, by the recipient")
    sent("com", "work, by the recipient", "user me\n")


@runs("sendoff.conf.5", "A key instead of a password")
def key(conf, script):
    configuration(conf, "a key")
    good(sh(script, "me"), "a key: is made")
    checked = good_text(sh("sendoff --check", "me"), "a key: --check")
    digest = re.search(r"public key is sha256:([0-9a-f]{64})\n", checked)[1]
    told = sh("openssl x509 -in client.pem -noout -pubkey | openssl pkey -pubin"
              " -outform der | openssl dgst -sha256 -r", "me").stdout
    tap.same(told.split()[0], digest, "a key: its certificate")
    world.Server("key", "127.0.0.4:465", "implicit", "--mechanisms", "EXTERNAL",
                 "--client-key", digest, "--require-client-cert")
    with world.elsewhere("mail.example.org", "127.0.0.4"):
        good(sh("sendmail -i bob@example.net < message", "me"), "a key")
        sent("key", "a key", "mechanism EXTERNAL", "mail <me@example.org>")


@runs("sendoff.conf.5", "A machine")
def machine(conf):
    submits(conf, "a machine", "org", "user alerts@example.org", user="root")
    good(sh("printf 'From: Me <me@example.com>\\n\\nx\\n' | sendmail -i root"),
         "mail for root")
    sent("org", "mail for root", "rcpt <admin@example.org>",
         "From: Me <alerts@example.org>")


@runs("sendoff.conf.5", "A unit of systemd with a password of its own")
def credential(conf, unit):
    systems(conf)
    units("credential", **{"report.service": unit})
    name, source = re.search(r"LoadCredential=(.*):(.*)", unit).groups()
    folder = world.TMP + "/credentials"
    write(f"{folder}/{name}", PHRASE + "\n", 0o600)
    tap.same(source, "/etc/credstore/sendoff.default", "credential: its file")
    start_unit(unit, "credential", {"CREDENTIALS_DIRECTORY": folder})
    sent("org", "credential", "user alerts@example.org",
         "rcpt <admin@example.org>", "Subject: disks", "Filesystem")


# --- all of them --------------------------------------------------------------

def main():
    headings = {}
    for (page, heading, _), text in EXAMPLES.items():
        headings.setdefault((page, heading), []).append(text)
    tap.ok(len(EXAMPLES) > 30, f"{len(EXAMPLES)} examples")
    tap.ok(set(headings) == set(RUN), "each has somebody who runs it",
           set(headings) ^ set(RUN))
    try:
        world.start()
        for key, function in RUN.items():
            if key in headings:
                world.fresh()
                function(*headings[key])
    finally:
        shutil.rmtree(activator.TMP)
    tap.done()


main()
