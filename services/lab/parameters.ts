import { status } from '@grpc/grpc-js';
import { closest, distance } from 'fastest-levenshtein';
import type { Parameter } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { RpcError, type Violation } from '../kit/rpc-error.ts';
import { shown } from '../kit/validate-shown.ts';
import type { ArrivalOptions } from './measure/arrivals.ts';

/** A parameter that is a whole number. */
export interface WholeNumber {
  readonly kind: 'integer';
  /** What it means, in a line. */
  readonly title: string;
  /** "ms", "calls/s"; empty for a count. */
  readonly unit: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** A parameter that is one of a few words. */
export interface Choice<Word extends string = string> {
  readonly kind: 'choice';
  readonly title: string;
  readonly default: NoInfer<Word>;
  readonly choices: readonly [Word, ...Word[]];
}

/** What can be set before a run, by name. */
export type ParameterSpecs = Readonly<Record<string, WholeNumber | Choice>>;

/** The values of a run's parameters. */
export type Values<Specs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends Choice<infer Word> ? Word : number;
};

/** A parameter with a whole number; the scenario's own, beside those of {@link loadParameters}. */
export const integer = (spec: Omit<WholeNumber, 'kind'>): WholeNumber => ({ kind: 'integer', ...spec });

/** A parameter with one of these words. */
export const choice = <const Word extends string>(spec: Omit<Choice<Word>, 'kind'>): Choice<Word> => ({
  kind: 'choice',
  ...spec,
});

/** The most calls a second that any scenario may make. */
export const MAX_RATE = 1000;

/** The longest load in seconds: of one repetition of an arm, and of a run, all arms and repetitions together, warm-up not counted. */
const MAX_LOAD_SECONDS = 30;
export const MAX_SECONDS = 180;

/** The longest that a run may take, in milliseconds: its load lasts at most three minutes, its rollouts as long as they do. */
export const LONGEST_RUN_MS = 600_000;

/** What the parameters of a load are unless set. */
interface LoadDefaults extends Pick<ArrivalOptions, 'rate' | 'seconds'>, Partial<Pick<ArrivalOptions, 'arrivals'>> {
  readonly repetitions: number;
}

/**
 * The parameters that every scenario has; the arguments are its defaults: `seconds` is for each repetition of each arm, `arrivals` is
 * `fixed` unless given.
 */
export const loadParameters = ({ arrivals = 'fixed', ...defaults }: LoadDefaults) => ({
  rate: integer({ title: 'Calls begun per second', unit: 'calls/s', default: defaults.rate, min: 1, max: MAX_RATE }),
  seconds: integer({
    title: 'Load of each repetition of each arm',
    unit: 's',
    default: defaults.seconds,
    min: 1,
    max: MAX_LOAD_SECONDS,
  }),
  repetitions: integer({ title: 'Repetitions of each arm', unit: '', default: defaults.repetitions, min: 2, max: 20 }),
  arrivals: choice({ title: 'When calls begin', default: arrivals, choices: ['fixed', 'poisson', 'burst'] }),
  seed: integer({ title: 'Where random numbers begin', unit: '', default: 1, min: 0, max: 2 ** 31 - 1 }),
});

/** See {@link loadParameters}. */
export type LoadParameters = ReturnType<typeof loadParameters>;

/**
 * Reads parameters that came as text; those that are not named have their defaults.
 *
 * @param arms how many arms share the time
 * @throws RpcError INVALID_ARGUMENT that lists every name that is unknown and every value that is not allowed
 */
export function parseParameters<Specs extends ParameterSpecs & LoadParameters>(
  specs: Specs,
  texts: Readonly<Record<string, string>>,
  arms: number,
): Values<Specs> {
  const violations: Violation[] = [];
  const wrong = (name: string, description: string) => violations.push({ field: `parameters.${name}`, description });
  for (const name of Object.keys(texts)) if (!Object.hasOwn(specs, name)) wrong(name.slice(0, 64), unknownName(name, specs));
  const entries = Object.entries(specs).map(([name, spec]) => {
    const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
    if (text === undefined) return [name, spec.default];
    const value = readValue(spec, text);
    if (value === undefined) wrong(name, `${ruleOf(spec)}, is ${shown(text)}`);
    return [name, value];
  });
  const values = Object.fromEntries(entries) as Values<Specs>;
  const { seconds, repetitions } = values as Values<LoadParameters>;
  const total = seconds * repetitions * arms;
  if (total > MAX_SECONDS) {
    const most = Math.floor(MAX_SECONDS / (repetitions * arms));
    const rule = `${repetitions} repetitions of ${arms} arms must last at most ${MAX_SECONDS} s together`;
    wrong('seconds', `${rule}, would last ${total} s; ${most > 0 ? `set at most ${most}` : 'set fewer repetitions'}`);
  }
  if (violations.length === 0) return values;
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
  throw new RpcError(status.INVALID_ARGUMENT, message, { reason: 'INVALID_PARAMETERS', violations: violations.slice(0, 20) });
}

/** A parameter as LabService describes it. */
export function parameterOf(name: string, spec: WholeNumber | Choice): Parameter {
  const { title, default: defaultValue } = spec;
  const same = { name, title, defaultValue: String(defaultValue) };
  if (spec.kind === 'choice') return { ...same, unit: '', min: 0n, max: 0n, choices: [...spec.choices] };
  return { ...same, unit: spec.unit, min: BigInt(spec.min), max: BigInt(spec.max), choices: [] };
}

function readValue(spec: WholeNumber | Choice, text: string): number | string | undefined {
  if (spec.kind === 'choice') return spec.choices.find(word => word === text);
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= spec.min && value <= spec.max ? value : undefined;
}

function ruleOf(spec: WholeNumber | Choice): string {
  if (spec.kind === 'choice') return `must be one of ${spec.choices.join(', ')}`;
  return `must be a whole number from ${spec.min} to ${spec.max}${spec.unit && ` ${spec.unit}`}`;
}

function unknownName(name: string, specs: ParameterSpecs): string {
  const names = Object.keys(specs);
  const nearest = closest(name, names);
  const hint = distance(name, nearest) <= 3 ? `did you mean ${nearest}? ` : '';
  return `no such parameter; ${hint}There are: ${names.join(', ')}`;
}
