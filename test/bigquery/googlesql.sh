#!/usr/bin/env bash
# Builds (once) goccy/bigquery-emulator, whose front end is GoogleSQL's own, and prints the path of its program. Needs Go 1.25, a C++
# compiler, about 6 GB of memory, 4 GB of disk and some minutes.
#   GOOGLESQL_STATE is where it is built.
set -euo pipefail
version=v0.8.1
state=${GOOGLESQL_STATE:-${TMPDIR:-/tmp}/cleargrid-googlesql}
program=$state/bigquery-emulator-$version

[ -x "$program" ] && { echo "$program"; exit 0; }
command -v go >/dev/null || { echo 'no Go found: https://go.dev/doc/install' >&2; exit 3; }
mkdir -p "$state/module"
cd "$state/module"
# `go install` refuses it for a directive in its go.mod: a module around it builds.
cat >go.mod <<'EOF'
module cleargrid.example/googlesql

go 1.25.0

tool github.com/goccy/bigquery-emulator/cmd/bigquery-emulator

require github.com/goccy/bigquery-emulator v0.8.1
EOF
go mod tidy >&2
go build -o "$program" github.com/goccy/bigquery-emulator/cmd/bigquery-emulator >&2
echo "$program"
