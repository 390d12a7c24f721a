// What a container says on its own NOTIFY_SOCKET (notify.ts), passed on to the service manager.

import { EINTR, ENOENT, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from "../container/open-flags.ts";
import type { Abort } from "../container/start-pipe.ts";
import { warn } from "../errors/warning.ts";
import { must, nativeError } from "../host/must.ts";
import type { Native } from "../host/native.gen.ts";
import { FOLDER, managerAddress, SOCKET } from "./notify.ts";

const READY = "READY=";
/** What is beyond this is cut off a datagram. */
const DATAGRAM_MAX = 4096;
/** Datagrams that are read at a time: a container that never stops talking must not keep signals from being seen. */
const BATCH = 16;
/** Milliseconds. The service manager reads at once, or something is wrong with it. */
const TIMEOUT = 30_000;
const EAGAIN = 11;
const POLLIN = 1;

/** Between a container and the service manager, until the container is ready. */
export class Notifier {
  readonly #native: Native;
  /** The container's side. */
  #socket: number;
  readonly #manager: number;

  private constructor(native: Native, socket: number, manager: number) {
    this.#native = native;
    this.#socket = socket;
    this.#manager = manager;
  }

  /** Before the container's process is executed. Undefined when nobody is to be told. */
  static open(native: Native, { dir, path }: { dir: number; path: string }): Notifier | undefined {
    const address = managerAddress(must(native.environ(), { operation: "environ" }) as string);
    if (address === undefined) return undefined;
    const facts = { message: "cannot reach the service manager at NOTIFY_SOCKET", path: address };
    const manager = must(native.connect_datagram(address, TIMEOUT), { ...facts, operation: "connect" });
    return new Notifier(native, bind(native, dir, path), manager);
  }

  /** Adds what is to be polled. */
  wanted(fds: number[], events: number[]): void {
    if (this.#socket < 0) return;
    fds.push(this.#socket);
    events.push(POLLIN);
  }

  /** In the foreground this process is the service's main one: it passes signals on to the container. */
  transfer(): void {
    if (this.#socket < 0) return;
    const ready = this.#readyLine();
    if (ready !== undefined) this.#tell(ready, this.#native.getpid());
  }

  /** Until the container has said that it is ready, or has ended. `check` throws when a signal has come to its `fd`. */
  wait(pid: number, pidfd: number, interrupts?: Abort): void {
    const native = this.#native;
    const fds = [this.#socket, pidfd];
    if (interrupts !== undefined) fds.push(interrupts.fd);
    const events = Uint32Array.from(fds, () => POLLIN);
    for (;;) {
      const ready = native.poll(Uint32Array.from(fds), events, -1);
      if (ready === -EINTR) continue;
      if (typeof ready === "number") throw nativeError(ready, { operation: "poll" });
      if (ready[2]) interrupts?.check();
      const line = ready[0] !== 0 ? this.#readyLine() : undefined;
      if (line !== undefined && this.#tell(line, pid)) this.#barrier(interrupts);
      if (line !== undefined || ready[1] !== 0) break;
    }
    this.close();
  }

  close(): void {
    if (this.#socket >= 0) this.#native.close(this.#socket);
    this.#socket = -1;
    this.#native.close(this.#manager);
  }

  /** READY=... of the datagrams that are there; poll tells of those that are left. */
  #readyLine(): string | undefined {
    for (let i = 0; i < BATCH; i++) {
      const text = this.#native.read(this.#socket, DATAGRAM_MAX);
      if (text === -EAGAIN) return undefined;
      const lines = (must(text, { operation: "read", path: SOCKET }) as string).split("\n");
      const line = lines.find((each) => each.startsWith(READY));
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /** The container goes on even if the service manager is gone meanwhile. */
  #tell(ready: string, pid: number): boolean {
    for (const text of [`${ready}\n`, `MAINPID=${pid}\n`]) {
      const sent = this.#native.write(this.#manager, text);
      if (sent < 0) {
        const message = "cannot tell the service manager that the container is ready";
        warn(nativeError(sent, { message, operation: "write" }));
        return false;
      }
    }
    this.#native.close(this.#socket);
    this.#socket = -1;
    return true;
  }

  /** sd_notify_barrier(3): once the manager has come to this message it closes the pipe. Some do not know it. */
  #barrier(interrupts?: Abort): void {
    const native = this.#native;
    const [read, write] = must(native.pipe(), { operation: "pipe" }) as [number, number];
    const sent = native.send_fd(this.#manager, "BARRIER=1", write);
    native.close(write);
    const end = (must(native.monotonic(), { operation: "clock_gettime" }) as number) + TIMEOUT;
    const fds = Uint32Array.of(read, interrupts?.fd ?? -1); // poll(2) leaves -1 out
    for (let left = sent < 0 ? 0 : TIMEOUT; left > 0; left = end - native.monotonic()) {
      const ready = native.poll(fds, Uint32Array.of(POLLIN, POLLIN), left);
      if (ready === -EINTR) continue;
      if (typeof ready !== "number" && ready[1] !== 0) interrupts?.check();
      break;
    }
    native.close(read);
  }
}

/** A start that was killed has left its socket. */
function bind(native: Native, dir: number, path: string): number {
  const facts = { path: `${path}/${FOLDER}/${SOCKET}` };
  const folder = native.open(dir, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  must(folder, { ...facts, operation: "open" });
  const removed = native.unlink(folder, SOCKET, 0);
  if (removed !== -ENOENT) must(removed, { ...facts, operation: "unlink" });
  const socket = native.bind_datagram(folder, SOCKET, 0o777);
  native.close(folder);
  return must(socket, { ...facts, operation: "bind" });
}
