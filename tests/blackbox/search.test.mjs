/* Full-text search in what requests and answers say. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];
const CHAT = '/v1/chat/completions';

function ask(proxy, content, model = 'm') {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content }] });
  return proxy.request('POST', CHAT, { fields: JSON_TYPE, body, limit: 30000 });
}

const find = (proxy, q, more = '') => proxy.api(`/api/requests?facets=0&q=${encodeURIComponent(q)}${more}`);
const ids = async (proxy, q, more) => (await find(proxy, q, more)).items.map((item) => item.id);

/** Wait until this many requests are stored and all of them are in the index. */
const indexed = (proxy, count) =>
  until(async () => {
    const { stats } = await proxy.api('/api/requests');
    return stats.total.value === count && (await find(proxy, 'x')).search.pending === 0;
  });

const shown = (snippet) => snippet.parts.map((part) => (part.hit ? `[${part.text}]` : part.text)).join('');

test('words of prompts and of streamed answers are found, with the place they stand at', async (t) => {
  const upstream = await scripted(t);
  const event = (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
  upstream.script(CHAT, (turn) =>
    turn.answer(200, [['Content-Type', 'text/event-stream']], event('The Eif') + event('fel To') + event('wer.')),
  );
  const proxy = await start(t, { upstream });
  await ask(proxy, 'Where is Zürich?');
  await ask(proxy, 'plain words', 'other');
  await indexed(proxy, 2);

  assert.deepEqual(await ids(proxy, 'eiffel tower'), [2, 1], 'pieces of a stream make words');
  assert.deepEqual(await ids(proxy, 'zurich'), [1], 'without accents');
  assert.deepEqual(await ids(proxy, '"eiffel tower"'), [2, 1]);
  assert.deepEqual(await ids(proxy, '"tower eiffel"'), []);
  assert.deepEqual(await ids(proxy, 'zur*'), [1]);
  assert.deepEqual(await ids(proxy, 'eiffel -zürich'), [2]);
  assert.deepEqual(await ids(proxy, 'eiffel', '&model=other'), [2], 'with other filters');
  assert.deepEqual(await ids(proxy, 'user'), [], 'roles are no text');
  const [item] = (await find(proxy, 'zurich')).items;
  assert.equal(item.snippet.side, 'request');
  assert.equal(shown(item.snippet), 'Where is [Zürich]?');
  const page = await find(proxy, 'eiffel', '&per_page=1&page=2');
  assert.deepEqual([page.items[0].id, page.pagination.total], [1, 2]);
  assert.equal(page.pagination.total_is_minimum, false);
  assert.match(page.pagination.previous_url, /q=eiffel/);
  assert.equal(page.filters.q, 'eiffel');
  const plain = await proxy.api('/api/requests?q=%20');
  assert.equal(plain.items.length, 2, 'blanks are no search');
  assert.equal('snippet' in plain.items[0], false);
});

test('nothing that is typed or captured breaks a search', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const texts = [
    'nul \0 byte', 'left \u202eright \u001b[31mred', '東京タワーへ行く', 'party 🎉🎉 time', `say "hi" it's`,
    'w'.repeat(100_000), `${'lorem ipsum '.repeat(90_000)}needle`, '<script>alert(1)</script>', 'AND OR NOT NEAR',
  ]; // prettier-ignore
  for (const text of texts) await ask(proxy, text);
  await proxy.request('POST', CHAT, { fields: JSON_TYPE, body: Buffer.from('\xff\xfe broken\0bytes', 'latin1') });
  await indexed(proxy, texts.length + 1);

  assert.deepEqual(await ids(proxy, 'nul byte'), [1]);
  const [red] = (await find(proxy, 'right')).items;
  assert.equal(/[\u0000-\u001f\u007f-\u009f\u202e]/u.test(shown(red.snippet)), false);
  assert.deepEqual(await ids(proxy, '京タワ'), [3], 'a part of a run of CJK');
  assert.equal(shown((await find(proxy, '京タワ')).items[0].snippet), '東[京タワ]ーへ行く');
  assert.deepEqual(await ids(proxy, '🎉'), [4]);
  assert.deepEqual(await ids(proxy, '"hi'), [5], 'a quote that is left open');
  assert.deepEqual(await ids(proxy, 'ww*'), [6]);
  assert.deepEqual(await ids(proxy, 'needle'), [7], 'the end of a megabyte');
  assert.deepEqual(await ids(proxy, 'NOT and'), [9]);
  const hostile = [
    '"', '""', '*', '-', '(', 'a"b', 'NEAR(', 'request:', 'a AND', '^a', '{a}:b', "'; DROP TABLE requests; --",
    'a\0b', '\0', '\ud83c', 'a'.repeat(4096), '-"', '"*', '" *"', 'a + b', '🎉*', '\u202e', '%', '\\',
  ]; // prettier-ignore
  for (const q of hostile) {
    const answer = await proxy.request('GET', `/api/requests?q=${encodeURIComponent(q.toWellFormed?.() ?? q.replace('\ud83c', '?'))}`);
    assert.ok([200, 422].includes(answer.status), `${JSON.stringify(q)}: ${answer.status}`);
  }
  for (const [q, detail] of [
    ['???', /no word to look for/],
    ['-only', /no word to look for/],
    ['a'.repeat(4097), /longer than/],
    ['a '.repeat(65), /more than 64 words/],
  ]) {
    const answer = await proxy.request('GET', `/api/requests?q=${encodeURIComponent(q)}`);
    assert.equal(answer.status, 422);
    assert.match(answer.json.detail, detail);
  }
});

test('deleted requests are not found, and their words leave the index', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  for (const word of ['alpha', 'beta', 'gamma']) await ask(proxy, `${word} common`);
  await indexed(proxy, 3);
  assert.equal((await proxy.request('DELETE', '/admin/api/requests/3')).status, 200);
  assert.deepEqual(await ids(proxy, 'common'), [2, 1]);
  spawnSync('sqlite3', ['-cmd', '.timeout 5000', proxy.database, 'UPDATE requests SET created_us = 1 WHERE id = 1']);
  const trim = { fields: JSON_TYPE, body: '{"days":30,"confirm":true}' };
  assert.equal((await proxy.request('POST', '/admin/api/settings/trim', trim)).json.deleted, 1);
  assert.deepEqual(await ids(proxy, 'common'), [2]);
  const left = (word) => proxy.sql(`SELECT count(*) n FROM search_index WHERE search_index MATCH '${word}'`)[0].n;
  assert.deepEqual([left('alpha'), left('beta'), left('gamma')], [0, 1, 0]);
});

test('a killed process loses nothing of the index, and it can be off, on and made anew', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  for (let i = 0; i < 40; i++) await ask(proxy, `common number${i}`);
  await until(() => proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === 40);
  await proxy.kill9(); /* most are not in the index yet */
  await proxy.restart();
  await indexed(proxy, 40);
  assert.equal((await find(proxy, 'common')).pagination.total, 40);
  assert.deepEqual(await ids(proxy, 'number7'), [8]);

  await proxy.stop();
  await proxy.restart({ args: ['--set', 'search_index=0'] });
  await until(async () => (await proxy.request('GET', '/api/requests?q=common')).status === 422);
  const off = await proxy.request('GET', '/api/requests?q=common');
  assert.match(off.json.detail, /search_index/);
  assert.deepEqual(proxy.sql("SELECT count(*) n FROM search_index WHERE search_index MATCH 'common'"), [{ n: 0 }]);
  await ask(proxy, 'common while off');
  await until(() => proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === 41);

  await proxy.stop();
  await proxy.restart({ args: [] });
  await until(async () => (await proxy.request('GET', '/api/requests?q=common')).status === 200);
  await indexed(proxy, 41);
  assert.equal((await find(proxy, 'common')).pagination.total, 41);
  const rebuilt = await proxy.request('POST', '/admin/api/storage/search/rebuild');
  assert.deepEqual([rebuilt.status, rebuilt.json], [200, { pending: 41 }]);
  await indexed(proxy, 41);
  assert.equal((await find(proxy, 'common')).pagination.total, 41);
});

test('grep finds lines, the same in a server and in a file', async (t) => {
  const upstream = await scripted(t);
  const event = (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
  upstream.script(CHAT, (turn) =>
    turn.answer(200, [['Content-Type', 'text/event-stream']], event('one\ntw') + event('o\nthree')),
  );
  const proxy = await start(t, { upstream });
  await ask(proxy, 'Find \u001b[31mme');
  await ask(proxy, 'x'.repeat(5000) + ' deep');
  await until(() => proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === 2);
  const cases = [
    [['two'], 0, '2\tresponse\t2\ttwo\n1\tresponse\t2\ttwo\n'],
    [['-l', 'find', '-i'], 0, '1\n'],
    [['-c', '^t'], 0, '2\t2\n1\t2\n'],
    [['--limit', '1', '-C', '1', 'two'], 0, '2\tresponse\t1\tone\n2\tresponse\t2\ttwo\n2\tresponse\t3\tthree\n'],
    [['two', '--side', 'request'], 1, ''],
    [['-lF', 'data:', '--raw'], 0, '2\n1\n'],
    [['31m'], 0, '1\trequest\t1\tFind \\e[31mme\n'],
  ];
  const where = ['--url', proxy.url];
  for (const source of ['server', 'file']) {
    for (const [args, code, out] of cases) {
      const did = await run(['requests', 'grep', ...where, ...args]);
      assert.deepEqual([did.code, did.out], [code, out], `${source}: ${args}`);
    }
    const deep = await run(['requests', 'grep', ...where, 'deep']);
    assert.ok(deep.out.length < 500 && deep.out.includes('deep'), 'a long line is cut around the match');
    assert.equal((await run(['requests', 'grep', ...where, '('])).code, 2);
    if (source === 'server') await proxy.stop();
    where.splice(0, 2, '--database-url', proxy.database);
  }
});

test('db search says how far the index is, and switches it off, on and anew', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  await ask(proxy, 'common words');
  await indexed(proxy, 1);
  const db = async (...args) => {
    const did = await run(['db', 'search', ...args, '--json', '--database-url', proxy.database]);
    return [did.code, did.out && JSON.parse(did.out)];
  };
  assert.deepEqual(await db(), [0, { on: true, pending: 0 }]);
  assert.deepEqual(await db('rebuild'), [0, { on: true, pending: 1 }], 'the server does it');
  await proxy.stop();
  assert.deepEqual(await db('rebuild'), [0, { on: true, pending: 0 }]);
  assert.deepEqual(await db('off'), [0, { on: false, pending: 0 }]);
  assert.equal((await db('rebuild'))[0], 2);
  assert.equal((await db('nothing'))[0], 2);
  await proxy.restart();
  assert.equal((await proxy.request('GET', '/api/requests?q=common')).status, 422, 'it stays off');
  await proxy.stop();
  assert.deepEqual(await db('on'), [0, { on: true, pending: 0 }]);
  await proxy.restart();
  assert.deepEqual(await ids(proxy, 'common'), [1]);
});
