#!/bin/bash
# spec-tests/engines/run.sh ENGINE [PLACE...]: ENGINE (podman, containerd, cri, docker, buildah) with Berth and, for comparison, with
# the runtime it uses in production. PLACE is `here` (this machine's programs, in a namespace of their own), `bookworm` or `sid`
# (the guest's; they need minutes), or `sid-here` (the programs of the guest's disk on this machine's kernel: other versions, in
# seconds); here when none is named and the engine is installed.
#
#   BERTH=dist/test/berth   another executable
#   ONLY=REGEXP             only cases whose title matches (what they build on must match as well)
#   ALL=1                   in the guest, too, the cases that cannot differ there
#   VERBOSE=1               says what it is doing
#   CONTROL=runc            the other runtime; crun for Podman and buildah, runc for containerd and Docker when not said
set -uo pipefail
cd "$(dirname "$0")/../.."

engine=${1:?engine}
shift
script=spec-tests/engines/$engine.sh
[[ -f $script ]] || { echo "no such engine: $engine" >&2 && exit 2; }
(($# > 0)) || set -- here
case $engine in
podman | podman-rootless) programs=(podman) ;;
containerd | cri) programs=(containerd) ;;
docker) programs=(dockerd docker.io) ;;
buildah) programs=(buildah) ;;
esac
case $engine in
containerd | cri | docker) export CONTROL=${CONTROL:-runc} ;;
*) export CONTROL=${CONTROL:-crun} ;;
esac
# The client of the CRI, which no package brings.
if [[ $engine == cri ]]; then
  export CRI=dist/cri
  (cd spec-tests/engines/cri && CGO_ENABLED=0 go build -o ../../../$CRI .) || exit 1
fi

failed=0
for place; do
  echo "# $engine, $place"
  if [[ $place == here ]] && ! command -v "${programs[0]}" >/dev/null; then
    echo "not ok - $engine is not installed here: apt-get install ${programs[-1]}"
    failed=1
    continue
  fi
  packages=
  [[ $place != sid* ]] || packages="docker.io docker-cli buildah"
  if [[ $place == *here ]]; then
    view=v1
    [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || view=v2
    call=(bash "$script")
    if [[ $place == *-here ]]; then
      image=$(VM_SUITE=${place%-here} VM_PACKAGES=$packages spec-tests/vm/vm build)/root.raw || exit 1
      call=(bash spec-tests/engines/tree.sh "$image" "${call[@]}")
    fi
    ENGINE_PLACE=here timeout --foreground --kill-after=20 "${ENGINE_TIMEOUT:-900}" spec-tests/support/private.sh "$view" "${call[@]}"
  else
    # The guest has this machine's time of day. What is left is for the table.
    export ENGINE_END=$((EPOCHSECONDS + ${ENGINE_TIMEOUT:-900} - 200))
    ENGINE_PLACE=guest VM_SUITE=$place VM_PACKAGES=$packages VM_ENV="ENGINE_PLACE BERTH CRI CONTROL ONLY PARALLEL VERBOSE ALL ENGINE_END" \
      spec-tests/vm/vm run --timeout "${ENGINE_TIMEOUT:-900}" -- bash "$script"
  fi || failed=1
done
exit $failed
