import { describe, expect, it } from "vitest";
import { PlanBuilder } from "./builder.ts";
import { SLOTS } from "./protocol.ts";

describe("PlanBuilder", () => {
  it("keeps one origin for each op", () => {
    const b = new PlanBuilder();
    b.setsid();
    b.at("/hostname", "box").hostname("box");
    b.at("/process/user");
    b.set_ids(1, 2);
    b.set_groups([3, 4]);
    expect(b.finish().origins).toEqual([
      { pointer: "" },
      { pointer: "/hostname", subject: "box" },
      { pointer: "/process/user" },
      { pointer: "/process/user" },
    ]);
  });

  it("numbers inherited descriptors after sync socket and plan, then gives the lowest free slot", () => {
    const b = new PlanBuilder();
    expect(b.inherit({ what: "start pipe" })).toBe(2);
    expect([b.slot(), b.slot(), b.slot()]).toEqual([3, 4, 5]);
    b.close(4);
    expect(b.slot()).toBe(4);
    expect(() => b.inherit({ what: "console socket" })).toThrow(RangeError);
    expect(b.inherited.map((i) => i.what)).toEqual(["sync", "plan", "start pipe"]);
  });

  it("refuses to hand out more slots than init has", () => {
    const b = new PlanBuilder();
    for (let i = 2; i < SLOTS; i++) b.slot();
    expect(() => b.slot()).toThrow(RangeError);
  });

  it("grows without losing words and refuses an op that its head cannot describe", () => {
    const b = new PlanBuilder();
    for (let i = 0; i < 5000; i++) b.umask(i);
    const { words } = b.finish();
    expect(words.length).toBe(10000);
    expect([words[1], words[9999]]).toEqual([0, 4999]);
    expect(() => b.set_groups(new Uint32Array(70000))).toThrow(RangeError);
  });
});
