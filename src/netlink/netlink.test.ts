// Requests and answers byte by byte, as rtnetlink(7) lays them out; and answers that no kernel would give.

import { describe, expect, test } from "vitest";
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  type Message,
  NLMSG_DONE,
  NLMSG_ERROR,
  outcomeOf,
  word,
} from "./message.ts";
import { type Address, addAddress, addressOf, getLink, keptAddresses, linkOf, moveLink, setUp } from "./route.ts";

const bytesOf = (words: Uint32Array<ArrayBuffer>): Uint8Array => new Uint8Array(words.buffer);
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("requests", () => {
  test("a device is brought up", () => {
    expect(hex(bytesOf(setUp(7, 3)))).toBe(
      ["20000000 1000 0500 07000000 00000000", "00000000 03000000 01000000 01000000"].join("").replaceAll(" ", ""),
    );
  });

  test("a device is moved and renamed at once", () => {
    expect(hex(bytesOf(moveLink(1, 3, 5, 9, utf8("eth0"))))).toBe(
      [
        "3c000000 1000 0500 01000000 00000000",
        "00000000 03000000 00000000 00000000",
        "0800 1c00 05000000", // IFLA_NET_NS_FD
        "0800 3100 09000000", // IFLA_NEW_IFINDEX
        "0900 0300 65746830 00 000000", // IFLA_IFNAME, padded
      ]
        .join("")
        .replaceAll(" ", ""),
    );
    expect(decodeAttributes(bytesOf(moveLink(1, 3, 5, 9, undefined)).subarray(16), 16).has(3)).toBe(false);
  });

  test("a device is asked for by name or index", () => {
    const [byName] = decodeMessages(bytesOf(getLink(1, utf8("x"))));
    expect(text(decodeAttributes(byName?.payload ?? new Uint8Array(), 16).get(3) ?? new Uint8Array())).toBe("x\0");
    const [byIndex] = decodeMessages(bytesOf(getLink(2, 77)));
    expect(byIndex).toMatchObject({ type: 18, flags: 5, sequence: 2 });
    expect(byIndex?.payload.slice(4, 8)).toEqual(word(77));
  });

  test("what is encoded is decoded", () => {
    const message: Message = { type: 300, flags: 0x305, sequence: 0xfffffff0, payload: Uint8Array.of(1, 2, 3, 4) };
    const value = Uint8Array.of(9, 8, 7);
    const [decoded, ...more] = decodeMessages(bytesOf(encodeMessage(message, [{ type: 5, value }])));
    expect(more).toEqual([]);
    expect(decoded).toMatchObject({ type: 300, flags: 0x305, sequence: 0xfffffff0 });
    expect(decoded?.payload.slice(0, 4)).toEqual(message.payload);
    expect([...decodeAttributes(decoded?.payload ?? new Uint8Array(), 4)]).toEqual([[5, value]]);
  });
});

/** `ip address add 192.0.2.1/24 dev v0 label v0:web` as RTM_GETADDR lists it; then 2001:db8::1/64, which has lifetimes. */
const IPV4 = fromHex(`50000000 14000200 01000000 00000000  02188000 03000000
  08000100 c0000201  08000200 c0000201  0b000300 76303a77 65620000
  08000800 80000000  14000600 ffffffff ffffffff 11110000 11110000`);
const IPV6 = fromHex(`48000000 14000200 01000000 00000000  0a408000 03000000
  14000100 20010db8 00000000 00000000 00000001
  14000600 00000000 ffffffff 22220000 22220000  08000800 a0020000`);

const addresses = (...lists: Uint8Array[]): Address[] => lists.flatMap((bytes) => decodeMessages(bytes).map(addressOf));

describe("addresses", () => {
  const named = (index: number, name: string) => ({ index, name: utf8(name), up: true });
  const added = (address: Address, from: string, to: string): Map<number, Uint8Array> => {
    const [message] = decodeMessages(bytesOf(addAddress(1, address, named(3, from), named(8, to))));
    expect(message).toMatchObject({ type: 20, flags: 0x605 });
    expect(message?.payload.slice(4, 8)).toEqual(word(8));
    return decodeAttributes(message?.payload ?? new Uint8Array(), 8);
  };

  test("are listed with family, prefix, scope, all flags and device", () => {
    expect(addresses(IPV4, IPV6)).toMatchObject([
      { family: 2, prefixLength: 24, scope: 0, flags: 0x80, index: 3 },
      { family: 10, prefixLength: 64, scope: 0, flags: 0x2a0, index: 3 },
    ]);
  });

  test("are added with what they had, and the flags that are ours to give", () => {
    const [ipv4, ipv6] = addresses(IPV4, IPV6) as [Address, Address];
    const first = added(ipv4, "v0", "v0");
    expect(first.get(2)).toEqual(Uint8Array.of(192, 0, 2, 1));
    expect(first.get(8)).toEqual(word(0));
    expect(first.get(6)?.slice(0, 8)).toEqual(Uint8Array.of(...word(0xffffffff), ...word(0xffffffff)));
    const second = added(ipv6, "v0", "v0");
    expect(second.get(8)).toEqual(word(0x200)); // IFA_F_NOPREFIXROUTE
    expect([...second.keys()]).not.toContain(3);
  });

  test("a deprecated one stays deprecated, also where the kernel lists no lifetime", () => {
    const [ipv4] = addresses(IPV4) as [Address];
    const lifetimes = added({ ...ipv4, flags: 0xa0 }, "v0", "v0").get(6);
    expect(lifetimes?.slice(0, 8)).toEqual(Uint8Array.of(...word(0), ...word(0xffffffff)));
  });

  test.each([
    ["v0", "inside", "inside:web"],
    ["v0", "a-longer-name-x", "a-longer-name-x"],
    ["v", "inside", "v0:web"],
  ])("the label v0:web of a device %s that becomes %s is %s", (from, to, label) => {
    const [ipv4] = addresses(IPV4) as [Address];
    expect(text(added(ipv4, from, to).get(3) ?? new Uint8Array())).toBe(`${label}\0`);
  });

  test("the permanent ones of global scope stay, those of IPv6 last, in the order in which they were added", () => {
    const [ipv4, ipv6] = addresses(IPV4, IPV6) as [Address, Address];
    const all = [
      { ...ipv6, prefixLength: 2 },
      { ...ipv6, prefixLength: 1 },
      { ...ipv4, prefixLength: 3 },
      { ...ipv4, prefixLength: 4 },
      { ...ipv4, scope: 253 },
      { ...ipv4, scope: 254 },
      { ...ipv4, flags: 0 },
      { ...ipv4, index: 4 },
    ];
    expect(keptAddresses(all, 3).map(({ prefixLength }) => prefixLength)).toEqual([3, 4, 1, 2]);
  });
});

describe("answers", () => {
  const answer = (type: number, flags: number, payload: Uint8Array): Message => ({ type, flags, sequence: 1, payload });

  test("a device has an index, a name and is up or not", () => {
    const payload = fromHex("00000100 05000000 43100100 00000000  0700 0300 763000 00  0500 1000 06 000000");
    expect(linkOf(answer(16, 0, payload))).toEqual({ index: 5, name: utf8("v0"), up: true });
    expect(() => linkOf(answer(16, 0, payload.subarray(0, 16)))).toThrow("names no device");
  });

  test("an error has a number and, behind our own message, words", () => {
    const errno = word(-17 >>> 0);
    const words = fromHex("0a00 0100 74616b656e 00 0000");
    const header = new Uint8Array(16);
    header.set(word(32));
    const capped = answer(NLMSG_ERROR, 0x300, Uint8Array.of(...errno, ...header, ...words));
    expect(outcomeOf(capped)).toEqual({ errno: 17, text: utf8("taken") });
    const whole = answer(NLMSG_ERROR, 0x200, Uint8Array.of(...errno, ...header, ...new Uint8Array(16), ...words));
    expect(outcomeOf(whole)).toEqual({ errno: 17, text: utf8("taken") });
    expect(outcomeOf(answer(NLMSG_ERROR, 0, Uint8Array.of(...word(0), ...header)))).toEqual({
      errno: 0,
      text: undefined,
    });
    expect(outcomeOf(answer(NLMSG_DONE, 2, new Uint8Array(0))).errno).toBe(0);
    expect(outcomeOf(answer(NLMSG_DONE, 2, word(-4 >>> 0))).errno).toBe(4);
    expect(() => outcomeOf(answer(NLMSG_ERROR, 0, word(5)))).toThrow("no errno");
  });

  test("one whose copy of our message is longer than the answer is refused, at once", () => {
    for (const length of [20, 32, 0x7fffffff, 0x80000000, 0xfffffff0]) {
      const header = new Uint8Array(16);
      header.set(word(length));
      // An errno that would also be the length of an attribute.
      for (const errno of [0, -17, -65520]) {
        const lie = answer(NLMSG_ERROR, 0x200, Uint8Array.of(...word(errno >>> 0), ...header));
        expect(() => outcomeOf(lie), `${length} ${errno}`).toThrow("malformed");
      }
    }
  });

  test("what is cut off or too long is an error, wherever it is cut", () => {
    for (const whole of [IPV4, IPV6]) {
      for (let end = 1; end < whole.length; end++) {
        expect(() => decodeMessages(whole.subarray(0, end)), String(end)).toThrow("malformed");
      }
    }
    expect(() => decodeAttributes(fromHex("0300 0100"), 0)).toThrow("cut off");
    expect(() => decodeAttributes(fromHex("0900 0100 00000000"), 0)).toThrow("cut off");
  });

  test("any bytes are decoded or refused", () => {
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 20_000; round++) {
      const bytes = (round % 2 === 0 ? IPV4 : IPV6).slice();
      for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256);
      try {
        for (const message of decodeMessages(bytes)) {
          keptAddresses([addressOf(message)], 3);
          linkOf(message);
          outcomeOf(message);
        }
      } catch (error) {
        expect((error as Error).name).toBe("RuntimeError");
      }
    }
  });
});
