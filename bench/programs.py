"""sendoff and its peers: the command of each for one errand."""
import dataclasses
import os
import pathlib
import subprocess

from lab import PASSWORD, SENDER, USER
from measure import BUILD, TOP, Command, Failed

ROOT = BUILD / "peers" / "root"
INCLUDED = ("msmtp", "curl", "swaks", "opensmtpd", "s-nail", "perl-base",
            "libgnutls30", "libgsasl18", "libssl3", "libcurl4",
            "libnet-ssleay-perl")


@dataclasses.dataclass
class Errand:
    """where: a port, or the path of a unix socket.  security: implicit,
    starttls or none.  mechanism: of AUTH, or None."""
    where: object
    security: str = "implicit"
    mechanism: str = "PLAIN"
    recipients: tuple = ("bob@example.net",)
    has_crlf: bool = False


class Program:
    """What the command line of a program is for an errand."""
    mechanisms = ("PLAIN",)
    has_unix = False
    waits_for_each = True       # reply before the next command

    def __init__(self, lab):
        self.lab = lab

    def command(self, errand):
        """Failed tells why there is none; without a word, it cannot."""
        if errand.mechanism not in (None, *self.mechanisms):
            raise Failed("")
        if not isinstance(errand.where, int) and not self.has_unix:
            raise Failed("")
        return self.build(errand)


class Sendoff(Program):
    name = "sendoff"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1",
                  "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "EXTERNAL")
    has_unix = True
    waits_for_each = False
    schemes = {"implicit": "smtps", "starttls": "smtp", "none": "smtp+plain"}

    def build(self, errand):
        lines = [f"from {SENDER}", f"ca-file {self.lab.store}", "log none",
                 "aliases none", "server " + self.url(errand)]
        if errand.mechanism == "EXTERNAL":
            lines += [f"user {USER}",
                      f"client-certificate {self.lab.ca}/client.pem",
                      f"client-key {self.lab.ca}/client.key"]
        elif errand.mechanism:
            lines += [f"user {USER}", f"password {PASSWORD}"]
        lines += ["auth " + (errand.mechanism or "none").lower()]
        config = self.lab.file("\n".join(lines) + "\n")
        return Command([BUILD / "sendoff", "-C", config, "-i", "--",
                        *errand.recipients], {})

    def url(self, errand):
        if isinstance(errand.where, int):
            scheme = self.schemes[errand.security]
            return f"{scheme}://localhost:{errand.where}"
        return f"smtp://{errand.where}"


class Peer(Program):
    """A program of Debian's, unpacked below ROOT."""

    def run(self, program, *args, **more):
        triplet = os.uname().machine + "-linux-gnu"
        return Command([ROOT / "usr/bin" / program, *args], {
            "LD_LIBRARY_PATH": f"{ROOT}/usr/lib/{triplet}:"
                               f"{ROOT}/lib/{triplet}", **more})


class Msmtp(Peer):
    name = "msmtp"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1",
                  "SCRAM-SHA-256", "EXTERNAL")
    waits_for_each = False

    def build(self, errand):
        lines = ["account default", "host localhost", f"port {errand.where}",
                 f"from {SENDER}", f"tls_trust_file {self.lab.store}",
                 "tls " + ("off" if errand.security == "none" else "on"),
                 "tls_starttls " + ("on" if errand.security == "starttls"
                                    else "off")]
        if errand.mechanism:
            lines += [f"auth {errand.mechanism.lower()}", f"user {USER}",
                      f"password {PASSWORD}"]
        if errand.mechanism == "EXTERNAL":
            lines += [f"tls_cert_file {self.lab.ca}/client.pem",
                      f"tls_key_file {self.lab.ca}/client.key"]
        config = self.lab.file("\n".join(lines) + "\n")
        return self.run("msmtp", "-C", config, "--", *errand.recipients)


class Curl(Peer):
    name = "curl"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL")

    def build(self, errand):
        scheme = "smtps" if errand.security == "implicit" else "smtp"
        lines = [f"url = {scheme}://localhost:{errand.where}", "silent",
                 "show-error", "sasl-ir", f"cacert = {self.lab.store}",
                 f"mail-from = {SENDER}", "upload-file = -"]
        lines += [f"mail-rcpt = {each}" for each in errand.recipients]
        if errand.security == "starttls":
            lines += ["ssl-reqd"]
        if not errand.has_crlf:
            lines += ["crlf"]           # or its lines end in bare LF
        if errand.mechanism:
            lines += [f'login-options = "AUTH={errand.mechanism}"']
        if errand.mechanism not in (None, "EXTERNAL"):
            lines += [f'user = "{USER}:{PASSWORD}"']
        if errand.mechanism == "EXTERNAL":
            lines += [f'user = "{USER}:"', f"cert = {self.lab.ca}/client.pem",
                      f"key = {self.lab.ca}/client.key"]
        config = self.lab.file("\n".join(lines) + "\n")
        return self.run("curl", "-q", "-K", config)


class Swaks(Peer):
    name = "swaks"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5")
    has_unix = True

    def build(self, errand):
        options = ["--silent", "3", "--from", SENDER, "--data", "-",
                   "--to", ",".join(errand.recipients)]
        if isinstance(errand.where, int):
            options += ["--server", "localhost", "--port", errand.where]
        else:
            options += ["--socket", errand.where]
        if errand.security != "none":
            options += ["--tls-on-connect" if errand.security == "implicit"
                        else "--tls", "--tls-verify", "--tls-ca-path",
                        self.lab.store]
        if errand.mechanism:
            options += ["--auth", errand.mechanism, "--auth-user", USER,
                        "--auth-password", PASSWORD]
        if sum(map(len, errand.recipients)) > 100000:
            raise Failed("too many for its one argument")
        return self.run("perl", ROOT / "usr/bin/swaks", *options,
                        PERL5LIB=self.libraries())

    def libraries(self):
        triplet = os.uname().machine + "-linux-gnu"
        places = (f"usr/lib/{triplet}/perl5/*", "usr/share/perl5",
                  f"usr/lib/{triplet}/perl/5.*", "usr/share/perl/5.*",
                  f"usr/lib/{triplet}/perl-base")
        return ":".join(str(found) for place in places
                        for found in sorted(ROOT.glob(place)))


class Smtp(Peer):
    """Of OpenSMTPD; its version cannot be told whom to trust."""
    name = "smtp"

    def build(self, errand):
        scheme = {"implicit": "smtps", "starttls": "smtp+tls",
                  "none": "smtp+notls"}[errand.security]
        login = f"{USER}:{PASSWORD}@" if errand.mechanism else ""
        return self.run("smtp", "-C", "-F", SENDER, "-s",
                        f"{scheme}://{login}localhost:{errand.where}",
                        *errand.recipients)


class Snail(Peer):
    """Writes a header of its own; the message is its body."""
    name = "s-nail"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5")

    def build(self, errand):
        scheme = "smtps" if errand.security == "implicit" else "smtp"
        login = f"{USER}:{PASSWORD}@" if errand.mechanism else ""
        settings = ["v15-compat=yes", "sendwait", "tls-verify=strict",
                    f"tls-ca-file={self.lab.store}", "tls-ca-no-defaults",
                    f"from={SENDER}", "expandaddr",
                    f"mta={scheme}://{login}localhost:{errand.where}",
                    "smtp-auth=" + (errand.mechanism or "none").lower()]
        if errand.security == "starttls":
            settings += ["smtp-use-starttls"]
        options = [word for each in settings for word in ("-S", each)]
        return self.run("s-nail", "-:/", *options, "-s", "bench", "-.",
                        *errand.recipients, LC_ALL="C.UTF-8")


KINDS = (Sendoff, Msmtp, Curl, Swaks, Smtp, Snail)


def programs(lab):
    """All that are here, sendoff first, and a remark on what is not."""
    unpack = subprocess.run([TOP / "bench" / "unpack", ROOT],
                            stderr=subprocess.PIPE, text=True, check=False)
    if unpack.returncode:
        return [Sendoff(lab)], unpack.stderr.strip()
    return [kind(lab) for kind in KINDS], None


def host_version(package):
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                            capture_output=True, text=True, check=False)
    return answer.stdout if answer.returncode == 0 else "not a package"


def versions():
    """Names and versions: of sendoff and the host's libraries that it uses,
    and of the packages that the peers and their libraries are from."""
    commit = subprocess.run([TOP / "tests" / "figures", "--commit"],
                            capture_output=True, text=True,
                            check=False).stdout.strip()
    ours = [("sendoff", commit or "unknown")]
    ours += [(each, host_version(each))
             for each in ("libgnutls30", "libgsasl18", "libnettle8", "libc6")]
    try:
        folder = pathlib.Path(ROOT.with_suffix(".from").read_text().strip())
    except OSError:
        return ours, []
    found = [path.name.split("_") for path in sorted(folder.glob("*.deb"))]
    return ours, [(name, version.replace("%3a", ":"))
                  for name, version, _ in found if name in INCLUDED]
