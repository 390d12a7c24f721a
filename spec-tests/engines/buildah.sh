#!/bin/bash
# buildah run and bud. spec-tests/engines/run.sh buildah [here|sid]
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

prepare() {
  mkdir -p "$work/conf" "$work/volume" "$work/context"
  echo outside >"$work/volume/file"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$work/storage" "$work/run" >"$work/conf/storage.conf"
  export CONTAINERS_STORAGE_CONF=$work/conf/storage.conf
  if [[ $place == here ]]; then
    # Newer buildah asks for more than this machine's root may have.
    printf '[containers]\ndefault_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]\n' >"$work/conf/containers.conf"
    export CONTAINERS_CONF=$work/conf/containers.conf
  fi
  printf '{"default": [{"type": "insecureAcceptAnything"}]}' >"$work/conf/policy.json"
  cp "$work/image.tar" "$work/context/"
  cat >"$work/context/Containerfile" <<'END'
FROM scratch
ADD image.tar /
RUN echo built >/made && id -u
USER 1000
RUN id -u && test ! -w /made
CMD ["/bin/cat", "/made"]
END
  echo "# Linux $(uname -r), $(buildah --version), $("$berth" --version | head -1), $("$control" --version | head -1)"
}

binary() { if [[ $runtime == berth ]]; then echo "$berth"; else command -v "$runtime"; fi; }
b() { timeout --kill-after=5 $((2 * patience)) buildah "$@"; }
# Without a network, which wants programs of its own.
run() { b run --runtime "$(binary)" --network none "$@"; }
in_terminal() { with_terminal "buildah $1"; }

piped() { echo through | run "$me" -- tr a-z A-Z; }
made() {
  b from --name "$me" scratch && b add -q "$me" "$work/image.tar" / >/dev/null && b config --workingdir /tmp --env A=1 "$me"
}
built() { b bud -q --runtime "$(binary)" --isolation oci --network none --signature-policy "$work/conf/policy.json" -t "$me:latest" "$work/context"; }
logged() {
  b bud --no-cache --runtime "$(binary)" --isolation oci --network none --signature-policy "$work/conf/policy.json" -t "$me:latest" "$work/context" 2>&1 | grep -xE '[0-9]+'
}
gone() { b rm "$me" >/dev/null && b rmi -f "$me:latest" >/dev/null; }
left() {
  b containers --format '{{.ContainerName}}' | grep "^$me"
  [[ $runtime != berth ]] || ls -A /run/berth 2>/dev/null
  find /sys/fs/cgroup -type d -name "buildah-$me*"
  true
}

cases() {
  check "a container" "ME exit 0" made
  check "run" "hello exit 0" run "$me" -- echo hello
  check "its exit code" ".*exit 7" run "$me" -- /bin/sh -c 'exit 7'
  check "no such file" "no such file or directory exit [1-9][0-9]*" silent run "$me" -- /no/such
  check "a file that is not executable" "permission denied exit [1-9][0-9]*" silent run "$me" -- /etc/plain
  check "input and output" "THROUGH exit 0" piped
  check "folder, environment" "/tmp 1 exit 0" run "$me" -- /bin/sh -c 'pwd; echo $A'
  check "--terminal" "is a terminal exit 0" in_terminal "run --runtime $(binary) --network none --terminal $me -- sh -c 'test -t 1 && echo is a terminal'"
  check "--user" "uid=1000\(user\) gid=1000\(user\).* exit 0" run --user user "$me" -- id
  check "capabilities, filter" ".*exit 0" run "$me" -- grep -E '^(Cap|Seccomp:|NoNew)' /proc/self/status
  check "--cap-add, --cap-drop" ".*exit 0" run --cap-add CAP_SYS_ADMIN --cap-drop CAP_CHOWN "$me" -- grep Cap /proc/self/status
  check "--volume, --mount" "outside .*exit 0" run --volume "$work/volume:/v:ro" --mount type=tmpfs,dst=/full "$me" -- /bin/sh -c 'cat /v/file; (echo x >/v/x) 2>&1; grep " /full " /proc/mounts | cut -d" " -f3'
  check "--hostname" "there exit 0" run --hostname there "$me" -- hostname
  check "--network none" "lo exit 0" run "$me" -- ls /sys/class/net
  check "--isolation oci" "hello exit 0" run --isolation oci "$me" -- echo hello
  check "what is mounted" ".*exit 0" run "$me" -- /bin/sh -c 'cut -d" " -f2-4 /proc/mounts | sed "s#/sys/fs/cgroup/.*#CGROUP#; s/ \(r[ow]\),.*/ \1/; s#^\(/proc/\(interrupts\|[kt][^ ]*\)\) .*#\1#" | sort | uniq'
  check "bud" "ID exit 0" built
  check "bud: what RUN says" "0 1000 exit 0" logged
  check "rm, rmi" "exit 0" gone
}
[[ ${0##*/} != "${BASH_SOURCE[0]##*/}" ]] || main
