import { type Name, uidOf } from './links.ts';

/** A panel that is right when it shows nothing. */
export interface EmptyPanel {
  /** The uid of the dashboard. */
  readonly dashboard: string;
  /** The title of the panel. */
  readonly panel: string;
  /** Why there is nothing to show. */
  readonly reason: string;
}

const empty = (name: Name, panel: string, reason: string): EmptyPanel => ({ dashboard: uidOf(name), panel, reason });

/**
 * The panels that have no data while all is well. Every other one has some as soon as calls are made: Envoy's counters begin at
 * zero with the process, and shares of errors are written so that no error is a zero.
 */
export const emptyIsGood: readonly EmptyPanel[] = [
  empty('mesh', 'Firing alerts', 'no alert fires'),
  empty('service', 'Calls that were tried before', 'a series per method begins with the first repeated call'),
  empty(
    'service',
    'Database connections',
    'the embedded SQLite has no pool of connections, and not every service has a database',
  ),
  empty('deadlines', 'Calls without a deadline', 'a series per method begins with the first such call'),
  empty('deadlines', 'Given up, as servers see it', 'a series per status begins with the first such call'),
  empty('deadlines', 'Given up, as callers see it', 'a series per status begins with the first such call'),
  empty('deadlines', 'Work for nobody', 'observed only for calls that caller, deadline or drain ended'),
  empty('deadlines', 'How long handlers go on', 'observed only for calls that caller, deadline or drain ended'),
  empty('deadlines', 'Handlers that went on', 'observed only for calls that caller, deadline or drain ended'),
  empty('envoy', 'Calls by status, as Envoys see them', 'a status has no counter until a call ends with it'),
];
