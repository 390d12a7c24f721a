import { expect, test } from "vitest";
import { absolutePath, cleanPath, lastPart } from "./paths.ts";

test.each([
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a/b/", "/a/b"],
  ["//a///b", "/a/b"],
  ["/a/./b/.", "/a/b"],
  ["/a/../b", "/b"],
  ["/../../a", "/a"],
  ["/a/..", "/"],
  ["/a/.hidden/..name", "/a/.hidden/..name"],
  ["/a/...", "/a/..."],
])("cleans %s to %s", (path, clean) => expect(cleanPath(path)).toBe(clean));

test("a relative path starts at the folder", () => {
  expect(absolutePath("/bundle", "rootfs")).toBe("/bundle/rootfs");
  expect(absolutePath("/bundle", "../x/")).toBe("/x");
  expect(absolutePath("/bundle", "/x")).toBe("/x");
});

test("the last part follows the last slash", () => expect(lastPart("/sys/fs/cgroup/cpu,cpuacct")).toBe("cpu,cpuacct"));
