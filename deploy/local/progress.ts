import { Listr } from 'listr2';
import type { Progress } from './mesh.ts';

/** Shows how a start goes. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Shows the end, good or bad; resolves when it is on the screen. */
  end(failed: boolean): Promise<void>;
}

const stages = ['tools', 'chart', 'pods'] as const;

/** A live list on a terminal, plain lines elsewhere. */
export function showProgress(stream: NodeJS.WriteStream): ProgressView {
  if (!stream.isTTY) {
    return { update: ({ stage, line }) => stream.write(`${stage}: ${line}\n`), end: () => Promise.resolve() };
  }
  const state = new Map(stages.map(stage => [stage, { line: '', show: (_: string) => {}, ...Promise.withResolvers<void>() }]));
  const list = new Listr(
    stages.map(stage => ({
      title: stage,
      task: (_, task) => {
        const own = state.get(stage);
        const show = (line: string) => {
          task.title = `${stage}: ${line}`;
        };
        if (own === undefined) return;
        own.show = show;
        if (own.line !== '') show(own.line);
        return own.promise;
      },
    })),
    { registerSignalListeners: false, rendererOptions: { collapseErrors: false, showErrorMessage: false } },
  );
  const shown = list.run().catch(() => {}); // the error is printed by who failed
  const finishBefore = (stage: Progress['stage']) => {
    for (const earlier of stages.slice(0, stages.indexOf(stage))) state.get(earlier)?.resolve();
  };
  return {
    update({ stage, line }) {
      finishBefore(stage);
      const own = state.get(stage);
      if (own === undefined) return;
      own.line = line;
      own.show(line);
    },
    async end(failed) {
      for (const { resolve, reject, promise } of state.values()) {
        promise.catch(() => {});
        if (failed) reject(new Error('failed'));
        else resolve();
      }
      await shown;
    },
  };
}
