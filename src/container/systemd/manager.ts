// The few methods of systemd's manager object that a runtime needs (org.freedesktop.systemd1(5)).

import type { Value, Variant } from "../../dbus/value.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import type { Native } from "../../host/native.gen.ts";
import { type UnitProperty, versionNumber } from "../../systemd/property.ts";
import { Bus, type BusError, BusFailure, type Interrupt, type Reply } from "./bus.ts";
import { type BusSocket, managerSockets } from "./sockets.ts";

const AT_FDCWD = -100;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** sd_booted(3). */
const BOOTED = "/run/systemd/system";
/** For one conversation: a connection, a job. runc waits as long for a job, and for ever for an answer. */
export const PATIENCE_MS = 30_000;

const NAME = "org.freedesktop.systemd1";
const PATH = "/org/freedesktop/systemd1";
const MANAGER = `${NAME}.Manager`;
const BUS = "org.freedesktop.DBus";
const JOBS = `type='signal',sender='${NAME}',path='${PATH}',interface='${MANAGER}',member='JobRemoved'`;
export const UNIT_EXISTS = `${NAME}.UnitExists`;
const NO_SUCH_UNIT = `${NAME}.NoSuchUnit`;

export class Manager {
  readonly version: number;
  /** The cgroup that the manager's own tree begins at. */
  readonly controlGroup: string;
  readonly #native: Native;
  readonly #bus: Bus;
  readonly #patience: number;
  /** Absent without a bus in between. */
  readonly #destination: string | undefined;
  /** Who answers: nobody else tells us about jobs. */
  readonly #sender: string | undefined;

  /** Throws RuntimeError: no systemd runs here, or it cannot be reached, or does not answer within `patience` ms. */
  constructor(native: Native, user: boolean, interrupt?: Interrupt, patience = PATIENCE_MS) {
    checkBooted(native);
    this.#native = native;
    this.#patience = patience;
    const { bus, direct } = connect(native, user, native.monotonic() + patience, interrupt);
    this.#bus = bus;
    this.#destination = direct ? undefined : NAME;
    try {
      const hello = direct ? [] : [busCall("Hello", "", []), busCall("AddMatch", "s", [JOBS])];
      const replies = bus.call([...hello, this.#property("Version"), this.#property("ControlGroup")]);
      for (let i = 0; i < hello.length; i++) this.#body(replies[i] as Reply, "cannot use D-Bus");
      const [version, controlGroup] = replies.slice(hello.length) as [Reply, Reply];
      this.version = versionNumber(this.#text(version));
      this.controlGroup = this.#text(controlGroup);
      this.#sender = (version as { sender: string | undefined }).sender;
    } catch (error) {
      bus.close();
      throw error;
    }
  }

  close(): void {
    this.#bus.close();
  }

  /** What ends the waits that follow. */
  set interrupt(interrupt: Interrupt) {
    this.#bus.interrupt = interrupt;
  }

  /**
   * Asks for a transient unit: its job, or why there is none. A unit of that name that has failed is taken away first.
   * Throws BusFailure when nobody knows whether there will be one.
   */
  start(unit: string, properties: readonly UnitProperty[]): { job: Value } | { error: BusError } {
    this.#bus.deadline = this.#native.monotonic() + this.#patience;
    const signature = "ssa(sv)a(sa(sv))";
    const call = this.#method("StartTransientUnit", signature, [unit, "replace", encoded(properties), []]);
    let reply = this.#call(call);
    if ("error" in reply && reply.error.name === UNIT_EXISTS) {
      this.#reset(unit);
      reply = this.#call(call);
    }
    return "error" in reply ? reply : { job: reply.body[0] as Value };
  }

  /** Waits for the job of `start`. Throws RuntimeError when the unit did not come to be. */
  awaitStart(unit: string, job: Value, pointer: string): void {
    const result = this.#job(job);
    if (result === "done") return;
    this.#reset(unit);
    throw new RuntimeError({ message: `systemd did not start the unit ${unit}: ${result}`, pointer });
  }

  /** Stops a unit and waits for it; the job's result, undefined when there is no such unit. Throws RuntimeError. */
  stop(unit: string): string | undefined {
    this.#bus.deadline = this.#native.monotonic() + this.#patience;
    const reply = this.#call(this.#method("StopUnit", "ss", [unit, "replace"]));
    if ("error" in reply && reply.error.name === NO_SUCH_UNIT) return undefined;
    const [job] = this.#body(reply, `systemd did not stop the unit ${unit}`);
    const result = this.#job(job);
    this.#reset(unit); // one that has failed would stay
    return result;
  }

  /** Changes properties until the unit ends. Throws RuntimeError. */
  set(unit: string, properties: readonly UnitProperty[], pointer: string): void {
    this.#bus.deadline = this.#native.monotonic() + this.#patience;
    const reply = this.#call(this.#method("SetUnitProperties", "sba(sv)", [unit, true, encoded(properties)]));
    this.#body(reply, `systemd did not set the properties of the unit ${unit}`, pointer);
  }

  #reset(unit: string): void {
    this.#call(this.#method("ResetFailedUnit", "s", [unit])); // whatever it says: the next call tells
  }

  /** Waits for the end of a job: "done", "failed", "timeout", ... */
  #job(job: Value | undefined): string {
    for (;;) {
      const { path, interface: name, member, sender, signature, body } = this.#bus.signal();
      if (path !== PATH || name !== MANAGER || member !== "JobRemoved" || signature !== "uoss") continue;
      if (sender === this.#sender && body[1] === job) return String(body[3]);
    }
  }

  #call(call: Parameters<Bus["call"]>[0][number]): Reply {
    return this.#bus.call([call])[0] as Reply;
  }

  #method(member: string, signature: string, body: readonly Value[], name = MANAGER): CallParts {
    const call = { path: PATH, interface: name, member, signature, body };
    return this.#destination === undefined ? call : { ...call, destination: this.#destination };
  }

  #property(name: string): CallParts {
    return this.#method("Get", "ss", [MANAGER, name], `${BUS}.Properties`);
  }

  #body(reply: Reply, message: string, pointer?: string): Value[] {
    if (!("error" in reply)) return reply.body;
    throw new RuntimeError({ message: `${message}: ${described(reply.error)}`, ...(pointer ? { pointer } : {}) });
  }

  #text(reply: Reply): string {
    const [variant] = this.#body(reply, "systemd does not say what it is");
    const value = (variant as Variant | undefined)?.value;
    if (typeof value === "string") return value;
    throw new BusFailure({ message: "systemd does not say what it is" });
  }
}

type CallParts = Parameters<Bus["call"]>[0][number];

function checkBooted(native: Native): void {
  const found = native.stat(AT_FDCWD, BOOTED, AT_SYMLINK_NOFOLLOW);
  if (typeof found !== "number" && ((found[0] as number) & S_IFMT) === S_IFDIR) return;
  throw new RuntimeError({
    message: "systemd not running on this host, cannot use systemd cgroups manager",
    path: BOOTED,
  });
}

function connect(
  native: Native,
  user: boolean,
  deadline: number,
  interrupt: Interrupt | undefined,
): { bus: Bus; direct: boolean } {
  const sockets: BusSocket[] = managerSockets(native, user);
  for (const { address, direct } of sockets) {
    const bus = Bus.open(native, address, deadline, interrupt);
    if (bus !== undefined) return { bus, direct };
  }
  const tried = sockets.map(({ address }) => (address.startsWith("\0") ? `@${address.slice(1)}` : address));
  const whose = user ? "the user's systemd" : "systemd";
  throw new RuntimeError({ message: `cannot reach ${whose}: nobody listens`, path: tried.join(", ") });
}

function busCall(member: string, signature: string, body: readonly Value[]): CallParts {
  return { destination: BUS, path: "/org/freedesktop/DBus", interface: BUS, member, signature, body };
}

function encoded(properties: readonly UnitProperty[]): Value {
  return properties.map(({ name, signature, value }) => [name, { signature, value }]);
}

/** As a clause. */
export function described({ name, text }: BusError): string {
  return text === "" ? name : `${text} (${name})`;
}
