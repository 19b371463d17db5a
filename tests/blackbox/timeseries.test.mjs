/* GET /admin/api/metrics/timeseries, and the charts that a browser makes of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { browse, NO_BROWSER as skip } from './browser.mjs';
import { mock, sql, start } from './proxy.mjs';
import { until } from './until.mjs';

const JSON_TYPE = ['Content-Type', 'application/json'];
const TARGET = '/admin/api/metrics/timeseries';

const post = (proxy, target, value) =>
  proxy.request('POST', target, { fields: [JSON_TYPE], body: JSON.stringify(value ?? {}) });
const chat = (proxy, model = 'mock') =>
  post(proxy, '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hello' }] });
const settled = (proxy, n) =>
  until(async () => (await proxy.api('/api/requests')).items.filter((r) => r.completed_at).length === n, `${n} requests`);

async function traffic(t) {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0', '--tokens', '20']);
  const proxy = await start(t, { upstream });
  await chat(proxy);
  await post(proxy, '/api/runs/start', { name: 'bench' });
  for (let i = 0; i < 6; i++) await chat(proxy);
  await chat(proxy, 'mock,status=503');
  await settled(proxy, 8);
  return proxy;
}

test('buckets add up to what was captured', async (t) => {
  const proxy = await traffic(t);
  const all = await proxy.api(TARGET);
  assert.equal(Date.parse(all.until) - Date.parse(all.since), 86400000);
  assert.equal(all.total.request_count, 8);
  assert.equal(all.total.error_count, 1);
  assert.equal(all.truncated, false);
  const sum = (key) => all.buckets.reduce((n, b) => n + b[key], 0);
  for (const key of ['request_count', 'error_count', 'input_tokens', 'cached_input_tokens', 'output_tokens'])
    assert.equal(sum(key), all.total[key], key);
  const [stored] = sql(proxy.database, 'SELECT sum(billing_input_tokens) AS i, sum(billing_output_tokens) AS o FROM requests');
  assert.deepEqual([all.total.input_tokens, all.total.output_tokens], [stored.i, stored.o]);
  const times = sql(proxy.database, 'SELECT duration_ms AS d FROM requests ORDER BY d').map((r) => r.d);
  assert.equal(all.total.request_duration_ms.count, 8);
  assert.equal(all.total.request_duration_ms.p50, times[3]);
  assert.equal(all.total.request_duration_ms.max, times[7]);
  assert.deepEqual(all.models.map((m) => [m.label, m.request_count]), [['mock', 7], ['mock,status=503', 1]]);
  assert.equal(all.routes[0].label, null);
});

test('a run is a range of its own, and a range without requests is empty', async (t) => {
  const proxy = await traffic(t);
  const run = await proxy.api(`${TARGET}?run=1&buckets=7`);
  assert.equal(run.total.request_count, 7);
  assert.equal(run.buckets[0].start, run.since);
  assert.ok(run.buckets.length <= 7);
  const old = await proxy.api(`${TARGET}?since=2001-01-01&until=2001-02-01&buckets=300`);
  assert.deepEqual([old.buckets, old.models, old.total.cost_usd], [[], [], null]);
  assert.equal(old.total.request_duration_ms.p50, null);
  await post(proxy, '/api/runs/start', { name: 'empty' });
  assert.deepEqual((await proxy.api(`${TARGET}?run=2`)).buckets, []);
});

test('a question that makes no sense is refused with the reason', async (t) => {
  const proxy = await start(t);
  for (const [query, status, why] of [
    ['since=2031-01-02&until=2031-01-01', 400, /since must be before until/],
    ['since=2031-01-01&until=2031-01-01', 400, /since must be before until/],
    ['run=x', 422, /integer/],
    ['run=7', 404, /Run not found/],
    ['buckets=0', 422, /at least 1/],
    ['buckets=301', 422, /at most 300/],
    ['since=yesterday', 422, /since/],
  ]) {
    const answer = await proxy.request('GET', `${TARGET}?${query}`);
    assert.equal(answer.status, status, query);
    assert.match(answer.text, why);
  }
});

test('charts tell their numbers in words and as a table, and a drag looks closer', { skip }, async (t) => {
  const proxy = await traffic(t);
  const page = await browse(t, proxy, '/admin/metrics?since=-15m');
  const chart = page.getByRole('figure', { name: 'Requests' });
  await chart.getByText('8 requests, 1 error (12.5%)').waitFor();
  await chart.locator('canvas').waitFor();
  await chart.getByRole('button', { name: 'Show as table' }).click();
  const counted = await chart.locator('tbody tr td:first-of-type').allInnerTexts();
  assert.equal(counted.reduce((n, text) => n + Number(text), 0), 8);
  await page.getByRole('link', { name: 'mock', exact: true }).waitFor();

  const duration = page.getByRole('figure', { name: 'Duration' });
  const box = await duration.locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/until=/);
  await page.getByText('No requests in this range').waitFor();
  await page.goBack();
  await chart.getByText('8 requests').waitFor();
  await page.getByRole('link', { name: 'Open these requests' }).click();
  await page.waitForURL(/\/admin\?where=/);
  await page.locator('#row-8').waitFor();
  assert.equal(await page.locator('table.requests tbody tr').count(), 8);

  await page.goto(`${proxy.url}/admin/runs/1`);
  await page.getByRole('figure', { name: 'Requests' }).getByText('7 requests, 1 error ').waitFor();
  await page.getByRole('figure', { name: 'Cost' }).locator('canvas').waitFor();
  await page.getByText('global fallback, 7 requests').waitFor();
});
