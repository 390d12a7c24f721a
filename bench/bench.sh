#!/usr/bin/env bash
# npm run bench [-- ROUNDS]: see bench.ts. RUNTIMES="name=path ..." adds to or replaces what is compared.
set -eu
cd "$(dirname "$0")/.."
mkdir -p dist/bench
for name in floor timer; do
  if [ ! -e dist/bench/$name ] || [ bench/$name.c -nt dist/bench/$name ]; then
    cc -std=gnu17 -O2 -Wall -Wextra -static -o dist/bench/$name bench/$name.c
  fi
done
exec spec-tests/support/private.sh "${BENCH_VIEW:-v1}" node_modules/.bin/tsx bench/bench.ts "$@"
