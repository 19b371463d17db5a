/* Settings of the web admin: prices, their tiers and catalogues. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { browse, NO_BROWSER } from './browser.mjs';
import { mock, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const PAGE = '/admin/settings/pricing';
const API = '/admin/api/pricing/prices';

async function change(proxy, method, target, value) {
  const answer = await proxy.request(method, target, {
    fields: [['Content-Type', 'application/json']],
    body: value === undefined ? undefined : JSON.stringify(value),
  });
  assert.equal(answer.status, 200, `${method} ${target}: ${answer.text}`);
  return answer.json;
}

const price = (more = {}) => ({
  provider_slug: 'openai', model: 'tiny', input_usd_per_million: '0.123456', output_usd_per_million: '2', ...more,
}); // prettier-ignore
const rows = (card) => card.locator('tbody tr');
const card = (page, name) => page.getByRole('region', { name, exact: true });
const found = async (proxy, search) => (await proxy.api(`${API}?search=${search}`)).items[0];

test('PR-02 and PR-04 a price is found, opened by its row, edited and deleted, and its digits stay', { skip: NO_BROWSER }, async (t) => {
  const proxy = await start(t);
  const made = await change(proxy, 'POST', API, price({ aliases: ['t1', 't2'], notes: 'n', source_url: 'https://example.com/p', checked_at: '2026-01-02' }));
  const page = await browse(t, proxy, PAGE, { expected: /^409 (PUT|POST) / });
  const list = card(page, 'Model Pricing');
  await rows(list).nth(24).waitFor();
  await list.getByLabel('Search').fill('tiny');
  await until(async () => (await rows(list).count()) === 1, 'one price found');
  assert.match(page.url(), /search=tiny/);
  await list.getByLabel('Status').selectOption('active');
  await list.getByLabel('Provider').selectOption('openai');
  assert.match(await rows(list).innerText(), /tiny\s+OpenAI\s+-\s+\$0\.123456\s+-\s+\$2\.00\s+2\s+-\s+Active/);
  await rows(list).locator('td').nth(2).click();
  const sheet = page.getByRole('dialog', { name: 'OpenAI: tiny' });
  await sheet.waitFor();
  assert.match(page.url(), new RegExp(`price=${made.id}`));
  assert.equal(await sheet.getByLabel('Input, USD / 1M', { exact: false }).first().inputValue(), '0.123456');
  await sheet.getByText('Used by 0 requests').waitFor();
  assert.equal(await sheet.getByRole('link', { name: 'https://example.com/p' }).getAttribute('rel'), 'noopener noreferrer');
  const cached = sheet.getByLabel('Cached input, USD / 1M');
  await cached.fill('1,5');
  await sheet.getByRole('button', { name: 'Save price' }).click();
  await sheet.getByText('Digits with a point').waitFor();
  await cached.fill('0.000001');
  await sheet.getByLabel('Aliases').fill('t1\nt3');
  await sheet.getByRole('button', { name: 'Save price' }).click();
  await until(async () => (await found(proxy, 'tiny')).cached_input_usd_per_million === 0.000001, 'the rate to be stored');
  const stored = await found(proxy, 'tiny');
  assert.deepEqual(stored.aliases, ['t1', 't3']);
  assert.deepEqual([stored.input_usd_per_million, stored.source_url, stored.notes], [0.123456, 'https://example.com/p', 'n']);
  await list.getByText('$0.000001').waitFor();

  await list.getByRole('button', { name: 'Delete the price of openai:tiny' }).click();
  await page.getByRole('button', { name: 'Delete price', exact: true }).click();
  await until(async () => !(await found(proxy, 'tiny')), 'the price to be gone');
  await page.goto(`${proxy.url}${PAGE}?price=new`);
  const blank = page.getByRole('dialog', { name: 'New price' });
  await blank.getByLabel('Provider').selectOption('openai');
  await blank.getByLabel('Model').fill('gpt-5.4');
  await blank.getByRole('button', { name: 'Save price' }).click();
  await blank.getByText('A rate is needed.').nth(1).waitFor();
  await blank.getByLabel('Input, USD / 1M *', { exact: true }).fill('1');
  await blank.getByLabel('Output, USD / 1M').fill('1');
  await blank.getByRole('button', { name: 'Save price' }).click();
  await blank.getByText('A price of this provider and model exists already.').waitFor();
  await blank.getByLabel('Model').fill('fresh');
  await blank.getByRole('button', { name: 'Save price' }).click();
  await page.getByRole('dialog', { name: 'OpenAI: fresh' }).waitFor();
});

test('PR-03 tiers are added, edited and deleted beside a bar of their ranges, and never overlap', { skip: NO_BROWSER }, async (t) => {
  const proxy = await start(t);
  const made = await change(proxy, 'POST', API, price());
  const page = await browse(t, proxy, `${PAGE}?price=${made.id}`);
  const tiers = card(page, 'Tiers');
  await tiers.getByText('None: these rates count').waitFor();
  const add = async (fields) => {
    await tiers.getByRole('button', { name: 'Add tier' }).click();
    const form = tiers.getByRole('form', { name: 'New tier' });
    for (const [label, value] of Object.entries(fields)) await form.getByLabel(label).fill(value);
    await form.getByRole('button', { name: 'Add tier' }).click();
    return form;
  };
  await add({ Label: 'small', 'From input tokens': '', 'Below input tokens': '32,000', 'Input / 1M *': '0.5', 'Output / 1M': '1' });
  await tiers.getByText('0-31,999 input tokens').waitFor();
  const form = await add({ Label: 'big', 'From input tokens': '31999', 'Input / 1M *': '0.75', 'Output / 1M': '1.000001' });
  await form.getByText('This overlaps small.').waitFor();
  await form.getByLabel('From input tokens').fill('128000');
  await form.getByRole('button', { name: 'Add tier' }).click();
  await tiers.getByText('128,000+ input tokens').waitFor();
  assert.equal(await tiers.locator('svg rect').count(), 3, 'two tiers and the gap between them');
  assert.match(await tiers.locator('figcaption').innerText(), /32,000-127,999 input tokens: no tier/);
  assert.deepEqual(
    (await found(proxy, 'tiny')).tiers.map((x) => [x.label, x.min_input_tokens, x.max_input_tokens, x.output_usd_per_million]),
    [['small', null, 32000, 1], ['big', 128000, null, 1.000001]],
  ); // prettier-ignore

  await tiers.getByRole('button', { name: 'Edit tier small' }).click();
  const edit = tiers.getByRole('form', { name: 'Tier small' });
  await edit.getByLabel('Below input tokens').fill('64000');
  await edit.getByRole('button', { name: 'Save tier' }).click();
  await tiers.getByText('0-63,999 input tokens').waitFor();
  await tiers.getByRole('button', { name: 'Delete tier big' }).click();
  await page.getByRole('button', { name: 'Delete tier', exact: true }).click();
  await until(async () => (await found(proxy, 'tiny')).tiers.length === 1, 'the tier to be gone');
});

test('PR-01 a catalogue is previewed with old and new rates, and only what is ticked is taken', { skip: NO_BROWSER }, async (t) => {
  const router = await scripted(t);
  const rates = (prompt, completion) => ({ prompt, completion });
  let hold = null;
  router.script('/api/v1/models', async (turn) => {
    await hold;
    turn.json({
      data: [
        { id: 'a/new', name: '<b>New</b>', context_length: 32768, supported_parameters: ['tools'], pricing: rates('0.00000011', '0.00000033') },
        { id: 'a/known', name: 'Known', pricing: rates('0.000003', '0.000004') },
        { id: 'a/mine', name: 'Mine', pricing: rates('0.000003', '0.000004') },
      ],
    });
  });
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, { upstream, env: { LLM_OBSERVE_CATALOG_URL: new URL(router.url).origin } });
  const catalog = (name, body) => change(proxy, 'POST', `/admin/api/pricing/catalog/${name}`, { source: 'openrouter', include_provider_rows: false, ...body });
  await catalog('apply', { keys: ['openrouter:a/known'] });
  const known = await found(proxy, 'a/known');
  await change(proxy, 'PUT', '/admin/api/providers/openrouter', { name: 'OpenRouter', upstream_url: upstream.url });
  await proxy.request('POST', '/v1/chat/completions', {
    fields: [['Content-Type', 'application/json']],
    body: JSON.stringify({ model: 'a/new', messages: [{ role: 'user', content: 'hi' }] }),
  });
  await proxy.captured('endpoint=chat');
  assert.equal(known.input_usd_per_million, 3);
  await change(proxy, 'POST', API, price({ provider_slug: 'openrouter', model: 'a/mine', input_usd_per_million: '9' }));

  const page = await browse(t, proxy, PAGE, { expected: /^(400|502|503) POST \/admin\/api\/pricing\/catalog\/preview/ });
  const missing = card(page, 'Missing Prices');
  await missing.getByText('a/new').waitFor();
  const sync = card(page, 'Catalog Sync');
  await sync.getByLabel('Source').selectOption('openrouter');
  await sync.getByLabel('Provider rows').uncheck();
  await sync.getByLabel('Model limit').fill('0');
  await sync.getByText('1 to 100').waitFor();
  assert.equal(await sync.getByRole('button', { name: 'Preview' }).isDisabled(), true);
  await sync.getByLabel('Model limit').fill('10');

  let release;
  hold = new Promise((done) => (release = done));
  await sync.getByRole('button', { name: 'Preview' }).click();
  await sync.getByRole('button', { name: 'Stop' }).click();
  await sync.getByText('Stopped. Nothing was stored.').waitFor();
  release();
  hold = null;
  await until(async () => {
    await sync.getByRole('button', { name: 'Preview' }).click();
    await sync.getByText(/3 rows|Another catalogue/).first().waitFor();
    return sync.getByText('3 rows').isVisible();
  }, 'the preview');
  const row = (model) => rows(sync).filter({ hasText: model });
  assert.match(await row('a/new').innerText(), /new\s+a\/new\s+<b>New<\/b>\s+base\s+\$0\.11\s+-\s+\$0\.33\s+32\.8k\s+Yes\s+20\d\d-/);
  assert.match(await row('a/mine').innerText(), /update\s*edited by you[\s\S]*\$9\.00 → \$3\.00[\s\S]*\$2\.00 → \$4\.00/);
  assert.match(await row('a/known').innerText(), /unchanged/);
  const ticks = async () => (await sync.getByRole('checkbox', { name: /^Apply / }).evaluateAll((all) => all.map((one) => one.checked))).join();
  assert.equal(await ticks(), 'true,false,false', 'what is new is ticked, what a person changed is not');
  await sync.getByRole('button', { name: 'None', exact: true }).click();
  assert.equal(await sync.getByRole('button', { name: 'Apply selected' }).isDisabled(), true);
  await sync.getByRole('button', { name: 'Only updates' }).click();
  assert.equal(await ticks(), 'false,false,true');
  await sync.getByRole('button', { name: 'All', exact: true }).click();
  await sync.getByRole('checkbox', { name: 'Apply openrouter:a/mine' }).uncheck();
  await sync.getByRole('button', { name: 'Apply 2 selected' }).click();
  await sync.getByText('2 prices applied: 1 created, 0 updated, 1 unchanged. 1 request got a cost.').waitFor();
  assert.equal((await found(proxy, 'a/new')).output_usd_per_million, 0.33);
  assert.equal((await found(proxy, 'a/mine')).input_usd_per_million, 9, 'what was not ticked stays');
  await router.close?.();
});

test('PR-05 models without a price are listed, and a price is begun with their names', { skip: NO_BROWSER }, async (t) => {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, { upstream });
  await change(proxy, 'POST', '/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  for (const model of ['odd', 'odd'])
    await proxy.request('POST', '/v1/chat/completions', {
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
    });
  await until(async () => (await proxy.rows('where=is:unpriced')).length === 2, 'two requests without a cost');
  const page = await browse(t, proxy, PAGE);
  const missing = card(page, 'Missing Prices');
  assert.match(await rows(missing).first().innerText(), /odd\s+lab\s+2/);
  await missing.getByRole('link', { name: 'Create price for odd' }).click();
  const sheet = page.getByRole('dialog', { name: 'New price' });
  assert.equal(await sheet.getByLabel('Model').inputValue(), 'odd');
  assert.equal(await sheet.getByLabel('Provider').inputValue(), 'lab');
  await sheet.getByLabel('Input, USD / 1M *', { exact: true }).fill('1');
  await sheet.getByLabel('Output, USD / 1M').fill('1');
  await sheet.getByRole('button', { name: 'Save price' }).click();
  await page.getByRole('dialog', { name: 'Lab: odd' }).waitFor();
  await missing.getByRole('button', { name: 'Reprice missing' }).click();
  await missing.getByText('2 of 2 requests without a cost got one.').waitFor();
  await missing.getByText('Every answered request has a cost.').waitFor();
});
