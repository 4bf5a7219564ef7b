import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repo } from './paths.ts';
import { locatePython } from './python.ts';

const execute = promisify(execFile);

/** The design guide's clients in Python, with stubs that are generated for them. */
export interface PythonClients extends AsyncDisposable {
  /** Runs testing-client.py and resolves to what it printed; rejects with its standard error when it fails. */
  ask(style: 'grpc' | 'rest', address: string): Promise<string>;
}

/** Generates the stubs from user.proto, as the guide does: top-level modules `user_pb2` and `user_pb2_grpc`. */
export async function pythonClients(): Promise<PythonClients> {
  const packages = await locatePython();
  const stubs = await mkdtemp(join(tmpdir(), 'telltale-stubs-'));
  // nothing else of the environment: its proxies would apply even to loopback
  const env = { PATH: process.env.PATH, PYTHONPATH: `${packages}:${stubs}`, PYTHONDONTWRITEBYTECODE: '1' };
  const python = async (args: string[]) => (await execute('python3', args, { env, timeout: 60_000 })).stdout;
  const proto = join(repo, 'proto');
  const folder = join(proto, 'telltale', 'users', 'v1');
  const protoc = ['-m', 'grpc_tools.protoc', `-I${folder}`, `-I${proto}`, `-I${packages}`]; // the packages hold google/api
  const files = ['user.proto', 'buf/validate/validate.proto', 'telltale/rules/v1/rules.proto']; // with what the first imports
  await python([...protoc, `--python_out=${stubs}`, `--grpc_python_out=${stubs}`, ...files]);
  return {
    ask: (style, address) => python([join(import.meta.dirname, 'testing-client.py'), style, address]),
    [Symbol.asyncDispose]: () => rm(stubs, { recursive: true, force: true }),
  };
}
