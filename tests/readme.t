#!/usr/bin/python3
"""The session that README.md shows is what comes of its commands.

They are run one after the other against submitd; of what differs from run to
run (host, port, times, identifiers, the home) the README has an example.
"""

import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import tap                                                      # noqa: E402
from servers.start import submitd                               # noqa: E402

TOP = os.path.dirname(HERE)
B = os.path.join(TOP, os.environ.get("B", "build"))
REFUSED = "nobody-550-5.1.1@example.net", "nobody@example.net"
WORDS = "as you wish", "no such user"


def session():
    """[(command, what it prints)]"""
    with open(TOP + "/README.md", encoding="utf-8") as f:
        block = re.search(r"```console\n(.*?)```", f.read(), re.S)[1]
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2]))


def makes():
    """What make is asked to do is a target, and builds what it names."""
    with open(TOP + "/README.md", encoding="utf-8") as f:
        text = f.read()
    asked = re.findall(r"^    make (.*?)(?: *#.*)?$", text, re.M)
    tap.ok(len(asked) > 6, "there are commands of make")
    for words in asked:
        run = subprocess.run(["sh", "-c", f"make -n {words} DESTDIR=/nowhere"],
                             check=False, cwd=TOP, capture_output=True,
                             text=True, env={**os.environ, "MAKEFLAGS": ""})
        tap.ok(run.returncode == 0, f"make {words}", run.stderr)
    with open(TOP + "/debian/control", encoding="utf-8") as f:
        wanted = set(re.findall(r"^ (lib\w+-dev),$", f.read(), re.M))
    named = re.search(r"`apt-get install (gcc[^`]*)`", text)[1].split()
    tap.same({x for x in named if x.startswith("lib")} - {"libc6-dev"},
             wanted, "what is installed to build is what the package wants")


def begin(tmp):
    """submitd; its process and port."""
    subprocess.run([B + "/ca", tmp + "/ca"], check=True)
    return submitd(B, tmp + "/port", "--ca", tmp + "/ca", "--maildir",
                   tmp + "/mail", "--tls=starttls", "--user",
                   "alerts@example.org:correct horse battery staple")


def shown(text, tmp, port):
    """As the README would have it, without what differs."""
    for old, new in ((f"localhost[127.0.0.1]:{port}",
                      "mail.example.org[192.0.2.25]:587"),
                     REFUSED, WORDS, (tmp + "/home", "/home/alice")):
        text = text.replace(old, new)
    text = re.sub(r"20\d{6}T\d{6}Z-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"-qI [0-9a-f]{12}", "-qI ID", text)
    text = re.sub(r"\d+s +\d+ ", "AGE OCTETS ", text)
    return re.sub(r"\d+ ms", "N ms", text)


def configure(home, text, port, tmp):
    """The README's, but for where the server is and who vouches for it."""
    os.makedirs(home + "/.config")
    path = home + "/.config/sendoff.conf"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w",
              encoding="utf-8") as f:
        f.write(text.replace("mail.example.org", f"localhost:{port}") +
                f"ca-file {tmp}/ca/ca.pem\nlog none\naliases none\n")


def main():
    makes()
    commands = session()
    tap.ok(len(commands) > 4, "there is a session")
    with tempfile.TemporaryDirectory() as tmp:
        server, port = begin(tmp)
        home = tmp + "/home"
        os.makedirs(tmp + "/bin")
        os.symlink(B + "/sendmail", tmp + "/bin/mailq")
        env = {"HOME": home, "PATH": f"{tmp}/bin:{B}:/usr/bin:/bin"}
        try:
            for command, printed in commands:
                if command.startswith("cat "):
                    configure(home, printed, port, tmp)
                    continue
                run = subprocess.run(
                    ["sh", "-c", command.replace(*REFUSED[::-1])], env=env,
                    check=False, capture_output=True, text=True, cwd=tmp,
                    timeout=tap.PATIENCE)
                tap.same(shown(run.stdout + run.stderr, tmp, port),
                         shown(printed, tmp, port), command)
        finally:
            server.terminate()
            server.wait()
    tap.done()


main()
