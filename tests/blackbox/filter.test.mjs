/* The filter language: where= of the API, --where of the commands. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { launch, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];
const CHAT = '/v1/chat/completions';
const UTF8 = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };

const usage = { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 };
const answer = JSON.stringify({ choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }], usage });

/** The model says what becomes of a request: its status, or "wait" for an answer that is held. */
async function upstreamOf(t) {
  const upstream = await scripted(t);
  upstream.held = [];
  upstream.script(CHAT, async (turn) => {
    const { model } = JSON.parse(turn.request.body);
    if (model === 'wait') await new Promise((done) => upstream.held.push(done));
    const status = Number(/\d{3}$/.exec(model)?.[0] ?? 200);
    return turn.answer(status, JSON_TYPE, status === 200 ? answer : '{"error":{"message":"Rate limit reached"}}');
  });
  return upstream;
}

const ask = (proxy, model) =>
  proxy.request('POST', CHAT, {
    fields: JSON_TYPE, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] }),
    limit: ms(10000),
  }); // prettier-ignore

const list = (proxy, where, more = '') =>
  proxy.api(`/api/requests?facets=0&where=${encodeURIComponent(where)}${more}`);
const ids = async (proxy, where, more) => (await list(proxy, where, more)).items.map((item) => item.id);
const post = (proxy, path, body) =>
  proxy.request('POST', path, { fields: JSON_TYPE, body: JSON.stringify(body ?? {}) });

/** Six requests: 1 and 2 in run "bench-1", 3 to 6 in none. */
async function filled(t) {
  const upstream = await upstreamOf(t);
  const proxy = await start(t, { upstream });
  await post(proxy, '/api/runs/start', { name: 'bench-1' });
  await ask(proxy, 'gpt-5');
  await ask(proxy, 'Qwen3-429');
  await post(proxy, '/api/runs/end');
  for (const model of ['gpt-5', 'gpt-5-mini', 'qwen3-500', 'gpt-5']) await ask(proxy, model);
  await until(async () => (await proxy.api('/api/requests')).stats.total.value === 6);
  return { proxy, upstream };
}

test('where= chooses rows, alone and with the other parameters', async (t) => {
  const { proxy } = await filled(t);
  const cases = [
    ['', [6, 5, 4, 3, 2, 1]],
    ['model:gpt-5', [6, 3, 1]],
    ['model:QWEN*', [5, 2]],
    ['model=qwen*', []],
    ['status>=400', [5, 2]],
    ['status:4xx', [2]],
    ['run:bench-*', [2, 1]],
    ['-run:bench-1 is:error', [5]],
    ['run:active', []],
    ['run:-', [6, 5, 4, 3]],
    ['output:5 run:1', [1]],
    ['output:-', [5, 2]],
    ['"rate limit"', [5, 2]],
    ['rate or model:*mini', [5, 4, 2]],
    ['id:2..4 !id:3', [4, 2]],
    ['since:1h cost:-', [6, 5, 4, 3, 2, 1]],
    ['outcome:http_error', [5, 2]],
    ['is:pending', []],
    ['created<2020-01-01', []],
  ];
  for (const [where, expected] of cases) assert.deepEqual(await ids(proxy, where), expected, where);
  assert.deepEqual(await ids(proxy, 'is:error', '&model=qwen3-500'), [5]);
  assert.deepEqual(await ids(proxy, 'output:5', '&run=1'), [1]);
  assert.deepEqual(await ids(proxy, 'model:gpt*', '&before=4'), [3, 1]);
});

test('totals of a filter stop, and pages go on from there', async (t) => {
  const { proxy } = await filled(t);
  const page = await list(proxy, 'finish:stop', '&per_page=3&page=2');
  assert.deepEqual(page.items.map((item) => item.id), [1]);
  const { total, total_is_minimum, total_pages, previous_url } = page.pagination;
  assert.deepEqual({ total, total_is_minimum, total_pages }, { total: 4, total_is_minimum: false, total_pages: 2 });
  assert.match(previous_url, /where=finish%3Astop/);
  assert.equal(page.filters.where, 'finish:stop');
  assert.equal((await list(proxy, 'finish:stop', '&per_page=3')).pagination.total, 4);
  const cursor = await list(proxy, 'finish:stop', '&per_page=2&before=6');
  assert.deepEqual([cursor.items.map((item) => item.id), cursor.pagination.total], [[4, 3], 3]);
  assert.equal(cursor.pagination.total_is_minimum, true);
});

test('a wrong filter is refused with the place of the fault, everywhere', async (t) => {
  const { proxy } = await filled(t);
  const cases = [
    ['model:gpt* coost>=400', { detail: 'unknown field "coost", did you mean "cost"?', position: 11, length: 5 }],
    ['é or (', { detail: 'the bracket is not closed', position: 5, length: 1 }],
    ['model>x', { detail: 'model>x: text has no order', position: 5, length: 1 }],
    [`${'('.repeat(17)}`, { detail: 'brackets nest deeper than 16', position: 16, length: 1 }],
    ['x'.repeat(4097), { detail: 'the filter is longer than 4096 bytes', position: 4096, length: 1 }],
  ];
  for (const path of ['/api/requests', '/api/live', '/api/events'])
    for (const [where, expected] of cases) {
      const got = await proxy.request('GET', `${path}?where=${encodeURIComponent(where)}`);
      assert.equal(got.status, 400, `${path} ${where}`);
      assert.deepEqual(JSON.parse(got.body), expected);
    }
  const got = await proxy.request('GET', '/api/requests?where=is%3Astalled');
  assert.match(String(got.body), /is:stalled is known only of requests in flight/);
});

test('rows in flight are chosen by what is known of them', async (t) => {
  const { proxy, upstream } = await filled(t);
  const live = async (where) => {
    const o = await proxy.api(`/api/live?where=${encodeURIComponent(where)}`);
    return [o.inflight.map((row) => row.id), o.finished.map((row) => row.id), o.inflight_total, o.finished_total];
  };
  await post(proxy, '/api/runs/start', { name: 'now' });
  const waiting = ask(proxy, 'wait');
  await until(() => upstream.held.length === 1);
  assert.deepEqual(await live('is:waiting'), [[7], [], 1, 0]);
  assert.deepEqual(await live('run:active'), [[7], [], 1, 0]);
  assert.deepEqual(await live('model:qwen*'), [[], [5, 2], 0, 2]);
  assert.deepEqual(await live('run:bench-1 or model:wait'), [[7], [2, 1], 1, 2]);
  upstream.held[0]();
  await waiting;
  await until(async () => (await live('run:active'))[1].length === 1);
  assert.deepEqual(await live('run:active'), [[], [7], 0, 1]);
});

test('--where gives the same from a server and from a file', async (t) => {
  const { proxy } = await filled(t);
  const both = async (words) => {
    const server = await run([...words, '--url', proxy.url], { env: UTF8 });
    const file = await run([...words, '--database-url', proxy.database], { env: UTF8 });
    assert.deepEqual({ code: file.code, out: file.out }, { code: server.code, out: server.out }, words.join(' '));
    return server;
  };
  const shown = async (...words) => (await both([...words, '--jsonl=id'])).out.trim().split('\n').filter(Boolean)
    .map((line) => JSON.parse(line).id);
  assert.deepEqual(await shown('requests', 'list', '--where', 'model:gpt*'), [6, 4, 3, 1]);
  assert.deepEqual(await shown('requests', 'list', '--where=is:error', '--limit', '1'), [5]);
  assert.deepEqual(await shown('requests', 'list', '--where=run:bench-1', '--status', '429'), [2]);
  assert.deepEqual(await shown('requests', 'tail', '--where=run:-', '-n2'), [5, 6]);
  assert.deepEqual(await shown('requests', 'grep', '-l', 'Rate', '--where=status:5xx'), [5]);
  assert.equal((await both(['requests', 'list', '--where=model:none'])).out, '');
});

test('a mistake shows the filter and where it is', async () => {
  const wrong = async (where) => {
    const { code, out, err } = await run(['requests', 'list', '--where', where], { env: UTF8 });
    assert.deepEqual([code, out], [2, ''], where);
    return err;
  };
  assert.equal(
    await wrong('model:gpt* stauts>=400'),
    'llm-observe-proxy: --where: unknown field "stauts", did you mean "status"?\n' +
      '  model:gpt* stauts>=400\n             ^^^^^^\n',
  );
  assert.equal(
    await wrong('model:東京 is:streem'),
    'llm-observe-proxy: --where: unknown flag "streem", did you mean "stream"?\n' +
      '  model:東京 is:streem\n                ^^^^^^\n',
  );
  assert.match(await wrong('\x1b[2J zzz:1'), /\n {2}\\e\[2J zzz:1\n {8}\^\^\^\n$/);
  const long = (await wrong(`${'a '.repeat(60)}zzz:1 ${'b '.repeat(100)}`)).split('\n');
  assert.equal(long.length, 4);
  for (const line of long) assert(line.length < 100);
  assert.equal(long[1].indexOf('zzz'), long[2].indexOf('^^^'));
  for (const verb of ['tail', 'grep x']) {
    const { code, err } = await run(['requests', ...verb.split(' '), '--where', '('], { env: UTF8 });
    assert.equal(code, 2, verb);
    assert.match(err, /the bracket is not closed\n {2}\(\n {2}\^\n$/);
  }
});

test('tail -f prints only what matches', async (t) => {
  const { proxy } = await filled(t);
  const tail = launch(['requests', 'tail', '-fn0', '--where', 'is:error or run:now', '--jsonl=id', '--url', proxy.url],
    { env: UTF8 });
  t.after(() => tail.kill('SIGKILL'));
  let sent = 6;
  await until(async () => {
    await ask(proxy, 'gpt-5');
    await ask(proxy, 'x-500');
    sent += 2;
    return tail.out.length > 0;
  }, 'the first line', ms(10000), 100);
  await post(proxy, '/api/runs/start', { name: 'now' });
  await ask(proxy, 'in-the-run');
  await until(() => tail.out.includes(`{"id":${sent + 1}}`));
  const printed = tail.out.trim().split('\n').map((line) => JSON.parse(line).id);
  assert.deepEqual(printed.filter((id) => id <= sent).filter((id) => id % 2 === 1), [], 'odd ones were answered');
});

test('help and the table name every field', async () => {
  const { out } = await run(['help', 'filter'], { env: UTF8 });
  const tables = JSON.parse((await run(['__tables'])).out);
  assert(tables.filter_fields.length > 30);
  for (const { name, alias, help } of tables.filter_fields) {
    assert.match(out, new RegExp(`^  ${name}${alias ? `, ${alias}` : ''} `, 'm'));
    assert(help.length <= 60);
  }
  for (const line of out.split('\n')) assert(line.length <= 80, line);
  for (const { name } of [...tables.filter_flags, ...tables.filter_outcomes]) assert.match(out, new RegExp(`\\b${name}\\b`));
});
