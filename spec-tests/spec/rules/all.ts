// Every section of runtime-spec 1.3 that says MUST or SHOULD about Linux, with its rules.

import { CONFIG } from "./config.ts";
import { FEATURES } from "./features.ts";
import { LINUX } from "./linux.ts";
import type { Section } from "./rule.ts";
import { BUNDLE, RUNTIME } from "./runtime.ts";

export const SECTIONS: readonly Section[] = [...BUNDLE, ...RUNTIME, ...CONFIG, ...LINUX, ...FEATURES];
