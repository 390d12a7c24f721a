#!/bin/bash
# What only the guest can show of a plain run: pure cgroup v2, Debian 12's kernel, systemd. `spec-tests/guest.sh guest`
. "$(dirname "$0")/lib.sh"

look='id; hostname; pwd; env | sort; cat /proc/mounts; ls -la /dev | sed "s/ [A-Z][a-z][a-z] .* / /"; grep -E "^(Cap|NoNewPrivs|Sig)" /proc/self/status; ulimit -a'
config "$(program "$look") | .linux.maskedPaths=[] | .linux.readonlyPaths=[]"
ours=$(run)
is "a container runs" "$(grep -c ^CapEff <<<"$ours")" 1
is "a bundle looks as under runc" "$ours" "$(run_in runc --root "$work/runc")"

config "$(program 'cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs')"
is "a new cgroup namespace shows the container's cgroup as root" "$(run)" "0::/
/sys/fs/cgroup/cgroup.procs"

config "$(program 'cat /proc/self/timens_offsets; cut -d" " -f1 /proc/uptime | cut -d. -f1') | .linux.namespaces+=[{\"type\":\"time\"}] | .linux.timeOffsets={boottime:{secs:1000000,nanosecs:5},monotonic:{secs:7200,nanosecs:0}}"
offsets=$(run)
is "timeOffsets: the offsets are those of config.json" "$(head -2 <<<"$offsets" | tr -s ' ')" "monotonic 7200 0
boottime 1000000 5"
uptime=$(tail -1 <<<"$offsets")
is "timeOffsets: the boot time has moved" "$((uptime >= 1000000 && uptime < 1010000))" 1

config "$(program 'cat /proc/self/timens_offsets | tr -s " "; id -u; cat /proc/self/uid_map | tr -s " "') | .linux.namespaces+=[{type:\"time\"},{type:\"user\"}] | .linux.timeOffsets={monotonic:{secs:60,nanosecs:0}} | .linux.uidMappings=[{containerID:0,hostID:100000,size:65536}] | .linux.gidMappings=.linux.uidMappings"
chmod -R o+rX "$bundle"
chmod 755 /root
is "timeOffsets with a new user namespace" "$(run)" "monotonic 60 0
boottime 0 0
0
 0 100000 65536"

config "$(program 'cat /dev/null && echo null; mknod /tmp/k c 1 11 && echo made; cat /tmp/k 2>&1 >/dev/null | grep -o "not permitted"; mknod /tmp/z c 1 5 && head -c 1 /tmp/z | wc -c') | .process.capabilities.bounding+=[\"CAP_MKNOD\"] | .process.capabilities.effective+=[\"CAP_MKNOD\"] | .process.capabilities.permitted+=[\"CAP_MKNOD\"] | .mounts+=[{destination:\"/tmp\",type:\"tmpfs\",source:\"tmpfs\"}]"
is "device rules by eBPF: what is allowed opens, what is denied does not" "$(run)" "null
made
not permitted
1"

config "$(program 'sleep 1000')"
new_id >"$work/out"
create "$id"
pid=$(berth state "$id" | jq .pid)
is "a created container is in its own cgroup" "$(sed 's/.*::.*\//::/' "/proc/$pid/cgroup")" "::$id"
rss=$(awk '/^Rss:/ {print $2}' "/proc/$pid/smaps_rollup")
is "its process has at most 32 KiB resident ($rss)" "$((rss <= 32))" 1
berth start "$id"
is "start" "$(berth state "$id" | jq -r .status)" running
echo 1 >"$(find /sys/fs/cgroup -type d -name "$id")/cgroup.freeze"
is "a frozen cgroup is paused" "$(berth state "$id" | jq -r .status)" paused
berth delete --force "$id"
is "delete --force of a paused container" "$?" 0

apparmor=$(cat /sys/module/apparmor/parameters/enabled)
is "AppArmor is on in this guest" "$apparmor" Y
nothing_left "at the end"

finish
