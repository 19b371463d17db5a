/* What is kept: trimming, and settings that are saved. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];

async function post(proxy, target, value) {
  const answer = await proxy.request('POST', target, {
    fields: JSON_TYPE,
    body: typeof value === 'string' ? value : JSON.stringify(value ?? {}),
    limit: 30000,
  });
  return { status: answer.status, json: answer.json };
}

/** Make the first rows older, as if they had been captured then. */
function age(database, lastId, days) {
  const done = spawnSync('sqlite3', [
    '-cmd', '.timeout 5000', database,
    `UPDATE requests SET created_us = created_us - ${days} * 86400000000 WHERE id <= ${lastId}`,
  ]); // prettier-ignore
  assert.equal(done.status, 0, String(done.stderr));
}

/** Counters and facets, and what the table says they should be. */
function counts(proxy) {
  const one = (query) => JSON.stringify(proxy.sql(query));
  return [
    [one("SELECT count FROM counters WHERE name = 'total'"), one('SELECT count(*) count FROM requests')],
    [
      one("SELECT value, count FROM facets WHERE kind = 'model' AND count > 0 ORDER BY value"),
      one('SELECT model value, count(*) count FROM requests GROUP BY 1 ORDER BY 1'),
    ],
    [
      one("SELECT value, label, count FROM facets WHERE kind = 'run_model' AND count > 0 ORDER BY 1, 2"),
      one(
        'SELECT CAST(task_run_id AS TEXT) value, model label, count(*) count FROM requests WHERE task_run_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2',
      ),
    ],
    [one('SELECT total(requests) n FROM run_sums'), one('SELECT 1.0 * count(task_run_id) n FROM requests')],
  ]; // prettier-ignore
}

test('one request can be deleted when it has ended, and the counts with it', async (t) => {
  const upstream = await scripted(t);
  let held;
  upstream.script('/v1/held', (turn) => (held = turn));
  const proxy = await start(t, { upstream });
  const drop = async (id) => {
    const answer = await proxy.request('DELETE', `/admin/api/requests/${id}`);
    return [answer.status, answer.json];
  };
  await post(proxy, '/api/runs/start', { name: 'r' });
  const image = 'data:image/png;base64,iVBORw0KGgo=';
  const content = [{ type: 'image_url', image_url: { url: image } }];
  for (const model of ['a', 'b', 'a'])
    await post(proxy, '/v1/x', { model, messages: [{ role: 'user', content }] });
  await until(() => proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === 3);

  assert.deepEqual(await drop(1), [200, { deleted: true }]);
  assert.deepEqual(await drop(1), [404, { detail: 'Request not found.' }]);
  assert.equal((await drop('x'))[0], 422);
  for (const [kept, counted] of counts(proxy)) assert.equal(kept, counted);
  for (const table of ['request_bodies', 'image_assets'])
    assert.deepEqual(proxy.sql(`SELECT 1 FROM ${table} WHERE request_id = 1`), [], table);
  assert.equal((await proxy.api('/api/runs/1/stats')).stats.request_count, 2);

  const open = proxy.request('POST', '/v1/held', { fields: JSON_TYPE, body: '{}' });
  const row = await until(() => proxy.sql('SELECT id FROM requests WHERE completed_us IS NULL')[0]);
  const [status, { detail }] = await drop(row.id);
  assert.equal(status, 409);
  assert.match(detail, /still running/);
  held.json({});
  assert.equal((await open).status, 200);
});

test('old requests are trimmed in batches, and the counts with them', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  await post(proxy, '/api/runs/start', { name: 'old' });
  const send = (n) =>
    proxy.request('POST', '/v1/x', { fields: JSON_TYPE, body: JSON.stringify({ model: `m${n % 3}` }) });
  for (let i = 0; i < 1300; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => send(i + k)));
  await until(() => proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === 1300);
  age(proxy.database, 1200, 10);

  assert.deepEqual(await proxy.api('/admin/api/settings/retention-preview?days=9'), { days: 9, rows: 1200 });
  assert.deepEqual(await proxy.api('/admin/api/settings/retention-preview'), { days: 30, rows: 0 });
  for (const wrong of [{}, { days: 9 }, { days: 0, confirm: true }, { days: 'x', confirm: true }, '{']) {
    const { status } = await post(proxy, '/admin/api/settings/trim', wrong);
    assert.equal(status, 400, JSON.stringify(wrong));
  }
  assert.equal(proxy.sql('SELECT count(*) n FROM requests')[0].n, 1300, 'nothing is deleted');

  const trimming = post(proxy, '/admin/api/settings/trim', { days: 9, confirm: true, vacuum: true });
  await send(0);
  assert.deepEqual((await trimming).json, { deleted: 1200 });
  await until(() => proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === 101);
  for (const [kept, true_] of counts(proxy)) assert.equal(kept, true_);
  assert.equal(proxy.sql('SELECT count(*) n FROM request_bodies')[0].n, 101);
  /* The full-text index may have let go of some pages since. */
  assert(proxy.sql('PRAGMA freelist_count')[0].freelist_count < 30);
  assert.equal((await proxy.api('/api/runs')).items.length, 1, 'runs stay');
  const storage = await proxy.api('/admin/api/storage?days=9');
  assert.deepEqual(
    [storage.rows, storage.runs, storage.free_bytes < 30 * 8192, storage.rows_older_than_retention],
    [101, 1, true, 0],
  );
  assert(storage.oldest_at < storage.newest_at);
  assert.deepEqual((await post(proxy, '/admin/api/storage/check')).json, { ok: true, found: null });
  const all = await post(proxy, '/admin/api/settings/trim', { days: 9e15, confirm: 'yes' });
  assert.deepEqual(all.json, { deleted: 0 });
  const form = await proxy.request('POST', '/admin/trim', {
    fields: [['Content-Type', 'application/x-www-form-urlencoded']],
    body: 'days=5000&confirm=yes',
  });
  assert.equal(form.status, 303);
  assert.equal(form.field('location'), '/admin/settings/data?days=3650&trimmed=0');
});

test('settings are checked together and used at the next start', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { upstream_idle_timeout_ms: 7000 } });
  const path = '/admin/api/settings/values';
  const value = async (key) => (await proxy.api(path)).find((v) => v.key === key);
  assert.deepEqual(await value('shutdown_grace_ms'), {
    key: 'shutdown_grace_ms', value: 10000, default: 10000, source: 'default', overridden_by: null,
    applies: 'next start', type: 'integer', help: 'time for running requests at shutdown',
  }); // prettier-ignore
  for (const wrong of [
    { shutdown_grace_ms: 5, nonsense: 1 }, { shutdown_grace_ms: -1 }, { shutdown_grace_ms: 1.5 },
    { shutdown_grace_ms: 1e300 }, { shutdown_grace_ms: [] }, { shutdown_grace_ms: 'x' },
    { shutdown_grace_ms: 5, store_secrets: 'perhaps' }, { upstream_url: 'ftp://x/v1' }, { upstream_url: 5 },
  ]) {
    const { status, json } = await post(proxy, path, wrong);
    assert.equal(status, 400, JSON.stringify(wrong));
    assert.equal(typeof json.detail, 'string');
  } // prettier-ignore
  assert.equal((await value('shutdown_grace_ms')).source, 'default', 'nothing is written');
  const { json } = await post(proxy, path, {
    shutdown_grace_ms: 1234, store_secrets: 'on', upstream_idle_timeout_ms: '9000',
  }); // prettier-ignore
  const saved = Object.fromEntries(json.map((v) => [v.key, v]));
  assert.deepEqual([saved.shutdown_grace_ms.value, saved.shutdown_grace_ms.source], [1234, 'saved']);
  assert.equal(saved.store_secrets.value, true);
  assert.equal(saved.upstream_idle_timeout_ms.value, 7000);
  assert.equal(saved.upstream_idle_timeout_ms.overridden_by, 'flag');
  await proxy.stop();
  await proxy.restart({ set: {} });
  assert.deepEqual([(await value('upstream_idle_timeout_ms')).value], [9000]);
  await post(proxy, path, { shutdown_grace_ms: null });
  assert.equal(proxy.sql("SELECT count(*) n FROM app_settings WHERE key = 'shutdown_grace_ms'")[0].n, 0);
});
