#!/bin/bash
# csrc/test/fuzz.sh [SECONDS [NAME...]]: every C fuzzer (fuzz_NAME.c), or those named, for so long each (60), with libFuzzer,
# AddressSanitizer and UndefinedBehaviorSanitizer. Needs clang and dist/gen (npm run gen). TAP on stdout; exit code 1 when one found
# something: dist/fuzz/NAME has the input then, and the log. What was found interesting is kept in dist/fuzz/NAME/corpus for the
# next time. FUZZ_CORPUS=none begins anew.
set -uo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
shift $(($# > 0))
names=("$@")
if ((${#names[@]} == 0)); then
  for file in csrc/test/fuzz_*.c; do
    file=$(basename "$file" .c)
    names+=("${file#fuzz_}")
  done
fi
flags="-std=gnu17 -g -O1 -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"
includes="-Icsrc/init -Icsrc/host -Idist/gen"

# What belongs to a fuzzer beside itself; init's own files have no libc, which does no harm.
sources() {
  case $1 in
  plan) echo csrc/init/plan.c ;;
  plan_send) echo csrc/host/*.c csrc/init/plan.c -pthread ;;
  messages) echo csrc/host/{reports,start_pipe,sockets,result}.c ;;
  init_messages) echo csrc/init/{plan,report,op_cred,path}.c ;;
  image) echo csrc/init/report.c ;;
  path) echo csrc/init/{path,report,plan,op_cgroup}.c ;;
  text) echo csrc/engine/escape.c ;;
  *) echo "fuzz.sh: there is no fuzzer $1" >&2; return 1 ;;
  esac
}

# Inputs to begin with, where random ones take long to get anywhere.
seeds() {
  case $1 in
  image)
    printf '\0\377\0root:x:0:0:root:/root:/bin/sh\nnobody:x:2:2::/:\n' >"$2/passwd"
    printf '\11\1\0a:x:3:3\na:x:00003:3:x:/home\0/x:y:z\na:x:3:3:x:/home/x' >"$2/passwd-nul"
    { printf '\0\377\0'; printf 'x%.0s' {1..4100}; printf '\na:x:0:0:x:/home/x\n'; } >"$2/passwd-long"
    printf '\1\1\0/bin:/usr/bin::/sbin\nsh' >"$2/path"
    printf '\2\377\0#! \t/bin/none arg\n' >"$2/interpreter"
    ;;
  messages)
    printf '\0\24\0\2\0\0\0\5\0\0\0\15\0\0\0\0\0\0\0\0\0\0\0' >"$2/barrier"
    printf '\0\24\1\4\0\0\0\5\0\0\0\0\0\0\0\52\0\0\0\0\0\0\0' >"$2/child"
    printf '\0\27\0\1\0\0\0\5\0\0\0\15\0\0\0\0\0\0\0\3\0\0\0abc' >"$2/failed"
    printf '\1\4\0\0\0S\1\0\0\0\5\0\0\0\15\0\0\0\0\0\0\0\3\0\0\0abc' >"$2/start"
    ;;
  path)
    # A file where a link leads out: n, d/r, o/new, x, m.
    printf '\1\7' >"$2/dangling"
    printf '\1\5\26' >"$2/below"
    printf '\1\4\36' >"$2/absolute"
    printf '\1\12' >"$2/file"
    printf '\0\13' >"$2/folder"
    ;;
  init_messages)
    { printf '\0\1\0\2\0\0\0BPlnx'; head -c 64 /dev/zero; } >"$2/plan"
    printf '\1\0\0\7\0\0\0' >"$2/go"
    printf '\2\1\0\7\0\0\0' >"$2/mount"
    printf '\3\3\0\3\0\0\0' >"$2/cgroups"
    printf '\4\0\0\6\0\0\0\0\0\377\177' >"$2/filter"
    ;;
  esac
}

failed=0
count=0
echo "1..${#names[@]}"
for name in "${names[@]}"; do
  count=$((count + 1))
  folder=dist/fuzz/$name
  [[ ${FUZZ_CORPUS:-} == none ]] && rm -rf "$folder"
  rm -f "$folder"/*-*
  mkdir -p "$folder/corpus" "$folder/seeds" "$folder/scratch"
  seeds "$name" "$folder/seeds"
  # shellcheck disable=SC2046,SC2086
  if ! clang $flags $includes "csrc/test/fuzz_$name.c" $(sources "$name") -o "$folder/fuzz"; then
    echo "not ok $count - fuzz_$name.c is built"
    failed=1
    continue
  fi
  FUZZ_FOLDER=$PWD/$folder/scratch timeout --kill-after=10 $((seconds + 240)) "$folder/fuzz" -max_total_time="$seconds" \
    -max_len=20000 -timeout=120 -rss_limit_mb=1024 -use_value_profile=1 -print_final_stats=1 \
    -artifact_prefix="$folder/" "$folder/corpus" "$folder/seeds" >"$folder/log" 2>&1
  rc=$?
  rm -rf "$folder/scratch"
  said=$(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) .*/\1 inputs in \2 s/p' "$folder/log")
  covered=$(grep -o 'cov: [0-9]*' "$folder/log" | tail -n 1)
  if ((rc == 0)) && [[ -n $said ]]; then
    echo "ok $count - $name: $said, $covered"
  else
    failed=1
    echo "not ok $count - $name: exit $rc, see $folder"
    grep -E 'ERROR|runtime error|SUMMARY|fuzz_.*\.c:[0-9]+' "$folder/log" | head -n 12 | sed 's/^/# /'
  fi
done
exit $failed
