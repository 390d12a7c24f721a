// Lists of CPUs as the kernel writes them: "0-3,7".

const WORD = 32;
/** The kernel's own mask is one of longs. */
const WORDS_OF_LONG = 2;

/** The mask for sched_setaffinity(2), the lowest 32 CPUs first. The list was checked by the decoder of config.json. */
export function cpuMask(list: string): Uint32Array {
  const words: number[] = [];
  for (const range of list.split(",")) {
    const [first, last] = range.trim().split("-");
    for (let cpu = Number(first); cpu <= Number(last ?? first); cpu++) {
      const at = Math.floor(cpu / WORD);
      while (words.length <= at || words.length % WORDS_OF_LONG !== 0) words.push(0);
      words[at] = ((words[at] as number) | (1 << (cpu % WORD))) >>> 0;
    }
  }
  return Uint32Array.from(words);
}
