#!/bin/bash
# spec-tests/mutants.sh [NAME...]: takes each mitigation of docs/security.md's checklist out, one at a time, and runs the test that
# must fail then. In a copy of HEAD below dist/mutants, after npm run gen. TAP: `ok` when the test failed, with the number of its failures. Root only.
set -uo pipefail
# Read as a whole before anything runs: who edits this file meanwhile changes the next run.
{
cd "$(dirname "$0")/.."
here=$PWD
tree=$here/dist/mutants/tree
only=" $* "
count=0
failed=0
mkdir -p dist/mutants
if [[ ! -d $tree/.git ]]; then
  git clone -q "$here" "$tree" || exit 1
  cp -al node_modules "$tree/node_modules" || exit 1
  mkdir -p "$tree/dist" && cp -r dist/gen "$tree/dist/" || exit 1
fi
git -C "$tree" fetch -q "$here" HEAD && git -C "$tree" checkout -qf --detach FETCH_HEAD || exit 1

say() {
  count=$((count + 1))
  echo "$1 $count - $2"
  [[ $1 == ok ]] || failed=1
}

# mutant NAME FILE SED-EXPRESSION COMMAND...: below, in the words of docs/security.md.
mutant() {
  local name=$1 file=$2 change=$3 log=$here/dist/mutants/$1.log rc
  shift 3
  [[ $only == "  " || $only == *" $name "* ]] || return 0
  git -C "$tree" checkout -qf .
  sed -E -i "$change" "$tree/$file"
  if git -C "$tree" diff --quiet; then
    say "not ok" "$name: the change does not apply to $file"
    return
  fi
  : >"$log"
  git -C "$tree" diff -U0 | sed -n 's/^[-+][^-+]/# &/p'
  # The others compile what they need themselves.
  if [[ $* == *spec\ * || $1 == in_view ]] && ! (cd "$tree" && timeout 500 npm run --silent build) >"$log" 2>&1; then
    say "not ok" "$name: it does not build, see dist/mutants/$name.log"
    return
  fi
  (cd "$tree" && NO_COLOR=1 timeout "${MUTANT_TIMEOUT:-300}" bash -c '"$@"' bash "$@") >>"$log" 2>&1 </dev/null
  rc=$?
  if ((rc == 0)); then
    say "not ok" "$name: no test failed without it"
  elif grep -E '^ *Tests +[0-9]+ failed|^not ok' "$log" | grep -qv 'is built$'; then
    say ok "$name: $(grep -E '^ *Tests +[0-9]|^not ok' "$log" | head -n 1 | tr -s ' ')"
  else
    say "not ok" "$name: ended with $rc, see dist/mutants/$name.log"
  fi
}
spec() { spec-tests/run.sh "$1" -t "$2"; }
unit() { node_modules/.bin/vitest run "$1" -t "$2"; }
init() { node_modules/.bin/vitest run --config csrc/test/init/vitest.config.ts -t "$1"; }
export -f spec unit init
in_view() { VIEW=$1 spec "$2" "$3"; }
export -f in_view

# 1 Paths are resolved in the root.
mutant resolve-in-root csrc/init/path.h 's/^#define IN_ROOT .*/#define IN_ROOT 0/' \
  init "stays in root behind symlinks"
# 2 What is missing is made below a descriptor, through no link.
mutant make-nofollow csrc/init/path.c 's/O_RDONLY \| O_CREAT \| O_EXCL \| O_NOFOLLOW \|/O_RDONLY | O_CREAT |/' \
  csrc/test/fuzz.sh 30 path
mutant node-nofollow csrc/init/op_path.c 's/O_PATH \| O_NOFOLLOW, 0\)/O_PATH, 0)/; s/^    if \(\(st.st_mode & S_IFMT\) != \(a->mode.*/    if (0 \&\& numbered \&\& device)/' \
  init "refuses anything else that is there"
# 3 Mounts go on descriptors, not on paths.
mutant mount-by-path src/plan/mount-target.ts 's/^  ops.move_mount\(mount, target\);/  ops.close(target);\n  ops.open(target, c.root, entry.destination.slice(1), 0x200000, 0, 0);\n&/' \
  spec mounts.test "leads through links"
# 4, 10 The null device that covers files, and the one for standard streams, are looked at.
mutant null-device csrc/init/op_fd.c 's/if \(\(st.st_mode & S_IFMT\) == S_IFCHR && st.st_rdev == device\)/if (device | 1)/' \
  init "refuse_fs refuses one"
mutant null-stdio csrc/init/op_tty.c 's/if \(result == 0 && !is_null\(&st\)\)/if (0)/' \
  init "replace_null_stdio opens nothing"
# 5 Nothing goes on procfs, and nothing but procfs on /proc.
mutant proc-covered src/plan/mount-target.ts 's/^  if \(!certain && !isProc\(destination\)\) .*//' \
  spec mounts.test "leads into procfs"
mutant proc-link src/plan/mount-target.ts 's/destination === "\/proc" \|\| destination === "\/sys" \|\| destination === "\/dev"/false/' \
  spec mounts.test "that is a symlink in the image is refused"
# 6 Not dumpable; the file that runs in the container is sealed; without memfd there is a tmpfs.
mutant dumpable src/plan/namespaces.ts 's/dumpable\(0\)/dumpable(1)/' \
  env HARDENING_JOINS=100 bash -c 'spec hardening.test "a hostile program"'
mutant dumpable-exec src/plan/exec.ts 's/dumpable\(0\)/dumpable(1)/' \
  env HARDENING_EXECS=100 bash -c 'spec exec-hardening "a hostile program"'
mutant seals csrc/host/sealed_file.c 's/ \| F_SEAL_WRITE\)/)/' \
  csrc/test/run.sh gcc
mutant tmpfs-fallback csrc/host/sealed_file.c 's/long context = SYS2\(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC\);/long context = -EPERM;/' \
  spec hardening.test "init.s own file"
# 7 Descriptors of the caller.
mutant descriptors csrc/host/spawn.c 's/long error = SYS3\(SYS_close_range, .*/long error = 0;/' \
  spec hardening.test "what the caller leaves behind"
mutant hook-descriptors csrc/host/hook.c 's/error = SYS3\(SYS_close_range, FIRST_FREE, ~0U, 0\);/error = 0;/' \
  spec hardening.test "what the caller leaves behind"
# 8 The working folder lies in the container.
mutant getcwd csrc/init/op_exec.c "s/if \(path\[0\] == '\/'\)/if (1)/" \
  init "leave no working directory outside"
# 9 Capabilities.
mutant inheritable src/command/exec/process.ts 's/^    inheritable,$/    inheritable: inheritable | added,/' \
  spec exec-hardening "cap adds nothing"
mutant new-inheritable src/plan/namespaces.ts 's/.*clear_inheritable\(.*//' \
  spec syscalls "a new user namespace"
# 10 Masked and read-only paths.
mutant mask-writable src/plan/masked-paths.ts 's/^const FILE_ATTRIBUTES = MOUNT_ATTR.RDONLY \| /const FILE_ATTRIBUTES = /; s/"source=tmpfs", "ro"/"source=tmpfs"/' \
  spec hardening.test "masked paths"
mutant mask-by-path src/plan/masked-paths.ts 's/if \(path.startsWith\(destination\) && .*/if (path === destination) return kernelMounts[i];/' \
  env HARDENING_RACES=400 bash -c 'spec images "cannot keep procfs"'
# 11 The terminal is of a devpts.
mutant devpts csrc/init/op_tty.c 's/fs.f_type == DEVPTS_MAGIC/fs.f_type != 0/; s/ && st.st_rdev == DEVICE\(5, 2\)//' \
  init "open_pty refuses"
# 12 Names are names.
mutant cgroup-dots src/cgroup/path.ts 's/component !== "\.\." && //' \
  unit src/container/fuzz.test.ts "cgroupsPath"
mutant id-dots src/container/id.ts 's/id === "\." \|\| id === "\.\." \|\| //' \
  unit src/container/fuzz.test.ts "an id is a name"
# 13 Numbers are numbers.
mutant user-number src/command/exec/process.ts 's/digit >= 0 && digit <= 9 \? id \* 10 \+ digit : -1/digit >= 0 \&\& digit <= 9 ? id * 10 + digit : id/' \
  spec exec-hardening "user is a number"
# 14 The device program is there, alone.
mutant device-program src/command/create/device-program.ts 's/if \(result === 0 && isAlone\(native, cgroup, program\)\) return;/return;/' \
  in_view v2 devices.test "that was there before"
# 15 A pid alone is no process.
mutant start-time src/container/liveness.ts 's/stat.startTime === startTime && //' \
  unit src/container/container.test.ts ""
# 16 Somebody else's state.
mutant state-owner src/container/store.ts 's/if \(folder.uid === uid\) return;/if (uid >= 0) return;/' \
  spec hardening.test "a state folder of another user"
# Seccomp: the filter is loaded last.
mutant filter-first csrc/init/wait.c 's/^    w->loaded = 1;/    w->loaded = 1; (void)SYS0(getpid);/' \
  spec seccomp.test "with its filter loaded"
git -C "$tree" checkout -qf .
echo "1..$count"
exit $failed
}
