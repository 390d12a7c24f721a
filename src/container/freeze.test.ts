// What real kernels seldom show: a cgroup that does not freeze. (With real ones: cgroup.test.ts, spec-tests/pause.test.ts.)

import { describe, expect, it } from "vitest";
import type { Native } from "../host/native.gen.ts";
import { type Freezer, freeze, openFreezer } from "./freeze.ts";

const ABORT = 50;

/** A cgroup that is frozen after so many looks; `aborted` makes the descriptor ABORT readable. Time goes by in poll alone. */
function stubborn(looks: number, aborted = false): { native: Native; written: string[]; polls: number[] } {
  const written: string[] = [];
  const polls: number[] = [];
  let left = looks;
  let now = 0;
  const frozen = (): boolean => left-- <= 0;
  const native = {
    monotonic: () => now,
    write_file: (_dir: number, file: string, _flags: number, _mode: number, data: string) => {
      written.push(`${file} ${data}`);
      return 0;
    },
    read_file: () => (frozen() ? "FROZEN\n" : "FREEZING\n"),
    open: () => 10,
    read: () => `populated 1\nfrozen ${frozen() ? 1 : 0}\n`,
    close: () => 0,
    poll: (fds: Uint32Array, _events: Uint32Array, ms: number) => {
      polls.push(ms);
      now += ms;
      return [...fds].map((fd) => (fd === ABORT && aborted ? 1 : 0));
    },
  };
  return { native: native as unknown as Native, written, polls };
}

const freezer = (kind: Freezer["kind"]): Freezer => ({ kind, folder: 5, path: "/c" });

describe("freeze", () => {
  it("on v2 asks once and waits for the event", () => {
    const { native, written, polls } = stubborn(3);
    expect(freeze(native, freezer("v2"), 1000, -1)).toBe(0);
    expect(polls).toEqual([1000]);
    const soon = stubborn(0);
    expect(freeze(soon.native, freezer("v2"), 1000, ABORT)).toBe(1);
    expect([written, soon.written, soon.polls]).toEqual([["cgroup.freeze 1"], ["cgroup.freeze 1"], []]);
  });

  it("on v1 asks again and again, and lets go of everything for a moment now and then", () => {
    const { native, written } = stubborn(120);
    expect(freeze(native, freezer("v1"), 1000, -1)).toBe(1);
    expect(written.filter((line) => line === "freezer.state FROZEN")).toHaveLength(121);
    expect(written.filter((line) => line === "freezer.state THAWED")).toHaveLength(2);
  });

  for (const kind of ["v1", "v2"] as const) {
    it(`gives up after its patience on ${kind}`, () => {
      const { native, polls } = stubborn(1e9);
      expect(freeze(native, freezer(kind), 300, ABORT)).toBe(0);
      expect(polls.reduce((sum, ms) => sum + ms, 0)).toBe(300);
    });

    it(`gives up at once when it is to be aborted on ${kind}`, () => {
      const { native, polls } = stubborn(1e9, true);
      expect(freeze(native, freezer(kind), 300, ABORT)).toBe(0);
      expect(polls).toHaveLength(1);
    });

    it(`says what the kernel said on ${kind}`, () => {
      const native = { monotonic: () => 0, write_file: () => -13 } as unknown as Native;
      expect(freeze(native, freezer(kind), 300, -1)).toBe(-13);
    });
  }

  it("finds no freezer where there is no cgroup", () => {
    const native = { open_in_root: () => -2 } as unknown as Native;
    expect(openFreezer(native, ["/sys/fs/cgroup/freezer/gone"])).toBe(undefined);
  });
});
