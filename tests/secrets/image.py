"""The memory of a process, and where a password stands in it.

An image is read while the process waits for its server, and once more at its
exit, when all that it had is still there: the process is traced from its first
instruction on (ptrace), and stops before it ends.  Whoever traces an ordinary
user's process that is not dumpable may not read it unless he is root; for
anybody else a preloaded prctl() leaves it dumpable (tests/secrets/readable.c).
"""
import base64
import ctypes
import errno
import os
import re
import signal
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_TRACEME, PTRACE_CONT, PTRACE_SETOPTIONS = 0, 7, 0x4200
TRACE_EXIT, EXIT_KILL, EVENT_EXIT = 0x40, 0x100000, 6
WINDOW, STRIDE = 8, 3			# octets in a row that betray it
LOCKABLE = None


def ptrace(request, pid, data=0):
    LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                            ctypes.c_void_p]
    LIBC.ptrace.restype = ctypes.c_long
    if LIBC.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def may_lock():
    """Does the system let us lock a page?"""
    page = ctypes.create_string_buffer(8192)
    done = LIBC.mlock(page, 4096) == 0
    LIBC.munlock(page, 4096)
    return done


def in_base64(octets, shift):
    """What base64 makes of the octets alone when shift others precede."""
    text = base64.b64encode(b"\0" * shift + octets)
    first = {0: 0, 1: 2, 2: 3}[shift]
    last = (shift + len(octets)) * 8 // 6
    return text[first:last]


def needles(password, prepared, kind=""):
    """Name -> octets that must not be in an image."""
    key = prepared.encode()
    found = {}
    for name, text in ((f"{kind}password", password),
                       (f"{kind}prepared", prepared)):
        octets = text.encode()
        found[name] = octets
        for shift in range(3):
            found[f"{name}, base64 {shift}"] = in_base64(octets, shift)
        found[f"{name}, UTF-32"] = text.encode("utf-32-le")
    for pad in (0x36, 0x5c):		# RFC 2104: a key in its pad
        found[f"{kind}HMAC's key {pad:x}"] = bytes(c ^ pad for c in key)
    return found


class Needles:
    def __init__(self, found):
        self.windows = {}
        for name, octets in found.items():
            width = 4 if "UTF-32" in name else 1	# of a character
            for at in range(0, len(octets) // width - WINDOW + 1, STRIDE):
                window = octets[at * width:(at + WINDOW) * width]
                self.windows.setdefault(window, f"{name}+{at}")

    def search(self, octets):
        for window, name in self.windows.items():
            at = octets.find(window)
            while at >= 0:
                yield at, name
                at = octets.find(window, at + 1)


def mappings(pid):
    """(start, end, permissions, name, flags) of each."""
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for line in smaps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)",
                            line)
            if head:
                where = (int(head[1], 16), int(head[2], 16), head[3], head[4])
            elif line.startswith("VmFlags:"):
                yield (*where, line.split()[1:])


class Hit:
    def __init__(self, address, name, mapping, flags):
        self.name, self.mapping, self.flags = name, mapping, flags
        self.address = address

    def is_guarded(self):
        return "dd" in self.flags and ("lo" in self.flags or not LOCKABLE)

    def __str__(self):
        return f"{self.address:x} {self.mapping or 'anonymous'} " \
            f"{self.name} [{' '.join(self.flags)}]"


def scan(pid, sought):
    """All hits in what the process has written, or could have."""
    hits, octets = [], 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, permissions, name, flags in mappings(pid):
            if "w" not in permissions and name.startswith("/") or \
                    "r" not in permissions or name in ("[vvar]", "[vsyscall]"):
                continue
            try:
                memory.seek(start)
                text = memory.read(end - start)
            except OSError as failure:
                if failure.errno != errno.EIO:
                    raise
                continue
            octets += len(text)
            hits += [Hit(start + at, what, name, flags)
                     for at, what in sought.search(text)]
    assert octets > 500_000, "that is no whole image"
    return hits


class Traced:
    """A traced run.  at_exit: the hits when it ended; status: how."""

    def __init__(self, argv, environment, sought, stdin, stderr,
                 terminal=None):
        self.sought, self.at_exit, self.status = sought, None, None
        if os.geteuid() != 0:
            environment = {**environment, "LD_PRELOAD":
                           os.environ["READABLE"]}
        self.pid = os.fork()
        if self.pid == 0:
            self.begin(argv, environment, stdin, stderr, terminal)
        self.wait_for(lambda status: os.WIFSTOPPED(status))
        ptrace(PTRACE_SETOPTIONS, self.pid, TRACE_EXIT | EXIT_KILL)
        ptrace(PTRACE_CONT, self.pid)

    @staticmethod
    def begin(argv, environment, stdin, stderr, terminal):
        try:
            os.dup2(stdin, 0)
            os.dup2(stderr, 1)
            os.dup2(stderr, 2)
            os.setsid()
            if terminal is not None:
                import fcntl
                import termios
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.closerange(3, 256)
            ptrace(PTRACE_TRACEME, 0)
            os.execve(argv[0], [str(word) for word in argv], environment)
        finally:
            os._exit(126)

    def wait_for(self, wanted):
        _, status = os.waitpid(self.pid, 0)
        if not wanted(status):
            raise SystemExit(f"Bail out! {status:x} instead of a stop")

    def step(self):
        """Lets it go on, if it stands; false when it has ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return True
        if not os.WIFSTOPPED(status):
            self.status = os.waitstatus_to_exitcode(status)
            return False
        number = os.WSTOPSIG(status)
        if status >> 8 == signal.SIGTRAP | EVENT_EXIT << 8:
            self.at_exit = scan(self.pid, self.sought)
            number = 0
        ptrace(PTRACE_CONT, self.pid, number)
        return True

    def run_until(self, condition, seconds=60):
        """Did it hold before the end?"""
        until = time.monotonic() + seconds
        while self.step():
            if condition():
                return True
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                until += seconds
            time.sleep(0.002)
        return False

    def scan(self):
        """While it waits."""
        return scan(self.pid, self.sought)

    def children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children",
                  encoding="ascii") as children:
            return [int(pid) for pid in children.read().split()]

    def scan_children(self):
        return [hit for pid in self.children()
                for hit in scan(pid, self.sought)]

    def finish(self, number=None):
        if number is not None:
            os.kill(self.pid, number)
        self.run_until(lambda: False)


LOCKABLE = may_lock()
