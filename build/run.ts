// Running other programs from the build.

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

/**
 * Runs a program to its end and returns its stdout.
 *
 * @throws Error with the command and everything it printed when it fails.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let all = "";
    child.stdout.on("data", (data: Buffer) => {
      stdout += data;
      all += data;
    });
    child.stderr.on("data", (data: Buffer) => {
      all += data;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(" ")}\nfailed (${signal ?? code}):\n${all}`));
    });
  });
}

/** Maps with as many calls under way as there are processors, in order of the items. */
export async function parallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}
