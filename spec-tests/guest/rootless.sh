#!/bin/bash
# suites: bookworm
# A user without privileges on cgroup v2 with systemd: the user's own service manager, a delegated tree, no cgroup at all.
# `spec-tests/guest.sh rootless`. What needs no systemd is in spec-tests/rootless.test.ts.
. "$(dirname "$0")/lib.sh"

uid=1000 user=tester
run_dir=/run/user/$uid
chmod 711 /root
chmod -R o+rX "$bundle" "$work/berth"
chmod o+w "$bundle/rootfs"
loginctl enable-linger "$user"
wait_for test -S "$run_dir/bus"
bus=unix:path=$run_dir/bus

# as_user COMMAND...: outside of the user's session, where the user may make no cgroup.
as_user() {
  timeout --kill-after=5 60 setpriv --reuid=$uid --regid=$uid --clear-groups env -i -C "$bundle" USER=$user HOME=/home/$user \
    PATH=/usr/bin:/bin:/usr/sbin XDG_RUNTIME_DIR="$run_dir" DBUS_SESSION_BUS_ADDRESS="$bus" "$@" </dev/null
}
# In a cgroup that the user's manager has given away.
delegated() { as_user systemd-run --user --scope --quiet -p Delegate=yes "$@"; }
u() { as_user "$work/berth" "$@"; }
s() { u --systemd-cgroup "$@"; }

maps="[{containerID:0,hostID:$uid,size:1},{containerID:1,hostID:100000,size:65536}]"
as_user "$work/berth" spec --rootless --bundle "/tmp" && cp /tmp/config.json "$work/template.json"
rm -f /tmp/config.json
# user_config FILTER: as config, with subordinate ids and a cgroup namespace.
user_config() { config "$1 | .linux.uidMappings=$maps | .linux.gidMappings=$maps"; }
left() {
  ls -A "$run_dir/berth" "$run_dir/runc" 2>/dev/null | grep -v ':$' | grep .
  find /sys/fs/cgroup -depth -type d -name "*$tag-*"
  as_user systemctl --user list-units --all --plain --no-legend "*$tag-*"
  pgrep -u $uid -f "rootfs|berth:.init" 2>/dev/null
}
limits='cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max'
limited='.linux.resources={pids:{limit:33},memory:{limit:67108864},cpu:{quota:20000,period:100000}}'

# --- the user's systemd -------------------------------------------------------------------------------------------
user_config "$(program "cat /proc/self/cgroup; $limits; id -u") | $limited"
ours=$(s run "$(new_id)" 2>&1)
is "systemd: limits" "$ours" "0::/
33
67108864
20000 100000
0"
is "systemd: as with runc" "$ours" "$(as_user runc --systemd-cgroup run "$(new_id)" 2>/dev/null)"
user_config "$(program 'exec sleep 1000') | $limited"
new_id >/dev/null
as_user "$work/berth" --systemd-cgroup create "$id" >"$work/out" 2>&1
pid=$(u state "$id" | jq .pid)
is "systemd: its scope" "$(cat "$work/out")$(cat "/proc/$pid/cgroup")" \
  "0::/user.slice/user-$uid.slice/user@$uid.service/user.slice/berth-$id.scope"
is "systemd: properties of the scope" "$(as_user systemctl --user show -P TasksMax -P MemoryMax "berth-$id.scope")" "67108864
33"
u start "$id"
is "exec" "$(delegated "$work/berth" exec "$id" /bin/sh -c 'id -u; cat /proc/self/cgroup' 2>&1)" "0
0::/"
delegated "$work/berth" exec --detach "$id" sleep 999 >"$work/out" 2>&1
is "exec: in the container's scope" "$(cat "$work/out" "/proc/$(pgrep -u $uid -xf 'sleep 999')/cgroup")" \
  "0::/user.slice/user-$uid.slice/user@$uid.service/user.slice/berth-$id.scope"
is "exec: from where the user may not move processes, as with runc 1.1: outside of the cgroup" \
  "$(u exec --user 5:6 "$id" id 2>&1)" "uid=5 gid=6"
is "ps" "$(u ps -f json "$id" | jq length)" 2
u pause "$id"
is "pause" "$? $(u state "$id" | jq -r .status)" "0 paused"
u resume "$id"
is "resume" "$? $(u state "$id" | jq -r .status)" "0 running"
is "update" "$(u update --pids-limit 44 --memory 134217728 "$id" 2>&1)$(u exec "$id" /bin/sh -c "$limits")" "44
134217728
20000 100000"
is "update: systemd knows" "$(as_user systemctl --user show -P TasksMax "berth-$id.scope")" 44
is "events" "$(u events --stats "$id" | jq -c '[.type, .data.pids.limit]')" '["stats",44]'
is "another user may not touch it" "$(berth --root "$run_dir/berth" kill "$id" KILL 2>&1 | grep -o 'belongs to uid 1000')" "belongs to uid 1000"
u kill "$id" KILL
has_stopped() { [[ $(u state "$id" | jq -r .status) == stopped ]]; }
wait_for has_stopped
u delete "$id"
is "delete" "$?" 0
is "systemd: nothing is left" "$(left)" ""
out=$(as_user env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR=/nowhere "$work/berth" --root "$run_dir/berth" --systemd-cgroup run "$(new_id)" 2>&1)
has "systemd: no manager to be reached" "$? $out" "cannot reach the user's systemd"
user_config "$(program true) | $limited | .process.args=[\"/no/such\"]"
has "systemd: a run that fails" "$(s run "$(new_id)" 2>&1)" "no such file or directory"
is "systemd: leaves nothing" "$(left)" ""

# --- a delegated tree ---------------------------------------------------------------------------------------------
user_config "$(program "$limits") | $limited"
is "cgroupfs: limits in a delegated tree" "$(delegated "$work/berth" run "$(new_id)" 2>&1)" "33
67108864
20000 100000"
user_config "$(program 'exec sleep 1000') | .linux.cgroupsPath=\"/user.slice/user-$uid.slice/user@$uid.service/app.slice/$tag-own\""
new_id >/dev/null
delegated "$work/berth" run -d "$id" >"$work/out" 2>&1
is "cgroupfs: cgroupsPath in the user's own tree" "$(cat "$work/out" "/proc/$(u state "$id" | jq .pid)/cgroup")" \
  "0::/user.slice/user-$uid.slice/user@$uid.service/app.slice/$tag-own"
is "cgroupfs: exec from the same tree" "$(delegated "$work/berth" exec "$id" cat /proc/self/cgroup 2>&1)" "0::/"
is "cgroupfs: exec from elsewhere is not in the cgroup" "$(u exec "$id" id -u 2>&1)" 0
delegated "$work/berth" pause "$id"
is "cgroupfs: pause" "$(u state "$id" | jq -r .status)" paused
u delete --force "$id"
is "cgroupfs: nothing is left" "$? $(left)" "0 "

# --- no cgroup ----------------------------------------------------------------------------------------------------
user_config "$(program 'echo runs; touch /sys/fs/cgroup/cgroup.procs 2>&1 | grep -o "Read-only"') | .mounts[-1].options-=[\"ro\"]"
is "no cgroup can be made, and none is asked for" "$(u run "$(new_id)" 2>&1)" "runs
Read-only"
user_config "$(program true) | .linux.resources.pids={limit:33}"
for runtime in "$work/berth" runc; do
  out=$(as_user "$runtime" run "$(new_id)" 2>&1)
  has "${runtime##*/}: a limit without a cgroup" "$? $out" "1 "
  has "${runtime##*/}: says so" "$out" "rootless needs no limits + no cgrouppath when no permission is granted for cgroups"
done
user_config "$(program true) | .linux.cgroupsPath=\"/$tag-other\""
has "a cgroup that the user may not make" "$(u run "$(new_id)" 2>&1)" "permission denied (/linux/cgroupsPath)"
is "nothing is left" "$(left)" ""

# --- ids ----------------------------------------------------------------------------------------------------------
look='tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; cat /proc/self/setgroups; id'
user_config "$(program "$look")"
is "subordinate ids, as with runc" "$(u run "$(new_id)" 2>&1)" "$(as_user runc run "$(new_id)" 2>&1)"
config "$(program "$look")"
is "one id, as with runc" "$(u run "$(new_id)" 2>&1)" "$(as_user runc run "$(new_id)" 2>&1)"
is "nothing is left at the end" "$(left)" ""
finish
