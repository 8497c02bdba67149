#!/bin/sh
# Every transcript: whole, octet by octet, and cut behind each line.
exec "$(dirname "$0")/play" --binary "${SENDOFF:-./sendoff}" \
    --jobs 3 "$(dirname "$0")"/functional/*.smtp
