// What the peers did, kept from one run to the next: in the emulated guest they take most of the time, and neither they nor
// the kernel there change. Only rows that came out as the table says are kept; removing the file forgets all.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { configText, type Findings, type Mode, observe, type Peer, type Row, readCgroups } from "./compare.ts";

export class PeerCache {
  readonly #path: string | undefined;
  readonly #kept: Record<string, [name: string, value: string][]>;

  /** Keeps nothing without a path. */
  constructor(path: string | undefined) {
    this.#path = path;
    this.#kept = path !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  }

  /** Everything that the findings depend on: how we look counts, too. */
  #key(mode: Mode, peer: Peer, row: Row): string {
    const how = [observe, readCgroups, configText].map(String);
    const text = JSON.stringify([mode, peer.version, release(), row.resources, how]);
    return createHash("sha256").update(text).digest("hex").slice(0, 32);
  }

  get(mode: Mode, peer: Peer, row: Row): Findings | undefined {
    const kept = this.#kept[this.#key(mode, peer, row)];
    return kept === undefined ? undefined : new Map(kept);
  }

  set(mode: Mode, peer: Peer, row: Row, findings: Findings): void {
    if (this.#path !== undefined) this.#kept[this.#key(mode, peer, row)] = [...findings];
  }

  save(): void {
    if (this.#path === undefined) return;
    writeFileSync(`${this.#path}.new`, JSON.stringify(this.#kept));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
