import { Session } from 'node:inspector/promises';

/** The bytes of this process's heap that something still refers to: garbage is collected first, which stops everything for a moment. */
export async function liveHeapBytes(): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
    return process.memoryUsage().heapUsed;
  } finally {
    session.disconnect();
  }
}
