#!/bin/bash
# Installs what is missing to build (`build`), to run the demo (`demo`) or to check and test everything (`test`, the
# default) on Debian with Node 20. Does nothing, quickly, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

# musl is the executable's C library; libc6-dev is for what Node loads; dpkg-dev and xz-utils fetch and unpack QuickJS.
build=(gcc libc6-dev musl-tools dpkg-dev xz-utils)
demo=("${build[@]}" busybox-static)
# The runtimes and libseccomp to compare with; clang for the fuzzers, clang-format for the style check.
test=("${demo[@]}" runc crun libseccomp-dev strace clang libclang-rt-14-dev clang-format git)

case "${1:-test}" in
build) packages=("${build[@]}") ;;
demo) packages=("${demo[@]}") ;;
test) packages=("${test[@]}") ;;
*) echo "usage: $0 [build|demo|test]" >&2 && exit 2 ;;
esac

node=$(node --version 2>/dev/null || echo none)
case "$node" in
v2[0-9].* | v[3-9][0-9].*) ;;
*) echo "Node 20 or newer is needed, found: $node" >&2 && exit 1 ;;
esac

installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
missing=()
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done

if ((${#missing[@]})); then
  echo "installing: ${missing[*]}"
  as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { echo "run as root: apt-get install ${missing[*]}" >&2 && exit 1; }
    as_root=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends -y "${missing[@]}"
fi

# npm writes this copy of the lock file when it has installed everything.
if [[ ! -e node_modules/.package-lock.json || package-lock.json -nt node_modules/.package-lock.json ]]; then
  if [[ -L node_modules ]]; then
    echo "node_modules is a link: installing would empty the folder that it leads to; run npm ci there" >&2
    exit 1
  fi
  echo "installing node modules"
  npm ci --no-audit --no-fund
fi
