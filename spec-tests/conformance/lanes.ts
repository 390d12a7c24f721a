// Several programs at a time: they sleep for most of theirs.

/** Calls `work` for each item, `width` at a time, those of `alone` one after the other. The results are in order. */
export async function inLanes<Item, Result>(
  items: readonly Item[],
  width: number,
  alone: (item: Item) => boolean,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const index = new Map(items.map((item, i) => [item, i]));
  const lane = async (queue: Item[]): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift())
      results[index.get(item) as number] = await work(item);
  };
  const together = items.filter((item) => !alone(item));
  const lanes = [lane(width > 1 ? items.filter(alone) : [...items])];
  while (lanes.length < width) lanes.push(lane(together));
  await Promise.all(lanes);
  return results;
}
