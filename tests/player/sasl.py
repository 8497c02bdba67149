"""The server's side of a login: SCRAM (RFC 5802), CRAM-MD5, OAUTHBEARER."""

import base64
import binascii
import functools
import hashlib
import hmac
import re

SALT = "QSXCR+Q6sek8bf92"
SERVER_NONCE = "3rfcNHYJY1ZVvWVs7j-not-random"


@functools.lru_cache(maxsize=None)
def salted(algorithm, password, salt, iterations):
    return hashlib.pbkdf2_hmac(algorithm, password, salt, iterations)


def decode(octets):
    try:
        return base64.b64decode(octets, validate=True)
    except binascii.Error:
        return None


def attributes(text):
    """Those that stand in front win: a=1,a=2 is a=1."""
    pairs = [part.split("=", 1) for part in text.split(",") if "=" in part]
    return dict(reversed(pairs))


class Login:
    """One AUTH command and what follows it, as an honest server sees it."""

    def __init__(self, user, password, wire):
        self.user, self.password, self.wire = user, password, wire
        self.mechanism, self.offered = "", set()
        self.challenge = b""
        self.derived = []       # of the password, and as good for a guess
        self.says = {"scram-first": self.server_first,
                     "scram-final": self.server_final,
                     "scram-proof": lambda _: self.derived[-1].encode()}
        self.checks = {"scram-first": self.client_first,
                       "scram-final": self.client_final,
                       "cram-md5": self.cram_md5,
                       "oauthbearer": self.oauthbearer}

    @property
    def algorithm(self):
        return "sha256" if "256" in self.mechanism else "sha1"

    # CRAM-MD5 (RFC 2195)

    def cram_md5(self, _, octets):
        digest = hmac.new(self.password, self.challenge, "md5").hexdigest()
        self.derived.append(digest)
        want = b"%s %s" % (self.user, digest.encode())
        got = decode(octets)
        return "" if got == want else f"CRAM-MD5: {got!r} is not {want!r}"

    # OAUTHBEARER (RFC 7628); a unix socket has no host

    def oauthbearer(self, words, octets):
        user, token = map(re.escape, words.split())
        got = (decode(octets) or b"").decode(errors="replace")
        fits = re.fullmatch(f"n,a={user},\x01(host=localhost\x01port=\\d+"
                            f"\x01)?auth=Bearer {token}\x01\x01", got)
        return "" if fits else f"OAUTHBEARER: {got!r}"

    # SCRAM

    def client_first(self, _, octets):
        message = (decode(octets) or b"").decode(errors="replace")
        found = re.fullmatch(r"(([nyp])(?:=([a-z-]+))?,(?:a=[^,]*)?,)(n=.*)",
                             message)
        if not found:
            return f"this is no client-first-message: {message!r}"
        self.gs2, flag, binding, self.first_bare = found.groups()
        values = attributes(self.first_bare)
        self.nonce = values.get("r", "")
        name = values.get("n", "").replace("=2C", ",").replace("=3D", "=")
        if name.encode() != self.user:
            return f"SCRAM: the user is {name!r}"
        if not re.fullmatch(r"[!-+\--~]{16,}", self.nonce):
            return f"SCRAM: a poor nonce: {self.nonce!r}"
        return self.wrong_flag(flag, binding)

    def wrong_flag(self, flag, binding):
        """RFC 5802 section 6: which gs2 flag is the honest one."""
        plus = any(name.endswith("-PLUS") for name in self.offered)
        if self.mechanism.endswith("-PLUS"):
            want = self.wire.binding()[0]
            return "" if (flag, binding) == ("p", want) else \
                f"SCRAM: binding {flag}={binding}, not p={want}"
        want = "y" if self.wire.can_bind() and not plus else "n"
        return "" if flag == want else \
            f"SCRAM: the flag is {flag!r}, not {want!r}"

    def server_first(self, words):
        given = dict(r="", s=SALT, i="4096")
        front, back, nonce = "", "", "+" + SERVER_NONCE
        for word in words.split():
            key, _, value = word.partition("=")
            if key == "nonce":
                nonce = value
            elif key == "own-nonce-only":
                nonce = "+"
            elif key in ("s", "i"):
                given[key] = value
            elif key == "m":
                front += f"m={value},"
            else:
                back += f",{key}={value}"
        given["r"] = self.nonce + nonce[1:] if nonce[:1] == "+" else nonce
        body = ",".join(f"{k}={v}" for k, v in given.items() if v)
        self.first = front + body + back
        self.given = given
        return base64.b64encode(self.first.encode())

    def keys(self):
        salt = decode(self.given["s"].encode()) or b""
        iterations = int(self.given["i"] or 1)
        if iterations > 100000:
            iterations = 1          # nobody should have come this far
        key = salted(self.algorithm, self.password, salt, iterations)
        client = hmac.new(key, b"Client Key", self.algorithm).digest()
        server = hmac.new(key, b"Server Key", self.algorithm).digest()
        return client, server

    def client_final(self, _, octets):
        message = (decode(octets) or b"").decode(errors="replace")
        without, _, proof = message.rpartition(",p=")
        values = attributes(without)
        bound = self.gs2.encode()
        if self.mechanism.endswith("-PLUS"):
            bound += self.wire.binding()[1]
        if decode(values.get("c", "").encode()) != bound:
            return f"SCRAM: the binding c={values.get('c')} is wrong"
        if values.get("r") != self.given["r"]:
            return f"SCRAM: the nonce is {values.get('r')!r}"
        self.auth = ",".join((self.first_bare, self.first, without)).encode()
        return self.wrong_proof(proof)

    def wrong_proof(self, proof):
        client, _ = self.keys()
        stored = hashlib.new(self.algorithm, client).digest()
        mask = hmac.new(stored, self.auth, self.algorithm).digest()
        want = bytes(a ^ b for a, b in zip(client, mask))
        self.derived.append(base64.b64encode(want).decode())
        return "" if decode(proof.encode()) == want else \
            "SCRAM: the proof is wrong"

    def server_final(self, words):
        words = words.split()
        _, server = self.keys()
        signature = hmac.new(server, self.auth, self.algorithm).digest()
        if "wrong" in words:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        if "short" in words:
            signature = signature[:-1]
        self.derived.append(base64.b64encode(signature).decode())
        text = "v=" + self.derived[-1]
        errors = [word for word in words if word.startswith("e=")]
        extra = [word for word in words
                 if "=" in word and not word.startswith("e=")]
        text = ",".join((errors or [text]) + extra)
        return base64.b64encode(text.encode())
