// Entry of the standalone executable; called by csrc/engine/main.c.

import type { Start } from "./host/engine.ts";
import { main } from "./main.ts";

export const start: Start = main;
