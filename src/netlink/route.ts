// What moving a network device takes of rtnetlink(7): requests, and what their answers say.

import { RuntimeError } from "../errors/runtime-error.ts";
import {
  type Attribute,
  decodeAttributes,
  encodeMessage,
  type Message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  word,
  wordAt,
} from "./message.ts";

export const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;

/** struct ifinfomsg and struct ifaddrmsg. */
const LINK_HEAD = 16;
const ADDRESS_HEAD = 8;

const IFF_UP = 0x1;

const IFLA_IFNAME = 3;
const IFLA_NET_NS_FD = 28;
const IFLA_EXT_MASK = 29;
const IFLA_NEW_IFINDEX = 49;
const RTEXT_FILTER_SKIP_STATS = 8;

const AF_INET6 = 10;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_RT_PRIORITY = 9;
const IFA_PROTO = 11;
/** What a new address may be given; the label and the flags have more to them. */
const KEPT = [IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST, IFA_CACHEINFO, IFA_RT_PRIORITY, IFA_PROTO] as const;

const IFA_F_DEPRECATED = 0x20;
const IFA_F_PERMANENT = 0x80;
/** NODAD, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN: what the kernel does not find out by itself. */
const KEPT_FLAGS = 0x02 | 0x10 | 0x100 | 0x200 | 0x400;

const RT_SCOPE_UNIVERSE = 0;

export interface Link {
  /** Signed in the kernel, and never negative. */
  index: number;
  name: Uint8Array;
  up: boolean;
}

export interface Address {
  family: number;
  prefixLength: number;
  scope: number;
  flags: number;
  /** Of the device that has it. */
  index: number;
  attributes: ReadonlyMap<number, Uint8Array>;
}

/** A string of the kernel's: with a NUL at its end. */
const terminated = (name: Uint8Array): Uint8Array => Uint8Array.of(...name, 0);

function unterminated(bytes: Uint8Array | undefined): Uint8Array {
  const end = bytes?.indexOf(0) ?? -1;
  if (bytes === undefined) throw new RuntimeError({ message: "the kernel names no device (netlink)" });
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function linkHead(index: number, flags: number, change: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, ...word(index), ...word(flags), ...word(change));
}

function linkRequest(type: number, sequence: number, head: Uint8Array, attributes: readonly Attribute[]) {
  return encodeMessage({ type, flags: NLM_F_REQUEST | NLM_F_ACK, sequence, payload: head }, attributes);
}

/** Asks for a device by its name or one of its other names, or by its index: RTM_NEWLINK, or ENODEV. */
export function getLink(sequence: number, which: Uint8Array | number): Uint32Array<ArrayBuffer> {
  const attributes = [{ type: IFLA_EXT_MASK, value: word(RTEXT_FILTER_SKIP_STATS) }];
  if (typeof which === "number") return linkRequest(RTM_GETLINK, sequence, linkHead(which, 0, 0), attributes);
  attributes.push({ type: IFLA_IFNAME, value: terminated(which) });
  return linkRequest(RTM_GETLINK, sequence, linkHead(0, 0, 0), attributes);
}

/** The device of a message RTM_NEWLINK. */
export function linkOf({ payload }: Message): Link {
  const flags = wordAt(payload, 8);
  const name = unterminated(decodeAttributes(payload, LINK_HEAD).get(IFLA_IFNAME));
  return { index: wordAt(payload, 4), name, up: (flags & IFF_UP) !== 0 };
}

export function setUp(sequence: number, index: number): Uint32Array<ArrayBuffer> {
  return linkRequest(RTM_NEWLINK, sequence, linkHead(index, IFF_UP, IFF_UP), []);
}

/**
 * Moves the device to the network namespace of a descriptor, where it is to have `newIndex`, and renames it unless `name` is
 * undefined, in one operation. A name with `%d` gets a number that is free there.
 */
export function moveLink(
  sequence: number,
  index: number,
  namespace: number,
  newIndex: number,
  name: Uint8Array | undefined,
): Uint32Array<ArrayBuffer> {
  const attributes = [
    { type: IFLA_NET_NS_FD, value: word(namespace) },
    { type: IFLA_NEW_IFINDEX, value: word(newIndex) },
  ];
  if (name !== undefined) attributes.push({ type: IFLA_IFNAME, value: terminated(name) });
  return linkRequest(RTM_NEWLINK, sequence, linkHead(index, 0, 0), attributes);
}

/** Asks for the addresses of all devices: RTM_NEWADDR each, then NLMSG_DONE. */
export function getAddresses(sequence: number): Uint32Array<ArrayBuffer> {
  const payload = new Uint8Array(ADDRESS_HEAD);
  return encodeMessage({ type: RTM_GETADDR, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence, payload }, []);
}

/** The address of a message RTM_NEWADDR. */
export function addressOf({ payload }: Message): Address {
  const index = wordAt(payload, 4);
  const [family = 0, prefixLength = 0, low = 0, scope = 0] = payload;
  const attributes = decodeAttributes(payload, ADDRESS_HEAD);
  const all = attributes.get(IFA_FLAGS);
  return { family, prefixLength, scope, index, attributes, flags: all === undefined ? low : wordAt(all, 0) };
}

/**
 * The addresses that a device keeps when it moves: permanent and global ones, as runtime-spec says. In the order in which
 * they are to be added: the kernel lists those of IPv6 last one first.
 */
export function keptAddresses(addresses: readonly Address[], index: number): Address[] {
  const kept = addresses.filter(
    (address) =>
      address.index === index && address.scope === RT_SCOPE_UNIVERSE && (address.flags & IFA_F_PERMANENT) !== 0,
  );
  const isIpv6 = ({ family }: Address): boolean => family === AF_INET6;
  return [...kept.filter((address) => !isIpv6(address)), ...kept.filter(isIpv6).reverse()];
}

/** Adds the address to a device, once called `from`, that is now `to`. */
export function addAddress(sequence: number, address: Address, from: Link, to: Link): Uint32Array<ArrayBuffer> {
  const { family, prefixLength, scope, flags, attributes } = address;
  const kept: Attribute[] = [];
  for (const type of KEPT) {
    const value = attributes.get(type);
    if (value !== undefined) kept.push({ type, value: type === IFA_CACHEINFO ? lifetimes(value, flags) : value });
  }
  const label = attributes.get(IFA_LABEL);
  if (label !== undefined) kept.push({ type: IFA_LABEL, value: relabelled(unterminated(label), from.name, to.name) });
  kept.push({ type: IFA_FLAGS, value: word(flags & KEPT_FLAGS) });
  const payload = Uint8Array.of(family, prefixLength, 0, scope, ...word(to.index));
  const how = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  return encodeMessage({ type: RTM_NEWADDR, flags: how, sequence, payload }, kept);
}

/** struct ifa_cacheinfo, preferred lifetime first: of IPv4 the kernel tells by a flag alone that it is over. */
function lifetimes(value: Uint8Array, flags: number): Uint8Array {
  const copy = value.slice();
  if ((flags & IFA_F_DEPRECATED) !== 0) copy.set(word(0));
  return copy;
}

/** `eth0:web` follows the device's name, as it does when the kernel renames one. */
function relabelled(label: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const COLON = 58;
  const belongs = from.every((byte, i) => label[i] === byte) && (label[from.length] ?? COLON) === COLON;
  const renamed = belongs ? Uint8Array.of(...to, ...label.subarray(from.length)) : label;
  const LONGEST = 15;
  return terminated(renamed.length > LONGEST ? to : renamed);
}
