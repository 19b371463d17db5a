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
