#!/bin/bash
# suites: bookworm sid
# Commands on a container that is there, with every controller of cgroup v2: update, pause, resume, ps, kill, delete.
. "$(dirname "$0")/lib.sh"
MIB=1048576

# started FILTER: a running container of a config, in $id, its init in $pid and its cgroup in $cg.
started() {
  config ".root.readonly=false | $1"
  new_id >/dev/null
  create "$id" || cat "$work/out"
  berth start "$id"
  pid=$(berth state "$id" | jq .pid)
  cg=$(cgroup_of "$id")
}
# all: everything that the limits below have set, a line each.
all() {
  local f
  for f in memory.max memory.swap.max memory.low cpu.weight cpu.max cpuset.cpus cpuset.mems pids.max; do echo "$f=$(<"$cg/$f")"; done
}
files() { local f; for f; do printf '%s=%s ' "$f" "$(cat "$cg/$f" 2>&1)"; done; }
status_is() { [[ $(berth state "$id" | jq -r .status) == "$1" ]]; }
gone() { is "$1" "$(berth delete --force "$id" 2>&1; ls -d "$cg" 2>/dev/null)" ""; }
shared='.linux.namespaces|=map(select(.type!="pid"))'
limits=".linux.resources+={memory:{limit:$((64 * MIB)),swap:$((128 * MIB)),reservation:$((32 * MIB))},
  cpu:{shares:1024,quota:50000,period:100000,cpus:\"0\",mems:\"0\"},pids:{limit:100}}"
sleeps="$(program 'exec sleep 1000') | $limits"

# --- update -----------------------------------------------------------------------------------------------------------
started "$sleeps"
base=$(all)
is "without options nothing changes" "$(berth update "$id" 2>&1)$(all)" "$base"
# changes TITLE FLAGS FILE=VALUE...: what the flags change, and that nothing else does.
changes() {
  local title=$1 flags=$2 wanted=$base pair
  shift 2
  for pair; do wanted=$(sed "s|^${pair%%=*}=.*|$pair|" <<<"$wanted"); done
  # shellcheck disable=SC2086
  is "update $flags: $title" "$(berth update $flags "$id" 2>&1)$(all)" "$wanted"
  berth update --memory $((64 * MIB)) --memory-swap $((128 * MIB)) --memory-reservation $((32 * MIB)) --cpu-share 1024 \
    --cpu-quota 50000 --cpu-period 100000 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 100 "$id"
}
changes "swap stays as it is" "--memory 96m" memory.max=$((96 * MIB))
changes "swap is counted from the limit" "--memory 32m --memory-swap 48m" memory.max=$((32 * MIB)) memory.swap.max=$((16 * MIB))
changes "swap alone is counted from the limit in force" "--memory-swap 65m" memory.swap.max=$MIB
changes "no limit of swap" "--memory-swap -1" memory.swap.max=max
changes "no limit at all" "--memory -1" memory.max=max memory.swap.max=max
changes "reservation" "--memory-reservation 8m" memory.low=$((8 * MIB))
changes "the period keeps the quota" "--cpu-period 50000" "cpu.max=50000 50000"
changes "the quota keeps the period" "--cpu-quota 70000" "cpu.max=70000 100000"
changes "no quota" "--cpu-quota -1" "cpu.max=max 100000"
changes "both" "--cpu-quota 10000 --cpu-period 20000" "cpu.max=10000 20000"
changes "shares as weight" "--cpu-share 2048" cpu.weight=174
changes "processes" "--pids-limit 20" pids.max=20
changes "any number of processes" "--pids-limit -1" pids.max=max
is "update --cpu-burst" "$(berth update --cpu-burst 1000 "$id" 2>&1)$(files cpu.max.burst)" "cpu.max.burst=1000 "
is "update --cpu-idle" "$(berth update --cpu-idle 1 "$id" 2>&1)$(files cpu.idle)" "cpu.idle=1 "
berth update --cpu-idle 0 --cpu-burst 0 "$id"
berth update --cpu-share 1024 "$id"
is "update -r -" "$(echo '{"pids":{"limit":33},"cpu":{"quota":25000},"unified":{"memory.high":"1048576000"}}' |
  berth update -r - "$id" 2>&1)$(files pids.max cpu.max memory.high)" "pids.max=33 cpu.max=25000 100000 memory.high=1048576000 "
berth update --pids-limit 100 --cpu-quota 50000 "$id"

# refused TITLE PART FLAGS...: an error of one line with the part, after which all is as before.
refused() {
  local title=$1 part=$2 out
  shift 2
  out=$(berth update "$@" "$id" 2>&1)
  has "$title" "$? $(wc -l <<<"$out") $out" "1 1 time="
  has "$title: says what and where" "$out" "$part"
  is "$title: nothing has changed" "$(all)" "$base"
}
refused "a limit of swap below that of memory" "--memory-swap" --memory-swap 1m
refused "a limit that the kernel refuses" "pids.max" --cpu-share 2048 --memory 80m --pids-limit 9999999999
refused "a period that the kernel refuses" "(--cpu-period)" --pids-limit 5 --cpu-period 1
refused "CPUs that are not there" "(--cpuset-cpus)" --memory 80m --cpuset-cpus 99
echo '{"memory":{"limit":4096,"swap":8192,"checkBeforeUpdate":true}}' >"$work/below.json"
refused "a limit below what is in use, with checkBeforeUpdate" "(/memory/" -r "$work/below.json"
gone "the container is removed"

# Controllers that nobody has asked for before.
started "$(program 'exec sleep 1000') | del(.linux.resources)"
is "update of a container without limits" "$(berth update --pids-limit 7 --memory 50m --cpu-share 512 "$id" 2>&1)$(files pids.max memory.max)" \
  "pids.max=7 memory.max=$((50 * MIB)) "
gone "it is removed"

# --- pause, resume ------------------------------------------------------------------------------------------------------
started "$(program 'mkdir -p /sys/fs/cgroup/below; while :; do echo >>/tmp/a; sleep 0.01; done & while :; do echo >>/tmp/b; sleep 0.01; done')"
ticks() { cat "$bundle"/rootfs/tmp/[ab] 2>/dev/null | wc -l; }
ticking() { local then; then=$(ticks); sleep 0.2; (($(ticks) > then)); }
wait_for ticking
is "pause" "$(berth pause "$id" 2>&1)$(grep frozen "$cg/cgroup.events") $(berth state "$id" | jq -r .status)" "frozen 1 paused"
before=$(ticks)
sleep 0.2
is "nothing runs while it is paused" "$(ticks)" "$before"
has "pause of a paused container" "$(berth pause "$id" 2>&1)" "container not running"
is "update of a paused container" "$(berth update --pids-limit 55 "$id" 2>&1)$(files pids.max)" "pids.max=55 "
is "resume" "$(berth resume "$id" 2>&1)$(wait_for ticking && berth state "$id" | jq -r .status)" "running"
has "resume of a running container" "$(berth resume "$id" 2>&1)" "container not paused"
berth pause "$id"
is "KILL ends a paused container" "$(berth kill "$id" KILL 2>&1)$(wait_for status_is stopped)" ""
has "pause of a stopped container" "$(berth pause "$id" 2>&1)" "container not running"
is "ps of a stopped container" "$(berth ps -f json "$id")" "null"
gone "delete after that"
rm -f "$bundle"/rootfs/tmp/[ab]
started "$(program 'f() { while :; do ( : ) & : ; done; }; for i in 1 2 3; do f & done; wait') | $shared | .linux.resources.pids={limit:200}"
is "what keeps forking is paused" "$(berth pause "$id" 2>&1)$(grep frozen "$cg/cgroup.events")" "frozen 1"
gone "a paused container with a shared pid namespace is removed"

# --- ps -----------------------------------------------------------------------------------------------------------------
started "$(program 'sleep 1001 & sleep 1002 & wait')"
three() { (($(wc -l <"$cg/cgroup.procs") == 3)) && [[ $(ps -C sleep -o pid= | wc -l) -ge 2 ]]; }
wait_for three
mkdir "$cg/below"
tail -1 "$cg/cgroup.procs" >"$cg/below/cgroup.procs"
pids=$(sort -n "$cg/cgroup.procs" "$cg/below/cgroup.procs" | paste -sd,)
is "ps -f json" "$(berth ps -f json "$id")" "[$pids]"
is "ps" "$(berth ps "$id" | awk 'NR > 1 { print $2 }' | paste -sd,)" "$pids"
is "ps with options of ps" "$(berth ps "$id" -eo pid,comm | awk '{ print $1, $2 }' | paste -sd,)" \
  "PID COMMAND,${pids%%,*} sh,$(cut -d, -f2 <<<"$pids") sleep,${pids##*,} sleep"

# --- kill, delete ---------------------------------------------------------------------------------------------------------
is "kill --all KILL" "$(berth kill --all "$id" KILL 2>&1)$(wait_for status_is stopped)" ""
is "kill --all of a stopped container" "$(berth kill --all "$id" TERM 2>&1)" ""
has "kill of a stopped container" "$(berth kill "$id" TERM 2>&1)" "container not running"
gone "delete after that"

family='for n in 1 2 3; do (trap "echo $n >>/tmp/got" USR1; touch /tmp/ready$n; while :; do sleep 0.01; done) & done
trap "echo 0 >>/tmp/got" USR1; touch /tmp/ready0; while :; do sleep 0.01; done'
ready() { (($(ls "$bundle"/rootfs/tmp/ready[0-3] 2>/dev/null | wc -l) == 4)); }
got() { [[ $(sort "$bundle/rootfs/tmp/got" 2>/dev/null | tr -d '\n') == "$1" ]]; }
started "$(program "$family") | $shared"
wait_for ready
berth kill "$id" USR1
wait_for got 0 && is "kill reaches init alone" "$(cat "$bundle/rootfs/tmp/got")" "0"
rm "$bundle/rootfs/tmp/got"
berth kill --all "$id" USR1
is "kill --all reaches everybody" "$(wait_for got 0123)" ""
is "KILL ends all of a shared pid namespace" "$(berth kill "$id" KILL; wait_for status_is stopped; wait_for grep -q 'populated 0' "$cg/cgroup.events")" ""
gone "delete after that"

relay='relay() { (relay) & exit; }; for n in $(seq 20); do (relay) & done; exec sleep 1000'
relaying() { (($(wc -l <"$cg/cgroup.procs") > 5)); }
for filter in . "$shared"; do
  started "$(program "$relay") | $filter"
  wait_for relaying
  gone "delete --force of processes that are always others ($filter)"
done

# --- the systemd driver -----------------------------------------------------------------------------------------------------
if [[ -S /run/systemd/private || -d /run/systemd/system ]]; then
  config "$(program 'exec sleep 1000') | $limits | .linux.cgroupsPath=\"system.slice:$tag:update\""
  new_id >/dev/null
  if berth --systemd-cgroup create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1; then
    berth start "$id"
    cg=$(cgroup_of "$id")
    unit=${cg##*/}
    show() { systemctl show "$unit" "$@" | sort | paste -sd' '; }
    is "update tells the unit of systemd" "$(berth update --memory 80m --pids-limit 44 --cpu-quota 25000 --cpu-share 512 "$id" 2>&1)$(
      show -p MemoryMax -p TasksMax -p CPUQuotaPerSecUSec)" "CPUQuotaPerSecUSec=250ms MemoryMax=$((80 * MIB)) TasksMax=44"
    is "and the files of its cgroup" "$(files memory.max pids.max cpu.max)" "memory.max=$((80 * MIB)) pids.max=44 cpu.max=25000 100000 "
    is "the period alone keeps the quota" "$(berth update --cpu-period 50000 "$id" 2>&1)$(files cpu.max)" "cpu.max=25000 50000 "
    systemctl daemon-reload
    is "it is all there after daemon-reload" "$(files memory.max pids.max cpu.max)" "memory.max=$((80 * MIB)) pids.max=44 cpu.max=25000 50000 "
    refused_unit=$(berth update --memory 90m --pids-limit 9999999999 "$id" 2>&1)
    has "a refused update" "$refused_unit" "pids.max"
    is "has not reached systemd" "$(show -p MemoryMax) $(files memory.max)" "MemoryMax=$((80 * MIB)) memory.max=$((80 * MIB)) "
    is "pause and resume" "$(berth pause "$id" 2>&1)$(berth state "$id" | jq -r .status) $(berth resume "$id" 2>&1)$(berth state "$id" | jq -r .status)" \
      "paused running"
    gone "the container of a unit is removed"
  else
    is "create with --systemd-cgroup" "$(cat "$work/out")" ""
  fi
fi
nothing_left "in the end"
finish
