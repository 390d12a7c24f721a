// What the runtime and init agree on beside the ops themselves (ops.ts). Apart from that table, which only explain and
// error messages need: loading it would be a tenth of a start.

/** As a slot: no descriptor. */
export const NONE = 0xffffffff;
/** Slots init has. The first ones are inherited (spawn's `fds`): 0 is the sync socket, 1 the plan file, empty once read. */
export const SLOTS = 96;

/** Numbers of the barriers that `sync` and the runtime exchange. */
export const BARRIER = {
  /** User namespace exists: the runtime writes setgroups, uid_map, gid_map, raises rlimits. */
  maps: 1,
  /** Mounts and /dev stand, before pivot_root: device rules, prestart and createRuntime hooks. */
  hooks: 2,
  /** The init process is in its final cgroup (systemd). */
  cgroup: 3,
  /** An idmapped mount is to be made: its descriptor comes with the release. */
  mount: 4,
  /** init needs no device any more: the runtime writes the rules, and init goes on. */
  devices: 5,
  /** init is in its network namespace: the runtime moves devices there. */
  network: 6,
} as const;

/** Kinds of report; the same numbers as csrc/init/report.h. */
export const REPORT = { eof: 0, failed: 1, barrier: 2, ready: 3, child: 4, listener: 5 } as const;
