// config-linux.md.

import { AUTHOR, must, nobody, section, should, times } from "./rule.ts";

const OWN = "spec/linux";
const invalid = (pointer: string): string => `spec/config: ${pointer}: * is an error`;
const MOVED =
  "net-devices: a device is moved with its name, MAC address, MTU, index and global permanent addresses, and is up";
const RDT = "intel-rdt";
const V2_CHOWN = `${OWN}: v2: with a writable cgroup mount the cgroup, and the files to delegate alone, are the user's`;
const V2_ROOT = `${OWN}: v2: without a writable cgroup mount, or without a cgroup namespace, the cgroup stays root's`;
const AGENT = `${OWN}: the agent gets one state on a connection that is closed behind it, with one descriptor`;
const ERRNO = `${OWN}: an errno for an action that has none is an error`;

export const LINUX = [
  section(
    "config-linux.md",
    "Default Filesystems",
    [0, 1],
    [
      should(
        "/proc, /sys, /dev/pts and /dev/shm are there",
        `${OWN}: /proc, /sys, /dev/pts and /dev/shm are there when they are asked for`,
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Namespaces",
    [7, 1],
    [
      must("an entry has a type", invalid("/linux/namespaces/0/type")),
      should("all types are supported", "namespaces: *: listed, it is new; not listed, it is the caller's"),
      must("a path is absolute", invalid("/linux/namespaces/0/path")),
      must("the process is in the namespace of the path", "namespaces: *: the program is in the namespace of the path"),
      must(
        "a path of another type is an error",
        `${OWN}: a namespace path of another type, or of no namespace, is an error`,
      ),
      times(
        2,
        must(
          "without a path it is new; a type that is not listed is the caller's",
          "namespaces: *: listed, it is new; not listed, it is the caller's",
        ),
      ),
      must("a type that is listed twice is an error", `${OWN}: a namespace type that is listed twice is an error`),
    ],
  ),
  section(
    "config-linux.md",
    "User namespace mappings",
    [3, 1],
    [
      times(3, must("a mapping has containerID, hostID and size", invalid("/linux/uidMappings"))),
      should(
        "mappings change no owner in file systems",
        `${OWN}: mappings of users change no owner in the root file system or a mount`,
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Devices",
    [5, 1],
    [
      must(
        "devices that are listed are there",
        `${OWN}: devices that are asked for are there: kind, numbers, mode, owner, anywhere`,
      ),
      times(3, must("a device has type, path and numbers", invalid("/linux/devices"))),
      must(
        "something else at that path is an error",
        `${OWN}: a device where there is an ordinary file already is an error`,
        `${OWN}: a device where there is another device already is an error`,
      ),
      nobody("SHOULD", 1, "no device is listed twice", AUTHOR),
    ],
  ),
  section(
    "config-linux.md",
    "Default Devices",
    [1, 0],
    [
      must(
        "the default devices are there",
        `${OWN}: the default devices are there, and ptmx is that of the container's devpts`,
        "console: the engine gets the terminal of the program with a name and its size, and the program has it as its own",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Network Devices",
    [6, 0],
    [
      times(
        2,
        must(
          "netDevices are made available in the container, and up",
          `${OWN}: netDevices: a device of the host is moved, renamed, has its addresses and is up`,
          MOVED,
        ),
      ),
      times(
        2,
        must(
          "what cannot be moved is an error: a device that is not there, or a name that is taken",
          "net-devices: one that does not exist: the error names it, and the others stay",
          "net-devices: a name that is taken in the container",
        ),
      ),
      must(
        "a name with %d gets a number that is free in the container",
        "net-devices: devices change their names, also each other's, and get a number for %d",
      ),
      must(
        "a device keeps its attributes, and its permanent addresses of global scope alone",
        MOVED,
        "net-devices: addresses keep their order, peers, labels and whether they are deprecated; others than global permanent ones stay away",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Namespace Lifecycle and Container Termination",
    [2, 0],
    [
      must(
        "the runtime does not manage the devices afterwards: they go with the namespace",
        "net-devices: they live as long as the container's namespace: berth keeps it by nothing",
      ),
      must(
        "the runtime does not move them out of the namespace at delete",
        "net-devices: a namespace that is joined gets them, whatever indexes it has, and keeps them after delete",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Control groups",
    [1, 0],
    [
      must(
        "a cgroup that is found unfit is an error",
        "cgroups: with processes are refused in whichever hierarchy, and the processes live",
        "namespaces: a cgroup that has processes already is refused and left alone",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Cgroups Path",
    [4, 0],
    [
      must(
        "cgroupsPath is absolute or relative",
        `${OWN}: an absolute cgroupsPath counts from the mount point, and is the same place each time`,
        `${OWN}: a relative cgroupsPath is the same place each time`,
      ),
      must(
        "an absolute one counts from the mount point",
        `${OWN}: an absolute cgroupsPath counts from the mount point, and is the same place each time`,
      ),
      must(
        "the same one is the same place",
        `${OWN}: an absolute cgroupsPath counts from the mount point, and is the same place each time`,
        `${OWN}: a relative cgroupsPath is the same place each time`,
      ),
      must(
        "one that is found invalid is an error",
        "bad-input: /linux/cgroupsPath: * is refused and named",
        "bad-input: a NUL in /linux/cgroupsPath is refused and named",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Cgroup ownership",
    [2, 7],
    [
      should(
        "v1: no cgroup changes its owner",
        `${OWN}: v1: the container's cgroups belong to root, whoever its user is`,
      ),
      should("v2: nor without a cgroup namespace", V2_ROOT),
      should("v2: the cgroup is the user's where it is mounted writable", V2_CHOWN),
      should("v2: and only there", V2_ROOT),
      times(3, should("v2: of the files only those that may be delegated", V2_CHOWN)),
      times(2, must("v2: files that are not there, or an unknown list of them, are no failure", V2_CHOWN)),
    ],
  ),
  section(
    "config-linux.md",
    "Allowed Device list",
    [2, 0],
    [
      must(
        "device rules are in their order",
        "devices: in order: a later denial takes away, each kind of access counts",
        "mounts: device rules: one that is allowed can be opened, in the given way only",
      ),
      must("a rule has allow", invalid("/linux/resources/devices")),
    ],
  ),
  section(
    "config-linux.md",
    "Memory",
    [1, 2],
    [
      nobody("SHOULD", 2, "kernel and kernelTCP are not for new bundles", AUTHOR),
      must(
        "with checkBeforeUpdate a limit below what is in use is refused",
        "resources: v1: a memory limit below what is in use is refused with both numbers, and the old cgroup stays",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "CPU",
    [2, 0],
    [times(2, must("burst is no larger than quota", invalid("/linux/resources/cpu")))],
  ),
  section(
    "config-linux.md",
    "Block IO",
    [6, 0],
    [times(6, must("a device has its numbers and a rate or weight", invalid("/linux/resources/blockIO")))],
  ),
  section(
    "config-linux.md",
    "Huge page limits",
    [2, 0],
    [times(2, must("an entry has pageSize and limit", invalid("/linux/resources/hugepageLimits")))],
  ),
  section(
    "config-linux.md",
    "Network",
    [2, 0],
    [times(2, must("an entry has name and priority", invalid("/linux/resources/network")))],
  ),
  section(
    "config-linux.md",
    "PIDs",
    [0, 1],
    [should("a limit of 0 is a limit", `${OWN}: a pids limit of 0 lets nothing more begin`)],
  ),
  section(
    "config-linux.md",
    "RDMA",
    [1, 0],
    [must("hcaHandles or hcaObjects is there", invalid("/linux/resources/rdma"))],
  ),
  section(
    "config-linux.md",
    "Unified",
    [4, 0],
    [
      must(
        "the controllers are enabled",
        "resources: a controller of the unified hierarchy is enabled down the path, and its limits are kept there",
      ),
      must(
        "files that the runtime does not know are written",
        "resources: a controller of the unified hierarchy is enabled down the path, and its limits are kept there",
      ),
      must(
        "a controller that is not there is an error",
        "resources: one error names field, file and value, and nothing is left: a unified controller that is not there",
      ),
      must(
        "what v2 cannot do of v1's settings is an error",
        "resources: one error names field, file and value, and nothing is left: network marks without v1",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "IntelRdt",
    [24, 2],
    [
      must(
        "intelRdt without resctrl is an error",
        `${OWN}: intelRdt where no resctrl file system is mounted is an error`,
        "bad-input: /linux/intelRdt is not ignored: not supported yet, or it works",
      ),
      must(
        "without it no resctrl file system is touched",
        `${OWN}: without intelRdt no resctrl file system is touched`,
      ),
      times(
        4,
        must(
          "the process is in the group of its closID, of the default one for /, of its own id without one, which is made (on a stand-in)",
          `${RDT}: without a closID the group has the container's id, has init, and goes with it`,
          `${RDT}: a closID of / is the default group`,
          `${RDT}: without schemas no schemata file is written, and a closID must be there`,
        ),
      ),
      times(
        5,
        must(
          "schemas are written to the group: the cache's first, then the bandwidth's, schemata last (on a stand-in)",
          `${RDT}: the cache's schema is written first, then the bandwidth's, then schemata, each at once; then the pid`,
        ),
      ),
      times(
        2,
        must(
          "without schemas none is written; the group of a closID must be there then (on a stand-in)",
          `${RDT}: without schemas no schemata file is written, and a closID must be there`,
        ),
      ),
      must(
        "the group of a closID is made when it is missing (on a stand-in)",
        `${RDT}: a closID is made when it is missing, and stays at delete`,
      ),
      must(
        "where it is there its schemas must be those of the container (on a stand-in)",
        `${RDT}: the schemas of a closID that is there must be those of the container, as numbers`,
      ),
      times(
        2,
        must(
          "delete removes a group that was made without a closID, and no other (on a stand-in)",
          `${RDT}: without a closID the group has the container's id, has init, and goes with it`,
          `${RDT}: a closID is made when it is missing, and stays at delete`,
        ),
      ),
      times(
        4,
        must(
          "a monitoring group has the container's id, and is removed with it; one that cannot be made is an error (on a stand-in)",
          `${RDT}: a monitoring group has the container's id, has init after the group, and goes with the container`,
          `${RDT}: a monitoring group that is there, or cannot be made, is an error, and nothing is left`,
        ),
      ),
      times(
        3,
        must(
          "schemas have one line, and memBwSchema begins with MB:",
          "bad-input: /linux/intelRdt: * is refused and named",
        ),
      ),
      nobody("SHOULD", 2, "l3CacheSchema begins with L3: and has one line", AUTHOR),
    ],
  ),
  section(
    "config-linux.md",
    "Memory policy",
    [1, 0],
    [
      must(
        "memoryPolicy has a mode",
        invalid("/linux/memoryPolicy"),
        "bad-input: /linux/memoryPolicy is not ignored: not supported yet, or it works",
      ),
    ],
  ),
  section(
    "config-linux.md",
    "Seccomp",
    [16, 0],
    [
      must("a profile has a defaultAction", invalid("/linux/seccomp")),
      times(2, must("an errno for an action that has none is an error", ERRNO)),
      must("listenerPath is a stream socket of its kind", AGENT),
      times(3, must("one state a connection, which is closed then", AGENT)),
      must("an agent that cannot be reached is an error", `${OWN}: an agent that cannot be reached is an error`),
      must("the descriptor is named seccompFd", AGENT),
      must("listenerMetadata comes with listenerPath", `${OWN}: listenerMetadata without listenerPath is an error`),
      times(3, must("a rule has names, at least one, and an action", invalid("/linux/seccomp"))),
      times(3, must("a condition has index, value and op", `${OWN}: a condition without * is an error`)),
    ],
  ),
  section(
    "config-linux.md",
    "The Container Process State",
    [6, 0],
    [times(6, must("the agent gets the state as JSON, the descriptor beside its beginning", AGENT))],
  ),
  section(
    "config-linux.md",
    "Masked Paths",
    [1, 0],
    [must("masked paths are absolute", invalid("/linux/maskedPaths/0"))],
  ),
  section(
    "config-linux.md",
    "Readonly Paths",
    [1, 0],
    [must("read-only paths are absolute", invalid("/linux/readonlyPaths/0"))],
  ),
  section("config-linux.md", "Personality", [1, 0], [must("personality has a domain", invalid("/linux/personality"))]),
];
