/* What once went wrong, so that it does not come back. */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { folder, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, until, within } from './until.mjs';

/** All that a connection receives until it ends. */
async function readAll(socket) {
  let text = '';
  socket.setEncoding('latin1').on('data', (part) => (text += part));
  socket.resume();
  await within(new Promise((done) => socket.once('close', done)), 'the end', ms(10000));
  return text;
}

test('HEAD of the event stream ends and takes no place', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  for (let i = 0; i < 40; i++) {
    const answer = await proxy.request('HEAD', '/api/events');
    assert.equal(answer.status, 200);
  }
  const wire = await proxy.connect();
  wire.send(proxy.compose('GET', '/api/events'), 'GET');
  assert.equal((await wire.head()).status, 200);
  wire.close();
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
