import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PlanBuilder } from "../../../src/plan/builder.ts";
import { builder, NEW, type Result, run, scratch, useInit } from "./support.ts";

useInit();

interface Hook {
  script?: string;
  path?: string;
  env?: string[];
  before?: string;
  after?: string;
  timeout?: number;
}

function hook(
  b: PlanBuilder,
  { script = "", path = "/bin/sh", env = [], before = "", after = "", timeout = 0 }: Hook,
): void {
  b.hook(path, ["sh", "-c", script], env, before, after, timeout);
}

async function outcome(h: Hook): Promise<Result> {
  const b = builder();
  hook(b, h);
  b.ready();
  return await run(b);
}

describe("hook", () => {
  it("gets the state with init's pid on stdin, its own args and env, and default signals", async () => {
    const file = join(scratch, "seen");
    const b = builder();
    b.umask(0o27);
    hook(b, {
      script: `cat > ${file}; echo " $A $0" >> ${file}; grep SigIgn /proc/self/status >> ${file}; ls /proc/self/fd >> ${file}; umask >> ${file}`,
      env: ["A=1", "PATH=/bin"],
      before: '{"pid":',
      after: "}",
    });
    b.ready();
    expect((await run(b, { flags: NEW.pid })).lines.map((l) => l.kind)).toEqual(["ready", "exit"]);
    expect(readFileSync(file, "utf8")).toBe('{"pid":1} 1 sh\nSigIgn:\t0000000000000000\n0\n1\n2\n3\n0027\n');
  });

  it("has its streams also where init has no stdin", async () => {
    const b = builder();
    hook(b, { script: "cat; exit 7", before: "[", after: "]" });
    const { failed } = await run(b, { flags: NEW.pid, under: ["sh", "-c", 'exec "$@" <&-', "sh"] });
    expect(failed).toMatchObject({ op: 0, error: 10, value: 7, detail: "[1]" });
  });

  it("fails with its exit status and output", async () => {
    const { failed } = await outcome({ script: "echo to stdout; echo to stderr >&2; exit 7" });
    expect(failed).toMatchObject({ op: 0, error: 10, value: 7, detail: "to stdout\nto stderr\n" });
  });

  it("fails with the signal that killed it", async () => {
    expect((await outcome({ script: "kill -SEGV $$" })).failed).toMatchObject({ error: 10, value: -11 });
  });

  it("fails with exec's errno and a hint", async () => {
    const script = join(scratch, "script");
    writeFileSync(script, "#!/none/at/all\n", { mode: 0o755 });
    expect((await outcome({ path: "/none" })).failed).toMatchObject({ error: 2, detail: "" });
    expect((await outcome({ path: "/etc/passwd" })).failed).toMatchObject({ error: 13 });
    expect((await outcome({ path: script })).failed).toMatchObject({
      error: 2,
      detail: "its interpreter does not exist: /none/at/all",
    });
  });

  it("may ignore its stdin, also when the state is larger than a pipe", async () => {
    const before = "x".repeat(300_000);
    expect((await outcome({ script: "exit 0", before })).failed).toBeUndefined();
    expect((await outcome({ script: "exec <&-; sleep 0.1", before })).failed).toBeUndefined();
    expect((await outcome({ script: "test $(wc -c) -ge 300001", before })).failed).toBeUndefined();
  });

  it("may write more than is kept", async () => {
    const { failed } = await outcome({ script: "head -c 3000000 /dev/zero | tr '\\0' y; exit 1" });
    expect(failed?.detail).toBe("y".repeat(400));
  });

  it("is killed after its timeout", async () => {
    const begin = performance.now();
    const { failed } = await outcome({ script: "echo slow; sleep 30", timeout: 200 });
    expect(failed).toMatchObject({ error: 110, detail: "slow\n" });
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  it("may leave a child that keeps its output open", async () => {
    const begin = performance.now();
    expect((await outcome({ script: "sleep 3 & exit 0" })).failed).toBeUndefined();
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  it("leaves SIGPIPE as it was for what follows", async () => {
    const b = builder();
    hook(b, { script: "exit 0" });
    b.find_executable("/bin/grep", "");
    b.ready();
    b.wait_start(2);
    b.execute(["grep", "SigIgn", "/proc/self/status"], []);
    expect((await run(b, { arguments: ["start"] })).output).toBe("SigIgn:\t0000000000000000\n");
  });
});
