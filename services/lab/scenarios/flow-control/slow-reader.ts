import { pause } from '../../../kit/pause.ts';
import { preciseNow } from '../../../kit/record.ts';
import { liveHeapBytes } from './live-heap.ts';

/** What a slow reader has seen. */
export interface SlowRead<Item> {
  readonly items: readonly Item[];
  /** When each item was taken off the stream: milliseconds since the epoch. */
  readonly takenAt: readonly number[];
  /** The most items that were taken and not yet worked on. */
  readonly heldMost: number;
  /** By how many bytes the live heap was larger, when half of the items had been worked on, than before the first. */
  readonly heapBytes: number;
}

/** How a slow reader reads. */
export interface SlowReadOptions<Item, Kept> {
  /** How many items will come. */
  readonly expected: number;
  /** How long the work on each takes, in milliseconds. */
  readonly workMs: number;
  /** Whether items are taken as fast as they come, and queued; else the next is taken when the one before is done with. */
  readonly eager: boolean;
  readonly signal: AbortSignal;
  /** What is kept of an item that has been worked on. */
  keep(item: Item): Kept;
}

/** Works on the items of a stream, slowly. */
export async function readSlowly<Item, Kept>(
  stream: AsyncIterable<Item>,
  { expected, workMs, eager, signal, keep }: SlowReadOptions<Item, Kept>,
): Promise<SlowRead<Kept>> {
  const [items, takenAt]: [Kept[], number[]] = [[], []];
  let [heldMost, heapBytes] = [0, Number.NaN];
  const heapBefore = await liveHeapBytes();
  async function* taken(): AsyncGenerator<Item> {
    for await (const item of stream) {
      takenAt.push(preciseNow());
      heldMost = Math.max(heldMost, takenAt.length - items.length);
      yield item;
    }
  }
  for await (const item of eager ? queued(taken()) : taken()) {
    await pause(workMs, signal);
    items.push(keep(item));
    if (items.length === Math.ceil(expected / 2)) heapBytes = (await liveHeapBytes()) - heapBefore;
  }
  return { items, takenAt, heldMost, heapBytes };
}

/** Reads ahead without a limit, which is what a queue does that nobody has thought about. */
function queued<Item>(source: AsyncIterable<Item>): ReadableStream<Item> {
  return new ReadableStream({
    async start(queue) {
      for await (const item of source) queue.enqueue(item);
      queue.close();
    },
  });
}
