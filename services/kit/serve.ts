import { setTimeout as wait } from 'node:timers/promises';
import type { CleanedEnv } from 'envalid';
import { formatAddress, type kitVariables } from './config.ts';
import { connectDirectly } from './connect-directly.ts';
import { flushSpans } from './flush-spans.ts';
import { logGrpc } from './grpc-log.ts';
import { createLogger, type Logger } from './log.ts';
import { serviceName } from './method.ts';
import { measureRuntime } from './metrics.ts';
import { listenForMetrics } from './metrics-server.ts';
import { logRecords, type RecordSink } from './record.ts';
import { type RecordSender, sendRecords } from './send-records.ts';
import { type Binding, createServer, type MeshServer } from './server.ts';

/** What every service has read from its environment. */
export type KitConfig = CleanedEnv<typeof kitVariables>;

/** What a process serves. */
export interface ServeOptions {
  readonly config: KitConfig;
  /** The services with their handlers; the first one names the process in logs. */
  readonly services: readonly [Binding, ...Binding[]];
  /**
   * Rejects while the services cannot do their work, such as when their database is away. Asked every second; the services
   * then say NOT_SERVING to readiness probes and callers, while the process stays alive. Must settle when the signal aborts.
   */
  readonly ready?: (signal: AbortSignal) => Promise<unknown>;
  /** Closes what the handlers use, in this order, when no call is left. */
  readonly onStop?: readonly (() => Promise<void> | void)[];
}

/**
 * Serves until SIGTERM or SIGINT, then stops in this order and ends the process with exit code 0:
 *
 * 1. every health status becomes NOT_SERVING, the sidecar begins to drain its callers' connections;
 * 2. calls are still served for TELLTALE_DRAIN_WAIT_MS, until nobody has this pod among its endpoints any more (left out when an
 *    experiment under way asks for that);
 * 3. no new calls; streams still open after a second end with UNAVAILABLE, calls after TELLTALE_DRAIN_TIMEOUT_MS;
 * 4. `onStop`.
 *
 * A second signal ends the process at once with exit code 1. The returned promise resolves when calls are served; it
 * rejects when an address cannot be bound.
 */
export async function serve({ config, services, ready, onStop = [] }: ServeOptions): Promise<void> {
  connectDirectly();
  const { short } = serviceName(services[0].definition);
  const logger = createLogger({ service: short, pod: config.TELLTALE_POD, level: config.TELLTALE_LOG_LEVEL });
  logGrpc(logger);
  const sender = senderOf(short, config, logger);
  const server = createServer({
    bindings: services,
    pod: config.TELLTALE_POD,
    logger,
    record: recordTo(logger, sender),
    experiments: config.TELLTALE_EXPERIMENTS,
    requireDeadline: config.TELLTALE_REQUIRE_DEADLINE,
    reflection: config.TELLTALE_REFLECTION,
    resetLimit: { burst: config.TELLTALE_RESET_BURST, rate: config.TELLTALE_RESET_RATE },
  });
  const stopping = new AbortController();
  stopOnSignal(logger, () => {
    stopping.abort();
    return drain(server, config, logger, [...onStop, async () => await sender?.[Symbol.asyncDispose]()]);
  });
  measureRuntime();
  const metricsPort = await listenForMetrics(config.TELLTALE_METRICS_LISTEN);
  const healthPort = await server.listenForHealth(config.TELLTALE_HEALTH_LISTEN);
  const port = await server.listen(config.TELLTALE_LISTEN);
  server.setServing(true);
  logger.info({ port, healthPort, metricsPort }, 'serving');
  if (ready) void followReadiness(server, ready, logger, stopping.signal);
}

/** Who collects records gets them from the sidecar's egress, as any service that is called. */
function senderOf(service: string, config: KitConfig, logger: Logger): RecordSender | undefined {
  const { TELLTALE_RECORDS_TO: authority, TELLTALE_EGRESS: egress, TELLTALE_POD: pod } = config;
  return authority === '' ? undefined : sendRecords({ service, pod, logger, authority, address: formatAddress(egress) });
}

function recordTo(logger: Logger, sender: RecordSender | undefined): RecordSink {
  const log = logRecords(logger);
  return record => {
    log(record);
    sender?.sink(record);
  };
}

/** How often readiness is asked for, and how long the answer may take, in milliseconds. */
const READY_EVERY_MS = 1000;
/** How many answers in a row must be missing: one may be late because there is much to do, which is no reason to do nothing. */
const NOT_READY_AFTER = 2;

async function followReadiness(
  server: MeshServer,
  ready: (signal: AbortSignal) => Promise<unknown>,
  logger: Logger,
  stopping: AbortSignal,
): Promise<void> {
  let failures = 0;
  for (let was = true; !stopping.aborted; ) {
    const failure = await ready(AbortSignal.timeout(READY_EVERY_MS)).then(
      () => undefined,
      error => error,
    );
    if (stopping.aborted) return; // NOT_SERVING has been said, for good
    failures = failure === undefined ? 0 : failures + 1;
    const is = failures < NOT_READY_AFTER;
    if (is !== was) {
      server.setReady(is);
      logger.warn({ ready: is, ...(failure && { error: failure }) }, 'readiness changed');
    }
    was = is;
    await wait(READY_EVERY_MS, undefined, { ref: false });
  }
}

function stopOnSignal(logger: Logger, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    logger.info({ signal, forced: stopping }, 'stopping');
    if (stopping) process.exit(1);
    stopping = true;
    stop().then(
      () => process.exit(0),
      error => {
        logger.fatal({ error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

async function drain(
  server: MeshServer,
  config: KitConfig,
  logger: Logger,
  onStop: ServeOptions['onStop'] = [],
): Promise<void> {
  server.setServing(false);
  await drainSidecar(config.TELLTALE_SIDECAR_ADMIN, logger);
  if (!server.skipsDrainWait()) await wait(config.TELLTALE_DRAIN_WAIT_MS);
  const clean = await server.stop(config.TELLTALE_DRAIN_TIMEOUT_MS);
  if (!clean) logger.warn({ afterMs: config.TELLTALE_DRAIN_TIMEOUT_MS }, 'open calls were ended');
  for (const close of onStop) await close();
  await flushSpans();
  logger.info('stopped');
}

/** How long the sidecar may take to answer; it is on the same host. */
const ADMIN_TIMEOUT_MS = 1000;

/** Has the sidecar send GOAWAY to its callers bit by bit and keep its listener open: see Envoy's admin, drain_listeners. */
async function drainSidecar(admin: string | undefined, logger: Logger): Promise<void> {
  if (admin === undefined) return;
  try {
    const url = new URL('/drain_listeners?inboundonly&graceful&skip_exit', admin);
    const response = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(ADMIN_TIMEOUT_MS) });
    if (!response.ok) logger.warn({ httpStatus: response.status }, 'the sidecar refused to drain');
  } catch (error) {
    logger.warn({ error }, 'the sidecar could not be told to drain'); // waiting alone loses no calls either
  }
}
