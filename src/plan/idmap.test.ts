// What is done for idmapped mounts, without all that is done besides.

import { expect, test } from "vitest";
import { linesOf, planOf } from "./golden-support.ts";

const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const proc = { destination: "/proc", type: "proc", source: "proc" };

const idmapLines = (patch: unknown): string[] =>
  linesOf(patch).filter((line) =>
    /received|user namespace|map ids|berth clone|barrier (mount|maps|hooks)|receive_mount/.test(line),
  );

test("ids of the mount's own: equal ones share a user namespace that nobody is in", () => {
  const mounts = [
    {
      destination: "/a",
      source: "/data/a",
      options: ["rbind", "ro"],
      uidMappings: [map(0, 5000, 10), map(100, 6000, 1)],
      gidMappings: [map(0, 7000, 10)],
    },
    {
      destination: "/b",
      source: "b",
      options: ["rbind", "ridmap", "src-nofollow"],
      uidMappings: [map(0, 1, 1)],
      gidMappings: [map(0, 1, 1)],
    },
    { destination: "/c", source: "/data/c", options: ["bind", "idmap=uids=0-1-1;gids=0-1-1"] },
    { destination: "/d", source: "/data/d", options: ["bind"] },
  ];
  expect(idmapLines({ mounts })).toEqual([
    "init  receive_mount from the runtime   /mounts/0/source",
    "berth make user namespace uids 0 5000 10, 100 6000 1 gids 0 7000 10   /mounts/0",
    "berth await barrier mount   /mounts/0",
    "berth map ids of OPEN_TREE_CLONE|AT_RECURSIVE /data/a by user namespace 0, send it to init   /mounts/0",
    "init  mount_attributes received mount set ro clear nosuid,nodev,noexec,nodiratime,nosymfollow   /mounts/0/options",
    "init  target /a like received mount   /mounts/0/destination",
    "init  move_mount received mount → /a   /mounts/0/destination",
    "init  receive_mount from the runtime   /mounts/1/source",
    "berth make user namespace uids 0 1 1 gids 0 1 1   /mounts/1",
    "berth await barrier mount   /mounts/1",
    "berth map ids recursively of OPEN_TREE_CLONE|AT_RECURSIVE|AT_SYMLINK_NOFOLLOW /bundle/b by user namespace 1, send it to init   /mounts/1",
    "init  target /b like received mount   /mounts/1/destination",
    "init  move_mount received mount → /b   /mounts/1/destination",
    "init  receive_mount from the runtime   /mounts/2/source",
    "berth await barrier mount   /mounts/2",
    "berth map ids of OPEN_TREE_CLONE /data/c by user namespace 1, send it to init   /mounts/2",
    "init  target /c like received mount   /mounts/2/destination",
    "init  move_mount received mount → /c   /mounts/2/destination",
  ]);
  const last = planOf({ mounts }).runtime.map((step) => (step.step === "map mount" ? step.last : undefined));
  expect(last.filter((value) => value !== undefined)).toEqual([false, false, true]);
});

const bound = { destination: "/a", source: "/data/a", options: ["bind", "ridmap"] };

test("ids of a new user namespace: after its maps, before the hooks", () => {
  const linux = {
    namespaces: [{ type: "mount" }, { type: "user" }, { type: "uts" }],
    uidMappings: [map(0, 100000, 65536)],
    gidMappings: [map(0, 200000, 65536)],
  };
  const hooks = { createRuntime: [{ path: "/bin/x" }] };
  expect(idmapLines({ mounts: [proc, bound], linux, hooks })).toEqual([
    "berth await barrier maps   /linux/uidMappings",
    "berth release barrier maps   /linux/uidMappings",
    "init  receive_mount from the runtime   /mounts/1/source",
    "berth make user namespace uids 0 100000 65536 gids 0 200000 65536   /mounts/1",
    "berth await barrier mount   /mounts/1",
    "berth map ids recursively of OPEN_TREE_CLONE /data/a by user namespace 0, send it to init   /mounts/1",
    "init  target /a like received mount   /mounts/1/destination",
    "init  move_mount received mount → /a   /mounts/1/destination",
    "berth await barrier hooks   /hooks",
    "berth release barrier hooks   /hooks",
  ]);
});

test("in a user namespace every source is cloned with the rights of the runtime", () => {
  const linux = {
    namespaces: [{ type: "mount" }, { type: "user" }],
    uidMappings: [map(0, 100000, 65536)],
    gidMappings: [map(0, 100000, 65536)],
  };
  const mounts = [proc, { destination: "/a", source: "/data/a", options: ["rbind"] }];
  const hostname = null;
  expect(idmapLines({ mounts, linux, hostname })).toEqual([
    "berth await barrier maps   /linux/uidMappings",
    "berth release barrier maps   /linux/uidMappings",
    "init  receive_mount from the runtime   /mounts/1/source",
    "berth await barrier mount   /mounts/1",
    "berth clone OPEN_TREE_CLONE|AT_RECURSIVE /data/a, send it to init   /mounts/1",
    "init  target /a like received mount   /mounts/1/destination",
    "init  move_mount received mount → /a   /mounts/1/destination",
  ]);
  const remount = { destination: "/proc", source: "none", options: ["remount", "bind", "ro"] };
  expect(idmapLines({ mounts: [proc, remount], linux, hostname }).join()).not.toContain("receive_mount");
});

test("ids of a joined user namespace", () => {
  const linux = { namespaces: [{ type: "mount" }, { type: "user", path: "/proc/9/ns/user" }, { type: "uts" }] };
  expect(idmapLines({ mounts: [proc, bound], linux }).filter((line) => line.startsWith("berth"))).toEqual([
    "berth open user namespace /proc/9/ns/user   /mounts/1",
    "berth await barrier mount   /mounts/1",
    "berth map ids recursively of OPEN_TREE_CLONE /data/a by user namespace 0, send it to init   /mounts/1",
  ]);
});
