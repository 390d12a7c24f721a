// The shape of a cross-field rule, and what several rules ask of a Config.

import type { Config, IdMapping, Issue, Namespace, NamespaceType } from "../types.ts";

/** Takes what a rule finds; `kind` is "invalid" when absent. */
export type Add = (pointer: string, message: string, kind?: Issue["kind"]) => void;

/** One rule. Where one of the places that it reads is itself invalid, it is not asked: the answer would be noise. */
export interface Check {
  readonly reads: readonly string[];
  /** The rule looks at each element of an array by itself: only elements that are invalid themselves are left out. */
  readonly each?: true;
  readonly run: (config: Config, add: Add) => void;
}

/** The entry for a type, new or joined. */
export function namespaceOf(config: Config, type: NamespaceType): Namespace | undefined {
  const { namespaces } = config.linux;
  for (let i = 0; i < namespaces.length; i++) if (namespaces[i]?.type === type) return namespaces[i];
  return undefined;
}

/** Whether the container's id has a host id. */
export function isMapped(mappings: readonly IdMapping[], id: number): boolean {
  for (let i = 0; i < mappings.length; i++) {
    const { containerID, size } = mappings[i] as IdMapping;
    if (id >= containerID && id < containerID + size) return true;
  }
  return false;
}

/** An absolute path without `.`, `..`, empty components and slash at the end; symlinks are not looked at. */
export function cleanPath(path: string): string {
  if (path.indexOf("/.") < 0 && path.indexOf("//") < 0 && (path.length === 1 || !path.endsWith("/"))) return path;
  const parts: string[] = [];
  const components = path.split("/");
  for (let i = 0; i < components.length; i++) {
    const component = components[i] as string;
    if (component === "..") parts.pop();
    else if (component !== "" && component !== ".") parts.push(component);
  }
  return `/${parts.join("/")}`;
}
