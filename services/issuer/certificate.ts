import { createPrivateKey, X509Certificate } from 'node:crypto';

/**
 * The certificates of a PEM text; `undefined` when there is none, or anything but certificates: what we would skip, somebody
 * else may stumble over.
 */
export function parseCertificates(pem: string | undefined): X509Certificate[] | undefined {
  const parts = pem?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  if (parts.length === 0 || parts.join('') !== pem) return undefined;
  return attempt(() => parts.map(part => new X509Certificate(part)));
}

/** The one certificate of a PEM text; `undefined` when it is anything else. */
export function parseCertificate(pem: string | undefined): X509Certificate | undefined {
  const [certificate, ...more] = parseCertificates(pem) ?? [];
  return more.length === 0 ? certificate : undefined;
}

/** Whether a PEM text is the private key of a certificate. */
export function isKeyOf(certificate: X509Certificate, pem: string | undefined): boolean {
  return pem !== undefined && attempt(() => certificate.checkPrivateKey(createPrivateKey(pem))) === true;
}

/** Whether the key of `issuer` has signed a certificate. */
export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function attempt<Result>(parse: () => Result): Result | undefined {
  try {
    return parse();
  } catch {
    return undefined; // not what it should be, which is all that anybody asks
  }
}
