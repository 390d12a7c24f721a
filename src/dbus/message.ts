// Messages (D-Bus specification, "Message Format").

import { paddingAt } from "../bytes/bytes.ts";
import { malformed } from "./malformed.ts";
import { Marshaller } from "./marshal.ts";
import { Unmarshaller } from "./unmarshal.ts";
import type { Value, Variant } from "./value.ts";

export const MESSAGE_TYPE = { call: 1, reply: 2, error: 3, signal: 4 } as const;

/** A method call; the reply carries the same serial. */
export interface Call {
  /** Above 0. */
  serial: number;
  /** Absent when there is no bus in between. */
  destination?: string;
  path: string;
  interface: string;
  member: string;
  /** Signature and values of the arguments. */
  signature: string;
  body: readonly Value[];
}

export interface Message {
  /** MESSAGE_TYPE, or another that is to be ignored. */
  type: number;
  serial: number;
  replySerial?: number;
  path?: string;
  interface?: string;
  member?: string;
  errorName?: string;
  sender?: string;
  signature: string;
  body: Value[];
}

const LITTLE = 0x6c;
const BIG = 0x42;
const VERSION = 1;
const FIXED_HEADER = 16;
/** The longest message that is taken; the specification's own limit is 128 MiB. */
const MAX_MESSAGE = 1 << 20;

/** Header fields by their code: the member of Message, and its type. */
const FIELDS: Readonly<Record<number, readonly [keyof Message, string]>> = {
  1: ["path", "o"],
  2: ["interface", "s"],
  3: ["member", "s"],
  4: ["errorName", "s"],
  5: ["replySerial", "u"],
  7: ["sender", "s"],
  8: ["signature", "g"],
};

/** Throws RuntimeError when the arguments are not of their types. */
export function encodeCall(call: Call): Uint8Array {
  const body = new Marshaller();
  body.append(call.signature, call.body);
  const fields: [number, Variant][] = [
    [1, { signature: "o", value: call.path }],
    [2, { signature: "s", value: call.interface }],
    [3, { signature: "s", value: call.member }],
  ];
  if (call.destination !== undefined) fields.push([6, { signature: "s", value: call.destination }]);
  if (call.signature !== "") fields.push([8, { signature: "g", value: call.signature }]);
  const header = new Marshaller();
  const size = body.bytes().length;
  header.append("yyyyuua(yv)", [LITTLE, MESSAGE_TYPE.call, 0, VERSION, size, call.serial, fields]);
  header.align(8);
  const head = header.bytes();
  const bytes = new Uint8Array(head.length + size);
  bytes.set(head);
  bytes.set(body.bytes(), head.length);
  return bytes;
}

/**
 * The length of the message that begins the bytes; undefined while they are too few to tell. Throws RuntimeError for what
 * is no message, or one that is too long.
 */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < FIXED_HEADER) return undefined;
  if ((bytes[0] !== LITTLE && bytes[0] !== BIG) || bytes[3] !== VERSION) throw malformed("it does not begin as one");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === LITTLE;
  const fields = view.getUint32(12, little);
  const length = FIXED_HEADER + fields + paddingAt(fields, 8) + view.getUint32(4, little);
  if (length > MAX_MESSAGE) throw malformed(`it is ${length} bytes long`);
  return length;
}

/** One whole message of exactly those bytes. Throws RuntimeError. */
export function decodeMessage(bytes: Uint8Array): Message {
  if (messageLength(bytes) !== bytes.length) throw malformed("its length is not what it says");
  const little = bytes[0] === LITTLE;
  const reader = new Unmarshaller(bytes, little);
  const [, type, , , bodySize, serial, fields] = reader.read("yyyyuua(yv)");
  reader.align(8);
  if (reader.position + (bodySize as number) !== bytes.length) throw malformed("its length is not what it says");
  const message: Message = { type: type as number, serial: serial as number, signature: "", body: [] };
  for (const [code, variant] of fields as [number, Variant][]) {
    const field = FIELDS[code];
    if (field === undefined) continue;
    const [name, wanted] = field;
    if (variant.signature !== wanted) throw malformed(`its field ${code} is of type ${variant.signature}`);
    Object.assign(message, { [name]: variant.value });
  }
  // Alignment of the body counts from its own beginning, which is a multiple of 8.
  message.body = reader.read(message.signature);
  if (reader.position !== bytes.length) throw malformed("its body is longer than its signature says");
  return message;
}
