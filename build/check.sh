#!/bin/bash
# Everything that must be green before a change is done and needs no root: generated files, types, lint, format, import
# boundaries and unit tests. Runs all of them and names those that failed.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

failed=()
step() {
  local name=$1
  shift
  "$@" && return
  failed+=("$name")
}

bash build/setup.sh || exit 1
step "generated files" tsx build/gen.ts --check
step types tsc --noEmit
step "lint and format" biome check --error-on-warnings
step "C format" clang-format --dry-run -Werror $(git ls-files --cached --others --exclude-standard 'csrc/*.c' 'csrc/*.h' 'bench/*.c' ':!*.gen.h')
# UNIT_REPORT: where npm test wants the numbers as JSON.
step "unit tests" vitest run src build ${UNIT_REPORT:+--reporter=default --reporter=json "--outputFile.json=$UNIT_REPORT"}

if ((${#failed[@]})); then
  printf 'check failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "check passed"
