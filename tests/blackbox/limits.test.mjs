/* Limits of the server side: sizes, times, numbers of connections. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SANITIZER, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';
import { chunk, LAST_CHUNK, message } from './wire.mjs';

const KIB = 1024;
const HOST = 'Host: localhost\r\n';
const head = (fields) => `GET /v1/x HTTP/1.1\r\n${HOST}${fields}\r\n`;
const chunkedHead = `POST /v1/x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
const many = (n, size = 1) =>
  Array.from({ length: n }, (_, i) => `X-${i}: ${'v'.repeat(size)}\r\n`).join('');

/** [name, bytes, status, code]; 200 is within the limit. Unfinished ones are refused unfinished. */
const SIZES = [
  ['a target of 15 KiB', `GET /v1/${'a'.repeat(15 * KIB)} HTTP/1.1\r\n${HOST}\r\n`, 200],
  ['a target of 17 KiB', `GET /v1/${'a'.repeat(17 * KIB)} HTTP/1.1\r\n${HOST}\r\n`, 414, 'target_too_long'],
  ['a query of 17 KiB', `GET /v1/x?${'a'.repeat(17 * KIB)} HTTP/1.1\r\n${HOST}\r\n`, 414, 'target_too_long'],
  ['a request line that never ends', `GET /v1/${'a'.repeat(17 * KIB)}`, 414, 'target_too_long'],
  ['a field of 60 KiB', head(`X: ${'v'.repeat(60 * KIB)}\r\n`), 200],
  ['a field of 66 KiB', head(`X: ${'v'.repeat(66 * KIB)}\r\n`), 431, 'header_too_large'],
  ['a value that never ends', `GET /v1/x HTTP/1.1\r\n${HOST}X: ${'v'.repeat(70 * KIB)}`, 431, 'header_too_large'],
  ['a name that never ends', `GET /v1/x HTTP/1.1\r\n${HOST}${'n'.repeat(70 * KIB)}`, 431, 'header_too_large'],
  ['70 KiB of many fields', head(many(200, 350)), 431, 'header_too_large'],
  ['255 fields with Host', head(many(254)), 200],
  ['257 fields with Host', head(many(256)), 431, 'header_too_large'],
  ['fields that never end', `GET /v1/x HTTP/1.1\r\n${HOST}${many(2000)}`, 431, 'header_too_large'],
  ['1000 bytes of blank lines', '\r\n'.repeat(500) + head(''), 200],
  ['1100 bytes of blank lines', '\r\n'.repeat(550) + head(''), 400, 'malformed_request'],
  ['blank lines that never end', '\r\n'.repeat(5000), 400, 'malformed_request'],
  ['15 KiB of chunk extensions', `${chunkedHead}5;${'e'.repeat(15 * KIB)}\r\nhello\r\n0\r\n\r\n`, 200],
  ['17 KiB of chunk extensions', `${chunkedHead}5;${'e'.repeat(17 * KIB)}\r\nhello\r\n0\r\n\r\n`, 400],
  ['an extension that never ends', `${chunkedHead}5;${'e'.repeat(40 * KIB)}`, 400],
  ['17 KiB of extensions in 340 chunks', chunkedHead + `1;${'e'.repeat(50)}\r\nx\r\n`.repeat(345) + '0\r\n\r\n', 400],
  ['16 digits of a chunk size', `${chunkedHead}0000000000000005\r\nhello\r\n0\r\n\r\n`, 200],
  ['50 leading zeros', `${chunkedHead}${'0'.repeat(50)}5\r\nhello\r\n0\r\n\r\n`, 200],
  ['zeros that never end', `${chunkedHead}${'0'.repeat(200)}`, 400],
  ['60 KiB of trailers', `${chunkedHead}0\r\nX: ${'v'.repeat(60 * KIB)}\r\n\r\n`, 200],
  ['70 KiB of trailers', `${chunkedHead}0\r\nX: ${'v'.repeat(70 * KIB)}\r\n\r\n`, 431, 'header_too_large'],
  ['300 trailers', `${chunkedHead}0\r\n${many(300)}\r\n`, 431, 'header_too_large'],
  ['a trailer that never ends', `${chunkedHead}0\r\nX: ${'v'.repeat(70 * KIB)}`, 431, 'header_too_large'],
  ['256 MiB and a byte announced', `POST /v1/x HTTP/1.1\r\n${HOST}Content-Length: 268435457\r\n\r\n`, 413, 'body_too_large'],
  ['2^62 bytes announced', `POST /v1/x HTTP/1.1\r\n${HOST}Content-Length: 4611686018427387904\r\n\r\n`, 413, 'body_too_large'],
]; // prettier-ignore

test('sizes of a message are limited as it arrives', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [name, data, status, code] of SIZES) {
    await t.test(name, async () => {
      const before = upstream.requests.length;
      const wire = await proxy.connect();
      wire.send(data);
      const answer = await wire.response();
      assert.equal(answer.status, status, answer.text);
      if (status !== 200) {
        await wire.gone(ms(3000));
        if (code) assert.equal(answer.json.error.code, code);
      }
      wire.close();
      assert.equal(upstream.requests.length - before, status === 200 ? 1 : 0);
      await proxy.healthy();
    });
  }
});

test('the size of a body is limited', async (t) => {
  const limit = 1 << 20;
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { max_request_body_bytes: limit } });
  await t.test('at the limit', async () => {
    const answer = await proxy.request('POST', '/v1/at', { body: Buffer.alloc(limit) });
    assert.equal(answer.status, 200);
    assert.equal(upstream.of('/v1/at')[0].size, limit);
  });
  await t.test('above it with Content-Length: refused before the body', async () => {
    const wire = await proxy.connect();
    wire.send(
      message('POST /v1/above HTTP/1.1', [
        ['Host', 'localhost'],
        ['Content-Length', limit + 1],
      ]),
    );
    const answer = await wire.response();
    assert.equal(answer.status, 413);
    assert.equal(answer.json.error.type, 'request_too_large');
    await wire.gone(ms(4000));
    wire.close();
  });
  await t.test('above it in chunks: refused when it is passed', async () => {
    const wire = await proxy.connect();
    wire.send(chunkedHead);
    const part = chunk(Buffer.alloc(64 * KIB));
    for (let i = 0; i < 17; i++) wire.send(part);
    assert.equal((await wire.response()).status, 413);
    await wire.gone(ms(4000));
    wire.close();
  });
  await t.test('at it in chunks', async () => {
    const wire = await proxy.connect();
    wire.send(chunkedHead.replace('/v1/x', '/v1/chunks'));
    for (let i = 0; i < 16; i++) wire.send(chunk(Buffer.alloc(64 * KIB)));
    wire.send(LAST_CHUNK);
    assert.equal((await wire.response()).status, 200);
    assert.equal(upstream.of('/v1/chunks')[0].size, limit);
    wire.close();
  });
  assert.equal(upstream.of('/v1/x').length + upstream.of('/v1/above').length, 0);
});

test('20000 chunks of a byte cost linear time', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const wire = await proxy.connect();
  const from = performance.now();
  wire.send(chunkedHead + '1\r\nx\r\n'.repeat(20000) + '0\r\n\r\n');
  assert.equal((await wire.response(ms(5000))).status, 200);
  const took = performance.now() - from;
  assert.ok(took < ms(1000), `took ${took.toFixed(0)} ms`);
  assert.equal(upstream.requests[0].size, 20000);
  wire.close();
});

test('slow senders are cut off in time', async (t) => {
  const upstream = await scripted(t);
  const limit = ms(400);
  const proxy = await start(t, {
    upstream,
    set: { client_header_timeout_ms: limit, client_body_idle_timeout_ms: limit },
  });
  const near = (took) =>
    assert.ok(
      took > limit * 0.8 && took < limit * 3,
      `cut after ${took.toFixed(0)} of ${limit} ms`,
    );

  const cases = [
    ['inside the request line', 'GET /v1/sl', 408],
    ['inside the head', `GET /v1/x HTTP/1.1\r\n${HOST}X: `, 408],
    ['inside a body', `POST /v1/x HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhel`, 408],
    ['inside a chunk', `${chunkedHead}5\r\nhel`, 408],
    ['between chunks', `${chunkedHead}5\r\nhello\r\n`, 408],
  ];
  for (const [name, data, status] of cases) {
    await t.test(`silent ${name}`, async () => {
      const wire = await proxy.connect();
      const from = performance.now();
      wire.send(data);
      const answer = await wire.response();
      near(performance.now() - from);
      assert.equal(answer.status, status);
      assert.equal(answer.json.error.code, 'request_timeout');
      await wire.gone(ms(4000));
      wire.close();
    });
  }
  await t.test('a byte now and then does not stretch the time for the head', async () => {
    const wire = await proxy.connect();
    const from = performance.now();
    wire.send(`GET /v1/x HTTP/1.1\r\n${HOST}X: `);
    const drip = setInterval(() => wire.closed || wire.send('v'), limit / 8);
    const answer = await wire.response().finally(() => clearInterval(drip));
    near(performance.now() - from);
    assert.equal(answer.status, 408);
    wire.close();
  });
  await t.test('a body that keeps coming, however slowly, is accepted', async () => {
    const wire = await proxy.connect();
    wire.send(`POST /v1/drip HTTP/1.1\r\n${HOST}Content-Length: 8\r\n\r\n`);
    for (let i = 0; i < 8; i++) {
      await sleep(limit / 3);
      wire.send('x');
    }
    assert.equal((await wire.response()).status, 200);
    assert.equal(upstream.of('/v1/drip')[0].text, 'xxxxxxxx');
    wire.close();
  });
  await t.test('a connection that says nothing is closed without an answer', async () => {
    const wire = await proxy.connect();
    const from = performance.now();
    await wire.gone();
    near(performance.now() - from);
    assert.equal(wire.received, 0);
    wire.close();
  });
  assert.equal(upstream.of('/v1/x').length, 0);
});

test('idle connections and clients that stop reading are cut', async (t) => {
  const upstream = await scripted(t);
  const limit = ms(500);
  const set = { client_idle_timeout_ms: limit, client_send_timeout_ms: limit };
  const proxy = await start(t, { upstream, set });
  await t.test('idle between requests: closed without an answer', async () => {
    const wire = await proxy.connect();
    wire.send(proxy.compose('GET', '/v1/x'), 'GET');
    await wire.response();
    const from = performance.now();
    assert.equal(await wire.gone(), 'end');
    const took = performance.now() - from;
    assert.ok(took > limit * 0.7 && took < limit * 3, `closed after ${took.toFixed(0)} ms`);
    assert.equal(wire.reader.messages.length, 1);
    wire.close();
  });
  await t.test('a long answer is not idleness', async () => {
    upstream.script('/v1/long', async (turn) => {
      await sleep(limit * 2);
      await turn.json({ ok: true });
    });
    assert.equal((await proxy.request('GET', '/v1/long')).status, 200);
  });
  await t.test('a client that accepts nothing: cut, and the row says so', async () => {
    const block = Buffer.alloc(1 << 20);
    upstream.script('/v1/deaf', async (turn) => {
      await turn.begin([['Content-Type', 'application/octet-stream']]);
      for (let i = 0; i < 32 && !turn.closed; i++) await turn.chunk(block);
    });
    const wire = await proxy.connect();
    wire.socket.pause();
    wire.send(proxy.compose('GET', '/v1/deaf'), 'GET');
    const row = await proxy.row('/v1/deaf', ms(8000));
    assert.equal(row.error, 'client stopped reading');
    assert.equal(row.status, 200);
    wire.close();
  });
});

test('500 slow connections do not hinder normal requests', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const slow = await Promise.all(Array.from({ length: 500 }, () => proxy.connect()));
  t.after(() => slow.forEach((wire) => wire.close()));
  slow.forEach((wire, i) => wire.send(i % 2 ? 'GET /v1/sl' : `GET /v1/x HTTP/1.1\r\n${HOST}X: `));
  let worst = 0;
  for (let i = 0; i < 100; i++) {
    const from = performance.now();
    const answer = await proxy.request('GET', `/v1/normal/${i}`);
    assert.equal(answer.status, 200);
    worst = Math.max(worst, performance.now() - from);
    slow[i].send('v');
  }
  assert.ok(worst < ms(500), `the slowest normal request took ${worst.toFixed(0)} ms`);
  if (!SANITIZER) assert.ok(proxy.rss() < 100, `memory is ${proxy.rss().toFixed(0)} MiB`);
});

test('running out of descriptors is survived', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, wrap: ['prlimit', '--nofile=96:96', '--'] });
  const wires = [];
  t.after(() => wires.forEach((wire) => wire.close()));
  for (let i = 0; i < 150; i++) {
    const wire = await proxy.connect();
    wire.send('GET /v1/never');
    wires.push(wire);
  }
  await t.test('the oldest idle ones make room', async () => {
    const answer = await proxy.request('GET', '/v1/normal', { limit: ms(8000) });
    assert.equal(answer.status, 200);
  });
  await t.test('afterwards everything works', async () => {
    wires.forEach((wire) => wire.close());
    await until(
      () => proxy.fds() < 60,
      () => `descriptors to be given back, there are ${proxy.fds()}`,
    );
    for (let i = 0; i < 5; i++)
      assert.equal((await proxy.request('GET', `/v1/after/${i}`)).status, 200);
  });
});
