import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startMesh } from './mesh.ts';
import { sendHttp } from './testing-http.ts';

/** Whether the edge of a mesh, when it has so much memory, answers a call with 200, and what it answers to a probe. */
async function answersWith(memory: string): Promise<{ answers: boolean; ready: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-memory-'));
  const values = [`resources.edge.requests.memory=${memory}`, `resources.edge.limits.memory=${memory}`];
  const mesh = await startMesh({ runDir: join(folder, 'run'), values: values.flatMap(value => ['--set', value]) });
  try {
    await mesh.whenReady(); // asks the probes
    const [host] = mesh.edge.split(':');
    const answered = async () => {
      // refused with 503, or not even connected
      const call = sendHttp(mesh.edge, { path: '/api/users/123' }).catch(() => undefined);
      return (await Promise.race([call, wait(500)]))?.status === 200;
    };
    let answers = false;
    for (const giveUp = Date.now() + 5000; !answers && Date.now() < giveUp; await wait(100)) answers = await answered();
    return { answers, ready: (await sendHttp(`${host}:15021`, { path: '/ready' })).status };
  } finally {
    await mesh.stop(0);
    await rm(folder, { recursive: true, force: true });
  }
}

describe('the edge, when its memory runs out', () => {
  it('takes no calls and still answers its probes', async () => {
    assert.deepEqual(await answersWith('10Mi'), { answers: false, ready: 200 });
  });

  it('with memory enough, the control, answers', async () => {
    assert.deepEqual(await answersWith('256Mi'), { answers: true, ready: 200 });
  });
});
