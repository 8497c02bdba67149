"""A program run under inject, with a server that takes part."""

import os
import select
import socket
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
B = os.path.join(TOP, os.environ.get("B", "build"))
INJECT = B + "/crash/inject"
PATIENCE = 20                   # seconds until a run is given up
WAITING = ("ppoll", "poll", "pselect6", "select", "clock_nanosleep")


class Result:
    """What came of a run."""

    def __init__(self):
        self.status, self.signal = None, None   # one of them
        self.calls, self.paths = [], []         # of each, when all are told
        self.count = 0                          # of all calls
        self.error = ""                         # standard error
        self.hung = False

    def told(self):
        """What the caller knows, in short."""
        return "hung" if self.hung else f"signal {self.signal}" \
            if self.signal else f"status {self.status}"


class Play:
    """The test's side of inject's channel."""

    def __init__(self, server, mode, watch=None):
        self.server, self.watch = server, watch
        self.result = Result()
        # One who ends us does so while we wait for an answer; SIGHUP comes
        # when the answer is there.
        self.silent_from = mode[1] if mode[0] == "signal" and \
            mode[2] != "HUP" else float("inf")

    def hear(self, line, pid):
        """True when inject waits for an answer."""
        word, *rest = line.split()
        if word == "call":
            if rest[1] in WAITING and int(rest[0]) < self.silent_from:
                self.server.turn()
            self.result.calls.append(rest[1])
            self.result.paths.append(rest[2])
            if self.watch:
                self.watch.call(int(rest[0]), rest[1])
            return True
        if word == "sync":
            if self.watch:
                self.watch.sync(pid, int(rest[0]))
            return True
        if word == "signalled":
            self.silent_from = float("inf")
            return False
        key = "status" if rest[0] == "exited" else "signal"
        setattr(self.result, key, int(rest[1]))
        self.result.count = int(rest[2])
        return False

    def is_ready(self, channel):
        """Over TCP what was sent may come late, when our turn is over."""
        for _ in range(PATIENCE):
            if select.select([channel], [], [], 1)[0]:
                return True
            if self.server.tls and self.silent_from == float("inf"):
                self.server.turn()
        return False

    def listen(self, channel, pid):
        octets = b""
        while True:
            if not self.is_ready(channel):
                self.result.hung = True
                return
            got = channel.recv(65536)
            if not got:
                return
            octets += got
            *lines, octets = octets.split(b"\n")
            for line in lines:
                if self.hear(line.decode(), pid):
                    channel.send(b".")


class At:
    """Something is done at a call."""

    def __init__(self, n, act):
        self.n, self.act = n, act

    def call(self, n, _):
        if n == self.n:
            self.act()

    def sync(self, pid, fd):
        pass


def play(mode, command, server, given, env, watch=None):
    """mode: inject's own words.  given: a file, the standard input."""
    ours, its = socket.socketpair()
    p = Play(server, mode, watch)
    with open(given, "rb") as f, ours:
        inject = subprocess.Popen(
            [INJECT, "-c", str(its.fileno()), *map(str, mode), *command],
            stdin=f, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=[its.fileno()], env=env)
        its.close()
        p.listen(ours, inject.pid)
        if p.result.hung:
            inject.kill()
        p.result.error = inject.stdout.read().decode("utf-8", "replace")
        inject.stdout.close()
        inject.wait()
    server.turn()
    return p.result


def alone(command, server, given, env):
    """Without inject; the server answers as it comes."""
    with open(given, "rb") as f:
        p = subprocess.Popen(command, stdin=f, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=env)
    r = Result()
    fds = [p.stdout]
    while True:
        listener = server.listener
        sockets = [c.wire.sock for c in server.connections if not c.over]
        ready = select.select(fds + sockets + [listener] * (
            listener is not None), [], [], PATIENCE)[0]
        if not ready:
            r.hung = True
            p.kill()
            break
        server.turn()
        if p.stdout in ready:
            got = os.read(p.stdout.fileno(), 65536)
            r.error += got.decode("utf-8", "replace")
            if not got:
                break
    p.stdout.close()
    p.wait()
    server.turn()
    r.status, r.signal = (p.returncode, None) if p.returncode >= 0 else \
        (None, -p.returncode)
    return r
