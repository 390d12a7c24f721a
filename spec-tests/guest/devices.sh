#!/bin/bash
# suites: bookworm sid
# Device rules on pure cgroup v2: what a container may do is what it may under runc and crun, with cgroupfs and with systemd,
# which has programs of its own. Nodes of major 240 have no driver: whoever may open one gets ENXIO.
. "$(dirname "$0")/lib.sh"

# attempts NODE...: a script that says for each "c 1:3" what can be done with it: m, r, w, x (to read and write at once).
attempts() {
  local node type numbers path
  echo 'mkdir -p /n'
  for node; do
    type=${node%% *} numbers=${node#* }
    path=/n/$type-${numbers/:/-}
    echo "s=; { [ -e $path ] || mknod $path $type ${numbers/:/ } 2>/dev/null; } && s=m
(: 3<$path) 2>&1 | grep -q 'not permitted' || s=\${s}r
(: 3>$path) 2>&1 | grep -q 'not permitted' || s=\${s}w
(: 3<>$path) 2>&1 | grep -q 'not permitted' || s=\${s}x
echo $node \$s"
  done
}
caps='["CAP_MKNOD","CAP_DAC_OVERRIDE"] as $caps | .process.capabilities={bounding:$caps,effective:$caps,permitted:$caps}
  | .mounts+=[{destination:"/n",type:"tmpfs",source:"tmpfs"}]'
# rules RULE...: the filter with these rules after "deny everything"; "+c 1:3 rw", "*" for any number.
rules() {
  local rule list='{allow:false,access:"rwm"}' sign type numbers access
  for rule; do
    sign=${rule:0:1}
    read -r type numbers access <<<"${rule:1}"
    list+=",({allow:$([[ $sign == + ]] && echo true || echo false),type:\"$type\",access:\"${access:-rwm}\"}"
    [[ -z $numbers || ${numbers%:*} == '*' ]] || list+="+{major:${numbers%:*}}"
    [[ -z $numbers || ${numbers#*:} == '*' ]] || list+="+{minor:${numbers#*:}}"
    list+=")"
  done
  echo ".linux.resources={devices:[$list]}"
}

nodes=("c 1:3" "c 1:5" "c 1:7" "c 1:8" "c 1:9" "c 5:0" "c 5:2" "c 10:200" "c 240:1" "c 240:2" "c 241:1" "b 240:1" "b 240:2")
looks=$(attempts "${nodes[@]}")
default=$'c 1:3 mrwx\nc 1:5 mrwx\nc 1:7 mrwx\nc 1:8 mrwx\nc 1:9 mrwx\nc 5:0 mrwx\nc 5:2 mrwx\nc 10:200 mrwx'
# CASE|RULES, separated by commas|what the last five nodes give
while IFS='|' read -r title list wanted; do
  mapfile -t given < <(tr ',' '\n' <<<"$list" | sed '/^$/d')
  config "$(program "$looks") | $caps | $(rules "${given[@]}")"
  is "$title" "$(run | tail -n 5 | sed 's/.* m/m/' | paste -sd ' ')" "$wanted"
  ours=$(run)
  is "$title: the default devices" "$(head -n 8 <<<"$ours")" "$default"
  is "$title: as under runc" "$ours" "$(run_in runc --root "$work/runc")"
done <<'END'
no rules but the first||m m m m m
single devices|+c 240:1 rw,+b 240:2 r|mrwx m m m mr
every minor number|+c 240:* rw|mrwx mrwx m m m
a denial after it|+c 240:* rw,+c 241:1 rwm,-c 241:1 w|mrwx mrwx mr m m
writing without reading|+b 240:* w|m m m mw mw
everything|+a|mrwx mrwx mrwx mrwx mrwx
everything but one|+a,-c 240:1 rw|m mrwx mrwx mrwx mrwx
END

# A container that makes the attempts when it is asked to.
probed="$(attempts "c 240:1" "b 240:1")"
ask() {
  touch "$bundle/rootfs/shared/go"
  wait_for test -e "$bundle/rootfs/shared/result"
  paste -sd ' ' "$bundle/rootfs/shared/result"
  rm -f "$bundle/rootfs/shared/result"
}
update() {
  jq -n "{} | $(rules "$@") | .linux.resources" | berth update -r - "$id" 2>&1
}
mkdir -p "$bundle/rootfs/shared" "$bundle/rootfs/n"
loop="while :; do [ -e /shared/go ] && { rm /shared/go; { $probed
} >/shared/out; mv /shared/out /shared/result; }; sleep 0.02; done"
for driver in cgroupfs systemd; do
  options=() path='.'
  if [[ $driver == systemd ]]; then
    options=(--systemd-cgroup)
    path='.linux.cgroupsPath="system.slice:berth:'$tag'-devices"'
  fi
  config "$(program "$loop") | $caps | $(rules "+c 240:1 r") | .root.readonly=false | $path"
  new_id >/dev/null
  timeout 60 "$work/berth" --root "$work/state" "${options[@]}" create --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1
  berth start "$id" >>"$work/out" 2>&1
  is "$driver: the rules of config.json" "$(ask)" "c 240:1 mr b 240:1 m"
  is "$driver: update" "$(update "+c 240:1 rw")$(ask)" "c 240:1 mrwx b 240:1 m"
  is "$driver: update to everything but one" "$(update +a "-c 240:1 w")$(ask)" "c 240:1 mr b 240:1 mrwx"
  is "$driver: update back" "$(update "+b 240:* r")$(ask)" "c 240:1 m b 240:1 mr"
  if [[ $driver == systemd ]]; then
    systemctl daemon-reload
    is "systemd: they hold after a daemon-reload" "$(ask)" "c 240:1 m b 240:1 mr"
  fi
  berth delete --force "$id"
  is "$driver: what create said" "$(cat "$work/out")" ""
done

nothing_left "at the end"
finish
