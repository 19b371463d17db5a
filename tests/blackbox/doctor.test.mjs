/* doctor: what it finds, says and ends with. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folder, mock, run, start } from './proxy.mjs';
import { ms, until } from './until.mjs';

const ENV = { LC_ALL: 'C.UTF-8', TZ: 'UTC', LLM_OBSERVE_INCOMING_PORT: '1', PAGER: 'cat' };

/** The checks by name, and how it ended. */
async function doctor(args, options = {}) {
  const { code, out, err } = await run([...args, 'doctor', '--json'], {
    ...options, env: { ...ENV, ...options.env } });
  assert.equal(err, '');
  const list = JSON.parse(out);
  for (const one of list) {
    assert.deepEqual(Object.keys(one), ['check', 'status', 'message', 'hint']);
    assert(['ok', 'warn', 'FAIL'].includes(one.status), one.status);
  }
  return { code, checks: new Map(list.map((one) => [one.check, one])) };
}

const post = (proxy, target, value) => proxy.send(proxy.post(target, value));

test('a server in good health has no complaint', async (t) => {
  const upstream = await mock(t);
  const proxy = await start(t, { upstream, set: { default_routes: 0 } });
  const { code, checks } = await doctor(['--url', proxy.url]);
  assert.equal(code, 0);
  assert.deepEqual([...checks.keys()], ['program', 'configuration', 'server', 'queue', 'clock', 'address',
    'database', 'disk', 'wal', 'integrity', 'upstream', 'keys', 'prices', 'routes', 'terminal', 'pager']);
  for (const [name, one] of checks)
    if (name !== 'disk') assert.equal(one.status, 'ok', `${name}: ${one.message}`);
  assert.match(checks.get('program').message, /^llm-observe-proxy \S+ with libuv \d/);
  assert.match(checks.get('upstream').message, /\/v1\/models answers 200/);

  const text = await run(['--url', proxy.url, 'doctor'], { env: { ...ENV, LLM_OBSERVE_FORCE_TTY: '100' } });
  assert.match(text.out, /^ok {4}server {9}http:\/\/127\.0\.0\.1:\d+, version /m);
  const rows = await run(['--url', proxy.url, 'doctor', '--columns', 'check,status'], { env: ENV });
  assert.match(rows.out, /^integrity\tok$/m);
});

test('keys, prices and routes that do nothing are warnings', async (t) => {
  const upstream = await mock(t);
  const proxy = await start(t, { upstream, args: ['--expose-all-ips'], set: { default_routes: 0 } });
  const route = (incoming_model, match_type, priority, more = {}) =>
    post(proxy, '/admin/api/routes', { incoming_model, match_type, priority, upstream_url: upstream.url, ...more });
  for (const made of [await route('ab*', 'prefix', 10), await route('abc*', 'prefix', 50),
    await route('abx', 'exact', 50), await route('abd', 'exact', 5), await route('b*', 'prefix', 50),
    await route('keyless', 'exact', 50, { api_key_env: 'NO_SUCH_KEY_HERE' })])
    assert(made.status < 300, made.text);
  for (const model of ['mock', 'keyless'])
    await post(proxy, '/v1/chat/completions', { model, messages: [] });
  const got = await until(async () => {
    const one = await doctor(['--url', proxy.url]);
    return one.checks.get('prices').message.includes('keyless') && one;
  }, 'the requests to be known');
  assert.equal(got.code, 0);
  const { checks } = got;
  assert.equal(checks.get('address').status, 'warn');
  assert.equal(checks.get('routes').status, 'warn');
  assert.match(checks.get('routes').message, /: (abc\*, abx|abx, abc\*)$/);
  assert.equal(checks.get('keys').status, 'warn');
  assert.match(checks.get('keys').message, /: keyless$/);
  assert.match(checks.get('prices').message, /mock/);
});

test('without a server it looks at the file, and a damaged one fails', async (t) => {
  const cwd = folder(t);
  const nothing = await doctor([], { cwd });
  assert.equal(nothing.code, 0);
  assert.equal(nothing.checks.get('server').status, 'warn');
  assert.equal(nothing.checks.get('server').message, 'no server and no database');

  const database = path.join(cwd, 'd.sqlite3');
  const proxy = await start(t, { database, upstream: 'http://127.0.0.1:1/v1' });
  await proxy.stop();
  const file = await doctor(['--database-url', database]);
  assert.equal(file.code, 0);
  assert.match(file.checks.get('server').message, /^none runs; looking at .*d\.sqlite3$/);
  assert.equal(file.checks.get('integrity').status, 'ok');
  assert.equal(file.checks.get('upstream').status, 'warn');

  const dead = await doctor(['--url', 'http://127.0.0.1:1']);
  assert.equal(dead.code, 1);
  assert.equal(dead.checks.get('server').status, 'FAIL');

  const broken = path.join(cwd, 'broken.sqlite3');
  writeFileSync(broken, 'this is no database, and never was one'.repeat(100));
  const damaged = await doctor(['--database-url', broken]);
  assert.equal(damaged.code, 1);
  assert.equal(damaged.checks.get('database').status, 'FAIL');

  const wrong = await doctor([], { cwd, env: { LLM_OBSERVE_UPSTREAM_URL: 'ftp://x' } });
  assert.equal(wrong.code, 1);
  assert.equal(wrong.checks.get('configuration').status, 'FAIL');
  assert.match(wrong.checks.get('configuration').message, /LLM_OBSERVE_UPSTREAM_URL/);

  const pager = await doctor([], { cwd, env: { PAGER: 'no-such-pager -x', LC_ALL: 'C' } });
  assert.equal(pager.checks.get('pager').status, 'warn');
  assert.equal(pager.checks.get('terminal').status, 'warn');
});

test('a server that has the file but does not answer is a failure', async (t) => {
  const proxy = await start(t, { upstream: 'http://127.0.0.1:1/v1' });
  const words = ['doctor', '--json=check,status,message'];
  const env = { ...ENV, LLM_OBSERVE_DATABASE_URL: `sqlite:///${proxy.database}` };
  const server = ({ out }) => JSON.parse(out).find((one) => one.check === 'server');
  const named = await run([...words, '--database-url', env.LLM_OBSERVE_DATABASE_URL], { env });
  assert.equal(server(named).status, 'ok');
  assert.match(server(named).message, /^one runs at http:\S+; looking at \S+ as told$/);
  proxy.child.kill('SIGSTOP');
  const silent = await run(words, { env, limit: ms(15000) });
  proxy.child.kill('SIGCONT');
  assert.equal(silent.code, 1);
  assert.equal(server(silent).status, 'FAIL');
  assert.match(server(silent).message, /^the one at http:\S+ does not answer; looking at /);
});

test('a streaming request is sent only when that is wanted, and judged', async (t) => {
  const upstream = await mock(t, ['--tokens', '20', '--ttft', '1ms', '--tps', '0']);
  const proxy = await start(t, { upstream, set: { default_routes: 0 } });
  const ask = async (model, ...more) => {
    const { code, out } = await run(['--url', proxy.url, 'doctor', '--stream', model, '--json', ...more], { env: ENV });
    return { code, checks: new Map(JSON.parse(out).map((one) => [one.check, one])) };
  };
  const refused = await ask('mock');
  assert.equal(refused.code, 1);
  assert.match(refused.checks.get('stream').message, /refusing to send a request .* without --yes/);
  assert.equal((await proxy.api('/api/requests')).items.length, 0);

  const good = await ask('mock,ttft=5ms,tps=500', '--yes');
  assert.equal(good.code, 0, JSON.stringify([...good.checks.values()]));
  assert.match(good.checks.get('stream pace').message, /^\d+ chunks in /);
  assert.match(good.checks.get('stream usage').message, /^\d+ in, 20 out$/);
  assert.equal(good.checks.get('stream coding').status, 'ok');

  const failing = await ask('mock,status=500', '-y');
  assert.equal(failing.code, 1);
  assert.match(failing.checks.get('stream').message, /answered 500/);
  const silent = await ask('mock,nousage', '-y');
  assert.equal(silent.code, 0);
  assert.equal(silent.checks.get('stream usage').status, 'warn');
});
