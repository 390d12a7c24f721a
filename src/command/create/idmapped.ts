// Mounts that the runtime makes, because init in its user namespace may not (csrc/host/idmap.c).

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import { BARRIER } from "../../plan/protocol.ts";
import { CLONE_NEWUSER, O_NOCTTY } from "../../tables/linux.ts";
import type { Creation, Step } from "./creation.ts";

const AT_FDCWD = -100;
const EINVAL = 22;

/** One user namespace more for `mapMount`; closed after the last mount, or by the undo. */
export function addUserNamespace(
  creation: Creation,
  step: Step<"make user namespace"> | Step<"open user namespace">,
): void {
  const { native, undo, userNamespaces } = creation;
  if (userNamespaces.length === 0) undo.push(() => closeAll(creation));
  const { pointer } = step.origin;
  if (step.step === "open user namespace") {
    const facts = { operation: "open", path: step.path, pointer };
    const fd = must(native.open(AT_FDCWD, step.path, O_NOCTTY, 0), facts);
    userNamespaces.push(fd);
    if (native.ns_type(fd) !== CLONE_NEWUSER) {
      throw new RuntimeError({ message: "not a user namespace", pointer, path: step.path });
    }
    return;
  }
  const fd = native.user_namespace(step.uids, step.gids);
  if (fd < 0) {
    const message = "cannot make a user namespace with the mappings of the mount";
    throw nativeError(fd, { message, pointer, detail: native.detail() as string });
  }
  userNamespaces.push(fd);
}

/** Makes the clone and releases init with it. */
export function mapMount(creation: Creation, step: Step<"map mount">): void {
  const { native, userNamespaces, socket } = creation;
  const namespace = userNamespaces[step.namespace] ?? -1;
  const mount = native.idmapped_mount(creation.pidfd, step.source, step.flags, namespace, step.recursive ? 1 : 0);
  if (mount < 0) throw mapError(mount, native.detail() as string, step);
  const go = String.fromCharCode(BARRIER.mount, 0, 0, 0);
  const sent = native.send_fd(socket, go, mount);
  native.close(mount);
  must(sent, { operation: "send", message: "cannot reach init" });
  if (step.last) closeAll(creation);
}

function mapError(error: number, operation: string, { source, origin }: Step<"map mount">): RuntimeError {
  const pointer = `${origin.pointer}/source`;
  if (!operation.startsWith("mount_setattr") || error !== -EINVAL) {
    return nativeError(error, { operation, pointer, path: source });
  }
  const message = "cannot map the ids of this mount: its file system may not support it with this kernel";
  return nativeError(error, { message, pointer, path: source });
}

function closeAll({ native, userNamespaces }: Creation): void {
  for (const fd of userNamespaces.splice(0)) native.close(fd);
}
