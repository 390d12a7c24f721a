# Sourced by the engine tests in this folder. An engine's file defines `prepare` (once) and `cases` (once for each runtime),
# and ends with `main`:
#
#   cases() { check "an exit code" "exit 7" podman --runtime "$runtime" run --rm "$image" /bin/sh -c 'exit 7'; }
#   main
#
# Berth and the control (crun or runc, which the engine uses in production) go through the same cases side by side. A row
# is good when both do what is expected and both outputs are equal, but for names, ids and times. TAP on standard output,
# then the table: case, berth, control.
#
# The tests run in the guest (systemd, cgroup v2) and, in a namespace of their own, on this machine (no systemd, cgroupfs):
# run.sh starts them. $place is "guest" or "here".
set -uo pipefail
[[ -z ${folder:-} ]] || return 0
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
folder=$PWD/spec-tests/engines

place=${ENGINE_PLACE:?run.sh starts this}
control=${CONTROL:-crun}
only=${ONLY:-.}
if [[ $place == here ]]; then
  work=${BERTH_WORK:?}
  # Sockets and state of the engines and runtimes: not the machine's. The mount namespace is the test's own.
  mount -t tmpfs -o mode=755 tmpfs /run
else
  work=/root/engines/$(basename "$0" .sh)
  mkdir -p "$work"
fi
# Not where the engine keeps its own: what a runtime does with it must not be seen through a shared folder.
berth=$work/bin/berth
notify=$work/bin/notify
mkdir -p "$work/bin" "$work/out"
cp "${BERTH:-dist/berth}" "$berth"
cd "$work" || exit 1 # engines leave files where they are started
# Seconds for one call of an engine, of a hundred side by side as well; the guest is emulated.
patience=150
[[ $place == here ]] || patience=300
v2=$([[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] && echo 1)

# image_tree: a root file system of busybox in $work/image, and as $work/image.tar.
image_tree() {
  local tree=$work/image applet
  mkdir -p "$tree"/{bin,dev,etc,proc,sys,tmp,var/tmp,root,full}
  chmod 1777 "$tree/tmp" "$tree/var/tmp"
  cp /bin/busybox "$tree/bin/"
  for applet in $(/bin/busybox --list); do
    [[ -e $tree/bin/$applet ]] || ln -s busybox "$tree/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$tree/etc/group"
  # Says to a service manager what it is told to. There is no compiler in the guest.
  if command -v cc >/dev/null; then cc -std=gnu17 -O1 -static -o "$notify" "$folder/../support/helpers/notify.c" && cp "$notify" "$tree/bin/"; fi
  echo text >"$tree/etc/plain"
  echo content >"$tree/full/file"
  # The first process of a pod: ends when it is told to.
  printf '#!/bin/sh\ntrap "exit 0" TERM INT\nwhile :; do sleep 1000 & wait; done\n' >"$tree/pause"
  chmod 755 "$tree/pause"
  tar -C "$tree" -cf "$work/image.tar" .
}

# A program that runs until it is told to end, and says that it does.
waits='trap "echo told to end; exit 5" TERM; echo up; while :; do sleep 0.1; done'

# normal: the output without what no two runs have in common.
normal() {
  tr -d '\r\0' | sed -e 's/\^@//' | sed -E -e "s#$work#WORK#g" -e "s/\b$me\b/ME/g; s/\b$runtime\b/RUNTIME/g" \
    -e 's/\b[0-9a-f]{64}\b/ID/g; s/\b[0-9a-f]{12}\b/ID/g' \
    -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]+( ?[-+][0-9:]+ [A-Z]+|Z)?/TIME/g' \
    -e 's/(mnt|pid|net|ipc|uts|user|cgroup):\[[0-9]+\]/\1:[INODE]/g'
}

# check TITLE EXPECTED COMMAND...: the output with "exit N" as its last line matches EXPECTED (extended regular expression,
# on the lines joined by spaces). An output of another command, or of a sub-shell: `check ... sh -c`, or a function.
# The guest is emulated: it runs the cases where a guest can differ from this machine, `more` the others (ALL=1: there, too).
# Cases that there is no time for say so.
deadline=${ENGINE_END:-$((EPOCHSECONDS + 800))}
number=0
more() { if [[ $place == here || ${ALL:-} ]]; then check "$@"; fi; }
check() {
  local title=$1 expected=$2 rc output joined file
  shift 2
  number=$((number + 1))
  [[ $title =~ $only ]] || return 0
  file=$work/out/$runtime/$(printf %03d $number)
  if ((EPOCHSECONDS > deadline)); then
    printf '%s\nno time left\n' "$title" >"$file"
    return
  fi
  (timed $((2 * patience)) "$@") </dev/null >"$file.raw" 2>&1
  rc=$?
  output=$(cat "$file.raw"; echo "exit $rc")
  output=$(normal <<<"$output")
  joined=$(sed '/^$/d' <<<"$output" | tr -s ' \t\n' ' ' | sed 's/^ //; s/ $//')
  {
    echo "$title"
    if [[ $joined =~ ^($expected)$ ]]; then echo ok; else echo "fails: expected $expected"; fi
    echo "$output"
  } >"$file"
  [[ ! ${VERBOSE:-} ]] || echo "# $SECONDS s, $runtime: $title: $(sed -n 2p "$file")" >&3
}
# timed SECONDS COMMAND...: as timeout, for functions as well.
timed() {
  local limit=$1
  shift
  if [[ $(type -t "$1") == function ]]; then "$@"; else timeout --kill-after=5 "$limit" "$@"; fi
}
# silent COMMAND...: of what it says, only the kind of error; runtimes have different words. compare shows them when they matter.
silent() {
  local words=$file.words rc
  "$@" >"$words" 2>&1
  rc=$?
  grep -ioE 'permission denied|no such file or directory|executable file not found|is a directory|is not executable' "$words" | tr 'A-Z' 'a-z' |
    sed 's/executable file not found/no such file or directory/; s/is a directory\|is not executable/permission denied/' | sort -u | head -n 1
  return $rc
}
# with_terminal COMMAND: in a terminal, by the shell. Newer Debian has script(1) in a package that the guest lacks.
with_terminal() {
  if command -v script >/dev/null; then
    script -qec "$1" /dev/null
  else
    python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", sys.argv[1]])))' "$1"
  fi
}
# until_true COMMAND...: at most 90 s.
until_true() {
  local end=$((SECONDS + 90))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# many N FUNCTION: that many containers side by side, each made by `FUNCTION NAME`, which says one line; the lines, counted.
# In the guest, which is emulated, a few.
many() {
  local n=${PARALLEL:-$1} i
  [[ $place == here ]] || n=${PARALLEL:-8}
  for ((i = 0; i < n; i++)); do
    "$2" "$me-many-$i" &
    ((i % 10)) || sleep 0.2
  done >"$work/out/$me-many" 2>&1
  wait
  sort "$work/out/$me-many" | uniq -c | sed "s/^ *$n /all /"
}

# each_runtime: runs `cases` for both, side by side.
each_runtime() {
  exec 3>&2
  local runtime runs=()
  for runtime in berth "$control"; do
    mkdir -p "$work/out/$runtime"
    (
      # Names in the engine, and prefixes of what is left.
      me=${BERTH_TAG:-t}$runtime
      cases
    ) >"$work/out/$runtime.log" 2>&1 &
    runs+=($!)
  done
  wait "${runs[@]}" # not for the engine's daemon
  # What is left, when the other one makes nothing any more.
  for runtime in berth "$control"; do
    me=${BERTH_TAG:-t}$runtime number=900
    check "nothing is left" "exit 0" left
  done
}

# said RUNTIME VERDICT: all that it said in the case of $file.
said() {
  local its=$work/out/$1/${file##*/}
  echo "# $1: $2"
  tail -n +3 "$its" | sed 's/^/#   /' | head -n 40
  [[ ! -s $its.words ]] || sed 's/^/#     /' "$its.words" | head -n 20
}

# compare: the TAP and the table.
compare() {
  local file title ours theirs verdict n=0 failed=0 table=
  for file in "$work/out/berth"/[0-9][0-9][0-9]; do
    n=$((n + 1))
    title=$(head -n 1 "$file")
    ours=$(sed -n 2p "$file")
    theirs=$(sed -n 2p "$work/out/$control/${file##*/}" 2>/dev/null || echo missing)
    verdict=ok
    if [[ $ours != ok || $theirs != ok ]]; then
      verdict="not ok"
    elif ! diff -q <(tail -n +3 "$file") <(tail -n +3 "$work/out/$control/${file##*/}") >/dev/null; then
      verdict="not ok"
      ours="ok, other output"
    fi
    echo "$verdict $n - $title"
    if [[ $verdict != ok ]]; then
      failed=$((failed + 1))
      said berth "$ours"
      said "$control" "$theirs"
    fi
    table+=$(printf '# %-66s %-18s %s' "$title" "${ours%%:*}" "${theirs%%:*}")$'\n'
  done
  for file in berth "$control"; do
    [[ ! -s $work/out/$file.log ]] || sed "s/^/# $file said: /" "$work/out/$file.log"
  done
  echo "1..$n"
  printf '# %-66s %-18s %s\n%s' "case" berth "$control" "$table"
  echo "# $n cases, $failed with a difference, $SECONDS s"
  return $((failed > 0 || n == 0))
}

main() {
  image_tree
  prepare
  each_runtime
  if [[ $(type -t cleanup) == function ]]; then cleanup; fi
  compare
}
