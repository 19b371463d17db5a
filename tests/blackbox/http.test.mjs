/* The server side of HTTP/1.1: what is accepted, what is refused, and that nothing is smuggled. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CASES } from './http-cases.mjs';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, sleep } from './until.mjs';
import { allBytes, message, pieces } from './wire.mjs';

const TYPES = {
  400: ['invalid_request_error', ['malformed_request', 'invalid_path', 'conflicting_framing']],
  404: ['invalid_request_error', ['not_found']],
  405: ['invalid_request_error', ['method_not_allowed']],
  408: ['invalid_request_error', ['request_timeout']],
  413: ['request_too_large', ['body_too_large']],
  414: ['invalid_request_error', ['target_too_long']],
  417: ['invalid_request_error', ['expectation_failed']],
  421: ['forbidden', ['host_not_allowed']],
  431: ['invalid_request_error', ['header_too_large']],
  501: ['invalid_request_error', ['unsupported_transfer_coding']],
  505: ['invalid_request_error', ['version_not_supported']],
};

/** The form of an answer that the proxy made itself. Outside /v1 it is {"detail": ...}. */
function checkRefusal(answer) {
  assert.match(answer.field('content-type'), /^application\/json/);
  assert.equal(answer.field('x-content-type-options'), 'nosniff');
  const { error, detail } = answer.json;
  if (detail !== undefined) return;
  const [type, codes] = TYPES[answer.status];
  assert.ok(error.message.length > 0, 'there is a message');
  assert.doesNotMatch(error.message, /[\x00-\x1f\x7f]/, 'no control character comes back');
  assert.equal(error.type, type);
  assert.ok(codes.includes(error.code), `code ${error.code} is one of ${codes}`);
}

/** Run one case on a connection of its own. */
async function check(
  { name, data, wanted, closes, early, target, body, fields, interim },
  proxy,
  upstream,
) {
  const before = upstream.requests.length;
  const wire = await proxy.connect();
  const statuses = [];
  let forwarded = 0;
  try {
    wire.send(data);
    if (early) wire.socket.end();
    for (const want of wanted) {
      const answer = await wire.response();
      statuses.push(answer.status);
      const allowed = Array.isArray(want) ? want : [want];
      assert.ok(
        allowed.includes(answer.status),
        `expected ${wanted}, got ${statuses}: ${answer.text}`,
      );
      if (answer.status === 200) forwarded++;
      else if (answer.status >= 400) checkRefusal(answer);
    }
    const last = statuses.at(-1);
    if (closes ?? (last === undefined || last >= 400)) await wire.gone(ms(3000));
    else if (closes !== null) await checkOpen(wire, proxy);
    const finals = wire.reader.messages.filter((m) => m.status >= 200).length - (wire.asked ?? 0);
    if (!early)
      assert.equal(finals, wanted.length, `answers beyond ${statuses}: ${wire.describe()}`);
    if (interim !== undefined) assert.equal(wire.interim.length, interim, 'interim answers');
  } finally {
    wire.close();
  }
  await proxy.healthy();
  const seen = upstream.requests.slice(before);
  assert.equal(seen.length, forwarded, `${name}: the upstream saw ${seen.map((r) => r.target)}`);
  if (target) assert.equal(seen[0].target, target);
  if (body !== undefined) assert.equal(seen[0].body.toString('latin1'), body);
  for (const [field, values] of Object.entries(fields ?? {}))
    assert.deepEqual(seen[0].all(field), values);
  assert.deepEqual(upstream.errors, [], 'what reaches the upstream is always one clean request');
}

/** The connection takes another request. */
async function checkOpen(wire, proxy) {
  wire.send(proxy.compose('GET', '/healthz'), 'GET');
  wire.asked = 1;
  const answer = await wire.response();
  assert.equal(answer.status, 200);
  assert.equal(answer.text, '{"status":"ok"}');
}

test(`${CASES.length} messages on raw sockets`, async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const one of CASES) await t.test(one.name, () => check(one, proxy, upstream));
  assert.equal(upstream.of('/v1/smuggled').length, 0);
  assert.equal(upstream.of('/v1/second').length, 0);
});

test('accepted messages mean the same in whatever pieces they come', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const accepted = CASES.filter((c) => c.wanted.every((w) => w === 200) && c.data.length < 400);
  assert.ok(accepted.length > 25);
  for (const { name, data, wanted, body } of accepted) {
    await t.test(`${name}, a byte at a time`, async () => {
      const before = upstream.requests.length;
      const wire = await proxy.connect();
      await wire.sendPieces(pieces(data, 1));
      for (const want of wanted) assert.equal((await wire.response()).status, want);
      wire.close();
      const seen = upstream.requests.slice(before);
      assert.equal(seen.length, wanted.length);
      if (body !== undefined) assert.equal(seen[0].body.toString('latin1'), body);
    });
  }
  const refused = CASES.filter((c) => c.wanted[0] === 400 && c.data.length < 120).slice(0, 40);
  for (const { name, data } of refused) {
    await t.test(`${name}, refused a byte at a time`, async () => {
      const before = upstream.requests.length;
      const wire = await proxy.connect();
      await wire.sendPieces(pieces(data, 1));
      assert.equal((await wire.response()).status, 400);
      await wire.gone();
      wire.close();
      assert.equal(upstream.requests.length, before);
    });
  }
});

test('pipelined requests are answered in order', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  upstream.fallback = async (turn) => {
    if (turn.request.target.endsWith('0')) await sleep(20);
    await turn.json({ target: turn.request.target });
  };
  await t.test('60 at once', async () => {
    const targets = Array.from({ length: 60 }, (_, i) => `/v1/line/${i}`);
    const wire = await proxy.connect();
    wire.send(Buffer.concat(targets.map((target) => proxy.compose('GET', target))));
    for (const target of targets) assert.equal((await wire.response()).json.target, target);
    wire.close();
  });
  await t.test('one is processed at a time', async () => {
    const wire = await proxy.connect();
    wire.send(
      Buffer.concat([proxy.compose('GET', '/v1/slow/0'), proxy.compose('GET', '/v1/slow/1')]),
    );
    await upstream.saw('/v1/slow/0');
    assert.equal(upstream.of('/v1/slow/1').length, 0);
    await wire.response();
    await wire.response();
    wire.close();
  });
  await t.test('a mix of proxied and own paths, with bodies', async () => {
    const wire = await proxy.connect();
    wire.send(Buffer.concat([
      proxy.compose('POST', '/v1/a', { body: 'x'.repeat(5000) }), proxy.compose('GET', '/healthz'),
      proxy.compose('POST', '/v1/b', { body: allBytes() }), proxy.compose('GET', '/nope'),
    ])); // prettier-ignore
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await wire.response()).status);
    assert.deepEqual(statuses, [200, 200, 200, 404]);
    wire.close();
  });
  await t.test('input far ahead of the answers is left in the socket', async () => {
    let go;
    const released = new Promise((done) => (go = done));
    upstream.script('/v1/wait', async (turn) => (await released, turn.json({})));
    const wire = await proxy.connect();
    const memory = proxy.rss();
    wire.send(proxy.compose('GET', '/v1/wait'));
    const more = proxy.compose('POST', '/v1/more', { body: Buffer.alloc(1 << 20) });
    for (let i = 0; i < 24; i++) wire.send(more);
    await upstream.saw('/v1/wait');
    await sleep(200);
    assert.ok(proxy.rss() - memory < 20, `memory grew by ${proxy.rss() - memory} MiB`);
    go();
    for (let i = 0; i < 25; i++) assert.equal((await wire.response(ms(10000))).status, 200);
    wire.close();
  });
});

test('Expect: 100-continue', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const expecting = (target, length, host = 'localhost') =>
    message(`POST ${target} HTTP/1.1`, [
      ['Host', host],
      ['Content-Length', length],
      ['Expect', '100-continue'],
    ]);

  await t.test('the client waits, is told to go on, and sends', async () => {
    const wire = await proxy.connect();
    wire.send(expecting('/v1/ask', 5));
    await wire.wait(() => wire.interim.length, 'an interim answer');
    assert.equal(wire.interim[0].status, 100);
    assert.equal(upstream.of('/v1/ask').length, 0);
    wire.send('hello');
    assert.equal((await wire.response()).status, 200);
    assert.equal(upstream.of('/v1/ask')[0].text, 'hello');
    assert.equal(wire.interim.length, 1);
    wire.close();
  });
  for (const [name, data, status] of [
    ['an unknown path', expecting('/nope', 5), 404],
    ['a path that is refused', expecting('/v1/../x', 5), 400],
    ['a foreign Host', expecting('/v1/x', 5, 'evil.test'), 421],
    ['a body above the limit', expecting('/v1/x', 268435457), 413],
  ]) {
    await t.test(`${name} is refused without 100`, async () => {
      const before = upstream.requests.length;
      const wire = await proxy.connect();
      wire.send(data);
      assert.equal((await wire.response()).status, status);
      await wire.gone(ms(4000));
      assert.equal(wire.interim.length, 0);
      assert.equal(upstream.requests.length, before);
      wire.close();
    });
  }
});

test('an answer given before the body has come reaches the client', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const size of [0, 1000, 900_000, 1_000_000]) {
    await t.test(`${size} bytes that nobody reads`, async () => {
      const answer = await proxy.request('POST', '/nope', { body: Buffer.alloc(size) });
      assert.equal(answer.status, 404);
    });
  }
  await t.test('a foreign Host with a body', async () => {
    const wire = await proxy.connect();
    wire.send(
      message(
        'POST /v1/x HTTP/1.1',
        [
          ['Host', 'evil.test'],
          ['Content-Length', 900000],
        ],
        Buffer.alloc(900000),
      ),
    );
    assert.equal((await wire.response()).status, 421);
    wire.close();
  });
  assert.equal(upstream.requests.length, 0);
});
