import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

/** What a process prints that runs this code with a logger, on its standard output and its standard error. */
function printed(code: string): string[] {
  const imports = ['log', 'grpc-log'].map(name => JSON.stringify(new URL(`${name}.ts`, import.meta.url).href));
  const program = `const [{ createLogger }, { logGrpc }] = await Promise.all([${imports.map(url => `import(${url})`)}]);
    const { Metadata } = await import('@grpc/grpc-js');
    const logger = createLogger({ service: 'users', pod: 'users-1', level: 'info' });
    ${code}`;
  const args = ['--input-type=module', '--eval', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' });
  return [stdout, stderr];
}

const CONTROLS = '\0\t\n\r\u001b\u007f\u0085\u009b\u2028\u2029';

describe('createLogger', () => {
  it('escapes every control character and line separator, and loses none', () => {
    const [line = ''] = printed(`logger.info({ says: ${JSON.stringify(CONTROLS)} }, ${JSON.stringify(`a${CONTROLS}`)});`);
    assert.match(line, /^[^\p{Cc}\u2028\u2029]+\n$/u);
    const { says, msg } = JSON.parse(line);
    assert.deepEqual([says, msg], [CONTROLS, `a${CONTROLS}`]);
  });
});

describe('logGrpc', () => {
  const received = "Metadata.fromHttp2Headers({ authorization: 'Bearer s\\u00e9cret' });";

  it("makes a line of JSON of what grpc-js logs, without a metadata's value", () => {
    const [line = '', plain] = printed(`logGrpc(logger); ${received}`);
    const { level, from, msg } = JSON.parse(line);
    assert.deepEqual([level, from, plain], ['warn', 'grpc-js', '']);
    assert.equal(msg, 'Failed to add metadata entry authorization: its value is no legal text');
  });

  it('is needed: grpc-js would write the value as it is', () => {
    const [line, plain = ''] = printed(received);
    assert.equal(line, '');
    assert.match(plain, /authorization: Bearer s\u00e9cret/);
  });
});
