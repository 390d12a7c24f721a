// A D-Bus with a service manager on it, as far as a runtime needs one, that misbehaves where a test asks for it. Units are
// folders in the hierarchy that systemd would keep.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { Marshaller } from "../../src/dbus/marshal.ts";
import { decodeMessage, type Message, messageLength } from "../../src/dbus/message.ts";
import type { Value, Variant } from "../../src/dbus/value.ts";

const MANAGER = "/org/freedesktop/systemd1";
const NAME = "org.freedesktop.systemd1";
const SENDER = ":1.7";

/** Where a test steps in. What it returns true for is not answered any further. */
export interface Behaviour {
  connected?: (socket: Socket) => boolean;
  /** A line of the authentication. */
  line?: (line: string, connection: Connection) => boolean;
  call?: (call: Message, connection: Connection) => boolean;
}

export class FakeSystemd {
  /** Methods that were called, in order: `StartTransientUnit a.scope`. */
  readonly calls: string[] = [];
  /** Properties of each unit that was asked for, or changed. */
  readonly properties = new Map<string, Map<string, Variant>>();
  readonly behaviour: Behaviour;
  /** The folder of all units. */
  readonly tree: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(path: string, behaviour: Behaviour = {}) {
    this.behaviour = behaviour;
    this.tree = existsSync("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/systemd";
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      if (behaviour.connected?.(socket)) return;
      new Connection(this, socket);
    });
    this.#server.listen(path);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  folder(unit: string): string {
    return `${this.tree}/${unit}`;
  }
}

export class Connection {
  readonly systemd: FakeSystemd;
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #messages = false;
  #serial = 0;
  #jobs = 0;

  constructor(systemd: FakeSystemd, socket: Socket) {
    this.systemd = systemd;
    this.socket = socket;
    socket.on("data", (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
      this.#work();
    });
  }

  reply(call: Message, signature: string, body: readonly Value[], sender = SENDER): void {
    this.#send(2, { 5: { signature: "u", value: call.serial }, 7: { signature: "s", value: sender } }, signature, body);
  }

  error(call: Message, name: string, text: string): void {
    const fields = { 4: { signature: "s", value: name }, 5: { signature: "u", value: call.serial } };
    this.#send(3, fields, "s", [text]);
  }

  /** JobRemoved. */
  removed(job: string, unit: string, result: string, sender = SENDER): void {
    const fields = {
      1: { signature: "o", value: MANAGER },
      2: { signature: "s", value: `${NAME}.Manager` },
      3: { signature: "s", value: "JobRemoved" },
      7: { signature: "s", value: sender },
    };
    this.#send(4, fields, "uoss", [1, job, unit, result]);
  }

  newJob(): string {
    return `${MANAGER}/job/${++this.#jobs}`;
  }

  #work(): void {
    if (this.#bytes[0] === 0 && !this.#messages) this.#bytes = this.#bytes.subarray(1);
    while (!this.#messages) {
      const end = this.#bytes.indexOf("\r\n");
      if (end < 0) return;
      const line = this.#bytes.subarray(0, end).toString();
      this.#bytes = this.#bytes.subarray(end + 2);
      this.#authenticate(line);
    }
    for (;;) {
      const length = messageLength(this.#bytes);
      if (length === undefined || this.#bytes.length < length) return;
      const message = decodeMessage(Uint8Array.from(this.#bytes.subarray(0, length)));
      this.#bytes = this.#bytes.subarray(length);
      this.#answer(message);
    }
  }

  #authenticate(line: string): void {
    if (line === "BEGIN") this.#messages = true;
    if (this.systemd.behaviour.line?.(line, this)) return;
    if (line === "AUTH EXTERNAL") this.socket.write("DATA\r\n");
    else if (line === "DATA") this.socket.write("OK 0123456789abcdef0123456789abcdef\r\n");
    else if (line !== "BEGIN") this.socket.write("ERROR\r\n");
  }

  #answer(call: Message): void {
    const [first, second] = call.body as [string, string];
    this.systemd.calls.push(call.signature.startsWith("s") ? `${call.member} ${first}` : String(call.member));
    if (this.systemd.behaviour.call?.(call, this)) return;
    if (call.member === "Hello") this.reply(call, "s", [":1.99"]);
    else if (call.member === "Get") {
      this.reply(call, "v", [{ signature: "s", value: second === "Version" ? "252.39-1~deb12u1" : "" }]);
    } else if (call.member === "StartTransientUnit") this.start(call);
    else if (call.member === "StopUnit") this.stop(call);
    else {
      if (call.member === "SetUnitProperties") this.#keep(first, call.body[2] as [string, Variant][]);
      this.reply(call, "", []);
    }
  }

  /** Makes the unit; the job ends with the result. */
  start(call: Message, result = "done"): void {
    const unit = call.body[0] as string;
    const properties = this.#keep(unit, call.body[2] as [string, Variant][]);
    const folder = this.systemd.folder(unit);
    mkdirSync(folder, { recursive: true });
    for (const pid of (properties.get("PIDs")?.value ?? []) as number[]) {
      writeFileSync(`${folder}/cgroup.procs`, String(pid));
    }
    const job = this.newJob();
    this.reply(call, "o", [job]);
    this.removed(`${MANAGER}/job/999`, "other.service", "failed");
    this.removed(job, unit, result);
  }

  stop(call: Message): void {
    const unit = call.body[0] as string;
    const folder = this.systemd.folder(unit);
    if (!existsSync(folder)) {
      this.error(call, `${NAME}.NoSuchUnit`, `Unit ${unit} not loaded.`);
      return;
    }
    const job = this.newJob();
    this.reply(call, "o", [job]);
    this.#removeWhenEmpty(folder, () => this.removed(job, unit, "done"));
  }

  #removeWhenEmpty(folder: string, done: () => void): void {
    if (existsSync(folder) && readFileSync(`${folder}/cgroup.procs`, "utf8") !== "") {
      setTimeout(() => this.#removeWhenEmpty(folder, done), 5);
      return;
    }
    if (existsSync(folder)) rmdirSync(folder);
    done();
  }

  #keep(unit: string, properties: readonly [string, Variant][]): Map<string, Variant> {
    const all = this.systemd.properties.get(unit) ?? new Map<string, Variant>();
    for (const [name, variant] of properties) all.set(name, variant);
    this.systemd.properties.set(unit, all);
    return all;
  }

  #send(type: number, fields: Record<number, Variant>, signature: string, body: readonly Value[]): void {
    const content = new Marshaller();
    content.append(signature, body);
    const header = new Marshaller();
    const all: [number, Variant][] = Object.entries(fields).map(([code, variant]) => [Number(code), variant]);
    if (signature !== "") all.push([8, { signature: "g", value: signature }]);
    header.append("yyyyuua(yv)", [0x6c, type, 1, 1, content.bytes().length, ++this.#serial, all]);
    header.align(8);
    this.socket.write(Buffer.concat([header.bytes(), content.bytes()]));
  }
}
