// What a created container that waits for start costs.

import { openSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import { suite } from "./support/suite.ts";

suite("memory of a waiting container", (rule) => {
  rule(
    "its process has at most 32 KiB resident",
    async (t) => {
      const id = await t.create("sleep 1000");
      const { pid } = await t.state();
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]);
      process.stdout.write(`waiting init: Rss ${kib("Rss")} KiB, Pss ${kib("Pss")} KiB\n`);
      expect(kib("Rss")).toBeLessThanOrEqual(32);
      await t.ok(["delete", "--force", id]);
    },
    { except: { runc: "some MiB", crun: "some MiB" } },
  );

  rule(
    "nothing of the runtime's own executable is mapped in it, and what it runs from cannot be written",
    async (t) => {
      const id = await t.create("sleep 1000");
      const { pid } = await t.state();
      const maps = readFileSync(`/proc/${pid}/maps`, "utf8");
      expect(maps).not.toContain(t.runtime.path);
      expect(maps).not.toContain("[heap]");
      expect(() => openSync(`/proc/${pid}/exe`, "r+")).toThrow(/ETXTBSY|EPERM|EROFS/);
      await t.ok(["delete", "--force", id]);
    },
    { except: { runc: "it is runc itself", crun: "it is crun itself" } },
  );
});
