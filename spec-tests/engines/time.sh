#!/bin/bash
# spec-tests/engines/time.sh [ROUNDS]: `podman run`, `podman exec` and `ctr run` with Berth and with crun and runc, interleaved,
# in a namespace of their own on this machine: root, cgroupfs. Medians in ms. COMMANDS="podman-exec": only those.
set -uo pipefail
if [[ -z ${ENGINE_PLACE:-} ]]; then
  cd "$(dirname "$0")/../.." || exit 1
  view=v1
  [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || view=v2
  ENGINE_PLACE=here exec spec-tests/support/private.sh "$view" bash spec-tests/engines/time.sh "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rounds=${1:-25}
runtimes=(berth crun runc)
path() { if [[ $1 == berth ]]; then echo "$berth"; else command -v "$1"; fi; }

image_tree
. "$folder/podman.sh" # for its prepare
prepare
podman_image=$image
. "$folder/containerd.sh"
prepare
for runtime in "${runtimes[@]}"; do
  podman --runtime "$(path "$runtime")" run -d --name "hold-$runtime" --network none "$podman_image" sleep 100000 >/dev/null
done

# settled: nothing of the call before goes on in the background, as Podman's clean-up of a container does.
settled() {
  local end=$((SECONDS + 5))
  while pgrep -x podman >/dev/null && ((SECONDS < end)); do sleep 0.02; done
}
# measure LABEL COMMAND...: LABEL and its microseconds.
measure() {
  local label=$1 from
  shift
  settled
  from=${EPOCHREALTIME/./}
  "$@" </dev/null >/dev/null 2>&1 || echo "# failed: $*" >&2
  echo "$label $((${EPOCHREALTIME/./} - from))"
}
once() {
  local command=$1 runtime=$2
  case $command in
  podman-run) measure "$command $runtime" podman --runtime "$(path "$runtime")" run --rm --network none "$podman_image" true ;;
  podman-exec) measure "$command $runtime" podman exec "hold-$runtime" true ;;
  ctr-run) measure "$command $runtime" ctr run --rm --runc-binary "$(path "$runtime")" "$image" "t-$runtime-$3" true ;;
  esac
}
# Each command in a row of its own, since one leaves work for the background; each round begins with another runtime.
for command in ${COMMANDS:-podman-run podman-exec ctr-run}; do
  for ((round = 0; round < rounds; round++)); do
    for ((i = 0; i < 3; i++)); do
      once "$command" "${runtimes[(round + i) % 3]}" "$round"
    done
  done
done >"$work/times"
podman rm -f -t 0 -a >/dev/null
cleanup
echo "# $rounds rounds, medians in ms: $(podman --version), $(containerd --version | cut -d' ' -f1,3)"
printf '%-18s' command "${runtimes[@]}" "berth/crun" "berth/runc"
echo
# row COMMAND PERCENT: of each runtime, the time that this many of the rounds are below; then Berth's share of the others.
row() {
  local runtime
  printf '%-18s' "$1$([[ $2 == 50 ]] || echo " $2 %")"
  for runtime in "${runtimes[@]}"; do
    awk -v c="$1" -v r="$runtime" '$1 == c && $2 == r { print $3 }' "$work/times" | sort -n |
      awk -v p="$2" '{ v[NR] = $1 } END { print v[int((NR - 1) * p / 100) + 1] }'
  done | awk '{ v[NR] = $1 } END { for (i = 1; i <= NR; i++) printf "%-14.1f", v[i] / 1000; printf "%-14.2f%.2f\n", v[1] / v[2], v[1] / v[3] }'
}
for command in ${COMMANDS:-podman-run podman-exec ctr-run}; do
  row "$command" 50
  row "$command" 10 # what other work of the machine disturbs least
done
