import { ConflictError, type Files, type Held, type Store } from './store.ts';

/** A store in memory that tells of each write and can be made to fail. */
export interface MemoryStore extends Store {
  readonly secrets: Map<string, Held>;
  /** The files of a Secret. */
  files(secret: string): Files;
  /** Called after each write. */
  onWrite: () => void;
  /** Called before each write; what it throws is what the issuer meets. */
  beforeWrite: (secret: string) => Promise<void> | void;
}

export function memoryStore(): MemoryStore {
  const store: MemoryStore = {
    secrets: new Map(),
    files: secret => store.secrets.get(secret)?.files ?? {},
    onWrite: () => {},
    beforeWrite: () => {},
    read: async secret => store.secrets.get(secret) ?? { files: {}, version: '0' },
    async write(secret, changes, version) {
      await store.beforeWrite(secret);
      const held = await store.read(secret);
      if (held.version !== version) throw new ConflictError(secret);
      const merged = Object.entries({ ...held.files, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      store.secrets.set(secret, { files: Object.fromEntries(merged), version: String(Number(version) + 1) });
      store.onWrite();
    },
  };
  return store;
}
