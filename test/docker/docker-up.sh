#!/usr/bin/env bash
# Starts a private dockerd (Debian docker.io). Needs root. Idempotent.
set -euo pipefail
: "${DOCKER_STATE:=${TMPDIR:-/tmp}/connector-docker}"
export DEBIAN_FRONTEND=noninteractive
{ command -v dockerd && command -v mmdebstrap; } >/dev/null || { apt-get update -qq; apt-get install -y -qq --no-install-recommends docker.io docker-compose iptables mmdebstrap >/dev/null; }
mkdir -p "$DOCKER_STATE"
if ! DOCKER_HOST="unix://$DOCKER_STATE/docker.sock" docker version >/dev/null 2>&1; then
  setsid nohup dockerd --data-root "$DOCKER_STATE/data" --exec-root "$DOCKER_STATE/exec" \
    -p "$DOCKER_STATE/dockerd.pid" -H "unix://$DOCKER_STATE/docker.sock" >"$DOCKER_STATE/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 120); do DOCKER_HOST="unix://$DOCKER_STATE/docker.sock" docker version >/dev/null 2>&1 && break; sleep 0.25; done
fi
echo "export DOCKER_HOST=unix://$DOCKER_STATE/docker.sock TESTCONTAINERS_RYUK_DISABLED=true"
