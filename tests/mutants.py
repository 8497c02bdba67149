"""The program spoilt on purpose, in a copy of it, in one way after the other:
whoever tests it must see each.  For the lists of mutants in crash/, hostile/
and secrets/."""

import contextlib
import os
import pathlib
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
B = TOP / os.environ.get("B", "build")


class Trouble(Exception):
    """Why a mutant shows nothing, or was not seen."""


def room_of(folder, old, rooms="*.[ch]"):
    """The one room that has the text, once, and all that is in it."""
    texts = {room: room.read_text(encoding="utf-8")
             for room in folder.glob(rooms)}
    found = [room for room, text in texts.items() if old in text]
    if len(found) != 1 or texts[found[0]].count(old) != 1:
        raise Trouble(f"once this was once in one of {rooms}: {old!r}")
    return found[0], texts[found[0]]


class Copy:
    """The sources, with what is built of them, below the build's folder."""

    def __init__(self, name, links=(), built=()):
        self.folder = B / name
        self.build = self.folder / "build"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.build.mkdir(parents=True)
        for folder, to in (TOP, self.folder), (B, self.build):
            for file in folder.iterdir():
                if file.suffix in (".c", ".h", ".o", ".d") or \
                        file.name in ("Makefile", "calls"):
                    shutil.copy2(file, to)
        for link in ("filter", *links):
            (self.folder / link).symlink_to(TOP / link)
        for link in built:
            (self.build / link).symlink_to(B / link)

    def make(self, target):
        try:
            subprocess.run(["make", "-s", "-j2", "-C", self.folder, "B=build",
                            target], check=True, stderr=subprocess.DEVNULL)
        except subprocess.CalledProcessError as error:
            raise Trouble("it does not compile") from error

    @contextlib.contextmanager
    def spoilt(self, old, new, rooms="*.[ch]"):
        """While it lasts, the text is another in the one room that has it."""
        room, text = room_of(self.folder, old, rooms)
        room.write_text(text.replace(old, new), encoding="utf-8")
        try:
            yield
        finally:
            room.write_text(text, encoding="utf-8")

    def try_all(self, mutants, try_one):
        """TAP; try_one(*mutant), without its name, raises Trouble.  True: each
        was seen."""
        bad = 0
        for i, (what, *mutant) in enumerate(mutants, 1):
            trouble = None
            try:
                try_one(*mutant)
            except Trouble as error:
                trouble = error
                bad += 1
            print(f"{'not ' if trouble else ''}ok {i} - seen: {what}",
                  flush=True)
            if trouble:
                print(f"# {trouble}", flush=True)
        print(f"1..{len(mutants)}")
        shutil.rmtree(self.folder)
        return bad == 0
