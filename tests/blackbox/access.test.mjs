/* Who may ask: Host and Origin rules, and the fields that protect a browser. */
import assert from 'node:assert/strict';
import os from 'node:os';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { message } from './wire.mjs';

const ALLOWED = ['localhost', 'LOCALHOST', 'LocalHost:8080', 'localhost.', 'localhost.:80', 'a.localhost', 'x.y.localhost:1',
  '127.0.0.1', '127.0.0.1:1', '127.9.9.9', '10.1.2.3', '192.168.0.1:8080', '[::1]', '[::1]:8080', '[fe80::1]',
  '[::ffff:127.0.0.1]', 'host.docker.internal', 'host.containers.internal:8080', os.hostname()]; // prettier-ignore

const FOREIGN = ['evil.test', 'evil.test:8080', 'localhost.evil.test', 'localhostx', 'xlocalhost', 'evil-localhost',
  '127.0.0.1.evil.test', '127.0.0.1.nip.io', '127.0.0.x', '1.2.3.4.5', '127.1', '2130706433', '0x7f000001', '127.0.0.256',
  'host.docker.internal.evil.test', 'docker.internal', 'internal', 'localhost..', 'a.localhost.evil', '.localhost.x']; // prettier-ignore

const ask = (method, target, fields) => message(`${method} ${target} HTTP/1.1`, fields);

test('only known hosts are served', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const host of ALLOWED) {
    await t.test(`${host} is served`, async () => {
      for (const target of ['/v1/models', '/api/requests'])
        assert.equal((await proxy.send(ask('GET', target, [['Host', host]]))).status, 200, target);
    });
  }
  for (const host of FOREIGN) {
    await t.test(`${host} is refused`, async () => {
      const before = upstream.requests.length;
      const answer = await proxy.send(ask('GET', '/v1/models', [['Host', host]]));
      assert.ok([400, 421].includes(answer.status), `got ${answer.status}`);
      assert.equal(
        answer.json.error.type,
        answer.status === 421 ? 'forbidden' : 'invalid_request_error',
      );
      const api = await proxy.send(ask('GET', '/api/requests', [['Host', host]]));
      assert.ok([400, 421].includes(api.status), `got ${api.status}`);
      assert.equal(upstream.requests.length, before);
    });
  }
  await t.test('a name that is well formed gets 421', async () => {
    const answer = await proxy.send(ask('GET', '/v1/models', [['Host', 'evil.test']]));
    assert.equal(answer.status, 421);
    assert.equal(answer.json.error.code, 'host_not_allowed');
  });
  await t.test('the authority of the target counts, not Host', async () => {
    const fields = [['Host', 'localhost']];
    assert.equal((await proxy.send(ask('GET', 'http://evil.test/v1/x', fields))).status, 421);
    const other = [['Host', 'evil.test']];
    assert.equal((await proxy.send(ask('GET', 'http://localhost/v1/x', other))).status, 200);
  });
  await t.test('/healthz answers to anyone', async () => {
    assert.equal((await proxy.send(ask('GET', '/healthz', [['Host', 'evil.test']]))).status, 200);
  });
  await t.test('no authority at all is no browser', async () => {
    assert.equal((await proxy.send('GET /v1/x HTTP/1.0\r\n\r\n')).status, 200);
  });
  await t.test('X-Forwarded-Host changes nothing', async () => {
    const fields = [
      ['Host', 'evil.test'],
      ['X-Forwarded-Host', 'localhost'],
    ];
    assert.equal((await proxy.send(ask('GET', '/v1/x', fields))).status, 421);
  });
});

test('further hosts and origins can be allowed', async (t) => {
  const upstream = await scripted(t);
  const names = ['--allowed-host', 'proxy.test', '--allowed-host', 'Other.Test'];
  const proxy = await start(t, {
    upstream,
    args: [...names, '--allowed-origin', 'https://chat.test'],
  });
  const status = async (host, ...more) =>
    (await proxy.send(ask('POST', '/v1/x', [['Host', host], ['Content-Length', '0'], ...more])))
      .status;
  assert.equal(await status('proxy.test'), 200);
  assert.equal(await status('other.test:8080'), 200);
  assert.equal(await status('third.test'), 421);
  assert.equal(await status('localhost', ['Origin', 'https://chat.test']), 200);
  assert.equal(await status('localhost', ['Origin', 'http://chat.test']), 403);

  const open = await start(t, { upstream, args: ['--allowed-host', '*'] });
  assert.equal((await open.send(ask('GET', '/v1/x', [['Host', 'evil.test']]))).status, 200);
  assert.match(open.child.err, /level=warn/, 'switching the check off is logged as a warning');

  const env = {
    LLM_OBSERVE_ALLOWED_HOSTS: 'a.test, b.test',
    LLM_OBSERVE_ALLOWED_ORIGINS: 'https://c.test',
  };
  const other = await start(t, { upstream, env });
  assert.equal((await other.send(ask('GET', '/v1/x', [['Host', 'b.test']]))).status, 200);
  assert.equal((await other.send(ask('GET', '/v1/x', [['Host', 'c.test']]))).status, 421);
});

/** [fields, allowed on /v1]; the Host is localhost:PORT. */
const ORIGINS = (port) => [
  [[], true],
  [[['Origin', `http://localhost:${port}`]], true],
  [[['Origin', `https://localhost:${port}`]], true],
  [[['Origin', 'http://localhost:3000']], true],
  [[['Origin', 'http://localhost']], true],
  [[['Origin', 'http://app.localhost:3000']], true],
  [[['Origin', 'http://127.0.0.1:5173']], true],
  [[['Origin', 'http://127.8.8.8']], true],
  [[['Origin', 'http://[::1]:5173']], true],
  [[['Origin', 'null']], false],
  [[['Origin', '']], false],
  [[['Origin', 'http://evil.test']], false],
  [[['Origin', `http://evil.test:${port}`]], false],
  [[['Origin', 'http://localhost.evil.test']], false],
  [[['Origin', 'http://127.0.0.1.evil.test']], false],
  [[['Origin', 'http://localhost@evil.test']], false],
  [[['Origin', 'http://evil.test#localhost']], false],
  [[['Origin', 'file://localhost']], false],
  [[['Origin', 'chrome-extension://abc']], false],
  [[['Origin', 'http://10.0.0.1']], false],
  [
    [
      ['Origin', 'http://localhost:3000'],
      ['Origin', 'http://evil.test'],
    ],
    false,
  ],
  [[['Origin', 'http://localhost http://evil.test']], false],
  [[['Sec-Fetch-Site', 'same-origin']], true],
  [[['Sec-Fetch-Site', 'none']], true],
  [[['Sec-Fetch-Site', 'cross-site']], false],
  [[['Sec-Fetch-Site', 'same-site']], false],
  [
    [
      ['Origin', 'http://localhost:3000'],
      ['Sec-Fetch-Site', 'cross-site'],
    ],
    true,
  ],
];

test('pages of other origins may not use /v1', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const host = ['Host', `localhost:${proxy.port}`];
  for (const [fields, allowed] of ORIGINS(proxy.port)) {
    await t.test(`${JSON.stringify(fields)} ${allowed ? 'may' : 'may not'}`, async () => {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const before = upstream.requests.length;
        const length = method === 'POST' ? [['Content-Length', '0']] : [];
        const answer = await proxy.send(ask(method, '/v1/models', [host, ...fields, ...length]));
        assert.equal(answer.status, allowed ? 200 : 403, method);
        if (!allowed) assert.equal(answer.json.error.code, 'origin_not_allowed');
        assert.equal(upstream.requests.length - before, allowed ? 1 : 0);
      }
    });
  }
  await t.test('the refusal comes before the body', async () => {
    const wire = await proxy.connect();
    wire.send(
      ask('POST', '/v1/x', [host, ['Origin', 'http://evil.test'], ['Content-Length', '1000000']]),
    );
    assert.equal((await wire.response()).status, 403);
    wire.close();
  });
});

test('pages of other origins may read nothing and write nothing under /api', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const host = ['Host', `localhost:${proxy.port}`];
  const post = async (...fields) =>
    (
      await proxy.send(
        ask('POST', '/api/requests/1/cancel', [host, ...fields, ['Content-Length', '0']]),
      )
    ).status;
  for (const origin of [
    'http://evil.test',
    'http://localhost:3000',
    'null',
    `http://127.0.0.1:${proxy.port}`,
  ])
    assert.equal(await post(['Origin', origin]), 403, origin);
  assert.equal(await post(['Sec-Fetch-Site', 'cross-site']), 403);
  assert.notEqual(await post(['Origin', `http://localhost:${proxy.port}`]), 403);
  assert.notEqual(await post(), 403);
  const answer = await proxy.send(
    ask('GET', '/api/requests', [host, ['Origin', 'http://evil.test']]),
  );
  for (const [name] of answer.fields)
    assert.doesNotMatch(name, /^access-control/i, 'no CORS field');
});

test('answers carry the fields that protect a browser', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const guarded = (answer) => {
    assert.equal(answer.field('x-content-type-options'), 'nosniff');
    assert.equal(answer.field('referrer-policy'), 'no-referrer');
    assert.equal(answer.field('cross-origin-resource-policy'), 'same-origin');
    assert.doesNotMatch(answer.field('server') ?? '', /\d/);
  };
  await t.test('on its own answers', async () => {
    for (const target of ['/healthz', '/api/requests', '/api/live', '/nope', '/v1/a/../b'])
      guarded(await proxy.request('GET', target));
    guarded(await proxy.send('garbage\r\n\r\n'));
  });
  await t.test('captured data is not kept by anyone', async () => {
    for (const target of ['/api/requests', '/api/live'])
      assert.match((await proxy.request('GET', target)).field('cache-control') ?? '', /no-store/);
  });
  await t.test('on proxied answers', async () => {
    const types = [
      ['text/html', true], ['text/html; charset=utf-8', true], ['application/xhtml+xml', true], ['TEXT/HTML', true],
      ['image/svg+xml', true], ['application/xml', true], ['text/xml', true], [undefined, true],
      ['application/json', false], ['text/event-stream', false], ['text/plain', false], ['image/png', false],
    ]; // prettier-ignore
    for (const [type, sandboxed] of types) {
      const fields = [
        ['Content-Security-Policy', "default-src 'self'"],
        ...(type ? [['Content-Type', type]] : []),
      ];
      upstream.script('/v1/page', (turn) => turn.answer(200, fields, '<script>'));
      const answer = await proxy.request('GET', '/v1/page');
      assert.equal(answer.field('x-content-type-options'), 'nosniff', type);
      const policy = sandboxed ? "sandbox; default-src 'none'" : "default-src 'self'";
      assert.equal(answer.field('content-security-policy'), policy, type);
      assert.equal(answer.text, '<script>');
    }
  });
  await t.test('what the upstream says about sniffing stays', async () => {
    upstream.script('/v1/sniff', (turn) =>
      turn.answer(
        200,
        [
          ['X-Content-Type-Options', 'nosniff'],
          ['Content-Type', 'a/b'],
        ],
        'x',
      ),
    );
    assert.equal(
      (await proxy.request('GET', '/v1/sniff')).field('x-content-type-options'),
      'nosniff',
    );
  });
});
