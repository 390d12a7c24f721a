// linux.intelRdt. No machine of the tests has the hardware: a tmpfs at /sys/fs/resctrl stands for the file system, which the
// test build alone takes for it (src/host/gather-resctrl.ts, src/container/resctrl-stand-in.ts).

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import type { Config } from "./support/config.ts";
import { Runtime } from "./support/runtime.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const TEST_BUILD = process.env.TEST_BERTH ?? "dist/test/berth";
const runtimes = existsSync(TEST_BUILD) ? [new Runtime(TEST_BUILD)] : [];
if (runtimes.length === 0)
  process.stdout.write(`intel-rdt.test.ts: skipped, ${TEST_BUILD} is not there: npm run build -- --test\n`);

const TOP = "/sys/fs/resctrl";
const DEFAULT = "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n";

const sh = (script: string): void => void execFileSync("sh", ["-ec", script], { stdio: "pipe" });

/** /sys/fs of a tmpfs, with the cgroups that were there. */
const MOUNT = `
  aside=$(mktemp -d); mount --rbind /sys/fs/cgroup "$aside"; mount -t tmpfs -o mode=755 tmpfs /sys/fs
  mkdir /sys/fs/cgroup ${TOP}; mount --move "$aside" /sys/fs/cgroup; rmdir "$aside"
  mount -t tmpfs -o mode=755 tmpfs ${TOP}`;

function write(path: string, text: string): void {
  mkdirSync(`${TOP}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
  writeFileSync(`${TOP}/${path}`, text);
}

/** What the kernel shows of a machine with two L3 caches. */
function fresh(): void {
  for (const name of readdirSync(TOP)) rmSync(`${TOP}/${name}`, { recursive: true });
  group("");
  write("info/L3/cbm_mask", "fffff\n");
  write("info/L3/min_cbm_bits", "1\n");
  write("info/L3/num_closids", "16\n");
  for (const [name, value] of Object.entries({ bandwidth_gran: 10, delay_linear: 1, min_bandwidth: 10 })) {
    write(`info/MB/${name}`, `${value}\n`);
  }
  write("info/MB/num_closids", "8\n");
  write("info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n");
  write("info/last_cmd_status", "ok\n");
}

/** One that somebody else has made. */
function group(name: string, schemata = DEFAULT): void {
  const path = name === "" ? "" : `${name}/`;
  write(`${path}schemata`, schemata);
  write(`${path}tasks`, "");
  mkdirSync(`${TOP}/${path}mon_groups`);
  write(`${path}mon_data/mon_L3_00/llc_occupancy`, "7\n");
}

const read = (path: string): string => readFileSync(`${TOP}/${path}`, "utf8");
/** Groups, the default one left out. */
const groups = (): string[] =>
  readdirSync(TOP)
    .filter((name) => existsSync(`${TOP}/${name}/tasks`))
    .sort();
const monitors = (name: string): string[] => readdirSync(`${TOP}/${name}/mon_groups`);

const withRdt =
  (intelRdt: object) =>
  (config: Config): void => {
    config.linux.intelRdt = intelRdt;
  };

/** What was written to the file, in order. */
async function writesTo(t: Sandbox, file: string, words: string[]): Promise<string[]> {
  const trace = t.path("trace");
  const prefix = ["strace", "-f", "-y", "-o", trace, "-e", "trace=write"];
  await t.ok(words, { prefix });
  const lines = readFileSync(trace, "utf8").matchAll(/write\(\d+<([^>]*)>, "((?:[^"\\]|\\.)*)"/g);
  return [...lines].filter(([, path]) => path === `${TOP}/${file}`).map(([, , text = ""]) => text);
}

beforeAll(() => sh(MOUNT));
afterAll(() => sh("umount -R /sys/fs/resctrl; umount -R /sys/fs/cgroup; umount /sys/fs"));

suite(
  "intelRdt",
  (rule) => {
    rule("without a closID the group has the container's id, has init, and goes with it", async (t) => {
      fresh();
      await t.create("sleep 1000", withRdt({ l3CacheSchema: "L3:0=f" }));
      expect(groups()).toEqual([t.id]);
      expect(read(`${t.id}/tasks`)).toBe(String((await t.state()).pid));
      expect(read(`${t.id}/schemata`)).toBe("L3:0=f\n");
      await t.ok(["start", t.id]);
      await t.ok(["delete", "--force", t.id]);
      expect(groups()).toEqual([]);
      const bundle = t.bundle("true", withRdt({}));
      await t.ok(["run", "--bundle", bundle, t.id]);
      expect(groups()).toEqual([]);
    });

    rule(
      "the cache's schema is written first, then the bandwidth's, then schemata, each at once; then the pid",
      async (t) => {
        fresh();
        const lines = { schemata: ["L2:0=3", "", "MB:1=20"], memBwSchema: "MB:0=20", l3CacheSchema: "L3:0=f;1=f0" };
        const bundle = t.bundle("true", withRdt({ closID: "some", ...lines }));
        const words = ["run", "--bundle", bundle, t.id];
        expect(await writesTo(t, "some/schemata", words)).toEqual([
          "L3:0=f;1=f0\\n",
          "MB:0=20\\n",
          "L2:0=3\\nMB:1=20\\n",
        ]);
        const trace = t.read("trace");
        expect(trace.indexOf("/some/tasks")).toBeGreaterThan(trace.lastIndexOf("/some/schemata"));
        expect(groups()).toEqual(["some"]);
      },
    );

    rule("without schemas no schemata file is written, and a closID must be there", async (t) => {
      fresh();
      group("gold");
      const bundle = t.bundle("true", withRdt({ closID: "gold" }));
      expect(await writesTo(t, "gold/schemata", ["run", "--bundle", bundle, t.id])).toEqual([]);
      expect(read("gold/tasks")).toMatch(/^\d+$/);
      expect(groups()).toEqual(["gold"]);
      const other = t.bundle("true", withRdt({ closID: "lead", schemata: [""] }));
      const { code, stderr } = await t.fails(["create", "--bundle", other, t.id]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/must be there.*\/resctrl\/lead.*\/linux\/intelRdt\/closID/),
      ]);
      expect(groups()).toEqual(["gold"]);
    });

    rule("a closID is made when it is missing, and stays at delete", async (t) => {
      fresh();
      await t.create("sleep 1000", withRdt({ closID: "made", schemata: ["MB:0=20"] }));
      await t.ok(["delete", "--force", t.id]);
      expect(groups()).toEqual(["made"]);
      expect(read("made/schemata")).toBe("MB:0=20\n");
    });

    rule("a closID of / is the default group", async (t) => {
      fresh();
      await t.create("sleep 1000", withRdt({ closID: "/", enableMonitoring: true }));
      const { pid } = await t.state();
      expect(read("tasks")).toBe(String(pid));
      expect(read(`mon_groups/${t.id}/tasks`)).toBe(String(pid));
      await t.ok(["delete", "--force", t.id]);
      expect(monitors("")).toEqual([]);
      expect(read("schemata")).toBe(DEFAULT);
    });

    rule("the schemas of a closID that is there must be those of the container, as numbers", async (t) => {
      fresh();
      group("gold", "    L3:0=0000f;1=fffff\n    MB:0= 30;1=100\n");
      const good = withRdt({ closID: "gold", l3CacheSchema: "L3:0=0xF", memBwSchema: "MB:1=100;0=25" });
      await t.create("sleep 1000", good);
      await t.ok(["delete", "--force", t.id]);
      for (const [field, line] of [
        ["l3CacheSchema", "L3:0=1f"],
        ["l3CacheSchema", "L3:2=f"],
        ["l3CacheSchema", "L3CODE:0=f"],
        ["memBwSchema", "MB:0=40"],
      ] as const) {
        group2();
        const before = read("gold/schemata");
        const bundle = t.bundle("true", withRdt({ closID: "gold", [field]: line }));
        const { stderr } = await t.fails(["create", "--bundle", bundle, t.id]);
        expect(stderr).toMatch(new RegExp(`does not have .*${line}.*/linux/intelRdt/${field}`));
        expect(read("gold/schemata")).toBe(before);
      }
      expect(groups()).toEqual(["gold"]);

      function group2(): void {
        write("gold/schemata", "    L3:0=0000f;1=fffff\n    MB:0= 30;1=100\n");
      }
    });

    rule(
      "a monitoring group has the container's id, has init after the group, and goes with the container",
      async (t) => {
        fresh();
        group("gold");
        const edit = withRdt({ closID: "gold", enableMonitoring: true });
        await t.create("sleep 1000", edit);
        const { pid } = await t.state();
        expect(monitors("gold")).toEqual([t.id]);
        expect([read("gold/tasks"), read(`gold/mon_groups/${t.id}/tasks`)]).toEqual([String(pid), String(pid)]);
        await t.ok(["delete", "--force", t.id]);
        expect(monitors("gold")).toEqual([]);
        await writesTo(t, "", ["run", "--bundle", t.bundle("true", edit), t.id]);
        const trace = t.read("trace");
        expect(trace).toContain(`/gold/mon_groups/${t.id}/tasks>`);
        expect(trace.indexOf("/gold/tasks>")).toBeLessThan(trace.lastIndexOf(`/gold/mon_groups/${t.id}/tasks>`));
        expect(monitors("gold")).toEqual([]);
        expect(groups()).toEqual(["gold"]);
      },
    );

    rule("a monitoring group that is there, or cannot be made, is an error, and nothing is left", async (t) => {
      fresh();
      group("gold");
      mkdirSync(`${TOP}/gold/mon_groups/${t.id}`);
      const edit = withRdt({ closID: "gold", enableMonitoring: true });
      const there = await t.fails(["create", "--bundle", t.bundle("true", edit), t.id]);
      expect(there.stderr).toMatch(/there already.*file exists.*\/linux\/intelRdt\/enableMonitoring/);
      rmSync(`${TOP}/gold/mon_groups`, { recursive: true });
      write("info/last_cmd_status", "Out of RMIDs\n");
      const { stderr } = await t.fails(["create", "--bundle", t.bundle("true", edit), t.id]);
      expect(stderr).toMatch(
        /cannot make the resctrl group: mkdir .*mon_groups.*: no such file or directory: Out of RMIDs/,
      );
      expect(groups()).toEqual(["gold"]);
      expect(await t.left()).toEqual([]);
    });

    rule("exec puts its process into the same groups", async (t) => {
      fresh();
      await t.create("sleep 1000", withRdt({ enableMonitoring: true }));
      await t.ok(["start", t.id]);
      await t.ok(["exec", "--detach", "--pid-file", t.path("pid"), t.id, "sleep", "1000"]);
      expect(read(`${t.id}/tasks`)).toBe(t.read("pid"));
      expect(read(`${t.id}/mon_groups/${t.id}/tasks`)).toBe(t.read("pid"));
      await t.ok(["delete", "--force", t.id]);
      expect(groups()).toEqual([]);
    });

    rule("a create that fails leaves no group that it made, and each that it found", async (t) => {
      fresh();
      group("gold");
      for (const rdt of [
        { enableMonitoring: true },
        { closID: "made", l3CacheSchema: "L3:0=f", enableMonitoring: true },
        { closID: "gold", enableMonitoring: true },
      ]) {
        const bundle = t.bundle("true", (config) => {
          withRdt(rdt)(config);
          config.process.args = ["/no/such/program"];
        });
        await t.fails(["create", "--bundle", bundle, t.id]);
        expect(groups()).toEqual(["gold"]);
        expect(monitors("gold")).toEqual([]);
      }
      expect(await t.left()).toEqual([]);
    });

    rule("a closID that it made stays when somebody else has entered it meanwhile", async (t) => {
      fresh();
      const enter = t.script("enter", `echo 1 > ${TOP}/made/tasks`);
      const bundle = t.bundle("true", (config) => {
        withRdt({ closID: "made", l3CacheSchema: "L3:0=f" })(config);
        config.hooks = { createRuntime: [{ path: enter }, { path: "/bin/false" }] };
      });
      await t.fails(["create", "--bundle", bundle, t.id]);
      expect(groups()).toEqual(["made"]);
    });

    rule("delete --force removes what a create that was killed has made", async (t) => {
      fresh();
      const hook = t.script("hook", `kill -KILL $PPID; sleep 0.1`);
      const bundle = t.bundle("true", (config) => {
        withRdt({ enableMonitoring: true })(config);
        config.hooks = { createRuntime: [{ path: hook, env: [`PATH=${process.env.PATH}`] }] };
      });
      const { code } = await t.call(["create", "--bundle", bundle, t.id]);
      expect(code).toBeNull();
      expect(groups()).toEqual([t.id]);
      await t.ok(["delete", "--force", t.id]);
      expect(groups()).toEqual([]);
    });

    rule(
      "whichever native call fails, no group is left",
      async (t) => {
        fresh();
        const bundle = t.bundle("true", withRdt({ l3CacheSchema: "L3:0=f", enableMonitoring: true }));
        for (const name of ["mkdir", "open_in_root", "statfs_type", "write_file"]) {
          for (let n = 1; n < 100; n++) {
            const id = t.newId();
            const env = { ...process.env, BERTH_FAIL_NATIVE: `${name}:${n}:5` };
            const { code } = await t.call(["create", "--bundle", bundle, id], { env });
            if (code === 0) await t.call(["delete", "--force", id]);
            expect({ name, n, groups: groups() }).toEqual({ name, n, groups: [] });
            if (code === 0 && n > 12) break;
          }
        }
      },
      { timeout: 120_000 },
    );

    rule("no symlink is followed", async (t) => {
      fresh();
      const outside = t.path("outside");
      mkdirSync(outside);
      writeFileSync(`${outside}/tasks`, "");
      writeFileSync(`${outside}/schemata`, DEFAULT);
      symlinkSync(outside, `${TOP}/link`);
      const bundle = t.bundle("true", withRdt({ closID: "link", schemata: ["L3:0=f"] }));
      await t.fails(["create", "--bundle", bundle, t.id]);
      group("gold");
      rmSync(`${TOP}/gold/tasks`);
      symlinkSync(`${outside}/tasks`, `${TOP}/gold/tasks`);
      const other = t.bundle("true", withRdt({ closID: "gold" }));
      const { stderr } = await t.fails(["create", "--bundle", other, t.id]);
      expect(stderr).toContain("/linux/intelRdt");
      expect(readFileSync(`${outside}/tasks`, "utf8")).toBe("");
      expect(readFileSync(`${outside}/schemata`, "utf8")).toBe(DEFAULT);
    });

    rule("a schema that this machine has nothing for is an error", async (t) => {
      fresh();
      rmSync(`${TOP}/info/MB`, { recursive: true });
      const bundle = t.bundle("true", withRdt({ memBwSchema: "MB:0=20" }));
      const { stderr } = await t.fails(["create", "--bundle", bundle, t.id]);
      expect(stderr).toMatch(/cannot allocate memory bandwidth.*\/linux\/intelRdt\/memBwSchema/);
    });

    rule("what the kernel refuses has its words", async (t) => {
      fresh();
      write("info/last_cmd_status", "Mask out of range\n");
      group("gold");
      rmSync(`${TOP}/gold/schemata`);
      mkdirSync(`${TOP}/gold/schemata`);
      const bundle = t.bundle("true", withRdt({ closID: "gold", schemata: ["L2:0=f"] }));
      const { stderr } = await t.fails(["create", "--bundle", bundle, t.id]);
      expect(stderr).toMatch(
        /cannot write .*L2:0=f.*is a directory: Mask out of range \(\/linux\/intelRdt\/schemata\)/,
      );
    });

    rule("events --stats has runc's statistics", async (t) => {
      fresh();
      await t.create("sleep 1000", withRdt({ enableMonitoring: true }));
      write(`${t.id}/schemata`, "    L3:0=f;1=fffff\n    MB:0= 20;1=100\n");
      const data = `${t.id}/mon_groups/${t.id}/mon_data`;
      rmSync(`${TOP}/${data}`, { recursive: true });
      for (const [domain, value] of [
        ["01", "18446744073709551615"],
        ["00", "5"],
      ]) {
        for (const file of ["llc_occupancy", "mbm_total_bytes", "mbm_local_bytes"]) {
          write(`${data}/mon_L3_${domain}/${file}`, `${value}\n`);
        }
      }
      const { stdout } = await t.ok(["events", "--stats", t.id]);
      expect(stdout).toContain(
        '"intel_rdt":{"l3_cache_info":{"cbm_mask":"fffff","min_cbm_bits":1,"num_closids":16},' +
          '"l3_cache_schema_root":"L3:0=fffff;1=fffff","l3_cache_schema":"L3:0=f;1=fffff",' +
          '"mem_bw_info":{"bandwidth_gran":10,"delay_linear":1,"min_bandwidth":10,"num_closids":8},' +
          '"mem_bw_schema_root":"MB:0=100;1=100","mem_bw_schema":"MB:0= 20;1=100",' +
          '"schemata":["L3:0=f;1=fffff","    MB:0= 20;1=100"],' +
          '"mbm_stats":[{"mbm_total_bytes":5,"mbm_local_bytes":5},' +
          '{"mbm_total_bytes":18446744073709551615,"mbm_local_bytes":18446744073709551615}],' +
          '"cmt_stats":[{"llc_occupancy":5},{"llc_occupancy":18446744073709551615}]}',
      );
      rmSync(`${TOP}/${data}`, { recursive: true });
      await t.ok(["delete", "--force", t.id]);
    });

    rule("update changes the schemas, and takes them back when something else fails", async (t) => {
      fresh();
      await t.create("sleep 1000", withRdt({ l3CacheSchema: "L3:0=f" }));
      const flags = ["--l3-cache-schema", "L3:0=ff", "--mem-bw-schema", "MB:0=50"];
      expect(await writesTo(t, `${t.id}/schemata`, ["update", ...flags, t.id])).toEqual(["L3:0=ff\\n", "MB:0=50\\n"]);
      write(`${t.id}/schemata`, DEFAULT);
      const { stderr } = await t.fails(["update", "--l3-cache-schema", "L3:0=1", "--pids-limit", "9999999999", t.id]);
      expect(stderr).toContain("--pids-limit");
      expect(read(`${t.id}/schemata`)).toMatch(/^L3:0=fffff;1=fffff\n/);
      expect((await t.fails(["update", "--mem-bw-schema", "MB:0=1\nL3:0=1", t.id])).stderr).toContain("mem-bw-schema");
      rmSync(`${TOP}/info/L3`, { recursive: true });
      expect((await t.fails(["update", "--l3-cache-schema", "L3:0=1", t.id])).stderr).toContain("--l3-cache-schema");
      await t.ok(["delete", "--force", t.id]);
    });

    rule("explain shows groups, lines and the pid", async (t) => {
      fresh();
      const rdt = { closID: "gold", l3CacheSchema: "L3:0=f", schemata: ["MB:0=20"], enableMonitoring: true };
      const { stdout } = await t.ok(["explain", t.bundle("true", withRdt(rdt))]);
      for (const said of [
        /make resctrl group \/sys\/fs\/resctrl\/gold if it is not there +\/linux\/intelRdt\n/,
        /write "L3:0=f\\n" to \/sys\/fs\/resctrl\/gold\/schemata +\/linux\/intelRdt\/l3CacheSchema\n/,
        /write "MB:0=20\\n" to \/sys\/fs\/resctrl\/gold\/schemata +\/linux\/intelRdt\/schemata\n/,
        /make resctrl group \/sys\/fs\/resctrl\/gold\/mon_groups\/\S+ +\/linux\/intelRdt\/enableMonitoring\n/,
        /write the pid of init to \/sys\/fs\/resctrl\/gold\/tasks +\/linux\/intelRdt\n/,
      ]) {
        expect(stdout).toMatch(said);
      }
      expect(groups()).toEqual([]);
    });

    rule("the group is gone with its file system: delete goes on", async (t) => {
      fresh();
      await t.create("sleep 1000", withRdt({ enableMonitoring: true }));
      rmSync(`${TOP}/${t.id}`, { recursive: true });
      await t.ok(["exec", t.id, "true"]).catch(() => undefined);
      await t.ok(["delete", "--force", t.id]);
    });
  },
  runtimes,
);

suite("intelRdt of the production build", (rule) => {
  rule(
    "what is no resctrl file system is none",
    async (t) => {
      fresh();
      const { stderr } = await t.fails(["create", "--bundle", t.bundle("true", withRdt({})), t.id]);
      expect(stderr).toMatch(/no resctrl file system is mounted.*\(\/linux\/intelRdt\)/);
      expect(groups()).toEqual([]);
      expect(await t.left()).toEqual([]);
    },
    { only: ["berth"] },
  );
});
