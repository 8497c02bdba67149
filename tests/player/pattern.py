"""The text of transcript lines: escapes, holes, and what fits them."""

import base64
import re


class Bad(Exception):
    """The transcript is wrong."""


ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\",
           "c": b""}
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.S)


def unescape(text):
    """The octets that text stands for: \\xff, \\r, \\n, \\t, \\0, \\\\."""
    out, at = b"", 0
    for found in ESCAPE.finditer(text):
        out += text[at:found.start()].encode()
        code = found[1]
        if code[0] == "x" and len(code) == 3:
            out += bytes([int(code[1:], 16)])
        elif code in ESCAPES:
            out += ESCAPES[code]
        else:
            raise Bad(f"no such escape: \\{code}")
        at = found.end()
    return out + text[at:].encode()


def pieces(text):
    """[(is_hole, text)] - holes are {...}; {{ and }} are braces."""
    out, literal, i = [], "", 0
    while i < len(text):
        if text[i:i + 2] in ("{{", "}}"):
            literal, i = literal + text[i], i + 2
        elif text[i] == "{":
            end = hole_end(text, i)
            out += [(False, literal), (True, text[i + 1:end])]
            literal, i = "", end + 1
        else:
            step = 2 if text[i] == "\\" else 1
            literal, i = literal + text[i:i + step], i + step
    return out + [(False, literal)]


def hole_end(text, start):
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
    raise Bad(f"a hole that does not end: {text[start:]}")


def expand_index(text, i):
    return text.replace("{i}", str(i))


def ends_line(text):
    return not re.search(r"(?<!\\)(\\\\)*\\c$", text)


KNOWN = re.compile(r"any$|\.\.\.$|=|x \d+|base64 |ca$|home$|port$|scram-|"
                   r"cram-md5|oauthbearer |long |[a-z0-9-]*:")


def check_template(text):
    for is_hole, piece in pieces(text):
        if not is_hole:
            unescape(piece)
        elif not KNOWN.match(piece):
            raise Bad(f"no such hole: {{{piece}}}")


def fixed_hole(hole):
    """The octets of a hole that means the same on both sides, or None."""
    word, _, rest = hole.partition(" ")
    if word == "x":
        count, _, what = rest.partition(" ")
        return unescape(what or "x") * int(count)
    if word == "base64":
        return base64.b64encode(unescape(rest))
    return None


def fill(text, values, functions):
    """The octets that the server says for text."""
    out = b""
    for is_hole, piece in pieces(text):
        out += fill_hole(piece, values, functions) if is_hole \
            else unescape(piece)
    return out


def fill_hole(hole, values, functions):
    fixed = fixed_hole(hole)
    if fixed is not None:
        return fixed
    if hole[0] == "=":
        return values.get(hole[1:], b"")
    if hole in values:
        return values[hole]
    name, _, rest = hole.partition(" ")
    if name in functions:
        inner = fill(rest, values, functions)
        return functions[name](inner.decode("utf-8", "replace"))
    raise Bad(f"a server cannot say {{{hole}}}")


def match(text, octets, values, checks):
    """Does what the client said fit?  "" or the reason why it does not."""
    pattern, captures, pending = b"", [], []
    for is_hole, piece in pieces(text):
        if not is_hole:
            pattern += re.escape(unescape(piece))
        else:
            pattern += hole_pattern(piece, values, checks, captures, pending)
    found = re.fullmatch(pattern, octets, re.S)
    if not found:
        return "it does not fit"
    for group, name in captures:
        values[name] = found[group]
    for group, check, rest in pending:
        why = check(rest, found[group])
        if why:
            return why
    return ""


def hole_pattern(hole, values, checks, captures, pending):
    fixed = fixed_hole(hole)
    if fixed is not None:
        return re.escape(fixed)
    if hole == "any":
        return b".*"
    if hole[0] == "=":
        return re.escape(values.get(hole[1:], b"(not captured)"))
    word, _, rest = hole.partition(" ")
    group = f"g{len(captures) + len(pending)}"
    if word in checks:
        pending.append((group, checks[word], rest))
        return f"(?P<{group}>.*)".encode()
    name, colon, regex = hole.partition(":")
    if not colon:
        raise Bad(f"no such hole: {{{hole}}}")
    if name:
        captures.append((group, name))
        return f"(?P<{group}>{regex})".encode()
    return f"(?:{regex})".encode()
