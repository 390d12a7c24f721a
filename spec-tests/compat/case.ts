// A case: one command line, what is there before it, and nothing about its outcome. Each runtime gets the same.

import type { Config } from "../support/config.ts";

/** The container that is there before: of the name ID, running a program that ends by SIGTERM. */
export type Given = "none" | "created" | "running" | "stopped" | "paused";

export interface Case {
  /** Unique; begins with the command. */
  title: string;
  /**
   * The words behind `RUNTIME --root ROOT [--log ...]`. ID is the container's name, DIR an empty folder that is the
   * current one too, BUNDLE a bundle whose program ends at once, SOCKET a socket in DIR that is listened on.
   */
  words: readonly string[];
  /** The words are all there are: --root and --log are not put in front. */
  bare?: true;
  /** One more way to write what another case has: left out where time is short. */
  another?: true;
  given?: Given;
  /** The container is changed: it is this case's own. */
  changes?: true;
  /** BUNDLE is this case's own, with this config.json. */
  config?: (config: Config) => void;
  /** The program of BUNDLE. */
  program?: string;
  /** Files in DIR. */
  files?: Readonly<Record<string, string>>;
  /** A file of DIR as standard input. */
  stdin?: string;
  env?: Readonly<Record<string, string>>;
  /** Descriptors 3 and up that the runtime gets, open on a file. */
  fds?: number;
  /** The command does not end by itself: SIGTERM when something has come on standard output. */
  endless?: true;
  /** The status that is waited for before it is looked at what is left. */
  settles?: Given;
}

/** Cases of one command: titles and words begin with it. */
export function casesOf(command: string, table: Readonly<Record<string, Omit<Case, "title">>>): Case[] {
  return Object.entries(table).map(([title, rest]) => ({
    ...rest,
    title: `${command}: ${title}`,
    words: [command, ...rest.words],
  }));
}
