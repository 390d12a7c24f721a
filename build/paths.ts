// Where things are, for the build's own scripts.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** All outputs; ignored by git. */
export const DIST = join(ROOT, "dist");
/** Sources generated for the C compiler. */
export const GEN = join(DIST, "gen");
