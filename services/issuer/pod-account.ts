import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesApi } from './store-secrets.ts';

/** Where the kubelet puts what a pod needs to talk to the API. */
const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The API with the rights of the pod's own ServiceAccount: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 *
 * @param address what KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT say; the host may be an address of IPv6
 * @param folder that of the ServiceAccount's files; only tests have another
 * @throws Error when this is no pod, or one without a token
 */
export async function podAccount(
  address: { host: string; port: number },
  namespace: string,
  folder = FOLDER,
): Promise<KubernetesApi> {
  const { host, port } = address;
  const read = async (name: string) => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Error(`${join(folder, name)} cannot be read (${code}); set TELLTALE_IDENTITY_DIR where there is no Kubernetes`);
    }
  };
  const ca = await read('ca.crt');
  return { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, namespace, ca, token: () => read('token') };
}
