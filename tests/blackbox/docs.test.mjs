/* /api/docs: what is served, and what a browser makes of it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import zlib from 'node:zlib';
import { chromium } from 'playwright-core';
import { mock, start } from './proxy.mjs';
import { ms } from './until.mjs';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const NO_BROWSER = !BROWSER && !process.env.CI && 'there is no chromium';
const FILES = ['swagger-ui-bundle.js', 'swagger-ui.css', 'docs.js', 'docs.css', 'favicon-32x32.png'];
const ask = (proxy, target, fields = [], method = 'GET') => proxy.request(method, target, { fields });

test('files are served compressed and as they are, and not again to those who have them', async (t) => {
  const proxy = await start(t);
  for (const target of ['/api/docs', ...FILES.map((file) => `/api/docs/${file}`)]) {
    const plain = await ask(proxy, target);
    assert.equal(plain.status, 200, target);
    assert.equal(plain.field('content-encoding'), undefined);
    assert.equal(plain.field('vary'), 'Accept-Encoding');
    assert.equal(plain.field('cache-control'), 'no-cache');
    const packed = await ask(proxy, target, [['Accept-Encoding', 'br, GZIP;q=0.5']]);
    assert.equal(packed.field('content-encoding'), 'gzip');
    assert.deepEqual(zlib.gunzipSync(packed.body), plain.body);
    const etag = packed.field('etag');
    assert.equal(etag, plain.field('etag'));
    for (const known of [etag, `"x", ${etag}`, etag.slice(2), '*']) {
      const same = await ask(proxy, target, [['If-None-Match', known], ['Accept-Encoding', 'gzip']]); // prettier-ignore
      assert.equal(same.status, 304, known);
      assert.equal(same.body.length, 0);
      assert.equal(same.field('etag'), etag);
    }
    assert.equal((await ask(proxy, target, [['If-None-Match', '"x"']])).status, 200);
    const head = await ask(proxy, target, [], 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(Number(head.field('content-length')), plain.body.length);
  }
  for (const refused of ['gzip;q=0', 'gzip; q=0.000, br', 'identity', 'xgzip'])
    assert.equal((await ask(proxy, '/api/docs', [['Accept-Encoding', refused]])).field('content-encoding'), undefined, refused); // prettier-ignore
});

test('paths beside the files lead to them, or nowhere', async (t) => {
  const proxy = await start(t);
  const slash = await ask(proxy, '/api/docs/?document=admin');
  assert.equal(slash.status, 307);
  assert.equal(slash.field('location'), '/api/docs?document=admin');
  for (const target of ['/api/docs/x', '/api/docs/..%2f..%2fetc%2fpasswd', '/api/docs/a/b']) {
    const answer = await ask(proxy, target);
    assert.equal(answer.status, 404, target);
    assert.deepEqual(answer.json, { detail: 'Not Found' });
  }
  const post = await ask(proxy, '/api/docs', [], 'POST');
  assert.equal(post.status, 405);
  assert.equal(post.field('allow'), 'GET');
});

test('the page may load nothing from elsewhere', async (t) => {
  const proxy = await start(t);
  const page = await ask(proxy, '/api/docs');
  assert.match(page.field('content-type'), /^text\/html/);
  const policy = page.field('content-security-policy');
  assert.match(policy, /^default-src 'none'; script-src 'self'; /);
  assert.doesNotMatch(policy, /unsafe|http|\*/);
  assert.doesNotMatch(page.text, /https?:|<script>|style=/);
});

test('a browser shows every operation, and asks nobody else', { skip: NO_BROWSER }, async (t) => {
  const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
  const proxy = await start(t, { upstream });
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
  const wrong = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.stack));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== proxy.url) wrong.push(request.url());
  });
  page.on('response', (answer) => {
    if (answer.status() >= 400) wrong.push(`${answer.status()} ${answer.url()}`);
  });

  for (const [target, document] of [
    ['/api/docs', '/api/openapi.json'],
    ['/api/docs?document=admin', '/admin/api/openapi.json'],
  ]) {
    const { paths } = await proxy.api(document);
    const count = Object.values(paths).reduce((sum, path) => sum + Object.keys(path).length, 0);
    await page.goto(proxy.url + target);
    const operations = page.locator('.opblock');
    await operations.nth(count - 1).waitFor({ timeout: ms(10000) });
    assert.equal(await operations.count(), count, target);
    assert.equal(await page.locator('.errors-wrapper').count(), 0);
    assert.equal(await page.locator('nav a[aria-current]').count(), 1);
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/docs${target.length}.png` });
  }

  await page.goto(`${proxy.url}/api/docs`);
  const models = page.locator('#operations-public_api-get_api_models_suggest');
  await models.locator('.opblock-summary-control').click();
  await models.locator('.try-out__btn').click();
  await models.locator('.execute').click();
  const status = models.locator('.live-responses-table .response-col_status');
  await status.first().waitFor({ timeout: ms(10000) });
  assert.match(await models.locator('.live-responses-table').innerText(), /"items"/);
  if (process.env.SCREENSHOTS)
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/docs-open.png`, fullPage: true });
  assert.deepEqual(wrong, []);
});
