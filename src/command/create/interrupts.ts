// SIGTERM, SIGINT and SIGHUP during create: the command ends at the next step and undoes what it has done.

import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";

const SIGHUP = 1;
const SIGINT = 2;
const SIGTERM = 15;
const EINTR = 4;
const POLLIN = 1;

export class Interrupts {
  readonly #native: Native;
  /** Readable when a signal is pending. */
  readonly fd: number;

  constructor(native: Native) {
    this.#native = native;
    this.fd = must(native.signal_fd(Uint32Array.of(SIGHUP, SIGINT, SIGTERM)), { operation: "signalfd" });
  }

  /** Throws when one of the signals has come. */
  check(): void {
    const signal = this.#native.read_signal(this.fd);
    if (signal > 0) throw new RuntimeError({ message: `interrupted by signal ${signal}`, exitCode: 128 + signal });
  }

  /** Waits until the descriptor is readable or closed, as it soon will be; throws when a signal comes first. */
  waitFor(fd: number): void {
    const fds = Uint32Array.of(fd, this.fd);
    const events = Uint32Array.of(POLLIN, POLLIN);
    for (;;) {
      const ready = this.#native.poll_here(fds, events);
      if (ready === -EINTR) continue; // a signal that is not ours
      if (typeof ready === "number") throw nativeError(ready, { operation: "poll" });
      if (ready[0] !== 0) return;
      this.check();
    }
  }

  close(): void {
    this.#native.close(this.fd);
  }
}
