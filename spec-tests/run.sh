#!/usr/bin/env bash
# spec-tests/run.sh [vitest arguments]: the spec tests in a private namespace.
#   RUNTIME=runc spec-tests/run.sh lifecycle        another runtime (default dist/berth), one file
#   RUNTIMES="runc crun" spec-tests/run.sh          several
#   VIEW=v2 spec-tests/run.sh                       another cgroup mode: v1 (default where there is one), hybrid, v2
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ]; then
  echo "spec-tests: they need root" >&2
  exit 1
fi
if [ -z "${VIEW:-}" ]; then
  VIEW=v1
  [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || VIEW=v2
fi
exec spec-tests/support/private.sh "$VIEW" node_modules/.bin/vitest run --config spec-tests/vitest.config.ts "$@"
