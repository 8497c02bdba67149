#!/usr/bin/python3
"""A domain that names its servers, without a real resolver: what --probe shows
of its records, what --explain promises, what a submission finds."""

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/hostile"]

# pylint: disable=wrong-import-position
import names                                                    # noqa: E402
import tap                                                      # noqa: E402
from names import A, AAAA, CNAME, SRV, TLSA                     # noqa: E402
from servers.start import submitd                               # noqa: E402

B = os.path.join(os.path.dirname(HERE), os.environ.get("B", "build"))
HOST, ALIAS = "mail.example.test", "smtp.example.test"
DOWN = "down.example.test"
USER = "alice@example.test"
NOWHERE = "127.0.0.1", 9                # nobody listens there


class Zone:
    """example.test, signed; at the moment the servers of the list."""

    def __init__(self, key):
        self.key, self.named = key, []
        self.server = names.Server(self.answer)

    def records(self, q):
        if q.kind == SRV and q.name == "_submissions._tcp.example.test":
            return [names.srv(q.name, port, host, i)
                    for i, (host, port) in enumerate(self.named)]
        if q.kind == TLSA and q.name.endswith(f"_tcp.{HOST}"):
            return [names.rr(q.name, TLSA, b"\3\1\1" + self.key),
                    names.rr(q.name, TLSA, b"\2\0\1" + bytes(32))]
        alias = [names.cname(q.name, HOST)] if q.name == ALIAS else []
        if q.kind == CNAME or q.name not in (HOST, ALIAS, DOWN):
            return alias if q.kind in (A, AAAA, CNAME) else []
        if q.kind == AAAA and q.name != DOWN:
            return alias + [names.rr(HOST, AAAA, socket.inet_pton(
                socket.AF_INET6, "::1"))]
        if q.kind == A:
            where = q.name if q.name == DOWN else HOST
            return alias + [names.a(where, "127.0.0.1")]
        return []

    def answer(self, q):
        return q.answer(self.records(q), ad=True)


class Stage:
    def __init__(self, folder):
        self.tmp = folder
        subprocess.run([B + "/ca", folder + "/ca"], check=True)
        self.process, port = submitd(
            B, folder + "/port", "--ca", folder + "/ca", "--maildir",
            folder + "/mail", "--tls=implicit", "--user", USER + ":password")
        self.port = int(port)
        self.zone = Zone(self.pin())
        os.makedirs(folder + "/home/.config")

    def pin(self):
        """SHA-256 of the server's key, TLSA 3 1 1."""
        text = subprocess.run(
            ["openssl", "x509", "-in", self.tmp + "/ca/good.pem", "-noout",
             "-pubkey"], check=True, capture_output=True).stdout
        return hashlib.sha256(subprocess.run(
            ["openssl", "pkey", "-pubin", "-outform", "DER"], input=text,
            check=True, capture_output=True).stdout).digest()

    def run(self, *options, lines=(), message=b"Subject: x\n\nbody\n"):
        path = self.tmp + "/home/.config/sendoff.conf"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "w", encoding="ascii") as f:
            f.write("\n".join([
                f"from {USER}", "password password", "aliases none",
                f"ca-file {self.tmp}/ca/ca.pem", f"log {self.tmp}/log",
                f"resolver {self.zone.server.address}", *lines]) + "\n")
        return subprocess.run(
            [B + "/sendoff", *options], input=message, capture_output=True,
            check=False, timeout=tap.PATIENCE,
            env={"HOME": self.tmp + "/home", "PATH": "/usr/bin:/bin"})

    def probe(self, **more):
        run = self.run("--probe", "--json", **more)
        return run, json.loads(run.stdout or b"{}")

    def mails(self):
        folder = self.tmp + "/mail/new"
        return len(os.listdir(folder)) if os.path.isdir(folder) else 0

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.zone.server.close()


def values(found, kind):
    return [(r["name"], r["dnssec"], r.get("values"))
            for r in found["servers"][-1]["dns"] if r["type"] == kind]


def good_domain(s):
    s.zone.named = [(HOST, s.port)]
    right, other = f"3 1 1 {s.zone.key.hex()}", f"2 0 1 {bytes(32).hex()}"
    run, found = s.probe()
    tap.same(run.returncode, 0, "a domain and a password are enough",
             run.stderr)
    tap.same([(r["name"], r["found"], r["dnssec"], r["values"])
              for r in found["srv"]],
             [("_submissions._tcp.example.test", True, True,
               [f"0 1 {s.port} {HOST}"]),
              ("_submission._tcp.example.test", False, True, [])],
             "JSON: its SRV records")
    tap.same(values(found, "A"), [(HOST, True, ["127.0.0.1"])], "JSON: A")
    tap.same(values(found, "AAAA"), [(HOST, True, ["::1"])], "JSON: AAAA")
    tap.same(values(found, "TLSA"), [
        (f"_{s.port}._tcp.{HOST}", True, [right, other])], "JSON: TLSA")
    tls = found["servers"][0]["tls"]
    tap.same((tls["dane"], tls["verified-by"]),
             ({"verified": True, "by": "dane-ee"}, "dane-ee"),
             "the resolver is to be trusted, so DANE decides")

    run = s.run("--probe")
    text = " ".join(run.stdout.decode().split())
    for words in ("Servers that the domain names (SRV) domain example.test",
                  f"_submissions 0 1 {s.port} {HOST} (",
                  "_submission none: ", "AAAA ::1 (", "DNSSEC)",
                  f"URL smtps://{HOST}:{s.port}", f"TLSA {right[:20]}",
                  "not reached ", "DANE verified (dane-ee)"):
        tap.ok(words in text, f"for people: {words}", text)

    run = s.run("bob@example.net")
    tap.same((run.returncode, run.stderr, s.mails()), (0, b"", 1),
             "a message finds its way by the same records")
    run = s.run("--explain", "bob@example.net")
    text = " ".join(run.stdout.decode().split())
    tap.ok("server those that example.test names in the DNS (SRV); --probe "
           "shows them" in text, "--explain says where it would look", text)
    tap.same(s.mails(), 1, "and sends nothing")


def alias(s):
    run, found = s.probe(lines=[f"server smtps://{ALIAS}:{s.port}",
                                f"tls-name {HOST}"])
    tap.same(values(found, "CNAME"), [(ALIAS, True, [HOST])],
             "an alias is shown", run.stderr)
    tap.same([name for name, _, _ in values(found, "TLSA")],
             [f"_{s.port}._tcp.{HOST}", f"_{s.port}._tcp.{ALIAS}"],
             "TLSA is asked for at its end and at itself")


def several(s):
    s.zone.named = [(DOWN, NOWHERE[1]), (HOST, s.port)]
    run, found = s.probe()
    tap.same((run.returncode, [any(a["reached"] for a in one["addresses"])
                               for one in found["servers"]]),
             (0, [False, True]), "the first does not listen, the next does")
    s.zone.named = []
    run, found = s.probe()
    tap.ok(run.returncode != 0, "a domain that names nobody")
    tap.same([r["found"] for r in found["srv"]], [False, False],
             "both are shown as not there")
    text = s.run("--probe").stderr.decode()
    tap.ok(re.search(r"example\.test.*server", text), "and what to do is said",
           text)


with tempfile.TemporaryDirectory() as tmp:
    stage = Stage(tmp)
    try:
        good_domain(stage)
        alias(stage)
        several(stage)
    finally:
        stage.end()
tap.done()
