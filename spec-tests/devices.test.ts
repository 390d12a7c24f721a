// linux.resources.devices as a container meets it. Nodes of major 240 have no driver: whoever may open one gets ENXIO.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { loadNative } from "../src/host/node.ts";
import type { Config } from "./support/config.ts";
import { Runtime, runtimes } from "./support/runtime.ts";
import { type Sandbox, until } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const VIEW = process.env.BERTH_VIEW;
const LIBRARY = join(import.meta.dirname, "../dist/libberth.so");
const TEST_BUILD = process.env.TEST_BERTH ?? "dist/test/berth";
const AT_FDCWD = -100;
const O_DIRECTORY = 0o200000;
const BPF_F_ALLOW_MULTI = 2;

const DENY_ALL = { allow: false, access: "rwm" };
const ALLOW_ALL = { allow: true, access: "rwm" };

/** `+c 1:3 rw`: one rule. */
function rule(text: string): object {
  const [type, major, minor, access] = text.slice(1).split(/[ :]/);
  const number = (digits = "*"): number | undefined => (digits === "*" ? undefined : Number(digits));
  return { allow: text.startsWith("+"), type, access, major: number(major), minor: number(minor) };
}

/** The container may make nodes, and has these rules. */
function withRules(...rules: object[]): (config: Config) => void {
  return (config) => {
    const capabilities = ["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_FOWNER"];
    config.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
    config.mounts.push({ destination: "/n", type: "tmpfs", source: "tmpfs", options: ["mode=755"] });
    config.linux.resources = { devices: rules };
  };
}

/** A script that says for each `c 1:3` what can be done with it: m, r, w, x (to read and write at once). */
function attempts(...nodes: string[]): string {
  const lines = ["mkdir -p /n"];
  for (const node of nodes) {
    const [type, major, minor] = node.split(/[ :]/);
    const path = `/n/${type}-${major}-${minor}`;
    lines.push(`s=; { [ -e ${path} ] || mknod ${path} ${type} ${major} ${minor} 2>/dev/null; } && s=m`);
    for (const [how, letter] of [
      ["<", "r"],
      [">", "w"],
      ["<>", "x"],
    ]) {
      lines.push(`(: 3${how}${path}) 2>&1 | grep -q 'not permitted' || s="$s"${letter}`);
    }
    lines.push(`echo ${node} $s`);
  }
  return lines.join("\n");
}

/** The runtime of a peer has the same rules but for these. */
const CRUN_CONSOLE = "crun allows 5:1 as well";
const CRUN_LIST = "crun allows everything without rules, and versions 1.5 to 1.19 have no 10:200";
const CRUN_LOAD = VIEW === "v2" ? { crun: "crun 1.8 needs CAP_SYS_RESOURCE" } : {};

suite("device rules", (check) => {
  for (const [what, rules] of [
    ["no rules", []],
    ["what runc spec writes", [DENY_ALL]],
    ["forgotten rules", [rule("+c 240:1 rwm"), rule("+b 240:* r"), DENY_ALL]],
  ] as const) {
    check(
      `${what}: the default list alone`,
      async (t) => {
        const out = await t.sh(
          attempts("c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:2", "c 10:200", "c 240:1", "b 240:1"),
          withRules(...rules),
        );
        const opened = ["c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:2", "c 10:200"];
        expect(out.trim().split("\n")).toEqual([...opened.map((node) => `${node} mrwx`), "c 240:1 m", "b 240:1 m"]);
      },
      { except: { crun: CRUN_LIST } },
    );
  }

  check(
    "the console is none of the default devices",
    async (t) => {
      expect(await t.sh(attempts("c 5:1"), withRules(DENY_ALL))).toBe("c 5:1 m\n");
    },
    { except: { crun: CRUN_CONSOLE } },
  );

  check(
    "in order: a later denial takes away, each kind of access counts",
    async (t) => {
      const rules = ["+c 240:* rw", "+b 240:1 r", "+b 240:2 w", "+c 241:1 rwm", "-c 241:1 w", "-c 242:1 rwm"];
      const out = await t.sh(
        attempts("c 240:1", "c 240:77", "b 240:1", "b 240:2", "b 240:3", "c 241:1", "c 241:2", "c 242:1"),
        withRules(DENY_ALL, ...rules.map(rule)),
      );
      expect(out.trim().split("\n")).toEqual([
        "c 240:1 mrwx",
        "c 240:77 mrwx",
        "b 240:1 mr",
        "b 240:2 mw",
        "b 240:3 m",
        "c 241:1 mr",
        "c 241:2 m",
        "c 242:1 m",
      ]);
    },
    { except: { crun: "crun's program answers by the last rule that covers the access, default rules first" } },
  );

  check(
    "everything but what is denied",
    async (t) => {
      const out = await t.sh(
        attempts("c 240:1", "c 240:2", "b 240:1", "b 241:1"),
        withRules(ALLOW_ALL, ...["-c 240:2 rw", "-b 241:1 w"].map(rule)),
      );
      const [one, two, three, four] = out.trim().split("\n");
      expect([one, two, three]).toEqual(["c 240:1 mrwx", "c 240:2 m", "b 240:1 mrwx"]);
      // Opening to read and write at once: runc's program on v2 looks only for rules that cover all that is asked for.
      expect(four).toMatch(t.runtime.kind === "berth" || VIEW !== "v2" ? /^b 241:1 mr$/ : /^b 241:1 mrx?$/);
    },
    { except: CRUN_LOAD },
  );

  check(
    "refused where a rule would be an exception from an exception",
    async (t) => {
      const bundle = t.bundle("true", withRules(DENY_ALL, rule("+c 240:* rw"), rule("-c 240:1 w")));
      const { stderr } = await t.fails(["create", "--bundle", bundle, t.id]);
      expect(stderr).toContain("punch");
    },
    { except: { crun: "crun writes what it is given" } },
  );

  check(
    "in devices.list, in the order of config.json",
    async (t) => {
      await t.create("true", withRules(DENY_ALL, rule("+b 8:* r"), rule("+c 10:229 rwm")));
      const { pid } = await t.state();
      const path = /^\d+:devices:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
      const list = readFileSync(`/sys/fs/cgroup/devices${path}/devices.list`, "utf8").trim().split("\n");
      expect(list.sort()).toEqual(
        [
          "b 8:* r",
          "c 10:229 rwm",
          "c *:* m",
          "b *:* m",
          "c 1:3 rwm",
          "c 1:8 rwm",
          "c 1:7 rwm",
          "c 5:0 rwm",
          "c 1:5 rwm",
          "c 1:9 rwm",
          "c 136:* rwm",
          "c 5:2 rwm",
          "c 10:200 rwm",
        ].sort(),
      );
    },
    { skip: VIEW === "v2" && "no v1 controller", except: { crun: CRUN_CONSOLE } },
  );
});

/** Makes the attempts whenever it is asked to, until it is killed. */
async function prober(t: Sandbox, nodes: string[], ...rules: object[]): Promise<() => Promise<string>> {
  const shared = t.path("shared");
  mkdirSync(shared);
  const script = `while :; do
    [ -e /shared/go ] && { rm /shared/go; { ${attempts(...nodes)}; } > /shared/out; mv /shared/out /shared/result; }
    sleep 0.01
  done`;
  await t.create(script, (config) => {
    withRules(...rules)(config);
    config.mounts.push({ destination: "/shared", type: "bind", source: shared, options: ["bind", "rw"] });
  });
  await t.ok(["start", t.id]);
  return async () => {
    writeFileSync(join(shared, "go"), "");
    const result = join(shared, "result");
    await until("an answer", () => existsSync(result));
    const text = readFileSync(result, "utf8");
    execFileSync("rm", [result]);
    return text.trim().replaceAll("\n", ", ");
  };
}

suite(
  "update of device rules",
  (check) => {
    const update = async (t: Sandbox, ...rules: object[]) => {
      const path = t.write("resources.json", JSON.stringify({ devices: rules }));
      return t.call(["update", "-r", path, t.id]);
    };

    check("they are in force at once, in a running container", async (t) => {
      const ask = await prober(t, ["c 1:3", "c 240:1", "b 240:1"], DENY_ALL, rule("+c 240:1 r"));
      expect(await ask()).toBe("c 1:3 mrwx, c 240:1 mr, b 240:1 m");
      for (const [rules, answer] of [
        [[DENY_ALL, rule("+c 240:1 rw")], "c 1:3 mrwx, c 240:1 mrwx, b 240:1 m"],
        [[DENY_ALL, rule("+b 240:* w")], "c 1:3 mrwx, c 240:1 m, b 240:1 mw"],
        [[ALLOW_ALL, rule("-c 240:1 w")], "c 1:3 mrwx, c 240:1 mr, b 240:1 mrwx"],
        [[ALLOW_ALL], "c 1:3 mrwx, c 240:1 mrwx, b 240:1 mrwx"],
        [[DENY_ALL], "c 1:3 mrwx, c 240:1 m, b 240:1 m"],
      ] as const) {
        expect((await update(t, ...rules)).stderr).toBe("");
        expect(await ask()).toBe(answer);
      }
      expect((await t.state()).status).toBe("running");
    });

    check("a limit alone leaves them, rules that cannot be kept change nothing", async (t) => {
      const ask = await prober(t, ["c 240:1"], DENY_ALL, rule("+c 240:1 r"));
      await t.ok(["update", "-r", t.write("empty.json", "{}"), t.id]);
      expect(await ask()).toBe("c 240:1 mr");
      const { code, stderr } = await update(t, rule("+c 240:* rw"), rule("-c 240:1 w"));
      expect(code).toBe(1);
      expect(stderr).toMatch(/cannot punch a hole .*\(\/devices\/1\)/);
      expect(await ask()).toBe("c 240:1 mr");
    });
  },
  runtimes().filter(({ kind }) => kind === "berth"),
);

/** On the program that lets everything pass. */
const ALLOW = Uint32Array.of(0xb4, 1, 0x95, 0);

suite(
  "device programs",
  (check) => {
    const programs = (path: string): number[] => {
      const native = loadNative(LIBRARY);
      const cgroup = native.open(AT_FDCWD, path, O_DIRECTORY, 0);
      const answer = native.bpf_device_programs(cgroup) as number[];
      native.close(cgroup);
      return answer.slice(1);
    };
    const attach = (path: string, flags: number): number => {
      const native = loadNative(LIBRARY);
      const cgroup = native.open(AT_FDCWD, path, O_DIRECTORY, 0);
      const program = native.bpf_load_device(ALLOW);
      expect(native.bpf_attach_device(cgroup, program, flags, -1)).toBe(0);
      const id = native.bpf_program_id(program);
      native.close(program);
      native.close(cgroup);
      return id;
    };
    const inCgroup =
      (path: string) =>
      (config: Config): void => {
        withRules(DENY_ALL)(config);
        config.linux.cgroupsPath = path;
      };
    const skip = VIEW !== "v2" && "no devices on the unified hierarchy";

    check(
      "a container has exactly one",
      async (t) => {
        await t.create("true", inCgroup(`/${t.id}`));
        expect(programs(`/sys/fs/cgroup/${t.id}`)).toHaveLength(1);
      },
      { skip, except: CRUN_LOAD },
    );

    for (const [what, flags, count] of [
      ["another one", BPF_F_ALLOW_MULTI, 1],
      ["several", BPF_F_ALLOW_MULTI, 3],
      ["one that wants to be alone", 0, 1],
    ] as const) {
      check(
        `${what} in a cgroup that was there before: taken away before the program runs`,
        async (t) => {
          const folder = `/sys/fs/cgroup/${t.id}`;
          mkdirSync(folder);
          t.later(() => {
            if (existsSync(folder)) rmdirSync(folder);
          });
          const old = Array.from({ length: count }, () => attach(folder, flags));
          await t.create(attempts("c 240:1", "c 1:3"), inCgroup(`/${t.id}`));
          const now = programs(folder);
          await t.ok(["delete", "--force", t.id]);
          expect(now).toHaveLength(1);
          expect(old).not.toContain(now[0]);
        },
        { skip, except: { ...CRUN_LOAD, ...(flags === 0 ? { runc: "EPERM" } : {}) } },
      );
    }

    check(
      "those of the cgroups above stay, and count",
      async (t) => {
        const above = `/sys/fs/cgroup/${t.id}`;
        mkdirSync(above);
        t.later(() => rmdirSync(above));
        const id = attach(above, BPF_F_ALLOW_MULTI);
        const bundle = t.bundle(attempts("c 240:1"), inCgroup(`/${t.id}/below`));
        expect((await t.ok(["run", "--bundle", bundle, t.newId()])).stdout).toBe("c 240:1 m\n");
        expect(programs(above)).toEqual([id]);
      },
      { skip, except: CRUN_LOAD },
    );
  },
  existsSync(LIBRARY) ? undefined : [],
);

suite("device rules without privileges over the host's users", (check) => {
  check(
    "are left out: bpf(2) is refused",
    async (t) => {
      const above = `/sys/fs/cgroup/${t.id}`;
      mkdirSync(join(above, "self"), { recursive: true });
      const root = t.path("own");
      const bundle = t.bundle("cat /proc/self/cgroup; cat /dev/null && id -u", (config) => {
        const map = [{ containerID: 0, hostID: 1000, size: 1 }];
        Object.assign(config.linux, { uidMappings: map, gidMappings: map, resources: { devices: [DENY_ALL] } });
        config.linux.namespaces.push({ type: "user" });
        config.mounts = config.mounts.filter(({ type }) => type === "proc" || type === "tmpfs");
        delete config.process.capabilities;
      });
      mkdirSync(root);
      execFileSync("chown", ["-R", "1000:1000", above, root, bundle]);
      t.later(() => {
        for (const folder of [join(above, "self"), above]) rmdirSync(folder);
      });
      const enter = `echo $$ > ${above}/self/cgroup.procs; exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@"`;
      const words = ["--root", root, "run", "--bundle", bundle, t.id];
      const result = await t.runtime.call(words, { prefix: ["sh", "-c", enter, "sh"] });
      expect([result.stderr, result.stdout.trim().split("\n").at(-1)]).toEqual(["", "0"]);
    },
    { skip: VIEW !== "v2" && "no devices on the unified hierarchy", only: ["berth"] },
  );
});

suite(
  "the kernel's refusal",
  (check) => {
    for (const name of ["bpf_load_device", "bpf_attach_device", "bpf_device_programs"]) {
      check(
        `of ${name}: the container is not started or has its rules, and nothing is left`,
        async (t) => {
          const results: string[] = [];
          for (const call of ["1", "2", "3"]) {
            const bundle = t.bundle(attempts("c 240:1"), withRules(DENY_ALL));
            // EPERM for every call from that one on would be what a user without privileges gets: see rootless.
            const env = { ...process.env, BERTH_FAIL_NATIVE: `${name}:${call}:1` };
            const { code, stdout, stderr } = await t.call(["run", "--bundle", bundle, t.newId()], { env });
            if (code === 0) expect(stdout).toBe("c 240:1 m\n");
            else {
              expect(stdout).toBe("");
              expect(stderr).toContain("/linux/resources/devices");
            }
            results.push(code === 0 ? "ran" : "refused");
            expect(await t.left()).toEqual([]);
          }
          if (name === "bpf_load_device") expect(results[0]).toBe("refused");
        },
        { skip: VIEW !== "v2" && "no devices on the unified hierarchy" },
      );
    }
  },
  existsSync(TEST_BUILD) ? [new Runtime(TEST_BUILD)] : [],
);
