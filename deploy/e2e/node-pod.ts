import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubectl, type Pod, podsOf, until } from './kubectl.ts';

/** What is done to the node that the mesh runs on, from a pod that sees its processes and its network. */
export interface NodePod extends AsyncDisposable {
  /**
   * Sends a signal to the processes of a pod whose command line holds this text.
   *
   * @returns how many got it
   */
  signal(pod: Pod, commandLine: string, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<number>;
  /** Loses whatever the node sends on to this address, on open connections, too, and tells nobody; until it is disposed of. */
  blackhole(address: string): Promise<AsyncDisposable>;
  /** The command that looks for a text in all that goes between the node's pods, for so many seconds: see local/capture.pl. */
  capture(seconds: number, text: string): string[];
  /** Connects to mesh ports from the node, past every NetworkPolicy, one after the other, and says what came of each. */
  dial(attempts: readonly Dial[]): Promise<Dialled[]>;
}

/** Options of node's tls.connect that say who a caller is and what it speaks. */
export interface TlsOptions {
  readonly cert?: string;
  readonly key?: string;
  readonly ca: string;
  readonly minVersion?: string;
  readonly maxVersion?: string;
  readonly ciphers?: string;
}

/** A connection to be made to the mesh port of an address: by TLS, or in plain text when there are no options for it. */
export interface Dial {
  readonly host: string;
  readonly tls?: TlsOptions | undefined;
}

/** What came of one. */
export interface Dialled {
  readonly host: string;
  /** Whether one byte of the protocol behind the handshake came back. */
  readonly answered: boolean;
  /** How it ended when it was not answered: what the connection said, "alert", "closed", or "silent" after five seconds. */
  readonly end: string;
}

/** A namespace of its own, because that of the mesh refuses such a pod, as it should. */
const NAMESPACE = 'telltale-e2e';

const SIGNAL = `
  const { readdirSync, readFileSync } = require('node:fs');
  const [uid, text, signal] = process.argv.slice(1);
  const read = path => { try { return readFileSync(path, 'utf8') } catch { return '' } };
  const ofPod = pid => [uid, uid.replaceAll('-', '_')].some(id => read('/proc/' + pid + '/cgroup').includes(id));
  const pids = readdirSync('/proc').filter(pid => /^\\d+$/.test(pid) && ofPod(pid) && read('/proc/' + pid + '/cmdline').includes(text));
  for (const pid of pids) process.kill(pid, signal);
  console.log(pids.length);`;

// What it says first is what either protocol answers to whoever may say it: HTTP/2's preface with empty SETTINGS, or PostgreSQL's
// question whether it speaks TLS.
const DIAL = `
  const net = require('node:net'), tls = require('node:tls');
  const http2 = Buffer.concat([Buffer.from('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'), Buffer.from('000000040000000000', 'hex')]);
  const sslRequest = Buffer.from('0000000804d2162f', 'hex');
  const dial = ({ host, tls: options }) => new Promise(resolve => {
    const to = { host, port: 50051 };
    const socket = options
      ? tls.connect({ ...options, ...to, ALPNProtocols: ['h2', 'postgresql'], rejectUnauthorized: false })
      : net.connect(to);
    const end = (answered, end) => { socket.destroy(); clearTimeout(timer); resolve({ host, answered, end }); };
    const timer = setTimeout(() => end(false, 'silent'), 5000);
    socket.once(options ? 'secureConnect' : 'connect', () => socket.write(socket.alpnProtocol === 'postgresql' ? sslRequest : http2));
    const ALERT = 21; // a record of TLS in answer to plain text, which is a refusal (RFC 8446, section 6)
    socket.once('data', ([type]) => (options || type !== ALERT ? end(true, 'answered') : end(false, 'alert')));
    socket.once('error', error => end(false, error.code ?? error.message));
    socket.once('close', () => end(false, 'closed'));
  });
  let text = '';
  process.stdin.on('data', part => { text += part; }).on('end', async () => {
    const dialled = [];
    for (const attempt of JSON.parse(text)) dialled.push(await dial(attempt));
    console.log(JSON.stringify(dialled));
  });`;

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
  await kubectl(['--namespace', NAMESPACE, 'apply', '-f', '-'], JSON.stringify(manifest(image)));
  await until('the pod on the node runs', 60_000, async () => (await run('true').catch(() => 'no')) === '');
  return {
    signal: async (pod, commandLine, signal) => Number(await run('node', '-e', SIGNAL, pod.metadata.uid, commandLine, signal)),
    blackhole: async address => {
      await run('perl', '-e', NEIGHBOUR, SIOCSARP, address);
      return { [Symbol.asyncDispose]: async () => void (await run('perl', '-e', NEIGHBOUR, SIOCDARP, address)) };
    },
    capture: (seconds, text) => {
      const program = readFileSync(join(import.meta.dirname, '..', 'local', 'capture.pl'), 'utf8');
      return ['kubectl', '--namespace', NAMESPACE, 'exec', 'node', '--', 'perl', '-e', program, String(seconds), text];
    },
    dial: async attempts => {
      // by standard input, because keys are among it
      const command = ['--namespace', NAMESPACE, 'exec', '--stdin', 'node', '--', 'node', '-e', DIAL];
      return JSON.parse(await kubectl(command, JSON.stringify(attempts)));
    },
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
