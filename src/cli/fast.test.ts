import { describe, expect, it } from "vitest";
import { readFast } from "./fast.ts";
import { readGeneral } from "./general.ts";
import type { Invocation, Reading } from "./reading.ts";
import { COMMANDS, type Flag, GLOBAL_FLAGS } from "./table.ts";

/** A reading as plain data. */
function plain(reading: Reading | undefined): unknown {
  if (reading?.kind !== "run") return reading;
  const values = (options: Invocation["options"], flags: readonly Flag[]) =>
    flags.map(({ name }) => [name, options.isSet(name), options.string(name), options.bool(name), options.int(name)]);
  return {
    command: reading.command.name,
    global: values(reading.global, GLOBAL_FLAGS),
    options: values(reading.options, reading.command.flags),
    args: reading.args,
  };
}

/** Small deterministic generator: the same words in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS = [
  ...COMMANDS.map(({ name }) => name),
  ...[...GLOBAL_FLAGS, ...COMMANDS.flatMap(({ flags }): readonly Flag[] => flags)].flatMap(({ name, ...flag }) => {
    const short =
      "short" in flag && typeof flag.short === "string"
        ? [`-${flag.short}`, `-${flag.short}=x`, `--${flag.short}`]
        : [];
    return [`--${name}`, `-${name}`, `--${name}=1`, `-${name}=x`, `--${name}=`, `--${name}=true`, ...short];
  }),
  ...[
    "id",
    "1",
    "x",
    "",
    "-",
    "--",
    "---",
    "--=",
    "-=x",
    "=",
    "-1",
    "-9",
    "KILL",
    "a=b",
    "'q'",
    '"q"',
    "-x=-y",
    "help",
    "h",
  ],
  ...[
    "--help",
    "-h",
    "--version",
    "-v",
    "--no-root",
    "-fq",
    "-bd",
    "a\u{dc80}",
    "--bundle=a b\n=c",
    "__proto__",
    "--__proto__=1",
  ],
];

describe("the fast reader", () => {
  it("agrees with the general one, or declines, on 200000 random command lines", () => {
    const random = generator(1);
    let taken = 0;
    for (let round = 0; round < 200_000; round++) {
      const argv = Array.from({ length: random(7) }, () => WORDS[random(WORDS.length)] as string);
      if (random(2) === 0) argv.splice(random(3), 0, (COMMANDS[random(COMMANDS.length)] as { name: string }).name);
      const fast = readFast(argv);
      if (fast === undefined) continue;
      taken++;
      expect(plain(readGeneral(argv)), JSON.stringify(argv)).toEqual(plain(fast));
    }
    expect(taken).toBeGreaterThan(3000);
  });

  it.each([
    ["--root /r --log /l --log-format json state id"],
    ["--root /r --debug --log /l create --bundle /b --pid-file /p --console-socket /s --no-pivot id"],
    ["--root=/r create --bundle=/b --preserve-fds 3 id"],
    ["--root /r start id"],
    ["--root /r kill id 9"],
    ["--root /r kill --all id KILL"],
    ["--root /r delete --force id"],
    ["delete -f id"],
    ["run -d -b /b id"],
    ["run -no-subreaper --bundle /b id"],
    ["list --format=json"],
    ["list -q"],
    ["spec --rootless"],
  ])("takes what engines write: %s", (line) => {
    expect(readFast(line.split(" "))?.kind).toBe("run");
  });

  it.each([
    ["state"],
    ["state a b"],
    ["--bogus state a"],
    ["state a --help"],
    ["--help"],
    ["delete a --force"],
    ["state -- a"],
    ["create --bundle -x a"],
    ["create --preserve-fds x a"],
    ["run --detach=yes a"],
    ["help state"],
    [""],
  ])("declines: %s", (line) => {
    expect(readFast(line === "" ? [] : line.split(" "))).toBeUndefined();
  });
});
