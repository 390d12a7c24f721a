// The machine's own Debian sources, read to derive others from them: same mirror, same keys, another suite.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface AptSource {
  uri: string;
  suite: string;
  /** Other fields of the entry by their deb822 name, as they are written there: Signed-By, Trusted, … */
  options: Record<string, string>;
}

/** What cannot be carried over to another suite or is set by us. */
const DROPPED = new Set([
  "types",
  "uris",
  "suites",
  "components",
  "enabled",
  "architectures",
  "arch",
  "targets",
  "languages",
]);

/** Entries of /etc/apt/sources.list and *.list: `deb [option=value ...] uri suite components...`. */
export function parseList(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line);
    if (match === null) return [];
    const options = (match[1] ?? "").split(/\s+/).flatMap((option): [string, string][] => {
      const [name, value] = option.split("=", 2);
      return name && value && !DROPPED.has(name.toLowerCase()) ? [[name, value]] : [];
    });
    return [{ uri: match[2] as string, suite: match[3] as string, options: Object.fromEntries(options) }];
  });
}

/** Entries of *.sources (deb822): stanzas of `Field: value`, continued by indented lines. */
export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    const get = (name: string): string => fields.find(([field]) => field.toLowerCase() === name)?.[1].trim() ?? "";
    if (/^(no|false|0|off)$/i.test(get("enabled"))) return [];
    const options = Object.fromEntries(fields.filter(([field]) => !DROPPED.has(field.toLowerCase())));
    const words = (name: string): string[] =>
      get(name)
        .split(/\s+/)
        .filter((word) => word !== "");
    return words("uris").flatMap((uri) => words("suites").map((suite) => ({ uri, suite, options })));
  });
}

function stanzaFields(stanza: string): [string, string][] {
  const fields: [string, string][] = [];
  for (const line of stanza.split("\n")) {
    if (line.startsWith("#") || line.trim() === "") continue;
    const last = fields.at(-1);
    const colon = line.indexOf(":");
    if (/^[ \t]/.test(line) && last) last[1] += `\n${line}`;
    else if (colon > 0) fields.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return fields;
}

/** Main archives of Debian carry a release's name alone; updates, security and backports have a suffix. */
const RELEASE = /^(bookworm|trixie|forky|sid|stable|oldstable|testing|unstable)$/;

/** A deb822 file that offers the sources of `suite` from every Debian archive among the entries. */
export function sourcesFor(suite: string, entries: readonly AptSource[]): string {
  const stanzas = entries
    .filter((entry) => RELEASE.test(entry.suite))
    .map(({ uri, options }) =>
      ["Types: deb-src", `URIs: ${uri}`, `Suites: ${suite}`, "Components: main"]
        .concat(Object.entries(options).map(([name, value]) => `${name}: ${value}`))
        .join("\n"),
    );
  return [...new Set(stanzas)].map((stanza) => `${stanza}\n`).join("\n");
}

/** All entries of the machine. */
export function machineSources(etc = "/etc/apt"): AptSource[] {
  const parts = join(etc, "sources.list.d");
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  const files = [join(etc, "sources.list"), ...names.map((name) => join(parts, name))].filter((path) =>
    existsSync(path),
  );
  return files.flatMap((path) => {
    if (path.endsWith(".list")) return parseList(readFileSync(path, "utf8"));
    return path.endsWith(".sources") ? parseDeb822(readFileSync(path, "utf8")) : [];
  });
}
