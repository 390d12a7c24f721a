#!/bin/bash
# containerd by the Kubernetes Container Runtime Interface, as a kubelet uses it. spec-tests/engines/run.sh cri [here|bookworm|sid]
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

image=docker.io/library/bb:latest
pause=docker.io/library/pause:latest
socket=/run/cri-test/containerd.sock
client=$work/bin/cri
cp "$OLDPWD/${CRI:?run.sh builds it}" "$client"
# A containerd of its own, in the guest as well. Its configuration is the one of docs/engines.md.
prepare() {
  local systemd=true
  [[ $place == here ]] && systemd=false
  mkdir -p /run/cri-test "$work/volume" "$work/logs"
  echo outside >"$work/volume/file"
  configuration "$systemd" >"$work/config.toml"
  containerd --config "$work/config.toml" >"$work/containerd.log" 2>&1 &
  daemon=$!
  until_true cri Status || tail -n 20 "$work/containerd.log"
  import "$image" '["/bin/sh"]'
  import "$pause" '["/pause"]'
  echo "# Linux $(uname -r), $(containerd --version | cut -d' ' -f1,3), $("$berth" --version | head -1), $("$control" --version | head -1)"
}
# configuration SYSTEMD: as docs/engines.md has it, for containerd 1 and 2.
configuration() {
  local cri=io.containerd.grpc.v1.cri version=2
  [[ $(containerd --version) != *" 2."* ]] || cri=io.containerd.cri.v1.runtime version=3
  cat <<END
version = $version
root = "$work/containerd"
state = "/run/cri-test"
[grpc]
address = "$socket"
[plugins."$cri"]
disable_apparmor = true
restrict_oom_score_adj = true
END
  if ((version == 3)); then
    printf '[plugins."io.containerd.cri.v1.images".pinned_images]\nsandbox = "%s"\n' "$pause"
  else
    printf 'sandbox_image = "%s"\n' "$pause"
  fi
  for runtime in berth "$control"; do
    cat <<END
[plugins."$cri".containerd.runtimes.$runtime]
runtime_type = "io.containerd.runc.v2"
[plugins."$cri".containerd.runtimes.$runtime.options]
BinaryName = "$(binary)"
SystemdCgroup = $1
END
  done
}
cleanup() { { kill "$daemon"; wait "$daemon"; } 2>/dev/null; }
# import NAME CMD: image.tar as `docker save` would write it.
import() {
  local folder digest
  folder=$(mktemp -d "$work/saved.XXXXXX")
  cp "$work/image.tar" "$folder/layer.tar"
  digest=$(sha256sum "$folder/layer.tar" | cut -d' ' -f1)
  jq -n --arg diff "sha256:$digest" --argjson cmd "$2" '{architecture: "amd64", os: "linux", config: {Cmd: $cmd,
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}, rootfs: {type: "layers", diff_ids: [$diff]}}' >"$folder/config.json"
  jq -n --arg tag "$1" '[{Config: "config.json", RepoTags: [$tag], Layers: ["layer.tar"]}]' >"$folder/manifest.json"
  tar -C "$folder" -cf "$folder.tar" config.json layer.tar manifest.json
  ctr -a "$socket" -n k8s.io image import "$folder.tar" >"$work/import.log" 2>&1 || cat "$work/import.log"
}

binary() { if [[ $runtime == berth ]]; then echo "$berth"; else command -v "$runtime"; fi; }
cri() { timeout --kill-after=5 "$patience" "$client" "$socket" "$@"; }

# The pod's configuration, which comes with each of its containers again. The network is the host's: no CNI plugin is there.
pod_config() {
  jq -n --arg name "$1" --arg logs "$work/logs" --arg parent "$parent" '{metadata: {name: $name, uid: $name, namespace: "default"},
    log_directory: $logs, linux: {cgroup_parent: $parent,
      security_context: {namespace_options: {network: "NODE", pid: "POD"}}}}'
}
parent=
[[ $place == here ]] || parent=system.slice
pod() { cri RunPodSandbox "$(jq -n --arg handler "$runtime" --argjson config "$(pod_config "$1")" '{config: $config, runtime_handler: $handler}')" | jq -r .podSandboxId; }
# made POD-ID NAME PATCH COMMAND...: a container's id. PATCH is JSON that its configuration is merged with.
made() {
  local id=$1 name=$2 patch=$3
  shift 3
  cri CreateContainer "$(jq -n --arg id "$id" --arg name "$name" --arg image "$image" --argjson pod "$(pod_config "$me")" --argjson patch "$patch" '{
    pod_sandbox_id: $id, sandbox_config: $pod, config: ({metadata: {name: $name}, image: {image: $image}, command: $ARGS.positional,
      log_path: "\($pod.metadata.name)-\($name).log", linux: {security_context: {namespace_options: {network: "NODE", pid: "POD"}}}} * $patch)}' --args -- "$@")" | jq -r .containerId
}
started() { cri StartContainer "{\"container_id\": \"$1\"}" >/dev/null; }
status() { cri ContainerStatus "{\"container_id\": \"$1\"}" | jq -r '.status | "\(.state) \(.exitCode) \(.reason)"'; }
is_state() { [[ $(status "$1") == "$2"* ]]; }
removed() { cri RemoveContainer "{\"container_id\": \"$1\"}" >/dev/null; }
# run PATCH COMMAND...: a container in the pod, its log, and how it ended.
run() {
  local id name=run-$BASHPID patch=$1 rc
  shift
  id=$(made "$pod" "$name" "$patch" "$@") || return
  started "$id"
  rc=$?
  if ((rc == 0)); then
    until_true is_state "$id" CONTAINER_EXITED
    cut -d' ' -f2,4- "$work/logs/$me-$name.log"
    status "$id"
  fi
  removed "$id"
  return $rc
}
shell() { run "${2:-{\}}" /bin/sh -c "$1"; }
# execs COMMAND...: its output, exit code as its own.
execs() {
  local answer
  answer=$(cri ExecSync "$(jq -n --arg id "$held" '{container_id: $id, cmd: $ARGS.positional, timeout: 60}' --args -- "$@")") || return
  jq -r '.stdout' <<<"$answer" | base64 -d
  jq -r '.stderr' <<<"$answer" | base64 -d >&2
  return "$(jq -r .exitCode <<<"$answer")"
}

handlers() {
  cri Status | jq -r '.status.conditions[] | select(.type == "RuntimeReady") | .status'
  # containerd 2 asks the runtime for its features.
  cri Status | jq -c --arg name "$runtime" '.runtimeHandlers[]? | select(.name == $name) | .features'
}
limits() {
  local show='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /proc/self/oom_score_adj'
  [[ $v2 ]] || show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us /proc/self/oom_score_adj'
  shell "$show" '{"linux": {"resources": {"memory_limit_in_bytes": "67108864", "cpu_quota": "50000", "cpu_period": "100000", "oom_score_adj": 500}}}'
}
updated() {
  local show='cat /sys/fs/cgroup/memory.max'
  [[ $v2 ]] || show='cat /sys/fs/cgroup/memory/memory.limit_in_bytes'
  cri UpdateContainerResources "{\"container_id\": \"$held\", \"linux\": {\"memory_limit_in_bytes\": \"100663296\"}}" >/dev/null
  execs /bin/sh -c "$show"
}
stats() { cri ContainerStats "{\"container_id\": \"$held\"}" | jq -r '.stats | [.cpu.usageCoreNanoSeconds.value, .memory.workingSetBytes.value] | map(if (. // "0" | tonumber) > 0 then "some" else "none" end) | join(" ")'; }
shared() {
  local kind
  for kind in pid ipc uts net; do
    if [[ $(execs readlink "/proc/self/ns/$kind") == "$(shell "readlink /proc/self/ns/$kind" | sed -n 1p | cut -d' ' -f2)" ]]; then echo "$kind same"; else echo "$kind other"; fi
  done
}
stopped() {
  cri StopContainer "{\"container_id\": \"$held\", \"timeout\": 20}" >/dev/null
  status "$held"
  removed "$held"
}
killed() {
  local id
  id=$(made "$pod" kill '{}' /bin/sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done')
  started "$id"
  until_true grep -q up "$work/logs/$me-kill.log"
  cri StopContainer "{\"container_id\": \"$id\", \"timeout\": 1}" >/dev/null
  status "$id"
  removed "$id"
}
pod_gone() {
  cri StopPodSandbox "{\"pod_sandbox_id\": \"$pod\"}" >/dev/null && cri PodSandboxStatus "{\"pod_sandbox_id\": \"$pod\"}" | jq -r .status.state
  cri RemovePodSandbox "{\"pod_sandbox_id\": \"$pod\"}" >/dev/null
}
handler() { cri PodSandboxStatus "{\"pod_sandbox_id\": \"$pod\"}" | jq -r '.status | "\(.state) \(.runtimeHandler)"'; }
left() {
  cri ListPodSandbox | jq -r --arg name "$me" '.items[] | select(.metadata.name == $name) | .id'
  [[ $runtime != berth ]] || ls -A /run/containerd/runc/k8s.io 2>/dev/null
  pgrep -fa "containerd-shim.* -id $(cat "$work/out/$me-pod")"
  true
}

# The shim's word for it is a race between two events in a slow guest, with runc as well.
memory() {
  if [[ $place == here ]]; then shell "$@"; else shell "$@" | sed 's/OOMKilled/Error/'; fi
}
cases() {
  check "Status: ready, the handler's features" "true.*exit 0" handlers
  pod=$(pod "$me")
  echo "$pod" >"$work/out/$me-pod"
  check "RunPodSandbox by its handler" "SANDBOX_READY RUNTIME exit 0" handler
  check "a container's log and end" "stdout out stderr err CONTAINER_EXITED 3 Error exit 0" shell 'echo out; sleep 0.2; echo err >&2; exit 3'
  check "no such file" "no such file or directory exit 1" silent run '{}' /no/such
  check "a file that is not executable" "permission denied exit 1" silent run '{}' /etc/plain
  check "limits: memory, cpu, oom_score_adj" "stdout 67108864 stdout 50000.* stdout 500 CONTAINER_EXITED 0 Completed exit 0" limits
  check "a container that uses too much memory" "CONTAINER_EXITED 137 (OOMKilled|Error) exit 0" memory 'tail /dev/zero' '{"linux": {"resources": {"memory_limit_in_bytes": "16777216", "memory_swap_limit_in_bytes": "16777216"}}}'
  check "the default: capabilities, filter" ".*CONTAINER_EXITED 0 Completed exit 0" shell 'grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status'
  check "securityContext: user, capabilities, seccomp, no new privileges" "stdout uid=1000.*Seccomp: 2 .*exit 0" shell 'id; grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status' \
    '{"linux": {"security_context": {"run_as_user": {"value": 1000}, "capabilities": {"drop_capabilities": ["ALL"]}, "no_new_privs": true, "seccomp": {"profile_type": "RuntimeDefault"}}}}'
  check "read-only root, mounts, environment" "stdout outside stdout .*Read-only file system stdout 1 .*exit 0" shell 'cat /v/file; (echo x >/v/x; echo x >/x) 2>&1; echo $A' \
    "{\"mounts\": [{\"container_path\": \"/v\", \"host_path\": \"$work/volume\", \"readonly\": true}], \"envs\": [{\"key\": \"A\", \"value\": \"MQ==\"}], \"linux\": {\"security_context\": {\"readonly_rootfs\": true}}}"
  held=$(made "$pod" held '{"linux": {"resources": {"memory_limit_in_bytes": "67108864"}}}' /bin/sh -c "$waits")
  check "StartContainer" "exit 0" started "$held"
  check "ExecSync" "hello exit 0" execs echo hello
  check "ExecSync: exit codes, errors" "out err exit 6" execs /bin/sh -c 'echo out; echo err >&2; exit 6'
  check "ExecSync: no such file" "no such file or directory exit 1" silent execs nosuch
  check "ContainerStats" "some some exit 0" stats
  check "UpdateContainerResources" "100663296 exit 0" updated
  check "namespaces of the pod" "pid same ipc same uts same net same exit 0" shared
  check "StopContainer: TERM" "CONTAINER_EXITED 5 Error exit 0" stopped
  check "StopContainer: KILL at the end" "CONTAINER_EXITED 137 Error exit 0" killed
  check "StopPodSandbox, RemovePodSandbox" "SANDBOX_NOTREADY exit 0" pod_gone
}
[[ ${0##*/} != "${BASH_SOURCE[0]##*/}" ]] || main
