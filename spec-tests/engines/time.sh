#!/bin/bash
# spec-tests/engines/time.sh [ROUNDS]: `podman run`, `podman exec` and `ctr run` with Berth and with crun and runc, interleaved,
# in a namespace of their own on this machine: root, cgroupfs. Medians in ms.
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

# measure COMMAND...: its microseconds.
measure() {
  local from=${EPOCHREALTIME/./}
  "$@" </dev/null >/dev/null 2>&1 || echo "# failed: $*" >&2
  echo $((${EPOCHREALTIME/./} - from))
}
for ((round = 0; round < rounds; round++)); do
  for runtime in "${runtimes[@]}"; do
    echo "podman-run $runtime $(measure podman --runtime "$(path "$runtime")" run --rm --network none "$podman_image" true)"
    echo "podman-exec $runtime $(measure podman exec "hold-$runtime" true)"
    echo "ctr-run $runtime $(measure ctr run --rm --runc-binary "$(path "$runtime")" "$image" "t-$runtime-$round" true)"
  done
done >"$work/times"
podman rm -f -t 0 -a >/dev/null
cleanup
echo "# $rounds rounds, medians in ms: $(podman --version), $(containerd --version | cut -d' ' -f1,3)"
printf '%-14s' command "${runtimes[@]}" "berth/crun" "berth/runc"
echo
for command in podman-run podman-exec ctr-run; do
  printf '%-14s' "$command"
  for runtime in "${runtimes[@]}"; do
    awk -v c="$command" -v r="$runtime" '$1 == c && $2 == r { print $3 }' "$work/times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
  done | awk '{ v[NR] = $1 } END { for (i = 1; i <= NR; i++) printf "%-14.1f", v[i] / 1000; printf "%-14.2f%.2f\n", v[1] / v[2], v[1] / v[3] }'
done
