import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { TraceFlags, trace } from '@opentelemetry/api';
import { measureRuntime, metrics, observeTraced, samplers } from './metrics.ts';
import { listenForMetrics } from './metrics-server.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

/** What clients send, and what they get. */
const formats: [accept: string | undefined, type: string][] = [
  [undefined, TEXT],
  ['', TEXT],
  ['*/*', TEXT],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT], // a browser
  ['text/plain', TEXT],
  ['text/plain;version=0.0.4', TEXT],
  ['text/plain; version=0.0.4; charset=utf-8', TEXT],
  ['TEXT/PLAIN;VERSION=0.0.4', TEXT],
  ['text/plain;version="0.0.4"', TEXT],
  ['application/openmetrics-text', OPEN_METRICS],
  ['application/openmetrics-text;version=1.0.0', OPEN_METRICS],
  ['application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', OPEN_METRICS], // Prometheus 2.5
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1', // Prometheus 3
    OPEN_METRICS,
  ],
  [
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,' +
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2', // with native histograms
    OPEN_METRICS,
  ],
  ['application/openmetrics-text;q=0.4,text/plain;q=0.5', TEXT],
  ['text/plain;version=0.0.4;q=0.4 , application/openmetrics-text;q=0.5', OPEN_METRICS],
  ['text/plain,application/openmetrics-text', TEXT], // as much wanted: the first
  ['application/openmetrics-text,text/plain', OPEN_METRICS],
  ['application/openmetrics-text;q=0', TEXT],
  ['application/openmetrics-text;version=2.0.0', TEXT],
  ['application/openmetrics-text;version=2.0.0,text/plain;version=0.0.4;q=0.1', TEXT],
  ['application/openmetrics-text;q=many', TEXT],
  ['application/json', TEXT],
  [';;,,=;q', TEXT],
];

const codings: [accepted: string | undefined, gzip: boolean][] = [
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['GZIP', true],
  ['gzip, deflate, br', true],
  ['gzip;q=0.1', true],
  ['gzip;q=0', false],
  ['gzip;q=0.0, identity', false],
  ['identity;q=0.5, gzip;q=1.0', true],
  ['identity, gzip;q=0.5', false],
  ['identity;q=0, *', true],
  ['*', false],
  ['*;q=0', false],
  ['br, zstd', false],
  ['deflate', false],
];

describe('the port for metrics', () => {
  let port: number;
  before(async () => {
    measureRuntime();
    metrics.ledger.charges.inc({ outcome: 'charged' });
    const spanContext = { traceId: TRACE, spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED };
    const labels = { grpc_method: 'a/b', grpc_status: 'OK' };
    observeTraced(metrics.server.duration, labels, 0.003, trace.wrapSpanContext(spanContext));
    port = await listenForMetrics({ host: '127.0.0.1', port: 0 });
  });

  /** What comes back, byte for byte: fetch would unpack it. */
  async function ask(headers: Record<string, string | undefined> = {}, path = '/metrics', method = 'GET') {
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const outgoing = request({ port, host: '127.0.0.1', path, method, headers: given as Record<string, string> }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
  }

  for (const [accept, type] of formats) {
    it(`answers Accept: ${accept} with ${type}`, async () => {
      const { status, headers, body } = await ask({ accept });
      assert.equal(status, 200);
      assert.equal(headers['content-type'], type);
      assert.equal(headers.vary, 'accept, accept-encoding');
      assert.equal(/\n# EOF\n$/.test(body.toString()), type === OPEN_METRICS);
    });
  }

  for (const [accepted, isZipped] of codings) {
    it(`answers Accept-Encoding: ${accepted} ${isZipped ? 'by gzip' : 'as it is'}`, async () => {
      const { headers, body } = await ask({ 'accept-encoding': accepted });
      assert.equal(headers['content-encoding'], isZipped ? 'gzip' : undefined);
      assert.equal(headers['content-length'], String(body.length));
      assert.match(String(isZipped ? gunzipSync(body) : body), /^# HELP /);
    });
  }

  it('writes counters by the names that each format has for them, whatever was asked before', async () => {
    const text = async (accept: string) => String((await ask({ accept })).body);
    for (let turn = 0; turn < 2; turn++) {
      const [plain, open] = [await text('text/plain'), await text('application/openmetrics-text')];
      assert.match(
        plain,
        /^# TYPE telltale_ledger_charges_total counter\ntelltale_ledger_charges_total\{outcome="charged"\} 1$/m,
      );
      assert.match(open, /^# TYPE telltale_ledger_charges counter\ntelltale_ledger_charges_total\{outcome="charged"\} 1$/m);
      assert.match(plain, /^# TYPE process_cpu_seconds_total counter$/m);
      assert.match(open, /^# TYPE process_cpu_seconds counter$/m);
    }
    const both = await Promise.all(['text/plain', 'application/openmetrics-text', 'text/plain'].map(text));
    assert.deepEqual(
      both.map(body => body.endsWith('# EOF\n')),
      [false, true, false],
    );
  });

  it('gives exemplars to who reads OpenMetrics, and to nobody else', async () => {
    const text = async (accept: string) => String((await ask({ accept })).body);
    assert.match(
      await text('application/openmetrics-text'),
      new RegExp(`# \\{trace_id="${TRACE}",span_id="00f067aa0ba902b7"\\} 0.003 `),
    );
    assert.doesNotMatch(await text('text/plain'), /trace_id/);
  });

  it('answers HEAD like GET without the body', async () => {
    for (const headers of [{}, { accept: 'application/openmetrics-text', 'accept-encoding': 'gzip' }]) {
      const [head, got] = [await ask(headers, '/metrics', 'HEAD'), await ask(headers)];
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      for (const name of ['content-type', 'content-encoding', 'vary']) assert.equal(head.headers[name], got.headers[name]);
      assert.ok(Number(head.headers['content-length']) > 0);
    }
  });

  it('takes any query, and the absolute form of its path', async () => {
    for (const path of [
      '/metrics?',
      '/metrics?name[]=up&x=/y',
      '/metrics??',
      `http://pod:${port}/metrics`,
      `http://pod/metrics?x`,
    ]) {
      assert.equal((await ask({}, path)).status, 200, path);
    }
  });

  it('answers 404 for every other path, and 405 with Allow for every other method', async () => {
    for (const path of [
      '/',
      '/metrics/',
      '/metrics/x',
      '/Metrics',
      '/x/../metrics',
      '//metrics',
      '/?/metrics',
      '/metrics%3F',
    ]) {
      assert.equal((await ask({}, path)).status, 404, path);
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await ask({}, '/metrics', method);
      assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method);
    }
  });

  describe('while a gauge cannot be looked up', () => {
    const fails = () => {
      throw new Error('no such gauge');
    };
    before(() => samplers.add(fails));
    after(() => samplers.delete(fails));

    it('answers 500 with the reason, and lives', async () => {
      const { status, body } = await ask();
      assert.equal(status, 500);
      assert.match(String(body), /no such gauge/);
      samplers.delete(fails);
      assert.equal((await ask()).status, 200);
    });
  });
});
