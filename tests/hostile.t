#!/bin/sh
# A sample of the faults of servers; "make hostile" plays all of them.
exec python3 "$(dirname "$0")/hostile/matrix.py" --sample 324 --jobs 16
