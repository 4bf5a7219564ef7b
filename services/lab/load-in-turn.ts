import type { Bench, CallToMake } from './bench.ts';
import type { CallPicture } from './call-picture.ts';

/** A call, and what it has given; undefined when it failed. */
export interface Turn<Outcome> {
  readonly picture: CallPicture;
  readonly outcome: Outcome | undefined;
}

/** Makes the calls of a load one after the other, however late that makes them: for calls that would falsify each other's figures. */
export async function loadInTurn<Outcome>(
  { load }: Pick<Bench<unknown>, 'load'>,
  hops: readonly string[],
  make: (call: CallToMake) => Promise<Outcome>,
): Promise<Turn<Outcome>[]> {
  const outcomes = new Map<string, Outcome>();
  let last: Promise<unknown> = Promise.resolve();
  const pictures = await load({
    hops,
    call: call => {
      const turn = async () => outcomes.set(call.id, await make(call));
      last = last.then(turn, turn);
      return last;
    },
  });
  return pictures.map(picture => ({ picture, outcome: outcomes.get(picture.id) }));
}
