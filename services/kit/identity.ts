/** The trust domain of all identities: https://spiffe.io/docs/latest/spiffe-about/spiffe-concepts/#trust-domain */
export const TRUST_DOMAIN = 'telltale';

/** A label of DNS, which is what names of namespaces and of ServiceAccounts are made of here. */
const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';

const FORM = new RegExp(`^spiffe://${TRUST_DOMAIN}/ns/(${LABEL})/sa/(${LABEL})$`);

/** Who an identity is of. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The SPIFFE ID of a workload: `spiffe://telltale/ns/<namespace>/sa/<name>`.
 *
 * @throws RangeError when one of the two is no label of DNS, from which another identity could be made
 */
export function identityOf(namespace: string, name: string): string {
  const identity = `spiffe://${TRUST_DOMAIN}/ns/${namespace}/sa/${name}`;
  if (FORM.test(identity)) return identity;
  throw new RangeError(
    `${JSON.stringify(identity)} is no identity: namespace and name must each be 1 to 63 small letters, digits and inner dashes`,
  );
}

/** The inverse of {@link identityOf}; `undefined` for everything that it cannot have made. */
export function parseIdentity(identity: string): Workload | undefined {
  const [, namespace, name] = FORM.exec(identity) ?? [];
  return namespace !== undefined && name !== undefined ? { namespace, name } : undefined;
}
