/* What the pages of /admin read and save: settings, routes, providers, prices, storage. Tables of
 * calls and of what they answer; routing and prices have suites of their own for what they mean. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folder, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = ['Content-Type', 'application/json'];
const FORM_TYPE = ['Content-Type', 'application/x-www-form-urlencoded'];
const CHAT = '/v1/chat/completions';

/** One call with a JSON body; gives status, value and the answer itself. */
async function call(proxy, method, target, value, fields = []) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const answer = await proxy.request(method, target, { fields: [JSON_TYPE, ...fields], body });
  return { status: answer.status, value: JSON.parse(answer.body.toString()), answer };
}

async function must(proxy, method, target, value, fields) {
  const answer = await call(proxy, method, target, value, fields);
  assert.equal(answer.status, 200, JSON.stringify(answer.value));
  return answer.value;
}

const chat = (proxy, model) =>
  proxy.request('POST', CHAT, {
    fields: [JSON_TYPE],
    body: JSON.stringify({ model, messages: [] }),
  });

const ROUTE = { model: 'm', upstream_url: 'http://one.test/v1' };
const PRICE = { provider_slug: 'openai', model: 'tiny', input_usd_per_million: 1, output_usd_per_million: 2 }; // prettier-ignore
const TIER = { input_usd_per_million: 1, output_usd_per_million: 2, max_input_tokens: 10 };

/* ---- edits of the same row ---- */

/** What can be edited: how one is made, where it is read, where and how it is saved. */
const EDITED = [
  ['route', async (proxy) => {
    const { id } = await must(proxy, 'POST', '/admin/api/routes', ROUTE);
    return { read: `/admin/api/routes/${id}`, save: `/admin/api/routes/${id}`, value: ROUTE };
  }],
  ['provider', async (proxy) => {
    const value = { slug: 'lab', name: 'Lab' };
    await must(proxy, 'POST', '/admin/api/providers', value);
    return { read: '/admin/api/providers/lab', save: '/admin/api/providers/lab', value };
  }],
  ['price', async (proxy) => {
    const { id } = await must(proxy, 'POST', '/admin/api/pricing/prices', PRICE);
    const target = `/admin/api/pricing/prices/${id}`;
    return { read: target, save: target, value: PRICE };
  }],
  ['tier', async (proxy) => {
    const { id } = await must(proxy, 'POST', '/admin/api/pricing/prices', PRICE);
    const read = `/admin/api/pricing/prices/${id}`;
    const { tiers } = await must(proxy, 'POST', `${read}/tiers`, TIER);
    return { read, save: `/admin/api/pricing/tiers/${tiers[0].id}`, value: TIER };
  }],
]; // prettier-ignore

test('an edit of what somebody else changed in between is refused', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  for (const [what, make] of EDITED) {
    const { read, save, value } = await make(proxy);
    const seen = await call(proxy, 'GET', read);
    const { updated_at } = seen.value;
    const tag = seen.answer.field('etag');
    assert.equal(tag, `"${updated_at}"`, what);
    await must(proxy, 'PUT', save, { ...value, updated_at });
    const now = await must(proxy, 'GET', read);
    assert.ok(now.updated_at > updated_at, what);
    for (const [body, fields] of [
      [{ ...value, updated_at }, []],
      [value, [['If-Match', tag]]],
      [value, [['If-Match', '"x", W/"y"']]],
    ]) {
      const late = await call(proxy, 'PUT', save, body, fields);
      assert.equal(late.status, 409, `${what} ${JSON.stringify(late.value)}`);
      assert.match(late.value.detail, /was changed at .* nothing was saved/);
      assert.ok(late.value.detail.includes(now.updated_at), late.value.detail);
    }
    assert.equal((await call(proxy, 'PUT', save, { ...value, updated_at: 5 })).status, 400, what);
    assert.deepEqual(await must(proxy, 'GET', read), now, what);
    const gone = await call(proxy, 'DELETE', save, undefined, [['If-Match', tag]]);
    assert.equal(gone.status, 409, what);
    await must(proxy, 'PUT', save, value, [['If-Match', `"z", "${now.updated_at}"`]]);
    await must(proxy, 'PUT', save, value, [['If-Match', '*']]);
    await must(proxy, 'PUT', save, { ...value, updated_at: null });
    await must(proxy, 'DELETE', save, undefined);
    if (what !== 'tier') assert.equal((await call(proxy, 'GET', read)).status, 404, what);
  }
  const gone = await call(proxy, 'PUT', '/admin/api/providers/lab', {
    name: 'Lab', updated_at: '2031-01-01T00:00:00.000000Z',
  }); // prettier-ignore
  assert.equal(gone.status, 409);
  assert.match(gone.value.detail, /was deleted/);
  const copy = { slug: 'copy', name: 'Copy', updated_at: '2031-01-01T00:00:00.000000Z' };
  await must(proxy, 'POST', '/admin/api/providers', copy);
  assert.equal((await call(proxy, 'POST', '/admin/api/providers', copy)).status, 409);
});

test('a provider that becomes the fallback has changed', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const target = '/admin/api/providers/lab';
  const lab = await must(proxy, 'PUT', target, { name: 'Lab', base_url: upstream.url });
  await must(proxy, 'POST', '/admin/api/settings/upstream-defaults', {
    upstream_url: upstream.url, default_provider_slug: 'lab',
  }); // prettier-ignore
  assert.equal((await call(proxy, 'PUT', target, lab)).status, 409);
  const now = await must(proxy, 'GET', target);
  assert.equal(now.is_default_fallback, true);
  assert.equal((await must(proxy, 'PUT', target, now)).is_default_fallback, true);
});

test('edits at once leave one of them whole, never a mixture', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t), args: ['--workers', '4'] });
  const { id, updated_at } = await must(proxy, 'POST', '/admin/api/routes', ROUTE);
  const target = `/admin/api/routes/${id}`;
  const version = (n) => ({
    model: `m${n}`, upstream_url: `http://h${n}.test/v1`, upstream_model: `u${n}`, priority: n,
    api_key_env: `K${n}`,
  }); // prettier-ignore
  const all = Array.from({ length: 24 }, (_, n) => n + 1);
  const saved = await Promise.all(all.map((n) => call(proxy, 'PUT', target, version(n))));
  assert.ok(saved.every(({ status }) => status === 200));
  const row = await must(proxy, 'GET', target);
  const n = row.priority;
  assert.deepEqual(
    [row.incoming_model, row.upstream_url, row.upstream_model, row.api_key_env],
    [`m${n}`, `http://h${n}.test/v1`, `u${n}`, `K${n}`],
  );
  assert.ok(row.updated_at > updated_at);
  const once = { updated_at: row.updated_at };
  const raced = await Promise.all(
    all.map((k) => call(proxy, 'PUT', target, { ...version(k), ...once })),
  );
  assert.equal(raced.filter(({ status }) => status === 200).length, 1, 'one of them was in time');
  assert.equal(raced.filter(({ status }) => status === 409).length, all.length - 1);
});

/* ---- lists ---- */

test('routes of the startup configuration are listed first when asked for', async (t) => {
  const file = path.join(folder(t), 'models.json');
  writeFileSync(
    file,
    JSON.stringify([
      { model: 'house', upstream_url: 'http://one.test/v1', api_key: 'sk-secret' },
      { model: 'other', upstream_url: 'http://one.test/v1', api_key_env: 'LOP_TEST_NO_KEY' },
    ]),
  );
  const proxy = await start(t, { upstream: await scripted(t), args: ['--models-file', file] });
  await must(proxy, 'POST', '/admin/api/routes', { ...ROUTE, priority: 1 });
  const plain = await must(proxy, 'GET', '/admin/api/routes?search=one.test');
  assert.deepEqual(plain.items.map((r) => [r.incoming_model, r.source]), [['m', 'ui']]);
  const all = await must(proxy, 'GET', '/admin/api/routes?include_startup=1&search=one.test');
  assert.deepEqual(
    all.items.map((r) => [r.incoming_model, r.source, r.api_key_state, typeof r.id]),
    [
      ['house', 'startup', 'configured', 'object'],
      ['other', 'startup', 'missing', 'object'],
      ['m', 'ui', 'not configured', 'number'],
    ],
  );
  assert.ok(!JSON.stringify(all).includes('sk-secret'));
  assert.equal(all.items[0].updated_at, null);
  assert.equal((await call(proxy, 'GET', '/admin/api/routes?include_startup=x')).status, 422);
});

test('recent models say how often they were used and where they would go', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  await must(proxy, 'POST', '/admin/api/routes', {
    model: 'routed', upstream_url: upstream.url, upstream_model: 'other',
  }); // prettier-ignore
  for (const model of ['routed', 'plain', 'plain', 'routed', 'routed']) await chat(proxy, model);
  await until(async () => (await proxy.rows()).filter((r) => r.completed_at).length === 5, 'rows');

  const target = '/admin/api/routes/recent-models';
  const { days, items } = await must(proxy, 'GET', target);
  assert.equal(days, 30);
  assert.deepEqual(
    items.map((m) => [m.model, m.requests, m.status, m.matched_route, m.upstream_model]),
    [
      ['routed', 3, 'matched', 'routed', 'other'],
      ['plain', 2, 'no_match', null, null],
    ],
  );
  assert.match(items[0].last_used_at, /^\d{4}-.*\.\d{6}Z$/);
  assert.equal((await must(proxy, 'GET', `${target}?limit=1&days=1`)).items.length, 1);
  for (const query of ['days=0', 'days=3651', 'limit=0', 'limit=101', 'limit=x', 'days='])
    assert.equal((await call(proxy, 'GET', `${target}?${query}`)).status, 422, query);

  const used = (since) =>
    must(proxy, 'GET', `/admin/api/routes/usage?since=${encodeURIComponent(since)}`);
  assert.deepEqual((await used('2001-01-01T00:00:00+02:00')).map((r) => [r.route, r.requests_today]), [
    ['routed', 3],
  ]); // prettier-ignore
  assert.deepEqual(await used('2099-01-01'), []);
  assert.equal((await must(proxy, 'GET', '/admin/api/routes/usage')).length, 1);
  for (const since of ['x', '2001-13-01', '9'.repeat(400)])
    assert.equal((await call(proxy, 'GET', `/admin/api/routes/usage?since=${since}`)).status, 422);
});

/* ---- settings ---- */

test('the summary tells what is saved and what is in force', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const first = await must(proxy, 'GET', '/admin/api/settings/summary');
  assert.deepEqual(first.listener, {
    host: 'localhost', port: 0, expose_all_ips: false, overridden_by: null,
    bound: { host: 'localhost', port: proxy.port, url: `http://localhost:${proxy.port}` },
  }); // prettier-ignore
  assert.equal(first.database_path, proxy.database);
  assert.match(first.version, /^\d+\.\d+\.\d+/);
  assert.equal(first.upstream.fallback_enabled, true);
  const saved = await must(proxy, 'POST', '/admin/api/settings/listener', {
    port: '8123', expose_all_ips: 'on',
  }); // prettier-ignore
  assert.deepEqual(
    [saved.listener.host, saved.listener.port, saved.listener.expose_all_ips, saved.client_base_url],
    ['0.0.0.0', 8123, true, 'http://localhost:8123/v1'],
  );
  assert.equal(saved.listener.overridden_by, 'flag', 'the port was given as a flag');
  assert.equal(saved.listener.bound.port, proxy.port);
});

test('fixes that are saved are in force, also none of them', async (t) => {
  const id = 'qwen-tagged-tool-call-rewrite';
  const target = '/admin/api/settings/compat-fixes';
  const proxy = await start(t, {
    upstream: await scripted(t),
    env: { LLM_OBSERVE_DEFAULT_FIXES_JSON: `["${id}"]` },
  });
  const seen = async () => {
    const { compatibility_fixes, source } = await must(proxy, 'GET', target);
    return [compatibility_fixes, source];
  };
  const other = await start(t, { upstream: await scripted(t) });
  const { available, ...none } = await must(other, 'GET', target);
  assert.deepEqual(none, { compatibility_fixes: [], source: 'default' });
  assert.deepEqual(
    available.map((fix) => fix.id),
    [id, 'reasoning-tags-to-reasoning-content', 'tool-arguments-json-repair'],
  );
  assert.ok(available.every((fix) => fix.description && fix.risk_note));
  assert.deepEqual(await seen(), [[id], 'startup']);
  await must(proxy, 'POST', target, { fixes: [] });
  assert.deepEqual(await seen(), [[], 'saved']);
  await must(proxy, 'POST', target, { fix_ids: `\n ${id} ,` });
  assert.deepEqual(await seen(), [[id], 'saved']);
});

/* ---- health and tests ---- */

test('the last health checks are kept, also by the next start', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/v1/models', (turn) => turn.json({ data: [] }));
  const proxy = await start(t, { upstream });
  const last = async (slug) =>
    (await must(proxy, 'GET', '/admin/api/providers/health')).find((h) => h.provider_slug === slug);
  await must(proxy, 'PUT', '/admin/api/providers/lab', { name: 'Lab', base_url: upstream.url });
  assert.deepEqual(await last('lab'), {
    provider_slug: 'lab', status: null, latency_ms: null, auth_state: null, message: null,
    checked_at: null, provider_name: 'Lab', active: true,
  }); // prettier-ignore
  const checked = await must(proxy, 'POST', '/admin/api/providers/lab/test');
  assert.deepEqual(await last('lab'), { ...checked, provider_name: 'Lab', active: true });
  upstream.script('/v1/models', (turn) => turn.answer(500, [], '{}'));
  const worse = await must(proxy, 'POST', '/admin/api/providers/lab/test');
  assert.deepEqual([worse.status, (await last('lab')).message], ['warning', 'HTTP 500']);
  await proxy.stop();
  await proxy.restart();
  assert.deepEqual(await last('lab'), { ...worse, provider_name: 'Lab', active: true });
  await must(proxy, 'DELETE', '/admin/api/providers/lab');
  assert.equal(await last('lab'), undefined);
});

test('an upstream can be tested with each kind of message', async (t) => {
  const upstream = await scripted(t);
  const said = Buffer.from(JSON.stringify({ text: '<b>ü' }));
  upstream.script(CHAT, (turn) => turn.answer(200, [JSON_TYPE], said));
  const proxy = await start(t, { upstream });
  const target = '/admin/api/diagnostics/test-upstream';
  await must(proxy, 'POST', '/admin/api/routes', {
    model: 'routed', upstream_url: upstream.url, upstream_model: 'other',
  }); // prettier-ignore
  for (const [kind, what] of [['simple', 'hello'], ['image', 'image_url'], ['tools', 'get_weather']]) {
    const done = await must(proxy, 'POST', target, { kind, model: 'routed', prompt: 'hello' });
    const { status_code, model_route, upstream_model, ok, content_type, url } = done;
    assert.deepEqual([done.kind, status_code, ok], [kind, 200, true]);
    assert.deepEqual([model_route, upstream_model, content_type], ['routed', 'other', 'application/json']);
    assert.equal(url, `${upstream.url}/chat/completions`);
    assert.ok(upstream.requests.at(-1).body.toString().includes(what), kind);
  }
  const plain = await must(proxy, 'POST', target, {});
  assert.deepEqual([plain.kind, plain.model_route], ['simple', null]);
  assert.equal(JSON.parse(upstream.requests.at(-1).body).model, 'gpt-test');
  assert.equal((await call(proxy, 'POST', target, { kind: 'x' })).status, 400);

  const page = await form(proxy, '/admin/settings/test-upstream', { test_kind: 'simple' });
  assert.equal(page.status, 200);
  assert.match(page.field('content-type'), /^text\/html/);
  assert.match(page.text, /global fallback[^]*&lt;b&gt;ü/);
  assert.ok(!page.text.includes('<b>'));
  assert.equal(proxy.sql('SELECT count(*) AS n FROM requests')[0]?.n ?? 0, 0, 'nothing is captured');
});

/* ---- forms ---- */

async function form(proxy, target, fields, more = []) {
  const body = new URLSearchParams(fields).toString();
  const answer = await proxy.request('POST', target, { fields: [FORM_TYPE, ...more], body });
  return { status: answer.status, text: answer.body.toString(), field: (name) => answer.field(name) };
}

const SERVER = '/admin/settings/server';
const ROUTING = '/admin/settings/routing';
const PROVIDERS = '/admin/settings/providers';
const PRICING = '/admin/settings/pricing';
const URL_ONE = 'http://one.test/v1';

/** path, fields, status, where it leads or what it says. */
const FORMS = [
  ['settings/incoming', { incoming_port: '8200', expose_all_ips: 'yes' }, 303, SERVER],
  ['settings/incoming', { incoming_port: '65536' }, 400, /between 1 and 65535/],
  ['settings/incoming', { incoming_port: '-1' }, 400, /between 1 and 65535/],
  ['settings/incoming', { incoming_port: 'x' }, 422, 'incoming_port'],
  ['settings/incoming', {}, 422, 'incoming_port'],
  ['settings/upstream', { upstream_url: ` ${URL_ONE}// ` }, 303, SERVER],
  ['settings/upstream', { upstream_url: 'one.test/v1' }, 400, /absolute/],
  ['settings/upstream', { upstream_url: 'http://one.test/' }, 400, /\/v1 base URL/],
  ['settings/upstream', { upstream_url: '' }, 422, 'upstream_url'],
  ['settings/upstream-defaults', { upstream_url: URL_ONE, fallback_enabled: 'no', return_to: ROUTING }, 303, ROUTING],
  ['settings/upstream-defaults', { upstream_url: URL_ONE, return_to: 'https://evil.test/' }, 303, SERVER],
  ['settings/upstream-defaults', { upstream_url: URL_ONE, default_provider_slug: 'nobody' }, 400, /not found/],
  ['settings/upstream-defaults', { upstream_url: URL_ONE, default_provider_slug: 'A B' }, 400, /slug/],
  ['settings/upstream-defaults', { default_model: 'm' }, 422, 'upstream_url'],
  ['settings/compat-fixes', { fixes: 'qwen-tagged-tool-call-rewrite' }, 303, SERVER],
  ['settings/compat-fixes', {}, 303, SERVER],
  ['settings/compat-fixes', { fixes: '<i>' }, 400, /Unknown compatibility fix: &lt;i&gt;/],
  ['settings/model-routes', { model: 'f', upstream_url: URL_ONE, priority: '7', api_key: 'sk-form' }, 303, ROUTING],
  ['settings/model-routes', { model: 'f', upstream_url: URL_ONE, priority: '9' }, 303, ROUTING],
  ['settings/model-routes', { model: 'f', upstream_url: URL_ONE, priority: 'x' }, 422, 'priority'],
  ['settings/model-routes', { model: 'f', upstream_url: URL_ONE, priority: '101' }, 400, /between 1 and 100/],
  ['settings/model-routes', { model: ' ', upstream_url: URL_ONE }, 400, /required/],
  ['settings/model-routes', { model: 'f', upstream_url: URL_ONE, fixes: 'x' }, 400, /Unknown compatibility fix/],
  ['settings/model-routes', { model: 'g', upstream_url: URL_ONE, route_id: '99999' }, 400, /not found/],
  ['settings/model-routes', { model: 'house', upstream_url: URL_ONE }, 400, /already exists in startup configuration/],
  ['settings/model-routes', {}, 422, 'model', 'upstream_url'],
  ['settings/model-routes/delete', { model: 'house' }, 400, /startup/],
  ['settings/model-routes/delete', { model: 'nobody' }, 400, /not found/],
  ['settings/model-routes/delete', { route_id: 'x' }, 400, /integer/],
  ['settings/model-routes/delete', { model: ' f ' }, 303, ROUTING],
  ['settings/providers', { slug: 'LAB', name: 'Lab', upstream_url: URL_ONE, capability_text: 'yes' }, 303, PROVIDERS],
  ['settings/providers', { slug: 'lab2', name: 'Lab', upstream_url: URL_ONE }, 400, /already belongs to provider lab/],
  ['settings/providers', { slug: 'lab', name: 'Lab', currency: '€' }, 400, /[Cc]urrency/],
  ['settings/providers', { slug: 'lab' }, 422, 'name'],
  ['settings/providers/delete', { slug: 'lab' }, 303, PROVIDERS],
  ['settings/providers/delete', { slug: 'lab' }, 400, /not found/],
  ['settings/providers/delete', { slug: 'A B' }, 400, /slug/],
  ['settings/model-prices', { ...PRICE, provider_slug: 'OpenAI', aliases: 'a\r\nb,a' }, 303, PRICING],
  ['settings/model-prices', { ...PRICE, input_usd_per_million: 'NaN' }, 400, /decimal number/],
  ['settings/model-prices', { ...PRICE, input_usd_per_million: '-1' }, 400, /decimal number/],
  ['settings/model-prices', { ...PRICE, provider_slug: 'nobody' }, 400, /not found/],
  ['settings/model-prices', { model: 'tiny', output_usd_per_million: '' }, 422, 'provider_slug', 'input_usd_per_million', 'output_usd_per_million'],
  ['settings/model-price-tiers', { ...TIER, model_price_id: '99999' }, 400, /not found/],
  ['settings/model-price-tiers', { ...TIER, model_price_id: 'x' }, 422, 'model_price_id'],
  ['settings/model-price-tiers/delete', { tier_id: '99999' }, 400, /not found/],
  ['settings/model-price-tiers/delete', {}, 422, 'tier_id'],
  ['settings/model-prices/delete', { provider_slug: 'openai', model: 'tiny' }, 303, PRICING],
  ['settings/model-prices/delete', { provider_slug: 'openai', model: 'tiny' }, 400, /not found/],
  ['settings/test-upstream', { test_kind: 'x' }, 400, /valid upstream test/],
  ['settings/test-upstream', {}, 422, 'test_kind'],
  ['runs/start', { name: ' ' }, 400, /Run name is required\./],
  ['runs/start', { name: 'one', notes: '' }, 303, '/admin/runs/1'],
  ['runs/pause', {}, 303, '/admin/runs/1'],
  ['runs/1/resume', {}, 303, '/admin/runs/1'],
  ['runs/end', {}, 303, '/admin/runs/1'],
  ['runs/end', {}, 303, '/admin/runs'],
  ['runs/1/resume', {}, 303, '/admin/runs'],
  ['runs/99/resume', {}, 303, '/admin/runs'],
  ['trim', { days: '99999', confirm: 'yes' }, 303, '/admin/settings/data?days=3650&trimmed=0'],
  ['trim', { days: '0', confirm: 'yes' }, 400, /at least 1/],
  ['trim', { days: '5', confirm: 'no' }, 400, /confirm/],
  ['trim', { days: 'x', confirm: 'yes' }, 422, 'days'],
]; // prettier-ignore

/** All that calls may change, but for what is captured. */
const TABLES = ['app_settings', 'model_routes', 'model_providers', 'model_prices',
  'model_price_aliases', 'model_price_tiers', 'model_price_variants', 'task_runs', 'seeded',
  'provider_health', 'generation']; // prettier-ignore
const contents = (proxy) =>
  JSON.stringify(TABLES.map((table) => proxy.sql(`SELECT * FROM ${table} ORDER BY 1, 2`)));

test('forms lead on when they are right, and write nothing when they are wrong', async (t) => {
  const file = path.join(folder(t), 'models.json');
  writeFileSync(file, JSON.stringify([{ model: 'house', upstream_url: URL_ONE }]));
  const proxy = await start(t, { upstream: await scripted(t), args: ['--models-file', file] });
  for (const [name, fields, status, ...wanted] of FORMS) {
    const before = status === 303 ? null : contents(proxy);
    const answer = await form(proxy, `/admin/${name}`, fields);
    const what = `${name} ${JSON.stringify(fields)}: ${answer.text}`;
    assert.equal(answer.status, status, what);
    if (status === 303) assert.equal(answer.field('location'), wanted[0], what);
    if (status === 400) {
      assert.match(answer.field('content-type'), /^text\/html/, what);
      assert.match(answer.text, wanted[0], what);
    }
    if (status === 422) {
      const { detail } = JSON.parse(answer.text);
      assert.deepEqual(detail.map((issue) => issue.loc), wanted.map((field) => ['body', field]), what);
    }
    if (before) assert.equal(contents(proxy), before, what);
  }
  assert.ok(!contents(proxy).includes('sk-form'), 'a literal key was stored');
  const summary = await must(proxy, 'GET', '/admin/api/settings/summary');
  assert.deepEqual([summary.listener.port, summary.listener.expose_all_ips], [8200, true]);
});

test('a form edits the route of that name, and its checkboxes may come twice', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t), set: { default_routes: 0 } });
  const fields = [['model', 'f'], ['upstream_url', URL_ONE], ['active', 'no']]; // prettier-ignore
  await form(proxy, '/admin/settings/model-routes', fields);
  await form(proxy, '/admin/settings/model-routes', [...fields, ['priority', '3']]);
  const inactive = await must(proxy, 'GET', '/admin/api/routes');
  assert.deepEqual(inactive.items.map((r) => [r.incoming_model, r.active, r.priority]), [['f', false, 3]]);
  await form(proxy, '/admin/settings/model-routes', [...fields, ['active', 'yes']]);
  assert.equal((await must(proxy, 'GET', '/admin/api/routes')).items[0].active, true);
  const multipart = await proxy.request('POST', '/admin/settings/model-routes', {
    fields: [['Content-Type', 'multipart/form-data; boundary=x']],
    body: ['model', 'upstream_url'].map((name, i) =>
      `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${['two', URL_ONE][i]}\r\n`).join('') + '--x--\r\n',
  }); // prettier-ignore
  assert.equal(multipart.status, 303);
  assert.equal((await must(proxy, 'GET', '/admin/api/routes')).total, 2);
});

test('a foreign page can save nothing', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const before = contents(proxy);
  for (const more of [
    ['Origin', 'https://evil.test'], ['Origin', 'null'], ['Sec-Fetch-Site', 'cross-site'],
    ['Origin', `http://localhost:${proxy.port + 1}`],
  ]) { // prettier-ignore
    const fields = { incoming_port: '8200' };
    assert.equal((await form(proxy, '/admin/settings/incoming', fields, [more])).status, 403, more);
    assert.equal((await call(proxy, 'POST', '/admin/api/routes', ROUTE, [more])).status, 403, more);
    assert.equal((await call(proxy, 'DELETE', '/admin/api/routes/1', undefined, [more])).status, 403);
  }
  assert.equal(contents(proxy), before);
  const own = ['Origin', `http://localhost:${proxy.port}`];
  assert.equal((await form(proxy, '/admin/settings/incoming', { incoming_port: '8200' }, [own])).status, 303);
});

/* ---- hostile bodies ---- */

const WRITERS = [
  ['POST', '/admin/api/routes'], ['PUT', '/admin/api/routes/1'], ['POST', '/admin/api/routes/1/test'],
  ['POST', '/admin/api/routes/simulate'], ['POST', '/admin/api/routes/sample-request'],
  ['POST', '/admin/api/providers'], ['PUT', '/admin/api/providers/lab'],
  ['POST', '/admin/api/pricing/prices'], ['PUT', '/admin/api/pricing/prices/1'],
  ['POST', '/admin/api/pricing/prices/1/tiers'], ['PUT', '/admin/api/pricing/tiers/1'],
  ['POST', '/admin/api/pricing/estimate'], ['POST', '/admin/api/pricing/backfill'],
  ['POST', '/admin/api/pricing/catalog/apply'],
  ['POST', '/admin/api/settings/listener'], ['POST', '/admin/api/settings/upstream-defaults'],
  ['POST', '/admin/api/settings/trim'], ['POST', '/api/runs/start'],
]; // prettier-ignore
const deep = (open, close) => open.repeat(20000) + close.repeat(20000);
const BODIES = [
  '', 'null', '5', '"x"', '[]', '[{}]', '{', '{}', 'NaN', '{"a":NaN}', '{"a":1e999}',
  Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), '{"a":1}}', '\u0000', deep('[', ']'),
  deep('{"a":', '}'), `{"model":${deep('[', ']')}}`,
]; // prettier-ignore
const VALUES = [
  null, true, -1, 0, 1e300, '1e400', '99999999999999999999', -1.5, [], [[]], {}, { a: {} }, '\u0000', '\ud800',
  'x'.repeat(5000), 'NaN', 'Infinity', ' ', '../..', '" OR 1=1 --',
]; // prettier-ignore
test('no body makes a call fail otherwise than with what is wrong', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { default_routes: 0 } });
  await must(proxy, 'POST', '/admin/api/routes', { model: 'm', upstream_url: upstream.url });
  const before = contents(proxy);
  for (const [method, target] of WRITERS)
    for (const body of BODIES)
      for (const type of ['application/json', 'multipart/form-data; boundary=']) {
        const answer = await proxy.request(method, target, { fields: [['Content-Type', type]], body });
        const what = `${method} ${target} ${type} ${String(body).slice(0, 40)}`;
        const value = JSON.parse(answer.body.toString());
        assert.ok(answer.status < 500, `${what}: ${answer.status} ${JSON.stringify(value)}`);
        if (answer.status >= 400) assert.ok(value.detail, what);
      }
  assert.equal(contents(proxy), before, 'none of these says enough to change anything');
});

test('no value of a field makes a call fail otherwise than with what is wrong', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  /** What is saved where, and the fields that it may have. */
  const good = [
    ['/admin/api/routes', ROUTE, 'id model incoming_model match_type upstream_url upstream_model ' +
      'priority provider_slug fixes compatibility_fixes api_key_env auth_style updated_at'],
    ['/admin/api/providers', { slug: 'lab', name: 'Lab' },
      'slug name base_url upstream_url currency api_key_env auth_style capabilities active updated_at'],
    ['/admin/api/pricing/prices', PRICE, 'provider_slug model display_name aliases tiers variants ' +
      'input_usd_per_million output_usd_per_million context_length source_url checked_at notes active'],
    ['/admin/api/pricing/prices/1/tiers', TIER, 'min_input_tokens max_input_tokens label notes ' +
      'input_usd_per_million'],
    ['/admin/api/pricing/estimate', { provider: 'openai', model: 'gpt-5.5', input: 1, output: 1 },
      'provider model input output cached service_tier'],
    ['/admin/api/settings/listener', { port: 8200 }, 'port incoming_port expose_all_ips'],
    ['/admin/api/settings/upstream-defaults', { upstream_url: upstream.url },
      'upstream_url default_provider_slug default_model fallback_enabled'],
    ['/admin/api/settings/trim', { days: 9, confirm: true }, 'days confirm'],
    ['/admin/api/routes/simulate', { model: 'm' }, 'model incoming_model'],
    ['/admin/api/routes/sample-request', { model: 'm' }, 'model provider_slug'],
    ['/admin/api/routes/defaults/preview', {}, 'mode provider_slug prune'],
    ['/api/runs/start', { name: 'r' }, 'name notes'],
  ]; // prettier-ignore
  const statuses = new Set();
  for (const [target, base, fields] of good)
    for (const field of fields.split(' '))
      for (const value of VALUES) {
        const body = { ...base, [field]: value };
        const { status, value: said } = await call(proxy, 'POST', target, body);
        const what = `${target} ${JSON.stringify({ [field]: value }).slice(0, 80)}`;
        assert.ok(status < 500, `${what}: ${status} ${JSON.stringify(said)}`);
        if (status >= 400) assert.ok(said.detail, what);
        statuses.add(status);
      }
  assert.deepEqual([...statuses].sort(), [200, 400, 404, 409]);
  for (const target of ['/admin/api/routes', '/admin/api/providers', '/admin/api/pricing/prices', '/api/runs'])
    await must(proxy, 'GET', `${target}?per_page=100`);
  await proxy.healthy();
});

test('what is wrong with a query is told all at once', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const { status, value } = await call(proxy, 'GET', '/admin/api/routes?page=0&per_page=x');
  assert.equal(status, 422);
  assert.deepEqual(
    value.detail.map(({ type, loc, input, ctx }) => [type, loc[1], input, ctx]),
    [
      ['greater_than_equal', 'page', '0', { ge: 1 }],
      ['int_parsing', 'per_page', 'x', undefined],
    ],
  );
  const id = await call(proxy, 'GET', '/admin/api/routes/1%20%22x');
  assert.deepEqual(id.value.detail, [
    { type: 'int_parsing', loc: ['path', 'route_id'], msg: 'must be an integer', input: '1 "x' },
  ]);
});
