#!/usr/bin/python3
"""judge.py ORIGINAL CONVERTED [8bitmime] [smtputf8]

Does the converted message say what the original says, and may it be sent to a
server with just these extensions?  Each complaint is a line; the exit status
is 1 when there is one.

Python's email takes the messages apart.  Where it is known to be wrong,
words.py has the last word; where both read the original alike, both must read
the conversion alike.
"""

import base64
import binascii
import email.errors
import email.feedparser
import email.message
import email.parser
import email.policy
import email.utils
import os
import re
import sys
from dataclasses import dataclass, field

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import words                                                    # noqa: E402

LINE_MAX = 998                                  # RFC 5322 section 2.1.1
NAME = rb"[!-9;-~]+[ \t]*:"
ENTERED = ("message/rfc822", "message/global", "message/news")
REPORTS = ("message/delivery-status", "message/disposition-notification",
           "message/feedback-report", "message/external-body",
           "message/global-delivery-status",
           "message/global-disposition-notification")
IDENTITY = ("", "7bit", "8bit", "binary")
MENDED = ("mime-version", "content-type", "content-transfer-encoding")
ADDRESSES = ("from", "sender", "reply-to", "to", "cc", "bcc", "resent-from",
             "resent-sender", "resent-to", "resent-cc", "resent-bcc",
             "resent-reply-to", "return-path", "errors-to",
             "disposition-notification-to", "return-receipt-to",
             "mail-followup-to", "mail-reply-to")
STRUCTURED = ("received", "date", "resent-date", "message-id", "references",
              "in-reply-to", "resent-message-id", "content-id",
              "mime-version", "content-transfer-encoding")
MESSAGE_IDS = ("message-id", "references", "in-reply-to",
               "resent-message-id", "content-id")
SEALS = ("dkim-signature", "arc-seal", "arc-message-signature")
SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime")

# Python does not know the obsolete blanks before the colon (RFC 5322 section
# 4.5), and takes ":" alone for a field.
email.feedparser.headerRE = re.compile(
    r"^(From |[\041-\071\073-\176]+[ \t]*:|[\t ])")


# --- what the converter reads -----------------------------------------------

def canonical(octets):
    """As message.h promises to read it: CRLF, and a separator."""
    head, body, first = [], octets, True
    while body:
        line, newline, rest = body.partition(b"\n")
        line = line[:-1] if line.endswith(b"\r") else line
        if not line:
            body = rest
            break
        if re.match(NAME, line) or (head and line[:1] in b" \t"):
            head.append(line.replace(b"\r", b" ") + b"\r\n")
        elif not (first and re.match(rb">?From ", line)):
            break
        first = False
        body = rest
    body = re.sub(rb"\r\n|\r|\n", b"\r\n", body)
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    return b"".join(head) + b"\r\n" + body


def octets_of(string):
    return string.encode("ascii", "surrogateescape")


class Node(email.message.Message):
    """Reads types and boundaries in spite of comments and odd blanks."""

    def raw(self, name):
        for key, value in self.raw_items():
            if key.rstrip().lower() == name:
                return octets_of(value)
        return None

    def parameters(self, name="content-type"):
        value = self.raw(name) or b""
        for end in b"", b"\"":                   # that nobody closes
            try:
                return words.parameters(value + end)[1]
            except words.Garbage:
                pass
        return {}

    def encoding(self):
        value = words.unfold(self.raw("content-transfer-encoding") or b"")
        value = re.sub(rb"\([^()]*\)", b"", value).strip(b" \t;\"")
        return value.decode("ascii", "replace").lower()

    def media_type(self):
        value = self.raw("content-type")
        if value is None:
            return self.get_default_type()
        match = re.match(rb"[ \t]*([!#-'*+.0-9A-Z^-~-]+)[ \t]*/[ \t]*"
                         rb"([!#-'*+.0-9A-Z^-~-]+)[ \t]*(?:[;(]|$)",
                         words.unfold(value), re.I)
        if not match:
            return "text/plain"                 # RFC 2045 section 5.2
        return f"{match[1].decode()}/{match[2].decode()}".lower()

    def get_content_type(self):
        """For the parser, which would take apart what is a leaf for us."""
        kind = self.media_type()
        if kind.startswith("message/") and (
                kind not in ENTERED or self.encoding() not in IDENTITY):
            return "application/octet-stream"
        return kind

    def get_boundary(self, failobj=None):
        value = self.parameters().get(b"boundary")
        if not value:
            return failobj
        return value.decode("ascii", "surrogateescape").rstrip()


@dataclass
class Entity:
    """A node of the tree; leaf is None unless it is one."""
    path: str
    node: Node
    kind: str
    fields: list
    leaf: bytes = None
    children: list = field(default_factory=list)
    preamble: bytes = b""
    epilogue: bytes = b""
    is_message: bool = False
    at_end: bool = False                        # which nothing but it closes

    def all(self):
        yield self
        for child in self.children:
            yield from child.all()


def entity(node, path="", is_message=True):
    fields = [(octets_of(n), octets_of(v)) for n, v in node.raw_items()]
    e = Entity(path or "top", node, node.media_type(), fields,
               is_message=is_message)
    # The payload itself: get_payload() would decode what it can.
    payload = node._payload                     # pylint: disable=W0212
    if isinstance(payload, list):
        e.children = [entity(child, f"{path}.{i + 1}".lstrip("."),
                             e.kind in ENTERED)
                      for i, child in enumerate(payload)]
        e.preamble = octets_of(node.preamble or "")
        e.epilogue = octets_of(node.epilogue or "")
    else:
        e.leaf = octets_of(payload or "")
    return e


def parse(octets):
    parser = email.parser.BytesParser(Node, policy=email.policy.compat32)
    tree = entity(parser.parsebytes(octets))
    boundary = left_open(tree)
    if boundary is None:
        return tree
    # Python takes the last line end away from what a delimiter should have
    # closed and only the end does.
    tree = entity(parser.parsebytes(octets + b"\r\n--" + boundary + b"--\r\n"))
    list(tree.all())[-1].at_end = True
    return tree


def left_open(e):
    """The boundary of the outermost multipart that only the end closes."""
    while e.children and not e.kind.startswith("multipart/"):
        e = e.children[-1]
    for defect in e.node.defects:
        if isinstance(defect, email.errors.CloseBoundaryNotFoundDefect):
            return octets_of(e.node.get_boundary())
    return None


# --- what needs a conversion ------------------------------------------------

def has_8bit(octets):
    return not octets.isascii()


def unfit(octets):
    """No server takes this as it is."""
    return b"\0" in octets or any(
        len(line) > LINE_MAX for line in octets.split(b"\r\n"))


def body_needs(octets, offers):
    return unfit(octets) or (has_8bit(octets) and "8bitmime" not in offers)


def loses(tree):
    """Is an address of the header one that only SMTPUTF8 can say?"""
    def items():
        for name, value in tree.fields:
            if is_in(name, ADDRESSES) and has_8bit(value) and \
                    words.is_utf8(value):
                try:
                    yield from words.addresses(value)
                except words.Garbage:
                    pass
    return is_marked(tree) or any(
        i[0] == "mailbox" and not is_sendable(i) for i in items())


def is_marked(e):
    """A boundary beyond ASCII can be said in UTF-8 alone."""
    return has_8bit(e.node.parameters().get(b"boundary", b""))


def stays_utf8(tree, offers):
    """convert.h: SMTPUTF8 is asked for only when that saves something."""
    return "smtputf8" in offers and (loses(tree) or is_sealed(tree))


@dataclass
class Demand:
    """What the server asks of the fields of one header."""
    seven: bool                                 # nothing beyond ASCII
    utf8: bool                                  # nothing but UTF-8

    def must(self, name, value):
        whole = name + b": " + value
        return unfit(whole) or (has_8bit(whole) and (
            self.seven or (self.utf8 and not words.is_utf8(whole))))

    @staticmethod
    def may(name, value):
        """A field that is no UTF-8 is wrong everywhere."""
        return not words.is_utf8(name + value)


def demand(e, tree, offers):
    """8BITMIME is enough for the headers of parts: they are body to SMTP."""
    if e is tree or e.path == "top":
        stays = stays_utf8(tree, offers)
        return Demand(not stays, stays)
    return Demand("8bitmime" not in offers, False)


def own_needs(e, tree, offers):
    """Of the entity itself, without its children."""
    header = demand(e, tree, offers)
    return (any(header.must(n, v) for n, v in e.fields) or
            any(body_needs(o, offers)
                for o in (e.leaf or b"", e.preamble, e.epilogue)))


def needs(tree, offers, below=None):
    return any(own_needs(e, tree, offers) for e in (below or tree).all())


def is_sealed(tree):
    """Would a conversion break a signature?"""
    return (any(is_in(n, SEALS) for n, _ in tree.fields) or
            tree.kind in SEALED + ("multipart/signed",))


def sealed_parts(tree):
    """What multipart/signed signs; itself it may be a part of something."""
    for e in tree.all():
        if e.kind == "multipart/signed":
            for child in e.children:
                yield from child.all()


def why_not(tree, offers):
    """What forbids the conversion that is needed; None when nothing does."""
    if not needs(tree, offers):
        return None
    if is_sealed(tree):
        return "it is signed"
    if any(own_needs(e, tree, offers) for e in sealed_parts(tree)):
        return "a part is signed"
    for e in tree.all():
        if e.leaf is not None and body_needs(e.leaf, offers) and (
                e.kind == "message/partial" or e.node.encoding() not in
                IDENTITY + ("base64", "quoted-printable")):
            return "an encoding that nobody knows"
    if any(is_marked(e) and (demand(e, tree, offers).seven or
                             "8bitmime" not in offers) for e in tree.all()):
        return "a boundary beyond ASCII"
    return None


# --- decoders ---------------------------------------------------------------

def from_qp(octets):
    """RFC 2045 section 6.7; what is malformed stands for itself."""
    lines = octets.split(b"\r\n")
    out = []
    for i, line in enumerate(lines):
        line = line.rstrip(b" \t")
        soft = line.endswith(b"=")
        out.append(words.unhex(words.HEX, line[:-1] if soft else line))
        if not soft and i + 1 < len(lines):
            out.append(b"\r\n")
    return b"".join(out)


def from_base64(octets):
    """RFC 2045 section 6.8: other octets are passed over, "=" ends it."""
    letters = re.sub(rb"[^A-Za-z0-9+/=]", b"", octets).split(b"=")[0]
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return base64.b64decode(letters + b"=" * (-len(letters) % 4))


def decoded(e):
    return {"quoted-printable": from_qp, "base64": from_base64}.get(
        e.node.encoding(), bytes)(e.leaf)


# --- the form of what came out ----------------------------------------------

def wire(octets, offers):
    """RFC 5321 section 4.5.3.1.6, RFC 6152."""
    if not octets.endswith(b"\r\n"):
        yield "the end is no line end"
    in_body = False
    for n, line in enumerate(octets.split(b"\r\n"), 1):
        in_body = in_body or not line
        if len(line) > LINE_MAX:
            yield f"line {n} has {len(line)} octets"
        if b"\r" in line or b"\n" in line:
            yield f"line {n} has a bare CR or LF"
        if b"\0" in line:
            yield f"line {n} has a NUL"
        if has_8bit(line) and (
                "8bitmime" if in_body else "smtputf8") not in offers:
            yield f"line {n} has 8-bit octets"


def qp_form(octets, again):
    """RFC 2045 section 6.7; again: others may have coded in small letters."""
    code = rb"[0-9A-Fa-f]{2}" if again else rb"[0-9A-F]{2}"
    if re.search(rb"=(\r\n)*\Z|=.\Z", octets) and not re.search(
            rb"=" + code + rb"\Z", octets):
        yield "\"=\" is at the very end"
    for line in octets.split(b"\r\n"):
        if len(line) > 76:
            yield f"quoted-printable: a line of {len(line)}"
        if line[-1:] in (b" ", b"\t"):
            yield "quoted-printable: a blank ends a line"
        if re.search(rb"=(?!" + code + rb"|\Z)", line):
            yield f"quoted-printable: a bad \"=\" in {line!r}"
        if re.search(rb"[^\t -~]", line):
            yield f"quoted-printable: a bad octet in {line!r}"


def base64_form(octets, again):
    """RFC 2045 section 6.8; again: what others made may be cut short."""
    if any(len(line) > 76 for line in octets.split(b"\r\n")):
        yield "base64: a long line"
    if re.search(rb"[^A-Za-z0-9+/=\r\n]", octets):
        yield "base64: a bad octet"
    if again:
        return
    try:
        base64.b64decode(octets.replace(b"\r\n", b""), validate=True)
    except binascii.Error as e:
        yield f"base64: {e}"
    if re.search(rb"=.*[^=\r\n]", octets, re.S):
        yield "base64: something behind the end"


def encoded_words(octets):
    return [m[0] for m in words.ENCODED.finditer(octets)]


def words_form(name, before, after):
    """RFC 2047 sections 2, 4 and 5 of the encoded words that were made."""
    old = set(encoded_words(before))
    made = [w for w in encoded_words(after) if w not in old]
    for word in made:
        read = words.encoded_word(word)
        if len(word) > 75:
            yield f"an encoded word of {len(word)}"
        if read is None:
            yield f"a malformed encoded word {word!r}"
        elif read[0] == b"utf-8" and not words.is_utf8(read[1]):
            yield f"a character is cut apart in {word!r}"
        elif read[0] not in (b"utf-8", b"unknown-8bit", b"us-ascii"):
            yield f"where does {word!r} have its charset from?"
        if is_in(name, ADDRESSES) and re.search(
                rb"\?[Qq]\?[^?]*[^A-Za-z0-9!*+/=_?-][^?]*\?=", word):
            yield f"{word!r} cannot stand in a phrase"
    sticks = [w for w in made if re.search(
        rb"[^ \t(]" + re.escape(w) + rb"|" + re.escape(w) + rb"[^ \t)\r]",
        after)]
    if sticks:
        yield f"no blank around {sticks[0]!r}"
    if is_in(name, MESSAGE_IDS) and made and before.isascii():
        yield f"encoded words for ASCII: {made[0]!r}"
    for line in (name + b": " + after).split(b"\r\n"):
        if any(w in line for w in made) and is_long(line, made):
            yield f"a line of {len(line)} with an encoded word"


def is_long(line, made):
    """One or two octets more are forgiven for what closes comments, and words
    that came encoded and stand behind a parenthesis."""
    while len(line.rstrip(b"),;:>\\")) > 76:
        line, _, last = line.rpartition(b" ")
        if any(w in last for w in made) or not encoded_words(last):
            return True
    return False


def is_in(name, names):
    return name.rstrip().lower().decode() in names


# --- fields -----------------------------------------------------------------

def fields_alike(a, b, header):
    mine = [f for f in a.fields if not is_in(f[0], MENDED)]
    yours = [f for f in b.fields if not is_in(f[0], MENDED)]
    if [n.rstrip() for n, _ in mine] != [n.rstrip() for n, _ in yours]:
        yield (f"fields: {[n.decode() for n, _ in mine]} have become "
               f"{[n.decode() for n, _ in yours]}")
        return
    for (name, before), (_, after) in zip(mine, yours):
        for complaint in field_alike(name, before, after, header):
            yield f"{name.decode()}: {complaint}"


def field_alike(name, before, after, header):
    """What has become of a field; NUL, which no field may have, is "?"."""
    if before == after and not header.must(name, before):
        return
    if not header.must(name, before) and not header.may(name, before):
        yield f"needlessly changed to {after!r}"
        return
    if header.must(name, after):
        yield f"still not fit: {after!r}"
    yield from words_form(name, before, after)
    yield from folds_form(before, after)
    before = before.replace(b"\0", b"?")
    try:
        list(meaning(name, before, before))
    except words.Garbage:
        yield from garbage_alike(before, after)
        return
    try:
        yield from meaning(name, before, after)
    except words.Garbage as e:
        yield f"{before!r} has become {after!r}: {e}"


def folds_form(before, after):
    """RFC 5322 section 3.2.2: no line of blanks alone."""
    if not re.search(rb"\n[ \t]*(\r|\Z)", before) and \
            re.search(rb"\n[ \t]*(\r|\Z)", after):
        yield "a line of blanks alone"


def meaning(name, before, after):
    if is_in(name, ADDRESSES):
        yield from addresses_alike(before, after)
    elif is_in(name, ("content-type", "content-disposition")):
        yield from parameters_alike(before, after)
    elif is_in(name, STRUCTURED):
        yield from structured_alike(before, after)
    else:
        yield from text_alike(name, before, after)


def garbage_alike(before, after):
    """No grammar fits: what a person sees must be the same at least."""
    def seen(value):
        value = words.ENCODED.sub(
            lambda m: words.word_octets(m) or m[0], words.unfold(value))
        return re.sub(rb"[ \t]+", b"", value)
    if seen(before) != seen(after):
        yield f"garbage {before!r} has become {after!r}"


def text_alike(name, before, after):
    mine, yours = words.text(before), words.text(after)
    if mine != yours:
        yield f"{mine!r} has become {yours!r}"
    yield from second_opinion(
        before, after,
        lambda v: str(email.policy.default.header_factory(name.decode(), v)))


def second_opinion(before, after, read):
    """Python's own reading, of what it reads without objections.

    It must be UTF-8, as Python has no other octets in headers, and nothing
    that looks like an encoded word: Python takes those anywhere.
    """
    before, after = words.unfold(before), words.unfold(after)
    if not words.is_utf8(before) or b"=?" in before or re.search(
            rb"[\0-\x08\x0a-\x1f\x7f]|[ \t]{2}|\xc2[\x80-\x9f]", before) or \
            not after.isascii():
        return
    try:
        mine, yours = read(before.decode()), read(after.decode())
    except (email.errors.MessageError, IndexError, ValueError,
            AttributeError):
        return
    if isinstance(mine, str) and isinstance(yours, str):
        mine, yours = mine.strip(), yours.strip()
    if mine is not None and mine != yours:
        yield f"Python reads {mine!r} and then {yours!r}"


def structured_alike(before, after):
    yield from comments_alike(before, after)
    mine, yours = (re.sub(rb">\s*<", b"> <", words.without_comments(v))
                   for v in (before, after))
    # Nothing but "_" can stand for what is no comment, and cannot be said.
    if yours not in (mine, re.sub(rb"[\x80-\xff]", b"_", mine)):
        yield f"{mine!r} has become {yours!r}"


def comments_alike(before, after):
    mine, yours = words.readings(before), words.comments(after)
    if len(mine) != len(yours) or any(
            y not in m for m, y in zip(mine, yours)):
        yield f"{words.comments(before)!r} has become {yours!r}"


# --- addresses --------------------------------------------------------------

def is_sendable(item):
    """Can this mailbox be said without SMTPUTF8?"""
    return item[2].isascii() and words.is_utf8(item[3])


def is_lost(item, got):
    """RFC 6857 section 3.1.7: how an address is shown that cannot be said.

    As a group without members or, within a group, which may hold none, as the
    name of an address that is none.
    """
    if got[0][0] == "group":
        if got[1] != ("end",):
            return 0
    elif got[0][0] != "mailbox" or got[0][2:] != (b"address", b"invalid"):
        return 0
    said = re.sub(rb"[\s<>\"\\]+", b"", got[0][1])
    local, _, host = said.rpartition(b"@")
    if local != re.sub(rb"[\s<>\"\\]+", b"", item[1] + item[2]) or \
            words.domain(host) != item[3]:
        return 0
    return 2 if got[0][0] == "group" else 1


def addresses_alike(before, after):
    mine, yours = words.addresses(before), words.addresses(after)
    at = 0
    for item in mine:
        got = yours[at:at + 2] + [("nothing",)] * 2
        taken = 1 if item == got[0] else 0
        if not taken and item[0] == "mailbox" and not is_sendable(item):
            taken = is_lost(item, got)
        if not taken:
            yield f"{item!r} has become {got[0]!r}"
            return
        at += taken
    if at < len(yours):
        yield f"{yours[at:]!r} has come from nowhere"
    yield from comments_alike(before, after)
    yield from second_opinion(before, after, pythons_addresses)


def pythons_addresses(value):
    """None where Python objects.  It shows blanks between encoded words."""
    header = email.policy.default.header_factory("To", value)
    found = [(squeezed(g.display_name), [(squeezed(a.display_name), a.username,
                                words.domain(a.domain.encode()))
                               for a in g.addresses]) for g in header.groups]
    objections = [d for d in header.defects if not isinstance(
        d, (email.errors.ObsoleteHeaderDefect,
            email.errors.NonASCIILocalPartDefect))]
    if objections or not all(a[1].isascii() for g in found for a in g[1]):
        return None
    return found


def squeezed(name):
    return name and "".join(name.split())


# --- parameters -------------------------------------------------------------

def parameters_alike(before, after, may_add=()):
    mine, yours = words.parameters(before), words.parameters(after)
    if mine[0] != yours[0] and mine[0].isascii():
        yield f"{mine[0]!r} has become {yours[0]!r}"
    for name, value in mine[1].items():
        if yours[1].get(name) != value:
            yield (f"{name.decode('ascii', 'replace')}={value!r} has become "
                   f"{yours[1].get(name)!r}")
    for name in yours[1]:
        if name not in mine[1] and name not in may_add:
            yield f"{name!r} has come from nowhere"
    for name in mine[1]:
        if not re.fullmatch(rb"\w+", name):     # the names that Python knows
            continue
        yield from second_opinion(
            before, after, lambda v, n=name: pythons_parameter(v, n))


def pythons_parameter(value, name):
    if re.search(r"[(\\]", value):             # which Python does not know
        return None
    message = email.message.Message()
    message["Content-Type"] = value
    found = message.get_param(name.decode())
    return found and email.utils.collapse_rfc2231_value(found)


# --- the mended fields ------------------------------------------------------

def mended_alike(a, b, tree, offers):
    changed = (a.leaf is not None and a.kind not in REPORTS and
               body_needs(a.leaf, offers))
    header = demand(a, tree, offers)
    yield from type_alike(a, b, header, changed)
    yield from encoding_alike(a, b, changed)
    if a.leaf is None:
        yield from outer_alike(a, b, tree, offers)
    version, made = a.node.raw("mime-version"), b.node.raw("mime-version")
    if version is not None and made is None:
        yield "MIME-Version is gone"
    if version is not None and made is not None:
        for complaint in field_alike(b"MIME-Version", version, made, header):
            yield f"MIME-Version: {complaint}"
    if version is None and made is not None and not (a.is_message and (
            needs(tree, offers, a) or a.node.encoding() != b.node.encoding())):
        yield "MIME-Version has come from nowhere"
    if changed and a.is_message and made is None and \
            a.node.encoding() in IDENTITY:
        yield "no MIME-Version for what is encoded now"
    for name in MENDED:
        if count(b, name) > max(1, count(a, name)):
            yield f"{count(b, name)} fields of {name}"


def count(e, name):
    return sum(is_in(n, (name,)) for n, _ in e.fields)


def type_alike(a, b, header, changed):
    before, after = a.node.raw("content-type"), b.node.raw("content-type")
    if a.kind != b.kind and not (is_broken(a) and b.kind == "text/plain"):
        yield f"{a.kind} has become {b.kind}"
        return
    if before is not None and after is None:
        yield "Content-Type is gone"
    if after is None:
        return
    if before is None:
        if not changed:
            yield "Content-Type has come from nowhere"
        before = a.kind.encode()
    elif not changed:
        for complaint in field_alike(b"Content-Type", before, after, header):
            yield f"Content-Type: {complaint}"
        return
    if is_broken(a):
        return
    may_add = (b"charset",) if changed and a.kind.startswith("text/") else ()
    try:
        for complaint in parameters_alike(before, after, may_add):
            yield f"Content-Type: {complaint}"
    except words.Garbage:
        yield from garbage_alike(before, after)


def is_broken(e):
    """Says multipart and is none, or says nothing that can be understood."""
    value = e.node.raw("content-type")
    return e.leaf is not None and value is not None and (
        e.kind.startswith("multipart/") or
        not words.unfold(value).strip().lower().startswith(e.kind.encode()))


def encoding_alike(a, b, changed):
    before, after = a.node.encoding(), b.node.encoding()
    if changed and before in IDENTITY:
        is_text = a.kind.startswith("text/") or is_broken(a)
        want = "quoted-printable" if is_text else "base64"
        if after != want:
            yield f"{a.kind} is {after or 'not encoded'}, not {want}"
    elif a.leaf is not None and before != after and not (
            before in IDENTITY and after in IDENTITY):
        yield f"{before or 'no encoding'} has become {after or 'none'}"


def outer_alike(a, b, tree, offers):
    """RFC 2045 section 6.4: what multiparts and messages may be encoded in."""
    changed = [e.leaf for e in a.all()
               if e.leaf is not None and body_needs(e.leaf, offers)]
    may = [a.node.encoding()] if not changed else []
    if "8bitmime" in offers or not any(map(has_8bit, changed)):
        may.append("8bit")
    if not any(has_8bit(o) or b"\0" in o for o in changed):
        may.append("binary")
    may += ["", "7bit"]
    if b.node.encoding() not in may:
        yield f"{b.kind} is {b.node.encoding()}"


# --- content ----------------------------------------------------------------

def leaf_alike(a, b, offers):
    if not body_needs(a.leaf, offers):
        if a.at_end and a.leaf == b"" and b.leaf == b"\r\n":
            return                              # the end of an open header
        if a.leaf != b.leaf:
            yield f"needlessly changed to {b.leaf[:200]!r}"
        return
    if a.kind in REPORTS:
        yield from report_alike(a.leaf, b.leaf)
        return
    mine, yours = decoded(a), decoded(b)
    if ends_softly(a) and yours == mine + b"\r\n":
        mine = yours                            # a message ends in a line end
    if mine != yours:
        yield f"content: {first_difference(mine, yours)}"
    form = base64_form if b.node.encoding() == "base64" else qp_form
    yield from form(b.leaf, a.node.encoding() not in IDENTITY)
    yield from charset_form(a, b, mine)
    if a.node.get_payload(decode=True) == mine and \
            b.node.get_payload(decode=True) != yours:
        yield "Python decodes it to something else"


def ends_softly(e):
    return e.node.encoding() == "quoted-printable" and \
        re.search(rb"=[ \t]*\r\n\Z", e.leaf)


def first_difference(mine, yours):
    at = next((i for i, (x, y) in enumerate(zip(mine, yours)) if x != y),
              min(len(mine), len(yours)))
    start = max(0, at - 20)
    return (f"{mine[start:at + 40]!r} has become {yours[start:at + 40]!r} "
            f"at octet {at} of {len(mine)}")


def report_alike(before, after):
    """RFC 3464: blocks of fields, which are encoded like those of a header."""
    header = Demand(True, False)
    mine, yours = (re.split(rb"\r\n(?![ \t])", o) for o in (before, after))
    if len(mine) != len(yours):
        yield f"{len(mine)} lines have become {len(yours)}"
    for x, y in zip(mine, yours):
        if not re.match(NAME, x):
            if re.sub(rb"[?\x80-\xff]+", b"?", x) != \
                    re.sub(rb"[?\x80-\xff]+", b"?", y):
                yield f"{x!r} has become {y!r}"
            continue
        name, _, value = x.partition(b":")
        for complaint in field_alike(name, value, y.partition(b":")[2],
                                     header):
            yield f"{name.decode()}: {complaint}"


def charset_form(a, b, content):
    """Text that goes out encoded says which charset it is in.

    What HTML or XML is in, if not UTF-8, its own text may say.
    """
    if not b.kind.startswith("text/") or content.isascii() or not (
            words.is_utf8(content) or b.kind == "text/plain"):
        return
    charset = b.node.parameters().get(b"charset")
    if charset is None:
        if a.node.encoding() in IDENTITY:
            yield "no charset"
    elif charset != a.node.parameters().get(b"charset"):
        want = b"utf-8" if words.is_utf8(content) else b"unknown-8bit"
        if charset.lower() != want:
            yield f"charset {charset!r}, not {want!r}"


def stand_in(tree):
    """What is put for an octet in a line that might become a delimiter."""
    taken = b"".join((e.node.get_boundary() or "").encode(
        "ascii", "surrogateescape") for e in tree.all())
    return next(bytes([o]) for o in [63, *range(33, 127)] if o not in taken)


def around_alike(a, b, tree, offers):
    """Preamble and epilogue: nobody reads them, but they must be fit."""
    put = stand_in(tree)

    def seen(octets):
        octets = re.sub(rb"(?m)^(--[^\r\n]{995})" + re.escape(put) +
                        rb"\r?\n ", rb"\1", octets).replace(put, b"?")
        return re.sub(rb"[?\0\x80-\xff]+", b"?", re.sub(rb"\s+", b"", octets))
    for what in "preamble", "epilogue":
        before, after = getattr(a, what), getattr(b, what)
        if before != after and not body_needs(before, offers):
            yield f"{what} needlessly changed to {after!r}"
        elif seen(before) != seen(after):
            yield f"{what} {before!r} has become {after!r}"


# --- the whole --------------------------------------------------------------

def entities_alike(a, b, tree, offers):
    def complaints():
        yield from fields_alike(a, b, demand(a, tree, offers))
        yield from mended_alike(a, b, tree, offers)
        if (a.leaf is None) != (b.leaf is None):
            yield f"{a.kind}: parts and no parts"
        elif a.leaf is not None:
            yield from leaf_alike(a, b, offers)
        else:
            yield from around_alike(a, b, tree, offers)
        if len(a.children) != len(b.children):
            yield f"{len(a.children)} parts have become {len(b.children)}"
    for complaint in complaints():
        yield f"{a.path}: {complaint}"
    for mine, yours in zip(a.children, b.children):
        yield from entities_alike(mine, yours, tree, offers)


def headers_form(tree, offers):
    """RFC 6531 section 3.2: raw headers want SMTPUTF8, and UTF-8."""
    for name, value in tree.fields:
        if has_8bit(value) and "smtputf8" not in offers:
            yield f"{tree.path}: {name.decode()} has 8-bit octets"
        elif not words.is_utf8(value):
            yield f"{tree.path}: {name.decode()} is not UTF-8"


def is_misread(tree):
    """Python drops a line of blank and text that begins a part."""
    return any(isinstance(d, email.errors.FirstHeaderLineIsContinuationDefect)
               for e in tree.all() for d in e.node.defects)


def judge(original, converted, offers=()):
    """All complaints; original is canonical()."""
    a, b = parse(original), parse(converted)
    if not needs(a, offers):
        return [] if original == converted else ["needlessly changed"]
    found = list(wire(converted, offers)) + list(headers_form(b, offers))
    if not is_misread(a):
        found += entities_alike(a, b, a, offers)
    return found


def may_refuse(tree, offers):
    """The header of multipart/signed is not signed; it may be spared, too."""
    return any(own_needs(e, tree, offers) for e in tree.all()
               if e.kind == "multipart/signed")


def main(original, converted, *offers):
    with open(original, "rb") as f, open(converted, "rb") as g:
        found = judge(canonical(f.read()), g.read(), offers)
    print("".join(f"{complaint}\n" for complaint in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
