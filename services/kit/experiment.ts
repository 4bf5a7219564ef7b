import { Metadata, status } from '@grpc/grpc-js';
import { type Failure, Script, type Step } from '../../proto/gen/telltale/script/v1/script.ts';
import { strictDecoder } from './codec.ts';
import { pause } from './pause.ts';
import { RpcError } from './rpc-error.ts';
import { invalidRequest, violationsIn } from './validate.ts';

/** Metadata that names the run a call belongs to; marked calls leave a record. */
export const RUN_KEY = 'telltale-run';
/** Metadata with a serialized telltale.script.v1.Script. */
export const SCRIPT_KEY = 'telltale-script-bin';
/** Metadata that chooses a variant of the proxies' routes, such as `no-retry`. */
export const POLICY_KEY = 'telltale-policy';

/** What the request of a call asks for beside its message, as far as this service is concerned. */
export interface Experiment {
  /** The run that the call belongs to; undefined for an ordinary call. */
  readonly run: string | undefined;
  /** What this service shall do before its handler runs. */
  readonly steps: readonly Step[];
  /** What every call made while serving this one carries on. */
  readonly forwarded: Metadata;
}

/** The experiment of a call that carries none, and of every call where experiments are switched off. */
export const NO_EXPERIMENT: Experiment = { run: undefined, steps: [], forwarded: new Metadata() };

/**
 * Reads the experiment that a call carries for the method `service.method` (short names, "payments" and "Charge").
 *
 * @throws RpcError INVALID_ARGUMENT when the script is no Script or asks for more than script.proto allows
 */
export function readExperiment(metadata: Metadata, service: string, method: string): Experiment {
  const run = metadata.get(RUN_KEY)[0]?.toString();
  const [script] = metadata.get(SCRIPT_KEY);
  const forwarded = new Metadata();
  for (const key of [RUN_KEY, SCRIPT_KEY, POLICY_KEY]) for (const value of metadata.get(key)) forwarded.add(key, value);
  const steps = script === undefined ? [] : parseScript(script).steps;
  return { run, steps: steps.filter(step => step.service === service && ['', method].includes(step.method)), forwarded };
}

/** An experiment as the metadata that carries it: what services do, the run that the call belongs to, the routes' variant. */
export function scriptMetadata(steps: readonly Partial<Step>[], run?: string, policy?: string): Metadata {
  const metadata = new Metadata();
  metadata.set(SCRIPT_KEY, Buffer.from(Script.encode(Script.fromPartial({ steps: [...steps] })).finish()));
  if (run !== undefined) metadata.set(RUN_KEY, run);
  if (policy !== undefined) metadata.set(POLICY_KEY, policy);
  return metadata;
}

const decodeScript = strictDecoder(bytes => Script.decode(bytes));

function parseScript(value: string | Buffer): Script {
  let script: Script;
  try {
    script = decodeScript(Buffer.from(value));
  } catch (cause) {
    const violations = [{ field: SCRIPT_KEY, description: 'must be a serialized telltale.script.v1.Script' }];
    throw new RpcError(status.INVALID_ARGUMENT, `${SCRIPT_KEY} is not a Script`, {
      reason: 'INVALID_SCRIPT',
      violations,
      cause,
    });
  }
  const violations = violationsIn('telltale.script.v1.Script', script);
  if (violations.length > 0) throw invalidRequest(violations);
  return script;
}

/**
 * Does what the steps ask for, one after the other.
 *
 * @throws the signal's reason when the call ends during a wait; RpcError with the code of a scripted failure
 */
export async function performSteps(steps: readonly Step[], signal: AbortSignal): Promise<void> {
  for (const step of steps) {
    if (step.waitMs > 0) await pause(step.waitMs, signal);
    burnCpu(step.burnCpuMs);
    if (step.fail) failAtRate(step.fail);
  }
}

function burnCpu(ms: number): void {
  const start = process.cpuUsage();
  const used = () => process.cpuUsage(start);
  while (ms > 0 && (used().user + used().system) / 1000 < ms);
}

function failAtRate({ code, rate }: Failure): void {
  if (rate > 0 && Math.random() >= rate) return;
  throw new RpcError(code as status, 'as the script says', { reason: 'SCRIPTED' });
}

/** How many bytes the steps add to each answer. */
export const paddingOf = (steps: readonly Step[]): number => steps.reduce((sum, step) => sum + step.padBytes, 0);

/** Whether a step tells the service to call others without its own call's deadline and cancellation. */
export const detachesCalls = (steps: readonly Step[]): boolean => steps.some(step => step.detachCalls);

/** Whether a step has the service stop without its wait, when it is told to while it serves the call. */
export const skipsDrainWait = (steps: readonly Step[]): boolean => steps.some(step => step.skipDrainWait);
