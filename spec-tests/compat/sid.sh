#!/usr/bin/env bash
# spec-tests/compat/sid.sh [BEGINNING OF A TITLE...]: as run.sh, beside the newest runc and crun: those of Debian sid, in the
# root file system of its guest image (spec-tests/vm), which is built when it is not there. Cgroup v1, this machine's kernel.
set -eu
cd "$(dirname "$0")/../.."

# inside ROOT...: a mount namespace whose root becomes the image's, with a throw-away layer above it.
inside() {
  local root=$BERTH_WORK/root image=$1
  shift
  mkdir "$root" "$BERTH_WORK"/{lower,upper,work}
  mount -o ro,noload,loop "$image/root.raw" "$BERTH_WORK/lower"
  mount -t overlay -o "lowerdir=$BERTH_WORK/lower,upperdir=$BERTH_WORK/upper,workdir=$BERTH_WORK/work" overlay "$root"
  for folder in root tmp run; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
  mkdir -p "$root$PWD"
  mount --bind "$PWD" "$root$PWD"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mknod -m 666 "$root/root/null" c 1 3
  cp dist/guest/node dist/guest/receiver "${BERTH:-dist/berth}" "$root/root/"
  local here=$PWD berth=/root/${BERTH##*/}
  cd "$root"
  pivot_root . mnt
  cd "$here"
  umount -l /mnt
  VENUE=sid-v1 BERTH=$berth RECEIVER=/root/receiver BERTH_WORK=/root exec /root/node dist/guest/compat.mjs "$@"
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
fi
mkdir -p dist/guest
node_modules/.bin/esbuild --log-level=warning --bundle --platform=node --format=esm --outfile=dist/guest/compat.mjs \
  spec-tests/compat/main.ts
cc -std=gnu17 -O1 -Wall -Wextra -static -o dist/guest/receiver spec-tests/support/helpers/receiver.c
cp -u "$(readlink -f "$(command -v node)")" dist/guest/node
image=$(VM_SUITE=sid spec-tests/vm/vm build)
BERTH=${BERTH:-dist/berth} exec spec-tests/support/private.sh v1 \
  unshare --mount --propagation private spec-tests/compat/sid.sh --inside "$image" "$@"
