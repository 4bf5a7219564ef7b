import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type ControlClient, controlClient } from './control-client.ts';
import { down } from './down.ts';
import { followLogs, loggedServices, printLogs } from './logs.ts';
import { defaultRunDir, runPaths } from './paths.ts';
import { restartService, scaleService } from './rollout.ts';
import { RunError } from './run-error.ts';
import { runInfo } from './run-folder.ts';
import { paint, prefixed, print, welcome } from './screen.ts';
import { lookUp } from './service-name.ts';
import { readStatus, statusTable } from './status.ts';
import { supervise } from './supervise.ts';
import { up } from './up.ts';

interface StartFlags {
  address: string;
  port?: number;
  chart?: string;
  set: string[];
}

/** The command line: `up`, `down`, `status`, `logs`, `restart`, `scale`. `signal` is Ctrl-C. */
export function meshCommand(signal: AbortSignal): Command {
  const program = new Command('mesh')
    .description('Runs the chart on this machine as processes, without a cluster.')
    .exitOverride();
  program.option('--run-dir <folder>', 'where the run keeps its files', asPath, defaultRunDir);
  const runDir = () => program.opts<{ runDir: string }>().runDir;
  const start = (name: string, description: string, hidden = false) =>
    program
      .command(name, { hidden })
      .description(description)
      .option('--address <ip>', 'the address of the edge', asLoopback, '127.0.0.1')
      .option('--port <n>', "the port of the edge (default: the chart's, 8080)", asPort)
      .option('--chart <folder>', 'another chart than charts/telltale', asPath)
      .option('--set <key=value>', 'a value of the chart; may be repeated', (value, all: string[]) => [...all, value], []);

  start('up', 'start everything and wait until it is ready').action(async ({ address, port, chart, set }: StartFlags) => {
    const flags = [
      '--address',
      address,
      ...(port === undefined ? [] : ['--port', String(port)]),
      ...(chart === undefined ? [] : ['--chart', chart]),
      ...set.flatMap(value => ['--set', value]),
    ];
    const superviseArgs = [`${import.meta.dirname}/main.ts`, '--run-dir', runDir(), 'supervise', ...flags];
    print(process.stdout, welcome(await up({ runDir: runDir(), superviseArgs, signal, stream: process.stdout })));
  });
  start('supervise', 'what up starts', true).action(({ address, port, chart, set }: StartFlags) =>
    supervise({ runDir: runDir(), hostAddress: address, port, chart, values: set.flatMap(value => ['--set', value]) }),
  );
  program
    .command('down')
    .description('stop everything; nothing to stop is no error')
    .action(async () => print(process.stdout, (await down(runDir())).join('\n') || 'nothing was running'));
  program
    .command('status')
    .description('show the pods; exit code 1 unless all are ready')
    .option('--json', 'for programs')
    .action(({ json }: { json?: true }) => status(runDir(), json));
  program
    .command('logs [service]')
    .description("show each container's last lines")
    .option('-f, --follow', 'go on with what they write from now on')
    .option('-n, --lines <n>', 'how many lines', asNumber, 20)
    .action((service: string | undefined, flags: LogFlags) => logs(runDir(), service, flags, signal));
  program
    .command('restart <service>')
    .description('replace all pods of a service, one after the other, and wait for the end')
    .action(async (service: string) =>
      print(process.stdout, await restartService(await clientFor(runDir(), service), service, signal)),
    );
  program
    .command('scale')
    .argument('<service>')
    .argument('<pods>', 'how many', asNumber)
    .description('change the number of pods of a service and wait for the end')
    .action(async (service: string, pods: number) =>
      print(process.stdout, await scaleService(await clientFor(runDir(), service), service, pods, signal)),
    );
  return program;
}

async function status(runDir: string, json: true | undefined): Promise<void> {
  const found = await readStatus(runDir);
  if (!found.ready) process.exitCode = 1;
  if (json) return print(process.stdout, JSON.stringify(found, null, 2));
  if (!found.running) return print(process.stdout, 'not running; start it with: make up');
  print(process.stdout, `edge http://${found.edge}, since ${found.startedAt}\n${statusTable(found.pods, paint)}`);
}

interface LogFlags {
  follow?: true;
  lines: number;
}

async function logs(
  runDir: string,
  service: string | undefined,
  { follow, lines }: LogFlags,
  signal: AbortSignal,
): Promise<void> {
  const dir = runPaths(runDir).logs;
  const logged = loggedServices(dir);
  if (logged.length === 0) throw new RunError('there are no logs; start a run with: make up');
  if (service !== undefined) lookUp(new Map(logged.map(name => [name, name])), service);
  const options = { dir, service, lines, print: (from: string, line: string) => print(process.stdout, prefixed(from, line)) };
  printLogs(options);
  if (follow) await followLogs(options, signal);
}

/** A client of the run in `runDir`; throws when nothing runs or there is no such service. */
async function clientFor(runDir: string, service: string): Promise<ControlClient> {
  if (runInfo(runDir) === undefined) throw new RunError('not running; start it with: make up');
  const client = controlClient(runPaths(runDir));
  lookUp(new Map((await client.deployments()).map(({ metadata }) => [metadata.name, metadata])), service);
  return client;
}

function asPath(value: string): string {
  return resolve(value);
}

function asNumber(value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw new InvalidArgumentError('It must be a whole number, such as 3.');
  return Number(value);
}

function asPort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535) return Number(value);
  throw new InvalidArgumentError('It must be a whole number from 1 to 65535, such as 8081.');
}

function asLoopback(value: string): string {
  if (!isIPv4(value) || !value.startsWith('127.'))
    throw new InvalidArgumentError('It must be a loopback address, such as 127.0.0.2.');
  return value;
}
