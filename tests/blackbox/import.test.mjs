/* `db import`: a database of the Python program, whole, old, damaged, hostile, large, interrupted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { BINARY, folder, launch, run, SANITIZER, sql, start } from './proxy.mjs';
import { ms, until } from './until.mjs';

const fixture = (name) =>
  readFileSync(new URL(`../fixtures/legacy/${name}.sql`, import.meta.url), 'utf8');

/** Run SQL on a file; it is made when it is missing. */
function write(database, text) {
  const done = spawnSync('sqlite3', ['-bail', database], { input: text, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
}

/** A database of the Python program in a folder of its own. */
function old(t, ...texts) {
  const place = folder(t);
  const file = path.join(place, 'old.sqlite3');
  for (const text of texts) write(file, text);
  return { file, to: path.join(place, 'new.sqlite3'), place };
}

const whole = (t, ...more) => old(t, fixture('schema'), fixture('rows'), ...more);
const words = (from, to, ...more) => ['db', 'import', from, '--database-url', to, ...more];

/** Import and give the report by table; `code` is what it must end with. */
async function take(from, to, { code = 0, args = [], ...options } = {}) {
  const done = await run(words(from, to, '--json', ...args), { limit: ms(60000), ...options });
  assert.equal(done.code, code, done.err);
  const tables = JSON.parse(done.out).tables;
  return {
    ...Object.fromEntries(tables.map((table) => [table.name, table])),
    tables,
    count: (what) => tables.reduce((sum, table) => sum + table[what], 0),
    err: done.err,
  };
}

const reasons = (table) => table.reasons.map(({ reason, count }) => `${count} ${reason}`);
const hash = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
const dump = (file) => spawnSync('sqlite3', ['-readonly', file, '.dump'], { encoding: 'utf8' }).stdout;
const one = (to, query) => sql(to, query)[0];

/** Statements that insert n requests; each(i) gives columns to change. */
function requests(n, body = 200, from = 1) {
  return `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + n - 1})
    INSERT INTO request_records (id, created_at, completed_at, method, path, query_string, endpoint,
      model, upstream_url, request_headers_json, request_body, response_status,
      response_headers_json, response_body, response_content_type, duration_ms, is_stream,
      has_images, has_tool_calls, response_was_rewritten, billing_total_cost_usd)
    SELECT i, strftime('%Y-%m-%d %H:%M:%S', 1770000000 + i, 'unixepoch') || '.000000',
      strftime('%Y-%m-%d %H:%M:%S', 1770000000 + i, 'unixepoch') || '.500000', 'POST',
      '/v1/chat/completions', '', '/v1/chat/completions', 'm-' || (i % 7),
      'http://127.0.0.1:8000/v1/chat/completions', '{}', randomblob(${body}), 200, '{}',
      randomblob(${body}), 'application/json', 500, 0, 0, 0, 0, 0.5 FROM n;`;
}

test('everything comes over, once', async (t) => {
  const { file, to, place } = whole(t);
  const before = hash(file);
  const report = await take(file, to);
  for (const table of report.tables)
    assert.deepEqual([table.written, table.skipped], [table.read, 0], table.name);
  assert.equal(report.count('written'), 20);
  assert.equal(hash(file), before, 'the old database is as it was');

  const again = await take(file, to);
  assert.equal(again.count('written'), 0);
  assert.equal(again.count('skipped'), again.count('read'));
  assert.deepEqual(reasons(again.request_records), ['5 is there already']);
  assert.deepEqual(readdirSync(place).sort(), ['new.sqlite3', 'old.sqlite3'], 'no file is left over');
});

test('what was recorded is shown as if it had been captured here', async (t) => {
  const { file, to } = whole(t);
  await take(file, to);
  const proxy = await start(t, { database: to });

  const { record } = await proxy.detail(1);
  assert.equal(record.created_at, '2026-05-02T08:10:00.123456Z');
  assert.equal(record.duration_ms, 1234);
  assert.equal(record.model, 'fast');
  assert.equal(record.upstream_model, 'gpt-x');
  assert.equal(Number(record.billing_total_cost_usd), 0.000114);
  assert.deepEqual(
    [record.billing_input_tokens, record.billing_cached_input_tokens, record.billing_output_tokens],
    [1000, 800, 25],
  );
  assert.equal(JSON.parse(record.pricing_snapshot_json).matched_model, 'gpt-x');
  assert.equal(one(to, 'select task_run_id as run from requests where id = 1').run, 1);
  assert.ok(!JSON.stringify(await proxy.detail(1)).match(/very-?secret|topsecret|geheim/), 'masked');
  assert.ok(!readFileSync(to).includes('topsecret'), 'nor is a secret in the file');

  const images = (await proxy.detail(7)).images;
  assert.deepEqual(
    images.map(({ kind, source }) => [kind, source]),
    [
      ['data_url', 'data:image/png;base64,iVBORw0KGgo='],
      ['url', 'https://example.test/cat.png'],
    ],
  );
  assert.equal((await proxy.detail(3)).record.error, 'interrupted: proxy stopped before completion');
  assert.equal((await proxy.rows('error=1')).length, 2);

  const { items } = await proxy.api('/api/runs');
  assert.deepEqual(items.map((run) => [run.name, run.status, run.request_count]), [
    ['bench-2', 'active', 1],
    ['bench-1', 'complete', 1],
  ]);
  const price = sql(to, "select * from model_prices where model = 'gpt-x'")[0];
  assert.deepEqual([price.input_rate, price.cached_input_rate, price.output_rate], [300000, 30000, 1200000]);
  assert.equal(sql(to, 'select * from model_price_tiers where price_id = ' + price.id).length, 2);
  assert.equal(one(to, "select value from app_settings where key = 'default_model'").value, 'gpt-x');
  const route = one(to, "select * from model_routes where incoming_model = 'fast'");
  assert.deepEqual([route.provider_slug, route.priority, route.active], ['acme', 10, 1]);
  assert.equal(route.fixes_json, '["qwen-tagged-tool-call-rewrite"]');
});

test('tokens are counted where none were recorded only when asked for', async (t) => {
  const { file, to } = whole(t);
  await take(file, to);
  const query = 'select billing_input_tokens as i, billing_output_tokens as o, finish_reason as f from requests where id = 2';
  assert.deepEqual(one(to, query), { i: null, o: null, f: 'length' });
  await take(file, `${to}.2`, { args: ['--count-tokens'] });
  assert.deepEqual(one(`${to}.2`, query), { i: 11, o: 2, f: 'length' });
});

test('what is there already is not touched', async (t) => {
  const { file, to } = whole(t);
  const proxy = await start(t, { database: to });
  await proxy.stop();
  write(to, `INSERT INTO app_settings VALUES ('default_model', 'mine', '2026-01-01T00:00:00.000000Z');
    INSERT INTO task_runs (id, name, started_us) VALUES (1, 'own', 1900000000000000);
    INSERT INTO requests (id, created_us, method, endpoint) VALUES (1, 1900000000000000, 'POST', '/v1/x');
    INSERT INTO model_providers (slug, name, created_us, updated_us) VALUES ('local', 'Mine', 1, 1);`);
  const report = await take(file, to);
  assert.deepEqual(reasons(report.app_settings), ['1 is there already']);
  assert.equal(one(to, "select value from app_settings where key = 'default_model'").value, 'mine');
  assert.equal(one(to, "select name from model_providers where slug = 'local'").name, 'Mine');
  assert.equal(one(to, 'select count(*) n from requests').n, 6);
  assert.equal(one(to, "select count(*) n from task_runs where ended_us is null and paused_us is null").n, 1);
  const joined = sql(to, 'select t.name, r.model from requests r join task_runs t on t.id = r.task_run_id order by r.id');
  assert.deepEqual(joined, [
    { name: 'bench-1', model: 'fast' },
    { name: 'bench-2', model: 'other' },
  ]);
  const again = await take(file, to);
  assert.equal(again.count('written'), 0);
  write(to, "INSERT INTO requests (id, created_us, method, endpoint) VALUES (500, 1900000000000001, 'POST', '/v1/y');");
  write(file, requests(3, 10, 8));
  assert.equal((await take(file, to)).request_records.written, 3, 'what came since');
  assert.equal((await take(file, to)).count('written'), 0);
});

test('a dry run says the same and writes nothing', async (t) => {
  const { file, to, place } = whole(t);
  const dry = await take(file, to, { args: ['--dry-run'] });
  assert.equal(dry.count('written'), 20);
  assert.deepEqual(readdirSync(place), ['old.sqlite3']);
  await take(file, to);
  write(file, requests(3, 10, 20));
  const before = dump(to);
  assert.equal((await take(file, to, { args: ['--dry-run'] })).count('written'), 3);
  assert.equal(dump(to), before);
});

test('a database that a server uses is refused', async (t) => {
  const { file, to } = whole(t);
  const proxy = await start(t, { database: to });
  const done = await run(words(file, to));
  assert.equal(done.code, 7);
  assert.match(done.err, /a server uses the database .*\n {2}stop it, or import into another one/);
  assert.equal(proxy.sql('select count(*) n from requests')[0].n, 0);
  await proxy.healthy();
});

test('what is no such database is refused and left alone', async (t) => {
  const { file, to, place } = whole(t);
  const at = (name) => path.join(place, name);
  writeFileSync(at('text'), 'this is no database, not at all, and long enough to be one');
  writeFileSync(at('empty'), '');
  write(at('other'), 'CREATE TABLE x (y); INSERT INTO x VALUES (1);');
  mkdirSync(at('dir'));
  await take(file, at('ours'));
  const damaged = readFileSync(file);
  damaged.fill(0xa5, 16, 4096);
  writeFileSync(at('damaged'), damaged);
  writeFileSync(at('cut'), readFileSync(file).subarray(0, 300));
  for (const [name, code, message] of [
    ['missing', 5, /there is no file/],
    ['text', 6, /is not a database/],
    ['empty', 6, /is empty/],
    ['other', 6, /is no database of the Python/],
    ['dir', 6, /is a directory/],
    ['ours', 6, /is a database of this program/],
    ['damaged', 6, /database .*damaged/],
    ['cut', 6, /database .*cut/],
  ]) {
    const before = name !== 'missing' && name !== 'dir' ? hash(at(name)) : null;
    const done = await run(words(at(name), to));
    assert.equal(done.code, code, `${name}: ${done.err}`);
    assert.match(done.err, message);
    assert.ok(!existsSync(to), `${name}: nothing is made`);
    if (before) assert.equal(hash(at(name)), before);
  }
  for (const args of [['db', 'import'], words(file, file), ['db', 'import', file, file], words(file, ':memory:'),
    ['db', 'import', file, '--url', 'http://127.0.0.1:1']])
    assert.equal((await run(args)).code, 2, args.join(' '));
});

test('rows that make no sense are left out, the others come over', async (t) => {
  const { file, to } = whole(t, `PRAGMA writable_schema = 1;
    UPDATE sqlite_schema SET sql = replace(replace(sql, 'NOT NULL', ''), 'PRIMARY KEY (id)', 'PRIMARY KEY (id)');
    PRAGMA writable_schema = 0;`);
  write(file, `${requests(12, 10, 100)}
    UPDATE request_records SET created_at = NULL WHERE id = 100;
    UPDATE request_records SET created_at = 17 WHERE id = 101;
    UPDATE request_records SET created_at = 'yesterday' WHERE id = 102;
    UPDATE request_records SET method = NULL WHERE id = 103;
    UPDATE request_records SET path = NULL, endpoint = NULL WHERE id = 104;
    UPDATE request_records SET response_status = 'two hundred', duration_ms = -5, billing_total_cost_usd = 'free',
      pricing_snapshot_json = '{"cut', request_headers_json = '[1', is_stream = 'maybe', task_run_id = 99 WHERE id = 105;
    UPDATE request_records SET model = CAST(x'66ff6f' AS TEXT), request_headers_json = NULL, request_body = NULL,
      response_body = 'text', completed_at = 'soon', query_string = NULL, upstream_url = NULL WHERE id = 106;
    UPDATE request_records SET response_status = 99999999999999, billing_input_tokens = 1e300,
      billing_output_tokens = x'00', billing_total_cost_usd = 9e999, duration_ms = 9223372036854775807 WHERE id = 107;
    UPDATE request_records SET created_at = '2026-05-03T08:13:00+02:00' WHERE id = 108;
    UPDATE request_records SET id = -4 WHERE id = 109;
    UPDATE request_records SET id = 9223372036854775806 WHERE id = 110;
    INSERT INTO image_assets VALUES (10, 100, 'url', NULL, 'http://x/', NULL), (11, 4000, 'url', NULL, 'http://x/', NULL),
      (12, 7, NULL, NULL, NULL, NULL);
    INSERT INTO model_providers (slug, name) VALUES ('Not A Slug', 'x'), ('nameless', ''), ('twice', 'x');
    UPDATE model_providers SET upstream_url = 'ftp://x' WHERE slug = 'twice';
    INSERT INTO model_routes (id, incoming_model, upstream_url) VALUES (50, NULL, 'http://x/v1'), (51, 'm', 'nowhere'), (52, 'k', 'http://x/v1');
    UPDATE model_routes SET compatibility_fixes_json = '["gone"]', provider_slug = 'gone', priority = 1000 WHERE id = 52;
    INSERT INTO model_prices (id, provider_slug, model, input_usd_per_million, output_usd_per_million) VALUES
      (60, 'gone', 'm', 1, 1), (61, 'acme', 'z', 'cheap', 1), (62, 'acme', 'n', -1, 1);
    INSERT INTO model_price_tiers (id, model_price_id, min_input_tokens, input_usd_per_million, output_usd_per_million) VALUES
      (70, 60, 0, 1, 1), (71, 1, 5, 1, 1), (72, 999, 5, 1, 1);
    INSERT INTO task_runs (id, name, started_at) VALUES (80, NULL, '2026-01-01'), (81, 'x', 'never');
    INSERT INTO app_settings VALUES ('Bad Key', 'x', ''), ('upstream_url', 'no url', ''), ('default_compat_fixes_json', NULL, '');`);
  const report = await take(file, to, { code: 8 });
  assert.deepEqual(reasons(report.request_records), [
    '2 the id is out of range', '3 created_at is missing or no time', '1 method is missing', '1 endpoint and path are missing',
  ]);
  assert.equal(report.request_records.written, 5 + 5);
  assert.equal(report.image_assets.skipped, 3);
  assert.equal(report.model_providers.skipped, 3);
  assert.equal(report.model_routes.skipped, 2);
  assert.equal(report.model_prices.skipped, 3);
  assert.equal(report.model_price_tiers.skipped, 3);
  assert.equal(report.task_runs.skipped, 2);
  assert.equal(report.app_settings.skipped, 3);
  for (const table of report.tables)
    assert.equal(table.read, table.written + table.skipped, table.name);
  assert.equal(one(to, "select response_status as s from requests where id = 105").s, null);
  assert.equal(one(to, "select model as m from requests where id = 106").m, 'f\ufffdo');
  assert.equal(one(to, "select created_us as c from requests where id = 108").c, Date.parse('2026-05-03T06:13:00Z') * 1000);
  const proxy = await start(t, { database: to });
  for (const { id } of await proxy.rows()) await proxy.detail(id);
  assert.equal(proxy.sql('pragma integrity_check')[0].integrity_check, 'ok');
  assert.equal((await take(file, `${to}.2`, { code: 8, args: ['--dry-run'] })).count('written'), report.count('written'));
});

test('older databases lack columns and tables', async (t) => {
  const { file, to } = old(t, `CREATE TABLE request_records (id INTEGER PRIMARY KEY, created_at DATETIME, method TEXT,
      path TEXT, upstream_url TEXT, request_body BLOB, response_status INTEGER, response_body BLOB, surprise TEXT);
    INSERT INTO request_records VALUES (5, '2026-01-02 03:04:05.000006', 'POST', '/v1/chat/completions', 'http://x/v1/chat/completions',
      '{}', 200, '{"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}', 'x');`);
  const report = await take(file, to);
  assert.deepEqual(report.request_records.unknown_columns, ['surprise']);
  assert.equal(report.task_runs.missing, true);
  assert.deepEqual(one(to, 'select id, endpoint, billing_input_tokens as i, created_us as c from requests'), {
    id: 5, endpoint: '/v1/chat/completions', i: 3, c: Date.parse('2026-01-02T03:04:05Z') * 1000 + 6,
  });
});

test('damage in the middle costs what is damaged', async (t) => {
  const { file, to } = old(t, 'PRAGMA page_size = 1024;', fixture('schema'), requests(300, 400));
  const bytes = readFileSync(file);
  bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 3 * 1024);
  writeFileSync(file, bytes);
  const report = await take(file, to, { code: 8 });
  assert.ok(report.request_records.written > 50, JSON.stringify(report.request_records));
  assert.match(report.request_records.reasons[0].reason, /damaged/);
  assert.equal(one(to, 'pragma integrity_check').integrity_check, 'ok');
});

test('a value that is too large costs its row', { skip: SANITIZER && 'too much memory' }, async (t) => {
  const { file, to } = old(t, fixture('schema'), requests(3, 10),
    'UPDATE request_records SET response_body = zeroblob(300000000) WHERE id = 2;');
  const report = await take(file, to, { code: 8 });
  assert.deepEqual(reasons(report.request_records), ['1 a value is larger than 256 MiB']);
  assert.equal(report.request_records.written, 2);
});

test('a log that was not copied back is read too', async (t) => {
  const { file, to, place } = old(t, 'PRAGMA journal_mode = WAL;', fixture('schema'), fixture('rows'));
  const writer = spawnSync('sqlite3', [file], {
    input: `PRAGMA wal_autocheckpoint = 0;\n${requests(2, 10, 50)}\n.system cp ${file} ${file}-wal ${place}/copy/ 2>/dev/null || (mkdir ${place}/copy && cp ${file} ${file}-wal ${place}/copy/)\n`,
    encoding: 'utf8',
  });
  assert.equal(writer.status, 0, writer.stderr);
  assert.ok(existsSync(`${place}/copy/old.sqlite3-wal`));
  assert.equal((await take(`${place}/copy/old.sqlite3`, to)).request_records.written, 7);
  const quiet = hash(file);
  assert.equal((await take(file, `${to}.2`)).request_records.written, 7);
  assert.equal(hash(file), quiet);
  assert.ok(!existsSync(`${file}-wal`) && !existsSync(`${file}-shm`), 'nothing is made beside it');
});

test('20 000 requests take little memory, and a kill in the middle costs nothing', async (t) => {
  const n = SANITIZER ? 4000 : 20000;
  const { file, to } = old(t, fixture('schema'), requests(n, 3000));
  const child = launch(words(file, to));
  let peak = 0;
  const stored = () => (existsSync(to) ? readCount(to) : 0);
  await until(() => stored() >= 500, 'the first batch', ms(20000), 5);
  child.kill('SIGKILL');
  await child.gone;
  const before = readCount(to);
  assert.ok(before >= 500 && before < n, `${before} rows before the kill`);
  assert.equal(one(to, 'pragma integrity_check').integrity_check, 'ok');

  const second = launch(words(file, to, '--json'));
  while (!second.over) {
    peak = Math.max(peak, memory(second.pid));
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.equal(second.over.code, 0, second.err);
  const report = JSON.parse(second.out).tables.find((table) => table.name === 'request_records');
  assert.deepEqual([report.read, report.written, report.skipped], [n, n - before, before]);
  t.diagnostic(`peak of resident memory: ${peak.toFixed(1)} MiB`);
  if (!SANITIZER) assert.ok(peak < 80, `${peak} MiB`);
  const { c, d, m } = one(to, 'select count(*) c, count(distinct created_us) d, max(id) m from requests');
  assert.deepEqual([c, d, m], [n, n, n]);
  assert.equal(one(to, "select count from counters where name = 'total'").count, n);
  assert.equal(one(to, "select sum(count) s from facets where kind = 'model'").s, n);
  assert.equal((await take(file, to)).count('written'), 0);
});

function readCount(database) {
  const asked = spawnSync('sqlite3', ['-readonly', '-cmd', '.timeout 2000', database, 'select count(*) from requests'], { encoding: 'utf8' });
  return Number(asked.stdout) || 0;
}

/** The high mark of resident memory in MiB. */
function memory(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  } catch {
    return 0;
  }
}

test('progress is for a terminal only', async (t) => {
  const { file, to } = old(t, fixture('schema'), requests(SANITIZER ? 4000 : 25000, 3000));
  const pty = spawnSync('script', ['-qec', `'${BINARY}' ${words(file, to).join(' ')}`, '/dev/null'], { encoding: 'utf8', timeout: ms(60000) });
  assert.equal(pty.status, 0, pty.stdout);
  assert.match(pty.stdout, /import {2}\[#*\.*\] {2}\d+% {2}\d[\d ]* of \d[\d ]* {2}[\d ]+\/s {2}\S+ left/);
  assert.match(pty.stdout, /\r +\r/, 'and gone at the end');
  assert.ok(!pty.stdout.includes('\x1b'), 'without escape sequences');

  const quiet = await run(words(file, to), { limit: ms(60000) });
  assert.equal(quiet.code, 0);
  assert.match(quiet.err, /^imported 0 requests and 0 runs into .*\n$/);
  assert.match(quiet.out, /^request_records +\d+ read +0 written +\d+ there already +0 skipped$/m);
});
