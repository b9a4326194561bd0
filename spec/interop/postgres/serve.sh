#!/bin/sh
# Runs a PostgreSQL server of its own, $2/postgres, in the folder $1 until its input ends: also
# where whoever holds the other end is killed. Nothing is left of it then. Not as root.
folder=$1 bin=$2
trap '' HUP INT TERM
cd / || exit 1
mkdir -m 700 "$folder" || exit 1

settings="-c listen_addresses= -c unix_socket_directories=$folder -c fsync=off"
settings="$settings -c full_page_writes=off -c synchronous_commit=off -c timezone=UTC"
settings="$settings -c deadlock_timeout=50ms -c statement_timeout=20s"
settings="$settings -c shared_buffers=16MB -c max_connections=20"

if "$bin/initdb" -N -D "$folder/data" -A trust -U postgres --no-locale -E UTF8 &&
  "$bin/pg_ctl" -w -D "$folder/data" -l "$folder/log" -o "$settings" start
then
  echo up > "$folder/state"
else
  echo failed > "$folder/state"
fi > /dev/null 2>&1

cat > /dev/null
"$bin/pg_ctl" -m immediate -D "$folder/data" stop > /dev/null 2>&1
rm -rf "$folder"
