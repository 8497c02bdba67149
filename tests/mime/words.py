"""Octets of header fields, read by the letter of RFC 2047, 2231 and 5322.

Everything here takes and gives octets.  Text in a known charset comes out as
UTF-8; octets that nobody has named a charset for stay what they are.  Python's
own header parsers are too kind for a judge: they take encoded words within
other words, lose blanks, and put U+FFFD where octets were.
"""

import base64
import binascii
import re
import unicodedata

ENCODED = re.compile(
    rb"=\?([^\s?()<>@,;:\\\"/\[\].=]+)\?([BbQq])\?([!->@-~]*)\?=")
BLANKS = re.compile(rb"([ \t]+)")
HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
RAW = (b"utf-8", b"us-ascii", b"unknown-8bit", b"x-unknown", b"")


class Garbage(Exception):
    """This cannot be taken apart."""


def unfold(value):
    return re.sub(rb"\r\n(?=[ \t])", b"", value).rstrip(b"\r\n")


def is_utf8(octets):
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def in_utf8(octets, charset):
    if charset.lower() in RAW:
        return octets
    try:
        return octets.decode(charset.decode("ascii")).encode("utf-8")
    except (LookupError, UnicodeError):
        return b"[" + charset + b"]" + octets


# --- encoded words (RFC 2047) ------------------------------------------------

def unhex(pattern, octets):
    return pattern.sub(lambda m: bytes([int(m[1], 16)]), octets)


def word_octets(match):
    """What an encoded word holds; None when it is malformed."""
    encoding, text = match[2].lower(), match[3]
    if encoding == b"q":
        if re.search(rb"=(?![0-9A-Fa-f]{2})", text):
            return None
        return unhex(HEX, text.replace(b"_", b" "))
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def encoded_word(octets):
    """(charset, octets) if that is one, whole; a malformed one is shown."""
    match = ENCODED.fullmatch(octets)
    if not match:
        return None
    held = word_octets(match)
    if held is None:
        return b"", octets
    return match[1].split(b"*")[0].lower(), held


def joined(pieces):
    """pieces: blanks as octets, words as (charset or None, octets).

    Between two encoded words blanks are none.  Neighbours of one charset are
    joined before they are read: many programs cut characters apart.
    """
    runs, blank = [], b""
    for piece in pieces:
        if isinstance(piece, bytes):
            blank += piece
            continue
        charset, octets = piece
        last = runs[-1][0] if runs else None
        if charset is not None and last is not None:
            blank = b""
        if charset == last and charset is not None:
            runs[-1][1] += octets
        else:
            if blank:
                runs.append([None, blank])
            runs.append([charset, octets])
        blank = b""
    return b"".join(in_utf8(o, c or b"") for c, o in runs) + blank


def text(value):
    """An unstructured value as a person reads it."""
    pieces = []
    for i, piece in enumerate(BLANKS.split(unfold(value).strip(b" \t"))):
        if i % 2:
            pieces.append(piece)
        elif piece:
            pieces.append(encoded_word(piece) or (None, piece))
    return joined(pieces)


# --- tokens (RFC 5322 section 3.2) -------------------------------------------

TOKEN = re.compile(rb"""
    (?P<blank>[ \t]+)
  | (?P<quoted>"(?:[^"\\]|\\.)*")
  | (?P<literal>\[(?:[^\]\\]|\\.)*\])
  | (?P<encoded>=\?[^\s?()<>@,;:\\"/\[\].=]+\?[BbQq]\?[!->@-~]*\?=
        (?=[ \t<,:;()]|$))
  | (?P<special>[<>@,;:.])
  | (?P<atom>[^ \t"\[<>@,;:.()]+)
""", re.X | re.S)


def comment_end(value, at):
    depth = 0
    while at < len(value):
        c = value[at:at + 1]
        if c == b"\\":
            at += 1
        elif c == b"(":
            depth += 1
        elif c == b")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    raise Garbage("a comment without end")


def tokens(value):
    """[(kind, octets)]; blanks are tokens, too."""
    value = unfold(value).strip(b" \t")
    at, found = 0, []
    while at < len(value):
        if value[at:at + 1] == b"(":
            end = comment_end(value, at)
            found.append(("comment", value[at + 1:end - 1]))
            at = end
            continue
        match = TOKEN.match(value, at)
        if not match:
            raise Garbage(f"nothing begins with {value[at:at + 9]!r}")
        found.append((match.lastgroup, match[0]))
        at = match.end()
    return found


def unquoted(octets):
    return re.sub(rb"\\(.)", rb"\1", octets[1:-1], flags=re.S)


def comment(octets):
    """The text of a comment, in which blanks count once.

    Inner ones keep their parentheses.
    """
    pieces = []
    for piece in re.findall(rb"[ \t]+|[()]|(?:\\.|[^ \t()\\])+", octets, re.S):
        if piece.strip(b" \t"):
            pieces.append(encoded_word(piece) or
                          (None, re.sub(rb"\\(.)", rb"\1", piece, flags=re.S)))
        else:
            pieces.append(piece)
    return re.sub(rb"[ \t]+", b" ", joined(pieces)).strip(b" ")


def phrase(found):
    """Words as a person reads them: blanks outside of quotes count once."""
    pieces = []
    for kind, octets in found:
        if kind == "comment" or kind == "blank":
            pieces.append(b" ")
        elif kind == "quoted":
            pieces.append((None, unquoted(octets)))
        elif kind == "encoded":
            pieces.append(encoded_word(octets) or (None, octets))
        else:
            pieces.append((None, octets))
    while pieces and pieces[0] == b" ":
        pieces.pop(0)
    while pieces and pieces[-1] == b" ":
        pieces.pop()
    single = [p for i, p in enumerate(pieces)
              if p != b" " or pieces[i - 1] != b" "]
    return joined(single)


def without_comments(value):
    """As a person reads it, blanks counting once."""
    rest = b"".join(b" " if k in ("comment", "blank") else o
                    for k, o in tokens(value))
    return text(re.sub(rb" +", b" ", rest))


# --- addresses (RFC 5322 section 3.4) ----------------------------------------

def label(octets):
    """A label of a domain in the form that people read."""
    lower = octets.lower()
    try:
        if lower.startswith(b"xn--"):
            lower = lower[4:].decode("punycode").encode("utf-8")
        return unicodedata.normalize(
            "NFKC", lower.decode("utf-8").lower()).encode("utf-8")
    except UnicodeError:
        return lower


def domain(octets):
    for dot in ("\u3002", "\uff0e", "\uff61"):      # RFC 3490 section 3.1
        octets = octets.replace(dot.encode(), b".")
    return b".".join(label(o) for o in octets.split(b"."))


def addr_spec(found):
    """(local part, domain); None when there is no "@"."""
    words = [(k, o) for k, o in found if k not in ("comment", "blank")]
    colons = [i for i, w in enumerate(words) if w == ("special", b":")]
    if colons:                                      # an obsolete route
        words = words[colons[-1] + 1:]
    ats = [i for i, w in enumerate(words) if w == ("special", b"@")]
    if not ats:
        return None
    local = b"".join(unquoted(o) if k == "quoted" else o
                     for k, o in words[:ats[-1]])
    return local, domain(b"".join(o for _, o in words[ats[-1] + 1:]))


def mailbox(found):
    """[("mailbox", name, local, domain)] or [("words", text)] or none."""
    if ("special", b"<") in found:
        at = found.index(("special", b"<"))
        inner = [t for t in found[at + 1:] if t != ("special", b">")]
        spec = addr_spec(inner) or (phrase(inner), b"")
        return [("mailbox", phrase(found[:at]), *spec)]
    spec = addr_spec(found)
    if spec is not None:
        return [("mailbox", b"", *spec)]
    said = phrase(found)
    return [("words", said)] if said else []


def addresses(value):
    """Mailboxes, and groups as ("group", name) ... ("end",), in order."""
    items, held, angle, group = [], [], False, False
    for kind, octets in tokens(value) + [("special", b",")]:
        if kind != "special" or (angle and octets != b">"):
            held.append((kind, octets))
        elif octets in b",;":
            items += mailbox(held)
            held = []
            if octets == b";" and group:
                items.append(("end",))
                group = False
        elif octets == b":":
            items.append(("group", phrase(held)))
            held, group = [], True
        else:
            angle = octets == b"<"
            held.append((kind, octets))
    return items


def comments(value):
    return [comment(o) for k, o in tokens(value) if k == "comment"]


def readings(value):
    """Of each comment the texts that it may stand for.

    Where comments nest or have quoted pairs few readers look for encoded
    words: there they may be shown as they are.
    """
    return [{comment(o), comment(o.replace(b"=?", b"=\\?"))}
            if re.search(rb"[()\\]", o) else {comment(o)}
            for k, o in tokens(value) if k == "comment"]


# --- parameters (RFC 2045 section 5.1, RFC 2231) -----------------------------

def split_parameters(value):
    """[(kind, octets)] between semicolons, without comments and blanks."""
    parts, held = [], []
    for kind, octets in tokens(value):
        if (kind, octets) == ("special", b";"):
            parts.append(held)
            held = []
        elif kind == "blank":
            held.append((kind, b" "))
        elif kind != "comment":
            held.append((kind, octets))
    parts.append(held)
    return parts


def value_of(found):
    """A token or a quoted string; a sloppy sender's blanks count as one."""
    while found and found[0][0] == "blank":
        found = found[1:]
    while found and found[-1][0] == "blank":
        found = found[:-1]
    if found and found[0][0] == "quoted":
        found = found[:1]
    return b"".join(unquoted(o) if k == "quoted" else o for k, o in found)


def named(part):
    """(name, value) of one parameter, or None."""
    whole = b"".join(o for _, o in part).lstrip(b" ")
    name, equals, _ = whole.partition(b"=")
    if not equals:
        return None
    at, left = 0, []
    for at, (kind, octets) in enumerate(part):
        if kind != "quoted" and b"=" in octets:
            left = [("atom", octets.partition(b"=")[2])]
            if not left[0][1]:
                left = []
            break
    return name.strip(b" ").lower(), value_of(left + part[at + 1:])


def collapse(plain):
    """name*0*, name*1 ... and name* -> name."""
    done, pieces = {}, {}
    for name, value in plain:
        match = re.fullmatch(rb"([^*]+)(?:\*(\d+))?(\*)?", name)
        if not match or match[2] is None and match[3] is None:
            done.setdefault(name, value)
            continue
        pieces.setdefault(match[1], {}).setdefault(
            int(match[2] or 0), (match[3] is not None, value))
    for name, numbered in pieces.items():
        charset, octets = b"", b""
        for i in range(len(numbered)):
            if i not in numbered:
                break
            extended, value = numbered[i]
            if extended and i == 0 and value.count(b"'") >= 2:
                charset, _, value = value.split(b"'", 2)
            octets += unhex(PERCENT, value) if extended else value
        done[name] = in_utf8(octets, charset)
    return done


def parameters(value):
    """(what stands before the first semicolon, {name: octets})."""
    first, *others = split_parameters(value)
    main = b"".join(o for k, o in first if k != "blank").lower()
    return main, collapse([n for n in map(named, others) if n])
