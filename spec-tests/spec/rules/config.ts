// config.md.

import { OPTIONS } from "../mount-options.ts";
import { AUTHOR, must, nobody, OTHERS, type Rule, section, should, times } from "./rule.ts";

const OWN = "spec/config";
const MOUNTS = "spec/mounts";
const HOOKS = "spec/hooks";
const invalid = (pointer: string): string => `${OWN}: ${pointer}: * is an error`;
const NAMESPACES =
  "hooks: prestart, createRuntime, poststart and poststop run in the caller's namespaces, createContainer and startContainer in the container's";
const path = (kind: string): string =>
  `${HOOKS}: the path of a ${kind} hook is resolved in the ${kind === "startContainer" ? "container" : "runtime"} namespace`;
const CREATE_HOOKS = `${HOOKS}: create runs prestart, createRuntime, createContainer hooks: in this order, a list in its own`;
const BEFORE_PIVOT = `${HOOKS}: prestart and createRuntime hooks find the mounts made, and the root not yet changed`;

const options = (): Rule[] =>
  OPTIONS.filter(({ level }) => level !== "MAY").map(({ name, level, effect }) =>
    (level === "MUST" ? must : should)(
      `the mount option ${name}`,
      ...(effect.on === "test" ? effect.tests : [`${MOUNTS}: the option ${name}`]),
    ),
  );

const IDMAP = [
  "idmap: a mount with mappings of its own",
  "idmap: mappings of the mount count in a user namespace, too",
  "idmap: idmap changes the mount alone, ridmap those below it",
];
const IDMAP_ERROR = `${MOUNTS}: idmap without mappings, of the mount or of a user namespace, is an error`;

/** What a hook of that kind is, in two places of the text. */
const where = (kind: string, words: [path: number, run: number]): Rule[] => [
  times(words[0], must(`the path of a ${kind} hook is looked up where the text says`, path(kind))),
  times(words[1], must(`${kind} hooks run in the namespaces that the text says`, NAMESPACES)),
];

export const CONFIG = [
  section(
    "config.md",
    "Specification version",
    [2, 0],
    [times(2, must("ociVersion is there, and a version", invalid("/ociVersion")))],
  ),
  section(
    "config.md",
    "Root",
    [8, 1],
    [
      nobody("MUST", 4, "what root is on Windows", OTHERS),
      must("root is there", invalid("/root")),
      must("root.path is there", invalid("/root/path")),
      must(
        "root.path is a folder",
        `${OWN}: a root.path may be absolute or relative to the bundle, and must be a folder`,
      ),
      must(
        "root.readonly makes it read-only",
        `${MOUNTS}: root.readonly makes the root file system read-only, and without it it is not`,
      ),
      nobody("SHOULD", 1, "the folder is named rootfs", AUTHOR),
    ],
  ),
  section(
    "config.md",
    "Mounts",
    [8, 1],
    [
      must("mounts are made in their order", `${MOUNTS}: mounts are made in the order of the list`),
      must("destination is there", invalid("/mounts/0/destination")),
      nobody("SHOULD", 1, "destination is absolute", AUTHOR),
      must("a relative destination counts from /", `${MOUNTS}: a relative destination counts from /`),
      nobody("MUST", 5, "what mounts are on Windows, Solaris and elsewhere", OTHERS),
    ],
  ),
  section(
    "config.md",
    "Linux mount options",
    [47, 28],
    [
      nobody("MUST", 2, "the table says which options are", "the options are below, one by one"),
      nobody("SHOULD", 1, "the table says which options are", "the options are below, one by one"),
      ...options(),
      times(2, must("idmap and ridmap map the ids of the mount", ...IDMAP)),
      times(
        2,
        must("mappings of the mount itself count", "idmap: mappings of the mount count in a user namespace, too"),
      ),
      times(
        4,
        must(
          "without mappings of its own it has those of the user namespace, or is an error",
          "idmap: idmap in a user namespace: the container has the ids of the file system",
          IDMAP_ERROR,
        ),
      ),
      times(2, should("idmap and ridmap do not go to the file system", ...IDMAP)),
      times(
        2,
        should(
          "they are made by mount_setattr",
          "idmap: what the container may not change of the source's mount, it may not change of its own",
        ),
      ),
      nobody(
        "SHOULD",
        1,
        "own options do what mount(8) does with them",
        "Berth has none that mount(8) knows; crun's copy-symlink is refused",
      ),
      should(
        "what nobody knows goes to the file system",
        `${MOUNTS}: an option that nobody knows goes to the file system`,
      ),
    ],
  ),
  section(
    "config.md",
    "POSIX-platform Mounts",
    [2, 4],
    [
      times(
        2,
        must(
          "mappings of users and of groups come together",
          `${MOUNTS}: mappings of users of a mount without those of groups are an error, and the other way round`,
        ),
      ),
      times(2, should("mappings of a mount are made by mount_setattr", ...IDMAP)),
      nobody("SHOULD", 2, "mappings come with idmap or ridmap", AUTHOR),
    ],
  ),
  section(
    "config.md",
    "Process",
    [8, 0],
    [
      must("process is there for start", "spec/runtime: without process there is no start"),
      must("consoleSize without a terminal is ignored", `${OWN}: consoleSize is ignored without a terminal`),
      times(2, must("consoleSize has height and width", invalid("/process/consoleSize"))),
      times(2, must("cwd is there, and absolute", invalid("/process/cwd"))),
      must("args has an entry", invalid("/process/args")),
      nobody("MUST", 1, "commandLine", OTHERS),
    ],
  ),
  section(
    "config.md",
    "POSIX process",
    [8, 0],
    [
      times(3, must("an rlimit has type, soft and hard", invalid("/process/rlimits/0/*"))),
      must("a type that the kernel does not have is an error", `${OWN}: an rlimit that no kernel has is an error`),
      times(3, must("getrlimit says what is asked for, of every type", `${OWN}: every rlimit is what getrlimit says`)),
      must("a type that is listed twice is an error", `${OWN}: an rlimit that is given twice is an error`),
    ],
  ),
  section(
    "config.md",
    "Linux Process",
    [6, 2],
    [
      must("a capability that cannot be had is a warning", `${OWN}: a capability that no kernel has is a warning`),
      should("and no failure", `${OWN}: a capability that cannot be granted is no failure`),
      times(
        2,
        must(
          "oomScoreAdj is set, or left alone",
          `${OWN}: oomScoreAdj is set when it is given, and is the caller's when not`,
        ),
      ),
      must("scheduler has a policy", invalid("/process/scheduler")),
      times(2, must("ioPriority has class and priority", invalid("/process/ioPriority"))),
      should(
        "without execCPUAffinity.final the affinity is left to the kernel",
        `${OWN}: execCPUAffinity.initial alone leaves the affinity of a process of exec to the kernel`,
      ),
    ],
  ),
  section(
    "config.md",
    "POSIX-platform User",
    [2, 0],
    [times(2, must("uid and gid are there", invalid("/process/user/*")))],
  ),
  section(
    "config.md",
    "Platform-specific configuration",
    [1, 0],
    [nobody("MUST", 1, "windows is set on Windows", OTHERS)],
  ),
  section(
    "config.md",
    "POSIX-platform Hooks",
    [20, 0],
    [
      times(4, must("the path of a hook is there, and absolute", invalid("/hooks/createRuntime"))),
      times(
        2,
        must("a timeout is above zero", invalid("/hooks/createRuntime"), `${HOOKS}: a hook over its timeout fails`),
      ),
      ...["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"].flatMap((kind) =>
        where(kind, [1, 1]),
      ),
      must(
        "hooks are run in their order",
        CREATE_HOOKS,
        `${HOOKS}: start runs startContainer hooks before the program`,
        `${HOOKS}: delete runs poststop hooks when the process is gone, and before it returns`,
      ),
      must("hooks get the state on standard input", `${HOOKS}: * hooks get the state on standard input`),
    ],
  ),
  section(
    "config.md",
    "Prestart",
    [4, 0],
    [
      must("create runs them after the mounts and before the root is changed", BEFORE_PIVOT),
      must("before createRuntime hooks", CREATE_HOOKS),
      ...where("prestart", [1, 1]),
    ],
  ),
  section(
    "config.md",
    "CreateRuntime Hooks",
    [3, 0],
    [
      must("create runs them after the mounts and before the root is changed", BEFORE_PIVOT),
      ...where("createRuntime", [1, 1]),
    ],
  ),
  section(
    "config.md",
    "CreateContainer Hooks",
    [4, 0],
    [
      must(
        "create runs them after the mounts and before the root is changed",
        `${HOOKS}: createContainer hooks find the mounts made, and the root not yet changed`,
      ),
      must("after createRuntime hooks", CREATE_HOOKS),
      ...where("createContainer", [1, 1]),
    ],
  ),
  section(
    "config.md",
    "StartContainer Hooks",
    [3, 0],
    [
      must("start runs them before the program", `${HOOKS}: start runs startContainer hooks before the program`),
      ...where("startContainer", [1, 1]),
    ],
  ),
  section(
    "config.md",
    "Poststart",
    [3, 0],
    [
      must(
        "start runs them after the program began and before it returns",
        `${HOOKS}: start runs poststart hooks after the program is executed, and before it returns`,
      ),
      ...where("poststart", [1, 1]),
    ],
  ),
  section(
    "config.md",
    "Poststop",
    [3, 0],
    [
      must(
        "delete runs them after the container is gone and before it returns",
        `${HOOKS}: delete runs poststop hooks when the process is gone, and before it returns`,
      ),
      ...where("poststop", [1, 1]),
    ],
  ),
  section(
    "config.md",
    "Annotations",
    [15, 10],
    [
      times(3, must("annotations are strings by name", invalid("/annotations"), invalid("/annotations/key"))),
      must("no name is empty", invalid("/annotations/")),
      must("those that nobody knows are kept and do nothing", `${OWN}: unknown annotations are kept and do nothing`),
      nobody("SHOULD", 1, "names are reverse domain names", AUTHOR),
      nobody("MUST", 10, "what org.opencontainers names and their values mean", AUTHOR),
      nobody("SHOULD", 8, "those of images follow the image specification", AUTHOR),
      nobody("SHOULD", 1, "stopSignal is what a container is ended with", "who calls `kill` says the signal"),
    ],
  ),
  section(
    "config.md",
    "Extensibility",
    [1, 0],
    [must("what nobody knows is ignored", `${OWN}: unknown properties are ignored, at every level`)],
  ),
  section(
    "config.md",
    "Valid values",
    [1, 0],
    [
      must(
        "what is invalid or not supported is an error",
        `${OWN}: * is an error`,
        "bad-input: * is refused and named",
      ),
    ],
  ),
];
