#!/bin/bash
# suites: bookworm sid
# exec with every controller of cgroup v2, below systemd (nsdelegate), with both drivers.
. "$(dirname "$0")/lib.sh"

# started FILTER [GLOBAL OPTION...]: a running container of a config, in $id, its init in $pid and its cgroup in $cg.
started() {
  config ".root.readonly=false | $1"
  new_id >/dev/null
  timeout 60 "$work/berth" --root "$work/state" "${@:2}" create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 || cat "$work/out"
  berth start "$id"
  pid=$(berth state "$id" | jq .pid)
  cg=$(cgroup_of "$id")
}
# The program and its sleep.
two_processes() { (($(wc -l <"$cg/cgroup.procs") == 2)); }
wait_for_sleep() { wait_for two_processes; }
ended() { berth delete --force "$id"; }
inside() { berth exec "$@" </dev/null 2>&1; }
# where: the cgroup of a process that exec has just started.
where() {
  berth exec --detach --pid-file "$work/pid" "$@" "$id" sleep 1000 </dev/null >"$work/out" 2>&1 || { cat "$work/out"; return; }
  echo "/sys/fs/cgroup$(sed 's/^0:://' "/proc/$(<"$work/pid")/cgroup")"
}
sleeps=$(program 'while :; do sleep 1000; done')
user='.linux.namespaces+=[{type:"user"}] | .linux.uidMappings=[{containerID:0,hostID:100000,size:65536}] | .linux.gidMappings=.linux.uidMappings'
chmod -R o+rX "$bundle"
chmod 755 /root

is "the hierarchy is mounted with nsdelegate here" "$(grep -c 'cgroup2.*nsdelegate' /proc/mounts)" 1
started "$sleeps"
is "exec runs, and sees its cgroup as the top" "$(inside "$id" cat /proc/self/cgroup)" "0::/"
is "exec is cloned into the container's cgroup" "$(where)" "$cg"
mkdir "$cg/below"
is "--cgroup" "$(where --cgroup below)" "$cg/below"
echo 1 >"$cg/cgroup.freeze"
is "a paused container is refused" "$(inside "$id" true)" "$(inside "$id" true)"
has "with the reason" "$(inside "$id" true)" "paused container"
before=$(wc -l <"$cg/cgroup.procs")
"$work/berth" --root "$work/state" exec --ignore-paused "$id" true </dev/null >"$work/out" 2>&1 &
waiting=$!
joined() { (($(wc -l <"$cg/cgroup.procs") > before)); }
wait_for joined
kill -TERM $waiting
wait $waiting
is "SIGTERM ends exec --ignore-paused" "$(grep -c 'interrupted by signal 15' "$work/out")" 1
echo 0 >"$cg/cgroup.freeze"
as_before() { (($(wc -l <"$cg/cgroup.procs") == before)); }
is "without a process left" "$(wait_for as_before)" ""
ended

started "$sleeps | $user"
is "exec into a user namespace" "$(inside "$id" sh -c 'id -u; cat /proc/self/cgroup')" "0
0::/"
is "exec is in the cgroup of a container with a user namespace" "$(where)" "$cg"
ended

started "$sleeps | .linux.resources.pids={limit:2}"
wait_for_sleep
is "pids.max is reached" "$(<"$cg/pids.current")" 2
is "exec goes on all the same, as under runc" "$(inside "$id" echo in)" in
ended

# As systemd in a container does: processes move into leaves, then controllers are passed on.
started "$sleeps | .linux.resources.pids={limit:50}"
wait_for_sleep
mkdir "$cg/init"
mapfile -t pids <"$cg/cgroup.procs"
for each in "${pids[@]}"; do echo "$each" >"$cg/init/cgroup.procs"; done
echo +pids >"$cg/cgroup.subtree_control"
is "where init is, when the cgroup can have no processes any more" "$(where)" "$cg/init"
has "but not with --cgroup" "$(inside --cgroup / "$id" true)" "--cgroup"
ended

started "$sleeps | .linux.cgroupsPath=\"system.slice:berth:$tag\"" --systemd-cgroup
is "below a scope of systemd, without --systemd-cgroup" "$(where)" "$cg"
is "the scope is systemd's" "$(systemctl is-active "berth-$tag.scope")" active
ended

nothing_left "at the end"
finish
