// dist/portable/berth (npm run build:portable): its libraries must not come from a file that somebody else can reach.

import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { startProgram } from "./support/runtime.ts";

const PORTABLE = "dist/portable/berth";
const FOLDERS = ["/dev/shm", "/tmp", "/run", "/var/tmp"];

/** --version in a mount namespace of its own, where those folders are mounted noexec. */
function versionWith(noexec: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const mounts = noexec.map((folder) => `mount -t tmpfs -o noexec tmpfs ${folder}`);
  const script = [`cp ${PORTABLE} /mnt/berth`, ...mounts, "exec /mnt/berth --version"].join(" && ");
  const words = ["unshare", "--mount", "sh", "-c", `mount -t tmpfs tmpfs /mnt && ${script}`];
  return startProgram(words, { env: { ...process.env, ...environment } }).done;
}

describe.skipIf(!existsSync(PORTABLE))("the portable executable (npm run build:portable makes it)", () => {
  test("loads its libraries from files without a name, and keeps none open", async () => {
    const result = await startProgram([
      "strace",
      "-f",
      "-e",
      "trace=openat,close,rename,renameat2,link,linkat,mkdir,mkdirat",
      PORTABLE,
      "--version",
    ]).done;
    expect(result.code).toBe(0);
    const opened = result.stderr.split("\n").filter((line) => line.includes("O_TMPFILE"));
    expect(opened.length).toBe(2);
    for (const line of opened) {
      expect(line).toMatch(/O_EXCL.*, 0400\)/);
      expect(result.stderr).toContain(`close(${line.split(" = ").at(-1)})`);
    }
    const named = result.stderr.split("\n").filter((line) => /O_CREAT|rename|link(at)?\(|mkdir/.test(line));
    expect(named).toEqual([]);
  });

  test("passes over folders that are mounted noexec", async () => {
    const result = await versionWith(["/dev/shm", "/tmp", "/run"]);
    expect(result.stderr).toBe("");
    expect(result.stdout).toMatch(/^berth version /);
  });

  test("says why when no folder will do", async () => {
    const result = await versionWith(FOLDERS);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("cannot load koffi.node from any of these folders");
    for (const folder of FOLDERS) expect(result.stderr).toContain(`${folder}: `);
  });

  test("TMPDIR is not asked", async () => {
    expect((await versionWith([], { TMPDIR: "/none", HOME: "/none" })).code).toBe(0);
  });
});
