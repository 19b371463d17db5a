/* Runs: which requests belong to them, and what they come to. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];

async function call(proxy, target, value) {
  const answer = await proxy.request('POST', target, {
    fields: value === undefined ? [] : JSON_TYPE,
    body: value === undefined ? '' : JSON.stringify(value),
  });
  return { status: answer.status, json: answer.text ? JSON.parse(answer.text) : null };
}

async function begin(proxy, name) {
  const { status, json } = await call(proxy, '/api/runs/start', { name });
  assert.equal(status, 200);
  return json.run;
}

const ask = (proxy, endpoint, model, fields = []) =>
  proxy.request('POST', endpoint, { fields: [...JSON_TYPE, ...fields], body: JSON.stringify({ model }) });

async function setUp(t) {
  const upstream = await scripted(t);
  return { upstream, proxy: await start(t, { upstream }) };
}

test('a run goes through its states', async (t) => {
  const { proxy } = await setUp(t);
  assert.deepEqual((await call(proxy, '/api/runs/end')).json, { run: null });
  assert.deepEqual((await call(proxy, '/api/runs/pause')).json, { run: null });

  const one = await begin(proxy, '  one ');
  assert.equal(one.name, 'one');
  assert.equal(one.notes, null);
  assert.equal(one.status, 'active');
  assert.equal(one.request_count, 0);
  assert.equal((await call(proxy, '/admin/api/runs/pause')).json.run.status, 'paused');
  const two = await begin(proxy, 'two');
  assert.equal((await proxy.api('/api/runs')).active_run.id, two.id);
  assert.equal((await call(proxy, `/api/runs/${one.id}/resume`)).json.run.status, 'active');
  const list = await proxy.api('/api/runs');
  assert.deepEqual(
    list.items.map((run) => [run.name, run.status]),
    [
      ['two', 'paused'],
      ['one', 'active'],
    ],
  );
  assert.equal(list.stats.active, 1);
  assert.equal(list.stats.paused, 1);
  assert.equal((await call(proxy, `/api/runs/${two.id}/end`)).json.run.status, 'complete');
  assert.equal((await call(proxy, '/api/runs/end')).json.run.id, one.id);
  assert.equal((await call(proxy, `/api/runs/${one.id}/end`)).status, 400);
  assert.equal((await call(proxy, `/api/runs/${one.id}/resume`)).status, 400);
});

test('what is wrong with a call is said, and nothing is written', async (t) => {
  const { proxy } = await setUp(t);
  for (const name of [undefined, '', '  ', null, [], {}, false, 'x'.repeat(257)]) {
    const { status, json } = await call(proxy, '/api/runs/start', { name });
    assert.equal(status, 400, JSON.stringify(name));
    if (name !== 'x'.repeat(257)) assert.equal(json.detail, 'Run name is required.');
  }
  const broken = await proxy.request('POST', '/api/runs/start', { fields: JSON_TYPE, body: '{' });
  assert.equal(broken.status, 422);
  for (const what of ['', '/stats', '/requests']) {
    const answer = await proxy.get(`/api/runs/77${what}`);
    assert.equal(answer.status, 404);
    assert.deepEqual(JSON.parse(answer.text), { detail: 'Run not found.' });
  }
  assert.equal((await call(proxy, '/api/runs/77/resume')).status, 404);
  assert.equal((await proxy.get('/api/runs/x')).status, 422);
  assert.equal((await proxy.get('/api/runs/77?per_page=900')).status, 422);
  assert.equal((await proxy.api('/api/runs')).items.length, 0);
});

test('a request keeps the run that was active when it arrived', async (t) => {
  const { upstream, proxy } = await setUp(t);
  let release;
  const held = new Promise((done) => (release = done));
  upstream.script('/v1/slow', async (turn) => {
    await held;
    await turn.answer(200, JSON_TYPE, '{}');
  });
  const first = await begin(proxy, 'first');
  const slow = ask(proxy, '/v1/slow', 'm');
  await upstream.saw('/v1/slow');
  await begin(proxy, 'second');
  await ask(proxy, '/v1/quick', 'm');
  release();
  await slow;
  assert.equal((await proxy.row('/v1/slow')).task_run.id, first.id);
  assert.equal((await proxy.row('/v1/quick')).task_run.name, 'second');
  await call(proxy, '/api/runs/pause');
  await ask(proxy, '/v1/outside', 'm');
  assert.equal((await proxy.row('/v1/outside')).task_run, null);
});

test('every request after the answer to a start belongs to the new run', async (t) => {
  const { proxy } = await setUp(t);
  for (let i = 0; i < 20; i++) {
    const run = await begin(proxy, `run ${i}`);
    await ask(proxy, `/v1/at-${i}-`, 'm');
    assert.equal((await proxy.row(`/v1/at-${i}-`)).task_run.id, run.id);
  }
});

test('a header names the run of a request, whatever run is active', async (t) => {
  const { upstream, proxy } = await setUp(t);
  const active = await begin(proxy, 'active');
  const named = (name) => [['X-LLM-Observe-Run', name]];
  await Promise.all(
    Array.from({ length: 8 }, (_, i) => ask(proxy, `/v1/side-${i}-`, 'm', named(' side '))),
  );
  await ask(proxy, '/v1/own', 'm', named('active'));
  await ask(proxy, '/v1/blank', 'm', named('  '));
  await ask(proxy, '/v1/plain', 'm');
  const side = (await proxy.row('/v1/side-0-')).task_run;
  assert.equal(side.name, 'side');
  assert.equal(side.status, 'paused', 'open, but not for everybody');
  for (let i = 1; i < 8; i++) assert.equal((await proxy.row(`/v1/side-${i}-`)).task_run.id, side.id);
  for (const path of ['/v1/own', '/v1/blank', '/v1/plain'])
    assert.equal((await proxy.row(path)).task_run.id, active.id, path);
  for (const request of upstream.requests)
    assert.equal(request.field('x-llm-observe-run'), undefined, 'not forwarded');

  await call(proxy, `/api/runs/${side.id}/end`);
  await ask(proxy, '/v1/again', 'm', named('side'));
  const again = (await proxy.row('/v1/again')).task_run;
  assert.equal(again.name, 'side');
  assert.notEqual(again.id, side.id);
  await proxy.stop();
  await proxy.restart();
  await ask(proxy, '/v1/after', 'm', named('side'));
  assert.equal((await proxy.row('/v1/after')).task_run.id, again.id);
});

test('a thousand open runs neither hide the active one nor lend it requests', async (t) => {
  const { proxy } = await setUp(t);
  const active = await begin(proxy, 'active');
  await proxy.stop();
  const made = spawnSync('sqlite3', [
    proxy.database,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
     INSERT INTO task_runs (name, started_us, paused_us)
     SELECT 'old-' || i, started_us + i, started_us + i FROM task_runs, n;`,
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  await proxy.restart();
  assert.equal((await proxy.api('/api/runs')).active_run.id, active.id);
  await ask(proxy, '/v1/plain', 'm');
  await ask(proxy, '/v1/old', 'm', [['X-LLM-Observe-Run', 'old-1000']]);
  await ask(proxy, '/v1/other', 'm', [['X-LLM-Observe-Run', 'other']]);
  assert.equal((await proxy.row('/v1/plain')).task_run.id, active.id);
  assert.equal((await proxy.row('/v1/old')).task_run.name, 'old-1000');
  assert.equal((await proxy.row('/v1/other')).task_run, null);
  assert.match(proxy.child.err, /1000 runs are open/);
});

test('a page of a run holds its requests and what they come to', async (t) => {
  const { upstream, proxy } = await setUp(t);
  upstream.script('/v1/bad', (turn) => turn.answer(500, JSON_TYPE, '{"error":"no"}'));
  await ask(proxy, '/v1/before', 'x');
  const run = await begin(proxy, 'counted');
  await ask(proxy, '/v1/a', 'm1');
  await ask(proxy, '/v1/a', 'm1');
  await ask(proxy, '/v1/a', 'm2');
  await ask(proxy, '/v1/bad', 'm2');
  await proxy.row('/v1/bad');
  await until(async () => (await proxy.rows(`run=${run.id}`)).length === 4);

  const page = await proxy.api(`/api/runs/${run.id}?per_page=3`);
  assert.equal(page.run.request_count, null);
  assert.equal(page.items.length, 3);
  assert.equal(page.what_if_api_url, `/admin/api/runs/${run.id}/what-if`);
  assert.equal(page.pagination.next_url, `/api/runs/${run.id}?per_page=3&page=2`);
  assert.equal(page.active_run.request_count, 4);
  const { stats } = page;
  assert.deepEqual(
    [stats.request_count, stats.success_count, stats.error_count, stats.pending_count],
    [4, 3, 1, 0],
  );
  assert.equal(stats.success_rate, 0.75);
  assert.equal(stats.success_rate_display, '75%');
  assert.deepEqual(stats.models, [
    { label: 'm1', count: 2, count_display: '2' },
    { label: 'm2', count: 2, count_display: '2' },
  ]);
  assert.deepEqual(
    stats.statuses.map(({ label, count }) => [label, count]),
    [
      ['200', 3],
      ['500', 1],
    ],
  );
  assert.equal(stats.signals.errors.value, 1);
  assert.equal(stats.request_duration_ms.count, 4);
  assert.deepEqual(Object.keys(await proxy.api(`/api/runs/${run.id}/stats`)), [
    'run', 'stats', 'active_run', 'upstream_url', 'poll_interval_ms',
  ]); // prettier-ignore
  assert.deepEqual(Object.keys(await proxy.api(`/api/runs/${run.id}/requests`)), [
    'run', 'items', 'pagination', 'upstream_url', 'poll_interval_ms',
  ]); // prettier-ignore
  const live = await proxy.api('/api/live');
  assert.equal(live.active_run.id, run.id);
  assert.equal(live.active_run.error_count, 1);
  assert.deepEqual(live.finished[0].task_run, { id: run.id, name: 'counted' });
});

test('forms lead to the run', async (t) => {
  const { proxy } = await setUp(t);
  const form = (target, body = '') =>
    proxy.request('POST', target, {
      fields: [['Content-Type', 'application/x-www-form-urlencoded']],
      body,
    });
  const where = (answer) => answer.field('location');
  const blank = await form('/admin/runs/start', 'name=++');
  assert.equal(blank.status, 400);
  assert.match(blank.text, /Run name is required\./);
  let answer = await form('/admin/runs/start', 'name=a+b&notes=n');
  assert.equal(answer.status, 303);
  const [run] = (await proxy.api('/api/runs')).items;
  assert.equal(run.name, 'a b');
  assert.equal(where(answer), `/admin/runs/${run.id}`);
  assert.equal(where(await form('/admin/runs/pause')), `/admin/runs/${run.id}`);
  assert.equal(where(await form('/admin/runs/pause')), '/admin/runs');
  assert.equal(where(await form(`/admin/runs/${run.id}/resume`)), `/admin/runs/${run.id}`);
  assert.equal(where(await form('/admin/runs/end')), `/admin/runs/${run.id}`);
  answer = await form(`/admin/runs/${run.id}/resume`);
  assert.equal(answer.status, 303);
  assert.equal(where(answer), '/admin/runs');
});
