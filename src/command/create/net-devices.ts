// linux.netDevices: moves devices from our network namespace to init's, while init waits. Before the first one is moved,
// everything is checked; when one cannot be moved, or the container is not made after all, they are brought back.

import { textOfBytes } from "../../bytes/bytes.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import { type Address, keptAddresses, type Link } from "../../netlink/route.ts";
import { O_NOCTTY } from "../../tables/linux.ts";
import type { Creation, Step } from "./creation.ts";
import { RouteSocket } from "./route-socket.ts";

const AT_FDCWD = -100;
const EEXIST = 17;
const ENODEV = 19;

/** A device as it was here, with the addresses that it keeps, and its index there. */
interface Moved {
  link: Link;
  addresses: Address[];
  index: number;
}

/** One network namespace, ours or the container's. */
interface Side {
  namespace: number;
  socket: RouteSocket;
}

export class NetDevices {
  readonly #native: Native;
  readonly #descriptors: number[] = [];
  readonly #sockets: RouteSocket[] = [];
  readonly #here: Side;
  readonly #there: Side;
  /** The last one may not have gone yet. */
  readonly #moved: Moved[] = [];

  /** The container's network namespace is that of the process. */
  constructor(native: Native, pid: number) {
    this.#native = native;
    try {
      this.#here = this.#side("/proc/self/ns/net", true);
      this.#there = this.#side(`/proc/${pid}/ns/net`, false);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Throws RuntimeError for a device that is not there, or whose name is taken there. */
  check({ device, name }: Step<"find network device">): void {
    const link = this.#find(device);
    const newName = name ?? textOfBytes(link.name);
    if (newName.includes("%") || this.#there.socket.find(newName) === undefined) return;
    throw new RuntimeError({
      message: `the container's network namespace has a device ${JSON.stringify(newName)} already`,
      path: device,
      errno: EEXIST,
    });
  }

  move({ device, name }: Step<"move network device">): void {
    const [here, there] = [this.#here.socket, this.#there];
    const link = this.#find(device);
    const addresses = keptAddresses(here.addresses(), link.index);
    const index = freeIndex(there.socket, link.index);
    // The kernel moves first and renames then: also a move that fails may have moved the device.
    this.#moved.push({ link, addresses, index });
    here.move(link, there.namespace, index, name);
    const now = arrived(there.socket, index);
    for (const address of addresses) there.socket.addAddress(address, link, now);
    there.socket.setUp(now);
  }

  /** The last one first. One that cannot be brought back does not keep the others there. */
  undo(): void {
    let failure: unknown;
    for (let last = this.#moved.pop(); last !== undefined; last = this.#moved.pop()) {
      try {
        this.#return(last);
      } catch (error) {
        failure ??= error;
      }
    }
    this.close();
    if (failure !== undefined) throw failure;
  }

  /** From now on the devices are the container's. */
  close(): void {
    this.#moved.length = 0;
    for (const socket of this.#sockets.splice(0)) socket.close();
    for (const fd of this.#descriptors.splice(0)) this.#native.close(fd);
  }

  #side(path: string, own: boolean): Side {
    const facts = { operation: "open", path, message: "cannot open a network namespace" };
    const namespace = must(this.#native.open(AT_FDCWD, path, O_NOCTTY, 0), facts);
    this.#descriptors.push(namespace);
    const socket = new RouteSocket(this.#native, own ? -1 : namespace);
    this.#sockets.push(socket);
    return { namespace, socket };
  }

  #find(device: string): Link {
    const link = this.#here.socket.find(device);
    if (link !== undefined) return link;
    throw new RuntimeError({ message: "there is no such network device", path: device, errno: ENODEV });
  }

  #return({ link, addresses, index }: Moved): void {
    const [here, there] = [this.#here.socket, this.#there.socket];
    const name = textOfBytes(link.name);
    const other = here.find(link.index);
    if (other !== undefined && textOfBytes(other.name) === name) return; // it never went
    const away = arrived(there, index);
    const free = freeIndex(here, link.index);
    there.move(away, this.#here.namespace, free, name);
    const back = arrived(here, free);
    try {
      for (const address of addresses) here.addAddress(address, link, back);
    } finally {
      if (link.up) here.setUp(back);
    }
  }
}

function arrived(socket: RouteSocket, index: number): Link {
  const link = socket.find(index);
  if (link === undefined) throw new RuntimeError({ message: "the network device is gone", errno: ENODEV });
  return link;
}

/** Devices are told apart by it; since Linux 5.13 one can be asked for. The device's own one, when it is free. */
function freeIndex(socket: RouteSocket, wanted: number): number {
  let index = wanted;
  while (socket.find(index) !== undefined) index++;
  return index;
}

/** Runs one of the steps; they come one after the other. */
export function stepNetDevice(
  creation: Creation,
  step: Step<"find network device"> | Step<"move network device">,
): void {
  const { native, undo, pid } = creation;
  try {
    if (creation.netDevices === undefined) {
      const devices = new NetDevices(native, pid);
      creation.netDevices = devices;
      undo.push(() => devices.undo());
    }
    if (step.step === "find network device") creation.netDevices.check(step);
    else creation.netDevices.move(step);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new RuntimeError({ path: step.device, ...error.facts, pointer: step.origin.pointer });
  }
}
