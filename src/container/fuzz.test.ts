import { describe, expect } from "vitest";
import { cgroupPaths } from "../cgroup/path.ts";
import type { CgroupFiles } from "../cgroup/stats.ts";
import { statsOfV1 } from "../cgroup/stats-v1.ts";
import { statsOfV2 } from "../cgroup/stats-v2.ts";
import { readFast } from "../cli/fast.ts";
import { readGeneral } from "../cli/general.ts";
import { fuzz, type Random, refused } from "../fuzz-support.ts";
import { mountsOf } from "../host/cgroup-mounts.ts";
import { hostFacts } from "../plan/golden-support.ts";
import { annotationProperties } from "../systemd/annotations.ts";
import { checkId } from "./id.ts";
import { decodeRecords, encodeRecord } from "./records.ts";

const WORDS =
  "run exec create start state kill delete --root --bundle -b --pid-file -- -f --force --user --cap -t x 1 = --x=".split(
    " ",
  );

const CONTENTS = ["max\n", "1\n", "0 1 2\n", "a 1\nb 2\n", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"];
const NUMBERS = ["18446744073709551615", "-1", "max", "8:0 Read 1", "8:0 rbytes=1", "Total 5", "\n", " ", "\0"];

function files(random: Random): CgroupFiles {
  const read = (): string | undefined =>
    random.below(6) === 0 ? undefined : random.changed(random.one(CONTENTS), NUMBERS);
  return { path: "/sys/fs/cgroup/x", read };
}

describe("whatever is in a file or an argument", () => {
  fuzz("state.json is a state, none, or damaged", (random) => {
    const first = {
      id: "x",
      bundle: "/b\udc80",
      rootfs: "/r",
      ociVersion: "1",
      annotations: [["a", "b"]],
      cgroups: ["/c"],
    };
    const hooks = { poststart: [], poststop: [] };
    const process = { pid: 5, startTime: 1 };
    const whole = encodeRecord({ ...first, hooks, creator: process }) + encodeRecord({ init: process });
    const state = refused(() => decodeRecords(random.changed(whole, ['{"id":1}', '"__proto__"', "\n", "[]", "null"])));
    if (state === undefined) return;
    expect(typeof state.id).toBe("string");
    for (const { pid } of [state.creator, state.init ?? state.creator]) expect(pid).toBeGreaterThan(0);
    for (const path of state.cgroups) expect(typeof path).toBe("string");
  });

  fuzz("mountinfo leads to hierarchies that were asked for", (random) => {
    const line = "30 25 0:26 / /sys/fs/cgroup/pids rw,nosuid shared:9 - cgroup cgroup rw,pids\n";
    const text = random.changed(line.repeat(1 + random.below(3)), ["\\040", "\\9", " - cgroup ", "/..", "pids,", " "]);
    for (const { name } of mountsOf(text, [{ name: "pids", own: "/a" }])) expect(name).toBe("pids");
  });

  fuzz("a cgroupsPath stays below the mount", (random) => {
    const path = random.changed("/a/b", ["..", "/", ".", "\n", "../..", "\0"]);
    const paths = refused(() => cgroupPaths(path, "id", hostFacts(random.one(["v1", "hybrid", "v2"] as const)).cgroup));
    const all = paths === undefined ? [] : [...paths.v1, ...(paths.unified === undefined ? [] : [paths.unified])];
    for (const { mountpoint, path: made } of all) {
      expect(made.startsWith(`${mountpoint}/`)).toBe(true);
      expect(made.split("/")).not.toContain("..");
      expect(made).not.toContain("\n");
    }
  });

  fuzz("an id is a name of a folder, or refused", (random) => {
    const id = random.changed("box-1", ["..", ".", "/", "\0", "\n", "ü", "_+"]);
    if (refused(() => checkId(id) ?? true) === undefined) return;
    expect(id).not.toMatch(/[/\0\n]|^\.{0,2}$/);
  });

  fuzz("a cgroup's statistics are numbers, or refused", (random) => {
    const source = files(random);
    refused(() => statsOfV2(source, ["2MB"]));
    refused(() => statsOfV1(() => source, ["2MB"]));
  });

  fuzz("an annotation of systemd is a property, or refused", (random) => {
    const pieces = ["<", "(", "'", "@ay", "b'\\xff'", "-1", "{", "["];
    const value = random.changed("[('a', <uint32 5>), ('b', <@as []>)]", pieces);
    refused(() => annotationProperties(new Map([["org.systemd.property.Slice", value]])));
  });

  fuzz("a command line is read the same by both readers, or refused", (random) => {
    const argv = Array.from({ length: random.below(8) }, () =>
      random.below(4) === 0 ? random.changed(random.one(WORDS), WORDS) : random.one(WORDS),
    );
    const fast = refused(() => readFast(argv));
    const general = refused(() => readGeneral(argv));
    if (fast === undefined) return;
    expect(general).toMatchObject({ kind: "run", command: fast.command, args: fast.args });
  });
});
