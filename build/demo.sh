#!/bin/bash
# npm run demo: builds Berth, makes a bundle from Debian's busybox-static and takes a container through its whole life,
# showing each command and what it says.
#   DEMO_NO_BUILD=1   installs and builds nothing: dist/berth and /bin/busybox are there (so in the guest without network)
#   BERTH=FILE        another executable
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -z ${DEMO_NO_BUILD:-} ]]; then
  bash build/setup.sh demo
  npm run --silent build
fi
if ((EUID != 0)); then
  echo "demo: containers need root; with sudo:"
  exec sudo DEMO_NO_BUILD=1 "BERTH=${BERTH:-}" bash "$0"
fi

berth=$(realpath "${BERTH:-dist/berth}")
work=$(mktemp -d /tmp/berth-demo.XXXXXX)
chmod 755 "$work"
id=demo-$$
cleanup() {
  "$berth" --root "$work/state" delete --force "$id" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

show() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() {
  show "berth $*"
  "$berth" --root "$work/state" "$@"
}
die() {
  echo "demo: $*" >&2
  exit 1
}
status() { "$berth" --root "$work/state" state "$id" | sed -n 's/.*"status": "\([a-z]*\)".*/\1/p'; }
expect_status() { [[ $(status) == "$1" ]] || die "the container is $(status), not $1"; }

show "berth --version"
"$berth" --version
if ldd "$berth" >/dev/null 2>&1; then die "$berth is a dynamic executable"; fi
echo "one static executable of $(($(stat -c %s "$berth") / 1024)) KiB"

bundle=$work/bundle
mkdir -p "$bundle/rootfs"/{bin,dev,etc,proc,sys,tmp,root}
cp /bin/busybox "$bundle/rootfs/bin/"
for applet in $(/bin/busybox --list); do
  [[ -e $bundle/rootfs/bin/$applet ]] || ln -s busybox "$bundle/rootfs/bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$bundle/rootfs/etc/passwd"
cat >"$bundle/rootfs/hello" <<'PROGRAM'
echo "hello from pid $$ of $(hostname), uid $(id -u)"
ls /
grep -E '^(CapEff|NoNewPrivs)' /proc/self/status
touch /x
sleep 1
echo bye
PROGRAM
run spec --bundle "$bundle"
# No terminal, and a program of our own instead of a shell.
sed -i -e 's/"terminal": true/"terminal": false/' -e 's|^\(\s*\)"sh"$|\1"/bin/sh", "/hello"|' "$bundle/config.json"
echo "wrote $bundle/config.json ($(wc -l <"$bundle/config.json") lines)"

# Files, not pipes: the container keeps the streams it is created with.
show "berth create --bundle $bundle $id"
"$berth" --root "$work/state" create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 || die "$(cat "$work/out")"
run state "$id"
expect_status created
run list
run start "$id"
run state "$id"
expect_status running
for _ in {1..100}; do
  [[ $(status) == stopped ]] && break
  sleep 0.1
done
show "what the program printed"
cat "$work/out"
grep -q '^hello from pid 1 of ' "$work/out" || die "the program did not run as pid 1"
grep -q '^bye$' "$work/out" || die "the program did not end"
run state "$id"
expect_status stopped
run delete "$id"
run list
[[ -z $(ls -A "$work/state" 2>/dev/null) ]] || die "the state folder is not empty"
if "$berth" --root "$work/state" state "$id" >/dev/null 2>&1; then die "it is still there"; fi
[[ -z $(find /sys/fs/cgroup -type d -name "$id" 2>/dev/null) ]] || die "a cgroup is left"
printf '\ndemo passed\n'
