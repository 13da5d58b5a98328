#!/bin/sh
# Starts a public MySQL image as docs/images.md demands: databases and passwords are the program's at every start.
# The image's own entry sets passwords at its first start only. Argument: 5.6 for the SQL of that version.
set -eu
umask 077
data=/var/lib/mysql
dialect=${1:-}
if [ "$dialect" = 5.6 ]; then charset=utf8 collation=utf8_general_ci; else charset=utf8mb4 collation=utf8mb4_unicode_ci; fi

if [ ! -e $data/.initialised ]; then
    if [ ! -e $data/.initialising ] && [ -n "$(ls -A $data)" ]; then
        echo "mysql: $data has files of something else; nothing was touched" >&2
        exit 1
    fi
    # Cut short before: no client has ever been let in, so nothing is lost.
    find $data -mindepth 1 ! -name .initialising -delete
    : >$data/.initialising
    if [ "$dialect" = 5.6 ]; then
        mysql_install_db --datadir=$data --rpm --keep-my-cnf
    else
        mysqld --initialize-insecure --datadir=$data
    fi
    sync
    # One step that needs no space: of the two marks there is always exactly one.
    mv $data/.initialising $data/.initialised
    sync
fi

account() { # user, host, password
    if [ "$dialect" = 5.6 ]; then
        echo "GRANT USAGE ON *.* TO '$1'@'$2' IDENTIFIED BY '$3';"
    else
        echo "CREATE USER IF NOT EXISTS '$1'@'$2' IDENTIFIED BY '$3';"
        echo "ALTER USER '$1'@'$2' IDENTIFIED BY '$3';"
    fi
}
# The server runs this before it takes the first client, and a file shows in no list of processes.
{
    account root localhost "$(cat /run/secrets/mysql-root-password)"
    while read -r database user secret; do
        echo "CREATE DATABASE IF NOT EXISTS \`$database\` CHARACTER SET $charset COLLATE $collation;"
        account "$user" % "$(cat "/run/secrets/$secret")"
        echo "GRANT ALL PRIVILEGES ON \`$database\`.* TO '$user'@'%';"
    done </portal/config/databases
} >/tmp/accounts.sql

exec mysqld --datadir=$data --init-file=/tmp/accounts.sql \
    --character-set-server=$charset --collation-server=$collation \
    --innodb-buffer-pool-size=$((PORTAL_MEMORY_MB / 4))M
