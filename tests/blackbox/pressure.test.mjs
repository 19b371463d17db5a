/* Slow readers and crowds: memory stays bounded, and nothing is lost. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import test from 'node:test';
import { SANITIZER, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';
import { pieces, Wire } from './wire.mjs';

const MIB = 1 << 20;
const event = (text) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;

test("a client that does not read slows the upstream down, not the proxy's memory up", async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const block = randomBytes(MIB);
  const total = 64;
  const sums = createHash('sha256');
  let taken = 0;
  upstream.script('/v1/flood', async (turn) => {
    await turn.begin([['Content-Type', 'application/octet-stream']]);
    for (let i = 0; i < total; i++) {
      block.writeUInt32LE(i, 0);
      sums.update(block);
      await turn.chunk(Buffer.from(block));
      taken++;
    }
    await turn.finish();
  });
  const before = proxy.rss();
  const wire = await Wire.open(proxy.port);
  wire.socket.pause();
  wire.send(proxy.compose('GET', '/v1/flood'), 'GET');

  let last = -1;
  await until(
    async () => {
      const stands = taken === last && taken > 0;
      last = taken;
      return stands;
    },
    () => `the upstream to be held back, it got rid of ${taken} MiB`,
    ms(8000),
    400,
  );
  assert.ok(
    taken < total / 2,
    `the upstream got rid of ${taken} of ${total} MiB before anyone read`,
  );
  await proxy.healthy();
  const grown = proxy.rss() - before;
  if (!SANITIZER) assert.ok(grown < 70, `memory grew by ${grown.toFixed(0)} MiB`);

  const read = createHash('sha256');
  let size = 0;
  wire.socket.resume();
  const answer = await wire.response(ms(30000));
  for (const piece of answer.pieces) {
    read.update(piece);
    size += piece.length;
  }
  assert.equal(size, total * MIB);
  assert.equal(read.digest('hex'), sums.digest('hex'));
  wire.close();
  const row = await proxy.row('/v1/flood');
  assert.equal(row.response_bytes, total * MIB);
  assert.ok(row.client_lag_max_ms > 100, `client_lag_max_ms is ${row.client_lag_max_ms}`);
  if (!SANITIZER) assert.ok(proxy.peak() < 300, `the peak was ${proxy.peak().toFixed(0)} MiB`);
});

test('an upstream that does not read does not fill the memory with the request', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const body = randomBytes(48 * MIB);
  let seen;
  upstream.server.prependListener('connection', (socket) => {
    socket.pause();
    setTimeout(() => socket.resume(), 500);
  });
  upstream.script('/v1/upload', (turn) => ((seen = turn.request.body), turn.json({ ok: true })));
  const answer = await proxy.request('POST', '/v1/upload', { body, limit: ms(30000) });
  assert.equal(answer.status, 200);
  assert.ok(seen.equals(body), 'the upload arrived unchanged');
  if (!SANITIZER) assert.ok(proxy.peak() < 200, `the peak was ${proxy.peak().toFixed(0)} MiB`);
});

test('few connections to an upstream stay open when a crowd has gone', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, args: ['--workers', '1'] });
  upstream.fallback = async (turn) => {
    await sleep(100);
    await turn.json({ ok: true });
  };
  const crowd = Array.from({ length: 60 }, (_, i) => proxy.request('GET', `/v1/crowd/${i}`));
  for (const answer of await Promise.all(crowd)) assert.equal(answer.status, 200);
  const open = () => upstream.links.filter((link) => link.closedAt === null).length;
  await until(
    () => open() <= 8,
    () => `at most 8 idle connections to one host, there are ${open()}`,
    ms(8000),
  );
});

test('200 streams at once, each whole', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const text = (i) => Array.from({ length: 20 }, (_, n) => event(`${i}/${n}`)).join('');
  upstream.fallback = async (turn) => {
    await turn.begin();
    for (const piece of pieces(Buffer.from(text(turn.request.target)), 333)) {
      await turn.chunk(piece);
      await sleep(5);
    }
    await turn.finish();
  };
  const wires = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const wire = await proxy.connect();
      return wire.send(proxy.post(`/v1/many/${i}`, { model: 'many', stream: true }), 'POST');
    }),
  );
  const answers = await Promise.all(wires.map((wire) => wire.response(ms(20000))));
  answers.forEach((answer, i) => assert.equal(answer.text, text(`/v1/many/${i}`)));
  for (const wire of wires) wire.close();
  if (!SANITIZER) assert.ok(proxy.peak() < 150, `the peak was ${proxy.peak().toFixed(0)} MiB`);
});
