// `mounts` of config.md: the table of options, the order, what a destination means.

import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import type { Config, Mount } from "../support/config.ts";
import { mkdirSync } from "../support/files.ts";
import type { Kind } from "../support/runtime.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { suite } from "../support/suite.ts";
import { type Effect, OPTIONS } from "./mount-options.ts";

const with_ =
  (...mounts: Mount[]) =>
  (config: Config): void => {
    config.mounts.push(...mounts);
  };

/** The options of the top mount at a path, as /proc/mounts prints them. */
const words = (path: string): string => `awk '$2 == P { o = $4 } END { print o }' P=${path} /proc/mounts`;
/** The optional fields of mountinfo, without numbers. */
const fields = (path: string): string =>
  `awk '$5 == P { s = ""; for (i = 7; $i != "-"; i++) s = s $i " "; gsub(/:[0-9]*/, "", s); print s }' P=${path} /proc/self/mountinfo`;

/** A folder that is a shared mount, and one below it; their path. */
function tree(t: Sandbox, below: string): string {
  const source = t.path("src");
  mkdirSync(source);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", source]);
  execFileSync("mount", ["--make-shared", source]);
  mkdirSync(`${source}/sub`);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", `${source}/sub`]);
  // The flags of the mount, not of its file system.
  execFileSync("mount", ["-o", `remount,bind,${below}`, `${source}/sub`]);
  t.later(() => void execFileSync("umount", ["-R", source]));
  return source;
}

function expectWords(line: string, has: readonly string[] = [], not: readonly string[] = []): void {
  const found = line.trim().split(",");
  expect(found).toEqual(expect.arrayContaining([...has]));
  for (const word of not) expect(found).not.toContain(word);
}

async function expectEffect(t: Sandbox, name: string, effect: Exclude<Effect, { on: "test" }>): Promise<void> {
  if (effect.on === "tmpfs") {
    const mount = { destination: "/m", type: "tmpfs", source: "tmpfs", options: effect.options };
    expectWords(await t.sh(words("/m"), with_(mount)), effect.has, effect.not);
    return;
  }
  const source = tree(t, effect.on === "below" ? effect.below : "rw");
  const mounts = with_(
    { destination: "/m", type: "none", source, options: ["rbind", name] },
    { destination: "/plain", type: "none", source, options: ["rbind"] },
  );
  if (effect.on === "below") {
    expectWords(await t.sh(words("/m/sub"), mounts), effect.has, effect.not);
    return;
  }
  const [top, sub, plain] = (await t.sh(["/m", "/m/sub", "/plain/sub"].map(fields).join("; "), mounts))
    .split("\n")
    .map((line) => line.trim());
  expect(top).toMatch(effect.fields);
  if (effect.recursive) expect(sub).toMatch(effect.fields);
  else expect(sub).toBe(plain);
}

const EXCEPT: readonly [kind: Kind, reason: string, options: string][] = [
  ["runc", "hands it to the file system, which refuses it", "defaults"],
  ["runc", "asks the kernel for what it refuses", "ratime rnostrictatime"],
  ["crun", "keeps the first of two that exclude each other", "async atime dev diratime exec rw suid"],
  ["crun", "hands it to the file system, which refuses it", "iversion noiversion loud silent nosymfollow symfollow"],
  ["crun", "asks the kernel for what it refuses", "ratime rdiratime rnoatime rnodiratime rnostrictatime rstrictatime"],
  ["crun", "has no effect", "nostrictatime rnosymfollow rrelatime rsymfollow"],
  ["crun", "the mount is private in the end", "shared rshared unbindable runbindable"],
];

function exceptions(name: string): Partial<Record<Kind, string>> {
  const found = EXCEPT.filter(([, , options]) => options.split(" ").includes(name));
  return Object.fromEntries(found.map(([kind, reason]) => [kind, reason]));
}

const OLD = { runc: "runc 1.1 ignores it", crun: "crun 1.8 ignores it" };

suite("mounts of the specification", (rule) => {
  for (const { name, effect } of OPTIONS) {
    if (effect.on === "test") continue;
    rule(`the option ${name}`, (t) => expectEffect(t, name, effect), { except: exceptions(name) });
  }

  rule("remount changes a mount that is there and leaves what is in it", async (t) => {
    const source = t.path("src");
    t.bundle("true", undefined, "src");
    const out = await t.sh(
      `ls /m; ${words("/m")}`,
      with_(
        { destination: "/m", type: "none", source, options: ["bind", "rw"] },
        { destination: "/m", type: "none", source, options: ["bind", "remount", "ro"] },
      ),
    );
    expect(out).toContain("config.json");
    expectWords(out.trim().split("\n").at(-1) ?? "", ["ro"]);
  });

  rule("mounts are made in the order of the list", async (t) => {
    for (const name of ["one", "two"]) {
      mkdirSync(t.path(name));
      t.write(`${name}/${name}`, "");
    }
    const bind = (name: string): Mount => ({ destination: "/m", source: t.path(name), options: ["bind"] });
    expect(await t.sh("ls /m", with_(bind("one"), bind("two")))).toBe("two\n");
    expect(await t.sh("ls /m", with_(bind("two"), bind("one")))).toBe("one\n");
  });

  rule("a relative destination counts from /", async (t) => {
    const mount = { destination: "m/n", type: "tmpfs", source: "tmpfs", options: ["ro"] };
    const out = await t.sh(`cd /; ${words("/m/n")}`, (config) => {
      config.process.cwd = "/tmp";
      with_(mount)(config);
    });
    expectWords(out, ["ro"]);
  });

  rule("a source of a bind mount may be relative to the bundle", async (t) => {
    t.bundle("true");
    mkdirSync(t.path("bundle/data"));
    t.write("bundle/data/here", "");
    expect(await t.sh("ls /m", with_({ destination: "/m", source: "data", options: ["bind"] }))).toBe("here\n");
  });

  rule("an option that nobody knows goes to the file system", async (t) => {
    const mount = {
      destination: "/m",
      type: "tmpfs",
      source: "tmpfs",
      options: ["mode=750", "size=1m", "nr_inodes=77"],
    };
    expectWords(await t.sh(words("/m"), with_(mount)), ["mode=750", "size=1024k", "nr_inodes=77"]);
    const wrong = { ...mount, options: ["nosuchoption=1"] };
    await t.fails(["run", "--bundle", t.bundle("true", with_(wrong)), t.newId()]);
  });

  const MAP = [{ containerID: 0, hostID: 1000, size: 10 }];
  rule(
    "idmap without mappings, of the mount or of a user namespace, is an error",
    async (t) => {
      mkdirSync(t.path("src"));
      for (const option of ["idmap", "ridmap"]) {
        const mount = { destination: "/m", source: t.path("src"), options: ["rbind", option] };
        await t.fails(["create", "--bundle", t.bundle("true", with_(mount)), t.newId()]);
      }
    },
    { except: OLD },
  );

  rule(
    "mappings of users of a mount without those of groups are an error, and the other way round",
    async (t) => {
      mkdirSync(t.path("src"));
      for (const half of [{ uidMappings: MAP }, { gidMappings: MAP }]) {
        const mount = { destination: "/m", source: t.path("src"), options: ["bind", "idmap"], ...half };
        await t.fails(["create", "--bundle", t.bundle("true", with_(mount)), t.newId()]);
      }
    },
    { except: { runc: OLD.runc } },
  );

  rule("root.readonly makes the root file system read-only, and without it it is not", async (t) => {
    const script = "touch /x 2>/dev/null && echo written || echo refused";
    const readonly = (config: Config): void => {
      config.root.readonly = true;
    };
    expect(await t.sh(script, readonly)).toBe("refused\n");
    expect(await t.sh(script)).toBe("written\n");
  });
});
