import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lastLines, pruneLogs, rotateLogs } from './log-file.ts';
import { followLogs, loggedServices, printLogs } from './logs.ts';
import { testFolder } from './testing-chart.ts';
import { waitUntil } from './wait.ts';

describe('rotateLogs', () => {
  it('keeps one old file and goes on in place when a log is too long', () => {
    using folder = testFolder();
    const file = join(folder.dir, 'a.app.log');
    writeFileSync(file, 'first\n');
    rotateLogs(folder.dir, 5);
    appendFileSync(file, 'second\n');
    assert.deepEqual([readFileSync(`${file}.old`, 'utf8'), readFileSync(file, 'utf8')], ['first\n', 'second\n']);
    rotateLogs(folder.dir, 100);
    assert.equal(readFileSync(file, 'utf8'), 'second\n');
  });
});

describe('pruneLogs', () => {
  it('keeps the logs of living pods and of the last that have gone', () => {
    using folder = testFolder();
    const dir = folder.chart([]);
    for (const [index, pod] of ['gone1', 'gone2', 'gone3', 'alive'].entries()) {
      writeFileSync(join(dir, `${pod}.app.log`), '');
      utimesSync(join(dir, `${pod}.app.log`), index, index);
    }
    pruneLogs(dir, pod => pod.startsWith('gone'), 2);
    assert.deepEqual(
      readdirSync(dir).filter(name => name.endsWith('.log')),
      ['alive.app.log', 'gone2.app.log', 'gone3.app.log'],
    );
  });
});

describe('lastLines', () => {
  it('returns the last lines, none of a file that is not there', () => {
    using folder = testFolder();
    writeFileSync(join(folder.dir, 'x'), 'a\nb\nc\n');
    assert.deepEqual(lastLines(join(folder.dir, 'x'), 2), ['b', 'c']);
    assert.deepEqual(lastLines(join(folder.dir, 'y'), 2), []);
    assert.ok(!existsSync(join(folder.dir, 'y')));
  });
});

describe('logs', () => {
  it('prints the lines of one service, each with its container', () => {
    using folder = testFolder();
    writeFileSync(join(folder.dir, 'users-abc-de.app.log'), '1\n2\n3\n');
    writeFileSync(join(folder.dir, 'orders-abc-de.app.log'), '4\n');
    const lines: string[] = [];
    printLogs({ dir: folder.dir, service: 'users', lines: 2, print: (...line) => lines.push(line.join(' ')) });
    assert.deepEqual(lines, ['users-abc-de.app 2', 'users-abc-de.app 3']);
    assert.deepEqual(loggedServices(folder.dir).sort(), ['orders', 'users']);
  });

  it('follows whole lines, new containers and a log that was rotated, until it is told to stop', async () => {
    using folder = testFolder();
    const file = join(folder.dir, 'users-abc-de.app.log');
    writeFileSync(file, 'old\n');
    const stop = new AbortController();
    const lines: string[] = [];
    const heard = (line: string) => waitUntil(() => lines.includes(line), { timeoutMs: 5000 });
    const following = followLogs({ dir: folder.dir, lines: 0, print: (_, line) => lines.push(line) }, stop.signal);
    appendFileSync(file, 'one\nha');
    assert.ok(await heard('one'));
    appendFileSync(file, 'lf\n');
    assert.ok(await heard('half'));
    rotateLogs(folder.dir, 1);
    appendFileSync(file, 'two\n');
    assert.ok(await heard('two'));
    writeFileSync(join(folder.dir, 'users-abc-fg.app.log'), 'new\n');
    assert.ok(await heard('new'));
    stop.abort();
    await following;
    assert.deepEqual(lines, ['one', 'half', 'two', 'new']);
  });
});
