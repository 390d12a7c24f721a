// The full pipes that init blocks on: docs/architecture.md, "Start pipe".

import { fullPipe } from "../../container/start-pipe.ts";
import { START_FIFO, type StateHandle } from "../../container/store.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import type { CreateRequest } from "./request.ts";

const O_RDWR = 2;
/** Anything of the stream of a full pipe: it holds one page, or a few where a page cannot be had. */
const PIPE_READ = 65536;

export interface Pipes {
  start: number;
  startRead: number;
  commit: number;
  commitRead: number;
}

/** `run` waits at a pipe; `create` leaves a fifo for `start`, and has a pipe until the container is recorded. */
export function openPipes(native: Native, request: CreateRequest, state: StateHandle): Pipes {
  const [read, write] = fullPipe(native);
  if (!request.outlives) return { start: write, startRead: read, commit: -1, commitRead: -1 };
  must(native.mkfifo(state.dir, START_FIFO, 0o600), { operation: "mkfifo", path: `${state.path}/${START_FIFO}` });
  const facts = { operation: "open", path: `${state.path}/${START_FIFO}` };
  const start = must(native.open(state.dir, START_FIFO, O_RDWR, 0), facts);
  must(native.fill_pipe(start), { operation: "fill pipe" });
  return { start, startRead: -1, commit: write, commitRead: read };
}

/** Lets init pass its start pipe before it is there. Takes zeros alone: init's byte finds no room before them. */
export function openAhead(native: Native, { startRead }: Pipes): void {
  must(native.read(startRead, PIPE_READ), { operation: "read", message: "cannot drain the start pipe" });
}

/**
 * Drains the commit pipe until init's own byte, the first that is not zero, has come. Zeros alone are not enough: init
 * may not be in its write yet, and would find the pipe broken once this process has ended.
 */
export function releaseCommit(native: Native, pipe: number): void {
  for (;;) {
    const bytes = must(native.read(pipe, PIPE_READ), { operation: "read", message: "cannot hear from init" }) as string;
    if (bytes === "")
      throw new RuntimeError({ message: "the container's init process died (killed, or out of memory)" });
    if (bytes.charCodeAt(bytes.length - 1) !== 0) return;
  }
}
