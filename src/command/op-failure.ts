// A failed op of init as the error that the user sees: what was done to which path, for which field of config.json. The
// phrases for a missing or forbidden executable are the ones that engines match.

import { type ErrorFacts, RuntimeError } from "../errors/runtime-error.ts";
import { errnoText } from "../tables/errno.ts";

const ENOENT = 2;
const ECHILD = 10;
const ENOTDIR = 20;
const EISDIR = 21;
const ETIMEDOUT = 110;

/** What init reported. */
export interface Failure {
  op: number;
  errno: number;
  value: number;
}

/** Where the op came from. */
export interface FailedOp {
  name: string;
  pointer: string;
  /** The path or name that it is about; "" when there is none. */
  subject: string;
}

export function opFailure(failure: Failure, { name, pointer, subject }: FailedOp, detail: string): RuntimeError {
  const facts: Omit<ErrorFacts, "message"> = {
    op: failure.op,
    ...(pointer === "" ? {} : { pointer }),
    ...(detail === "" ? {} : { detail }),
  };
  const about = subject === "" ? {} : { path: subject };
  // As mount(2) says it: Docker takes "is a directory" for a program that cannot be executed.
  const fileOnFolder = name === "target" && failure.errno === EISDIR;
  const errno = fileOnFolder ? ENOTDIR : failure.errno;
  switch (name) {
    case "find_executable":
      return new RuntimeError({ ...facts, errno, message: lookupMessage(subject, errno) });
    case "execute":
      return new RuntimeError({ ...facts, errno, message: executeMessage(subject, errno) });
    case "hook":
      if (errno === ETIMEDOUT) {
        return new RuntimeError({ ...facts, ...about, message: "hook did not end within its timeout and was killed" });
      }
      if (errno !== ECHILD) return new RuntimeError({ ...facts, ...about, errno, message: "cannot run hook" });
      return new RuntimeError({ ...facts, ...about, message: hookMessage(failure.value) });
    default: {
      const message = fileOnFolder ? "a file cannot be mounted on a folder" : LABELS[pointer];
      if (message !== undefined) return new RuntimeError({ ...facts, ...about, errno, message });
      return new RuntimeError({ ...facts, ...about, errno, message: "", operation: name });
    }
  }
}

/** What init does for these is one write, in runc's words. A profile or label that the kernel has not loaded: ENOENT, EINVAL. */
const LABELS: Readonly<Record<string, string>> = {
  "/process/apparmorProfile": "unable to apply apparmor profile",
  "/process/selinuxLabel": "can't set process label",
};

/** As Go's os/exec words it: `exec: "x": executable file not found in $PATH`. */
function lookupMessage(program: string, errno: number): string {
  const quoted = JSON.stringify(program);
  if (errno !== ENOENT) return `exec: ${quoted}: ${errnoText(errno)}`;
  return program.includes("/")
    ? `exec: ${quoted}: stat ${program}: no such file or directory`
    : `exec: ${quoted}: executable file not found in $PATH`;
}

/** The file was there at create: it has been removed since, or its interpreter is missing. */
function executeMessage(program: string, errno: number): string {
  return program === ""
    ? `exec of the container's program: ${errnoText(errno)}`
    : `exec ${JSON.stringify(program)}: ${errnoText(errno)}`;
}

/** `value` of the op `hook`: an exit status, or a signal's number, negative. */
function hookMessage(value: number): string {
  return value < 0 ? `hook was killed by signal ${-value}` : `hook failed: exit status ${value}`;
}
