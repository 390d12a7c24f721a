// `berth features`: what this runtime can do, as runtime-spec's features.md describes it. Engines read it before they write a
// config.json. It says what Berth knows, not what this kernel has, except for the seccomp flags.

import { actionNames, architectures, flagNames, operatorNames } from "../seccomp/index.ts";
import { capabilityNames } from "../tables/capabilities.ts";
import { mountOptionNames } from "../tables/mount-options.ts";
import { namespaceTypes } from "../tables/namespaces.ts";
import { VERSION } from "../version.ts";
import type { Context, Outcome } from "./command.ts";

/** Known and refused: what the structure names must work (features.md). */
const REFUSED = "copy-symlink";
const ENABLED = { enabled: true };

export function features(_context: Context): Outcome {
  const known = {
    ociVersionMin: "1.0.0",
    ociVersionMax: VERSION.spec,
    hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    mountOptions: mountOptionNames()
      .filter((name) => name !== REFUSED)
      .sort(),
    linux: {
      namespaces: namespaceTypes().sort(),
      capabilities: capabilityNames(),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: {
        ...ENABLED,
        actions: actionNames().sort(),
        operators: [...operatorNames()].sort(),
        archs: architectures()
          .map(({ name }) => name)
          .sort(),
        knownFlags: flagNames(),
        supportedFlags: flagNames(),
      },
      apparmor: ENABLED,
      selinux: ENABLED,
      intelRdt: { ...ENABLED, schemata: true, monitoring: true },
      mountExtensions: { idmap: ENABLED },
      netDevices: ENABLED,
    },
    potentiallyUnsafeConfigAnnotations: ["org.systemd.property."],
  };
  return { stdout: `${JSON.stringify(known, null, 4)}\n` };
}
