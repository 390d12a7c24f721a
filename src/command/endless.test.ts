// Containers that never stop: what the runtime reads of them at a time has an end.

import { expect, test } from "vitest";
import type { Native } from "../host/native.gen.ts";
import { Notifier } from "./notifier.ts";
import { Terminal } from "./run/terminal.ts";
import { waitForExit } from "./run/wait.ts";

/** Fails where a loop would go on for ever. */
function endless(answer: string, most: number): { read: () => string; reads: () => number } {
  let reads = 0;
  const read = (): string => {
    if (++reads > most) throw new Error(`read ${reads} times`);
    return answer;
  };
  return { read, reads: () => reads };
}

const fake = (calls: Partial<Record<keyof Native, unknown>>): Native => calls as unknown as Native;

test("datagrams without READY=1 are read a few at a time", () => {
  const { read, reads } = endless("X=1", 1000);
  const native = fake({
    environ: () => "NOTIFY_SOCKET=/manager",
    connect_datagram: () => 7,
    open: () => 8,
    unlink: () => 0,
    bind_datagram: () => 9,
    close: () => 0,
    read,
    poll: () => [1, 0, 1],
  });
  const notifier = Notifier.open(native, { dir: 5, path: "/state" }) as Notifier;
  notifier.transfer();
  expect(reads()).toBeLessThan(100);
  const interrupted = new Error("SIGTERM");
  const check = (): void => {
    throw interrupted;
  };
  expect(() => notifier.wait(1, 2, { fd: 3, check })).toThrow(interrupted);
});

test("a terminal that somebody goes on to fill is read no longer than what can have been in it", () => {
  const { read, reads } = endless("x".repeat(4095), 1000);
  const native = fake({
    isatty: () => 1,
    receive_fd: () => 7,
    close: () => 0,
    tty_size: () => -25,
    tty_raw: () => 0,
    poll: () => [1],
    write: () => 4095,
    read,
  });
  new Terminal(native, 6).drain();
  expect(reads()).toBeLessThan(100);
});

test("the end of init is seen among signals and zombies without end", () => {
  const signals = endless("SIGCHLD", 10_000);
  const zombies = endless("zombie", 10_000);
  const native = fake({
    poll: () => [1, 1],
    read_signal: () => (signals.read() === "" ? 0 : 17),
    peek_child: () => (zombies.read() === "" ? 0 : 99),
    wait_child: (pid: number) => [pid, 1, 7],
  });
  expect(waitForExit(native, 5, 6, 7)).toBe(7);
});
