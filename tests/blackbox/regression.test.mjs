/* What once went wrong, so that it does not come back. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { folder, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, sleep, until, within } from './until.mjs';

/** All that a connection receives until it ends. */
async function readAll(socket) {
  let text = '';
  socket.setEncoding('latin1').on('data', (part) => (text += part));
  socket.resume();
  await within(new Promise((done) => socket.once('close', done)), 'the end', ms(10000));
  return text;
}

test('HEAD of the event stream ends', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const wire = await proxy.connect();
  t.after(() => wire.close());
  wire.send(proxy.compose('HEAD', '/api/events'), 'HEAD');
  assert.equal((await wire.response()).status, 200);
  wire.send(proxy.compose('GET', '/healthz'), 'GET');
  assert.equal((await wire.response()).status, 200, 'the connection goes on');
});

test('nothing follows the bye of a viewer that did not keep up', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const viewer = net.connect(proxy.port, '127.0.0.1');
  t.after(() => viewer.destroy());
  viewer.pause();
  viewer.write(
    proxy.compose('GET', '/api/events?kinds=finished', { fields: [['Connection', 'close']] }),
  );
  const wire = await proxy.connect();
  t.after(() => wire.close());
  const request = proxy.post(`/v1/${'e'.repeat(12000)}`, {});
  const busy = async () => {
    for (let i = 0; i < 50; i++) {
      wire.send(request, 'POST');
      await wire.response();
    }
  };
  await until(
    async () => (await busy(), proxy.child.err.includes('viewer of events is too slow')),
    'a viewer that lost its stream',
    ms(60000),
    0,
  );
  const since = performance.now();
  while (performance.now() - since < 500) await busy();
  const text = await readAll(viewer);
  assert.equal(text.split('event: bye').length - 1, 1, 'one bye');
  assert.ok(text.endsWith('\r\n0\r\n\r\n'), 'the end of the body is the end');
});

test('a model is a name, whatever its length', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const name = 'é'.repeat(500000);
  await proxy.send(proxy.post('/v1/embeddings', { model: name }));
  const record = await proxy.row('/v1/embeddings');
  assert.equal(record.model, 'é'.repeat(512));
});

test('a database is taken under every name it has', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const link = path.join(folder(t), 'link.db');
  symlinkSync(path.resolve(proxy.database.replace(/^sqlite:\/\/\//, '')), link);
  const second = await run(['serve', '--port', '0', '--database-url', `sqlite:///${link}`]);
  assert.equal(second.code, 7, second.err);
  assert.match(second.err, /another server already uses/);
});

test('a large body goes where there is room', async (t) => {
  const disk = folder(t);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', disk]).status !== 0)
    return t.skip('no right to mount');
  try {
    await t.test('when the disk of the database is full', async (t) => {
      const upstream = await scripted(t);
      const proxy = await start(t, {
        upstream,
        database: path.join(disk, 'x.sqlite3'),
        env: { TMPDIR: os.tmpdir() },
        set: { capture_max_request_bytes: 100000 },
        exit: [0, 6],
      });
      const body = randomBytes(30 << 20); /* outgrows memory, then that disk */
      const answer = await proxy.request('POST', '/v1/files', { body, limit: ms(20000) });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(upstream.requests.at(-1).body.equals(body), 'it arrived as it was');
    });
  } finally {
    spawnSync('umount', ['-l', disk]);
  }
});

test('viewers that vanish while they are written to harm nothing', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const wire = await proxy.connect();
  t.after(() => wire.close());
  const request = proxy.post('/v1/embeddings', { model: 'm' });
  for (let round = 0; round < 10; round++) {
    const viewers = await Promise.all(Array.from({ length: 30 }, () => proxy.connect()));
    for (const viewer of viewers)
      viewer.send(proxy.compose('GET', '/api/events?kinds=finished,change'), 'GET');
    await Promise.all(viewers.map((viewer) => viewer.head()));
    for (const viewer of viewers) {
      wire.send(request, 'POST');
      await wire.response();
      if (viewers.indexOf(viewer) % 10 === 9) await sleep(110); /* the sweep asks for events */
      viewer.reset();
    }
  }
  await proxy.healthy();
});

test('a row of a refused head holds nothing but its first line', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const answer = await proxy.send('POST /v1/chat\r\nAuthorization:Bearer\tsk-secret\r\nX: y\r\n\r\n');
  assert.equal(answer.status, 505);
  const record = await proxy.row('/v1/chat');
  assert.equal(record.status, 505);
});

test('calls that nobody waits for do not keep others waiting', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const body = JSON.stringify(Object.fromEntries(Array.from({ length: 400000 }, (_, i) => [`k${i}`, i])));
  await proxy.request('POST', '/v1/embeddings', {
    fields: [['Content-Type', 'application/json']],
    body,
    limit: ms(20000),
  });
  const { id } = await proxy.row('/v1/embeddings', ms(20000));
  const before = performance.now();
  await proxy.detail(id);
  const one = performance.now() - before;
  const wires = await Promise.all(Array.from({ length: 60 }, () => proxy.connect()));
  for (const wire of wires) wire.send(proxy.compose('GET', `/api/requests/${id}`), 'GET');
  await sleep(one); /* two of them are at work, the others wait */
  for (const wire of wires) wire.close();
  const from = performance.now();
  await until(async () => (await proxy.get('/api/status')).status === 200, 'an answer', ms(30000));
  const waited = performance.now() - from;
  assert.ok(waited < 12 * one + 500, `one call takes ${one} ms, the next waited ${waited} ms`);
});
