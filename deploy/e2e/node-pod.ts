import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { captureArguments } from '../local/testing-capture.ts';
import { kubectl, type Pod, podsOf, until } from './kubectl.ts';
import { ASK, type Ask, CALL, type Called, type Calls, DIAL, type Dial, type Dialled } from './node-asks.ts';

/** What is done to the node that the mesh runs on, from a pod that sees its processes and its network. */
export interface NodePod extends AsyncDisposable {
  /**
   * Sends a signal to the processes of a pod whose command line holds this text.
   *
   * @returns how many got it
   */
  signal(pod: Pod, commandLine: string, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<number>;
  /**
   * Sends it again and again, also to processes that are started meanwhile, until it is disposed of. Resolves when it has been sent
   * once; rejects when no process got it, and so does disposing when the sending has ended meanwhile.
   */
  keepSignalling(...which: Parameters<NodePod['signal']>): Promise<AsyncDisposable>;
  /** Loses whatever the node sends on to this address, on open connections, too, and tells nobody; until it is disposed of. */
  blackhole(address: string): Promise<AsyncDisposable>;
  /** The command that looks for texts in all that goes between the node's pods, for so many seconds: see local/testing-capture.ts. */
  capture(seconds: number): string[];
  /** Connects to ports of pods from the node, past every NetworkPolicy, one after the other, and says what came of each. */
  dial(attempts: readonly Dial[]): Promise<Dialled[]>;
  /** Makes gRPC calls from the node, and says what came of each path. */
  call(calls: readonly Calls[]): Promise<Called[][]>;
  /** Makes HTTP requests from the node; their statuses, 0 where there was no answer. */
  ask(requests: readonly Ask[]): Promise<number[]>;
}

/** A namespace of its own, because that of the mesh refuses such a pod, as it should. */
const NAMESPACE = 'telltale-e2e';

const SIGNALLED = `
  const { readdirSync, readFileSync } = require('node:fs');
  const [uid, text, signal] = process.argv.slice(1);
  const read = path => { try { return readFileSync(path, 'utf8') } catch { return '' } };
  const ofPod = pid => [uid, uid.replaceAll('-', '_')].some(id => read('/proc/' + pid + '/cgroup').includes(id));
  const isMeant = pid => /^\\d+$/.test(pid) && ofPod(pid) && read('/proc/' + pid + '/cmdline').includes(text);
  const kill = pid => { try { return process.kill(pid, signal) } catch (error) { if (error.code !== 'ESRCH') throw error } };
  const signalled = () => readdirSync('/proc').filter(pid => isMeant(pid) && kill(pid)).length;`;
const SIGNAL = `${SIGNALLED}
  console.log(signalled());`;
/** One process for all of the time: to start another each time would take the CPU that is measured meanwhile. */
const KEEP_SIGNALLING = `${SIGNAL}
  setInterval(signalled, 500);
  process.stdin.resume().on('end', () => process.exit());`;

// A neighbour that does not exist stands for the address (struct arpreq of linux/if_arp.h): the same for every network plugin that
// routes through the node, and no image needs iptables.
const NEIGHBOUR = `
  use strict;
  my ($request, $address) = @ARGV;
  socket(my $socket, 2, 2, 0) or die $!;
  my $arpreq = pack('S n C4 x8 S a6 x8 i x32', 2, 0, split(/\\./, $address), 1, "\\x02\\0\\0\\0\\0\\x01", 6);
  ioctl($socket, hex($request), $arpreq) or die $!;`;
const [SIOCDARP, SIOCSARP] = ['8953', '8955'];

/** Starts the pod; its namespace goes when it is disposed of. */
export async function startNodePod(): Promise<NodePod> {
  const image = (await podsOf('users'))[0]?.spec.containers.find(({ name }) => name === 'app')?.image;
  if (!image) throw new Error('no users pod says which image the mesh runs');
  const run = (...command: string[]) => kubectl(['--namespace', NAMESPACE, 'exec', 'node', '--', ...command]);
  const tell = async <Answer>(program: string, input: readonly object[]): Promise<Answer> => {
    // by standard input, because keys are among it
    const command = ['--namespace', NAMESPACE, 'exec', '--stdin', 'node', '--', 'node', '-e', program];
    return JSON.parse(await kubectl(command, JSON.stringify(input))) as Answer;
  };
  await kubectl(['--namespace', NAMESPACE, 'apply', '-f', '-'], JSON.stringify(manifest(image)));
  await until('the pod on the node runs', 60_000, async () => (await run('true').catch(() => 'no')) === '');
  return {
    signal: async (pod, commandLine, signal) => Number(await run('node', '-e', SIGNAL, pod.metadata.uid, commandLine, signal)),
    keepSignalling: async (pod, commandLine, signal) => {
      const command = ['exec', '--stdin', 'node', '--', 'node', '-e', KEEP_SIGNALLING, pod.metadata.uid, commandLine, signal];
      const child = spawn('kubectl', ['--namespace', NAMESPACE, ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
      const ended = once(child, 'close');
      ended.catch(() => {}); // told when it is waited for
      const stop = async () => {
        if (child.exitCode !== null) throw new Error(`the sending of ${signal} ended by itself`);
        child.stdin.end();
        await ended;
      };
      const [first] = await Promise.race([once(child.stdout, 'data'), ended.then(() => [0])]);
      if (Number(String(first)) > 0) return { [Symbol.asyncDispose]: stop };
      await stop();
      throw new Error(`no process of ${pod.metadata.name} got ${signal}`);
    },
    blackhole: async address => {
      await run('perl', '-e', NEIGHBOUR, SIOCSARP, address);
      return { [Symbol.asyncDispose]: async () => void (await run('perl', '-e', NEIGHBOUR, SIOCDARP, address)) };
    },
    capture: seconds => {
      const program = readFileSync(join(import.meta.dirname, '..', 'local', 'capture.pl'), 'utf8');
      return ['kubectl', '--namespace', NAMESPACE, 'exec', 'node', '--', 'perl', '-e', program, ...captureArguments(seconds)];
    },
    dial: attempts => tell(DIAL, attempts),
    call: calls => tell(CALL, calls),
    ask: requests => tell(ASK, requests),
    [Symbol.asyncDispose]: async () => {
      await kubectl(['--namespace', NAMESPACE, 'delete', 'pod', 'node', '--grace-period=0', '--force', '--ignore-not-found']);
      await kubectl(['delete', 'namespace', NAMESPACE]);
    },
  };
}

function manifest(image: string): object {
  const privileged = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  const container = {
    name: 'node',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', 'setInterval(() => {}, 60_000)'],
    securityContext: { privileged: true, runAsUser: 0 },
  };
  const spec = { hostPID: true, hostNetwork: true, automountServiceAccountToken: false, containers: [container] };
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: privileged } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'node', namespace: NAMESPACE }, spec },
  ];
  return { apiVersion: 'v1', kind: 'List', items };
}
