#!/usr/bin/python3 -B
"""Certificates that prove nothing, names, and servers that are not there."""
from interop import Lab

lab = Lab()
for case, words in (("WRONG_NAME", ["name"]), ("EXPIRED", ["expired"]),
                    ("UNKNOWN_CA", ["issuer"])):
    for mode in "STARTTLS", "TLS":
        port = f"POSTFIX_{case}_{mode}"
        mail = lab.mail()
        run = lab.send(port, mail)
        lab.case(port, run.fails(75, "localhost", *words),
                 run.keeps(*mail.to), mail.nowhere())

for port in "POSTFIX_STARTTLS", "POSTFIX_TLS":
    mail = lab.mail()
    run = lab.send(port, mail, ca_file=None)
    lab.case(f"{port}: the system does not know the lab's CA",
             run.fails(75, "localhost", "issuer"), mail.nowhere())

    mail = lab.mail()
    run = lab.send(port, mail, host="127.0.0.1")
    lab.case(f"{port}: an address in the certificate", run.is_silent(),
             mail.arrived())

    mail = lab.mail()
    run = lab.send(port, mail, tls_name="mail.example.test")
    lab.case(f"{port}: tls-name", run.is_silent(), mail.arrived())

    mail = lab.mail()
    run = lab.send(port, mail, tls_name="other.example.test")
    lab.case(f"{port}: a tls-name that is not in it",
             run.fails(75, "other.example.test"), mail.nowhere())

for scheme in "smtp", "smtps":
    mail = lab.mail()
    down = f"{scheme}://localhost:{lab.env['DOWN']}"
    run = lab.send("DOWN", mail, server=down)
    lab.case(f"{scheme}: nobody listens",
             run.fails(75, "localhost", lab.env["DOWN"], "refused"),
             run.keeps(*mail.to), mail.nowhere())

# TLS where plain text is spoken, and the other way round: no later attempt
# would do better, but for the silence of a server that waits for TLS.
for port, url, status, words in (
        ("POSTFIX_STARTTLS", "smtps", 76, ["STARTTLS"]),
        ("POSTFIX_TLS", "smtp", 75, ["greeting"])):
    mail = lab.mail()
    run = lab.send(port, mail, server=f"{url}://localhost:{lab.env[port]}",
                   timeout_reply="3")
    lab.case(f"{url} to {port}", run.fails(status, "localhost", *words),
             mail.nowhere())

# Only a server's 5yz to MAIL, RCPT or the data refuses a message for good.
mail = lab.mail()
run = lab.send("POSTFIX_TLS", mail, password="wrong")
lab.case("what a refused login left behind is held", run.has(77),
         run.keeps("state held"), mail.nowhere())
lab.done()
