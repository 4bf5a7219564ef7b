import type { Authority } from './authority.ts';
import { isKeyOf, parseCertificate, parseCertificates } from './certificate.ts';
import type { FileChanges, Files } from './store.ts';

/** The authorities that there are at a time: what the Secret `identities-authority` says. */
export interface Authorities {
  /** Signs leaves. */
  readonly current: Authority;
  /** Will sign them: it is put into the bundles first. */
  readonly next?: Authority | undefined;
  /** Since when every bundle has `next`; not known before all were seen to have it. */
  readonly nextSince?: Date | undefined;
  /** Certificates, as PEM, of those that have signed leaves which can still be valid. */
  readonly previous: readonly string[];
  /** When the last of these leaves ends. */
  readonly previousUntil?: Date | undefined;
}

/** As {@link Authorities}, where there may be none that can be used. */
export type FoundAuthorities = Omit<Authorities, 'current'> & { readonly current: Authority | undefined };

/** What a Secret says, as far as it can be used at `now`: whose certificate and key can be read, fit, and have not ended. */
export function readAuthorities(files: Files, now: Date): FoundAuthorities {
  const current = readAuthority(files['current.crt'], files['current.key'], now);
  // A current one without its key has signed leaves, all the same.
  const orphan = current ? '' : (files['current.crt'] ?? '');
  const next = readAuthority(files['next.crt'], files['next.key'], now);
  return {
    current,
    next,
    nextSince: next && readDate(files['next.since']),
    previous: [orphan, files['previous.crt'] ?? ''].flatMap(pem =>
      (parseCertificates(pem) ?? []).filter(({ ca, validToDate }) => ca && validToDate > now).map(String),
    ),
    previousUntil: readDate(files['previous.until']),
  };
}

/** What must change in a Secret so that it says this. */
export function changesTo(authorities: Authorities, files: Files): FileChanges {
  const { current, next, nextSince, previous, previousUntil } = authorities;
  const wanted: FileChanges = {
    'current.crt': current.certificate,
    'current.key': current.key,
    'next.crt': next?.certificate,
    'next.key': next?.key,
    'next.since': next && nextSince?.toISOString(),
    'previous.crt': previous.length > 0 ? previous.join('') : undefined,
    'previous.until': previous.length > 0 ? previousUntil?.toISOString() : undefined,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([name, text]) => files[name] !== text));
}

/** The bundle: every authority by which a leaf can be, the one that signs first. */
export const bundleOf = ({ current, next, previous }: Authorities): string =>
  [current.certificate, next?.certificate ?? '', ...previous].join('');

/**
 * The text of a file with this bundle: RFC 7468 lets text stand before certificates, and here it makes each writing differ from all
 * others. Envoy (1.40) keeps a hash of the last file that it could use, and after one that it could not, takes no notice of the same
 * bytes as before.
 */
export const bundleFile = (bundle: string, now: Date): string => `written ${now.toISOString()}\n${bundle}`;

/** The bundle in a file, with or without the line that {@link bundleFile} puts before it. */
export const bundleIn = (file: string | undefined): string | undefined => file?.replace(/^written [\dTZ:.-]+\n/, '');

function readAuthority(certificate: string | undefined, key: string | undefined, now: Date): Authority | undefined {
  const parsed = parseCertificate(certificate);
  if (!parsed?.ca || parsed.validToDate <= now || !isKeyOf(parsed, key)) return undefined;
  return certificate !== undefined && key !== undefined ? { certificate, key } : undefined;
}

function readDate(text: string | undefined): Date | undefined {
  const date = new Date(text ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
