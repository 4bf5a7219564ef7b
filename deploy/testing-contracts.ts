import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repo } from './local/paths.ts';

const execute = promisify(execFile);

/**
 * The descriptors, a serialized google.protobuf.FileDescriptorSet, of a contract that a test makes up: `body` is what follows
 * the imports of a file of the package telltale.made.v1, `rules` is added to rules.proto.
 *
 * @throws the error of buf for a contract that does not compile
 */
export async function madeUpContract(body: string, rules = ''): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-contract-'));
  try {
    for (const shared of ['buf', 'telltale/rules']) {
      await cp(join(repo, 'proto', shared), join(folder, shared), { recursive: true });
    }
    for (const google of ['annotations.proto', 'http.proto']) {
      await cp(join(repo, 'node_modules/google-proto-files/google/api', google), join(folder, 'google/api', google));
    }
    await appendFile(join(folder, 'telltale/rules/v1/rules.proto'), rules);
    await mkdir(join(folder, 'telltale/made/v1'), { recursive: true });
    const imports = [
      'buf/validate/validate.proto',
      'google/api/annotations.proto',
      'google/protobuf/timestamp.proto',
      'telltale/rules/v1/rules.proto',
    ];
    const head = ['syntax = "proto3";', 'package telltale.made.v1;', ...imports.map(file => `import "${file}";`)];
    await writeFile(join(folder, 'telltale/made/v1/made.proto'), [...head, body].join('\n'));
    const args = ['build', '--as-file-descriptor-set', '--exclude-source-info', '-o', 'made.binpb'];
    await execute(join(repo, 'node_modules/.bin/buf'), args, { cwd: folder });
    return await readFile(join(folder, 'made.binpb'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
