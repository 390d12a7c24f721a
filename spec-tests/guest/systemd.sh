#!/bin/bash
# suites: bookworm sid
# The systemd cgroup driver with the real systemd, beside runc. `spec-tests/guest.sh systemd`
#
# The table of settings and what they make of the cgroup's files, in every mode, is in resources.sh.
. "$(dirname "$0")/lib.sh"
theirs=$(runc --version | sed -n '1s/.*version \([0-9]*\.[0-9]*\).*/\1/p')

sberth() { berth --systemd-cgroup "$@"; }
rrunc() { timeout 60 runc --systemd-cgroup --root "$work/runc" "$@"; }
# show UNIT: what systemd says of it, without what no two units have in common.
show() {
  systemctl show "$1" |
    grep -vE '^(Id|Names|Description|ControlGroup|ControlGroupId|InvocationID|FragmentPath|DropInPaths|NeedDaemonReload|EffectiveMemory[A-Za-z]*|DebugInvocation|Markers|MemoryPeak|MemorySwap(Current|Peak)|MemoryZSwapCurrent)=' |
    grep -vE '^[A-Za-z]*(Timestamp|TimestampMonotonic|Current|NSec|ReadBytes|WriteBytes|ReadOperations|WriteOperations|IngressBytes|EgressBytes|IngressPackets|EgressPackets|MemoryAvailable)=' |
    # Debian 12's runc names the majors of /proc/devices, and leaves out what the host has not.
    sed 's/=char-pts/=char-136/; s/=block-loop/=block-7/' | grep -v '^DeviceAllow=/dev/char/10:200' | sort
}
left() {
  ls -A "$work/state" 2>/dev/null
  find /sys/fs/cgroup -depth -type d -name "*$tag-*"
  systemctl list-units --all --plain --no-legend "*$tag-*"
}

# --- the unit as systemd shows it ---------------------------------------------------------------------------------
# same TITLE FILTER [PROPERTY...]: the same unit as runc's, but for the properties.
same() {
  local title=$1 filter=$2 ours peer except
  shift 2
  except=$(printf '%s|' "$@" | sed 's/|$//')
  config "$(program 'exec sleep 1000') | $filter"
  new_id >/dev/null
  sberth create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 || cat "$work/out"
  ours=$(show "berth-$id.scope" | grep -vE "^(${except:-none})=")
  berth delete --force "$id"
  rrunc create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 || cat "$work/out"
  peer=$(show "runc-$id.scope" | grep -vE "^(${except:-none})=")
  rrunc delete --force "$id"
  is "unit as runc's: $title" "$(diff <(echo "$peer") <(echo "$ours"))" ""
}
same "no limits" '.'
same "memory" '.linux.resources.memory={limit:67108864,reservation:33554432,swap:100663296}'
same "pids" '.linux.resources.pids={limit:50}'
same "no limit of pids" '.linux.resources.pids={limit:-1}'
same "quota and period" '.linux.resources.cpu={quota:20000,period:50000}'
same "a quota between hundredths" '.linux.resources.cpu={quota:12345,period:100000}'
same "cpuset" '.linux.resources.cpu={cpus:"0-1",mems:"0"}'
same "default shares" '.linux.resources.cpu={shares:2}'
same "unified" '.linux.resources.unified={"memory.high":"50000000","pids.max":"60","cpu.weight":"77","cpu.max":"30000 100000","memory.swap.max":"max"}'
same "a device, a major and a kind" '.linux.resources.devices+=[{allow:true,type:"c",major:1,minor:11,access:"r"},{allow:true,type:"b",major:7,access:"rw"}]'
same "every device" '.linux.resources.devices=[{allow:true,access:"rwm"}]'
same "annotations" '.annotations={"org.systemd.property.TimeoutStopSec":"uint64 7","org.systemd.property.CollectMode":"'"'inactive-or-failed'"'"}'
if [[ $theirs != 1.1 ]]; then
  same "shares by the formula of 2025" '.linux.resources.cpu={shares:512}'
  same "idle" '.linux.resources.cpu={idle:1}'
  # runc since 1.4.
  same "memory.oom.group" '.linux.resources.unified={"memory.oom.group":"1"}' OOMPolicy
  config "$(program 'exec sleep 1000') | .linux.resources.unified={\"memory.oom.group\":\"1\"}"
  sberth create --bundle "$bundle" "$tag-oom" </dev/null >"$work/out" 2>&1
  is "memory.oom.group is OOMPolicy, which only a new unit can be given" \
    "$(systemctl show -P OOMPolicy "berth-$tag-oom.scope")" kill
  berth delete --force "$tag-oom"
fi

# --- names --------------------------------------------------------------------------------------------------------
# placed TITLE CGROUPSPATH WANTED: where init is.
placed() {
  config "$(program 'cat /proc/self/cgroup') | .linux.cgroupsPath=\"$2\""
  create() { sberth create --bundle "$bundle" "$@" </dev/null >"$work/out" 2>&1; }
  new_id >/dev/null
  create "$id"
  is "$1" "$(cat "$work/out")$(sed 's/^0:://' "/proc/$(berth state "$id" | jq .pid)/cgroup")" "$3"
  berth delete --force "$id"
}
placed "slice:prefix:name" "machine.slice:libpod:$tag-1" "/machine.slice/libpod-$tag-1.scope"
placed "an empty slice is system.slice" ":docker:$tag-2" "/system.slice/docker-$tag-2.scope"
placed "a slice below slices" "berth-a-b.slice:p:$tag-3" "/berth.slice/berth-a.slice/berth-a-b.slice/p-$tag-3.scope"
placed "the root slice" "-.slice:p:$tag-4" "/p-$tag-4.scope"
for path in "/a/b" "a:b" "a:b:c:d" "a/b.slice:p:n" "a--b.slice:p:n" "x:p:n" ":p:n.slice"; do
  config "$(program true) | .linux.cgroupsPath=\"$path\""
  out=$(sberth run --bundle "$bundle" "$(new_id)" 2>&1 </dev/null)
  has "cgroupsPath $path is refused" "$? $out" "1 time="
  has "cgroupsPath $path is refused by its name" "$out" "/linux/cgroupsPath"
done

# --- what the container sees --------------------------------------------------------------------------------------
config "$(program 'cat /proc/self/cgroup; cat /sys/fs/cgroup/pids.max') | .linux.resources.pids={limit:33}"
is "a cgroup namespace begins at the scope" "$(run_in "$work/berth" --systemd-cgroup --root "$work/state")" "0::/
33"
hold_pid_namespace
config "$(program 'cat /proc/self/cgroup; readlink /proc/self/ns/pid') | .linux.namespaces|=map(if .type==\"pid\" then .path=\"/proc/$other/ns/pid\" else . end) | .linux.resources.pids={limit:1}
  | .process.args=[\"/bin/cat\",\"/proc/self/cgroup\",\"/sys/fs/cgroup/pids.max\"]"
is "a joiner's child is in the scope, with a limit of one process" "$(run_in "$work/berth" --systemd-cgroup --root "$work/state")" "0::/
1"
release_pid_namespace
config "$(program 'cat /dev/null && echo null; mknod /tmp/k c 1 11 && { cat /tmp/k 2>&1 >/dev/null | grep -o "not permitted"; }') | .process.capabilities.bounding+=[\"CAP_MKNOD\"] | .process.capabilities.effective+=[\"CAP_MKNOD\"] | .process.capabilities.permitted+=[\"CAP_MKNOD\"] | .mounts+=[{destination:\"/tmp\",type:\"tmpfs\",source:\"tmpfs\"}]"
has "device rules hold" "$(run_in "$work/berth" --systemd-cgroup --root "$work/state" | tr '\n' ' ')" "null not permitted"
config "$(program 'while ! test -e /tmp/go; do sleep 0.05; done; { cat /tmp/k 2>&1 >/dev/null; cat /dev/null && echo null; } >/tmp/out 2>&1; sleep 1000') | .linux.devices=[{path:\"/tmp/k\",type:\"c\",major:1,minor:11}] | .mounts+=[{destination:\"/tmp\",type:\"tmpfs\",source:\"tmpfs\"}] | .linux.resources.pids={limit:44} | .linux.resources.cpu={shares:512} | .linux.resources.blockIO={weight:300}"
new_id >/dev/null
sberth run --detach --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1
folder=$(cgroup_of "$id")
pid=$(berth state "$id" | jq .pid)
files() { (cd "$folder" && grep . pids.max cpu.weight io.weight io.bfq.weight 2>/dev/null); }
before=$(files)
systemctl daemon-reload
is "limits outlive a daemon-reload" "$(files)" "$before"
touch "/proc/$pid/root/tmp/go"
for _ in {1..100}; do grep -q null "/proc/$pid/root/tmp/out" 2>/dev/null && break; sleep 0.05; done
is "so do device rules" "$(sed 's/.*: //' "/proc/$pid/root/tmp/out")" "Operation not permitted
null"
berth update --pids-limit 55 "$id"
is "update: systemd and the file know it" "$? $(systemctl show -P TasksMax "berth-$id.scope") $(cat "$folder/pids.max")" "0 55 55"
systemctl daemon-reload
is "update: it outlives a daemon-reload" "$(cat "$folder/pids.max")" 55
berth pause "$id"
is "pause without --systemd-cgroup" "$(berth state "$id" | jq -r .status)" paused
berth delete --force "$id"
is "delete --force of a paused container without --systemd-cgroup" "$?$(left)" 0
nothing_left "at the end"
finish
