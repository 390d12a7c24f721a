#!/bin/bash
# suites: sid
# The command line beside the newest runc and crun, on pure cgroup v2: the same program as on the host
# (spec-tests/compat), bundled there, run by the host's Node. `GUEST_FILE_TIMEOUT=1700 spec-tests/guest.sh compat`
# UPDATE=1 records what is seen. TITLE= is the beginning of the titles that are wanted. Emulated, all of it takes most of an
# hour: what differs on Debian 12 comes first, and after BUDGET seconds (120) no new case is begun.
cd "$(dirname "$0")/../.." || exit 1
# Programs start slowly from the shared folder, and it takes no sockets.
cp dist/guest/node /root/node
cp "${BERTH:-dist/berth}" /root/berth
cp dist/guest/receiver /root/receiver
mknod -m 666 /root/null c 1 3
BUDGET=${BUDGET:-120} BRIEF=1 PATIENCE=20000 VENUE=sid BERTH=/root/berth RECEIVER=/root/receiver BERTH_WORK=/root \
  exec /root/node dist/guest/compat.mjs ${TITLE:+"$TITLE"}
