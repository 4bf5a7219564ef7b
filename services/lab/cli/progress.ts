import { Listr } from 'listr2';

/** Shows how a run goes. */
export interface ProgressView {
  /** Shows a line; an empty one leaves what is there. */
  update(line: string): void;
  /** Resolves when nothing more will be written. */
  end(): Promise<void>;
}

/** A live line on a terminal, nothing elsewhere. */
export function showProgress(title: string, stream: NodeJS.WriteStream): ProgressView {
  if (!stream.isTTY) return { update: () => {}, end: () => Promise.resolve() };
  const { promise, resolve } = Promise.withResolvers<void>();
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
    { registerSignalListeners: false },
  );
  const shown = list.run();
  return {
    update: line => {
      if (line !== '') show(line);
    },
    end: async () => {
      show('done');
      resolve();
      await shown;
    },
  };
}
