#!/usr/bin/env bash
# Runs a command with CAPI_TEST_POSTGRES_URL set to a PostgreSQL server: the current value if it is set, else a temporary
# server that runs as long as the command. If PostgreSQL is not installed, the command runs without it and its tests skip
# the second database; CAPI_TEST_REQUIRE=postgres makes that a failure. With CAPI_TEST_POSTGRES_KEEP=DIR the server's data
# is kept in DIR for the next run, and the server gets the memory settings of a dedicated machine.
#
# usage: scripts/with-postgres.sh go test ./...
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: $0 command [argument...]" >&2
    exit 2
fi

if [ -n "${CAPI_TEST_POSTGRES_URL:-}" ]; then
    exec "$@"
fi

# find_binaries prints the directory that holds initdb and pg_ctl, the newest where there are several.
find_binaries() {
    local found dir
    if found=$(command -v pg_ctl) && found=$(readlink -f "$found") && [ -x "$(dirname "$found")/initdb" ]; then
        dirname "$found"
        return
    fi
    while read -r dir; do
        if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ]; then
            echo "$dir"
            return
        fi
    done < <(printf '%s\n' /usr/lib/postgresql/*/bin /usr/local/opt/postgresql*/bin /opt/homebrew/opt/postgresql*/bin | sort -rV)
    return 1
}

if ! binaries=$(find_binaries); then
    if [[ ",${CAPI_TEST_REQUIRE:-}," == *,postgres,* ]]; then
        echo "with-postgres: PostgreSQL is required, but initdb and pg_ctl are not installed" >&2
        exit 1
    fi
    {
        echo "========================================================================"
        echo "SKIPPED: no test runs on PostgreSQL, because it is not installed here."
        echo "Install it (Debian: apt-get install postgresql) or set"
        echo "CAPI_TEST_POSTGRES_URL=postgres://user:password@host:5432/database"
        echo "========================================================================"
    } >&2
    exec "$@"
fi

# A socket's path may have 107 characters, so a long TMPDIR is of no use here.
home=$(mktemp -d /tmp/capi-postgres.XXXXXXXX)
data=$home/data
shared_buffers=128MB
stop_mode=immediate
durable=off
if [ -n "${CAPI_TEST_POSTGRES_KEEP:-}" ]; then
    mkdir -p "$CAPI_TEST_POSTGRES_KEEP"
    data=$(cd "$CAPI_TEST_POSTGRES_KEEP" && pwd)/data
    shared_buffers=4GB
    stop_mode=fast # what was not synchronised must be written
    durable=on
fi

# PostgreSQL does not run as root.
as_server=()
if [ "$(id -u)" -eq 0 ]; then
    server_user=nobody
    if id postgres >/dev/null 2>&1; then
        server_user=postgres
    fi
    chown "$server_user" "$home"
    if [ -n "${CAPI_TEST_POSTGRES_KEEP:-}" ]; then
        mkdir -p "$data"
        chown "$server_user" "$data"
        chmod 700 "$data"
    fi
    as_server=(setpriv "--reuid=$server_user" "--regid=$(id -g "$server_user")" --clear-groups env "HOME=$home")
fi

command_pid=
stop() {
    trap - EXIT
    trap '' INT TERM HUP # the clean-up is short and must not be cut short
    if [ -n "$command_pid" ] && kill -0 "$command_pid" 2>/dev/null; then
        kill -TERM "$command_pid" 2>/dev/null || true
        wait "$command_pid" 2>/dev/null || true
    fi
    if [ -f "$data/postmaster.pid" ]; then
        (cd / && "${as_server[@]}" "$binaries/pg_ctl" --pgdata="$data" --mode="$stop_mode" --wait stop) >/dev/null 2>&1 || true
    fi
    rm -rf "$home"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

start() {
    cd /
    if [ ! -f "$data/PG_VERSION" ]; then
        "${as_server[@]}" "$binaries/initdb" --pgdata="$data" --username=capi --auth=trust \
            --encoding=UTF8 --no-locale --no-sync
    fi
    # Only the socket, in a directory that is closed to other users, leads to it. Data that lives as long as one command need
    # not survive a crash; where it is kept, the server is measured, and what it writes reaches the disk as in production.
    cat >>"$data/postgresql.conf" <<EOC
listen_addresses = ''
unix_socket_directories = '$home'
fsync = $durable
synchronous_commit = $durable
full_page_writes = $durable
max_connections = 400
shared_buffers = $shared_buffers
autovacuum_naptime = 10s
log_min_messages = fatal
EOC
    "${as_server[@]}" "$binaries/pg_ctl" --pgdata="$data" --log="$home/log" --wait --timeout=60 start
}

if ! (start) >"$home.start" 2>&1; then
    echo "with-postgres: PostgreSQL in $binaries does not start:" >&2
    cat "$home.start" "$home/log" >&2 2>/dev/null || true
    rm -f "$home.start"
    exit 1
fi
rm -f "$home.start"

export CAPI_TEST_POSTGRES_URL="postgres://capi@/postgres?host=$home&sslmode=disable"

# In the background and waited for, so that a signal to this script is handled at once; with the terminal's Ctrl-C,
# which a shell switches off for what it puts there.
(trap - INT && exec "$@") <&0 &
command_pid=$!
status=0
wait "$command_pid" || status=$?
command_pid=
exit "$status"
