#!/bin/bash
# Podman as a user without privileges. spec-tests/engines/run.sh podman-rootless [here|bookworm|sid]
#
# In the guest the user has a service manager of its own, which keeps the cgroups; here there is none, and no cgroup that the
# user may make.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

image=localhost/bb:latest
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
    CONTAINERS_CONF="$home/containers.conf" ${CONTAINERS_STORAGE_CONF:+CONTAINERS_STORAGE_CONF="$CONTAINERS_STORAGE_CONF"} "$@"
}

prepare() {
  make_user
  mkdir "$home/volume"
  echo outside >"$home/volume/file"
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
  # Below a folder that other ids may enter: crun needs that for --uidmap.
  printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrootless_storage_path = "%s"\nrunroot = "%s"\n' "$home/storage" "$home/storage" "$runtime_dir/containers" >"$home/storage.conf"
  export CONTAINERS_STORAGE_CONF=$home/storage.conf
  {
    as_user podman import -c 'CMD ["/bin/sh"]' "$work/image.tar" "$image" &&
      as_user podman import -c 'CMD ["/pause"]' "$work/image.tar" localhost/pause:latest
  } >"$work/import.log" 2>&1 || cat "$work/import.log"
  echo "# Linux $(uname -r), $(podman --version), $("$berth" --version | head -1), $("$control" --version | head -1)," \
    "$(as_user podman info --format '{{.Host.CgroupManager}} {{.Host.CgroupsVersion}} rootless={{.Host.Security.Rootless}} {{.Store.GraphDriverName}}')"
}

p() { as_user podman --runtime "$runtime" "$@"; }
run() { p run --rm --network none "$@"; }
shell() { run "$image" /bin/sh -c "$@"; }
holds() {
  local name=$1
  shift
  p run -d --name "$name" --network none "$@" "$image" /bin/sh -c "$waits" >/dev/null
  until_true says_up "$name"
}
says_up() { p logs "$1" 2>/dev/null | grep -q up; }
gone() { p rm -f -t 0 "$@" >/dev/null; }
in_terminal() { SHELL=/bin/bash script -qec "$(declare -f as_user); uid=$uid name=$name home=$home runtime_dir=$runtime_dir; as_user podman --runtime $runtime $1" /dev/null; }

limits() {
  run --memory 64m --cpus 0.5 --pids-limit 33 "$image" /bin/sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max'
}
held() {
  holds "$me-c"
  p inspect --format '{{.State.Status}}' "$me-c"
}
stopped() {
  p stop -t 20 "$me-c"
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-c"
  p logs "$me-c"
  p start "$me-c"
  until_true says_up "$me-c"
  p inspect --format '{{.State.Status}}' "$me-c"
}
killed() {
  p kill "$me-c"
  p wait "$me-c"
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-c"
  p rm "$me-c"
}
paused() {
  p pause "$me-c"
  p inspect --format '{{.State.Status}}' "$me-c"
  p unpause "$me-c"
  p inspect --format '{{.State.Status}}' "$me-c"
}
updated() {
  p update --memory 96m "$me-c" >/dev/null
  p exec "$me-c" cat /sys/fs/cgroup/memory.max
}
# The program has a sleep beside it, now and then.
top_of() { p top "$me-c" user | sed 1d | sort -u; }
pod() {
  local name=$me-pod
  p pod create --name "$name" --network none --share net,ipc,uts --hostname inpod >/dev/null
  p run -d --pod "$name" --name "$me-a" "$image" /bin/sh -c "$waits" >/dev/null
  p run --rm --pod "$name" "$image" /bin/sh -c 'hostname; echo shared >/dev/shm/x'
  p run --rm --pod "$name" "$image" cat /dev/shm/x
  p exec "$me-a" hostname
  p pod stop -t 5 "$name" >/dev/null
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$me-a"
  p pod rm -f -t 0 "$name" >/dev/null
}
keep_id() {
  run --userns keep-id -v "$home/volume:/v" "$image" /bin/sh -c 'id -u; id -g; tr -s " " </proc/self/uid_map; stat -c "%u %a" /v/file; echo mine >/v/new; cat /v/new; rm /v/new'
}
keep_id_root() { run --userns keep-id --user 0 "$image" /bin/sh -c 'id -u; stat -c %u /bin/busybox'; }
nested() { run --uidmap 0:10:2000 --gidmap 0:10:2000 "$image" /bin/sh -c 'id -u; tr -s " " </proc/self/uid_map; stat -c %u /bin/busybox'; }
host_network() { p run --rm --network host "$image" /bin/sh -c 'grep -c " /sys " /proc/mounts; echo x >/sys/kernel/mm/x'; }
left() {
  p ps -a --format '{{.Names}}' | grep "^$me-"
  p pod ps --format '{{.Name}}' | grep "^$me-"
  [[ $runtime != berth ]] || ls -A "$runtime_dir/berth" /run/berth 2>/dev/null | grep -v :$ | grep .
  for pid in $(pgrep -x conmon); do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -o -- "-n $me-[^ ]*"; done
  true
}

cases() {
  check "run" "hello exit 0" run "$image" echo hello
  more "its exit code" "exit 7" shell 'exit 7'
  check "127: no such file" ".*exit 127" silent run "$image" /no/such
  more "126: a file that is not executable" "permission denied exit 126" silent run "$image" /etc/plain
  check "ids: the user is root" "0 0 $uid 1 1 1?00000 .*exit 0" shell 'id -u; tr -s " " </proc/self/uid_map'
  check "-it: a terminal" ".*/dev/pts/0 is a terminal exit 0" in_terminal "run --rm -it --network none $image sh -c 'tty; test -t 1 && echo is a terminal'"
  check "what is mounted" ".*exit 0" shell 'cut -d" " -f2-4 /proc/mounts | sed "s/ \(r[ow]\),.*/ \1/; s#^\(/proc/[kt][^ ]*\) .*#\1#" | sort | uniq'
  check "what is in /dev" ".*exit 0" shell 'ls -l /dev | grep -v kcore | sed "s/ [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* / /" | sort'
  more "capabilities, filter" ".*exit 0" shell 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status'
  if [[ $place == guest ]]; then
    check "limits: memory, cpus, pids" "67108864 50000 100000 33 exit 0" limits
    check "in a scope of its own" "0::/ exit 0" shell 'cat /proc/self/cgroup'
  fi
  check "--userns keep-id" "$uid $uid .*$uid 644 mine exit 0" keep_id
  more "--userns keep-id, as root" "0 0 exit 0" keep_id_root
  check "--uidmap" "0 0 10 2000 0 exit 0" nested
  check "--network host" "[1-9].*exit [12]" host_network
  more "users and groups" "uid=1000\(user\) gid=1000\(user\) groups=1000\(user\),2000\(extra\) exit 0" run --user user --group-add extra "$image" id
  more "--read-only, --tmpfs" ".*Read-only file system content exit 0" run --read-only --tmpfs /full "$image" /bin/sh -c '(echo x >/x) 2>&1; cat /full/file'
  more "--privileged" ".*exit 0" run --privileged "$image" /bin/sh -c 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status'
  check "run -d" "running exit 0" held
  check "exec" "hello exit 0" p exec "$me-c" echo hello
  more "exec: exit codes" "exit 6" p exec "$me-c" /bin/sh -c 'exit 6'
  more "exec: 127" ".*exit 127" silent p exec "$me-c" nosuch
  check "exec: user, namespaces" "uid=1000\(user\) .*0 $uid 1 .*exit 0" p exec --user user "$me-c" /bin/sh -c 'id; tr -s " " </proc/self/uid_map'
  more "exec -it" ".*is a terminal exit 3" in_terminal "exec -it $me-c sh -c 'test -t 1 && echo is a terminal; exit 3'"
  check "top" "root exit 0" top_of
  if [[ $place == guest ]]; then
    check "pause, unpause" ".*paused .*running exit 0" paused
    check "update" "100663296 exit 0" updated
  fi
  check "stop, start" ".*exited 5 up told to end .*running exit 0" stopped
  check "kill, wait, rm" ".*137 exited 137 .*exit 0" killed
  check "a pod" "inpod shared inpod exited 5 exit 0" pod
}
[[ ${0##*/} != "${BASH_SOURCE[0]##*/}" ]] || main
