#!/bin/bash
# suites: bookworm sid
# The systemd cgroup driver with the real systemd: what is left of containers, how systemd is reached, a user's systemd.
# `spec-tests/guest.sh systemd-ends`
. "$(dirname "$0")/lib.sh"
cp dist/test/berth "$work/berth-test"
chmod 755 /root

sberth() { berth --systemd-cgroup "$@"; }
is_gone() { [[ $(systemctl show -P LoadState "$1") == not-found ]]; }
gone() { wait_for is_gone "$1"; }
left() {
  ls -A "$work/state" 2>/dev/null
  find /sys/fs/cgroup -depth -type d -name "*$tag-*"
  systemctl list-units --all --plain --no-legend "*$tag-*"
}

# --- ends ---------------------------------------------------------------------------------------------------------
config "$(program 'exit 7')"
(cd "$bundle" && sberth run "$tag-end" </dev/null)
is "run gives the exit code, and the unit goes" "$?$(left)" 7
gone "berth-$tag-end.scope"
is "systemd forgets it" $? 0
config "$(program 'sleep 1000 & sleep 1000') | .linux.namespaces|=map(select(.type!=\"pid\"))"
sberth run --detach --bundle "$bundle" "$tag-shared" </dev/null >"$work/out" 2>&1
berth delete --force "$tag-shared"
is "delete --force ends everything in the scope" "$?$(left)$(pgrep -fx 'sleep 1000')" 0

systemd-run --quiet --scope --unit "berth-$tag-foreign" sleep 1000 &
wait_for systemctl is-active -q "berth-$tag-foreign.scope"
out=$(sberth run --bundle "$bundle" "$tag-foreign" 2>&1 </dev/null)
has "another's unit of the same name is refused" "$? $out" "container's cgroup is not empty"
is "and left alone" "$(systemctl is-active "berth-$tag-foreign.scope")" active
systemctl stop "berth-$tag-foreign.scope"

config "$(program true) | .annotations={\"org.systemd.property.NoSuchThing\":\"true\"}"
out=$(sberth run --bundle "$bundle" "$tag-bad" 2>&1 </dev/null)
has "a property that systemd does not know is an error" "$? $out" "NoSuchThing"
is "after which nothing is left" "$(left)" ""
config "$(program true) | .annotations={\"org.systemd.property.TimeoutStopSec\":\"'soon'\"}"
out=$(sberth run --bundle "$bundle" "$tag-bad" 2>&1 </dev/null)
has "a value that is none is refused with its annotation" "$? $out" "/annotations/org.systemd.property.TimeoutStopSec"

# Killed at any time: the state knows the unit before it is made.
has_ended() { ! kill -0 $runner 2>/dev/null; }
has_stopped() { child=$(pgrep -P $runner) && [[ $(cut -d' ' -f3 "/proc/$child/stat" 2>/dev/null) == T ]]; }
is_settled() { has_stopped || has_ended; }
nothing_left() { [[ -z $(left) ]]; }
config "$(program 'exec sleep 1000')"
kept=0 bad=
for call in $(seq 12 7 400); do
  id=$tag-kill-$call
  BERTH_STOP_NATIVE=$call timeout -s KILL 60 "$work/berth-test" --systemd-cgroup --root "$work/state" create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 &
  runner=$!
  wait_for is_settled
  if has_ended; then
    wait $runner
    berth delete --force "$id"
    break # there are no more calls
  fi
  kill -KILL $child 2>/dev/null
  wait $runner 2>/dev/null
  kept=$((kept + 1))
  berth delete --force "$id" >>"$work/out" 2>&1 || bad+="$call: $(cat "$work/out") "
  wait_for nothing_left || bad+="$call: $(left) "
done
is "create killed at $kept places: delete --force leaves nothing" "$bad" ""
is "create was killed at many places" "$((kept > 8))" 1

for n in {1..12}; do (cd "$bundle" && config "$(program true)" && sberth run "$tag-cycle-$n" </dev/null) || echo "# cycle $n"; done
is "12 cycles leave nothing" "$(left)" ""

# --- a user ---------------------------------------------------------------------------------------------------------
home=$work/tester
cp -r "$bundle" "$home"
config "$(program 'cat /proc/self/cgroup; cat /sys/fs/cgroup/pids.max') | .linux.resources.pids={limit:22} | .linux.namespaces+=[{type:\"user\"}] | .linux.namespaces|=map(select(.type!=\"network\"))
  | .linux.uidMappings=[{containerID:0,hostID:1000,size:1}] | .linux.gidMappings=.linux.uidMappings | .mounts|=map(select(.type!=\"sysfs\")|if .options then .options|=map(select(startswith(\"gid=\")|not)) else . end)"
cp "$bundle/config.json" "$home/config.json"
chown -R tester: "$home"
loginctl enable-linger tester
wait_for test -S /run/user/1000/bus
as_tester() {
  runuser -u tester -- env -i PATH="$PATH" HOME=/home/tester XDG_RUNTIME_DIR=/run/user/1000 \
    timeout 60 "$work/berth" --systemd-cgroup --root "$home/state" "$@" </dev/null 2>&1
}
is "a user's systemd: the scope is the user's" "$(as_tester run --bundle "$home" "$tag-user")" "0::/
22"
config "$(program 'exec sleep 1000') | $(jq -c '{linux:.linux,mounts:.mounts}' "$home/config.json" | sed 's/^/. * /')"
cp "$bundle/config.json" "$home/config.json"
as_tester run --detach --bundle "$home" "$tag-user2" >"$work/out"
place=$(sed 's/^0:://' "/proc/$(as_tester state "$tag-user2" | jq .pid)/cgroup")
is "below the user's manager, in user.slice" "$(cat "$work/out")$place" \
  "/user.slice/user-1000.slice/user@1000.service/user.slice/berth-$tag-user2.scope"
is "with its limits" "$(cat "/sys/fs/cgroup$place/pids.max")" 22
as_tester delete --force "$tag-user2"
is "delete, as the user" "$?$(left)" 0
out=$(runuser -u tester -- env -i PATH="$PATH" "$work/berth" --systemd-cgroup --root "$home/state" run --bundle "$home" "$tag-user3" 2>&1 </dev/null)
has "without a user's systemd: the variables are named" "$out" "XDG_RUNTIME_DIR"
loginctl disable-linger tester

# Last: others do not find the bus again.
# --- how systemd is reached -----------------------------------------------------------------------------------------
config "$(program 'cat /proc/self/cgroup')"
systemctl stop dbus.socket dbus.service 2>/dev/null
is "without a bus, by systemd's own socket" "$(run_in "$work/berth" --systemd-cgroup --root "$work/state")" "0::/"
systemctl start dbus.socket dbus.service
out=$(DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere run_in "$work/berth" --systemd-cgroup --root "$work/state")
has "a bus that is not there is named" "$out" "/nowhere"
dbus=$(systemctl show -P MainPID dbus)
kill -STOP "$dbus"
begin=$SECONDS
out=$(run_in "$work/berth" --systemd-cgroup --root "$work/state")
took=$((SECONDS - begin))
kill -CONT "$dbus"
has "a bus that does not answer is an error" "$out" "D-Bus does not answer"
is "within the deadline ($took s)" "$((took >= 28 && took <= 40))" 1
is "with nothing left" "$(left)" ""
nothing_left "at the end"
finish
