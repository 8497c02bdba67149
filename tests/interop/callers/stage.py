"""The tree in which callers run: sendoff as /usr/sbin/sendmail, its
configuration, users, and a /dev/log that is read."""
import os
import re
import shutil
import socket
import subprocess
import threading

from interop import TOP, read

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = os.uname().nodename
LIMIT = 60                      # seconds for one caller


class Stage:
    def __init__(self, lab):
        self.lab = lab
        self.tree = TOP + "/build/lab/callers"
        subprocess.run([HERE + "/tree", self.tree], check=True)
        self.install(lab.sendoff)
        self.lines = []
        self.listen()

    def install(self, program):
        shutil.copy(os.path.realpath(program), self.tree + "/usr/bin/sendoff")
        for name, target in (("usr/sbin/sendmail", "../bin/sendoff"),
                             ("usr/lib/sendmail", "../bin/sendoff"),
                             ("usr/bin/mailq", "sendoff"),
                             ("usr/bin/newaliases", "sendoff")):
            os.symlink(target, f"{self.tree}/{name}")
        os.makedirs(self.tree + "/var/www")
        os.chown(self.tree + "/var/www", 33, 33)
        os.makedirs(self.tree + "/var/spool/sendoff")
        os.chmod(self.tree + "/var/spool/sendoff", 0o1733)
        shutil.copy(self.lab.env["CERTS"] + "/ca.pem", self.tree + "/etc/lab.pem")
        self.write("etc/sendoff.conf",
                   "from alerts@example.test\n"
                   f"server {self.lab.url('POSTFIX_NOAUTH_STARTTLS')}\n"
                   "auth none\nca-file /etc/lab.pem\ndomain example.test\n")
        self.write("etc/hosts", f"127.0.0.1 localhost {HOST}\n")
        self.write("etc/hostname", HOST + "\n")
        if os.path.exists(self.tree + "/etc/mailname"):
            os.unlink(self.tree + "/etc/mailname")

    def write(self, name, text, mode=0o644, user=None):
        path = f"{self.tree}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        if user is not None:
            os.chown(path, user, user)

    def listen(self):
        """What callers tell syslog, as cron does of a mail that failed."""
        path = self.tree + "/dev/log"
        if os.path.exists(path):
            os.unlink(path)
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.bind(path)
        os.chmod(path, 0o666)
        threading.Thread(target=self.hear, daemon=True).start()

    def hear(self):
        while octets := self.log.recv(65536):
            self.lines.append(octets.decode(errors="replace"))

    def aliases(self, **names):
        self.write("etc/aliases", "".join(
            f"{name}: {address}\n" for name, address in names.items()))

    def kept(self):
        found = []
        for top in ("var/spool/sendoff", "root/.local/state/sendoff",
                    "home/alice/.local/state/sendoff",
                    "var/www/.local/state/sendoff"):
            for folder, _, names in os.walk(f"{self.tree}/{top}"):
                found += [read(f"{folder}/{n}", "rb") for n in names]
        return found

    def forget(self):
        """Nothing of one caller is left for the next."""
        subprocess.run("rm -rf var/spool/sendoff/* root/.local "
                       "home/alice/.local var/www/.local home/alice/dead* "
                       "root/dead*", shell=True, cwd=self.tree, check=True)
        self.lines.clear()

    def version(self, package):
        """That of the program that is in the tree."""
        return re.search(rf"^Package: {re.escape(package)}\n(?:.+\n)*?"
                         r"Version: (.*)",
                         read(self.tree + "/var/lib/dpkg/status"), re.M)[1]

    def play(self, script, user="root"):
        """The script in the tree, as the user, in name spaces of its own:
        whatever it starts ends with it."""
        home = {"root": "/root", "alice": "/home/alice"}.get(user, "/var/www")
        command = ["unshare", "-m", "-p", "-f", "--kill-child",
                   "--mount-proc=" + self.tree + "/proc", "sh", "-c",
                   'mount -t devpts -o newinstance,ptmxmode=0666 devpts '
                   '"$0/dev/pts" && exec chroot "$0" "$@"', self.tree,
                   "setpriv", "--reuid", user, "--regid", user,
                   "--init-groups", "env", "-i", "HOME=" + home,
                   "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                   "USER=" + user, "LOGNAME=" + user,
                   "sh", "-c", "cd && " + script]
        return subprocess.run(command, capture_output=True, timeout=LIMIT,
                              stdin=subprocess.DEVNULL, check=False)
