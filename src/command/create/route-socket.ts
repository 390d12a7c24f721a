// Requests to rtnetlink(7) in one network namespace. The kernel has answered once `send` returns: nothing here waits.

import { bytesOfText, textOfBytes } from "../../bytes/bytes.ts";
import { RuntimeError } from "../../errors/runtime-error.ts";
import { must, nativeError } from "../../host/must.ts";
import type { Native } from "../../host/native.gen.ts";
import {
  decodeMessages,
  type Message,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  outcomeOf,
} from "../../netlink/message.ts";
import {
  type Address,
  addAddress,
  addressOf,
  getAddresses,
  getLink,
  type Link,
  linkOf,
  moveLink,
  RTM_NEWADDR,
  RTM_NEWLINK,
  setUp,
} from "../../netlink/route.ts";

const ENODEV = 19;
const ENOBUFS = 105;
/** The kernel's answers are at most 32 KiB long. */
const ANSWER_MAX = 65536;
/** How often a list is asked for again when it changed meanwhile. */
const ATTEMPTS = 16;

/** What the kernel said to a request. */
interface Answer {
  errno: number;
  /** Its own words. */
  detail: string;
  messages: Message[];
}

export class RouteSocket {
  readonly #native: Native;
  readonly #fd: number;
  #sequence = 0;

  /** `namespace`: a descriptor, or -1 for our own. */
  constructor(native: Native, namespace: number) {
    this.#native = native;
    this.#fd = native.route_socket(namespace);
    if (this.#fd >= 0) return;
    const message = "cannot reach the network devices";
    throw nativeError(this.#fd, { message, operation: (native.detail() as string) || "socket" });
  }

  close(): void {
    this.#native.close(this.#fd);
  }

  /** The device with that name, or one of whose other names it is; undefined when there is none. */
  find(which: string | number): Link | undefined {
    const named = typeof which === "string" ? bytesOfText(which) : which;
    const answer = this.#ask((sequence) => getLink(sequence, named));
    if (answer.errno === ENODEV) return undefined;
    if (answer.errno !== 0) throw failure(answer, "cannot look at a network device", "RTM_GETLINK");
    const found = answer.messages.find(({ type }) => type === RTM_NEWLINK);
    return found === undefined ? undefined : linkOf(found);
  }

  addresses(): Address[] {
    for (let attempt = 1; ; attempt++) {
      const answer = this.#ask(getAddresses);
      if (answer.errno !== 0) throw failure(answer, "cannot list network addresses", "RTM_GETADDR");
      const { messages } = answer;
      if (attempt < ATTEMPTS && messages.some(({ flags }) => (flags & NLM_F_DUMP_INTR) !== 0)) continue;
      return messages.filter(({ type }) => type === RTM_NEWADDR).map(addressOf);
    }
  }

  move(link: Link, namespace: number, newIndex: number, name: string | undefined): void {
    const bytes = name === undefined ? undefined : bytesOfText(name);
    const answer = this.#ask((sequence) => moveLink(sequence, link.index, namespace, newIndex, bytes));
    if (answer.errno !== 0) throw failure(answer, "cannot move the network device", "RTM_NEWLINK");
  }

  /** Gives the device `to` an address that it had as `from`. */
  addAddress(address: Address, from: Link, to: Link): void {
    const answer = this.#ask((sequence) => addAddress(sequence, address, from, to));
    if (answer.errno !== 0) throw failure(answer, "cannot give the network device its address", "RTM_NEWADDR");
  }

  setUp({ index }: Link): void {
    const answer = this.#ask((sequence) => setUp(sequence, index));
    if (answer.errno !== 0) throw failure(answer, "cannot bring the network device up", "RTM_NEWLINK");
  }

  /** Sends a request and reads on until the kernel is done with it. */
  #ask(request: (sequence: number) => Uint32Array<ArrayBuffer>): Answer {
    const native = this.#native;
    const sequence = ++this.#sequence;
    must(native.send_words(this.#fd, request(sequence)), { operation: "send", message: "cannot reach rtnetlink" });
    const messages: Message[] = [];
    for (;;) {
      const text = must(native.read(this.#fd, ANSWER_MAX), {
        operation: "read",
        message: "cannot hear from rtnetlink",
      });
      const datagram = decodeMessages(bytesOfText(text as string));
      if (datagram.length === 0) throw nativeError(-ENOBUFS, { message: "rtnetlink is silent", operation: "read" });
      for (const message of datagram) {
        if (message.sequence !== sequence) continue;
        messages.push(message);
        if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) continue;
        const { errno, text: words } = outcomeOf(message);
        return { errno, detail: words === undefined ? "" : textOfBytes(words), messages };
      }
    }
  }
}

function failure({ errno, detail }: Answer, message: string, operation: string): RuntimeError {
  return new RuntimeError({ message, operation, errno, detail });
}
