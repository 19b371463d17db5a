/* A page of the web admin in Chromium. Whatever goes wrong in it is an error of the test. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { ms } from './until.mjs';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);

/** For the option `skip` of a test. CI has a browser. */
export const NO_BROWSER = !BROWSER && !process.env.CI && 'there is no chromium';

/* One for all tests of a file. */
let browser = null;
after(() => browser?.close());

/**
 * A page at `target`. At the end of the test it must have logged no error, loaded nothing from
 * elsewhere and had no answer of 400 and above, but for those that `expected` matches.
 */
export async function browse(t, proxy, target, { width = 1500, height = 1000, expected = /^$/ } = {}) {
  browser ??= await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width, height } });
  const page = await context.newPage();
  const wrong = [];
  page.setDefaultTimeout(ms(5000));
  page.on('pageerror', (error) => wrong.push(error.stack));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !/Failed to load resource/.test(message.text()))
      wrong.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== proxy.url) wrong.push(request.url());
  });
  page.on('response', (answer) => {
    const text = `${answer.status()} ${answer.request().method()} ${answer.url().slice(proxy.url.length)}`;
    if (answer.status() >= 400 && !expected.test(text)) wrong.push(text);
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(proxy.url + target);
  return page;
}
