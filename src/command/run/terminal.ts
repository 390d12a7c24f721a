// The container's terminal in the foreground: this terminal in raw mode, its keys to the pty, the pty's output here.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";

const EINTR = 4;
const POLLIN = 1;
const POLLOUT = 4;
/** Less than what a pty takes at once, so that a write after POLLOUT does not block. */
const INPUT_CHUNK = 1024;
const OUTPUT_CHUNK = 65536;
/** More than what a pty keeps for its reader: what comes later was written by somebody who is still there. */
const LAST_OUTPUT = 1 << 18;
const STDIN = 0;
const STDOUT = 1;

export class Terminal {
  readonly #native: Native;
  readonly #master: number;
  /** The descriptor of this process that is a terminal. */
  readonly #host: number;
  #input = "";
  #inputOpen = true;
  #outputOpen = true;

  /** Takes the pty's master from the socket that init has sent it to. */
  constructor(native: Native, socket: number) {
    this.#native = native;
    this.#host = hostTerminal(native);
    this.#master = must(native.receive_fd(socket), { operation: "recvmsg", message: "init sent no terminal" });
    native.close(socket);
    this.resize();
    must(native.tty_raw(this.#host), { operation: "tcsetattr", pointer: "/process/terminal" });
  }

  /** Gives the pty this terminal's size. */
  resize(): void {
    const size = this.#native.tty_size(this.#host);
    if (typeof size !== "number") this.#native.tty_set_size(this.#master, size[0] as number, size[1] as number);
  }

  /** Adds what is to be polled. */
  wanted(fds: number[], events: number[]): void {
    const masterEvents = (this.#outputOpen ? POLLIN : 0) | (this.#input === "" ? 0 : POLLOUT);
    if (masterEvents !== 0) {
      fds.push(this.#master);
      events.push(masterEvents);
    }
    if (this.#inputOpen && this.#input === "") {
      fds.push(STDIN);
      events.push(POLLIN);
    }
  }

  /** Moves what poll found ready. */
  transfer(fds: readonly number[], ready: readonly number[]): void {
    for (let i = 0; i < fds.length; i++) {
      const events = ready[i] ?? 0;
      if (events === 0) continue;
      if (fds[i] === STDIN) this.#readInput();
      else if (fds[i] === this.#master) {
        if ((events & POLLOUT) !== 0 && this.#input !== "") this.#writeInput();
        if ((events & ~POLLOUT) !== 0) this.#copyOutput();
      }
    }
  }

  /** After the container has ended: what it has still written. */
  drain(): void {
    const fds = Uint32Array.of(this.#master);
    const events = Uint32Array.of(POLLIN);
    for (let size = 0; this.#outputOpen && size < LAST_OUTPUT; ) {
      const ready = this.#native.poll(fds, events, 0);
      if (ready === -EINTR) continue;
      if (typeof ready === "number" || ready[0] === 0) return;
      size += this.#copyOutput();
    }
  }

  restore(): void {
    this.#native.tty_restore();
  }

  #readInput(): void {
    const data = this.#native.read(STDIN, INPUT_CHUNK);
    if (typeof data === "number" || data === "") this.#inputOpen = false;
    else this.#input = data;
  }

  #writeInput(): void {
    if (this.#native.write(this.#master, this.#input) < 0) this.#inputOpen = false;
    this.#input = "";
  }

  /** How much it was. EIO is how a pty says that nobody has its other side open. */
  #copyOutput(): number {
    const data = this.#native.read(this.#master, OUTPUT_CHUNK);
    if (typeof data === "number" || data === "") {
      this.#outputOpen = false;
      return 0;
    }
    this.#native.write(STDOUT, data);
    return data.length;
  }
}

/** The first of stderr, stdout, stdin that is a terminal. */
export function hostTerminal(native: Native): number {
  for (const fd of [2, 1, 0]) if (native.isatty(fd) === 1) return fd;
  throw new RuntimeError({
    message: "none of stdin, stdout and stderr is a terminal; use --detach with --console-socket",
    pointer: "/process/terminal",
  });
}
