// The compiled form of the commonest linux.resources.devices: absent, or "deny all" alone, as `runc spec` writes it.
// Compiling it anew would be a tenth of the whole start. device-default.test.ts proves both equal to what the compiler
// makes, and prints what to put here when the compiler changes.

import type { DeviceLines } from "./devices.ts";

export const DEFAULT_LINES: DeviceLines = {
  defaultAllow: false,
  exceptions: [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:8 rwm",
    "c 1:7 rwm",
    "c 5:0 rwm",
    "c 1:5 rwm",
    "c 1:9 rwm",
    "c 136:* rwm",
    "c 5:2 rwm",
    "c 10:200 rwm",
  ],
};

// biome-ignore format: two words an instruction
const WORDS = [
  0x1261, 0, 0x1361, 0, 0x41461, 0, 0x81561, 0, 0x254, 0xffff, 0x374, 0x10, 0x100256, 2, 0x10346, 0xfffffffe,
  0x130005, 0, 0xd0346, 0xfffffff8, 0x50456, 1, 0x100516, 3, 0xf0516, 8, 0xe0516, 7, 0xd0516, 5, 0xc0516, 9,
  0x20456, 5, 0xa0516, 0, 0x90516, 2, 0x10456, 10, 0x70516, 200, 0x10456, 136, 0x50005, 0, 0x20256, 1,
  0x10346, 0xfffffffe, 0x20005, 0, 0xb4, 0, 0x95, 0, 0xb4, 1, 0x95, 0,
];

/** For cgroup v2. */
export function defaultProgram(): Uint32Array {
  return Uint32Array.from(WORDS);
}
