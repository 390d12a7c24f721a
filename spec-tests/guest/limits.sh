#!/bin/bash
# What limits are for, on pure cgroup v2 with all controllers: fork bombs and memory hogs are stopped and go in one try,
# nothing is left of what cannot be written, and limits cost few system calls. `spec-tests/guest.sh limits`
. "$(dirname "$0")/lib.sh"
cp dist/guest/bomb "$bundle/rootfs/bin/bomb"
cp dist/test/berth "$work/berth-test"
cgroups() { find /sys/fs/cgroup -type d | sort; }
# left: what is there of our containers now.
left() { ls -A "$work/state" 2>/dev/null; find /sys/fs/cgroup -depth -type d -name "*$tag-*"; }
matches() { grep -qs -- "$1" "$2"; }

bomb() {
  local title=$1 id folder
  id=$tag-bomb
  config '.process.args=["/bin/bomb"] | .linux.resources.pids={limit:30}'"${2:-}"
  berth run --detach --bundle "$bundle" $id </dev/null >"$work/out" 2>&1
  folder=$(cgroup_of $id)
  wait_for matches '^30$' "$folder/pids.current"
  is "$title is stopped by pids.limit" "$(cat "$folder/pids.max") $?" "30 0"
  wait_for matches '^max [1-9]' "$folder/pids.events"
  is "$title: the kernel has refused a fork" $? 0
  berth delete --force $id
  is "$title: delete --force removes it in one try" "$? $(left)" "0 "
  is "$title: no process is left" "$(pgrep -c bomb)" 0
}
bomb "a fork bomb"
bomb "a fork bomb in the runtime's pid namespace" ' | .linux.namespaces|=map(select(.type!="pid"))'

config "$(program 'exec tail -c 200m /dev/zero') | .linux.resources.memory={limit:16777216,swap:16777216}"
(cd "$bundle" && berth run "$tag-oom" </dev/null >"$work/out" 2>&1)
is "a program over its memory limit is killed, and run says 128 + 9" $? 137
config "$(program 'while :; do tail -c 200m /dev/zero; sleep 0.2; done') | .linux.resources.memory={limit:16777216,swap:16777216}"
berth run --detach --bundle "$bundle" "$tag-oom" </dev/null >"$work/out" 2>&1
folder=$(cgroup_of "$tag-oom")
wait_for matches '^oom_kill [1-9]' "$folder/memory.events"
is "a child over the limit is killed, and the cgroup counts it" $? 0
is "its container lives on" "$(berth state "$tag-oom" | jq -r .status)" running
berth delete --force "$tag-oom"
nothing_left "after memory"

# Controllers, and what is there before.
mkdir "/sys/fs/cgroup/$tag-nest"
config "$(program 'true')"' | .linux.cgroupsPath="/'"$tag"'-nest/a/b" | .linux.resources.memory={limit:67108864}'
create "$tag-nest"
is "controllers are enabled down the path" \
  "$? $(cat "/sys/fs/cgroup/$tag-nest/a/b/memory.max") $(grep -cw memory "/sys/fs/cgroup/$tag-nest"/{,a/}cgroup.subtree_control)" \
  "0 67108864 /sys/fs/cgroup/$tag-nest/cgroup.subtree_control:1
/sys/fs/cgroup/$tag-nest/a/cgroup.subtree_control:1"
berth delete --force "$tag-nest"
find "/sys/fs/cgroup/$tag-nest" -depth -type d -exec rmdir {} +
nothing_left "after a path"

# n limits, each one file.
parent=/sys/fs/cgroup/$tag-parent
mkdir "$parent"
sed 's/[a-z]*/+&/g' /sys/fs/cgroup/cgroup.controllers >"$parent/cgroup.subtree_control"
limits='.memory={limit:67108864,reservation:33554432,swap:134217728} | .cpu={shares:512,quota:50000,cpus:"0",mems:"0"} | .pids={limit:100} | .unified={"memory.high":"60000000"}'
files="memory.max memory.low memory.swap.max cpu.weight cpu.max cpuset.cpus cpuset.mems pids.max memory.high"
n=$(wc -w <<<"$files")
# traced FILTER: the calls of the fastest of three runs, without what strace tells twice.
traced() {
  local i best=
  config "$(program 'true')"' | .process.args=["/bin/true"] | .linux.cgroupsPath="/'"$tag-parent/$tag"'-run" | .linux.resources|=('"$1"')'
  for i in 1 2 3; do
    strace -f -qq -e signal=none -o "$work/trace.$i" "$work/berth" --root "$work/state" run --bundle "$bundle" "$tag-run" </dev/null
    grep -v resumed "$work/trace.$i" >"$work/trace"
    i=$(wc -l <"$work/trace")
    if [[ -z $best || $i -lt $best ]]; then best=$i; fi
  done
  echo "$best"
}
without=$(traced '.memory=null')
with=$(traced "$limits")
echo "# system calls of run: $without without limits, $with with $n"
is "run with $n limits costs at most 4 + 3n system calls more ($((with - without)))" "$((with - without <= 4 + 3 * n))" 1
for file in $files; do
  is "$file is opened once" "$(grep -cE "openat2?\(.*\"(/[^\"]*/)?$file\"" "$work/trace")" 1
done
is "no controller is enabled that is there" "$(grep -c subtree_control "$work/trace")" 0
rmdir "$parent"

# Whatever write fails.
config "$(program 'true') | .linux.resources|=($limits)"
problems=
failures=0
for name in write open; do
  for call in {1..60}; do
    BERTH_FAIL_NATIVE=$name:$call:5 timeout 20 "$work/berth-test" --root "$work/state" create --bundle "$bundle" \
      "$tag-fail" </dev/null >"$work/out" 2>&1
    rc=$?
    if ((rc == 0)); then
      berth delete --force "$tag-fail"
      ((call > 30)) && break
    elif ((rc != 1)); then
      problems+="$name $call: exit $rc: $(cat "$work/out")"$'\n'
    fi
    grep -q '/sys/fs/cgroup.*put/output error' "$work/out" && failures=$((failures + 1))
    rest=$(left)
    [[ -z $rest ]] || problems+="$name $call: $rest: $(cat "$work/out")"$'\n'
  done
done
is "whichever write or open fails: exit 1, and nothing is left" "$problems" ""
is "the files of $n limits were among them ($failures)" "$((failures >= 2 * n))" 1

# Cycles; on this emulated machine fewer than in limits.test.ts.
before=$(cgroups)
config "$(program 'true') | .linux.resources|=($limits)"
for i in {1..100}; do
  create "$tag-$i" && berth delete --force "$tag-$i" || break
done
is "100 cycles of create and delete succeed" "$i $?" "100 0"
is "they leave no cgroup in the hierarchy" "$(cgroups)" "$before"
nothing_left "at the end"
finish
