"""A TLS server by GnuTLS, through ctypes, whose records can be forged."""

import ctypes
import hashlib
import hmac
import struct

G = ctypes.CDLL("libgnutls.so.30")
SERVER, CREDENTIALS, ANONYMOUS, PEM, SHUT_WR = 1, 1, 2, 1, 1
AGAIN, INTERRUPTED = -28, -52
ALERT, HANDSHAKE, DATA, CCS = 21, 22, 23, 20
PRIORITY = {
    13: b"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
    12: b"NORMAL:-VERS-ALL:+VERS-TLS1.2",
    "anonymous": b"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH:+ANON-DH",
    "no cipher": b"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+NULL:+SHA1",
    "1.1": b"NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%VERIFY_ALLOW_BROKEN",
}
PUSH = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p,
                        ctypes.c_size_t)


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]

    def octets(self):
        return ctypes.string_at(self.data, self.size)


class Failed(Exception):
    """The library's word for it."""


for name in "gnutls_record_send", "gnutls_record_recv":
    getattr(G, name).restype = ctypes.c_ssize_t
    getattr(G, name).argtypes = [ctypes.c_void_p, ctypes.c_char_p,
                                 ctypes.c_size_t]
G.gnutls_strerror.restype = ctypes.c_char_p
for name in ("gnutls_deinit", "gnutls_handshake", "gnutls_rehandshake",
             "gnutls_cipher_get", "gnutls_protocol_get_version"):
    getattr(G, name).argtypes = [ctypes.c_void_p]


def want(code):
    if code < 0:
        raise Failed(G.gnutls_strerror(code).decode())
    return code


def credentials(certificate, key):
    c = ctypes.c_void_p()
    want(G.gnutls_certificate_allocate_credentials(ctypes.byref(c)))
    want(G.gnutls_certificate_set_x509_key_file(
        c, certificate.encode(), key.encode(), PEM))
    return c


class Session:
    """On a blocking socket.  push(octets) sends, and may do it badly."""

    def __init__(self, sock, creds, version=13, push=None):
        self.push = push or sock.sendall
        self.creds, self.s = creds, ctypes.c_void_p()
        self.forged = None      # number of the next record made by hand
        want(G.gnutls_init(ctypes.byref(self.s), SERVER))
        want(G.gnutls_priority_set_direct(self.s, PRIORITY[version], None))
        want(G.gnutls_credentials_set(self.s, CREDENTIALS, creds))
        if version == "anonymous":
            self.anonymous = ctypes.c_void_p()
            want(G.gnutls_anon_allocate_server_credentials(
                ctypes.byref(self.anonymous)))
            want(G.gnutls_credentials_set(self.s, ANONYMOUS, self.anonymous))
        G.gnutls_transport_set_int2(self.s, sock.fileno(), sock.fileno())
        self.callback = PUSH(self.on_push)
        G.gnutls_transport_set_push_function(self.s, self.callback)

    def on_push(self, _, data, size):
        try:
            self.push(ctypes.string_at(data, size))
            return size
        except Exception:           # pylint: disable=broad-except
            return -1               # it has ended on purpose, too

    def close(self):
        if self.s:
            G.gnutls_deinit(self.s)
            self.s = None

    def again(self, call, *args):
        while True:
            n = call(self.s, *args)
            if n not in (AGAIN, INTERRUPTED):
                return want(n)

    def handshake(self):
        self.again(G.gnutls_handshake)

    def send(self, octets):
        if self.forged is not None:
            for i in range(0, len(octets), 16000):
                self.forge(DATA, octets[i:i + 16000])
            return
        while octets:
            octets = octets[self.again(G.gnutls_record_send, octets,
                                       len(octets)):]

    def receive(self):
        room = ctypes.create_string_buffer(65536)
        n = self.again(G.gnutls_record_recv, room, 65536)
        return room.raw[:n]

    def bye(self):
        want(G.gnutls_bye(self.s, SHUT_WR))

    def alert(self, level, kind):
        want(G.gnutls_alert_send(self.s, level, kind))

    def renegotiate(self):
        want(G.gnutls_rehandshake(self.s))

    # Records of any kind, TLS 1.3 (RFC 8446 section 5.2)

    def take_keys(self):
        key, iv, mac = Datum(), Datum(), Datum()
        number = ctypes.create_string_buffer(8)
        want(G.gnutls_record_get_state(
            self.s, 0, ctypes.byref(mac), ctypes.byref(iv),
            ctypes.byref(key), number))
        self.forged = int.from_bytes(number.raw, "big")
        self.iv = iv.octets()
        self.use_key(key.octets())

    def use_key(self, octets):
        self.key = ctypes.create_string_buffer(octets, len(octets))
        datum = Datum(ctypes.cast(self.key, ctypes.c_void_p), len(octets))
        self.aead = ctypes.c_void_p()
        want(G.gnutls_aead_cipher_init(
            ctypes.byref(self.aead), G.gnutls_cipher_get(self.s),
            ctypes.byref(datum)))

    def record(self, kind, payload):
        if self.forged is None:
            self.take_keys()
        inner = payload + bytes([kind])
        head = struct.pack("!BHH", DATA, 0x0303, len(inner) + 16)
        nonce = bytes(a ^ b for a, b in zip(
            self.iv, self.forged.to_bytes(12, "big")))
        self.forged += 1
        out = ctypes.create_string_buffer(len(inner) + 16)
        n = ctypes.c_size_t(len(out))
        want(G.gnutls_aead_cipher_encrypt(
            self.aead, nonce, ctypes.c_size_t(12), head, ctypes.c_size_t(5),
            ctypes.c_size_t(16), inner, ctypes.c_size_t(len(inner)), out,
            ctypes.byref(n)))
        return head + out.raw[:n.value]

    def forge(self, kind, payload):
        self.push(self.record(kind, payload))


def message(kind, body):
    """Of the handshake (RFC 8446 section 4)."""
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def ticket(size=64):
    return message(4, struct.pack("!II", 7200, 1) + b"\0" +
                   struct.pack("!H", size) + b"t" * size + b"\0\0")


KEY_UPDATE = message(24, b"\0")
