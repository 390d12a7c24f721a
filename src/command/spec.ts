// `berth spec`: writes a config.json to start from; never over one that is there.

import { configTemplate } from "../bundle/template.ts";
import { AT_FDCWD, EEXIST, O_CREAT, O_EXCL, O_WRONLY } from "../container/open-flags.ts";
import { RuntimeError } from "../errors/runtime-error.ts";
import { must } from "../host/must.ts";
import type { Context, Outcome } from "./command.ts";

const CGROUP2_SUPER_MAGIC = 0x63677270;

export function spec({ native, options }: Context): Outcome {
  const bundle = options.string("bundle") || ".";
  const path = `${bundle}/config.json`;
  const ids = must(native.ids(), { operation: "getuid" }) as number[];
  const text = configTemplate({
    cgroup2: native.statfs_type(AT_FDCWD, "/sys/fs/cgroup") === CGROUP2_SUPER_MAGIC,
    ...(options.bool("rootless") ? { rootless: { euid: ids[1] as number, egid: ids[3] as number } } : {}),
  });
  const written = native.write_file(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0o666, text);
  if (written === -EEXIST) throw new RuntimeError({ message: "File config.json exists. Remove it first", path });
  must(written, { operation: "write", path });
  return {};
}
