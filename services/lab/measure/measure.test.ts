import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { arrivalTimes, seededRandom } from './arrivals.ts';
import { latencyOf } from './latency.ts';
import { cpuUs, loadCounter } from './load-counter.ts';
import { meterLoopDelay } from './loop-delay.ts';
import { openLoop } from './open-loop.ts';
import { median, quantile, share, spread, sum } from './statistics.ts';
import { tcpSegments } from './tcp-segments.ts';
import { labIsLate, markUsage, saturated, usageSince } from './usage.ts';

describe('arrivalTimes', () => {
  const options = { rate: 100, seconds: 10, seed: 7 } as const;

  it('fixed: rate * seconds calls at equal distances from 0', () => {
    const times = arrivalTimes({ ...options, arrivals: 'fixed' });
    assert.deepEqual([times.length, times[0], times[1], times.at(-1)], [1000, 0, 10, 9990]);
  });

  it('poisson: as many, never backwards, irregular, on average as often, and the same for the same seed', () => {
    const times = arrivalTimes({ ...options, arrivals: 'poisson' });
    const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
    assert.equal(times.length, 1000);
    assert.ok(gaps.every(gap => gap >= 0));
    const mean = sum(gaps) / gaps.length;
    const deviation = Math.sqrt(sum(gaps.map(gap => (gap - mean) ** 2)) / gaps.length);
    assert.ok(Math.abs(mean - 10) < 1, `${mean}`);
    assert.ok(
      Math.abs(deviation / mean - 1) < 0.15,
      `an exponential distribution deviates by its mean, not ${deviation / mean}`,
    );
    assert.deepEqual(arrivalTimes({ ...options, arrivals: 'poisson' }), times);
    assert.notDeepEqual(arrivalTimes({ ...options, seed: 8, arrivals: 'poisson' }), times);
  });

  it('burst: all calls of a second at its beginning', () => {
    const times = arrivalTimes({ ...options, rate: 3, seconds: 2, arrivals: 'burst' });
    assert.deepEqual(times, [0, 0, 0, 1000, 1000, 1000]);
  });

  it('seededRandom is from 0 to 1 and even', () => {
    const random = seededRandom(1);
    const numbers = Array.from({ length: 10_000 }, random);
    assert.ok(numbers.every(number => number >= 0 && number < 1));
    assert.ok(Math.abs(sum(numbers) / numbers.length - 0.5) < 0.02);
  });
});

describe('tcpSegments', () => {
  it('counts what the kernel sends, and is NaN where it does not say', async () => {
    const before = tcpSegments();
    const server = createServer(socket => socket.end('x')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket.resume(), 'end');
    server.close();
    assert.ok(tcpSegments() - before >= 4, 'a connection of one answer is four segments at least');
    assert.equal(tcpSegments('/proc/self/status'), Number.NaN);
    assert.equal(tcpSegments('/no/such/file'), Number.NaN);
  });
});

describe('loadCounter', () => {
  it('counts from the first call to the end of the last, and not what was before or comes after', async () => {
    let sent = 0;
    const counter = loadCounter({ sent: () => sent, cpu: cpuUs });
    const call = async () => {
      sent += 2;
    };
    await counter.during(true, call); // the warm-up
    await Promise.all([counter.during(true, call), counter.during(false, call)]);
    sent += 100;
    const { sent: found, cpu } = counter.grown();
    assert.equal(found, 4);
    assert.ok(cpu >= 0 && cpu < 1e6);
  });
});

describe('openLoop', () => {
  const never = new AbortController().signal;

  it('does not wait for a slow call, and counts from when a call was due: a stall shows in every call that it delays', async () => {
    const times = arrivalTimes({ rate: 100, seconds: 0.3, arrivals: 'fixed', seed: 0 });
    const calls = await openLoop(
      times,
      async (n, { dueAt, begunAt }) => {
        if (n === 5) for (const end = performance.now() + 100; performance.now() < end; ); // the event loop stalls
        if (n === 0) await wait(400);
        return { lateMs: begunAt - dueAt };
      },
      never,
    );
    assert.equal(calls.length, 30);
    assert.ok((calls[1]?.lateMs ?? 1000) < 100, 'the second call has waited for the first');
    const late = calls.filter(({ lateMs }) => lateMs > 15);
    assert.ok(late.length >= 7, `${late.length} calls were late`);
    assert.ok((calls[6]?.lateMs ?? 0) > 80);
  });

  it('begins no call before it is due, at any rate and kind of arrivals', async () => {
    for (const rate of [7, 130, 500, 3000]) {
      for (const arrivals of ['fixed', 'poisson', 'burst'] as const) {
        const times = arrivalTimes({ rate, seconds: 0.4, arrivals, seed: rate });
        const begins = await openLoop(times, async (_, begin) => begin, never);
        const late = begins.map(({ dueAt, begunAt }) => begunAt - dueAt);
        assert.ok(Math.min(...late) >= 0, `${rate} calls/s, ${arrivals}: ${late.filter(ms => ms < 0).length} calls were early`);
        const gaps = begins.map(({ dueAt }, n) => dueAt - (begins[0]?.dueAt ?? 0) - ((times[n] ?? 0) - (times[0] ?? 0)));
        assert.ok(Math.max(...gaps.map(Math.abs)) < 0.001, 'calls are due when arrivalTimes says');
      }
    }
  });

  it('leaves the event loop idle until a call is due', async () => {
    const before = performance.eventLoopUtilization();
    await openLoop(arrivalTimes({ rate: 50, seconds: 1, arrivals: 'fixed', seed: 0 }), async () => {}, never);
    const { utilization } = performance.eventLoopUtilization(before);
    assert.ok(utilization < 0.5, `the event loop was busy for ${utilization} of the time`);
  });

  it('is not disturbed by a load that was ended before it', async () => {
    const stop = new AbortController();
    const ended = openLoop([0, 1, 2, 60_000], async n => (n === 2 ? stop.abort(new Error('enough')) : undefined), stop.signal);
    await assert.rejects(ended, /enough/);
    const [begin] = await openLoop([50], async (_, begin) => begin, never);
    assert.ok(begin && begin.begunAt >= begin.dueAt);
  });

  it('begins no call any more when the load is over, and waits for those under way', async () => {
    const over = new AbortController();
    const times = arrivalTimes({ rate: 100, seconds: 10, arrivals: 'fixed', seed: 0 });
    const call = async (n: number) => {
      if (n === 3) over.abort();
      await wait(20);
      return n;
    };
    assert.deepEqual(await openLoop(times, call, never, over.signal), [0, 1, 2, 3]);
  });

  it('begins no call after its signal has aborted, waits for those under way, and throws the reason', async () => {
    const stop = new AbortController();
    let [begun, ended] = [0, 0];
    const run = openLoop(
      arrivalTimes({ rate: 100, seconds: 10, arrivals: 'fixed', seed: 0 }),
      async n => {
        begun++;
        if (n === 4) stop.abort(new Error('enough'));
        await wait(50);
        ended++;
      },
      stop.signal,
    );
    await assert.rejects(run, /enough/);
    assert.deepEqual([begun, ended], [5, 5]);
  });

  it('ends with what a call rejects with while others are still due, and waits for those under way', async () => {
    let [begun, ended] = [0, 0];
    const run = openLoop(
      arrivalTimes({ rate: 100, seconds: 10, arrivals: 'fixed', seed: 0 }),
      async n => {
        begun++;
        if (n === 4) throw new TypeError('not a status');
        await wait(50);
        ended++;
      },
      never,
    );
    await assert.rejects(run, /not a status/);
    assert.ok(begun < 100, `${begun} calls were begun`);
    assert.equal(ended, begun - 1);
  });
});

describe('figures', () => {
  it('median, quantile, spread, sum and share are those of the textbook; NaN of nothing', () => {
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 3, 2]), median([])], [2, 2.5, Number.NaN]);
    assert.deepEqual([quantile([3, 1, 2], 0.5), quantile([1, 2], 0.99), quantile([], 0.5)], [2, 2, Number.NaN]);
    assert.deepEqual([spread([3, 1, 2]), spread([]), sum([1, 2]), share([1, 2, 3, 4], n => n > 3)], [2, Number.NaN, 3, 0.25]);
  });

  it('latencyOf gives quantiles within a thousandth, and nothing of nothing', () => {
    const latency = latencyOf(Array.from({ length: 1000 }, (_, n) => n + 1));
    for (const [value, expected] of [
      [latency?.p50, 500],
      [latency?.p99, 990],
      [latency?.max, 1000],
    ] as const) {
      assert.ok(Math.abs((value ?? 0) / expected - 1) < 0.002, `${value} is not ${expected}`);
    }
    assert.equal(latency?.n, 1000);
    assert.equal(latencyOf([]), undefined);
  });
});

describe('usage', () => {
  it('sees the CPU time and the busy event loop of this process', () => {
    const mark = markUsage();
    for (const end = performance.now() + 100; performance.now() < end; );
    const { cpuUs, elapsedMs, machineBusy } = usageSince(mark);
    assert.ok(elapsedMs >= 100 && cpuUs > 10_000 && machineBusy >= 0 && machineBusy <= 1);
  });

  it('meterLoopDelay sees how long the event loop was blocked, and next to nothing of one that is idle', async () => {
    using meter = meterLoopDelay();
    assert.equal(meter.read(), undefined);
    await wait(300);
    const idle = meter.read();
    for (const end = performance.now() + 200; performance.now() < end; );
    await wait(30);
    const blocked = meter.read();
    assert.ok(idle && idle.n > 5 && idle.p50 < 5, `the idle event loop was ${idle?.p50} ms late`);
    assert.ok(blocked && blocked.max >= 150, `the blocked event loop was ${blocked?.max} ms late`);
  });

  it('labIsLate when the p99 of a delay is above 1 ms and above a tenth of the latency', () => {
    const of = (ms: number) => latencyOf([ms]);
    assert.equal(labIsLate(of(5), of(0.9), of(0.9)), false);
    assert.equal(labIsLate(of(5), of(1.1), of(0.9)), true);
    assert.equal(labIsLate(of(5), of(0.9), of(1.1)), true);
    assert.equal(labIsLate(of(500), of(40), of(49)), false);
    assert.equal(labIsLate(of(500), of(51), of(1)), true);
    assert.equal(labIsLate(undefined, undefined), false);
  });

  it('says who had no room left: the lab first, then a pod, then the machine', () => {
    const usage = { elapsedMs: 1000, cpuUs: 1, loopBusy: 0.2, machineBusy: 0.5 };
    const pods = new Map([['users-1', 0.3]]);
    assert.equal(saturated(usage, pods), undefined);
    assert.equal(saturated({ ...usage, loopBusy: 0.9 }, pods), 'lab');
    assert.equal(saturated(usage, new Map([['users-1', 0.9]])), 'users-1');
    assert.equal(saturated({ ...usage, machineBusy: 1 }, pods), 'machine');
  });
});
