// Server addresses (D-Bus specification, "Server Addresses"): `transport:key=value,...` separated by `;`. Only connected
// Unix sockets are of use here: unix:path, unix:abstract and unix:runtime.

import { textOfBytes } from "../bytes/bytes.ts";
import { RuntimeError } from "../errors/runtime-error.ts";

/**
 * The Unix sockets of an address list, in its order, as bytes of sun_path: an abstract name begins with NUL. Other
 * transports are left out. `runtime` is $XDG_RUNTIME_DIR. Throws RuntimeError for what is no address, or when none is left.
 */
export function socketAddresses(list: string, runtime: string | undefined): string[] {
  const sockets: string[] = [];
  for (const address of list.split(";")) {
    if (address === "") continue;
    const colon = address.indexOf(":");
    if (colon < 1) throw invalid(list);
    if (address.slice(0, colon) !== "unix") continue;
    const socket = unixSocket(address.slice(colon + 1), runtime, list);
    if (socket !== undefined) sockets.push(socket);
  }
  if (sockets.length === 0) throw invalid(list);
  return sockets;
}

function unixSocket(pairs: string, runtime: string | undefined, list: string): string | undefined {
  for (const pair of pairs.split(",")) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw invalid(list);
    const key = pair.slice(0, equals);
    const value = decodeEscapes(pair.slice(equals + 1), list);
    if (value === "") throw invalid(list);
    if (key === "path") return value;
    if (key === "abstract") return `\0${value}`;
    if (key === "runtime" && value === "yes" && runtime) return `${runtime}/bus`;
  }
  return undefined;
}

/** `%2f` is a byte. */
function decodeEscapes(value: string, list: string): string {
  let text = "";
  for (let i = 0; i < value.length; i++) {
    if (value[i] !== "%") {
      text += value[i];
      continue;
    }
    const high = "0123456789abcdef".indexOf((value[i + 1] ?? " ").toLowerCase());
    const low = "0123456789abcdef".indexOf((value[i + 2] ?? " ").toLowerCase());
    const byte = high * 16 + low;
    if (high < 0 || low < 0 || byte === 0) throw invalid(list);
    text += textOfBytes(Uint8Array.of(byte));
    i += 2;
  }
  return text;
}

function invalid(list: string): RuntimeError {
  return new RuntimeError({ message: `not an address of a D-Bus socket: ${JSON.stringify(list)}` });
}
