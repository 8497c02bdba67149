"""The figures of a run: on the terminal, as JSON, as Markdown."""
import dataclasses
import datetime
import json
import os
import pathlib
import platform

NOTES = pathlib.Path(__file__).resolve().parent / "NOTES.md"


@dataclasses.dataclass
class Budget:
    """At most, or at least, so much; or so many times what a peer needs."""
    amount: float
    peer: str = None
    at_least: bool = False

    def limit(self, values):
        if self.peer is None:
            return self.amount
        return self.amount * values[self.peer] if self.peer in values else None

    def verdict(self, values):
        limit, ours = self.limit(values), values.get("sendoff")
        if limit is None or ours is None:
            return "UNKNOWN"
        if self.at_least:
            return "" if ours >= limit else "UNDER"
        return "" if ours <= limit else "OVER"

    def __str__(self):
        sign = "≥" if self.at_least else "≤"
        if self.peer is None:
            return f"{sign} {self.amount:,g}"
        times = "" if self.amount == 1 else f"{self.amount:g} of "
        return f"{sign} {times}{self.peer}"


@dataclasses.dataclass
class Row:
    """values and remarks by program: what was measured, or why it was not."""
    title: str
    unit: str
    budget: Budget
    values: dict
    remarks: dict

    def more_is_better(self):
        return self.unit.endswith("/s")

    def ratio(self, who):
        """How many times better sendoff is."""
        ours, theirs = self.values.get("sendoff"), self.values[who]
        if who == "sendoff" or not ours or not theirs:
            return ""
        times = ours / theirs if self.more_is_better() else theirs / ours
        return f" ({figure(times)}×)"

    def cell(self, who):
        if who in self.values:
            return figure(self.values[who]) + self.ratio(who)
        return "– " + self.remarks[who] if self.remarks.get(who) else "–"

    def verdict(self):
        return self.budget.verdict(self.values) if self.budget else ""


def figure(value):
    """Three digits that count, all of a whole number."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Results:
    def __init__(self, who):
        self.who, self.groups, self.rows = who, {}, None

    def group(self, title):
        self.rows = self.groups.setdefault(title, [])
        print(f"\n{title}", flush=True)

    def add(self, row):
        self.rows.append(row)
        cells = ", ".join(f"{who} {row.cell(who)}" for who in self.who)
        budget = f" [{row.budget}] {row.verdict()}" if row.budget else ""
        print(f"  {row.title}, {row.unit}:{budget}\n      {cells}", flush=True)

    def json(self):
        return json.dumps(
            {row.title: {"unit": row.unit, "values": row.values,
                         "remarks": row.remarks,
                         "budget": str(row.budget) if row.budget else None,
                         "verdict": row.verdict()}
             for rows in self.groups.values() for row in rows},
            indent=1, ensure_ascii=False) + "\n"

    def markdown(self, ours, theirs, remarks):
        parts = [HEAD, machine(), programs("sendoff and the system's libraries",
                                           ours),
                 programs("The peers and the libraries unpacked for them",
                          theirs), *remarks]
        parts += [self.table(title) for title in self.groups]
        if NOTES.exists():
            parts += [NOTES.read_text()]
        return "\n".join(part.rstrip("\n") + "\n" for part in parts)

    def table(self, title):
        lines = [f"## {title}", "",
                 "| | | " + " | ".join(["sendoff", "budget", *self.who[1:]]) +
                 " |", "|---" * (len(self.who) + 3) + "|"]
        for row in self.groups[title]:
            budget = str(row.budget or "")
            if row.verdict():
                budget += f" **{row.verdict()}**"
            cells = [row.title, row.unit, row.cell("sendoff"), budget,
                     *map(row.cell, self.who[1:])]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)


HEAD = """# Results

Written by `make bench`; README.md says how it measures. In brackets: how many
times better sendoff is than the program, in the same run. **OVER** and
**UNDER** mark a budget that is missed."""


def first(path, start):
    try:
        for line in pathlib.Path(path).read_text().split("\n"):
            if line.startswith(start):
                return line.split(":")[-1].strip()
    except OSError:
        pass
    return "unknown"


def machine():
    debian = pathlib.Path("/etc/debian_version")
    system = "Debian " + debian.read_text().strip() if debian.exists() \
        else platform.system()
    memory = first("/proc/meminfo", "MemTotal").split()[0]
    gigabytes = int(memory) / 1e6 if memory.isdigit() else 0
    return (f"{datetime.date.today()}: {os.cpu_count()} cores of "
            f"{first('/proc/cpuinfo', 'model name')}, {gigabytes:.0f} GB, "
            f"Linux {platform.release()}, {system}; "
            f"load {os.getloadavg()[0]:.1f} when this was written.")


def programs(title, versions):
    if not versions:
        return f"{title}: none."
    return f"{title}: " + ", ".join(f"{n} {v}" for n, v in versions) + "."
