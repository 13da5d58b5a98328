#!/bin/sh
# Starts a public memcached image with the memory that the container has.
set -eu
exec memcached -m $((PORTAL_MEMORY_MB * 3 / 4)) -I 4m
