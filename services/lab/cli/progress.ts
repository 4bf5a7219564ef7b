import { Listr } from 'listr2';

/** Shows how a run goes. */
export interface ProgressView {
  /** Shows a line; an empty one leaves what is there. */
  update(line: string): void;
  /** Shows the end, good or bad; resolves when nothing more will be written. */
  end(failed: boolean): Promise<void>;
}

/** A live line, which is taken for a terminal's; nothing when it is not to be `shown`. */
export function showProgress(title: string, shown: boolean): ProgressView {
  if (!shown) return { update: () => {}, end: () => Promise.resolve() };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let show = (_line: string) => {};
  const list = new Listr(
    [
      {
        title,
        task: (_, task) => {
          show = line => {
            task.title = `${title}: ${line}`;
          };
          return promise;
        },
      },
    ],
    { registerSignalListeners: false, rendererOptions: { collapseErrors: false, showErrorMessage: false } },
  );
  const over = list.run().catch(() => {}); // what has failed is printed by who made the call
  return {
    update: line => {
      if (line !== '') show(line);
    },
    end: async failed => {
      if (failed) reject(new Error('failed'));
      else show('done');
      resolve();
      await over;
    },
  };
}
