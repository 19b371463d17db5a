/* "requests export", "curl" and "cancel", and "runs export". */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { BINARY, folder, launch, run, start } from './proxy.mjs';
import { until, within } from './until.mjs';
import { scripted } from './upstream.mjs';

const UTF8 = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };
const CHAT = '/v1/chat/completions';
const JSON_TYPE = [['Content-Type', 'application/json']];
const lines = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
const bytesOf = (side) => Buffer.from(side.body, side.encoding === 'base64' ? 'base64' : 'utf8');

async function setUp(t, options = {}) {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, ...options });
  const database = `sqlite:////${proxy.database.slice(1)}`;
  const server = (...words) => run([...words, '--url', proxy.url], { env: UTF8 });
  const file = (...words) => run([...words, '--database-url', database], { env: UTF8 });
  return { upstream, proxy, server, file, database };
}

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const BINARY_BYTES = Buffer.from([0, 1, 0xff, 0xfe, 0x80, 10, 13, 0xc3]);

/* Requests of all kinds: text, an image, a binary answer, a failure, a compressed request. */
async function traffic({ upstream, proxy }) {
  upstream.script('/v1/binary', (turn) =>
    turn.answer(200, [['Content-Type', 'audio/mpeg']], BINARY_BYTES));
  upstream.fallback = (turn) => turn.json({ ok: true });
  upstream.script('/v1/fails', (turn) => turn.json({ error: { message: 'no\u001b[2J' } }, 500));
  const chat = { model: 'a\u202eb', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: PIXEL } }] }] };
  const bodies = [JSON.stringify(chat, null, 2), 'text é🦦 \u0000\u001b[31m', '', '{"model":"m"}'];
  await proxy.request('POST', CHAT, { fields: [...JSON_TYPE, ['Authorization', 'Bearer sk-secret']], body: bodies[0] });
  await proxy.request('POST', '/v1/binary', { fields: [['Content-Type', 'text/plain']], body: bodies[1] });
  await proxy.request('GET', '/v1/models?key=sk-secret&a=b', {});
  await proxy.request('POST', '/v1/fails', { fields: JSON_TYPE, body: bodies[3] });
  await proxy.request('POST', '/v1/zipped', {
    fields: [...JSON_TYPE, ['Content-Encoding', 'gzip']], body: zlib.gzipSync(bodies[3]),
  });
  await until(async () => (await proxy.rows()).length === 5 &&
    (await proxy.rows()).every((row) => row.completed_at), 'five rows');
  return bodies;
}

test('an export has every request with the bytes that were stored', async (t) => {
  const scene = await setUp(t);
  const bodies = await traffic(scene);
  const { proxy, server, file } = scene;
  const plain = await server('requests', 'export');
  assert.equal(plain.code, 0);
  const rows = (await proxy.rows()).reverse();
  assert.deepEqual(lines(plain.out).map(({ type, ...row }) => (assert.equal(type, 'request'), row)), rows);
  const full = await server('requests', 'export', '--bodies');
  const all = lines(full.out);
  assert.deepEqual(all.map((line) => line.request && Buffer.from(line.request.body ?? '').toString()).slice(0, 2), bodies.slice(0, 2));
  assert.equal(all[0].request.headers.authorization, 'Bearer ***');
  assert.deepEqual(all[0].images, [{ kind: 'data_url', mime_type: 'image/png' }]);
  assert.deepEqual([all[1].response.encoding, all[1].response.content_type], ['base64', 'audio/mpeg']);
  assert.deepEqual(bytesOf(all[1].response), BINARY_BYTES);
  assert.equal(all[4].request.body, bodies[3], 'as it was read');
  assert.doesNotMatch(full.out, /sk-secret/);
  assert.doesNotMatch(full.out, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, 'nothing for a terminal to obey');
  for (const line of all)
    for (const side of ['request', 'response']) {
      const raw = spawnSync(BINARY, ['requests', 'show', String(line.id), '--raw', side, '--url', proxy.url]);
      if (line[side]?.body != null) assert.deepEqual(bytesOf(line[side]), raw.stdout, `${line.id} ${side}`);
    }
  const same = (text) => text.replaceAll(/"open_duration_\w+":[^,]*,/g, '');
  assert.equal((await file('requests', 'export')).out, plain.out);
  assert.equal(same((await file('requests', 'export', '--bodies')).out), same(full.out));
});

test('an export takes what the options choose', async (t) => {
  const scene = await setUp(t);
  await traffic(scene);
  const { server, file, proxy } = scene;
  const ids = async (...words) => lines((await server('requests', 'export', ...words)).out).map((line) => line.id);
  assert.deepEqual(await ids('--error'), [4]);
  assert.deepEqual(await ids('--where', 'status>=500'), [4]);
  assert.deepEqual(await ids('--limit', '2'), [1, 2]);
  assert.deepEqual(await ids('--after', '2', '--before', '5'), [3, 4]);
  assert.deepEqual(await ids('--endpoint', 'models'), [3]);
  assert.deepEqual(await ids('--since', '1h'), [1, 2, 3, 4, 5]);
  assert.deepEqual(await ids('--until', '1h'), []);
  const csv = await server('requests', 'export', '--format', 'csv');
  assert.equal((await file('requests', 'export', '--format', 'csv')).out, csv.out);
  const [head, first] = csv.out.split('\n');
  assert.match(head, /^id,rev,created_at,/);
  assert.doesNotMatch(head, /(^|,)(tokens|signals|task_run)(,|$)/);
  assert.match(first, /^1,,\d{4}-/);
  for (const [words, why] of [
    [['--format', 'xml'], '--format: "xml" is none of jsonl, csv'],
    [['--format', 'csv', '--bodies'], '--bodies has no meaning for --format csv'],
    [['--json'], '--json has no meaning for requests export'],
  ]) {
    const { code, out, err } = await server('requests', 'export', ...words);
    assert.deepEqual([code, out, err.split('\n')[0]], [2, '', `llm-observe-proxy: ${why}`]);
  }
  assert.equal((await server('requests', 'export', '--run', 'nope')).code, 3);
  await proxy.healthy();
});

test('a file appears when the export is complete, or not at all', async (t) => {
  const scene = await setUp(t);
  await traffic(scene);
  const { server, proxy } = scene;
  const dir = folder(t);
  const name = path.join(dir, 'all.jsonl');
  const { code, out, err } = await server('requests', 'export', '-o', name);
  assert.deepEqual([code, out, err], [0, '', `wrote 5 requests to ${name}\n`]);
  assert.equal(lines(readFileSync(name, 'utf8')).length, 5);
  assert.deepEqual(readdirSync(dir), ['all.jsonl']);
  const failed = await run(['requests', 'export', '--url', 'http://127.0.0.1:1', '-o', path.join(dir, 'no')], { env: UTF8 });
  assert.equal(failed.code, 5);
  proxy.child.kill('SIGSTOP'); /* it never answers */
  const child = launch(['requests', 'export', '--url', proxy.url, '-o', path.join(dir, 'cut')], { env: UTF8 });
  await until(() => existsSync(path.join(dir, 'cut.tmp')), 'the unfinished file');
  child.kill('SIGINT');
  assert.equal((await within(child.gone, 'it to end')).signal, 'SIGINT');
  proxy.child.kill('SIGCONT');
  assert.deepEqual(readdirSync(dir), ['all.jsonl']);
  const full = spawnSync('bash', ['-c', `"${BINARY}" requests export --url ${proxy.url} >/dev/full`], { encoding: 'utf8' });
  assert.equal(full.status, 1);
  assert.match(full.stderr, /cannot write to standard output: No space left/);
});

test('a run is exported with what it came to', async (t) => {
  const { proxy, server, file } = await setUp(t);
  assert.equal((await server('runs', 'start', 'bench')).out, '1\n');
  await proxy.request('POST', CHAT, { fields: JSON_TYPE, body: '{"model":"m"}' });
  await server('runs', 'end');
  await proxy.request('POST', CHAT, { fields: JSON_TYPE, body: '{"model":"m"}' });
  await until(async () => (await proxy.rows()).length === 2, 'two rows');
  const { out } = await server('runs', 'export', 'bench', '--bodies');
  const [first, ...rest] = lines(out);
  const { run: made, stats } = await proxy.api('/api/runs/1/stats');
  assert.deepEqual(first, { type: 'run', run: made, stats });
  assert.deepEqual(rest.map((line) => [line.type, line.id, line.request.body]), [['request', 1, '{"model":"m"}']]);
  assert.equal((await file('runs', 'export', 'bench', '--bodies')).out, out);
  assert.equal((await server('runs', 'export', 'nope')).code, 3);
  assert.equal((await server('runs', 'export', 'bench', '--run', '1')).code, 2);
  assert.equal((await server('runs', 'export', 'bench', '--error', '--format', 'csv')).out.split('\n').length, 2);
});

test('the printed curl command sends the same bytes again', async (t) => {
  const scene = await setUp(t);
  const { upstream, proxy, server, file } = scene;
  const evil = "it's \"$HOME\" `id` \\ %s !x é🦦\ttab\nline\u001b[31m\u202e\u009b end\\";
  const bodies = [
    ['application/json', JSON.stringify({ model: 'm', stream: false, messages: [{ role: 'user', content: evil }] }, null, 2)],
    ['text/plain', evil], ['text/plain', '@/etc/passwd'], ['application/json', `{"model":"m","x":"${'y'.repeat(60000)}"}`],
    ['application/x-www-form-urlencoded', 'a=b&c=d'], ['application/octet-stream', Buffer.from([0xff, 0xfe, 0x80, 0x41, 0x0a])],
  ];
  const own = { ...process.env, OPENAI_API_KEY: 'sk-real', GEMINI_API_KEY: 'g-real', X_MY_TOKEN: 'mine', HOME: '/home' };
  for (const [type, body] of bodies) {
    await proxy.request('POST', '/v1/echo?key=sk-secret&x=a%20b', {
      fields: [['Content-Type', type], ['Authorization', 'Bearer sk-secret'], ['X-My-Token', 'sk-secret'], ['X-Odd', 'a "b" $c `d`']], body,
    });
    const before = upstream.requests.length;
    await until(async () => (await proxy.rows()).length === before && (await proxy.rows())[0].completed_at, 'the row');
    const { code, out, err } = await server('requests', 'curl', 'last');
    assert.deepEqual([code, err], [0, ''], out);
    assert.doesNotMatch(out, /sk-secret/);
    assert.doesNotMatch(out, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    const shell = out.includes("$'") ? 'bash' : 'sh';
    const sent = await run_shell(shell, out, own);
    assert.equal(sent.status, 0, sent.stderr + out);
    const [first, again] = upstream.requests.slice(-2);
    assert.deepEqual(Buffer.from(again.body), Buffer.from(first.body), out);
    assert.equal(again.target, '/v1/echo?key=g-real&x=a%20b');
    const value = (name) => again.fields.find(([n]) => n.toLowerCase() === name)?.[1];
    assert.deepEqual(
      [value('content-type'), value('authorization'), value('x-my-token'), value('x-odd')],
      [type, 'Bearer sk-real', 'mine', 'a "b" $c `d`'],
    );
    const direct = await file('requests', 'curl', 'last-error');
    assert.equal(direct.code, 3, 'none failed');
  }
  const get = await proxy.request('GET', '/v1/models', {});
  assert.equal(get.status, 200);
  await until(async () => (await proxy.rows('endpoint=models')).length === 1, 'the row');
  const plain = await file('requests', 'curl', 'last', '--upstream');
  assert.match(plain.out, new RegExp(`^curl -X 'GET' '${upstream.url}/models'`));
});

/* The commands talk to servers of this process: it must go on serving. */
async function run_shell(shell, script, env) {
  const { spawn } = await import('node:child_process');
  const child = spawn(shell, ['-c', script], { env });
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  child.stdout.resume();
  const status = await within(new Promise((done) => child.once('close', done)), 'the command to end');
  return { status, stderr };
}

test('large and binary bodies go through a file, and to the upstream goes what it knows', async (t) => {
  const { upstream, proxy, server } = await setUp(t, { env: { LAB_KEY: 'lab-secret' } });
  const post = (target, value) => proxy.request('POST', target, { fields: JSON_TYPE, body: JSON.stringify(value) });
  await post('/admin/api/providers', { name: 'Lab', slug: 'lab', base_url: upstream.url, api_key_env: 'LAB_KEY' });
  const route = (await post('/admin/api/routes', { model: 'small', upstream_url: upstream.url, provider_slug: 'lab', upstream_model: 'big "1"' }));
  assert.equal(route.status, 200, route.text);
  const dir = folder(t);
  await proxy.request('POST', CHAT, { fields: [...JSON_TYPE, ['Authorization', 'Bearer sk-secret']], body: '{"model": "small", "n": 1.0}' });
  await until(async () => (await proxy.rows())[0]?.completed_at, 'the row');
  const direct = await server('requests', 'curl', 'last', '--upstream');
  assert.match(direct.out, /-H "authorization: Bearer \$LAB_KEY"/);
  assert.equal(direct.out.match(/authorization/gi).length, 1);
  assert.equal((await run_shell('sh', direct.out, { ...process.env, LAB_KEY: 'k' })).status, 0);
  assert.deepEqual(upstream.requests.map((r) => r.body.toString()), Array(2).fill('{"model": "big \\"1\\"", "n": 1.0}'));
  const cases = ['x'.repeat(140000), Buffer.from([1, 0, 2])];
  for (const body of cases) {
    await proxy.request('POST', '/v1/echo', { fields: [['Content-Type', 'text/plain']], body });
    const wanted = Buffer.from(body);
    await until(async () => (await proxy.rows())[0].request_bytes === wanted.length, 'the row');
    const refused = await server('requests', 'curl', 'last');
    assert.deepEqual([refused.code, refused.out], [2, '']);
    assert.match(refused.err, /use --body-file FILE\n/);
    const name = path.join(dir, "b'ody");
    const { out } = await server('requests', 'curl', 'last', '--body-file', name);
    assert.deepEqual(readFileSync(name), wanted);
    assert.equal((await run_shell('sh', out, process.env)).status, 0);
    assert.deepEqual(Buffer.from(upstream.requests.at(-1).body), wanted);
  }
});

test('requests cancel ends a request after a confirmation', async (t) => {
  const { upstream, proxy, server, file } = await setUp(t);
  upstream.script(CHAT, () => {}); /* never answers */
  const answer = proxy.request('POST', CHAT, { fields: JSON_TYPE, body: '{"model":"m"}' });
  await upstream.saw(CHAT);
  const asked = await server('requests', 'cancel', '1');
  assert.deepEqual([asked.code, asked.err], [2, 'llm-observe-proxy: refusing to cancel request 1 without --yes\n']);
  assert.equal((await server('requests', 'cancel', '1', '--dry-run')).err, 'would cancel request 1\n');
  assert.equal((await file('requests', 'cancel', '1', '-y')).code, 5);
  const done = await server('requests', 'cancel', '1', '-y', '--reason', 'too "slow"', '--json=cancelled,id');
  assert.deepEqual([done.code, done.out, done.err], [0, '{"cancelled":true,"id":1}\n', 'request 1 cancelled\n']);
  assert.equal((await answer).status, 499);
  assert.equal((await proxy.row(CHAT)).error, 'cancelled by the operator: too "slow"');
  const over = await server('requests', 'cancel', '1', '-y');
  assert.deepEqual([over.code, over.err], [7, 'llm-observe-proxy: request 1: Request is not in flight.\n']);
  assert.equal((await server('requests', 'cancel', '77', '-y')).code, 3);
});

test('show tells the route and why, and a cost that adds up', async (t) => {
  const { upstream, proxy, server, file } = await setUp(t);
  const usage = {
    input_tokens: 100, cache_read_input_tokens: 5000, cache_creation_input_tokens: 300,
    cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 }, output_tokens: 50,
  };
  upstream.script('/v1/messages', (turn) =>
    turn.json({ id: 'm', type: 'message', role: 'assistant', model: 'claude-x', content: [], stop_reason: 'end_turn', usage }));
  const post = async (target, value) => {
    const answer = await proxy.request('POST', target, { fields: JSON_TYPE, body: JSON.stringify(value) });
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text);
  };
  await post('/admin/api/providers', { name: 'Lab', slug: 'lab', base_url: upstream.url });
  await post('/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'claude-x', input_usd_per_million: 3, output_usd_per_million: 15,
    cached_input_usd_per_million: 0.3, cache_write_usd_per_million: 3.75, cache_write_1h_usd_per_million: 6,
    source_url: 'https://prices.example/', checked_at: '2026-05-23',
  });
  const { id } = await post('/admin/api/routes', {
    model: 'claude-*', match_type: 'prefix', upstream_url: upstream.url, provider_slug: 'lab', priority: 50,
  });
  await post('/v1/messages', { model: 'claude-x', max_tokens: 5, messages: [] });
  await until(async () => (await proxy.rows())[0]?.completed_at, 'the row');
  for (const cli of [server, file]) {
    const head = await cli('requests', 'show', 'last', '--part', 'head');
    assert.match(head.out, new RegExp(`\\n {2}model {3}claude-x on lab, route claude-\\S* \\(${id}, prefix, priority 50\\)\\n`));
    const { out } = await cli('requests', 'show', 'last', '--part', 'cost');
    const [, total, equation] = /\n {2}cost {4}\$(\S+) = (.*?) {3}\(exact match, checked 2026-05-23\)\n/.exec(out);
    assert.equal(equation, '100 x $3/M + 5000 x $0.3/M + 200 x $3.75/M + 100 x $6/M + 50 x $15/M');
    const sum = equation.split(' + ').map((term) => /^(\d+) x \$(.+)\/M$/.exec(term).slice(1).map(Number));
    assert.ok(Math.abs(sum.reduce((all, [n, rate]) => all + n * rate, 0) / 1e6 - Number(total)) < 1e-12);
    assert.match(out, /\n {2}price {3}lab:claude-x, https:\/\/prices\.example\/\n$/);
  }
});
