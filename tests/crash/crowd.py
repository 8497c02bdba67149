#!/usr/bin/python3
"""Fifty at once that keep and send again in one folder, some of them killed:
nobody's message is lost, and nobody gets one twice."""

import collections
import os
import random
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    HOME, PATIENCE, TMP, Server, account, config, ok, play, same)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import store                                                    # noqa: E402
from world import SENDMAIL                                      # noqa: E402

CROWD = 50
KEEP = TMP + "/store"


class Down:
    """The address of a server that is not there."""

    @staticmethod
    def url():
        return f"smtp://{TMP}/down"


def name(i):
    return f"r{i}@example.net"


def configure(server):
    config(account(server, f"keep {KEEP}", "retry yes"))


def begin(*args, text=""):
    p = subprocess.Popen([SENDMAIL, *args], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        p.stdin.write(f"Subject: x\n\n{text}\n".encode())
        p.stdin.close()
    except BrokenPipeError:
        pass
    return p


def end(processes):
    """Their exit statuses."""
    for p in processes:
        p.stdout.read()
        p.stdout.close()
        p.wait(PATIENCE)
    return [p.returncode for p in processes]


def submit(numbers):
    return [begin("-i", name(i), text=f"number {i}") for i in numbers]


def resend(count):
    return [begin("-q") for _ in range(count)]


def in_store():
    store.make_due([KEEP])
    return collections.Counter(
        who for f in store.read([KEEP]) for who in f.rcpts)


def at_server(server):
    return collections.Counter(
        who for _, rcpts, _ in server.mails for who in rcpts)


def once(numbers):
    return collections.Counter(name(i) for i in numbers)


def keep_and_send():
    server, everyone = Server("all"), once(range(CROWD))
    configure(Down)
    statuses = set(end(submit(range(CROWD))))
    same(statuses, {0}, f"{CROWD} at once are kept")
    same(in_store(), everyone, "each of them once")
    configure(server)
    end(resend(CROWD))
    same((at_server(server), in_store()), (everyone, collections.Counter()),
         f"{CROWD} at once send again: each has it once, and nothing is left")


def mixed():
    """Half submit to a server that fails every other one, half send again."""
    turn = iter(range(10 ** 6))

    def hook(_, verb, __):
        later = verb == "DOT" and next(turn) % 2 == 0
        return "451 4.3.0 later" if later else None
    server = Server("mixed", hook)
    configure(server)
    for k in range(4):
        store.make_due([KEEP])
        end(submit(range(k * 25, k * 25 + 25)) + resend(25))
    for _ in range(12):
        if in_store():
            end(resend(1))
    same((at_server(server), in_store()),
         (once(range(100)), collections.Counter()),
         "submissions and resends at once, every other one deferred")


def killed():
    """What was killed may be unknown, and is then nobody's to send again."""
    server, chance = Server("killed"), random.Random(1)
    configure(Down)
    end(submit(range(CROWD)))
    in_store()
    configure(server)
    processes = []
    for i in range(CROWD):
        processes += resend(1)
        if i % 2 == 0:
            threading.Timer(chance.random() / 50, processes[i].kill).start()
    end(processes)
    for _ in range(2):
        in_store()
        end(resend(1))
    got, left = at_server(server), store.read([KEEP])
    same(set(got.values()) | {1}, {1}, "half of them killed: none doubled")
    lost = [name(i) for i in range(CROWD) if not got[name(i)] and
            not any(name(i) in f.rcpts for f in left)]
    same(lost, [], "and none lost")
    ok({f.state for f in left} <= {"unknown"}, f"{len(left)} are unknown")


os.makedirs(HOME)
os.mkdir(KEEP, 0o700)
play(keep_and_send, mixed, killed)
