#!/usr/bin/env bash
# spec-tests/resources/run.sh [BEGINNING OF A ROW'S TITLE...]: the table of resource settings here, in the view VIEW (v1,
# hybrid; what a machine with cgroup v2 shows is left to the guest). crun 1.8 refuses hybrid.
set -eu
cd "$(dirname "$0")/../.."
VIEW=${VIEW:-v1}
peers="runc crun"
[ "$VIEW" != hybrid ] || peers=runc
mkdir -p dist/guest
node_modules/.bin/esbuild --log-level=warning --bundle --platform=node --format=esm --outfile=dist/guest/resources.mjs spec-tests/resources/main.ts
MODE=${MODE:-$VIEW} PEERS=${PEERS:-$peers} exec spec-tests/support/private.sh "$VIEW" node dist/guest/resources.mjs "$@"
