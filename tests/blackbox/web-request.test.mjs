/* /admin/requests/{id} in a browser: what is shown of a request, and that nothing of it runs. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test, { after } from 'node:test';
import { chromium } from 'playwright-core';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, until } from './until.mjs';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const NO_BROWSER = !BROWSER && !process.env.CI && 'there is no chromium';
const CHAT = '/v1/chat/completions';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='; // prettier-ignore
const MiB = 1024 * 1024;

const sse = (events, end = 'data: [DONE]\n\n') =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') + end;
const delta = (content, more = {}) => ({
  id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }],
}); // prettier-ignore
const chatAnswer = (message, finish_reason = 'stop') => ({
  id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
}); // prettier-ignore

let browser;
after(() => browser?.close());

/** A proxy, a scripted upstream, and a page that notes what goes wrong. */
async function setup(t, options = {}) {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, ...options });
  browser ??= await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(ms(8000));
  const wrong = [];
  page.on('console', (message) => {
    const text = message.text();
    if (['error', 'warning'].includes(message.type()) && !/status of 404/.test(text)) wrong.push(text);
  });
  page.on('pageerror', (error) => wrong.push(error.stack));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!['data:', 'blob:'].includes(protocol) && origin !== proxy.url) wrong.push(request.url());
  });
  return { upstream, proxy, page, context, wrong };
}

/** Send a body through the proxy; gives the id of what was captured. */
async function capture(s, body, answer, { path = CHAT, fields = [] } = {}) {
  s.upstream.script(path, answer);
  const before = (await s.proxy.rows())[0]?.id ?? 0;
  const data = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  await s.proxy.request('POST', path, { fields: [['Content-Type', 'application/json'], ...fields], body: data, limit: ms(20000) });
  const row = await until(
    async () => (await s.proxy.rows(`after=${before}`)).find((r) => r.completed_at),
    'the request to be captured', ms(10000), 25,
  ); // prettier-ignore
  return row.id;
}
const json = (value, status) => (turn) => turn.json(value, status);
const stream = (text) => async (turn) => {
  await turn.begin();
  await turn.chunk(text);
  await turn.finish();
};
const open = (s, id, query = '') => s.page.goto(`${s.proxy.url}/admin/requests/${id}${query}`);
const textOf = (s, selector) => s.page.locator(selector).innerText();

const AGENT = [
  { role: 'system', content: 'You are careful. '.repeat(40) },
  { role: 'user', content: [{ type: 'text', text: 'Fix **it**.' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }, { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } }] },
  { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{"path":"a.c","n":12345678901234567890}' } }] },
  { role: 'tool', tool_call_id: 'call_1', content: 'int main;' },
]; // prettier-ignore

test('a request is a conversation, and both sides are there as they were sent', { skip: NO_BROWSER }, async (t) => {
  const s = await setup(t);
  const { page, proxy } = s;
  const tools = [{ type: 'function', function: { name: 'read_file', parameters: { type: 'object' } } }];
  const request = { zeta: 1.0, model: 'm', messages: AGENT, tools, temperature: 0.5 };
  const sent = JSON.stringify(request).replace('"zeta":1', '"zeta":1.0');
  const first = await capture(s, sent, json(chatAnswer({ content: '# Done\n\nIt is **fixed**.' })), {
    fields: [['Authorization', 'Bearer sk-secret-123456'], ['X-Odd', 'a b']],
  }); // prettier-ignore

  await t.test('RD-01 the head tells what it was', async () => {
    await open(s, first);
    await page.locator('.msg.response').waitFor();
    assert.equal(await page.title(), `Request #${first} - LLM Observe Proxy`);
    assert.equal(await textOf(s, 'h1'), `Request #${first}`);
    assert.match(await textOf(s, '.overline'), /POST \/v1\/chat\/completions/i);
    assert.match(await textOf(s, '.meta'), /200[^]*model\s+m[^]*tokens\s+7 → 3[^]*finish\s+stop/);
  });

  await t.test('calls stand beside their results, and pictures from elsewhere are not loaded', async () => {
    const call = page.locator('#m2 .call');
    assert.match(await call.innerText(), /read_file[^]*path: "a\.c"[^]*n: 12345678901234567890[^]*Result in message 4[^]*int main;/);
    await page.locator('#m1 img').waitFor();
    assert.equal(await page.locator('#m1 img').count(), 1);
    assert.match(await textOf(s, '#m1 .remote'), /not loaded: https:\/\/example\.com\/cat\.png/);
    assert.match(await textOf(s, '.msg.response'), /Done[^]*It is fixed\.[^]*The model finished\./);
    assert.equal(await page.locator('.msg.response strong').innerText(), 'fixed');
    await page.getByRole('button', { name: 'Plain text' }).click();
    assert.match(await textOf(s, '.msg.response'), /# Done\n\nIt is \*\*fixed\*\*\./);
    assert.match(page.url(), /plain=1/);
    assert.match(await textOf(s, '#m0'), /Show all 680 characters/);
  });

  await t.test('RD-10 RD-11 the split view keeps keys, numbers and modes', async () => {
    await open(s, first, '?view=split');
    const tree = page.locator('section[aria-label="Request"] .json');
    await tree.locator('.json-row').nth(3).waitFor();
    const keys = await tree.locator('[aria-level="2"] > .json-key').allInnerTexts();
    assert.deepEqual(keys, ['zeta', 'model', 'messages', 'tools', 'temperature']);
    assert.match(await tree.innerText(), /zeta: 1\.0/);
    await page.locator('.modes a[aria-current]').waitFor();
    assert.equal(await textOf(s, '.modes a[aria-current]'), 'json');
    await page.getByRole('link', { name: 'markdown' }).click();
    await page.locator('section[aria-label="Response"] strong').waitFor();
    assert.match(page.url(), /mode=markdown/);
    await page.goBack();
    await page.locator('section[aria-label="Response"] .json').waitFor();
    assert.equal(await textOf(s, '.modes a[aria-current]'), 'json');
    const search = page.getByLabel('Search in this JSON').first();
    await search.fill('main;');
    await search.press('Enter');
    await page.locator('.json-path', { hasText: 'messages[3].content' }).waitFor();
  });

  await t.test('RD-16 RD-18 RD-19 cost, headers and route have their views', async () => {
    await open(s, first, '?view=cost');
    assert.match(await textOf(s, 'section[aria-label="Cost estimate"]'), /Input\s+7[^]*Output\s+3[^]*Total\s+10/);
    await page.locator('section[aria-label="Pricing snapshot"]').waitFor();
    await page.getByRole('tab', { name: 'Headers' }).click();
    const head = await textOf(s, 'section[aria-label="Request headers"]');
    assert.match(head, /authorization\s+Bearer \*\*\* masked/);
    assert.match(head, /x-odd\s+a b/);
    assert.doesNotMatch(await page.content(), /sk-secret/);
    await page.getByRole('tab', { name: 'Timing' }).click();
    assert.match(await textOf(s, 'section[aria-label="Timing"]'), /Connect[^]*In all/);
    assert.equal(await page.getByRole('tab', { name: 'Compatibility' }).count(), 0);
    assert.match(await page.locator('.meta li', { hasText: 'route' }).getAttribute('title'), /^http:\/\/127/);
  });

  await t.test('the bytes are there as text, in hex and as a file', async () => {
    await open(s, first, '?view=raw&hex=1');
    await page.locator('.hex pre').first().waitFor();
    assert.match(await page.locator('.hex pre').first().innerText(), /^00000000 {2}7b 22 7a 65 74 61 22 3a {2}31 2e 30/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).first().click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), sent);
  });

  await t.test('what is new since the request before is what is shown', async () => {
    const more = [...AGENT, { role: 'assistant', content: 'Fixed.' }, { role: 'user', content: 'Sure?' }];
    const second = await capture(s, { ...request, messages: more, stream: true }, stream(sse([delta('Yes'), delta(', sure.'), delta('', { finish_reason: 'length' })])));
    await open(s, second);
    await page.locator('.shared').waitFor();
    assert.match(await textOf(s, '.shared'), new RegExp(`4 messages shared with #${first}`));
    assert.equal(await page.locator('.msg').count(), 3);
    assert.match(await textOf(s, '.msg.response'), /Yes, sure\.[^]*output limit/);
    await page.locator('.shared .button').click();
    await until(async () => (await page.locator('.msg').count()) === 7, 'all messages');
    await page.getByRole('tab', { name: 'Events' }).click();
    await page.locator('.event-row').nth(4).waitFor();
    await page.getByRole('button', { name: 'Event 2', exact: true }).click();
    assert.match(await textOf(s, '.event'), /content: ", sure\."/);
    await page.keyboard.press('[');
    await until(async () => page.url().includes(`/admin/requests/${first}?`), 'the request before');
    await page.keyboard.press(']');
    await until(async () => page.url().includes(`/admin/requests/${second}?`), 'the request after');
    const { items } = await proxy.api('/api/requests?per_page=5');
    assert.equal(items.find((r) => r.id === second).semantic_summary, 'Yes, sure.');
  });

  assert.deepEqual(s.wrong, []);
});

test('it is copied without secrets, deleted after a question, and then not found', { skip: NO_BROWSER }, async (t) => {
  const s = await setup(t);
  const { page, context } = s;
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: s.proxy.url });
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  const one = await capture(s, { model: 'm', messages: [{ role: 'user', content: "it's" }] }, json(chatAnswer({ content: 'ok' })), { fields: [['Authorization', 'Bearer sk-secret-1']] });
  const two = await capture(s, { model: 'm', messages: [] }, json({ error: { message: 'Slow down', type: 'rate', code: 'x' } }, 429));

  await open(s, one);
  await page.getByRole('button', { name: 'Copy as' }).click();
  for (const [name, pattern] of [
    ['curl', /^curl -X POST 'http:\/\/127[^]*-H "authorization: Bearer \$OPENAI_API_KEY"[^]*it'\\''s/],
    ['Python', /os\.environ\["OPENAI_API_KEY"\]/], ['fetch', /process\.env\.OPENAI_API_KEY/],
    ['Raw HTTP', /^POST \/v1\/chat\/completions HTTP\/1\.1\r\n/], ['Conversation', /## user\n\nit's\n\n## assistant\n\nok/],
  ]) { // prettier-ignore
    await page.getByRole('button', { name }).click();
    await until(async () => pattern.test(await clipboard()), `${name} in the clipboard`);
    assert.doesNotMatch(await clipboard(), /sk-secret|\*\*\*/);
  }

  await open(s, two);
  assert.match(await textOf(s, '[role=alert]'), /Slow down[^]*Too many requests/);
  await page.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByRole('button', { name: 'Cancel' }).evaluate((b) => b === document.activeElement), true);
  await page.keyboard.press('Escape');
  assert.equal((await s.proxy.rows()).length, 2);
  await page.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByRole('button', { name: 'Delete request' }).click();
  await until(async () => (await s.proxy.rows()).length === 1, 'the row to be gone');
  await open(s, two);
  await page.getByRole('heading', { name: 'Request not found' }).waitFor();
  await page.getByRole('button', { name: 'Previous' }).click();
  await page.getByRole('heading', { name: `Request #${one}` }).waitFor();
  assert.deepEqual(s.wrong, []);
});

test('an answer is seen as it arrives, and can be cancelled', { skip: NO_BROWSER }, async (t) => {
  const s = await setup(t);
  const { page } = s;
  let turn;
  s.upstream.script(CHAT, async (arrived) => {
    turn = arrived;
    await turn.begin();
    await turn.chunk(sse([delta('The first words')], ''));
  });
  const asked = s.proxy.request('POST', CHAT, { fields: [['Content-Type', 'application/json']], body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Go' }] }), limit: ms(20000) }).catch((error) => error);
  const { id } = await until(async () => (await s.proxy.rows())[0], 'a pending row');
  await open(s, id);
  const arriving = page.locator('.arriving');
  await page.locator('.arriving .plain', { hasText: 'The first words' }).waitFor();
  assert.match(await arriving.innerText(), /(the answer arrives|stalled)[^]*so far/);
  assert.match(await textOf(s, '#m0'), /Go/);
  await turn.chunk(sse([delta(', line\n'.repeat(200)), delta('and the last ones')], ''));
  await page.locator('.arriving .plain', { hasText: 'and the last ones' }).waitFor();
  await until(() => page.evaluate(() => scrollY > 0 && scrollY >= document.documentElement.scrollHeight - innerHeight - 5), 'the page to follow');
  await page.mouse.wheel(0, -1500);
  await page.getByRole('button', { name: 'Follow' }).waitFor();
  const at = await page.evaluate(() => scrollY);
  await turn.chunk(sse([delta('. And more\n'.repeat(40))], ''));
  await page.locator('.arriving .plain', { hasText: 'And more' }).waitFor();
  assert.equal(await page.evaluate(() => scrollY), at);
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel request' }).click();
  await turn.gone();
  await page.locator('.arriving').waitFor({ state: 'detached' });
  assert.match(await textOf(s, '.meta'), /200 cancelled/);
  assert.match(await textOf(s, '.conversation'), /The first words[^]*ends with an error after[^]*it was cancelled/);
  await asked;
  assert.deepEqual(s.wrong, []);
});

test('RD-13 RD-14 what a compatibility fix changed is shown with what it was', { skip: NO_BROWSER }, async (t) => {
  const fixes = JSON.stringify(['qwen-tagged-tool-call-rewrite']);
  const s = await setup(t, { env: { LLM_OBSERVE_DEFAULT_FIXES_JSON: fixes } });
  const { page } = s;
  const tools = [{ type: 'function', function: { name: 'tide', parameters: { type: 'object', required: ['port'], properties: { port: { type: 'string' } } } } }];
  const block = '<tool_call>\n<function=tide>\n<parameter=port>\nRoscoff\n</parameter>\n</function>\n</tool_call>';
  const id = await capture(s, { model: 'm', messages: [], tools }, json(chatAnswer({ content: null, reasoning_content: block })));
  await open(s, id, '?view=compat');
  assert.match(await textOf(s, 'section[aria-label="Compatibility fixes"]'), /promoted_qwen_tagged_tool_call[^]*tide/);
  await page.locator('section[aria-label^="Response of the upstream"] .json').waitFor();
  await page.getByRole('tab', { name: 'Conversation' }).click();
  assert.match(await textOf(s, '.msg.response .call'), /Roscoff/);
  assert.deepEqual(s.wrong, []);
});

test('the light form of a detail has no bodies', async (t) => {
  const s = { upstream: await scripted(t) };
  s.proxy = await start(t, s);
  const id = await capture(s, { model: 'm', messages: AGENT }, json(chatAnswer({ content: 'ok' })));
  const all = await s.proxy.api(`/admin/api/requests/${id}`);
  const images = await s.proxy.api(`/admin/api/requests/${id}?bodies=images`);
  const none = await s.proxy.api(`/admin/api/requests/${id}?bodies=none`);
  assert.match(all.response_render.text, /ok/);
  assert.deepEqual(images.images, all.images);
  assert.deepEqual(none.images.map((i) => Object.keys(i)), [['kind', 'mime_type'], ['kind', 'mime_type']]);
  for (const light of [images, none]) {
    assert.deepEqual(light.record, all.record);
    assert.deepEqual([light.request_render, light.response_render, light.raw_response_render], [null, null, null]);
  }
});

const EVIL = '<script>window.pwned=1</script><img src=x onerror="window.pwned=1"><svg onload="window.pwned=1"><iframe src="//evil.test"></iframe>[x](javascript:window.pwned=1) ![y](https://evil.test/y.png) <a href="javascript:window.pwned=1">z</a>\u202Eabc\u0000\uFFFF'; // prettier-ignore
const SVG = `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>window.pwned=1</script><image href="https://evil.test/a.png"/></svg>').toString('base64')}`; // prettier-ignore
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

/** Bodies that would harm a page that trusts them: [name, request, answer, status]. */
const HOSTILE = [
  ['markup everywhere', { model: EVIL, [EVIL]: EVIL, messages: [{ role: EVIL, name: EVIL, content: EVIL }, { role: 'user', content: [{ type: EVIL, text: EVIL }, { type: 'image_url', image_url: { url: 'javascript:window.pwned=1' } }, { type: 'image_url', image_url: { url: SVG } }] }], tools: [{ type: 'function', function: { name: EVIL, description: EVIL, parameters: { [EVIL]: EVIL } } }] }, json(chatAnswer({ content: EVIL, tool_calls: [{ id: EVIL, type: 'function', function: { name: EVIL, arguments: EVIL } }] }, EVIL))],
  ['an error of markup', { model: 'm', messages: [] }, json({ error: { message: EVIL, type: EVIL, code: EVIL } }, 500)],
  ['a stream of markup', { model: 'm', stream: true, messages: [] }, stream(`event: ${EVIL.replaceAll('\u0000', '')}\n${sse([delta(EVIL), delta('<script>'), { [EVIL]: EVIL }], 'data: {"cut')}`)],
  ['an HTML page', { model: 'm', messages: [] }, (turn) => turn.answer(200, [['Content-Type', 'text/html']], `<!doctype html>${EVIL}`)],
  ['bytes that are no text', Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0xc3, 0x28, 0xed, 0xa0, 0x80]), (turn) => turn.answer(200, [['Content-Type', 'application/json']], Buffer.from([0xff, 0x00, 0x80, 0x22]))],
  ['nesting', `{"model":"m","messages":[{"role":"user","content":${nested(400)}}]}`, (turn) => turn.answer(200, [['Content-Type', 'application/json']], nested(50000))],
  ['Markdown that nests', { model: 'm', messages: [{ role: 'user', content: '>'.repeat(20000) }, { role: 'user', content: '['.repeat(20000) }] }, json(chatAnswer({ content: '- '.repeat(8000) }))],
  ['other directions and long words', { model: '\u202Emodel', messages: [{ role: 'user', content: `مرحبا بالعالم \u2066${'א'.repeat(3000)} ${'x'.repeat(30000)} 你好` }] }, json(chatAnswer({ content: '🏳️‍🌈'.repeat(2000) }))],
]; // prettier-ignore

test('nothing of what was captured runs or leaves, and the page can be used', { skip: NO_BROWSER }, async (t) => {
  const s = await setup(t);
  const { page } = s;
  const harmless = async (what) => {
    assert.equal(await page.evaluate(() => window.pwned), undefined, what);
    assert.equal(await page.locator('#main script, #main iframe, #main svg[onload], #main [href^="javascript"]').count(), 0, what);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), true, `${what}: scrolls sideways`);
    assert.deepEqual(s.wrong, [], what);
  };
  for (const [name, body, answer] of HOSTILE) {
    const id = await capture(s, body, answer, { fields: [['X-Evil', '<script>window.pwned=1</script>']] });
    await open(s, id, '?shared=show');
    for (const view of ['', 'view=all&hex=1', 'view=response&mode=markdown', 'view=response&mode=tool']) {
      const what = `${name}, ${view || 'first view'}`;
      await page.evaluate((to) => {
        history.pushState(null, '', to);
        dispatchEvent(new PopStateEvent('popstate'));
      }, `/admin/requests/${id}?${view}`);
      await until(async () => !/Loading/.test(await textOf(s, '#main')), `${what} to be loaded`, ms(8000), 30);
      for (const summary of await page.locator('#main summary').all()) await summary.evaluate((e) => (e.parentElement.open = true));
      await harmless(what);
    }
  }
  await page.goto(`${s.proxy.url}/admin`);
  await page.locator('table.requests tbody tr').nth(HOSTILE.length - 1).waitFor();
  await harmless('the list');
});

test('a body of ten megabytes is loaded when somebody asks for it', { skip: NO_BROWSER }, async (t) => {
  const s = await setup(t);
  const { page } = s;
  const row = '{"role":"user","content":"some words of a long conversation","n":1.50},';
  const body = `{"model":"m","messages":[${row.repeat(80000)}"${'y'.repeat(5 * MiB)}"]}`;
  const id = await capture(s, body, json(chatAnswer({ content: 'short' })));
  await open(s, id);
  await page.getByRole('button', { name: /^Load 1\d\.\d MiB/ }).waitFor();
  await page.keyboard.press('2');
  assert.match(await textOf(s, 'section[aria-label="Response"]'), /Response/);
  const load = page.locator('section[aria-label="Request"]').getByRole('button', { name: /^Load/ });
  await load.click();
  const rows = page.locator('section[aria-label="Request"] .json-row');
  await rows.nth(2).waitFor();
  assert.ok((await rows.count()) < 3000, 'only a part of it is in the page');
  const started = performance.now();
  await page.getByLabel('Search in this JSON').first().fill('short');
  await page.getByRole('tab', { name: 'Cost' }).click();
  await page.locator('section[aria-label="Cost estimate"]').waitFor();
  assert.ok(performance.now() - started < ms(4000));
  assert.deepEqual(s.wrong, []);
});
