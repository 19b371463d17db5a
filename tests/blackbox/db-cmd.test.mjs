/* The command "db": how the database is, and less of it; over a server and over a file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { commands, MODES } from './commands.mjs';
import { folder, run, sql, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];

function write(database, text) {
  const done = spawnSync('sqlite3', ['-cmd', '.timeout 5000', database, text], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
}

/* A database with count requests, the first old of them 40 days old. */
async function filled(t, mode, { count = 20, old = 0 } = {}) {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const body = JSON.stringify({ model: 'm', text: 'x'.repeat(2000) });
  for (let i = 0; i < count; i++)
    await proxy.request('POST', '/v1/x', { fields: JSON_TYPE, body });
  await until(() => proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === count);
  write(proxy.database, `UPDATE requests SET created_us = created_us - 40 * 86400000000 WHERE id <= ${old}`);
  return commands(t, mode, { proxy });
}

for (const mode of MODES) {
  test(`stats tell what the database holds (${mode})`, async (t) => {
    const cmd = await filled(t, mode, { count: 5, old: 2 });
    const stats = await cmd.json('db', 'stats', '--days', '10');
    assert.deepEqual(
      [stats.rows, stats.runs, stats.rows_older_than_retention, stats.retention_days],
      [5, 0, 2, 10],
    );
    assert.equal(stats.database, cmd.proxy.database);
    const { code, out } = await cmd('db', 'stats');
    assert.equal(code, 0);
    assert.match(out, /^requests +5\n/m);
    assert.match(out, /^disk free +\d/m);
    assert.equal((await cmd('db', 'path')).out, `${cmd.proxy.database}\n`);
    assert.equal((await cmd('db', 'stats', '--days', '0')).code, 2);
  });

  test(`a check finds wrong counters and references to what is gone (${mode})`, async (t) => {
    const cmd = await filled(t, mode, { count: 3 });
    const well = await cmd('db', 'check');
    assert.deepEqual([well.code, well.out, well.err], [0, '', 'nothing is wrong with the database\n']);
    write(cmd.proxy.database, `
      PRAGMA foreign_keys = OFF;
      DELETE FROM requests WHERE id = 2;
      UPDATE counters SET count = 7 WHERE name = 'total';
      UPDATE facets SET count = 9 WHERE kind = 'model';`);
    const sick = await cmd('db', 'check');
    assert.equal(sick.code, 1);
    assert.match(sick.out, /^counter total says 7, there are 2$/m);
    assert.match(sick.out, /^1 row of request_bodies belongs to a row of requests that is gone$/m);
    assert.match(sick.out, /^model "m" counts 9 requests, there are 2$/m);
    const json = await cmd('db', 'check', '--json');
    assert.deepEqual([json.code, JSON.parse(json.out).ok], [1, false]);
    assert.equal((await cmd('db', 'check', '--quick')).code, 0, 'no damage');
  });

  test(`old requests are trimmed when that is confirmed (${mode})`, async (t) => {
    const cmd = await filled(t, mode, { old: 12 });
    const count = () => sql(cmd.proxy.database, 'SELECT count(*) n FROM requests')[0].n;
    const refused = await cmd('db', 'trim', '--days', '30');
    assert.deepEqual([refused.code, refused.out], [2, '']);
    assert.match(refused.err, /refusing to delete 12 requests older than 30 days without --yes/);
    const none = await cmd('db', 'trim', '--days', '3650');
    assert.deepEqual([none.code, none.out, none.err], [0, '', 'no request is older than 3 650 days\n']);
    const dry = await cmd('db', 'trim', '--days', '30', '--dry-run');
    assert.deepEqual([dry.code, dry.err], [0, 'would delete 12 requests\n']);
    assert.equal(count(), 20);
    const done = await cmd('db', 'trim', '--days', '30', '--vacuum', '--yes', '--json');
    assert.deepEqual([done.code, JSON.parse(done.out)], [0, { deleted: 12 }]);
    assert.match(done.err, /^deleted 12 requests/);
    assert.equal(count(), 8);
    assert.deepEqual((await cmd('db', 'trim', '--days', '30')).code, 0, 'nothing to ask about');
    assert.equal((await cmd('db', 'trim')).code, 2);
    assert.equal((await cmd('db', 'check')).code, 0);
  });

  test(`a vacuum gives unused pages back (${mode})`, async (t) => {
    const cmd = await filled(t, mode, { count: 100, old: 100 });
    await cmd('db', 'trim', '--days', '30', '-y');
    const free = () => sql(cmd.proxy.database, 'PRAGMA freelist_count')[0].freelist_count;
    const before = free();
    assert(before > 10, `${before} pages are unused`);
    const { code, err } = await cmd('db', 'vacuum');
    assert.equal(code, 0, err);
    assert(free() < before / 2, 'the full-text index may have let go of some pages since');
  });
}

test('a vacuum of more than the disk has room for is refused before it starts', async (t) => {
  const place = mkdtempSync(path.join(os.tmpdir(), 'lop-test-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', place]);
  t.after(() => {
    spawnSync('umount', [place]);
    rmSync(place, { recursive: true, force: true });
  });
  if (mounted.status !== 0) return t.skip('no right to mount a tmpfs');
  const proxy = await start(t, { database: path.join(place, 'db.sqlite3') });
  await proxy.stop();
  write(proxy.database, 'CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(1200000)); PRAGMA wal_checkpoint(TRUNCATE);');
  const { code, out, err } = await run(['db', 'vacuum', '--database-url', proxy.database]);
  assert.deepEqual([code, out], [6, ''], err);
  assert.match(err, /db vacuum needs [\d.]+ [KM]iB of free disk/);
  return undefined;
});

test('pending rows of a server that died are found, those of one that runs are not', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/v1/held', () => {});
  const proxy = await start(t, { upstream });
  proxy.request('POST', '/v1/held', { fields: JSON_TYPE, body: '{}' }).catch(() => {});
  await until(() => proxy.sql('SELECT count(*) n FROM requests WHERE completed_us IS NULL')[0].n === 1);
  const file = ['--database-url', proxy.database];
  assert.equal((await run(['db', 'check', ...file])).code, 0);
  assert.equal((await run(['db', 'check', '--url', proxy.url])).code, 0);
  await proxy.kill9();
  const { code, out } = await run(['db', 'check', ...file]);
  assert.equal(code, 1);
  assert.match(out, /^1 request is pending though no server runs/);
});

test('damage is found', async (t) => {
  const cmd = await filled(t, 'file', { count: 40 });
  const [{ rootpage }] = sql(cmd.proxy.database, "SELECT rootpage FROM sqlite_schema WHERE name = 'requests_created'");
  const [{ page_size: size }] = sql(cmd.proxy.database, 'PRAGMA page_size');
  const bytes = readFileSync(cmd.proxy.database);
  bytes.fill(0x55, (rootpage - 1) * size + 100, rootpage * size);
  writeFileSync(cmd.proxy.database, bytes);
  for (const words of [['--quick'], []]) {
    const { code, out } = await cmd('db', 'check', ...words);
    assert.equal(code, 1);
    assert.match(out, /^damage: /);
  }
});

test('a backup is one state of the database while a server writes to it', async (t) => {
  const cmd = await filled(t, 'server', { count: 30 });
  const file = path.join(folder(t), 'copy.sqlite3');
  let sending = true;
  const traffic = (async () => {
    while (sending)
      await cmd.proxy.request('POST', '/v1/x', { fields: JSON_TYPE, body: '{"model":"m"}' });
  })();
  const words = ['db', 'backup', file, '--database-url', cmd.proxy.database];
  const { code, out, err } = await run([...words, '--json']);
  sending = false;
  await traffic;
  assert.equal(code, 0, err);
  assert.equal(JSON.parse(out).file, file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert(!existsSync(`${file}.tmp`));
  assert((await run(['db', 'stats', '--database-url', file, '--json'])).code === 0);
  assert(sql(file, 'SELECT count(*) n FROM requests')[0].n >= 30);
  assert.equal((await run(['db', 'check', '--database-url', file])).out.replace(/^.*pending.*\n/m, ''), '');
  const again = await run(words);
  assert.deepEqual([again.code, again.out], [7, '']);
  assert.match(again.err, /is there already/);
});

test('a backup that cannot be written or was interrupted leaves nothing', async (t) => {
  const cmd = await filled(t, 'file', { count: 2 });
  const place = folder(t);
  assert.equal((await run(['db', 'backup', `${place}/no/such/f`, '--database-url', cmd.proxy.database])).code, 6);
  assert.equal((await run(['db', 'backup', 'x', '--database-url', `${place}/none`])).code, 5);
  assert.equal((await run(['db', 'backup', 'x', '--url', 'http://localhost:1'])).code, 2);
  assert.equal((await run(['db', 'backup'])).code, 2);
  assert(!existsSync(`${place}/none`));
});
