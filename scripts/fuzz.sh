#!/usr/bin/env bash
# Fuzzes every fuzz target of the module for the given time each, and stops at the first failure. Minimising new inputs is
# limited by runs, because by time it would use up the whole budget.
set -euo pipefail
fuzztime=${1:?usage: fuzz.sh DURATION}
grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -d' ' -f2 | sort -u | while read -r target; do
    echo "== $dir $target"
    go test -run '^$' -fuzz "^${target}\$" -fuzztime "$fuzztime" -fuzzminimizetime 10x "$dir" </dev/null
  done
done
