// What an update asks for: resources, and where each of them was said.

import type { Resources } from "../../config/types.ts";

export interface UpdateRequest {
  resources: Resources;
  /** How the user knows the field with that JSON pointer: "--memory", or the pointer itself. */
  nameOf: (pointer: string) => string;
}
