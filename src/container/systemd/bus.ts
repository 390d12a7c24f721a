// A D-Bus connection: one call after the other, everything within a deadline, nothing believed of the other side.

import { bytesOfText, textOfBytes } from "../../bytes/bytes.ts";
import { AUTH_BEGIN, AUTH_DATA, AUTH_START, authAnswer, authLine } from "../../dbus/auth.ts";
import { type Call, decodeMessage, encodeCall, MESSAGE_TYPE, type Message, messageLength } from "../../dbus/message.ts";
import type { Value } from "../../dbus/value.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";

const EAGAIN = 11;
const EINTR = 4;
const POLLIN = 1;
const READ_SIZE = 65536;
/** Waiting in connect(2) and write(2) is looked up from this often. */
const SLICE_MS = 1000;
const SIGNALS_KEPT = 1000;

/** SIGTERM and the like, which end a wait. */
export interface Interrupt {
  readonly fd: number;
  /** Throws when one has come. */
  check(): void;
}

/** What a reply or a failed call says. */
export interface BusError {
  name: string;
  text: string;
}

export type Reply = { body: Value[]; sender: string | undefined } | { error: BusError };

/** The other side did not answer in time, or not as D-Bus asks: nobody knows what it has done. */
export class BusFailure extends RuntimeError {}

export class Bus {
  readonly #native: Native;
  readonly #fd: number;
  readonly #name: string;
  #deadline: number;
  #buffer = new Uint8Array(0);
  #serial = 0;
  /** Signals that came while a reply was waited for. */
  readonly #signals: Message[] = [];
  #interrupt: Interrupt | undefined;

  private constructor(native: Native, fd: number, name: string, deadline: number, interrupt: Interrupt | undefined) {
    this.#native = native;
    this.#fd = fd;
    this.#name = name;
    this.#deadline = deadline;
    this.#interrupt = interrupt;
  }

  /**
   * Connected and authenticated; undefined when nobody listens there. `address` is a sun_path, `deadline` in monotonic ms.
   */
  static open(native: Native, address: string, deadline: number, interrupt?: Interrupt): Bus | undefined {
    const name = address.startsWith("\0") ? `@${address.slice(1)}` : address;
    let fd: number;
    do {
      const left = deadline - native.monotonic();
      if (left <= 0) throw silent(name);
      fd = native.connect_within(address, Math.min(left, SLICE_MS));
      interrupt?.check();
    } while (fd === -EAGAIN);
    if (fd < 0) {
      if (isAbsent(fd)) return undefined;
      throw nativeError(fd, { message: "cannot reach D-Bus", operation: "connect", path: name });
    }
    const bus = new Bus(native, fd, name, deadline, interrupt);
    try {
      bus.#authenticate();
    } catch (error) {
      native.close(fd);
      throw error;
    }
    return bus;
  }

  /** The waits that follow end by then. */
  set deadline(deadline: number) {
    this.#deadline = deadline;
  }

  /** What ends the waits that follow. */
  set interrupt(interrupt: Interrupt) {
    this.#interrupt = interrupt;
  }

  close(): void {
    this.#native.close(this.#fd);
  }

  /** Sends all the calls at once and waits for every reply. Throws BusFailure, or what the interrupt throws. */
  call(calls: readonly Omit<Call, "serial">[]): Reply[] {
    const serials: number[] = [];
    let text = "";
    for (const call of calls) {
      const serial = ++this.#serial;
      serials.push(serial);
      text += textOfBytes(encodeCall({ ...call, serial }));
    }
    this.#send(text);
    const replies = new Map<number, Reply>();
    while (replies.size < serials.length) {
      const message = this.#receive();
      if (message.type === MESSAGE_TYPE.signal) this.#keep(message);
      if (message.type !== MESSAGE_TYPE.reply && message.type !== MESSAGE_TYPE.error) continue;
      const { replySerial, sender, body } = message;
      if (replySerial === undefined || !serials.includes(replySerial)) continue;
      replies.set(replySerial, message.type === MESSAGE_TYPE.reply ? { body, sender } : { error: errorOf(message) });
    }
    return serials.map((serial) => replies.get(serial) as Reply);
  }

  /** What nobody asks for is not kept for ever. */
  #keep(signal: Message): void {
    if (this.#signals.length === SIGNALS_KEPT) this.#signals.shift();
    this.#signals.push(signal);
  }

  /** The next signal. */
  signal(): Message {
    for (;;) {
      const message = this.#signals.shift() ?? this.#receive();
      if (message.type === MESSAGE_TYPE.signal) return message;
    }
  }

  #authenticate(): void {
    this.#send(AUTH_START);
    for (;;) {
      const answer = this.#checked(() => authLine(this.#buffer));
      if (answer === undefined) {
        this.#fill();
        continue;
      }
      this.#buffer = this.#buffer.slice(answer.next);
      const next = authAnswer(answer.line);
      this.#send(next === "data" ? AUTH_DATA : AUTH_BEGIN);
      if (next === "ok") return;
    }
  }

  #receive(): Message {
    for (;;) {
      const length = this.#checked(() => messageLength(this.#buffer));
      if (length !== undefined && this.#buffer.length >= length) {
        const bytes = this.#buffer.slice(0, length);
        this.#buffer = this.#buffer.slice(length);
        return this.#checked(() => decodeMessage(bytes));
      }
      this.#fill();
    }
  }

  /** Errors of the bytes that have come, with the socket's name. */
  #checked<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof RuntimeError) throw new BusFailure({ ...error.facts, path: this.#name });
      throw error;
    }
  }

  /** Waits for more bytes. */
  #fill(): void {
    this.#wait();
    const text = this.#native.read(this.#fd, READ_SIZE);
    if (text === "") throw new BusFailure({ message: "D-Bus closed the connection", path: this.#name });
    if (typeof text === "number") throw this.#broken(text, "read");
    const more = bytesOfText(text);
    const bytes = new Uint8Array(this.#buffer.length + more.length);
    bytes.set(this.#buffer);
    bytes.set(more, this.#buffer.length);
    this.#buffer = bytes;
  }

  #wait(): void {
    const fds = Uint32Array.from(this.#interrupt === undefined ? [this.#fd] : [this.#fd, this.#interrupt.fd]);
    const events = new Uint32Array(fds.length).fill(POLLIN);
    for (;;) {
      const left = this.#deadline - this.#native.monotonic();
      if (left <= 0) throw silent(this.#name);
      const ready = this.#native.poll(fds, events, left);
      if (ready === -EINTR) continue;
      if (typeof ready === "number") throw this.#broken(ready, "poll");
      this.#interrupt?.check();
      if (ready[0] !== 0) return;
    }
  }

  /** sendmsg(2): a connection that is closed must not end us by SIGPIPE. Every byte is one character. */
  #send(text: string): void {
    let rest = text;
    while (rest !== "") {
      const sent = this.#native.send_fd(this.#fd, rest, -1);
      this.#interrupt?.check();
      if (sent < 0 && sent !== -EAGAIN) throw this.#broken(sent, "write");
      if (sent > 0) rest = rest.slice(sent);
      if (rest !== "" && this.#native.monotonic() >= this.#deadline) throw silent(this.#name);
    }
  }

  #broken(result: number, operation: string): BusFailure {
    return new BusFailure({ message: "D-Bus broke off", operation, errno: -result, path: this.#name });
  }
}

function isAbsent(result: number): boolean {
  const ENOENT = 2;
  const ECONNREFUSED = 111;
  return result === -ENOENT || result === -ECONNREFUSED;
}

function silent(path: string): BusFailure {
  return new BusFailure({ message: "D-Bus does not answer", path });
}

function errorOf({ errorName, body }: Message): BusError {
  return { name: errorName ?? "", text: typeof body[0] === "string" ? body[0] : "" };
}
