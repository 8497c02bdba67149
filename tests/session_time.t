#!/usr/bin/python3 -B
"""timeout-session is each message's own, also in one run of the queue."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/servers")

# pylint: disable=wrong-import-position
from hostile import (Gone, SENDMAIL, Server, account, config, ok,  # noqa: E402
                     play, same)


def slow(c, verb, _):
    """A mail takes its time, and is the last of its connection."""
    if verb != "DOT":
        return None
    time.sleep(1)
    c.server.mails.append((c.mail, c.rcpts, c.parts))
    c.say("250 2.0.0 queued")
    raise Gone


def queue():
    s = Server("slow", slow)
    config(account(s, "retry yes", "timeout-session 4"))
    os.rename(s.path, s.path + ".away")
    for i in range(5):
        p = subprocess.run([SENDMAIL, f"bob{i}@example.net"], check=False,
                           input=b"Subject: x\n\nx\n")
        same(p.returncode, 0, f"message {i} is queued")
    os.rename(s.path + ".away", s.path)
    subprocess.run([SENDMAIL, "-q"], check=False)
    same(sorted(x for r in s.envelopes() for x in r),
         [f"bob{i}@example.net" for i in range(5)],
         "all were sent, one after the other")
    ok(len(s.connections) == 5, "on as many connections")


play(queue)
