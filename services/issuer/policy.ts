/** Whose identities there are, and how long everything lives. */
export interface Policy {
  readonly namespace: string;
  readonly names: readonly string[];
  /** Those of `names` whose leaves say the name as a host name too. */
  readonly hosts: readonly string[];
  readonly leafHours: number;
  readonly authorityDays: number;
  /** How long it takes, in minutes, until everybody has read a Secret that has changed. */
  readonly settleMinutes: number;
}

/** The name of the Secret with the authorities. */
export const AUTHORITY_SECRET = 'identities-authority';

/** The name of the Secret with the identity of `name`. */
export const secretOf = (name: string): string => `${name}-identity`;

/** In milliseconds. */
export const MINUTE_MS = 60_000;

/** In milliseconds. */
export const HOUR_MS = 60 * MINUTE_MS;

/** How far, in milliseconds, clocks may differ without anything being taken for wrong. */
export const CLOCK_TOLERANCE_MS = HOUR_MS;
