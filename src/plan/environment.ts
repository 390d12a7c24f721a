// process.env as the container's process gets it.

import type { CreateOptions } from "./plan.ts";

export interface Environment {
  env: string[];
  /** Value of PATH, "" without one: then nothing is found by name alone. */
  path: string;
  /** HOME is absent or empty, so that it comes from /etc/passwd. */
  needsHome: boolean;
}

/** Of several entries with one name the last counts and stays where it is, as in runc. */
export function environment(entries: readonly string[], options: CreateOptions): Environment {
  const env: string[] = [];
  const seen = new Set<string>();
  let path = "";
  let needsHome = true;
  const sockets = options.listenFds > 0;
  if (sockets) seen.add("LISTEN_FDS").add("LISTEN_PID");
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i] as string;
    const equals = entry.indexOf("=");
    const name = equals < 0 ? entry : entry.slice(0, equals);
    if (seen.has(name)) continue;
    seen.add(name);
    if (name === "PATH") path = entry.slice(equals + 1);
    if (name === "HOME") {
      if (equals === entry.length - 1) continue;
      needsHome = false;
    }
    env.push(entry);
  }
  env.reverse();
  // sd_listen_fds(3): the container's process is pid 1 of its own pid namespace.
  if (sockets) env.push(`LISTEN_FDS=${options.listenFds}`, "LISTEN_PID=1");
  return { env, path, needsHome };
}
