import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import type { Authority } from '../../services/issuer/authority.ts';
import { AUTHORITY_SECRET, secretOf } from '../../services/issuer/policy.ts';
import { type Client, createClient } from '../../services/kit/client.ts';
import { connectDirectly } from '../../services/kit/connect-directly.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import type { ServiceDefinition } from '../../services/kit/method.ts';
import type { CallRecord } from '../../services/kit/record.ts';
import type { Identities } from './identities.ts';
import { type KubeObject, ofKind } from './manifest.ts';
import { type Mesh, type MeshOptions, type PodView, startMesh } from './mesh.ts';

/** The whole mesh for a test: addresses and a folder of its own, so that nothing is shared with a run of the user's. */
export interface TestMesh extends Mesh, AsyncDisposable {
  /** Throws a TypeError when there are none. */
  readonly identities: Identities;
  /** A client of a service by the edge, or by the sidecar of a pod, as that pod's own app would call it. */
  client<Definition extends ServiceDefinition>(definition: Definition, by?: PodView): Client<Definition>;
  /** The folder of the run. */
  readonly runDir: string;
  /** The authority that now vouches for the identities of the pods. */
  authority(): Promise<Authority>;
  /** The folder with the identity of a part of the mesh, as its pods have it. */
  identityFolder(name: string): string;
  /** The pods of all services, that of the lab among them where the chart has it. */
  all(): PodView[];
  /** The records of the calls marked with runs that begin so, from the logs of all pods, as soon as there are `count` of them. */
  records(run: string, count: number): Promise<CallRecord[]>;
}

/** The short names of the services that serve users, in the order in which requests reach them. */
export const SERVICES = ['storefront', 'users', 'orders', 'payments'] as const;

/** How long records may take to be written after the last call has ended, in milliseconds. */
const RECORDS_MS = 5000;

/** Starts the mesh with real Envoys and waits until every pod is ready. */
export async function startTestMesh(options: Partial<MeshOptions> = {}): Promise<TestMesh> {
  connectDirectly(); // also in a test file that is run by itself
  const runDir = await mkdtemp(join(tmpdir(), 'telltale-test-'));
  let services: string[] = [];
  const transform = (rendered: KubeObject[]) => {
    const objects = options.transform?.(rendered) ?? rendered;
    services = ofKind(objects, 'Deployment').flatMap(({ metadata: { name } }) => (name === 'edge' ? [] : name));
    return objects;
  };
  const values = ['--set', 'logLevel=debug', ...(options.values ?? [])]; // with the records of calls
  const mesh = await startMesh({ runDir, ...options, values, transform });
  const logs = new Set<string>();
  const all = () => {
    const pods = services.flatMap(service => mesh.pods(service));
    for (const pod of pods) logs.add(pod.logFile('app')); // a pod that is replaced later is remembered by its log
    return pods;
  };
  const clients: Disposable[] = [];
  const dispose = async () => {
    for (const client of clients) client[Symbol.dispose]();
    await mesh.stop();
    await rm(runDir, { recursive: true, force: true });
  };
  try {
    await mesh.whenReady();
    await answered(mesh.edge);
  } catch (error) {
    await dispose();
    throw error;
  }
  all();
  const test: TestMesh = {
    ...mesh,
    runDir,
    get identities() {
      if (mesh.identities === undefined) throw new TypeError('the chart issues no identities');
      return mesh.identities;
    },
    authority: async () => {
      const { 'current.crt': certificate = '', 'current.key': key = '' } = (await test.identities.store.read(AUTHORITY_SECRET))
        .files;
      return { certificate, key };
    },
    identityFolder: name => test.identities.secrets.get(secretOf(name)) ?? '',
    all,
    client: (definition, by) => {
      const client = createClient(definition, { address: by ? `${by.address}:15001` : mesh.edge });
      clients.push(client);
      return client;
    },
    records: async (run, count) => {
      const giveUp = Date.now() + RECORDS_MS;
      for (;;) {
        all();
        const found = (await Promise.all([...logs].map(readRecords))).flat().filter(record => record.run.startsWith(run));
        if (found.length >= count || Date.now() > giveUp) return found;
        await wait(100);
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
  return test;
}

/** Resolves when a call passes the whole way, so that every Envoy knows the pods behind it. */
async function answered(edge: string): Promise<void> {
  using storefront = createClient(StorefrontServiceService, { address: edge });
  const giveUp = Date.now() + 10_000;
  const lines = [{ sku: 'sail', quantity: 1, unitPriceMinor: 1n }];
  for (let inARow = 0; inARow < 10; ) {
    const order = { orderId: randomUUID(), userId: 123, lines, currencyCode: 'EUR' };
    const outcome = await storefront.placeOrder({ order }, { deadline: deadlineIn(2000) }).catch(error => error);
    inARow = outcome instanceof Error ? 0 : inARow + 1;
    if (Date.now() > giveUp) throw outcome;
    if (inARow === 0) await wait(100);
  }
}

async function readRecords(logFile: string): Promise<CallRecord[]> {
  const lines = (await readFile(logFile, 'utf8')).split('\n');
  return lines.filter(line => line.includes('"msg":"call"')).map(line => JSON.parse(line).call);
}
