// tsx spec-tests/spec/count.ts FOLDER: compares the numbers in rules/ with a checkout of runtime-spec: how often each section
// says MUST, SHALL or REQUIRED; SHOULD or RECOMMENDED. Sections of examples belong to the one before.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SECTIONS } from "./rules/all.ts";

interface Words {
  must: number;
  should: number;
}

const count = (line: string, word: RegExp): number => line.match(word)?.length ?? 0;

export function countWords(text: string): Map<string, Words> {
  const found = new Map<string, Words>();
  let heading = "";
  let inExample = false;
  for (const line of text.split("\n")) {
    if (line.trimStart().startsWith("```")) inExample = !inExample;
    const title = inExample ? undefined : line.match(/^#+ (?:<a [^>]*>)?\s*(.*)/)?.[1]?.trim();
    if (title !== undefined && !title.startsWith("Example")) heading = title;
    const words = found.get(heading) ?? { must: 0, should: 0 };
    words.must += count(line, /\b(MUST|SHALL|REQUIRED)\b/g);
    words.should += count(line, /\b(SHOULD|RECOMMENDED)\b/g);
    found.set(heading, words);
  }
  return found;
}

/** In words, what the list lacks or says otherwise. */
export function differences(folder: string): string[] {
  const found: string[] = [];
  for (const file of new Set(SECTIONS.map((section) => section.file))) {
    const words = countWords(readFileSync(join(folder, file), "utf8"));
    for (const [heading, { must, should }] of words) {
      if (must + should === 0) continue;
      const section = SECTIONS.find((each) => each.file === file && each.heading === heading);
      if (section?.must === must && section.should === should) continue;
      found.push(`${file}, ${heading}: says ${must} and ${should}, listed ${section?.must} and ${section?.should}`);
    }
  }
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const found = differences(process.argv[2] ?? ".");
  for (const line of found) console.error(line);
  process.exitCode = found.length === 0 ? 0 : 1;
}
