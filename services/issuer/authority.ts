// @peculiar/x509 looks for this when it is loaded.
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { parseIdentity, TRUST_DOMAIN } from '../kit/identity.ts';

/** A certificate and its private key, both as PEM; the key as PKCS#8. Never log one. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Who vouches for identities: a certificate that signs others, with its key. */
export type Authority = KeyPair;

/** What a workload shows: a certificate with its identity, with its key. */
export type Leaf = KeyPair;

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { ...P256, hash: 'SHA-256' } as const;

/** How long before its making a certificate begins to be valid, for clocks that are behind. */
const BACKDATED_MS = 60_000;

const HOUR_MS = 3_600_000;

/**
 * Makes an authority that is valid for `days` from `now` on, and, for clocks that are behind, in the minute before. It signs itself,
 * and nothing but leaves. Its form is that of a signing certificate of SPIFFE: https://spiffe.io/docs/latest/spiffe-specs/x509-svid/
 */
export async function createAuthority({ now, days }: { now: Date; days: number }): Promise<Authority> {
  const { publicKey, privateKey } = await generateKeys();
  // A name of its own, so that nobody has to tell two authorities apart by their keys.
  const name = nameOf(`authority ${randomBytes(4).toString('hex')}`);
  return sign({
    subject: name,
    issuer: name,
    publicKey,
    privateKey,
    signingKey: privateKey,
    notBefore: now.getTime() - BACKDATED_MS,
    notAfter: now.getTime() + days * 24 * HOUR_MS,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
      new SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${TRUST_DOMAIN}` }]),
    ],
  });
}

/** What {@link issueLeaf} puts into a leaf. */
export interface LeafOptions {
  /** The SPIFFE ID, as `identityOf` makes it: the leaf's one URI. */
  readonly identity: string;
  /** From when on it is valid, and, for clocks that are behind, in the minute before. */
  readonly now: Date;
  /** For how long; less where the authority itself ends earlier. */
  readonly hours: number;
  /** Host names, for peers that check these; none by default. */
  readonly dnsNames?: readonly string[];
}

/**
 * Makes a key, and a certificate by which its owner can show an identity, as a client and as a server.
 *
 * @throws RangeError when `identity` is none, or when the authority has ended by `now`
 */
export async function issueLeaf(authority: Authority, { identity, now, hours, dnsNames = [] }: LeafOptions): Promise<Leaf> {
  const workload = parseIdentity(identity);
  if (!workload) throw new RangeError(`${JSON.stringify(identity)} is no identity; make it by identityOf`);
  const issuer = new X509Certificate(authority.certificate);
  if (issuer.notAfter <= now) throw new RangeError(`the authority has ended at ${issuer.notAfter.toISOString()}`);
  const { publicKey, privateKey } = await generateKeys();
  const uri: JsonGeneralName = { type: 'url', value: identity };
  return sign({
    subject: nameOf(workload.name),
    issuer: issuer.subjectName,
    publicKey,
    privateKey,
    signingKey: createPrivateKey(authority.key).toCryptoKey(P256, false, ['sign']),
    notBefore: now.getTime() - BACKDATED_MS,
    notAfter: Math.min(now.getTime() + hours * HOUR_MS, issuer.notAfter.getTime()),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new SubjectAlternativeNameExtension([uri, ...dnsNames.map((value): JsonGeneralName => ({ type: 'dns', value }))]),
    ],
  });
}

interface Content {
  subject: Name;
  issuer: Name;
  publicKey: CryptoKey;
  privateKey: CryptoKey;
  signingKey: CryptoKey;
  notBefore: number;
  notAfter: number;
  extensions: Extension[];
}

/** The serial number is the library's: 128 random bits. */
async function sign({ privateKey, notBefore, notAfter, ...content }: Content): Promise<KeyPair> {
  const certificate = await X509CertificateGenerator.create({
    ...content,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: SIGNATURE,
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
  return { certificate: `${certificate.toString('pem')}\n`, key: `${key}\n` };
}

const generateKeys = () => webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);

const nameOf = (commonName: string) => new Name(`O=${TRUST_DOMAIN}, CN=${commonName}`);
