import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { ConflictError, type Store } from './store.ts';

/** The Kubernetes API, as a pod meets it. */
export interface KubernetesApi {
  /** Such as https://10.96.0.1:443. */
  readonly url: string;
  readonly namespace: string;
  /** The token of the pod's ServiceAccount, which changes with time. */
  readonly token: () => Promise<string>;
  /** The certificates, as PEM, of who vouches for the API; no others are trusted. */
  readonly ca?: string;
  /** The waits, in milliseconds, before a request that was not answered is made again: 250 to 4,000 by default. */
  readonly retryMs?: readonly number[];
}

/** How long a request may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

const RETRY_MS = [250, 500, 1000, 2000, 4000];

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Secret {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Keeps Secrets in Kubernetes. They must be there: it only gets and patches them, each by name. What is no answer of the API, a
 * lost connection or a status of 429 or from 500 on, is asked for again, several times: at its start a pod may be ahead of its NetworkPolicy.
 */
export function secretStore(api: KubernetesApi): Store {
  return {
    async read(secret) {
      const { metadata, data = {} } = await ask(api, 'GET', secret);
      const files = Object.entries(data).map(([name, base64]) => [name, Buffer.from(base64, 'base64').toString()]);
      return { files: Object.fromEntries(files), version: metadata.resourceVersion };
    },
    async write(secret, changes, version) {
      const data = Object.entries(changes).map(([name, content]) => [
        name,
        content === undefined ? null : Buffer.from(content).toString('base64'),
      ]);
      // With a version, the API refuses the patch of what has changed since.
      const patch = { metadata: { resourceVersion: version }, data: Object.fromEntries(data) };
      await ask(api, 'PATCH', secret, JSON.stringify(patch));
    },
  };
}

async function ask(api: KubernetesApi, method: 'GET' | 'PATCH', secret: string, patch?: string): Promise<Secret> {
  const { status, body } = await send(api, method, `/api/v1/namespaces/${api.namespace}/secrets/${secret}`, patch);
  const what = `the Secret ${secret} in the namespace ${api.namespace}`;
  if (status === 200) return parseSecret(body, what);
  if (status === 409) throw new ConflictError(secret);
  if (status === 404) throw new Error(`${what} is not there; the chart makes it, without data: install it again`);
  if (status === 403)
    throw new Error(`${what}: ${method} is forbidden; the Role "issuer" must allow get and patch of it by name`);
  if (status === 401) throw new Error(`${what}: the token of the ServiceAccount is not accepted; start the pod again`);
  throw new Error(`${what}: ${method} is answered with ${status}: ${messageOf(body)}`);
}

/** What the API says; after the last wait, whatever it is. */
async function send(api: KubernetesApi, method: string, path: string, patch?: string): Promise<Answer> {
  const waits = [...(api.retryMs ?? RETRY_MS)];
  for (;;) {
    const token = await api.token();
    const wait = waits.shift();
    try {
      const answer = await sendOnce(api, { method, path, token, patch });
      if (wait === undefined || (answer.status < 500 && answer.status !== 429)) return answer;
    } catch (error) {
      if (wait === undefined) throw new Error(`the Kubernetes API at ${api.url} does not answer: ${whyOf(error)}`);
    }
    await setTimeout(wait);
  }
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly patch: string | undefined;
}

async function sendOnce(api: KubernetesApi, { method, path, token, patch }: Request): Promise<Answer> {
  const url = new URL(path, api.url);
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${token.trim()}`,
    ...(patch === undefined ? {} : { 'content-type': 'application/merge-patch+json' }),
  };
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'http:' ? requestHttp : requestHttps;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = start(url, { method, headers, ca: api.ca, agent: false, signal }, response => {
      text(response).then(body => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    request.on('error', reject);
    request.end(patch);
  });
}

function whyOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `${code ?? message}; check that this pod may connect to it, and that the address is right`;
}

function parseSecret(body: string, what: string): Secret {
  try {
    const secret = JSON.parse(body) as Partial<Secret>;
    if (typeof secret.metadata?.resourceVersion === 'string') return secret as Secret;
  } catch {
    // The same as any other answer that is no Secret.
  }
  throw new Error(`${what}: the answer is no Secret`);
}

/** What a Status of the API says; never the body itself, which may be of anything. */
function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return JSON.stringify(message ?? '');
  } catch {
    return 'no Status of Kubernetes';
  }
}
