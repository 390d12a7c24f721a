import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PlanBuilder } from "../../../src/plan/builder.ts";
import { NONE } from "../../../src/plan/protocol.ts";
import {
  AT_RECURSIVE,
  builder,
  MS,
  NEW,
  O,
  OPEN_TREE_CLONE,
  type Options,
  type Result,
  run,
  scratch,
  useInit,
} from "./support.ts";

useInit();

/** Where init_run puts slot 0, and the slot of the first inherited file. */
const FIRST_DESCRIPTOR = 3;
const FIRST_FILE = 4;

/** Ends the plan with a shell that looks around. */
async function look(b: PlanBuilder, script: string, options: Options = {}): Promise<Result> {
  b.find_executable("/bin/sh", "");
  b.ready();
  b.wait_start(2);
  b.execute(["sh", "-c", script], ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
  return await run(b, { flags: NEW.ns, ...options, arguments: ["start", ...(options.arguments ?? [])] });
}

function isolated(files = 0): PlanBuilder {
  const b = builder(files);
  b.root_propagation(MS.private, 1);
  return b;
}

const folder = (name: string): string => {
  const path = join(scratch, name);
  mkdirSync(path, { recursive: true });
  return path;
};

/** A new tmpfs at `path`; slots are given back. */
function tmpfs(b: PlanBuilder, path: string, attributes = 0, ...parameters: string[]): void {
  const mount = b.slot();
  const target = b.slot();
  b.new_mount(mount, "tmpfs", attributes, NONE, parameters);
  b.target(target, NONE, path, 0, NONE, 0);
  b.move_mount(mount, target);
  b.close(mount);
  b.close(target);
}

describe("new_mount", () => {
  it("mounts with parameters, flags and attributes", async () => {
    const b = isolated();
    const path = folder("tmpfs");
    tmpfs(b, path, 2 | 8, "size=64k", "mode=1751", "source=name");
    const r = await look(b, `grep " ${path} " /proc/mounts; stat -c %a ${path}`);
    expect(r.output).toMatch(/^name .*tmpfs rw,nosuid,noexec,.*size=64k,mode=1751/);
    expect(r.output).toMatch(/\n1751\n$/);
  });

  it("takes the mode of a folder, but not of one that was just made", async () => {
    const path = folder("mode");
    execFileSync("chmod", ["2710", path]);
    const modes = [];
    for (const name of [path, `${path}/new`]) {
      const b = isolated();
      const target = b.slot();
      const mount = b.slot();
      b.target(target, NONE, name, 0, NONE, 0);
      b.new_mount(mount, "tmpfs", 0, target, []);
      b.move_mount(mount, target);
      modes.push((await look(b, `stat -c %a ${name}`)).output.trim());
    }
    expect(modes).toEqual(["2710", "1777"]);
  });

  it("tells what the file system says", async () => {
    const b = isolated();
    b.new_mount(b.slot(), "tmpfs", 0, NONE, ["size=banana"]);
    const { failed } = await run(b, { flags: NEW.ns });
    expect(failed).toMatchObject({ op: 1, error: 22 });
    expect(failed?.detail).toMatch(/parameter size=banana; .*Bad value for 'size'/);
    const c = isolated();
    c.new_mount(c.slot(), "tmpfs", 0, NONE, ["no_such_flag"]);
    expect((await run(c, { flags: NEW.ns })).failed?.detail).toMatch(/Unknown parameter 'no_such_flag'/);
    const d = isolated();
    d.new_mount(d.slot(), "nosuchfs", 0, NONE, []);
    expect((await run(d, { flags: NEW.ns })).failed).toMatchObject({ op: 1, error: 19 });
    const e = isolated();
    e.new_mount(e.slot(), "tmpfs", 0, NONE, [`size=${"1".repeat(300)}`]);
    expect((await run(e, { flags: NEW.ns })).failed?.detail).toMatch(/at most 255 bytes/);
  });
});

describe("bind mounts", () => {
  it("are read-only as deep as they are told", async () => {
    const source = folder("source");
    const target = folder("bound");
    const b = isolated();
    tmpfs(b, `${source}/below`);
    const tree = b.slot();
    const at = b.slot();
    b.open_tree(tree, NONE, source, OPEN_TREE_CLONE | AT_RECURSIVE);
    b.mount_attributes(tree, 1, 0, 0, 1);
    b.target(at, NONE, target, 0, NONE, 0);
    b.move_mount(tree, at);
    const r = await look(b, `touch ${target}/a; touch ${target}/below/a; touch ${source}/below/b && echo written`);
    expect(r.output.match(/Read-only file system/g)).toHaveLength(2);
    expect(r.output).toMatch(/written/);
  });
});

describe("bind_new", () => {
  const source = folder("bound");
  const target = folder("above");
  mkdirSync(join(source, "inside"));
  /** With a tmpfs on the target, whose slot is given. */
  function above(): [PlanBuilder, number] {
    const b = isolated();
    const mount = b.slot();
    b.new_mount(mount, "tmpfs", 0, NONE, ["mode=755"]);
    const at = b.slot();
    b.target(at, NONE, target, 0, NONE, 0);
    b.move_mount(mount, at);
    return [b, mount];
  }

  it("makes the folder, binds the source there and sets its attributes", async () => {
    const [b, mount] = above();
    b.bind_new(mount, "one", source, 1, 0);
    b.bind_new(mount, "two", source, 0, 0);
    const r = await look(b, `cd ${target}; stat -c %a one; ls one; touch one/x; touch two/made && ls one | wc -l; rm two/made`);
    expect(r.output).toMatch(/^755\ninside\n.*Read-only file system\n2\n$/s);
  });

  it("fails where something of that name is, a link too", async () => {
    const [b, mount] = above();
    b.make_symlink(NONE, `${target}/one`, source, 0);
    b.bind_new(mount, "one", source, 0, 0);
    expect((await run(b, { flags: NEW.ns })).failed).toMatchObject({ error: 17 });
  });

  it("fails without a source", async () => {
    const [b, mount] = above();
    b.bind_new(mount, "one", `${source}/none`, 0, 0);
    expect((await run(b, { flags: NEW.ns })).failed).toMatchObject({ error: 2 });
  });
});

describe("label", () => {
  it("is the root's security.selinux, without a NUL", async () => {
    const target = folder("labelled");
    const b = isolated();
    const mount = b.slot();
    b.new_mount(mount, "tmpfs", 0, NONE, ["source=tmpfs"]);
    b.label(mount, "system_u:object_r:tmp_t:s0");
    const at = b.slot();
    b.target(at, NONE, target, 0, NONE, 0);
    b.move_mount(mount, at);
    const r = await look(b, `python3 -c 'import os; print(os.getxattr("${target}", "security.selinux"))'`);
    expect(r.output).toBe("b'system_u:object_r:tmp_t:s0'\n");
  });
});

describe("mask_path and read_only_path", () => {
  const root = folder("masked");
  mkdirSync(join(root, "folder"));
  mkdirSync(join(root, "protected/below"), { recursive: true });
  writeFileSync(join(root, "folder/inside"), "secret");
  writeFileSync(join(root, "file"), "secret");
  writeFileSync(join(root, "file2"), "secret");
  writeFileSync(join(root, "protected/file"), "");
  symlinkSync("/file2", join(root, "link"));
  /** Slot 4: the root, 5: /dev/null, opened in the new mount namespace, where alone they can be cloned or covered. */
  function opened(): PlanBuilder {
    const b = isolated();
    b.open(b.slot(), NONE, root, O.path, 0, 0);
    b.open(b.slot(), NONE, "/dev/null", O.path, 0, 0);
    return b;
  }

  it("hide folders and files, follow symlinks in root, pass over what is missing", async () => {
    const b = opened();
    const empty = b.slot();
    b.new_mount(empty, "tmpfs", 1, NONE, ["size=4k"]);
    for (const path of ["/none", "/file/none", "/folder", "/file", "/link", "/folder/inside"])
      b.mask_path(4, path, 5, empty);
    b.mask_path(4, "/protected/below", 5, empty);
    const r = await look(b, `cd ${root}; cat file file2; ls folder protected/below; touch folder/x; echo end`);
    expect(r.output).not.toMatch(/secret|inside/);
    expect(r.output).toMatch(/Read-only file system\nend\n$/);
  });

  it("protect a path and what is mounted below it", async () => {
    const b = opened();
    tmpfs(b, `${root}/protected/below`);
    b.read_only_path(4, "/protected");
    b.read_only_path(4, "/missing");
    b.read_only_path(4, "/file");
    const r = await look(
      b,
      `cd ${root}; touch protected/file; touch protected/below/x; echo x >file; touch file2 && echo end`,
    );
    expect(r.output.match(/Read-only file system/g)).toHaveLength(3);
    expect(r.output).toMatch(/end\n$/);
  });

  it("move a mask that is attached nowhere first, then clone it", async () => {
    const b = opened();
    const file = b.slot();
    b.open_tree(file, NONE, "/dev/null", OPEN_TREE_CLONE);
    b.mask_path(4, "/file", file, NONE);
    b.mask_path(4, "/file2", file, NONE);
    const r = await look(b, `cd ${root}; cat file file2; stat -c %t:%T file file2`);
    expect(r.output).toBe("1:3\n1:3\n");
  });
});

describe("pivot_root and move_root", () => {
  function enter(b: PlanBuilder, root: string): number {
    const tree = b.slot();
    const at = b.slot();
    b.open_tree(tree, NONE, root, OPEN_TREE_CLONE | AT_RECURSIVE);
    b.target(at, NONE, root, 0, NONE, 0);
    b.move_mount(tree, at);
    return tree;
  }

  function busybox(name: string): string {
    const root = folder(name);
    for (const sub of ["bin", "proc", "etc", "sys"]) mkdirSync(join(root, sub), { recursive: true });
    execFileSync("cp", ["/bin/busybox", join(root, "bin/sh")]);
    return root;
  }

  function end(b: PlanBuilder, script: string): Promise<Result> {
    b.chdir("/bin", 0);
    b.find_executable("sh", ":/bin");
    b.ready();
    b.wait_start(2);
    b.execute(["sh", "-c", script], ["PATH=/bin"]);
    return run(b, { flags: NEW.ns | NEW.pid, arguments: ["start"] });
  }

  const script =
    'busybox() { /bin/sh busybox "$@"; }; pwd; echo /*; while read -r line; do echo $line; done </proc/mounts';

  it("leave only the new root", async () => {
    const root = busybox("pivot");
    const b = isolated();
    const tree = enter(b, root);
    const proc = b.slot();
    const at = b.slot();
    b.new_mount(proc, "proc", 0, NONE, []);
    b.target(at, tree, "/proc", 0, NONE, 0);
    b.move_mount(proc, at);
    b.pivot_root(tree);
    const r = await end(b, script);
    const [cwd, entries, ...mounts] = r.output.trim().split("\n");
    expect([cwd, entries]).toEqual(["/bin", "/bin /etc /proc /sys"]);
    expect(mounts.map((line) => line.split(" ")[1])).toEqual(["/", "/proc"]);
  });

  it("leave no working directory outside, which chdir would find through a descriptor", async () => {
    const root = busybox("left");
    const b = isolated(1);
    const tree = enter(b, root);
    const proc = b.slot();
    const at = b.slot();
    b.new_mount(proc, "proc", 0, NONE, []);
    b.target(at, tree, "/proc", 0, NONE, 0);
    b.move_mount(proc, at);
    b.pivot_root(tree);
    b.chdir("/proc/self/fd", 0);
    b.chdir(`/proc/self/fd/${FIRST_DESCRIPTOR + FIRST_FILE}`, 0);
    b.ready();
    const r = await run(b, { flags: NEW.ns | NEW.pid, files: [`${O.path}:/tmp`] });
    expect(r.failed).toMatchObject({ error: 2, detail: "the working directory is outside of the container" });
  });

  it("hide the host's procfs and sysfs without pivot_root", async () => {
    const root = busybox("moved");
    const b = isolated();
    const extra = folder("extra proc");
    const mount = b.slot();
    const where = b.slot();
    b.new_mount(mount, "proc", 0, NONE, []);
    b.target(where, NONE, extra, 0, NONE, 0);
    b.move_mount(mount, where);
    const tree = enter(b, root);
    const proc = b.slot();
    const at = b.slot();
    b.new_mount(proc, "proc", 0, NONE, []);
    b.target(at, tree, "/proc", 0, NONE, 0);
    b.move_mount(proc, at);
    b.move_root(tree);
    const r = await end(b, `${script}; while read -r line; do echo I $line; done </proc/self/mountinfo`);
    expect(r.failed).toBeUndefined();
    expect(r.output).toMatch(/^\/bin\n\/bin \/etc \/proc \/sys\n/);
    expect(r.output).not.toMatch(/extra/);
    expect(r.output.match(/^I .* - proc /gm)).toHaveLength(1);
    expect(r.output).not.toMatch(/^I .* \/ \S+ .* - sysfs /m);
  });
});

describe("propagation", () => {
  it("parent_propagation changes the mount that the folder lies in", async () => {
    const path = folder("parent");
    const b = isolated();
    tmpfs(b, path);
    b.make_dir(NONE, `${path}/a/b`, 0o755);
    const at = b.slot();
    b.open(at, NONE, `${path}/a/b`, O.path, 0, 0);
    b.parent_propagation(at, 1 << 20);
    const r = await look(b, `grep " ${path} " /proc/self/mountinfo; grep " / / " /proc/self/mountinfo`);
    const [own, root] = r.output.split("\n");
    expect(own).toMatch(/shared:/);
    expect(root ?? "").not.toMatch(/shared:/);
  });

  it("refuse_fs refuses one file system, check_fs all others", async () => {
    const PROC = 0x9fa0;
    const b = builder(2);
    const files = [`${O.path}:/proc/sys`, `${O.path}:/etc`];
    b.check_fs(4, PROC);
    b.refuse_fs(5, PROC);
    b.check_device(5, 1, 3);
    expect((await run(b, { files })).failed).toMatchObject({ op: 2, error: 22 });
    const c = builder(2);
    c.refuse_fs(4, PROC);
    expect((await run(c, { files })).failed).toMatchObject({ op: 0, error: 1 });
    const d = builder(2);
    d.check_fs(5, PROC);
    expect((await run(d, { files })).failed).toMatchObject({ op: 0, error: 22 });
  });
});

describe("copy_tree", () => {
  const image = folder("image");
  const copy = async (extra = ""): Promise<Result> => {
    const target = folder("copied");
    const b = isolated();
    const from = b.slot();
    const to = b.slot();
    const at = b.slot();
    b.open(from, NONE, image, O.path, 0, 0);
    b.new_mount(to, "tmpfs", 0, NONE, []);
    b.copy_tree(from, to);
    b.target(at, NONE, target, 0, NONE, 0);
    b.move_mount(to, at);
    return await look(b, `cd ${target} && find . -mindepth 1 -printf '%P %y %m %U %T@ %l\\n' | sort; ${extra}`);
  };

  it("copies content, modes, owners, times, links and nodes, and opens no FIFO or device", async () => {
    mkdirSync(join(image, "folder/deep"), { recursive: true });
    writeFileSync(join(image, "folder/deep/text"), "hello");
    execFileSync("sh", [
      "-ec",
      `cd ${image}; mkfifo fifo; mknod zero c 1 5; ln -s /etc/shadow link; truncate -s 100k big; chmod 4755 big
       chown 7:8 folder/deep/text; chown -h 9 link; chmod 1700 folder; setfattr -n trusted.x -v y folder/deep 2>/dev/null || :
       for i in $(seq 300); do : > "folder/file with a longish name $i"; done
       touch -d @1234567890.5 big folder/deep/text; touch -h -d @1000000000 link; touch -d @1100000000.25 folder/deep folder`,
    ]);
    const expected = execFileSync("sh", [
      "-c",
      `cd ${image}; find . -mindepth 1 -printf '%P %y %m %U %T@ %l\\n' | sort`,
    ]);
    const r = await copy(
      "cat folder/deep/text; stat -c %t:%T zero; getfattr -n trusted.x --only-values folder/deep 2>/dev/null",
    );
    expect(r.failed).toBeUndefined();
    expect(r.output.startsWith(expected.toString())).toBe(true);
    expect(r.output.slice(expected.length)).toMatch(/^hello1:5\n/);
  });

  it("gives up on folders nested for ever", async () => {
    const deep = folder("deep");
    execFileSync("sh", ["-ec", `cd ${deep}; for i in $(seq 150); do mkdir d; cd d; done`]);
    const b = isolated();
    const from = b.slot();
    const to = b.slot();
    b.open(from, NONE, deep, O.path, 0, 0);
    b.new_mount(to, "tmpfs", 0, NONE, []);
    b.copy_tree(from, to);
    expect((await run(b, { flags: NEW.ns })).failed).toMatchObject({
      error: 40,
      detail: "folders are nested too deeply in d",
    });
  });
});

describe("home", () => {
  async function home(prepare: string, uid: number, env: string[] = []): Promise<{ output: string; ms: number }> {
    const root = folder(`home${Math.random()}`);
    mkdirSync(join(root, "etc"));
    mkdirSync(join(root, "bin"));
    mkdirSync(join(root, "dev"));
    execFileSync("cp", ["/bin/busybox", join(root, "bin/sh")]);
    execFileSync("sh", ["-ec", `cd ${root}; ${prepare}`]);
    const b = isolated();
    const tree = b.slot();
    b.open_tree(tree, NONE, root, OPEN_TREE_CLONE);
    const at = b.slot();
    b.target(at, NONE, root, 0, NONE, 0);
    b.move_mount(tree, at);
    b.pivot_root(tree);
    b.home(uid);
    b.find_executable("sh", "/bin");
    b.ready();
    b.wait_start(2);
    b.execute(["sh", "-c", "set"], env);
    const begin = performance.now();
    const { output } = await run(b, { flags: NEW.ns, arguments: ["start"] });
    return { output: /^HOME='(.*)'$/m.exec(output)?.[1] ?? output, ms: performance.now() - begin };
  }

  it("comes from the line of the uid", async () => {
    const passwd =
      "printf 'root:x:0:0:root:/root:/bin/sh\\n#x:y\\n\\nbad:x:x:0:b:/bad:\\nu:x:1000:1000::/home/u:/bin/sh' > etc/passwd";
    expect((await home(passwd, 0)).output).toBe("/root");
    expect((await home(passwd, 1000)).output).toBe("/home/u");
    expect((await home(passwd, 1001)).output).toBe("/");
    expect((await home(passwd, 1000, ["HOME=", "A=1"])).output).toBe("/home/u");
  });

  it("is / for a file that is no file, at once", async () => {
    const hostile = [
      "mkfifo etc/passwd",
      "mknod dev/zero c 1 5; ln -s /dev/zero etc/passwd",
      "ln -s passwd etc/passwd",
      "mkdir etc/passwd",
      ":",
      "truncate -s 1G etc/passwd",
      "head -c 3000000 /dev/zero | tr '\\0' x > etc/passwd; printf '\\nroot:x:0:0:root:/root:/bin/sh\\n' >> etc/passwd",
    ];
    for (const prepare of hostile) {
      const { output, ms } = await home(prepare, 0);
      expect([prepare, output]).toEqual([prepare, "/"]);
      expect(ms).toBeLessThan(1000);
    }
  });

  it("skips a line that is too long", async () => {
    const long = `printf 'long:x:0:0:%05000d:/long:/\\nroot:x:0:0:root:/root:/bin/sh\\n' 0 > etc/passwd`;
    expect((await home(long, 0)).output).toBe("/root");
  });
});

it("leaves nothing of these tests mounted", () => {
  expect(readFileSync("/proc/mounts", "utf8")).not.toContain(scratch);
  expect(readdirSync(folder("tmpfs"))).toEqual([]);
  expect(lstatSync("/dev/null").mode).toBe(0o20666);
  expect(existsSync(join(scratch, "masked/file"))).toBe(true);
});
