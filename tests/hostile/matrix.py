#!/usr/bin/python3
"""Every fault at every step of the dialogue: tests/README.md.

matrix.py [--sample N] [--seed N] [--only WORD]... [--jobs N] [--list]
"""

import argparse
import collections
import concurrent.futures
import itertools
import os
import random
import ssl
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import faults                                                   # noqa: E402
import gnutls                                                   # noqa: E402
import relay                                                    # noqa: E402
import run                                                      # noqa: E402
import server                                                   # noqa: E402

FIGURES = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + \
    "/figures"
CA = run.B + "/crash/ca"
PIPELINING, CHUNKING = "PIPELINING", "CHUNKING"
MODES = [(), (PIPELINING,), (CHUNKING,), (PIPELINING, CHUNKING)]
WAYS = ["unix", "starttls", "implicit"]
MECHANISMS = {"PLAIN": 1, "LOGIN": 3, "CRAM-MD5": 2, "SCRAM-SHA-256": 3,
              "OAUTHBEARER": 1}
BASE = ["mail", "rcpt.1", "rcpt.3"]


def chains(folder):
    """TLS with chains of so many certificates."""
    leaf = run.read(CA + "/good.pem")
    middle = "-----BEGIN" + leaf.rpartition("-----BEGIN")[2]
    made = {}
    for n in 10, 100, 500:
        name = f"{folder}/{n}.pem"
        run.write(name, leaf + (n - 2) * middle)
        made[n] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made[n].load_cert_chain(name, CA + "/good.key")
    return made


def fits(fault, step, way):
    """Is the fault one that can happen there?"""
    if fault.kind == "shake":
        return way in ("starttls", "implicit") and step == "tls"
    if fault.kind in ("tls", "tls12"):
        return step != "tls" and (way == "implicit" or (
            way == "starttls" and step not in EARLY))
    return step != "tls"


EARLY = {"greeting", "ehlo", "starttls", "tls"}


def stages():
    """(way, mode, mechanism, large, steps); a mechanism may
    be "second", for two servers, or "-bs"."""
    for way in WAYS:
        opening = ["greeting", "ehlo"]
        if way != "unix":
            opening.append("tls")
        if way == "starttls":
            opening += ["starttls", "ehlo2"]
        yield way, (), None, False, opening
        for name, n in MECHANISMS.items():
            yield way, (), name, False, [f"auth.{i + 1}" for i in range(n)]
        for mode in MODES:
            steps = BASE + ["dot", "quit"]
            if CHUNKING not in mode:
                steps.insert(3, "data")
            yield way, mode, None, False, steps
            yield way, mode, None, True, (
                ["bdat.1", "bdat.2", "body", "dot"] if CHUNKING in mode else
                ["body", "dot"])


    for mode in MODES[0], MODES[3]:
        yield "unix", mode, "second", False, [
            "greeting", "ehlo", *BASE, "dot"]
    for way, mode in ("unix", ()), ("implicit", MODES[3]):
        yield way, mode, "-bs", False, [
            "greeting", "ehlo", *BASE, "dot", "quit"] + \
            ["data"] * (not mode)
    for mode in (), (PIPELINING,):
        yield "lmtp", mode, None, False, [
            "greeting", "ehlo", "mail", "rcpt.1", "rcpt.3", "data", "dot.1",
            "dot.2", "dot.3", "quit"]


def cases(creds, long_chains):
    for way, mode, mechanism, large, steps in stages():
        for step in steps:
            for fault in faults.PLAIN + faults.TLS + faults.SHAKE:
                if not fits(fault, step, way):
                    continue
                how = server.How(
                    way, mode, mechanism if mechanism in MECHANISMS else
                    None, 12 if fault.kind == "tls12" else 13, creds,
                    second=mechanism == "second", relay=mechanism == "-bs")
                how.chains = long_chains
                what = " ".join([way, *(x.lower() for x in mode),
                                 *([mechanism] if mechanism else []),
                                 *(["large"] if large else []),
                                 step + ":", fault.name])
                yield what, how, fault.at(step), large


def slow_cases(creds):
    """A session of three seconds."""
    for way in WAYS:
        for mode in MODES:
            for fault in faults.SLOW:
                large = fault.step == "body"
                if large and way != "unix":
                    continue            # the system takes it all
                how = server.How(way, mode, None, 13, creds, session=3)
                yield " ".join([way, *(x.lower() for x in mode), "slow:",
                                fault.name]), how, \
                    fault, large


def number(text):
    """The same for the same text, whatever else there is."""
    return sum(ord(c) * (i + 7) for i, c in enumerate(text))


def make(case):
    what, how, fault, large = case
    n = number(what)
    r = (relay.Relayed if how.relay else run.Run)(
        what, how, fault.at(fault.step), large, verbose=n % 3 == 0,
        json_log=n % 2 == 0)
    return r.play()


def is_late(r):
    """Was only the machine too slow for deadlines of a second?"""
    return "timed out after" in r.err and r.fault.come != faults.LOST and \
        all(x.startswith(("status", "the fault was not reached")) or
            " is called " in x for x in r.bad)


def play(case):
    late = 0
    for _ in range(3):
        r = make(case)
        if not r.bad or not is_late(r):
            break
        late += 1
    r.late = late
    return r


def alone(case, r):
    """Wrong when it is so once more in three runs with the machine to itself,
    where a second is a second."""
    print(f"# played again: {r.what}", flush=True)
    first = r.bad
    for _ in range(3):
        r = play(case)
        if r.bad:
            return r
    r.once = first
    return r


def chosen(options, creds, long_chains):
    every = [c for c in [*cases(creds, long_chains), *slow_cases(creds)]
             if all(word in c[0] for word in options.only)]
    return spread(every, options) if options.sample else every


def spread(every, options):
    """Each fault as often as any other, at steps by chance."""
    chance, groups = random.Random(options.seed), {}
    for case in every:
        groups.setdefault(case[2].name, []).append(case)
    for group in groups.values():
        chance.shuffle(group)
    rounds = itertools.zip_longest(*groups.values())
    return [case for case in itertools.chain.from_iterable(rounds)
            if case][:options.sample]


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--sample", type=int, default=0)
    p.add_argument("--seed", type=int, default=8)
    p.add_argument("--only", action="append", default=[])
    p.add_argument("--jobs", type=int, default=16)
    p.add_argument("--list", action="store_true")
    return p.parse_args()


def tell_run(r):
    print(f"# {'WRONG' if r.bad else 'right'}: {r.what}")
    for line in r.bad:
        print(f"#   {line}", flush=True)
    if r.bad:
        print(f"#   {r.err.strip()[-300:]!r}", flush=True)


def tell(done):
    kinds = collections.Counter(r.fault.name for r in done)
    if not done:
        return
    most = max(done, key=lambda r: r.kib)
    longest = max(done, key=lambda r: r.seconds)
    print(f"# runs {len(done)}, faults {len(kinds)}")
    print(f"# most memory {most.kib} KiB ({most.what})")
    print(f"# longest {longest.seconds:.1f} s ({longest.what})")
    tell_doubts(done)


def write_down(done, bad):
    """The figure of the documents."""
    most = max(done, key=lambda r: r.kib)
    row = [len(done), len({r.fault.name for r in done}), len(bad),
           sum(bool(r.once) and not r.bad for r in done), most.kib]
    text = ("| runs | faults | wrong | failed once, passed alone | "
            "most memory, KiB |\n|---|---|---|---|---|\n| " +
            " | ".join(f"{x:,}" for x in row) + f" ({most.what}) |\n")
    subprocess.run([FIGURES, "hostile", "hostile"], input=text, text=True,
                   check=True)


def tell_doubts(done):
    """What shows only sometimes is not to be hidden by a second run."""
    late = sum(r.late > 0 for r in done)
    doubts = [r for r in done if not r.bad and r.once]
    print(f"# too late for a deadline, and played again: {late}")
    print(f"# failed once, passed alone: {len(doubts)}")
    for r in doubts:
        print(f"#   {r.what}: {'; '.join(r.once)}"[:300])


def main():
    options = arguments()
    with run.tempfile.TemporaryDirectory() as folder:
        every = chosen(options, gnutls.credentials(
            CA + "/good.pem", CA + "/good.key"), chains(folder))
    if options.list:
        print("\n".join(c[0] for c in every))
        return 0
    bad, done = [], []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        played = list(pool.map(play, every))
    for case, r in zip(every, played):
        if r.bad:
            r = alone(case, r)
        done.append(r)
        if r.bad:
            bad.append(r)
        if r.bad or options.only:
            tell_run(r)
    print(f"{'not ' if bad else ''}ok 1 - {len(every)} faults met, "
          f"{len(bad)} of them wrongly\n1..1")
    tell(done)
    if not options.sample and not options.only:
        write_down(done, bad)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
