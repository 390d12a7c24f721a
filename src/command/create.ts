// `create`: a container whose init waits for `start`.

import { absolute, rightsOf } from "../container/root.ts";
import type { Context, Outcome } from "./command.ts";
import { createContainer } from "./create/container.ts";
import type { CreateRequest } from "./create/request.ts";

export function create(context: Context): Outcome {
  createContainer(context.native, createRequest(context, { outlives: true, foreground: false }));
  return {};
}

/** What `create` and `run` have in common on their command lines. */
export function createRequest(context: Context, kind: { outlives: boolean; foreground: boolean }): CreateRequest {
  const { native, options } = context;
  const pidFile = options.string("pid-file") ?? "";
  const consoleSocket = options.string("console-socket") ?? "";
  const pidfdSocket = options.string("pidfd-socket") ?? "";
  return {
    id: context.args[0] as string,
    root: context.root,
    bundle: options.string("bundle") || ".",
    // Before the command changes into the bundle.
    ...(pidFile === "" ? {} : { pidFile: absolute(native, pidFile) }),
    ...(consoleSocket === "" ? {} : { consoleSocket }),
    ...(pidfdSocket === "" ? {} : { pidfdSocket }),
    noPivot: options.bool("no-pivot"),
    noNewKeyring: options.bool("no-new-keyring"),
    preserveFds: options.int("preserve-fds"),
    ...kind,
    rights: rightsOf(native, context.rootless),
    systemd: context.systemd,
  };
}
