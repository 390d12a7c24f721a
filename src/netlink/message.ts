// Netlink messages (linux/netlink.h) to words and back. Everything is in the byte order of the machine, which is little
// endian wherever Berth runs, and aligned to 4 bytes.

import { paddingAt } from "../bytes/bytes.ts";
import { RuntimeError } from "../errors/runtime-error.ts";

/** struct nlmsghdr and struct nlattr. */
const HEADER = 16;
const ATTRIBUTE = 4;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
/** Of an answer: what was listed changed meanwhile. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

/** Bits of nlmsgerr: our message is not repeated (NETLINK_CAP_ACK), attributes follow (NETLINK_EXT_ACK). */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

/** MAX_ERRNO of linux/err.h. */
const ERRNO_MAX = 4095;

/** The two high bits of an attribute's type say something about its content. */
const TYPE_MASK = 0x3fff;

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

const aligned = (length: number): number => length + paddingAt(length, 4);

const malformed = (what: string): RuntimeError =>
  new RuntimeError({ message: `malformed answer of the kernel (netlink): ${what}` });

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A number as the value of an attribute, or as a part of a message's fixed head. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

/** The number at that place; throws RuntimeError when there is none. */
export function wordAt(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw malformed("a number is missing");
  return viewOf(bytes).getUint32(at, true);
}

/** A whole message. `head`: the fixed structure that messages of this type begin with. */
export function encodeMessage(
  { type, flags, sequence, payload: head }: Message,
  attributes: readonly Attribute[],
): Uint32Array<ArrayBuffer> {
  const sizes = attributes.map(({ value }) => aligned(ATTRIBUTE + value.length));
  const length = sizes.reduce((sum, size) => sum + size, HEADER + aligned(head.length));
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  bytes.set(head, HEADER);
  let at = HEADER + aligned(head.length);
  for (let i = 0; i < attributes.length; i++) {
    const { type: kind, value } = attributes[i] as Attribute;
    if (ATTRIBUTE + value.length > 0xffff) throw new RangeError("a netlink attribute is too long");
    view.setUint16(at, ATTRIBUTE + value.length, true);
    view.setUint16(at + 2, kind, true);
    bytes.set(value, at + ATTRIBUTE);
    at += sizes[i] as number;
  }
  return new Uint32Array(bytes.buffer);
}

/** The messages of one datagram. Throws RuntimeError for one that is cut off. */
export function decodeMessages(bytes: Uint8Array): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    if (rest.length < HEADER) throw malformed("a header is cut off");
    const view = viewOf(rest);
    const length = view.getUint32(0, true);
    if (length < HEADER || length > rest.length) throw malformed("a message is cut off");
    const [type, flags] = [view.getUint16(4, true), view.getUint16(6, true)];
    messages.push({ type, flags, sequence: view.getUint32(8, true), payload: rest.subarray(HEADER, length) });
    at += aligned(length);
  }
  return messages;
}

/** The attributes from a place on; of a type that comes twice, the last one. */
export function decodeAttributes(bytes: Uint8Array, from: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  for (let at = from; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    if (rest.length < ATTRIBUTE) throw malformed("an attribute is cut off");
    const view = viewOf(rest);
    const length = view.getUint16(0, true);
    if (length < ATTRIBUTE || length > rest.length) throw malformed("an attribute is cut off");
    attributes.set(view.getUint16(2, true) & TYPE_MASK, rest.subarray(ATTRIBUTE, length));
    at += aligned(length);
  }
  return attributes;
}

/** What NLMSG_ERROR or NLMSG_DONE says: errno, 0 for success, and the kernel's words if it has any. */
export function outcomeOf({ type, flags, payload }: Message): { errno: number; text: Uint8Array | undefined } {
  // NLMSG_DONE of old kernels has no number.
  const number = payload.length < 4 && type === NLMSG_DONE ? 0 : wordAt(payload, 0);
  const errno = -(number | 0) || 0;
  if (errno < 0 || errno > ERRNO_MAX) throw malformed("an error is no errno");
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: undefined };
  let from = 4;
  // Then our message: its header alone, or all of it.
  if (type === NLMSG_ERROR) from += (flags & NLM_F_CAPPED) !== 0 ? HEADER : wordAt(payload, 4);
  if (from > payload.length) throw malformed("our message in an error is cut off");
  from = aligned(from);
  const text = decodeAttributes(payload, from).get(NLMSGERR_ATTR_MSG);
  return { errno, text: text?.subarray(0, -1) };
}
