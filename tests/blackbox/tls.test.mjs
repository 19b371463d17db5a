/* Upstreams behind TLS, over HTTP/1.1 and HTTP/2. */
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { folder, run, start } from './proxy.mjs';
import { certificate, served } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';
import { allBytes } from './wire.mjs';

const event = (text) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const DONE = 'data: [DONE]\n\n';

function read(request) {
  return new Promise((done) => {
    const parts = [];
    request.on('data', (part) => parts.push(part)).on('end', () => done(Buffer.concat(parts)));
  });
}

/** What the upstreams of these tests do, by path. */
function handler(log) {
  return async (request, response) => {
    const body = await read(request);
    log.push({
      method: request.method,
      url: request.url,
      version: request.httpVersion,
      headers: request.headers,
      body,
      session: request.stream?.session,
    });
    const path = request.url.split('?')[0];
    if (path === '/v1/mirror') {
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'set-cookie': ['a=1', 'b=2'],
      });
      response.end(body);
    } else if (path.startsWith('/v1/stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < 10; i++) {
        response.write(event(`${path} ${i}`));
        await sleep(10);
      }
      response.end(DONE);
    } else if (path === '/v1/cut') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event('a'));
      await sleep(50);
      if (response.stream?.session) response.stream.close(2);
      else response.destroy();
    } else if (path === '/v1/drop') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event('a'));
      await sleep(50);
      (response.stream?.session ?? request.socket).destroy();
    } else if (path.startsWith('/v1/hold')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event('a'));
      response.on('close', () => log.push({ url: 'closed', of: path }));
    } else if (path === '/v1/big') {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(allBytes(80000));
    } else {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"no such path"}}');
    }
  };
}

for (const [kind, version] of [
  ['https', '1.1'],
  ['http2', '2.0'],
]) {
  test(`an upstream that speaks ${kind}`, async (t) => {
    const log = [];
    const { ca, key, cert } = certificate(t);
    const upstream = await served(t, kind, handler(log), { key, cert });
    const proxy = await start(t, { upstream, args: ['--upstream-ca-file', ca] });

    await t.test('bodies pass byte for byte', async () => {
      for (const body of [Buffer.alloc(0), allBytes(10), allBytes(8000)]) {
        const fields = [
          ['Content-Type', 'x/y'],
          ['X-Tag', 'one'],
          ['X-Tag', 'two'],
          ['Authorization', 'Bearer k'],
          ['Connection', 'X-Hop'],
          ['X-Hop', '1'],
        ];
        const answer = await proxy.request('POST', '/v1/mirror?q=%20', {
          body,
          fields,
          limit: ms(15000),
        });
        assert.equal(answer.status, 200);
        assert.ok(answer.body.equals(body));
        assert.deepEqual(answer.all('set-cookie'), ['a=1', 'b=2']);
        const seen = log.at(-1);
        assert.ok(seen.body.equals(body));
        assert.equal(seen.url, '/v1/mirror?q=%20');
        assert.equal(seen.version, version);
        assert.equal(seen.headers['x-tag'], 'one, two');
        assert.equal(seen.headers.authorization, 'Bearer k');
        assert.equal(seen.headers['x-hop'], undefined);
        assert.equal(seen.headers['content-length'], String(body.length));
        assert.equal(seen.headers.expect, undefined);
      }
    });
    await t.test('20 MiB come whole', async () => {
      const answer = await proxy.request('GET', '/v1/big', { limit: ms(20000) });
      assert.ok(answer.body.equals(allBytes(80000)));
    });
    await t.test('errors pass', async () => {
      const answer = await proxy.request('GET', '/v1/other');
      assert.equal(answer.status, 404);
      assert.equal(answer.text, '{"error":{"message":"no such path"}}');
    });
    await t.test('a stream arrives chunk by chunk', async () => {
      const wire = await proxy.connect();
      wire.send(proxy.post('/v1/stream', { model: 'm', stream: true }), 'POST');
      const answer = await wire.head();
      await wire.wait(() => answer.size > 0, 'the first event');
      assert.ok(answer.size < event('/v1/stream 0').length * 8, 'not all at once');
      await wire.wait(() => answer.complete, 'the end');
      assert.equal(
        answer.text,
        Array.from({ length: 10 }, (_, i) => event(`/v1/stream ${i}`)).join('') + DONE,
      );
      wire.close();
      const row = await proxy.row('/v1/stream');
      assert.equal(row.event_count, 10);
      assert.equal(row.outcome, 'ok');
    });
    await t.test('several streams at once stay apart', async () => {
      const names = Array.from({ length: 24 }, (_, i) => `/v1/streams/${i}`);
      const answers = await Promise.all(
        names.map((name) => proxy.request('GET', name, { limit: ms(15000) })),
      );
      answers.forEach((answer, n) => {
        assert.equal(
          answer.text,
          Array.from({ length: 10 }, (_, i) => event(`${names[n]} ${i}`)).join('') + DONE,
        );
      });
      if (kind === 'http2') {
        const sessions = new Set(
          log.filter((r) => r.url.startsWith('/v1/streams')).map((r) => r.session),
        );
        assert.ok(sessions.size < 12, `24 streams share ${sessions.size} connections`);
      }
    });
    for (const how of ['cut', 'drop']) {
      await t.test(`a stream that ends by ${how} looks broken`, async () => {
        const wire = await proxy.connect();
        wire.send(proxy.compose('GET', `/v1/${how}`), 'GET');
        const answer = await wire.head();
        await wire.gone();
        wire.close();
        assert.equal(answer.complete, false);
        assert.ok(answer.text.startsWith(event('a')));
        const row = await proxy.row(`/v1/${how}`);
        assert.equal(row.terminated_by, 'upstream_error');
        assert.ok(row.error);
        assert.equal(row.status, 200);
      });
    }
    await t.test('a client that leaves stops the upstream', async () => {
      const wire = await proxy.connect();
      wire.send(proxy.compose('GET', '/v1/hold'), 'GET');
      const answer = await wire.head();
      await wire.wait(() => answer.size > 0, 'the first event');
      const left = performance.now();
      wire.close();
      await until(() => log.at(-1).url === 'closed', 'the stream to be closed', ms(2000));
      assert.ok(performance.now() - left < ms(500));
      assert.equal((await proxy.row('/v1/hold')).terminated_by, 'client_disconnect');
    });
    await t.test('one of two that leaves stops its own stream only', async () => {
      const wires = [];
      for (const name of ['stays', 'leaves']) {
        const wire = await proxy.connect();
        wire.send(proxy.compose('GET', `/v1/hold/${name}`), 'GET');
        const answer = await wire.head();
        await wire.wait(() => answer.size > 0, 'the first event');
        wires.push(wire);
      }
      const [stays, leaves] = wires;
      leaves.close();
      await until(() => log.at(-1).url === 'closed', 'the stream to be closed', ms(2000));
      assert.equal(log.at(-1).of, '/v1/hold/leaves');
      assert.equal(stays.closed, null);
      stays.close();
      await until(() => log.at(-1).of === '/v1/hold/stays', 'the other to be closed', ms(2000));
    });
  });
}

/** The row and the answer of a request that found no trust. */
async function untrusted(t, upstream, options) {
  const proxy = await start(t, { upstream, ...options });
  const answer = await proxy.request('POST', '/v1/mirror', { body: 'secret' });
  assert.equal(answer.status, 502);
  assert.equal(answer.json.error.code, 'tls_failed');
  assert.match(answer.json.error.message, /certificate|SSL|TLS/i);
  const row = await proxy.row('/v1/mirror');
  assert.equal(row.status, 502);
  assert.ok(row.error.includes('localhost'), row.error);
}

test('certificates are checked', async (t) => {
  const log = [];
  const ours = certificate(t);
  const theirs = certificate(t);
  const upstream = await served(t, 'https', handler(log), { key: ours.key, cert: ours.cert });

  await t.test('an unknown authority: 502', (t) => untrusted(t, upstream, {}));
  await t.test('another authority: 502', (t) =>
    untrusted(t, upstream, { args: ['--upstream-ca-file', theirs.ca] }),
  );
  await t.test('SSL_CERT_FILE names the authorities', async (t) => {
    const proxy = await start(t, { upstream, env: { SSL_CERT_FILE: ours.ca } });
    assert.equal((await proxy.request('POST', '/v1/mirror', { body: 'x' })).text, 'x');
  });
  await t.test('a name that is not in the certificate: 502', async (t) => {
    const url = upstream.url.replace('localhost', '127.0.0.2');
    const bound = net.createServer((socket) => {
      const on = net.connect(upstream.server.address().port, '127.0.0.1');
      socket.pipe(on).pipe(socket);
      socket.on('error', () => on.destroy());
      on.on('error', () => socket.destroy());
    });
    await new Promise((done) => bound.listen(0, '127.0.0.2', done));
    t.after(() => bound.close());
    const other = url.replace(/:\d+/, `:${bound.address().port}`);
    const proxy = await start(t, { upstream: other, args: ['--upstream-ca-file', ours.ca] });
    const answer = await proxy.request('POST', '/v1/mirror', { body: 'secret' });
    assert.equal(answer.status, 502);
    assert.equal(answer.json.error.code, 'tls_failed');
  });
  assert.ok(
    log.every((r) => r.body.toString() !== 'secret'),
    'nothing was sent without trust',
  );

  await t.test('a port that never finishes the handshake: 504', async (t) => {
    const silent = net.createServer((socket) => socket.resume().on('error', () => {}));
    await new Promise((done) => silent.listen(0, '127.0.0.1', done));
    t.after(() => silent.close());
    const url = `https://127.0.0.1:${silent.address().port}/v1`;
    const proxy = await start(t, { upstream: url, set: { upstream_connect_timeout_ms: ms(400) } });
    const answer = await proxy.request('GET', '/v1/x');
    assert.equal(answer.status, 504);
    assert.equal(answer.json.error.code, 'connect_timeout');
  });
  await t.test('a file of authorities that is not there: exit 2', async (t) => {
    const ended = await run([
      'serve',
      '--port',
      '0',
      '--database-url',
      `${folder(t)}/x`,
      '--upstream-ca-file',
      '/nonexistent/ca.pem',
    ]);
    assert.equal(ended.code, 2, ended.err);
  });
});
