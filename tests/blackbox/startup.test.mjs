/* Starting: whose database it is, whose port, and what is wrong on the command line. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folder, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, until } from './until.mjs';

/** Send `n` requests one after another. */
async function series(proxy, prefix, n) {
  for (let i = 0; i < n; i++) {
    const answer = await proxy.send(proxy.post('/v1/embeddings', { model: `${prefix}-${i}` }));
    assert.equal(answer.status, 200);
  }
}

const stored = (proxy, prefix) =>
  proxy.sql(
    `select count(*) as n from requests where model like '${prefix}-%' and completed_us is not null`,
  )[0].n;

test('files are for their owner only', async (t) => {
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const proxy = await start(t, {
    upstream: await scripted(t),
    database: path.join(folder(t), 'deep/er/x.sqlite3'),
  });
  await series(proxy, 'mode', 2);
  await until(() => stored(proxy, 'mode') === 2, 'two rows');
  for (const suffix of ['', '-wal', '-shm', '.serve'])
    assert.equal(
      (statSync(proxy.database + suffix).mode & 0o777).toString(8),
      '600',
      `mode of ${suffix || 'the database'}`,
    );
  const instance = JSON.parse(readFileSync(`${proxy.database}.serve`, 'utf8'));
  assert.equal(instance.pid, proxy.pid);
  assert.ok(instance.url.endsWith(`:${proxy.port}`));
});

test('databases that are not ours are refused and left alone', async (t) => {
  const place = folder(t);
  const file = (name) => path.join(place, name);
  const good = await start(t, { upstream: await scripted(t), database: file('good') });
  await series(good, 'x', 3);
  await good.stop();

  const make = {
    newer: (to) => (copyFileSync(file('good'), to), spawnSync('sqlite3', [to, 'pragma user_version = 99999'])),
    damaged: (to) => {
      const data = readFileSync(file('good'));
      data.fill(0xa5, 100, 4096);
      writeFileSync(to, data);
    },
    truncated: (to) => writeFileSync(to, readFileSync(file('good')).subarray(0, 700)),
    text: (to) => writeFileSync(to, 'this is a letter, not a database\n'.repeat(100)),
    image: (to) => writeFileSync(to, Buffer.concat([Buffer.from('\x89PNG\r\n', 'latin1'), Buffer.alloc(5000, 7)])),
    predecessor: (to) => spawnSync('sqlite3', [to, `create table request_records (id integer primary key, created_at text,
      method text, path text); create table app_settings (key text primary key, value text);
      create table image_assets (id integer primary key); create table task_runs (id integer primary key, name text);
      insert into request_records values (1, '2026-01-01', 'GET', '/v1/models');`]),
    other: (to) => spawnSync('sqlite3', [to, 'create table songs (name text); insert into songs values (1)']),
  }; // prettier-ignore
  for (const [kind, create] of Object.entries(make)) {
    await t.test(kind, async () => {
      const name = file(`${kind}.sqlite3`);
      create(name);
      const before = readFileSync(name);
      const ended = await run(['serve', '--port', '0', '--database-url', name], {
        limit: ms(4000),
      });
      assert.equal(ended.code, 6, ended.err);
      assert.ok(ended.err.includes(name), `stderr names the file: ${ended.err}`);
      assert.equal(ended.out, '');
      assert.ok(readFileSync(name).equals(before), 'the file is untouched');
      for (const suffix of ['-wal', '-journal'])
        assert.ok(!existsSync(name + suffix), `no ${suffix} is left`);
      if (kind === 'predecessor') assert.match(ended.err, /db import/);
    });
  }
  await t.test('a folder', async () => {
    mkdirSync(file('folder'));
    const ended = await run(['serve', '--port', '0', '--database-url', file('folder')]);
    assert.equal(ended.code, 6, ended.err);
  });
  await t.test('a folder that cannot be made', async () => {
    const ended = await run([
      'serve',
      '--port',
      '0',
      '--database-url',
      path.join(file('good'), 'x'),
    ]);
    assert.equal(ended.code, 6, ended.err);
  });
  await t.test('an empty file is a new database', async (t) => {
    writeFileSync(file('empty'), '');
    const proxy = await start(t, { upstream: await scripted(t), database: file('empty') });
    await series(proxy, 'empty', 1);
    await until(() => stored(proxy, 'empty') === 1, 'a row');
  });
});

test('a second server does not disturb the first', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  await t.test('on the same database: exit 7', async () => {
    const ended = await run(['serve', '--port', '0', '--database-url', proxy.database]);
    assert.equal(ended.code, 7, ended.err);
  });
  await t.test('on the same port: exit 7, and no database is made', async (t) => {
    const name = path.join(folder(t), 'x.sqlite3');
    const ended = await run(['serve', '--port', String(proxy.port), '--database-url', name]);
    assert.equal(ended.code, 7, ended.err);
    assert.match(ended.err, new RegExp(`cannot listen on .*${proxy.port}.*in use`));
    assert.ok(!existsSync(name));
  });
  await series(proxy, 'still', 3);
  await until(() => stored(proxy, 'still') === 3, 'the first server to go on');
  await t.test('after kill -9 the lock is free', async () => {
    await proxy.kill9();
    await proxy.restart();
    await proxy.healthy();
  });
});

test('usage errors: exit 2, one line, nothing created', async (t) => {
  const place = folder(t);
  const database = path.join(place, 'x.sqlite3');
  const cases = [
    [['--no-such-option'], /no-such-option/], [['--port', 'http'], /port/], [['--port', '65536'], /port/], [['--port', '-1'], /port/],
    [['--upstream-url', 'localhost:8000/v1'], /upstream-url/], [['--upstream-url', 'ftp://localhost/v1'], /upstream-url/],
    [['--upstream-url', 'http://localhost'], /upstream-url/], [['--upstream-url', 'http://localhost/v1?x=1'], /upstream-url/],
    [['--workers', '0'], /workers/], [['--workers', '65'], /workers/], [['--set', 'no_such_setting=1'], /no_such_setting/],
    [['--set', 'upstream_idle_timeout_ms=soon'], /upstream_idle_timeout_ms/], [['--set', 'x'], /set/], [['--log-level', 'loud'], /log-level/],
    [['--port', '1', '--port', '2'], /port/], [['--port'], /port/], [['word'], /word/],
  ]; // prettier-ignore
  for (const [args, names] of cases) {
    await t.test(args.join(' '), async () => {
      const port = args.includes('--port') ? [] : ['--port', '0'];
      const ended = await run(['serve', '--database-url', database, ...port, ...args], {
        limit: ms(2000),
      });
      assert.equal(ended.code, 2, ended.err);
      assert.match(ended.err, names);
      assert.equal(ended.out, '');
      assert.ok(!existsSync(database), 'no database');
    });
  }
  await t.test('another kind of database', async () => {
    const ended = await run(['serve', '--port', '0', '--database-url', 'postgres://localhost/x']);
    assert.equal(ended.code, 2, ended.err);
  });
});
