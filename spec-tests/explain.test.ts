// berth explain and berth validate: what a bundle would make the runtime do, and what is wrong with it.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { suite } from "./support/suite.ts";

const OURS = { only: ["berth"] } as const;
const AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

interface Explained {
  id: string;
  operations: { by: "berth" | "init"; index: number; text: string }[];
}

suite("explain", (rule) => {
  rule(
    "names each operation with the config field that it comes from, without root and without doing anything",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.mounts.push({ destination: "/no/such/target", type: "tmpfs", options: ["ro", "size=1m"] });
        config.hooks = { createRuntime: [{ path: t.path("never-run") }] };
      });
      const before = readFileSync("/proc/self/mountinfo", "utf8");
      const result = await t.runtime.call(["explain", bundle], { prefix: AS_NOBODY });
      expect(result).toMatchObject({ code: 0, stderr: "" });
      for (const said of [
        /CLONE_NEWPID/,
        /pivot_root/,
        /\/no\/such\/target.*\/mounts\/6/,
        /\/linux\/maskedPaths\/0/,
        /never-run/,
        /execute .*\/process\/args/,
      ]) {
        expect(result.stdout).toMatch(said);
      }
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
      expect(readdirSync(join(bundle, "rootfs"))).not.toContain("no");
      expect(await t.left()).toEqual([]);
    },
    OURS,
  );

  rule(
    "takes the current folder when no bundle is given, and prints the same twice",
    async (t) => {
      const bundle = t.bundle("true");
      const first = await t.runtime.call(["explain"], { cwd: bundle });
      const second = await t.runtime.call(["explain", bundle]);
      expect(first.code).toBe(0);
      expect(first.stdout).toBe(second.stdout);
    },
    OURS,
  );

  rule(
    "--format json has the same operations",
    async (t) => {
      const bundle = t.bundle("true");
      const text = (await t.runtime.call(["explain", bundle])).stdout;
      const json = await t.runtime.call(["explain", "--format", "json", bundle]);
      expect(json.code).toBe(0);
      const explained = JSON.parse(json.stdout) as Explained;
      const listing = text.split("\n").filter((line) => /^(berth|init) /.test(line));
      expect(explained.operations.length).toBe(listing.length);
      explained.operations.forEach((operation, line) => {
        expect(listing[line]).toMatch(new RegExp(`^${operation.by} +${operation.index} `));
        expect(listing[line]).toContain(operation.text);
      });
      expect(json.stdout).toContain("/process/args");
    },
    OURS,
  );

  rule(
    "what it prints is what create does: the failing operation has the number and the field of the listing",
    async (t) => {
      const bundle = t.bundle("true", (config) => {
        config.mounts.push({ destination: "/m", type: "bind", source: "/no/such/source", options: ["bind"] });
      });
      const result = await t.fails(["create", "--bundle", bundle, t.id]);
      const op = /op (\d+)/.exec(result.stderr)?.[1];
      const { stdout } = await t.runtime.call(["explain", bundle]);
      const line = stdout.split("\n").find((each) => new RegExp(`^init +${op} `).test(each));
      expect(line).toMatch(/open_tree.*\/no\/such\/source.*\/mounts\/6\/source/);
    },
    OURS,
  );
});

suite("validate", (rule) => {
  rule(
    "prints every problem with its pointer and exits with 1; nothing and 0 when there is none",
    async (t) => {
      const bundle = t.bundle("true");
      const good = await t.runtime.call(["validate", bundle], { prefix: AS_NOBODY });
      expect(good.code).toBe(0);
      t.bundle("true", (config) => {
        config.process.args = [];
        config.process.cwd = "relative";
        config.root.path = "";
        (config.mounts[1] as { destination: unknown }).destination = 5;
        config.linux.rootfsPropagation = "nowhere";
      });
      const bad = await t.runtime.call(["validate", bundle]);
      expect(bad.code).toBe(1);
      for (const pointer of [
        "/process/args",
        "/process/cwd",
        "/root/path",
        "/mounts/1/destination",
        "/linux/rootfsPropagation",
      ]) {
        expect(bad.stdout + bad.stderr).toContain(pointer);
      }
    },
    OURS,
  );

  rule(
    "a config.json that is not there or not JSON is one problem",
    async (t) => {
      mkdirSync(t.path("empty"));
      const missing = await t.runtime.call(["validate", t.path("empty")]);
      expect(missing.code).toBe(1);
      expect(missing.stdout + missing.stderr).toContain("config.json");
      writeFileSync(t.path("empty/config.json"), '{"ociVersion": ');
      const broken = await t.runtime.call(["validate", t.path("empty")]);
      expect(broken.code).toBe(1);
    },
    OURS,
  );

  rule(
    "every example that runs is valid",
    async (t) => {
      mkdirSync(t.path("new"));
      for (const writer of ["runc", "crun"]) {
        execFileSync("rm", ["-f", t.path("new/config.json")]);
        execFileSync(writer, ["spec"], { cwd: t.path("new") });
        const result = await t.runtime.call(["validate", t.path("new")]);
        expect(result).toMatchObject({ code: 0 });
      }
    },
    OURS,
  );
});
