#!/usr/bin/env bash
# Runs a command with CAPI_TEST_OPENSEARCH set to the addresses of an OpenSearch server, separated by commas: the current value
# if it is set, else a temporary server that runs as long as the command. Its parts come from Maven Central and are kept in
# ~/.cache. Without Maven and Java 21 or newer, the command runs without a server and its tests are skipped;
# CAPI_TEST_REQUIRE=opensearch makes that a failure.
#
# Each node has a folder in CAPI_TEST_OPENSEARCH_HOME: node0, node1 and so on. `pid` there is its process, and `run` starts it
# again after it was killed.
#
# -b is for benchmarks: Java optimises as it does for a server that runs for long. Without it, the server starts sooner.
#
# usage: scripts/with-opensearch.sh [-n NODES] [-m HEAP] [-b] go test ./internal/index/opensearch
#        scripts/with-opensearch.sh -j    reports whether there is a Java that runs it
set -euo pipefail

nodes=1 heap=512m tuning=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1) only_java=
while getopts n:m:bj option; do
    case $option in
    n) nodes=$OPTARG ;;
    m) heap=$OPTARG ;;
    b) tuning=(-XX:+UseG1GC) ;;
    j) only_java=yes ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
if [ $# -eq 0 ] && [ -z "$only_java" ]; then
    echo "usage: $0 [-n NODES] [-m HEAP] [-b] command [argument...]" >&2
    exit 2
fi

if [ -n "${CAPI_TEST_OPENSEARCH:-}" ] && [ -z "$only_java" ]; then
    exec "$@"
fi

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}
version=$(sed -n 's/.*<opensearch.version>\(.*\)<.*/\1/p' "$here/opensearch/pom.xml")
server=$cache/capi-opensearch-$version

# find_java prints the home of a Java of version 21 or newer, and the version.
find_java() {
    local home found
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
        if [ -x "$home/bin/java" ] && found=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null) && [ "${found:-0}" -ge 21 ]; then
            echo "$home $found"
            return
        fi
    done
    return 1
}

if [ -n "$only_java" ]; then
    find_java >/dev/null
    exit
fi

without() { # without REASON...: runs the command without a server, unless one is required
    if [[ ",${CAPI_TEST_REQUIRE:-}," == *,opensearch,* ]]; then
        echo "with-opensearch: OpenSearch is required, but $*" >&2
        exit 1
    fi
    {
        echo "========================================================================"
        echo "SKIPPED: no test runs on OpenSearch, because $*."
        echo "Install it, or set CAPI_TEST_OPENSEARCH=http://HOST:PORT"
        echo "========================================================================"
    } >&2
    exec "${command[@]}"
}

command=("$@")
java=$(find_java) || without "Java 21 or newer is not installed"
java_version=${java##* } java=${java% *}

# assemble lays the server out in $1: the modules in folders with a descriptor, everything else on the class path.
assemble() {
    mkdir -p "$1"/{lib,modules,plugins,config}
    mvn -q -B -Dstyle.color=never -f "$here/opensearch/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$1/lib" >&2
    local name class
    while read -r name class; do
        mkdir "$1/modules/$name"
        mv "$1/lib/$name-"*"$version.jar" "$1/modules/$name/"
        cat >"$1/modules/$name/plugin-descriptor.properties" <<END
name=$name
description=$name
version=$version
opensearch.version=$version
java.version=21
classname=org.opensearch.$class
END
    done <<'END'
transport-netty4 transport.Netty4ModulePlugin
lang-painless painless.PainlessModulePlugin
analysis-common analysis.common.CommonAnalysisModulePlugin
reindex index.reindex.ReindexModulePlugin
mapper-extras index.mapper.MapperExtrasModulePlugin
END
    echo "extended.plugins=lang-painless" >>"$1/modules/analysis-common/plugin-descriptor.properties"
    mv "$1/lib/opensearch-scripting-painless-spi-$version.jar" "$1/modules/lang-painless/" # it reads resources of the module
    cat >"$1/config/log4j2.properties" <<'END'
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1.} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
END
}

if [ ! -d "$server" ]; then
    command -v mvn >/dev/null || without "Maven is not installed"
    mkdir -p "$cache"
    fresh=$(mktemp -d "$server.XXXXXXXX")
    if ! assemble "$fresh"; then
        rm -rf "$fresh"
        echo "with-opensearch: Maven could not fetch the server" >&2
        exit 1
    fi
    # Another run may have been faster.
    mv -T "$fresh" "$server" 2>/dev/null || rm -rf "$fresh"
fi

home=$(mktemp -d "${TMPDIR:-/tmp}/capi-opensearch.XXXXXXXX")

command_pid=
stop() {
    trap - EXIT
    trap '' INT TERM HUP # the clean-up is short and must not be cut short
    if [ -n "$command_pid" ] && kill -0 "$command_pid" 2>/dev/null; then
        kill -TERM "$command_pid" 2>/dev/null || true
        wait "$command_pid" 2>/dev/null || true
    fi
    # What it has stored is of no use any more. A test may have ended a node, so its number may be another's by now.
    local folder pid
    for folder in "$home"/node*; do
        pid=$(cat "$folder/pid" 2>/dev/null) || continue
        while tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "-Dopensearch.path.conf=$folder/config"; do
            kill -KILL "$pid" 2>/dev/null || true
            sleep 0.05
        done
    done
    rm -rf "$home"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Ports below those that the system gives to clients, for two listeners of each node.
ports=()
while [ ${#ports[@]} -lt $((2 * nodes)) ]; do
    port=$((20000 + RANDOM % 12000))
    if [[ " ${ports[*]-} " != *" $port "* ]] && ! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        ports+=("$port")
    fi
done
addresses='' peers='' names=''
for ((i = 0; i < nodes; i++)); do
    addresses+=${addresses:+,}http://127.0.0.1:${ports[i]}
    peers+=${peers:+,}127.0.0.1:${ports[nodes + i]}
    names+=${names:+,}node$i
done

options=(-Xms"$heap" -Xmx"$heap" "${tuning[@]}" -XX:+ExitOnOutOfMemoryError
    -Djava.awt.headless=true -Djna.nosys=true -Dlog4j2.disable.jmx=true
    -Dio.netty.noUnsafe=true -Dio.netty.allocator.numDirectArenas=0
    -Dopensearch.path.home="$server" -Dopensearch.distribution.type=tar)
if [ "$(id -u)" -eq 0 ]; then
    # The server refuses to run as root, and learns who it is from JNA. Without that it runs, with fewer checks.
    options+=(-Djna.nounpack=true -Djna.noclasspath=true)
fi
if [ "$java_version" -lt 24 ]; then
    options+=(-Djava.security.manager=allow)
else
    options+=(--enable-native-access=ALL-UNNAMED)
fi

# The serial collector frees memory only once the heap is full. A server that takes the heap for what it needs would refuse searches first.
real_memory=true
if [[ " ${tuning[*]} " == *" -XX:+UseSerialGC "* ]]; then
    real_memory=false
fi

for ((i = 0; i < nodes; i++)); do
    node=$home/node$i
    mkdir -p "$node"/{config,data,logs,tmp}
    cp "$server/config/log4j2.properties" "$node/config/"
    cat >"$node/config/opensearch.yml" <<END
cluster.name: $(basename "$home")
node.name: node$i
path.data: $node/data
path.logs: $node/logs
network.host: 127.0.0.1
http.port: ${ports[i]}
transport.port: ${ports[nodes + i]}
discovery.seed_hosts: [$peers]
cluster.initial_cluster_manager_nodes: [$names]
cluster.routing.allocation.disk.threshold_enabled: false
indices.breaker.total.use_real_memory: $real_memory
# Many tests share the server, and each has an index of its own.
search.max_open_pit_context: 2000
END
    {
        echo "#!/bin/sh"
        echo "echo \$\$ >'$node/pid'"
        printf 'exec'
        printf ' %q' "$java/bin/java" "${options[@]}" -Djava.io.tmpdir="$node/tmp" -Dopensearch.path.conf="$node/config" \
            -cp "$server/lib/*" org.opensearch.bootstrap.OpenSearch
        echo " >>'$node/logs/output' 2>&1 </dev/null"
    } >"$node/run"
    chmod +x "$node/run"
    setsid "$node/run" &
    disown # the shell need not report that a test ended it
done

# Java needs some seconds, and minutes on a busy machine.
until health=$(curl -sf -m 10 "http://127.0.0.1:${ports[0]}/_cluster/health?wait_for_nodes=$nodes&timeout=5s") && [[ $health == *'"timed_out":false'* ]]; do
    for ((i = 0; i < nodes; i++)); do
        if [ "$SECONDS" -gt 300 ] || { [ -s "$home/node$i/pid" ] && ! kill -0 "$(cat "$home/node$i/pid")" 2>/dev/null; }; then
            echo "with-opensearch: the server in $server does not start:" >&2
            tail -n 30 "$home"/node*/logs/output >&2
            exit 1
        fi
    done
    sleep 0.2
done

export CAPI_TEST_OPENSEARCH=$addresses
export CAPI_TEST_OPENSEARCH_HOME=$home

# In the background and waited for, so that a signal to this script is handled at once; with the terminal's Ctrl-C, which a
# shell switches off for what it puts there.
(trap - INT && exec "$@") <&0 &
command_pid=$!
status=0
wait "$command_pid" || status=$?
command_pid=
exit "$status"
