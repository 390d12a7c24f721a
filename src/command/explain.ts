// `berth explain [BUNDLE]`: the whole plan of create, printed; nothing is done and no privilege is needed.

import { gatherFacts } from "../host/gather.ts";
import type { Native } from "../host/native.gen.ts";
import { compileCreate } from "../plan/create.ts";
import { printPlan } from "../plan/print.ts";
import { loadBundle } from "./create/load.ts";

export interface ExplainRequest {
  bundle: string;
  format: "text" | "json";
  /** The id that paths are shown for. */
  id: string;
}

/** The text for stdout. */
export function explain(native: Native, request: ExplainRequest): string {
  const { path, config } = loadBundle(native, request.bundle);
  const plan = compileCreate(config, {
    id: request.id,
    bundle: path,
    preserveFds: 0,
    listenFds: 0,
    noPivot: false,
    noNewKeyring: false,
    outlives: true,
    console: config.process?.terminal === true ? "socket" : "none",
    facts: gatherFacts(native, config),
  });
  return printPlan(plan, request.format, { id: request.id, config });
}
