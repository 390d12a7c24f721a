#!/bin/bash
# containerd by ctr, through io.containerd.runc.v2. spec-tests/engines/run.sh containerd [here|bookworm|sid]
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

image=docker.io/library/bb:latest
socket=/run/containerd/containerd.sock
prepare() {
  mkdir -p "$work/volume"
  echo outside >"$work/volume/file"
  # Of its own, in the guest as well.
  [[ $place == here ]] || systemctl stop containerd
  mkdir -p /run/containerd
  cat >"$work/config.toml" <<END
version = 2
root = "$work/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$socket"
END
  containerd --config "$work/config.toml" >"$work/containerd.log" 2>&1 &
  daemon=$!
  until_true ctr version || tail -n 20 "$work/containerd.log"
  # ctr has no import of a plain tree: an image as `docker save` writes it.
  local layer=$work/saved/layer.tar digest
  mkdir -p "$work/saved"
  cp "$work/image.tar" "$layer"
  digest=$(sha256sum "$layer" | cut -d' ' -f1)
  jq -n --arg diff "sha256:$digest" '{architecture: "amd64", os: "linux", config: {Cmd: ["/bin/sh"],
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}, rootfs: {type: "layers", diff_ids: [$diff]}}' >"$work/saved/config.json"
  jq -n --arg tag "$image" '[{Config: "config.json", RepoTags: [$tag], Layers: ["layer.tar"]}]' >"$work/saved/manifest.json"
  tar -C "$work/saved" -cf "$work/saved.tar" config.json layer.tar manifest.json
  ctr image import "$work/saved.tar" >"$work/import.log" 2>&1 || cat "$work/import.log"
  # Unpacked once, before both runtimes want it.
  ctr run --rm --runc-binary "$control" "$image" unpack /bin/true
  cp "$folder/no-mkdir.json" "$work/seccomp.json"
  echo "# Linux $(uname -r), $(containerd --version | cut -d' ' -f1,3), $("$berth" --version | head -1), $("$control" --version | head -1)"
}
cleanup() { [[ -z ${daemon:-} ]] || { kill "$daemon"; wait "$daemon"; } 2>/dev/null; }

binary() { if [[ $runtime == berth ]]; then echo "$berth"; else command -v "$runtime"; fi; }
c() { timeout --kill-after=5 "$patience" ctr "$@"; }
# run [OPTION...] -- COMMAND...: a container of its own, gone afterwards.
runs=0
run() {
  local options=()
  while [[ $1 != -- ]]; do options+=("$1") && shift; done
  shift
  c run --rm --runc-binary "$(binary)" "${options[@]}" "$image" "$me-run-$BASHPID-$RANDOM" "$@"
}
shell() { run -- /bin/sh -c "$1"; }
holds() {
  local name=$1
  shift
  c run -d --null-io --runc-binary "$(binary)" "$@" "$image" "$name" /bin/sh -c "$waits"
}
state() { c task ls | awk -v name="$1" '$1 == name { print $3 }'; }
is_state() { [[ $(state "$1") == "$2" ]]; }
gone() {
  c task kill -s KILL "$1" 2>/dev/null
  c task rm "$1" >/dev/null 2>&1
  until_true c container rm "$1"
}
# ctr may set the size too late, and says so.
in_terminal() { with_terminal "ctr $1" | grep -v 'resize pty'; return "${PIPESTATUS[0]}"; }

limits() {
  # ctr makes no cgroup namespace.
  local show='cd /sys/fs/cgroup/$(cut -d : -f 3 /proc/self/cgroup) && cat memory.max cpu.max'
  [[ $v2 ]] || show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us'
  run --mount type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro --memory-limit 67108864 --cpus 0.5 -- /bin/sh -c "$show"
}
# ctr never closes the input of a program.
line='read -r x; echo "$x" | tr a-z A-Z; sleep 0.3'
piped() { echo through | run -- /bin/sh -c "$line"; }
killed() {
  holds "$me-k"
  state "$me-k"
  c task kill -s KILL "$me-k"
  until_true is_state "$me-k" STOPPED && state "$me-k"
  c task rm "$me-k" 2>&1 | sed 's/.*msg=//'
  c container rm "$me-k"
}
signalled() {
  # The program's own end, seen by who waits for it.
  (run -- /bin/sh -c "echo it is $me-wait; $waits"; echo "ended with $?") >"$work/out/$me-signalled" 2>&1 &
  until_true grep -q up "$work/out/$me-signalled"
  c task kill -s TERM "$(c task ls -q | grep "^$me-run-" | head -n 1)"
  wait $!
  cat "$work/out/$me-signalled"
}
paused() {
  holds "$me-p"
  c task pause "$me-p"
  state "$me-p"
  c task exec --exec-id no "$me-p" true >/dev/null 2>&1
  echo "exec $?"
  c task resume "$me-p"
  state "$me-p"
  gone "$me-p"
}
metrics() { c task metrics "$me-c" | awk '/^(memory.usage_in_bytes|pids.current|memory.usage|pids.limit)/ { print $1, ($2 > 0 ? "some" : "none") }'; }
# Where CRIU is missing.
checkpointed() {
  c container checkpoint --task "$me-c" "localhost/$me-checkpoint:latest" >/dev/null 2>&1
  echo "checkpoint $?"
  state "$me-c"
  c task exec --exec-id "after$RANDOM" "$me-c" true && echo usable
}
processes() {
  local n
  n=$(c task ps "$me-c" | sed 1d | wc -l)
  echo "$((n > 0 && n < 4))"
}
detached_exec() {
  c task exec -d --exec-id made "$me-c" touch /tmp/made
  until_true c task exec --exec-id look$RANDOM "$me-c" test -e /tmp/made && echo made
}
piped_exec() { echo through | c task exec --exec-id in "$me-c" /bin/sh -c "$line"; }
pid_file() {
  holds "$me-f" --pid-file "$work/$me.pid"
  [[ $(cat "$work/$me.pid") == "$(c task ls | awk -v name="$me-f" '$1 == name { print $2 }')" ]] && echo same
  gone "$me-f"
}
joined() {
  local pid
  pid=$(c task ls | awk -v name="$me-c" '$1 == name { print $2 }')
  [[ $(run --with-ns "ipc:/proc/$pid/ns/ipc" --with-ns "uts:/proc/$pid/ns/uts" -- readlink /proc/self/ns/ipc) == "$(readlink "/proc/$pid/ns/ipc")" ]] && echo same
}
systemd_cgroup() {
  run --runc-systemd-cgroup --cgroup "system.slice:$me:one" --memory-limit 67108864 -- grep -o 'system.slice.*' /proc/self/cgroup
  echo "exit $?"
}
brief() { run -- echo done; }
left() {
  c container ls -q | grep "^$me-"
  c task ls -q | grep "^$me-"
  c snapshot ls | grep "$me-"
  pgrep -fa "containerd-shim.* -id $me-"
  find /run/containerd/runc /run/containerd/io.containerd.runtime.v2.task /sys/fs/cgroup -name "$me-*" 2>/dev/null
  true
}

# A program that ends as soon as it has said something may not be heard by ctr exec, whatever the runtime: these wait.
cases() {
  check "run" "hello exit 0" run -- echo hello
  check "its exit code" "exit 7" shell 'exit 7'
  check "a file that is not executable" "permission denied exit 1" silent run -- /etc/plain
  check "no such file" "no such file or directory exit 1" silent run -- /no/such
  check "not in PATH" "no such file or directory exit 1" silent run -- nosuch
  check "killed by SIGKILL" "Killed exit 137" signal_itself
  check "input and output" "THROUGH exit 0" piped
  check "a terminal" "/dev/pts/0 is a terminal exit 0" in_terminal "run --rm -t --runc-binary $(binary) $image $me-tty sh -c 'tty; test -t 1 && echo is a terminal'"
  check "a terminal: the exit code" "exit 4" in_terminal "run --rm -t --runc-binary $(binary) $image $me-tty4 sh -c 'exit 4'"
  check "limits: memory, cpus" "67108864 50000.* exit 0" limits
  check "capabilities: the default" ".*exit 0" shell 'grep Cap /proc/self/status'
  check "--cap-add, --cap-drop" ".*exit 0" run --cap-add CAP_SYS_ADMIN --cap-drop CAP_CHOWN -- grep Cap /proc/self/status
  check "--privileged" ".*exit 0" run --privileged -- grep -E '^(Cap|Seccomp:|NoNew)' /proc/self/status
  check "--seccomp" "Seccomp: 2 exit 0" run --seccomp -- grep ^Seccomp: /proc/self/status
  check "a seccomp profile" ".*No space left on device exit 1" run --seccomp --seccomp-profile "$work/seccomp.json" -- mkdir /tmp/x
  check "--allow-new-privs" "NoNewPrivs: 0 exit 0" run --allow-new-privs -- grep NoNewPrivs /proc/self/status
  check "--read-only" ".*Read-only file system exit 0" run --read-only -- /bin/sh -c '(echo x >/x) 2>&1; true'
  check "--mount" "outside .*exit 0" run --mount "type=bind,src=$work/volume,dst=/v,options=rbind:ro" --mount type=tmpfs,src=tmpfs,dst=/full,options=size=65536 -- /bin/sh -c 'cat /v/file; (echo x >/v/x) 2>&1; grep -E " /(v|full) " /proc/mounts | cut -d" " -f2,4 | sed "s/,.*//"; true'
  check "--cwd, --env" "/tmp 1 exit 0" run --cwd /tmp --env A=1 -- /bin/sh -c 'pwd; echo $A'
  check "--device" "1 exit 0" run --device /dev/zero -- /bin/sh -c 'head -c 1 /dev/zero | wc -c'
  check "--net-host" "net exit 0" host_network
  check "--pid-file" "same exit 0" pid_file
  check "the environment" ".*exit 0" shell 'env | grep -v HOSTNAME | sort'
  check "what is in /dev" ".*exit 0" shell 'ls -l /dev | grep -v kcore | sed "s/ [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* / /" | sort'
  check "run -d" "exit 0" holds "$me-c" --memory-limit 67108864
  check "task ls" "RUNNING exit 0" state "$me-c"
  check "task metrics" ".*some.*exit 0" metrics
  check "task ps" "1 exit 0" processes
  check "exec" "hello exit 0" c task exec --exec-id e1 "$me-c" /bin/sh -c 'echo hello; sleep 0.3'
  check "exec: exit codes" "exit 6" c task exec --exec-id e2 "$me-c" /bin/sh -c 'exit 6'
  check "exec: no such file" "no such file or directory exit 1" silent c task exec --exec-id e3 "$me-c" nosuch
  check "exec: 137" "exit 137" c task exec --exec-id e4 "$me-c" /bin/sh -c 'kill -9 $$'
  check "exec -t" "is a terminal exit 3" in_terminal "task exec -t --exec-id e5 $me-c sh -c 'test -t 1 && echo is a terminal; exit 3'"
  check "exec: folder, capabilities" ".*exit 0" c task exec --exec-id e6 --cwd /tmp "$me-c" /bin/sh -c 'pwd; grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status; sleep 0.3'
  check "exec -d" "made exit 0" detached_exec
  check "exec: input" "THROUGH exit 0" piped_exec
  check "namespaces of another container" "same exit 0" joined
  command -v criu >/dev/null || check "a checkpoint is refused, and the container goes on" "checkpoint 1 RUNNING usable exit 0" checkpointed
  check "kill, rm of the rest" "exit 0" gone "$me-c"
  check "kill -s KILL" "RUNNING STOPPED .*137.*exit 0" killed
  check "kill -s TERM, seen by run" "it is ME-wait up told to end ended with 5 exit 0" signalled
  check "pause, resume, kill of a paused one" "PAUSED exec [1-9][0-9]* RUNNING exit 0" paused
  [[ $place == here ]] || check "--runc-systemd-cgroup" ".*exit 0 exit 0" systemd_cgroup
  check "many at once" "all done exit 0" many 100 brief
}
signal_itself() {
  # Not as process 1 of its namespace, which cannot be killed from inside.
  run -- /bin/sh -c 'sh -c "kill -9 \$\$"; exit $?'
}
host_network() { [[ $(run --net-host -- readlink /proc/self/ns/net) == "$(readlink /proc/self/ns/net)" ]] && echo net; }
[[ ${0##*/} != "${BASH_SOURCE[0]##*/}" ]] || main
