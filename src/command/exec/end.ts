// Ends what exec has started, wherever it is on its way into the container.

import { hasController } from "../../cgroup/path.ts";
import type { CgroupFacts } from "../../host/facts.ts";
import type { Native } from "../../host/native.gen.ts";
import { REPORT } from "../../plan/protocol.ts";
import type { Creation } from "../create/creation.ts";

const AT_FDCWD = -100;
const O_WRONLY = 1;
const POLLIN = 1;
const SIGKILL = 9;
/** The joiner waits for nobody: it has either cloned its child or failed. */
const PATIENCE_MS = 2000;
/** What is not frozen is dead long before. */
const MOMENT_MS = 50;

/**
 * Sends SIGKILL and sees that it can die: the undo of `spawn` waits for it. A joiner that was killed between its clone and
 * its report would leave a child that nobody knows: while it is `cloning`, it gets the time to report.
 */
export function endEntered(creation: Creation, facts: CgroupFacts, cloning: boolean): void {
  const { native } = creation;
  if (cloning) takeChild(creation);
  native.pidfd_kill(creation.pidfd, SIGKILL);
  if (!hasEnded(native, creation.pidfd, MOMENT_MS)) leaveFrozen(native, facts, creation.pid);
}

function takeChild(creation: Creation): void {
  const { native, socket } = creation;
  const ready = native.poll(Uint32Array.of(socket), Uint32Array.of(POLLIN), PATIENCE_MS);
  if (typeof ready === "number" || ready[0] === 0) return;
  const report = native.receive_report(socket);
  if (typeof report === "number" || report[0] !== REPORT.child) return;
  const joiner = creation.pid;
  native.close(creation.pidfd);
  creation.pid = report[3] as number;
  creation.pidfd = report[4] as number;
  native.wait_child(joiner, 0);
}

function hasEnded(native: Native, pidfd: number, patience: number): boolean {
  const ready = native.poll(Uint32Array.of(pidfd), Uint32Array.of(POLLIN), patience);
  return typeof ready === "number" || ready[0] !== 0;
}

/** v1: a frozen process dies only once it is thawed, and the container must stay paused. In our own cgroup it can. */
function leaveFrozen(native: Native, { hierarchies }: CgroupFacts, pid: number): void {
  const freezer = hierarchies.find(({ name }) => hasController(name, "freezer"));
  if (freezer === undefined) return;
  const own = freezer.own === "/" ? "" : freezer.own;
  native.write_file(AT_FDCWD, `${freezer.mountpoint}${own}/cgroup.procs`, O_WRONLY, 0, String(pid));
}
