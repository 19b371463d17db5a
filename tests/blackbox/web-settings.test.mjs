/* The settings of the web admin in a browser: the frame, server, routing and data. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { mock, start } from './proxy.mjs';
import { ms, until } from './until.mjs';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const options = { skip: !BROWSER && !process.env.CI && 'there is no chromium' };
const SECTIONS = ['server', 'routing', 'providers', 'pricing', 'diagnostics', 'data'];

let browser;
before(async () => {
  if (!options.skip) browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] }); // prettier-ignore
});
after(() => browser?.close());

/** A proxy with a mock behind it, and a page of its settings that may complain of nothing. */
async function open(t, section, { size = [1400, 1000], refused = [], ...more } = {}) {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, { upstream, ...more });
  const page = await browser.newPage({ viewport: { width: size[0], height: size[1] } });
  const wrong = [];
  page.setDefaultTimeout(ms(5000));
  page.on('pageerror', (error) => wrong.push(error.stack));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== proxy.url) wrong.push(request.url());
  });
  page.on('response', (answer) => {
    if (answer.status() >= 400 && !refused.includes(answer.status())) wrong.push(`${answer.status()} ${answer.url()}`); // prettier-ignore
  });
  t.after(async () => {
    await page.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(`${proxy.url}/admin/settings/${section}`);
  await page.locator('.sums').or(page.locator('.section .card')).first().waitFor();
  return { proxy, page, upstream };
}

const card = (page, title) => page.locator('.card', { has: page.getByRole('heading', { name: title, exact: true }) }); // prettier-ignore
const button = (where, name) => where.getByRole('button', { name, exact: true });
const dialog = (page) => page.locator('dialog:has(.sheet)');
const isFocused = (field) => field.evaluate((e) => e === document.activeElement);
const has = (locator, pattern) =>
  until(async () => pattern.test((await locator.allInnerTexts()).join('\n')), () => String(pattern), ms(5000)); // prettier-ignore

async function post(proxy, target, value, method = 'POST') {
  const answer = await proxy.request(method, target, {
    fields: [['Content-Type', 'application/json']],
    body: JSON.stringify(value),
  });
  assert.equal(answer.status, 200, `${target}: ${answer.text}`);
  return answer.json;
}
const chat = (proxy, model) => post(proxy, '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] }); // prettier-ignore
const route = (proxy, incoming_model, more = {}) =>
  post(proxy, '/admin/api/routes', { incoming_model, upstream_url: 'http://localhost:9/v1', ...more }); // prettier-ignore

test('all sections have one navigation, the facts of the server, and no sideways scrolling', options, async (t) => {
  const { proxy, page } = await open(t, '');
  assert.match(page.url(), /\/admin\/settings\/server$/, 'the first section');
  const nav = page.getByRole('navigation', { name: 'Sections of the settings' });
  for (const section of SECTIONS) {
    if (section === 'data') await page.keyboard.press('6');
    else await nav.locator(`a[href="/admin/settings/${section}"]`).click();
    const here = nav.locator('[aria-current="page"]');
    await until(async () => (await here.getAttribute('href')).endsWith(section), section);
    assert.equal(await page.title(), 'Settings - LLM Observe Proxy');
    assert.equal(await page.locator('h1').innerText(), 'Settings');
    await has(page.locator('.hero'), new RegExp(`${await here.innerText()}[^]*0 stored rows`));
    await has(page.locator('.environment'), new RegExp(`:${proxy.port}[^]*Version`));
    for (const width of [320, 800, 1180]) {
      await page.setViewportSize({ width, height: 900 });
      const [seen, room, rail] = await page.evaluate(() => [
        document.documentElement.scrollWidth, innerWidth,
        getComputedStyle(document.querySelector('.rail nav')).display,
      ]); // prettier-ignore
      assert(seen <= room, `${section} is ${seen} wide on ${room}`);
      assert.equal(rail, width >= 1180 ? 'grid' : 'flex');
    }
  }
});

test('a field that is wrong keeps what was typed, says why and has the focus', options, async (t) => {
  const { proxy, page } = await open(t, 'server', { refused: [400] });
  const port = page.getByLabel('Incoming port');
  const save = button(page, 'Save listener settings');
  await port.fill('70000');
  await has(card(page, 'Incoming Server'), /Unsaved changes/);
  await save.click();
  await has(card(page, 'Incoming Server'), /between 1 and 65535/);
  assert.equal(await port.getAttribute('aria-invalid'), 'true');
  assert.equal(await port.inputValue(), '70000');
  await until(() => isFocused(port), 'the focus in the field');

  await port.fill('18999');
  assert.equal(await port.getAttribute('aria-invalid'), null);
  await save.click();
  await button(page, 'Saved').waitFor();
  await save.waitFor();
  await has(card(page, 'Incoming Server'), new RegExp(`Running on [^]*:${proxy.port}[^]*Saved for next start: \\S+:18999`)); // prettier-ignore
  await has(page.locator('.environment'), /At the next start[^]*18999/);
  assert.equal(await card(page, 'Incoming Server').locator('.unsaved').count(), 0);

  const url = page.getByLabel('Global upstream URL');
  await url.fill('nonsense');
  await button(page, 'Save fallback').click();
  await until(() => isFocused(url), 'the focus in the field that the server refuses');
  await has(card(page, 'Global Upstream Fallback Defaults'), /absolute/);
  assert.equal(await url.inputValue(), 'nonsense');
});

test('exposing the proxy asks first', options, async (t) => {
  const { proxy, page } = await open(t, 'server');
  await page.getByLabel('Incoming port').fill('18999');
  await page.getByLabel('Expose on LAN').check();
  await has(card(page, 'Incoming Server'), /Every machine/);
  const saved = async () => (await proxy.api('/admin/api/settings/summary')).listener.expose_all_ips;
  await button(page, 'Save listener settings').click();
  await has(dialog(page), /Expose the proxy[^]*token/);
  assert.equal(await dialog(page).evaluate((d) => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Escape');
  await has(card(page, 'Incoming Server'), /Not saved/);
  assert.equal(await saved(), false);
  await button(page, 'Save listener settings').click();
  await button(dialog(page), 'Expose it').click();
  await until(saved, 'it to be saved');
});

test('what is not saved is asked about before it goes', options, async (t) => {
  const { page } = await open(t, 'routing');
  await page.goto(`${new URL(page.url()).origin}/admin/settings/server`);
  await page.getByRole('link', { name: 'Data', exact: true }).click();
  await card(page, 'Storage Stats').waitFor();
  await page.getByRole('link', { name: 'Server', exact: true }).click();
  const model = page.getByLabel('Default model');
  await model.fill('mine');
  await page.getByRole('link', { name: 'Requests', exact: true }).click();
  await has(dialog(page), /Global Upstream Fallback Defaults[^]*not saved/);
  await button(dialog(page), 'Cancel').click();
  assert.match(page.url(), /settings\/server$/);
  assert.equal(await model.inputValue(), 'mine');
  await page.goBack();
  await button(dialog(page), 'Cancel').click();
  assert.match(page.url(), /settings\/server$/);
  assert.equal(await model.inputValue(), 'mine');
  await page.goBack();
  await button(dialog(page), 'Leave without saving').click();
  await page.waitForURL(/settings\/data$/);
  await page.getByRole('link', { name: 'Requests', exact: true }).click();
  await page.waitForURL(/\/admin$/);
});

test('fallback and fixes are saved, and a fix that does not exist is told before', options, async (t) => {
  const { proxy, page } = await open(t, 'server');
  const fallback = card(page, 'Global Upstream Fallback Defaults');
  await has(fallback, /Inactive[^]*goes to \S+ as it is/);
  await page.getByLabel('Default provider').selectOption('openai');
  await page.getByLabel('Default model').fill('gpt-x');
  await has(fallback, /goes to OpenAI as gpt-x/);
  await button(page, 'Save fallback').click();
  await has(fallback, /Enabled/);
  await has(page.locator('.sum.strong'), /OpenAI \/ gpt-x/);

  const fixes = card(page, 'Default Compatibility Fixes');
  await has(fixes, /Inactive[^]*Risk: [^]*chat\/completions[^]*streams/);
  await fixes.getByText('Advanced manual edit').click();
  const ids = fixes.getByLabel('Ids in their order');
  await ids.fill('no-such-fix');
  await button(fixes, 'Save fixes').click();
  await has(fixes, /no fix “no-such-fix”/);
  await ids.fill('');
  await fixes.getByLabel('Qwen tagged').check();
  await fixes.getByLabel('Tool-call arguments repair').check();
  assert.match(await ids.inputValue(), /^qwen-\S+\ntool-\S+$/);
  await button(fixes, 'Tool-call arguments repair: earlier').click();
  await button(fixes, 'Save fixes').click();
  await has(fixes, /Configured/);
  const saved = (await proxy.api('/admin/api/settings/compat-fixes')).compatibility_fixes;
  assert.deepEqual(saved, ['tool-arguments-json-repair', 'qwen-tagged-tool-call-rewrite']);
});

test('a model is looked up, recent ones are listed, and a test is sent', options, async (t) => {
  const { proxy, page } = await open(t, 'server');
  await route(proxy, 'tiny-*', { match_type: 'prefix', provider_slug: 'openai' });
  await chat(proxy, 'other-model');
  await until(async () => (await proxy.rows()).length === 1, 'the row');
  await page.reload();
  const models = card(page, 'Model Routes Summary');
  await has(models.getByRole('region'), /other-model[^]*1[^]*No match/);
  const field = models.getByLabel('Model, as a client names it');
  await field.pressSequentially('tiny', { delay: 5 });
  await until(() => models.locator('datalist option').count(), 'a suggestion');
  await field.fill('tiny-9');
  await button(models, 'Look up').click();
  await has(models, /Matched[^]*tiny-\* \(prefix\)[^]*OpenAI[^]*curl http[^]*from openai import/);
  assert.match(page.url(), /model=tiny-9/);
  await field.fill('');
  await field.pressSequentially('tiny-*', { delay: 5 });
  await page.waitForURL(/model=tiny-\*/);
  assert(await isFocused(field), 'a suggestion that is typed in full does not take the field away');
  await models.getByRole('link', { name: 'other-model' }).click();
  await has(models.locator('.result'), /No match/);

  const tests = card(page, 'Test Route / Diagnostics');
  assert.equal(await tests.getByLabel('Model').inputValue(), 'gpt-test');
  for (const [name, kind] of [['Run test', 'simple'], ['Image message', 'image'], ['Function call', 'tools']]) {
    await button(tests, name).click();
    await has(tests.locator('.result'), new RegExp(`OK 200[^]*${kind}[^]*Global fallback[^]*Took[^]*choices`));
  }
  assert.equal((await proxy.rows()).length, 1, 'tests are not captured');
});

test('trimming needs the count, a tick and a yes', options, async (t) => {
  const { proxy, page } = await open(t, 'data');
  const trim = card(page, 'Data Retention');
  await has(trim, /0 records older than 30 days[^]*Nothing is that old/);
  assert(await button(trim, 'Trim records').isDisabled());
  for (let i = 0; i < 3; i++) await chat(proxy, 'm');
  await until(async () => (await proxy.rows()).length === 3, 'the rows');
  const aged = spawnSync('sqlite3', ['-cmd', '.timeout 5000', proxy.database,
    'UPDATE requests SET created_us = created_us - 20 * 86400000000 WHERE id <= 2']); // prettier-ignore
  assert.equal(aged.status, 0, String(aged.stderr));

  const days = trim.getByLabel('Retain days');
  await days.fill('0');
  await has(trim, /from 1 to 3650/);
  await days.fill('10');
  await has(trim, /2 records older than 10 days/);
  await page.waitForURL(/days=10/);
  await has(page.locator('.sum.strong'), /Older than 10 days[^]*2/);
  await trim.getByLabel('I understand').check();
  await button(trim, 'Trim records').click();
  await has(dialog(page), /Trim 2 records\?[^]*older than 10 days/);
  await button(dialog(page), 'Cancel').click();
  assert.equal((await proxy.rows()).length, 3);
  await button(trim, 'Trim records').click();
  await button(dialog(page), 'Trim 2 records').click();
  await has(page.locator('.toast'), /2 records deleted/);
  await has(trim, /2 records deleted/);
  await has(card(page, 'Storage Stats'), /Records\s+1\s/);
  assert.equal((await proxy.rows()).length, 1);
});

test('the data section shows what is stored, and compacts it', options, async (t) => {
  const { proxy, page } = await open(t, 'data');
  const stats = card(page, 'Storage Stats');
  await has(stats, /Records\s+0[^]*Database file\s+[\d.]+ [KM]iB[^]*traffic\.sqlite3/);
  assert.doesNotMatch(await stats.innerText(), /\dT\d\d:/, 'no raw times');
  await button(stats, 'Compact (vacuum)').click();
  await has(dialog(page), /Compact the database/);
  await button(dialog(page), 'Compact database').click();
  await has(stats, /The database is compact/);
  await button(stats, 'Check for damage').click();
  await has(stats, /The database is sound/);
  await proxy.healthy();
});

test('routes are added, changed, copied, switched off and deleted', options, async (t) => {
  const env = { LLM_OBSERVE_MODELS_JSON: JSON.stringify([{ model: 'fixed', upstream_url: 'http://localhost:9/v1' }]) }; // prettier-ignore
  const { proxy, page } = await open(t, 'routing', { env, refused: [400] });
  const all = () => proxy.api('/admin/api/routes');
  const before = (await all()).total;
  const registry = page.getByRole('region', { name: 'Routes', exact: true });
  const row = (name) => registry.locator('tbody tr', { has: page.getByText(name, { exact: true }) });
  await has(row('fixed'), /Startup[^]*Locked/);
  const act = async (name, action) => {
    await button(row(name), `Actions for ${name}`).click();
    await row(name).locator('.menu').getByText(action, { exact: true }).click();
  };

  await page.getByRole('link', { name: 'Add route' }).click();
  const sheet = page.locator('dialog.side');
  await has(sheet, /New route/);
  await button(sheet, 'Save route').click();
  await has(sheet, /needs a model[^]*ends in \/v1/);
  const model = sheet.getByLabel('Incoming model');
  await until(() => isFocused(model), 'the focus in the first wrong field');
  await model.fill('fresh-model');
  await sheet.getByLabel('Route upstream URL').fill('http://localhost:9/v1');
  await sheet.getByLabel('Send as model').fill('renamed');
  await sheet.getByLabel('Priority').fill('5');
  await has(sheet, /Requests for fresh-model go to http:\/\/localhost:9\/v1 as renamed/);
  await button(sheet, 'Save route').click();
  await page.waitForURL(/route=\d+/);
  await has(row('fresh-model'), /UI[^]*exact[^]*renamed[^]*Auto[^]*Default[^]*5[^]*Active/);
  assert.equal((await all()).total, before + 1);

  await sheet.getByLabel('Send as model').fill('again');
  await button(sheet, 'Save route').click();
  await button(sheet, 'Saved').waitFor();
  await sheet.getByLabel('Send as model').fill('once more');
  await button(sheet, 'Close').first().click();
  await has(dialog(page), /Route fresh-model/);
  await button(dialog(page), 'Leave without saving').click();
  await sheet.waitFor({ state: 'detached' });
  await has(row('fresh-model'), /again/);

  const other = await route(proxy, 'fresh-*', { match_type: 'prefix', priority: 1 });
  await row('fresh-model').getByRole('link').click();
  await has(sheet, /Another route goes before this one: fresh-\* \(prefix, UI, priority 1\)/);
  await page.keyboard.press('Escape');
  assert.equal((await proxy.request('DELETE', `/admin/api/routes/${other.id}`)).status, 200);

  await act('fresh-model', 'Duplicate');
  await sheet.getByLabel('Incoming model').fill('fresh-model');
  assert.equal(await sheet.getByLabel('Send as model').inputValue(), 'again');
  await button(sheet, 'Save route').click();
  await has(sheet, /already exists/);
  assert.equal(await sheet.getByLabel('Incoming model').getAttribute('aria-invalid'), 'true');
  await sheet.getByLabel('Incoming model').fill('copied-model');
  await button(sheet, 'Save route').click();
  await has(row('copied-model'), /again/);
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'detached' });

  await act('copied-model', 'Disable');
  await has(row('copied-model'), /Inactive/);
  await page.getByLabel('Status').selectOption('inactive');
  await page.waitForURL(/status=inactive/);
  await until(async () => (await registry.locator('tbody tr').count()) === 1, 'one inactive route');
  await button(page, 'Reset').click();
  await page.getByLabel('Search', { exact: true }).fill('fresh-mod');
  await page.waitForURL(/search=fresh-mod/);
  await until(async () => (await registry.locator('tbody tr').count()) === 1, 'one row');
  await act('fresh-model', 'Delete');
  await has(dialog(page), /fresh-model/);
  await button(dialog(page), 'Delete route').click();
  await has(card(page, 'Route Registry'), /No route matches these filters/);
  assert.equal((await all()).total, before + 1);
  await page.reload();
  assert.equal(await page.getByLabel('Search', { exact: true }).inputValue(), 'fresh-mod');
});

test('the keyboard opens a route, and a draft survives what happens elsewhere', options, async (t) => {
  const { proxy, page } = await open(t, 'routing', { size: [1180, 900] });
  const made = await route(proxy, 'by-key', { priority: 1 });
  await page.reload();
  const link = page.getByRole('link', { name: /^by-key/ });
  await link.focus();
  await page.keyboard.press('Enter');
  const sheet = page.locator('dialog.side');
  await has(sheet.locator('h2'), /by-key/);
  const target = sheet.getByLabel('Send as model');
  await target.fill('my draft');
  await post(proxy, `/admin/api/routes/${made.id}`, { incoming_model: 'by-key', upstream_url: 'http://localhost:9/v1', upstream_model: 'theirs' }, 'PUT'); // prettier-ignore
  await button(card(page, 'Fallback Routing Behavior'), 'Save fallback').evaluate((b) => b.click());
  await button(card(page, 'Fallback Routing Behavior'), 'Saved').waitFor();
  assert.equal(await target.inputValue(), 'my draft');
  await page.getByLabel('Status').selectOption('active');
  await page.waitForURL(/status=active/);
  await page.goBack();
  await until(() => !page.url().includes('status='), 'the filter to go');
  assert.equal(await target.inputValue(), 'my draft', 'Back among filters loses nothing');
  await target.focus();
  await page.keyboard.press('Escape');
  await button(dialog(page), 'Leave without saving').click();
  await until(() => isFocused(link), 'the focus where it was');
});

test('default routes are previewed, and applied after a yes with the counts', options, async (t) => {
  const { proxy, page } = await open(t, 'routing');
  const found = card(page, 'Default Route Discovery');
  const mine = (await proxy.api('/admin/api/routes?per_page=1')).items[0];
  if (mine) assert.equal((await proxy.request('DELETE', `/admin/api/routes/${mine.id}`)).status, 200);
  await button(found, 'Preview').click();
  await has(found, /\d+ candidates: \d+ insert[^]*Existing|Insert/);
  const plan = await post(proxy, '/admin/api/routes/defaults/preview', {});
  assert.equal(await found.locator('tbody tr').count(), plan.items.length);
  await button(found, 'Apply').click();
  await has(dialog(page), new RegExp(`${plan.inserted} routes are added and 0 changed`));
  await button(dialog(page), 'Apply default routes').click();
  await has(found, new RegExp(`Applied[^]*${plan.inserted} insert`));
  const total = (await proxy.api('/admin/api/routes')).total;
  await has(page.locator('.sum').first(), new RegExp(`Active routes[^]*${total}`));
});

test('the simulator tells why, and usage leads to the requests', options, async (t) => {
  const { proxy, page, upstream } = await open(t, 'routing');
  await route(proxy, 'sim-*', { match_type: 'prefix', upstream_url: upstream.url, priority: 3 });
  await route(proxy, 'sim-1', { upstream_url: upstream.url, active: false, priority: 2 });
  await route(proxy, 'sim*', { match_type: 'prefix', priority: 3 });
  await chat(proxy, 'sim-1');
  await until(async () => (await proxy.rows()).length === 1, 'the row');
  await page.reload();
  const simulator = card(page, 'Route Simulator');
  await button(simulator, 'Simulate').click();
  await has(simulator, /Name a model/);
  await simulator.getByLabel('Model').fill('sim-1');
  await button(simulator, 'Simulate').click();
  await has(simulator, /Matched[^]*sim-\* \(prefix\)/);
  const why = await simulator.locator('.why-list li').allInnerTexts();
  assert.match(why[0], /^sim-1 .*priority 2: inactive$/);
  assert.match(why[1], /^sim-\* .*priority 3: chosen$/);
  assert.match(why[2], /^sim\* .*a longer prefix goes before a shorter one$/);
  await simulator.getByText('Sample request').click();
  await has(simulator, /curl http[^]*POST http\S+\/chat\/completions[^]*"model"/);

  const used = card(page, 'Recent Route Usage');
  await has(used, /sim-\*\s+1\s/);
  await used.getByRole('link', { name: 'sim-*' }).click();
  await page.waitForURL(/\/admin\?route=sim-\*/);
});
