import { describe, expect, test } from "vitest";
import { mountIds } from "../../tables/mount-ids.ts";
import { loadConfig } from "../load.ts";
import type { Config } from "../types.ts";
import { checkRootless } from "./rootless.ts";

const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const MAPPED = { uidMappings: [map(0, 100000, 65536)], gidMappings: [map(0, 200000, 65536)] };
const USER = { namespaces: [{ type: "mount" }, { type: "user" }], ...MAPPED };
const JOINED = { namespaces: [{ type: "mount" }, { type: "user", path: "/proc/9/ns/user" }] };

function load(mount: unknown, linux: unknown = { namespaces: [{ type: "mount" }] }): ReturnType<typeof loadConfig> {
  const process = { args: ["x"], cwd: "/" };
  return loadConfig(JSON.stringify({ ociVersion: "1.2.0", root: { path: "r" }, process, mounts: [mount], linux }));
}

const bind = (options: string[], more: object = {}) => ({
  destination: "/m",
  source: "/s",
  options: ["bind", ...options],
  ...more,
});

const issues = (mount: unknown, linux?: unknown) =>
  load(mount, linux).issues.map(({ kind, pointer, message }) => `${kind} ${pointer}: ${message}`);

function ids(mount: unknown, linux?: unknown): unknown {
  const { config, issues: found } = load(mount, linux);
  if (config === undefined) throw new Error(JSON.stringify(found));
  return mountIds((config as Config).mounts[0] as Config["mounts"][number], config);
}

describe("whose ids an idmapped mount has", () => {
  test("its own mappings, with or without an option", () => {
    const wanted = { uids: MAPPED.uidMappings, gids: MAPPED.gidMappings };
    expect(ids(bind([], MAPPED))).toEqual(wanted);
    expect(ids(bind(["idmap"], MAPPED))).toEqual(wanted);
    expect(ids(bind(["ridmap"], MAPPED), { ...USER, uidMappings: [map(0, 5, 9)] })).toEqual(wanted);
  });

  test("those of a new user namespace, or the namespace that is joined", () => {
    expect(ids(bind(["idmap"]), USER)).toEqual({ uids: MAPPED.uidMappings, gids: MAPPED.gidMappings });
    expect(ids(bind(["ridmap"]), JOINED)).toBe("/proc/9/ns/user");
  });

  test("crun's own words, absolute and relative to the user namespace", () => {
    expect(ids(bind(["idmap=uids=0-1-10#10-11-10;gids=0-100-10"]))).toEqual({
      uids: [map(0, 1, 10), map(10, 11, 10)],
      gids: [map(0, 100, 10)],
    });
    const linux = { ...USER, uidMappings: [map(0, 0, 1), map(1, 2, 1000)] };
    expect(ids(bind(["ridmap=uids=@1-3-10;gids=@0-0-1"]), linux)).toEqual({
      uids: [map(1, 4, 10)],
      gids: [map(0, 200000, 1)],
    });
    expect(ids(bind(["idmap="]), USER)).toEqual({ uids: MAPPED.uidMappings, gids: MAPPED.gidMappings });
  });
});

describe("what is refused", () => {
  test.each<[string, unknown, unknown, string]>([
    [
      "no namespace, no mappings",
      bind(["idmap"]),
      undefined,
      "/options/1: needs uidMappings and gidMappings of the mount, or a user namespace",
    ],
    [
      "another file system",
      { destination: "/m", type: "tmpfs", options: ["idmap"], ...MAPPED },
      undefined,
      "/options/0: is only supported for a bind mount",
    ],
    [
      "mappings of another file system",
      { destination: "/m", type: "tmpfs", ...MAPPED },
      undefined,
      "/uidMappings: is only supported for a bind mount",
    ],
    ["a remount", { ...bind(["remount"]), ...MAPPED }, undefined, "/uidMappings: is only supported for a bind mount"],
    [
      "one kind of mapping",
      bind([], { uidMappings: MAPPED.uidMappings }),
      undefined,
      "/gidMappings: is required: an id-mapped mount needs both user and group ids",
    ],
    [
      "an empty mapping",
      bind([], { ...MAPPED, uidMappings: [] }),
      USER,
      "/uidMappings: is required: an id-mapped mount needs both user and group ids",
    ],
    [
      "overlapping ids",
      bind([], { ...MAPPED, gidMappings: [map(0, 5, 9), map(3, 50, 2)] }),
      undefined,
      "/gidMappings/1: must not overlap with entry 0",
    ],
    ["crun's words, one kind", bind(["idmap=uids=0-1-2"]), undefined, "/options/1: needs both uids= and gids="],
    [
      "crun's words, no number",
      bind(["idmap=uids=0-x-2;gids=0-1-2"]),
      undefined,
      '/options/1: must be of the form idmap=uids=0-1000-10;gids=0-1000-10, has "0-x-2"',
    ],
    [
      "crun's words, too many numbers",
      bind(["idmap=uids=0-1-2-3;gids=0-1-2"]),
      undefined,
      '/options/1: must be of the form idmap=uids=0-1000-10;gids=0-1000-10, has "0-1-2-3"',
    ],
    [
      "crun's words, nothing to be relative to",
      bind(["idmap=uids=@0-1-2;gids=0-1-2"]),
      undefined,
      '/options/1: must be of the form idmap=uids=0-1000-10;gids=0-1000-10, has "@0-1-2", which linux.uidMappings and gidMappings do not map',
    ],
    [
      "crun's words, overlapping",
      bind(["idmap=uids=0-1-2#1-9-2;gids=0-1-2"]),
      undefined,
      "/options/1/1: must not overlap with entry 0",
    ],
  ])("%s", (_title, mount, linux, issue) => {
    expect(issues(mount, linux)).toEqual([`invalid /mounts/0${issue}`]);
  });

  test("all of it for who is not root", () => {
    const { config } = load(bind(["idmap"]), USER);
    expect(checkRootless(config as Config)).toEqual([
      { pointer: "/mounts/0", kind: "invalid", message: "must not be id-mapped in a rootless container" },
    ]);
  });
});
