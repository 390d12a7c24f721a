// `berth explain [BUNDLE]`: the whole plan of create, printed; nothing is done and no privilege is needed.

import { rightsOf } from "../container/root.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import type { HostFacts } from "../host/facts.ts";
import { gatherFacts } from "../host/gather.ts";
import { loaded } from "../lazy.ts";
import { compileCreate } from "../plan/create.ts";
import type { SystemdFacts } from "../plan/plan.ts";
import { printPlan } from "../plan/print.ts";
import type { Context, Outcome } from "./command.ts";
import { loadBundle } from "./create/load.ts";

/** The id that paths are shown for. */
const ID = "ID";

export function explain(context: Context): Outcome {
  const { native, options, args } = context;
  const format = options.string("format");
  if (format !== "text" && format !== "json") {
    throw new RuntimeError({ message: `--format must be text or json, got ${JSON.stringify(format)}` });
  }
  const { path, config } = loadBundle(native, args[0] ?? (options.string("bundle") || "."));
  const rights = rightsOf(native, context.rootless);
  let facts = gatherFacts(native, config, undefined, rights.userNamespace);
  if (rights.rootless && !context.systemd) {
    facts = loaded(import("./create/closed-cgroups.ts")).markClosed(native, config, ID, facts);
  }
  const plan = compileCreate(config, {
    id: ID,
    bundle: path,
    preserveFds: 0,
    listenFds: 0,
    noPivot: false,
    noNewKeyring: false,
    outlives: true,
    console: config.process?.terminal === true ? "socket" : "none",
    facts,
    ...(context.systemd ? { systemd: askSystemd(context, facts) } : {}),
  });
  return { stdout: printPlan(plan, format, { id: ID, config }) };
}

/** What it is, nothing more: anybody may. */
function askSystemd({ native, rootless }: Context, { cgroup }: HostFacts): SystemdFacts {
  const { SystemdDriver } = loaded(import("./create/systemd.ts"));
  const driver = SystemdDriver.open(native, rightsOf(native, rootless).rootless, cgroup.mode);
  driver.close();
  return driver.facts;
}
