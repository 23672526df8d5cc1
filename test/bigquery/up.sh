#!/usr/bin/env bash
# Installs (once) and starts a BigQuery emulator on loopback, and prints the lines to eval. Needs Python 3.13 or later; exits 3 without it.
#   eval "$(test/bigquery/up.sh)"
#   test/bigquery/up.sh --install    installs only
#   kill "$(cat "$BQ_DATA/pid")"     stops it
# BQ_STATE is where it is installed, BQ_DATA where one that runs keeps its data, BQ_PORT and BQ_GRPC_PORT where it listens.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
state=${BQ_STATE:-${TMPDIR:-/tmp}/cleargrid-bigquery}
data=${BQ_DATA:-$state/data}
port=${BQ_PORT:-9050}
grpc=${BQ_GRPC_PORT:-9060}
project=${BQ_PROJECT:-test-project}
base="http://127.0.0.1:$port"

# Its port opens before it can answer.
ready() { curl -fsS -m 5 -o /dev/null "$base/bigquery/v2/projects/$project/datasets" 2>/dev/null; }
say() { printf 'export CLEARGRID_TEST_BIGQUERY_ENDPOINT=%s CLEARGRID_TEST_BIGQUERY_PROJECT=%s BQ_DATA=%s\n' "$base" "$project" "$data"; }

mkdir -p "$state/home" "$data"
if [ "${1:-}" != --install ] && ready; then say; exit 0; fi

(
  flock 9
  [ -e "$state/venv/installed" ] && exit 0
  python=''
  for candidate in "${PYTHON313:-}" python3.13 python3 "$HOME"/.pyenv/versions/3.1[3-9]*/bin/python3; do
    [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null && { python=$candidate; break; }
  done
  [ -n "$python" ] || { echo 'no Python 3.13 or later found (PYTHON313 may name one)' >&2; exit 3; }
  rm -rf "$state/venv"
  "$python" -m venv "$state/venv"
  # --no-deps: local-bigquery asks for duckdb >= 2, for which there are no wheels of the extensions; 1.5.5 works with launch.py.
  "$state/venv/bin/pip" install -q --no-deps --only-binary :all: -r "$here/requirements.txt" >&2
  HOME="$state/home" "$state/venv/bin/python" "$here/preinstall-duckdb-extensions.py" >&2
  touch "$state/venv/installed"
) 9>"$state/lock"
[ "${1:-}" = --install ] && exit 0

HOME="$state/home" POSTGRES_URI=postgresql://127.0.0.1:1/none nohup setsid "$state/venv/bin/python" "$here/launch.py" \
  --host 127.0.0.1 --port "$port" --grpc-port "$grpc" --project "$project" --data-dir "$data" >"$data/log" 2>&1 9>&- &
echo $! >"$data/pid"
for _ in $(seq 600); do
  ready && { say; exit 0; }
  kill -0 "$(cat "$data/pid")" 2>/dev/null || break
  sleep 0.1
done
tail -20 "$data/log" >&2
exit 1
