import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startSpanSink, type TestSpan } from './testing-span-sink.ts';

const PRELOAD = fileURLToPath(new URL('telemetry.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('testing-traced-main.ts', import.meta.url));
const [CLIENT, SERVER] = [3, 2];
const ERROR = 2;

const run = promisify(execFile);

/** Runs the traced process with these variables, and returns what it printed. */
async function runTraced(env: Record<string, string>, args = ['--import', PRELOAD]): Promise<string> {
  const { stdout } = await run(process.execPath, [...args, MAIN], { env: { PATH: process.env.PATH, ...env }, timeout: 20_000 });
  return stdout;
}

/** The lines of the log among what was printed. */
function linesOf(printed: string): Record<string, string>[] {
  const lines = printed.split('\n').filter(line => line.startsWith('{'));
  return lines.map(line => JSON.parse(line) as Record<string, string>);
}

describe('telemetry.ts, preloaded', () => {
  let spans: TestSpan[];
  let printed: string;
  before(async () => {
    await using sink = await startSpanSink();
    printed = await runTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_SERVICE_NAME: 'orders', TELLTALE_POD: 'orders-7' });
    spans = sink.spans;
  });

  const method = (name: string) => `telltale.orders.v1.OrderService/${name}`;
  const find = (kind: number, name: string, wanted: (span: TestSpan) => boolean = () => true) => {
    const found = spans.filter(span => span.kind === kind && span.name === method(name) && wanted(span));
    assert.ok(found.length > 0, `no span of ${name}`);
    return found;
  };
  const parentOf = ({ parentSpanId }: TestSpan) => spans.find(({ spanId }) => spanId === parentSpanId);
  const withCode = (kind: number, code: string) => find(kind, 'GetOrder', span => span.attributes['rpc.status_code'] === code);

  it('makes a span at the client and one at the server of each call, the one within the other', () => {
    const [server] = find(SERVER, 'ListOrders');
    assert.ok(server);
    const chain = [];
    for (let span: TestSpan | undefined = server; span; span = parentOf(span)) chain.push([span.kind, span.name]);
    assert.deepEqual(chain, [
      [SERVER, method('ListOrders')],
      [CLIENT, method('ListOrders')],
      [SERVER, method('GetOrder')],
      [CLIENT, method('GetOrder')],
    ]);
  });

  it('hangs the calls that are made while a stream is served on the span of the stream', () => {
    const [stream] = find(SERVER, 'LookupOrders');
    const children = spans.filter(({ kind, parentSpanId }) => kind === CLIENT && parentSpanId === stream?.spanId);
    assert.deepEqual(
      children.map(({ name }) => name),
      [method('GetOrder'), method('GetOrder')],
    );
  });

  it('leaves no orphan', () => {
    for (const span of spans) assert.ok(span.parentSpanId === '' || parentOf(span), span.name);
  });

  it('has the attributes of the stable RPC conventions, and none of the old ones', () => {
    for (const { attributes, name } of spans) {
      assert.equal(attributes['rpc.system.name'], 'grpc');
      assert.equal(attributes['rpc.method'], name);
      for (const old of ['rpc.system', 'rpc.service', 'rpc.grpc.status_code']) assert.equal(attributes[old], undefined);
    }
  });

  for (const [code, endedBy] of [
    ['DEADLINE_EXCEEDED', 'deadline'],
    ['CANCELLED', 'caller'],
    ['NOT_FOUND', 'handler'],
    ['INTERNAL', 'handler'],
  ] as const) {
    it(`says ${code} on both sides, and that it was the ${endedBy}`, () => {
      const [client] = withCode(CLIENT, code);
      const [server] = withCode(SERVER, code);
      assert.equal(client?.status.code, ERROR);
      const ours = code === 'DEADLINE_EXCEEDED' || code === 'INTERNAL'; // the others are no failure of a server
      assert.equal(server?.status.code ?? 0, ours ? ERROR : 0);
      assert.equal(server?.attributes['telltale.ended_by'], endedBy);
      assert.equal(server?.parentSpanId, client?.spanId);
    });
  }

  it('says what was left of the deadline, and which attempt it was', () => {
    const [server] = withCode(SERVER, 'DEADLINE_EXCEEDED');
    const budget = Number(server?.attributes['telltale.budget_ms']);
    assert.ok(budget > 0 && budget <= 100, `${budget}`);
    assert.equal(server?.attributes['telltale.attempt'], 1);
  });

  it('names the service and the pod', () => {
    for (const { resource } of spans) {
      assert.equal(resource['service.name'], 'orders');
      assert.equal(resource['k8s.pod.name'], 'orders-7');
      assert.equal(resource['process.command_args'], undefined);
    }
  });

  it('gives durations the trace that they are of as an exemplar', () => {
    const [, trace] = /grpc_server_call_duration_seconds_bucket\{.*grpc_status="OK".* # \{trace_id="(\w+)"/.exec(printed) ?? [];
    assert.ok(
      spans.some(({ traceId }) => traceId === trace),
      trace ?? 'none',
    );
  });

  it('gives the line of a failed call the trace that it is of', () => {
    const failed = linesOf(printed).filter(({ msg }) => msg === 'call failed');
    assert.deepEqual(failed.map(({ status }) => status).sort(), ['CANCELLED', 'DEADLINE_EXCEEDED', 'INTERNAL', 'NOT_FOUND']);
    for (const { trace_id, span_id } of failed)
      assert.ok(spans.some(span => span.traceId === trace_id && span.spanId === span_id));
  });
});

describe('without spans', () => {
  it('calls are served, and their durations have no exemplars, when nobody is there to send them to', async () => {
    const printed = await runTraced({});
    assert.match(printed, /grpc_server_call_started_total\{grpc_method="telltale.orders.v1.OrderService\/GetOrder"\} 7/);
    assert.doesNotMatch(printed, / # \{/);
  });

  it('a call whose trace is not kept has none at any hop, and its parent goes on as it came', async () => {
    await using sink = await startSpanSink();
    const printed = await runTraced({
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    });
    const arrived = linesOf(printed).filter(({ msg }) => msg === 'arrived');
    const [parent, child] = ['GetOrder', 'ListOrders'].map(name => arrived.find(({ method }) => method === name)?.traceparent);
    assert.match(parent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(child, parent);
    assert.deepEqual(sink.spans, []);
  });

  it('there are none, the control, when the SDK is not preloaded', async () => {
    await using sink = await startSpanSink();
    await runTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }, []);
    assert.deepEqual(sink.spans, []);
  });

  it('that nobody takes are counted as dropped', async () => {
    await using sink = await startSpanSink({ status: 400 });
    const printed = await runTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url });
    const [, dropped] = /^telltale_spans_dropped_total (\d+)$/m.exec(printed) ?? [];
    assert.ok(Number(dropped) >= 16, dropped ?? 'none');
  });
});
