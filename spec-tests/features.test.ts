// `features`: what engines read before they write a config.json.

import { expect } from "vitest";
import { suite } from "./support/suite.ts";

interface Features {
  ociVersionMin: string;
  ociVersionMax: string;
  hooks: string[];
  mountOptions: string[];
  linux: Record<string, unknown> & { namespaces: string[]; capabilities: string[] };
}

suite("features", (rule) => {
  rule("prints JSON of the shape that features.md gives", async (t) => {
    const { stdout } = await t.ok(["features"]);
    const features = JSON.parse(stdout) as Features;
    expect(features.ociVersionMin).toBe("1.0.0");
    expect(features.hooks).toEqual([
      "prestart",
      "createRuntime",
      "createContainer",
      "startContainer",
      "poststart",
      "poststop",
    ]);
    expect(features.mountOptions).toEqual([...features.mountOptions].sort());
    expect(features.mountOptions).toEqual(expect.arrayContaining(["bind", "ro", "rprivate", "tmpcopyup"]));
    expect(features.linux.namespaces).toEqual(expect.arrayContaining(["cgroup", "mount", "network", "user"]));
    expect(features.linux.capabilities).toContain("CAP_SYS_ADMIN");
    expect(features.linux.cgroup).toMatchObject({ v1: true, v2: true, systemd: true, systemdUser: true });
    expect(features.linux.seccomp).toMatchObject({ enabled: true });
  });

  rule("takes no arguments", async (t) => {
    await t.fails(["features", "x"]);
  });
});
