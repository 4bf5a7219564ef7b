import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { identityOf, parseIdentity } from './identity.ts';

/**
 * Reads the identity that a pod has in `folder` (tls.crt, tls.key, ca.crt) and returns what makes the credentials for calls to a
 * service of the same namespace: TLS, by which the caller shows its certificate, and only the service of that name can answer.
 *
 * @throws Error when a file is missing or the certificate has no identity
 */
export function meshCredentials(folder: string): (service: string) => ChannelCredentials {
  const read = (file: string) => readFileSync(join(folder, file));
  const [certificate, key, authorities] = [read('tls.crt'), read('tls.key'), read('ca.crt')];
  const { subjectAltName = '' } = new X509Certificate(certificate);
  const own = parseIdentity(subjectAltName.replace('URI:', ''));
  if (!own) throw new Error(`${join(folder, 'tls.crt')} has no identity of this mesh, but "${subjectAltName}"`);
  return service => {
    const expected = identityOf(own.namespace, service);
    return credentials.createSsl(authorities, key, certificate, {
      checkServerIdentity: (_host, { subjectaltname }) =>
        subjectaltname === `URI:${expected}` ? undefined : new Error(`it is "${subjectaltname}", not ${expected}`),
    });
  };
}
