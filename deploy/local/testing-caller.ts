import { once } from 'node:events';
import type { SecureClientSessionOptions } from 'node:http2';
import { connect, type PeerCertificate } from 'node:tls';
import { type Authority, issueLeaf, type Leaf } from '../../services/issuer/authority.ts';
import { identityOf, parseIdentity } from '../../services/kit/identity.ts';
import { frame, type RawAnswer, rawCall } from '../../services/kit/testing-raw-call.ts';
import { namespace } from './manifest.ts';
import type { PodView } from './mesh.ts';

/** The path of the one method of health that is for callers in the mesh. */
export const HEALTH_CHECK = '/grpc.health.v1.Health/Check';

/** A leaf for `name` of the local run's namespace that is valid for an hour. */
export function leafFor(name: string, authority: Authority, now = new Date()): Promise<Leaf> {
  return issueLeaf(authority, { identity: identityOf(namespace, name), now, hours: 1 });
}

/** How the owner of a leaf connects to a pod of the mesh; the pod must have an identity, whichever, by one of these authorities. */
export function tlsBy(leaf: Partial<Leaf>, authorities: string): SecureClientSessionOptions {
  const { certificate, key } = leaf;
  return {
    ...(certificate !== undefined && key !== undefined && { cert: certificate, key }),
    ca: authorities,
    checkServerIdentity: (_host: string, { subjectaltname = '' }: PeerCertificate) =>
      parseIdentity(subjectaltname.replace('URI:', ''))?.namespace === namespace
        ? undefined
        : new Error(`it is ${subjectaltname}`),
  };
}

/** Calls a method with an empty message at the mesh port of a pod, past every Envoy but the pod's own; in plain text without `tls`. */
export function callPod(pod: PodView, path: string, tls?: SecureClientSessionOptions): Promise<RawAnswer> {
  return rawCall(`${pod.address}:50051`, { ':path': path }, frame(Buffer.alloc(0)), tls);
}

/** Whether anything at all answers at the mesh port of a pod; an end that refuses a certificate closes the connection, with an alert or without. */
export async function isAnswered(pod: PodView, tls?: SecureClientSessionOptions): Promise<boolean> {
  const answer = await callPod(pod, HEALTH_CHECK, tls).catch(() => undefined);
  return answer !== undefined && !Number.isNaN(answer.httpStatus);
}

/** The serial number of the certificate that a pod shows to who connects now. */
export async function certificateOf({ address }: PodView, tls: SecureClientSessionOptions): Promise<string> {
  const socket = connect({ ...tls, host: address, port: 50051, ALPNProtocols: ['h2'] });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}
