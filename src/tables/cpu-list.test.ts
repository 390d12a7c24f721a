import { expect, it } from "vitest";
import { cpuMask } from "./cpu-list.ts";

it("makes masks of whole longs", () => {
  expect([...cpuMask("0")]).toEqual([1, 0]);
  expect([...cpuMask("0-3,7")]).toEqual([0x8f, 0]);
  expect([...cpuMask("31, 32,64")]).toEqual([0x80000000, 1, 1, 0]);
});
