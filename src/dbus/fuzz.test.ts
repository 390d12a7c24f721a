import { describe, expect } from "vitest";
import { textOfBytes } from "../bytes/bytes.ts";
import { fuzz, type Random, refused } from "../fuzz-support.ts";
import { socketAddresses } from "./address.ts";
import { authAnswer, authLine } from "./auth.ts";
import { Marshaller } from "./marshal.ts";
import { decodeMessage, encodeCall, messageLength } from "./message.ts";
import { Random as RandomValues } from "./random-support.ts";
import { typesOf } from "./signature.ts";
import { Unmarshaller } from "./unmarshal.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const MAX_MESSAGE = 128 << 20;

function message(random: Random): Uint8Array {
  const values = new RandomValues(random.below(1 << 30));
  const types = Array.from({ length: values.below(3) }, () => values.type());
  const body = types.map((type) => values.value(type));
  const call = { serial: 1 + random.below(1000), destination: "org.a.b", path: "/a", interface: "a.b", member: "C" };
  return encodeCall({ ...call, signature: types.join(""), body });
}

describe("whatever the bus sends", () => {
  fuzz("a message is read or refused", (random) => {
    const bytes = random.below(8) === 0 ? Uint8Array.from({ length: 64 }, () => random.below(256)) : message(random);
    const changed = random.below(10) === 0 ? bytes : random.changedBytes(bytes);
    const length = refused(() => messageLength(changed));
    if (length !== undefined) expect(length).toBeLessThanOrEqual(MAX_MESSAGE);
    if (length === undefined || length > changed.length) return;
    const read = refused(() => decodeMessage(changed.subarray(0, length)));
    if (changed === bytes) expect(read).toBeDefined();
  });

  fuzz("values are read or refused, and what was read is written as the same values", (random) => {
    const values = new RandomValues(random.below(1 << 30));
    const types = Array.from({ length: 1 + values.below(3) }, () => values.type());
    const marshaller = new Marshaller();
    marshaller.append(
      types.join(""),
      types.map((type) => values.value(type)),
    );
    const bytes = random.changedBytes(marshaller.bytes());
    const signature =
      random.below(4) === 0 ? random.changed(types.join(""), ["a{sv}", "(", "v", "ay"]) : types.join("");
    if (refused(() => typesOf(signature)) === undefined) return;
    const reader = new Unmarshaller(bytes, true);
    const read = refused(() => reader.read(signature));
    if (read === undefined) return;
    expect(reader.position).toBeLessThanOrEqual(bytes.length);
    const again = new Marshaller();
    again.append(signature, read);
    // Not the same bytes: a signalling NaN becomes a quiet one.
    expect(again.bytes().length).toBe(reader.position);
    expect(new Unmarshaller(again.bytes(), true).read(signature)).toEqual(read);
  });

  fuzz("an answer to the authentication is a line, none yet, or refused", (random) => {
    const line = random.one(["OK 0123456789abcdef\r\n", "DATA\r\n", "REJECTED EXTERNAL\r\n", "ERROR\r\n"]);
    const bytes = random.changedBytes(encodeUtf8(line.repeat(random.one([1, 1, 200]))));
    const read = refused(() => authLine(bytes));
    if (read === undefined) return;
    expect(read.next).toBeLessThanOrEqual(bytes.length);
    const answer = refused(() => authAnswer(read.line));
    if (answer !== undefined) expect(["data", "ok"]).toContain(answer);
  });

  fuzz("text of bytes is UTF-8 or refused", (random) => {
    const bytes = random.changedBytes(encodeUtf8("aüß€𝄞\n".repeat(random.below(4))));
    const text = refused(() => decodeUtf8(bytes));
    if (text !== undefined) expect([...encodeUtf8(text)]).toEqual([...bytes]);
    textOfBytes(bytes);
  });

  fuzz("addresses lead to sockets, or are refused", (random) => {
    const pieces = ["unix:", "path=", "abstract=", ";", ",", "%2f", "%", "%zz", "runtime=yes", "tcp:host=a", "\0"];
    const list = random.changed("unix:path=/run/dbus/system_bus_socket;unix:abstract=/tmp/a,guid=1", pieces);
    for (const socket of refused(() => socketAddresses(list, "/run/user/1")) ?? []) expect(socket).not.toBe("");
  });
});
