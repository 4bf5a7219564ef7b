import { setTimeout as wait } from 'node:timers/promises';
import { portForward } from './kubectl.ts';

/** A span, as far as the checks read it. */
export interface Span {
  readonly id: string;
  /** Undefined at the root. */
  readonly parent: string | undefined;
  /** "edge", "users". */
  readonly service: string;
  readonly name: string;
  /** "server", "client" or "internal". */
  readonly kind: string;
  /** Whether Envoy has made it, and not the app. */
  readonly proxy: boolean;
  readonly tags: Readonly<Record<string, string | number | boolean>>;
}

/** Jaeger's query API, brought to this machine. */
export interface Jaeger extends Disposable {
  /**
   * The trace of this id once `complete` holds for it; what there is after 20 s otherwise. Spans are sent in batches, each at its
   * own time.
   */
  trace(id: string, complete: (spans: Span[]) => boolean): Promise<Span[]>;

  /** The id of the first trace since `start` (milliseconds since the epoch) with such a span; throws when there is none after 20 s. */
  find(service: string, operation: string, tags: Record<string, string>, start: number): Promise<string>;
}

interface JaegerTrace {
  readonly spans: readonly {
    readonly spanID: string;
    readonly operationName: string;
    readonly processID: string;
    readonly references: readonly { readonly refType: string; readonly spanID: string }[];
    readonly tags: readonly { readonly key: string; readonly value: string | number | boolean }[];
  }[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** Connects to the Jaeger of the release. */
export async function connectJaeger(): Promise<Jaeger> {
  const forward = await portForward('service/jaeger', 16686);
  const ask = async (id: string) => {
    const answer = await fetch(`http://${forward.address}/api/traces/${id}`);
    const { data } = (await answer.json()) as { data: JaegerTrace[] | null };
    return (data ?? []).flatMap(spansOf);
  };
  const search = async (query: Record<string, string>) => {
    const answer = await fetch(`http://${forward.address}/api/traces?${new URLSearchParams(query)}`);
    const { data } = (await answer.json()) as { data: { traceID: string }[] | null };
    return data?.[0]?.traceID;
  };
  return {
    [Symbol.dispose]: () => forward[Symbol.dispose](),
    trace: async (id, complete) => {
      const giveUp = Date.now() + 20_000;
      for (;;) {
        const spans = await ask(id);
        if (complete(spans) || Date.now() > giveUp) return spans;
        await wait(500);
      }
    },
    find: async (service, operation, tags, start) => {
      const giveUp = Date.now() + 20_000;
      while (Date.now() < giveUp) {
        const range = { start: `${start * 1000}`, end: `${Date.now() * 1000}`, limit: '1' };
        const id = await search({ service, operation, tags: JSON.stringify(tags), ...range });
        if (id) return id;
        await wait(500);
      }
      throw new Error(`Jaeger has no trace with a span ${operation} of ${service} that has ${JSON.stringify(tags)}`);
    },
  };
}

function spansOf({ spans, processes }: JaegerTrace): Span[] {
  return spans.map(({ spanID, operationName, processID, references, tags }) => {
    const values = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
    return {
      id: spanID,
      parent: references.find(({ refType }) => refType === 'CHILD_OF')?.spanID,
      service: processes[processID]?.serviceName ?? '',
      name: operationName,
      kind: String(values['span.kind'] ?? 'internal'),
      proxy: values['rpc.system.name'] === undefined,
      tags: values,
    };
  });
}
