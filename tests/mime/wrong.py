"""Conversions by hand, right and wrong: the judge must know which is which."""

PLAIN = """\
From: =?UTF-8?Q?J=C3=BCrgen?= <j@example.org>
Subject: grün  und =?utf-8?q?blau?= ß
X-Kept: as it
 is
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

Grüße = gut\x20
Ende
"""
PLAIN_RIGHT = """\
From: =?UTF-8?Q?J=C3=BCrgen?= <j@example.org>
Subject: =?UTF-8?Q?gr=C3=BCn?=  und =?utf-8?q?blau?= =?UTF-8?Q?_=C3=9F?=
X-Kept: as it
 is
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe =3D gut=20
Ende
"""

TREE = """\
To: Zoë <z@example.org>, Grp: "A (b) Ü" <a@bücher.example>, c@d;,
 jürgen@example.net, "x\\"é" (Größe) <q@example.com>
Received: from a (ä b) by c; Mon, 1 Jan 2024 00:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"
Content-Transfer-Encoding: 8bit

vorher für alte Programme
--b
Content-Type: text/plain

Bücher
--b
Content-Disposition: attachment; filename="Prüfung 1.bin"
Content-Type: application/octet-stream; name="Prüfung 1.bin"

\x01äöü
--b
Content-Type: message/rfc822

Subject: ü
Content-Type: text/plain; charset=utf-8

ü
--b--
danach
"""
TREE_RIGHT = """\
To: =?UTF-8?Q?Zo=C3=AB?= <z@example.org>,
 Grp: =?UTF-8?Q?A_=28b=29_=C3=9C?= <a@xn--bcher-kva.example>, c@d;,
 =?UTF-8?B?asO8cmdlbkBleGFtcGxlLm5ldA==?= :;,
 =?UTF-8?Q?x=22=C3=A9?= (=?UTF-8?Q?Gr=C3=B6=C3=9Fe?=) <q@example.com>
Received: from a (=?UTF-8?Q?=C3=A4?= b) by c; Mon, 1 Jan 2024 00:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"
Content-Transfer-Encoding: 7bit

vorher f?r alte Programme
--b
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

B=C3=BCcher
--b
Content-Disposition: attachment; filename*=UTF-8''Pr%C3%BCfung%201.bin
Content-Type: application/octet-stream;
 name*0*=UTF-8''Pr%C3%BC; name*1="fung 1.bin"
Content-Transfer-Encoding: base64

AcOkw7bDvA==
--b
Content-Type: message/rfc822

Subject: =?UTF-8?B?w7w=?=
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

=C3=BC
--b--
danach
"""

# What is replaced in the right conversion, by what, and a word of what the
# judge says then.
PLAIN_WRONG = (
    ("an octet is lost", "gut=20", "ut=20", "content"),
    ("the last line is lost", "Ende\n", "", "content"),
    ("a line is added", "Ende\n", "Ende\n\n", "content"),
    ("another octet", "=BC=C3=9Fe", "=BC=C3=9Ee", "content"),
    ("a trailing blank is raw", "gut=20", "gut ", "a blank ends a line"),
    ("\"=\" is raw", "=3D gut", "= gut", "a bad \"=\""),
    ("hexadecimal in lower case", "=9Fe", "=9fe", "a bad \"=\""),
    ("a soft line break at the end", "Ende\n", "Ende\n=\n", "very end"),
    ("a long line in quoted-printable", "Ende\n",
     "E=\nn=\nd=\ne" + "=\n" * 3 + "=20" * 26 + "\n", "a line of 78"),
    ("another charset", "charset=UTF-8", "charset=iso-8859-1", "charset="),
    ("the charset is lost", "; charset=UTF-8", "", "charset="),
    ("another type", "text/plain", "text/html", "has become text/html"),
    ("a declaration is kept", "quoted-printable", "8bit", "is 8bit, not"),
    ("base64 for text", "quoted-printable\n\nGr=C3=BC=C3=9Fe =3D gut=20\nEnde",
     "base64\n\nR3LDvMOfZSA9IGd1dCANCkVuZGUNCg==", "is base64"),
    ("a field is lost", "X-Kept: as it\n is\n", "", "fields"),
    ("a field is added", "X-Kept", "X-New: x\nX-Kept", "fields"),
    ("fields change places", "X-Kept: as it\n is\nMIME-Version: 1.0\n",
     "MIME-Version: 1.0\nX-Kept: as it\n is\n", None),
    ("fields truly change places", "From: =?UTF-8?Q?J=C3=BCrgen?= "
     "<j@example.org>\n", "X: y\n", "fields"),
    ("MIME-Version is lost", "MIME-Version: 1.0\n", "", "MIME-Version"),
    ("a folded line is joined", "as it\n is", "as it is", "needlessly"),
    ("a fit word is encoded again", "J=C3=BCrgen", "J=C3=BCrge=6E",
     "needlessly"),
    ("the blank between two encoded words is lost",
     "blau?= =?UTF-8?Q?_", "blau?= =?UTF-8?Q?", "'gr\\xc3\\xbcn"),
    ("two blanks become one", "?=  und", "?= und", "'gr\\xc3\\xbcn"),
    ("an encoded word sticks to another", "blau?= =?", "blau?==?",
     "has become"),
    ("a character is cut apart", "gr=C3=BCn?=", "gr=C3?= =?UTF-8?Q?=BCn?=",
     "cut apart"),
    ("an encoded word is long", "=?UTF-8?Q?_=C3=9F?=",
     "=?UTF-8?Q?_=C3=9F=C3=9F=C3=9F=C3=9F=C3=9F=C3=9F=C3=9F=C3=9F=C3=9F=C3=9F"
     "=C3=9F?=", "an encoded word of 7"),
    ("a line with encoded words is long", "und", "und" + " und" * 9,
     "with an encoded word"),
    ("a charset that nobody knows", "=?UTF-8?Q?_=C3=9F?=",
     "=?iso-8859-1?Q?_=DF?=", "where does"),
    ("a line of blanks alone", "?=  und", "?= \n \n und", "blanks alone"),
    ("8-bit octets are left in the body", "Gr=C3=BC", "Grü", "8-bit"),
    ("8-bit octets are left in the header", "=?UTF-8?Q?gr=C3=BCn?=", "grün",
     "8-bit"),
    ("a bare CR", "Ende", "E\rnde", "bare CR"),
    ("a NUL", "Ende", "E\0nde", "has a NUL"),
    ("a line over 998", "Ende", "E" * 999, "999 octets"),
    ("the end has no line end", "Ende\n", "Ende", "no line end"),
    ("two fields of one name", "Content-Type", "Content-Type: text/plain; "
     "charset=UTF-8\nContent-Type", "2 fields"),
)
TREE_WRONG = (
    ("an encoding on a multipart", "Encoding: 7bit", "Encoding: base64",
     "multipart/mixed is base64"),
    ("an encoding on message/rfc822", "message/rfc822\n",
     "message/rfc822\nContent-Transfer-Encoding: quoted-printable\n",
     "message/rfc822"),
    ("8bit stays on the multipart", "Encoding: 7bit", "Encoding: 8bit",
     "8bit"),
    ("a part is lost", "\n--b\nContent-Type: text/plain; charset=UTF-8\n"
     "Content-Transfer-Encoding: quoted-printable\n\nB=C3=BCcher", "", "parts"),
    ("a part is cut in two", "B=C3=BCcher", "B=C3=BCcher\n--b\n\n", "parts"),
    ("a line too many at a part's end", "B=C3=BCcher", "B=C3=BCcher\n",
     "content"),
    ("the charset is missing", "; charset=UTF-8\n", "\n", "no charset"),
    ("the preamble says something else", "vorher", "nachher", "preamble"),
    ("the epilogue is lost", "danach\n", "", "epilogue"),
    ("a fit epilogue is changed", "danach", "danach?", "needlessly"),
    ("another boundary", 'boundary="b"', 'boundary="c"', "multipart"),
    ("base64 cut short", "AcOkw7bDvA==", "AcOkw7bDvA", "base64"),
    ("base64 goes on behind its end", "AcOkw7bDvA==", "AcOkw7bDvA==\nAA==",
     "base64"),
    ("another octet in base64", "AcOkw7bDvA==", "AcOkw7bDvQ==", "content"),
    ("text for octets", "base64\n\nAcOkw7bDvA==",
     "quoted-printable\n\n=01=C3=A4=C3=B6=C3=BC", "not base64"),
    ("another file name", "%C3%BCfung%201", "%C3%BCfung%202", "filename="),
    ("a file name is lost", "; filename*=UTF-8''Pr%C3%BCfung%201.bin", "",
     "filename="),
    ("encoded words in a parameter", "filename*=UTF-8''Pr%C3%BCfung%201.bin",
     'filename="=?UTF-8?Q?Pr=C3=BCfung_1.bin?="', "filename="),
    ("another charset of a file name", "name*0*=UTF-8", "name*0*=iso-8859-1",
     "name="),
    ("an attachment becomes inline", "attachment", "inline", "attachment"),
    ("the inner header is left out", "?B?w7w=", "?B?w7s=", "Subject"),
    ("the inner message has no MIME-Version", "w7w=?=\nMIME-Version: 1.0",
     "w7w=?=", "no MIME-Version"),
    ("an inner field is lost", "Subject: =?UTF-8?B?w7w=?=\n", "", "fields"),
    ("a name is lost", "=?UTF-8?Q?Zo=C3=AB?= <z@example.org>",
     "z@example.org", "mailbox"),
    ("another address", "<z@", "<y@", "mailbox"),
    ("another domain", "xn--bcher-kva", "bucher", "mailbox"),
    ("encoded words in quotes", "=?UTF-8?Q?Zo=C3=AB?=",
     '"=?UTF-8?Q?Zo=C3=AB?="', "mailbox"),
    ("an octet that a phrase cannot have", "A_=28b=29_", "A_(b)_",
     "stand in a phrase"),
    ("another that it cannot have", "x=22", "x.=22", "stand in a phrase"),
    ("a comma in a phrase", "A_=28b=29_", "A_b,_", "has become"),
    ("an address is lost", ", c@d;", ";", "mailbox"),
    ("a group is lost", "Grp: ", "", "group"),
    ("an address that cannot be said is sent anyway",
     "=?UTF-8?B?asO8cmdlbkBleGFtcGxlLm5ldA==?= :;",
     "=?UTF-8?Q?j=C3=BCrgen?=@example.net", "mailbox"),
    ("or in other words", "asO8cmdlbkBleGFtcGxlLm5ldA==",
     "asO8cmdlbkBleGFtcGxlLm9yZw==", "mailbox"),
    ("an encoded word sticks to a comma", ",\n =?UTF-8?B?asO8",
     ",=?UTF-8?B?asO8", "no blank"),
    ("a parenthesis is encoded", "=A4?= b) by", "=A4_b=29?= by",
     "without end"),
    ("a comment is lost", "(=?UTF-8?Q?=C3=A4?= b) ", "", "Received"),
    ("encoded words in the place of a comment", "(=?UTF-8?Q?=C3=A4?= b)",
     "=?UTF-8?Q?=28=C3=A4_b=29?=", "Received"),
    ("a comment of an address is lost", " (=?UTF-8?Q?Gr=C3=B6=C3=9Fe?=)", "",
     "has become []"),
    ("a comment is changed", "B6=C3=9Fe", "B6=C3=9F", "has become ["),
)


def wire(text):
    return text.encode().replace(b"\n", b"\r\n")


def cases():
    """(name, original, converted, what the judge says or None if it is fine)."""
    for which, original, right, wrong in (
            ("plain", PLAIN, PLAIN_RIGHT, PLAIN_WRONG),
            ("tree", TREE, TREE_RIGHT, TREE_WRONG)):
        yield f"{which}: right", wire(original), wire(right), None
        for name, old, new, says in wrong:
            assert right.count(old) >= 1, name
            yield (f"{which}: {name}", wire(original),
                   wire(right.replace(old, new, 1)), says)
    yield ("fit: left alone", wire("Subject: a\n\nb\n"),
           wire("Subject: a\n\nb\n"), None)
    yield ("fit: changed", wire("Subject: a\n\nb\n"),
           wire("Subject:  a\n\nb\n"), "needlessly")


SEALED = "DKIM-Signature: v=1\n\nü\n".encode()


def answers():
    """(name, original, converted or None, what it says, what the judge says)"""
    plain, done = PLAIN.encode(), wire(PLAIN_RIGHT)
    yield "converted", plain, done, "", None
    yield "refused", SEALED, None, "65 it is signed\n", None
    yield "refused without need", plain, None, "65 no\n", "not converted"
    yield "not refused", SEALED, SEALED, "", "it is signed"
    yield "refused in silence", SEALED, None, "65 ", "no single line"
    yield "refused in two lines", SEALED, None, "65 a\nb\n", "no single line"
    yield "died", SEALED, None, "runtime error", "died"
    yield ("nothing to do", b"Subject: a\rb\n\nx\ry", b"Subject: a b\r\n\r\n"
           b"x\r\ny\r\n", "", None)
