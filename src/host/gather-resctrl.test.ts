// Where the resctrl file system is.

import { expect, test } from "vitest";
import { isResctrl, resctrlMount } from "./gather-resctrl.ts";

test("by the type that statfs(2) gives, and nothing else outside of test builds", () => {
  expect(isResctrl(0x7655821)).toBe(true);
  for (const other of [-2, 0, 0x1021994, 0x9fa0]) expect(isResctrl(other)).toBe(false);
});

test("elsewhere, the first mount of the type, as it is named", () => {
  const line = (path: string, type: string) => `30 1 0:27 / ${path} rw,nosuid shared:5 - ${type} resctrl rw`;
  expect(resctrlMount("")).toBeUndefined();
  expect(resctrlMount(line("/sys/fs/resctrl", "tmpfs"))).toBeUndefined();
  expect(resctrlMount([line("/a", "tmpfs"), line("/b\\040c", "resctrl"), line("/d", "resctrl")].join("\n"))).toBe(
    "/b c",
  );
});
