import type { AnyScenario, Figures } from './scenario.ts';

type Arm = AnyScenario['arms'][number];

/** Runs an arm. When it throws, `over`, which its bench's signal follows, is aborted, and it throws when nothing of its load is left. */
export async function runToRest(arm: Arm, bench: Parameters<Arm['run']>[0], over: AbortController): Promise<Figures<string>> {
  const loads: Promise<unknown>[] = [];
  const load: typeof bench.load = what => {
    const pictures = bench.load(what);
    loads.push(pictures);
    return pictures;
  };
  try {
    return await arm.run({ ...bench, load });
  } catch (error) {
    over.abort();
    await Promise.allSettled(loads);
    throw error;
  }
}
