#!/bin/sh
# Starts a public MongoDB image; its cache would otherwise take half of the host's memory.
set -eu
exec mongod --dbpath /data/db --bind_ip_all --storageEngine wiredTiger \
    --wiredTigerCacheSizeGB "$(awk "BEGIN { c = $PORTAL_MEMORY_MB / 2048; print (c < 0.25 ? 0.25 : c) }")"
