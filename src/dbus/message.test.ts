import { describe, expect, test } from "vitest";
import { RuntimeError } from "../errors/runtime-error.ts";
import { Marshaller } from "./marshal.ts";
import { decodeMessage, encodeCall, MESSAGE_TYPE, messageLength } from "./message.ts";
import { Random } from "./random-support.ts";
import { typesOf } from "./signature.ts";
import { Unmarshaller } from "./unmarshal.ts";
import type { Value } from "./value.ts";

const call = {
  serial: 7,
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
  member: "StopUnit",
  signature: "ss",
  body: ["a.scope", "replace"],
};

function bytesOf(signature: string, values: readonly Value[]): number[] {
  const marshaller = new Marshaller();
  marshaller.append(signature, values);
  return [...marshaller.bytes()];
}

describe("marshalling", () => {
  test.each<[string, Value[], number[]]>([
    ["yu", [1, 2], [1, 0, 0, 0, 2, 0, 0, 0]],
    ["b", [true], [1, 0, 0, 0]],
    ["s", ["foo"], [3, 0, 0, 0, 0x66, 0x6f, 0x6f, 0]],
    ["g", ["au"], [2, 0x61, 0x75, 0]],
    ["yt", [1, 2n], [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]],
    ["at", [[5n]], [8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]],
    ["at", [[]], [0, 0, 0, 0, 0, 0, 0, 0]],
    ["v", [{ signature: "q", value: 9 }], [1, 0x71, 0, 0, 9, 0]],
    ["(yn)", [[1, -2]], [1, 0, 0xfe, 0xff]],
    ["a{yb}", [[[3, true]]], [8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0]],
  ])("%s: %s is as the specification's example rules say", (signature, values, bytes) => {
    expect(bytesOf(signature, values)).toEqual(bytes);
  });

  test.each<[string, Value]>([
    ["y", 256],
    ["y", -1],
    ["u", 1.5],
    ["u", 1n],
    ["t", 1],
    ["t", -1n],
    ["x", 1n << 63n],
    ["b", 1],
    ["s", 1],
    ["s", "a\0b"],
    ["s", "a\udc80"],
    ["o", "a"],
    ["o", "/a/"],
    ["o", "/a-b"],
    ["g", "a"],
    ["g", "{sv}"],
    ["as", "a"],
    ["(ss)", ["a"]],
    ["(ss)", ["a", "b", "c"]],
    ["v", "a"],
    ["v", { signature: "ss", value: "a" }],
  ])("a value of type %s is not %s", (signature, value) => {
    expect(() => bytesOf(signature, [value])).toThrow(RuntimeError);
  });

  test("what has been marshalled is read back the same, for every type", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = new Random(seed);
      const types = Array.from({ length: 1 + random.below(3) }, () => random.type());
      const signature = types.join("");
      const values = types.map((type) => random.value(type));
      const marshaller = new Marshaller();
      marshaller.append(signature, values);
      const reader = new Unmarshaller(marshaller.bytes(), true);
      expect(reader.read(signature), `${signature}, seed ${seed}`).toEqual(values);
      expect(reader.position).toBe(marshaller.bytes().length);
    }
  });
});

describe("signatures", () => {
  test.each(["", "s", "a(sv)", "a{sa{sv}}", "aaai", "(i(ii))", "v"])("%j is one", (signature) => {
    expect(typesOf(signature).join("")).toBe(signature);
  });

  test.each(["a", "(", "()", "(i", "i)", "{sv}", "a{vs}", "a{s}", "a{sss}", "z", "a{(i)s}", "i".repeat(256)])(
    "%j is none",
    (signature) => {
      expect(() => typesOf(signature)).toThrow(RuntimeError);
    },
  );

  test("arrays and structs nest 32 deep, no deeper", () => {
    expect(typesOf(`${"a".repeat(32)}i`)).toHaveLength(1);
    expect(() => typesOf(`${"a".repeat(33)}i`)).toThrow(RuntimeError);
    expect(() => typesOf(`${"(".repeat(33)}i${")".repeat(33)}`)).toThrow(RuntimeError);
  });
});

describe("a message", () => {
  test("is read back as it was sent", () => {
    const message = decodeMessage(encodeCall(call));
    expect(message).toMatchObject({ type: MESSAGE_TYPE.call, serial: 7, path: call.path, body: call.body });
  });

  test("tells its length from its first 16 bytes", () => {
    const bytes = encodeCall(call);
    expect(messageLength(bytes.subarray(0, 15))).toBeUndefined();
    expect(messageLength(bytes.subarray(0, 16))).toBe(bytes.length);
  });

  test("is read in big endian, too", () => {
    // An empty reply to serial 1, written by hand.
    const bytes = [0x42, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 8, 5, 1, 0x75, 0, 0, 0, 0, 1];
    expect(decodeMessage(Uint8Array.from(bytes))).toMatchObject({
      type: MESSAGE_TYPE.reply,
      serial: 9,
      replySerial: 1,
    });
  });

  test.each<[string, (bytes: Uint8Array) => void]>([
    ["another byte order", (bytes) => bytes.set([0x78], 0)],
    ["another version", (bytes) => bytes.set([2], 3)],
    ["a length of 4 GiB", (bytes) => bytes.set([255, 255, 255, 255], 4)],
    ["header fields of 4 GiB", (bytes) => bytes.set([255, 255, 255, 255], 12)],
  ])("with %s is refused at once", (_, change) => {
    const bytes = encodeCall(call);
    change(bytes);
    expect(() => messageLength(bytes)).toThrow(RuntimeError);
  });

  test("whose variants are nested without end is refused", () => {
    const depth = 100;
    const body = new Uint8Array(3 * depth + 4);
    for (let i = 0; i < depth; i++) body.set([1, 0x76, 0], 3 * i);
    body.set([1, 0x79, 0, 5], 3 * depth);
    expect(() => new Unmarshaller(body, true).read("v")).toThrow(RuntimeError);
  });

  test("whose array is longer than the message is refused before room is made for it", () => {
    const body = Uint8Array.from([255, 255, 255, 0, 1, 2]);
    expect(() => new Unmarshaller(body, true).read("ay")).toThrow(RuntimeError);
  });
});

describe("hostile bytes", () => {
  /** Either a message or a RuntimeError: nothing else may come out. */
  function take(bytes: Uint8Array): boolean {
    try {
      decodeMessage(bytes);
      return true;
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      return false;
    }
  }

  test("a message with changed bytes is a message or a RuntimeError", () => {
    const properties = [
      ["Slice", { signature: "s", value: "system.slice" }],
      ["DeviceAllow", { signature: "a(ss)", value: [["char-*", "m"]] }],
    ];
    const whole = encodeCall({ ...call, signature: "ssa(sv)a(sa(sv))", body: ["u", "replace", properties, []] });
    const random = new Random(3);
    let taken = 0;
    for (let i = 0; i < 5000; i++) {
      const bytes = whole.slice();
      for (let n = 1 + random.below(3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
      if (take(bytes)) taken++;
    }
    expect(taken).toBeGreaterThan(0);
  });

  test("a cut message and random bytes are refused", () => {
    const whole = encodeCall(call);
    for (let length = 0; length < whole.length; length++) expect(take(whole.slice(0, length))).toBe(false);
    const random = new Random(4);
    for (let i = 0; i < 2000; i++) {
      const bytes = random.bytes(random.below(200));
      bytes.set([0x6c, 2, 0, 1].slice(0, bytes.length));
      take(bytes);
    }
  });

  test("a random body of a random signature is values or a RuntimeError", () => {
    for (let seed = 1; seed <= 5000; seed++) {
      const random = new Random(seed);
      const bytes = random.bytes(random.below(64)).map((byte) => (random.below(2) === 0 ? 0 : byte));
      const reader = new Unmarshaller(bytes, random.below(2) === 0);
      try {
        reader.read(random.type());
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
      }
    }
  });
});
