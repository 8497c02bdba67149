#!/usr/bin/python3 -B
"""Ways to a server: proxies (microsocks), LMTP over a socket (Dovecot)."""
import glob

from interop import ALICE, Lab, canonical, read

lab = Lab()
SOCKS, LOGIN = lab.env["SOCKS"], lab.env["SOCKS_LOGIN"]
LMTP = lab.env["ROOT"] + "/run/dovecot/lmtp"


def proxy(name, where, *words, status=0, netrc=None, **settings):
    mail = lab.mail()
    files = {".netrc": netrc} if netrc else {}
    run = lab.send("POSTFIX_TLS", mail, "-vv", proxy=f"socks5://{where}",
                   files=files, **settings)
    lab.case(name, run.has(status), run.says(*words),
             mail.nowhere() if status else mail.arrived())


proxy("a proxy", f"localhost:{SOCKS}", "asking the proxy to connect to localhost")
proxy("a proxy's address", f"127.0.0.1:{SOCKS}")
proxy("the proxy looks up the name", f"localhost:{SOCKS}", "cannot connect",
      status=75, server=f"smtps://no.example.test:{lab.env['POSTFIX_TLS']}")
proxy("nobody listens behind it", f"localhost:{SOCKS}", "the proxy localhost",
      status=75, server=f"smtps://localhost:{lab.env['DOWN']}")
proxy("no proxy there", f"localhost:{lab.env['DOWN']}",
      "the proxy localhost", "refused", status=75)
proxy("a proxy that wants a login, and none given", f"localhost:{LOGIN}",
      "wants a login", ".netrc", status=78)
proxy("a login, and no password in netrc", f"proxy@localhost:{LOGIN}",
      "machine localhost login proxy", status=78)
proxy("a login", f"proxy@localhost:{LOGIN}",
      netrc='machine localhost login proxy password "pass word"\n')
proxy("a wrong one", f"proxy@localhost:{LOGIN}", "refuses the login",
      status=77, netrc="machine localhost login proxy password wrong\n")
proxy("no login over plain text though the proxy is near", f"localhost:{SOCKS}",
      "would not be safe", status=78,
      server=f"smtp+plain://localhost:{lab.env['POSTFIX_NOTLS']}")

# --- ~/.netrc ----------------------------------------------------------------

password = lab.users[ALICE]
for host, status in (("localhost", 0), ("127.0.0.1", 78)):
    mail = lab.mail()
    run = lab.send("POSTFIX_TLS", mail, password=None, files={
        ".netrc": f'machine {host} login {ALICE} password "{password}"\n'})
    lab.case(f"a password of {host} in netrc", run.has(status),
             mail.nowhere() if status else mail.arrived())

# --- LMTP --------------------------------------------------------------------


def delivered(user):
    names = glob.glob(f"{lab.env['ROOT']}/var/mail/users/"
                      f"{glob.escape(user)}/new/*")
    return [read(name, "rb") for name in names]


def has_it(mail, user):
    wanted = canonical(mail.octets).replace(b"\r\n", b"\n")
    n = sum(text.replace(b"\r\n", b"\n").endswith(wanted)
            for text in delivered(user))
    return "" if n == 1 else f"{user} has it {n} times"


users = [ALICE, next(u for u in lab.users if u != ALICE)]
mail = lab.mail(good=0)
mail.to = users
run = lab.send("", mail, "-v", server=f"lmtp://{LMTP}", auth="none",
               password=None)
lab.case("LMTP: two have it", run.has(0), run.says("C: LHLO"),
         *[has_it(mail, user) for user in users])
mail = lab.mail(good=0)
mail.to = [ALICE, "nobody@example.test"]
run = lab.send("", mail, server=f"lmtp://{LMTP}", auth="none", password=None)
lab.case("LMTP: one has it, one is not known", run.fails(
    67, "nobody@example.test"), run.keeps("nobody@example.test"),
    has_it(mail, ALICE))
lab.done()
