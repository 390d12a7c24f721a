#!/bin/bash
# spec-tests/conformance/guest.sh [PROGRAM...]: the suite in the guest machine: pure cgroup v2, all capabilities, AppArmor,
# the runc and crun of that Debian (VM_SUITE=sid is a newer one). There is no Go and no Node in the guest: the programs are
# built here, and Node is brought along. main.ts has the variables; what the controls did is kept in dist/guest.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=dist/guest/conformance

if [ "${1:-}" = --inside ]; then
  shift
  # Programs start slowly from the share.
  cp -r "$folder" /root/conformance
  cp dist/guest/node /root/conformance/node
  PATH=/root/conformance:$PATH
  RUNTIME=${RUNTIME:-dist/berth}
  if [[ $RUNTIME == */* && $RUNTIME != *.sh ]]; then
    cp "$RUNTIME" "/root/conformance/${RUNTIME##*/}"
    RUNTIME=/root/conformance/${RUNTIME##*/}
  fi
  export RUNTIME PROGRAMS=/root/conformance/programs CONTROLS_FILE=$PWD/dist/guest/controls.json
  exec node /root/conformance/main.mjs "$@"
fi

rm -rf "$folder"
mkdir -p "$folder"
cp -r "$(node_modules/.bin/tsx spec-tests/conformance/main.ts --build)" "$folder/programs"
node_modules/.bin/esbuild --log-level=warning --bundle --platform=node --format=esm --outfile="$folder/main.mjs" \
  spec-tests/conformance/main.ts
cp -u "$(readlink -f "$(command -v node)")" dist/guest/node
# Without KVM everything takes its time.
export LIMIT=${LIMIT:-600} COMPARE=${COMPARE:-failures}
VM_ENV="RUNTIME CONTROLS COMPARE RACES REPORT JOBS LIMIT" exec spec-tests/vm/vm run --timeout "${GUEST_TIMEOUT:-2400}" -- \
  bash spec-tests/conformance/guest.sh --inside "$@"
