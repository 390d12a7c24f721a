// update: every flag with good and bad values; what is written into the cgroup is update.test.ts's and resources/.

import { type Case, casesOf } from "../case.ts";

const VALUES: Readonly<Record<string, readonly string[]>> = {
  "blkio-weight": ["100", "5", "1001", "0"],
  "cpu-period": ["50000", "0", "1", "x", "-1"],
  "cpu-quota": ["50000", "-1", "0", "1", "x"],
  "cpu-burst": ["0", "1000000000", "x"],
  "cpu-share": ["200", "0", "1", "x", "-1"],
  "cpu-rt-period": ["x"],
  "cpu-rt-runtime": ["x"],
  "cpu-idle": ["x"],
  "cpuset-cpus": ["0", "999", "x", ""],
  "cpuset-mems": ["0", "999", "x"],
  "kernel-memory": ["100m", "x"],
  "kernel-memory-tcp": ["100m", "x"],
  memory: ["100m", "100M", "1g", "100", "-1", "0", "x", "1.5m", "100mb", "100 m"],
  "memory-reservation": ["10m", "-1", "x"],
  "memory-swap": ["-1", "x"],
  "pids-limit": ["10", "-1", "0"],
  "l3-cache-schema": ["L3:0=f"],
  "mem-bw-schema": ["MB:0=10"],
};

const fresh = { given: "running", changes: true } as const;

const values = Object.entries(VALUES).flatMap(([flag, list]) =>
  list.map((value): [string, Omit<Case, "title">] => [
    `--${flag} ${JSON.stringify(value)}`,
    { words: [`--${flag}`, value, "ID"], ...fresh },
  ]),
);

const RESOURCES: Readonly<Record<string, string>> = {
  "an empty object": "{}",
  "a limit": '{"pids":{"limit":20}}',
  "memory and CPU": '{"memory":{"limit":104857600},"cpu":{"shares":200}}',
  "not JSON": "{",
  "an unknown field": '{"unknown":1}',
  "a field of another type": '{"pids":{"limit":"20"}}',
  nothing: "",
};

export const UPDATE: readonly Case[] = casesOf("update", {
  ...Object.fromEntries(values),
  "nothing to change": { words: ["ID"], ...fresh },
  "several at once": { words: ["--memory", "100m", "--memory-swap", "200m", "--pids-limit", "10", "ID"], ...fresh },
  "swap below the limit": { words: ["--memory", "100m", "--memory-swap", "50m", "ID"], ...fresh },
  ...Object.fromEntries(
    Object.entries(RESOURCES).flatMap(([title, text]): [string, Omit<Case, "title">][] => [
      [`--resources, ${title}`, { words: ["--resources", "r.json", "ID"], files: { "r.json": text }, ...fresh }],
      [`-r -, ${title}`, { words: ["-r", "-", "ID"], files: { "r.json": text }, stdin: "r.json", ...fresh }],
    ]),
  ),
  "--resources that is not there": { words: ["--resources", "none", "ID"], ...fresh },
  "--resources and other flags": {
    words: ["--resources", "r.json", "--pids-limit", "x", "ID"],
    files: { "r.json": "{}" },
    ...fresh,
  },
});
