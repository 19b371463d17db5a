/* /api/models: what clients can ask for, and what they asked for. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];

async function post(proxy, target, value) {
  const answer = await proxy.request('POST', target, { fields: JSON_TYPE, body: JSON.stringify(value) });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

async function setUp(t) {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, env: { LAB_KEY: 'x' } });
  const url = upstream.url ?? proxy.options.upstream.url;
  const route = (incoming_model, more) =>
    post(proxy, '/admin/api/routes', { incoming_model, upstream_url: url, ...more });
  await route('zz-chat', { upstream_model: 'zz-real', api_key_env: 'LAB_KEY' });
  await route('zz-other', { api_key_env: 'NO_SUCH_KEY_HERE' });
  await route('zz-off', { active: false });
  await route('zz-c*', { match_type: 'prefix' });
  return proxy;
}

test('models are the routes, startup and stored', async (t) => {
  const proxy = await setUp(t);
  const list = await proxy.api('/api/models?search=ZZ-');
  assert.deepEqual([list.page, list.per_page, list.total, list.pages], [1, 25, 3, 1]);
  const byName = Object.fromEntries(list.items.map((item) => [item.client_model, item]));
  assert.deepEqual(byName['zz-chat'], {
    client_model: 'zz-chat', status: 'active', route: 'zz-chat', match_type: 'exact',
    provider_slug: null, provider_name: null, api_key_state: 'configured',
    upstream_url: byName['zz-chat'].upstream_url, upstream_model: 'zz-real', source: 'ui', managed: false,
  }); // prettier-ignore
  assert.equal(byName['zz-other'].api_key_state, 'missing');
  assert.equal(byName['zz-other'].upstream_model, 'zz-other');
  assert.equal(byName['zz-c*'].match_type, 'prefix');
  assert.equal(byName['zz-c*'].api_key_state, 'not configured');
  assert.equal((await proxy.api('/api/models?search=zz-&status=inactive')).total, 1);
  assert.equal((await proxy.api('/admin/api/models?search=zz-&status=all')).total, 4);
  const past = await proxy.api('/api/models?search=zz-&page=9&per_page=2');
  assert.deepEqual([past.items.length, past.page, past.pages], [0, 9, 2]);
  assert.equal((await proxy.get('/api/models?per_page=101')).status, 422);
});

test('suggestions are routes first, then what was used lately', async (t) => {
  const proxy = await setUp(t);
  for (const model of ['zz_new', 'zz%', 'zz-chat', 'ZZ-late'])
    await proxy.request('POST', '/v1/x', { fields: JSON_TYPE, body: JSON.stringify({ model }) });
  await until(async () => (await proxy.rows()).length === 4);
  const names = async (query) => (await proxy.api(`/api/models/suggest?${query}`)).items.map((i) => i.model);
  assert.deepEqual(await names('q=zz-'), ['zz-c*', 'zz-chat', 'zz-other', 'ZZ-late']);
  assert.deepEqual(await names('q=zz-&limit=2'), ['zz-c*', 'zz-chat']);
  assert.deepEqual(await names('q=zz_'), ['zz_new'], 'no wildcards');
  assert.deepEqual(await names('q=zz%25'), ['zz%']);
  const [late] = (await proxy.api('/api/models/suggest?q=zz-l')).items;
  assert.equal(late.source, 'recent');
  assert.equal(late.request_count, 1);
  assert.match(late.last_used_at, /^\d{4}-.*\.\d{6}Z$/);
  assert.equal(late.provider_slug, null);
  assert.equal((await proxy.get('/api/models/suggest?limit=51')).status, 422);
});
