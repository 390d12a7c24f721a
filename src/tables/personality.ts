// Execution domains of config.json (linux.personality.domain) and the value that personality(2) takes.

export type PersonalityDomain = "LINUX" | "LINUX32";

/** PER_LINUX, PER_LINUX32 of linux/personality.h; undefined for any other name. */
export function personalityNumber(domain: string): number | undefined {
  if (domain === "LINUX") return 0;
  return domain === "LINUX32" ? 8 : undefined;
}

/** Domain of a personality(2) value, or undefined. */
export function personalityDomain(value: number): PersonalityDomain | undefined {
  if (value === 0) return "LINUX";
  return value === 8 ? "LINUX32" : undefined;
}
