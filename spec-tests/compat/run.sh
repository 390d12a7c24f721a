#!/usr/bin/env bash
# spec-tests/compat/run.sh [BEGINNING OF A TITLE...]: Berth's command line beside the runc and crun of this machine, in a
# view of cgroup v1; see main.ts. UPDATE=1 records what is seen; BERTH= is another executable.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p dist/guest
node_modules/.bin/esbuild --log-level=warning --bundle --platform=node --format=esm --outfile=dist/guest/compat.mjs spec-tests/compat/main.ts
cc -std=gnu17 -O1 -Wall -Wextra -static -o dist/guest/receiver spec-tests/support/helpers/receiver.c
exec spec-tests/support/private.sh "${VIEW:-v1}" node dist/guest/compat.mjs "$@"
