#!/bin/bash
# suites: bookworm-v1 bookworm-hybrid
# The systemd cgroup driver where systemd keeps cgroups of v1, alone or beside the unified hierarchy, and runc with it.
# `spec-tests/guest.sh systemd-v1`
. "$(dirname "$0")/lib.sh"
chmod 755 /root
sberth() { berth --systemd-cgroup "$@"; }
rrunc() { timeout 60 runc --systemd-cgroup --root "$work/runc" "$@"; }
unified=$(findmnt -n -o TARGET -t cgroup2)
echo "# unified: ${unified:-none}; v1: $(findmnt -n -o TARGET -t cgroup | tr '\n' ' ')"

# values CGROUP: what limits can be read of it, in every hierarchy.
values() {
  local folder file
  for folder in /sys/fs/cgroup/*/; do
    [[ -L ${folder%/} ]] && continue
    for file in memory.limit_in_bytes memory.soft_limit_in_bytes cpu.shares cpu.cfs_quota_us cpu.cfs_period_us pids.max \
      cpuset.cpus cpuset.mems blkio.bfq.weight devices.list net_cls.classid hugetlb.2MB.limit_in_bytes; do
      [[ -f $folder$1/$file ]] && echo "$file $(sort "$folder$1/$file" | tr '\n' ';')"
    done
  done | sort
}
# What tells of the limits alone.
show() {
  systemctl show "$1" -p Slice -p Delegate -p MemoryLimit -p CPUShares -p CPUQuotaPerSecUSec -p CPUQuotaPeriodUSec \
    -p TasksMax -p BlockIOWeight -p AllowedCPUs -p AllowedMemoryNodes -p DevicePolicy -p DeviceAllow -p DefaultDependencies \
    -p MemoryAccounting -p CPUAccounting -p BlockIOAccounting -p TasksAccounting |
    sed 's/=char-pts/=char-136/; s/=block-loop/=block-7/' | grep -v '^DeviceAllow=/dev/char/10:200' | sort
}
# same TITLE FILTER: properties and files are as with runc.
same() {
  local ours peer
  config "$(program 'exec sleep 1000') | $2"
  new_id >/dev/null
  sberth create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 || cat "$work/out"
  ours=$(show "berth-$id.scope"; values "system.slice/berth-$id.scope")
  berth delete --force "$id" || echo "# delete $?"
  rrunc create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 || cat "$work/out"
  peer=$(show "runc-$id.scope"; values "system.slice/runc-$id.scope")
  rrunc delete --force "$id"
  is "as runc: $1" "$(diff <(echo "$peer") <(echo "$ours"))" ""
}
same "no limits" '.'
same "memory" '.linux.resources.memory={limit:67108864,reservation:33554432}'
same "cpu" '.linux.resources.cpu={shares:512,quota:20000,period:50000}'
same "cpuset" '.linux.resources.cpu={cpus:"0-1",mems:"0"}'
same "pids" '.linux.resources.pids={limit:50}'
same "devices" '.linux.resources.devices+=[{allow:true,type:"c",major:1,minor:11,access:"r"},{allow:true,type:"b",major:7,access:"rw"}]'
same "every device" '.linux.resources.devices=[{allow:true,access:"rwm"}]'
same "what systemd has no controller for" '.linux.resources.network={classID:1048577,priorities:[]} | .linux.resources.hugepageLimits=[{pageSize:"2MB",limit:4194304}]'

config "$(program 'cat /proc/self/cgroup') | .linux.namespaces+=[{type:\"cgroup\"}]"
out=$(run_in "$work/berth" --systemd-cgroup --root "$work/state")
is "a cgroup namespace begins at the scope in every hierarchy" "$(cut -d: -f3 <<<"$out" | sort -u)" "/"
config "$(program 'exec sleep 1000')"
sberth create --bundle "$bundle" "$tag-in" </dev/null >"$work/out" 2>&1
is "init is in the scope in every hierarchy that runc joins" \
  "$(cat "$work/out"; grep -vE ":/system.slice/berth-$tag-in.scope$" "/proc/$(berth state "$tag-in" | jq .pid)/cgroup" | { [[ -n $unified ]] && cat || grep -v '^0::'; })" ""
# Not only what systemd has written: it writes its own idea at every reload.
list=/sys/fs/cgroup/devices/system.slice/berth-$tag-in.scope/devices.list
before=$(sort "$list")
systemctl daemon-reload
is "device rules outlive a daemon-reload" "$(sort "$list")" "$before"
berth update --pids-limit 55 "$tag-in"
is "update" "$? $(systemctl show -P TasksMax "berth-$tag-in.scope") $(cat "/sys/fs/cgroup/pids/system.slice/berth-$tag-in.scope/pids.max")" "0 55 55"
berth start "$tag-in"
berth pause "$tag-in"
is "pause" "$(berth state "$tag-in" | jq -r .status)" paused
berth delete --force "$tag-in"
is "delete --force of a paused container" "$?" 0
hold_pid_namespace
config ".process.args=[\"/bin/cat\",\"/proc/self/cgroup\"] | .linux.resources.pids={limit:1} | .linux.namespaces+=[{type:\"cgroup\"}] | .linux.namespaces|=map(if .type==\"pid\" then .path=\"/proc/$other/ns/pid\" else . end)"
out=$(run_in "$work/berth" --systemd-cgroup --root "$work/state")
is "a joiner's child is in the scope, with a limit of one process" "$(cut -d: -f3 <<<"$out" | sort -u)" "/"
release_pid_namespace
config "$(program true) | .annotations={\"org.systemd.property.NoSuchThing\":\"true\"}"
out=$(sberth run --bundle "$bundle" "$tag-bad" 2>&1 </dev/null)
has "a property that systemd does not know is an error" "$? $out" "NoSuchThing"
config "$(program true) | .linux.namespaces+=[{type:\"user\"}] | .linux.namespaces|=map(select(.type!=\"network\"))
  | .linux.uidMappings=[{containerID:0,hostID:1000,size:1}] | .linux.gidMappings=.linux.uidMappings
  | .mounts|=map(select(.type!=\"sysfs\")|if .options then .options|=map(select(startswith(\"gid=\")|not)) else . end)"
out=$(runuser -u tester -- env -i XDG_RUNTIME_DIR=/run/user/1000 PATH="$PATH" "$work/berth" --systemd-cgroup --root /tmp/x run --bundle "$bundle" x 2>&1 </dev/null)
has "a user's systemd is refused here" "$out" "cgroup v2 alone"
is "nothing is left" "$(find /sys/fs/cgroup -depth -type d -name "*$tag-*"; systemctl list-units --all --plain --no-legend "*$tag-*")" ""
nothing_left "at the end"
finish
