#!/bin/bash
# spec-tests/conformance/run.sh [PROGRAM...]: see main.ts. One suite at a time: its programs share cgroups by name.
# `guest` in front: in the guest machine, see guest.sh.
set -eu
cd "$(dirname "$0")/../.."
if [ "${1:-}" = guest ]; then
  shift
  exec spec-tests/conformance/guest.sh "$@"
fi
if [ "$(id -u)" != 0 ]; then
  echo "conformance: it needs root" >&2
  exit 1
fi
exec flock --close "${TMPDIR:-/tmp}/berth-conformance.lock" node_modules/.bin/tsx spec-tests/conformance/main.ts "$@"
