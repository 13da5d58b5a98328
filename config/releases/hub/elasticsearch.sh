#!/bin/sh
# Starts a public Elasticsearch image with half of the container's memory as heap.
# Argument: 1.5 for the command line of that version, which cannot ask for a password.
set -eu
umask 077
heap="$((PORTAL_MEMORY_MB / 2))m"
if [ "${1:-}" = 1.5 ]; then
    exec elasticsearch "-Xms$heap" "-Xmx$heap" --cluster.name=openedx --path.data=/usr/share/elasticsearch/data
fi
export ES_JAVA_OPTS="-Xms$heap -Xmx$heap"
# The password of its first user (elastic) lies in a keystore beside the configuration; a copy, for it is written here.
home=/usr/share/elasticsearch
cp -R $home/config /tmp/config
export ES_PATH_CONF=/tmp/config
[ -e $ES_PATH_CONF/elasticsearch.keystore ] || $home/bin/elasticsearch-keystore create
$home/bin/elasticsearch-keystore add --force --stdin bootstrap.password </run/secrets/search-password
exec $home/bin/elasticsearch -Ecluster.name=openedx -Ediscovery.type=single-node -Enetwork.host=0.0.0.0 \
    -Expack.security.enabled=true
