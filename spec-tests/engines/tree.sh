#!/bin/bash
# spec-tests/engines/tree.sh IMAGE COMMAND...: runs COMMAND with the programs of a guest's disk (root.raw) on this machine's
# kernel, as fast as this machine's own. Started by private.sh. What is written to that tree is lost; the current folder is
# /mnt/share there, /proc, /sys, /dev and $BERTH_WORK are this machine's.
set -eu
image=$1
shift
tree=$BERTH_WORK/tree
if [[ ${BERTH_TREE:-} != inside ]]; then
  mkdir "$tree"
  BERTH_TREE=inside exec unshare --mount --propagation private -- bash "$0" "$image" "$@"
fi
mount -t tmpfs -o mode=755 tmpfs "$tree"
mkdir "$tree"/{lower,upper,scratch,root}
mount -o loop,ro,noload "$image" "$tree/lower"
mount -t overlay -o "lowerdir=$tree/lower,upperdir=$tree/upper,workdir=$tree/scratch" overlay "$tree/root"
cd "$tree/root"
mkdir -p mnt/share ".$BERTH_WORK" .old
mount --bind "$OLDPWD" mnt/share
mount --rbind /proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount --bind "$BERTH_WORK" ".$BERTH_WORK"
pivot_root . .old
umount -l /.old
cd /mnt/share
exec env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
