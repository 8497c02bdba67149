#!/bin/sh
# A sample of the crash matrix; "make crash" plays all of it.
exec python3 "$(dirname "$0")/crash/matrix.py" --every 32
