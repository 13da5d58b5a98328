#!/bin/sh
# Starts a public openedx-forum image, after its entry has waited for mongo and elasticsearch.
# Its software takes the key by its environment alone; set here, it stands in no inspect and no list of processes.
set -eu
API_KEY=$(cat /run/secrets/forum-api-key)
export API_KEY
bundle exec rake search:initialize
exec ./bin/unicorn -c config/unicorn_tcp.rb -I .
