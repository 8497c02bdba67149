#!/usr/bin/python3 -B
"""The lab's zones: zones.py ENV FOLDER writes a file for each.

example.test is signed, wild.example.test below it is not, outside.test is not
either, and bogus.test is served without signatures though the resolver has a
key for it.
"""
import hashlib
import subprocess
import sys

env = dict(line.rstrip("\n").split("=", 1) for line in open(sys.argv[1]))
folder = sys.argv[2]
TLS, STARTTLS = env["POSTFIX_TLS"], env["POSTFIX_STARTTLS"]


def der(name, key=False):
    """A certificate of the lab, or its public key."""
    path = f"{env['CERTS']}/{name}.pem"
    if not key:
        return subprocess.run(["openssl", "x509", "-in", path, "-outform",
                               "DER"], check=True, capture_output=True).stdout
    text = subprocess.run(["openssl", "x509", "-in", path, "-pubkey",
                           "-noout"], check=True, capture_output=True).stdout
    return subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                          input=text, check=True, capture_output=True).stdout


def tlsa(usage, selector, matching, name):
    octets = der(name, selector == 1)
    data = [octets, hashlib.sha256(octets).digest(),
            hashlib.sha512(octets).digest()][min(matching, 2)]
    return f"{usage} {selector} {matching} {data.hex()}"


WRONG = "3 1 1 " + "00" * 32
SETS = {                        # host below example.test: its TLSA records
    "mail": [tlsa(3, 1, 1, "good")],
    "wrong": [WRONG],
    "cert": [tlsa(3, 0, 2, "good")],
    "rollover": [WRONG, tlsa(3, 1, 1, "good")],
    "agility": [tlsa(3, 1, 1, "good"), "3 1 2 " + "00" * 64],
    "many": [f"3 1 1 {i:064x}" for i in range(59)] + [tlsa(3, 1, 1, "good")],
    "unusable": ["1 1 1 " + "00" * 32, "3 1 9 00", "9 1 1 " + "00" * 32],
    "ta": [tlsa(2, 0, 0, "ca")],
    "ta-key": [tlsa(2, 1, 0, "ca")],
    "ta-digest": [tlsa(2, 0, 1, "ca")],
    "ta-other": [tlsa(2, 0, 0, "other-ca")],
    "none": [],
}


def head(origin):
    return [f"$ORIGIN {origin}.", "$TTL 60",
            f"@ SOA ns.{origin}. hostmaster.{origin}. 1 60 60 60 60",
            f"@ NS ns.{origin}.", "ns A 127.0.0.1"]


def srv(at, submissions, submission):
    at = f".{at}" if at else ""
    return [f"_submissions._tcp{at} SRV {s}" for s in submissions] + \
        [f"_submission._tcp{at} SRV {s}" for s in submission]


def example():
    lines = head("example.test")
    lines += ["wild NS ns.wild", "ns.wild A 127.0.0.1"]
    lines += srv("", [f"0 1 {TLS} mail"], [f"0 1 {STARTTLS} mail"])
    lines += srv("nothing", ["0 0 0 ."], ["0 0 0 ."])
    lines += srv("failover", [f"10 1 {env['DOWN']} mail",
                              f"20 1 {TLS} mail"], [])
    lines += srv("starttls", ["0 0 0 ."], [f"0 1 {STARTTLS} mail"])
    lines += srv("pkix", [f"0 1 {TLS} usage1"], [])
    lines += ["mail AAAA ::1", "usage1 A 127.0.0.1",
              f"_{TLS}._tcp.usage1 TLSA " + tlsa(1, 1, 1, "good"),
              "expired A 127.0.0.1",
              f"_{env['POSTFIX_EXPIRED_TLS']}._tcp.expired TLSA "
              + tlsa(3, 1, 1, "expired"),
              "alias CNAME mail", "alias-out CNAME mx.wild",
              f"_{TLS}._tcp.alias-out TLSA " + tlsa(3, 1, 1, "good"),
              "wrong-out CNAME mx.wild", f"_{TLS}._tcp.wrong-out TLSA " + WRONG,
              "loop CNAME pool", "pool CNAME loop"]
    for host, records in SETS.items():
        lines.append(f"{host} A 127.0.0.1")
        lines += [f"_{port}._tcp.{host} TLSA {record}"
                  for record in records for port in (TLS, STARTTLS)]
    return lines


ZONES = {
    "example.test": example(),
    "wild.example.test": head("wild.example.test") + [
        "mx A 127.0.0.1", f"_{TLS}._tcp.mx TLSA " + WRONG,
    ] + srv("", [f"0 1 {TLS} mx"], [f"0 1 {STARTTLS} mx"]),
    "outside.test": head("outside.test") + srv(
        "", [f"0 1 {TLS} mail.example.test."], []),
    "bogus.test": head("bogus.test") + [
        "mail A 127.0.0.1", f"_{TLS}._tcp.mail TLSA " + SETS["mail"][0],
    ] + srv("", [f"0 1 {TLS} mail"], []),
}

for name, lines in ZONES.items():
    with open(f"{folder}/{name}.zone", "w") as f:
        f.write("\n".join(lines) + "\n")
