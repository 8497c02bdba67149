#!/usr/bin/python3 -B
"""sendmail(8), sendoff(1) and sendoff.conf(5) say what the program does: their
lists against its tables, both ways.  Their examples are run by examples.t."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tap                                                      # noqa: E402
from manual.page import Page, TOP, pages, source, unescape      # noqa: E402

B = os.path.join(TOP, os.environ.get("B", "build"))
SENDMAIL, SENDOFF, CONF = pages()
HOME = tempfile.TemporaryDirectory()
ENV = {**os.environ, "HOME": HOME.name, "XDG_CONFIG_HOME": HOME.name}
COLUMNS = 80
SOURCES = sorted(f for f in os.listdir(TOP) if re.search(r"\.[ch]$", f))
SYSEXITS = dict(zip(
    "USAGE DATAERR NOINPUT NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE "
    "CANTCREAT IOERR TEMPFAIL PROTOCOL NOPERM CONFIG".split(), range(64, 79)))


def equal(got, wanted, what):
    """Both ways: what is missing, and what is too much."""
    got, wanted = set(got), set(wanted)
    tap.ok(got == wanted and len(wanted) > 1, what,
           f"missing: {sorted(wanted - got)}\ntoo much: {sorted(got - wanted)}")


def run(*args, program="sendoff", text=""):
    return subprocess.run([f"{B}/{program}", *args], input=text, env=ENV,
                          capture_output=True, text=True, check=False,
                          timeout=tap.PATIENCE)


# --- options ------------------------------------------------------------------

def settings():
    """name: (default or None, has a long option, its words)."""
    found = {}
    for name, words, standard, option in re.findall(
            r'\[SET_\w+\]\s*= \{ "([a-z0-9-]+)",\s*\w+,\s*(NULL|"[^"]*"),\s*'
            r'(NULL|"[^"]*"),\s*\d,\s*(\d) \}', source("settings.c")):
        found[name] = (None if standard == "NULL" else standard.strip('"'),
                       option == "0", [] if words == "NULL" else
                       words.strip('"').split())
    return found


def letters():
    return set(re.findall(r"\{ '(\w)', (?:YES|NO|ATTACHED),",
                          source("letters.c")))


def longs():
    table = source("longs.c").partition("static const struct option options[]")
    return set(re.findall(r'\{ "([a-z-]+)", (?:YES|NO|ATTACHED),',
                          table[2].partition("};")[0]))


def flags(page, lines=None):
    """Letters (one character) and long names that the page marks as such."""
    marked = {x for x in page.named("Fl", lines) if x not in ("-", "--")}
    return ({x[0] for x in marked if x[0] != "-" and not x.startswith("intv")},
            {x[1:].rstrip("=") for x in marked if x[0] == "-"})


def heads(page, section):
    return [head for head, _ in page.items(section)]


def options():
    listed, more = flags(SENDMAIL, heads(SENDMAIL, "OPTIONS"))
    equal(listed, letters(), "sendmail(8) has every letter, and no other")
    equal(more | {"-"}, {"version", "-"}, "and one long option")
    equal(flags(SENDOFF, heads(SENDOFF, "OPTIONS"))[1] -
          (set(settings()) - longs()), longs(),
          "sendoff(1) has every long option that is no setting, and no other")
    optional = {n for n, (_, has, _) in settings().items() if has}
    for page in SENDMAIL, SENDOFF, CONF:
        short, long = flags(page)
        tap.ok(short <= letters() and long <= longs() | optional,
               f"{page.name}: no option that there is not",
               (short - letters(), long - longs() - optional))
    wrong = [n for n in longs() | optional
             if f"there is no option --{n} " in run(f"--{n}", "-@").stderr]
    tap.ok(not wrong and "no option --nosuch " in run("--nosuch").stderr,
           "the program knows each", wrong)
    text = run("--help").stdout
    usage = re.findall(r"--([a-z-]+)", text)
    lines = re.findall(r"^  (--[a-z-]+)", text, re.M)
    tap.same(len(lines), len(set(lines)), "--help has a line for each, once")
    named = flags(SENDOFF)[1] | set(settings())
    tap.ok(len(usage) > 15 and set(usage) <= named,
           "sendoff(1) has what --help lists", set(usage) - named)
    tap.ok(longs() <= set(usage), "which is every one that is no setting",
           longs() - set(usage))


def modes():
    """-b and its letter: done, or refused as the page says."""
    listed = {}
    for head, text in SENDMAIL.items("OPTIONS"):
        for word in re.findall(r"\bb([A-Za-z])\b", head.replace(",", " ")):
            listed[word] = any(line.startswith("Refused") for line in text)
    table = re.findall(r"\{ '(\w)', MODE_", source("letters.c"))
    equal([x for x in listed if not listed[x]], table,
          "every mode of -b is in sendmail(8)")
    got = {x: run(f"-b{x}", "x@example.org", program="sendmail").returncode ==
           64 for x in listed if listed[x]}
    tap.ok(len(got) > 5 and all(got.values()), "the others are refused (64)",
           got)


# --- settings -----------------------------------------------------------------

def setting_items():
    found = {}
    for head, text in CONF.items("SETTINGS"):
        for name in re.findall(r"Cm ([a-z0-9-]+) (?:Cm|Ar)", head):
            if name in settings():
                found[name] = (head, " ".join(
                    re.sub(r"^\.[A-Z][a-z] ", "", x) for x in text))
    return found


def conf():
    found, table = setting_items(), settings()
    equal(found, table, "sendoff.conf(5) has every setting, and no other")
    first = {re.match(r"\.It Cm ([a-z0-9-]+)", h)[1]
             for h in heads(CONF, "SETTINGS")}
    tap.ok(first <= set(table), "no item is another's", first - set(table))
    for name, (head, text) in sorted(found.items()):
        standard, _, words = table.get(name, (None, True, []))
        said = re.findall(r"Default:\s+(.*?)\s*[.,;]*(?:$|\s\.$)", text)
        tap.ok(len(said) == 1 if standard is None else
               [x.rstrip(" .") for x in said] == [standard],
               f"{name}: its default", f"{standard!r}: {text[-200:]!r}")
        tap.ok(all(re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", head)
                   for w in words), f"{name}: its words", f"{words} {head}")
    with open(HOME.name + "/sendoff.conf", "w", encoding="utf-8") as f:
        f.write("from me@example.org\n")
    shown = dict(line.split(None, 1) for line in
                 run("--check").stdout.splitlines()[1:]
                 if not line.startswith("    #"))
    shown.pop("from")
    equal(shown.items(), [(n, d) for n, (d, _, _) in table.items() if d],
          "what --check shows are these defaults")


# --- the rest -----------------------------------------------------------------

def statuses():
    used = set(re.findall(r"EX_([A-Z]+)", source("failure.c") +
                          source("report.c"))) - {"OK"}
    listed = [head.split()[1] for head in heads(SENDMAIL, "EXIT STATUS")]
    equal(listed, ["0", *(str(SYSEXITS[x]) for x in used)],
          "EXIT STATUS has every status, and no other")
    tap.ok(listed == sorted(listed, key=int), "in order", listed)


def variables():
    text = "".join(source(f) for f in SOURCES)
    read = set(re.findall(r'\b(?:environment|absolute)\(\w+, "(\w+)"', text))
    kept = re.findall(r'kept\[\] = \{(.*?)\}', source("caller.c"), re.S)[0]
    read |= set(re.findall(r'"(\w+)"', kept))
    read |= set(re.findall(r'unsetenv\("(\w+)"', text))
    read |= set(re.findall(r'\bsetenv\("(\w+)"', text))
    read |= set(re.findall(r'define RENEWAL\s+"(\w+)"', text))
    tap.ok({"HOME", "TMPDIR", "SENDOFF_OAUTH_REFRESH", "TZ"} <= read,
           "the variables are found in the sources", read)
    equal(SENDOFF.named("Ev", SENDOFF.section("ENVIRONMENT")), read,
          "ENVIRONMENT has every variable, and no other")
    others = set.union(*(p.named("Ev") for p in pages())) - read
    equal(others | {"x"}, {"x", "MAILTO"},
          "no page has a variable that there is not")


FILES = re.compile(r'"((?:/etc/(?!ssl|pki|ca-|nsswitch|host\.|hostname|gai|serv|'
                   r'ld|pkcs11)|/var/spool/|%s/\.)[\w./-]+)"')


def files():
    text = "".join(source(f) for f in SOURCES
                   if not f.startswith(("import", "bundle"))).replace(
        'SYSCONFDIR "', '"/etc')
    read = {x.replace("%s", "~") for x in FILES.findall(text)}
    tap.ok({"/etc/sendoff.conf", "~/.netrc", "/etc/mailname"} <= read,
           "the files are found in the sources", read)
    listed = SENDOFF.named("Pa", heads(SENDOFF, "FILES"))
    missing = [x for x in read if not any(
        x.rstrip("/") in (y.rstrip("/"), os.path.dirname(y)) for y in listed)
        and x != "~/.local/state"]
    tap.ok(not missing and len(read) > 5, "FILES has every file", missing)
    known = text.replace("%s", "~")
    wrong = [x for x in listed if x.rstrip("/") not in known and
             x != "/" and os.path.basename(x) not in known]
    tap.ok(not wrong, "and no other", wrong)


RFC = re.compile(r"\bRFC\s+(\d{4}(?:(?:,| and| to)\s+\d{4})*)")


def numbers(text):
    return {n for found in RFC.findall(text)
            for n in re.findall(r"\d{4}", found)}


def standards():
    named = set()
    for f in SOURCES:
        named |= numbers(re.sub(r"\n\s*\*?\s*", " ", source(f)))
    tap.ok(len(named) > 60, "the sources name RFCs", named)
    listed = " ".join(unescape(line) for line in SENDOFF.section("STANDARDS")
                      if not line.startswith("."))
    lists = listed.partition("Where the program departs")[0]
    equal(re.findall(r"\b\d{4}\b", lists), named,
          "STANDARDS has every RFC that a source names, and no other")
    departures = listed.partition("Where the program departs")[2]
    tap.ok(len(numbers(departures)) > 8 and numbers(departures) <= named,
           "a departure is from one of these", numbers(departures) - named)
    items = "\n".join(SENDOFF.section("STANDARDS")).partition(
        "Where the program departs")[2].split(".It\n")[1:]
    proofs = [re.match(r'\.\\" test: (.*)', item) for item in items]
    missing = [m[1] for m in proofs if m and not all(
        os.path.exists(f"{TOP}/tests/{place}{test}") for test in m[1].split()
        for place in ["functional/" * test.endswith(".smtp")])]
    tap.ok(len(items) > 15 and all(proofs) and not missing,
           "each departure names its test, which is there",
           f"{missing}\n{[i for i, m in zip(items, proofs) if not m]}")
    for page in CONF, SENDMAIL:
        text = numbers(" ".join(page.lines))
        tap.ok(text <= named, f"{page.name}: no RFC that is not in the list",
               text - named)


def form():
    names = sorted(f for f in os.listdir(TOP + "/man")
                   if re.search(r"\.[1-9]$", f))
    lint = subprocess.run(["sh", TOP + "/tests/lint/pages",
                           *(f"{TOP}/man/{f}" for f in names)], text=True,
                          capture_output=True, check=False)
    tap.ok(lint.returncode == 0 and not lint.stdout and not lint.stderr,
           "mandoc finds nothing", lint.stdout + lint.stderr)
    for name in names:                  # as man(1) of Debian shows them
        shown = subprocess.run(["groff", "-ww", "-mdoc", "-Tutf8",
                                f"{TOP}/man/{name}"], check=False,
                               capture_output=True)
        tap.ok(shown.returncode == 0 and not shown.stderr,
               f"{name}: groff finds nothing", shown.stderr.decode())
        shown = subprocess.run(["mandoc", "-Tutf8", f"{TOP}/man/{name}"],
                               capture_output=True, check=False).stdout.decode()
        wide = [x for x in re.sub(".\b", "", shown).splitlines()
                if len(x) > COLUMNS and not x.startswith("           # ")
                and name != "sendoff-migrate.7"]
        tap.ok(len(shown) > 2000 and not wide, f"{name}: {COLUMNS} columns",
               "\n".join(wide))
        missing = []
        for page in re.findall(r"^\.Xr (sendoff\S*|sendmail) (\d)",
                               source("man/" + name), re.M):
            if not os.path.exists(f"{TOP}/man/{'.'.join(page)}"):
                missing.append(page)
        tap.ok(not missing, f"{name}: what it refers to is there", missing)
    for page in pages():
        titles = [x[4:] for x in page.lines if x.startswith(".Sh ")]
        behind = titles.index("DESCRIPTION") + 1
        tap.ok(titles[behind] == "EXAMPLES", f"{page.name}: EXAMPLES first",
               titles)


options()
modes()
conf()
statuses()
variables()
files()
standards()
form()
HOME.cleanup()
tap.done()
