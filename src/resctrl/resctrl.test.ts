// Schemata as the kernel prints and people write them, and the groups of a container.

import { describe, expect, test } from "vitest";
import type { IntelRdt } from "../config/types.ts";
import { hasSchemata, resctrlPlace } from "./place.ts";
import { isInForce, schemaOf } from "./schemata.ts";

const FILE = "    MB:0= 30;1=100\n    L3:0=000ff;1=fffff\nL3CODE:0=1\n";

describe("a schema is in force", () => {
  test.each([
    "L3:0=ff",
    "L3:0=FF;1=fffff",
    "L3:1=fffff;0=0xff",
    " L3 : 0 = ff ; 1 = 00fffff ",
    "MB:0=30",
    "MB:0=21;1=100",
    "MB:1=91",
    "L3CODE:0=1",
  ])("%s", (line) => {
    expect(isInForce(line, FILE, 10)).toBe(true);
  });
});

describe("a schema is not in force", () => {
  test.each([
    "L3:0=fe",
    "L3:0=ff;1=1",
    "L3:2=ff",
    "L3:0=",
    "L3:0",
    "L3:",
    "L3",
    "",
    ":0=ff",
    "L3:0=ff=ff",
    "L3:0=ff;",
    "MB:0=20",
    "MB:0=31",
    "MB:0=1e",
    "MB:0=-30",
    "L2:0=ff",
    "L3DATA:0=1",
  ])("%s", (line) => {
    expect(isInForce(line, FILE, 10)).toBe(false);
  });

  test("a bandwidth counts as it is where none is rounded", () => {
    expect(isInForce("MB:0=30", FILE, 1)).toBe(true);
    expect(isInForce("MB:0=25", FILE, 1)).toBe(false);
  });

  test("masks are not rounded", () => {
    expect(isInForce("L3:0=f8", FILE, 10)).toBe(false);
  });
});

test("the lines of a resource, for statistics", () => {
  expect(schemaOf("MB", FILE)).toBe("MB:0= 30;1=100");
  expect(schemaOf("L2", FILE)).toBeUndefined();
});

describe("the groups of a container", () => {
  const facts = { root: "/r", l3: true, mb: true };
  const rdt = (more: Partial<IntelRdt>): IntelRdt => ({ schemata: [], enableMonitoring: false, ...more });

  test.each<[Partial<IntelRdt>, object]>([
    [{}, { root: "/r", group: "box" }],
    [{ closID: "gold" }, { root: "/r", group: "gold" }],
    [{ closID: "/" }, { root: "/r", group: "" }],
    [{ enableMonitoring: true }, { root: "/r", group: "box", monitor: "box/mon_groups/box" }],
    [
      { closID: "gold", enableMonitoring: true },
      { root: "/r", group: "gold", monitor: "gold/mon_groups/box" },
    ],
    [
      { closID: "/", enableMonitoring: true },
      { root: "/r", group: "", monitor: "mon_groups/box" },
    ],
  ])("%j", (more, place) => {
    expect(resctrlPlace(rdt(more), "box", facts)).toEqual(place);
  });

  test("what the machine cannot do is refused", () => {
    expect(() => resctrlPlace(rdt({}), "box", undefined)).toThrow("no resctrl file system is mounted");
    const none = { root: "/r", l3: false, mb: false };
    expect(() => resctrlPlace(rdt({ l3CacheSchema: "L3:0=f" }), "box", none)).toThrow("cannot allocate L3 cache");
    expect(() => resctrlPlace(rdt({ memBwSchema: "MB:0=10" }), "box", none)).toThrow(
      "cannot allocate memory bandwidth",
    );
    expect(resctrlPlace(rdt({ schemata: ["L2:0=f"] }), "box", none)).toEqual({ root: "/r", group: "box" });
  });

  test.each(["info", "mon_groups", "mon_data"])("the id %s is no group's name", (id) => {
    expect(() => resctrlPlace(rdt({}), id, facts)).toThrow("closID is needed");
    expect(resctrlPlace(rdt({ closID: "gold" }), id, facts).group).toBe("gold");
  });

  test("empty lines of schemata count for nothing", () => {
    expect(hasSchemata(rdt({ schemata: ["", ""] }))).toBe(false);
    expect(hasSchemata(rdt({ schemata: ["", "L2:0=1"] }))).toBe(true);
  });
});
