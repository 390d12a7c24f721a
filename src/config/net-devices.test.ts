// linux.netDevices: which names are names of network devices.

import { describe, expect, test } from "vitest";
import { configWith, defaultJson, mergePatch } from "../plan/golden-support.ts";
import { loadConfig } from "./load.ts";

const issues = (netDevices: unknown, more: unknown = {}): string[] =>
  loadConfig(JSON.stringify(mergePatch(mergePatch(defaultJson, { linux: { netDevices } }), more))).issues.map(
    ({ pointer, message }) => `${pointer}: ${message}`,
  );

describe("linux.netDevices", () => {
  test("is a map by the device's name, in order; none is the same as absent", () => {
    const { linux } = configWith({ linux: { netDevices: { eth1: { name: "a" }, eth0: {}, e2: { name: "" } } } });
    expect([...(linux.netDevices ?? [])]).toEqual([
      ["e2", {}],
      ["eth0", {}],
      ["eth1", { name: "a" }],
    ]);
    expect(configWith({ linux: { netDevices: {} } }).linux).not.toHaveProperty("netDevices");
    expect(issues([])).toEqual(["/linux/netDevices: must be an object, got an array"]);
    expect(issues({ eth0: "x" })).toEqual(['/linux/netDevices/eth0: must be an object, got "x"']);
    expect(issues({ eth0: { name: 1 } })).toEqual(["/linux/netDevices/eth0/name: must be a string, got 1"]);
  });

  test.each(["a", "fifteen-letters", "ä-ist-zwei-byt", "eth0.100", "e~0", "日本語日本"])("%s is a name", (name) => {
    expect(issues({ [name]: {} })).toEqual([]);
    expect(issues({ eth0: { name } })).toEqual([]);
  });

  test.each<[name: string, message: string]>([
    ["sixteen-letters-", "must be at most 15 bytes long"],
    ["ä-ist-zwei-byte", "must be at most 15 bytes long"],
    ["日本語日本x", "must be at most 15 bytes long"],
    [".", "must be the name of a network device"],
    ["..", "must be the name of a network device"],
    ["a/b", "must have no space, control character, / or :"],
    ["a:b", "must have no space, control character, / or :"],
    ["a b", "must have no space, control character, / or :"],
    ["a\nb", "must have no space, control character, / or :"],
  ])("%j is none", (name, message) => {
    const token = name.replaceAll("/", "~1");
    expect(issues({ [name]: {} })).toEqual([`/linux/netDevices/${token}: ${message}, got ${JSON.stringify(name)}`]);
    expect(issues({ eth0: { name } })).toEqual([
      `/linux/netDevices/eth0/name: ${message}, got ${JSON.stringify(name)}`,
    ]);
  });

  test("the empty key is no name", () => {
    expect(issues({ "": {} })).toEqual(['/linux/netDevices/: must be the name of a network device, got ""']);
  });

  test("one %d is a template for the new name alone", () => {
    expect(issues({ eth0: { name: "net%d" } })).toEqual([]);
    expect(issues({ "eth%d": {} })).toHaveLength(1);
    for (const name of ["a%", "a%s", "a%d%d", "%%d", "%d%"]) expect(issues({ eth0: { name } })).toHaveLength(1);
  });

  test("two devices cannot have one name, unless it is a template", () => {
    expect(issues({ a: { name: "x" }, b: { name: "x" } })).toEqual([
      '/linux/netDevices/b: must not have the name of "a" in the container',
    ]);
    expect(issues({ a: { name: "b" }, b: {} })).toHaveLength(1);
    expect(issues({ a: { name: "b" }, b: { name: "a" } })).toEqual([]);
    expect(issues({ a: { name: "x%d" }, b: { name: "x%d" } })).toEqual([]);
  });

  test("they need a network namespace", () => {
    expect(issues({ a: {} }, { linux: { namespaces: [{ type: "mount" }] }, hostname: null })).toContain(
      "/linux/netDevices: needs a network namespace of the container's own",
    );
  });
});
