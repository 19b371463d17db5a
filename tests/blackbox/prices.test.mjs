/* What requests cost: prices in the API, costs in the records, comparisons, pricing again. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mock, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const JSON_TYPE = ['Content-Type', 'application/json'];
const FORM_TYPE = ['Content-Type', 'application/x-www-form-urlencoded'];
const PRICES = '/admin/api/pricing/prices';

async function call(proxy, method, target, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const answer = await proxy.request(method, target, { fields: [JSON_TYPE], body });
  return { status: answer.status, text: answer.body.toString(), value: JSON.parse(answer.body) };
}

async function must(proxy, method, target, value) {
  const answer = await call(proxy, method, target, value);
  assert.equal(answer.status, 200, answer.text);
  return answer.value;
}

async function form(proxy, target, fields) {
  const body = new URLSearchParams(fields).toString();
  const answer = await proxy.request('POST', target, { fields: [FORM_TYPE], body });
  return { status: answer.status, text: answer.body.toString() };
}

const price = (more = {}) => ({
  provider_slug: 'openai',
  model: 'tiny',
  input_usd_per_million: '0.5',
  output_usd_per_million: 2,
  ...more,
});

/** A proxy whose upstream is the provider `lab`. */
async function lab(t) {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, { upstream });
  await must(proxy, 'POST', '/admin/api/providers', {
    slug: 'lab', name: 'Lab', upstream_url: upstream.url,
  }); // prettier-ignore
  return proxy;
}

const ask = (proxy, model) =>
  proxy.request('POST', CHAT, {
    fields: [JSON_TYPE],
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'one two three' }] }),
  });

test('a new database has prices, and what was deleted does not come back', async (t) => {
  const proxy = await start(t);
  const all = await must(proxy, 'GET', `${PRICES}?per_page=100`);
  assert.equal(all.total, 59);
  const found = await must(proxy, 'GET', `${PRICES}?search=GPT-5.5%20PRO&provider=openai`);
  assert.equal(found.total, 1);
  assert.equal(found.items[0].seeded, true);
  assert.equal(found.items[0].edited, false);
  await must(proxy, 'DELETE', `${PRICES}/${found.items[0].id}`);
  assert.equal((await call(proxy, 'GET', `${PRICES}/${found.items[0].id}`)).status, 404);
  await proxy.stop();
  await proxy.restart();
  assert.equal((await must(proxy, 'GET', PRICES)).total, 58);
});

test('what was deleted can be restored, and what was edited stays', async (t) => {
  const proxy = await start(t);
  const restore = (value) => must(proxy, 'POST', '/admin/api/pricing/restore-defaults', value);
  const [first, second] = (await must(proxy, 'GET', `${PRICES}?provider=openai`)).items;
  await must(proxy, 'DELETE', `${PRICES}/${first.id}`);
  await must(proxy, 'PUT', `${PRICES}/${second.id}`, { ...second, input_usd_per_million: 77 });
  const gone = (await must(proxy, 'GET', `${PRICES}?provider=xai`)).total;
  await must(proxy, 'DELETE', '/admin/api/providers/xai');
  assert.deepEqual(await restore({ provider_slug: 'openai' }), { providers: 0, prices: 1 });
  assert.deepEqual(await restore({}), { providers: 1, prices: gone });
  assert.deepEqual(await restore({}), { providers: 0, prices: 0 });
  const all = await must(proxy, 'GET', `${PRICES}?per_page=100`);
  assert.equal(all.total, 59);
  assert.equal(all.items.find((p) => p.id === second.id).input_usd_per_million, 77);
  assert.equal((await call(proxy, 'POST', '/admin/api/pricing/restore-defaults', { provider: 'A B' })).status, 400);
});

test('an edit keeps source, dates and tiers, and forgets the rest', async (t) => {
  const proxy = await start(t);
  const made = await must(proxy, 'POST', PRICES, price({
    aliases: 'a, b\na', source_url: 'https://x/', checked_at: '2031-01-01', notes: 'n',
    reasoning_usd_per_million: '3',
    tiers: [{ max_input_tokens: 10, input_usd_per_million: 1, output_usd_per_million: 1 }],
  })); // prettier-ignore
  assert.deepEqual(made.aliases, ['a', 'b']);
  assert.equal(made.input_usd_per_million, 0.5);
  const again = await must(proxy, 'PUT', `${PRICES}/${made.id}`, price());
  assert.deepEqual(again.aliases, []);
  assert.equal(again.notes, null);
  assert.equal(again.source_url, 'https://x/');
  assert.equal(again.checked_at, '2031-01-01');
  assert.equal(again.reasoning_usd_per_million, 3);
  assert.equal(again.tiers.length, 1);
  assert.equal((await call(proxy, 'POST', PRICES, price())).status, 409);
});

test('what is no price is refused, and nothing is written', async (t) => {
  const proxy = await start(t);
  const bad = [
    {}, price({ model: ' ' }), price({ model: 'x'.repeat(257) }), price({ model: [] }),
    price({ provider_slug: 'nobody' }), price({ input_usd_per_million: 'NaN' }),
    price({ input_usd_per_million: -1 }), price({ input_usd_per_million: '1e9' }),
    price({ output_usd_per_million: null }), price({ output_usd_per_million: {} }),
    price({ aliases: [{}] }), price({ context_length: -5 }), price({ tiers: 'x' }),
    price({ source_url: 'ü' }), price({ checked_at: 'x'.repeat(33) }),
    price({ tiers: [{ input_usd_per_million: 1, output_usd_per_million: 1 },
                    { input_usd_per_million: 1, output_usd_per_million: 1 }] }),
  ]; // prettier-ignore
  for (const value of bad) {
    const answer = await call(proxy, 'POST', PRICES, value);
    assert.equal(answer.status, 400, `${JSON.stringify(value)}: ${answer.text}`);
    assert.equal(typeof answer.value.detail, 'string');
  }
  assert.equal((await must(proxy, 'GET', PRICES)).total, 59);
  for (const [method, target] of [
    ['PUT', `${PRICES}/99999`], ['DELETE', `${PRICES}/99999`], ['POST', `${PRICES}/99999/tiers`],
    ['PUT', '/admin/api/pricing/tiers/99999'], ['DELETE', '/admin/api/pricing/tiers/99999'],
  ]) // prettier-ignore
    assert.equal((await call(proxy, method, target, price())).status, 404, target);
  assert.equal((await call(proxy, 'GET', `${PRICES}/x`)).status, 422);
  assert.equal((await call(proxy, 'POST', '/admin/api/pricing/backfill', { kind: 'x' })).status, 400);
  assert.equal((await call(proxy, 'POST', '/admin/api/pricing/catalog/apply', {})).status, 400);
  const source = await call(proxy, 'POST', '/admin/api/pricing/catalog/preview', { source: 'x' });
  assert.equal(source.status, 400);
});

test('tiers of a price must not overlap', async (t) => {
  const proxy = await start(t);
  const made = await must(proxy, 'POST', PRICES, price());
  const tier = (min, max) => ({
    min_input_tokens: min, max_input_tokens: max, input_usd_per_million: 1, output_usd_per_million: 1,
  }); // prettier-ignore
  const one = await must(proxy, 'POST', `${PRICES}/${made.id}/tiers`, tier(null, 100));
  await must(proxy, 'POST', `${PRICES}/${made.id}/tiers`, tier(100, null));
  const refused = await call(proxy, 'POST', `${PRICES}/${made.id}/tiers`, tier(99, 101));
  assert.equal(refused.status, 400);
  assert.match(refused.value.detail, /overlaps/);
  const target = `/admin/api/pricing/tiers/${one.tiers[0].id}`;
  assert.equal((await must(proxy, 'PUT', target, tier(10, 100))).tiers[0].min_input_tokens, 10);
  assert.equal((await must(proxy, 'DELETE', target)).tiers.length, 1);
});

test('forms save prices and tiers, and answer with a redirect', async (t) => {
  const proxy = await start(t);
  const fields = { ...price(), input_usd_per_million: '0.75', aliases: 'x\ny', active: 'no' };
  assert.equal((await form(proxy, '/admin/settings/model-prices', fields)).status, 303);
  const [row] = (await must(proxy, 'GET', `${PRICES}?search=tiny&provider=openai`)).items;
  assert.equal(row.status, 'inactive');
  assert.deepEqual(row.aliases, ['x', 'y']);
  const tier = { model_price_id: row.id, max_input_tokens: 5, input_usd_per_million: 1, output_usd_per_million: 1 };
  assert.equal((await form(proxy, '/admin/settings/model-price-tiers', tier)).status, 303);
  assert.equal((await form(proxy, '/admin/settings/model-price-tiers', tier)).status, 400);
  assert.equal((await form(proxy, '/admin/settings/model-prices', { model: 'm' })).status, 422);
  assert.equal(
    (await form(proxy, '/admin/settings/model-prices', { ...fields, input_usd_per_million: 'inf' })).status,
    400,
  );
  const gone = { provider_slug: 'openai', model: 'tiny' };
  assert.equal((await form(proxy, '/admin/settings/model-prices/delete', gone)).status, 303);
  assert.equal((await form(proxy, '/admin/settings/model-prices/delete', gone)).status, 400);
});

test('a request costs what its tokens and the price of that moment say', async (t) => {
  const proxy = await lab(t);
  const made = await must(proxy, 'POST', PRICES, price({ provider_slug: 'lab', model: 'm,tokens=20' }));
  await ask(proxy, 'm,tokens=20');
  const { record } = await proxy.captured(`endpoint=${encodeURIComponent(CHAT)}`);
  const input = record.billing_input_tokens;
  assert.equal(record.billing_provider_slug, 'lab');
  assert.equal(record.billing_output_tokens, 20);
  assert.equal(record.billing_total_cost_usd, (input * 500000 + 20 * 2000000) / 1e12);
  const snapshot = JSON.parse(record.pricing_snapshot_json);
  assert.equal(snapshot.input_usd_per_million, '0.500000');
  assert.equal(snapshot.price_match, 'exact');

  await must(proxy, 'PUT', `${PRICES}/${made.id}`, price({ provider_slug: 'lab', model: 'm,tokens=20', output_usd_per_million: 9 }));
  await ask(proxy, 'm,tokens=20');
  const rows = await until(async () => {
    const all = await proxy.rows();
    return all.length === 2 && all.every((row) => row.completed_at) && all;
  }, 'two finished rows');
  assert.equal((await proxy.detail(rows[0].id)).record.billing_output_cost_usd, 20 * 9e6 / 1e12);
  assert.equal((await proxy.detail(rows[1].id)).record.billing_output_cost_usd, 20 * 2e6 / 1e12);
});

test('a request without a price is priced when there is one', async (t) => {
  const proxy = await lab(t);
  await ask(proxy, 'm,tokens=20');
  const { record } = await proxy.captured(`endpoint=${encodeURIComponent(CHAT)}`);
  assert.equal(record.billing_total_cost_usd, null);
  assert.equal(record.pricing_snapshot_json, null);
  await must(proxy, 'POST', PRICES, price({ provider_slug: 'lab', model: 'm,tokens=20' }));
  const first = await must(proxy, 'POST', '/admin/api/pricing/backfill', { kind: 'missing' });
  assert.deepEqual(first, { kind: 'missing', repriced: 1, examined: 1 });
  const later = (await proxy.detail(record.id)).record;
  assert.equal(later.billing_output_cost_usd, 20 * 2e6 / 1e12);
  assert.match(later.pricing_snapshot_json, /pricing-catalog-missing-cost-v0\.5/);
  const second = await must(proxy, 'POST', '/admin/api/pricing/reprice-missing');
  assert.equal(second.repriced, 0);
  await proxy.stop();
  const { code, out } = await run(['--backfill-cached-costs', '--database-url', proxy.database]);
  assert.equal(code, 0);
  assert.match(out, /^repriced 0 requests$/m);
});

test('what a provider reports stands beside the estimate, and in the run', async (t) => {
  const upstream = await scripted(t);
  const reported = [0.25, 0.0000000000015, -1];
  upstream.script(CHAT, (turn) =>
    turn.json({
      model: 'm',
      usage: {
        prompt_tokens: 1000, completion_tokens: 100, cost: reported.shift(),
        cost_details: { upstream_inference_cost: 0.125 },
      }, // prettier-ignore
    }),
  );
  const proxy = await start(t, { upstream });
  await must(proxy, 'POST', '/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  await must(proxy, 'POST', PRICES, price({ provider_slug: 'lab', model: 'm' }));
  const { run } = await must(proxy, 'POST', '/api/runs/start', { name: 'r' });
  for (let i = 0; i < 3; i++) await ask(proxy, 'm');
  const rows = await until(async () => {
    const all = await proxy.rows();
    return all.length === 3 && all.every((row) => row.completed_at) && all.reverse();
  }, 'three finished rows');
  const details = [];
  for (const { id } of rows) details.push((await proxy.detail(id)).record);
  const estimate = (1000 * 0.5 + 100 * 2) / 1e6;
  assert.deepEqual(
    details.map((r) => [r.reported_cost_usd, r.billing_total_cost_usd, r.reported_cost_difference_usd]),
    [
      [0.25, estimate, 0.25 - estimate],
      [2e-12, estimate, -0.000699999998],
      [null, estimate, null],
    ],
  );
  assert.equal(JSON.parse(details[0].pricing_snapshot_json).reported_upstream_cost_usd, '0.125');
  const answer = await proxy.api(`/api/runs/${run.id}/stats`);
  const { reported_cost_usd, reported_cost_request_count } = answer.stats ?? answer;
  assert.deepEqual([reported_cost_usd, reported_cost_request_count], [0.250000000002, 2]);
});

test('an estimate and a lookup use the same rule as captures', async (t) => {
  const proxy = await start(t);
  const ESTIMATE = '/admin/api/pricing/estimate';
  const typed = { provider: 'openai', model: 'GPT-5.4-mini-2026-03-17', input: 1000, output: 500, cached: 100 };
  const answer = await must(proxy, 'POST', ESTIMATE, typed);
  assert.equal(answer.cost_usd, 0.0029325);
  assert.equal(answer.pricing_snapshot.price_match, 'dated');
  assert.equal((await call(proxy, 'POST', ESTIMATE, { ...typed, model: 'x' })).status, 404);
  assert.equal((await call(proxy, 'POST', ESTIMATE, { ...typed, input: -1 })).status, 400);
  assert.equal((await call(proxy, 'POST', ESTIMATE, { ...typed, input: 'x' })).status, 400);
  const found = await must(proxy, 'GET', '/admin/api/pricing/find?provider=openai&model=gpt-5.5');
  assert.equal(found.price_match, 'exact');
  assert.equal(found.price.key, 'openai:gpt-5.5');
  assert.equal((await call(proxy, 'GET', '/admin/api/pricing/find?provider=openai&model=q')).status, 404);
  assert.equal((await call(proxy, 'GET', '/admin/api/pricing/find?provider=openai')).status, 422);
});

test('what was previewed of a router is applied, and rows without a cost are priced', async (t) => {
  const router = await scripted(t);
  router.script('/api/v1/models', (turn) =>
    turn.json({ data: [{ id: 'a/b', name: 'B', pricing: { prompt: '0.000001', completion: 2e-6 } }] }),
  );
  router.script('/api/v1/models/a/b/endpoints', (turn) =>
    turn.json({ data: { endpoints: [{ tag: 'x', pricing: { prompt: '0.000003', completion: '0' } }] } }),
  );
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, {
    upstream,
    env: { LLM_OBSERVE_CATALOG_URL: new URL(router.url).origin, OPENROUTER_API_KEY: 'sk-router' },
  });
  const CATALOG = '/admin/api/pricing/catalog';
  const preview = await must(proxy, 'POST', `${CATALOG}/preview`, { source: 'openrouter' });
  assert.deepEqual(preview.counts, { new: 2, update: 0, unchanged: 0 });
  assert.deepEqual(preview.items.map((item) => item.key), ['openrouter:a/b', 'openrouter:a/b@x']);
  assert.equal(preview.items[1].source_url, 'https://openrouter.ai/api/v1/models/a/b/endpoints');
  assert.equal((await must(proxy, 'GET', `${PRICES}?search=a/b`)).total, 0);

  await must(proxy, 'PUT', '/admin/api/providers/openrouter', {
    name: 'OpenRouter', upstream_url: upstream.url,
  }); // prettier-ignore
  await ask(proxy, 'a/b');
  const { record } = await proxy.captured(`endpoint=${encodeURIComponent(CHAT)}`);
  assert.equal(record.billing_total_cost_usd, null);
  const id = preview.preview_id;
  const wrong = await call(proxy, 'POST', `${CATALOG}/apply`, { preview_id: id, keys: ['openrouter:a/b', 'no'] });
  assert.equal(wrong.status, 400);
  assert.deepEqual(wrong.value.missing_keys, ['no']);
  assert.equal((await must(proxy, 'GET', `${PRICES}?search=a/b`)).total, 0);
  const done = await must(proxy, 'POST', `${CATALOG}/apply`, {
    preview_id: id, keys: 'openrouter:a/b,openrouter:a/b@x',
  }); // prettier-ignore
  assert.equal(done.applied, 2);
  assert.equal(done.created, 2);
  assert.equal(done.preview.counts.unchanged, 2);
  assert.equal(router.of('/api/v1/models').length, 1);
  assert.equal(done.repriced_missing, 1);
  const [row] = (await must(proxy, 'GET', `${PRICES}?search=a/b@x`)).items;
  assert.equal(row.input_usd_per_million, 3);
  assert.equal(row.edited, false);
});
