// Reads the environment as `environ` of the ABI gives it: NAME=value strings, each followed by a NUL.

/** The value of a variable; undefined when it is not set. */
export function variableOf(environ: string, name: string): string | undefined {
  const start = `${name}=`;
  for (const entry of environ.split("\0")) if (entry.startsWith(start)) return entry.slice(start.length);
  return undefined;
}
