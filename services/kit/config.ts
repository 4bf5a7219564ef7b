import { type CleanedEnv, customCleanEnv, EnvError, EnvMissingError, makeExactValidator, makeValidator, str } from 'envalid';
import { closest, distance } from 'fastest-levenshtein';
import { LOG_LEVELS } from './log.ts';
import { shown } from './validate-shown.ts';

/** The prefix of every variable that the services read; only what the platform names itself (DATABASE_URL) lacks it. */
const PREFIX = 'TELLTALE_';

/** A host and a port to listen on or to dial. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** An {@link Address} as "host:port", the form that grpc-js takes. */
export const formatAddress = ({ host, port }: Address): string => `${host}:${port}`;

/** A variable with a whole number from `min` to `max`, in decimal digits and nothing else. */
export const integer = (min: number, max: number) =>
  makeValidator<number>(text => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new EnvError(`${shown(text)} is not a whole number from ${min} to ${max}; write digits only`);
  });

/** A variable that is exactly `true` or `false`. */
export const flag = makeValidator<boolean>(text => {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new EnvError(`${shown(text)} is neither true nor false; write it in small letters`);
});

/** A variable with an IPv4 address or a name, a colon and a port from 0 (any free one) to 65535. */
export const address = makeExactValidator<Address>(text => {
  const match = /^([A-Za-z0-9.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] && port <= 65535) return { host: match[1], port };
  throw new EnvError(`${shown(text)} is not an address; write host:port, such as 127.0.0.1:50052`);
});

/** A variable with a URL of one of these protocols; its value is never shown, as it can hold a password. */
export const url = (...protocols: string[]) =>
  makeValidator<string>(text => {
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol.slice(0, -1))) return text;
    throw new EnvError(`the value is not a URL with the protocol ${protocols.join(' or ')}`);
  });

/** What every service reads: the one list of its variables with type, default and meaning. */
export const kitVariables = {
  TELLTALE_POD: str({ default: 'local', desc: 'The name of the pod, for logs and records' }),
  TELLTALE_LISTEN: address({ default: { host: '127.0.0.1', port: 50052 }, desc: 'Where the gRPC server listens' }),
  TELLTALE_HEALTH_LISTEN: address({
    default: { host: '127.0.0.1', port: 8081 },
    desc: 'Where only health checks are answered',
  }),
  TELLTALE_METRICS_LISTEN: address({
    default: { host: '127.0.0.1', port: 9464 },
    desc: 'Where GET /metrics is answered',
  }),
  TELLTALE_EGRESS: address({ default: { host: '127.0.0.1', port: 15001 }, desc: 'The sidecar that leads to other services' }),
  TELLTALE_SIDECAR_ADMIN: url('http')({ default: undefined, desc: "The sidecar's admin interface, told to drain at the end" }),
  TELLTALE_DRAIN_WAIT_MS: integer(0, 600_000)({ default: 3000, desc: 'How long to serve on after NOT_SERVING' }),
  TELLTALE_DRAIN_TIMEOUT_MS: integer(0, 600_000)({ default: 10_000, desc: 'How long open calls may take after that' }),
  TELLTALE_LOG_LEVEL: str({ choices: LOG_LEVELS, default: 'info', desc: 'The least level that is logged' }),
  TELLTALE_REFLECTION: flag({ default: false, desc: 'Whether the server describes its services to callers' }),
  TELLTALE_EXPERIMENTS: flag({ default: false, desc: 'Whether the scripts and run marks of requests are honoured' }),
  TELLTALE_RECORDS_TO: str({ default: '', desc: 'The service that collects the records of marked calls; empty: nobody does' }),
  TELLTALE_REQUIRE_DEADLINE: flag({ default: false, desc: 'Whether calls that bring no deadline are refused' }),
  TELLTALE_RESET_BURST: integer(1, 1e9)({ default: 2000, desc: 'How many stream resets a connection may send at once' }),
  TELLTALE_RESET_RATE: integer(1, 1e9)({ default: 2000, desc: 'How many stream resets a second it may send for long' }),
};

/** What a service with a store reads besides. */
export const storeVariables = {
  TELLTALE_DATA_DIR: str({ default: '.run/data', desc: 'The folder of the embedded database, shared by all replicas' }),
  DATABASE_URL: url(
    'postgres',
    'postgresql',
  )({ default: undefined, desc: 'PostgreSQL to use instead of the embedded database' }),
  TELLTALE_DATABASE_EGRESS: address({
    default: undefined,
    desc: 'The sidecar that leads to the PostgreSQL of DATABASE_URL; without, its own host is dialled',
  }),
};

/** A wrong environment; the message lists every problem, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks the variables once; the result is frozen.
 *
 * @throws ConfigError that lists every missing, wrong and unknown variable with the rule and a fix
 */
export function parseConfig<Variables extends object>(variables: Variables, env: NodeJS.ProcessEnv): CleanedEnv<Variables> {
  const problems: string[] = [];
  const config = customCleanEnv(env, variables, Object.freeze, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) problems.push(`${name}: ${problemOf(error as Error)}`);
    },
  });
  problems.push(...unknownVariables(Object.keys(variables), env));
  if (problems.length > 0) throw new ConfigError(`the environment is wrong:\n${problems.map(line => `  ${line}`).join('\n')}`);
  return config as CleanedEnv<Variables>;
}

/** As {@link parseConfig} for this process's environment; a wrong one ends the process with its message and exit code 2. */
export function readConfig<Variables extends object>(variables: Variables): CleanedEnv<Variables> {
  try {
    return parseConfig(variables, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** Of a variable that is missing envalid says only what it is for. */
const problemOf = (error: Error): string =>
  error instanceof EnvMissingError ? `is not set, and has no default; set it: ${error.message}` : error.message;

function unknownVariables(known: string[], env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter(name => name.startsWith(PREFIX) && !known.includes(name))
    .map(name => {
      const nearest = closest(name, known);
      const hint = distance(name, nearest) <= 5 ? `; did you mean ${nearest}?` : '; remove it';
      return `${name}: no such variable${hint}`;
    });
}
