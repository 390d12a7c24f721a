// What `berth --version` prints. The build fills the first two in.

declare const VERSION: string | undefined;
declare const COMMIT: string | undefined;

const version = {
  berth: typeof VERSION === "string" ? VERSION : "0.0.0",
  commit: typeof COMMIT === "string" ? COMMIT : "",
  /** The runtime-spec that Berth implements. */
  spec: "1.3.0",
} as const;

export { version as VERSION };
