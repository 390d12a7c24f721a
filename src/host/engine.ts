// The engine's binding. csrc/engine/main.c makes the native object (generated glue) and calls the entry with it, so that
// there is nothing to load: this is only the shape of that call.

import type { Native } from "./native.gen.ts";

/** What the entry chunk exports as `start`: the arguments after the program's name, losslessly; returns the exit code. */
export type Start = (native: Native, argv: readonly string[]) => number;
