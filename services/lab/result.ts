import type { Latency } from './measure/latency.ts';

/** The version of the result documents: changes when a reader of the one before would misread one. */
export const RESULT_VERSION = 1;

/** What a run has shown; `inconclusive` when it could not tell, `incomplete` when it was stopped. */
export type VerdictKind = 'holds' | 'does not hold' | 'depends' | 'inconclusive' | 'incomplete';

/** A result document: what one run has measured, and under which conditions. */
export interface Result {
  readonly schemaVersion: typeof RESULT_VERSION;
  readonly id: string;
  readonly scenario: string;
  readonly claim: { readonly says: string; readonly by: string };
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly parameters: Readonly<Record<string, number | string>>;
  readonly figures: Readonly<Record<string, { readonly title: string; readonly unit: string; readonly latency?: true }>>;
  readonly arms: readonly ArmResult[];
  readonly headline: HeadlineResult;
  readonly checks: readonly CheckResult[];
  readonly verdict: { readonly kind: VerdictKind; readonly sentence: string };
  /** Whether all checks passed, in a run that was complete and could tell. */
  readonly passed: boolean;
  readonly conditions: Conditions;
}

/** What an arm has given, all repetitions together. */
export interface ArmResult {
  readonly name: string;
  readonly title: string;
  readonly control: boolean;
  readonly repetitions: number;
  readonly figures: Readonly<Record<string, FigureResult>>;
  /** Calls by how they ended for the lab. */
  readonly statuses: Readonly<Record<string, number>>;
  /** What each hop reported: method, status, how often. */
  readonly reports: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Connections that the calls came by, at each method. */
  readonly connections: Readonly<Record<string, number>>;
  /** From when a call was due until it ended, in milliseconds; of all calls, however they ended. */
  readonly latencyMs: Latency | undefined;
  /** How much later than due the lab began calls, in milliseconds. It is part of `latencyMs`. */
  readonly latenessMs: Latency | undefined;
  /** How late the lab's event loop woke, in milliseconds, in the load in which it was latest: answers wait as long to be read. */
  readonly loopDelayMs: Latency | undefined;
  readonly cpu: ArmCpu;
}

/** The CPU time that an arm took, in microseconds per call. */
export interface ArmCpu {
  readonly labPerCallUs: number;
  /** By service, all its pods together, without their proxies. */
  readonly servicesPerCallUs: Readonly<Record<string, number>>;
  /**
   * Who had no room left: "lab", a pod's name or "machine"; null when nobody. The lab had none when its event loop was busy for 85 %
   * of the time, or when `latenessMs` or `loopDelayMs` has a p99 above 1 ms and above a tenth of the latency's p99.
   */
  readonly saturated: string | null;
}

/** A figure over the repetitions of an arm; JSON has no NaN, so null stands for what could not be measured. */
export interface FigureResult {
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly values: readonly (number | null)[];
}

/** The figure that is told first, in the arm that the claim is about and in its control. */
export interface HeadlineResult {
  readonly figure: string;
  readonly arm: string;
  readonly control: string;
  readonly armMedian: number | null;
  readonly controlMedian: number | null;
  /** The arm's median as a share of the control's; null when that is 0. */
  readonly ratio: number | null;
  /** How far the two medians are apart, and how far repetitions of one arm are. */
  readonly effect: number | null;
  readonly noise: number | null;
}

/** A check and what it has seen. */
export interface CheckResult {
  readonly says: string;
  readonly passed: boolean;
  readonly observed: string;
}

/** Under which conditions a result was made. */
export interface Conditions {
  readonly versions: Readonly<Record<string, string>>;
  readonly mode: 'local' | 'cluster';
  readonly cores: number;
  readonly platform: string;
  /** Calls that count, all arms together, and how many of them have records of all hops. */
  readonly calls: number;
  readonly completeCalls: number;
  readonly droppedRecords: number;
  readonly notTested: readonly string[];
}
