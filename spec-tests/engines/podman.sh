#!/bin/bash
# Podman as root. spec-tests/engines/run.sh podman [here|bookworm|sid]
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

image=localhost/bb:latest
prepare() {
  local conf=$work/conf
  mkdir -p "$conf" "$work/volume" "$work/hooks"
  echo outside >"$work/volume/file"
  cat >"$conf/containers.conf" <<END
[containers]
log_driver = "k8s-file"
[engine]
events_logger = "file"
infra_image = "localhost/pause:latest"
infra_command = "/pause"
runtime = "berth"
runtime_supports_json = ["berth", "crun", "runc"]
[engine.runtimes]
berth = ["$berth"]
END
  if [[ $place == here ]]; then
    # Below this test's own folder, without systemd.
    sed -i "s#^\[engine\]#&\ncgroup_manager = \"cgroupfs\"\ntmp_dir = \"$work/podman\"#" "$conf/containers.conf"
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$work/storage" "$work/run" >"$conf/storage.conf"
    export CONTAINERS_STORAGE_CONF=$conf/storage.conf
    export PODMAN_IGNORE_CGROUPSV1_WARNING=1
  fi
  export CONTAINERS_CONF=$conf/containers.conf
  # A program for --init: a script does.
  printf '#!/bin/sh\necho init is process $$\nshift\nexec "$@"\n' >"$work/init"
  chmod 755 "$work/init"
  cp "$folder/no-mkdir.json" "$work/seccomp.json"
  {
    podman import -c 'CMD ["/bin/sh"]' "$work/image.tar" "$image" &&
      podman import -c 'CMD ["/pause"]' "$work/image.tar" localhost/pause:latest
  } >"$work/import.log" 2>&1 || cat "$work/import.log"
  echo "# Linux $(uname -r), $(podman --version), $("$berth" --version | head -1), $("$control" --version | head -1)"
}

p() { timeout --kill-after=5 $((2 * patience)) podman --runtime "$runtime" "$@"; }
run() { p run --rm --network none "$@"; }
shell() { run "$image" /bin/sh -c "$@"; }
# holds NAME [OPTION...]: a container that waits.
holds() {
  local name=$1
  shift
  p run -d --name "$name" --network none "$@" "$image" /bin/sh -c "$waits" >/dev/null
  until_true says_up "$name"
}
says_up() { p logs "$1" 2>/dev/null | grep -q up; }
gone() { p rm -f -t 0 "$@" >/dev/null; }
in_terminal() { with_terminal "podman --runtime $runtime $1"; }

limits() {
  local show='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.low /sys/fs/cgroup/cpuset.cpus'
  [[ $v2 ]] || show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max memory/memory.soft_limit_in_bytes cpuset/cpuset.cpus'
  run --memory 64m --cpus 0.5 --pids-limit 33 --memory-reservation 32m --cpuset-cpus 0 "$image" /bin/sh -c "$show"
}
weights() {
  local show='cat /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/io.weight /sys/fs/cgroup/io.bfq.weight 2>/dev/null; true'
  [[ $v2 ]] || show='cat /sys/fs/cgroup/cpu/cpu.shares'
  # crun of before 1.23 makes 20 of them, by the formula of before 2025.
  local known=
  [[ $(crun --version | head -n 1) =~ 1\.(1?[0-9]|2[0-2])(\.|$) && $runtime == crun ]] && known='s/^20$/59/'
  run --cpu-shares 512 "$image" /bin/sh -c "$show" | sed "$known"
  return "${PIPESTATUS[0]}"
}
killed() {
  local rc
  holds "$me-k"
  p kill "$me-k"
  p wait "$me-k"
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-k"
  p rm "$me-k"
  p ps -aq --filter "name=$me-k"
}
signalled() {
  p run -d --name "$me-s" --network none "$image" /bin/sh -c 'trap "echo got it; exit 9" USR1; echo up; while :; do sleep 0.1; done' >/dev/null
  until_true says_up "$me-s"
  p kill -s USR1 "$me-s"
  p wait "$me-s"
  p logs "$me-s"
  gone "$me-s"
}
stopped() {
  holds "$me-t"
  p stop -t 20 "$me-t"
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-t"
  p logs "$me-t"
  p start "$me-t"
  until_true says_up "$me-t"
  p inspect --format '{{.State.Status}}' "$me-t"
  p restart -t 5 "$me-t"
  p rm -f -t 5 "$me-t"
}
paused() {
  holds "$me-p"
  p pause "$me-p"
  p inspect --format '{{.State.Status}}' "$me-p"
  p exec "$me-p" echo never
  echo "exec $?"
  p unpause "$me-p"
  p inspect --format '{{.State.Status}}' "$me-p"
  p pause "$me-p"
  p rm -f -t 0 "$me-p"
}
logs() {
  p run --name "$me-l" --network none "$image" /bin/sh -c 'echo out; sleep 0.2; echo err >&2; exit 3'
  echo "run $?"
  p logs "$me-l" 2>"$work/out/$me-err"
  sed 's/^/stderr: /' "$work/out/$me-err"
  p rm "$me-l"
}
# Whether conmon has seen it: in a slow guest systemd may remove the scope before conmon looks, with runc as well.
oom() {
  local seen='{{.State.OOMKilled}}'
  [[ $place == here ]] || seen=
  p run --name "$me-o" --network none --memory 16m --memory-swap 16m "$image" /bin/sh -c 'head -c 64m /dev/zero | tail >/dev/null; tail /dev/zero' >/dev/null 2>&1
  echo "run $?"
  p inspect --format "{{.State.ExitCode}} $seen" "$me-o"
  gone "$me-o"
}
stats() {
  holds "$me-c" --memory 64m --pids-limit 40
  p stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' "$me-c" | sed -E 's/ [0-9.]+[kM]?B \/ / N \/ /; s/ [0-9] / FEW /'
}
top_of() { p top "$me-c" user args | sed 1d | grep -v ' sleep 0.1 *$'; }
updated() {
  local show='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max'
  [[ $v2 ]] || show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us'
  p update --memory 96m --cpu-quota 30000 "$me-c"
  p exec "$me-c" /bin/sh -c "$show"
}
other_namespaces() {
  local kind theirs
  for kind in pid ipc net uts; do
    theirs=$(p exec "$me-c" readlink "/proc/self/ns/$kind")
    if [[ $(p run --rm --pid "container:$me-c" --ipc "container:$me-c" --network "container:$me-c" --uts host "$image" \
      readlink "/proc/self/ns/$kind") == "$theirs" ]]; then echo "$kind same"; else echo "$kind other"; fi
  done
}
pod() {
  local name=$me-pod
  p pod create --name "$name" --network none --share net,ipc,uts --hostname inpod >/dev/null
  p run -d --pod "$name" --name "$me-a" "$image" /bin/sh -c "$waits" >/dev/null
  p run --rm --pod "$name" "$image" /bin/sh -c 'hostname; echo shared >/dev/shm/x'
  p run --rm --pod "$name" "$image" cat /dev/shm/x
  p exec "$me-a" hostname
  p pod pause "$name" >/dev/null
  p inspect --format '{{.State.Status}}' "$me-a"
  p pod unpause "$name" >/dev/null
  p pod stop -t 5 "$name" >/dev/null
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-a"
  p pod rm -f -t 0 "$name" >/dev/null
}
kube_resources='    resources: {limits: {memory: 64Mi}}'
kube() {
  cat >"$work/$me.yaml" <<END
apiVersion: v1
kind: Pod
metadata:
  name: $me-kube
spec:
  hostname: kube
  containers:
  - name: one
    image: $image
    imagePullPolicy: Never
    command: ["/bin/sh", "-c", "hostname; id -u; trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"]
    securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true}
$kube_resources
END
  p play kube --network none "$work/$me.yaml" >/dev/null
  until_true says_up "$me-kube-one"
  p logs "$me-kube-one"
  p play kube --down "$work/$me.yaml" >/dev/null
}
health() {
  holds "$me-h" --health-cmd 'test -e /tmp/well || exit 1' --health-interval disable --health-retries 1
  p healthcheck run "$me-h"
  echo "ill $?"
  p exec "$me-h" touch /tmp/well
  p healthcheck run "$me-h"
  echo "well $?"
  gone "$me-h"
}
volumes() {
  p volume create "$me-v" >/dev/null
  run -v "$me-v:/full" -v "$work/volume:/v:ro" "$image" /bin/sh -c 'cat /full/file /v/file; echo new >/full/new; echo x >/v/x'
  run -v "$me-v:/full" "$image" cat /full/new
  p volume rm "$me-v"
}
hooks() {
  local hooks=$work/hooks-$me kind
  mkdir -p "$hooks"
  for kind in prestart createRuntime poststart poststop; do
    jq -n --arg kind "$kind" --arg out "$work/$me-hooks" '{version: "1.0.0", when: {always: true}, stages: [$kind],
      hook: {path: "/bin/sh", args: ["sh", "-c", "echo \($kind) $(tr -d \" \\n\\t\" | grep -o status.......... | tr -d \"\\\":\") >>\($out)"]}}' >"$hooks/$kind.json" 2>/dev/null
  done
  timeout 60 podman --runtime "$runtime" --hooks-dir "$hooks" run --rm --network none "$image" true
  cut -d' ' -f1 "$work/$me-hooks"
}
# A container that says that it is ready, to the service manager that has started podman.
notify() {
  local manager
  "$notify" manager "$work/$me.sock" "$work/$me.told" &
  manager=$!
  until_true test -S "$work/$me.sock"
  NOTIFY_SOCKET=$work/$me.sock p run -d --name "$me-n" --sdnotify container --network none "$image" /bin/sh -c 'notify say READY=1; sleep 100' >/dev/null
  until_true grep -q READY=1 "$work/$me.told"
  sed -E 's/^(MAINPID)=.*/\1=N/' "$work/$me.told" | sort
  kill "$manager"
  gone "$me-n"
}
# Without --runtime it is Berth for both; with its path, whatever its name is in containers.conf.
default_runtime() {
  timeout "$patience" podman run --name "$me-d" --network none "$image" echo hello
  p inspect --format '{{.OCIRuntime}}' "$me-d" | sed 's/^berth$/the default/'
  gone "$me-d"
}
by_path() {
  local path=$berth
  [[ $runtime == berth ]] || path=$(command -v "$runtime")
  timeout "$patience" podman --runtime "$path" run --rm --network none "$image" echo hello
}
brief() { run --name "$1" "$image" echo done; }
left() {
  p ps -a --format '{{.Names}}' | grep "^$me-"
  p pod ps --format '{{.Name}}' | grep "^$me-"
  [[ $runtime != berth ]] || { ls -A /run/berth 2>/dev/null; ls -A "$work/podman/berth" 2>/dev/null; }
  # Nothing but the other runtime's is there now.
  for pid in $(pgrep -x conmon); do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -o -- "-n $me-[^ ]*"; done
  true
}

cases() {
  check "run" "hello exit 0" run "$image" echo hello
  more "the runtime of containers.conf" "hello the default exit 0" default_runtime
  more "--runtime with a path" "hello exit 0" by_path
  more "its exit code" "exit 7" shell 'exit 7'
  more "125: an error of Podman's" ".*unknown flag.*exit 125" run --nonsense "$image" true
  check "126: a file that is not executable" "(.*permission denied.*)exit 126" silent run "$image" /etc/plain
  more "126: a folder" ".*exit 126" silent run "$image" /etc
  more "127: no such file" ".*exit 127" silent run "$image" /no/such
  check "127: not in PATH" ".*exit 127" silent run "$image" nosuch
  more "137: killed by SIGKILL" "exit 137" run --pid host "$image" /bin/sh -c 'kill -9 $$'
  more "input and output" "THROUGH exit 0" piped
  more "logs: output and errors apart" "out err run 3 out stderr: err .*exit 0" logs
  check "-it: a terminal" ".*/dev/pts/0 is a terminal exit 0" in_terminal "run --rm -it --network none $image sh -c 'tty; test -t 1 && echo is a terminal'"
  more "-it: the exit code" "exit 4" in_terminal "run --rm -it --network none $image sh -c 'exit 4'"
  more "-it: the size" "33 99 exit 0" in_terminal_sized
  check "limits: memory, cpus, pids" "67108864 50000.*33 33554432 0 exit 0" limits
  check "limits: weights" ".*exit 0" weights
  more "--oom-score-adj, --ulimit" "77 500 exit 0" run --oom-score-adj 77 --ulimit nofile=500:600 --ulimit nproc=100:200 "$image" /bin/sh -c 'cat /proc/self/oom_score_adj; ulimit -n'
  check "a container that uses too much memory" "run 137 137( true| false)? exit 0" oom
  check "capabilities: the default" ".*exit 0" shell 'grep Cap /proc/self/status'
  more "--cap-add, --cap-drop" ".*exit 0" run --cap-drop all --cap-add net_raw,chown "$image" grep Cap /proc/self/status
  more "capabilities of a user" ".*exit 0" run --user 1000 "$image" grep Cap /proc/self/status
  more "--privileged" ".*exit 0" run --privileged "$image" /bin/sh -c 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status; grep " /sys " /proc/mounts'
  check "seccomp: the default profile" "Seccomp:.*2 exit 0" run "$image" grep ^Seccomp: /proc/self/status
  more "seccomp: unconfined" "Seccomp:.*0 exit 0" run --security-opt seccomp=unconfined "$image" grep ^Seccomp: /proc/self/status
  more "seccomp: a profile" ".*No space left on device exit 1" run --security-opt "seccomp=$work/seccomp.json" "$image" mkdir /tmp/x
  more "no-new-privileges" "NoNewPrivs:.*1 exit 0" run --security-opt no-new-privileges "$image" grep NoNewPrivs /proc/self/status
  more "--read-only" ".*Read-only file system written exit 0" run --read-only "$image" /bin/sh -c '(echo x >/x) 2>&1; echo x >/tmp/x && echo written'
  more "--tmpfs" ".*content exit 0" run --tmpfs /full:size=1m,mode=1777 "$image" /bin/sh -c 'grep " /full " /proc/mounts; cat /full/file'
  more "volumes and binds" "content outside .*Read-only file system.*new .*exit 0" volumes
  more "--shm-size, --device, --mount" ".*exit 0" run --shm-size 3m --device /dev/zero:/dev/nought --mount "type=bind,src=$work/volume,dst=/m,bind-propagation=rslave" "$image" /bin/sh -c 'grep -E " /(m|dev/shm) " /proc/mounts | cut -d" " -f2-; ls -l /dev/nought | cut -c1-10; head -c 1 /dev/nought | wc -c'
  check "what is mounted" ".*exit 0" shell 'cut -d" " -f2-4 /proc/mounts | sed "s#/sys/fs/cgroup/.*#CGROUP#; s/ \(r[ow]\),.*/ \1/; s#^\(/proc/\(interrupts\|[kt][^ ]*\)\) .*#\1#" | sort | uniq'
  check "what is in /dev" ".*exit 0" shell 'ls -l /dev | grep -v kcore | sed "s/ [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* / /" | sort'
  more "users and groups" "uid=1000\(user\) gid=1000\(user\) groups=1000\(user\),2000\(extra\) exit 0" run --user user --group-add extra "$image" id
  more "--workdir, --env, --hostname, --sysctl" "/tmp 1 there 42 exit 0" run --workdir /tmp --env A=1 --hostname there --sysctl kernel.msgmax=42 "$image" /bin/sh -c 'pwd; echo $A; hostname; cat /proc/sys/kernel/msgmax'
  more "the environment" ".*exit 0" shell 'env | grep -v HOSTNAME | sort'
  more "--init" "init is process 1 hello exit 0" run --init --init-path "$work/init" "$image" echo hello
  more "--pid host, --uts host" "pid uts exit 0" host_namespaces
  check "a user namespace" "0 0 100000 5000 0 exit 0" user_namespace
  more "--preserve-fds" "through exit 0" preserved
  more "hooks" ".*(prestart createRuntime|createRuntime prestart) poststart poststop exit 0" hooks
  more "kill" ".*137 exited 137 .*exit 0" killed
  more "kill -s" ".*9 up got it exit 0" signalled
  check "stop, start, restart, rm -f" ".*exited 5 up told to end .*running .*exit 0" stopped
  check "pause, unpause, rm -f of a paused one" ".*paused .*exec 255 .*running .*exit 0" paused
  check "stats" "ME-c FEW N / 67.11MB exit 0" stats
  check "top" ".*root +/bin/sh -c trap.*exit 0" top_of
  check "exec" "hello exit 0" p exec "$me-c" echo hello
  more "exec: exit codes" "exit 6" p exec "$me-c" /bin/sh -c 'exit 6'
  more "exec: 126" ".*exit 126" silent p exec "$me-c" /etc/plain
  more "exec: 127" ".*exit 127" silent p exec "$me-c" nosuch
  more "exec: 137" "exit 137" p exec "$me-c" /bin/sh -c 'kill -9 $$'
  check "exec -it" ".*is a terminal exit 3" in_terminal "exec -it $me-c sh -c 'test -t 1 && echo is a terminal; exit 3'"
  more "exec: user, folder, environment" "uid=1000\(user\) .*/tmp 1 exit 0" p exec --user user --workdir /tmp --env A=1 "$me-c" /bin/sh -c 'id; pwd; echo $A'
  check "exec: capabilities, filter, limits" ".*exit 0" p exec "$me-c" /bin/sh -c 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status; ulimit -n; cat /proc/self/cgroup | sed "s/.*://" | sort | uniq | wc -l'
  more "exec --privileged" ".*exit 0" p exec --privileged "$me-c" grep -E '^(Cap|Seccomp:)' /proc/self/status
  more "exec -d" "made exit 0" detached_exec
  more "exec: input" "THROUGH exit 0" piped_exec
  more "namespaces of another container" "pid same ipc same net same uts other exit 0" other_namespaces
  check "update" "ID 100663296 40 30000.*exit 0" updated
  check "rm -f" "exit 0" gone "$me-c"
  check "healthcheck" "(.*)ill 1 (.*)well 0 exit 0" health
  [[ ! -x $notify ]] || check "--sdnotify container" ".*READY=1.*exit 0" notify
  check "a pod" "inpod shared inpod paused exited 5 exit 0" pod
  more "play kube" "kube 1000 up exit 0" kube
  check "many at once" "all done exit 0" many 100 brief
}
piped() { echo through | run -i "$image" tr a-z A-Z; }
piped_exec() { echo through | p exec -i "$me-c" tr a-z A-Z; }
detached_exec() { p exec -d "$me-c" touch /tmp/made >/dev/null; until_true p exec "$me-c" test -e /tmp/made && echo made; }
in_terminal_sized() { with_terminal "stty rows 33 cols 99; podman --runtime $runtime run --rm -it --network none $image sh -c 'sleep 1; stty size'"; }
host_namespaces() {
  local kind
  for kind in pid uts; do
    [[ $(run --pid host --uts host "$image" readlink /proc/self/ns/$kind) == "$(readlink /proc/self/ns/$kind)" ]] && echo $kind
  done
}
user_namespace() { run --uidmap 0:100000:5000 --gidmap 0:100000:5000 "$image" /bin/sh -c 'id -u; tr -s " " </proc/self/uid_map; stat -c %u /bin/busybox'; }
preserved() { run --preserve-fds 1 "$image" /bin/sh -c 'cat <&3' 3<<<through; }
[[ ${0##*/} != "${BASH_SOURCE[0]##*/}" ]] || main
