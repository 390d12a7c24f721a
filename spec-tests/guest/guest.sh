#!/bin/bash
# Runs in the guest machine (pure cgroup v2, systemd, Debian 12's kernel, no network, no Node.js): what only that place
# can show. TAP on standard output. `spec-tests/vm/vm run -- bash spec-tests/guest/guest.sh`
set -uo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d /root/guest.XXXXXX)
# Programs start slowly from the shared folder.
cp dist/berth "$work/berth"
berth() { timeout 60 "$work/berth" --root "$work/state" "$@"; }

bundle=$work/bundle
mkdir -p "$bundle/rootfs"/{bin,dev,etc,proc,sys,tmp}
cp /bin/busybox "$bundle/rootfs/bin/"
for applet in $(/bin/busybox --list); do
  [[ -e $bundle/rootfs/bin/$applet ]] || ln -s busybox "$bundle/rootfs/bin/$applet"
done
chmod 755 "$work"
berth spec --bundle "$bundle"
cp "$bundle/config.json" "$work/template.json"

# config FILTER [ARG...]: the template without a terminal, changed by a jq filter.
config() {
  local filter=$1
  jq ".process.terminal=false | $filter" "$work/template.json" >"$bundle/config.json"
}
program() { printf '.process.args=["/bin/sh","-c",%s]' "$(jq -Rn --arg s "$1" '$s')"; }
# run_in RUNTIME...: the output of a whole run.
run_in() { (cd "$bundle" && timeout 60 "$@" run "g$RANDOM" </dev/null 2>&1); }
run() { run_in "$work/berth" --root "$work/state"; }

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
nothing_left() {
  is "$1: no state, no cgroup is left" \
    "$(ls -A "$work/state" 2>/dev/null)$(find /sys/fs/cgroup -type d -name 'g[0-9]*')" ""
}

echo "# Linux $(uname -r), $(stat -f -c %T /sys/fs/cgroup), $(berth --version | head -1), $(runc --version | head -1)"

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
nohup "$work/berth" --root "$work/state" create --bundle "$bundle" g1 </dev/null >"$work/out" 2>&1
pid=$(berth state g1 | jq .pid)
is "a created container is in its own cgroup" "$(sed 's/.*::.*\//::/' "/proc/$pid/cgroup")" "::g1"
rss=$(awk '/^Rss:/ {print $2}' "/proc/$pid/smaps_rollup")
is "its process has at most 32 KiB resident ($rss)" "$((rss <= 32))" 1
berth start g1
is "start" "$(berth state g1 | jq -r .status)" running
echo 1 >"$(find /sys/fs/cgroup -type d -name g1)/cgroup.freeze"
is "a frozen cgroup is paused" "$(berth state g1 | jq -r .status)" paused
berth delete --force g1
is "delete --force of a paused container" "$?" 0

apparmor=$(cat /sys/module/apparmor/parameters/enabled)
is "AppArmor is on in this guest" "$apparmor" Y
nothing_left "at the end"

rm -rf "$work"
echo "1..$count"
exit $((failed > 0))
