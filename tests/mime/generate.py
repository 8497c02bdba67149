#!/usr/bin/python3
"""Random messages, each from a seed.

generate.py SEED                prints the message
generate.py --damaged SEED      prints one of the corpus, damaged
generate.py --seconds N [SEED]  converts message after message, from that seed
                                on; what fails is made small and printed
"""

import base64
import glob
import os
import quopri
import random
import re
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import judge                                                    # noqa: E402
import tool                                                     # noqa: E402

ASCII = ("a", "to", "Hello,", "world", "=", "x=y", "50%", "(see", "below)",
         "a@b", "--", ".", "_", "?", "=?", "?=", "\"quoted\"", "back\\slash",
         "longer-than-others", "i.e.", "http://example.org/?a=b&c=d", "~")
UTF8 = ("für", "Grüße", "é", "naïve", "e\u0301", "Привет", "日本語", "😀",
        "👩‍👩‍👧", "ñ,", "\"ü\"", "=ü=", "ẞ", "\u00a0", "\u2028", "ﬀ", "שלום",
        "𝔘𝔫𝔦", "Ünï_cödé", "(ä)")
CHARSETS = ("utf-8", "iso-8859-1", "windows-1252", "koi8-r", "shift_jis",
            "gb18030", "big5", "iso-2022-jp", "utf-16", "us-ascii", "x-none")
BLANKS = (" ",) * 12 + ("  ", "\t", " \t ")


class Source(random.Random):
    """What a message is made of; all octets."""

    def once_in(self, n):
        return self.randrange(n) == 0

    def ascii(self):
        return self.choice(ASCII).encode()

    def encoded_word(self):
        charset = self.choice(("utf-8", "iso-8859-1", "UTF-8", "koi8-r",
                               "utf-8*de"))
        held = self.choice(UTF8 + ASCII).encode(
            charset.split("*")[0], "ignore") or b"x"
        if self.once_in(2):
            text, how = base64.b64encode(held), self.choice((b"b", b"B"))
        else:
            text = b"".join(b"_" if c == 32 else b"=%02X" % c for c in held)
            how = self.choice((b"q", b"Q"))
        return b"=?" + charset.encode() + b"?" + how + b"?" + text + b"?="

    def raw(self):
        """8-bit: UTF-8 most often, or what is none."""
        if not self.once_in(8):
            return self.choice(UTF8).encode()
        return self.choice((b"\xe4", b"gr\xfcn", b"\xc3", b"\xe2\x82",
                            b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f\x98"))

    def word(self, much=3):
        """One in so many is not ASCII."""
        if not self.once_in(much):
            return self.ascii()
        if self.once_in(4):
            return self.encoded_word()
        word = self.raw()
        while self.once_in(4):
            word += self.choice((self.raw, self.ascii))()
        return word * (self.randrange(60) if self.once_in(30) else 1)

    def words(self, n, much=3):
        out = b""
        for _ in range(n):
            out += self.choice(BLANKS).encode() + self.word(much)
        return out[1:] if out[:1] == b" " else out

    def count(self):
        """Few, seldom many."""
        if self.once_in(20):
            return self.randrange(300)
        return self.randrange(8)

    # --- fields -------------------------------------------------------------

    def folded(self, value):
        """Line ends before some of the blanks."""
        if self.once_in(2):
            return value
        parts = re.split(rb"(?<=[^ \t])(?=[ \t][ \t]*[^ \t])", value)
        out = parts[0]
        for part in parts[1:]:
            out += (b"\n" if self.once_in(4) else b"") + part
        return out

    def field(self, name, value):
        blank = b"" if self.once_in(20) else b" "
        return name.encode() + b":" + blank + self.folded(value) + b"\n"

    def unstructured(self):
        name = self.choice(("Subject", "Comments", "X-Note", "Organization",
                            "User-Agent", "Content-Description", "Keywords",
                            "List-Id"))
        if self.once_in(40):
            return self.field(name, self.choice((b"x", b"\xc3\xbc")) *
                              self.randrange(1500))
        return self.field(name, self.words(self.count()))

    def comment(self, depth=0):
        inner = re.sub(rb"[()\\]", b"", self.words(self.randrange(1, 4)))
        if self.once_in(4) and depth < 3:
            inner += b" " + self.comment(depth + 1)
        if self.once_in(10):
            inner += b"\\)"
        return b"(" + inner + b")"

    def name(self):
        if self.once_in(3):
            inner = re.sub(rb"([\"\\])", rb"\\\1", self.words(
                self.randrange(1, 5)))
            # Is that an encoded word, or not?  Readers differ.
            return b"\"" + inner.replace(b"=?", b"=").strip() + b"\""
        plain = [re.sub(rb"[()<>\[\]:;@\\,.\"]", b"", self.word())
                 for _ in range(self.randrange(1, 4))]
        return b" ".join(p for p in plain if p.strip() and p not in
                         (b"=?", b"?=")) or b"x"

    def address(self, odd):
        local = self.choice((b"a", b"john.doe", b"x+y", b"o'neil",
                             b"\"a b\""))
        if odd and self.once_in(8):
            local = self.choice((b"j\xc3\xbcrgen", b"\xe7\x94\xa8\xe6\x88\xb7",
                                 b"\"\xc3\xa9 x\""))
        host = self.choice((b"example.org", b"[192.0.2.1]", b"a.b.example"))
        if odd and self.once_in(5):
            host = self.choice(("bücher.example", "例え.テスト", "faß.example",
                                "ÜBER.example", "xn--bcher-kva.example"
                                )).encode()
        return local + b"@" + host

    def mailbox(self, odd):
        address = self.address(odd)
        style = self.randrange(6)
        if style == 0:
            return address
        if style == 1:
            return address + b" " + self.comment()
        if style == 2:
            return b"<" + address + b">"
        comment = self.comment() + b" " if self.once_in(6) else b""
        return self.name() + b" " + comment + b"<" + address + b">"

    def mailboxes(self, odd):
        comma = self.choice((b", ", b",", b" , "))
        items = [self.mailbox(odd) for _ in range(self.count() + 1)]
        if self.once_in(6):
            group = self.name() + b": " + comma.join(
                self.mailbox(odd) for _ in range(self.randrange(3))) + b";"
            items.append(group)
        return comma.join(items)

    def addresses(self, odd):
        name = self.choice(("From", "To", "Cc", "Reply-To", "Sender",
                            "Resent-To", "Bcc"))
        return self.field(name, self.mailboxes(odd))

    def structured(self):
        comment = self.comment() if self.once_in(2) else b"(fit)"
        return self.choice((
            lambda: self.field("Received", b"from a.example " + comment +
                               b" by b.example; Mon, 1 Jan 2024 00:00:00 "
                               b"+0000 " + self.comment()),
            lambda: self.field("Date", b"Mon, 1 Jan 2024 00:00:00 +0000 " +
                               comment),
            lambda: self.field("References", b" ".join(
                b"<%d@example.org>" % self.randrange(10**9)
                for _ in range(self.count()))),
            lambda: self.field("Message-ID", b"<x@example.org>")))()

    def header(self, odd):
        makers = (self.unstructured, lambda: self.addresses(odd),
                  self.structured)
        return [self.choice(makers)() for _ in range(self.randrange(6))]

    # --- MIME fields --------------------------------------------------------

    def parameter(self):
        name = self.choice((b"name", b"filename", b"x-a"))
        if self.once_in(5):
            return name + b"*=iso-8859-1'de'gr%FCn%20x"
        if self.once_in(5):
            return name + b"*0=\"a b\"; " + name + b"*1*=%20c; " + \
                name + b"*2=d"
        value = self.words(self.randrange(1, 5))
        if self.once_in(20):
            value += b"x" * self.randrange(300) + b"\xc3\xbc" * \
                self.randrange(500)
        if self.once_in(3):
            value = re.sub(rb"[^!#$&+\-.0-9A-Z^_a-z\x80-\xff]", b"", value)
            return name + b"=" + (value or b"x")
        return name + b"=\"" + re.sub(rb"([\"\\])", rb"\\\1", value) + b"\""

    def content(self, kind, *parameters):
        """Content-Type and Content-Disposition, with parameters or not."""
        parameters = list(parameters)
        if self.once_in(5):
            parameters.insert(self.randrange(len(parameters) + 1),
                              self.parameter())
        semicolon = self.choice((b"; ", b";\n\t", b" ; ", b"; (a; b=c) "))
        fields = [b"Content-Type: " + semicolon.join([kind] + parameters) +
                  b"\n"]
        if self.once_in(4):
            fields.append(b"Content-Disposition: attachment" + semicolon +
                          self.parameter() + b"\n")
        return fields

    def encoding(self, name):
        if name is None:
            return []
        name = self.choice((name, name.upper(), name + b" (x)"))
        return [b"Content-Transfer-Encoding: " + name + b"\n"]

    # --- content ------------------------------------------------------------

    def line(self, charset):
        if self.once_in(12):
            return self.choice((b"", b".", b"..", b"From x", b"--", b" ",
                                b"\t", b"=", b"-- ", b"a \t", b"=\t"))
        text = self.words(self.count(), self.choice((1000, 4)))
        if charset not in (None, "utf-8", "x-none"):
            text = text.decode("utf-8", "ignore").encode(charset, "ignore")
        if self.once_in(60):
            text += self.choice((b"\0", b"\0\0x", b"\x07", b"\r", b"\x1a"))
        if self.once_in(40):
            text += self.choice((b"x", b" ", b"\xc3\xbc", b"=")) * \
                self.choice((75, 76, 77, 997, 998, 999, 2500))
        return text

    def lines(self, charset):
        text = b"\n".join(self.line(charset) for _ in range(self.count()))
        return text + (b"\n" if self.once_in(2) else b"")

    def binary(self):
        return bytes(self.randrange(256) for _ in range(
            self.choice((0, 1, 2, 3, 56, 57, 58, 300, 3000))))

    def as_base64(self, octets):
        width = self.choice((4, 60, 76, 76, 998, 1000, 10000))
        coded = base64.b64encode(octets)
        lines = [coded[i:i + width] for i in range(0, len(coded), width)]
        if self.once_in(10):
            lines.insert(self.randrange(len(lines) + 1), b"\xc3\xbc!")
        return b"\n".join(lines) + self.choice((b"", b"\n"))

    def as_qp(self, octets):
        octets = octets.replace(b"\r", b"").replace(b"\0", b"")
        coded = quopri.encodestring(octets)
        if self.once_in(4):
            coded = coded.replace(b"=\n", b"")
        if self.once_in(8):
            coded += self.choice((b"=C3=BC \xc3\xbc", b"50=% =3d", b"= \n="
                                  b"41\xc3\xbc", b"==3D=", b"\xc3\xbc=\nx"))
        return coded

    def leaf(self):
        if self.once_in(3):
            kind = self.choice((b"application/octet-stream", b"image/png",
                                b"audio/x", b"x-a/b"))
            fields = self.content(kind)
            octets = self.choice((self.binary, lambda: self.lines(None)))()
        else:
            charset = self.choice(CHARSETS)
            kind = self.choice((b"text/plain", b"text/html", b"text/calendar"))
            fields = self.content(kind, b"charset=" + charset.encode())
            octets = self.lines(charset)
            if self.once_in(6):
                fields = self.content(kind)
            if self.once_in(8):
                fields = []
        how = self.choice((None, b"7bit", b"8bit", b"8bit", b"binary",
                           b"base64", b"quoted-printable"))
        if how == b"base64":
            octets = self.as_base64(octets)
        elif how == b"quoted-printable":
            octets = self.as_qp(octets)
        return fields + self.encoding(how), octets

    # --- composites ---------------------------------------------------------

    def boundary(self):
        characters = "abcXYZ019'()+_,-./=?"
        return "".join(self.choice(characters)
                       for _ in range(self.choice((8, 40, 69)))).encode()

    def around(self):
        return b"" if self.once_in(2) else self.lines(None).replace(
            b"\n--", b"\n- ")

    def delimiter(self, boundary, last=b""):
        return b"\n--" + boundary + last + self.choice(
            (b"", b"", b"", b" ", b"\t ")) + b"\n"

    def multipart(self, depth):
        boundary = self.boundary()
        digest = self.once_in(10)
        kind = b"digest" if digest else self.choice(
            (b"mixed", b"alternative", b"related", b"x", b"report"))
        if self.once_in(25):
            kind = b"signed"
        fields = self.content(b"multipart/" + kind,
                              b"boundary=\"" + boundary + b"\"")
        fields += self.encoding(self.choice((None, None, b"7bit", b"8bit",
                                             b"binary")))
        body = self.around()
        for _ in range(self.randrange(1, 4)):
            body += self.delimiter(boundary)
            if digest and self.once_in(2):
                body += b"\n" + self.message(depth + 1)
            else:
                body += self.entity(depth + 1)
        if not self.once_in(8):
            body += self.delimiter(boundary, b"--") + self.around()
        return fields, body[1:] if body[:1] == b"\n" else body

    def rfc822(self, depth):
        fields = self.content(self.choice((b"message/rfc822",
                                           b"message/global")))
        return fields + self.encoding(self.choice((None, b"7bit", b"8bit"))), \
            self.message(depth + 1)

    def body(self, depth):
        if depth < 5 and not self.once_in(depth + 2):
            if self.once_in(4):
                return self.rfc822(depth)
            return self.multipart(depth)
        return self.leaf()

    def entity(self, depth):
        fields, body = self.body(depth)
        if self.once_in(6):
            fields = fields + self.header(False)
        self.shuffle(fields)
        # No blank line.  Python drops a line that seems to go on then.
        if self.once_in(20) and fields and body[:1] not in (b" ", b"\t"):
            return b"".join(fields) + body
        return b"".join(fields) + b"\n" + body

    def message(self, depth=0):
        odd = self.once_in(3)
        if self.once_in(5):
            fields, body = [], self.lines(None)
        else:
            fields, body = self.body(depth)
            if not self.once_in(6):
                fields.append(b"MIME-Version: 1.0\n")
        fields += self.header(odd)
        self.shuffle(fields)
        if self.once_in(60):
            fields.insert(0, b"DKIM-Signature: v=1; b=AAAA\n")
        return b"".join(fields) + b"\n" + body


def generate(seed):
    source = Source(seed)
    octets = source.message()
    if source.once_in(3):
        octets = octets.replace(b"\n", b"\r\n")
    return octets


# --- damage -----------------------------------------------------------------

DAMAGE = (b"\0", b"\xff", b"\xc3", b"\"", b"(", b")", b"\\", b"\r", b"\n", b"=",
          b"=?", b"?=", b" ", b"\t", b"<", b">", b"@", b",", b";", b":", b"--",
          b"*=UTF-8''%", b"=\n", b"\n\n", b"--b\n", b"x" * 1000,
          b"\xc3\xbc" * 600, b" " * 1100,
          b"Content-Type: multipart/mixed; boundary=b\n",
          b"Content-Transfer-Encoding: base64\n")


def corpus():
    """{name: octets}"""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    found = {}
    for path in sorted(glob.glob(folder + "/*.eml")):
        with open(path, "rb") as f:
            found[os.path.basename(path)[:-len(".eml")]] = f.read()
    return found


def hurt(source, octets):
    at, lines = source.randrange(len(octets) + 1), octets.splitlines(True)
    how = source.randrange(5)
    if how == 0:
        return octets[:at] + source.choice(DAMAGE) + octets[at:]
    if how == 1:
        return octets[:at] + source.choice(DAMAGE) + octets[at + 1:]
    if how == 2:
        return octets[:at] + octets[at + source.randrange(1, 20):]
    if how == 3:
        return b"".join(lines[:-1])
    lines.insert(source.randrange(len(lines) + 1), source.choice(lines or
                                                                 [b"x\n"]))
    return b"".join(lines)


def damaged(seed, originals):
    source = Source(seed)
    octets = source.choice(list(originals.values()))
    for _ in range(source.randrange(1, 6)):
        octets = hurt(source, octets)
    return octets


# --- failures made small ----------------------------------------------------

def kind_of(complaint):
    """What is wrong, without the names and octets that it is wrong of."""
    said = re.sub(r"b?\"(\\.|[^\"\\])*\"|b?'(\\.|[^'\\])*'", "", complaint)
    said = re.sub(r"\[[\[\](), None]*\]|\([, ]*\)", "", said)
    said = re.sub(r"(From|Sender|Reply-To|To|B?cc|Resent-To):", "mail:", said,
                  flags=re.I)
    return re.sub(r"\d+(\.\d+)*|top", "", said)[:60]


def fails(converter, octets, offers, verdict, kind):
    found = tool.examine(converter, {"it": octets}, offers, verdict)
    return any(kind_of(c) == kind for c in found.get("it", ()))


def without(pieces, still):
    """Fewer of the pieces, as long as they still fail together."""
    size = len(pieces) // 2
    while size > 0:
        at = 0
        while at < len(pieces):
            fewer = pieces[:at] + pieces[at + size:]
            if still(b"".join(fewer)):
                pieces = fewer
            else:
                at += size
        size //= 2
    return pieces


def reduced(octets, still):
    """Lines, then words are left out."""
    for pattern in rb"[^\n]*\n|[^\n]+\Z", rb"[ \t]*[^ \t\n]+|\s":
        pieces = re.findall(pattern, octets)
        if b"".join(pieces) == octets and len(pieces) < 3000:
            octets = b"".join(without(pieces, still))
    return octets


def report(converter, octets, offers, verdict, complaints):
    kind = kind_of(complaints[0])
    small = reduced(octets, lambda smaller: fails(
        converter, smaller, offers, verdict, kind))
    found = tool.examine(converter, {"it": small}, offers, verdict)
    for complaint in found.get("it", ()):
        print(f"#   {complaint}")
    sys.stdout.flush()
    sys.stdout.buffer.write(small + b"\n")
    sys.stdout.flush()


def endless(seconds, seed, step=200):
    """Each kind of failure once."""
    end, told, originals = time.monotonic() + seconds, set(), corpus()
    converter = tool.Tool()
    while time.monotonic() < end:
        seeds = range(seed, seed + step)
        for what, verdict, messages in (
                ("", tool.compared, {n: generate(n) for n in seeds}),
                ("--damaged ", tool.merely_fit,
                 {n: damaged(n, originals) for n in seeds})):
            for offers in tool.OFFERS:
                found = tool.examine(converter, messages, offers, verdict)
                for n, complaints in found.items():
                    if kind_of(complaints[0]) in told:
                        continue
                    told.add(kind_of(complaints[0]))
                    print(f"# {what}{n} to {' '.join(offers) or 'RFC 821'}")
                    report(converter, messages[n], offers, verdict, complaints)
        seed += step
    converter.close()
    print(f"# up to seed {seed}, {len(told)} kinds of failures")
    return 1 if told else 0


def main(*args):
    if args[:1] == ("--seconds",):
        return endless(float(args[1]), int((args + ("1000",))[2]))
    if args[:1] == ("--damaged",):
        octets = damaged(int(args[1]), corpus())
    else:
        octets = generate(int(args[0]))
    sys.stdout.buffer.write(octets)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
