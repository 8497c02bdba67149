#!/usr/bin/python3
"""What PKIX says and what DANE says of a server, each for itself, in the log
and in --json; and what comes of it, by the URL's scheme and "dane"."""

import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "hostile")]

# pylint: disable=wrong-import-position
import names                                                    # noqa: E402
import schema                                                   # noqa: E402
import tap                                                      # noqa: E402
from servers.start import submitd                               # noqa: E402

B = os.path.join(os.path.dirname(HERE), os.environ.get("B", "build"))
TMP = tempfile.mkdtemp(prefix="sendoff-verdicts.")
HOST = "mail.example.test"
WRONG = bytes([3, 1, 1]) + bytes(32)
SHOWN = ("tls", "suite", "group", "alpn", "verified", "verified-by", "pkix",
         "dane", "binding", "tls-result", "pin", "valid-until")
SCHEMA = os.path.join(os.path.dirname(HERE), "man/sendoff.schema.json")
OTHER = "certificate-host-mismatch"
VAIN = "validation-failure"


def openssl(words, text=None):
    return subprocess.run(["openssl", *words], input=text, check=True,
                          capture_output=True).stdout


def key_of(name):
    """Its SHA-256, as OpenSSL sees it."""
    text = openssl(["x509", "-in", f"{TMP}/ca/{name}.pem", "-pubkey",
                    "-noout"])
    return hashlib.sha256(openssl(["pkey", "-pubin", "-outform", "DER"],
                                  text))


class Dns:
    """The host, and a TLSA record of what it is told to be."""

    def __init__(self):
        self.tlsa, self.fails = None, False
        self.server = names.Server(self.reply)

    def reply(self, q):
        if q.kind == names.TLSA and self.fails:
            return q.answer(code=names.SERVFAIL)
        if q.name == HOST and q.kind == names.A:
            return q.answer([names.a(HOST, "127.0.0.1")], ad=True)
        if q.kind == names.TLSA and self.tlsa:
            return q.answer([names.rr(q.name, names.TLSA, self.tlsa)],
                            ad=True)
        return q.answer(code=names.NOERROR, ad=True)


class Lab:
    def __init__(self):
        self.dns, self.servers = Dns(), {}
        self.home = TMP + "/home"
        os.makedirs(self.home + "/.config")
        subprocess.run([B + "/ca", TMP + "/ca"], check=True,
                       stdout=subprocess.DEVNULL)

    def port(self, options):
        if options not in self.servers:
            process, port = submitd(
                B, f"{TMP}/ready.{len(self.servers)}", "--ca", TMP + "/ca",
                "--user", "alice:secret", *shlex.split(options))
            self.servers[options] = process, port
        return self.servers[options][1]

    def send(self, options, scheme, *settings, words=(), to=(), below=()):
        """A setting without a value is left out; below runs the command.
        Status, the object of --json, the fields of the log, what is
        said."""
        log = TMP + "/log"
        lines = ["from alice@example.test", f"log {log}", "user alice",
                 f"resolver {self.dns.server.address}", "aliases none",
                 "password secret", f"ca-file {TMP}/ca/ca.pem", "retry no",
                 f"server {scheme}://{HOST}:{self.port(options)}", *settings]
        own = [x.split()[0] for x in settings]
        lines = [x for i, x in enumerate(lines)
                 if " " in x and (i >= 9 or x.split()[0] not in own)]
        path = self.home + "/.config/sendoff.conf"
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        os.chmod(path, 0o600)
        if os.path.exists(log):
            os.unlink(log)
        run = subprocess.run(
            [*below, B + "/sendoff", "--json", *words, "-i", "bob@example.net", *to],
            input="Subject: x\n\nbody\n", text=True, env={"HOME": self.home},
            capture_output=True, check=False)
        with open(log, encoding="utf-8") as f:
            logged = [x for x in f if "status" in x][-1]
        if logged[0] == "{":
            found = json.loads(logged)
        else:
            found = dict(x.split("=", 1) for x in shlex.split(logged)
                         if "=" in x)
        return run.returncode, json.loads(run.stdout), found, run.stderr

    def probe(self):
        """What --probe shows by the configuration of the last send()."""
        run = subprocess.run([B + "/sendoff", "--probe"], text=True,
                             env={"HOME": self.home}, stdin=subprocess.DEVNULL,
                             capture_output=True, check=False)
        return " ".join(run.stdout.split())

    def close(self):
        self.dns.server.close()
        for process, _ in self.servers.values():
            process.terminate()
            process.wait()
        shutil.rmtree(TMP)


lab = Lab()


def told(found):
    return {name: found[name] for name in SHOWN if name in found}


def check(what, want_status, got, want):
    """The status, and these facts, alike in the log and in --json."""
    status, found, logged, said = got
    tap.same(status, want_status, f"{what}: status", said)
    tap.same({k: found.get(k) for k in want}, want, f"{what}: --json", said)
    tap.same(told(logged), told(found), f"{what}: the log says the same")
    tap.same(schema.faults(SCHEMA, found), [], f"{what}: by the schema", found)


# Certificate, TLSA record ("right", "wrong", "unusable", "fails"); what PKIX
# says, what DANE says; who has verified it by "dane auto" and by "dane both",
# or the result (RFC 8460) that it fails by.
ROWS = (
    ("good", None, "ok", "none", "pkix", "dane-required"),
    ("good", "right", "ok", "dane-ee", "dane-ee", "dane-ee+pkix"),
    ("good", "wrong", "ok", VAIN, VAIN, VAIN),
    ("good", "unusable", "ok", "tlsa-invalid", "pkix", "tlsa-invalid"),
    ("wrong-name", "right", OTHER, "dane-ee", "dane-ee", OTHER),
    ("expired", "right", "certificate-expired", "dane-ee", "dane-ee",
     "certificate-expired"),
    ("unknown-ca", "right", "certificate-not-trusted", "dane-ee", "dane-ee",
     "certificate-not-trusted"),
    ("expired", "wrong", "certificate-expired", VAIN, VAIN, VAIN),
    ("wrong-name", None, OTHER, "none", OTHER, "dane-required"),
)


def records(certificate, which):
    lab.dns.fails = which == "fails"
    lab.dns.tlsa = {
        "right": bytes([3, 1, 1]) + key_of(certificate).digest(),
        "wrong": WRONG, "unusable": bytes([1, 1, 1]) + bytes(32),
    }.get(which)


def verdicts(certificate, which, pkix, dane, by, both):
    what = f"{certificate}, TLSA {which}"
    server = f"--certificate {certificate}"
    seen = {"pkix": pkix, "dane": dane,
            "pin": "sha256:" + key_of(certificate).hexdigest()}
    records(certificate, which)
    good = by in ("pkix", "dane-ee")
    for scheme in "smtp", "smtp+opportunistic":
        there = scheme != "smtp"
        want = dict(seen, verified="yes" if good else "no",
                    tls="TLS1.3" if good or there else "untrusted")
        want["verified-by"] = by if good else None
        want["tls-result"] = None if good else by
        check(f"{what}, {scheme}", 0 if good or there else 75, lab.send(
            server, scheme), want)
    got = lab.send(server, "smtp", "dane both")
    good = both == "dane-ee+pkix"
    seen["tls"] = "TLS1.3" if good else "untrusted"
    if both in ("dane-required", "tlsa-invalid"):
        seen = {"tls": None}            # it was not spoken to
    check(f"{what}, dane both", 0 if good else 75, got, {
        **seen, "verified-by": both if good else None,
        "tls-result": None if good else both})
    return got[3]


def ways():
    said = {row[:2]: verdicts(*row) for row in ROWS}
    for row, words in (
            (("good", None), ['"dane both"', "no authenticated TLSA records"]),
            (("good", "wrong"), ["does not match the TLSA records",
                                 "an authority vouches for it, but \"dane both\" "
                                 "wants both"]),
            (("unknown-ca", "right"), [
                "leads to no authority", "its TLSA records match, but \"dane "
                "both\" wants an authority as well (\"dane require\" does "
                "without)"]),
            (("expired", "wrong"), ["does not match the TLSA records", "no "
                                    "authority vouches for it either",
                                    "it expired on"])):
        tap.same([w for w in words if w not in said[row]], [],
                 f"{row}: which of the two has failed", said[row])

    records("good", "fails")
    check("the DNS does not say, and it need not", 0, lab.send(
        "--certificate good", "smtp+opportunistic"),
          {"pkix": "ok", "dane": "dnssec-invalid", "verified": "yes"})
    shown = lab.probe()
    tap.ok("DANE the DNS does not say whether there is a TLSA "
           "record" in shown, "--probe says that, too", shown)
    check("the DNS does not say, and it must", 75, lab.send(
        "--certificate good", "smtp"), {"tls-result": "dnssec-invalid"})
    check("dane off asks nothing", 0, lab.send(
        "--certificate good", "smtp", "dane off"), {"dane": None, "pkix": "ok"})
    shown = lab.probe()
    tap.ok("DANE not asked" in shown, "nor does --probe", shown)
    records("good", "right")
    check("ca-file none: no authority is asked", 0, lab.send(
        "--certificate good", "smtp", "ca-file none"),
          {"dane": "dane-ee", "pkix": None, "verified-by": "dane-ee"})
    check("a pin that is wrong beside both that are right", 75, lab.send(
        "--certificate good", "smtp", "dane both", "pin " + "0" * 64),
          {"dane": "dane-ee", "pkix": "ok", "verified": "no",
           "verified-by": None, "tls-result": VAIN})
    tap.same(lab.send("--certificate good", "smtp", "dane both", "ca-file none")
             [::3][0], 78, "dane both and ca-file none is a mistake")


def link_of(path, *way):
    """A certificate, as this schema has it."""
    with open(path, encoding="utf-8") as f:
        root = found = json.load(f)
    for name in way:
        found = found["properties"][name]
        if "$ref" in found:
            found = root["$defs"][found["$ref"].rsplit("/", 1)[1]]
        found = found.get("items", found)
    return found


def kinds():
    """The schema has every kind of failure that there is."""
    with open(os.path.join(os.path.dirname(HERE), "failure.c"),
              encoding="utf-8") as f:
        made = re.findall(r'\[FAILURE_\w+\]\s*= \{ "([\w-]+)"', f.read())
    with open(SCHEMA, encoding="utf-8") as f:
        known = json.load(f)["$defs"]["kind"]["enum"]
    tap.same(sorted(known), sorted(set(made) - {"none"}),
             "the schema has every kind of failure")


# --- what the handshake has come to ----------------------------------------------


def handshakes():
    records("good", None)
    suite = {"suite": "TLS_AES_256_GCM_SHA384", "group": "X25519",
             "binding": "tls-exporter", "mechanism": "SCRAM-SHA-256-PLUS"}
    got = lab.send("--tls-priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:"
                   "+GROUP-X25519", "smtp")
    check("TLS 1.3", 0, got, {"tls": "TLS1.3", "alpn": None, **suite})
    chain = got[1]["chain"]
    tap.same([len(chain), chain[0]["pin"], chain[0]["until"], chain[0]["names"]],
             [2, got[1]["pin"], got[1]["valid-until"],
              "localhost, mail.example.test, *.wild.example.test, 127.0.0.1, "
              "::1"], "the chain, of which the log has the pin and the last day")
    tap.same(chain[0]["fingerprint"], hashlib.sha256(openssl(
        ["x509", "-in", TMP + "/ca/good.pem", "-outform", "DER"])).hexdigest(),
             "the fingerprint is the certificate's")
    tap.ok("chain" not in got[2], "and the log has no chain")
    tap.same(link_of(SCHEMA, "chain"), link_of(
        SCHEMA.replace("sendoff.", "sendoff-probe."), "servers", "tls",
        "chain"), "--probe has the same chain, by its schema")
    check("TLS 1.2", 0, lab.send(
        "--tls-priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
        "smtp", "auth PLAIN"),
          {"tls": "TLS1.2", "suite": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
           "binding": None, "mechanism": "PLAIN"})
    check("STARTTLS is not offered", 0, lab.send(
        "--without STARTTLS --auth-without-tls", "smtp+opportunistic"),
          {"tls": "none", "tls-result": "starttls-not-supported",
           "verified": None, "pkix": None})


# --- RFC 8460: every failure of TLS has its word -----------------------------------


def results():
    no_starttls, two = "starttls-not-supported", "NORMAL:-VERS-ALL:+VERS-TLS1."
    for options, scheme, status, tls, result in (
            ("--without STARTTLS", "smtp", 69, "none", no_starttls),
            ("--fault starttls-454", "smtp", 75, "none", no_starttls),
            ("--fault greeting-554", "smtp", 69, "none", None),
            ("--tls=implicit --fault close-at-handshake", "smtps", 75,
             "failed", VAIN),
            ("--fault plaintext-after-starttls", "smtp", 76, "failed", VAIN),
            ("--fault tls-alert-after-handshake", "smtp", 77, "TLS1.3", VAIN),
            (f"--tls-priority {two}1", "smtp", 76, "failed", VAIN),
            (f"--tls-priority {two}1", "smtp+opportunistic", 76, "failed",
             VAIN),
            ("--require-client-cert", "smtp", 77, "TLS1.3", VAIN),
            (f"--require-client-cert --tls-priority {two}2", "smtp", 77,
             "failed", VAIN),
            ("--tls=none", "smtps", 76, "failed", VAIN)):
        check(f"{scheme}, {options}", status, lab.send(options, scheme),
              {"tls-result": result, "tls": tls})
    check("a server that waits", 75, lab.send(
        "--tls=implicit", "smtp", "timeout-reply 1"),
          {"tls-result": None, "tls": "none"})
    check("a server that waits within TLS", 75, lab.send(
        "--tls=none --fault silent", "smtps", "timeout-reply 1"),
          {"tls-result": VAIN, "tls": "failed"})
    check("a certificate of ours that is not there", 78, lab.send(
        "--certificate good", "smtp", "client-certificate /no/such",
        "client-key /no/such"), {"tls-result": None, "tls": "failed"})
    check("a connection that nobody took", 75, lab.send(
        "--certificate good", "smtp", f"server smtp://{HOST}:1"),
          {"tls-result": None, "tls": None, "verified": None})
    for certificate, status, tls in (("expired", 75, "untrusted"),
                                     ("good", 0, "TLS1.3")):
        check(f"{certificate}, log-format json", status, lab.send(
            f"--certificate {certificate}", "smtp", "log-format json"),
              {"tls": tls})
    memory = lab.home + "/.local/state/sendoff.memory/seen"
    URL = f"smtp://{HOST}:" + lab.port(
        "--tls-priority NORMAL:-VERS-ALL:+VERS-TLS1.2")
    with open(memory, "w", encoding="utf-8") as f:
        f.write(f"default\t{URL}\tSCRAM-SHA-256-PLUS\tTLS1.3\t2026-01-02\n")
    check("TLS is weaker than it was", 69, lab.send(
        "--tls-priority NORMAL:-VERS-ALL:+VERS-TLS1.2", "smtp"),
          {"tls-result": VAIN, "tls": "TLS1.2"})


# --- the authorities of the system ----------------------------------------------------

# $1 is the whole store, or nothing, in the file $2, to which $3 is a link.  The
# mounts are gone with the command.
STORE = """set -e
mount -t tmpfs none /var/lib
mkdir /var/lib/etc
cp -a /etc/. /var/lib/etc
mount --bind /var/lib/etc /etc
rm -rf /etc/ssl /etc/pki /etc/ca-certificates
[ ! -d /usr/share/pki ] || mount -t tmpfs none /usr/share/pki
mkdir -p "${2%/*}" "${3%/*}"
[ -z "$1" ] || cp -r "$1" "$2"
[ "$2" = "$3" ] || ln -s "$2" "$3"
shift 3
exec "$@"
"""
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def with_store(path, scheme, certificate="good", at=BUNDLE, link=None):
    return lab.send(f"--certificate {certificate}", scheme, "ca-file",
                    below=["unshare", "-m", "sh", "-c", STORE, "sh", path, at,
                           link or at])


def write(name, text):
    with open(f"{TMP}/{name}", "w", encoding="utf-8") as f:
        f.write(text)
    return f"{TMP}/{name}"


def authorities():
    if os.geteuid() != 0 or subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
            stderr=subprocess.DEVNULL, check=False).returncode != 0:
        tap.ok(True, "the system's authorities # SKIP no mounts of our own "
               "(root, unshare -m)")
        return
    untrusted = "certificate-not-trusted"
    records("good", None)
    for at, link in (
            (BUNDLE, None),
            ("/etc/ca-certificates/extracted/tls-ca-bundle.pem", BUNDLE),
            ("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
             "/etc/pki/tls/certs/ca-bundle.crt"),
            ("/var/lib/ca-certificates/ca-bundle.pem",
             "/etc/ssl/ca-bundle.pem"),
            ("/etc/ssl/cert.pem", None)):
        check(f"the system knows the authority, in {at}", 0, with_store(
            TMP + "/ca/ca.pem", "smtp", at=at, link=link),
              {"pkix": "ok", "verified-by": "pkix"})
    got = with_store(TMP + "/ca/other-ca.pem", "smtp")
    check("the system knows others", 75, got, {
        "tls-result": untrusted, "pkix": untrusted, "tls": "untrusted"})
    tap.ok("leads to no authority that is trusted here" in got[3], "says so",
           got[3])
    for what, path in (("no store", ""), ("an empty store", write("empty", "")),
                       ("no certificate in it", write("junk", "none\n")),
                       ("half a certificate in it", write(
                           "half", "-----BEGIN CERTIFICATE-----\nMIIB\n"))):
        for scheme, status in ("smtp", 75), ("smtp+opportunistic", 0):
            got = with_store(path, scheme)
            check(f"{what}, {scheme}", status, got, {
                "tls-result": untrusted, "pkix": untrusted, "verified": "no",
                "tls": "untrusted" if status else "TLS1.3",
                "kind": "tls-untrusted" if status else None})
            tap.ok("this system has no certificate authorities (is the "
                   "package ca-certificates installed?)" in
                   got[1]["tls-objection"], "says so", str(got))
    got = with_store(TMP + "/ca", "smtp")
    check("a store that cannot be read", 75, got, {"tls-result": untrusted})
    tap.ok("the certificate authorities of this system cannot be read: "
           f"{BUNDLE}: Is a directory" in got[3], "names it", got[3])
    check("no store, an expired certificate", 75, with_store(
        "", "smtp", "expired"), {"tls-result": untrusted})
    records("good", "right")
    check("no store, and TLSA records decide", 0, with_store("", "smtp"), {
        "tls-result": None, "pkix": untrusted, "verified-by": "dane-ee"})


# --- recipients of several accounts, accounts with several servers ------------------


def account(name, options, scheme="smtp"):
    """It has those at NAME.test; the first one has all others."""
    return (f"account {name}\n match *@{name}.test\n"
            f" server {scheme}://{HOST}:{lab.port(options)}")


def of_each(found, *keys):
    return [tuple(s.get(key) for key in keys)
            for s in found.get("servers", [])]


def several():
    records("good", None)
    status, found, _, said = lab.send(
        "", "smtp", account("one", "--certificate good"),
        account("old", "--certificate expired"),
        account("two", "--tls-priority NORMAL:-VERS-ALL:+VERS-TLS1.2"),
        account("plain", "--without STARTTLS --auth-without-tls",
                "smtp+opportunistic"),
        to=["a@old.test", "b@two.test", "c@plain.test", "d@old.test"])
    tap.same((status, schema.faults(SCHEMA, found)), (75, []),
             "four accounts: by the schema", said)
    tap.same([found.get(k) for k in ("account", "tls", "verified", "kind",
                                     "tls-result")],
             ["one", "TLS1.3", "yes", "tls-untrusted", "certificate-expired"],
             "the first is told as ever, with the gravest failure")
    tap.same(of_each(found, "account", "tls", "verified", "pkix",
                     "tls-result"),
             [("one", "TLS1.3", "yes", "ok", None),
              ("old", "untrusted", "no", "certificate-expired",
               "certificate-expired"),
              ("two", "TLS1.2", "yes", "ok", None),
              ("plain", "none", None, None, "starttls-not-supported")],
             "TLS of each server")
    tap.same(of_each(found, "mechanism", "kind"),
             [("SCRAM-SHA-256-PLUS", None), (None, "tls-untrusted"),
              ("SCRAM-SHA-256-PLUS", None), ("SCRAM-SHA-256", None)],
             "and its login, and its failure")
    tap.same([s["server"] for s in found["servers"]],
             [next(r["server"] for r in found["recipients"]
                   if r["account"] == s["account"])
              for s in found["servers"]], "each recipient's server is there")
    tap.same([c[0] and c[0][0]["names"] for c in of_each(found, "chain")],
             [found["chain"][0]["names"]] * 3 + [None], "and its chain")
    tap.ok(found["servers"][0]["pin"] == found["pin"] !=
           found["servers"][1]["pin"], "and its pin", str(found))

    one, other = (f"{scheme}://{HOST}:{lab.port(options)}"
                  for options, scheme in (("--tls=none", "smtps"),
                                          ("--certificate good", "smtp")))
    got = lab.send("", "smtp", f"server smtp://{HOST}:1 {one} {other}")
    check("the third server of an account", 0, got,
          {"server": other, "tls": "TLS1.3", "tls-result": None})
    tap.same(of_each(got[1], "account", "server", "tls", "kind",
                     "tls-result"),
             [("default", f"smtp://{HOST}:1", None, "connect", None),
              ("default", one, "failed", "protocol", VAIN),
              ("default", other, "TLS1.3", None, None)],
             "what has failed before it is told")
    lacks = f"smtp://{HOST}:{lab.port('--without REQUIRETLS')}"
    got = lab.send("", "smtp", f"server {lacks} {other}", "require-tls yes")
    check("a server that the message is not for", 0, got, {"server": other})
    tap.same(of_each(got[1], "server", "tls", "mechanism", "kind"),
             [(lacks, "TLS1.3", "SCRAM-SHA-256-PLUS", "requiretls"),
              (other, "TLS1.3", "SCRAM-SHA-256-PLUS", None)],
             "is told, too, with its login")
    check("one server", 0, lab.send("--certificate good", "smtp"),
          {"servers": None})


# --- ALPN (RFC 7301) -----------------------------------------------------------------


def refuse(server):
    """One client's TLS, as who wants to be told a protocol."""
    client = server.accept()[0]
    with client:
        client.recv(65536)
        client.sendall(bytes([21, 3, 3, 0, 2, 2, 120]))
        client.recv(65536)


def protocols():
    check("ALPN", 0, lab.send("--alpn smtp", "smtp", "tls-alpn h2 smtp"),
          {"alpn": "smtp"})
    check("nobody is told a name that is not asked for", 0, lab.send(
        "--alpn smtp", "smtp"), {"alpn": None})
    check("a server without ALPN", 0, lab.send(
        "--certificate good", "smtp", "tls-alpn smtp"), {"alpn": None})
    got = lab.send("--alpn imap", "smtp", "tls-alpn smtp h2")
    check("another name", 76, got, {"tls-result": VAIN, "alpn": None})
    tap.ok("the server takes none of the protocols that \"tls-alpn\" names "
           "(smtp h2)" in got[3], "says so, and names the setting", got[3])
    with socket.create_server(("127.0.0.1", 0)) as s:
        thread = threading.Thread(target=refuse, args=(s,))
        thread.start()
        got = lab.send("--alpn imap", "smtp", "auth none",
                       f"server smtps://{HOST}:{s.getsockname()[1]}")
        thread.join()
    check("a name that must be said", 76, got, {"tls-result": VAIN})
    tap.ok("write one as tls-alpn, as in: tls-alpn smtp" in got[3],
           "and what to write is said", got[3])
    check("by an option, which takes the password away", 78, lab.send(
        "--alpn smtp", "smtp", words=["--tls-alpn=smtp"]), {})
    check("by an option that says what holds anyway", 0, lab.send(
        "--alpn smtp", "smtp", words=["--tls-alpn=none"]), {"alpn": None})


try:
    ways()
    handshakes()
    results()
    authorities()
    several()
    protocols()
    kinds()
    tap.done()
finally:
    lab.close()
