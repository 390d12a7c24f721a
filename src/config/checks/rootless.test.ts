import { expect, test } from "vitest";
import { configTemplate } from "../../bundle/template.ts";
import { loadConfig } from "../load.ts";
import type { Config } from "../types.ts";
import { checkRootless } from "./rootless.ts";

function config(change: (document: Record<string, never>) => void, rootless = true): Config {
  const ids = rootless ? { rootless: { euid: 1000, egid: 1000 } } : {};
  const document = JSON.parse(configTemplate({ cgroup2: true, ...ids }));
  change(document);
  const { config, issues } = loadConfig(JSON.stringify(document));
  if (config === undefined) throw new Error(JSON.stringify(issues));
  return config;
}

const pointers = (c: Config) => checkRootless(c).map((issue) => issue.pointer);

test("the rootless default config is fine", () => {
  expect(checkRootless(config(() => {}))).toEqual([]);
});

test("a user namespace is required", () => {
  const found = checkRootless(config(() => {}, false));
  expect(found[0]).toEqual({
    pointer: "/linux/namespaces",
    kind: "invalid",
    message: "must have a user namespace in a rootless container",
  });
});

test("additional groups are refused, mapped or not", () => {
  const c = config((d: { process?: { user: object } }) =>
    Object.assign(d.process?.user ?? {}, { additionalGids: [0] }),
  );
  expect(pointers(c)).toEqual(["/process/user/additionalGids"]);
});

test("owners of file systems must be mapped", () => {
  const mounts = [{ destination: "/x", type: "tmpfs", options: ["uid=0", "gid=5", "uid=1", "gid=x", "mode=5"] }];
  expect(pointers(config((d) => Object.assign(d, { mounts })))).toEqual(["/mounts/0/options/1", "/mounts/0/options/2"]);
});
