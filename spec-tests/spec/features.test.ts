// features.md and features-linux.md: what the runtime says of itself, it takes in config.json.

import { expect } from "vitest";
import type { Config, Mount } from "../support/config.ts";
import { type Sandbox, until } from "../support/sandbox.ts";
import { startAgent } from "../support/seccomp.ts";
import { suite } from "../support/suite.ts";

interface Features {
  ociVersionMin: string;
  ociVersionMax: string;
  hooks: string[];
  mountOptions: string[];
  linux: {
    namespaces: string[];
    capabilities: string[];
    seccomp: Record<"actions" | "operators" | "archs" | "knownFlags" | "supportedFlags", string[] | undefined>;
    memoryPolicy?: { modes?: string[]; flags?: string[] };
    mountExtensions?: { idmap?: { enabled?: boolean } };
  };
  annotations?: Record<string, unknown>;
}

const NONE = { crun: "crun 1.8 has no features" };

const features = async (t: Sandbox): Promise<Features> => JSON.parse((await t.ok(["features"])).stdout) as Features;

/** Each of the words works in a config.json of its own; those that do not are the findings. */
async function refusedOnes(
  t: Sandbox,
  words: readonly string[],
  edit: (config: Config, word: string) => void,
): Promise<string[]> {
  const found: string[] = [];
  for (const word of words) {
    const bundle = t.bundle("true", (config) => edit(config, word));
    const result = await t.call(["run", "--bundle", bundle, t.newId()]);
    if (result.code !== 0) found.push(`${word}: ${result.stderr.trim()}`);
  }
  return found;
}

const seccomp = (config: Config, more: object): void => {
  config.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", ...more };
};
/** Berth's words, and those that runc passes on from libseccomp. */
const OTHER_ENDIAN = /^SCMP_ARCH_.*(another byte order|numerical argument out of domain)/;
const call = { names: ["acct"], action: "SCMP_ACT_ERRNO" };

/** Properties of the structure in runtime-spec 1.3. */
const KNOWN: Record<string, readonly string[]> = {
  "": [
    "ociVersionMin",
    "ociVersionMax",
    "hooks",
    "mountOptions",
    "linux",
    "annotations",
    "potentiallyUnsafeConfigAnnotations",
  ],
  linux: [
    "namespaces",
    "capabilities",
    "cgroup",
    "seccomp",
    "apparmor",
    "selinux",
    "memoryPolicy",
    "intelRdt",
    "mountExtensions",
    "netDevices",
  ],
  "linux.cgroup": ["v1", "v2", "systemd", "systemdUser", "rdma"],
  "linux.seccomp": ["enabled", "actions", "operators", "archs", "knownFlags", "supportedFlags"],
  "linux.memoryPolicy": ["modes", "flags"],
  "linux.intelRdt": ["enabled", "schemata", "monitoring"],
  "linux.mountExtensions": ["idmap"],
};

suite("features.md", (rule) => {
  rule(
    "has the two versions, the lower one first, and both work in a config.json",
    async (t) => {
      const { ociVersionMin, ociVersionMax } = await features(t);
      const number = (version: string): number => {
        expect(version).toMatch(/^\d+\.\d+\.\d+/);
        return version.split(/[.-]/, 3).reduce((sum, part) => sum * 1000 + Number(part), 0);
      };
      expect(number(ociVersionMax)).toBeGreaterThanOrEqual(number(ociVersionMin));
      const set = (config: Config, word: string): void => {
        config.ociVersion = word;
      };
      expect(await refusedOnes(t, [ociVersionMin, ociVersionMax], set)).toEqual([]);
    },
    { except: NONE },
  );

  rule(
    "has no property that the version does not define, and null for no empty value",
    async (t) => {
      const all = (await features(t)) as unknown as Record<string, unknown>;
      for (const [path, known] of Object.entries(KNOWN)) {
        const at = path === "" ? all : path.split(".").reduce((o, key) => (o?.[key] ?? {}) as typeof all, all);
        for (const [key, value] of Object.entries(at)) {
          expect({ path, key, known: known.includes(key) }).toEqual({ path, key, known: true });
          expect({ path, key, value }).not.toEqual({ path, key, value: null });
        }
      }
    },
    { except: NONE },
  );

  rule(
    "does not depend on the machine: the same without /proc and /sys",
    async (t) => {
      const here = await features(t);
      const words = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs t /proc; mount -t tmpfs t /sys; exec "$@"', "sh"];
      const there = await t.runtime.call(["features"], { prefix: words });
      expect(JSON.parse(there.stdout)).toEqual(here);
    },
    { except: NONE },
  );

  rule(
    "every hook in it is run",
    async (t) => {
      const { hooks } = await features(t);
      await t.create("exec sleep 1000", (config) => {
        const inside = { path: "/bin/touch", args: ["touch", "/startContainer"] };
        config.hooks = Object.fromEntries(
          hooks.map((kind) => [
            kind,
            [kind === "startContainer" ? inside : { path: "/bin/touch", args: ["touch", t.path(kind)] }],
          ]),
        );
      });
      await t.ok(["start", t.id]);
      await t.ok(["delete", "--force", t.id]);
      for (const kind of hooks) {
        await until(kind, () => t.exists(kind === "startContainer" ? `bundle/rootfs/${kind}` : kind));
      }
    },
    { except: NONE },
  );

  rule(
    "every mount option in it is taken by a mount",
    async (t) => {
      const { mountOptions } = await features(t);
      const source = t.path("source");
      t.bundle("true", undefined, "source");
      const lines = mountOptions
        .filter((option) => !["bind", "rbind", "remount", "idmap", "ridmap"].includes(option))
        .map((option) =>
          option === "tmpcopyup"
            ? { destination: "/etc", type: "tmpfs", options: [option] }
            : { destination: `/m-${option}`, source, options: ["rbind", option] },
        );
      const push =
        (...mounts: Mount[]) =>
        (config: Config) =>
          void config.mounts.push(...mounts);
      const all = await t.call(["run", "--bundle", t.bundle("true", push(...lines)), t.newId()]);
      if (all.code === 0) return;
      const found: string[] = [];
      for (const mount of lines) {
        const result = await t.call(["run", "--bundle", t.bundle("true", push(mount)), t.newId()]);
        if (result.code !== 0) found.push(`${mount.options.at(-1)}: ${result.stderr.trim()}`);
      }
      expect(found).toEqual([]);
    },
    { except: { ...NONE, runc: "runc 1.1 fails with ratime and rnostrictatime" } },
  );

  rule(
    "no mount option in it is a file system's own",
    async (t) => {
      const { mountOptions } = await features(t);
      for (const word of ["mode", "size", "uid", "gid", "hidepid", "subset", "newinstance", "lowerdir", "data"]) {
        expect(mountOptions.filter((option) => option.split("=")[0] === word)).toEqual([]);
      }
    },
    { except: NONE },
  );

  rule(
    "its annotations are strings by name",
    async (t) => {
      const { annotations } = await features(t);
      for (const [key, value] of Object.entries(annotations ?? {})) {
        expect(key).not.toBe("");
        expect(value).toEqual(expect.any(String));
      }
    },
    { except: NONE },
  );

  rule(
    "every namespace in it can be asked for",
    async (t) => {
      const { linux } = await features(t);
      const found = await refusedOnes(t, linux.namespaces, (config, type) => {
        if (config.linux.namespaces.some((namespace) => namespace.type === type)) return;
        config.linux.namespaces.push({ type });
        if (type !== "user") return;
        config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
        config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
      });
      expect(found).toEqual([]);
    },
    { except: NONE },
  );

  rule(
    "every capability in it can be asked for",
    async (t) => {
      const { capabilities } = (await features(t)).linux;
      const bundle = t.bundle("grep ^CapBnd /proc/self/status", (config) => {
        config.process.capabilities = { bounding: capabilities };
      });
      const { stdout, stderr } = await t.ok(["run", "--bundle", bundle, t.id]);
      expect(stdout).toMatch(/^CapBnd:\t[0-9a-f]{16}\n$/);
      expect(stderr).not.toMatch(/unknown capabilit/i);
    },
    { except: NONE },
  );

  type List = keyof Features["linux"]["seccomp"];
  const notified = { ...call, action: "SCMP_ACT_NOTIFY" };
  const LISTS: readonly [list: List, edit: (config: Config, word: string, listenerPath: string) => void][] = [
    ["actions", (config, action, listenerPath) => seccomp(config, { listenerPath, syscalls: [{ ...call, action }] })],
    [
      "operators",
      (config, op) => seccomp(config, { syscalls: [{ ...call, args: [{ index: 0, value: 1, valueTwo: 1, op }] }] }),
    ],
    ["archs", (config, arch) => seccomp(config, { architectures: ["SCMP_ARCH_X86_64", arch], syscalls: [call] })],
    // One of the flags is for filters that notify only.
    [
      "knownFlags",
      (config, flag, path) => seccomp(config, { flags: [flag], listenerPath: path, syscalls: [notified] }),
    ],
    [
      "supportedFlags",
      (config, flag, path) => seccomp(config, { flags: [flag], listenerPath: path, syscalls: [notified] }),
    ],
  ];
  for (const [list, edit] of LISTS) {
    rule(
      `every word of seccomp.${list} in it is known in a profile`,
      async (t) => {
        const words = (await features(t)).linux.seccomp[list] ?? [];
        const { path } = await startAgent(t);
        const found = await refusedOnes(t, words, (config, word) => edit(config, word, path));
        // Known, and not for this machine.
        expect(found.filter((line) => !OTHER_ENDIAN.test(line))).toEqual([]);
      },
      { except: NONE },
    );
  }

  rule(
    "every word of memoryPolicy in it is known",
    async (t) => {
      const { memoryPolicy } = (await features(t)).linux;
      const nodes = (mode: string) => (/DEFAULT|LOCAL/.test(mode) ? {} : { nodes: "0" });
      const modes = await refusedOnes(t, memoryPolicy?.modes ?? [], (config, mode) => {
        config.linux.memoryPolicy = { mode, ...nodes(mode) };
      });
      const flags = await refusedOnes(t, memoryPolicy?.flags ?? [], (config, flag) => {
        config.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: [flag] };
      });
      expect([...modes, ...flags]).toEqual([]);
    },
    { except: NONE },
  );

  rule(
    "mountExtensions.idmap is enabled where mappings of mounts are known",
    async (t) => {
      const { mountExtensions } = (await features(t)).linux;
      const source = t.path("source");
      t.bundle("true", undefined, "source");
      const map = [{ containerID: 0, hostID: 1, size: 10 }];
      const mount = { destination: "/m", source, options: ["bind", "idmap"], uidMappings: map, gidMappings: map };
      const edit = (config: Config): void => {
        config.mounts.push(mount);
      };
      const result = await t.call(["run", "--bundle", t.bundle("stat -c %u /m", edit), t.id]);
      expect(mountExtensions?.idmap?.enabled === true).toBe(result.code === 0 && result.stdout === "1\n");
    },
    { except: NONE },
  );
});
