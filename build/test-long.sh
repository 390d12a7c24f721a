#!/bin/bash
# npm run test:long [-- SECONDS]: what takes too long for npm test. Every fuzzer, so many seconds each (60): those in C with
# AddressSanitizer and UndefinedBehaviorSanitizer, then those in TypeScript; and the C tests with gcc's and clang's sanitizers. As root also the
# races of spec-tests/{hardening,exec-hardening,images} with 1000 containers each, unless FUZZ_ONLY is set. Ends with the failed steps.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH" NO_COLOR=1

seconds=${1:-60}
failed=()
step() {
  local name=$1
  shift
  printf '\n=== %s\n' "$name"
  "$@" || failed+=("$name")
}

bash build/setup.sh test || exit 1
step "build" npm run --silent build
step "C fuzzers" csrc/test/fuzz.sh "$seconds"
# A file after the other, so that each has a processor for itself.
step "TypeScript fuzzers" env FUZZ_SECONDS="$seconds" vitest run fuzz.test --fileParallelism=false --disableConsoleIntercept=true
step "C tests" csrc/test/run.sh gcc clang
if ((EUID == 0)) && [[ -z ${FUZZ_ONLY:-} ]]; then
  step "hostile programs and races" env HARDENING_JOINS=1000 HARDENING_EXECS=1000 HARDENING_RACES=1000 \
    spec-tests/run.sh hardening exec-hardening images
fi
if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all passed"
