// What a command gets and gives. Commands print nothing: main.ts does.

import type { Options } from "../cli/reading.ts";
import type { Native } from "../host/native.gen.ts";

export interface Context {
  readonly native: Native;
  /** The state root, absolute. */
  readonly root: string;
  /** --root was given. */
  readonly rootGiven: boolean;
  /** --rootless. */
  readonly rootless: boolean | "auto";
  /** --systemd-cgroup. Only what makes a container asks: everything else reads the state. */
  readonly systemd: boolean;
  readonly options: Options;
  readonly args: readonly string[];
}

export interface Outcome {
  /** For standard output, written as it is. */
  stdout?: string;
  /** What is printed bit by bit until it returns; called behind the above. */
  stream?: (print: (text: string) => void) => void;
  /** Plain lines for standard error. */
  stderr?: string;
  /** Exit code; absent: 0. */
  code?: number;
}
