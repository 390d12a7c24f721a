// Puts the heap image (csrc/engine/image.h) into the executable.

import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";
import { digest, unlessMade } from "./stamp.ts";
import { IMAGE_START, PRELOADED_START } from "./toolchain.ts";

const PAGE = 4096;
const WORD = 8;
/** What boot leaves that is not the same each time: two addresses in the stack, both set anew at start, and a random seed. */
const VARIABLE_WORDS = 3;

/** `output` is `executable`, booted. */
export async function fillImage(executable: string, output: string, folder: string): Promise<void> {
  await unlessMade([output], digest([executable]), async () => {
    const image = await dump(executable, join(folder, "image"), {});
    // Other addresses of the stack, another time.
    const other = await dump(executable, join(folder, "image.other"), { BERTH_IMAGE_PADDING: "x".repeat(5000) });
    clearVariableWords(image, other);
    rmSync(output, { force: true });
    writeFileSync(output, withImage(readFileSync(executable), image));
    chmodSync(output, 0o755);
  });
}

async function dump(executable: string, path: string, environment: Record<string, string>): Promise<Buffer> {
  await run(executable, ["--dump-image", path], { env: environment });
  return readFileSync(path);
}

/** Zeroes what differs, so that the same source makes the same bytes. More than is known would be a pointer that ends. */
export function clearVariableWords(image: Buffer, other: Buffer): void {
  if (image.length !== other.length) throw new Error("image: two boots need heaps of different sizes");
  const differing: number[] = [];
  for (let at = 0; at < image.length; at += WORD) {
    if (image.compare(other, at, at + WORD, at, at + WORD) !== 0) differing.push(at);
  }
  if (differing.length > VARIABLE_WORDS) {
    throw new Error(`image: two boots differ at ${differing.map((at) => (IMAGE_START + at).toString(16)).join(" ")}`);
  }
  for (const at of differing) image.fill(0, at, at + WORD);
}

const ELF = { programs: 32, sections: 40, programSize: 54, programCount: 56, sectionCount: 60 } as const;
const PROGRAM = { offset: 8, address: 16, fileSize: 32 } as const;
const PT_NULL = 0;
const SIZE_OF_SECTION_NUMBERS = 6;

/**
 * The ELF file (elf(5), 64 bits) with the image as the content of the segment at IMAGE_START, without section headers and
 * without the bytecode at PRELOADED_START, which lies behind all other segments.
 */
export function withImage(file: Buffer, image: Buffer): Buffer {
  const preloaded = findProgram(file, PRELOADED_START);
  const head = Buffer.from(file.subarray(0, Number(file.readBigUInt64LE(preloaded + PROGRAM.offset))));
  head.writeUInt32LE(PT_NULL, preloaded);
  const program = findProgram(head, IMAGE_START);
  const offset = Math.ceil(head.length / PAGE) * PAGE;
  head.writeBigUInt64LE(BigInt(offset), program + PROGRAM.offset);
  head.writeBigUInt64LE(BigInt(image.length), program + PROGRAM.fileSize);
  head.writeBigUInt64LE(0n, ELF.sections);
  head.fill(0, ELF.sectionCount - 2, ELF.sectionCount - 2 + SIZE_OF_SECTION_NUMBERS);
  return Buffer.concat([head, Buffer.alloc(offset - head.length), image]);
}

function findProgram(file: Buffer, address: number): number {
  const size = file.readUInt16LE(ELF.programSize);
  const first = Number(file.readBigUInt64LE(ELF.programs));
  for (let i = 0; i < file.readUInt16LE(ELF.programCount); i++) {
    const program = first + i * size;
    if (file.readBigUInt64LE(program + PROGRAM.address) === BigInt(address)) return program;
  }
  throw new Error(`image: the executable has no segment at ${address.toString(16)}`);
}
