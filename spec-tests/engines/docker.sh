#!/bin/bash
# Docker Engine. spec-tests/engines/run.sh docker [here|sid]
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

image=bb:latest
prepare() {
  mkdir -p "$work/volume" "$work/docker" /etc/docker
  echo outside >"$work/volume/file"
  # The init of --init is a program that gets "-- COMMAND".
  printf '#!/bin/sh\necho init is process $$\nshift\nexec "$@"\n' >"$work/init"
  chmod 755 "$work/init"
  cp "$folder/no-mkdir.json" "$work/seccomp.json"
  jq -n --arg berth "$berth" --arg init "$work/init" '{runtimes: {berth: {path: $berth}}, "default-runtime": "berth", iptables: false, ip6tables: false, bridge: "none",
    "init-path": $init}' >"$work/daemon.json"
  local options=(--config-file "$work/daemon.json" --data-root "$work/docker")
  options+=(--exec-root /run/docker --host unix:///run/docker.sock)
  # With systemd it runs already, with another configuration.
  if [[ $place == here ]]; then options+=(--exec-opt native.cgroupdriver=cgroupfs); else systemctl stop docker.socket docker; fi
  dockerd "${options[@]}" >"$work/dockerd.log" 2>&1 &
  daemon=$!
  until_true docker version || tail -n 20 "$work/dockerd.log"
  docker import -c 'CMD ["/bin/sh"]' "$work/image.tar" "$image" >"$work/import.log" 2>&1 || cat "$work/import.log"
  echo "# Linux $(uname -r), $(docker version --format 'Docker Engine {{.Server.Version}}'), $(docker info --format '{{.CgroupDriver}} cgroup {{.CgroupVersion}}')," \
    "$("$berth" --version | head -1), $("$control" --version | head -1)"
}
cleanup() { [[ -z ${daemon:-} ]] || { kill "$daemon"; wait "$daemon"; } 2>/dev/null; }

d() { timeout --kill-after=5 "$patience" docker "$@"; }
run() { d run --rm --runtime "$runtime" --network none "$@"; }
shell() { run "$image" /bin/sh -c "$1"; }
holds() {
  local name=$1
  shift
  d run -d --runtime "$runtime" --name "$name" --network none "$@" "$image" /bin/sh -c "$waits" >/dev/null
  until_true says_up "$name"
}
says_up() { d logs "$1" 2>/dev/null | grep -q up; }
gone() { d rm -f "$@" >/dev/null; }
in_terminal() { with_terminal "docker $1"; }

limits() {
  local show='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.low /sys/fs/cgroup/cpuset.cpus'
  [[ $v2 ]] || show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max memory/memory.soft_limit_in_bytes cpuset/cpuset.cpus'
  run --memory 64m --cpus 0.5 --pids-limit 33 --memory-reservation 32m --cpuset-cpus 0 "$image" /bin/sh -c "$show"
}
piped() { echo through | run -i "$image" tr a-z A-Z; }
logs() {
  d run --name "$me-l" --runtime "$runtime" --network none "$image" /bin/sh -c 'echo out; sleep 0.2; echo err >&2; exit 3'
  echo "run $?"
  d logs "$me-l" 2>"$work/out/$me-err"
  sed 's/^/stderr: /' "$work/out/$me-err"
  gone "$me-l"
}
killed() {
  holds "$me-k"
  d kill "$me-k"
  d wait "$me-k"
  d inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-k"
  gone "$me-k"
}
signalled() {
  d run -d --runtime "$runtime" --name "$me-s" --network none "$image" /bin/sh -c 'trap "echo got it; exit 9" USR1; echo up; while :; do sleep 0.1; done' >/dev/null
  until_true says_up "$me-s"
  d kill -s USR1 "$me-s"
  d wait "$me-s"
  d logs "$me-s"
  gone "$me-s"
}
stopped() {
  holds "$me-t"
  d stop -t 20 "$me-t"
  d inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-t"
  d start "$me-t"
  d inspect --format '{{.State.Status}}' "$me-t"
  d restart -t 5 "$me-t"
  d rm -f "$me-t"
}
paused() {
  holds "$me-p"
  d pause "$me-p"
  d inspect --format '{{.State.Status}}' "$me-p"
  d unpause "$me-p"
  d inspect --format '{{.State.Status}}' "$me-p"
  d pause "$me-p"
  d rm -f "$me-p"
}
# Twice: the engine's word of it may come after that of the end.
oom() {
  d run --name "$me-o" --runtime "$runtime" --network none --memory 16m --memory-swap 16m "$image" /bin/sh -c 'tail /dev/zero; sleep 2; exec tail /dev/zero' >/dev/null 2>&1
  echo "run $?"
  d inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' "$me-o"
  gone "$me-o"
}
stats() { d stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' "$me-c" | sed -E 's/ [0-9.]+[kKM]?i?B \/ / N \/ /; s/ [1-9] / FEW /'; }
top_of() { d top "$me-c" | sed 1d | grep -o '/bin/sh -c trap'; }
updated() {
  local show='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max'
  [[ $v2 ]] || show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us'
  d update --memory 96m --memory-swap 96m --pids-limit 50 --cpu-quota 30000 "$me-c"
  d exec "$me-c" /bin/sh -c "$show"
}
detached_exec() { d exec -d "$me-c" touch /tmp/made; until_true d exec "$me-c" test -e /tmp/made && echo made; }
piped_exec() { echo through | d exec -i "$me-c" tr a-z A-Z; }
pair() {
  # As compose would: the second lives in the first one's network.
  holds "$me-net"
  d run -d --runtime "$runtime" --name "$me-server" --network "container:$me-net" "$image" /bin/sh -c 'mkdir /tmp/www; echo served >/tmp/www/index.html; httpd -f -p 127.0.0.1:8080 -h /tmp/www' >/dev/null
  until_true d run --rm --runtime "$runtime" --network "container:$me-net" "$image" nc -z 127.0.0.1 8080
  d run --rm --runtime "$runtime" --network "container:$me-net" --pid "container:$me-net" --ipc host "$image" /bin/sh -c 'wget -qO- http://127.0.0.1:8080/; tr "\0" " " </proc/1/cmdline | cut -c1-12'
  gone "$me-net" "$me-server"
}
health() {
  holds "$me-h" --health-cmd 'test -e /tmp/well' --health-interval 1s --health-retries 1
  until_true healthy_is "$me-h" unhealthy && echo unhealthy
  d exec "$me-h" touch /tmp/well
  until_true healthy_is "$me-h" healthy && echo healthy
  gone "$me-h"
}
healthy_is() { [[ $(d inspect --format '{{.State.Health.Status}}' "$1") == "$2" ]]; }
events() {
  local since
  since=$(date +%s)
  run --name "$me-e" "$image" true
  d events --since "$since" --until "$(($(date +%s) + 1))" --filter "container=$me-e" --format '{{.Status}}' | sort -u
}
volumes() {
  d volume create "$me-v" >/dev/null
  run -v "$me-v:/full" -v "$work/volume:/v:ro" "$image" /bin/sh -c 'cat /full/file /v/file; echo new >/full/new; (echo x >/v/x) 2>&1'
  run -v "$me-v:/full" "$image" cat /full/new
  d volume rm "$me-v"
}
host_namespaces() {
  local kind
  for kind in pid uts; do
    [[ $(run --pid host --uts host "$image" readlink /proc/self/ns/$kind) == "$(readlink /proc/self/ns/$kind)" ]] && echo $kind
  done
}
# Without --runtime it is Berth for both.
default_runtime() {
  d run --name "$me-d" --network none "$image" echo hello
  d inspect --format '{{.HostConfig.Runtime}}' "$me-d" | sed 's/^berth$/the default/'
  gone "$me-d"
}
brief() { run --name "$1" "$image" echo done; }
left() {
  local runtimes
  d ps -a --format '{{.Names}}' | grep "^$me-"
  # Docker keeps a folder of states for each runtime.
  for runtimes in /run/docker/runtime-"$runtime"/moby /run/docker/runtime-*/moby; do
    [[ $runtime != berth || ! -d $runtimes ]] || ls -A "$runtimes"
  done
  true
}

cases() {
  check "run" "hello exit 0" run "$image" echo hello
  check "the default runtime" "hello the default exit 0" default_runtime
  more "its exit code" "exit 7" shell 'exit 7'
  more "125: an error of Docker's" ".*unknown flag.*exit 125" run --nonsense "$image" true
  check "126: a file that is not executable" "permission denied exit 126" silent run "$image" /etc/plain
  more "127: no such file" "no such file or directory exit 127" silent run "$image" /no/such
  check "127: not in PATH" "no such file or directory exit 127" silent run "$image" nosuch
  more "137: killed by SIGKILL" "exit 137" run --pid host "$image" /bin/sh -c 'kill -9 $$'
  more "input and output" "THROUGH exit 0" piped
  more "logs: output and errors apart" "out err run 3 out stderr: err exit 0" logs
  check "-it: a terminal" "/dev/pts/0 is a terminal exit 0" in_terminal "run --rm -it --runtime $runtime --network none $image sh -c 'tty; test -t 1 && echo is a terminal'"
  more "-it: the exit code" "exit 4" in_terminal "run --rm -it --runtime $runtime --network none $image sh -c 'exit 4'"
  check "limits: memory, cpus, pids" "67108864 50000.*33 33554432 0 exit 0" limits
  more "--oom-score-adj, --ulimit" "77 500 exit 0" run --oom-score-adj 77 --ulimit nofile=500:600 "$image" /bin/sh -c 'cat /proc/self/oom_score_adj; ulimit -n'
  check "a container that uses too much memory" "run 137 137 true exit 0" oom
  check "capabilities: the default" ".*exit 0" shell 'grep Cap /proc/self/status'
  more "--cap-add, --cap-drop" ".*exit 0" run --cap-drop all --cap-add net_raw --cap-add chown "$image" grep Cap /proc/self/status
  # Debian 12's runc cannot give what this machine's root may not have.
  [[ $place == here ]] || check "--privileged" ".*exit 0" run --privileged "$image" grep -E '^(Cap|Seccomp:|NoNew)' /proc/self/status
  check "seccomp: the default profile" "Seccomp: 2 exit 0" run "$image" grep ^Seccomp: /proc/self/status
  more "seccomp: unconfined" "Seccomp: 0 exit 0" run --security-opt seccomp=unconfined "$image" grep ^Seccomp: /proc/self/status
  more "seccomp: a profile" ".*No space left on device exit 1" run --security-opt "seccomp=$work/seccomp.json" "$image" mkdir /tmp/x
  more "no-new-privileges" "NoNewPrivs: 1 exit 0" run --security-opt no-new-privileges "$image" grep NoNewPrivs /proc/self/status
  more "--read-only, --tmpfs" ".*Read-only file system written exit 0" run --read-only --tmpfs /tmp:size=1m "$image" /bin/sh -c '(echo x >/x) 2>&1; echo x >/tmp/x && echo written'
  more "volumes and binds" "content outside .*Read-only file system new .*exit 0" volumes
  check "what is mounted" ".*exit 0" shell 'cut -d" " -f2-4 /proc/mounts | sed "s#/sys/fs/cgroup/.*#CGROUP#; s/ \(r[ow]\),.*/ \1/; s#^\(/proc/\(interrupts\|[kt][^ ]*\)\) .*#\1#" | sort | uniq'
  check "what is in /dev" ".*exit 0" shell 'ls -l /dev | grep -v kcore | sed "s/ [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* / /" | sort'
  more "users and groups" "user 1000 2000 exit 0" run --user user --group-add extra "$image" /bin/sh -c 'id -un; id -G | tr " " "\n" | sort -u'
  more "--workdir, --env, --hostname, --sysctl" "/tmp 1 there 42 exit 0" run --workdir /tmp --env A=1 --hostname there --sysctl kernel.msgmax=42 "$image" /bin/sh -c 'pwd; echo $A; hostname; cat /proc/sys/kernel/msgmax'
  more "the environment" ".*exit 0" shell 'env | grep -v HOSTNAME | sort'
  more "--init" "init is process 1 hello exit 0" run --init "$image" echo hello
  more "--pid host, --uts host" "pid uts exit 0" host_namespaces
  more "kill" "ME-k 137 exited 137 exit 0" killed
  more "kill -s" "ME-s 9 up got it exit 0" signalled
  check "stop, start, restart, rm -f" "ME-t exited 5 ME-t running ME-t ME-t exit 0" stopped
  check "pause, unpause, rm -f of a paused one" "ME-p paused ME-p running ME-p ME-p exit 0" paused
  check "run -d" "exit 0" holds "$me-c" --memory 64m --memory-swap 64m --pids-limit 40
  check "stats" "ME-c FEW N / 64MiB exit 0" stats
  check "top" "/bin/sh -c trap exit 0" top_of
  check "exec" "hello exit 0" d exec "$me-c" echo hello
  more "exec: exit codes" "exit 6" d exec "$me-c" /bin/sh -c 'exit 6'
  more "exec: 126" "permission denied exit 126" silent d exec "$me-c" /etc/plain
  check "exec: 127" "no such file or directory exit 12[67]" silent d exec "$me-c" nosuch
  more "exec: 137" "exit 137" d exec "$me-c" /bin/sh -c 'kill -9 $$'
  check "exec -it" "is a terminal exit 3" in_terminal "exec -it $me-c sh -c 'test -t 1 && echo is a terminal; exit 3'"
  more "exec: user, folder, environment" "uid=1000\(user\) .*/tmp 1 exit 0" d exec --user user --workdir /tmp --env A=1 "$me-c" /bin/sh -c 'id; pwd; echo $A'
  check "exec: capabilities, filter, limits" ".*exit 0" d exec "$me-c" /bin/sh -c 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status; ulimit -n'
  [[ $place == here ]] || more "exec --privileged" ".*exit 0" d exec --privileged "$me-c" grep -E '^(Cap|Seccomp:)' /proc/self/status
  more "exec -d" "made exit 0" detached_exec
  more "exec: input" "THROUGH exit 0" piped_exec
  check "update" "ME-c 100663296 50 30000.*exit 0" updated
  check "rm -f" "exit 0" gone "$me-c"
  check "healthcheck" "unhealthy healthy exit 0" health
  more "events" ".*create destroy die start exit 0" events
  check "a pair in one network namespace" "served /bin/sh -c t exit 0" pair
  check "many at once" "all done exit 0" many 40 brief
}
[[ ${0##*/} != "${BASH_SOURCE[0]##*/}" ]] || main
