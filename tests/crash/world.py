"""Where a scenario is played: a home, a store, a server; made anew for each
run out of what was prepared once."""

import os
import shutil

import run
import store
from server import Script, Server

SENDMAIL = os.environ.get("CRASH", run.B) + "/sendmail"
HEAD = b"Subject: crash\nFrom: alice@example.org\n\n"


class World:
    """A folder of its own for each process that plays."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder + "/home"
        self.keep = folder + "/store"
        self.state = self.home + "/.local/state"
        self.places = [self.keep, self.state + "/sendoff",
                       f"/var/spool/sendoff/{os.getuid()}"]
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"],
                    "TMPDIR": folder + "/tmp",
                    "ASAN_OPTIONS": "detect_leaks=0"}
        for path in self.home + "/.config", folder + "/tmp", self.state:
            os.makedirs(path)
        self.write("aliases", b"")

    def write(self, name, octets):
        with open(f"{self.folder}/{name}", "wb") as f:
            f.write(octets)
        return f"{self.folder}/{name}"

    def config(self, scenario, server):
        lines = ["auth none"] * (not scenario.script.tls) + [
            "domain example.org", f"aliases {self.folder}/aliases",
            f"log {self.folder}/log", f"keep {self.keep}",
            f"server {server.url()}"]
        if scenario.retry:
            lines.append("retry yes")
        lines += scenario.config or ["from alice@example.org"]
        self.write("home/.config/sendoff.conf",
                   ("\n".join(lines) + "\n").encode())

    def fill(self, files, fresh=False):
        """The store holds these and no others (fresh: there is none); the
        rest is forgotten."""
        for place in self.places[:2]:
            shutil.rmtree(place, ignore_errors=True)
        if not fresh:
            os.mkdir(self.keep, 0o700)
        for name, octets in files.items():
            self.write("store/" + name, octets)
        self.forget("log", "home/.local/state/sendoff.memory/seen")

    def forget(self, *names):
        for name in names:
            if os.path.exists(f"{self.folder}/{name}"):
                os.unlink(f"{self.folder}/{name}")

    def files(self):
        return store.read(self.places)

    def log(self):
        try:
            with open(self.folder + "/log", encoding="latin-1") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def server(self, script):
        return Server(self.folder + "/socket", script)

    def submit(self, scenario, body):
        """As it happens; something is left in the store."""
        server = self.server(scenario.before)
        self.config(scenario, server)
        given = self.write("given", HEAD + body)
        run.alone(scenario.submission(), server, given, self.env)
        server.close()

    def prepare(self, scenario):
        """The store that a resend begins with."""
        self.fill({})
        for body in scenario.bodies if scenario.prepared else []:
            self.submit(scenario, body)
        store.make_due(self.places)
        found = self.files()
        return {os.path.basename(f.path): f.octets for f in found}

    def resend(self, scenario):
        """-q with a server that takes all; what it said, and took."""
        self.forget("log")
        store.make_due(self.places)
        server = self.server(Script(lmtp=scenario.script.lmtp,
                                    tls=scenario.script.tls))
        self.config(scenario, server)
        result = run.alone([SENDMAIL, "-q"], server, "/dev/null", self.env)
        server.close()
        return result, server
