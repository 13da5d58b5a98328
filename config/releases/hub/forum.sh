#!/bin/sh
# Starts a public openedx-forum image, after its entry has waited for mongo and elasticsearch.
# Its software takes key and passwords by its environment alone; set here, they stand in no inspect and no list of
# processes.
set -eu
API_KEY=$(cat /run/secrets/forum-api-key)
MONGOID_AUTH_SOURCE=$MONGODB_AUTH_DATABASE
MONGOHQ_URL="mongodb://$MONGODB_USERNAME:$(cat /run/secrets/mongo-password)@$MONGODB_HOST:$MONGODB_PORT/$MONGODB_DATABASE?authSource=$MONGODB_AUTH_DATABASE"
# Before Elasticsearch 7 it was called by the first name.
SEARCH_SERVER="http://$SEARCH_USERNAME:$(cat /run/secrets/search-password)@${SEARCH_SERVER#http://}"
SEARCH_SERVER_ES7=$SEARCH_SERVER
export API_KEY MONGOID_AUTH_SOURCE MONGOHQ_URL SEARCH_SERVER SEARCH_SERVER_ES7
bundle exec rake search:initialize
exec ./bin/unicorn -c config/unicorn_tcp.rb -I .
