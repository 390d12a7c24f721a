import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PlanBuilder } from "../../../src/plan/builder.ts";
import { NONE } from "../../../src/plan/protocol.ts";
import { builder, MS, NEW, O, type Options, type Result, run, scratch, useInit } from "./support.ts";

useInit();

async function look(b: PlanBuilder, script: string, options: Options = {}): Promise<Result> {
  b.find_executable("/bin/sh", "");
  b.ready();
  b.wait_start(2);
  b.execute(["sh", "-c", script], ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
  return await run(b, { ...options, arguments: ["start", ...(options.arguments ?? [])] });
}

const STATUS = "grep -E '^(Cap|NoNewPrivs|Uid|Gid|Groups)' /proc/self/status";
const cap = (...numbers: number[]): bigint => numbers.reduce((set, n) => set | (1n << BigInt(n)), 0n);
const hex = (set: bigint): string => set.toString(16).padStart(16, "0");

describe("credentials", () => {
  it("come out as the plan says", async () => {
    const b = builder();
    const wanted = cap(5, 10, 29);
    b.drop_bounding(wanted);
    b.keep_caps(1);
    b.set_groups([5, 4_000_000_000]);
    b.set_ids(1000, 1001);
    b.keep_caps(0);
    b.set_caps(wanted, wanted, cap(10), 1);
    b.set_ambient(cap(10), 0);
    b.no_new_privs();
    const { output } = await look(b, STATUS);
    expect(output.replaceAll("\t", " ").split("\n")).toEqual([
      "Uid: 1000 1000 1000 1000",
      "Gid: 1001 1001 1001 1001",
      "Groups: 5 4000000000 ",
      `CapInh: ${hex(cap(10))}`,
      `CapPrm: ${hex(cap(10))}`, // exec by a user other than root keeps the ambient ones alone
      `CapEff: ${hex(cap(10))}`,
      `CapBnd: ${hex(wanted)}`,
      `CapAmb: ${hex(cap(10))}`,
      "NoNewPrivs: 1",
      "",
    ]);
  });

  it("are trimmed to what can be given, or refused", async () => {
    const everything = 2n ** 64n - 1n;
    const b = builder();
    b.set_caps(everything, cap(0, 1), 0, 1);
    b.set_caps(everything, everything, everything, 1);
    b.set_ambient(cap(1, 60), 1);
    b.ready();
    expect((await run(b)).failed).toBeUndefined();
    const c = builder();
    c.set_caps(cap(0), cap(0), 0, 0);
    c.set_caps(cap(0, 1), cap(0, 1), 0, 0);
    expect((await run(c)).failed).toMatchObject({ op: 1, error: 1 });
    const d = builder();
    d.set_ambient(cap(5), 0);
    expect((await run(d)).failed).toMatchObject({ op: 0, error: 1, detail: "capability 5" });
  });

  it("clear_inheritable leaves permitted ones alone", async () => {
    const b = builder();
    b.set_caps(cap(0, 8), cap(0, 8), cap(0), 0);
    b.clear_inheritable();
    b.set_ambient(cap(0), 0);
    expect((await run(b)).failed).toMatchObject({ op: 2, error: 1 });
  });
});

describe("process attributes", () => {
  it("reach the program", async () => {
    const b = builder();
    b.reset_signals();
    b.setsid();
    b.umask(0o27);
    b.rlimit(7, 100, 200);
    b.rlimit(4, 2n ** 64n - 1n, 2n ** 64n - 1n);
    b.scheduler(0, 5, 0, 0, 0, 0, 0);
    b.io_priority((2 << 13) | 6);
    b.personality(0x0040000);
    b.reset_affinity();
    b.dumpable(0);
    const r = await look(
      b,
      "umask; ulimit -Sn; ulimit -Hn; ulimit -c; nice; cat /proc/self/personality; ionice; grep -E 'Sig(Blk|Ign)' /proc/self/status",
      { under: ["env", "--ignore-signal=PIPE", "--block-signal=TERM"] },
    );
    expect(r.output.split("\n")).toEqual([
      "0027",
      "100",
      "200",
      "unlimited",
      "5",
      "00040000",
      "best-effort: prio 6",
      "SigBlk:\t0000000000000000",
      "SigIgn:\t0000000000000000",
      "",
    ]);
  });

  it("without an umask op the program has the caller's umask", async () => {
    const r = await look(builder(), "umask", { under: ["sh", "-c", 'umask 031; exec "$@"', "sh"] });
    expect(r.output).toBe("0031\n");
  });

  it("join_keyring makes a session keyring with the permission added", async () => {
    const b = builder();
    b.join_keyring("_ses.berth-test", 0x80000);
    const r = await look(b, "cat /proc/keys 2>/dev/null || :");
    expect(r.failed).toBeUndefined();
    const line = r.output.split("\n").find((l) => l.includes("_ses.berth-test"));
    if (r.output !== "") expect(Number.parseInt(line?.split(/\s+/)[4] ?? "0", 16) & 0x80000).toBe(0x80000);
  });
});

describe("namespaces", () => {
  it("are unshared, joined and set up", async () => {
    const b = builder(1);
    b.unshare(NEW.uts | NEW.net);
    b.hostname("box");
    b.domainname("example");
    b.loopback_up();
    b.setns(4, NEW.ipc);
    const r = await look(
      b,
      "uname -n; cat /proc/sys/kernel/domainname /sys/class/net/lo/operstate; ip -o link show lo 2>/dev/null || cat /proc/net/dev",
      {
        files: [`0:/proc/self/ns/ipc`],
      },
    );
    expect(r.output).toMatch(/^box\nexample\n/);
    const up = builder();
    up.unshare(NEW.net);
    up.loopback_up();
    expect(
      (
        await look(
          up,
          "ping -c1 -W1 127.0.0.1 >/dev/null 2>&1; cat /proc/net/route /proc/net/fib_trie | grep -c 127.0.0.1",
        )
      ).failed,
    ).toBeUndefined();
  });

  it("sibling hands over pid and pidfd, and its child goes on with the plan", async () => {
    const b = builder();
    b.dumpable(0);
    b.unshare(NEW.ipc);
    b.sibling(NEW.pid | NEW.uts, NONE);
    b.hostname("sibling");
    b.sync(3);
    const r = await look(b, "echo $$; uname -n");
    expect(r.lines.map((l) => l.kind)).toEqual(["child", "pidfd", "barrier", "ready", "started", "exit"]);
    expect(r.lines[0]).toMatchObject({ op: 2 });
    expect(r.lines[1]).toMatchObject({ works: true });
    expect(r.output).toBe("1\nsibling\n");
    expect(r.status).toBe(0);
  });

  it("a sibling's child fails behind CHILD, never before it", async () => {
    for (let i = 0; i < 20; i++) {
      const b = builder();
      b.sibling(NEW.pid, NONE);
      b.chdir("/no/such", 0);
      const r = await run(b);
      expect(r.lines.map((l) => l.kind)).toEqual(["child", "pidfd", "failed", "exit"]);
    }
  });

  it("sync refuses nothing but the runtime's own number", async () => {
    const b = builder();
    b.sync(1);
    b.sync(2);
    b.ready();
    const r = await run(b);
    expect(r.lines.map((l) => [l.kind, l.value])).toEqual([
      ["barrier", 1],
      ["barrier", 2],
      ["ready", 0],
      ["exit", undefined],
    ]);
  });

  it("receive_mount takes nothing but a descriptor", async () => {
    const b = builder();
    b.receive_mount(b.slot(), 4);
    b.ready();
    const r = await run(b);
    expect(r.lines[0]).toMatchObject({ kind: "barrier", value: 4 });
    expect(r.failed).toMatchObject({ op: 0, error: 71, detail: "the runtime sent no mount" });
  });

  it("wait_commit ends when the pipe is drained or its reader is gone", async () => {
    const b = builder();
    b.ready();
    b.wait_commit(2);
    for (const flags of [0, NEW.pid]) {
      expect((await run(b, { flags, arguments: ["start"] })).status).toBe(0);
      expect((await run(b, { flags })).status).not.toBe(0);
    }
  });
});

describe("terminal and standard streams", () => {
  function terminal(): { b: PlanBuilder; peer: number; devpts: number; master: number } {
    const b = builder();
    const [devpts, master, peer] = [b.slot(), b.slot(), b.slot()];
    b.root_propagation(MS.private, 1);
    b.new_mount(devpts, "devpts", 0, NONE, ["newinstance", "ptmxmode=0666", "mode=0620"]);
    return { b, devpts, master, peer };
  }

  it("open_pty makes a terminal of the right size, send_pty passes its master on", async () => {
    const { b, devpts, master, peer } = terminal();
    b.setsid();
    b.open_pty(master, peer, devpts, 24, 81);
    b.send_pty(3, master);
    b.use_as_stdio(peer);
    b.controlling_tty();
    b.find_executable("/bin/sh", "");
    b.ready();
    b.wait_start(2);
    b.execute(["sh", "-c", "test \"$(stty size)\" = '24 81' && tty -s && : < /dev/tty"], ["PATH=/bin:/usr/bin"]);
    const r = await run(b, { flags: NEW.ns | NEW.pid, arguments: ["start", "wait=20"] });
    expect(r.lines.find((l) => l.kind === "message")).toMatchObject({ text: "/dev/pts/0", device: 0x502 });
    expect(r.status).toBe(0);
  });

  it("open_pty refuses what is no devpts", async () => {
    const b = builder(1);
    b.open_pty(b.slot(), b.slot(), 4, 0, 0);
    const { failed } = await run(b, { files: [`${O.path}:/dev`] });
    expect(failed).toMatchObject({ op: 0, error: 22, detail: "it is not a devpts" });
  });

  it("open_pty refuses a ptmx that something was mounted over", async () => {
    const { b, devpts, master, peer } = terminal();
    const [at, zero, ptmx] = [b.slot(), b.slot(), b.slot()];
    b.target(at, NONE, "/mnt", 0, NONE, 0);
    b.move_mount(devpts, at);
    b.open_tree(zero, NONE, "/dev/zero", 1);
    b.target(ptmx, NONE, "/mnt/ptmx", 1, NONE, 0);
    b.move_mount(zero, ptmx);
    b.open_pty(master, peer, devpts, 0, 0);
    const { failed } = await run(b, { flags: NEW.ns });
    expect(failed).toMatchObject({ op: 7, error: 22, detail: "its ptmx is not the terminal multiplexer" });
  });

  it("replace_null_stdio and chown_stdio touch only what they are for", async () => {
    const b = builder(1);
    b.replace_null_stdio(4);
    b.chown_stdio(1234);
    const r = await look(b, "stat -L -c '%u %F' /proc/self/fd/0 /proc/self/fd/1", { files: [`${O.rdwr}:/dev/zero`] });
    expect(r.output).toBe("1234 regular empty file\n1234 regular empty file\n");
  });

  it("replace_null_stdio opens nothing that is not the null device", async () => {
    const own = join(scratch, "null");
    execFileSync("mknod", [own, "c", "1", "3"]);
    const under = ["sh", "-c", 'exec "$@" </dev/null', "sh"];
    const b = builder(1);
    b.replace_null_stdio(4);
    const r = await look(b, "stat -L -c %d:%i /proc/self/fd/0", { files: [`${O.path}:${own}`], under });
    const { dev, ino } = statSync(own);
    expect(r.output).toBe(`${dev}:${ino}\n`);
    const c = builder(1);
    c.replace_null_stdio(4);
    expect((await look(c, ":", { files: [`${O.path}:/dev/zero`], under })).failed).toMatchObject({ op: 0, error: 22 });
  });
});
