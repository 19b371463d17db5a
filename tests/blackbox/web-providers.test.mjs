/* Settings of the web admin: providers, and diagnostics. */
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { browse, NO_BROWSER } from './browser.mjs';
import { mock, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const PAGE = '/admin/settings/providers';
const API = '/admin/api/providers';

async function change(proxy, method, target, value) {
  const answer = await proxy.request(method, target, {
    fields: [['Content-Type', 'application/json']],
    body: value === undefined ? undefined : JSON.stringify(value),
  });
  assert.equal(answer.status, 200, `${method} ${target}: ${answer.text}`);
  return answer.json;
}

/** A proxy with these providers and no others. */
async function withProviders(t, providers, options = {}) {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, { upstream, ...options });
  for (const { slug } of (await proxy.api(`${API}?per_page=100`)).items)
    await change(proxy, 'DELETE', `${API}/${slug}`);
  for (const [slug, more] of Object.entries(providers))
    await change(proxy, 'POST', API, { slug, name: `The ${slug}`, ...more });
  return { proxy, upstream };
}

/** A port where nothing listens. */
async function closedPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

const rows = (card) => card.locator('tbody tr');
const card = (page, name) => page.getByRole('region', { name, exact: true });

test('PV-01 the registry is filtered by the address, and tells before it deletes what goes', { skip: NO_BROWSER }, async (t) => {
  const { proxy } = await withProviders(t, {
    lab: { upstream_url: 'http://127.0.0.1:9/v1', currency: 'EUR' },
    big: { upstream_url: 'https://api.big.example/v1' },
    old: { active: false },
  });
  await change(proxy, 'POST', '/admin/api/pricing/prices', { provider_slug: 'lab', model: 'm', input_usd_per_million: 1, output_usd_per_million: 2 });
  await change(proxy, 'POST', '/admin/api/routes', { incoming_model: 'm', upstream_url: 'http://127.0.0.1:9/v1', provider_slug: 'lab' });
  const page = await browse(t, proxy, PAGE);
  const registry = card(page, 'Provider Registry');
  await rows(registry).nth(2).waitFor();
  assert.match(await rows(registry).nth(1).innerText(), /The lab\s+lab\s+http:\/\/127\.0\.0\.1:9\/v1\s+EUR\s+Active\s+1 \/ 1/);
  assert.equal(await page.title(), 'Settings - LLM Observe Proxy');

  await registry.getByLabel('Status').selectOption('inactive');
  await until(async () => (await rows(registry).count()) === 1, 'one inactive provider');
  assert.match(page.url(), /status=inactive/);
  await page.goto(`${proxy.url}${PAGE}?search=lab`);
  await until(async () => (await rows(registry).count()) === 1, 'one provider found');
  await registry.getByLabel('Currency').selectOption('EUR');
  await until(() => /currency=EUR/.test(page.url()), 'the currency in the address');

  await registry.getByRole('button', { name: 'Delete The lab' }).click();
  const dialog = page.getByRole('dialog');
  assert.match(await dialog.innerText(), /its 1 price and .*1 route of it stays/s);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await proxy.api(API)).total, 3);
  await registry.getByRole('button', { name: 'Delete The lab' }).click();
  await dialog.getByRole('button', { name: 'Delete provider' }).click();
  await until(async () => (await proxy.api(API)).total === 2, 'the provider to be gone');
  await page.getByText('No provider is like that.').waitFor();
});

test('PV-02 a provider is added, refused with all that was typed, edited and tested', { skip: NO_BROWSER }, async (t) => {
  const { proxy, upstream } = await withProviders(t, { lab: {} });
  const page = await browse(t, proxy, PAGE, { expected: /^(404 GET|400 POST|409 PUT) \/admin\/api\/providers/ });
  await page.getByRole('link', { name: 'Add provider' }).click();
  const sheet = page.getByRole('dialog', { name: 'New provider' });
  await sheet.getByLabel('Provider name').fill('Lab');
  assert.equal(await sheet.getByLabel('Slug').inputValue(), 'lab', 'the slug is made of the name');
  await sheet.getByLabel('Base URL').fill('lab');
  await sheet.getByRole('button', { name: 'Save provider' }).click();
  await sheet.getByText('An absolute URL').waitFor();
  assert.equal(await sheet.getByLabel('Base URL').getAttribute('aria-invalid'), 'true');
  await sheet.getByLabel('Base URL').fill(upstream.url);
  await sheet.getByRole('button', { name: 'Save provider' }).click();
  await sheet.getByText('The slug lab is another provider’s.').waitFor();
  assert.equal((await proxy.api(`${API}/lab`)).upstream_url, null, 'the other provider is as it was');
  await sheet.getByLabel('Provider name').fill('Lab Two');
  await sheet.getByLabel('Slug').fill('lab-two');
  await sheet.getByLabel('API key env var').fill('not a name!');
  await sheet.getByLabel('Vision').check();
  await sheet.getByRole('button', { name: 'Save provider' }).click();
  await sheet.getByText('API key env must be').waitFor();
  assert.equal(await sheet.getByLabel('API key env var').getAttribute('aria-invalid'), 'true');
  assert.equal(await sheet.getByLabel('Base URL').inputValue(), upstream.url);
  await sheet.getByLabel('API key env var').fill('');
  await sheet.getByRole('button', { name: 'Save provider' }).click();

  const editor = page.getByRole('dialog', { name: 'Lab Two' });
  await editor.waitFor();
  assert.match(page.url(), /provider=lab-two/);
  assert.equal(await editor.getByLabel('Slug').getAttribute('readonly'), '');
  const stored = await proxy.api(`${API}/lab-two`);
  assert.deepEqual(stored.capabilities, { text: true, vision: true, tool_calling: false });
  await editor.getByRole('button', { name: 'Test provider' }).click();
  await editor.getByText('Healthy').waitFor();
  assert.match(await editor.locator('.tester').innerText(), /HTTP 200, \d+ ms, key: not configured/);

  await editor.getByLabel('Provider name').fill('Mine');
  await change(proxy, 'PUT', `${API}/lab-two`, { ...stored, name: 'Yours' });
  await editor.getByRole('button', { name: 'Save provider' }).click();
  await editor.getByText('was changed at').waitFor();
  assert.equal(await editor.getByLabel('Provider name').inputValue(), 'Mine');
  await editor.getByRole('button', { name: 'Discard and read again' }).click();
  await until(async () => (await page.getByLabel('Provider name').inputValue()) === 'Yours', 'what the other saved');
  await page.goto(`${proxy.url}${PAGE}?provider=nobody`);
  await page.getByText('There is no provider nobody.').waitFor();
});

test('PV-03 and PV-05 the default is saved and marked, and usage counts the day of the viewer', { skip: NO_BROWSER }, async (t) => {
  const { proxy, upstream } = await withProviders(t, { lab: {}, idle: {} });
  await change(proxy, 'PUT', `${API}/lab`, { name: 'The lab', upstream_url: upstream.url });
  await proxy.request('POST', '/v1/chat/completions', {
    fields: [['Content-Type', 'application/json']],
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
  });
  await proxy.captured('endpoint=chat');
  const page = await browse(t, proxy, PAGE);
  const fallback = page.getByRole('form', { name: 'Fallback Defaults' });
  await fallback.getByLabel('Default provider').selectOption('lab');
  await fallback.getByLabel('Default model').fill('big');
  await fallback.getByRole('button', { name: 'Save fallback' }).click();
  await card(page, 'Provider Registry').getByText('Default fallback').waitFor();
  assert.equal((await proxy.api('/admin/api/settings/summary')).upstream.default_model, 'big');

  const usage = card(page, 'Recent Provider Usage');
  await usage.getByRole('link', { name: 'View requests of The lab' }).waitFor();
  assert.match(await rows(usage).first().innerText(), /The lab\s+1\s/);
  assert.equal(await usage.getByText('The idle').isVisible(), false, 'those without traffic are folded away');
  await usage.getByText('1 provider without traffic today').click();
  await usage.getByText('The idle').waitFor();
  await usage.getByRole('link', { name: 'View requests of The lab' }).click();
  await page.getByRole('link', { name: '#1', exact: true }).waitFor();
});

test('PV-04 checks change row by row, tell what is wrong in words, and last', { skip: NO_BROWSER }, async (t) => {
  const upstreams = { good: 200, rejecting: 401, broken: 503 };
  const providers = { keyless: {}, none: {}, gone: { upstream_url: `http://127.0.0.1:${await closedPort()}/v1` } };
  const release = {};
  for (const [slug, status] of Object.entries(upstreams)) {
    const upstream = await scripted(t);
    const held = slug === 'broken' ? new Promise((done) => (release.broken = done)) : null;
    upstream.script('/v1/models', async (turn) => {
      await held;
      turn.json({ data: [] }, status);
    });
    providers[slug] = { upstream_url: upstream.url, api_key_env: slug === 'rejecting' ? 'LAB_KEY' : null };
    if (slug === 'good') providers.keyless = { upstream_url: `${upstream.url}/`, api_key_env: 'NO_SUCH_KEY' };
  }
  providers.keyless.upstream_url = providers.keyless.upstream_url.replace('127.0.0.1', 'localhost');
  const { proxy } = await withProviders(t, providers, { env: { LAB_KEY: 'k' } });
  const page = await browse(t, proxy, PAGE);
  const health = card(page, 'Provider Health');
  await health.getByText('No check has been run yet').waitFor();
  const row = (slug) => rows(health).filter({ hasText: `The ${slug}` });
  assert.match(await row('good').innerText(), /Not checked/);
  await health.getByRole('button', { name: 'Run health checks' }).click();
  await row('good').getByText('Healthy').waitFor();
  await row('rejecting').getByText('Auth rejected').waitFor();
  assert.match(await row('broken').innerText(), /Checking/, 'one row waits while others are done');
  release.broken();
  await row('broken').getByText('Error').waitFor();
  assert.match(await row('broken').innerText(), /HTTP 503/);
  await row('gone').getByText('Unreachable').waitFor();
  await row('none').getByText('No base URL').waitFor();
  assert.match(await row('keyless').innerText(), /Variable not set\s+Missing key/);
  await page.reload();
  await row('rejecting').getByText('Auth rejected').waitFor();
  assert.match(await row('rejecting').innerText(), /\d ms\s+Key sent/);
});

test('DG-01 to DG-04 diagnostics check, test, simulate, and keep what tests said', { skip: NO_BROWSER }, async (t) => {
  const { proxy, upstream } = await withProviders(t, {});
  await change(proxy, 'POST', '/admin/api/routes', { incoming_model: 'tiny', upstream_url: upstream.url, upstream_model: 'tiny-q4' });
  const page = await browse(t, proxy, '/admin/settings/diagnostics');
  await card(page, 'Provider Health').waitFor();
  const recent = card(page, 'Recent Test Results');
  await recent.getByText('No test has been run yet.').waitFor();
  const form = page.getByRole('form', { name: 'Test Upstream' });
  await form.getByLabel('Model').fill('tiny');
  for (const [button, kind] of [['Run test', 'Simple message'], ['Image message', 'Image message'], ['Function call', 'Function call']]) {
    await form.getByRole('button', { name: button }).click();
    await recent.locator('li').first().filter({ hasText: kind }).waitFor();
  }
  assert.equal(await recent.locator('li').count(), 3);
  await recent.locator('li').first().locator('summary').click();
  await recent.getByText('tiny-q4').first().waitFor();
  assert.match(await recent.locator('li').first().innerText(), /tiny\s+tiny\s+OK 200[\s\S]*chat\/completions[\s\S]*choices/);

  const simulator = page.getByRole('form', { name: 'Route Simulator' });
  await simulator.getByLabel('Model').fill('tiny');
  await simulator.getByRole('button', { name: 'Simulate' }).click();
  await page.getByText('A route matches.').waitFor();

  await page.reload();
  await until(async () => (await recent.locator('li').count()) === 3, 'the results to be there again');
  const kept = await page.evaluate(() => sessionStorage.getItem('lop.tests'));
  assert(!kept.includes('choices'), 'what a model said is not in the storage of the browser');
  assert.equal(await page.evaluate(() => Object.keys(localStorage).some((key) => /test/.test(key))), false);
});

test('no page of these is wider than the screen, however long the names', { skip: NO_BROWSER }, async (t) => {
  const slug = 'a'.repeat(60);
  const { proxy } = await withProviders(t, { [slug]: { name: 'N'.repeat(100), upstream_url: `https://${'x'.repeat(50)}.example/v1` } });
  const page = await browse(t, proxy, PAGE);
  for (const [width, height] of [[320, 800], [390, 844], [1180, 900]]) {
    await page.setViewportSize({ width, height });
    for (const target of [PAGE, `${PAGE}?provider=${slug}`, '/admin/settings/pricing', '/admin/settings/diagnostics']) {
      await page.goto(proxy.url + target);
      await page.locator('.registry, .empty').first().waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert(wide <= 0, `${target} at ${width} is ${wide} pixels too wide`);
    }
  }
});
