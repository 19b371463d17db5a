/* Routes with several upstreams: in which order they are tried, what moves on to the next, what the
 * client and the record see of it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folder, run, start } from './proxy.mjs';
import { refusing, scripted } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const JSON_TYPE = ['Content-Type', 'application/json'];
const ATTEMPTS = 'x-llm-observe-attempts';
const BY = 'x-llm-observe-upstream';

async function call(proxy, method, target, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const answer = await proxy.request(method, target, { fields: [JSON_TYPE], body });
  return { status: answer.status, value: JSON.parse(answer.body.toString()) };
}

async function must(proxy, method, target, value) {
  const answer = await call(proxy, method, target, value);
  assert.equal(answer.status, 200, JSON.stringify(answer.value));
  return answer.value;
}

const chat = (proxy, model, fields = [], more = {}) =>
  proxy.request('POST', CHAT, {
    fields: [JSON_TYPE, ...fields],
    body: JSON.stringify({ model, messages: [], ...more }),
  });

const simulate = async (proxy, model) =>
  (await must(proxy, 'POST', '/admin/api/routes/simulate', { model })).upstreams;

/** An upstream that answers with its name, or as told. */
async function named(t, name, status = 200, fields = []) {
  const upstream = await scripted(t);
  upstream.script(CHAT, (turn) =>
    turn.answer(status, [JSON_TYPE, ...fields], JSON.stringify({ name })),
  );
  return upstream;
}

/** A proxy whose stored route `m` has these upstreams. */
async function routed(t, upstreams, policy = {}, options = {}) {
  const rest = await scripted(t);
  const proxy = await start(t, { upstream: rest, ...options });
  const route = await must(proxy, 'POST', '/admin/api/routes', {
    model: 'm',
    upstreams: upstreams.map((u) => (u.upstream_url ? u : { upstream_url: u.url ?? u })),
    ...policy,
  });
  return { proxy, route };
}

const name = (answer) => JSON.parse(answer.body).name;
const row = async (proxy) => (await proxy.captured('model=m')).record;

/** Servers take turns to be slow or well as the test says. */
const mood = (upstream, run) => upstream.script(CHAT, run);

test('a dead port and a 500 are passed over, and the record tells of all three', async (t) => {
  const [bad, good] = [await named(t, 'bad', 500), await named(t, 'good')];
  const dead = await refusing();
  const { proxy } = await routed(t, [
    { upstream_url: dead },
    { upstream_url: bad.url, upstream_model: 'theirs' },
    { upstream_url: good.url, upstream_model: 'mine' },
  ]);

  const answer = await chat(proxy, 'm');
  assert.equal(answer.status, 200);
  assert.equal(name(answer), 'good');
  assert.equal(answer.field(ATTEMPTS), '3');
  assert.equal(answer.field(BY), '127.0.0.1');
  assert.equal(JSON.parse(bad.requests[0].body).model, 'theirs');
  assert.equal(JSON.parse(good.requests[0].body).model, 'mine');
  const r = await row(proxy);
  assert.equal(r.attempt_count, 3);
  assert.equal(r.upstream_url, `${good.url}/chat/completions`);
  assert.equal(r.upstream_model, 'mine');
  assert.equal(r.status, 200);
  assert.deepEqual(
    r.attempts.map((a) => [a.number, a.upstream_url, a.status, a.upstream_model]),
    [
      [1, `${dead}/chat/completions`, null, 'm'],
      [2, `${bad.url}/chat/completions`, 500, 'theirs'],
      [3, `${good.url}/chat/completions`, 200, 'mine'],
    ],
  );
  assert.match(r.attempts[0].error, /connect/);
  assert.equal(r.attempts[1].error, null);
  assert.ok(r.attempts.every((a) => a.duration_ms >= 0 && a.started_at > '20'));
  const shown = await run(['requests', 'show', String(r.id), '--database-url', proxy.database]);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /  tried   1 http:\S+: .*cannot connect/);
  assert.match(shown.out, /\n {10}2 http:\S+: 500, /);
});

test('the client gets the last answer there was, or 502', async (t) => {
  const first = await named(t, 'first', 503, [['x-mine', 'yes']]);
  const { proxy } = await routed(t, [first, await refusing()]);

  const answer = await chat(proxy, 'm');
  assert.equal(answer.status, 503);
  assert.equal(name(answer), 'first');
  assert.equal(answer.field('x-mine'), 'yes');
  assert.equal(answer.field(ATTEMPTS), '2');
  const r = await row(proxy);
  assert.equal(r.upstream_url, `${first.url}/chat/completions`);
  assert.deepEqual(r.attempts.map((a) => a.status), [503, null]); // prettier-ignore

  const none = await routed(t, [await refusing(), await refusing()]);
  const failed = await chat(none.proxy, 'm');
  assert.equal(failed.status, 502);
  assert.equal(JSON.parse(failed.body).error.code, 'connect_failed');
  assert.equal(failed.field(ATTEMPTS), '2');
  assert.equal((await row(none.proxy)).attempt_count, 2);
});

test('a status that is not in retry_on goes to the client, and max_attempts ends it', async (t) => {
  const [first, second, third] = [
    await named(t, 'first', 500),
    await named(t, 'second', 502),
    await named(t, 'third'),
  ];
  const { proxy, route } = await routed(t, [first, second, third], { max_attempts: 2 });

  assert.equal(name(await chat(proxy, 'm')), 'second');
  await must(proxy, 'PUT', `/admin/api/routes/${route.id}`, { model: 'm', retry_on: [404] });
  assert.equal(name(await chat(proxy, 'm')), 'first');
  assert.equal(third.requests.length, 0);
});

test('429 with Retry-After leaves an upstream alone, and a short wait is worth it', async (t) => {
  const [busy, idle] = [await scripted(t), await named(t, 'idle')];
  let times = 0;
  mood(busy, (turn) =>
    times++ === 0
      ? turn.answer(429, [['Retry-After', '30']])
      : turn.json({ name: 'busy again' }),
  );
  const { proxy } = await routed(t, [busy, idle]);

  assert.equal(name(await chat(proxy, 'm')), 'idle');
  const state = await simulate(proxy, 'm');
  assert.deepEqual(state.map((u) => u.state), ['ready', 'cooling']); // prettier-ignore
  assert.ok(state[1].cooling_ms > 20000 && state[1].cooling_ms <= 30000);
  assert.equal(name(await chat(proxy, 'm')), 'idle');
  assert.equal(busy.requests.length, 1);

  const alone = await scripted(t);
  times = 0;
  mood(alone, (turn) =>
    times++ === 0 ? turn.answer(503, [['Retry-After', '1']]) : turn.json({ name: 'alone' }),
  );
  const other = await routed(t, [alone]);
  const from = performance.now();
  const answer = await chat(other.proxy, 'm');
  assert.equal(name(answer), 'alone');
  assert.ok(performance.now() - from >= 950);
  assert.equal(answer.field(ATTEMPTS), undefined, 'one upstream is no choice');
  assert.deepEqual((await row(other.proxy)).attempts.map((a) => a.status), [503, 200]); // prettier-ignore
});

test('an upstream that says it for longer than the wait gets no second request', async (t) => {
  const busy = await named(t, 'busy', 429, [['Retry-After', '60']]);
  const { proxy } = await routed(t, [busy]);

  assert.equal((await chat(proxy, 'm')).status, 429);
  assert.equal(busy.requests.length, 1);
  assert.equal((await chat(proxy, 'm')).status, 429, 'when all cool down they are tried at once');
  assert.equal(busy.requests.length, 2);
});

test('failures in a row cool an upstream down, success starts the count anew', async (t) => {
  const [first, second] = [await scripted(t), await named(t, 'second')];
  const plan = [500, 500, 200, 500, 500, 500, 200];
  mood(first, (turn) => turn.json({ name: 'first' }, plan.shift()));
  const { proxy, route } = await routed(t, [first, second], { cooldown_ms: 1500 });
  const went = [];

  for (let i = 0; i < 7; i++) {
    went.push(name(await chat(proxy, 'm')));
    if (i === 1) assert.equal((await simulate(proxy, 'm'))[0].failures, 2);
  }
  assert.deepEqual(went, ['second', 'second', 'first', 'second', 'second', 'second', 'second']);
  assert.equal(first.requests.length, 6, 'the seventh was spared');
  const cooled = (await simulate(proxy, 'm')).find((u) => u.state === 'cooling');
  assert.equal(cooled.upstream_url, first.url);

  /* a change that keeps the upstream keeps what is known of it */
  await must(proxy, 'PUT', `/admin/api/routes/${route.id}`, { model: 'm', priority: 3 });
  const kept = (await simulate(proxy, 'm')).find((u) => u.upstream_url === first.url);
  assert.deepEqual([kept.state, kept.failures], ['cooling', 3]);
  await until(async () => name(await chat(proxy, 'm')) === 'first', 'the cool-down to end');
});

test('timeout_ms is the time to the head, not of the answer', async (t) => {
  const [slow, steady] = [await scripted(t), await scripted(t)];
  mood(slow, () => {});
  mood(steady, async (turn) => {
    turn.begin();
    for (let i = 0; i < 4; i++) {
      turn.chunk(`data: {"n":${i}}\n\n`);
      await sleep(100);
    }
    turn.finish();
  });
  const { proxy } = await routed(t, [
    { upstream_url: slow.url, timeout_ms: 150 },
    { upstream_url: steady.url, timeout_ms: ms(250) },
  ]);

  const from = performance.now();
  const answer = await chat(proxy, 'm', [], { stream: true });
  assert.equal(answer.status, 200);
  assert.equal(answer.field(ATTEMPTS), '2');
  assert.match(answer.body.toString(), /"n":3/);
  assert.ok(performance.now() - from < ms(3000));
  await slow.links[0].gone();
  const r = await row(proxy);
  assert.match(r.attempts[0].error, /no response within 150 ms/);
});

test('nothing is tried again once the client has a byte', async (t) => {
  const [torn, whole] = [await scripted(t), await named(t, 'whole')];
  mood(torn, async (turn) => {
    await turn.begin();
    await turn.chunk('data: {"choices":[{"delta":{"content":"so"}}]}\n\n');
    turn.reset();
  });
  const { proxy } = await routed(t, [torn, whole], { fail_threshold: 1, cooldown_ms: 60000 });

  const wire = await proxy.connect();
  wire.send(proxy.post(CHAT, { model: 'm', stream: true, messages: [] }));
  await until(async () => (await proxy.rows('model=m'))[0]?.completed_at, 'the row');
  assert.equal(whole.requests.length, 0);
  const r = await row(proxy);
  assert.equal(r.attempt_count, 1);
  assert.equal(r.outcome, 'cut');
  assert.equal((await simulate(proxy, 'm')).at(-1).state, 'cooling', 'it counts as a failure');
});

test('a client that leaves ends attempts and waits', async (t) => {
  const [first, second] = [await scripted(t), await named(t, 'second')];
  mood(first, () => {});
  const { proxy } = await routed(t, [first, second]);

  const wire = await proxy.connect();
  wire.send(proxy.post(CHAT, { model: 'm', messages: [] }));
  await first.saw(CHAT);
  wire.socket.destroy();
  const r = await row(proxy);
  assert.equal(r.outcome, 'client_gone');
  assert.equal(second.requests.length, 0);

  const busy = await named(t, 'busy', 429, [['Retry-After', '5']]);
  const waiting = await routed(t, [busy], { max_retry_wait_ms: 60000 });
  const other = await waiting.proxy.connect();
  other.send(waiting.proxy.post(CHAT, { model: 'm', messages: [] }));
  await busy.saw(CHAT);
  await sleep(100);
  other.socket.destroy();
  const gone = await row(waiting.proxy);
  assert.equal(gone.outcome, 'client_gone');
  assert.equal(gone.attempt_count, 1);
  assert.equal(busy.requests.length, 1);
});

test('a stop ends a wait with 503', async (t) => {
  const busy = await named(t, 'busy', 429, [['Retry-After', '5']]);
  const { proxy } = await routed(
    t,
    [busy],
    { max_retry_wait_ms: 60000 },
    { set: { shutdown_grace_ms: '200' } },
  );
  const answer = chat(proxy, 'm');
  await busy.saw(CHAT);
  await sleep(50);
  const how = await proxy.stop();
  assert.equal(how.code, 0);
  assert.equal((await answer).status, 503);
});

test('weights are kept to the request, over all workers', async (t) => {
  const [a, b, spare] = [await named(t, 'a'), await named(t, 'b'), await named(t, 'spare')];
  const { proxy } = await routed(
    t,
    [
      { upstream_url: a.url, weight: 3 },
      { upstream_url: b.url, weight: 1 },
      { upstream_url: spare.url, weight: 0 },
    ],
    { strategy: 'weighted' },
    { args: ['--workers', '3'] },
  );
  const went = [];

  for (let i = 0; i < 8; i++) went.push(name(await chat(proxy, 'm')));
  assert.deepEqual(went.join(''), 'aabaaaba');
  await Promise.all(Array.from({ length: 40 }, () => chat(proxy, 'm')));
  assert.deepEqual([a.requests.length, b.requests.length], [36, 12]);
  assert.equal(spare.requests.length, 0);
  mood(a, (turn) => turn.reset());
  mood(b, (turn) => turn.reset());
  const answer = await chat(proxy, 'm');
  assert.equal(name(answer), 'spare');
  assert.equal(answer.field(ATTEMPTS), '3');
});

test('upstreams take turns, requests at once included', async (t) => {
  const all = [await named(t, 'a'), await named(t, 'b'), await named(t, 'c')];
  const { proxy } = await routed(
    t,
    all,
    { strategy: 'round_robin' },
    { args: ['--workers', '2'] },
  );
  const went = [];

  for (let i = 0; i < 6; i++) went.push(name(await chat(proxy, 'm')));
  assert.equal(went.join(''), 'abcabc');
  await Promise.all(Array.from({ length: 60 }, () => chat(proxy, 'm')));
  assert.deepEqual(all.map((u) => u.requests.length), [22, 22, 22]); // prettier-ignore
  assert.equal((await simulate(proxy, 'm'))[0].upstream_url, all[0].url);
  assert.equal((await simulate(proxy, 'm'))[0].upstream_url, all[0].url, 'a look costs no turn');
});

test('the cheapest is first, what has no price is last', async (t) => {
  const [dear, free, cheap] = [await named(t, 'dear'), await named(t, 'free'), await named(t, 'cheap')]; // prettier-ignore
  const { proxy, route } = await routed(t, [free, dear, cheap]);

  for (const slug of ['pd', 'pc'])
    await must(proxy, 'POST', '/admin/api/providers', { slug, name: slug });
  const price = (provider_slug, rate) =>
    must(proxy, 'POST', '/admin/api/pricing/prices', {
      provider_slug, model: 'm', input_usd_per_million: rate, output_usd_per_million: rate,
    }); // prettier-ignore
  await price('pd', '5');
  const saved = await price('pc', '1');
  await must(proxy, 'PUT', `/admin/api/routes/${route.id}`, {
    model: 'm',
    strategy: 'lowest_cost',
    upstreams: [
      { upstream_url: free.url },
      { upstream_url: dear.url, provider_slug: 'pd' },
      { upstream_url: cheap.url, provider_slug: 'pc' },
    ],
  });
  const order = async () => (await simulate(proxy, 'm')).map((u) => u.provider_slug);
  assert.deepEqual(await order(), ['pc', 'pd', null]);
  const answer = await chat(proxy, 'm');
  assert.equal(name(answer), 'cheap');
  assert.equal(answer.field(BY), 'pc');
  assert.equal((await row(proxy)).provider_slug, 'pc');
  await must(proxy, 'PUT', `/admin/api/pricing/prices/${saved.id}`, {
    provider_slug: 'pc', model: 'm', input_usd_per_million: '9', output_usd_per_million: '9',
  }); // prettier-ignore
  assert.deepEqual(await order(), ['pd', 'pc', null]);
});

test('no key, and nothing of one upstream, reaches another', async (t) => {
  const [one, two, three] = [await named(t, '1', 500), await named(t, '2', 500), await named(t, '3')]; // prettier-ignore
  const file = path.join(folder(t), 'models.json');
  writeFileSync(
    file,
    JSON.stringify([
      {
        model: 'm',
        upstreams: [
          { upstream_url: one.url, api_key: 'key-of-one' },
          { upstream_url: two.url, api_key_env: 'LOP_TEST_TWO', auth_style: 'x-api-key' },
          { upstream_url: three.url },
        ],
      },
    ]),
  );
  const proxy = await start(t, {
    upstream: one,
    args: ['--models-file', file, '--log-level', 'trace'],
    env: { LOP_TEST_TWO: 'key-of-two' },
  });
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], x: 1e400 });

  const answer = await proxy.request('POST', CHAT, {
    fields: [JSON_TYPE, ['Authorization', 'Bearer client'], ['x-own', 'kept']],
    body,
  });
  assert.equal(name(answer), '3');
  const sent = [one, two, three].map((u) => u.requests[0]);
  assert.deepEqual(sent.map((r) => r.field('authorization')), ['Bearer key-of-one', undefined, 'Bearer client']); // prettier-ignore
  assert.deepEqual(sent.map((r) => r.field('x-api-key')), [undefined, 'key-of-two', undefined]); // prettier-ignore
  assert.ok(sent.every((r) => r.field('x-own') === 'kept' && r.body.toString() === body));
  const text = JSON.stringify(await proxy.captured('model=m'));
  assert.ok(!text.includes('key-of-') && !proxy.child.err.includes('key-of-'));
});

test('an upstream whose key is missing comes last', async (t) => {
  const [keyless, good] = [await named(t, 'keyless'), await named(t, 'good')];
  const { proxy } = await routed(t, [
    { upstream_url: keyless.url, api_key_env: 'LOP_TEST_NO_SUCH_KEY' },
    { upstream_url: good.url },
  ]);

  assert.equal(name(await chat(proxy, 'm')), 'good');
  const state = await simulate(proxy, 'm');
  assert.deepEqual(state.map((u) => [u.order, u.state]), [[1, 'ready'], [2, 'missing_api_key']]); // prettier-ignore
});

test('inactive upstreams are left out, and a route without any does not match', async (t) => {
  const [off, on] = [await named(t, 'off'), await named(t, 'on')];
  const { proxy, route } = await routed(t, [
    { upstream_url: off.url, active: false },
    { upstream_url: on.url },
  ]);

  assert.equal(name(await chat(proxy, 'm')), 'on');
  assert.equal((await simulate(proxy, 'm'))[1].state, 'inactive');
  const upstreams = [{ upstream_url: off.url, active: false }];
  await must(proxy, 'PUT', `/admin/api/routes/${route.id}`, { model: 'm', upstreams });
  const got = await must(proxy, 'POST', '/admin/api/routes/simulate', { model: 'm' });
  assert.equal(got.status, 'no_match');
});

test('the fallback can be the last upstream of every route', async (t) => {
  const [own, fallback, rest] = [await named(t, 'own', 500), await named(t, 'fallback'), await scripted(t)]; // prettier-ignore
  const proxy = await start(t, { upstream: rest });
  const defaults = (more) =>
    must(proxy, 'POST', '/admin/api/settings/upstream-defaults', {
      upstream_url: rest.url, default_provider_slug: 'pf', default_model: 'last', ...more,
    }); // prettier-ignore

  await must(proxy, 'POST', '/admin/api/providers', {
    slug: 'pf', name: 'pf', upstream_url: fallback.url,
  }); // prettier-ignore
  const route = await must(proxy, 'POST', '/admin/api/routes', { model: 'm', upstream_url: own.url }); // prettier-ignore
  assert.equal((await defaults({})).upstream.failover_to_fallback, false);
  assert.equal(name(await chat(proxy, 'm')), 'own');
  assert.equal((await defaults({ failover_to_fallback: true })).upstream.failover_to_fallback, true);
  assert.equal((await defaults({})).upstream.failover_to_fallback, true, 'what is not said stays');
  const answer = await chat(proxy, 'm');
  assert.equal(name(answer), 'fallback');
  assert.equal(answer.field(BY), 'pf');
  assert.equal(JSON.parse(fallback.requests[0].body).model, 'last');
  await must(proxy, 'PUT', `/admin/api/routes/${route.id}`, {
    model: 'm', upstream_url: own.url, override_fallback: true,
  }); // prettier-ignore
  assert.equal(name(await chat(proxy, 'm')), 'own');
});

test('a pending row that fails over ends with the upstream that answered', async (t) => {
  const [slow, good] = [await scripted(t), await named(t, 'good')];
  let let_go;
  mood(slow, async (turn) => {
    await new Promise((done) => (let_go = done));
    turn.answer(500, []);
  });
  const { proxy } = await routed(t, [slow, { upstream_url: good.url, upstream_model: 'x' }]);

  const answer = chat(proxy, 'm');
  const pending = await until(async () => (await proxy.rows('model=m'))[0], 'the pending row');
  assert.equal(pending.upstream_url, `${slow.url}/chat/completions`);
  let_go();
  assert.equal(name(await answer), 'good');
  const r = await row(proxy);
  assert.equal(r.upstream_url, `${good.url}/chat/completions`);
  assert.equal(r.upstream_model, 'x');
  assert.equal(r.attempts.length, 2);
});

test('large and compressed bodies are made anew for each attempt', async (t) => {
  const [bad, good] = [await named(t, 'bad', 500), await named(t, 'good')];
  const { proxy } = await routed(t, [
    { upstream_url: bad.url, upstream_model: 'first' },
    { upstream_url: good.url, upstream_model: 'second' },
  ]);
  const { gzipSync } = await import('node:zlib');
  const body = JSON.stringify({ model: 'm', pad: 'x'.repeat(600000) });

  for (const [data, fields] of [[body, []], [gzipSync(body), [['Content-Encoding', 'gzip']]]]) {
    const answer = await proxy.request('POST', CHAT, { fields: [JSON_TYPE, ...fields], body: data });
    assert.equal(name(answer), 'good');
  } // prettier-ignore
  for (const r of good.requests) assert.equal(r.body.toString(), body.replace('"m"', '"second"'));
  for (const r of bad.requests) assert.equal(r.body.toString(), body.replace('"m"', '"first"'));
});

test('an answer too large to keep is not waited for', async (t) => {
  const [huge, good] = [await scripted(t), await named(t, 'good')];
  mood(huge, async (turn) => {
    await turn.begin([JSON_TYPE], 500);
    while (!turn.closed && (await turn.chunk('x'.repeat(65536))));
  });
  const { proxy } = await routed(t, [huge, good]);

  assert.equal(name(await chat(proxy, 'm')), 'good');
  await huge.links[0].gone();
});

test('the API keeps what an edit does not name, and refuses what makes no sense', async (t) => {
  const upstream = await scripted(t);
  const { proxy, route } = await routed(t, [upstream], { strategy: 'weighted', max_attempts: 5 });
  const target = `/admin/api/routes/${route.id}`;

  assert.equal(route.upstream_url, null);
  assert.equal(route.strategy, 'weighted');
  assert.deepEqual(route.retry_on, [408, 429, 500, 502, 503, 504, 'connect', 'timeout']);
  assert.deepEqual(
    [route.cooldown_ms, route.fail_threshold, route.max_retry_wait_ms, route.max_attempts],
    [30000, 3, 2000, 5],
  );
  const kept = await must(proxy, 'PUT', target, { model: 'm' });
  assert.equal(kept.strategy, 'weighted');
  const { updated_at: _, ...written } = await must(proxy, 'PUT', target, kept);
  const { updated_at: __, ...before } = kept;
  assert.deepEqual(written, before, 'what it says it also takes');
  const refused = [
    { upstreams: 'x' }, { upstreams: [7] }, { upstreams: [{}] }, { upstreams: [] },
    { upstreams: [{ upstream_url: 'ftp://x/v1' }] },
    { upstreams: [{ upstream_url: 'http://x/' }] },
    { upstreams: [{ upstream_url: upstream.url, weight: 1001 }] },
    { upstreams: [{ upstream_url: upstream.url, weight: 1.5 }] },
    { upstreams: [{ upstream_url: upstream.url, timeout_ms: -1 }] },
    { upstreams: [{ upstream_url: upstream.url, active: 'yes' }] },
    { upstreams: [{ upstream_url: upstream.url, api_key: 'sk' }] },
    { upstreams: [{ upstream_url: upstream.url, provider_slug: 'nobody' }] },
    { upstreams: [{ upstream_url: upstream.url, api_key_env: 'a b' }] },
    { upstreams: Array(33).fill({ upstream_url: upstream.url }) },
    { strategy: 'best' }, { strategy: 1 }, { retry_on: 'all' }, { retry_on: [200] },
    { retry_on: ['never'] }, { max_attempts: 0 }, { max_attempts: 11 }, { max_attempts: '3' },
    { cooldown_ms: 3600001 }, { fail_threshold: 0 }, { max_retry_wait_ms: -1 },
    { max_attempts: 1e300 },
  ]; // prettier-ignore
  for (const change of refused) {
    const answer = await call(proxy, 'PUT', target, { model: 'm', ...change });
    assert.equal(answer.status, 400, JSON.stringify(change));
    assert.ok(answer.value.detail.length > 10, JSON.stringify(answer.value));
  }
  const { updated_at: ___, ...now } = await must(proxy, 'GET', target);
  assert.deepEqual(now, before, 'nothing was written');

  const form = `model=m&upstream_url=${encodeURIComponent(upstream.url)}&priority=7`;
  const posted = await proxy.request('POST', '/admin/settings/model-routes', {
    fields: [['Content-Type', 'application/x-www-form-urlencoded']],
    body: form,
  });
  assert.equal(posted.status, 303);
  const after = await must(proxy, 'GET', target);
  assert.equal(after.priority, 7);
  assert.deepEqual(after.upstreams, route.upstreams, 'the form knows nothing of them');
});

test('a models file with upstreams that make no sense stops the start', async (t) => {
  const file = path.join(folder(t), 'models.json');
  const u = { upstream_url: 'http://127.0.0.1:1/v1' };
  for (const [route, code] of [
    [{ upstreams: [{}] }, 'upstream_url_required'],
    [{ upstreams: [{ ...u, api_key: 'a', api_key_env: 'B' }] }, 'api_key_conflict'],
    [{ upstreams: [u], strategy: 'x' }, 'bad_strategy'],
    [{ upstreams: [u, { ...u, weight: '1' }] }, 'bad_number'],
    [{ upstreams: {} }, 'upstreams_not_array'],
  ]) {
    writeFileSync(file, JSON.stringify([{ model: 'm', ...route }]));
    const ended = await run(['serve', '--port', '0', '--models-file', file], { cwd: folder(t) });
    assert.equal(ended.code, 2, code);
    assert.match(ended.err, new RegExp(`models.json.*route 1.*\\[${code}\\]`));
    assert.equal(ended.err.trim().split('\n').length, 1);
  }
});
