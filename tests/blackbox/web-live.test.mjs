/* The request browser while traffic goes on: what a person types, selects, opens or scrolls to is
 * never disturbed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { browse, NO_BROWSER } from './browser.mjs';
import { mock, start } from './proxy.mjs';
import { ms, until } from './until.mjs';

const FAST = ['--ttft', '0', '--tps', '0', '--tokens', '8'];
const ask = (proxy, model, extra = {}) =>
  proxy.send(proxy.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: `hello ${model}` }], ...extra }));

async function traffic(t, count = 12) {
  const upstream = await mock(t, FAST);
  const proxy = await start(t, { upstream });
  for (let i = 0; i < count; i++) await ask(proxy, `model-${i % 3}`);
  await until(async () => (await proxy.rows()).length >= count, `${count} rows`, ms(5000));
  return proxy;
}

/* Requests, one after the other, until `stop` is called. */
function stream(proxy) {
  let going = true;
  const done = (async () => {
    for (let i = 0; going; i++) {
      await ask(proxy, `live-${i}`);
      await pause(50);
    }
  })();
  return () => {
    going = false;
    return done;
  };
}

test('rows come, are chosen, and lead to their request', { skip: NO_BROWSER }, async (t) => {
  const proxy = await traffic(t);
  const page = await browse(t, proxy, '/admin', { expected: /^404 GET \/admin\/(api\/requests\/999|nothing)/ });
  await page.waitForSelector('#row-12');
  assert.equal(await page.locator('table.requests tbody tr').count(), 12);
  await ask(proxy, 'newest');
  await page.waitForSelector('#row-13', { timeout: ms(5000) });
  await page.click('#row-7 td:nth-child(3)');
  await page.waitForSelector('aside h2:has-text("#7")');
  await page.keyboard.press('j');
  await page.waitForSelector('aside h2:has-text("#6")');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/admin/requests/6');
  await page.waitForFunction(() => document.title.startsWith('Request #6'));
  await page.goBack();
  await page.waitForSelector('table.requests');
  await page.goto(`${proxy.url}/admin/requests/999`);
  await page.waitForSelector('text=Request not found');
  const missing = await page.goto(`${proxy.url}/admin/nothing`);
  assert.equal(missing.status(), 404);
  await page.waitForSelector('text=Page not found');
});

test('filters are in the address, and Back takes them away', { skip: NO_BROWSER }, async (t) => {
  const proxy = await traffic(t);
  await ask(proxy, 'broken,status=500');
  const page = await browse(t, proxy, '/admin', { expected: /^400 GET .*where=/ });
  await page.click('button.chip:has-text("Errors")');
  await page.waitForURL('**/admin?error=1');
  await page.waitForFunction(() => document.querySelectorAll('table.requests tbody tr').length === 1);
  await page.selectOption('select >> nth=0', 'model-1');
  await page.waitForSelector('text=No request matches');
  assert.match(page.url(), /error=1&model=model-1/);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('table.requests tbody tr').length === 1);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('table.requests tbody tr').length === 13);
  await page.fill('[placeholder^="ttft"]', 'stauts:500');
  await page.waitForSelector('text=unknown field');
  await page.fill('[placeholder^="ttft"]', 'status:500');
  await page.waitForFunction(() => document.querySelectorAll('table.requests tbody tr').length === 1);
});

test('typing is left alone while rows come', { skip: NO_BROWSER }, async (t) => {
  const proxy = await traffic(t);
  const page = await browse(t, proxy, '/admin');
  await page.waitForSelector('#row-12');
  const stop = stream(proxy);
  for (const field of ['#run-name', '[data-search]', '.fields input >> nth=0']) {
    const text = 'what a person types!';
    await page.click(field);
    await page.type(field, text, { delay: 40 });
    assert.equal(await page.inputValue(field), text, field);
    assert(await page.locator(field).evaluate((e) => e === document.activeElement), field);
    await page.fill(field, '');
    await page.waitForSelector('table.requests tbody tr');
  }
  await stop();
});

test('a selection, a focus and a scrolled list stay where they are', { skip: NO_BROWSER }, async (t) => {
  const proxy = await traffic(t, 50);
  const page = await browse(t, proxy, '/admin');
  await page.waitForSelector('#row-50');
  await page.click('#row-30 td:nth-child(3)');
  await page.evaluate(() => {
    scrollTo(0, 300);
    getSelection().selectAllChildren(document.querySelector('#row-25 .model'));
  });
  const before = await page.evaluate(() => [scrollY, String(getSelection()), document.querySelector('tbody tr').id]);
  const stop = stream(proxy);
  await page.waitForSelector('.newrows', { timeout: ms(8000) });
  await stop();
  const after = await page.evaluate(() => [scrollY, String(getSelection()), document.querySelector('tbody tr').id]);
  assert.deepEqual(after, before);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'row-30');
  await page.evaluate(() => getSelection().removeAllRanges());
  await page.click('.newrows');
  await page.waitForFunction(() => scrollY === 0 && document.querySelector('tbody tr').id !== 'row-50');
});

test('a server that goes is told, what was there stays, and it is live again when it is back', { skip: NO_BROWSER }, async (t) => {
  const proxy = await traffic(t);
  const page = await browse(t, proxy, '/admin');
  await page.waitForSelector('#row-12');
  await proxy.finish();
  await page.waitForSelector('text=Reconnecting', { timeout: ms(10000) });
  assert.equal(await page.locator('table.requests tbody tr').count(), 12);
  proxy.options.listen = proxy.port;
  await proxy.boot();
  await page.waitForSelector('.live >> text=Live', { timeout: ms(20000) });
});

test('paused, nothing is asked', { skip: NO_BROWSER }, async (t) => {
  const proxy = await traffic(t);
  const page = await browse(t, proxy, '/admin');
  await page.waitForSelector('#row-12');
  await page.keyboard.press('p');
  await page.waitForSelector('text=Paused');
  let asked = 0;
  page.on('request', (request) => (asked += request.url().includes('/api/requests')));
  await ask(proxy, 'while-paused');
  await page.waitForTimeout(ms(1500));
  assert.equal(asked, 0);
  await page.keyboard.press('p');
  await page.waitForSelector('#row-13');
});
