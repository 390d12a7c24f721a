#!/bin/bash
# suites: sid
# The table of resource settings on pure cgroup v2, with cgroupfs and with systemd, beside the newest runc and crun: the
# same program as on the host (spec-tests/resources), bundled there, run by the host's Node. `spec-tests/guest.sh resources`
# What the peers did is kept in dist/guest/peers.json. MODES=v2 TITLE=cpu. says which modes and rows.
cd "$(dirname "$0")/../.." || exit 1
# Programs start slowly from the shared folder.
cp dist/guest/node /root/node
# A second disk.
modprobe loop
failed=0
for mode in ${MODES:-v2 systemd}; do
  # The plan of both comes at the end; nobody counts by it.
  # /tmp takes no device nodes there.
  MODE=$mode BERTH_WORK=/root PEER_CACHE=$PWD/dist/guest/peers.json /root/node dist/guest/resources.mjs ${TITLE:+"$TITLE"} | grep -v '^1\.\.'
  ((PIPESTATUS[0] == 0)) || failed=1
done
echo 1..0
exit $failed
