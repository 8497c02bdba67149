#!/usr/bin/python3 -B
"""cyrus.py ENV: SMTP with the SASL of Cyrus and the TLS of OpenSSL.

No packaged server binds SCRAM to its TLS channel; Cyrus SASL can, when it is
told the binding.  So this one serves for SCRAM-*-PLUS: tls-exporter (RFC 9266)
on TLS 1.3, tls-unique (RFC 5929) on TLS 1.2.  Both libraries are C, hence
ctypes: libsasl2 and its plugins are those of the lab's tree.
"""
import base64
import ctypes
import ctypes.util
import glob
import io
import os
import sys
import threading
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_void_p

from session import Server, Session

with open(sys.argv[1]) as f:
    ENV = dict(line.strip().split("=", 1) for line in f)
LIBRARY = glob.glob(ENV["ROOT"] + "/usr/lib/*/libsasl2.so.2")[0]
os.environ["SASL_PATH"] = os.path.dirname(LIBRARY) + "/sasl2"
ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
sasl = ctypes.CDLL(LIBRARY)

# --- OpenSSL ---------------------------------------------------------------

for name, result, arguments in [
        ("TLS_server_method", c_void_p, []),
        ("SSL_CTX_new", c_void_p, [c_void_p]),
        ("SSL_CTX_use_certificate_chain_file", c_int, [c_void_p, c_char_p]),
        ("SSL_CTX_use_PrivateKey_file", c_int, [c_void_p, c_char_p, c_int]),
        ("SSL_CTX_ctrl", ctypes.c_long,
            [c_void_p, c_int, ctypes.c_long, c_void_p]),
        ("SSL_new", c_void_p, [c_void_p]),
        ("SSL_free", None, [c_void_p]),
        ("SSL_set_fd", c_int, [c_void_p, c_int]),
        ("SSL_accept", c_int, [c_void_p]),
        ("SSL_shutdown", c_int, [c_void_p]),
        ("SSL_read", c_int, [c_void_p, c_char_p, c_int]),
        ("SSL_write", c_int, [c_void_p, c_char_p, c_int]),
        ("SSL_get_peer_finished", ctypes.c_size_t,
            [c_void_p, c_char_p, ctypes.c_size_t]),
        ("SSL_export_keying_material", c_int,
            [c_void_p, c_char_p, ctypes.c_size_t, c_char_p, ctypes.c_size_t,
             c_char_p, ctypes.c_size_t, c_int])]:
    getattr(ssl, name).restype = result
    getattr(ssl, name).argtypes = arguments

FILETYPE_PEM = 1
CTRL_SET_MAX_PROTO_VERSION = 124
TLS1_2 = 0x303


def context(old):
    made = ssl.SSL_CTX_new(ssl.TLS_server_method())
    good = ENV["CERTS"].encode() + b"/good."
    if old:
        ssl.SSL_CTX_ctrl(made, CTRL_SET_MAX_PROTO_VERSION, TLS1_2, None)
    if (ssl.SSL_CTX_use_certificate_chain_file(made, good + b"pem") != 1 or
            ssl.SSL_CTX_use_PrivateKey_file(made, good + b"key",
                                            FILETYPE_PEM) != 1):
        sys.exit("no certificate")
    return made


class Channel(io.RawIOBase):
    """A TLS connection as a file; binding is what RFC 5056 wants."""

    def __init__(self, made, fd, old):
        self.tls = ssl.SSL_new(made)
        ssl.SSL_set_fd(self.tls, fd)
        if ssl.SSL_accept(self.tls) != 1:
            raise OSError("no handshake")
        raw = ctypes.create_string_buffer(64)
        if old:
            size = ssl.SSL_get_peer_finished(self.tls, raw, 64)
            self.binding = b"tls-unique", raw.raw[:size]
        else:
            ssl.SSL_export_keying_material(
                self.tls, raw, 32, b"EXPORTER-Channel-Binding", 24, b"", 0, 1)
            self.binding = b"tls-exporter", raw.raw[:32]

    def readable(self):
        return True

    def readinto(self, buffer):
        raw = ctypes.create_string_buffer(len(buffer))
        size = max(0, ssl.SSL_read(self.tls, raw, len(buffer)))
        buffer[:size] = raw.raw[:size]
        return size

    def write(self, data):
        return ssl.SSL_write(self.tls, bytes(data), len(data))

    def close(self):
        if self.tls:
            ssl.SSL_shutdown(self.tls)
            ssl.SSL_free(self.tls)
        self.tls = None


# --- Cyrus SASL ------------------------------------------------------------

class Callback(ctypes.Structure):
    _fields_ = [("id", ctypes.c_ulong), ("proc", c_void_p),
                ("context", c_void_p)]


class Binding(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("critical", c_int),
                ("size", ctypes.c_ulong), ("data", c_char_p)]


CB_GETOPT = 1
CHANNEL_BINDING, SSF_EXTERNAL = 21, 100
OK, CONTINUE = 0, 1
MECHANISMS = b"SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN"
OPTIONS = {b"pwcheck_method": b"auxprop", b"auxprop_plugin": b"sasldb",
           b"sasldb_path": ENV["ROOT"].encode() + b"/etc/sasldb2",
           b"mech_list": MECHANISMS}
GETOPT = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_char_p,
                          POINTER(c_char_p), POINTER(c_uint))


@GETOPT
def getopt(_, plugin, option, result, size):
    value = OPTIONS.get(option)
    if value is None:
        return -1
    result[0] = value
    if size:
        size[0] = len(value)
    return OK


CALLBACKS = (Callback * 2)(
    Callback(CB_GETOPT, ctypes.cast(getopt, c_void_p), None),
    Callback(0, None, None))
lock = threading.Lock()


class Login:
    """One connection's SASL: begin(), then step() while it says CONTINUE."""

    def __init__(self, binding):
        self.connection = c_void_p()
        self.binding = Binding(binding[0], 0, len(binding[1]), binding[1])
        ssf = c_uint(256)
        with lock:
            sasl.sasl_server_new(b"smtp", b"mail.example.test", None, None,
                                 None, None, 0, byref(self.connection))
        sasl.sasl_setprop(self.connection, SSF_EXTERNAL, byref(ssf))
        sasl.sasl_setprop(self.connection, CHANNEL_BINDING,
                          byref(self.binding))

    def mechanisms(self):
        result = c_char_p()
        sasl.sasl_listmech(self.connection, None, b"", b" ", b"",
                           byref(result), None, None)
        return result.value.decode()

    def begin(self, name, initial):
        return self.call(sasl.sasl_server_start, name, initial)

    def step(self, response):
        return self.call(sasl.sasl_server_step, None, response)

    def call(self, function, name, data):
        out, size = c_char_p(), c_uint()
        arguments = [data, len(data or b""), byref(out), byref(size)]
        if name is not None:
            arguments.insert(0, name)
        with lock:
            code = function(self.connection, *arguments)
            return code, ctypes.string_at(out, size.value) if out else b""

    def end(self):
        with lock:
            sasl.sasl_dispose(byref(self.connection))


# --- SMTP ------------------------------------------------------------------

class Cyrus(Session):
    refusals = {"refused@example.test": (550, "5.1.1 no such person here"),
                "busy@example.test": (550, "5.7.1 not for you"),
                "deferred@example.test": (450, "4.2.1 come back later")}
    login = channel = None
    user = False

    def handle(self):
        try:
            if self.server.implicit:
                self.secure()
            super().handle()
        except OSError:
            pass
        finally:
            if self.login:
                self.login.end()
            if self.channel:
                self.channel.close()

    def secure(self):
        self.channel = Channel(self.server.context, self.request.fileno(),
                               self.server.old)
        self.rfile = io.BufferedReader(self.channel, 1 << 16)
        self.wfile = self.channel
        self.login = Login(self.channel.binding)

    def do_STARTTLS(self, line):
        self.say(220, "2.0.0 go on")
        self.secure()

    def do_EHLO(self, line):
        self.offer = Session.offer + (
            ["AUTH " + self.login.mechanisms()] if self.login
            else ["STARTTLS"])
        super().do_EHLO(line)

    def do_AUTH(self, line):
        if not self.login:
            return self.say(538, "5.7.11 TLS first")
        _, name, *initial = line.split()
        data = None
        if initial:
            data = base64.b64decode(b"" if initial[0] == b"=" else initial[0])
        code, out = self.login.begin(name, data)
        while code == CONTINUE:
            self.say(334, base64.b64encode(out).decode())
            answer = self.rfile.readline().strip()
            if answer == b"*":
                return self.say(501, "5.7.0 as you like")
            code, out = self.login.step(base64.b64decode(answer))
        if code != OK:
            return self.say(535, "5.7.8 wrong user or password")
        self.user = True
        self.say(235, "2.7.0 welcome")

    def do_MAIL(self, line):
        if not self.user:
            return self.say(530, "5.7.0 who are you?")
        super().do_MAIL(line)


def serve(port, old, implicit):
    server = Server(("127.0.0.1", int(port)), Cyrus)
    server.store, server.old, server.implicit = ENV["STORE"], old, implicit
    server.context = context(old)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()


if sasl.sasl_server_init(CALLBACKS, b"sendoff-lab") != OK:
    sys.exit("no Cyrus SASL")
serve(ENV["CYRUS_STARTTLS"], False, False)
serve(ENV["CYRUS_TLS"], False, True)
serve(ENV["CYRUS_TLS12_STARTTLS"], True, False)
serve(ENV["CYRUS_TLS12_TLS"], True, True)
