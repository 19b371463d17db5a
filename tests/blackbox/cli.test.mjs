/* The command line: what it prints, and how it ends. Against the real server and its database, and
 * against a server of our own that can do what the real one never would. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { BINARY, folder, launch, run, start } from './proxy.mjs';
import { ms, until, within } from './until.mjs';
import { scripted } from './upstream.mjs';

const UTF8 = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };
const terminal = (width) => ({ ...UTF8, LLM_OBSERVE_FORCE_TTY: String(width) });
const ids = (text) => text.split('\n').filter(Boolean).map(Number);

/* What a terminal obeys, or what hides or reorders text. */
const OBEYED =
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const EVIL = '\x1b]0;pwn\x07\x9b2J\u202egpj\ufeff\x00\r\n\ttab\x7f';

function row(id, more = {}) {
  const at = new Date(Date.UTC(2026, 10, 23, 12) + id * 1000).toISOString().replace('Z', '000Z');
  return {
    id, created_at: at, completed_at: at, method: 'POST', endpoint: '/v1/chat/completions',
    model: 'm', status: 200, outcome: 'ok', duration_ms: id, tokens: { input: 1, output: 2 },
    provider_slug: null, task_run: null, error: null, signals: { error: false }, ...more,
  };
}

/* A server with rows of its own. close() cuts its connections, listen() opens its port again. */
class FakeServer {
  rows = [];
  viewers = new Set();
  instance = 'one';
  rev = 1;
  asked = [];

  constructor(t) {
    this.server = http.createServer((request, response) => this.#answer(request, response));
    this.port = 0;
    t.after(() => this.close());
  }

  async listen() {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async close() {
    this.viewers.clear();
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** A request ends: it is in lists, and viewers hear of it. */
  finish(item) {
    this.rows.unshift(item);
    this.rev++;
    for (const viewer of this.viewers)
      viewer.write(`id: ${this.rev}\nevent: finished\ndata: ${JSON.stringify(item)}\n\n`);
  }

  #json(response, status, value) {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  }

  #answer(request, response) {
    const { pathname, searchParams: query } = new URL(request.url, 'http://x');
    this.asked.push(request.url);
    if (pathname === '/api/events') return this.#events(response);
    const body = /^\/admin\/api\/requests\/(\d+)\/body$/.exec(pathname);
    if (body) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      return response.end(this.body);
    }
    const one = /^\/api\/requests\/(\d+)$/.exec(pathname);
    if (one) {
      const record = this.rows.find((item) => item.id === Number(one[1]));
      if (!record) return this.#json(response, 404, { detail: 'Request not found.' });
      return this.#json(response, 200, { record, ...this.renders });
    }
    if (pathname === '/api/status' && this.version)
      return this.#json(response, 200, { name: 'llm-observe-proxy', server: { version: this.version } });
    if (pathname !== '/api/requests') return this.#json(response, 404, { detail: 'Not Found' });
    const before = Number(query.get('before') ?? Infinity);
    const after = Number(query.get('after') ?? 0);
    const items = this.rows
      .filter((item) => item.id < before && item.id > after)
      .slice(0, Number(query.get('per_page')));
    return this.#json(response, 200, this.raw ?? { items });
  }

  #events(response) {
    const now = new Date(Date.UTC(2026, 10, 23, 12)).toISOString().replace('Z', '000Z');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const hello = JSON.stringify({ rev: this.rev, now, instance: this.instance });
    response.write(`retry: 2000\nid: ${this.rev}\nevent: hello\ndata: ${hello}\n\n: ping\n\n`);
    this.viewers.add(response);
  }
}

/* Run a line of shell while this process goes on serving. */
async function shellRun(command) {
  const child = spawn('bash', ['-c', command], { env: { ...process.env, ...UTF8 } });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (err += text));
  await within(once(child, 'close'), `"${command}" to end`, ms(10000));
  return { out, err };
}

const fake = (t) => new FakeServer(t).listen();

test('mistakes on the command line are exit 2 and name what is wrong', async (t) => {
  const cwd = folder(t);
  const cases = [
    ['request list', 'unknown command "request", did you mean "requests"?', ''],
    ['--port 1 requests list', '--port belongs to serve, not to requests', 'requests'],
    ['--bogus requests list', 'unknown option "--bogus"', ''],
    ['requests lits', 'unknown verb "lits" of requests, did you mean "list"?', 'requests'],
    ['requests list --limt 5', 'unknown option "--limt", did you mean "--limit" or "--time"?'],
    ['requests list --limit x', '--limit: "x" is no whole number'],
    ['requests list --limit', '--limit needs a value (N)'],
    ['requests list --run 1 --run 2', '--run was given twice'],
    ['requests list --since never',
      '--since: "never" is no time (2031-04-05T06:07, 14:02, today, 15m)'],
    ['requests list --sort csot', '--sort: unknown column "csot", did you mean "cost" or "host"?'],
    ['requests list --json --csv', '--json and --csv exclude each other'],
    ['requests list --dry-run', '--dry-run has no meaning for requests list'],
    ['requests list extra', 'unexpected argument "extra"'],
    ['requests show', 'ID is missing'],
    ['requests show x', '"x" is no request (an id, "last" or "last-error")'],
    ['requests show 1 --csv', '--csv has no meaning for requests show'],
    ['requests show 1 --part haed', '--part: unknown part "haed", did you mean "head"?'],
    ['requests show 1 --raw both', '--raw: "both" is none of request, response, upstream'],
    ['requests tail -f --json', '--json has no end with --follow; use --jsonl'],
  ];
  for (const [line, message, help = line.split(' ').slice(0, 2).join(' ')] of cases) {
    const words = line.split(' ');
    const { code, out, err } = await run(words, { cwd, env: UTF8 });
    const hint = `Try "${['llm-observe-proxy', help].filter(Boolean).join(' ')} --help".\n`;
    assert.equal(err, `llm-observe-proxy: ${message}\n${hint}`, line);
    assert.equal(code, 2, line);
    assert.equal(out, '', line);
  }
  const none = await run(['requests'], { cwd });
  assert.equal(none.code, 2);
  assert.match(none.err, /requests list .*\n.*requests show ID.*\n.*requests tail/);
});

test('help is on stdout, at most 80 columns wide, wherever it is asked for', async () => {
  for (const line of ['--help', 'help', 'help requests', 'requests --help', 'help req show',
    'requests list --help', 'requests tail -h', 'help formats', 'help exit-codes',
    'help environment', 'help files', 'version --help', 'help serve']) {
    const { code, out, err } = await run(line.split(' '), { env: UTF8 });
    assert.equal(code, 0, line);
    assert.equal(err, '', line);
    assert(out.length > 50, line);
    for (const text of out.split('\n')) assert(text.length <= 80, `${line}: ${text}`);
  }
  const { commands } = JSON.parse((await run(['__tables'])).out);
  for (const { name, verbs } of commands)
    for (const verb of verbs) {
      const { code, out, err } = await run([name, verb.name, '--help'].filter(Boolean), { env: UTF8 });
      assert.deepEqual([code, err], [0, ''], `${name} ${verb.name}`);
      for (const text of out.split('\n')) assert(text.length <= 80, `${name} ${verb.name}: ${text}`);
    }
  const { out } = await run(['-V']);
  assert.match(out, /^llm-observe-proxy \d+\.\d+\.\d+\n$/);
  assert.deepEqual((await run(['requests', 'list', '--version'])).out, out);
  const { version } = JSON.parse((await run(['version', '--json'])).out);
  assert.equal(`llm-observe-proxy ${version}\n`, out);
});

test('a server and its database file give the same output', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/v1/chat/completions', (turn) =>
    turn.answer(
      turn.request.body.includes('bad') ? 429 : 200,
      [['Content-Type', 'application/json']],
      Buffer.from(JSON.stringify({ choices: [{ message: { content: `caf\u00e9 ${EVIL}` } }] })),
    ),
  );
  const proxy = await start(t, { upstream });
  for (const model of ['one', 'bad', 'm\u202e'])
    await proxy.send(proxy.compose('POST', '/v1/chat/completions', {
      fields: [['Content-Type', 'application/json']],
      body: Buffer.from(JSON.stringify({ model, messages: [] })),
    }));
  const ended = async () => (await proxy.rows()).filter((item) => item.completed_at);
  await until(async () => (await ended()).length === 3, 'three rows');
  const database = `sqlite:///${proxy.database}`;
  for (const words of [
    ['list', '--json'], ['list', '--jsonl'], ['list', '--csv'], ['list'],
    ['list', '--error', '--json=id,status'], ['list', '--model', 'one', '--columns', 'id,model'],
    ['list', '--reverse', '--columns=id'], ['show', '1'], ['show', 'last-error', '--json'],
    ['show', 'last', '--json'], ['show', '2', '--raw', 'response'],
    ['show', '1', '--raw', 'request'],
    ['show', '1', '--part', 'headers,timing,cost,images,upstream', '--mode', 'text'],
    ['tail', '-n2', '--jsonl'],
  ]) {
    const asked = await run(['requests', ...words, '--url', proxy.url], { env: UTF8 });
    const read = await run(['requests', ...words, '--database-url', database], { env: UTF8 });
    /* The file does not know the upstream that the server was started with. */
    const steady = (text) =>
      text.replace(/\d+[smh](\d\ds)? ago/, 'ago').replace(/"upstream_url":"[^"]*","poll/, '"poll');
    assert.equal(asked.code, 0, asked.err);
    assert.equal(steady(read.out), steady(asked.out), words.join(' '));
    assert.equal(read.err, '');
    assert(asked.out.length > 0);
  }
  const found = await run(['req', 'list', '-v', '--columns=id'], {
    env: { ...UTF8, LLM_OBSERVE_DATABASE_URL: database },
  });
  assert.match(found.err, /^server http:\/\/localhost:\d+\nGET .* 200 \d+ms\n$/);
  assert.deepEqual(ids(found.out), [3, 2, 1]);
});

test('rows come page by page, each once, in any number', async (t) => {
  const server = await fake(t);
  for (let id = 1; id <= 450; id++) server.rows.unshift(row(id));
  const list = (...words) => run(['req', 'list', ...words, '--columns=id', '--url', server.url]);
  const all = await list('--limit', '0');
  assert.deepEqual(ids(all.out), Array.from({ length: 450 }, (_, i) => 450 - i));
  const some = await list('--limit', '3', '--before=10');
  assert.deepEqual(ids(some.out), [9, 8, 7]);
  const sorted = await list('--sort=-dur', '--limit=2');
  assert.deepEqual(ids(sorted.out), [1, 2]);
  assert(server.asked.every((url) => url.includes('facets=0')));
});

test('a server that repeats itself or lies is an error and no endless loop', async (t) => {
  const server = await fake(t);
  const ask = (...words) => run(['requests', 'list', '--limit=0', ...words, '--url', server.url]);
  server.raw = JSON.stringify({ items: Array.from({ length: 200 }, (_, i) => row(1000 - i)) });
  const again = await ask();
  assert.equal(again.code, 1);
  assert.match(again.err, /gives the same page again/);
  for (const raw of ['{"items":3}', '[]', '{"items":[1]}', '{"items":[', '']) {
    server.raw = raw || ' ';
    const { code, out, err } = await ask('--json');
    assert.equal(code, 1, raw);
    assert.equal(out, '', raw);
    assert.match(err, /^llm-observe-proxy: requests: /);
  }
});

test('what an older server does not have is told with its version', async (t) => {
  const server = await fake(t);
  const words = ['runs', 'list', '--url', server.url];
  const why = (middle) => `llm-observe-proxy: the server at ${server.url} ${middle}has no /api/runs\n`;
  const unknown = await run(words, { env: UTF8 });
  assert.deepEqual([unknown.code, unknown.out, unknown.err], [3, '', why('')]);
  server.version = '0.0.9';
  assert.equal((await run(words, { env: UTF8 })).err, why('is version 0.0.9 and '));
});

test('a header line is there when it is asked for, also without rows', async (t) => {
  const server = await fake(t);
  const list = (...words) => run(['requests', 'list', '--columns=id,model', '--url', server.url, ...words], { env: UTF8 });
  assert.equal((await list('--header')).out, 'id\tmodel\n');
  assert.equal((await list('--csv')).out, 'id,model\n');
  assert.equal((await list('--csv', '--no-header')).out, '');
  assert.equal((await list()).out, '');
});

test('an answer of nothing, or of something else, is no success', async (t) => {
  for (const body of ['', 'null', '"done"', '<html>']) {
    const server = http.createServer((request, response) => response.end(body)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${server.address().port}`;
    for (const words of ['requests cancel 1', 'db trim --days 3', 'pricing find a b', 'routes resolve m', 'runs end 1']) {
      const { code, out, err } = await run([...words.split(' '), '--yes', '--url', url], { env: UTF8 });
      assert.deepEqual([code, out], [1, ''], `${words}: ${err}`);
      assert.match(err, new RegExp(`^llm-observe-proxy: [^\\n]*the answer of ${url} is no JSON [^\\n]*\\n$`));
    }
    server.close();
  }
});

test('numbers pass through digit by digit', async (t) => {
  const server = await fake(t);
  server.raw = '{"items":[{"id":9007199254740993,"cost_usd":0.123456789012,"rev":1.50e3}]}';
  const ask = (...words) => run(['req', 'list', ...words, '--url', server.url]);
  assert.equal((await ask('--json')).out,
    '[{"id":9007199254740993,"cost_usd":0.123456789012,"rev":1.50e3}]\n');
  assert.equal((await ask('--columns=id,cost_usd')).out, '9007199254740993\t0.123456789012\n');
});

test('captured text reaches no terminal as it came', async (t) => {
  const server = await fake(t);
  const evil = Object.fromEntries(
    ['method', 'endpoint', 'path', 'model', 'upstream_model', 'response_model', 'provider_slug',
      'upstream_url', 'error', 'upstream_error_message', 'finish_reason', 'terminated_by',
      'semantic_summary', 'client', 'model_route', 'request_content_type',
      'response_content_type'].map((name) => [name, EVIL]),
  );
  const headers = JSON.stringify({ [EVIL]: EVIL });
  server.rows = [row(1, {
    ...evil, task_run: { id: 1, name: EVIL }, cost_usd: 1, request_headers_json: headers,
    response_headers_json: headers,
    pricing_snapshot_json: JSON.stringify({
      price_match: EVIL, checked_at: EVIL, input_usd_per_million: EVIL,
    }),
  })];
  const render = { mode: 'text', title: EVIL, text: `${EVIL}\r\nx\ty`, html: null };
  server.renders = { request_render: render, response_render: render, raw_response_render: render,
    images: [{ mime_type: EVIL, source: EVIL }], mode: EVIL };
  for (const env of [UTF8, terminal(200), { ...terminal(80), LC_ALL: 'C' }])
    for (const words of [
      ['list'], ['list', '--wide', '--columns=+error,+summary,+host'], ['list', '--csv'],
      ['list', '--json'], ['list', '--jsonl'], ['show', '1', '--json'],
      ['show', '1', '--part', 'head,request,response,upstream,headers,timing,cost,images'],
      ['tail'],
    ]) {
      const { code, out, err } = await run(['requests', ...words, '--url', server.url], { env });
      assert.equal(code, 0, err);
      assert.equal(err, '');
      /* TSV separates by TAB; nothing else below 0x20 but LF, no DEL, no C1, no bidi control. */
      const lists = ['list', 'tail'].includes(words[0]) && !words[1]?.match(/csv|json/);
      const allowed = lists && env === UTF8 ? /\t/g : /$^/;
      assert.doesNotMatch(out.replace(allowed, ''), OBEYED, words.join(' '));
    }
  server.raw = JSON.stringify({ items: 0 });
  server.rows = [];
  const lost = await run(['requests', 'show', '1', '--url', `${server.url}/x`]);
  assert.equal(lost.code, 3);
});

test('raw bytes come exactly, and to a terminal only if they are text', async (t) => {
  const server = await fake(t);
  const target = path.join(folder(t), 'body.bin');
  server.rows = [row(4120, { response_bytes: 4 })];
  server.body = Buffer.from([0x1b, 0x00, 0xff, 0x0d]);
  const words = ['requests', 'show', '4120', '--raw', 'response', '--url', server.url];
  const piped = await shellRun(`"${BINARY}" ${words.join(' ')} | od -An -tx1`);
  assert.equal(piped.out.trim(), '1b 00 ff 0d');
  const refused = await run(words, { env: terminal(80) });
  assert.equal(refused.code, 2);
  assert.equal(refused.out, '');
  assert.match(refused.err, /4120 response has control characters; pipe it, or use --output FILE/);
  const kept = await run([...words, '-o', target], { env: terminal(80) });
  assert.equal(kept.code, 0, kept.err);
  assert.deepEqual(readFileSync(target), server.body);
  assert(!existsSync(`${target}.tmp`));
  server.body = Buffer.from('caf\u00e9\n\tx');
  server.rows[0].response_bytes = server.body.length;
  assert.equal((await run(words, { env: terminal(80) })).out, server.body.toString());
  server.rows[0].response_bytes = 1000;
  const cut = await run(words, { env: UTF8 });
  assert.equal(cut.code, 8);
  assert.equal(cut.out, server.body.toString());
  assert.match(cut.err, /request 4120 response was cut when it was stored: 8 bytes are here/);
  const nowhere = await run([...words, '-o', path.join(target, 'x')], { env: UTF8 });
  assert.equal(nowhere.code, 1);
});

test('stdout that is closed, full or left early ends the command as it should', async (t) => {
  const server = await fake(t);
  for (let id = 1; id <= 200; id++) server.rows.unshift(row(id, { model: 'm'.repeat(2000) }));
  const words = ['requests', 'list', '--limit', '0', '--url', server.url];
  const command = `"${BINARY}" ${words.join(' ')}`;
  const ended = await shellRun(`${command} | head -1 >/dev/null; echo \${PIPESTATUS[0]}`);
  assert.equal(ended.out, '141\n');
  assert.equal(ended.err, '');
  const disk = await shellRun(`${command} >/dev/full; echo $?`);
  assert.equal(disk.out, '1\n');
  assert.match(disk.err, /cannot write to standard output: No space left on device/);
  const closed = await shellRun(`${command} >&-; echo $?`);
  assert.equal(closed.out, '1\n');
  assert.match(closed.err, /cannot write to standard output: Bad file descriptor/);
});

test('tail -f prints what ends once and in order, also over a restart', async (t) => {
  const server = await fake(t);
  for (let id = 1; id <= 5; id++) server.rows.unshift(row(-100 + id)); /* ended before */
  server.rows.forEach((item, i) => (item.id = 5 - i));
  const words = ['requests', 'tail', '-fn2', '--columns=id', '--url', server.url];
  const child = launch(words, { env: UTF8 });
  t.after(() => child.kill('SIGKILL'));
  await until(() => child.out === '4\n5\n', () => `the last two, got ${child.out}${child.err}`);
  for (let id = 6; id <= 30; id++) server.finish(row(id));
  server.finish({ ...row(30) }); /* sent twice */
  server.rows.shift();
  await until(() => ids(child.out).length === 27, () => child.out);
  await server.close();
  for (let id = 31; id <= 60; id++) server.finish(row(id)); /* nobody listens */
  await until(() => child.err.includes('trying again'), 'a note that the server is lost');
  server.instance = 'two';
  await server.listen();
  await until(() => server.viewers.size === 1, 'the viewer back', ms(15000));
  for (let id = 61; id <= 70; id++) server.finish(row(id));
  await until(() => ids(child.out).length >= 67, () => child.out, ms(10000));
  assert.deepEqual(ids(child.out), Array.from({ length: 67 }, (_, i) => i + 4));
  assert.match(child.err, /^note: lost .*trying again\nnote: .* answers again\n$/);
  child.kill('SIGINT');
  assert.equal((await child.gone).signal, 'SIGINT');
});

test('tail -f over a file prints what other processes write', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/v1/chat/completions', (turn) =>
    turn.answer(200, [['Content-Type', 'application/json']], '{}'));
  const proxy = await start(t, { upstream });
  const child = launch(['requests', 'tail', '-f', '-n100', '--jsonl=id,status', '--database-url',
    `sqlite:///${proxy.database}`], { env: UTF8 });
  t.after(() => child.kill('SIGKILL'));
  /* Whether a row ended before or after it began to look, it is printed once. */
  for (let i = 0; i < 5; i++)
    await proxy.send(proxy.post('/v1/chat/completions', { model: 'm', messages: [] }));
  const lines = () => child.out.split('\n').filter(Boolean);
  await until(() => lines().length === 5, () => child.out + child.err, ms(10000));
  assert.deepEqual(lines().map((line) => JSON.parse(line).id), [1, 2, 3, 4, 5]);
});

test('without server and database it is exit 5 and says what was tried', async (t) => {
  const server = await fake(t);
  const { port } = server;
  await server.close();
  const { code, out, err } = await run(['requests', 'list'], {
    cwd: folder(t), env: { LLM_OBSERVE_INCOMING_PORT: String(port) },
  });
  assert.equal(code, 5);
  assert.equal(out, '');
  assert.equal(err, [
    'llm-observe-proxy: no server and no database',
    `  no server answers at http://localhost:${port}`,
    '  there is no ./llm_observe_proxy.sqlite3',
    'Start one with "llm-observe-proxy serve", or name one with --url or --database-url.', '',
  ].join('\n'));
  const gone = await run(['requests', 'list', '--url', server.url]);
  assert.equal(gone.code, 5);
  assert.match(gone.err, /^llm-observe-proxy: no server answers at http:\/\/127\.0\.0\.1:\d+: /);
});
