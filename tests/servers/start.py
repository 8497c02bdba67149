"""submitd for the tests in Python."""

import os
import pathlib
import subprocess

from tap import until


def port_of(ready):
    """What it has written there, when it listens; waits for that."""
    ready = pathlib.Path(ready)
    if not until(lambda: ready.exists() and ready.read_text().strip(), 20):
        raise SystemExit("Bail out! no submitd")
    return ready.read_text().split()[0]


def submitd(build, ready, *options):
    """Begins it: the process, which the caller ends, and its port."""
    if os.path.exists(ready):
        os.unlink(ready)
    process = subprocess.Popen(
        [os.path.join(build, "submitd"), "--ready-file", ready, *options],
        stdout=subprocess.DEVNULL)
    return process, port_of(ready)
