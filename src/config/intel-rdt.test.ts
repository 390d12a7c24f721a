// linux.intelRdt: names of groups and lines of schemata.

import { expect, test } from "vitest";
import { configWith, defaultJson, mergePatch } from "../plan/golden-support.ts";
import { loadConfig } from "./load.ts";

const issues = (intelRdt: unknown): string[] =>
  loadConfig(JSON.stringify(mergePatch(defaultJson, { linux: { intelRdt } }))).issues.map(
    ({ kind, pointer, message }) => `${kind} ${pointer}: ${message}`,
  );

test("every field, and none", () => {
  const all = {
    closID: "gold",
    l3CacheSchema: "L3:0=f",
    memBwSchema: "MB:0=10",
    schemata: ["L2:0=1", ""],
    enableMonitoring: true,
  };
  expect(configWith({ linux: { intelRdt: all } }).linux.intelRdt).toEqual(all);
  const empty = { schemata: [], enableMonitoring: false };
  expect(configWith({ linux: { intelRdt: {} } }).linux.intelRdt).toEqual(empty);
  expect(configWith({ linux: { intelRdt: { closID: "", schemata: null } } }).linux.intelRdt).toEqual(empty);
  expect(configWith({ linux: { intelRdt: null } }).linux).not.toHaveProperty("intelRdt");
});

test.each(["/", "gold", "a.b", "-", "...", "x".repeat(255)])("%s is a closID", (closID) => {
  expect(issues({ closID })).toEqual([]);
});

test.each([".", "..", "a/b", "/a", "//", "info", "mon_groups", "mon_data", "a\nb", "x".repeat(256)])(
  "%j is no closID",
  (closID) => {
    expect(issues({ closID })).toEqual([
      expect.stringMatching(/^invalid \/linux\/intelRdt\/closID: must be the name of a resctrl group/),
    ]);
  },
);

test("schemas are one line each, and of their resource", () => {
  expect(issues({ l3CacheSchema: "L3:0=f\nMB:0=1" })).toHaveLength(1);
  expect(issues({ memBwSchema: "MB:0=1\n" })).toHaveLength(1);
  expect(issues({ schemata: ["L3:0=f", "a\nb"] })).toEqual([
    'invalid /linux/intelRdt/schemata/1: must be free of newlines, got "a\\nb"',
  ]);
  expect(issues({ memBwSchema: "0=1" })).toEqual([
    'invalid /linux/intelRdt/memBwSchema: must begin with "MB:", got "0=1"',
  ]);
  expect(issues({ l3CacheSchema: "L3CODE:0=1" })).toEqual([
    'warning /linux/intelRdt/l3CacheSchema: must begin with "L3:", got "L3CODE:0=1"',
  ]);
});

test("wrong types have their place", () => {
  expect(issues([])).toEqual(["invalid /linux/intelRdt: must be an object, got an array"]);
  expect(issues({ enableMonitoring: 1 })).toEqual([
    "invalid /linux/intelRdt/enableMonitoring: must be true or false, got 1",
  ]);
  expect(issues({ schemata: "x" })).toEqual(['invalid /linux/intelRdt/schemata: must be an array, got "x"']);
});

test("what the specification had before 1.3 is a warning when it is asked for", () => {
  expect(issues({ enableCMT: false })).toEqual([]);
  expect(issues({ enableCMT: true, enableMBM: true })).toHaveLength(2);
});
