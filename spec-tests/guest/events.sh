#!/bin/bash
# `events` on pure cgroup v2, against the same container under this Debian's runc. `spec-tests/guest.sh events`
# suites: bookworm sid
. "$(dirname "$0")/lib.sh"

# A cgroup with every controller for its children, so that both runtimes' containers have the same files.
parent=/sys/fs/cgroup/$tag-parent
enable() { for c in $(cat "$1/cgroup.controllers"); do echo "+$c" >"$1/cgroup.subtree_control"; done; }
enable /sys/fs/cgroup
mkdir "$parent"
enable "$parent"

# container SCRIPT: a running container below it, in $id and $cgroup.
container() {
  new_id >/dev/null
  cgroup=$parent/$id
  config "$(program "$1") | .linux.cgroupsPath=\"/$tag-parent/$id\" | .process.capabilities.bounding+=[\"CAP_MKNOD\"]"
  create "$id" || cat "$work/out"
}
limit_memory() {
  echo 16777216 >"$cgroup/memory.max"
  [[ ! -e $cgroup/memory.swap.max ]] || echo 0 >"$cgroup/memory.swap.max"
}
# watch: `events` of $id in the background, its lines in $lines, once it has printed the first statistics.
watch() {
  lines=$work/lines
  : >"$lines"
  timeout 300 "$work/berth" --root "$work/state" events --interval 100ms "$id" >"$lines" 2>"$work/errors" &
  watcher=$!
  wait_for_event '"type":"stats"'
}
# wait_for_event TEXT: until a line has it.
wait_for_event() {
  local event=$1
  seen() { grep -q "$event" "$lines"; }
  wait_for seen || echo "# no $event came: $(cat "$work/errors")"
}
ooms() { grep -c '"type":"oom"' "$lines"; }
stop() { berth delete --force "$id"; }
# shape: every path of a JSON document with its type.
shape() {
  jq -r '[paths as $p | ($p | map(if type == "number" then "[]" else . end) | join(".")) + ": " + (getpath($p) | type)] | unique[]'
}
devour="dd if=/dev/zero of=/dev/null bs=64M count=1"
on_signal="trap 'exec $devour' USR1; while :; do sleep 0.05; done"
on_signal_child="trap '$devour' USR1; while :; do sleep 0.05; done"

# The same work under both runtimes: memory, I/O on the disk, a CPU quota that is used up.
work_script='dd if=/dev/zero of=/tmp/f bs=4k count=64 oflag=direct 2>/dev/null; dd if=/tmp/f of=/dev/null bs=4k iflag=direct 2>/dev/null; dd if=/dev/zero of=/dev/shm/f bs=4k count=64 2>/dev/null; echo >/tmp/ready; while :; do :; done'
prepare() {
  rm -f "$bundle/rootfs/tmp/ready"
  echo "20000 100000" >"$cgroup/cpu.max"
  echo 50 >"$cgroup/pids.max"
  echo 67108864 >"$cgroup/memory.max"
}
ready() {
  local i
  for ((i = 0; i < 900; i++)); do
    [[ -e $bundle/rootfs/tmp/ready ]] && grep -q 'throttled_usec [1-9]' "$cgroup/cpu.stat" && return
    sleep 0.1
  done
  echo "# the program did not get to its end"
}

container "$work_script"
jq '.root.readonly=false' "$bundle/config.json" >"$work/c" && cp "$work/c" "$bundle/config.json"
stop
berth create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1
prepare
berth start "$id"
ready
stats=$(berth events --stats "$id")
is "--stats: one line" "$(wc -l <<<"$stats")" 1
is "--stats: the envelope" "$(jq -r '[.type, .id, (keys_unsorted | join(" "))] | join(" ")' <<<"$stats")" "stats $id type id data"
is "--stats: the limits are those of the cgroup" \
  "$(jq -c '.data | [.pids.limit, .memory.usage.limit]' <<<"$stats")" "[50,67108864]"
is "--stats: the peak of memory, where the kernel has one" \
  "$(jq '.data.memory.usage | has("max")' <<<"$stats")" "$([[ -e $cgroup/memory.peak ]] && echo true || echo false)"
is "--stats: pressure, where the kernel has it" "$(jq -c '[.data.cpu.psi, .data.memory.psi, .data.blkio.psi | type] | unique' <<<"$stats")" \
  "$([[ -e $cgroup/cpu.pressure ]] && echo '["object"]' || echo '["null"]')"
echo max >"$cgroup/memory.max"
has "--stats: 64 bits are exact" "$(berth events --stats "$id")" '"memory":{"cache":'
has "--stats: no limit is 2^64 - 1" "$(berth events --stats "$id")" '"usage":{"limit":18446744073709551615,'
if [[ -e $cgroup/cgroup.pressure ]]; then
  echo 0 >"$cgroup/cgroup.pressure"
  is "--stats: no pressure where it is switched off" "$(berth events --stats "$id" | jq -c '.data.cpu.psi')" null
else
  skip "--stats: no pressure where it is switched off" "the kernel has no cgroup.pressure"
fi
stop

runc() { timeout 60 /usr/sbin/runc --root "$work/runc" "$@"; }
runc create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1
prepare
runc start "$id"
ready
theirs=$(runc events --stats "$id" | shape)
runc delete --force "$id"
ours=$(shape <<<"$stats")
# runc 1.1 (Debian 12) knows neither pressure (runc 1.2) nor memory.peak (runc 1.2).
[[ $(/usr/sbin/runc --version | head -1) != *" 1.1."* ]] || ours=$(grep -Ev '\.psi|^data\.memory\.usage\.max:' <<<"$ours")
is "--stats has the JSON of $(/usr/sbin/runc --version | head -1): the same paths and types" \
  "$(diff <(echo "$ours") <(echo "$theirs"))" ""
is "that JSON has pids, memory, CPU and I/O" "$(grep -Ec '^data\.(pids\.limit|memory\.raw\.anon|cpu\.throttling\.periods|blkio):' <<<"$theirs")" 4

container "$on_signal_child"
limit_memory
berth start "$id"
watch
berth kill "$id" USR1
wait_for_event '"type":"oom"'
is "a process over the memory limit: an oom event" "$(grep -m1 oom\" "$lines")" "{\"type\":\"oom\",\"id\":\"$id\"}"
before=$(wc -l <"$lines")
more() { (($(wc -l <"$lines") > before)); }
is "the stream goes on" "$(wait_for more)" ""
is "one event a kill" "$(ooms)" "$(awk '$1 == "oom_kill" { print $2 }' "$cgroup/memory.events")"
is "the container is still there" "$(berth state "$id" | jq -r .status)" running
stop
wait "$watcher"
is "the stream ends with 0 when the container is deleted" "$?" 0
is "nothing on standard error" "$(cat "$work/errors")" ""

container "$on_signal"
limit_memory
berth start "$id"
watch
berth kill "$id" USR1
wait "$watcher"
is "an OOM of the container's first process ends the stream with 0" "$?" 0
is "and is reported" "$(grep '"oom"' "$lines")" "{\"type\":\"oom\",\"id\":\"$id\"}"
has "of a container that has stopped: an error" "$(berth events "$id" 2>&1)" "container with id $id is not running"
stop

container "$on_signal_child"
berth start "$id"
mkdir "$cgroup/inner"
berth state "$id" | jq .pid >"$cgroup/inner/cgroup.procs"
for pid in $(cat "$cgroup/cgroup.procs"); do echo "$pid" >"$cgroup/inner/cgroup.procs"; done
echo +memory >"$cgroup/cgroup.subtree_control"
echo 16777216 >"$cgroup/inner/memory.max"
[[ ! -e $cgroup/inner/memory.swap.max ]] || echo 0 >"$cgroup/inner/memory.swap.max"
watch
is "processes in a cgroup below the container's are counted" \
  "$(head -1 "$lines" | jq '.data.pids.current >= 1')" true
berth kill "$id" USR1
wait_for_event '"type":"oom"'
is "and watched" "$(($(ooms) >= 1))" 1
stop
wait "$watcher"

container "while :; do sleep 0.05; done"
echo "-memory -pids" >"$parent/cgroup.subtree_control"
is "--stats without controllers: processes are counted" "$(berth events --stats "$id" | jq -c '[.data.pids.current, (.data.memory | has("raw"))]')" "[1,false]"
has "without the memory controller there is nothing to watch" "$(berth events "$id" 2>&1)" "memory controller missing"
stop

rmdir "$parent"
nothing_left "at the end"
finish
