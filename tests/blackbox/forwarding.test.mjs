/* The proxy is a recorder: bytes, methods, paths, queries and fields pass as they came. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms } from './until.mjs';
import { allBytes, chunk, LAST_CHUNK, message, pieces, Wire } from './wire.mjs';

/** An answer that carries the request's body back. */
const mirror = (turn) =>
  turn.answer(200, [['Content-Type', 'application/octet-stream']], turn.request.body);

const multipart = Buffer.concat([
  Buffer.from('--b0\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'),
  Buffer.from('--b0\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'),
  Buffer.from('Content-Type: audio/wav\r\n\r\n'),
  allBytes(3),
  Buffer.from('\r\n--b0--\r\n'),
]);

const BODIES = [
  ['every byte value', 'application/octet-stream', allBytes(64)],
  ['multipart', 'multipart/form-data; boundary=b0', multipart],
  ['one byte', 'text/plain', Buffer.from('x')],
  ['empty', 'application/json', Buffer.alloc(0)],
  [
    'JSON with odd spacing',
    'application/json',
    Buffer.from(' {"model" :"m","n":18446744073709551615 }\n'),
  ],
  ['JSON with a lone surrogate', 'application/json', Buffer.from('{"model":"m","t":"\\ud800"}')],
  ['JSON nested 100000 deep', 'application/json', Buffer.from('['.repeat(100000))],
  ['invalid UTF-8', 'application/json', Buffer.from('{"model":"\xff\xfe"}', 'latin1')],
  ['10 MiB', 'application/octet-stream', allBytes(40960)],
];

test('bodies pass byte for byte in both directions', async (t) => {
  const upstream = await scripted(t);
  upstream.fallback = mirror;
  const proxy = await start(t, { upstream });

  for (const [name, type, body] of BODIES) {
    await t.test(`${name}, with Content-Length`, async () => {
      const target = `/v1/length/${encodeURIComponent(name)}`;
      const fields = [['Content-Type', type]];
      const answer = await proxy.request('POST', target, { fields, body, limit: ms(20000) });
      const [seen] = upstream.of(target);
      assert.ok(seen.body.equals(body), 'the upstream got other bytes than were sent');
      assert.equal(seen.field('content-length'), String(body.length));
      assert.equal(seen.field('content-type'), type);
      assert.ok(answer.body.equals(body), 'the client got other bytes than the upstream sent');
    });
    await t.test(`${name}, in chunks`, async () => {
      const target = `/v1/chunks/${encodeURIComponent(name)}`;
      const wire = await proxy.connect();
      wire.send(message(`POST ${target} HTTP/1.1`, [
        ['Host', 'localhost'], ['Content-Type', type], ['Transfer-Encoding', 'chunked'],
      ]), 'POST'); // prettier-ignore
      await wire.sendPieces(pieces(body, Math.max(7, body.length >> 6)).map(chunk));
      wire.send(LAST_CHUNK);
      const answer = await wire.response(ms(20000));
      wire.close();
      const [seen] = upstream.of(target);
      assert.ok(seen.body.equals(body), 'the upstream got other bytes than were sent');
      assert.equal(
        seen.field('content-length'),
        String(body.length),
        'de-chunked for the upstream',
      );
      assert.equal(seen.field('transfer-encoding'), undefined);
      assert.ok(answer.body.equals(body), 'the client got other bytes than the upstream sent');
    });
  }

  await t.test('an answer of 10 MiB in chunks', async () => {
    const body = allBytes(40960);
    upstream.script('/v1/big', async (turn) => {
      await turn.begin([['Content-Type', 'application/octet-stream']]);
      for (const piece of pieces(body, 99991)) await turn.chunk(piece);
      await turn.finish();
    });
    const answer = await proxy.request('GET', '/v1/big', { limit: ms(20000) });
    assert.ok(answer.body.equals(body));
  });

  await t.test('an answer that ends with its connection', async () => {
    upstream.script('/v1/close', async (turn) => {
      await turn.write(message('HTTP/1.1 200 OK', [['Content-Type', 'text/plain']], 'to the end'));
      turn.cut();
    });
    const answer = await proxy.request('GET', '/v1/close');
    assert.equal(answer.text, 'to the end');
    assert.notEqual(answer.framing, 'close', "framing is the proxy's own");
  });

  await t.test('an upstream that speaks HTTP/1.0', async () => {
    upstream.script('/v1/old', async (turn) => {
      await turn.write('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold');
      turn.cut();
    });
    assert.equal((await proxy.request('GET', '/v1/old')).text, 'old');
  });
  assert.deepEqual(upstream.errors, []);
});

test('methods and statuses pass', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });

  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
    await t.test(method, async () => {
      const target = `/v1/method/${method.toLowerCase()}`;
      const answer = await proxy.request(method, target);
      assert.equal(answer.status, 200);
      const [seen] = upstream.of(target);
      assert.equal(seen.method, method);
      const length = ['POST', 'PUT', 'PATCH'].includes(method) ? '0' : undefined;
      assert.equal(seen.field('content-length'), length, 'Content-Length of no body');
      assert.equal(seen.field('transfer-encoding'), undefined);
    });
  }
  for (const method of ['GET', 'DELETE', 'OPTIONS']) {
    await t.test(`${method} with a body`, async () => {
      const target = `/v1/body/${method.toLowerCase()}`;
      await proxy.request(method, target, { body: 'abc' });
      assert.equal(upstream.of(target)[0].text, 'abc');
    });
  }
  for (const status of [
    200, 201, 202, 206, 299, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 503, 529, 599,
  ]) {
    await t.test(`status ${status}`, async () => {
      const target = `/v1/status/${status}`;
      upstream.script(target, (turn) => turn.json({ error: { message: 'm' } }, status));
      const answer = await proxy.request('POST', target, { body: '{}' });
      assert.equal(answer.status, status);
      assert.equal(answer.text, '{"error":{"message":"m"}}');
    });
  }
  for (const status of [204, 304]) {
    await t.test(`status ${status} has no body and the connection goes on`, async () => {
      upstream.script(`/v1/empty/${status}`, (turn) => turn.answer(status, [['ETag', '"x"']]));
      const wire = await proxy.connect();
      wire.send(proxy.compose('GET', `/v1/empty/${status}`), 'GET');
      const answer = await wire.response();
      assert.equal(answer.status, status);
      assert.equal(answer.field('etag'), '"x"');
      wire.send(proxy.compose('GET', '/healthz'), 'GET');
      assert.equal((await wire.response()).status, 200);
      wire.close();
    });
  }
  for (const status of [301, 302, 303, 307, 308]) {
    await t.test(`redirect ${status} is passed and not followed`, async () => {
      const where = `${upstream.url}/elsewhere/${status}`;
      upstream.script(`/v1/from/${status}`, (turn) => turn.answer(status, [['Location', where]]));
      const answer = await proxy.request('GET', `/v1/from/${status}`);
      assert.equal(answer.status, status);
      assert.equal(answer.field('location'), where);
      assert.equal(upstream.of(`/v1/elsewhere/${status}`).length, 0);
    });
  }
  await t.test('HEAD passes the length of the body that is not there', async () => {
    upstream.script('/v1/head', (turn) => turn.answer(200, [['Content-Length', 1234]]));
    const wire = await proxy.connect();
    wire.send(proxy.compose('HEAD', '/v1/head'), 'HEAD');
    wire.send(proxy.compose('GET', '/healthz'), 'GET');
    const answer = await wire.response();
    assert.equal(answer.field('content-length'), '1234');
    assert.equal((await wire.response()).status, 200);
    wire.close();
  });
  await t.test('interim answers of the upstream are no answers', async () => {
    upstream.script('/v1/interim', async (turn) => {
      await turn.write(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n',
      );
      await turn.json({ ok: true });
    });
    const answer = await proxy.request('POST', '/v1/interim', { body: '{}' });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '{"ok":true}');
  });
  assert.deepEqual(upstream.errors, []);
});

/** [base path, target of the client, target the upstream sees (null: 400 and no call)] */
const TARGETS = [
  ['/v1', '/v1/chat/completions', '/v1/chat/completions'],
  ['/v1', '/v1/models?limit=2&after=a%20b', '/v1/models?limit=2&after=a%20b'],
  ['/v1//', '/v1/models', '/v1/models'],
  ['/api/v1', '/v1/chat/completions', '/api/v1/chat/completions'],
  ['/v1beta/openai', '/v1/chat/completions', '/v1beta/openai/chat/completions'],
  ['/v1', '/v1/models?', '/v1/models'],
  ['/v1', '/v1/models??a?b', '/v1/models??a?b'],
  ['/v1', '/v1/models/otter:latest', '/v1/models/otter:latest'],
  ['/v1', '/v1/models/acme%2Fotter', '/v1/models/acme%2Fotter'],
  ['/v1', '/v1/a%3Fb%23c%25', '/v1/a%3Fb%23c%25'],
  ['/v1', '/v1/http://other.example.test/x', '/v1/http://other.example.test/x'],
  ['/v1', '/v1/%C3%A9%f0%9f%a6%a6', '/v1/%C3%A9%f0%9f%a6%a6'],
  ['/v1', "/v1/a!$&'()*+,;=:@-._~b", "/v1/a!$&'()*+,;=:@-._~b"],
  ['/v1', '/v1//models', '/v1//models'],
  ['/v1', '/v1/models/', '/v1/models/'],
  ['/v1', '/v1/models/v1..2/a.b', '/v1/models/v1..2/a.b'],
  ['/v1', '/v1/...', '/v1/...'],
  ['/v1', '/v1', '/v1/'],
  ['/v1', '/v1/', '/v1/'],
  ['/v1', '/v1?x=1', '/v1/?x=1'],
  ['/v1', '/v1/x?path=../../etc&y=%00%0d%0a', '/v1/x?path=../../etc&y=%00%0d%0a'],
  ['/v1', '/v1/../admin', null],
  ['/v1', '/v1/.', null],
  ['/v1', '/v1/x/..', null],
  ['/v1', '/v1/x/./y', null],
  ['/v1', '/v1/x/..;a=b/y', null],
  ['/v1', '/v1/x/%2e%2E/%2e%2e/admin', null],
  ['/v1', '/v1/..%2f..%2Fadmin', null],
  ['/v1', '/v1/..%5cadmin', null],
  ['/v1', '/v1/a%5cb', null],
  ['/v1', '/v1/a\\b', null],
  ['/v1', '/v1/a%00b', null],
  ['/v1', '/v1/a%0db', null],
  ['/v1', '/v1/a%7fb', null],
];

test('paths and queries pass verbatim', async (t) => {
  const upstream = await scripted(t);
  const host = `http://127.0.0.1:${upstream.port}`;
  const proxies = new Map();
  for (const base of new Set(TARGETS.map(([b]) => b)))
    proxies.set(base, await start(t, { upstream: `${host}${base}` }));

  for (const [base, target, wanted] of TARGETS) {
    await t.test(`${target} on ${base}`, async () => {
      const before = upstream.requests.length;
      const answer = await proxies.get(base).request('GET', target);
      const seen = upstream.requests.slice(before).map((r) => r.target);
      if (wanted === null) {
        assert.equal(answer.status, 400);
        assert.equal(answer.json.error.type, 'invalid_request_error');
        assert.deepEqual(seen, [], 'nothing goes upstream');
      } else {
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(seen, [wanted]);
      }
    });
  }
});

test('request fields pass, but for those of the connection', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  let nth = 0;
  const seen = async (fields, method = 'GET', body) => {
    const target = `/v1/fields/${nth++}`;
    await proxy.request(method, target, { fields, body });
    return upstream.of(target)[0];
  };

  await t.test('names, values, order and repeats are kept', async () => {
    const fields = [
      ['X-Tag', 'one'], ['x-oDD-cAsE', 'Value; with="quotes", comma'], ['X-Tag', 'two'],
      ['OpenAI-Organization', 'org-1'], ['X-Empty', ''], ['X-High', '\xe9\xff'],
      ['X-Tag', 'two'], ['Cookie', 'a=1; b=2'], ['Authorization', 'Bearer client-key'],
      ['Idempotency-Key', 'k'], ['X-Forwarded-For', '10.0.0.1'], ['Accept', 'application/json'],
      ['User-Agent', 'probe/1'], ['Referer', 'http://localhost/'],
    ]; // prettier-ignore
    const request = await seen(fields);
    const names = new Set(fields.map(([n]) => n));
    assert.deepEqual(
      request.fields.filter(([n]) => names.has(n)),
      fields,
    );
  });
  await t.test('the fields of the connection are dropped', async () => {
    const request = await seen([
      ['Connection', 'X-Internal, Content-Type, Authorization'], ['X-Internal', 'secret'],
      ['Keep-Alive', 'timeout=5'], ['Proxy-Authenticate', 'Basic'], ['Proxy-Connection', 'x'],
      ['Proxy-Authorization', 'Basic abc'], ['TE', 'trailers'], ['Trailer', 'x-t'],
      ['Upgrade', 'h2c'], ['Accept-Encoding', 'snappy'], ['X-Ok', '1'],
      ['Content-Type', 'text/plain'], ['Authorization', 'Bearer k'],
    ]); // prettier-ignore
    const dropped = ['x-internal', 'keep-alive', 'proxy-authenticate', 'proxy-authorization',
      'proxy-connection', 'te', 'trailer', 'upgrade', 'transfer-encoding', 'expect']; // prettier-ignore
    for (const name of dropped) assert.deepEqual(request.all(name), [], name);
    assert.doesNotMatch(request.all('connection').join(), /internal|upgrade/i);
    assert.equal(request.field('x-ok'), '1');
    assert.equal(request.field('content-type'), 'text/plain', 'Connection cannot remove it');
    assert.equal(request.field('authorization'), 'Bearer k', 'Connection cannot remove it');
    assert.doesNotMatch(request.field('accept-encoding') ?? '', /snappy/);
  });
  await t.test('what the upstream needs is added once', async () => {
    const request = await seen([]);
    assert.equal(request.field('host'), `127.0.0.1:${upstream.port}`);
    assert.equal(request.field('accept'), '*/*');
    assert.match(request.field('user-agent'), /^llm-observe-proxy\/\d/);
    assert.match(request.field('accept-encoding'), /gzip/);
  });
  await t.test('no coding is asked for when the client wants a stream', async () => {
    const body = '{"model":"m","stream":true}';
    for (const request of [
      await seen([['Content-Type', 'application/json']], 'POST', body),
      await seen([['Accept', 'text/event-stream']]),
    ])
      assert.match(request.field('accept-encoding') ?? 'identity', /^identity$/);
  });
  await t.test('nothing a client says chooses the host', async () => {
    const request = await seen([
      ['X-Forwarded-Host', 'evil.test'], ['X-Original-URL', '/evil'], ['Forwarded', 'host=evil'],
    ], 'POST', '{"model":"m","api_base":"http://127.0.0.1:9/v1"}'); // prettier-ignore
    assert.equal(request.field('host'), `127.0.0.1:${upstream.port}`);
  });
  assert.deepEqual(upstream.errors, []);
});

test('response fields pass, but for those of the connection', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });

  await t.test('repeats stay separate and in order', async () => {
    const fields = [
      ['Set-Cookie', 'a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT'], ['X-One', '1'],
      ['Set-Cookie', 'b=2'], ['X-RateLimit-Remaining', '7'], ['Retry-After', '3'],
      ['x-request-id', 'req_1'], ['Access-Control-Allow-Origin', '*'], ['X-High', '\xe9'],
    ]; // prettier-ignore
    upstream.script('/v1/fields', (turn) => turn.answer(200, fields, '{}'));
    const answer = await proxy.request('GET', '/v1/fields');
    const names = new Set(fields.map(([n]) => n.toLowerCase()));
    const got = answer.fields.filter(([n]) => names.has(n.toLowerCase()));
    assert.deepEqual(
      got.map(([n, v]) => [n.toLowerCase(), v]),
      fields.map(([n, v]) => [n.toLowerCase(), v]),
    );
  });
  await t.test('the fields of the connection are dropped', async () => {
    upstream.script('/v1/hop', async (turn) => {
      await turn.begin([
        ['Content-Type', 'text/plain'], ['Connection', 'close, X-Hop'], ['X-Hop', '1'],
        ['Keep-Alive', 'timeout=1'], ['Proxy-Connection', 'x'], ['Trailer', 'X-T'],
        ['Upgrade', 'h2c'], ['Proxy-Authenticate', 'Basic'], ['X-Ok', '1'],
      ]); // prettier-ignore
      await turn.chunk('body');
      await turn.write('0\r\nX-T: trailer\r\n\r\n');
      turn.cut();
    });
    const answer = await proxy.request('GET', '/v1/hop');
    assert.equal(answer.text, 'body');
    for (const name of [
      'x-hop',
      'proxy-connection',
      'trailer',
      'upgrade',
      'proxy-authenticate',
      'x-t',
    ])
      assert.deepEqual(answer.all(name), [], name);
    assert.equal(answer.field('x-ok'), '1');
    assert.equal(answer.trailers, undefined, 'trailers are dropped');
  });
  await t.test('a cookie for one client is not sent for another', async () => {
    upstream.script('/v1/cookie', (turn) =>
      turn.answer(200, [['Set-Cookie', 'sid=1; Path=/']], '{}'),
    );
    await proxy.request('GET', '/v1/cookie');
    await proxy.request('GET', '/v1/after');
    assert.deepEqual(upstream.of('/v1/after')[0].all('cookie'), []);
  });
  await t.test('one connection serves many requests', async () => {
    const wire = await Wire.open(proxy.port);
    const before = upstream.links.length;
    for (let i = 0; i < 20; i++) {
      wire.send(proxy.compose('GET', `/v1/again/${i}`), 'GET');
      assert.equal((await wire.response()).status, 200);
    }
    wire.close();
    assert.ok(upstream.links.length - before <= 1, 'connections to the upstream are kept alive');
  });
  assert.deepEqual(upstream.errors, []);
});
