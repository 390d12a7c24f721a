#!/bin/bash
# Podman as a user without privileges. spec-tests/engines/run.sh podman-rootless [here|bookworm|sid]
#
# In the guest the user has a service manager of its own, which keeps the cgroups; here there is none, and no cgroup that the
# user may make.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$folder/podman.sh" # for its cases' functions; what is said below takes their place
# A limit that nobody can keep is an error with Berth and runc, and nothing with crun.
[[ $place == guest ]] || kube_resources=

if [[ $place == here ]]; then uid=5000 name=berthtest; else uid=1000 name=tester; fi
home=$work/home
runtime_dir=/run/user/$uid

# What the user has in common with nobody else: here also an account and subordinate ids, in this mount namespace alone.
make_user() {
  local file
  chmod 755 "$work" "$work/bin" "$work/bin/berth"
  chmod -R o+rX "$work/image" "$work/image.tar"
  mkdir -p "$home" "$work/account"
  chown "$uid:$uid" "$home"
  if [[ $place == guest ]]; then
    chmod 711 /root
    loginctl enable-linger "$name"
    until_true test -S "$runtime_dir/bus"
    return
  fi
  for file in passwd group subuid subgid; do
    cp "/etc/$file" "$work/account/$file" 2>/dev/null
    case $file in
    passwd) echo "$name:x:$uid:$uid::$home:/bin/sh" ;;
    group) echo "$name:x:$uid:" ;;
    *) echo "$name:100000:65536" ;;
    esac >>"$work/account/$file"
    [[ -e /etc/$file ]] || touch "/etc/$file"
    mount --bind "$work/account/$file" "/etc/$file"
  done
  mkdir -p -m 755 /run/user
  mkdir -m 700 "$runtime_dir"
  chown "$uid:$uid" "$runtime_dir"
}
# as_user COMMAND...: with nothing of root's but the program's standard streams.
as_user() {
  local bus=()
  [[ ! -S $runtime_dir/bus ]] || bus=("DBUS_SESSION_BUS_ADDRESS=unix:path=$runtime_dir/bus")
  timeout --foreground --kill-after=5 120 setpriv --reuid="$uid" --regid="$uid" --clear-groups env -i -C "$home" HOME="$home" USER="$name" \
    PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin TERM=xterm XDG_RUNTIME_DIR="$runtime_dir" "${bus[@]}" \
    PODMAN_IGNORE_CGROUPSV1_WARNING=1 CONTAINERS_CONF="$home/containers.conf" ${CONTAINERS_STORAGE_CONF:+CONTAINERS_STORAGE_CONF="$CONTAINERS_STORAGE_CONF"} "$@"
}

prepare() {
  make_user
  {
    declare -f as_user
    declare -p uid name home runtime_dir
    echo 'as_user podman "$@"'
  } >"$work/bin/user-podman"
  printf '#!/bin/sh\necho init is process $$\nshift\nexec "$@"\n' >"$work/init"
  chmod 755 "$work/init"
  cp "$folder/no-mkdir.json" "$work/seccomp.json"
  mkdir "$home/volume" "$work/volume"
  echo outside | tee "$home/volume/file" >"$work/volume/file"
  chown -R "$uid:$uid" "$home/volume"
  cat >"$home/containers.conf" <<END
[containers]
log_driver = "k8s-file"
[engine]
events_logger = "file"
infra_image = "localhost/pause:latest"
infra_command = "/pause"
[engine.runtimes]
berth = ["$berth"]
END
  if [[ $place == here ]]; then
    sed -i 's#^\[engine\]#&\ncgroup_manager = "cgroupfs"#' "$home/containers.conf"
  fi
  printf '[storage]\ndriver = "vfs"\nrootless_storage_path = "%s"\nrunroot = "%s"\n' "$home/storage" "$runtime_dir/containers" >"$home/storage.conf"
  export CONTAINERS_STORAGE_CONF=$home/storage.conf
  {
    as_user podman import -c 'CMD ["/bin/sh"]' "$work/image.tar" "$image" &&
      as_user podman import -c 'CMD ["/pause"]' "$work/image.tar" localhost/pause:latest
  } >"$work/import.log" 2>&1 || cat "$work/import.log"
  echo "# Linux $(uname -r), $(podman --version), $("$berth" --version | head -1), $("$control" --version | head -1)," \
    "$(as_user podman info --format '{{.Host.CgroupManager}} {{.Host.CgroupsVersion}} rootless={{.Host.Security.Rootless}} {{.Store.GraphDriverName}}')"
}

p() { as_user podman --runtime "$runtime" "$@"; }
in_terminal() { with_terminal "bash $work/bin/user-podman --runtime $runtime $1"; }

limits() {
  run --memory 64m --cpus 0.5 --pids-limit 33 "$image" /bin/sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max'
}
held() {
  holds "$me-c"
  p inspect --format '{{.State.Status}}' "$me-c"
}
updated() {
  p update --memory 96m "$me-c" >/dev/null
  p exec "$me-c" cat /sys/fs/cgroup/memory.max
}
# The program has a sleep beside it, now and then.
top_of() { p top "$me-c" user | sed 1d | sort -u; }
keep_id() {
  run --userns keep-id -v "$home/volume:/v" "$image" /bin/sh -c 'id -u; id -g; tr -s " " </proc/self/uid_map; stat -c "%u %a" /v/file; echo mine >/v/new; cat /v/new; rm /v/new'
}
keep_id_root() { run --userns keep-id --user 0 "$image" /bin/sh -c 'id -u; stat -c %u /bin/busybox'; }
# In a storage of its own: Podman lets the other ids in for this container, and each other podman that starts takes that back.
nested() {
  local storage=(--root "$home/nested-$me" --runroot "$runtime_dir/nested-$me")
  p "${storage[@]}" import "$work/image.tar" "$image" >"$work/out/$me-import" 2>&1 || cat "$work/out/$me-import"
  p "${storage[@]}" run --rm --network none --uidmap 0:10:2000 --gidmap 0:10:2000 "$image" /bin/sh -c 'id -u; tr -s " " </proc/self/uid_map; stat -c %u /bin/busybox'
}
host_network() { p run --rm --network host "$image" /bin/sh -c 'grep -c " /sys " /proc/mounts; echo x >/sys/kernel/mm/x'; }
left() {
  p ps -a --format '{{.Names}}' | grep "^$me-"
  p pod ps --format '{{.Name}}' | grep "^$me-"
  [[ $runtime != berth ]] || ls -A "$runtime_dir/berth" /run/berth 2>/dev/null | grep -v :$ | grep .
  for pid in $(pgrep -x conmon); do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -o -- "-n $me-[^ ]*"; done
  true
}

# Without a cgroup of its own Berth warns that nobody can find what such a container leaves running, as runc does; crun does not.
quiet() { "$@" 2>/dev/null; }
# What holds only with a service manager that has given the user cgroups.
with_cgroups() { [[ $place == here ]] || "$@"; }

cases() {
  check "run" "hello exit 0" run "$image" echo hello
  more "its exit code" "exit 7" shell 'exit 7'
  more "125: an error of Podman's" ".*unknown flag.*exit 125" run --nonsense "$image" true
  more "126: a file that is not executable" "permission denied exit 126" silent run "$image" /etc/plain
  check "127: no such file" ".*exit 127" silent run "$image" /no/such
  more "127: not in PATH" ".*exit 127" silent run "$image" nosuch
  more "137: killed by SIGKILL" "Killed exit 137" run "$image" /bin/sh -c 'sh -c "kill -9 \$\$"; exit $?'
  more "input and output" "THROUGH exit 0" piped
  more "logs: output and errors apart" "out err run 3 out stderr: err .*exit 0" logs
  check "ids: the user is root" "0 0 $uid 1 1 1?00000 .*exit 0" shell 'id -u; tr -s " " </proc/self/uid_map'
  check "-it: a terminal" ".*/dev/pts/0 is a terminal exit 0" in_terminal "run --rm -it --network none $image sh -c 'tty; test -t 1 && echo is a terminal'"
  more "-it: the exit code" "exit 4" in_terminal "run --rm -it --network none $image sh -c 'exit 4'"
  check "what is mounted" ".*exit 0" shell 'cut -d" " -f2-4 /proc/mounts | sed "s/ \(r[ow]\),.*/ \1/; s#^\(/proc/\(interrupts\|[kt][^ ]*\)\) .*#\1#" | sort | uniq'
  check "what is in /dev" ".*exit 0" shell 'ls -l /dev | grep -v kcore | sed "s/ [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* / /" | sort'
  more "capabilities, filter" ".*exit 0" shell 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status'
  more "--cap-add, --cap-drop" ".*exit 0" run --cap-drop all --cap-add net_raw,chown "$image" grep Cap /proc/self/status
  more "capabilities of a user" ".*exit 0" run --user 1000 "$image" grep Cap /proc/self/status
  more "seccomp: unconfined" "Seccomp:.*0 exit 0" run --security-opt seccomp=unconfined "$image" grep ^Seccomp: /proc/self/status
  more "seccomp: a profile" ".*No space left on device exit 1" run --security-opt "seccomp=$work/seccomp.json" "$image" mkdir /tmp/x
  more "no-new-privileges" "NoNewPrivs:.*1 exit 0" run --security-opt no-new-privileges "$image" grep NoNewPrivs /proc/self/status
  with_cgroups check "limits: memory, cpus, pids" "67108864 50000 100000 33 exit 0" limits
  with_cgroups check "in a scope of its own" "0::/ exit 0" shell 'cat /proc/self/cgroup'
  with_cgroups more "a container that uses too much memory" "run 137 137 (true|false) exit 0" oom
  check "--userns keep-id" "$uid $uid .*$uid 644 mine exit 0" keep_id
  more "--userns keep-id, as root" "0 0 exit 0" keep_id_root
  check "--uidmap" "0 0 10 2000 0 exit 0" nested
  check "--network host" "[1-9].*exit [12]" host_network
  more "users and groups" "uid=1000\(user\) gid=1000\(user\) groups=1000\(user\),2000\(extra\) exit 0" run --user user --group-add extra "$image" id
  more "--read-only, --tmpfs" ".*Read-only file system content exit 0" run --read-only --tmpfs /full "$image" /bin/sh -c '(echo x >/x) 2>&1; cat /full/file'
  more "volumes and binds" "content outside .*Read-only file system.*new .*exit 0" volumes
  more "--privileged" ".*exit 0" run --privileged "$image" /bin/sh -c 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status'
  more "--init" "init is process 1 hello exit 0" run --init --init-path "$work/init" "$image" echo hello
  more "--pid host, --uts host" "pid uts exit 0" quiet host_namespaces
  check "run -d" "running exit 0" held
  check "exec" "hello exit 0" p exec "$me-c" echo hello
  more "exec: exit codes" "exit 6" p exec "$me-c" /bin/sh -c 'exit 6'
  more "exec: 127" ".*exit 127" silent p exec "$me-c" nosuch
  check "exec: user, namespaces" "uid=1000\(user\) .*0 $uid 1 .*exit 0" p exec --user user "$me-c" /bin/sh -c 'id; tr -s " " </proc/self/uid_map'
  more "exec: capabilities, filter" ".*exit 0" p exec "$me-c" grep -E '^(Cap|Seccomp:|NoNew)' /proc/self/status
  more "exec -it" ".*is a terminal exit 3" in_terminal "exec -it $me-c sh -c 'test -t 1 && echo is a terminal; exit 3'"
  more "exec -d" "made exit 0" detached_exec
  more "exec: input" "THROUGH exit 0" piped_exec
  more "namespaces of another container" "pid same ipc same net same uts other exit 0" quiet other_namespaces
  check "top" "root exit 0" top_of
  with_cgroups check "update" "100663296 exit 0" updated
  check "rm -f" "exit 0" gone "$me-c"
  with_cgroups check "pause, unpause, rm -f of a paused one" ".*paused .*exec 255 .*running .*exit 0" paused
  with_cgroups more "stats" "ME-c FEW N / 67.11MB exit 0" stats
  with_cgroups more "rm -f after stats" "exit 0" gone "$me-c"
  check "stop, start, restart, rm -f" ".*exited 5 up told to end .*running .*exit 0" stopped
  check "kill, wait, rm" ".*137 exited 137 .*exit 0" killed
  more "kill -s" ".*9 up got it exit 0" signalled
  check "healthcheck" "(.*)ill 1 (.*)well 0 exit 0" health
  check "a pod" "inpod shared inpod .*exited 5 exit 0" pod
  more "play kube" "kube 1000 up exit 0" kube
  check "many at once" "all done exit 0" many 30 brief
}
[[ ${0##*/} != "${BASH_SOURCE[0]##*/}" ]] || main
