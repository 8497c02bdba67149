#!/usr/bin/python3 -B
"""--body, --data, --test, --header, --attach: what arrives is judged by
Python's email, and attachments are the files, octet for octet."""

import email
import email.policy
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from servers.start import submitd                               # noqa: E402
from tap import done, ok, same                                  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
B = pathlib.Path(os.path.abspath(TOP / os.environ.get("B", "build")))
TMP = pathlib.Path(tempfile.mkdtemp())
MAIL = TMP / "mail"
MOST = (240 if B.name == "san" else 24) * 1024      # KiB of memory


def serve(*options):
    return submitd(B, TMP / "port", "--tls=none", "--no-auth", "--maildir",
                   MAIL, *options)


class Run:
    """One run, and the message that came of it, or None."""

    def __init__(self, *args, given=b"", to=("bob@example.net",),
                 program="sendoff", **more):
        shutil.rmtree(MAIL / "new", ignore_errors=True)
        (MAIL / "new").mkdir(parents=True)
        run = subprocess.run([B / program, *args, *to], input=given,
                             capture_output=True, check=False, timeout=120,
                             env={**os.environ, "HOME": str(TMP)}, cwd=TMP,
                             **more)
        self.status, self.err = run.returncode, run.stderr.decode()
        self.silent = run.stdout + run.stderr == b""
        files = list((MAIL / "new").iterdir())
        self.raw = files[0].read_bytes() if len(files) == 1 else None
        self.mail = self.raw and email.message_from_bytes(
            self.raw, policy=email.policy.default)

    def __str__(self):
        return f"status {self.status}\n{self.err}"


def sent(run, what):
    ok(run.status == 0 and run.silent and run.mail is not None, what, run)
    if run.mail is None:
        raise SystemExit("Bail out! nothing has come")
    defects = [x for part in run.mail.walk() for x in part.defects]
    same(defects, [], f"{what}: no defects")
    longest = max(len(line) for line in run.raw.split(b"\r\n"))
    ok(longest <= 998, f"{what}: no line is too long", longest)
    return run.mail


def text(part):
    """Of a part, with the line ends of files."""
    return part.get_content().replace("\r\n", "\n")


def octets(part):
    return part.get_payload(decode=True)


def attached(mail, files, what):
    parts = list(mail.iter_attachments())
    same([p.get_filename() for p in parts], [f.name for f in files],
         f"{what}: the names")
    for part, file in zip(parts, files):
        ok(octets(part) == file.read_bytes(),
           f"{what}: {file.name!a} octet for octet", len(octets(part)))
        same(part.get_content_disposition(), "attachment",
             f"{what}: {file.name!a} is an attachment")
    return parts


def texts():
    mail = sent(Run("--body", "hello\nworld"), "--body")
    same(text(mail), "hello\nworld\n", "--body: the text")
    same(mail["To"], "bob@example.net", "--body: To")
    mail = sent(Run("--body", "no: header"), "a text like a header")
    same(text(mail), "no: header\n", "a text like a header: is text")
    mail = sent(Run("--body", "grün ß €", "--subject", "größe"), "UTF-8")
    same(text(mail), "grün ß €\n", "UTF-8: the text")
    same(mail["Subject"], "größe", "UTF-8: the subject")
    mail = sent(Run("--body", "@@alice"), "@@")
    same(text(mail), "@alice\n", "@@ is one @")
    (TMP / "text").write_bytes(b"from a file\n" + b"long " * 1000 + b"\n.\nx\n")
    mail = sent(Run("--body", "@text"), "--body @FILE")
    same(text(mail), "from a file\n" + "long " * 1000 + "\n.\nx\n",
         "--body @FILE: long lines and a lone dot arrive")
    same(mail["Content-Transfer-Encoding"], "quoted-printable",
         "--body @FILE: quoted-printable, as it must be")
    mail = sent(Run("--body", "@-", given=b"piped\n"), "--body @-")
    same(text(mail), "piped\n", "--body @-: standard input")
    mail = sent(Run("--body", "<b>x</b>", "--header",
                    "Content-Type: text/html; charset=us-ascii"), "HTML")
    same(mail.get_content_type(), "text/html", "HTML: the type is --header's")
    mail = sent(Run("--test", given=b"not this"), "--test")
    ok("test message" in text(mail) and
       mail["Subject"].startswith("test from "), "--test: says what it is",
       mail)
    ok(b"not this" not in Run("--test", given=b"not this").raw,
       "--test: standard input is left alone")
    mail = sent(Run("--test", "--body", "mine", to=("a@example.net",
                                                    "b@example.net")), "both")
    same((text(mail), mail["To"]),
         ("mine\n", "a@example.net, b@example.net"), "both: text and To")


def headers():
    given = b"Subject: s\nX-A: 1\nX-B: 1\n folded\nX-A: 2\n\nbody\n"
    mail = sent(Run("--header", "x-a: 3", "--header", "X-A: 4", "--header",
                    "X-B:", "--header", "X-C: new", given=given), "--header")
    same((mail.get_all("X-A"), mail["X-B"], mail["X-C"], mail["Subject"]),
         (["3", "4"], None, "new", "s"), "--header: replaces, adds, takes out")
    same(text(mail), "body\n", "--header: the body stays")
    (TMP / "mail.eml").write_bytes(b"Subject: file\nTo: x@example.net\n\na\n.\nb\n")
    mail = sent(Run("--data", "mail.eml", given=b"not this"), "--data")
    same((mail["Subject"], text(mail)), ("file", "a\n.\nb\n"),
         "--data: all of it, with a lone dot")
    mail = sent(Run("--data", "-", given=b"Subject: in\n\na\n.\nb\n"), "-")
    same(text(mail), "a\n.\nb\n", "--data -: standard input")
    mail = sent(Run("-t", "--body", "x", "--header", "To: c@example.net",
                    to=()), "-t")
    same(mail["To"], "c@example.net", "-t: recipients of --header")


def files():
    made = {"größe €.txt": "grün\n".encode(), "empty.bin": b"",
            "crlf.txt": b"a\r\nb\nc\rd", "latin.txt": b"gr\xfcn\n",
            "from.csv": b"From x\n.\n..\n--\n--x\n", "dash": b"-" * 3000,
            "long" + "n" * 200 + ".png": bytes(range(256)) * 5,
            'quo"te\\.pdf': b"%PDF", "long.md": b"x" * 5000}
    paths = []
    for name, content in made.items():
        paths.append(TMP / name)
        paths[-1].write_bytes(content)
    options = [x for p in paths for x in ("--attach", str(p))]
    mail = sent(Run("--body", "sehr gerne, Jürgen", *options), "attachments")
    same(text(mail.get_body()), "sehr gerne, Jürgen\n",
         "attachments: the text comes first")
    parts = attached(mail, paths, "attachments")
    same([p.get_content_type() for p in parts],
         ["text/plain", "application/octet-stream", "text/plain", "text/plain",
          "text/csv", "application/octet-stream", "image/png",
          "application/pdf", "text/markdown"], "attachments: the types")
    same(parts[0].get_content_charset(), "utf-8", "a text file's charset")
    ok(all(ord(c) < 128 for c in str(parts[0]["Content-Disposition"].encode())),
       "names are in ASCII on the way")
    given = (b"Subject: s\nMIME-Version: 1.0\nContent-Type: text/html\n"
             b"Content-Language: en\n\n<i>x</i>\n")
    mail = sent(Run("--attach", "empty.bin", given=given), "to a message")
    first = next(mail.iter_parts())
    same((first.get_content_type(), first["Content-Language"],
          mail["Content-Language"], mail["Subject"]),
         ("text/html", "en", None, "s"), "to a message: its type goes along")
    attached(mail, [TMP / "empty.bin"], "to a message")
    mail = sent(Run("--attach", "empty.bin", given=b"just text\n"), "to text")
    same(text(next(mail.iter_parts())), "just text\n", "to text")
    inner = b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n' \
        b'\n--b\n\none\n--b\n\ntwo\n--b--\n'
    mail = sent(Run("--attach", "dash", given=inner), "to a multipart")
    same([p.get_content_type() for p in mail.walk()],
         ["multipart/mixed", "multipart/mixed", "text/plain", "text/plain",
          "application/octet-stream"], "to a multipart: nested")


def large():
    file = TMP / "large.iso"
    file.write_bytes(random.Random(7).randbytes(20 << 20))
    mail = sent(Run("--test", "--attach", str(file)), "20 MiB")
    attached(mail, [file], "20 MiB")
    subprocess.run([B / "peak", TMP / "peak", B / "sendoff", "--test",
                    "--attach", file, "bob@example.net"], check=True, cwd=TMP,
                   env={**os.environ, "HOME": str(TMP)})
    peak = int((TMP / "peak").read_text(encoding="ascii").split()[0])
    ok(peak < MOST, "20 MiB: within bounds of memory", peak)


def refused():
    os.mkfifo(TMP / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(TMP / "sock"))
    (TMP / "secret").write_bytes(b"x")
    for name in ("fifo", "/dev/null", "sock", ".", "there-is-none"):
        run = Run("--test", "--attach", "text", "--attach", name)
        ok(run.status == 66 and run.mail is None and
           run.err.count("\n") == 1 and f"--attach: {name}: " in run.err,
           f"{name} is not attached, and nothing is sent", run)
    for option, name in (("--data", "there-is-none"), ("--data", "."),
                         ("--body", "@there-is-none"), ("--body", "@.")):
        run = Run(option, name)
        ok(run.status == 66 and run.mail is None and
           run.err.count("\n") == 1, f"{option} {name}", run)
    (TMP / "nothing").write_bytes(b"")
    for args in (("--data", "nothing"), ("--data", "text", "--body", "x"),
                 ("--data", "text", "--test"), ("--header", "no field"),
                 ("--header", "X: a\nBcc: eve@example.net", "--test"),
                 ("--subject", "a\r\nBcc: eve@example.net", "--test")):
        run = Run(*args)
        ok(run.status == 64 and run.mail is None and
           run.err.count("\n") == 1, f"{args} is no message", run)
    run = Run("--test", to=("bob@example.net\nBcc: eve@example.net",))
    ok(run.status in (64, 65) and run.mail is None, "a line end in a recipient",
       run)
    for args in (("--body", "x"), ("--data", "text"), ("--test",),
                 ("--header", "X: y"), ("--subject", "x"),
                 ("--attach", "text")):
        run = Run(*args, given=b"x\n", program="sendmail")
        ok(run.status == 64 and run.mail is None, f"sendmail {args[0]}", run)


def config(port):
    (TMP / ".config").mkdir(exist_ok=True)
    file = TMP / ".config/sendoff.conf"
    file.write_text(f"from alice@example.org\nserver smtp+plain://localhost:"
                    f"{port}\nauth none\naliases none\nlog none\nkeep never\n")
    file.chmod(0o600)


os.umask(0o077)
for without in ((), ("--without", "8BITMIME,SMTPUTF8,CHUNKING")):
    server, number = serve(*without)
    try:
        config(number)
        texts()
        headers()
        files()
        if not without:
            large()
            refused()
    finally:
        server.terminate()
        server.wait()
shutil.rmtree(TMP)
done()
