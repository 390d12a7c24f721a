// What `berth --version` prints. The build fills the first two in.

declare const BERTH_COMMIT: string | undefined;

export const VERSION = {
  berth: typeof BERTH_VERSION === "string" ? BERTH_VERSION : "0.0.0",
  commit: typeof BERTH_COMMIT === "string" ? BERTH_COMMIT : "unknown",
  /** The runtime-spec that Berth implements. */
  spec: "1.3.0",
} as const;
