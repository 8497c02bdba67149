#!/usr/bin/python3
"""Before a server speaks: addresses that swallow, proxies that lie."""

import argparse
import concurrent.futures
import os
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import faults                                                   # noqa: E402
import run                                                      # noqa: E402
import server                                                   # noqa: E402
from swallower import Swallower                                 # noqa: E402

HELLO, GREET = 3, b"\5\0"               # its octets, and the answer
CONNECTED = b"\5\0\0\1\x7f\0\0\1\0\x19"
LATER = {75}
SECONDS, DRIP = 5, 1.6          # what a step may take; too slow for four octets


def endless(sock):
    try:
        while True:
            sock.sendall(65536 * b"\5")
    except OSError:
        pass


def drip(octets):
    def act(sock):
        try:
            for c in octets + 99 * b"\0":
                sock.sendall(bytes([c]))
                time.sleep(DRIP)
        except OSError:
            pass
    return act


def say(octets, end=False):
    def act(sock):
        sock.sendall(octets)
        if not end:
            wait(sock)
    return act


def wait(sock):
    sock.settimeout(20)
    try:
        while sock.recv(4096):
            pass
    except OSError:
        pass


def request(octets, end=False):
    """The greeting is right, the answer to CONNECT is this."""
    def act(sock):
        sock.sendall(GREET)
        sock.recv(512)
        (octets if callable(octets) else say(octets, end))(sock)
    return act


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


def nothing(_):
    pass


# (name, what the proxy does after the first octets, statuses)
PROXIES = [
    ("right", None, {0}),
    ("closed", nothing, LATER),
    ("reset", reset, LATER),
    ("silence", wait, LATER),
    ("half a greeting, then silence", say(b"\5"), LATER),
    ("half a greeting, then closed", say(b"\5", True), LATER),
    ("greeting in a drip", drip(b"\5"), LATER | {78}),
    ("HTTP", say(b"HTTP/1.0 400 no\r\n\r\n"), {76}),
    ("SMTP", say(b"220 mx.example ESMTP\r\n"), {76}),
    ("no method", say(b"\5\xff"), {78}),
    ("a method that was not offered", say(b"\5\1"), {78}),
    ("wants a login", say(b"\5\2"), {78}),
    ("octets without end", endless, {75, 76, 78}),
    ("connect: silence", request(wait), LATER),
    ("connect: closed", request(b"", True), LATER),
    ("connect: half", request(CONNECTED[:5]), LATER),
    ("connect: half, then closed", request(CONNECTED[:5], True), LATER),
    ("connect: in a drip", request(drip(b"\5\0\0\3\xff")), LATER),
    ("connect: another version", request(b"\4\0\0\1" + 6 * b"\0"), {76}),
    ("connect: refused", request(b"\5\5\0\1" + 6 * b"\0"), LATER),
    ("connect: an unknown failure", request(b"\5\xee\0\1" + 6 * b"\0"),
     LATER),
    ("connect: an unknown kind of address", request(b"\5\0\0\7" + 99 * b"x"),
     {76}),
    ("connect: a name of 255 octets, half of it", request(
        b"\5\0\0\3\xff" + 99 * b"x"), LATER),
    ("connect: then nothing but closed", request(CONNECTED, True), LATER),
]


class Connecting(run.Run):
    """servers: their URLs, when there is no proxy."""

    def __init__(self, what, want, proxy=None, servers=()):
        super().__init__(what, server.How("tcp"), faults.NO_FAULT)
        self.want, self.proxy, self.servers = want, proxy, servers
        self.patience = 15              # six times timeout-connect are more

    def configuration(self, folder, address):
        lines = super().configuration(folder, address)
        port = address.rpartition(":")[2]
        if self.servers:
            return lines.replace(address, " ".join(self.servers)).replace(
                "timeout-connect 1", "timeout-connect 3").replace(
                "timeout-session 60", "timeout-session 3")
        return lines.replace(address, "smtp+plain://mail.example.test:25") \
            .replace("timeout-connect 1", f"timeout-connect {SECONDS}") \
            .replace("timeout-reply 1", f"timeout-reply {SECONDS}") + \
            f"proxy socks5://127.0.0.1:{port}\n"

    def serve(self, listener):
        listener.settimeout(0.02)
        while self.watch.is_alive():
            try:
                sock = listener.accept()[0]
            except OSError:
                continue
            with sock:
                self.play_proxy(sock)

    def play_proxy(self, sock):
        sock.setblocking(True)
        sock.recv(HELLO)
        if self.proxy:
            self.proxy(sock)
            return
        sock.sendall(GREET)
        sock.recv(512)
        sock.sendall(CONNECTED)
        dialogue = server.Dialogue(sock.dup(), self.how, self.fault)
        self.record = dialogue.record
        dialogue.run()


def cases():
    for what, proxy, want in PROXIES:
        yield f"proxy: {what}", want, proxy, 0
    yield "six servers that swallow", LATER, None, 6


def play(case):
    what, want, proxy, n = case
    swallowers = [Swallower(f"127.0.1.{i + 1}") for i in range(n)]
    try:
        return Connecting(what, want, proxy, [x.url for x in
                                              swallowers]).play()
    finally:
        for x in swallowers:
            x.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--list", action="store_true")
    options = p.parse_args()
    every = [c for c in cases() if options.only in c[0]]
    if options.list:
        print("\n".join(c[0] for c in every))
        return 0
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        played = list(pool.map(play, every))
    for i, r in enumerate(played, 1):
        bad += bool(r.bad)
        print(f"{'not ' if r.bad else ''}ok {i} - {r.what}", flush=True)
        for line in r.bad:
            print(f"#   {line}\n#   {r.status} {r.seconds:.1f} s "
                  f"{r.err.strip()[-300:]!r}", flush=True)
    print(f"1..{len(every)}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
