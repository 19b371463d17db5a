/* Prices out of the files of others: LiteLLM, models.dev, and our own catalogue. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { message } from './wire.mjs';

const CATALOG = '/admin/api/pricing/catalog';
const PRICES = '/admin/api/pricing/prices';
const JSON_TYPE = ['Content-Type', 'application/json'];
const fixture = (name) => readFileSync(new URL(`../fixtures/import/${name}`, import.meta.url), 'utf8');
const LITELLM = fixture('litellm.json');
const MODELS_DEV = fixture('models-dev.json');

async function call(proxy, method, target, value) {
  const body = value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
  const answer = await proxy.request(method, target, { fields: [JSON_TYPE], body });
  return { status: answer.status, text: answer.body.toString(), value: JSON.parse(answer.body) };
}

async function must(proxy, method, target, value) {
  const answer = await call(proxy, method, target, value);
  assert.equal(answer.status, 200, answer.text);
  return answer.value;
}

/** The body of an import as a client sends it that does not parse the file. */
const upload = (source, document, more = {}) =>
  `${JSON.stringify({ source, ...more }).slice(0, -1)},"document":${document}}`;

async function all(proxy) {
  const rows = [];
  for (let page = 1; ; page++) {
    const answer = await must(proxy, 'GET', `${PRICES}?per_page=100&page=${page}`);
    rows.push(...answer.items);
    if (page >= answer.pages) return rows;
  }
}

test('a LiteLLM file is previewed, and applied as it was previewed', async (t) => {
  const proxy = await start(t);
  const preview = await must(proxy, 'POST', `${CATALOG}/preview`, upload('litellm', LITELLM));
  assert.equal(preview.total, 11);
  assert.deepEqual(preview.skipped, {
    unknown_provider: 4, unsupported_mode: 2, no_token_price: 1, bad_price: 5, deprecated: 1, duplicate: 1,
  }); // prettier-ignore
  const gemini = preview.items.find((item) => item.key === 'google:gemini-2.5-pro');
  assert.equal(gemini.status, 'update');
  assert.equal(gemini.selected, true);
  assert.equal(gemini.edited, false);
  assert.equal(gemini.stored.input_usd_per_million, '1.25');
  assert.equal(gemini.tiers.length, 2);
  assert.equal((await all(proxy)).length, 59);

  const keys = preview.items.filter((item) => item.selected).map((item) => item.key);
  const done = await must(proxy, 'POST', `${CATALOG}/apply`, { preview_id: preview.preview_id, keys });
  assert.equal(done.applied, 11);
  assert.equal(done.created + done.updated, 11);
  assert.equal(done.preview.counts.unchanged, 11);
  const rows = await all(proxy);
  const row = rows.find((one) => one.key === 'google:gemini-2.5-pro');
  assert.deepEqual(row.aliases, ['google/gemini-2.5-pro', 'gemini/gemini-2.5-pro']);
  assert.equal(row.display_name, 'Gemini 2.5 Pro');
  assert.equal(row.release_date, '2025-06-17');
  assert.equal(row.tiers[1].input_usd_per_million, 2.5);
  assert.equal(row.edited, false);
  const mini = rows.find((one) => one.key === 'openai:o4-mini');
  assert.deepEqual(mini.variants.map((one) => one.service_tier), ['batch', 'flex', 'priority']);

  const asked = { provider: 'google', model: 'gemini/gemini-2.5-pro', input: 200001, output: 1 };
  const estimate = await must(proxy, 'POST', '/admin/api/pricing/estimate', asked);
  assert.equal(estimate.input_cost_usd, (200001 * 2.5) / 1e6);
  const flex = { provider: 'openai', model: 'o4-mini', input: 1000000, output: 0, service_tier: 'flex' };
  assert.equal((await must(proxy, 'POST', '/admin/api/pricing/estimate', flex)).cost_usd, 0.55);
});

test('what a person changed is marked, and not selected', async (t) => {
  const proxy = await start(t);
  const row = (await all(proxy)).find((one) => one.key === 'google:gemini-2.5-pro');
  await must(proxy, 'PUT', `${PRICES}/${row.id}`, { ...row, input_usd_per_million: 9 });
  const preview = await must(proxy, 'POST', `${CATALOG}/preview`, {
    source: 'models.dev', document: MODELS_DEV, provider: 'google',
  }); // prettier-ignore
  assert.equal(preview.items.length, 1);
  assert.equal(preview.items[0].edited, true);
  assert.equal(preview.items[0].status, 'update');
  assert.equal(preview.items[0].selected, false);
});

test('providers of a file are created when asked, with the prices that need them', async (t) => {
  const proxy = await start(t);
  const body = upload('models.dev', MODELS_DEV, { create_providers: true });
  const preview = await must(proxy, 'POST', `${CATALOG}/preview`, body);
  assert.deepEqual(preview.new_providers.map((one) => one.slug), ['groq', 'odd']);
  assert.equal((await call(proxy, 'GET', '/admin/api/providers/groq')).status, 404);
  const keys = ['groq:llama-3.3-70b'];
  const done = await must(proxy, 'POST', `${CATALOG}/apply`, { preview_id: preview.preview_id, keys });
  assert.equal(done.created_providers, 1);
  const list = await must(proxy, 'GET', '/admin/api/providers?per_page=100');
  const groq = list.items.find((one) => one.slug === 'groq');
  assert.equal(groq.base_url, 'https://api.groq.com/openai/v1');
  assert.equal(groq.api_key_env, 'GROQ_API_KEY');
  assert(!list.items.some((one) => one.slug === 'odd'));
});

test('an exported catalogue changes nothing when it is imported, and brings back what is gone', async (t) => {
  const proxy = await start(t);
  await must(proxy, 'POST', `${CATALOG}/apply`, {
    ...JSON.parse(upload('litellm', LITELLM)), keys: ['openai:o4-mini', 'xai:grok-4'],
  }); // prettier-ignore
  await must(proxy, 'POST', PRICES, {
    provider_slug: 'openai', model: 'mine', input_usd_per_million: 1, output_usd_per_million: 2,
    notes: 'by hand', active: false, context_length: 1000,
    tiers: [{ max_input_tokens: 10, input_usd_per_million: 1, output_usd_per_million: 2, notes: 'n' }],
    variants: [{ service_tier: 'flex', multiplier: '0.5' }],
  }); // prettier-ignore
  const text = (await proxy.request('GET', `${CATALOG}/export`)).body.toString();
  const preview = await must(proxy, 'POST', `${CATALOG}/preview`, upload('catalog', text));
  assert.deepEqual(preview.counts, { new: 0, update: 0, unchanged: 62 });

  const before = await all(proxy);
  const gone = before.find((one) => one.model === 'mine');
  await must(proxy, 'DELETE', `${PRICES}/${gone.id}`);
  const back = await must(proxy, 'POST', `${CATALOG}/apply`, upload('catalog', text, { keys: 'openai:mine' }));
  assert.equal(back.created, 1);
  const same = ({ id, created_at, updated_at, edited, tiers, ...rest }) => ({
    ...rest, tiers: tiers.map(({ id: _, ...tier }) => tier),
  }); // prettier-ignore
  assert.deepEqual((await all(proxy)).map(same), before.map(same));
});

test('a file is fetched from an https URL, without following redirects', async (t) => {
  const web = await scripted(t);
  web.script('/litellm.json', (turn) => turn.json(JSON.parse(LITELLM)));
  web.script('/BerriAI/litellm/main/model_prices_and_context_window.json', (turn) =>
    turn.json({ m: { litellm_provider: 'openai', input_cost_per_token: 0, output_cost_per_token: 0 } }),
  );
  web.script('/moved', (turn) => turn.answer(302, [['Location', 'file:///etc/passwd']]));
  const proxy = await start(t, { env: { LLM_OBSERVE_CATALOG_URL: new URL(web.url).origin } });
  const preview = (more) => call(proxy, 'POST', `${CATALOG}/preview`, { source: 'litellm', ...more });
  assert.equal((await preview({ url: 'https://prices.example/litellm.json' })).value.total, 11);
  assert.equal((await preview({})).value.total, 1);
  for (const url of ['http://prices.example/x', 'file:///etc/passwd', '/etc/passwd', 'https://', 'https://a b/']) {
    const refused = await preview({ url });
    assert.equal(refused.status, 400);
    assert.match(refused.value.detail, /https/);
  }
  const moved = await preview({ url: 'https://prices.example/moved' });
  assert.equal(moved.status, 400);
  assert.match(moved.value.detail, /HTTP 302, a redirect, which is not followed/);
});

test('documents that are none are refused, and nothing is written', async (t) => {
  const proxy = await start(t);
  const preview = (body) => call(proxy, 'POST', `${CATALOG}/preview`, body);
  const detail = async (body, status, pattern) => {
    const answer = await preview(body);
    assert.equal(answer.status, status, answer.text.slice(0, 300));
    assert.match(answer.value.detail, pattern);
  };
  await detail(upload('litellm', '[]'), 400, /no JSON object/);
  await detail(upload('litellm', '"{\\"a\\":NaN}"'), 400, /not JSON/);
  await detail(upload('litellm', '7'), 400, /no JSON object/);
  await detail(upload('catalog', '{"a":1}'), 400, /no models/);
  await detail({ source: 'catalog' }, 400, /document or its URL/);
  await detail({ source: 'toml', document: {} }, 400, /source must be/);
  await detail({ source: 'litellm', document: {}, url: 'https://a/' }, 400, /not both/);
  const bad = { m: { litellm_provider: 'openai', input_cost_per_token: -1, output_cost_per_token: 1 } };
  const answer = await must(proxy, 'POST', `${CATALOG}/preview`, { source: 'litellm', document: bad });
  assert.equal(answer.skipped.bad_price, 1);
  const none = await call(proxy, 'POST', `${CATALOG}/apply`, { source: 'litellm', document: bad, keys: ['openai:m'] });
  assert.equal(none.status, 400);
  assert.deepEqual(none.value.missing_keys, ['openai:m']);
  const wire = await proxy.connect();
  wire.send(
    message(`POST ${CATALOG}/preview HTTP/1.1`, [
      ['Host', 'localhost'],
      ['Content-Length', 20 << 20],
    ]),
  );
  assert.equal((await wire.response()).status, 413);
  wire.close();
  await detail(upload('litellm', `{"a":"${'x'.repeat(16 << 20)}"}`), 413, /larger than 16 MiB/);
  assert.equal((await all(proxy)).length, 59);
});

test('a large file is imported while the proxy answers', async (t) => {
  const proxy = await start(t);
  const models = {};
  for (let i = 0; i < 3000; i++)
    models[`openai/model-${i}`] = {
      litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 1e-6, output_cost_per_token: 2e-6,
      input_cost_per_token_above_200k_tokens: 2e-6, supports_vision: true, max_input_tokens: 1000000,
    }; // prettier-ignore
  const preview = await must(proxy, 'POST', `${CATALOG}/preview`, { source: 'litellm', document: models });
  assert.equal(preview.counts.new, 3000);
  const keys = preview.items.map((item) => item.key);
  let slowest = 0;
  let busy = true;
  const applied = must(proxy, 'POST', `${CATALOG}/apply`, { preview_id: preview.preview_id, keys }).finally(
    () => (busy = false),
  );
  while (busy) {
    const before = performance.now();
    assert.equal((await proxy.request('GET', '/healthz')).status, 200);
    slowest = Math.max(slowest, performance.now() - before);
  }
  assert.equal((await applied).created, 3000);
  assert(slowest < 2000, `${slowest} ms`);
  assert.equal((await must(proxy, 'GET', `${PRICES}?search=model-2999`)).total, 1);
});
