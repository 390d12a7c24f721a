// A program that shows how a host passes bytes, numbers and chunks; build/hosts.test.ts runs it under both.

import type { Native } from "../../src/host/native.gen.ts";
import { loaded } from "../../src/lazy.ts";
import { changes } from "./changes.ts";

const AT_FDCWD = -100;
/** O_WRONLY | O_CREAT | O_TRUNC */
const WRITE_NEW = 0o1101;

/** argv[0] says what to show; returns the exit code. */
export function probe(native: Native, argv: readonly string[]): number {
  const [what = "", ...rest] = argv;
  const report = (value: unknown): number => {
    native.write(1, `${JSON.stringify(value)}\n`);
    return 0;
  };
  switch (what) {
    case "argv":
      for (const argument of rest) native.write(1, `${argument}\0`);
      return 0;
    case "copy": {
      const data = native.read_file(AT_FDCWD, rest[0] ?? "", 1 << 20);
      return typeof data === "number" ? -data : -native.write_file(AT_FDCWD, rest[1] ?? "", WRITE_NEW, 0o600, data);
    }
    case "units": {
      const data = native.read_file(AT_FDCWD, rest[0] ?? "", 1 << 20);
      return report(
        typeof data === "number" ? data : Array.from({ length: data.length }, (_, i) => data.charCodeAt(i)),
      );
    }
    case "surrogates":
      native.write(1, "a\ud800b\udc7fc\udc80d\udcffe\ud83d\ude00f\udfffg\udd00");
      return 0;
    case "refused":
      return report([
        native.open(AT_FDCWD, "a\0b", 0, 0),
        native.run_hook("/bin/true", ["a\0b"], [], "", -1, -1),
        native.open(AT_FDCWD, "/proc/self/no such file", 0, 0),
      ]);
    case "numbers":
      return report([
        native.poll(new Uint32Array([1, 2]).subarray(1), new Uint32Array([4]), 0),
        native.poll(new Uint32Array(0), new Uint32Array(0), 0),
        native.run_hook("/bin/sh", ["sh", "-c", 'printf "%s" "$B"; exit 3'], ["B=\udcfe"], "", -1, -1),
        native.detail(),
      ]);
    case "changes":
      return report(changes());
    case "lazy":
      return report(loaded(import("./late.ts")).late("baab"));
    case "limit":
      native.run_hook("/bin/sh", ["sh", "-c", "printf %s $(ulimit -Sn)"], [], "", -1, -1);
      native.write(1, native.detail() as string);
      return 0;
    case "environ":
      native.write(1, native.environ() as string);
      return 0;
    case "throw":
      throw new TypeError("on purpose");
    default:
      return 42;
  }
}
