#!/usr/bin/python3 -B
"""Servers found by SRV, trusted by DANE: Knot signs, Unbound validates."""
import json
import re

from interop import ALICE, Lab

lab = Lab()
RESOLVER = f"127.0.0.1:{lab.env['UNBOUND']}"
OTHER_CA = lab.env["CERTS"] + "/other-ca.pem"
TLS, STARTTLS = lab.env["POSTFIX_TLS"], lab.env["POSTFIX_STARTTLS"]


def send(mail, *options, resolver=RESOLVER, **settings):
    return lab.send("POSTFIX_TLS", mail, *options, resolver=resolver,
                    **settings)


def found(name, *words, **settings):
    """By SRV; -vv has these words."""
    mail = lab.mail()
    run = send(mail, "-vv", server=None, **settings)
    lab.case(name, run.has(0), run.says(*words), mail.arrived())


def fails(name, status, *words, server=None, **settings):
    mail = lab.mail()
    run = send(mail, server=server, **settings)
    lab.case(name, run.fails(status, *words), run.keeps(*mail.to),
             mail.nowhere())
    return run


def at(host, ca_file=OTHER_CA, **settings):
    return dict(server=f"smtps://{host}:{TLS}", ca_file=ca_file, **settings)


def sends(name, *words, **settings):
    mail = lab.mail()
    run = send(mail, "-vv", **settings)
    lab.case(name, run.has(0), run.says(*words), mail.arrived())


# --- SRV ---------------------------------------------------------------------

mail = lab.mail()
run = send(mail, server=None, user_line=False)
lab.case("from, password and DNS are enough", run.is_silent(), mail.arrived())
mail = lab.mail()
run = send(mail, server=None, resolver=f"[::1]:{lab.env['UNBOUND']}")
lab.case("a resolver at an IPv6 address", run.is_silent(), mail.arrived())
found("implicit TLS comes first", f"smtps://mail.example.test:{TLS}, auth",
      "certificate for localhost", "dane-ee")
found("unsigned: the server lies within the domain", "pkix",
      f"smtps://mx.wild.example.test:{TLS}",
      **{"from": "alice@wild.example.test"})
found("the first does not listen, the second does", "refused",
      f"connecting to 127.0.0.1, port {TLS}",
      **{"from": "alice@failover.example.test"})
found("implicit TLS is not offered, STARTTLS is", "C: STARTTLS", "dane-ee",
      **{"from": "alice@starttls.example.test"})
found("usage 1 beside PKIX, found by SRV", "dane-ee",
      tls_name="mail.example.test", **{"from": "alice@pkix.example.test"})
fails("usage 1 without PKIX", 75, "public authority", "DANE",
      ca_file=OTHER_CA, tls_name="mail.example.test",
      **{"from": "alice@pkix.example.test"})
fails("no submission at all", 68, "nothing.example.test",
      "offers no submission", **{"from": "alice@nothing.example.test"})
fails("no SRV records", 78, "no server is named", "add a line like: server",
      **{"from": "alice@none.example.test"})
fails("a forged domain", 75, "bogus.test", "SERVFAIL",
      **{"from": "alice@bogus.test"})
run = fails("an unsigned record leads out of the domain", 75,
            "from outside.test to mail.example.test", "add the line: server",
            **{"from": "alice@outside.test"})
line = re.search(r"add the line: server (smtps:\S+:\d+)", run.err)
sends("and the line that it names is right",
      server=line.group(1) if line else "smtps://", dane="off",
      **{"from": "alice@outside.test"})
fails("no resolver there", 75, "no resolver can be reached",
      resolver=f"127.0.0.1:{lab.env['DOWN']}")

# --- DANE --------------------------------------------------------------------

for host, by in (("mail", "dane-ee"), ("cert", "dane-ee"),
                 ("rollover", "dane-ee"), ("many", "dane-ee"),
                 ("alias", "dane-ee"), ("alias-out", "dane-ee")):
    sends(f"TLSA of {host}, and no authority of ours", by,
          **at(host + ".example.test"))
for host in "ta", "ta-key":
    sends(f"TLSA of {host}: its root is not sent", "dane-ta",
          tls_name="mail.example.test", **at(host + ".example.test"))
    fails(f"TLSA of {host}: the name counts", 75, "for localhost",
          f"{host}.example.test", **at(host + ".example.test"))
sends("a name of its own port and key, expired: DANE-EE", "dane-ee",
      server=f"smtps://expired.example.test:{lab.env['POSTFIX_EXPIRED_TLS']}")
for host in "wrong", "agility", "ta-digest", "ta-other", "wrong-out":
    for ca_file in OTHER_CA, lab.env["CERTS"] + "/ca.pem":
        fails(f"TLSA of {host}, ca-file {ca_file.rpartition('/')[2]}", 75,
              "does not match the TLSA records",
              f"_{TLS}._tcp.{host}.example.test", "DANE",
              tls_name="mail.example.test",
              **at(host + ".example.test", ca_file))
sends("a wrong one, dane off", "pkix", dane="off",
      tls_name="mail.example.test",
      **at("wrong.example.test", lab.env["CERTS"] + "/ca.pem"))
for host in "unusable", "none":
    sends(f"TLSA of {host}: PKIX decides", "pkix",
          tls_name="mail.example.test",
          **at(host + ".example.test", lab.env["CERTS"] + "/ca.pem"))
    fails(f"TLSA of {host}: PKIX decides, against it", 75, "issuer",
          tls_name="mail.example.test", **at(host + ".example.test"))
    fails(f"TLSA of {host}: dane require", 75, "dane require",
          dane="require", tls_name="mail.example.test",
          **at(host + ".example.test", lab.env["CERTS"] + "/ca.pem"))
sends("dane require", "dane-ee", dane="require", **at("mail.example.test"))
sends("an unsigned zone's TLSA do not count", "pkix",
      **at("mx.wild.example.test", lab.env["CERTS"] + "/ca.pem"))
fails("an unsigned zone, dane require", 75, "no authenticated TLSA",
      dane="require",
      **at("mx.wild.example.test", lab.env["CERTS"] + "/ca.pem"))
fails("a forged address", 75, "mail.bogus.test", "SERVFAIL",
      **at("mail.bogus.test"))
fails("a loop of aliases", 75, "loop.example.test", **at("loop.example.test"))
fails("a name that is not", 68, "no.example.test", "no host of this name",
      **at("no.example.test"))

# --- what PKIX and what DANE say, each for itself ------------------------------

CA = lab.env["CERTS"] + "/ca.pem"
UNTRUSTED, VAIN = "certificate-not-trusted", "validation-failure"


def tells(what, run, **wanted):
    """The object of --json has these."""
    found = json.loads(run.out or "{}")
    return "".join(f"{what}: {k} is {found.get(k)!r}, not {v!r}; "
                   for k, v in ((k.replace("_", "-"), v)
                                for k, v in wanted.items())
                   if found.get(k) != v)


def judged(what, host, ca_file, pkix, dane, auto, both):
    """auto, both: who has verified it, or None.  A real server has what is
    sent without a proof, and nothing of what must have one."""
    for scheme, port in (("smtps", TLS), ("smtp", STARTTLS),
                         ("smtp+opportunistic", STARTTLS)):
        mail, there = lab.mail(), scheme == "smtp+opportunistic"
        run = send(mail, "--json", server=f"{scheme}://{host}:{port}",
                   ca_file=ca_file, tls_name="mail.example.test")
        lab.case(f"{what}: {scheme}", run.has(0 if auto or there else 75),
                 tells(scheme, run, pkix=pkix, dane=dane, verified_by=auto,
                       verified="yes" if auto else "no",
                       tls_result=None if auto else
                       dane if dane == VAIN else pkix),
                 mail.arrived() if auto or there else mail.nowhere())
    mail = lab.mail()
    run = send(mail, "--json", server=f"smtp://{host}:{STARTTLS}",
               ca_file=ca_file, tls_name="mail.example.test", dane="both")
    lab.case(f"{what}: dane both", run.has(0 if both else 75),
             tells("both", run, verified_by=both),
             mail.arrived() if both else mail.nowhere())


judged("both are good", "mail.example.test", CA, "ok", "dane-ee", "dane-ee",
       "dane-ee+pkix")
judged("DANE with a root of its own", "ta.example.test", CA, "ok", "dane-ta",
       "dane-ta", "dane-ta+pkix")
judged("PKIX alone is good", "wrong.example.test", CA, "ok", VAIN, None, None)
judged("DANE alone is good", "mail.example.test", OTHER_CA, UNTRUSTED,
       "dane-ee", "dane-ee", None)
judged("none is good", "wrong.example.test", OTHER_CA, UNTRUSTED, VAIN, None,
       None)
judged("there are no records", "none.example.test", CA, "ok", "none", "pkix",
       None)
judged("nor an authority", "none.example.test", OTHER_CA, UNTRUSTED, "none",
       None, None)
judged("records that do not count", "unusable.example.test", CA, "ok",
       "tlsa-invalid", "pkix", None)
fails("dane both, and no records", 75, '"dane both"', "no authenticated TLSA",
      dane="both", tls_name="mail.example.test", **at("none.example.test", CA))
fails("dane both, and no authority", 75, "its TLSA records match",
      "\"dane both\" wants an authority as well", dane="both",
      **at("mail.example.test"))

# --- what is not as it was -----------------------------------------------------


def seen(server, mechanism, tls="TLS1.3"):
    return {".local/state/sendoff.memory/seen":
            f"lab\t{server}\t{mechanism}\t{tls}\t2026-01-02\n"}


fails("SRV records that have been there are withheld", 75,
      "none.example.test names no server now",
      "has named smtps://mail.example.test:465 (2026-01-02)",
      files=seen("none.example.test", "smtps://mail.example.test:465", "-"),
      **{"from": "alice@none.example.test"})
fails("EHLO offers less than it did", 69,
      "offers SCRAM-SHA-256 now and has offered SCRAM-SHA-256-PLUS",
      "sendoff --forget=lab", server=lab.url("POSTFIX_TLS"),
      files=seen(lab.url("POSTFIX_TLS"), "SCRAM-SHA-256-PLUS"))
fails("another server has its name: a pin", 75, "this is another server",
      "sha256:", server=lab.url("POSTFIX_TLS"), pin="sha256:" + "0" * 64)
pin = re.search(r"its pin is (sha256:[0-9a-f]{64})", lab.send(
    "POSTFIX_TLS", lab.mail(), pin="0" * 64).err)
for port, status in (("POSTFIX_TLS", 0), ("POSTFIX_UNKNOWN_CA_TLS", 75)):
    mail = lab.mail()
    run = lab.send(port, mail, ca_file="none",
                   pin=f"sha256:{'1' * 64} {pin and pin.group(1)}")
    lab.case(f"{port}: a pin alone", run.has(status),
             mail.nowhere() if status else mail.arrived())

mail = lab.mail()
run = send(mail, "--require-tls", server=None)
lab.case("REQUIRETLS is not what Postfix offers", run.fails(
    69, "does not offer REQUIRETLS", "5.7.30"), mail.nowhere())
lab.done()
