// Idmapped mounts: who owns a file, seen from inside and from outside. runc does them since 1.2; crun 1.8 has only its own
// option, `idmap=uids=…;gids=…`, without a user namespace and with one.

import { execFileSync } from "node:child_process";
import { chownSync, existsSync } from "node:fs";
import { expect } from "vitest";
import { type Config, type IdMapping, type Mount, withUserNamespace } from "./support/config.ts";
import { mkdirSync, statSync, writeFileSync } from "./support/files.ts";
import type { Sandbox } from "./support/sandbox.ts";
import { suite } from "./support/suite.ts";

interface Mapped extends Mount {
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
}

const map = (containerID: number, hostID: number, size: number): IdMapping => ({ containerID, hostID, size });
/** For a mount: ids from 1000 on become those from 5000 and 6000 on. */
const OWN = { uidMappings: [map(1000, 5000, 10)], gidMappings: [map(1000, 6000, 10)] };
const OLD = { runc: "runc 1.1 does not know it", crun: "crun 1.8 does not know it" };

const bind = (source: string, destination: string, ...options: string[]): Mapped => ({
  destination,
  source,
  options: ["bind", ...options],
});

const with_ =
  (...mounts: Mapped[]) =>
  (config: Config): void => {
    config.mounts.push(...mounts);
  };

const inUser =
  (...mounts: Mapped[]) =>
  (config: Config): void => {
    withUserNamespace(config);
    config.mounts.push(...mounts);
  };

/** A folder with files a and b of the ids, on the file system of the sandbox. */
function owned(t: Sandbox, name: string, a = 1000, b = 1009): string {
  const folder = t.path(name);
  mkdirSync(folder, { recursive: true });
  for (const [file, id] of [
    ["a", a],
    ["b", b],
  ] as const) {
    writeFileSync(`${folder}/${file}`, "");
    chownSync(`${folder}/${file}`, id, id);
  }
  return folder;
}

function mountAt(t: Sandbox, folder: string, ...args: string[]): void {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", [...args, folder]);
  t.later(() => {
    execFileSync("umount", ["-l", folder]);
  });
}

const owners = (...folders: string[]): string => `stat -c '%u:%g' ${folders.map((f) => `${f}/a ${f}/b`).join(" ")}`;

/** The host ids of the container's root. */
const ROOT_ID = ((): number => {
  const config = { linux: { namespaces: [] }, mounts: [] } as unknown as Config;
  withUserNamespace(config);
  return config.linux.uidMappings?.[0]?.hostID ?? -1;
})();

suite("idmapped mounts", (rule) => {
  rule(
    "a mount with mappings of its own",
    async (t) => {
      const source = owned(t, "data");
      expect(await t.sh(owners("/m"), with_({ ...bind(source, "/m"), ...OWN }))).toBe("5000:6000\n5009:6009\n");
    },
    { except: OLD },
  );

  rule(
    "an id that no mapping has belongs to nobody",
    async (t) => {
      const source = owned(t, "data", 1003, 999);
      expect(await t.sh(owners("/m"), with_({ ...bind(source, "/m"), ...OWN }))).toBe("5003:6003\n65534:65534\n");
    },
    { except: OLD },
  );

  rule(
    "what is made there has the id of the file system",
    async (t) => {
      const source = t.path("data");
      mkdirSync(source);
      chownSync(source, 1000, 2000);
      const own = { uidMappings: [map(1000, 0, 10)], gidMappings: [map(2000, 0, 10)] };
      await t.sh("touch /m/new", (config) => {
        config.mounts.push({ ...bind(source, "/m"), ...own });
        const capability = ["CAP_DAC_OVERRIDE"];
        config.process.capabilities = { bounding: capability, effective: capability, permitted: capability };
      });
      const { uid, gid } = statSync(`${source}/new`);
      expect([uid, gid]).toEqual([1000, 2000]);
    },
    { except: OLD },
  );

  for (const [option, ids] of [
    ["idmap", "1000:1000\n1009:1009\n"],
    ["ridmap", "1000:1000\n1009:1009\n"],
  ] as const) {
    rule(
      `${option} in a user namespace: the container has the ids of the file system`,
      async (t) => {
        const source = owned(t, "data");
        expect(await t.sh(owners("/tmp"), inUser(bind(source, "/tmp", option)))).toBe(ids);
      },
      { except: OLD },
    );
  }

  rule(
    "a file that the container's root makes in an idmapped mount is root's",
    async (t) => {
      const source = t.path("data");
      mkdirSync(source);
      await t.sh("touch /tmp/new", inUser(bind(source, "/tmp", "idmap")));
      const { uid, gid } = statSync(`${source}/new`);
      expect([uid, gid]).toEqual([0, 0]);
    },
    { except: OLD },
  );

  rule(
    "mappings of the mount count in a user namespace, too",
    async (t) => {
      const source = owned(t, "data");
      const own = { uidMappings: [map(1000, ROOT_ID + 7, 10)], gidMappings: [map(1000, ROOT_ID + 70, 10)] };
      expect(await t.sh(owners("/tmp"), inUser({ ...bind(source, "/tmp"), ...own }))).toBe("7:70\n16:79\n");
    },
    { except: OLD },
  );

  rule(
    "a source that the container's root could not reach",
    async (t) => {
      const source = owned(t, "closed/data");
      execFileSync("chmod", ["700", t.path("closed")]);
      expect(await t.sh(owners("/tmp"), inUser(bind(source, "/tmp", "idmap")))).toBe("1000:1000\n1009:1009\n");
    },
    { except: OLD },
  );

  rule(
    "the ids of a user namespace that is joined",
    async (t) => {
      const source = owned(t, "data");
      const first = await t.create("sleep 100", inUser());
      const { pid } = await t.state(first);
      const second = t.newId();
      const bundle = t.bundle(
        owners("/tmp"),
        (config) => {
          config.linux.namespaces.push({ type: "user", path: `/proc/${pid}/ns/user` });
          config.mounts.push(bind(source, "/tmp", "idmap"));
        },
        "second",
      );
      expect((await t.ok(["run", "--bundle", bundle, second])).stdout).toBe("1000:1000\n1009:1009\n");
      await t.ok(["delete", "--force", first]);
    },
    { except: OLD },
  );

  rule(
    "idmap changes the mount alone, ridmap those below it",
    async (t) => {
      const source = owned(t, "data");
      mountAt(t, `${source}/below`, "-t", "tmpfs", "tmpfs");
      owned(t, "data/below");
      for (const [option, below] of [
        ["idmap", "1000:1000\n1009:1009\n"],
        ["ridmap", "5000:6000\n5009:6009\n"],
      ] as const) {
        const mount = { ...bind(source, "/m", option), options: ["rbind", option], ...OWN };
        const id = t.newId();
        const bundle = t.bundle(owners("/m", "/m/below"), with_(mount));
        expect((await t.ok(["run", "--bundle", bundle, id])).stdout).toBe(`5000:6000\n5009:6009\n${below}`);
      }
    },
    { except: OLD },
  );

  for (const [name, args] of [
    ["tmpfs", ["-t", "tmpfs", "tmpfs"]],
    ["ext4", ["-t", "ext4", "-o", "loop"]],
  ] as const) {
    rule(
      `on ${name}, with and without a user namespace`,
      async (t) => {
        const folder = t.path(`on-${name}`);
        if (name === "ext4") {
          const image = t.path("image");
          execFileSync("sh", ["-c", `truncate -s 4M ${image} && mkfs.ext4 -q ${image}`]);
          mountAt(t, folder, ...args, image);
        } else mountAt(t, folder, ...args);
        owned(t, `on-${name}`);
        expect(await t.sh(owners("/m"), with_({ ...bind(folder, "/m"), ...OWN }))).toBe("5000:6000\n5009:6009\n");
        const bundle = t.bundle(owners("/tmp"), inUser(bind(folder, "/tmp", "idmap")), "user");
        expect((await t.ok(["run", "--bundle", bundle, t.newId()])).stdout).toBe("1000:1000\n1009:1009\n");
      },
      {
        except: OLD,
        skip: name === "ext4" && !existsSync("/dev/loop-control") && "there are no loop devices here",
      },
    );
  }

  rule(
    "attributes, propagation and a relative source are as for other bind mounts",
    async (t) => {
      t.bundle("true");
      owned(t, "bundle/data");
      const mount = { ...bind("data", "/m", "ro", "nosuid", "rshared"), ...OWN };
      const line = await t.sh("grep ' /m ' /proc/self/mountinfo", with_(mount));
      expect(line).toMatch(/ \/m ro,nosuid,relatime,idmapped shared:\d+ /);
    },
    { except: OLD },
  );

  rule(
    "two mounts of one folder with different ids, and one without",
    async (t) => {
      const source = owned(t, "data");
      const other = { uidMappings: [map(1000, 1, 10)], gidMappings: [map(1000, 2, 10)] };
      const edit = with_({ ...bind(source, "/m"), ...OWN }, { ...bind(source, "/n"), ...other }, bind(source, "/o"), {
        ...bind(source, "/p"),
        ...OWN,
      });
      expect((await t.sh(owners("/m", "/n", "/o", "/p"), edit)).split("\n").join(" ")).toBe(
        "5000:6000 5009:6009 1:2 10:11 1000:1000 1009:1009 5000:6000 5009:6009 ",
      );
    },
    { except: OLD },
  );

  rule(
    "a mount that is in the image by then is the source",
    async (t) => {
      t.bundle("true");
      const rootfs = t.path("bundle/rootfs");
      mkdirSync(`${rootfs}/first`);
      const source = owned(t, "data");
      const edit = with_(bind(source, "/first"), { ...bind(`${rootfs}/first`, "/m"), ...OWN });
      expect(await t.sh(owners("/m"), edit)).toBe("5000:6000\n5009:6009\n");
    },
    { except: OLD },
  );

  rule(
    "crun's own option: ids in the option",
    async (t) => {
      const source = owned(t, "data");
      const option = "idmap=uids=1000-5000-5#1005-7000-5;gids=1000-6000-10";
      expect(await t.sh(owners("/m"), with_(bind(source, "/m", option)))).toBe("5000:6000\n7004:6009\n");
    },
    { except: { runc: OLD.runc } },
  );

  rule(
    "crun's own option: ids of the user namespace",
    async (t) => {
      const source = owned(t, "data");
      const option = "idmap=uids=@1000-3-10;gids=@1000-4-10";
      expect(await t.sh(owners("/tmp"), inUser(bind(source, "/tmp", option)))).toBe("3:4\n12:13\n");
    },
    { except: { runc: OLD.runc } },
  );

  rule(
    "a file system that Linux 6.18 cannot map is named: an overlay, sysfs",
    async (t) => {
      // No layer of an overlay may lie on another one: a tmpfs is sure to be none.
      const layers = t.path("layers");
      mountAt(t, layers, "-t", "tmpfs", "tmpfs");
      for (const layer of ["lower", "upper", "work"]) mkdirSync(`${layers}/${layer}`);
      const folders = `lowerdir=${layers}/lower,upperdir=${layers}/upper,workdir=${layers}/work`;
      mountAt(t, t.path("overlay"), "-t", "overlay", "overlay", "-o", folders);
      for (const source of [t.path("overlay"), "/sys/kernel"]) {
        const bundle = t.bundle("true", with_({ ...bind(source, "/m"), ...OWN }));
        const { stderr } = await t.fails(["run", "--bundle", bundle, t.newId()]);
        expect(stderr).toContain("cannot map the ids of this mount");
        expect(stderr).toContain(source);
      }
    },
    { only: ["berth"] },
  );

  rule(
    "a source that is not there is named",
    async (t) => {
      const bundle = t.bundle("true", with_({ ...bind("/nowhere", "/m"), ...OWN }));
      const { stderr } = await t.fails(["run", "--bundle", bundle, t.id]);
      expect(stderr).toContain('/nowhere\\": no such file or directory');
      expect(stderr).toContain("mounts/6/source");
    },
    { only: ["berth"] },
  );

  rule(
    "what the container may not change of the source's mount, it may not change of its own",
    async (t) => {
      const source = t.path("locked");
      mountAt(t, source, "-t", "tmpfs", "-o", "nodev,nosuid", "tmpfs");
      owned(t, "locked");
      const output = await t.sh(
        "mount -o remount,bind,suid,dev /tmp 2>&1; grep ' /tmp ' /proc/self/mountinfo",
        (config) => {
          inUser(bind(source, "/tmp", "idmap"))(config);
          const capability = ["CAP_SYS_ADMIN"];
          config.process.capabilities = { bounding: capability, effective: capability, permitted: capability };
        },
      );
      expect(output).toContain("denied");
      expect(output).toContain(" /tmp rw,nosuid,nodev,");
    },
    { except: OLD },
  );
});
