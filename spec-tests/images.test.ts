// Images that lead out of their root file system by links, before and while a container is made from them.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { mknodAt } from "./support/files.ts";
import { helper } from "./support/helpers.ts";
import { type Running, runtimes, startProgram } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const RACES = Number(process.env.HARDENING_RACES ?? 100);
const RACE_TIME = (3 + RACES / 40) * 60_000;
/** For one command of many: the machine may stop for longer than the usual limit meanwhile. */
const PATIENT = { timeout: 180_000 };

/** A folder outside of the container with one of everything that a mistake could change, and what it looks like. */
function outside(t: Sandbox): { folder: string; describe: () => string } {
  const folder = t.path("outside");
  for (const name of ["", "pts", "shm", "mqueue", "fs"]) mkdirSync(join(folder, name));
  for (const name of ["file", "console", "ptmx", "tty"]) t.write(`outside/${name}`, name, 0o600);
  mknodAt(join(folder, "null"), 1, 5);
  chmodSync(join(folder, "null"), 0o600);
  execFileSync("chown", ["-R", "4321:4321", folder]);
  const format = "%P %y %m %U %G %s %n %T@ %l\\n";
  return { folder, describe: () => execFileSync("find", [folder, "-printf", format], { encoding: "utf8" }) };
}

const LINKS = ["proc", "sys", "dev", "dev/null", "dev/console", "dev/ptmx", "dev/pts", "dev/shm", "dev/tty", "dev/fd"];

suite(
  "a hostile image",
  (rule) => {
    for (const where of LINKS) {
      rule(`/${where} as a link to the host changes nothing there`, async (t) => {
        const { folder, describe } = outside(t);
        const before = describe();
        const name = where.slice(where.lastIndexOf("/") + 1);
        for (const target of [folder, join(folder, name), join(folder, "file"), "/proc/sys/kernel/core_pattern"]) {
          for (const to of [target, `../../../../../../../../../..${target}`]) {
            for (const ownDev of [true, false]) {
              const bundle = t.bundle("true", (config) => {
                if (!ownDev) config.mounts = config.mounts.filter(({ destination }) => destination !== "/dev");
                config.linux.devices = [{ path: "/dev/extra", type: "c", major: 1, minor: 3, fileMode: 0o666, uid: 5 }];
                config.linux.maskedPaths?.push("/dev/null", "/dev/shm");
              });
              replaceByLink(join(bundle, "rootfs", where), to);
              const result = await t.call(["run", "--bundle", bundle, t.newId()]);
              expect([to, result.timedOut, describe()]).toEqual([to, false, before]);
              rmSync(join(bundle, "rootfs"), { recursive: true });
            }
          }
        }
      });
    }

    rule("a terminal is the container's own, whatever /dev/ptmx, /dev/pts and /dev/console are", async (t) => {
      const { folder, describe } = outside(t);
      const before = describe();
      for (const where of ["dev", "dev/console", "dev/ptmx", "dev/pts", "dev/tty"]) {
        const bundle = t.bundle("tty", (config) => {
          config.process.terminal = true;
          config.mounts = config.mounts.filter(({ destination }) => destination !== "/dev");
        });
        replaceByLink(join(bundle, "rootfs", where), where === "dev" ? folder : join(folder, where.slice(4)));
        const socket = t.path(`console-${where.replace("/", "-")}`);
        const receiving = startProgram([helper("receiver"), socket]);
        await until("the receiver listens", () => readFileSync(`/proc/${receiving.pid}/fd/1`, "utf8") !== "");
        const id = t.newId();
        const result = await t.call(["run", "--detach", "--console-socket", socket, "--bundle", bundle, id]);
        if (result.code !== 0) receiving.child.kill();
        const { stdout } = await receiving.done;
        if (result.code === 0) expect([where, stdout]).toEqual([where, expect.stringContaining("/dev/pts/0")]);
        await t.ok(["delete", "--force", id]);
        expect([where, describe()]).toEqual([where, before]);
        rmSync(join(bundle, "rootfs"), { recursive: true });
      }
    });

    rule("/etc/passwd is read for HOME only when it is a regular file: a device is not even opened", async (t) => {
      const home = async (): Promise<[string, string]> => {
        const watch = startProgram([helper("watch"), passwd]);
        await until("it watches", () => readFileSync(`/proc/${watch.pid}/fd/1`, "utf8") !== "");
        const out = await t.ok(["run", "--bundle", bundle, t.newId()]);
        watch.child.kill();
        return [out.stdout, (await watch.done).stdout];
      };
      const bundle = t.bundle("echo $HOME");
      const passwd = `${bundle}/rootfs/etc/passwd`;
      expect(await home()).toEqual(["/root\n", "watching\nopened\n"]);
      rmSync(passwd);
      mknodAt(passwd, 1, 3);
      expect(await home()).toEqual(["/\n", "watching\n"]);
    });

    rule(
      "whose folders somebody swaps for links to the host while it is mounted reaches nothing there",
      async (t) => {
        const { folder, describe } = outside(t);
        const bundle = t.bundle("true", (config) => {
          config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
          config.mounts.push(
            { destination: "/a/b/folder", type: "bind", source: "/usr", options: ["rbind", "ro"] },
            { destination: "/a/b/file", type: "bind", source: t.write("bound", "bound"), options: ["bind"] },
            { destination: "/a/tmp", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
          );
          config.linux.devices = [{ path: "/a/b/device", type: "c", major: 1, minor: 3, fileMode: 0o666, uid: 5 }];
          config.linux.maskedPaths?.push("/a/tmp", "/a/b");
          config.linux.readonlyPaths?.push("/a");
        });
        const swapped = ["a/b", "a", "dev", "proc", "sys"].map((name) => join(bundle, "rootfs", name));
        mkdirSync(join(bundle, "rootfs/a/b"), { recursive: true });
        for (const path of swapped) symlinkSync(folder, `${path}-link`);
        const before = describe();
        for (const path of swapped) race(t, path, `${path}-link`);
        let made = 0;
        for (let i = 0; i < RACES; i++) {
          const result = await t.call(["run", "--bundle", bundle, t.newId()], PATIENT);
          if (result.code === 0) made++;
          expect([result.timedOut, describe()]).toEqual([false, before]);
        }
        process.stdout.write(`${made} of ${RACES} containers were made\n`);
      },
      { timeout: RACE_TIME },
    );

    rule(
      "cannot keep procfs from being masked and read-only by moving its folder away for a moment",
      async (t) => {
        const look =
          "[ -c filesystems ] || echo unmasked; ( echo x > sys/kernel/domainname ) 2> /dev/null && echo written";
        const script = `for p in /proc /other; do cd $p && [ -e self/stat ] && { echo found; ${look}; }; done; true`;
        const bundle = t.bundle(script, (config) => {
          config.linux.maskedPaths = ["/proc/filesystems"];
          config.linux.readonlyPaths = ["/proc/sys"];
          config.process.user = { uid: 0, gid: 0 };
        });
        mkdirSync(join(bundle, "rootfs/other"));
        race(t, join(bundle, "rootfs/proc"), join(bundle, "rootfs/other"));
        const found: string[] = [];
        for (let i = 0; i < RACES; i++) {
          const result = await t.call(["run", "--bundle", bundle, t.newId()], PATIENT);
          if (result.code === 0) found.push(...result.stdout.trim().split("\n"));
        }
        process.stdout.write(`${found.filter((word) => word === "found").length} times\n`);
        expect(found.filter((word) => word !== "found" && word !== "")).toEqual([]);
      },
      { timeout: RACE_TIME },
    );
  },
  runtimes().filter(({ kind }) => kind === "berth"),
);

function replaceByLink(path: string, to: string): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(to, path);
}

/** Exchanges two paths without pause until the test ends. */
function race(t: Sandbox, path: string, other: string): void {
  const renamer: Running = startProgram([helper("renamer"), path, other], { timeout: RACE_TIME });
  t.later(async () => {
    renamer.child.kill("SIGKILL");
    await renamer.done;
  });
}
