#!/bin/sh
# Starts a public RabbitMQ image; its user, host and password are the program's at every start.
# Argument: 3.6 for the configuration of that version.
set -eu
umask 077
cat >/tmp/definitions.json <<JSON
{
  "users": [{"name": "$RABBITMQ_USER", "password": "$(cat /run/secrets/rabbitmq-password)", "tags": ""}],
  "vhosts": [{"name": "$RABBITMQ_VHOST"}],
  "permissions": [{"user": "$RABBITMQ_USER", "vhost": "$RABBITMQ_VHOST", "configure": ".*", "write": ".*", "read": ".*"}]
}
JSON
if [ "${1:-}" = 3.6 ]; then
    cat >/tmp/rabbitmq.config <<CONF
[{rabbit, [{loopback_users, [<<"guest">>]}, {vm_memory_high_watermark, {absolute, "$((PORTAL_MEMORY_MB / 2))MiB"}}]},
 {rabbitmq_management, [{load_definitions, "/tmp/definitions.json"}]}].
CONF
    export RABBITMQ_CONFIG_FILE=/tmp/rabbitmq
else
    cat >/tmp/rabbitmq.conf <<CONF
load_definitions = /tmp/definitions.json
vm_memory_high_watermark.absolute = $((PORTAL_MEMORY_MB / 2))MiB
# A course import takes longer than the 30 minutes after which an unacknowledged task is taken away.
consumer_timeout = 14400000
CONF
    export RABBITMQ_CONFIG_FILE=/tmp/rabbitmq.conf
fi
exec docker-entrypoint.sh rabbitmq-server
