import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'node:test';
import { connect, createServer, type PeerCertificate } from 'node:tls';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate as Parsed } from '@peculiar/x509';
import { identityOf } from '../kit/identity.ts';
import { type Authority, createAuthority, issueLeaf, type Leaf } from './authority.ts';

const DAY_MS = 86_400_000;
const users = identityOf('mesh', 'users');
const after = (milliseconds: number) => new Date(Date.now() + milliseconds);

describe('createAuthority', () => {
  it('makes a certificate that may sign leaves and nothing else, for as long as it is told', async () => {
    const now = new Date('2030-01-02T03:04:05.678Z');
    const { certificate, key } = await createAuthority({ now, days: 90 });
    const parsed = new X509Certificate(certificate);
    assert.equal(parsed.ca, true);
    assert.equal(parsed.verify(parsed.publicKey), true);
    assert.equal(parsed.checkPrivateKey(createPrivateKey(key)), true);
    assert.equal(parsed.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.equal(parsed.subjectAltName, 'URI:spiffe://telltale');
    assert.equal(parsed.validFromDate.toISOString(), '2030-01-02T03:03:05.000Z');
    assert.equal(parsed.validToDate.toISOString(), '2030-04-02T03:04:05.000Z');
    assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/);
  });

  it('makes another name, number and key each time', async () => {
    const options = { now: new Date(), days: 1 };
    const [one, other] = await Promise.all([createAuthority(options), createAuthority(options)]);
    const [first, second] = [new X509Certificate(one.certificate), new X509Certificate(other.certificate)];
    assert.notEqual(first.subject, second.subject);
    assert.notEqual(first.serialNumber, second.serialNumber);
    assert.equal(first.publicKey.equals(second.publicKey), false);
  });
});

describe('issueLeaf', () => {
  let authority: Authority;
  before(async () => {
    authority = await createAuthority({ now: new Date(), days: 2 });
  });

  it('makes a certificate with the identity as its one URI, signed by the authority, for both ends of a connection', async () => {
    const { certificate, key } = await issueLeaf(authority, { identity: users, now: new Date(), hours: 24 });
    const [leaf, issuer] = [new X509Certificate(certificate), new X509Certificate(authority.certificate)];
    assert.equal(leaf.ca, false);
    assert.equal(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey), true);
    assert.equal(leaf.checkPrivateKey(createPrivateKey(key)), true);
    const parsed = new Parsed(certificate);
    const [constraints, usages] = [parsed.getExtension(BasicConstraintsExtension), parsed.getExtension(KeyUsagesExtension)];
    assert.deepEqual([constraints?.critical, constraints?.ca], [true, false]);
    assert.deepEqual([usages?.critical, usages?.usages], [true, KeyUsageFlags.digitalSignature]);
    assert.equal(leaf.subjectAltName, `URI:${users}`);
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
    assert.equal(leaf.validToDate.getTime() - leaf.validFromDate.getTime(), 24 * 3_600_000 + 60_000);
    assert.ok(leaf.serialNumber.length > 24, leaf.serialNumber);
    assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/);
  });

  it('adds host names where they are asked for', async () => {
    const leaf = await issueLeaf(authority, { identity: users, now: new Date(), hours: 1, dnsNames: ['users', 'users.mesh'] });
    const { subjectAltName } = new X509Certificate(leaf.certificate);
    assert.equal(subjectAltName, `URI:${users}, DNS:users, DNS:users.mesh`);
  });

  it('never outlives its authority', async () => {
    const { certificate } = await issueLeaf(authority, { identity: users, now: after(DAY_MS), hours: 48 });
    assert.equal(new X509Certificate(certificate).validTo, new X509Certificate(authority.certificate).validTo);
  });

  it('refuses what is no identity, and an authority that has ended', async () => {
    await assert.rejects(issueLeaf(authority, { identity: 'users', now: new Date(), hours: 1 }), /"users" is no identity/);
    const late = issueLeaf(authority, { identity: users, now: after(3 * DAY_MS), hours: 1 });
    await assert.rejects(late, /the authority has ended at 20/);
  });
});

describe('a TLS handshake in which both ends show leaves', () => {
  let authority: Authority;
  let server: Leaf;
  const orders = identityOf('mesh', 'orders');
  const leafOf = (signer: Authority, now = new Date(), identity = orders) => issueLeaf(signer, { identity, now, hours: 1 });
  before(async () => {
    authority = await createAuthority({ now: after(-10 * DAY_MS), days: 30 });
    server = await leafOf(authority, new Date(), users);
  });

  it('is accepted, and the server learns the identity', async () => {
    assert.equal(await handshake(authority, server, await leafOf(authority)), `welcome URI:${orders}`);
  });

  it('is refused by the server when the client has no leaf, or one that is wrong', async () => {
    const other = await createAuthority({ now: new Date(), days: 30 });
    // A leaf is no authority, whoever has signed it.
    const orders = await leafOf(authority);
    const below = await issueLeaf(orders, { identity: users, now: new Date(), hours: 1 });
    const signedByLeaf = { ...below, certificate: below.certificate + orders.certificate };
    const rows: [leaf: Partial<Leaf>, says: string][] = [
      [{}, 'UNABLE_TO_GET_ISSUER_CERT'],
      [await leafOf(other), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [signedByLeaf, 'UNSPECIFIED'], // what Node calls OpenSSL's "invalid CA certificate",
      [await leafOf(authority, after(-2 * 3_600_000)), 'CERT_HAS_EXPIRED'],
      [await leafOf(authority, after(3_600_000)), 'CERT_NOT_YET_VALID'],
    ];
    for (const [leaf, says] of rows) assert.equal(await handshake(authority, server, leaf), `refused ${says}`);
  });

  it('is refused by the client when the server has a wrong one', async () => {
    const other = await createAuthority({ now: new Date(), days: 30 });
    const client = await leafOf(authority);
    const rows: [leaf: Leaf, code: string][] = [
      [await leafOf(other, new Date(), users), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [await leafOf(authority, after(-2 * 3_600_000), users), 'CERT_HAS_EXPIRED'],
      [await leafOf(authority, after(3_600_000), users), 'CERT_NOT_YET_VALID'],
      [await leafOf(authority), 'WRONG_IDENTITY'],
    ];
    for (const [leaf, code] of rows) await assert.rejects(handshake(authority, leaf, client), { code });
  });
});

/** What the server says to a client with this leaf; rejects with the client's error when it refuses the server. */
async function handshake(authority: Authority, of: Leaf, by: Partial<Leaf>): Promise<string> {
  const ca = authority.certificate;
  // Not by rejectUnauthorized, with which the server would end the connection without a word.
  const options = { cert: of.certificate, key: of.key, ca, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, socket => {
    const { authorized, authorizationError } = socket;
    socket.end(authorized ? `welcome ${socket.getPeerCertificate().subjectaltname}` : `refused ${authorizationError}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    cert: by.certificate,
    key: by.key,
    ca,
    checkServerIdentity: (_host: string, { subjectaltname }: PeerCertificate) =>
      subjectaltname === `URI:${users}` ? undefined : Object.assign(new Error(subjectaltname), { code: 'WRONG_IDENTITY' }),
  });
  try {
    return (await socket.toArray()).join('');
  } finally {
    socket.destroy();
    server.close();
  }
}
