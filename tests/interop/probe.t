#!/usr/bin/python3 -B
"""--probe: what it says of real servers, of SRV, DNSSEC and TLSA records."""
import hashlib
import json
import subprocess

from interop import Lab

lab = Lab()
RESOLVER = f"127.0.0.1:{lab.env['UNBOUND']}"
TLS, STARTTLS = lab.env["POSTFIX_TLS"], lab.env["POSTFIX_STARTTLS"]
NOBODY = lab.mail(good=0)
KEY = subprocess.run(
    "openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER",
    shell=True, check=True, capture_output=True,
    stdin=open(lab.env["CERTS"] + "/good.pem", encoding="ascii")).stdout
RIGHT = "3 1 1 " + hashlib.sha256(KEY).hexdigest()


def probe(port, *options, mail=NOBODY, resolver=RESOLVER, **settings):
    """The run, and its object."""
    run = lab.send(port, mail, "--json", *options or ["--probe"],
                   resolver=resolver, **settings)
    return run, json.loads(run.out or "{}")


def differs(got, wanted):
    return "" if got == wanted else f"{got!r}, not {wanted!r}"


def advises(found, *words):
    text = " / ".join(found.get("advice", []))
    return "".join(f"no {w!r} in {text!r}; " for w in words if w not in text)


def dns(found, kind, server=-1):
    records = [r for r in found["servers"][server]["dns"] if r["type"] == kind]
    return [(r["found"], r["dnssec"], r["values"]) for r in records]


def at(host, **settings):
    return {"server": f"smtps://{host}:{TLS}", **settings}


# --- a domain that names its servers, signed -----------------------------------

run, found = probe(None)
one = found["servers"][0]
lab.case("two lines of configuration", run.has(0),
         differs(found["domain"], "example.test"),
         differs([r["values"] for r in found["srv"]],
                 [[f"0 1 {TLS} mail.example.test"],
                  [f"0 1 {STARTTLS} mail.example.test"]]),
         differs([r["dnssec"] for r in found["srv"]], [True, True]),
         differs(found["resolver-trusted"], True))
lab.case("its addresses and TLSA", differs(dns(found, "TLSA"),
                                           [(True, True, [RIGHT])]),
         differs(dns(found, "A"), [(True, True, ["127.0.0.1"])]),
         differs(dns(found, "AAAA"), [(True, True, ["::1"])]),
         differs([a["address"] for a in one["addresses"] if a["reached"]],
                 ["127.0.0.1"]))
lab.case("DANE and PKIX side by side",
         differs(one["tls"]["dane"], {"verified": True, "by": "dane-ee"}),
         differs(one["tls"]["verified-by"], "dane-ee"),
         differs(one["tls"]["pkix"], {"verified": True, "by": "pkix"}),
         differs(one["tls"]["tlsa"],
                 f"_{TLS}._tcp.mail.example.test. IN TLSA {RIGHT}"))
lab.case("and it logs in", differs(found["login"]["done"], True),
         differs(found["login"]["mechanism"], "SCRAM-SHA-256"))

# --- records that do not match --------------------------------------------------

run, found = probe(None, **at("wrong.example.test"))
lab.case("TLSA that does not match", run.has(75),
         differs(found["servers"][0]["tls"]["dane"]["verified"], False),
         advises(found, "do not match",
                 f"_{TLS}._tcp.wrong.example.test. IN TLSA {RIGHT}"),
         differs(found["tls-result"], "validation-failure"))
run, found = probe(None, **at("none.example.test", dane="off",
                              tls_name="localhost"))
lab.case("signed, and no TLSA", run.has(0),
         advises(found, "the zone is signed",
                 f"_{TLS}._tcp.none.example.test. IN TLSA {RIGHT}",
                 "no AAAA record"))
run, found = probe(None, **at("mx.wild.example.test", tls_name="localhost"))
lab.case("TLSA, and not signed", run.has(0), advises(found, "not signed"),
         differs("dane" in found["servers"][0]["tls"], False))
run, found = probe(None, **at("alias.example.test"))
lab.case("an alias", differs(dns(found, "CNAME"),
                             [(True, True, ["mail.example.test"])]))
run, found = probe(None, **{"from": "alice@failover.example.test"})
lab.case("the first does not listen, the second is looked at", run.has(0),
         differs([any(a["reached"] for a in s["addresses"])
                  for s in found["servers"]], [False, True]))
run, found = probe(None, **{"from": "alice@bogus.test"})
lab.case("a forged domain", run.has(75),
         differs([r["found"] for r in found["srv"]], [False, False]),
         differs("SERVFAIL" in found["error"], True))
run, found = probe(None, **at("absent.example.test"))
lab.case("no such host", run.has(68), differs(dns(found, "A"),
                                              [(False, True, [])]))

# --- servers, and what they say of recipients -----------------------------------

for port in ("POSTFIX_TLS", "POSTFIX_STARTTLS", "EXIM_TLS", "EXIM_STARTTLS",
             "DOVECOT_STARTTLS", "NODE_TLS", "CYRUS_TLS"):
    run, found = probe(port, resolver=None)
    lab.case(f"{port}: logged in", run.has(0),
             differs(found["login"]["done"], True),
             differs(found["servers"][0]["tls"]["pkix"]["verified"], True))
mail = lab.mail("refused", "busy")
run, found = probe("POSTFIX_TLS", "--probe=rcpt", mail=mail, resolver=None)
lab.case("recipients", run.has(69), mail.nowhere(),
         differs([r["accepted"] for r in found["recipients"]],
                 [True, True, False, False]),
         differs(found["recipients"][2]["reply"][:9], "550 5.1.1"))
run = lab.send("POSTFIX_TLS", NOBODY, "--probe")
lab.case("for people", run.has(0),
         differs("a message could be sent" in run.out, True))
lab.done()
