#!/bin/bash
# suites: bookworm sid
# AppArmor enforces the profile that config.json names: on the container's process, on what it starts, on exec'd processes;
# with and without noNewPrivileges, user namespace, another user, hooks. As under runc.
. "$(dirname "$0")/lib.sh"

cat >"$work/profile" <<END
#include <tunables/global>
profile $tag-box flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>
  file,
  capability,
  network,
  signal,
  ptrace,
  mount,
  userns,
  deny /etc/denied rwklx,
  deny /tmp/denied w,
}
profile $tag-other flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>
  file,
  signal,
  deny /etc/allowed rwklx,
}
END
apparmor_parser --help 2>&1 | grep -q userns || sed -i '/userns,/d' "$work/profile"
parse() { apparmor_parser "$@" "$work/profile" 2>&1; }
output=$(parse -r) || { sed -i '/userns,/d' "$work/profile"; output=$(parse -r); }
is "the profiles are loaded" "$(grep -c "^$tag-" /sys/kernel/security/apparmor/profiles)" 2
echo secret >"$bundle/rootfs/etc/denied"
echo plain >"$bundle/rootfs/etc/allowed"

profile=".root.readonly=false | .process.apparmorProfile=\"$tag-box\""
look='cat /proc/self/attr/current; cat /etc/denied 2>&1; cat /etc/allowed; (: >/tmp/denied) 2>&1; sh -c "cat /etc/denied" 2>&1'
confined="$tag-box (enforce)
cat: can't open '/etc/denied': Permission denied
plain
/bin/sh: can't create /tmp/denied: Permission denied
cat: can't open '/etc/denied': Permission denied"
same="as under runc"

config "$(program "cat /proc/self/attr/current; cat /etc/denied")"
is "without a profile nothing is denied" "$(run)" $'unconfined\nsecret'

while IFS='|' read -r title filter; do
  config "$(program "$look") | $profile $filter"
  ours=$(run | sed 's/line [0-9]*: //')
  is "$title: denied by the profile" "$ours" "$confined"
  is "$title: $same" "$ours" "$(run_in runc --root "$work/runc" | sed 's/line [0-9]*: //')"
done <<'END'
noNewPrivileges|
without noNewPrivileges|| .process.noNewPrivileges=false
another user|| .process.user={uid:1000,gid:1000}
another user without noNewPrivileges|| .process.user={uid:1000,gid:1000} | .process.noNewPrivileges=false
a user namespace|| .linux.namespaces+=[{type:"user"}] | .linux.uidMappings=[{containerID:0,hostID:0,size:65536}] | .linux.gidMappings=.linux.uidMappings
a seccomp filter|| .linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",architectures:["SCMP_ARCH_X86_64"],syscalls:[{names:["acct"],action:"SCMP_ACT_ERRNO"}]}
no pid namespace|| .linux.namespaces-=[{type:"pid"}] | .linux.maskedPaths=null | .linux.readonlyPaths=null
END

config "$(program "$look") | .process.apparmorProfile=\"unconfined\""
has "the profile unconfined" "$(run)" secret

# The profile is asked for before a startContainer hook runs, and not before a createContainer hook.
cat >"$bundle/rootfs/hook" <<'END'
#!/bin/sh
cat /proc/self/attr/current >/tmp/hook
END
chmod +x "$bundle/rootfs/hook"
config "$(program 'cat /tmp/hook') | $profile | .hooks={startContainer:[{path:\"/hook\"}]}"
ours=$(run)
is "a startContainer hook: $same" "$ours" "$(run_in runc --root "$work/runc")"
rm -f "$bundle/rootfs/tmp/hook"
config "$(program 'true') | $profile | .hooks={createContainer:[{path:\"/bin/sh\",args:[\"sh\",\"-c\",\"cat /proc/self/attr/current >$work/hook\"]}]}"
run >/dev/null
is "a createContainer hook is not confined" "$(cat "$work/hook" 2>&1)" unconfined

# create and exec
config "$(program 'sleep 100') | $profile"
new_id >/dev/null
is "create" "$(create "$id" && berth start "$id" && echo ok)" ok
is "the init is confined" "$(cat "/proc/$(berth state "$id" | jq .pid)/attr/current")" "$tag-box (enforce)"
is "exec has the container's profile" "$(berth exec "$id" cat /proc/self/attr/current)" "$tag-box (enforce)"
has "exec is denied what the profile denies" "$(berth exec "$id" cat /etc/denied 2>&1)" "Permission denied"
is "exec --apparmor: a profile of its own" \
  "$(berth exec --apparmor "$tag-other" "$id" sh -c 'cat /proc/self/attr/current; cat /etc/denied; cat /etc/allowed' 2>&1)" \
  "$tag-other (enforce)
secret
cat: can't open '/etc/allowed': Permission denied"
has "exec --apparmor: one that is not there" "$(berth exec --apparmor "$tag-none" "$id" true 2>&1)" \
  "unable to apply apparmor profile"
berth delete --force "$id"

# A profile that is not there, and an image that has something of its own where the profile is written to.
config "$(program true) | .process.apparmorProfile=\"$tag-none\""
output=$(run)
has "a profile that is not loaded is named" "$output" "unable to apply apparmor profile"
has "a profile that is not loaded: its field" "$output" "/process/apparmorProfile"
mkdir -p "$bundle/fake/self/attr/apparmor" "$bundle/fake/thread-self/attr/apparmor"
touch "$bundle/fake/self/attr/apparmor/exec" "$bundle/fake/thread-self/attr/apparmor/exec"
config "$(program "$look") | $profile
  | .mounts=[{destination:\"/proc\",source:\"$bundle/fake\",options:[\"bind\"]}] + (.mounts | map(select(.destination!=\"/proc\")))"
output=$(run)
has "CVE-2019-16884: no file of the image is taken for procfs" "$output" "/mounts/0/source"
is "CVE-2019-16884: nothing was written to it" "$(find "$bundle/fake" -type f -size +0)" ""
has "CVE-2019-16884: nothing ran" "${output//$tag-box (enforce)/ran}" "time="

dmesg 2>/dev/null | grep 'apparmor="DENIED"' | grep "$tag-" | tail -n 2 | sed 's/^/# /'
parse -R >/dev/null
nothing_left "afterwards"
finish
