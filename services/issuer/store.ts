/** What a Secret holds, or a folder: texts by the names of files. */
export type Files = Readonly<Record<string, string>>;

/** What is to become of files: a text, or `undefined` for one that is to go. Others stay as they are. */
export type FileChanges = Readonly<Record<string, string | undefined>>;

/** What was read, and by what a later write tells whether it has changed since. */
export interface Held {
  readonly files: Files;
  readonly version: string;
}

/** Where identities are kept. Any number of issuers may write to one at the same time. */
export interface Store {
  /** What a Secret holds now. */
  read(secret: string): Promise<Held>;

  /**
   * Makes the changes, all of them or none.
   *
   * @param version that of {@link read}
   * @throws ConflictError when somebody has written since then
   */
  write(secret: string, changes: FileChanges, version: string): Promise<void>;
}

/** Somebody else was faster: what a write was based on is no longer so. Read again. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';

  constructor(secret: string) {
    super(`${secret}: somebody else has written it meanwhile`);
  }
}
