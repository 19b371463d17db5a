/* Stopping in order, several workers, and nothing left behind. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { sql, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const event = (text) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const DONE = 'data: [DONE]\n\n';

/** Streams that send one event, and the rest when they are told. */
async function holding(t) {
  const upstream = await scripted(t);
  let go;
  const opened = new Promise((done) => (go = done));
  upstream.go = go;
  upstream.script(CHAT, async (turn) => {
    await turn.begin();
    await turn.chunk(event('a'));
    await opened;
    await turn.chunk(event('b') + DONE);
    await turn.finish();
  });
  return upstream;
}

async function streams(proxy, n) {
  const wires = [];
  for (let i = 0; i < n; i++) {
    const wire = await proxy.connect();
    wires.push(wire.send(proxy.post(CHAT, { model: `stream-${i}`, stream: true }), 'POST'));
  }
  const answers = [];
  for (const wire of wires) {
    const answer = await wire.head();
    await wire.wait(() => answer.size > 0, 'the first event');
    answers.push(answer);
  }
  return { wires, answers };
}

test('idle: exit 0 in less than a second', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    await t.test(signal, async (t) => {
      const proxy = await start(t, { upstream: await scripted(t) });
      const idle = await proxy.connect();
      idle.send(proxy.compose('GET', '/v1/x'), 'GET');
      await idle.response();
      const silent = await proxy.connect();
      const how = await proxy.stop(ms(3000), signal);
      assert.equal(how.code, 0);
      assert.ok(how.ms < ms(1000), `took ${how.ms.toFixed(0)} ms`);
      assert.equal(await idle.gone(), 'end', 'idle connections are closed in order');
      await silent.gone();
      idle.close();
      silent.close();
      assert.equal(sql(proxy.database, 'select count(*) as n from requests')[0].n, 1);
    });
  }
});

test('streams finish before the end', async (t) => {
  const upstream = await holding(t);
  const proxy = await start(t, { upstream });
  const { wires, answers } = await streams(proxy, 5);
  const kept = await proxy.connect();
  kept.send(proxy.compose('GET', '/healthz'), 'GET');
  await kept.response();

  const from = performance.now();
  const stopped = proxy.stop(ms(9000));
  await until(
    () =>
      proxy.connect().then(
        (w) => (w.close(), false),
        () => true,
      ),
    'new connections to be refused',
  );
  assert.equal(proxy.child.over, undefined, 'it waits for the streams');
  await sleep(300);
  upstream.go();
  for (const [i, wire] of wires.entries()) {
    await wire.wait(() => answers[i].complete, 'the stream to finish');
    assert.equal(answers[i].text, event('a') + event('b') + DONE);
  }
  const { code } = await stopped;
  assert.equal(code, 0);
  assert.ok(performance.now() - from < ms(3000), 'it ends as soon as they are done');
  for (const wire of [...wires, kept]) wire.close();
  const rows = sql(
    proxy.database,
    'select error, terminated_by, completed_us, response_status from requests',
  );
  assert.equal(rows.length, 5);
  for (const row of rows)
    assert.deepEqual(
      [row.error, row.terminated_by, row.response_status],
      [null, 'upstream_eof', 200],
    );
});

test('a later request on an open connection is told', async (t) => {
  const upstream = await holding(t);
  const proxy = await start(t, { upstream });
  const { wires, answers } = await streams(proxy, 1);
  wires[0].send(proxy.compose('GET', '/v1/late'), 'GET');
  const stopped = proxy.stop(ms(9000));
  await until(
    () =>
      proxy.connect().then(
        (w) => (w.close(), false),
        () => true,
      ),
    'new connections to be refused',
  );
  upstream.go();
  await wires[0].wait(() => answers[0].complete, 'the stream to finish');
  const answer = await wires[0].response().catch(() => null);
  if (answer) {
    assert.equal(answer.status, 503);
    assert.equal(answer.json.error.code, 'shutting_down');
    assert.match(answer.field('connection'), /close/i);
  }
  await wires[0].gone();
  wires[0].close();
  assert.equal((await stopped).code, 0);
  assert.equal(upstream.of('/v1/late').length, 0);
});

for (const [name, set, second] of [
  ['a second signal cuts at once', {}, true],
  ['the grace ends', { shutdown_grace_ms: ms(300) }, false],
]) {
  test(name, async (t) => {
    const upstream = await holding(t);
    const proxy = await start(t, { upstream, set });
    const { wires, answers } = await streams(proxy, 5);
    const waiting = await proxy.connect();
    upstream.script('/v1/silent', () => {});
    waiting.send(proxy.post('/v1/silent', { model: 'silent' }), 'POST');
    await upstream.saw('/v1/silent');
    const stopped = proxy.stop(ms(5000));
    if (second) {
      await sleep(200);
      proxy.child.kill('SIGTERM');
    }
    const how = await stopped;
    assert.equal(how.code, 0);
    assert.ok(how.ms < ms(2500), `took ${how.ms.toFixed(0)} ms`);
    for (const [i, wire] of wires.entries()) {
      await wire.gone();
      assert.equal(answers[i].complete, false, 'the cut is visible');
      assert.ok(answers[i].text.startsWith(event('a')));
      assert.match(answers[i].text, /"error"/, 'an error event tells why');
      wire.close();
    }
    waiting.close();
    const rows = sql(
      proxy.database,
      'select model, error, terminated_by, completed_us, response_status, response_bytes from requests order by id',
    );
    assert.equal(rows.length, 6);
    for (const row of rows) {
      assert.equal(row.error, 'proxy stopped', row.model);
      assert.equal(row.terminated_by, 'shutdown', row.model);
      assert.ok(row.completed_us);
    }
    assert.equal(rows[0].response_status, 200);
    assert.equal(rows[0].response_bytes, answers[0].size, 'what the client got is stored');
  });
}

test('several workers share the work and everything is captured', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, args: ['--workers', '2'] });
  assert.equal((await proxy.api('/api/live')).server.workers, 2);
  const wires = await Promise.all(Array.from({ length: 40 }, () => proxy.connect()));
  await Promise.all(wires.map(async (wire, w) => {
    for (let i = 0; i < 25; i++) {
      wire.send(proxy.post('/v1/embeddings', { model: `w-${w}-${i}` }), 'POST');
      assert.equal((await wire.response()).status, 200);
    }
  })); // prettier-ignore
  const used = new Set(upstream.requests.map((r) => r.link));
  assert.ok(used.size >= 2, 'both workers have connections of their own');
  for (const wire of wires) wire.close();
  const count = () =>
    proxy.sql(
      'select count(distinct model) as n from requests where completed_us is not null and response_status = 200',
    )[0].n;
  await until(
    () => count() === 1000,
    () => `1000 captured rows, there are ${count()}`,
    ms(8000),
    50,
  );
});

test('one worker serves everything too', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t), args: ['--workers', '1'] });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => proxy.request('GET', `/v1/one/${i}`)),
  );
  assert.ok(answers.every((answer) => answer.status === 200));
});

test('400 streams, half of them dropped, leave no descriptor and no thread', async (t) => {
  const upstream = await scripted(t);
  upstream.fallback = async (turn) => {
    await turn.begin();
    for (let i = 0; i < 6 && !turn.closed; i++) {
      await turn.chunk(event(`${i}`));
      await sleep(10);
    }
    await turn.chunk(DONE);
    await turn.finish();
  };
  const proxy = await start(t, { upstream });
  const round = async (n) => {
    const one = async (i) => {
      const wire = await proxy.connect();
      wire.send(proxy.post(`/v1/leak/${i}`, { model: 'leak', stream: true }), 'POST');
      const answer = await wire.head();
      if (i % 2) await wire.wait(() => answer.complete, 'the stream');
      else await wire.wait(() => answer.size > 0, 'the first event');
      i % 4 ? wire.close() : wire.reset();
    };
    await Promise.all(Array.from({ length: n }, (_, i) => one(i)));
  };
  await round(100);
  await until(async () => (await proxy.api('/api/live')).inflight_total === 0, 'nothing in flight');
  const base = { fds: proxy.fds(), threads: proxy.threads() };
  for (let i = 0; i < 4; i++) await round(100);
  await until(
    async () => (await proxy.api('/api/live')).inflight_total === 0,
    'nothing in flight',
    ms(8000),
  );
  await until(
    () => proxy.fds() <= base.fds + 8,
    () => `at most ${base.fds + 8} descriptors, there are ${proxy.fds()}`,
    ms(8000),
    50,
  );
  assert.equal(proxy.threads(), base.threads);
});

test('being stopped for a while breaks no stream', async (t) => {
  const upstream = await holding(t);
  const proxy = await start(t, { upstream });
  const { wires, answers } = await streams(proxy, 2);
  proxy.child.kill('SIGSTOP');
  await sleep(1200);
  proxy.child.kill('SIGCONT');
  upstream.go();
  for (const [i, wire] of wires.entries()) {
    await wire.wait(() => answers[i].complete, 'the stream to finish');
    wire.close();
  }
});

test('idle costs nothing', async (t) => {
  const upstream = await holding(t);
  const proxy = await start(t, { upstream });
  const { wires } = await streams(proxy, 1);
  const ticks = () => {
    const fields = readFileSync(`/proc/${proxy.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  await sleep(300);
  const before = ticks();
  await sleep(3000);
  const used = (ticks() - before) * 10;
  assert.ok(used <= ms(50), `used ${used} ms of CPU in 3 s`);
  wires[0].close();
});
