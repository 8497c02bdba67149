"""The servers, certificates and messages of a run, in a folder that goes."""
import dataclasses
import pathlib
import shutil
import subprocess
import tempfile
import time

from measure import BUILD, Failed

USER, PASSWORD, SENDER = "alice", "secret", "alice@example.test"
SYSTEM_STORE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
LINE = b"The quick brown fox jumps over the lazy dog, which only looks up."
CHUNK = 1 << 20

# What a body is made of, again and again.
SHAPES = {
    "lf": LINE.ljust(75, b".") + b"\n",
    "crlf": LINE.ljust(75, b".") + b"\r\n",
    "dots": b".\n",
    "empty": b"\n",
    "8bit": "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich.\n"
            .encode(),
    "one": b"x",
}


@dataclasses.dataclass
class Server:
    """where: a port, or the path of a unix socket."""
    where: object
    log: pathlib.Path
    process: subprocess.Popen

    def taken(self):
        """Messages that it has taken so far."""
        return self.log.read_bytes().count(b"queued as")


class Lab:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sendoff-bench."))
        self.store = self.folder / "store.pem"
        self.ca = self.folder / "ca"
        self.servers, self.count = {}, 0
        (self.folder / "home").mkdir()
        subprocess.run([BUILD / "ca", self.ca], check=True,
                       stdout=subprocess.DEVNULL)
        # As long as a system's store: the one that counts is its last.
        self.store.write_bytes(SYSTEM_STORE.read_bytes() +
                               (self.ca / "ca.pem").read_bytes())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.process.terminate()
            server.process.wait()
        shutil.rmtree(self.folder)

    def file(self, text):
        """A new file for its owner alone."""
        self.count += 1
        path = self.folder / f"file.{self.count}"
        path.write_text(text)
        path.chmod(0o600)
        return path

    def server(self, *options):
        """submitd with these options, which discards what it takes."""
        if options not in self.servers:
            self.servers[options] = self.start(options)
        return self.servers[options]

    def start(self, options):
        ready, log = self.file(""), self.file("")
        where = ["--unix", self.folder / f"socket.{self.count}"] \
            if "--unix" in options else []
        process = subprocess.Popen(
            [BUILD / "submitd", "--ca", self.ca, "--size", "4000000000",
             "--ready-file", ready, "--log", log, *where,
             *(o for o in options if o != "--unix")],
            stdout=subprocess.DEVNULL)
        while not (told := ready.read_text().strip()):
            time.sleep(0.02)
            if process.poll() is not None:
                raise Failed("submitd did not start")
        return Server(int(told) if told.isdigit() else told, log, process)

    def message(self, shape, octets):
        """A file with a header and a body of about so many octets."""
        path = self.folder / f"{shape}.{octets}"
        if not path.exists():
            unit = SHAPES[shape]
            chunk = unit * (min(CHUNK, octets) // len(unit))
            with open(path, "wb") as f:
                f.write(header(shape))
                for _ in range(octets // len(chunk)):
                    f.write(chunk)
                f.write(unit * (octets % len(chunk) // len(unit)))
        return path

    def discard(self, shape):
        """Its messages, which take room."""
        for path in self.folder.glob(f"{shape}.*"):
            path.unlink()


def header(shape):
    end = b"\r\n" if shape == "crlf" else b"\n"
    return end.join([b"From: " + SENDER.encode(), b"To: bob@example.net",
                     b"Subject: bench", b"Date: Mon, 1 Jan 2024 00:00:00 +0000",
                     b"Message-ID: <bench@example.test>", b"", b""])
