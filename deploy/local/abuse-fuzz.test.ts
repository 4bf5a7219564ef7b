import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repo } from './paths.ts';
import { type Port, portsOf } from './testing-abuse.ts';
import { broken } from './testing-attacks.ts';
import { fuzzBodies, fuzzFrames, fuzzJson } from './testing-fuzz.ts';
import { loadWhile } from './testing-load.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { peakMemoryOf, processesOf } from './testing-processes.ts';

const SEED = 20_261_124;
const COUNT = 10_000;
const GROWTH_MB = 50;

/** gRPC: OK, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL; JSON: the same by HTTP. */
const ALLOWED = /^(200\/(0|3|5|8|12|13)|JSON (200|400|404|409|413))$/;

describe(`${COUNT} mutated frames and bodies from the seed ${SEED}`, () => {
  let mesh: TestMesh;
  let ports: Port[];
  let processes: string[];
  before(async () => {
    mesh = await startTestMesh();
    ports = await portsOf(mesh);
    processes = processesOf(mesh);
    // what any calls make of a process that has just started is no harm
    for (const { connect } of ports) await fuzzBodies(connect, COUNT / 5, SEED + 1);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** Does this to each port at once, beside ordinary calls; nothing may be lost, grow or end. */
  const endure = async (diagnostic: (text: string) => void, doing: (port: Port) => Promise<string>) => {
    await Promise.all(
      ports.map(async port => {
        using caller = port.caller();
        await writeFile(`/proc/${port.pid}/clear_refs`, '5');
        const startBytes = peakMemoryOf(port.pid);
        const done = doing(port);
        const load = await loadWhile(done, 20, () => caller.ask());
        const grownMb = (peakMemoryOf(port.pid) - startBytes) / 1e6;
        const lost = load.failures.map(({ message }) => message);
        diagnostic(`${port.name}: ${await done}, lost ${lost.length} of ${load.calls} calls, grew by ${grownMb.toFixed(0)} MB`);
        assert.deepEqual(lost, [], port.name);
        assert.ok(grownMb < GROWTH_MB, `${port.name} grew by ${grownMb} MB`);
      }),
    );
    assert.deepEqual(processesOf(mesh), processes);
  };

  it('frames end connections, are counted, and harm nobody at edge, sidecar and app', async t => {
    await endure(
      text => t.diagnostic(text),
      async port => {
        const counter = broken[port.name];
        const counted = async () => (await port.counters()).get(counter) ?? 0;
        const before = await counted();
        const { connections, closed } = await fuzzFrames(port.connect, COUNT, SEED);
        const rose = (await counted()) - before;
        // the rest waits for the end of a frame whose length was changed, or was given nothing that is wrong
        assert.ok(closed > connections / 4, `${port.name} has closed only ${closed} of ${connections} connections`);
        assert.ok(rose > connections / 2, `${port.name}: ${counter} rose by ${rose} only`);
        return `${COUNT} frames, ${closed} of ${connections} connections closed, ${counter} +${rose}`;
      },
    );
  });

  it('bodies end with a status that says so, and harm nobody at edge, sidecar and app', async t => {
    await endure(
      text => t.diagnostic(text),
      async ({ name, address, connect }) => {
        const json = name === 'edge' ? COUNT / 10 : 0;
        const [grpc, other] = await Promise.all([fuzzBodies(connect, COUNT - json, SEED), fuzzJson(address, json, SEED)]);
        const wrong = [...grpc, ...other].filter(([ended]) => !ALLOWED.test(ended));
        assert.deepEqual(wrong, [], name);
        return [...grpc, ...other].map(([ended, count]) => `${ended}: ${count}`).join(', ');
      },
    );
  });

  it('end a server with grpc-js 1.14.3, the control, which no image has', async () => {
    const program = join(import.meta.dirname, 'testing-old-server.ts');
    const server = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'ignore'] });
    const exited = once(server, 'exit');
    const [port] = await once(server.stdout, 'data');
    const open = () => connect(Number(port), '127.0.0.1');
    await fuzzFrames(open, 100, SEED);
    await Promise.race([exited, fuzzBodies(open, COUNT, SEED)]);
    const alive = server.exitCode === null;
    server.kill();
    assert.ok(!alive, 'it lives');
    const lock = JSON.parse(await readFile(join(repo, 'package-lock.json'), 'utf8'));
    assert.equal(lock.packages['node_modules/grpc-js-1-14-3'].dev, true); // the image has no packages for development
  });
});
