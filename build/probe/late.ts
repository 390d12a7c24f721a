// Needs parts of the engine that the chunk which loads it does not have.

/** Uses RegExp, Date, Map. */
export function late(text: string): string[] {
  const seen = new Map([[text, text.replace(/a+/g, (run) => `[${run.length}]`)]]);
  return [seen.get(text) ?? "", new Date(0).toISOString()];
}
