"""A manual page of ours as the tests see it: sections, lists, displays, and
which words are options, settings and variables."""

import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
OURS = ("sendmail.8", "sendoff.1", "sendoff.conf.5")
MACROS = set("Fl Ar Cm Ns Op Oo Oc Po Pc Pq Nm Li Xr Pa Ev Ic Dq Sq Ql Sx Em "
             "No Fn Pf".split())


def source(name):
    with open(f"{TOP}/{name}", encoding="utf-8") as f:
        return f.read()


def unescape(text):
    """What a word of mdoc(7) shows."""
    return text.replace("\\&", "").replace("\\-", "-").replace("\\e", "\\")


def words(line):
    """The words of a macro's line, each with the macro it belongs to."""
    macro = None
    for word in re.findall(r'"[^"]*"|\S+', line.lstrip(".")):
        if word in MACROS or word == "It":
            macro = word
        elif word not in (",", "|", ".", ":", ";", ")", "("):
            yield macro, unescape(word.strip('"'))


class Page:
    def __init__(self, name):
        self.name = name
        self.lines = source("man/" + name).splitlines()

    def section(self, title, level="Sh"):
        """The lines of a section; of a .Ss up to the next heading."""
        out, inside = [], False
        for line in self.lines:
            if line.startswith(f".{level} "):
                inside = line == f".{level} {title}"
            elif line.startswith(".Sh "):
                inside = False
            elif inside:
                out.append(line)
        return out

    def items(self, title):
        """Of the lists of a section: [(line of .It, text below it)]."""
        out = []
        for line in self.section(title):
            if line.startswith(".It"):
                out.append((line, []))
            elif line.startswith((".El", ".Bl", ".Ss")):
                out.append(("", []))
            elif out:
                out[-1][1].append(line)
        return [(head, text) for head, text in out if head]

    def named(self, macro, lines=None):
        """Every word that the macro marks, anywhere or in these lines."""
        found = set()
        for line in self.lines if lines is None else lines:
            if line.startswith("."):
                found |= {w for m, w in words(line) if m == macro}
        return found

    def displays(self):
        """Of EXAMPLES: {(heading, number): text as a person pastes it}."""
        out, heading, text, count = {}, "", None, {}
        for line in self.section("EXAMPLES"):
            if line.startswith(".Ss "):
                heading = line[4:]
            elif line.startswith(".Bd -literal"):
                text = []
            elif line == ".Ed":
                count[heading] = count.get(heading, 0) + 1
                out[heading, count[heading]] = "".join(
                    unescape(x) + "\n" for x in text)
                text = None
            elif text is not None:
                text.append(line)
            elif line.startswith((".Dl", ".D1", ".Ql $")):
                count[heading] = count.get(heading, 0) + 1
                out[heading, count[heading]] = unescape(line[4:]) + "\n"
        return out


def pages():
    return [Page(name) for name in OURS]


def example(name, heading, number=1):
    """For other tests: what the page has there."""
    return Page(name).displays()[heading, number]


def every_example():
    return {(p.name, *key): text for p in pages()
            for key, text in p.displays().items()}
