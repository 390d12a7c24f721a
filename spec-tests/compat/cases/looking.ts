// list, ps, events, spec, features: what they print and write.

import { type Case, casesOf } from "../case.ts";

export const LOOKING: readonly Case[] = [
  ...casesOf("list", {
    "no container": { words: [], files: { "ROOT/": "" } },
    "no container, --format json": { words: ["--format", "json"], files: { "ROOT/": "" } },
    "no container, --quiet": { words: ["--quiet"], files: { "ROOT/": "" } },
    "a container": { words: [], given: "running", changes: true },
    "--quiet": { words: ["--quiet"], given: "running", changes: true },
    "-q": { words: ["-q"], given: "running", changes: true },
    "--format table": { words: ["--format", "table"], given: "running", changes: true },
    "--format json": { words: ["--format", "json"], given: "running", changes: true },
    "-f json": { words: ["-f", "json"], given: "stopped", changes: true },
    "-f json -q": { words: ["-f", "json", "-q"], given: "created", changes: true },
    "--format xml": { words: ["--format", "xml"], given: "created", changes: true },
    "--format xml --quiet": { words: ["--format", "xml", "--quiet"], given: "created", changes: true },
    "annotations, --format json": {
      words: ["--format", "json"],
      given: "created",
      changes: true,
      config: (config) => {
        config.annotations = { b: "2", a: "1" };
      },
    },
    "a folder without a state": { words: [], files: { "ROOT/broken/x": "" } },
    "a folder with a state that is broken": { words: [], files: { "ROOT/broken/state.json": "no JSON\n" } },
    "a file beside the containers": { words: [], files: { "ROOT/file": "" } },
  }),
  ...casesOf("ps", {
    "--format table": { words: ["--format", "table", "ID"], given: "running" },
    "-f json": { words: ["-f", "json", "ID"], given: "running" },
    "--format xml": { words: ["--format", "xml", "ID"], given: "running" },
    "--format behind the id": { words: ["ID", "--format", "json"], given: "running" },
    "-e -o pid,comm": { words: ["ID", "-e", "-o", "pid,comm"], given: "running" },
    aux: { words: ["ID", "aux"], given: "running" },
    "no column of pids": { words: ["ID", "-e", "-o", "comm"], given: "running" },
    "options that ps refuses": { words: ["ID", "-zz"], given: "running" },
    "no ps": { words: ["ID"], given: "running", env: { PATH: "/nowhere" } },
  }),
  ...casesOf("events", {
    "--stats": { words: ["--stats", "ID"], given: "running" },
    "--interval 0": { words: ["--interval", "0", "ID"], given: "running" },
    "--interval -1s": { words: ["--interval", "-1s", "ID"], given: "running" },
    "--interval=50ms": { words: ["--interval=50ms", "ID"], given: "running", endless: true },
    "--stats --interval 1h": { words: ["--stats", "--interval", "1h", "ID"], given: "running" },
  }),
  ...casesOf("spec", {
    "into the current folder": { words: [] },
    "--bundle": { words: ["--bundle", "sub"], files: { "sub/x": "" } },
    "-b": { words: ["-b", "sub"], files: { "sub/x": "" } },
    "--bundle that is not there": { words: ["--bundle", "none"] },
    "--bundle that is a file": { words: ["--bundle", "file"], files: { file: "" } },
    "config.json is there": { words: [], files: { "config.json": "{}" } },
    "--rootless": { words: ["--rootless"] },
  }),
  ...casesOf("features", { "what it prints": { words: [] } }),
];
