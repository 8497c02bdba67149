#!/usr/bin/python3 -B
"""The first TLS message of each run: nothing in it tells the server that it
has seen this caller before."""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tap                                                      # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
B = os.path.join(TOP, os.environ.get("B", "build"))
SESSION_TICKET, PRE_SHARED_KEY, SERVER_NAME = 35, 41, 0
TMP = tempfile.TemporaryDirectory()
ENV = {**os.environ, "HOME": TMP.name, "XDG_CONFIG_HOME": TMP.name}
seen = []


def proxy(listener, port):
    """Hands on what is said, and notes the client's first octets."""
    while True:
        client = listener.accept()[0]
        server = socket.create_connection(("127.0.0.1", port))
        seen.append(client.recv(65536))
        server.sendall(seen[-1])
        for a, b in ((client, server), (server, client)):
            threading.Thread(target=copy, args=(a, b), daemon=True).start()


def copy(a, b):
    try:
        while octets := a.recv(65536):
            b.sendall(octets)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def extensions(record):
    """The numbers of a ClientHello's extensions, and its session id."""
    at = 5 + 4 + 2 + 32                 # record, message, version, random
    size = record[at]
    session = record[at + 1:at + 1 + size]
    at += 1 + size
    at += 2 + struct.unpack_from("!H", record, at)[0]       # ciphers
    at += 1 + record[at]                                    # compression
    end = at + 2 + struct.unpack_from("!H", record, at)[0]
    at += 2
    found = []
    while at < end:
        kind, size = struct.unpack_from("!HH", record, at)
        found.append(kind)
        at += 4 + size
    return found, session


subprocess.run([B + "/ca", TMP.name + "/ca"], check=True,
               stdout=subprocess.DEVNULL)
ready = TMP.name + "/ready"
with subprocess.Popen(
        [B + "/submitd", "--ca", TMP.name + "/ca", "--tls=implicit",
         "--tickets", "--no-auth", "--ready-file", ready],
        stdout=subprocess.DEVNULL) as submitd:
    tap.until(lambda: os.path.exists(ready) and os.path.getsize(ready) > 0)
    with open(ready, encoding="ascii") as f:
        PORT = int(f.readline())
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=proxy, args=(listener, PORT), daemon=True).start()
    for version in "1.2", "1.3":
        for turn in "first", "second":
            run = subprocess.run(
                [B + "/sendoff", "--server",
                 f"smtps://localhost:{listener.getsockname()[1]}", "--auth",
                 "none", "--from", "me@example.org", "--ca-file",
                 TMP.name + "/ca/ca.pem", "--log", "none",
                 *(["--tls-priority", "-VERS-TLS1.3"] if version == "1.2"
                   else []), "bob@example.net"], input="x\n", text=True,
                env=ENV, capture_output=True, check=False,
                timeout=tap.PATIENCE)
            tap.ok(run.returncode == 0, f"TLS {version}, the {turn} run is "
                   "sent", run.stderr)
            kinds, session = extensions(seen[-1])
            tap.ok(SERVER_NAME in kinds and SESSION_TICKET not in kinds and
                   PRE_SHARED_KEY not in kinds, "no ticket, and none is asked "
                   "for", kinds)
            tap.ok(session not in [extensions(x)[1] for x in seen[:-1]] or
                   not session, "no session is named", session)
    submitd.terminate()
tap.done()
