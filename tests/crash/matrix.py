#!/usr/bin/python3
"""The crash matrix: README.md in tests says what it proves.

usage: matrix.py [--every K] [--seed N] [--only NAME] [--kinds KIND...]
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import cut                                                      # noqa: E402
import judge                                                    # noqa: E402
import run                                                      # noqa: E402
import scenarios                                                # noqa: E402
import world                                                    # noqa: E402

ERRORS = "ENOSPC", "EIO", "EDQUOT", "EMFILE", "ENOMEM"
LASTING = "ENOSPC", "EIO"     # for each call that is like it, too
SIGNALS = "TERM", "INT", "HUP"
KINDS = "kill", "errno", "signal", "cut", "beside"
BAD = "lost", "doubled", "wrong"
FIGURES = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + \
    "/figures"
SHOWN = 30                      # problems that are told in full
WORLD = None                    # of this process


def folder():
    """Where an fsync costs nothing."""
    shm = "/dev/shm"
    return tempfile.mkdtemp(prefix="sendoff-crash.", dir=shm if os.access(
        shm, os.W_OK) else None)


def begin(top):
    global WORLD                        # pylint: disable=global-statement
    os.umask(0o077)
    WORLD = world.World(f"{top}/{os.getpid()}")


class Stage:
    """A scenario in this process's world."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.files = WORLD.prepare(scenario)
        self.given = WORLD.write("given", world.HEAD + scenario.bodies[0])
        self.base, self.watch = None, None

    def play(self, mode, watcher=None):
        WORLD.fill(self.files, self.scenario.fresh)
        server = WORLD.server(self.scenario.script)
        WORLD.config(self.scenario, server)
        watch = watcher(WORLD.keep, server) if watcher else None
        result = run.play(mode, self.scenario.command(), server, self.given,
                          WORLD.env, watch)
        server.close()
        self.watch = watch
        return result, server

    def measure(self):
        self.base, server = self.play(["count"])
        case = judge.Case(self.scenario, ["count"], self.base, self.base,
                          server, WORLD.files())
        again, _ = self.play(["count"])
        if WORLD.home not in self.base.paths:
            case.add("wrong", "where $HOME is looked at is not known")
        if again.calls != self.base.calls:
            case.add("wrong", "two runs are not the same")
        if self.scenario.prepared > len(self.files):
            case.add("wrong", "it could not be prepared")
        return judge.judge(case)

    def disturb(self, mode):
        result, server = self.play(mode)
        case = judge.Case(self.scenario, mode, self.base, result, server,
                          WORLD.files())
        if result.count < mode[1]:
            case.add("wrong", "the run was another one")
        judge.judge(case)
        return self.follow(case)

    def follow(self, case):
        """The case with what -q makes of it."""
        if case.files:
            later, taker = WORLD.resend(self.scenario)
            judge.judge_later(case, later, taker, WORLD.files())
        if "is no kept message" in WORLD.log():
            case.add("wrong", "half a file was seen")
        return case.found

    def beside(self, n, at):
        """Another run is made at call n, and killed at its call at."""
        def other(server):
            run.play(["kill", at] if at else ["count"],
                     self.scenario.command(), server, self.given, WORLD.env)
        result, server = self.play(["count"], lambda _, server: run.At(
            n, lambda: other(server)))
        case = judge.Case(self.scenario, ["beside", n, at], self.base, result,
                          server, WORLD.files())
        judge.judge(case)
        return self.follow(case)

    def cut(self):
        """(mode, problems) of every moment at which the power may go."""
        result, server = self.play(["step"], cut.Cut)
        dead = run.Result()
        dead.signal = 9
        moments = [(n, files, mails, dead)
                   for n, files, mails in self.watch.moments]
        moments += [(result.count, files, len(server.mails), result)
                    for files in self.watch.stores()]
        for n, files, mails, told in moments:
            WORLD.fill(files)
            case = judge.Case(self.scenario, ["cut", n], self.base, told,
                              server, WORLD.files())
            case.mails = mails
            judge.judge(case)
            yield case.mode, self.follow(case)


def modes(kind, n, is_home, calls):
    if kind == "kill":
        return [[kind, n]]
    if kind == "beside":
        return [[kind, n, at] for at in others(calls)]
    if kind == "signal":
        return [[kind, n, s] for s in SIGNALS]
    # A $HOME that cannot be looked at is not believed, and what belongs to
    # whoever runs the tests is none of ours to write to.
    if is_home:
        return []
    return [["errno", n, e] for e in ERRORS] + \
        [["errnos", n, e] for e in LASTING]


def looks_at_home(base, n):
    """Would $HOME be looked at in vain if call n failed, and those like it?"""
    home = base.paths.index(WORLD.home) + 1
    return n == home or (n < home and base.calls[n - 1] ==
                         base.calls[home - 1])


def points(scenario, base, kind, options):
    """Those of the whole matrix that are played, all when every is 1."""
    if kind == "beside" and not (scenario.prepared and scenario.retry):
        return []
    every = options.every * scenario.share
    whole = [m for n in range(1, base.count + 1)
             for m in modes(kind, n, looks_at_home(base, n), base.calls)]
    start = (options.seed + zlib.crc32(
        f"{scenario.name} {kind}".encode())) % every
    return whole[start::every]


def others(calls):
    """Where a run beside is killed: nowhere (0), or when the data have left
    and the store does not tell yet what became of them."""
    told = [i for i, x in enumerate(calls, 1) if x in ("unlink", "pwrite64")]
    return [0] + told[1:2]


def disturbed(stage, kind, options, part, parts):
    """(mode, problems) of every parts-th point, from part on."""
    if kind == "cut":
        yield from stage.cut() if part == 0 else ()
        return
    for mode in points(stage.scenario, stage.base, kind,
                       options)[part::parts]:
        yield mode, (stage.beside(*mode[1:]) if kind == "beside" else
                     stage.disturb(mode))


def chunk(scenario, kind, options, part, parts):
    stage = Stage(scenario)
    problems = [(scenario.name, "count", *x) for x in stage.measure()]
    counts = collections.Counter()
    for mode, found in disturbed(stage, kind, options, part, parts):
        counts[kind] += 1
        where = [*map(str, mode), stage.base.calls[mode[1] - 1],
                 stage.base.paths[mode[1] - 1]]
        problems += [(scenario.name, " ".join(where), *x) for x in found]
    return scenario.name, counts, problems


def chosen(options):
    return [s for s in scenarios.all_of_them()
            if fnmatch.fnmatch(s.name, options.only)]


class Tally:
    """The figures."""

    def __init__(self):
        self.counts = collections.Counter()
        self.each = collections.defaultdict(collections.Counter)
        self.kinds = collections.Counter()
        self.problems = []

    def add(self, name, counts, problems):
        self.counts += counts
        self.each[name] += counts
        for p in problems:
            if p in self.problems:
                continue
            self.problems.append(p)
            self.kinds[p[2]] += 1
            self.each[name][p[2]] += 1

    def figure(self):
        c, k = self.counts, self.kinds
        return (f"points killed {c['kill']}, errors injected {c['errno']}, "
                f"signals {c['signal']}, power cut {c['cut']}, "
                f"beside another {c['beside']}; "
                f"lost {k['lost']}, doubled {k['doubled']}, "
                f"wrong {k['wrong']}")

    def table(self):
        """The same for the documents."""
        n = [len(self.each), *(self.counts[kind] for kind in KINDS),
             *(self.kinds[bad] for bad in BAD)]
        return ("| runs | killed | errors | signals | power cuts | "
                "another beside | lost | doubled | wrong |\n" + "|---" *
                len(n) + "|\n| " + " | ".join(f"{x:,}" for x in n) + " |\n")

    def points(self):
        """A line of TAP for each scenario."""
        for i, (name, c) in enumerate(self.each.items(), 1):
            bad = any(c[x] for x in BAD)
            yield (f"{'not ' * bad}ok {i} - {name}: {c['kill']} killed, "
                   f"{c['errno']} errors, {c['signal']} signals, "
                   f"{c['cut']} power cuts, {c['beside']} beside" + "".join(
                       f", {c[x]} {x}" for x in BAD if c[x]))


def play_all(options, played, top):
    tally = Tally()
    parts = max(1, 4 * options.jobs // options.every)
    with concurrent.futures.ProcessPoolExecutor(
            options.jobs, initializer=begin, initargs=(top,)) as pool:
        waiting = [pool.submit(chunk, s, kind, options, i, parts)
                   for s in played for kind in options.kinds
                   for i in range(1 if kind == "cut" else parts)]
        for f in waiting:
            tally.add(*f.result())
    return tally


def cannot():
    """Why nothing can be played here; or None."""
    if not os.path.exists(run.INJECT):
        return "inject needs x86-64 Linux"
    if os.path.basename(run.B) == "san":
        return "the sanitizers make system calls of their own"
    if subprocess.run([run.INJECT, "count", "true"], check=False,
                      capture_output=True).returncode == 77:
        return "nobody may trace here"
    return None


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", default="*")
    p.add_argument("--kinds", nargs="*", default=KINDS)
    p.add_argument("--jobs", type=int, default=2)
    return p.parse_args()


def is_whole(options):
    return (options.every == 1 and options.only == "*" and
            set(options.kinds) == set(KINDS))


def main():
    options, begun, why = parse(), time.monotonic(), cannot()
    if why is not None:
        print(f"1..0 # SKIP {why}")
        return
    top = folder()
    try:
        tally = play_all(options, chosen(options), top)
    finally:
        shutil.rmtree(top)
    for p in tally.problems[:SHOWN]:
        print("# " + ": ".join(p))
    for line in tally.points():
        print(line)
    print(f"# {tally.figure()}")
    print(f"# {time.monotonic() - begun:.0f} seconds")
    print(f"1..{len(tally.each)}")
    if is_whole(options):
        subprocess.run([FIGURES, "crash", "crash"], input=tally.table(),
                       text=True, check=True)
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
