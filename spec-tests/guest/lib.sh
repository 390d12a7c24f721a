# Sourced by the tests in this folder, which run in the guest machine (pure cgroup v2, systemd, no network, no Node.js):
#
#   . "$(dirname "$0")/lib.sh"
#   config "$(program 'id -u') | .linux.resources.pids={limit:5}"
#   is "the program is root" "$(run)" 0
#   finish
#
# A line `# suites: bookworm sid` in a test file says which guests it runs in; bookworm when there is none.
# spec-tests/guest.sh [FILE...] runs them; one file alone: `spec-tests/vm/vm run -- bash spec-tests/guest/guest.sh`.
# Output is TAP. Every file has its own work folder $work with its own copy of berth, state root and bundle; the names of
# its containers begin with $tag, so that what is left of them can be told from what others made.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

tag=g$$
work=$(mktemp -d /root/guest.XXXXXX)
chmod 755 "$work"
# Programs start slowly from the shared folder.
cp "${BERTH:-dist/berth}" "$work/berth"
berth() { timeout 60 "$work/berth" --root "$work/state" "$@"; }

bundle=$work/bundle
mkdir -p "$bundle/rootfs"/{bin,dev,etc,proc,sys,tmp}
cp /bin/busybox "$bundle/rootfs/bin/"
for applet in $(/bin/busybox --list); do
  [[ -e $bundle/rootfs/bin/$applet ]] || ln -s busybox "$bundle/rootfs/bin/$applet"
done
berth spec --bundle "$bundle"
cp "$bundle/config.json" "$work/template.json"

# config FILTER: config.json is the template without a terminal, changed by a jq filter.
config() { jq ".process.terminal=false | $1" "$work/template.json" >"$bundle/config.json"; }
# program SCRIPT: the filter that makes the container run it.
program() { printf '.process.args=["/bin/sh","-c",%s]' "$(jq -Rn --arg s "$1" '$s')"; }
# new_id: a name that no other container has. In $id as well, for callers that are no sub-shell.
ids=0
new_id() {
  ids=$((ids + 1))
  id=$tag-$ids-$RANDOM
  echo "$id"
}
# run_in RUNTIME [GLOBAL OPTION...]: the output of a whole run.
run_in() { (cd "$bundle" && timeout 60 "$@" run "$(new_id)" </dev/null 2>&1); }
run() { run_in "$work/berth" --root "$work/state"; }
# create ID [OPTION...]: a created container of the bundle; its output is in $work/out, never in a pipe.
create() {
  local id=$1
  shift
  berth create --bundle "$bundle" "$@" "$id" </dev/null >"$work/out" 2>&1
}
# cgroup_of ID: the folder of a container's cgroup, by its init.
cgroup_of() { echo "/sys/fs/cgroup$(sed 's/^0:://' "/proc/$(berth state "$1" | jq .pid)/cgroup")"; }
# wait_for COMMAND...: until it succeeds, for as long as the slowest machine may take.
wait_for() {
  local end=$((SECONDS + 60))
  until "$@"; do
    ((SECONDS < end)) || { echo "timed out: $*"; return 1; }
    sleep 0.05
  done
}
# A pid namespace to join: that of process $other. It holds none of our pipes, and ends with its parent.
hold_pid_namespace() {
  unshare --fork --pid --mount-proc --kill-child=KILL sleep 1000 </dev/null >/dev/null 2>&1 &
  holder=$!
  holds() { other=$(pgrep -P $holder -x sleep); }
  wait_for holds
}
release_pid_namespace() {
  kill -KILL $holder
  wait $holder 2>/dev/null
}

count=0
failed=0
# is TITLE GOT WANTED
is() {
  count=$((count + 1))
  if [[ $2 == "$3" ]]; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    printf 'not ok %s - %s\n' "$count" "$1"
    printf '# got:    %s\n# wanted: %s\n' "${2//$'\n'/$'\n'# }" "${3//$'\n'/$'\n'# }"
  fi
}
# has TITLE TEXT PART: the text contains the part.
has() { if [[ $2 == *"$3"* ]]; then is "$1" "" ""; else is "$1" "$2" "... $3 ..."; fi; }
# skip TITLE REASON
skip() {
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}
nothing_left() {
  is "$1: no state, no cgroup is left" \
    "$(ls -A "$work/state" 2>/dev/null)$(find /sys/fs/cgroup -depth -type d -name "*$tag-*")" ""
}
# finish: the last line of every test file.
finish() {
  rm -rf "$work"
  echo "1..$count"
  exit $((failed > 0))
}

echo "# ${0##*/}: Linux $(uname -r), $(stat -f -c %T /sys/fs/cgroup), $(berth --version | head -1)," \
  "$(runc --version | head -1), $(crun --version | head -1), $(systemctl --version | head -1)"
