#!/usr/bin/python3 -B
"""Loopback ports for the lab.

    ports.py free NAME...               print NAME=PORT for free ports
    ports.py wait SECONDS ENV PREFIX... wait until each PREFIX* port greets
                                        or, of UNBOUND, answers
"""
import random
import socket
import ssl
import sys
import time


def free(names):
    """Below the ephemeral range, or a passing connection may take one."""
    held = []
    while len(held) < len(names):
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", random.randrange(20000, 32000)))
        except OSError:
            s.close()
            continue
        held.append(s)
    for name, s in zip(names, held):
        print(f"{name}={s.getsockname()[1]}")


def greets(name, port):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        if name.endswith("_TLS"):
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            s = context.wrap_socket(s)
        answer = s.recv(512)
        s.close()
    return answer.startswith(b"220")


def answers(port):
    """A resolver, and the zones behind it: the signed one is authenticated."""
    question = b"\0\x2a\x01\x20\0\1\0\0\0\0\0\0" + b"".join(
        bytes([len(label)]) + label
        for label in (b"mail", b"example", b"test", b"")) + b"\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        s.connect(("127.0.0.1", port))
        s.send(question)
        reply = s.recv(512)
    return reply[3] & 0x2f == 0x20 and reply[7] > 0


def wait_for(name, port, deadline):
    while True:
        why = "no greeting"
        try:
            if answers(port) if name == "UNBOUND" else greets(name, port):
                return True
        except OSError as e:
            why = e
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    print(f"{name} ({port}): {why}", file=sys.stderr)
    return False


def wait(seconds, env, prefixes):
    deadline = time.monotonic() + float(seconds)
    with open(env) as f:
        pairs = [line.strip().split("=", 1) for line in f]
    wanted = [(n, int(v)) for n, v in pairs if n.startswith(tuple(prefixes))]
    return all([wait_for(n, p, deadline) for n, p in wanted])


if sys.argv[1] == "free":
    free(sys.argv[2:])
elif not wait(sys.argv[2], sys.argv[3], sys.argv[4:]):
    sys.exit(1)
