#!/bin/bash
# npm run test:long [-- SECONDS]: what takes too long for npm test. Every fuzzer, so many seconds each (60): those in C with
# AddressSanitizer and UndefinedBehaviorSanitizer, then those in TypeScript; and the C tests with gcc's and clang's sanitizers. As root also the
# races of spec-tests/{hardening,exec-hardening,images} with 1000 containers each, unless FUZZ_ONLY is set. Ends with a line for each fuzzer
# and the failed steps.
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

c_fuzzers() {
  csrc/test/fuzz.sh "$seconds" | tee dist/fuzz/c.log
}
# A file after the other, so that each has a processor for itself.
typescript_fuzzers() {
  FUZZ_SECONDS="$seconds" vitest run fuzz.test --fileParallelism=false --disableConsoleIntercept=true | tee dist/fuzz/typescript.log
}

bash build/setup.sh test || exit 1
mkdir -p dist/fuzz
step "build" npm run --silent build
step "C fuzzers" c_fuzzers
step "TypeScript fuzzers" typescript_fuzzers
step "C tests" csrc/test/run.sh gcc clang
if ((EUID == 0)) && [[ -z ${FUZZ_ONLY:-} ]]; then
  step "hostile programs and races" env HARDENING_JOINS=1000 HARDENING_EXECS=1000 HARDENING_RACES=1000 \
    spec-tests/run.sh hardening exec-hardening images
fi
printf '\n=== the fuzzers\n'
sed -n 's/^ok [0-9]* - \(.* inputs in .*\)/\1/p; /^not ok/p' dist/fuzz/c.log
grep ' inputs in ' dist/fuzz/typescript.log
if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all passed"
