import { expect, test } from "vitest";
import { configWith, hostFacts, planOf } from "./golden-support.ts";
import type { CreateOptions } from "./plan.ts";
import { printPlan } from "./print.ts";

function print(format: "text" | "json", patch: unknown, options: Partial<CreateOptions>): string {
  return printPlan(planOf(patch, options), format, { id: "box", config: configWith(patch) });
}

test("JSON has every operation of the text, in the same order", () => {
  const options = { facts: hostFacts("hybrid") };
  const json = JSON.parse(print("json", {}, options));
  const lines = print("text", {}, options).trimEnd().split("\n").slice(1);
  expect(json.operations.length).toBe(lines.length);
  json.operations.forEach((operation: { text: string; origin: { pointer: string } }, index: number) => {
    expect(lines[index]).toContain(operation.text);
    expect(lines[index]).toMatch(new RegExp(`  ${operation.origin.pointer.replaceAll("/", "\\/")}$`));
  });
});

test("JSON has flags as names and numbers without loss", () => {
  const patch = { process: { rlimits: [{ type: "RLIMIT_FSIZE", soft: 5, hard: 5 }] } };
  const { operations } = JSON.parse(print("json", patch, { facts: hostFacts("v2") }));
  const find = (op: string) => operations.find((operation: { op?: string }) => operation.op === op);
  expect(find("rlimit").operands).toEqual({ resource: "RLIMIT_FSIZE", soft: "5", hard: "5" });
  expect(find("pivot_root").origin).toEqual({ pointer: "/root/path", subject: "/bundle/rootfs" });
  expect(find("set_caps").operands.permitted).toEqual(["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"]);
});

test("a device program is listed below its step", () => {
  const facts = hostFacts("v2");
  expect(print("text", {}, { facts })).toMatch(/attach device program.*\n +char \*:\* m -> allow\n/);
  const { operations } = JSON.parse(print("json", {}, { facts }));
  expect(operations.find((o: { step?: string }) => o.step === "attach device program").listing.length).toBeGreaterThan(
    9,
  );
});

test("bytes of a config that would spoil a terminal are escaped", () => {
  const mounts = [{ destination: "/d", source: "/\u009b\u001b[31m", options: ["bind"] }];
  const text = print("text", { process: { args: ["a\u001b[31m", "b\nc"] }, mounts }, { facts: hostFacts("v2") });
  for (const control of ["\u001b", "\u009b"]) expect(text).not.toContain(control);
  expect(text).toContain('"b\\nc"');
});
