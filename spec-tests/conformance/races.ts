// Programs that pass or fail by chance, under every runtime: races.json says why. They are run without their race, the
// controls as well, by races.sh; nothing is tried twice.

import list from "./races.json" with { type: "json" };

interface Race {
  program: string;
  /** Who wins against whom. */
  reason: string;
  /** How often each runtime lost, when the program was run as it is; RACES=1 does so. */
  lost: Record<string, string>;
  /** What the container runs instead of "true". */
  args?: string[];
  /** What a poststart hook does before its own. */
  hook?: string;
  /** Seconds that the container's process has after `start`. */
  settle?: string;
}

export function raceOf(program: string): Race | undefined {
  if (process.env.RACES) return undefined;
  return (list as Race[]).find((race) => race.program === program);
}

/** The environment in which the program calls the runtime. */
export function environment(program: string, runtime: string): Record<string, string> {
  const race = raceOf(program);
  if (race === undefined) return { RUNTIME: runtime };
  const settings: Record<string, string> = {
    RUNTIME: `${process.cwd()}/spec-tests/conformance/races.sh`,
    RACING: runtime,
  };
  if (race.args !== undefined) settings.RACE_ARGS = race.args.map((arg) => JSON.stringify(arg)).join(", ");
  if (race.hook !== undefined) settings.RACE_HOOK = race.hook;
  if (race.settle !== undefined) settings.RACE_SETTLE = race.settle;
  return settings;
}
