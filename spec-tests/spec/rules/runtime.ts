// bundle.md, glossary.md, runtime.md, runtime-linux.md.

import { AUTHOR, must, nobody, section, times } from "./rule.ts";

const OWN = "spec/runtime";
const HOOKS = "spec/hooks";
const PROPERTY = `${OWN}: create fails and leaves nothing where a property cannot be applied`;
const NO_ID = `${OWN}: an operation without the id of a container is an error`;
const HOOK_OF_CREATE = (kind: string): string =>
  `${HOOKS}: a ${kind} hook that fails is the error of create, the next is not run, and nothing is left`;
const CREATE_HOOKS = `${HOOKS}: create runs prestart, createRuntime, createContainer hooks: in this order, a list in its own`;

export const BUNDLE = [
  section(
    "bundle.md",
    "Container Format",
    [4, 0],
    [
      times(
        3,
        must(
          "config.json is the file of that name at the top of the bundle",
          "spec/config: a config.json with another name is not found",
        ),
      ),
      nobody("MUST", 1, "all parts of a bundle lie in one folder", AUTHOR),
    ],
  ),
  section(
    "glossary.md",
    "JSON",
    [2, 0],
    [nobody("MUST", 1, "configuration is UTF-8", AUTHOR), nobody("MUST", 1, "objects have no name twice", AUTHOR)],
  ),
];

export const RUNTIME = [
  section(
    "runtime.md",
    "Scope of a Container",
    [1, 0],
    [
      must(
        "who created a container can use every operation on it",
        `${OWN}: the state has the shape of its schema: created, running, stopped`,
        `${OWN}: delete removes what create made, and nothing else; the id can be used again`,
      ),
    ],
  ),
  section(
    "runtime.md",
    "State",
    [8, 0],
    [
      times(
        6,
        must(
          "the state has ociVersion, id, status, bundle, and a pid while there is a process: the shape of the schema",
          `${OWN}: the state has the shape of its schema: created, running, stopped`,
        ),
      ),
      must("an id is used once", `${OWN}: an id that is in use is an error, and its container goes on`),
      must(
        "other status words mean states that the four do not",
        `${OWN}: what is neither of the four words for a status is a state of its own: paused`,
      ),
    ],
  ),
  section(
    "runtime.md",
    "Lifecycle",
    [19, 0],
    [
      times(
        2,
        must(
          "create makes the environment that config.json asks for, or fails",
          `${OWN}: create makes what config.json asks for and does not run the program`,
          PROPERTY,
        ),
      ),
      times(
        2,
        must(
          "create makes the resources and does not run the program",
          `${OWN}: create makes what config.json asks for and does not run the program`,
        ),
      ),
      must("config.json is not looked at again", `${OWN}: a config.json that is changed after create changes nothing`),
      must("prestart hooks are run", CREATE_HOOKS),
      must("one that fails ends create, and the container", HOOK_OF_CREATE("prestart")),
      must("createRuntime hooks are run", CREATE_HOOKS),
      must("one that fails ends create, and the container", HOOK_OF_CREATE("createRuntime")),
      must("createContainer hooks are run", CREATE_HOOKS),
      must("one that fails ends create, and the container", HOOK_OF_CREATE("createContainer")),
      must("startContainer hooks are run", `${HOOKS}: start runs startContainer hooks before the program`),
      must(
        "one that fails ends start, and the container",
        `${HOOKS}: a startContainer hook that fails is the error of start, and the container is stopped without having run`,
      ),
      must(
        "start runs the program",
        `${OWN}: start of a container that runs, or has stopped, is an error and changes nothing`,
      ),
      must(
        "poststart hooks are run",
        `${HOOKS}: start runs poststart hooks after the program is executed, and before it returns`,
      ),
      must(
        "one that fails ends start, and the container",
        `${HOOKS}: a poststart hook that fails is the error of start, and the container is stopped`,
      ),
      must(
        "delete undoes what create did",
        `${OWN}: delete removes what create made, and nothing else; the id can be used again`,
      ),
      must(
        "poststop hooks are run",
        `${HOOKS}: delete runs poststop hooks when the process is gone, and before it returns`,
      ),
      must(
        "one that fails is a warning, and everything goes on",
        `${HOOKS}: a poststop hook that fails changes nothing: the next one is run, and delete succeeds`,
      ),
    ],
  ),
  section(
    "runtime.md",
    "Errors",
    [1, 0],
    [
      must(
        "an operation that fails leaves things as they were",
        PROPERTY,
        `${OWN}: an id that is not valid is an error, and nothing is made`,
        HOOK_OF_CREATE("createRuntime"),
      ),
    ],
  ),
  section(
    "runtime.md",
    "Warnings",
    [1, 0],
    [
      must(
        "a warning does not change what happens",
        `${HOOKS}: a poststop hook that fails changes nothing: the next one is run, and delete succeeds`,
        "spec/config: a capability that no kernel has is a warning",
      ),
    ],
  ),
  section(
    "runtime.md",
    "Operations",
    [1, 0],
    [
      must(
        "state, create, start, kill and delete are there",
        `${OWN}: delete removes what create made, and nothing else; the id can be used again`,
      ),
    ],
  ),
  section(
    "runtime.md",
    "Query State",
    [3, 0],
    [
      must("state without an id is an error", NO_ID),
      must(
        "state of what does not exist is an error",
        `${OWN}: an operation on a container that does not exist is an error`,
      ),
      must("state prints the state", `${OWN}: the state has the shape of its schema: created, running, stopped`),
    ],
  ),
  section(
    "runtime.md",
    "Create",
    [8, 0],
    [
      must(
        "create without a bundle or an id is an error",
        NO_ID,
        `${OWN}: create without a bundle where it is called, or at the path that is given, is an error`,
      ),
      times(
        2,
        must(
          "an id that is in use or not valid is an error and makes nothing",
          `${OWN}: an id that is in use is an error, and its container goes on`,
          `${OWN}: an id that is not valid is an error, and nothing is made`,
        ),
      ),
      must("create makes a container", `${OWN}: the state has the shape of its schema: created, running, stopped`),
      must(
        "everything but process is applied",
        `${OWN}: create makes what config.json asks for and does not run the program`,
      ),
      must(
        "the program is not executed before start",
        `${OWN}: create makes what config.json asks for and does not run the program`,
      ),
      times(2, must("what cannot be applied is an error and makes nothing", PROPERTY)),
    ],
  ),
  section(
    "runtime.md",
    "Start",
    [5, 0],
    [
      must("start without an id is an error", NO_ID),
      times(
        2,
        must(
          "start of what is not created is an error and does nothing",
          `${OWN}: start of a container that runs, or has stopped, is an error and changes nothing`,
        ),
      ),
      must("start runs the program", `${OWN}: a config.json that is changed after create changes nothing`),
      must("start without process is an error", `${OWN}: without process there is no start`),
    ],
  ),
  section(
    "runtime.md",
    "Kill",
    [4, 0],
    [
      must("kill without an id is an error", NO_ID),
      times(
        2,
        must(
          "kill of what is neither created nor running is an error and does nothing",
          `${OWN}: kill of a stopped container is an error and changes nothing`,
        ),
      ),
      must(
        "kill sends the signal",
        `${OWN}: kill sends the given signal to the container's process`,
        `${OWN}: kill reaches a created container`,
      ),
    ],
  ),
  section(
    "runtime.md",
    "Delete",
    [5, 0],
    [
      must("delete without an id is an error", NO_ID),
      times(
        2,
        must(
          "delete of what has not stopped is an error and does nothing",
          `${OWN}: delete of a running container is an error and changes nothing`,
          `${OWN}: delete of a created container is an error and changes nothing`,
        ),
      ),
      must(
        "what create made is removed",
        `${OWN}: delete removes what create made, and nothing else; the id can be used again`,
      ),
      must(
        "what it did not make is left",
        `${OWN}: delete removes what create made, and nothing else; the id can be used again`,
        "cgroups: are left as they were by a create that fails, and used by one that does not",
      ),
    ],
  ),
  section(
    "runtime-linux.md",
    "Dev symbolic links",
    [1, 0],
    [
      must(
        "/dev/fd, stdin, stdout and stderr are links",
        `${OWN}: /dev/fd, /dev/stdin, /dev/stdout and /dev/stderr are links to /proc/self/fd`,
      ),
    ],
  ),
];
