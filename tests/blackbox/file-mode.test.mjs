/* Calls over the database file: they answer what the server answers, and a running server sees what
 * they change. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { BINARY, launch, mock, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until, within } from './until.mjs';

const FILE_CALL = path.join(path.dirname(BINARY), 'tests', 'file_call');
const CHAT = '/v1/chat/completions';
const JSON_TYPE = [['Content-Type', 'application/json']];
const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';
const TOOLS = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
const chat = (model, more = {}) => ({ model, messages: [{ role: 'user', content: 'one two three' }], ...more });
const image = { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: PIXEL } }] }] };

/** A call over the file: its status and text, or how it ended. */
async function file(proxy, method, target, body) {
  const words = [proxy.database, method, target, ...(body === undefined ? [] : [JSON.stringify(body)])];
  const child = launch(words, { env: proxy.options.env, binary: FILE_CALL });
  const { code } = await within(child.gone, `file_call ${words.join(' ')} to end`);
  const [, status, text] = /^(\d+)\n([^]*)$/.exec(child.out) ?? [];
  return { code, err: child.err, status: Number(status), text };
}

async function change(proxy, method, target, body) {
  const answer = await file(proxy, method, target, body);
  assert.equal(answer.status, 200, `${method} ${target}: ${answer.text} ${answer.err}`);
  return JSON.parse(answer.text);
}

async function served(proxy, method, target, body) {
  return proxy.request(method, target, {
    fields: body === undefined ? [] : JSON_TYPE,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

async function must(proxy, method, target, body) {
  const answer = await served(proxy, method, target, body);
  assert.equal(answer.status, 200, `${method} ${target}: ${answer.text}`);
  return answer.json;
}

const ask = (proxy, model) => served(proxy, 'POST', CHAT, chat(model));

/** A server whose upstream comes from the environment, so that the file tells it too. */
async function world(t) {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, { env: { LLM_OBSERVE_UPSTREAM_URL: upstream.url } });
  return { upstream, proxy };
}

/** Wait until as many requests are stored as were sent. */
const stored = (proxy, count) =>
  until(
    async () => {
      const rows = await proxy.rows();
      return rows.length === count && rows.every((row) => row.completed_at) && rows;
    },
    () => `${count} finished rows`,
  );

/* ---- the same answers ---- */

/* What only a server knows. */
const SERVER_ONLY = new Set(['/api/status', '/api/live', '/api/events', '/api/openapi.json', '/healthz', '/metrics']);
const QUERIES = {
  '/api/requests': ['', 'per_page=2&page=2', 'q=three', 'model=mock&image=1', 'facets=0&sort=-id', 'per_page=0'],
  '/api/requests/{record_id}': ['', 'mode=text'],
  '/api/requests/{record_id}/body': ['side=request', 'side=response', 'side=upstream', 'side=x', ''],
  '/api/models': ['', 'status=all&search=GPT', 'page=x'],
  '/api/models/lookup': ['model=mock', 'model=gpt-5.5&provider_slug=openai', 'model=a&provider_slug=none', ''],
  '/api/models/suggest': ['', 'q=mo'],
  '/api/runs/{run_id}/what-if': ['', 'key=openai:gpt-5.5&key=lab:mock'],
  '/admin/api/pricing/find': ['provider=lab&model=mock', 'provider=lab&model=none', ''],
  '/admin/api/routes': ['', 'include_startup=1', 'status=active&search=m'],
  '/admin/api/routes/usage': ['', 'since=2020-01-01T00:00:00Z', 'since=yesterday'],
  '/admin/api/settings/summary': ['', 'days=0'],
};
const POSTED = [
  ['/admin/api/routes/simulate', { model: 'mock' }],
  ['/admin/api/routes/simulate', {}],
  ['/admin/api/routes/sample-request', { model: 'mock', provider_slug: 'lab' }],
  ['/admin/api/routes/defaults/preview', { mode: 'missing_only' }],
  ['/admin/api/pricing/estimate', { provider: 'lab', model: 'mock', input: 10, output: 5 }],
  ['/admin/api/pricing/estimate', { provider: 'lab', model: 'mock', input: -1 }],
  ['/admin/api/storage/check', undefined],
  ['/admin/api/pricing/catalog/preview', {
    source: 'litellm',
    document: { 'm/n': { litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 } },
  }],
]; // prettier-ignore

/* Clocks, the disk, and the port that was given with a flag. */
const MOVING = new Set([
  'elapsed_ms', 'open_duration_ms', 'db_bytes', 'wal_bytes', 'free_bytes', 'disk_free_bytes', 'preview_id',
]); // prettier-ignore

function settled(value, port) {
  if (typeof value === 'string') return value.replace(new RegExp(`localhost:(0|${port})\\b`, 'g'), 'localhost:8080');
  if (Array.isArray(value)) return value.map((one) => settled(one, port));
  if (value === null || typeof value !== 'object') return value;
  if (value.key === 'incoming_port') return { key: value.key };
  if (value.buckets && value.since) /* up to now, unless told otherwise */
    value = { ...value, since: null, until: null, buckets: value.buckets.map((one) => ({ ...one, start: null })) };
  const rest = Object.entries(value).filter(([key]) => !MOVING.has(key));
  const made = Object.fromEntries(rest.map(([key, one]) => [key, settled(one, port)]));
  if (made.listener) made.listener = { ...made.listener, bound: null, port: 8080 };
  return made;
}

async function same(proxy, method, target, body) {
  const theirs = await served(proxy, method, target, body);
  const ours = await file(proxy, method, target, body);
  const what = `${method} ${target}`;
  assert.equal(ours.code, 0, `${what}: ${ours.err}`);
  assert.equal(ours.status, theirs.status, `${what}: ${ours.text}`);
  if (!/^[{[]/.test(theirs.text)) assert.equal(ours.text, theirs.text, what);
  else
    assert.deepEqual(
      settled(JSON.parse(ours.text), proxy.port),
      settled(JSON.parse(theirs.text), proxy.port),
      what,
    );
}

async function fill(proxy, upstream) {
  await must(proxy, 'POST', '/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  const price = { provider_slug: 'lab', input_usd_per_million: '0.5', output_usd_per_million: 2 };
  const { id: price_id } = await must(proxy, 'POST', '/admin/api/pricing/prices', { ...price, model: 'mock' });
  const { id: route_id } = await must(proxy, 'POST', '/admin/api/routes', {
    model: 'mock', upstream_url: upstream.url, provider_slug: 'lab',
  }); // prettier-ignore
  const { run } = await must(proxy, 'POST', '/api/runs/start', { name: 'one', notes: 'n', budget_usd: 1 });
  const traffic = [
    chat('mock'), chat('mock', { stream: true }), chat('mock,status=429'), chat('mock', image),
    chat('mock,tool=look', { tools: TOOLS }),
  ]; // prettier-ignore
  for (const body of traffic) await served(proxy, 'POST', CHAT, body);
  const rows = await stored(proxy, traffic.length);
  await must(proxy, 'POST', '/api/runs/end');
  await until(
    async () => (await proxy.api('/api/requests?q=three')).pagination.total > 0,
    () => 'the index to be made',
  );
  return { route_id, price_id, run_id: run.id, record_id: rows[0].id, slug: 'lab' };
}

test('every call that reads answers the same from the file', async (t) => {
  const { proxy, upstream } = await world(t);
  const ids = await fill(proxy, upstream);
  const documents = [await proxy.api('/api/openapi.json'), await proxy.api('/admin/api/openapi.json')];
  const paths = documents.flatMap((one) => Object.entries(one.paths));
  let compared = 0;
  for (const [pattern, methods] of paths.filter(([, methods]) => methods.get)) {
    const public_ = pattern.replace(/^\/admin\/api\//, '/api/');
    const fillIn = (values) => pattern.replaceAll(/\{(\w+)\}/g, (_, name) => values[name]);
    if (SERVER_ONLY.has(pattern) || SERVER_ONLY.has(public_)) {
      const answer = await file(proxy, 'GET', pattern);
      assert.deepEqual([answer.code, answer.err], [5, 'file_call needs a running server\n'], pattern);
      continue;
    }
    assert.ok(methods.get.operationId);
    for (const query of QUERIES[pattern] ?? QUERIES[public_] ?? [''])
      await same(proxy, 'GET', fillIn(ids) + (query && `?${query}`));
    if (pattern.includes('{')) await same(proxy, 'GET', `${fillIn({ slug: 'none' }).replace('undefined', '987654321')}`);
    if (pattern.includes('_id}')) await same(proxy, 'GET', `${fillIn({})}?page=0`);
    compared++;
  }
  assert.ok(compared > 40, `${compared} calls`);
  for (const [target, body] of POSTED) await same(proxy, 'POST', target, body);
  assert.equal((await file(proxy, 'POST', `/api/requests/${ids.record_id}/cancel`)).code, 5);
});

/* ---- changes that a running server sees ---- */

test('routes, providers and prices that the file gets count for the next requests', async (t) => {
  const { proxy } = await world(t);
  const lab = await scripted(t);
  lab.fallback = (turn) =>
    turn.json({ model: 'mine', choices: [], usage: { prompt_tokens: 1000, completion_tokens: 10, total_tokens: 1010 } });
  await change(proxy, 'POST', '/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: lab.url });
  const price = { provider_slug: 'lab', model: 'mine', input_usd_per_million: 1, output_usd_per_million: 2 };
  const { id } = await change(proxy, 'POST', '/admin/api/pricing/prices', price);
  const route = await change(proxy, 'POST', '/admin/api/routes', {
    model: 'mine', upstream_url: lab.url, provider_slug: 'lab',
  }); // prettier-ignore
  await until(
    async () => (await proxy.api('/api/models/lookup?model=mine')).status === 'matched',
    () => 'the server to see the route',
  );
  assert.equal((await ask(proxy, 'mine')).status, 200);
  const [row] = await stored(proxy, 1);
  assert.equal(row.provider_slug, 'lab');
  assert.equal(row.cost_usd, 0.00102);

  await change(proxy, 'PUT', `/admin/api/pricing/prices/${id}`, { ...price, input_usd_per_million: 3 });
  await ask(proxy, 'mine');
  assert.equal((await stored(proxy, 2))[0].cost_usd, 0.00302);
  const list = {
    source: 'litellm',
    document: { 'openai/brand-new': { litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 } },
  }; // prettier-ignore
  const { items } = await change(proxy, 'POST', '/admin/api/pricing/catalog/preview', list);
  const keys = items.map((item) => item.key);
  assert.equal((await change(proxy, 'POST', '/admin/api/pricing/catalog/apply', { ...list, keys })).created, 1);
  assert.equal((await proxy.api('/admin/api/pricing/prices?search=brand-new')).total, 1);

  await change(proxy, 'DELETE', `/admin/api/routes/${route.id}`);
  await until(
    async () => (await proxy.api('/api/models/lookup?model=mine')).status !== 'matched',
    () => 'the server to see that the route is gone',
  );
  const again = await file(proxy, 'DELETE', `/admin/api/routes/${route.id}`);
  assert.deepEqual([again.status, JSON.parse(again.text)], [404, JSON.parse((await served(proxy, 'DELETE', `/admin/api/routes/${route.id}`)).text)]);
});

test('settings that the file gets are in force', async (t) => {
  const { proxy } = await world(t);
  const other = await scripted(t);
  other.fallback = (turn) => turn.json({ model: 'other', choices: [] });
  await change(proxy, 'POST', '/admin/api/settings/values', { upstream_url: other.url, queue_limit: 4096 });
  await until(
    async () => (await ask(proxy, 'any')).json?.model === 'other',
    () => 'requests to go to the new upstream',
  );
  const values = await proxy.api('/admin/api/settings/values');
  assert.equal(values.find((one) => one.key === 'queue_limit').value, 4096);
  const bad = await file(proxy, 'POST', '/admin/api/settings/values', { queue_limit: 'many' });
  assert.equal(bad.status, 400);
  assert.equal((await proxy.api('/admin/api/settings/values')).find((one) => one.key === 'queue_limit').value, 4096);
});

test('a run that the file starts, pauses and ends takes the requests of a running server', async (t) => {
  const { proxy } = await world(t);
  const belongs = async (count) => {
    await ask(proxy, 'mock');
    return (await stored(proxy, count))[0].task_run?.name ?? null;
  };
  /** Ask until a request belongs to that run; the server looks a few times a second. */
  let sent = 0;
  const untilIn = (name) =>
    until(
      async () => (await belongs(++sent)) === name,
      () => `a request to belong to ${name}`,
    );
  await must(proxy, 'POST', '/api/runs/start', { name: 'served' });
  assert.equal(await belongs(++sent), 'served');
  const { run } = await change(proxy, 'POST', '/api/runs/start', { name: 'filed', notes: 'by hand' });
  assert.equal(run.status, 'active');
  await untilIn('filed');
  assert.equal((await change(proxy, 'POST', '/api/runs/pause')).run.id, run.id);
  await untilIn(null);
  assert.equal((await change(proxy, 'POST', `/api/runs/${run.id}/resume`)).run.status, 'active');
  await untilIn('filed');
  assert.equal((await change(proxy, 'POST', `/api/runs/${run.id}/end`)).run.status, 'complete');
  await untilIn(null);

  /* Both give out ids. */
  const ids = [];
  for (let i = 0; i < 3; i++) {
    ids.push((await change(proxy, 'POST', '/api/runs/start', { name: `f${i}` })).run.id);
    ids.push((await must(proxy, 'POST', '/api/runs/start', { name: `s${i}` })).run.id);
  }
  assert.equal(new Set(ids).size, ids.length);
  const runs = (await proxy.api('/api/runs')).items;
  assert.deepEqual(runs.filter((one) => one.status === 'active').map((one) => one.name), ['s2']);
  assert.equal(runs.length, 8);
});

test('the file is trimmed while a server works, and backfilled', async (t) => {
  const { proxy } = await world(t);
  for (let i = 0; i < 4; i++) await ask(proxy, 'mock');
  const [, , , oldest] = await stored(proxy, 4);
  const aged = spawnSync('sqlite3', [
    '-cmd', '.timeout 5000', proxy.database,
    `UPDATE requests SET created_us = created_us - 10 * 86400000000 WHERE id <= ${oldest.id + 1}`,
  ]); // prettier-ignore
  assert.equal(aged.status, 0, String(aged.stderr));
  assert.equal((await file(proxy, 'POST', '/admin/api/settings/trim', { days: 5 })).status, 400);
  const trim = { days: 5, confirm: true, vacuum: true };
  assert.equal((await change(proxy, 'POST', '/admin/api/settings/trim', trim)).deleted, 2);
  await change(proxy, 'DELETE', `/admin/api/requests/${oldest.id + 2}`);
  await ask(proxy, 'mock');
  await stored(proxy, 2);
  assert.equal((await proxy.api('/api/requests')).stats.total.value, 2);

  await change(proxy, 'POST', '/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: 'http://127.0.0.1:9/v1' });
  const price = { provider_slug: 'mock', model: 'mock', input_usd_per_million: 1, output_usd_per_million: 1 };
  assert.equal((await file(proxy, 'POST', '/admin/api/pricing/prices', price)).status, 400);
  const repriced = await change(proxy, 'POST', '/admin/api/pricing/backfill', { kind: 'missing' });
  assert.deepEqual(repriced, { kind: 'missing', repriced: 0, examined: 2 });
});

test('a change of the server waits for that of another process', async (t) => {
  const { proxy } = await world(t);
  const locker = spawn('sqlite3', [proxy.database], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => locker.kill());
  let out = '';
  locker.stdout.on('data', (text) => (out += text));
  locker.stdin.write("BEGIN IMMEDIATE;\nSELECT 'locked';\n");
  await until(() => out.includes('locked'), 'the lock');
  const change = served(proxy, 'POST', '/api/runs/start', { name: 'patient' });
  const early = await Promise.race([change, new Promise((done) => setTimeout(done, 300))]);
  assert.equal(early, undefined);
  locker.stdin.end('COMMIT;\n');
  assert.equal((await change).status, 200);
});

test('without a server the file is read and changed, and a server goes on with it', async (t) => {
  const { proxy } = await world(t);
  await ask(proxy, 'mock');
  await stored(proxy, 1);
  await proxy.stop();
  const { run } = await change(proxy, 'POST', '/api/runs/start', { name: 'offline' });
  assert.equal((await change(proxy, 'GET', '/api/runs')).active_run.id, run.id);
  assert.equal((await change(proxy, 'GET', '/api/requests')).pagination.total, 1);
  await proxy.restart();
  await ask(proxy, 'mock');
  assert.equal((await stored(proxy, 2))[0].task_run.name, 'offline');
});
