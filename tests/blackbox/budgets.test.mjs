/* Budgets: thresholds raise alerts, limits refuse requests, and sums stay what was spent. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import test from 'node:test';
import { start } from './proxy.mjs';
import { until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const JSON_TYPE = ['Content-Type', 'application/json'];

async function listen(t, answer) {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => answer(request, Buffer.concat(parts).toString(), response));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** An upstream whose answers are 100 tokens each; `hits` counts what reached it. */
async function counting(t) {
  const upstream = { hits: 0 };
  const url = await listen(t, (request, body, response) => {
    upstream.hits++;
    const usage = { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100 };
    const { model } = body ? JSON.parse(body) : {};
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ id: 'x', model, choices: [], usage }));
  });
  upstream.url = `${url}/v1`;
  return upstream;
}

/** An endpoint that keeps the JSON posted to it. */
async function hook(t, status = 204) {
  const got = [];
  const url = await listen(t, (request, body, response) => {
    got.push({ method: request.method, target: request.url, type: request.headers['content-type'], value: JSON.parse(body) });
    response.writeHead(status).end();
  });
  return { got, url: `${url}/alerts?key=1` };
}

async function call(proxy, method, target, value) {
  const body = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const answer = await proxy.request(method, target, { fields: [JSON_TYPE], body });
  return { status: answer.status, text: answer.text, value: answer.text && JSON.parse(answer.text) };
}

async function must(proxy, method, target, value) {
  const answer = await call(proxy, method, target, value);
  assert.equal(answer.status, 200, answer.text);
  return answer.value;
}

/** A request for `priced` costs a dollar and 100 tokens, for any other model nothing is known. */
const ask = (proxy, model = 'priced', run, endpoint = CHAT) =>
  proxy.request('POST', endpoint, {
    fields: [JSON_TYPE, ...(run ? [['X-LLM-Observe-Run', run]] : [])],
    body: JSON.stringify({ model, messages: [] }),
  });

async function lab(t, options = {}) {
  const upstream = await counting(t);
  const proxy = await start(t, { upstream, ...options });
  await must(proxy, 'POST', '/admin/api/providers', {
    slug: 'lab', name: 'Lab', upstream_url: upstream.url,
  }); // prettier-ignore
  await must(proxy, 'POST', '/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'priced',
    input_usd_per_million: 10000, output_usd_per_million: 10000,
  }); // prettier-ignore
  return { proxy, upstream };
}

const settle = (proxy, count) =>
  until(
    async () => (await proxy.rows()).filter((row) => row.completed_at).length >= count,
    `${count} stored requests`,
  );

/** A row may be seen a moment before the limit that it passed is in force. */
const used = (proxy, scope) =>
  until(
    () => new RegExp(`scope=${scope} .*percent=100 `).test(proxy.child.err),
    `a ${scope} that is used up`,
  );

const alerts = async (proxy, query = '') => (await proxy.api(`/api/alerts${query}`)).items;
const brief = (list) =>
  list.map((a) => `${a.scope} ${a.kind} ${a.threshold_percent}/${a.limit}`).reverse();
const budget = async (proxy, scope, key) =>
  (await proxy.api('/api/budgets')).items.find(
    (item) => item.scope === scope && (key === undefined || item.scope_key === String(key)),
  );
const set = (proxy, fields) => must(proxy, 'PATCH', '/api/budgets', fields);
const begin = async (proxy, fields) => (await must(proxy, 'POST', '/api/runs/start', fields)).run;

test('a run raises one alert for each threshold and shows how far its budget is used', async (t) => {
  const { proxy } = await lab(t);
  const run = await begin(proxy, { name: 'bench', budget_usd: 4, budget_tokens: '300' });
  assert.equal(run.budget_usd, 4);
  assert.equal(run.budget_tokens, 300);
  assert.equal(run.budget_action, 'alert');
  assert.deepEqual(run.budget_thresholds, [50, 80, 100]);
  assert.equal(run.budget.state, 'ok');
  assert.equal(run.budget.spent_usd, 0);

  for (let i = 1; i <= 5; i++) {
    assert.equal((await ask(proxy)).status, 200);
    await settle(proxy, i);
  }
  await ask(proxy, 'unheard-of');
  await settle(proxy, 6);
  const list = await alerts(proxy);
  assert.deepEqual(brief(list).sort(), [
    'run tokens 100/300', 'run tokens 50/300', 'run tokens 80/300',
    'run usd 100/4', 'run usd 50/4', 'run usd 80/4',
  ]); // prettier-ignore
  const half = list.find((a) => a.kind === 'usd' && a.threshold_percent === 50);
  assert.equal(half.spent, 2);
  assert.equal(half.scope_key, String(run.id));
  assert.equal(half.acknowledged_at, null);
  assert.match(half.created_at, /^\d{4}-.*Z$/);

  const shown = (await proxy.api(`/api/runs/${run.id}`)).run;
  assert.deepEqual(shown.budget, {
    spent_usd: 5, spent_display: '$5.00', spent_tokens: 600, used_percent: 200,
    state: 'exceeded', blocking: false, unpriced_request_count: 1,
  }); // prettier-ignore
  assert.equal((await proxy.api('/api/runs')).items[0].budget.spent_usd, 5);
  assert.equal((await ask(proxy)).status, 200, 'an alert stops nothing');
  await until(
    () => /scope=run key=1 kind=usd percent=50 spent=2 limit=4/.test(proxy.child.err),
    'a line in the log',
  );
});

test('a run that blocks refuses what comes after its limit, and records that', async (t) => {
  const { proxy, upstream } = await lab(t);
  const run = await begin(proxy, { name: 'strict', budget_usd: '2', budget_action: 'block' });
  await ask(proxy);
  await ask(proxy);
  await settle(proxy, 2);
  await used(proxy, 'run');
  const refused = await ask(proxy);
  assert.equal(refused.status, 402);
  assert.equal(refused.field('x-llm-observe-budget'), 'exceeded');
  const { error } = JSON.parse(refused.text);
  assert.deepEqual(Object.keys(error), ['message', 'type', 'code', 'param']);
  assert.equal(error.type, 'budget_exceeded');
  assert.equal(error.code, 'budget_exceeded');
  assert.equal(error.param, null);
  assert.match(error.message, /run strict/);
  const claude = await ask(proxy, 'priced', undefined, '/v1/messages');
  assert.equal(claude.status, 402);
  assert.equal(JSON.parse(claude.text).type, 'error');
  assert.equal(upstream.hits, 2);

  await settle(proxy, 4);
  const [, third] = await proxy.rows();
  assert.equal(third.status, 402);
  assert.equal(third.task_run.id, run.id);
  const detail = await proxy.detail(third.id);
  assert.match(detail.record.response_headers_json, /"x-llm-observe-budget":"exceeded"/);
  assert.equal((await proxy.api(`/api/runs/${run.id}`)).run.budget.spent_usd, 2);
  assert.equal((await proxy.api(`/api/runs/${run.id}`)).run.budget.unpriced_request_count, 0);

  await set(proxy, { budget_block_status: 429 });
  assert.equal((await ask(proxy)).status, 429);
  const raised = await must(proxy, 'PATCH', `/api/runs/${run.id}`, { budget_usd: 5, name: 'loose' });
  assert.equal(raised.run.name, 'loose');
  assert.equal(raised.run.budget.blocking, false);
  assert.equal((await ask(proxy)).status, 200);
  await must(proxy, 'PATCH', `/admin/api/runs/${run.id}`, { budget_usd: 1 });
  assert.equal((await ask(proxy)).status, 429, 'a lowered limit is in force at once');
  await must(proxy, 'PATCH', `/admin/api/runs/${run.id}`, { budget_usd: null });
  assert.equal((await ask(proxy)).status, 200);
  await must(proxy, 'PATCH', `/admin/api/runs/${run.id}`, { budget_usd: 1 });
  await must(proxy, 'POST', '/api/runs/end');
  assert.equal((await ask(proxy)).status, 200, 'it is about that run only');
});

test('of several open runs only the one that is used up is closed', async (t) => {
  const { proxy } = await lab(t);
  const active = await begin(proxy, { name: 'active', budget_tokens: 1000, budget_action: 'block' });
  await ask(proxy, 'priced', 'named');
  await settle(proxy, 1);
  const named = (await proxy.api('/api/runs')).items.find((run) => run.name === 'named');
  await must(proxy, 'PATCH', `/api/runs/${named.id}`, { budget_tokens: 200, budget_action: 'block' });
  assert.deepEqual(brief(await alerts(proxy)), ['run tokens 50/200']);
  await ask(proxy, 'priced', 'named');
  await settle(proxy, 2);
  await used(proxy, 'run');
  assert.equal((await ask(proxy, 'priced', 'named')).status, 402);
  assert.equal((await ask(proxy)).status, 200);
  assert.equal((await ask(proxy, 'priced', 'another')).status, 200);
  await settle(proxy, 5);
  assert.equal((await budget(proxy, 'run', active.id)).spent_tokens, 100);
});

test('days, months and providers have budgets of their own', async (t) => {
  const { proxy, upstream } = await lab(t);
  const day = new Date().toISOString().slice(0, 10);
  await set(proxy, {
    budget_day_usd: 10, budget_month_usd: '3.5', budget_month_thresholds: [100, 30, 100],
    budget_provider_lab_tokens: 300, budget_provider_lab_action: 'block',
  }); // prettier-ignore
  for (let i = 0; i < 2; i++) await ask(proxy);
  await settle(proxy, 2);
  assert.deepEqual(brief(await alerts(proxy)).sort(), ['month usd 30/3.5', 'provider tokens 50/300']);
  assert.deepEqual((await budget(proxy, 'month')).budget_thresholds, [30, 100]);
  assert.equal((await budget(proxy, 'month')).scope_key, day.slice(0, 7));
  assert.equal((await budget(proxy, 'day', day)).spent_usd, 2);
  await ask(proxy);
  await settle(proxy, 3);
  await used(proxy, 'provider');
  assert.equal((await ask(proxy)).status, 402, 'the upstream is the provider without a route too');

  await must(proxy, 'POST', '/admin/api/routes', {
    model: 'elsewhere', upstream_url: `http://localhost:${new URL(upstream.url).port}/v1`,
  }); // prettier-ignore
  await must(proxy, 'POST', '/admin/api/routes', {
    model: 'routed', upstream_url: `http://localhost:${new URL(upstream.url).port}/v1`,
    provider_slug: 'lab',
  }); // prettier-ignore
  assert.equal((await ask(proxy, 'elsewhere')).status, 200);
  assert.equal((await ask(proxy, 'routed')).status, 402);

  await set(proxy, { budget_day_usd: 3, budget_day_action: 'block' });
  assert.equal((await ask(proxy, 'elsewhere')).status, 402);
  await set(proxy, { budget_day_usd: null, budget_provider_lab_tokens: null });
  assert.equal((await ask(proxy)).status, 200);
  assert.equal((await proxy.request('DELETE', '/admin/api/providers/lab')).status, 200);
  assert.deepEqual(proxy.sql("select key from app_settings where key like 'budget_provider%'"), []);
});

test('of several upstreams those whose provider may not spend are passed over', async (t) => {
  const { proxy, upstream } = await lab(t);
  const other = await counting(t);
  const members = [{ upstream_url: upstream.url, provider_slug: 'lab' }, { upstream_url: other.url }];
  await must(proxy, 'POST', '/admin/api/routes', { model: 'priced', upstreams: members });
  await must(proxy, 'POST', '/admin/api/routes', { model: 'only', upstreams: [members[0]] });
  await set(proxy, { budget_provider_lab_tokens: 100, budget_provider_lab_action: 'block' });
  assert.equal((await ask(proxy)).status, 200);
  await settle(proxy, 1);
  await used(proxy, 'provider');

  for (let i = 0; i < 3; i++) assert.equal((await ask(proxy)).status, 200);
  assert.deepEqual([upstream.hits, other.hits], [1, 3]);
  const refused = await ask(proxy, 'only');
  assert.equal(refused.status, 402);
  assert.equal(refused.field('x-llm-observe-budget'), 'exceeded');
});

test('a hundred requests at once that pass every threshold raise each alert once', async (t) => {
  const { proxy } = await lab(t, { args: ['--workers', '2'] });
  const post = await hook(t);
  await begin(proxy, { name: 'crowd', budget_usd: 60, budget_thresholds: [10, 50, 90, 100] });
  await set(proxy, { budget_day_usd: 50, budget_webhook_url: post.url });
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(proxy)));
  assert(answers.every((answer) => answer.status === 200));
  await settle(proxy, 100);
  const wanted = [
    'day usd 100/50', 'day usd 50/50', 'day usd 80/50',
    'run usd 10/60', 'run usd 100/60', 'run usd 50/60', 'run usd 90/60',
  ]; // prettier-ignore
  assert.deepEqual(brief(await alerts(proxy)).sort(), wanted);
  assert.equal((await budget(proxy, 'day')).spent_usd, 100);
  await until(() => post.got.length >= wanted.length, 'a post for each alert');
  assert.deepEqual(brief(post.got.map((p) => p.value)).sort(), wanted);
  assert.equal(post.got[0].method, 'POST');
  assert.match(post.got[0].type, /^application\/json/);
  const [last] = await alerts(proxy, '?limit=1');
  assert.deepEqual(post.got.find((p) => p.value.id === last.id).value, last);
});

test('a webhook that hangs or refuses delays no request and no stop', async (t) => {
  const { proxy } = await lab(t);
  let waiting = 0;
  const url = await listen(t, () => waiting++);
  await set(proxy, { budget_day_usd: 1, budget_webhook_url: url });
  await ask(proxy);
  await until(() => waiting === 1, 'the first post');
  assert.equal((await ask(proxy)).status, 200);
  await settle(proxy, 2);
  const { ms } = await proxy.stop();
  assert(ms < 4000, `stopped after ${ms} ms`);
  await proxy.restart();
  const refusing = await hook(t, 500);
  await set(proxy, { budget_webhook_url: refusing.url, budget_day_usd: 3 });
  const { budget_webhook_url: shown } = await proxy.api('/api/budgets');
  assert.equal(shown, refusing.url.replace('key=1', 'key=***'), 'its secrets are not shown');
  await set(proxy, { budget_webhook_url: shown });
  await ask(proxy);
  await until(() => /the webhook refused an alert status=500/.test(proxy.child.err), 'a warning');
  await until(() => refusing.got.length === 2, 'posts for 80 and 100 %');
  assert.deepEqual(refusing.got.map((p) => p.value.threshold_percent), [80, 100], 'one try');
  assert.equal(refusing.got[0].target, '/alerts?key=1', 'sending back what is shown changes nothing');
});

test('another limit arms the thresholds that are not reached under it, and no others', async (t) => {
  const { proxy } = await lab(t);
  await set(proxy, { budget_day_usd: 10 });
  for (let i = 0; i < 6; i++) await ask(proxy);
  await settle(proxy, 6);
  assert.deepEqual(brief(await alerts(proxy)), ['day usd 50/10']);
  await set(proxy, { budget_day_usd: 12 }); /* 6 of 12: 50 % is still reached */
  await set(proxy, { budget_day_usd: 14 }); /* 6 of 14: it is not */
  await ask(proxy);
  await settle(proxy, 7);
  assert.deepEqual(brief(await alerts(proxy)), ['day usd 50/10', 'day usd 50/14']);
  await set(proxy, { budget_day_usd: 7 }); /* all of them, of which 50 % was said */
  assert.deepEqual(brief(await alerts(proxy)).slice(2), ['day usd 80/7', 'day usd 100/7']);
  await set(proxy, { budget_day_usd: 7, budget_day_action: 'block' });
  await set(proxy, { budget_day_usd: 14 });
  await set(proxy, { budget_day_usd: 7 });
  assert.equal((await alerts(proxy)).length, 4, 'one alert for each threshold and limit');
  await set(proxy, { budget_day_thresholds: [60] });
  assert.deepEqual(brief(await alerts(proxy)).slice(4), ['day usd 60/7']);
});

test('what was spent survives a restart and the trimming of its requests', async (t) => {
  const { proxy } = await lab(t);
  await set(proxy, { budget_month_usd: 2, budget_month_action: 'block' });
  const run = await begin(proxy, { name: 'kept', budget_usd: 2 });
  await ask(proxy);
  await ask(proxy);
  await settle(proxy, 2);
  await used(proxy, 'month');
  assert.equal((await ask(proxy)).status, 402);
  await settle(proxy, 3);
  const before = await alerts(proxy);
  await proxy.stop();
  await proxy.restart();
  assert.equal((await ask(proxy)).status, 402, 'from the first request on');
  assert.deepEqual(await alerts(proxy), before);
  await proxy.stop();
  spawnSync('sqlite3', [proxy.database, 'UPDATE requests SET created_us = 1000000']);
  await proxy.restart();
  const trimmed = await must(proxy, 'POST', '/admin/api/settings/trim', { days: 30, confirm: true });
  assert.equal(trimmed.deleted, 4);
  assert.equal((await budget(proxy, 'month')).spent_usd, 2);
  assert.equal((await budget(proxy, 'run', run.id)).spent_usd, 2);
  assert.equal((await ask(proxy)).status, 402);
});

test('requests that are priced later count from then on', async (t) => {
  const { proxy } = await lab(t);
  await set(proxy, { budget_day_usd: 2, budget_day_action: 'block' });
  const run = await begin(proxy, { name: 'r' });
  await ask(proxy, 'late');
  await ask(proxy, 'late');
  await settle(proxy, 2);
  assert.equal((await budget(proxy, 'day')).unpriced_request_count, 2);
  assert.equal((await budget(proxy, 'day')).spent_usd, 0);
  await must(proxy, 'POST', '/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'late', input_usd_per_million: 10000, output_usd_per_million: 10000,
  }); // prettier-ignore
  await must(proxy, 'POST', '/admin/api/pricing/backfill', { kind: 'missing' });
  assert.equal((await budget(proxy, 'day')).unpriced_request_count, 0);
  assert.equal((await budget(proxy, 'day')).spent_usd, 2);
  assert.equal((await budget(proxy, 'day')).spent_tokens, 200, 'tokens are counted once');
  const { stats } = await proxy.api(`/api/runs/${run.id}/stats`);
  assert.equal(stats.cost_usd, 2);
  assert.equal(stats.unpriced_request_count, 0);
  assert.equal(stats.request_count, 2);
  assert.deepEqual(brief(await alerts(proxy)), ['day usd 50/2', 'day usd 80/2', 'day usd 100/2']);
  assert.equal((await ask(proxy, 'late')).status, 402);
});

test('alerts are paged, acknowledged one by one or all, and shown where one looks', async (t) => {
  const { proxy } = await lab(t);
  await set(proxy, { budget_day_usd: 1, budget_day_thresholds: '10, 20,30' });
  await ask(proxy);
  await settle(proxy, 1);
  const page = await proxy.api('/api/alerts?limit=2');
  assert.equal(page.unacknowledged_count, 3);
  assert.deepEqual(page.items.map((a) => a.id), [3, 2]);
  assert.deepEqual((await alerts(proxy, '?before_id=2')).map((a) => a.id), [1]);
  for (const path of ['/api/live', '/api/status']) {
    const shown = await proxy.api(path);
    assert.equal(shown.alerts.unacknowledged_count, 3);
    assert.equal(shown.alerts.items[0].threshold_percent, 30);
    assert.equal(shown.budgets[0].scope, 'day');
    assert.equal(shown.budgets[0].state, 'exceeded');
  }
  const first = (await must(proxy, 'POST', '/api/alerts/2/acknowledge')).alert;
  assert.notEqual(first.acknowledged_at, null);
  const again = (await must(proxy, 'POST', '/admin/api/alerts/2/acknowledge')).alert;
  assert.equal(again.acknowledged_at, first.acknowledged_at);
  assert.deepEqual((await alerts(proxy, '?unacknowledged=1')).map((a) => a.id), [3, 1]);
  assert.deepEqual(await must(proxy, 'POST', '/api/alerts/acknowledge'), { acknowledged: 2 });
  assert.equal((await proxy.api('/admin/api/alerts')).unacknowledged_count, 0);
  for (const id of [0, -1, 99, '9223372036854775807'])
    assert.equal((await call(proxy, 'POST', `/api/alerts/${id}/acknowledge`)).status, 404);
  assert.equal((await call(proxy, 'POST', '/api/alerts/x/acknowledge')).status, 422);
  assert.equal((await proxy.get('/api/alerts?limit=0')).status, 422);
  const metrics = (await proxy.get('/metrics')).text;
  assert.match(metrics, /llm_observe_budget_limit\{scope="day",key="[\d-]+",kind="usd"\} 1\n/);
  assert.match(metrics, /llm_observe_budget_spent\{scope="day",key="[\d-]+",kind="usd"\} 1\n/);
});

test('what is no budget is refused, and changes nothing', async (t) => {
  const { proxy } = await lab(t);
  const run = await begin(proxy, { name: 'one', budget_usd: '0.000000000001' });
  assert.equal(run.budget_usd, 1e-12);
  const before = [await proxy.api('/api/budgets'), await proxy.api('/api/runs')].map((o) => JSON.stringify(o.items.map((i) => i.budget_usd)));
  const deep = '['.repeat(5000) + ']'.repeat(5000);
  const amounts = ['"NaN"', '"inf"', '-1', '0', '"-0.5"', '1e400', '1e30', '"1,5"', '"0x10"', 'true', '{}', '[]', '[1]', deep];
  const tokens = ['-1', '0', '1.5', '1e400', '"many"', '9007199254740993', 'true', '{}', '[5]'];
  const actions = ['"stop"', '1', 'true', '[]', '{"block":1}'];
  const lists = ['[0]', '[-5]', '[1001]', '[50.5]', '["50"]', '[null]', '"50;80"', '"[1,"', '{}', '7', 'true', `[${Array.from({ length: 21 }, (_, i) => i + 1)}]`, '[[50]]', deep];
  const cases = [['usd', amounts], ['tokens', tokens], ['action', actions], ['thresholds', lists]];
  for (const [field, values] of cases) {
    for (const value of values) {
      const bodies = [
        ['POST', '/api/runs/start', `{"name":"x","budget_${field}":${value}}`],
        ['PATCH', `/api/runs/${run.id}`, `{"budget_${field}":${value}}`],
        ['PATCH', '/api/budgets', `{"budget_month_usd":7,"budget_day_${field}":${value}}`],
        ['PATCH', '/api/budgets', `{"budget_provider_lab_${field}":${value}}`],
      ];
      for (const [method, target, body] of bodies) {
        const answer = await call(proxy, method, target, body);
        assert([400, 422].includes(answer.status), `${method} ${target} ${body.slice(0, 80)}: ${answer.status}`);
        assert.equal(typeof (answer.value.detail), answer.status === 400 ? 'string' : 'object');
      }
    }
  }
  const wrong = [
    { budget_week_usd: 1 }, { budget_provider_nobody_usd: 1 }, { budget_provider__usd: 1 }, { usd: 1 },
    { budget_block_status: 500 }, { budget_block_status: [] }, { budget_webhook_url: 5 },
    { budget_webhook_url: 'ftp://x/' }, { budget_webhook_url: 'not a url' },
    { budget_webhook_url: 'file:///etc/passwd' }, { budget_webhook_url: `http://x/${'y'.repeat(2048)}` },
  ]; // prettier-ignore
  for (const fields of wrong)
    assert.equal((await call(proxy, 'PATCH', '/api/budgets', fields)).status, 400, JSON.stringify(fields));
  const many = `{${'"budget_day_usd":1,'.repeat(1000)}"budget_day_usd":1}`;
  assert.equal((await call(proxy, 'PATCH', '/api/budgets', many)).status, 400);
  for (const body of ['[]', '5', '"x"']) assert.equal((await call(proxy, 'PATCH', '/api/budgets', body)).status, 422);
  assert.equal((await call(proxy, 'PATCH', '/api/runs/77', { name: 'x' })).status, 404);
  for (const name of ['', ' ', null, [], 'x'.repeat(257)])
    assert.equal((await call(proxy, 'PATCH', `/api/runs/${run.id}`, { name })).status, 400);
  const after = [await proxy.api('/api/budgets'), await proxy.api('/api/runs')].map((o) => JSON.stringify(o.items.map((i) => i.budget_usd)));
  assert.deepEqual(after, before);
  const edited = (await must(proxy, 'PATCH', `/api/runs/${run.id}`, { notes: ' why ' })).run;
  assert.equal(edited.notes, 'why');
  assert.equal(edited.name, 'one');
  assert.equal((await must(proxy, 'PATCH', `/api/runs/${run.id}`, { notes: null })).run.notes, null);
});
