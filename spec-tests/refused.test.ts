// What config.json may not ask for here and now: rules that need a look at the host. Those that need none are unit tests of
// src/config.

import { expect } from "vitest";
import { type Config, withUserNamespace } from "./support/config.ts";
import { readFileSync, symlinkSync } from "./support/files.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

const OLD = "runc 1.1 takes the mappings and ignores the namespace";

async function refused(t: Sandbox, edit: (config: Config) => void): Promise<string> {
  return (await t.fails(["run", "--bundle", t.bundle("true", edit), t.newId()])).stderr;
}

const joinNet =
  (path: string) =>
  (config: Config): void => {
    const network = config.linux.namespaces.find(({ type }) => type === "network");
    if (network !== undefined) network.path = path;
    config.linux.sysctl = { "net.ipv4.ip_forward": "1" };
  };

function hasApparmor(): boolean {
  try {
    return readFileSync("/sys/module/apparmor/parameters/enabled", "utf8").startsWith("Y");
  } catch {
    return false;
  }
}

const hasSelinux = readFileSync("/proc/filesystems", "utf8").includes("selinuxfs");

suite("refused on this host", (rule) => {
  rule(
    "a sysctl of the network in the host's own namespace",
    async (t) => {
      const before = readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8");
      const stderr = await refused(t, joinNet("/proc/self/ns/net"));
      expect(stderr).toMatch(/not allowed in (the )?host.* network namespace/);
      expect(readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")).toBe(before);
      if (t.runtime.kind === "berth") expect(stderr).toContain("/linux/sysctl/net.ipv4.ip_forward");
    },
    { except: { crun: "crun does not look" } },
  );

  rule("a sysctl of the network in another container's namespace is fine", async (t) => {
    const first = await t.create("sleep 100");
    const { pid } = await t.state(first);
    const bundle = t.bundle("cat /proc/sys/net/ipv4/ip_forward", joinNet(`/proc/${pid}/ns/net`), "second");
    expect((await t.ok(["run", "--bundle", bundle, t.newId()])).stdout).toBe("1\n");
    await t.ok(["delete", "--force", first]);
  });

  rule(
    "mappings beside a user namespace that is joined: those that it has, or none",
    async (t) => {
      const first = await t.create("sleep 100", withUserNamespace);
      const { pid } = await t.state(first);
      const joined =
        (size: number) =>
        (config: Config): void => {
          withUserNamespace(config);
          const user = config.linux.namespaces.find(({ type }) => type === "user");
          if (user !== undefined) user.path = `/proc/${pid}/ns/user`;
          for (const maps of [config.linux.uidMappings, config.linux.gidMappings]) {
            const [whole] = maps ?? [];
            if (whole !== undefined) maps?.splice(0, 1, { ...whole, size });
          }
        };
      const right = t.bundle("cat /proc/self/uid_map", joined(65536), "right");
      expect((await t.ok(["run", "--bundle", right, t.newId()])).stdout.trim().split(/ +/)).toEqual([
        "0",
        "100000",
        "65536",
      ]);
      const wrong = t.bundle("true", joined(65535), "wrong");
      const { stderr } = await t.fails(["run", "--bundle", wrong, t.newId()]);
      expect(stderr).toContain("/linux/uidMappings");
      expect(stderr).toContain("is not what the user namespace that is joined has");
      await t.ok(["delete", "--force", first]);
    },
    { except: { runc: OLD, crun: "crun does not look" } },
  );

  rule(
    "a root file system behind a symlink",
    async (t) => {
      t.bundle("true");
      symlinkSync("rootfs", t.path("bundle/link"));
      const edit = (config: Config): void => {
        config.root.path = "link";
      };
      const stderr = await refused(t, edit);
      if (t.runtime.kind === "berth") expect(stderr).toContain("/root/path");
    },
    { except: { crun: "crun follows it" } },
  );

  rule(
    "an AppArmor profile without AppArmor",
    async (t) => {
      const stderr = await refused(t, (config) => {
        config.process.apparmorProfile = "box";
      });
      // runc's words of since then.
      if (t.runtime.kind !== "berth") return;
      expect(stderr).toContain("apparmor: config provided but apparmor not supported");
      expect(stderr).toContain("/process/apparmorProfile");
    },
    { except: { crun: "crun ignores it" }, skip: hasApparmor() && "this kernel has AppArmor" },
  );

  rule(
    "an SELinux label without SELinux",
    async (t) => {
      const stderr = await refused(t, (config) => {
        config.process.selinuxLabel = "system_u:system_r:container_t:s0";
      });
      expect(stderr).toContain("selinux label is specified in config, but selinux is disabled or not supported");
      if (t.runtime.kind === "berth") expect(stderr).toContain("/process/selinuxLabel");
    },
    { except: { crun: "crun has its own words" }, skip: hasSelinux && "this kernel has SELinux" },
  );

  rule(
    "a label for mounts without SELinux is ignored with a warning",
    async (t) => {
      const edit = (config: Config): void => {
        config.linux.mountLabel = "system_u:object_r:container_file_t:s0";
      };
      const { stderr } = await t.ok(["run", "--bundle", t.bundle("true", edit), t.newId()]);
      if (t.runtime.kind === "berth") expect(stderr).toContain("/linux/mountLabel: is ignored");
    },
    {
      except: { runc: "runc leaves it to the kernel, which refuses it" },
      skip: hasSelinux && "this kernel has SELinux",
    },
  );
});
