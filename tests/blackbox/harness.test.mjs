/* The tools of the other tests, used on each other: what they say must be true. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import test from 'node:test';
import zlib from 'node:zlib';
import { certificate, coding, deaf, encoders, refusing, scripted, served } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';
import { allBytes, chunk, exchange, LAST_CHUNK, message, pieces, Reader, Wire } from './wire.mjs';

test('a scripted upstream records requests exactly and answers as told', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/a', (turn) =>
    turn.answer(
      200,
      [
        ['X-A', '1'],
        ['X-A', '2'],
      ],
      allBytes(),
    ),
  );
  const body = Buffer.concat([chunk('abc'), chunk(allBytes()), LAST_CHUNK]);
  const head = message('POST /a?b=%20 HTTP/1.1', [['Transfer-Encoding', 'chunked']]);
  const answer = await exchange(upstream.port, Buffer.concat([head, body]));
  assert.deepEqual(answer.all('x-a'), ['1', '2']);
  assert.deepEqual(answer.body, allBytes());
  const [request] = upstream.of('/a');
  assert.equal(request.target, '/a?b=%20');
  assert.deepEqual(request.body, Buffer.concat([Buffer.from('abc'), allBytes()]));
});

test('messages are read the same in whatever pieces they come', () => {
  const stream = Buffer.concat([
    message('HTTP/1.1 100 Continue'),
    message('HTTP/1.1 200 OK', [['Content-Length', 5]], 'hello'),
    message('HTTP/1.1 200 OK', [['Transfer-Encoding', 'chunked']]),
    chunk('abc'), chunk('defg'), LAST_CHUNK,
    message('HTTP/1.1 204 None'),
    message('HTTP/1.1 200 OK', [], 'rest'),
  ]); // prettier-ignore
  for (const size of [1, 3, 7, stream.length]) {
    const reader = new Reader('response');
    for (const piece of pieces(stream, size)) reader.feed(piece);
    reader.end();
    assert.equal(reader.error, null);
    assert.deepEqual(
      reader.messages.map((m) => m.text),
      ['', 'hello', 'abcdefg', '', 'rest'],
    );
    assert.ok(reader.messages.every((m) => m.complete));
  }
});

test('what is no HTTP is told', () => {
  for (const bad of ['HTTP/2 200\r\n\r\n', 'HTTP/1.1 200 OK\r\nA b\r\n\r\n', 'x\r\n\r\n']) {
    const reader = new Reader('response');
    reader.feed(Buffer.from(bad));
    assert.match(reader.error, /^not a/);
  }
});

test('cuts and resets are seen by the client that waits', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/cut', async (turn) => (await turn.begin(), await turn.chunk('a'), turn.cut()));
  upstream.script('/reset', async (turn) => {
    await turn.begin();
    await sleep(50); /* libuv takes a reset right behind data for an end */
    turn.reset();
  });
  for (const [path, how] of [
    ['/cut', 'end'],
    ['/reset', 'ECONNRESET'],
  ]) {
    const wire = await Wire.open(upstream.port);
    wire.send(message(`GET ${path} HTTP/1.1`), 'GET');
    assert.equal(await wire.gone(), how);
    assert.ok(!wire.reader.current?.complete);
    wire.close();
  }
});

test('a refusing port refuses and a deaf one hangs', async (t) => {
  const port = (url) => Number(new URL(url).port);
  await assert.rejects(Wire.open(port(await refusing())), { code: 'ECONNREFUSED' });
  const socket = net.connect({ port: port(await deaf(t)), host: '127.0.0.1' });
  let connected = false;
  socket.on('connect', () => (connected = true));
  await new Promise((done) => setTimeout(done, 300));
  socket.destroy();
  assert.equal(connected, false);
});

test('encoders make what Node can decode', () => {
  const data = allBytes(10);
  assert.deepEqual(zlib.gunzipSync(encoders.gzip(data)), data);
  assert.deepEqual(zlib.inflateSync(encoders.deflate(data)), data);
  assert.equal(coding('deflate without wrapper'), 'deflate');
});

test('a certificate made here is good for localhost', async (t) => {
  const { ca, key, cert } = certificate(t);
  const server = await served(t, 'https', (_, answer) => answer.end('yes'), { key, cert });
  const text = await new Promise((done, fail) => {
    const options = { ca: readFileSync(ca), agent: false };
    https.get(server.url, options, (a) => a.setEncoding('utf8').on('data', done)).on('error', fail);
  });
  assert.equal(text, 'yes');
});

test('until() says what was expected', async () => {
  await assert.rejects(
    until(() => false, 'the moon', ms(30)),
    /expected the moon within/,
  );
});
