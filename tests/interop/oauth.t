#!/usr/bin/python3 -B
"""Tokens: JWTs that Dovecot checks, for itself and Postfix, and npm's own."""
from interop import ALICE, Lab

lab = Lab()


def command(first, fresh):
    """Prints a token, and another one when it is asked again."""
    return f"'[ $SENDOFF_OAUTH_REFRESH ] && echo {fresh} || echo {first}'"


def renewed(port, mechanism, words):
    """A token that has expired, and what the server says of it."""
    good = lab.token(port, ALICE)
    stale = "of-yesterday" if port.startswith("NODE_") else \
        lab.token(port, ALICE, seconds=-600)
    mail = lab.mail()
    run = lab.send(port, mail, "-v", password=None, auth=mechanism,
                   oauth_command=command(stale, good))
    lab.case(f"{port}: {mechanism}, expired and made anew", run.has(0),
             run.says(f"C: AUTH {mechanism} ***" if len(stale) < 200 else
                      f"C: AUTH {mechanism}", "# a new token is asked for",
                      words, "S: 235"),
             hides(run, good, stale), mail.arrived())
    mail = lab.mail()
    run = lab.send(port, mail, password=None, auth=mechanism,
                   oauth_command=command(stale, stale))
    lab.case(f"{port}: {mechanism}, expired twice",
             run.fails(77, "refuses the token of alice@example.test", words,
                       "log in again"), run.keeps(*mail.to), mail.nowhere())


def hides(run, *tokens):
    """But for the command, which is the configuration's."""
    err = "\n".join(line for line in run.err.splitlines()
                    if "oauth-command runs" not in line)
    return "".join(f"it tells {word}" for word in tokens if word in err)


def alone(port):
    """Whatever else is offered: nothing is said of mechanisms."""
    mail = lab.mail()
    run = lab.send(port, mail, "-v", password=None, oauth_command=command(
        lab.token(port, ALICE), "x"))
    lab.case(f"{port}: by itself", run.has(0), mail.arrived(), run.says(
        "C: AUTH " + ("XOAUTH2" if "NODE" in port else "OAUTHBEARER")))


for port in "POSTFIX_TLS", "DOVECOT_STARTTLS", "NODE_TLS":
    alone(port)
WORDS = {"OAUTHBEARER": "(invalid_token)", "XOAUTH2": "(401)"}
for port, names in (("POSTFIX_STARTTLS", WORDS), ("DOVECOT_TLS", WORDS),
                    ("NODE_STARTTLS", ["XOAUTH2"])):
    for name in names:
        renewed(port, name, WORDS[name])
lab.logins(("POSTFIX_STARTTLS", "POSTFIX_TLS"), ("OAUTHBEARER", "XOAUTH2"),
           "535 5.7.8 Error: authentication failed")
lab.logins(("DOVECOT_STARTTLS", "DOVECOT_TLS"), ("OAUTHBEARER", "XOAUTH2"),
           "535 5.7.8 Authentication failed")
lab.logins(("NODE_STARTTLS", "NODE_TLS"), ["XOAUTH2"],
           "535 Error: Username and Password not accepted")
lab.done()
