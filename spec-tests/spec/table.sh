#!/usr/bin/env bash
# spec-tests/spec/table.sh: runs the tests that the rules name on berth, runc and crun, with cgroup v1 and v2, and writes
# docs/conformance.md. Runs for minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/node_modules/.bin:$PATH" NO_COLOR=1 RUNTIMES="${RUNTIMES:-dist/berth runc crun}"

versions=""
for runtime in $RUNTIMES; do versions+="${versions:+; }$("$runtime" --version | head -n 1)"; done
reports=$PWD/dist/conformance
rm -rf "$reports"
mkdir -p "$reports"
# The files that rules name, and for the second view those about cgroups.
mapfile -t files < <(tsx spec-tests/spec/files.ts)
run() {
  VIEW=$1 spec-tests/run.sh "${@:2}" --reporter=dot --reporter=json "--outputFile.json=$reports/$1.json" || true
  [ -s "$reports/$1.json" ]
}
run v1 "${files[@]}"
# crun wants to raise a limit for its device program, which takes a capability that not every machine gives.
capsh --has-p=cap_sys_resource 2>/dev/null || export RUNTIMES=${RUNTIMES/ crun/}
run v2 spec/linux.test resources.test
run hybrid resources.test
VERSIONS="$versions; Linux $(uname -r | cut -d. -f1,2), cgroup v1 and v2." tsx build/conformance-table.ts "$reports"/*.json
