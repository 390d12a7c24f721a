// features.md and features-linux.md.

import { must, section, should, times } from "./rule.ts";

const OWN = "spec/features";
const VERSIONS = `${OWN}: has the two versions, the lower one first, and both work in a config.json`;
const SHAPE = `${OWN}: has no property that the version does not define, and null for no empty value`;
const list = (name: string): string => `${OWN}: every word of seccomp.${name} in it is known in a profile`;

export const FEATURES = [
  section(
    "features.md",
    "Features Structure",
    [1, 1],
    [
      should(
        "it does not depend on the machine",
        `${OWN}: does not depend on the machine: the same without /proc and /sys`,
      ),
      must("null is no empty value", SHAPE),
    ],
  ),
  section(
    "features.md",
    "Specification version",
    [6, 0],
    [
      times(5, must("the two versions are there, in order, and are taken in config.json", VERSIONS)),
      must("no property is newer than the version", SHAPE),
    ],
  ),
  section("features.md", "Hooks", [1, 0], [must("the hooks are run", `${OWN}: every hook in it is run`)]),
  section(
    "features.md",
    "Mount Options",
    [1, 1],
    [
      must("the options are taken", `${OWN}: every mount option in it is taken by a mount`),
      should("none is a file system's own", `${OWN}: no mount option in it is a file system's own`),
    ],
  ),
  section(
    "features.md",
    "Annotations",
    [1, 0],
    [must("annotations are strings by name", `${OWN}: its annotations are strings by name`)],
  ),
  section(
    "features-linux.md",
    "Namespaces",
    [1, 0],
    [must("the namespaces are known", `${OWN}: every namespace in it can be asked for`)],
  ),
  section(
    "features-linux.md",
    "Capabilities",
    [1, 0],
    [must("the capabilities are known", `${OWN}: every capability in it can be asked for`)],
  ),
  section(
    "features-linux.md",
    "Seccomp",
    [5, 0],
    [
      must("the actions are known", list("actions")),
      must("the operators are known", list("operators")),
      must("the architectures are known", list("archs")),
      must("the flags are known", list("knownFlags")),
      must("the flags that are supported work", list("supportedFlags")),
    ],
  ),
  section(
    "features-linux.md",
    "MemoryPolicy",
    [2, 0],
    [times(2, must("its words are known", `${OWN}: every word of memoryPolicy in it is known`))],
  ),
  section(
    "features-linux.md",
    "MountExtensions",
    [1, 0],
    [
      must(
        "idmap is enabled where mappings of mounts are known",
        `${OWN}: mountExtensions.idmap is enabled where mappings of mounts are known`,
      ),
    ],
  ),
];
