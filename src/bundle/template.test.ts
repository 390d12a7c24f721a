import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/load.ts";
import { configTemplate } from "./template.ts";

const hasRunc = spawnSync("runc", ["--version"]).status === 0;
const cgroup2 = existsSync("/sys/fs/cgroup/cgroup.controllers");

/** What runc writes, with the members taken out that differ on purpose: ociVersion and (runc 1.1) ambient. */
function runcSpec(...flags: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "berth-template-"));
  try {
    execFileSync("runc", ["spec", ...flags], { cwd: folder, timeout: 10_000 });
    return comparable(readFileSync(join(folder, "config.json"), "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function comparable(text: string): string {
  const config = JSON.parse(text);
  delete config.process.capabilities.ambient;
  config.ociVersion = "";
  return JSON.stringify(config, null, "\t");
}

describe("the default config", () => {
  test.skipIf(!hasRunc)("is runc's, in runc's order (needs runc)", () => {
    expect(comparable(configTemplate({ cgroup2 }))).toBe(runcSpec());
  });

  test.skipIf(!hasRunc)("is runc's with --rootless too (needs runc)", () => {
    const ids = { euid: process.geteuid?.() ?? 0, egid: process.getegid?.() ?? 0 };
    expect(comparable(configTemplate({ cgroup2, rootless: ids }))).toBe(runcSpec("--rootless"));
  });

  test("is indented with tabs and ends without a newline", () => {
    const text = configTemplate({ cgroup2: true });
    expect(text).toBe(JSON.stringify(JSON.parse(text), null, "\t"));
    expect(text).toContain('\n\t\t"terminal": true,\n');
  });

  test.each([{ cgroup2: true }, { cgroup2: false }, { cgroup2: true, rootless: { euid: 1000, egid: 100 } }])(
    "is a config without issues: %j",
    (options) => {
      const { config, issues } = loadConfig(configTemplate(options));
      expect(issues).toEqual([]);
      expect(config?.linux.namespaces.some((n) => n.type === "cgroup")).toBe(options.cgroup2);
    },
  );

  test("maps the caller's ids to root when rootless", () => {
    const { config } = loadConfig(configTemplate({ cgroup2: true, rootless: { euid: 1000, egid: 100 } }));
    expect(config?.linux.uidMappings).toEqual([{ containerID: 0, hostID: 1000, size: 1 }]);
    expect(config?.linux.gidMappings).toEqual([{ containerID: 0, hostID: 100, size: 1 }]);
    expect(config?.linux.namespaces.map((n) => n.type)).toEqual(["pid", "ipc", "uts", "mount", "cgroup", "user"]);
  });
});
