// Warnings go where main.ts sends them; whoever warns does not know about logs.

type Sink = (what: unknown) => void;

let sink: Sink = () => {};

/** Where warnings go from now on. */
export function onWarning(to: Sink): void {
  sink = to;
}

/** Something went wrong (an error, or a sentence) that does not stop the command. */
export function warn(what: unknown): void {
  sink(what);
}
