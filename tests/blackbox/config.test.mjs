/* config: saved settings, through a server and in the file. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { folder, run, start } from './proxy.mjs';

const ENV = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };

async function config(where, ...words) {
  return run([...where, 'config', ...words], { env: ENV });
}

async function check(where) {
  const list = await config(where, 'list', '--json');
  assert.equal(list.code, 0, list.err);
  const rows = JSON.parse(list.out);
  assert.deepEqual(Object.keys(rows[0]),
    ['key', 'value', 'default', 'source', 'overridden_by', 'applies', 'type', 'help']);
  const byKey = new Map(rows.map((row) => [row.key, row]));
  assert.equal(byKey.get('queue_limit').value, 16384);

  const set = await config(where, 'set', 'queue_limit', '20000');
  assert.deepEqual([set.code, set.out, set.err],
    [0, '', 'queue_limit saved as 20000; applies: next start\n']);
  assert.equal((await config(where, 'get', 'queue_limit')).out, '20000\n');
  const row = JSON.parse((await config(where, 'get', 'queue_limit', '--json')).out);
  assert.deepEqual([row.value, row.source], [20000, 'saved']);
  const dry = await config(where, 'set', 'queue_limit', '30000', '--dry-run');
  assert.equal(dry.err, 'queue_limit would be saved as 30000; applies: next start\n');
  assert.equal((await config(where, 'get', 'queue_limit')).out, '20000\n');

  const off = await config(where, 'set', 'search_index', 'off', '--json=value,source', '-q');
  assert.deepEqual([off.code, off.out, off.err], [0, '{"value":false,"source":"saved"}\n', '']);
  await config(where, 'unset', 'search_index');

  const some = await config(where, 'list', 'queue', '--columns', 'key,value');
  assert.equal(some.out, 'queue_limit\t20000\nqueue_limit_bytes\t268435456\n');
  assert.equal((await config(where, 'list', 'queue_limi?', '--columns', 'key')).out, 'queue_limit\n');
  const none = await config(where, 'list', 'nosuch');
  assert.deepEqual([none.code, none.out], [0, '']);

  for (const value of ['1', 'many', '']) {
    const bad = await config(where, 'set', 'queue_limit', value);
    assert.equal(bad.code, 2, value);
    assert.match(bad.err, /queue_limit must be an integer between 16 and 1048576/);
  }
  for (const words of [['get', 'quue_limit'], ['set', 'quue_limit', '1'], ['unset', 'quue_limit']]) {
    const bad = await config(where, ...words);
    assert.deepEqual([bad.code, bad.out], [3, ''], words.join(' '));
    assert.match(bad.err, /there is no setting "quue_limit", did you mean "queue_limit"\?/);
  }
  const unset = await config(where, 'unset', 'queue_limit');
  assert.deepEqual([unset.code, unset.err], [0, 'queue_limit forgotten; applies: next start\n']);
  assert.equal((await config(where, 'get', 'queue_limit')).out, '16384\n');
  return rows;
}

test('settings are read and changed through a server and in its file', async (t) => {
  const database = path.join(folder(t), 'c.sqlite3');
  const proxy = await start(t, { database, upstream: 'http://127.0.0.1:9/v1' });
  const served = await check(['--url', proxy.url]);
  await proxy.stop();
  const stored = await check(['--database-url', database]);
  /* Flags are of the process that has them. */
  assert.deepEqual(served.filter((row) => row.source !== 'flag').map((row) => row.key),
    stored.map((row) => row.key).filter((key) => !['incoming_port', 'upstream_url'].includes(key)));
});

test('a saved setting that a flag of the server hides is saved, and that is said', async (t) => {
  const proxy = await start(t, { upstream: 'http://127.0.0.1:9/v1', set: { queue_limit: 5000 } });
  const set = await config(['--url', proxy.url], 'set', 'queue_limit', '6000');
  assert.equal(set.code, 0);
  assert.match(set.err, /^queue_limit saved as 6000.*\nnote: a flag of the running server is stronger\n$/);
  assert.equal((await config(['--url', proxy.url], 'get', 'queue_limit')).out, '5000\n');
});
