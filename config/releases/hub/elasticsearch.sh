#!/bin/sh
# Starts a public Elasticsearch image with half of the container's memory as heap.
# Argument: 1.5 for the command line of that version.
set -eu
heap="$((PORTAL_MEMORY_MB / 2))m"
if [ "${1:-}" = 1.5 ]; then
    exec elasticsearch "-Xms$heap" "-Xmx$heap" --cluster.name=openedx --path.data=/usr/share/elasticsearch/data
fi
export ES_JAVA_OPTS="-Xms$heap -Xmx$heap"
exec /usr/share/elasticsearch/bin/elasticsearch -Ecluster.name=openedx -Ediscovery.type=single-node -Enetwork.host=0.0.0.0
