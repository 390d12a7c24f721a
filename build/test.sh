#!/bin/bash
# npm test: installs what is missing, builds, runs everything, and ends with one line `N passed, N failed, N skipped`.
#
#   TEST_ONLY="spec demo"   only these of: check c init spec node views conformance demo guest
#   RETRY=1                 what fails is tried once more; what passes then is named at the end as unsteady
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH" NO_COLOR=1

reports=$PWD/dist/reports
only=${TEST_ONLY:-check c init spec node views conformance demo guest}
wanted() { [[ " $only " == *" $1 "* ]]; }

# A step is a test of its own in steps.tap: it may fail without any report.
step() {
  local name=$1 seconds=$2
  shift 2
  printf '\n=== %s\n' "$name"
  if timeout --foreground --kill-after=20 "$seconds" "$@"; then
    echo "ok - $name" >>"$reports/steps.tap"
  else
    echo "not ok - $name (exit $?)" >>"$reports/steps.tap"
    return 1
  fi
}
skip() {
  printf '\n=== %s: skipped, %s\n' "$1" "$2"
  echo "ok - $1 # SKIP $2" >>"$reports/steps.tap"
}
finish() {
  printf '\n'
  tsx build/summary.ts "$reports"
  exit $?
}
# vitest's words on the screen, its numbers in a report.
reporting() { printf -- '--reporter=verbose --reporter=json --outputFile.json=%s' "$reports/$1.json"; }
# vitest ends with 1 when a test failed: the report says so already, only a missing report is a failure of the step.
spec() {
  local name=$1
  shift
  printf '\n=== %s\n' "$name"
  timeout --foreground --kill-after=20 1200 env "$@"
  [[ -s $reports/$name.json ]] || echo "not ok - $name ended without a report" >>"$reports/steps.tap"
}

# tap NAME SECONDS COMMAND...: its TAP is a report; on the screen, what passed is left out.
tap() {
  local name=$1 seconds=$2 try rc
  shift 2
  printf '\n=== %s\n' "$name"
  for ((try = 0; try <= ${RETRY:-0}; try++)); do
    # Of an earlier try only what failed counts, as something unsteady.
    [[ ! -e $reports/$name.tap ]] || sed -n "s/^not ok/# unsteady: $name:/p" "$reports/$name.tap" >>"$reports/unsteady.tap"
    timeout --foreground --kill-after=20 "$seconds" "$@" | tee "$reports/$name.tap" | grep -v '^ok'
    rc=${PIPESTATUS[0]}
    ((rc != 0)) || return 0
  done
  echo "not ok - $name (exit $rc)" >>"$reports/steps.tap"
}

bash build/setup.sh test || exit 1
rm -rf "$reports"
mkdir -p "$reports"
step "build" 900 npm run --silent build || finish
step "build of the test variant" 900 npm run --silent build -- --test || finish

if wanted check; then
  UNIT_REPORT=$reports/unit.json step "check" 900 npm run --silent check
fi
wanted c && tap "C tests" 900 csrc/test/run.sh

if ((EUID != 0)); then
  for name in init spec node views conformance demo guest; do wanted $name && skip $name "needs root"; done
  finish
fi

# The executor alone: real plans, as root.
wanted init && spec init vitest run --config csrc/test/init/vitest.config.ts $(reporting init)
# dist/berth in the machine's own kind of cgroups.
if wanted spec; then
  spec spec spec-tests/run.sh $(reporting spec)
  # Every rule of runtime-spec has a test in that report, and none of them failed.
  step "rules of runtime-spec" 60 tsx build/conformance-table.ts --check "$reports/spec.json"
fi
# The same rules for the Node host, where both hosts could differ: what a program sees, the life cycle, the command line.
wanted node && spec node RUNTIMES=spec-tests/support/node-berth.sh HARDENING_JOINS=20 spec-tests/run.sh parity lifecycle console cli hardening exec.test $(reporting node)
if wanted views; then
  # What depends on the kind of cgroups, in the other kinds that can be shown here.
  for view in hybrid v2; do
    [[ $view == hybrid && $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] && continue
    spec views-$view VIEW=$view spec-tests/run.sh lifecycle mounts namespaces cgroups devices syscalls limits pause ps kill update exec rootless $(reporting views-$view)
  done
  # Every command and flag beside runc; the guest asks the newest runc for what is different.
  if [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]]; then
    tap "the command line beside runc" 900 spec-tests/compat/run.sh
  fi
  # The table of resource settings; the guest does it for cgroup v2.
  for view in v1 hybrid; do
    [[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] && continue
    tap "resource settings, $view" 300 env VIEW=$view spec-tests/resources/run.sh
  done
fi
# The validation suite of runtime-tools; runc and crun are asked about what fails, so that no excuse is out of date.
if wanted conformance; then
  if PATH=$PATH:/usr/local/go/bin command -v go >/dev/null; then
    printf '\n=== conformance\n'
    REPORT=$reports/conformance.tap COMPARE=failures timeout --foreground --kill-after=20 900 spec-tests/conformance/run.sh
    rc=$?
    ((rc <= 1)) && [[ -s $reports/conformance.tap ]] || echo "not ok - spec-tests/conformance/run.sh (exit $rc)" >>"$reports/steps.tap"
  else
    skip conformance "needs Go"
  fi
fi
wanted demo && step "demo" 120 env DEMO_NO_BUILD=1 unshare --mount --propagation private bash build/demo.sh
# Pure cgroup v2, systemd, other kernels, newer peers, no network.
if wanted guest; then
  step "demo in the guest" 1200 spec-tests/vm/vm run -- env DEMO_NO_BUILD=1 bash build/demo.sh
  printf '\n=== tests in the guests\n'
  timeout --foreground --kill-after=20 5400 spec-tests/guest.sh | tee "$reports/guest.tap"
  rc=${PIPESTATUS[0]}
  ((rc == 0)) || echo "not ok - spec-tests/guest.sh (exit $rc)" >>"$reports/steps.tap"
fi
finish
