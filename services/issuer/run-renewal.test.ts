import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AUTHORITY_SECRET, HOUR_MS, MINUTE_MS, secretOf } from './policy.ts';
import { runRenewal } from './run-renewal.ts';
import { beginLife, describeLife, type Life, policy } from './testing-life.ts';

const settled = { bundles: ['current'], leaves: ['current'] };

/** Numbers from 0 to 1, the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Has the issuer killed instead of the write with this number, from 0 on, unless it is done before. */
async function runKilledAt(life: Life, write: number, options: Parameters<Life['run']>[0] = {}): Promise<boolean> {
  let left = write;
  const killed = new Error('killed');
  life.store.beforeWrite = () => {
    if (left-- === 0) throw killed;
  };
  try {
    await life.run(options);
    return false;
  } catch (error) {
    assert.equal(error, killed);
    return true;
  } finally {
    life.store.beforeWrite = () => {};
  }
}

describe('runRenewal', () => {
  it('is gone on with where an issuer was killed, between any two writes of a whole change', async () => {
    let kills = 0;
    for (let write = 0; ; write++) {
      const life = beginLife();
      // The steps of a change, each killed once, and gone on with an hour later.
      const steps = [{ newAuthority: true }, {}, {}, {}];
      let killed = await runKilledAt(life, write);
      await life.run();
      for (const step of steps) {
        life.pass(HOUR_MS);
        killed = (await runKilledAt(life, write, step)) || killed;
        life.pass(6 * MINUTE_MS);
        await life.run(step);
      }
      for (let hours = 0; hours < 36; hours += 6) {
        life.pass(6 * HOUR_MS);
        await life.run();
      }
      assert.deepEqual(describeLife(life), settled);
      if (!killed) break;
      kills++;
    }
    assert.equal(kills, 5); // the writes of the longest run: the next authority, three bundles, since when they have it
  });

  it('does no harm when two issuers work at once, whichever is faster', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const [life, random] = [beginLife(), numbers(seed)];
      // Each write waits for a few turns of the event loop, so that the two overtake each other.
      life.store.beforeWrite = async () => {
        for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise(setImmediate);
      };
      for (let run = 0; run < 40; run++) {
        await Promise.all([life.run({ newAuthority: run === 5 }), life.run()]);
        life.pass(Math.floor(random() * 3 * HOUR_MS));
      }
      life.pass(HOUR_MS);
      await life.run();
      assert.deepEqual(describeLife(life), settled);
    }
  });

  it('takes nothing back that another issuer has done between its reads', async () => {
    const life = beginLife();
    await life.run();
    const { read, secrets } = life.store;
    const identities = () => policy.names.map(name => secrets.get(secretOf(name)));
    let others: unknown;
    life.store.read = async secret => {
      life.store.read = read;
      const held = await read(secret);
      await life.run({ newAuthority: true });
      others = identities();
      return held;
    };
    await life.run();
    assert.deepEqual(describeLife(life), { bundles: ['current next'], leaves: ['current'] });
    assert.deepEqual(identities(), others);
  });

  it('keeps every leaf verifiable by every bundle for 200 days of runs, kills, clocks half a minute off and new authorities', async () => {
    const [life, random] = [beginLife(), numbers(7)];
    const authorities = new Set<string | undefined>();
    await life.run();
    for (const end = life.now() + 200 * 24 * HOUR_MS; life.now() < end; ) {
      // Within 11 hours a healthy issuer runs: a leaf has 12 left when it is due.
      const skewMs = (random() - 0.5) * MINUTE_MS;
      if (random() < 0.2) await runKilledAt(life, Math.floor(random() * 5), { skewMs });
      life.pass(random() * 2 * HOUR_MS);
      await life.run({ skewMs, newAuthority: random() < 0.02 });
      authorities.add(life.store.files(AUTHORITY_SECRET)['current.crt']);
      life.pass(random() * 9 * HOUR_MS);
    }
    assert.ok(authorities.size > 5 && life.verified() > 10_000, `${authorities.size} authorities, ${life.verified()} pairs`);
  });

  it('logs what it has written and why, and no key', async () => {
    const life = beginLife();
    const lines: string[] = [];
    const log = { info: (...args: unknown[]) => void lines.push(JSON.stringify(args)) };
    const clock = () => new Date(life.now());
    assert.equal(await runRenewal({ store: life.store, policy, clock, log }), 4);
    await runRenewal({ store: life.store, policy, clock, log, newAuthority: true });
    await runRenewal({ store: life.store, policy, clock, log, newAuthority: true });
    assert.match(
      lines[0] ?? '',
      /"secret":"identities-authority","files":\["current.crt","current.key"\],"reason":"there was none/,
    );
    assert.match(lines.at(-1) ?? '', /a change of the authority is under way already/);
    assert.doesNotMatch(lines.join(), /BEGIN|PRIVATE/);
  });

  it('gives up when others write all the time', async () => {
    const life = beginLife();
    const { store } = life;
    await life.run();
    life.pass(13 * HOUR_MS);
    store.beforeWrite = secret =>
      void store.secrets.set(secret, { files: store.files(secret), version: String(Math.random()) });
    await assert.rejects(life.run(), /not as they should be after 20 passes; do other issuers with other settings run\?/);
  });
});
