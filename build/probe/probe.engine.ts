import type { Start } from "../../src/host/engine.ts";
import { probe } from "./probe.ts";

export const start: Start = probe;
