#!/bin/sh
# Starts a public Meilisearch image. The key goes by a file, not by environment or argument.
set -eu
umask 077
cat >/tmp/meilisearch.toml <<CONF
db_path = "/meili_data/data.ms"
env = "production"
http_addr = "0.0.0.0:7700"
master_key = "$(cat /run/secrets/meilisearch-master-key)"
max_indexing_memory = "$((PORTAL_MEMORY_MB / 2)) MiB"
no_analytics = true
CONF
exec /bin/meilisearch --config-file-path /tmp/meilisearch.toml
