#!/usr/bin/python3 -B
"""retry yes: what waits for a server is sent by -q when the server is there."""
import os
import shutil
import subprocess
import tempfile

from interop import Lab, read

lab = Lab()


class Home:
    """One user's, who submits several times and has a timer."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="sendoff-interop.")
        os.mkdir(self.path + "/.config")

    def configure(self, port, **settings):
        with open(os.open(self.path + "/.config/sendoff.conf",
                          os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "w") as f:
            f.write(lab.settings(port, retry="yes", notify="yes", **settings))

    def run(self, *args, octets=b""):
        return subprocess.run(
            [lab.sendoff, *args], input=octets, capture_output=True,
            timeout=120, env={"HOME": self.path, "PATH": os.environ["PATH"]})

    def submit(self, mail):
        return self.run("-i", *mail.to, octets=mail.octets)

    def kept(self):
        folder = self.path + "/.local/state/sendoff"
        return [read(f"{folder}/{name}", "rb") for name
                in (os.listdir(folder) if os.path.isdir(folder) else [])
                if name[0] != "."]


def silent(run, status=0):
    good = (run.returncode, run.stdout, run.stderr) == (status, b"", b"")
    return "" if good else f"{run.returncode}, {run.stdout}, {run.stderr}"


def states(home, *wanted):
    found = sorted(octets.split(b"NOOP state ")[1].split(b"\r")[0].decode()
                   for octets in home.kept())
    return "" if found == sorted(wanted) else f"kept: {found}"


for port in "POSTFIX_TLS", "EXIM_TLS", "DOVECOT_STARTTLS", "NODE_TLS":
    home = Home()
    home.configure("DOWN")
    mails = [lab.mail() for _ in range(4)]
    runs = [home.submit(mail) for mail in mails]
    lab.case(f"{port}: nobody is there, four are queued",
             *[silent(run) for run in runs], states(home, *["queued"] * 4))
    home.configure(port)
    run = home.run("-q", "-v")
    hellos = run.stderr.count(b"C: AUTH ")
    # Exim takes two mails in a connection.
    lab.case(f"{port}: -q sends them over as few connections as it allows",
             "" if run.returncode == 0 else str(run),
             "" if hellos == (2 if port[0] == "E" else 1) else
             f"{hellos} logins", *[mail.arrived() for mail in mails],
             states(home))
    home.configure("DOWN")
    mail = lab.mail("refused")
    runs = home.submit(mail),
    home.configure(port)
    run = home.run("-q")
    lab.case(f"{port}: one of three is refused after all", mail.arrived(),
             states(home, "refused") if b"refused" in run.stderr else str(run))
    shutil.rmtree(home.path)
lab.done()
