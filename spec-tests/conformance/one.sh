#!/bin/bash
# one.sh PROGRAM: a validation program, in a view that private.sh made. It looks for its files where it runs, and leaves
# bundles and state behind when it breaks off: both are on file systems that end with the view.
set -eu
mount -t tmpfs -o mode=755 tmpfs /run
# Where the suite looks for the cpu controller.
if [ -d /sys/fs/cgroup/cpu ] && [ ! -e /sys/fs/cgroup/cpu,cpuacct ]; then ln -s cpu /sys/fs/cgroup/cpu,cpuacct; fi
cd "$PROGRAMS"
(TMPDIR=$BERTH_WORK exec -a "$1" ./validation) </dev/null || rc=$?
exit "${rc:-0}"
