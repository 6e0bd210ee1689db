#!/usr/bin/env bash
# Prints the licenses of all modules that are compiled into the program, on any platform we build for.
#
# usage: scripts/licenses.sh > internal/cli/third_party_licenses.txt
set -euo pipefail
cd "$(dirname "$0")/.."

echo "Software that is part of capi, and its licenses."
for os in linux darwin windows; do
  GOOS=$os GOARCH=amd64 CGO_ENABLED=0 go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/capi
done | LC_ALL=C sort -u | while read -r path version dir; do
  found=
  for file in "$dir"/* "$dir"/LICENSES/*; do # the folder of modules that follow REUSE
    [ -f "$file" ] || continue
    case "$(printf %s "${file#"$dir"/}" | tr '[:lower:]' '[:upper:]')" in
      LICENSE* | LICENCE* | COPYING* | NOTICE* | COPYRIGHT* | UNLICENSE*)
        found=1
        printf '\n==== %s %s: %s\n\n' "$path" "$version" "$(basename "$file")"
        tr -d '\r' < "$file"
        ;;
    esac
  done
  [ -n "$found" ] || { echo "licenses.sh: $path has no license file" >&2; exit 1; }
done
printf '\n==== The Go standard library\n\n'
cat "$(go env GOROOT)/LICENSE"
