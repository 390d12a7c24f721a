// process.rlimits: set by init before it gives its capabilities up. Inside a user namespace nothing can raise a hard
// limit, so what is to be raised is raised before, by the runtime or by the joiner, and lowered by init at the end.

import type { Rlimit } from "../config/types.ts";
import { RLIMIT_NOFILE } from "../tables/linux.ts";
import type { Compilation } from "./compilation.ts";
import { hasUserNamespace } from "./namespace-set.ts";

interface Raise {
  pointer: string;
  resource: number;
  soft: bigint;
  hard: bigint;
}

/** Limits whose hard value is above the runtime's own; the soft one stays as it is for now. */
function raises(c: Compilation): Raise[] {
  const found: Raise[] = [];
  if (!hasUserNamespace(c.namespaces)) return found;
  const { rlimits } = c.config.process;
  for (let i = 0; i < rlimits.length; i++) {
    const { resource, hard } = rlimits[i] as Rlimit;
    const own = c.options.facts.rlimits.get(resource);
    if (own === undefined || hard <= own.hard) continue;
    found.push({ pointer: `/process/rlimits/${i}`, resource, soft: own.soft, hard });
  }
  return found;
}

/** By the joiner, with the host's credentials. */
export function raiseLimits(c: Compilation): void {
  for (const { pointer, resource, soft, hard } of raises(c)) c.ops.at(pointer).rlimit(resource, soft, hard);
}

/** By the runtime, while init waits for its maps. */
export function raiseLimitSteps(c: Compilation): void {
  for (const { pointer, resource, soft, hard } of raises(c)) {
    c.steps.push({ step: "raise rlimit", resource, soft, hard, origin: { pointer } });
  }
}

/** The limits that the container's process gets. */
export function setLimits(c: Compilation): void {
  const { rlimits } = c.config.process;
  let nofile = c.options.facts.nofile;
  for (let i = 0; i < rlimits.length; i++) {
    const { resource, soft, hard } = rlimits[i] as Rlimit;
    if (resource === RLIMIT_NOFILE) nofile = undefined;
    c.ops.at(`/process/rlimits/${i}`).rlimit(resource, soft, hard);
  }
  if (nofile !== undefined) c.ops.at("default").rlimit(RLIMIT_NOFILE, nofile.soft, nofile.hard);
}
