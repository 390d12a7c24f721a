#!/bin/bash
# spec-tests/guest.sh [NAME...]: the tests of spec-tests/guest in the guest machine, all of them or those named (without
# .sh). Each Debian suite that a test asks for (`# suites: bookworm sid`; bookworm when it does not say) is booted once.
# TAP on standard output; exit code 1 when anything failed.
#
#   GUEST_SUITES=sid spec-tests/guest.sh       only these suites
#   BERTH=dist/test/berth spec-tests/guest.sh  another executable
set -uo pipefail
cd "$(dirname "$0")/.."

# inside SUITE NAME...: in the guest. A file that dies before its plan is a failure, too.
inside() {
  local file try rc failed=0
  shift
  for file; do
    for ((try = 0; try <= ${RETRY:-0}; try++)); do
      one "$file" $((try < ${RETRY:-0}))
      rc=$?
      ((rc != 0)) || break
    done
    ((rc == 0)) || failed=1
  done
  exit $failed
}
# one NAME FIRST: with FIRST, it is tried again when it fails: only what failed is said then, as something unsteady.
one() {
  local file=$1 first=$2 output=/root/$1.tap rc
  # Through a file: what a test leaves running would keep a pipe open.
  : >"$output"
  timeout --kill-after=10 "${GUEST_FILE_TIMEOUT:-400}" bash "spec-tests/guest/$file.sh" </dev/null >"$output" 2>&1 &
  ((first)) || tail --pid=$! -n +1 -f "$output"
  wait $!
  rc=$?
  if ((rc > 1)) || ! grep -q '^1\.\.' "$output"; then
    echo "not ok - $file.sh ended with $rc" >"$output.end"
    rc=2
  else
    : >"$output.end"
  fi
  if ((first && rc != 0)); then
    sed -n 's/^ok\b.*//; s/^not ok/# unsteady: guest/; /./p' "$output" "$output.end"
  elif ((first)); then
    cat "$output"
  else
    cat "$output.end"
  fi
  return $rc
}
if [[ ${1:-} == --inside ]]; then
  shift
  inside "$@"
fi

files_for() {
  local suite=$1 file wants
  shift
  for file; do
    wants=$(sed -n 's/^# suites: *//p' "spec-tests/guest/$file.sh")
    [[ " ${wants:-bookworm} " == *" $suite "* ]] && echo "$file"
  done
}

names=("$@")
if ((${#names[@]} == 0)); then
  for file in spec-tests/guest/*.sh; do
    file=$(basename "$file" .sh)
    [[ $file == lib ]] || names+=("$file")
  done
fi
# The table of resource settings: one program, and the Node that runs it there.
mkdir -p dist/guest
node_modules/.bin/esbuild --log-level=warning --bundle --platform=node --format=esm --outfile=dist/guest/resources.mjs \
  spec-tests/resources/main.ts || exit 1
node_modules/.bin/esbuild --log-level=warning --bundle --platform=node --format=esm --outfile=dist/guest/compat.mjs \
  spec-tests/compat/main.ts || exit 1
cp -u "$(readlink -f "$(command -v node)")" dist/guest/node
for name in bomb receiver; do
  cc -std=gnu17 -O1 -static -o dist/guest/$name spec-tests/support/helpers/$name.c || exit 1
done
failed=0
# Debian 12's systemd still knows the older cgroups: "bookworm-v1" and "bookworm-hybrid" are booted with them.
declare -A appended=(
  [bookworm-v1]="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1"
  [bookworm-hybrid]="systemd.unified_cgroup_hierarchy=0"
)
for suite in ${GUEST_SUITES:-bookworm sid bookworm-v1 bookworm-hybrid}; do
  mapfile -t files < <(files_for "$suite" "${names[@]}")
  ((${#files[@]} > 0)) || continue
  echo "# guest $suite: ${files[*]}"
  VM_SUITE=${suite%%-*} VM_APPEND=${appended[$suite]:-} VM_ENV="BERTH RETRY GUEST_FILE_TIMEOUT FIRST PEERS MODES TITLE UPDATE BUDGET" spec-tests/vm/vm run --timeout "${GUEST_TIMEOUT:-2400}" -- \
    bash spec-tests/guest.sh --inside "$suite" "${files[@]}"
  rc=$?
  ((rc == 0)) || failed=1
  ((rc <= 1)) || echo "not ok - the $suite guest (exit $rc)"
done
exit $failed
