// koffi for the portable executable, in place of the package's own loader: the functions that node.ts uses.

import type koffi from "koffi";
import { loadAsset } from "./node-embedded.ts";

type Koffi = Pick<typeof koffi, "address" | "load" | "view">;

const addon = loadAsset("koffi.node", (path) => {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Koffi;
});

export const { address, load, view } = addon;
