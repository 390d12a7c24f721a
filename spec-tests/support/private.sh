#!/usr/bin/env bash
# private.sh v1|hybrid|v2 COMMAND... runs COMMAND in its own pid and mount namespaces, where
#   - /sys/fs/cgroup shows the wanted mode (crun refuses hybrid, so "v1" hides the unified hierarchy);
#   - /dev/null is a node of our own, because runtimes change the owner of their standard streams;
#   - $BERTH_WORK is an empty tmpfs;
#   - every process is ours, so that whatever is left of a container can be seen and ends with COMMAND.
set -eu

if [ "${BERTH_PRIVATE:-}" != inside ]; then
  tag=bt$$
  BERTH_PRIVATE=inside BERTH_TAG=$tag unshare --mount --pid --fork --kill-child --mount-proc \
    --propagation private -- bash "$0" "$@" <&0 &
  child=$!
  trap 'kill "$child" 2>/dev/null' TERM INT HUP
  rc=0
  wait "$child" || rc=$?
  # After a run that was broken off.
  find /sys/fs/cgroup -depth -type d -name "$tag*" -exec rmdir {} + 2>/dev/null || true
  exit "$rc"
fi

view=$1
shift
case $view in
v1)
  # A tmpfs of our own with the v1 hierarchies: what a runtime leaves in it does not reach the machine's.
  tree=$(mktemp -d /tmp/berth-cgroup.XXXXXX)
  mount -t tmpfs -o mode=755 tmpfs "$tree"
  for point in $(awk '$3 == "cgroup" { print $2 }' /proc/mounts); do
    mkdir "$tree/${point##*/}"
    mount --bind "$point" "$tree/${point##*/}"
  done
  umount -R /sys/fs/cgroup
  mount --move "$tree" /sys/fs/cgroup
  rmdir "$tree"
  ;;
hybrid)
  grep -q ' cgroup2 ' /proc/mounts || { mkdir -p /sys/fs/cgroup/unified; mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified; }
  ;;
v2)
  if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
  fi
  ;;
*) echo "private.sh: unknown view $view" >&2; exit 2 ;;
esac

BERTH_WORK=$(mktemp -d /tmp/berth-work.XXXXXX)
mount -t tmpfs -o mode=755 tmpfs "$BERTH_WORK"
mknod -m 666 "$BERTH_WORK/null" c 1 3
mount --bind "$BERTH_WORK/null" /dev/null
export BERTH_WORK BERTH_VIEW=$view

# Not exec: this shell is pid 1 here and collects orphans.
rc=0
"$@" || rc=$?
umount "$BERTH_WORK" 2>/dev/null || umount -l "$BERTH_WORK"
rmdir "$BERTH_WORK"
exit $rc
