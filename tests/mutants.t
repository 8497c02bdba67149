#!/usr/bin/python3
"""Each defence that a list of mutants takes out (make mutants, make crash,
secrets/mutants.py) stands in its room as the list has it."""

import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import tap                                                      # noqa: E402
from mutants import TOP, Trouble, room_of                       # noqa: E402


def mutants(folder):
    """What, its text, and the rooms in which that is looked for."""
    spec = importlib.util.spec_from_file_location(
        f"mutants_of_{folder}", f"{HERE}/{folder}/mutants.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for what, *rest in module.MUTANTS:
        yield (what, rest[1], rest[0]) if folder == "secrets" else (
            what, rest[0], "*.c" if folder == "crash" else "*.[ch]")


def main():
    for folder in "crash", "hostile", "secrets":
        for what, old, rooms in mutants(folder):
            try:
                room_of(TOP, old, rooms)
                trouble = ""
            except Trouble as error:
                trouble = str(error)
            tap.ok(not trouble, f"{folder}: {what}", trouble)
    tap.done()


main()
