// linux.sysctl: only what belongs to a namespace of the container.

import { escapeToken } from "../../json/pointer.ts";
import { loaded } from "../../lazy.ts";
import type { Config } from "../types.ts";
import { type Add, type Check, namespaceOf } from "./check.ts";

function checkKey(config: Config, key: string): string | undefined {
  const { sysctlNamespace, sysctlPath } = loaded(import("../../tables/sysctl.ts"));
  const path = sysctlPath(key);
  if (path === undefined) return "must be a sysctl name without empty, . and .. components";
  const type = sysctlNamespace(path);
  if (type === undefined) return "does not belong to a namespace: it would change the host";
  if (namespaceOf(config, type) === undefined) return `needs a namespace of type ${type}: it would change the host`;
  return path === "kernel/hostname" ? "must be set by the field hostname" : undefined;
}

// Whether a joined network namespace is the host's own is seen when it is joined: this rule looks at no file.
function checkSysctl(config: Config, add: Add): void {
  const { sysctl } = config.linux;
  if (sysctl.size === 0) return;
  for (const key of sysctl.keys()) {
    const message = checkKey(config, key);
    if (message !== undefined) add(`/linux/sysctl/${escapeToken(key)}`, message);
  }
}

export const SYSCTL_CHECKS: readonly Check[] = [{ reads: ["/linux/sysctl", "/linux/namespaces"], run: checkSysctl }];
