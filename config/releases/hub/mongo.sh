#!/bin/sh
# Starts a public MongoDB image; its cache would otherwise take half of the host's memory.
# Its user is the program's at every start, also over data from before it had any: a first server, that nobody but this
# script reaches, is told the password. The second asks everybody for it.
set -eu
umask 077
# Where its shell keeps notes.
export HOME=/tmp
set -- --dbpath /data/db --storageEngine wiredTiger \
    --wiredTigerCacheSizeGB "$(awk "BEGIN { c = $PORTAL_MEMORY_MB / 2048; print (c < 0.25 ? 0.25 : c) }")"
cat >/tmp/user.js <<JS
var home = db.getSiblingDB("$MONGO_AUTH_DATABASE");
var told = {
  pwd: "$(cat /run/secrets/mongo-password)",
  roles: ["$MONGO_AUTH_DATABASE", "$MONGO_FORUM_DATABASE"].map(function (each) {
    return {role: "dbOwner", db: each};
  })
};
if (home.getUser("$MONGO_USER")) home.updateUser("$MONGO_USER", told);
else home.createUser(Object.assign({user: "$MONGO_USER"}, told));
JS
shell=mongosh
command -v $shell >/dev/null || shell=mongo
mongod "$@" --bind_ip 127.0.0.1 --port 27018 --nounixsocket --fork --logpath /tmp/first.log
$shell --quiet --norc --port 27018 /tmp/user.js
mongod --dbpath /data/db --shutdown
rm /tmp/user.js /tmp/first.log
exec mongod "$@" --auth --bind_ip_all
