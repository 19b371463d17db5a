/* /admin/runs and /admin/runs/{id} in a browser. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { browse, NO_BROWSER as skip } from './browser.mjs';
import { mock, start } from './proxy.mjs';
import { until } from './until.mjs';

/* What these tests provoke: a name that is missing, a run that is not there, a broken comparison. */
const EXPECTED = /^400 .*\/api\/runs\/|^404 .*(runs\/|run=)77|^500 .*\/what-if/;
const JSON_TYPE = ['Content-Type', 'application/json'];

async function post(proxy, target, value) {
  const answer = await proxy.request('POST', target, { fields: [JSON_TYPE], body: JSON.stringify(value ?? {}) });
  return answer.json;
}
const chat = (proxy, model = 'bench') =>
  post(proxy, '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hello' }] });
const begin = async (proxy, name, notes) => (await post(proxy, '/api/runs/start', { name, notes })).run;

async function open(t, options = {}) {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0', '--tokens', '20', '--cached', '50']);
  const proxy = await start(t, { upstream });
  await post(proxy, '/admin/api/routes', {
    model: 'bench', upstream_url: upstream.url, upstream_model: 'gpt-5.4-mini', provider_slug: 'openai',
  });
  const page = await browse(t, proxy, '/healthz', { expected: EXPECTED, ...options });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const go = (target) => page.goto(proxy.url + target);
  return { proxy, page, go };
}

const text = (locator) => locator.innerText();
const shows = (page, wanted) => page.getByText(wanted).first().waitFor();

test('without runs the page says what one is for, and starts it', { skip }, async (t) => {
  const { page, go } = await open(t);
  await go('/admin/runs');
  await shows(page, 'No runs yet');
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.getByRole('alert').getByText('Run name is required.').waitFor();
  await page.getByLabel('Run name').fill('<b>bench</b>');
  await page.getByLabel('Notes').fill('first try');
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.waitForURL(/\/admin\/runs\/1$/);
  assert.match(await text(page.locator('h1')), /Run: <b>bench<\/b>/);
  await shows(page, 'first try');
  await shows(page, 'No requests yet');
  assert.match(await page.title(), /^Run: <b>bench<\/b> - /);
});

test('the list follows its runs, and what is typed beside it stays', { skip }, async (t) => {
  const { proxy, page, go } = await open(t);
  await begin(proxy, 'one');
  await go('/admin/runs');
  const row = page.locator('#run-1');
  await row.waitFor();
  await page.getByLabel('Run name').pressSequentially('tw');
  await chat(proxy);
  await chat(proxy);
  await chat(proxy, 'mock,status=429');
  await row.locator('.requests, td').getByText('3', { exact: true }).first().waitFor();
  await row.getByText('1 Error').waitFor();
  const counts = await text(page.getByLabel('All runs together'));
  assert.match(counts, /1 shown[\s\S]*1 active[\s\S]*0 paused[\s\S]*3 requests[\s\S]*tokens[\s\S]*\$0\.\d+ cost/);
  await page.getByLabel('Run name').pressSequentially('o');
  assert.equal(await page.getByLabel('Run name').inputValue(), 'two');

  await page.getByRole('button', { name: /^Start run \(ends “ ?one ?”\)/ }).click();
  const dialog = page.getByRole('dialog');
  assert.match(await text(dialog), /“one” ends, and cannot be resumed/);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await proxy.api('/api/runs')).active_run.name, 'one');
});

test('a run is paused, resumed, renamed and ended from its row', { skip }, async (t) => {
  const { proxy, page, go } = await open(t);
  await begin(proxy, 'first');
  await go('/admin/runs');
  await page.locator('#run-1').getByRole('button', { name: 'Pause' }).click();
  await page.locator('#run-1').getByText('paused').waitFor();
  await begin(proxy, 'second');
  const first = page.locator('#run-1');
  await page.locator('#run-2').waitFor();
  await first.getByRole('button', { name: 'Resume' }).click();
  assert.match(await text(page.getByRole('dialog')), /“second” is paused, and “first” goes on/);
  await page.getByRole('button', { name: 'Resume run' }).click();
  await page.locator('#run-2').getByText('paused').waitFor();
  await first.locator('td.status').getByText('active').waitFor();

  await first.getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('');
  await chat(proxy);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').getByText('Run name is required.').waitFor();
  await dialog.getByLabel('Name').fill('renamed');
  await dialog.getByLabel('Notes').fill('with notes');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await first.getByText('renamed').first().waitFor();
  assert.equal((await proxy.api('/api/runs')).items.find((r) => r.id === 1).notes, 'with notes');

  await first.getByRole('button', { name: 'End run' }).click();
  assert.match(await text(page.getByRole('dialog')), /“renamed” cannot be resumed after its end/);
  await page.getByRole('dialog').getByRole('button', { name: 'End run' }).click();
  await first.getByText('complete').waitFor();
  assert.equal(await first.getByRole('button', { name: 'Pause' }).count(), 0);

  await page.getByLabel('Find').fill('SECOND');
  await page.waitForURL(/q=SECOND/);
  assert.equal(await page.locator('table.runs tbody tr').count(), 1);
  await page.locator('.fields select').selectOption('complete');
  await shows(page, 'No run matches');
  await go('/admin/runs?sort=run&order=asc');
  await page.locator('#run-1').waitFor();
  assert.equal(await page.locator('table.runs tbody tr').first().getAttribute('id'), 'run-1');
});

test('a run tells its figures, what they mean, and what goes on', { skip }, async (t) => {
  const { proxy, page, go } = await open(t);
  await begin(proxy, 'bench');
  for (let i = 0; i < 3; i++) await chat(proxy);
  await chat(proxy, 'mock,status=503');
  await go('/admin/runs/1');
  await shows(page, 'LIVE');
  const stat = (name) => page.locator('.stats li').filter({ has: page.getByText(name, { exact: true }) });
  assert.match(await text(stat('Requests')), /4/);
  assert.match(await text(stat('Success')), /3\s+75%/);
  assert.match(await text(stat('Errors')), /1\s+25%/);
  assert.match(await text(stat('Cached share')), /[1-9][\d.]*%/);
  const described = await stat('LLM wall time').getAttribute('aria-describedby');
  assert.match(await page.locator(`#${described}`).textContent(), /first request to the end of the last/);
  for (const part of ['Run health', 'Top models', 'Status codes', 'Signals', 'What it would have cost', 'Run insights', 'Recent traffic'])
    await page.getByRole('heading', { name: part }).waitFor();
  await chat(proxy);
  await stat('Requests').getByText('5', { exact: true }).waitFor();

  await page.getByRole('button', { name: /^Pause/ }).first().waitFor();
  await page.locator('.run .title').getByRole('button', { name: 'Pause' }).click();
  await shows(page, 'Traffic is still captured, outside of this run');
  await shows(page, 'PAUSED');
  await page.locator('.run .title').getByRole('button', { name: 'Resume' }).click();
  await shows(page, 'LIVE');
  await page.locator('.run .title').getByRole('button', { name: 'End run' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End run' }).click();
  await shows(page, 'DONE');

  await page.getByRole('tab', { name: 'Overview' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForURL(/tab=traffic/);
  assert.equal(await page.locator('table.requests tbody tr').count(), 5);
  assert.equal(await page.getByRole('columnheader', { name: 'Run', exact: true }).count(), 0);
  await page.reload();
  await page.locator('table.requests tbody tr').first().waitFor();
  await page.getByRole('link', { name: 'Errors' }).click();
  await page.waitForURL(/\/admin\?run=1&error=1$/);
  await page.goBack();
  await page.locator('table.requests tbody tr td.status').first().click();
  await page.waitForURL(/\/admin\/requests\/5$/);

  await go('/admin/runs/1?tab=models');
  await page.getByRole('link', { name: 'bench', exact: true }).first().waitFor();
  await page.getByRole('link', { name: '/v1/chat/completions' }).waitFor();
  await page.keyboard.press('5');
  await page.waitForURL(/tab=diagnostics/);
  await shows(page, 'Error rate');
  await page.getByRole('link', { name: '503' }).waitFor();
  await page.locator('table.errors tbody tr').nth(1).waitFor();
  const groups = page.locator('section.card', { has: page.getByRole('heading', { name: 'Errors', exact: true }) });
  assert.match(await text(groups.locator('tbody tr')), /503[\s\S]*1 ×[\s\S]*#4/);
  const slowest = page.locator('section.card', { has: page.getByRole('heading', { name: 'Slowest' }) });
  assert.equal(await slowest.locator('tbody tr').count(), 5);
});

test('what a run would have cost is compared in the address', { skip }, async (t) => {
  const { proxy, page, go } = await open(t);
  await begin(proxy, 'bench');
  await chat(proxy);
  await chat(proxy);
  await go('/admin/runs/1?tab=whatif');
  await shows(page, '2 compared');
  const rows = page.locator('table.whatif tbody tr');
  assert.match(await text(rows.first()), /^Current run/);
  assert.match(await text(rows.nth(1)), /GPT-5\.5[\s\S]*\+\$0\.\d+ · \+[\d.]+%/);
  const picker = page.getByLabel('Model to compare with');
  await picker.fill('half a na');
  await chat(proxy);
  await rows.nth(1).locator('td').nth(10).getByText('3', { exact: true }).waitFor();
  assert.equal(await picker.inputValue(), 'half a na');
  const add = async (what) => {
    await picker.fill(what);
    await page.getByRole('button', { name: 'Compare' }).click();
  };
  await add('no such model');
  await shows(page, 'Choose one of the active prices.');
  await add('openai:gpt-5.5');
  await shows(page, 'GPT-5.5 is already compared.');
  await add('anthropic:claude-haiku-4-5');
  await shows(page, '3 compared');
  assert.deepEqual(new URL(page.url()).searchParams.getAll('key'), ['openai:gpt-5.5', 'openai:gpt-5.4-mini', 'anthropic:claude-haiku-4-5']);
  await page.reload();
  await shows(page, '3 compared');

  await page.getByRole('button', { name: 'Copy as CSV' }).click();
  await shows(page, 'Copied');
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).trim().split(/\r?\n/);
  assert.equal(lines.length, 5);
  assert.equal(new Set(lines.map((line) => line.split(',').length)).size, 1);
  assert.match(lines[0], /^"Scenario","Provider","Model","Input tokens"/);

  for (let left = 3; left > 0; left--) {
    await page.getByRole('button', { name: /^Remove/ }).first().click();
    await shows(page, `${left - 1} compared`);
  }
  await shows(page, 'Nothing is compared');
  assert.deepEqual(new URL(page.url()).searchParams.getAll('key'), ['']);
  await page.reload();
  await shows(page, '0 compared');
  await go('/admin/runs/1?tab=whatif&key=no:such');
  await shows(page, 'No active model prices matched the selected comparison.');
  await page.route('**/what-if*', (route) => route.fulfill({ status: 500, json: { detail: 'broken' } }));
  await go('/admin/runs/1?tab=whatif&key=x');
  await shows(page, 'The comparison is not available: broken');
});

test('a run that is not there is not found, and a phone has no sideways scrolling', { skip }, async (t) => {
  const { proxy, page, go } = await open(t, { width: 390, height: 844 });
  await go('/admin/runs/77');
  await shows(page, 'Run not found');
  await begin(proxy, 'a-name-that-is-very-long-and-has-no-place-to-break-'.repeat(4));
  await chat(proxy);
  for (const target of ['/admin/runs', '/admin/runs/1', '/admin/runs/1?tab=traffic', '/admin/runs/1?tab=whatif', '/admin/runs/1?tab=diagnostics']) {
    await go(target);
    await page.locator('main .rows, main .sides').first().waitFor();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${target} is ${over} px too wide`);
  }
  await go('/admin/runs');
  const card = page.locator('#run-1');
  await card.getByRole('link', { name: /^Open/ }).waitFor();
  await card.getByRole('button', { name: /^Pause/ }).waitFor();
  assert.match(await text(card), /1\s+requests[\s\S]*LLM wall time[\s\S]*tokens/);
  await until(async () => (await card.boundingBox()).width <= 390, 'a card that fits');
});
