#!/usr/bin/env python3
"""Completion for bash and zsh: it has what the manual pages have, offers only
what the program takes, and tells no secret."""

import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{TOP}/tests")
import tap                                                  # noqa: E402

B = os.path.abspath(os.environ.get("B", f"{TOP}/build"))
BASH = f"{B}/completion/sendoff"
ZSH = f"{B}/completion/_sendoff"
SECRET = "correct-horse"

HOME = tempfile.TemporaryDirectory()
os.makedirs(f"{HOME.name}/.config")
with open(f"{HOME.name}/.config/sendoff.conf", "w", encoding="utf-8",
          opener=lambda p, f: os.open(p, f, 0o600)) as conf:
    conf.write(f"aliases none\naccount work\nfrom a@example.org\n"
               f"server smtp+plain://localhost:1\nauth none\nlog none\n"
               f"account home\nfrom b@example.org\nserver smtps://example.org\n"
               f"password {SECRET}\n")
ENV = {"HOME": HOME.name, "PATH": f"{B}:/usr/bin:/bin"}


def source(name):
    with open(f"{TOP}/{name}", encoding="utf-8") as f:
        return f.read()


def complete(*words):
    """What bash is offered for the last word; "=" is a word of its own."""
    script = (f'source "{BASH}"; compopt() {{ :; }}; COMP_WORDS=("$@"); '
              'COMP_CWORD=$(($# - 1)); _sendoff; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    run = subprocess.run(["bash", "--norc", "-c", script, "bash", "sendoff",
                          *words], env=ENV, cwd=HOME.name, text=True,
                         capture_output=True, timeout=tap.PATIENCE,
                         check=False)
    tap.note(run.stderr)
    return run.stdout.split()


def manual():
    """The long options that the manual pages name."""
    page = source("man/sendoff.1").replace("\\-", "-")
    named = re.findall(r"--([a-z][a-z-]*[a-z])", page)
    for line in page.splitlines():
        if line.startswith(".It Fl "):
            named += re.findall(r"Fl -([a-z][a-z-]*[a-z])", line)
    return set(named)


def settings():
    """Those of sendoff.conf(5) that are options: no secrets, no commands."""
    names = set()
    for line in source("man/sendoff.conf.5").splitlines():
        if line.startswith(".It Cm "):
            names |= set(re.findall(r"[a-z][a-z0-9-]+", line.split()[2]))
    return names - {"account", "include", "password", "password-command",
                    "oauth-command", "allow-user", "client-key-ed25519"}


offered = {word[2:] for word in complete("--")}
tap.ok(len(manual()) > 20 and not manual() - offered,
       "every option of sendoff(1) is offered",
       manual() - offered)
tap.ok(settings() <= offered and len(settings()) > 30,
       "so is every setting of sendoff.conf(5)", settings() - offered)
tap.ok(not offered & {"password", "password-command", "oauth-command"},
       "a secret is no option")

unknown = set()
for option in sorted(offered):
    run = subprocess.run(["sendoff", f"--{option}", "--no-such-option"],
                         env=ENV, text=True, capture_output=True,
                         stdin=subprocess.DEVNULL, timeout=tap.PATIENCE,
                         check=False)
    if f"no option --{option} " in run.stderr:
        unknown.add(option)
tap.ok(not unknown, "the program knows all of them", unknown)

with open(ZSH, encoding="utf-8") as z:
    text = z.read()
in_zsh = set(re.findall(r"^    '--([a-z-]+)[=\[]", text, re.M))
tap.same(in_zsh, offered, "zsh is offered the same")
tap.ok(text.startswith("#compdef sendoff\n"), "zsh finds it")

tap.same(complete("--dan"), ["--dane"], "a beginning")
tap.same(complete("--dane", ""), ["auto", "require", "both", "off"], "its words")
tap.same(complete("--dane", "=", "re"), ["require"], "behind a =")
tap.same(complete("--dane", "="), ["auto", "require", "both", "off"], "right there")
tap.same(complete("--require-tls", ""), [], "a value that need not be")
tap.same(complete("--require-tls", "=", "y"), ["yes"], "and is")
tap.same(complete("-R", ""), ["full", "hdrs"], "a letter's words")
tap.same(complete("--trace", "a"), ["auth"], "what a trace may have")
open(f"{HOME.name}/message", "w", encoding="utf-8").close()
tap.same(complete("--config", "me"), ["message"], "a file")
tap.same(complete("--", "--d"), [], "no option behind --")
tap.same(complete("bob@example.net", ""), [], "no recipients")
tap.same(complete("--account", ""), ["work", "home"],
         "the accounts, and nothing else of them")
run = subprocess.run(["sendoff", "bob@example.net"], env=ENV, text=True,
                     input="Subject: x\n\nx\n", capture_output=True,
                     timeout=tap.PATIENCE, check=False)
kept = os.listdir(f"{HOME.name}/.local/state/sendoff")
tap.same(complete("--show", ""), kept, "what is kept", run.stderr)
tap.same(len(kept), 1, "there is one")
tap.done()
