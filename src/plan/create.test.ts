import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import { decode } from "./decode.ts";
import { hostFacts, opsOf, planOf } from "./golden-support.ts";
import { OPS } from "./ops.ts";
import type { CreateOptions, Plan } from "./plan.ts";
import { NONE, SLOTS } from "./protocol.ts";

/** Every plan of the goldens. */
function goldenPlans(): [title: string, plan: Plan][] {
  const folder = new URL("goldens/", import.meta.url);
  const plans: [string, Plan][] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".md"))) {
    const text = readFileSync(new URL(file, folder), "utf8");
    for (const [, title, json] of text.matchAll(/^## (.+)\n[\s\S]*?```json\n([\s\S]*?)```/gm)) {
      const { host, options, config } = JSON.parse(json as string);
      plans.push([`${file}: ${title}`, planOf(config ?? {}, { ...options, facts: hostFacts(host) })]);
    }
  }
  return plans;
}

/** What csrc/init/plan.c verifies: a slot is filled once before it is used, and only `close` empties it. */
function slotErrors({ init, inherited }: Plan): string[] {
  const full = new Set(inherited.keys());
  full.delete(1);
  const errors: string[] = [];
  decode(init).forEach(({ op, operands }, index) => {
    for (const [name, type] of Object.entries(OPS[op].operands)) {
      const slot = operands[name] as number;
      if (type === "slot" && slot !== NONE && !full.has(slot)) errors.push(`${index} ${op}: slot ${slot} is empty`);
      if (type === "out" && full.has(slot)) errors.push(`${index} ${op}: slot ${slot} is in use`);
      if (type === "out") full.add(slot);
    }
    if (op === "close") full.delete(operands.fd as number);
  });
  // What is left when the program ends: the sockets and pipes of the protocol.
  const kept = [...full].map((slot) => inherited[slot]?.what ?? `slot ${slot}`);
  if (kept.some((what) => !["sync", "start pipe", "commit pipe"].includes(what))) errors.push(`left open: ${kept}`);
  return errors;
}

describe("every plan", () => {
  test.each(goldenPlans())("%s: fills each slot before it is used and empties what it filled", (_title, plan) => {
    expect(slotErrors(plan)).toEqual([]);
  });

  test.each(goldenPlans())("%s: says where each operation comes from", (_title, plan) => {
    expect(plan.init.origins.length).toBe(decode(plan.init).length);
    for (const { pointer } of plan.init.origins) expect(pointer).toMatch(/^(default|\/.*)$/);
    for (const { origin } of plan.runtime) expect(origin.pointer).toMatch(/^(default|\/.*)$/);
  });

  test("needs few slots", () => {
    const most = Math.max(
      ...goldenPlans().flatMap(([, plan]) =>
        decode(plan.init).flatMap(({ op, operands }) =>
          Object.entries(OPS[op].operands).map(([name, type]) => (type === "out" ? (operands[name] as number) : 0)),
        ),
      ),
    );
    expect(most).toBeLessThan(SLOTS / 4);
  });
});

test("the same input gives the same bytes", () => {
  const [a, b] = [planOf({}), planOf({})];
  expect(b.init.words).toEqual(a.init.words);
  expect(b.init.strings).toEqual(a.init.strings);
  expect(b.runtime).toEqual(a.runtime);
});

const rejected = (patch: unknown, options: Partial<CreateOptions> = {}): RuntimeError => {
  try {
    planOf(patch, options);
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

test("without a mount namespace the mounts are made in one that init leaves with a clone of them, before it gets its rights", () => {
  const linux = { namespaces: [{ type: "pid" }], maskedPaths: null, readonlyPaths: null };
  const ops = opsOf({ hostname: null, linux });
  const names = ops.map((op) => op.split(" ")[0]);
  const enters = names.indexOf("unshare");
  const leaves = names.indexOf("setns");
  expect(ops[enters - 1]).toContain("/proc/self/ns/mnt");
  expect(names.slice(leaves - 2, leaves + 4)).toEqual(["open_tree", "close", "setns", "close", "change_root", "close"]);
  for (const name of ["open_tree", "move_mount", "mount_attributes", "root_propagation"])
    expect(names.indexOf(name)).toBeGreaterThan(enters);
  for (const name of ["move_mount", "mount_attributes"]) expect(names.lastIndexOf(name)).toBeLessThan(leaves);
  for (const name of ["set_ids", "set_capabilities", "find_executable"])
    if (names.includes(name)) expect(names.indexOf(name)).toBeGreaterThan(leaves);
  for (const name of ["pivot_root", "move_root"]) expect(names).not.toContain(name);
});

test("what a container in the runtime's mount namespace cannot have is refused", () => {
  const linux = { namespaces: [{ type: "pid" }], maskedPaths: null, readonlyPaths: null };
  const pointer = (patch: unknown) => rejected(patch).facts.pointer;
  expect(pointer({ hostname: null, linux: { ...linux, rootfsPropagation: "shared" } })).toBe(
    "/linux/rootfsPropagation",
  );
  const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
  const user = { ...linux, namespaces: [{ type: "user" }], uidMappings: ids, gidMappings: ids };
  expect(pointer({ hostname: null, linux: user })).toBe("/linux/namespaces");
  const mounts = [{ destination: "/x", type: "tmpfs", source: "tmpfs", options: ["unbindable"] }];
  expect(pointer({ hostname: null, linux, mounts })).toBe("/mounts/0/options");
});

test("--no-pivot with a private root is refused, as in runc", () => {
  const patch = { linux: { rootfsPropagation: "rprivate" } };
  expect(rejected(patch, { noPivot: true }).facts.pointer).toBe("/linux/rootfsPropagation");
});

test("createContainer hooks in a joined mount namespace are refused: their paths would be what is there", () => {
  const hooks = { createContainer: [{ path: "/bin/hook" }] };
  const namespaces = [{ type: "mount", path: "/proc/7/ns/mnt" }];
  expect(rejected({ hooks, linux: { namespaces }, hostname: null }).facts.pointer).toBe("/hooks/createContainer");
});

test("additional groups need privilege", () => {
  const patch = { process: { user: { uid: 0, gid: 0, additionalGids: [1] } } };
  const facts = { ...hostFacts("v2"), euid: 1000 };
  expect(rejected(patch, { facts }).facts.pointer).toBe("/process/user/additionalGids");
});

test("a symlink is never followed to a mount on /proc, /sys or /dev, however the destination is written", () => {
  const mounts = ["/proc", "/sys/", "//dev/.", "/x/../dev"].map((destination) => ({
    destination,
    type: destination === "/proc" ? "proc" : "tmpfs",
  }));
  const targets = opsOf({ mounts }).filter((line) => line.startsWith("target"));
  expect(targets).toEqual([
    "target /proc folder nofollow",
    "target /sys folder nofollow",
    "target /dev folder nofollow",
    "target /dev folder nofollow",
  ]);
});

test("every other mount target is checked not to lead into procfs", () => {
  const ops = opsOf({ mounts: [{ destination: "/volume", type: "tmpfs" }] });
  const at = ops.indexOf("target /volume folder");
  expect(ops[at + 1]).toBe("refuse_fs /volume is not on procfs");
});

test("a name that only begins like /proc is checked too", () => {
  expect(opsOf({ mounts: [{ destination: "/process", type: "tmpfs" }] })).toContain(
    "refuse_fs /process is not on procfs",
  );
});

test("proc and sysfs are mounted on real folders only, wherever they go", () => {
  const ops = opsOf({ mounts: [{ destination: "/a/b", type: "sysfs" }] });
  expect(ops).toContain("target /a/b folder nofollow");
});

test("in a user namespace a bind mount keeps the attributes that are locked there", () => {
  const mounts = [{ destination: "/d", source: "/s", options: ["bind", "ro", "exec"] }];
  const linux = {
    namespaces: [{ type: "mount" }, { type: "user" }],
    uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
  };
  expect(opsOf({ mounts, linux, hostname: null })).toContain("mount_attributes received mount set ro clear noexec");
});

test("nothing is changed on a bind mount without flags", () => {
  const ops = opsOf({ mounts: [{ destination: "/d", source: "/s", options: ["bind"] }] });
  expect(ops.filter((line) => line.startsWith("mount_attributes clone of /s"))).toEqual([]);
});

test("remount changes the mount that is there", () => {
  const ops = opsOf({ mounts: [{ destination: "/sys", source: "none", options: ["remount", "bind", "ro"] }] });
  expect(ops).toContain("open /sys in mount /bundle/rootfs O_PATH RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS");
});

test("a soft limit is not lowered before the mounts are made", () => {
  const ops = opsOf({ process: { rlimits: [{ type: "RLIMIT_NOFILE", soft: 3, hard: 3 }] } });
  const limit = ops.indexOf("rlimit RLIMIT_NOFILE soft 3 hard 3");
  expect(limit).toBeGreaterThan(ops.findLastIndex((line) => line.startsWith("mask_path")));
});

test("cwd is made while the root can be written, and entered before and after the change of ids", () => {
  const ops = opsOf({ process: { cwd: "/srv/work" } });
  const order = [
    "make_dir /srv/work 0755",
    "mount_attributes / set ro",
    "chdir /srv/work if allowed",
    "set_ids uid 0 gid 0",
    "chdir /srv/work",
  ].map((line) => ops.indexOf(line));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order).not.toContain(-1);
});

test("a v1 hierarchy that berth is not put into is shown as berth's own cgroup of it", () => {
  const facts = hostFacts("v1");
  const hierarchies = [{ name: "name=elsewhere", mountpoint: "/sys/fs/cgroup/elsewhere", own: "/me" }];
  const ops = opsOf(
    {},
    { facts: { ...facts, cgroup: { mode: "v1", hierarchies: [...facts.cgroup.hierarchies, ...hierarchies] } } },
  );
  expect(ops.find((op) => op.startsWith("bind_new") && op.includes("elsewhere"))).toContain(
    "/sys/fs/cgroup/elsewhere/me",
  );
});
