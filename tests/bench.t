#!/usr/bin/python3
"""The counter of round trips of bench/, on dialogues counted by hand."""

import os
import socket
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "bench"))

# pylint: disable=wrong-import-position
from forwarder import Forwarder, Trips                          # noqa: E402
from results import Budget, Row                                 # noqa: E402
from tap import done, same                                      # noqa: E402

DELAY = 0.02                    # seconds each way; long against a send


def count(steps, is_tcp=True):
    """One letter for each step: C and S say, c and s hear the oldest thing
    that the other has said and that is still on the way."""
    trips = Trips(is_tcp)
    to_server, to_client = [], []
    for step in steps.replace(" ", ""):
        if step == "C":
            to_server.append(trips.client_says())
        elif step == "S":
            to_client.append(trips.server_says())
        elif step == "s":
            trips.server_hears(to_server.pop(0))
        else:
            trips.client_hears(to_client.pop(0))
    return trips.client_has_heard


def steps():
    same(count(""), 1, "a connection")
    same(count("", is_tcp=False), 0, "a unix socket")
    same(count("Sc"), 2, "TCP and greeting are two")
    same(count("Sc", is_tcp=False), 1, "a greeting alone is one")
    same(count("CsSc"), 2, "TCP and a ClientHello are two")
    same(count("CsSc CsSc"), 3, "a greeting behind TLS 1.3 is the third")
    same(count("Sc CsSc CsSc"), 4, "two commands, one after the other")
    same(count("Sc CCC sSsSsS ccc"), 3, "three together")
    same(count("Sc CCC sScsScsSc"), 3, "three together, replies as they come")
    same(count("Sc C C sSc C sScsSc"), 4, "two together, one that has waited")
    same(count("Sc CsSc CsS"), 3, "a reply that nobody waits for")
    same(count("Sc CsS Sc c"), 3, "one reply in pieces")


# --- real sockets ---

def answer(listener):
    """A greeting, then 250 for each line until QUIT."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb", buffering=0) as stream:
        stream.write(b"220 hello\r\n")
        for line in stream:
            stream.write(b"250 ok\r\n")
            if line == b"QUIT\r\n":
                break


def converse(where, flights):
    """Each flight: lines, sent one by one, and the replies awaited then."""
    family = socket.AF_INET if isinstance(where, tuple) else socket.AF_UNIX
    with socket.socket(family) as connection:
        connection.connect(where)
        with connection.makefile("rwb", buffering=0) as stream:
            for lines, replies in flights:
                for line in lines:
                    stream.write(line + b"\r\n")
                for _ in range(replies):
                    stream.readline()


def forwarded(flights, delay=DELAY, path=None):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Forwarder(port, delay, path) as forwarder:
            thread = threading.Thread(target=answer, args=(listener,))
            thread.start()
            converse(path or ("127.0.0.1", forwarder.port), flights)
            trips = forwarder.trips()
            thread.join()
    return trips


def sockets():
    greeting, ehlo = ([], 1), ([b"EHLO x"], 1)
    mail = [b"MAIL", b"RCPT", b"BDAT", b"QUIT"]
    same(forwarded([greeting, ehlo, (mail, 3)], 0.1), 4, "four together")
    same(forwarded([greeting, ehlo, *(([each], 1) for each in mail)]), 7,
         "four one after the other")
    same(forwarded([greeting, ehlo, ([b"QUIT"], 0)]), 3,
         "QUIT and gone")
    same(forwarded([greeting, ehlo, ([b"QUIT"], 1)]), 4,
         "QUIT and its reply")
    same(forwarded([greeting, ehlo, ([b"QUIT"], 2)]), 4,
         "QUIT, its reply and the end")
    same(forwarded([greeting, ehlo, *(([each], 1) for each in mail)], 0), 7,
         "one after the other without delay")
    with tempfile.TemporaryDirectory() as folder:
        same(forwarded([greeting, ehlo], path=folder + "/socket"), 2,
             "through a unix socket")


def rows():
    values = {"sendoff": 4, "curl": 8}
    row = Row("x", "ms", Budget(0.4, "curl"), values, {"swaks": "not here"})
    same(row.cell("curl"), "8 (2×)", "twice as fast")
    same(row.cell("swaks"), "– not here", "why there is no figure")
    same(row.verdict(), "OVER", "over a budget that a peer sets")
    same(Row("x", "MB/s", Budget(5, at_least=True), values, {}).verdict(),
         "UNDER", "under a budget")
    same(Row("x", "MB/s", None, values, {}).cell("curl"), "8 (0.50×)",
         "half as fast")


steps()
sockets()
rows()
done()
