#!/usr/bin/env bash
# Makes (once) a virtual environment with the packages of test/$1/requirements.txt and prints its interpreter.
# Exits with 3 where there is no Python 3.11 to 3.13: the tests that need one are then skipped by name.
set -euo pipefail
cd "$(dirname "$0")/.."
name="$1"
requirements="test/$name/requirements.txt"
venv="${TMPDIR:-/tmp}/connector-python-$name"

if [ ! -e "$venv/made-of" ] || ! cmp -s "$requirements" "$venv/made-of"; then
  python=
  for candidate in python3.13 python3.12 python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[123].*/bin/python python3; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      python="$candidate"
      break
    fi
  done
  [ -n "$python" ] || { echo "no Python 3.11 to 3.13 here" >&2; exit 3; }
  "$python" -m venv --clear "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2
  cp "$requirements" "$venv/made-of"
fi
echo "$venv/bin/python"
