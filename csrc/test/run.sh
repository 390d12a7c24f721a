#!/bin/sh
# libberth's tests, with AddressSanitizer and UndefinedBehaviorSanitizer: csrc/test/run.sh [gcc|clang]...
# Needs dist/gen (npm run gen). TAP on stdout; exit code 1 when a check failed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
suite=$here/host_suite
work=$(mktemp -d "${TMPDIR:-/tmp}/berth-host-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
warnings="-std=gnu17 -Wall -Wextra -Werror -Wconversion"
failed=0

# In a folder of its own, with files as stdio.
run() {
    title=$1
    shift
    scratch=$(mktemp -d "$work/scratch.XXXXXX")
    chmod 777 "$scratch"
    echo "# --- $title"
    if ! SCRATCH=$scratch timeout 300 "$@" </dev/null >"$scratch.log" 2>&1; then
        failed=1
        echo "not ok - $title"
    fi
    cat "$scratch.log"
}

# under_noexec LEVEL COMMAND...: in a new pid namespace with that vm.memfd_noexec.
cat >"$work/under_noexec" <<'END'
#!/bin/sh
level=$1
shift
exec unshare --pid --fork --mount --mount-proc sh -c '
    sysctl -q -w "vm.memfd_noexec=$0" && test "$(sysctl -n vm.memfd_noexec)" = "$0" || exit 77
    exec "$@"' "$level" "$@"
END
chmod 755 "$work/under_noexec"
under_noexec=$work/under_noexec

build() {
    compiler=$1
    out=$work/$compiler
    mkdir "$out"
    $compiler $warnings -O2 -static -o "$out/probe" "$suite/probe.c"
    $compiler -DPROBE="\"$out/probe\"" -c -o "$out/probe_elf.o" "$suite/probe_elf.S"
    # shellcheck disable=SC2086
    $compiler $warnings -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -DBERTH_FAILPOINTS \
        -I "$root/dist/gen" -I "$root/csrc/host" -o "$out/host_test" \
        "$root"/csrc/host/*.c "$suite"/main.c "$suite"/*_test.c "$out/probe_elf.o" -pthread
    # As Node has it: in a shared object.
    # shellcheck disable=SC2086
    $compiler $warnings -O2 -fPIC -shared -Wl,-z,now -Wl,-z,defs -I "$root/dist/gen" -o "$out/libberth.so" \
        "$root"/csrc/host/*.c "$out/probe_elf.o"
    # shellcheck disable=SC2086
    $compiler $warnings -O2 -I "$root/dist/gen" -I "$root/csrc/host" -o "$out/shared_test" \
        "$suite"/main.c "$suite"/*_test.c -L "$out" -lberth "-Wl,-rpath,$out" -pthread
}

for compiler in "${@:-gcc}"; do
    build "$compiler"
    test=$work/$compiler/host_test
    run "$compiler: everything" "$test"
    if [ "$(id -u)" != 0 ]; then
        echo "ok - memfd_noexec, unprivileged # SKIP needs root"
        continue
    fi
    nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
    run "$compiler: spawn as nobody" $nobody "$test" spawn
    run "$compiler: spawn from a shared object" env EXPECT_CLEARED=1 "$work/$compiler/shared_test" spawn hooks
    run "$compiler: spawn, memfd_noexec=1" "$under_noexec" 1 env EXPECT=memfd "$test" spawn
    run "$compiler: spawn, memfd_noexec=2" "$under_noexec" 2 env EXPECT=tmpfs "$test" spawn
    run "$compiler: spawn as nobody, memfd_noexec=2" "$under_noexec" 2 $nobody env EXPECT=tmpfs "$test" spawn
done
exit $failed
