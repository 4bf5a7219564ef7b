import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { armResult, resultOf } from '../testing-results.ts';
import { html } from './html.ts';
import { reportHtml } from './report.ts';

const HOSTILE = `<script>alert("1 & '2'")</script>`;

const hostile = resultOf('hostile', {
  claim: { says: HOSTILE, by: HOSTILE },
  arms: [armResult(HOSTILE, false, 1, 2), armResult('slow', true, 100, 110)],
  figures: { ms: { title: HOSTILE, unit: HOSTILE } },
  checks: [{ says: HOSTILE, passed: false, observed: HOSTILE }],
  verdict: { kind: 'does not hold', sentence: HOSTILE },
  passed: false,
});
const page = await reportHtml([resultOf('one'), resultOf('other'), hostile]);

/** What is not well-formed about a page; every element must be closed, as XML wants it. */
function malformed(text: string): string | undefined {
  const open: string[] = [];
  for (const [tag, closing, name = '', rest = ''] of text.matchAll(
    /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*\s*\/?)>/g,
  )) {
    if (closing && open.pop() !== name) return `${tag} closes what is not open`;
    if (!closing && !rest.endsWith('/')) open.push(name);
  }
  const between = text.replace(/<!DOCTYPE html>|<\/?[a-zA-Z][\w-]*(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/g, '');
  const stray = /<|&(?!(?:#\d+|\w+);)/.exec(between)?.index;
  if (stray !== undefined) return `a stray character: ${between.slice(stray, stray + 20)}`;
  return open.length > 0 ? `not closed: ${open}` : undefined;
}

describe('reportHtml', () => {
  it('is well-formed, with and without results', async () => {
    assert.equal(malformed(page), undefined);
    assert.equal(malformed(await reportHtml([])), undefined);
    for (const broken of [page.replace('</table>', ''), page.replace('<h1>', '<h1><'), page.replace('</h2>', '</h3>')]) {
      assert.notEqual(malformed(broken), undefined);
    }
  });

  it('has every scenario with its claim, a plot of its arms, its checks, its conditions, and what was not tested', () => {
    for (const scenario of ['one', 'other']) {
      const [, section = ''] = page.split(`<section id="${scenario}">`);
      const [own = ''] = section.split('</section>');
      for (const part of [
        `${scenario} is claimed`,
        '<svg',
        '>fast<',
        '>slow<',
        'fast is fast: 1 ms',
        'node 26.0.0',
        'Calls begun late by p50 / p99 / max, ms',
        '0.1 / 0.3 / 0.4',
        'Event-loop delay of the lab p50 / p99 / max, ms',
        'The other thing.',
      ]) {
        assert.ok(own.includes(part), `${scenario} lacks ${part}`);
      }
    }
    assert.match(page, /2 of 3 scenarios passed/);
  });

  it('loads nothing and runs nothing, and forbids both', () => {
    assert.match(page, /default-src 'none'/);
    const loads =
      /<script|<link|<iframe|<img|<image|<object|<embed|<use|@import|url\(|\ssrc=|\son\w+=|href="(?!#)|style="[^"]*url/i;
    assert.doesNotMatch(page, loads);
    const urls = [...page.matchAll(/https?:\/\/[^\s"'<]+/g)].map(([url]) => url);
    assert.deepEqual(
      urls.filter(url => !url.startsWith('http://www.w3.org/')),
      [],
      'names of XML are no addresses',
    );
    assert.match(`${page}<img src="x">`, loads);
  });

  it('escapes every text, in the plots, too', () => {
    assert.ok(!page.includes('<script'));
    assert.ok(page.includes('&lt;script&gt;alert(&quot;1 &amp; &#39;2&#39;&quot;)'));
  });

  it('says which scenarios were not run, and counts them as not passed', async () => {
    const because = 'no answer';
    const partial = await reportHtml(
      [resultOf('one')],
      [
        { scenario: 'two', because },
        { scenario: HOSTILE, because },
      ],
    );
    assert.match(partial, /1 of 3 scenarios passed/);
    assert.match(partial, /Not run: two \(no answer\), &lt;script/);
    assert.doesNotMatch(page, /Not run/);
  });

  it('tells of a scenario that was run several times how far its runs differ, and shows the first that has not passed', async () => {
    const failed = resultOf('one', {
      id: 'one-20260101-000000-ffff',
      checks: [{ says: 'fast is fast', passed: false, observed: '9 ms' }],
      headline: { ...resultOf('one').headline, armMedian: 9 },
      verdict: { kind: 'does not hold', sentence: 'It does not.' },
      passed: false,
    });
    const several = await reportHtml([resultOf('one'), failed, resultOf('one'), resultOf('two')]);
    assert.equal(malformed(several), undefined);
    assert.match(several, /1 of 2 scenarios passed/);
    assert.match(several, /does not hold<\/strong>: 2 × holds, 1 × does not hold/);
    assert.match(several, /fast 1 \(1 – 9\), slow 100/);
    assert.match(several, /fast is fast<\/td><td class="number"><span class="bad">2 of 3</);
    assert.equal(several.split('<section').length, 3);
    assert.ok(several.includes('fast is fast: 9 ms') && !several.includes('fast is fast: 1 ms</li>\n</ul>\n<h3>In'));
  });

  it('says so where nothing was measured, and is the same for the same results', async () => {
    const none = resultOf('none', { arms: [armResult('fast', false), armResult('slow', true)] });
    assert.match(await reportHtml([none]), /Nothing was measured/);
    assert.equal(await reportHtml([resultOf('one')]), await reportHtml([resultOf('one')]));
  });
});

describe('html', () => {
  it('escapes texts and numbers, and takes markup and lists of it as they are', () => {
    const { text } = html`<p title="${'"a"'}">${[html`<b>${1}</b>`, '<&>']}</p>`;
    assert.equal(text, '<p title="&quot;a&quot;"><b>1</b>&lt;&amp;&gt;</p>');
  });
});
