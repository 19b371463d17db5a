/* GET /metrics: the text format of Prometheus, read strictly. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];
const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';

function readLabels(text) {
  const labels = {};
  let rest = text;
  while (rest) {
    const found = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/.exec(rest);
    assert(found, `labels: ${rest}`);
    assert(!(found[1] in labels), `label twice: ${found[1]}`);
    labels[found[1]] = found[2].replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    assert(!(found[3] === ',' && found[0].length === rest.length), 'a comma at the end');
    rest = rest.slice(found[0].length);
  }
  return labels;
}

/** Families by name: {type, help, samples: [{name, labels, value}]}. Throws at the first mistake. */
function parse(text) {
  assert(text.endsWith('\n'), 'the last line must end');
  const families = new Map();
  const seen = new Set();
  let current;
  for (const line of text.slice(0, -1).split('\n')) {
    const help = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line);
    const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
    if (help) {
      assert(!families.has(help[1]), `family twice: ${help[1]}`);
      current = { name: help[1], help: help[2], samples: [] };
      families.set(help[1], current);
    } else if (type) {
      assert.equal(type[1], current?.name, 'TYPE follows HELP');
      assert.equal(current.type, undefined);
      assert.equal(current.samples.length, 0);
      current.type = type[2];
    } else {
      const sample = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?[0-9.]+|\\+Inf)$`).exec(line);
      assert(sample, `no sample: ${line}`);
      const [, name, labels = '', value] = sample;
      const suffixes = current.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      assert(suffixes.some((s) => name === current.name + s), `${name} in ${current.name}`);
      assert(!seen.has(`${name}{${labels}}`), `sample twice: ${line}`);
      seen.add(`${name}{${labels}}`);
      current.samples.push({ name, labels: readLabels(labels), value: Number(value), text: value });
    }
  }
  for (const family of families.values()) check(family);
  return families;
}

function check({ name, type, samples }) {
  assert(type, `${name} has no type`);
  assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
  for (const { value } of samples) assert(Number.isFinite(value) || value === Infinity);
  if (type !== 'histogram') return;
  const buckets = samples.filter((s) => s.name.endsWith('_bucket'));
  const limits = buckets.map((s) => (s.labels.le === '+Inf' ? Infinity : Number(s.labels.le)));
  assert.deepEqual(limits, [...limits].sort((a, b) => a - b));
  assert.equal(limits.at(-1), Infinity);
  for (let i = 1; i < buckets.length; i++) assert(buckets[i].value >= buckets[i - 1].value);
  assert.equal(samples.find((s) => s.name.endsWith('_count')).value, buckets.at(-1).value);
}

test('metrics count what was captured', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const read = async () => {
    const answer = await proxy.get('/metrics');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    return parse(answer.text);
  };
  const empty = await read();
  assert.equal(empty.get('llm_observe_requests_total').samples.length, 0);
  assert.equal(empty.get('llm_observe_requests_in_flight').samples[0].value, 0);

  upstream.script('/v1/bad', (turn) => turn.answer(503, JSON_TYPE, '{"error":"no"}'));
  upstream.script('/v1/stream', (turn) =>
    turn.answer(200, [['Content-Type', 'text/event-stream']], 'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n'),
  ); // prettier-ignore
  const nasty = 'a"b\\c\nd\u00e4} 1\n# HELP x';
  const ask = (endpoint, model) =>
    proxy.request('POST', endpoint, { fields: JSON_TYPE, body: JSON.stringify({ model }) });
  await ask('/v1/ok', 'm');
  await ask('/v1/ok', 'm');
  await ask('/v1/bad', 'm');
  await ask('/v1/stream', nasty);
  await ask('/v1/ok', 'x'.repeat(5000));
  await ask('/v1/ok', 'bad\ud800');
  const count = (families, labels) =>
    families
      .get('llm_observe_requests_total')
      .samples.filter((s) => Object.entries(labels).every(([k, v]) => s.labels[k] === v))
      .reduce((sum, s) => sum + s.value, 0);
  await until(async () => count(await read(), {}) === 6);
  const all = await read();
  assert.equal(count(all, { endpoint: '/v1/ok', model: 'm', status_class: '2xx' }), 2);
  assert.equal(count(all, { endpoint: '/v1/bad', model: 'm', status_class: '5xx' }), 1);
  assert.equal(count(all, { model: nasty }), 1);
  assert.equal(all.get('llm_observe_unpriced_requests_total').type, 'counter');
  const histogram = (name) =>
    Object.fromEntries(
      all.get(name).samples.filter((s) => !s.labels.le).map((s) => [s.name.slice(name.length), s.value]),
    ); // prettier-ignore
  assert.equal(histogram('llm_observe_request_duration_seconds')._count, 6);
  assert.equal(histogram('llm_observe_time_to_first_token_seconds')._count, 1);
  const overhead = histogram('llm_observe_proxy_overhead_seconds');
  assert.equal(overhead._count, 6);
  assert(overhead._sum > 0 && overhead._sum < 1);
  assert(all.get('llm_observe_database_bytes').samples[0].value > 4096);
  assert.equal((await proxy.request('POST', '/metrics', { body: '' })).status, 405);
});

test('a model name with a NUL in it breaks no line', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const model of ['a\0b', 'a\0b', 'a\0c'])
    await proxy.request('POST', '/v1/x', { fields: JSON_TYPE, body: JSON.stringify({ model }) });
  const samples = async () =>
    parse((await proxy.get('/metrics')).text).get('llm_observe_requests_total').samples;
  await until(async () => (await samples()).reduce((sum, s) => sum + s.value, 0) === 3);
  assert.deepEqual(
    (await samples()).map((s) => [s.labels.model, s.value]).sort(),
    [['a\ufffdb', 2], ['a\ufffdc', 1]],
  ); // prettier-ignore
});

test('clients cannot make more series than there is room for', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (let i = 0; i < 1200; i += 60)
    await Promise.all(
      Array.from({ length: 60 }, (_, k) =>
        proxy.request('POST', '/v1/x', { fields: JSON_TYPE, body: `{"model":"m${i + k}"}` }),
      ),
    );
  const samples = async () =>
    parse((await proxy.get('/metrics')).text).get('llm_observe_requests_total').samples;
  await until(async () => (await samples()).reduce((sum, s) => sum + s.value, 0) === 1200);
  const all = await samples();
  assert.equal(all.length, 1001);
  assert.equal(all.find((s) => s.labels.model === 'other').value, 200);
});
