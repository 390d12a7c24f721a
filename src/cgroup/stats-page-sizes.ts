// Sizes of huge pages, spelled as in the names of the hugetlb controller's files.

const FOLDER_PREFIX = "hugepages-";
const KIB = "kB";

/** Of the names in /sys/kernel/mm/hugepages, `hugepages-2048kB`: `2MB`. What is no such name is passed over. */
export function pageSizesOf(names: readonly string[]): string[] {
  const sizes: string[] = [];
  for (const name of names) {
    if (!name.startsWith(FOLDER_PREFIX) || !name.endsWith(KIB)) continue;
    const kib = Number(name.slice(FOLDER_PREFIX.length, -KIB.length));
    if (!Number.isSafeInteger(kib) || kib <= 0) continue;
    if (kib >= 1 << 20) sizes.push(`${Math.floor(kib / (1 << 20))}GB`);
    else if (kib >= 1 << 10) sizes.push(`${Math.floor(kib / (1 << 10))}MB`);
    else sizes.push(`${kib}KB`);
  }
  return sizes;
}
