/* OpenTelemetry: what a collector is sent, and what a collector that misbehaves cannot do. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { collector } from './otlp.mjs';
import { folder, start } from './proxy.mjs';
import { certificate, deaf, refusing, scripted, served } from './upstream.mjs';
import { ms, until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];
const CHAT = '/v1/chat/completions';
const ANSWER = {
  id: 'chatcmpl-1',
  model: 'm-2024',
  choices: [{ index: 0, message: { role: 'assistant', content: 'SECRET ANSWER' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 20, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 8 } },
}; // prettier-ignore
const event = (value) => `data: ${JSON.stringify(value)}\n\n`;

async function setUp(t, env = {}, options = {}) {
  const upstream = await scripted(t);
  const sink = await collector(t);
  upstream.script(CHAT, (turn) => turn.json(ANSWER));
  const proxy = await start(t, { upstream, env: sink.env(env), ...options });
  const ask = (model, fields = [], more = {}) =>
    proxy.request('POST', CHAT, {
      fields: [...JSON_TYPE, ...fields],
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'SECRET PROMPT' }], ...more }),
    }); // prettier-ignore
  return { upstream, sink, proxy, ask };
}

const spans = (sink, count) =>
  until(() => sink.spans().length >= count && sink.spans(), `${count} spans`, ms(8000));
const telemetry = async (proxy) => (await proxy.api('/api/status')).telemetry;

test('without an endpoint there is no thread, no metric and no state', async (t) => {
  const plain = await start(t, { env: { OTEL_EXPORTER_OTLP_HEADERS: 'a=b' } });
  const off = await start(t, {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' },
  });
  const on = await start(t, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' } });
  assert.equal(off.threads(), plain.threads());
  assert.equal(on.threads(), plain.threads() + 1);
  assert.equal(await telemetry(plain), null);
  assert.equal(await telemetry(off), null);
  assert.doesNotMatch((await plain.get('/metrics')).text, /otlp/);
});

test('a chat is a span with the attributes of the conventions', async (t) => {
  const { upstream, sink, proxy, ask } = await setUp(t, {
    OTEL_SERVICE_NAME: 'bench',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other, deployment.environment.name=a%20b%2Cc,broken,',
  });
  await proxy.request('POST', '/api/runs/start', { fields: JSON_TYPE, body: '{"name":"run \\"one\\""}' });
  await ask('m', [['Authorization', 'Bearer sk-secret'], ['X-Api-Key', 'sk-other']]); // prettier-ignore
  const [span] = await spans(sink, 1);
  const { is } = span;
  assert.equal(span.name, 'chat m');
  assert.equal(span.parentSpanId, undefined);
  assert.equal(span.flags, 0x101);
  assert.deepEqual(span.status, {});
  assert.equal(is['gen_ai.operation.name'], 'chat');
  assert.equal(is['gen_ai.provider.name'], 'openai');
  assert.equal(is['gen_ai.request.model'], 'm');
  assert.equal(is['gen_ai.response.model'], 'm-2024');
  assert.equal(is['gen_ai.response.id'], 'chatcmpl-1');
  assert.deepEqual(is['gen_ai.response.finish_reasons'], ['stop']);
  assert.equal(is['gen_ai.usage.input_tokens'], 20);
  assert.equal(is['gen_ai.usage.output_tokens'], 5);
  assert.equal(is['gen_ai.usage.cache_read.input_tokens'], 8);
  assert.equal(is['gen_ai.request.stream'], undefined);
  assert.equal(is['server.address'], '127.0.0.1');
  assert.equal(is['server.port'], upstream.port);
  assert.equal(is['http.response.status_code'], 200);
  assert.equal(is['error.type'], undefined);
  assert.equal(is['llm_observe_proxy.outcome'], 'ok');
  assert.equal(is['llm_observe_proxy.run.id'], 1);
  assert.equal(is['llm_observe_proxy.run.name'], 'run "one"');
  assert.equal(is['llm_observe_proxy.cost.usd'], undefined);
  const row = await proxy.row(CHAT);
  assert.equal(is['llm_observe_proxy.request.id'], row.id);
  const took = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e9;
  assert(took >= 0 && took < 30);
  assert(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1000000n) - Date.now()) < 60000);
  assert.equal(span.resource['service.name'], 'bench');
  assert.equal(span.resource['deployment.environment.name'], 'a b,c');
  assert.match(proxy.child.err, /OTEL_RESOURCE_ATTRIBUTES: entry 3 /);
  for (const sent of sink.requests)
    assert.doesNotMatch(sent.text, /SECRET|sk-secret|sk-other/, 'captured text or a key was sent');
});

test('a stream, an error, a tool call and a request that is nothing generative', async (t) => {
  const { upstream, sink, proxy, ask } = await setUp(t);
  upstream.script('/v1/responses', (turn) =>
    turn.answer(
      200,
      [['Content-Type', 'text/event-stream']],
      event({ type: 'response.output_text.delta', delta: 'a' }) +
        event({ type: 'response.completed', response: { id: 'r1', model: 'm', status: 'completed', usage: { input_tokens: 3, output_tokens: 4 } } }),
    ),
  ); // prettier-ignore
  upstream.script('/v1/messages', (turn) =>
    turn.json({ type: 'error', error: { type: 'rate_limit_error', message: 'SECRET REASON' } }, 429),
  );
  upstream.script(CHAT, (turn) =>
    turn.json({ ...ANSWER, choices: [{ index: 0, finish_reason: 'tool_calls', message: { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'SECRET', arguments: '{}' } }] } }] }),
  ); // prettier-ignore
  const post = (target, value) =>
    proxy.request('POST', target, { fields: JSON_TYPE, body: JSON.stringify(value) });
  await post('/v1/responses', { model: 'm', stream: true });
  await post('/v1/messages', { model: 'claude' });
  await ask('m');
  await proxy.request('GET', '/v1/models');
  await post('/v1/embeddings', { model: 'e' });
  const all = await spans(sink, 5);
  const find = (path) => all.find((span) => span.is['url.path'] === path);

  const stream = find('/v1/responses').is;
  assert.equal(stream['gen_ai.request.stream'], true);
  assert.equal(typeof stream['gen_ai.response.time_to_first_chunk'], 'number');
  assert.equal(typeof stream['llm_observe_proxy.time_to_first_token'], 'number');
  assert.equal(stream['gen_ai.usage.output_tokens'], 4);
  const bad = find('/v1/messages');
  assert.deepEqual(bad.status, { code: 2 });
  assert.equal(bad.is['error.type'], '429');
  assert.equal(bad.is['gen_ai.provider.name'], 'anthropic');
  assert.equal(bad.is['llm_observe_proxy.upstream.error.type'], 'rate_limit_error');
  assert.equal(find(CHAT).is['llm_observe_proxy.tool_calls'], 1);
  assert.deepEqual(find(CHAT).is['gen_ai.response.finish_reasons'], ['tool_calls']);
  assert.equal(find('/v1/embeddings').is['gen_ai.operation.name'], 'embeddings');
  const models = find('/v1/models');
  assert.equal(models.name, 'GET');
  assert.equal(models.is['gen_ai.operation.name'], undefined);
  assert.equal(models.is['http.request.method'], 'GET');
  for (const sent of sink.requests) assert.doesNotMatch(sent.text, /SECRET/);
});

test('a failed connection and a client that leaves are errors with a type', async (t) => {
  const { upstream, sink, proxy, ask } = await setUp(t);
  upstream.script(CHAT, (turn) => turn.cut());
  await ask('cut');
  upstream.script(CHAT, () => {});
  const wire = await proxy.connect();
  wire.send(proxy.post(CHAT, { model: 'left' }));
  await until(() => upstream.of(CHAT).some((r) => r.text.includes('left')), 'the request');
  wire.socket.destroy();
  const all = await spans(sink, 2);
  const type = (model) =>
    all.find((span) => span.is['gen_ai.request.model'] === model).is['error.type'];
  assert.equal(type('cut'), 'failed');
  assert.equal(type('left'), 'client_gone');
});

test('a traceparent makes the span a child and is forwarded untouched', async (t) => {
  const { upstream, sink, ask } = await setUp(t);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const good = `00-${trace}-b7ad6b7169203331-01`;
  await ask('child', [['traceparent', good], ['tracestate', 'vendor=a"b']]); // prettier-ignore
  await ask('unsampled', [['traceparent', `00-${trace}-b7ad6b7169203331-00`]]);
  await ask('later', [['traceparent', `01-${trace}-b7ad6b7169203331-03-more`]]);
  const broken = ['', 'x', good.toUpperCase(), `${good}-`, `ff${good.slice(2)}`, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`];
  for (const value of broken) await ask('root', [['traceparent', value]]);
  await ask('root', [['traceparent', good], ['traceparent', good]]); // prettier-ignore
  const all = await spans(sink, broken.length + 3);
  const of = (model) => all.filter((span) => span.is['gen_ai.request.model'] === model);
  const [child] = of('child');
  assert.equal(child.traceId, trace);
  assert.equal(child.parentSpanId, 'b7ad6b7169203331');
  assert.notEqual(child.spanId, 'b7ad6b7169203331');
  assert.equal(child.traceState, 'vendor=a"b');
  assert.equal(child.flags, 0x301);
  assert.equal(of('later')[0].traceId, trace);
  assert.equal(of('unsampled').length, 0);
  assert.equal(of('root').length, broken.length + 1);
  for (const span of of('root')) {
    assert.notEqual(span.traceId, trace);
    assert.equal(span.parentSpanId, undefined);
  }
  assert.equal(upstream.of(CHAT)[0].field('traceparent'), good);
  assert.equal(upstream.of(CHAT)[0].field('tracestate'), 'vendor=a"b');
});

test('metrics are cumulative histograms with the prescribed buckets', async (t) => {
  const { upstream, sink, proxy, ask } = await setUp(t, { OTEL_METRIC_EXPORT_INTERVAL: '50' });
  upstream.script('/v1/messages', (turn) => turn.json({ error: {} }, 500));
  await ask('m');
  await ask('m');
  await proxy.request('POST', '/v1/messages', { fields: JSON_TYPE, body: '{"model":"m"}' });
  const count = (name, wanted) =>
    (sink.metrics()[name] ?? [])
      .filter(({ is }) => Object.entries(wanted).every(([key, value]) => is[key] === value))
      .reduce((sum, point) => sum + Number(point.count), 0);
  await until(() => count('gen_ai.client.operation.duration', {}) === 3, 'three operations');
  const all = sink.metrics();
  const tokens = all['gen_ai.client.token.usage'];
  const input = tokens.find(({ is }) => is['gen_ai.token.type'] === 'input');
  assert.equal(input.unit, '{token}');
  assert.equal(input.count, '2');
  assert.equal(input.sum, 40);
  assert.equal(input.max, 20);
  assert.deepEqual(
    input.explicitBounds,
    [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
  ); // prettier-ignore
  assert.equal(input.bucketCounts[3], '2');
  assert.equal(input.is['gen_ai.response.model'], 'm-2024');
  const duration = all['gen_ai.client.operation.duration'];
  assert.deepEqual(
    duration[0].explicitBounds,
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  ); // prettier-ignore
  assert.equal(count('gen_ai.client.operation.duration', { 'error.type': '500' }), 1);
  assert.equal(duration[0].unit, 's');
  await ask('m');
  await until(() => count('gen_ai.client.operation.duration', {}) === 4, 'four operations');
  const [before, after] = [duration, sink.metrics()['gen_ai.client.operation.duration']];
  assert.equal(after[0].startTimeUnixNano, before[0].startTimeUnixNano);
  assert(BigInt(after[0].timeUnixNano) > BigInt(before[0].timeUnixNano));
});

test('what a request costs is in its span and in a sum', async (t) => {
  const { upstream, sink, proxy, ask } = await setUp(t, { OTEL_METRIC_EXPORT_INTERVAL: '50' });
  const make = async (target, value) => {
    const made = await proxy.request('POST', target, { fields: JSON_TYPE, body: JSON.stringify(value) });
    assert.equal(made.status, 200, made.text);
  }; // prettier-ignore
  await make('/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  await make('/admin/api/pricing/prices', {
    provider_slug: 'lab', model: ANSWER.model, input_usd_per_million: '0.5',
    cached_input_usd_per_million: '0.5', output_usd_per_million: '2',
  }); // prettier-ignore
  await ask('tiny');
  await ask('tiny');
  const [span] = await spans(sink, 2);
  assert.equal(span.is['llm_observe_proxy.cost.usd'], 0.00002);
  assert.equal(span.is['gen_ai.provider.name'], 'lab');
  const sum = () => sink.metrics()['llm_observe_proxy.cost']?.[0];
  await until(() => sum()?.asDouble === 0.00004, 'the cost of both');
  assert.equal(sum().is['gen_ai.request.model'], 'tiny');
});

test('more models than a metric has points for are counted as overflow', async (t) => {
  const { sink, proxy } = await setUp(t, { OTEL_METRIC_EXPORT_INTERVAL: '100' });
  for (let i = 0; i < 1100; i += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, k) =>
        proxy.request('POST', '/v1/embeddings', { fields: JSON_TYPE, body: `{"model":"m${i + k}"}` }),
      ),
    ); // prettier-ignore
  const points = () => sink.metrics()['gen_ai.client.operation.duration'] ?? [];
  await until(() => points().reduce((sum, p) => sum + Number(p.count), 0) === 1100, 'all');
  assert.equal(points().length, 1001);
  assert.equal(points().find(({ is }) => is['otel.metric.overflow']).count, '100');
});

test('headers, compression and a URL for each signal', async (t) => {
  const { sink, proxy, ask } = await setUp(t, {
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=s%65cret%3D1, x-tenant = a b ,bad entry=hidden-value,=',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-metrics=1',
    OTEL_METRIC_EXPORT_INTERVAL: '50',
  });
  await ask('m');
  await spans(sink, 1);
  const sent = await sink.saw('/v1/traces');
  assert.equal(sent.field('api-key'), 'secret=1');
  assert.equal(sent.field('x-tenant'), 'a b');
  assert.equal(sent.field('content-encoding'), 'gzip');
  assert.match(sent.field('user-agent'), /^llm-observe-proxy\//);
  const metrics = await sink.saw('/v1/metrics');
  assert.equal(metrics.field('x-metrics'), '1');
  assert.equal(metrics.field('api-key'), undefined);
  assert.match(proxy.child.err, /OTEL_EXPORTER_OTLP_HEADERS: entry 3 /);
  assert.doesNotMatch(proxy.child.err, /secret|hidden-value/);
  for (const path of ['/api/status', '/metrics', '/admin/api/settings/values'])
    assert.doesNotMatch((await proxy.get(path)).text, /secret=1/);
});

test('an endpoint of one signal is used as it is, and the base may have a path', async (t) => {
  const sink = await collector(t);
  const upstream = await scripted(t);
  const base = `http://127.0.0.1:${sink.port}`;
  const proxy = await start(t, {
    upstream,
    env: sink.env({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${base}/otlp/`,
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${base}/own/path/`,
      OTEL_METRIC_EXPORT_INTERVAL: '50',
    }),
  });
  await proxy.request('POST', CHAT, { fields: JSON_TYPE, body: '{"model":"m"}' });
  await sink.saw('/otlp/v1/traces', ms(8000));
  await sink.saw('/own/path/', ms(8000));
});

test('a variable that is wrong is named, and the proxy serves on', async (t) => {
  const upstream = await scripted(t);
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  for (const [env, line] of [
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /OTEL_EXPORTER_OTLP_PROTOCOL: .{1,2}grpc.* only http\/json; no spans/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317' }, /OTEL_EXPORTER_OTLP_ENDPOINT: it must be an http/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret@h' }, /OTEL_EXPORTER_OTLP_ENDPOINT: .*user name/],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin', OTEL_METRICS_EXPORTER: 'none' }, /OTEL_TRACES_EXPORTER: .{1,2}zipkin/],
  ]) {
    const proxy = await start(t, { upstream, env });
    assert.match(proxy.child.err, line);
    assert.doesNotMatch(proxy.child.err, /secret/);
    assert.equal(await telemetry(proxy), null);
    assert.equal((await proxy.request('GET', '/v1/models')).status, 200);
  } // prettier-ignore
  const proxy = await start(t, { env: { ...endpoint, OTEL_BSP_MAX_QUEUE_SIZE: '-1', OTEL_EXPORTER_OTLP_COMPRESSION: 'br' } });
  assert.match(proxy.child.err, /OTEL_BSP_MAX_QUEUE_SIZE: .* is not a number/);
  assert.match(proxy.child.err, /OTEL_EXPORTER_OTLP_COMPRESSION: .{1,2}br/);
  assert.equal((await telemetry(proxy)).queue_limit, 2048);
});

test('a collector that is down costs requests nothing, and gets the spans when it is back', async (t) => {
  const { sink, proxy, ask } = await setUp(t);
  let up = false;
  sink.script('/v1/traces', (turn) => (up ? turn.json({}) : turn.reset()));
  await ask('m');
  await sink.saw('/v1/traces');
  assert.equal((await ask('m')).status, 200);
  up = true;
  await until(async () => (await telemetry(proxy)).exported_spans === 2, 'both spans', ms(10000));
  const state = await telemetry(proxy);
  assert.equal(state.dropped_spans, 0);
});

test('nobody listens: spans are dropped in time, counted and logged once', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, {
    upstream,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: (await refusing()).replace('/v1', ''),
      OTEL_BSP_SCHEDULE_DELAY: '10',
      OTEL_BSP_EXPORT_TIMEOUT: '100',
    },
  });
  for (let i = 1; i <= 3; i++) {
    assert.equal((await proxy.request('GET', '/v1/models')).status, 200);
    await until(async () => (await telemetry(proxy)).dropped_spans === i, `${i} dropped`);
  }
  const state = await telemetry(proxy);
  assert.equal(state.failed_exports, 3);
  assert.match(state.last_error, /^spans: /);
  assert.equal(proxy.child.err.match(/cannot export spans/g).length, 1);
  assert.match((await proxy.get('/metrics')).text, /^llm_observe_otlp_dropped_spans_total 3$/m);
});

test('429 with Retry-After is waited for, and 400 is not tried again', async (t) => {
  const { sink, proxy, ask } = await setUp(t);
  const seen = [];
  sink.script('/v1/traces', (turn) => {
    seen.push(performance.now());
    if (seen.length === 1) turn.answer(429, [['Retry-After', '1']]);
    else if (seen.length === 2) turn.json({});
    else turn.json({ message: 'no' }, 400);
  });
  await ask('m');
  await until(async () => (await telemetry(proxy)).exported_spans === 1, 'a span', ms(10000));
  assert(seen[1] - seen[0] >= 950, `it came back after ${seen[1] - seen[0]} ms`);
  await ask('m');
  await until(async () => (await telemetry(proxy)).dropped_spans === 1, 'a dropped span');
  assert.equal(seen.length, 3);
  assert.equal((await telemetry(proxy)).last_error, 'spans: HTTP 400');
});

test('a pause longer than the time of a batch silences the exporter', async (t) => {
  const { sink, proxy, ask } = await setUp(t, { OTEL_BSP_EXPORT_TIMEOUT: '200' });
  sink.script('/v1/traces', (turn) => turn.answer(503, [['Retry-After', '60']]));
  await ask('m');
  await until(async () => (await telemetry(proxy)).dropped_spans === 1, 'a dropped span');
  await ask('m');
  await until(async () => (await telemetry(proxy)).queue_depth === 1, 'a waiting span');
  assert.equal(sink.of('/v1/traces').length, 1);
  const { ms: took } = await proxy.stop();
  assert(took < ms(1500), `it took ${took} ms to stop`);
  assert.equal(sink.of('/v1/traces').length, 1);
});

test('what a collector refuses of a batch is counted', async (t) => {
  const { sink, proxy, ask } = await setUp(t);
  sink.script('/v1/traces', (turn) =>
    turn.json({ partialSuccess: { rejectedSpans: '1', errorMessage: 'too old' } }),
  );
  await ask('m');
  await until(async () => (await telemetry(proxy)).dropped_spans === 1, 'a refused span');
  assert.equal((await telemetry(proxy)).exported_spans, 0);
});

test('a flood on a collector that hangs: requests are fine, the queue stays bounded', async (t) => {
  const { sink, proxy, ask } = await setUp(t, { OTEL_BSP_MAX_QUEUE_SIZE: '50' });
  sink.script('/v1/traces', () => {});
  await ask('first');
  await sink.saw('/v1/traces');
  for (let i = 0; i < 300; i += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('m')));
    for (const answer of answers) assert.equal(answer.status, 200);
  }
  await until(async () => (await telemetry(proxy)).dropped_spans === 250, '250 dropped spans');
  const state = await telemetry(proxy);
  assert.equal(state.queue_depth, 50);
  assert.equal(state.queue_limit, 50);
  assert.equal((await proxy.rows()).length, 200);
  const { code, ms: took } = await proxy.stop();
  assert.equal(code, 0);
  assert(took < ms(4000), `it took ${took} ms to stop`);
  assert.match(proxy.child.err, /spans that were not exported count=301/);
});

test('a collector that does not even accept does not hold up the end', async (t) => {
  const upstream = await scripted(t);
  const url = (await deaf(t)).replace('/v1', '');
  const proxy = await start(t, { upstream, env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
  await proxy.request('GET', '/v1/models');
  const { code, ms: took } = await proxy.stop();
  assert.equal(code, 0);
  assert(took < ms(4000), `it took ${took} ms to stop`);
});

test('what is queued is sent at the end', async (t) => {
  const { sink, proxy, ask } = await setUp(t, {
    OTEL_BSP_SCHEDULE_DELAY: '60000',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4',
  });
  for (let i = 0; i < 10; i++) await ask('m');
  await until(() => sink.spans().length === 8, 'two full batches');
  await proxy.stop();
  assert.equal(sink.spans().length, 10);
  assert.equal(new Set(sink.spans().map((span) => span.spanId)).size, 10);
  assert.equal(sink.metrics()['gen_ai.client.operation.duration'][0].count, '10');
});

test('a collector behind TLS, with an authority of its own', async (t) => {
  const { ca, key, cert } = certificate(t);
  const seen = [];
  const sink = await served(
    t,
    'https',
    (request, response) => {
      seen.push(request.url);
      request.resume().on('end', () => response.end('{}'));
    },
    { key, cert },
  );
  const upstream = await scripted(t);
  const endpoint = sink.url.replace('/v1', '');
  const proxy = await start(t, {
    upstream,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
      OTEL_BSP_SCHEDULE_DELAY: '10',
    },
  });
  await proxy.request('GET', '/v1/models');
  await until(() => seen.includes('/v1/traces'), 'an export', ms(8000));
  const doubtful = await start(t, {
    upstream,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '10',
      OTEL_BSP_EXPORT_TIMEOUT: '100',
    },
  });
  await doubtful.request('GET', '/v1/models');
  await until(async () => (await telemetry(doubtful)).dropped_spans === 1, 'a refusal', ms(8000));
  assert.equal(seen.filter((url) => url === '/v1/traces').length, 1);
});
