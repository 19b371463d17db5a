/* Whatever an upstream does wrong: what the client gets, and what the row says. */
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { folder, run, SANITIZER, start } from './proxy.mjs';
import { deaf, refusing, scripted, served } from './upstream.mjs';
import { ms, sleep } from './until.mjs';
import { chunk, message } from './wire.mjs';

const KIB = 1024;
const JSON_TYPE = ['Content-Type', 'application/json'];
const SSE = ['Content-Type', 'text/event-stream'];
const BIG = 'x'.repeat(2 << 20); /* more than is held back, so that the head goes out */

/** The answer and the row of a request that failed before a head. */
async function checkFailed(proxy, target, answer, status, codes) {
  const type = status === 504 ? 'upstream_timeout' : 'upstream_error';
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.field('content-type'), /^application\/json/);
  const { error } = answer.json;
  assert.equal(error.type, type);
  assert.ok(codes.includes(error.code), `code ${error.code} is one of ${codes}`);
  assert.ok(error.message, 'there is a message');
  assert.doesNotMatch(error.message, /[\x00-\x1f\x7f]/);
  const { record, response_render: render } = await proxy.captured(`endpoint=${target}`);
  assert.equal(record.status, status);
  assert.ok(record.error, 'the row has an error');
  assert.equal(record.response_content_type, 'application/json');
  assert.deepEqual(JSON.parse(render.text), answer.json, 'the body that was sent is stored');
  assert.equal(record.response_bytes, answer.size);
  assert.ok(record.completed_at);
  assert.ok(record.duration_ms >= 0);
  const outcomes = record.upstream_headers_ms === null ? ['failed', 'timeout'] : ['cut', 'timeout'];
  assert.ok(outcomes.includes(record.outcome), record.outcome);
  return record;
}

/** The answer that broke off after its head, and its row. */
async function checkBroken(proxy, target, wire, sent) {
  const answer = await wire.head();
  await wire.gone(ms(8000));
  wire.close();
  assert.equal(answer.complete, false, 'the break is visible');
  assert.equal(answer.status, 200);
  assert.ok(answer.text.startsWith(sent), 'what had come was handed over');
  const record = await proxy.row(target, ms(8000));
  assert.equal(record.status, 200, 'the status of the upstream stays');
  assert.ok(record.error, 'the row has an error');
  assert.equal(record.outcome, record.terminated_by === 'idle_timeout' ? 'timeout' : 'cut');
  assert.equal(record.response_bytes, answer.size, 'what the client got is stored');
  return record;
}

const head = (...fields) => message('HTTP/1.1 200 OK', fields);

/** [name, what the upstream writes before it closes, codes]: no head that could be used: 502. */
const NO_HEAD = [
  ['closes at once', [], ['connection_lost', 'bad_response']],
  ['closes inside the status line', ['HTTP/1.1 2'], ['connection_lost', 'bad_response']],
  ['closes inside the head', ['HTTP/1.1 200 OK\r\nContent-Type: a'], ['connection_lost', 'bad_response']],
  ['closes after an interim answer', ['HTTP/1.1 100 Continue\r\n\r\n'], ['connection_lost', 'bad_response']],
  ['speaks something else', ['220 mail.test ESMTP\r\n'], ['bad_response']],
  ['speaks HTTP/0.9', ['<html>hello</html>'], ['bad_response', 'connection_lost']],
  ['speaks HTTP/2 at once', ['\0\0\x12\x04\0\0\0\0\0'], ['bad_response', 'connection_lost']],
  ['says HTTP/2.0', ['HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'], ['bad_response']],
  ['says HTTP/1.1 without a status', ['HTTP/1.1 OK\r\n\r\n'], ['bad_response']],
  ['answers status 99', ['HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n'], ['bad_response']],
  ['answers status 600', ['HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n'], ['bad_response']],
  ['answers status 999', ['HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n'], ['bad_response']],
  ['answers status 2000', ['HTTP/1.1 2000 Many\r\nContent-Length: 0\r\n\r\n'], ['bad_response']],
  ['switches protocols unasked', ['HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'], ['bad_response']],
  ['sends 300 KiB of head', [`HTTP/1.1 200 OK\r\nX: ${'v'.repeat(300 * KIB)}\r\n\r\n`], ['bad_response']],
  ['sends a head that never ends', ['HTTP/1.1 200 OK\r\n', `X: ${'v'.repeat(1000)}\r\n`.repeat(400)], ['bad_response']],
  ['sends 70 interim answers', ['HTTP/1.1 103 Hint\r\n\r\n'.repeat(70)], ['bad_response']],
  ['sends two lengths', ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'], ['bad_response']],
  ['sends a length that is none', ['HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc'], ['bad_response']],
  ['sends a negative length', ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc'], ['bad_response']],
  ['sends a length that overflows', [`HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\nabc`], ['bad_response']],
  ['sends an unknown transfer coding', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: cow\r\n\r\nabc'], ['bad_response']],
  ['sends an unknown content coding', ['HTTP/1.1 200 OK\r\nContent-Encoding: cow\r\nContent-Length: 3\r\n\r\nabc'], ['decode_failed', 'bad_response']],
  ['sends a small answer short', [head(JSON_TYPE, ['Content-Length', 100]), '{"a":'], ['connection_lost', 'bad_response']],
  ['sends a small answer with broken chunks', [head(JSON_TYPE, ['Transfer-Encoding', 'chunked']), 'zz\r\n{}\r\n'], ['bad_response', 'connection_lost']],
  ['sends a small answer with no last chunk', [head(JSON_TYPE, ['Transfer-Encoding', 'chunked']), chunk('{}')], ['connection_lost', 'bad_response']],
  ['sends a corrupt gzip answer', [head(JSON_TYPE, ['Content-Encoding', 'gzip'], ['Content-Length', 9]), 'not gzip!'], ['decode_failed']],
  ['sends half a gzip answer', [head(JSON_TYPE, ['Content-Encoding', 'gzip'], ['Content-Length', 20]), zlib.gzipSync('x'.repeat(99)).subarray(0, 20)], ['decode_failed']],
]; // prettier-ignore

test('no usable answer is a 502', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [at, [name, parts, codes]] of NO_HEAD.entries()) {
    await t.test(`the upstream ${name}`, async () => {
      const target = `/v1/none-${at}-`;
      upstream.script(target, async (turn) => {
        for (const part of parts) await turn.write(part);
        turn.cut();
      });
      const answer = await proxy.request('POST', target, {
        fields: [JSON_TYPE],
        body: '{"model":"m"}',
      });
      await checkFailed(proxy, target, answer, 502, codes);
      assert.ok(upstream.of(target).length >= 1);
    });
  }
  await t.test('the upstream resets before a head', async () => {
    upstream.script('/v1/reset-', (turn) => turn.reset());
    const answer = await proxy.request('GET', '/v1/reset-');
    await checkFailed(proxy, '/v1/reset-', answer, 502, ['connection_lost']);
  });
  await t.test('in the form of the Messages API where that is spoken', async () => {
    upstream.script('/v1/messages', (turn) => turn.reset());
    const answer = await proxy.request('POST', '/v1/messages', { body: '{"model":"m"}' });
    assert.equal(answer.status, 502);
    assert.equal(answer.json.type, 'error');
    assert.equal(answer.json.error.type, 'api_error');
    assert.ok(answer.json.error.message);
  });
  await t.test('the proxy goes on after all that', async () => {
    assert.equal((await proxy.request('GET', '/v1/fine')).status, 200);
  });
});

test('an upstream that cannot be reached is a 502 at once', async (t) => {
  const plain = await served(t, 'http', (_, answer) => answer.end('no TLS here'));
  const cases = [
    ['refuses', await refusing(), ['connect_failed']],
    ['has a name that does not resolve', 'http://no-such-host.invalid:1/v1', ['connect_failed']],
    ['speaks no TLS', plain.url.replace('http:', 'https:'), ['tls_failed', 'connect_failed']],
  ];
  for (const [name, url, codes] of cases) {
    await t.test(name, async (t) => {
      const proxy = await start(t, { upstream: url });
      const from = performance.now();
      const answer = await proxy.request('POST', '/v1/unreached', { body: '{}' });
      const took = performance.now() - from;
      const record = await checkFailed(proxy, '/v1/unreached', answer, 502, codes);
      if (name === 'refuses') assert.ok(took < ms(1000), `took ${took.toFixed(0)} ms`);
      const { hostname, port } = new URL(url);
      assert.ok(record.error.includes(hostname) && record.error.includes(port), record.error);
      assert.equal(record.upstream_url, `${url}/unreached`);
    });
  }
  await t.test('user information of a base URL is never shown', async (t) => {
    const url = (await refusing()).replace('//', '//user:geheim@');
    const ended = await run([
      'serve',
      '--port',
      '0',
      '--database-url',
      `${folder(t)}/x`,
      '--upstream-url',
      url,
    ]);
    assert.equal(ended.code, 2, 'such a URL is a usage error');
    assert.doesNotMatch(ended.err, /geheim/);
  });
});

test('time limits of the upstream side', async (t) => {
  const upstream = await scripted(t);
  const limit = ms(300);
  const set = {
    upstream_connect_timeout_ms: limit,
    upstream_first_byte_timeout_ms: limit,
    upstream_idle_timeout_ms: limit,
  };
  const proxy = await start(t, { upstream, set });
  const timed = async (run) => {
    const from = performance.now();
    const result = await run();
    const took = performance.now() - from;
    assert.ok(
      took > limit * 0.8 && took < limit * 4,
      `took ${took.toFixed(0)} ms, the limit is ${limit}`,
    );
    return result;
  };

  await t.test('no connection: 504', async (t) => {
    const other = await start(t, { upstream: await deaf(t), set });
    const answer = await timed(() => other.request('GET', '/v1/deaf'));
    const record = await checkFailed(other, '/v1/deaf', answer, 504, ['connect_timeout']);
    assert.equal(record.outcome, 'timeout');
  });
  for (const [name, before] of [
    ['nothing', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nX: '],
    ['an interim answer', 'HTTP/1.1 103 Hint\r\n\r\n'],
  ]) {
    await t.test(`${name} for too long: 504`, async () => {
      const target = `/v1/first-${name.replaceAll(' ', '-')}-`;
      upstream.script(target, (turn) => before && turn.write(before));
      const answer = await timed(() => proxy.request('POST', target, { body: '{}' }));
      const record = await checkFailed(proxy, target, answer, 504, ['first_byte_timeout']);
      assert.equal(record.outcome, 'timeout');
    });
  }
  await t.test('silence inside a small answer: 504', async () => {
    upstream.script('/v1/idle-small', (turn) =>
      turn.write(head(JSON_TYPE, ['Content-Length', 100])),
    );
    const answer = await timed(() => proxy.request('GET', '/v1/idle-small'));
    const record = await checkFailed(proxy, '/v1/idle-small', answer, 504, ['idle_timeout']);
    assert.equal(record.terminated_by, 'idle_timeout');
  });
  await t.test('silence inside a stream: a visible break', async () => {
    upstream.script(
      '/v1/idle-stream',
      async (turn) => (await turn.begin([SSE]), turn.chunk('data: 1\n\n')),
    );
    const wire = await proxy.connect();
    wire.send(proxy.post('/v1/idle-stream', { model: 'm', stream: true }), 'POST');
    const record = await timed(() =>
      checkBroken(proxy, '/v1/idle-stream', wire, 'data: 1\n\ndata: {"error":'),
    );
    assert.equal(record.terminated_by, 'idle_timeout');
  });
  await t.test('comments are activity', async () => {
    upstream.script('/v1/alive', async (turn) => {
      await turn.begin([SSE]);
      for (let i = 0; i < 6; i++) {
        await sleep(limit / 2);
        await turn.chunk(': ping\n\n');
      }
      await turn.finish();
    });
    const answer = await proxy.request('GET', '/v1/alive', { limit: ms(8000) });
    assert.equal(answer.text, ': ping\n\n'.repeat(6));
  });
  await t.test('0 switches a limit off', async (t) => {
    const patient = await start(t, { upstream, set: { upstream_first_byte_timeout_ms: 0 } });
    upstream.script('/v1/patient', async (turn) => (await sleep(limit * 2), turn.json({ ok: 1 })));
    assert.equal((await patient.request('GET', '/v1/patient')).status, 200);
  });
});

/** [name, fields, what is written, sent: what the client must have of it] */
const BREAKS = [
  ['a large answer is cut short', [['Content-Length', 4 << 20]], BIG, BIG.slice(0, 1000)],
  ['a large answer loses its last chunk', [['Transfer-Encoding', 'chunked']], chunk(BIG), BIG.slice(0, 1000)],
  ['a large answer has a bad chunk', [['Transfer-Encoding', 'chunked']], Buffer.concat([chunk(BIG), Buffer.from('zz\r\n')]), BIG.slice(0, 1000)],
  ['an event stream has a bad chunk', [SSE, ['Transfer-Encoding', 'chunked']], Buffer.concat([chunk('data: 1\n\n'), Buffer.from('zz\r\n')]), 'data: 1\n\n'],
  ['an event stream has a chunk that is too long', [SSE, ['Transfer-Encoding', 'chunked']], Buffer.concat([chunk('data: 1\n\n'), Buffer.from('2\r\nabcd\r\n')]), 'data: 1\n\n'],
  ['an event stream is shorter than its length', [SSE, ['Content-Length', 99]], 'data: 1\n\n', 'data: 1\n\n'],
  ['a gzip stream turns to garbage', [SSE, ['Content-Encoding', 'gzip'], ['Transfer-Encoding', 'chunked']], null, 'data: 1\n\n'],
]; // prettier-ignore

test('an answer that fails after its head breaks off visibly', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [at, [name, fields, data, sent]] of BREAKS.entries()) {
    await t.test(name, async () => {
      const target = `/v1/broken-${at}-`;
      upstream.script(target, async (turn) => {
        await turn.write(head(...fields));
        if (data !== null) await turn.write(data);
        else {
          const zipped = zlib.gzipSync('data: 1\n\n', { finishFlush: zlib.constants.Z_SYNC_FLUSH });
          await turn.chunk(zipped);
          await sleep(50);
          await turn.chunk('\xff\xff\xff garbage '.repeat(20));
          await turn.finish();
        }
        await sleep(100);
        turn.cut();
      });
      const wire = await proxy.connect();
      wire.send(proxy.compose('GET', target), 'GET');
      const record = await checkBroken(proxy, target, wire, sent);
      assert.equal(record.terminated_by, 'upstream_error');
    });
  }
  await t.test('a stream after which the upstream only resets', async () => {
    upstream.script('/v1/late-reset', async (turn) => {
      await turn.write(head(SSE));
      await turn.write('data: 1\n\n');
      await sleep(100);
      turn.reset();
    });
    const wire = await proxy.connect();
    wire.send(proxy.compose('GET', '/v1/late-reset'), 'GET');
    await checkBroken(proxy, '/v1/late-reset', wire, 'data: 1\n\n');
  });
});

test('odd answers that are no failures', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  await t.test('more than the announced length: exactly that, and no second use', async () => {
    upstream.script('/v1/more', (turn) =>
      turn.write(
        Buffer.concat([
          head(JSON_TYPE, ['Content-Length', 2]),
          Buffer.from('{}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected'),
        ]),
      ),
    );
    const wire = await proxy.connect();
    wire.send(proxy.compose('GET', '/v1/more'), 'GET');
    assert.equal((await wire.response()).text, '{}');
    const links = upstream.links.length;
    wire.send(proxy.compose('GET', '/v1/after-more'), 'GET');
    assert.equal((await wire.response()).json.target, '/v1/after-more');
    assert.ok(upstream.of('/v1/after-more')[0].link >= links, 'a fresh connection is used');
    wire.close();
    const row = await proxy.row('/v1/more');
    assert.equal(row.error, null);
    assert.equal(row.outcome, 'ok');
  });
  await t.test('bytes after the last chunk', async () => {
    upstream.script('/v1/tail', (turn) =>
      turn.write(
        Buffer.concat([
          head(JSON_TYPE, ['Transfer-Encoding', 'chunked']),
          chunk('{}'),
          Buffer.from('0\r\n\r\nHTTP/1.1 200 OK\r\n\r\ninjected'),
        ]),
      ),
    );
    assert.equal((await proxy.request('GET', '/v1/tail')).text, '{}');
    assert.equal((await proxy.request('GET', '/v1/after-tail')).json.target, '/v1/after-tail');
  });
  await t.test('line breaks and folds in fields never pass', async () => {
    const heads = ['X-Bad: a\rb', 'X-Bad: a\0b', 'X-Bad: a\r\n folded', 'X-Bad: a\r\r'];
    for (const [at, line] of heads.entries()) {
      upstream.script(`/v1/crlf/${at}`, (turn) =>
        turn.write(`HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 2\r\n\r\n{}`),
      );
      const wire = await proxy.connect();
      wire.send(proxy.compose('GET', `/v1/crlf/${at}`), 'GET');
      const answer = await wire.response();
      wire.close();
      assert.equal(wire.reader.error, null);
      assert.ok([200, 502].includes(answer.status));
      assert.ok(
        ['', 'a folded'].includes(answer.all('x-bad').join()),
        `got ${answer.all('x-bad')}`,
      );
    }
  });
  await t.test('60 interim answers', async () => {
    upstream.script('/v1/hints', async (turn) => {
      await turn.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(60));
      await turn.json({ ok: true });
    });
    assert.equal((await proxy.request('GET', '/v1/hints')).text, '{"ok":true}');
  });
  await t.test('200 KiB of head', async () => {
    upstream.script('/v1/long', (turn) =>
      turn.answer(200, [['X-Long', 'v'.repeat(200 * KIB)]], '{}'),
    );
    assert.equal((await proxy.request('GET', '/v1/long')).field('x-long').length, 200 * KIB);
  });
  await t.test('an idle connection that was closed is replaced without notice', async () => {
    const wire = await proxy.connect();
    for (let i = 0; i < 5; i++) {
      wire.send(proxy.compose('POST', `/v1/reuse/${i}`, { body: '{}' }), 'POST');
      assert.equal((await wire.response()).status, 200);
      upstream.drop();
    }
    wire.close();
  });
  await t.test('one closed just as the request comes is replaced too', async () => {
    const wire = await proxy.connect();
    wire.send(proxy.compose('POST', '/v1/warm', { body: '{}' }), 'POST');
    await wire.response();
    const reused = upstream.of('/v1/warm')[0].link;
    let first = true;
    upstream.script('/v1/race', (turn) => {
      if (first && upstream.links.indexOf(turn.link) === reused)
        return ((first = false), turn.cut());
      return turn.json({ ok: true });
    });
    wire.send(proxy.compose('POST', '/v1/race', { body: '{}' }), 'POST');
    assert.equal((await wire.response()).status, 200);
    wire.close();
  });
  await t.test('4xx and 5xx are answers like any other', async () => {
    upstream.script('/v1/limited', (turn) =>
      turn.json({ error: { type: 'rate', code: 7, message: 'slow down' } }, 429),
    );
    await proxy.request('GET', '/v1/limited');
    const row = await proxy.row('/v1/limited');
    assert.equal(row.status, 429);
    assert.equal(row.error, null);
    assert.equal(row.upstream_error_message, 'slow down');
    assert.equal(row.outcome, 'http_error');
  });
  await t.test('a bomb of 400 MiB costs no memory', async () => {
    upstream.script('/v1/bomb', async (turn) => {
      await turn.begin([SSE, ['Content-Encoding', 'gzip']]);
      await turn.chunk(zlib.gzipSync(Buffer.alloc(400 << 20)));
      await turn.finish();
    });
    const wire = await proxy.connect();
    wire.send(proxy.compose('GET', '/v1/bomb'), 'GET');
    let size = 0;
    wire.reader.feed = (data) => (size += data.length); /* not kept */
    await wire.wait(() => size > 32 << 20 || wire.closed, '32 MiB of it', ms(20000));
    wire.close();
    if (!SANITIZER) assert.ok(proxy.peak() < 150, `the peak was ${proxy.peak()} MiB`);
  });
});
