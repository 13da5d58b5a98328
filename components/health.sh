#!/bin/sh
# Paces a health probe: eager until the first success, then once every $1 seconds.
#
# Docker before 25 knows one interval only. A short one costs about 70 ms of CPU a probe for ever, a long
# one leaves every start waiting for its first tick. So the engine asks every 2 s, and a container that was
# healthy at the last look waits here before it looks again. /tmp is a tmpfs: a restart is eager anew.
pause=$1
shift
[ -e /tmp/.healthy ] && sleep "$pause"
if "$@"; then
    : >/tmp/.healthy
else
    rm -f /tmp/.healthy
    exit 1
fi
