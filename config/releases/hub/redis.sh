#!/bin/sh
# Starts a public Redis image. The password goes by a file: an argument shows in every list of processes.
set -eu
umask 077
cat >/tmp/redis.conf <<CONF
dir /data
appendonly yes
maxmemory $((PORTAL_MEMORY_MB * 3 / 4))mb
maxmemory-policy noeviction
requirepass $(cat /run/secrets/redis-password)
CONF
exec redis-server /tmp/redis.conf
