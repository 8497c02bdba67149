"""All the runs: planned, shared among processes, told in TAP."""

import multiprocessing
import os
import signal

from . import judge
from .pattern import Bad
from .stage import Stage
from .transcript import Transcript

EXTRA = {"verbose": ["-v"], "trace": ["--trace=auth,data"],
         "json": ["--json"]}


class Failed(Exception):
    """Nothing can be played."""


class Job:
    """One test point: a transcript, a way and a mode."""

    def __init__(self, transcript, way, mode, cuts=()):
        self.transcript, self.way, self.mode = transcript, way, mode
        self.cuts = cuts

    def __str__(self):
        name = os.path.basename(self.transcript.path)
        name = name[:-5] if name.endswith(".smtp") else name
        many = f" ({len(self.cuts)})" if self.mode == "cuts" else ""
        return f"{name}: {self.way}, {self.mode}{many}"


class Broken:
    """A transcript that cannot be understood is a failing test."""

    def __init__(self, path, why):
        self.path, self.why = path, why

    def __str__(self):
        return f"{self.path}: {self.why}"


# Planning

def plan(options):
    jobs, seen = [], set()
    for path in options.files:
        try:
            transcript = Transcript(path)
        except (Bad, OSError, UnicodeDecodeError, ValueError) as bad:
            jobs.append(Broken(path, bad))
            continue
        jobs += jobs_of(transcript, options, seen)
    return jobs


def jobs_of(transcript, options, seen):
    jobs = []
    ways = [way for way in transcript.ways()
            if not options.way or way in options.way]
    for way in ways:
        for mode in transcript.modes():
            if options.only and mode not in options.only:
                continue
            if mode in EXTRA and way != transcript.ways()[0]:
                continue
            cuts = new_cuts(transcript, way, seen) if mode == "cuts" else []
            if cuts or mode != "cuts":
                jobs.append(Job(transcript, way, mode, cuts))
    return jobs


def new_cuts(transcript, way, seen):
    """Those that no earlier transcript has made in just the same way."""
    before = [act.signature() + repr([event.key for event in act.events])
              for act in transcript.acts[:-1]]
    act, cuts = transcript.acts[-1], []
    if not act.events:
        return []
    events, points = judge.cut_points(act, way)
    base = (way, transcript.scheme, repr(before), act.signature())
    for point in points:
        heard = tuple(event.key for event in events[:point.index + 1])
        key = hash((base, heard, point.how))
        if key not in seen:
            seen.add(key)
            cuts.append(point)
    return cuts


# Playing, in the processes

def play(job, options):
    """The complaints about a job, each with its diagnostics."""
    if isinstance(job, Broken):
        return [str(job.why)]
    if job.mode == "cuts":
        return play_cuts(job, options)
    out = []
    with Stage(options, job.way, job.mode == "octets") as stage:
        for act in job.transcript.acts:
            extra = EXTRA.get(job.mode, [])
            outcome = stage.run(act, job.transcript.scheme, extra=extra)
            look = {"verbose": judge.verbose, "trace": judge.trace,
                    "json": judge.as_json}
            complaints = look.get(job.mode, judge.whole)(outcome, job.way)
            if complaints or options.show:
                out.append(diagnosis(outcome, complaints))
            if complaints:
                return out
    return out if not options.show else ["shown"] + out


def play_cuts(job, options):
    out = []
    for point in job.cuts:
        complaints = play_cut(job, point, options)
        if complaints:
            out.append(complaints)
        if len(out) >= 5:
            out.append("(and perhaps more)")
            break
    return out


def play_cut(job, point, options):
    acts = job.transcript.acts
    with Stage(options, job.way) as stage:
        for act in acts[:-1]:
            outcome = stage.run(act, job.transcript.scheme)
            if outcome.mismatch:
                return diagnosis(outcome, judge.whole(outcome, job.way))
        outcome = stage.run(acts[-1], job.transcript.scheme, point)
        events = judge.cut_points(acts[-1], job.way)[0]
        story = judge.Story(acts[-1], events)
        complaints = judge.cut(outcome, story, point)
        if not complaints and not options.show:
            return ""
        where = f"{point.how} after " + (str(events[point.index])
                                         if point.index >= 0 else "nothing")
        return diagnosis(outcome, [where] + complaints)


def diagnosis(outcome, complaints):
    log = [line[:300] for line in outcome.log if line]
    if len(log) > 60:
        log = log[:20] + ["..."] + log[-39:]
    return "\n".join(["dialogue:"] + ["  " + line.replace("\n", "\n  ")
                                      for line in log] + complaints +
                     ["status:   " + str(outcome.status), "stderr:"] +
                     ["  " + line for line in outcome.err.split("\n")[-40:]])


# Telling

SHARED = {}             # what the processes inherit: the plan


def work(number):
    return play(SHARED["jobs"][number], SHARED["options"])


def ready():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def play_all(options):
    jobs = plan(options)
    print(f"1..{len(jobs)}", flush=True)
    failed = 0
    SHARED.update(jobs=jobs, options=options)
    with multiprocessing.Pool(options.jobs, ready) as pool:
        results = pool.imap(work, range(len(jobs)))
        for number, (job, result) in enumerate(zip(jobs, results), 1):
            shown = bool(result) and result[0] == "shown"
            good = not result or shown
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {job}")
            for text in result:
                print("".join(f"#   {line}\n" for line in text.split("\n")),
                      end="")
            print(end="", flush=True)
    return 1 if failed else 0
