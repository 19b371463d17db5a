/* What a client got is in the database, whatever happens to the process, the disk or the file. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folder, SANITIZER, sql, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';

const INTERRUPTED = 'interrupted: proxy stopped before completion';
const event = (text) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const STREAM = event('a') + event('b') + 'data: [DONE]\n\n';
const PLAIN = JSON.stringify({ text: 'y'.repeat(3000) });

/** An upstream that answers streams and plain requests at once. */
async function quick(t) {
  const upstream = await scripted(t);
  upstream.fallback = async (turn) => {
    if (!turn.request.text.includes('"stream":true'))
      return turn.answer(200, [['Content-Type', 'application/json']], PLAIN);
    await turn.begin();
    for (const part of STREAM.split(/(?<=\n\n)/)) await turn.chunk(part);
    return turn.finish();
  };
  return upstream;
}

/** Requests without a pause from `n` clients until stopped; `done` maps model to time of arrival. */
function load(proxy, prefix, n) {
  const done = new Map();
  let going = true;
  const client = async (c) => {
    const wire = await proxy.connect();
    for (let i = 0; going && !wire.closed; i++) {
      const model = `${prefix}-${c}-${i}`;
      wire.send(proxy.post('/v1/chat/completions', { model, stream: i % 2 === 0 }), 'POST');
      const answer = await wire.response().catch(() => null);
      if (!answer) break;
      assert.equal(answer.text, i % 2 === 0 ? STREAM : PLAIN);
      done.set(model, performance.now());
      await sleep(1);
    }
    wire.close();
  };
  const all = Promise.all(Array.from({ length: n }, (_, c) => client(c)));
  return { done, stop: () => ((going = false), all), all };
}

function integrity(database) {
  const asked = spawnSync(
    'sqlite3',
    [database, 'pragma integrity_check; pragma foreign_key_check;'],
    { encoding: 'utf8' },
  );
  assert.equal(
    asked.stdout.trim(),
    'ok',
    `integrity of ${database}: ${asked.stdout} ${asked.stderr}`,
  );
}

test('kill -9 under load loses nothing that was delivered a second before', async (t) => {
  const upstream = await quick(t);
  const proxy = await start(t, { upstream });
  let checked = 0;
  for (let round = 0; round < 3; round++) {
    await t.test(`round ${round}`, async () => {
      upstream.script('/v1/hangs', () => {});
      const hanging = await proxy.connect();
      hanging.send(proxy.post('/v1/hangs', { model: `hang-${round}` }), 'POST');
      const { done, all } = load(proxy, `r${round}`, 6);
      await sleep(1600 + 211 * round);
      const killed = performance.now();
      await proxy.kill9();
      await all;
      hanging.close();

      const copy = path.join(folder(t), 'copy.sqlite3');
      for (const suffix of ['', '-wal'])
        if (existsSync(proxy.database + suffix))
          copyFileSync(proxy.database + suffix, copy + suffix);
      integrity(copy);

      await proxy.restart();
      const delivered = [...done].filter(([, at]) => at < killed - 1000).map(([model]) => model);
      assert.ok(
        delivered.length > (SANITIZER ? 20 : 100),
        `only ${delivered.length} were delivered in time`,
      );
      const rows = proxy.sql(`select model, response_status, completed_us, error, response_bytes, is_stream
        from requests where model like 'r${round}-%'`); // prettier-ignore
      const complete = new Map(
        rows
          .filter((r) => r.completed_us && !r.error && r.response_status === 200)
          .map((r) => [r.model, r]),
      );
      const missing = delivered.filter((model) => !complete.has(model));
      assert.deepEqual(
        missing.slice(0, 5),
        [],
        `${missing.length} of ${delivered.length} are missing`,
      );
      for (const model of delivered) {
        const row = complete.get(model);
        assert.equal(row.response_bytes, row.is_stream ? STREAM.length : PLAIN.length);
      }
      const bare = `select count(*) as n from requests join request_bodies on request_id = id
        where model like 'r${round}-%' and completed_us is not null and error is null
          and (response_length is null or request_length is null)`;
      assert.equal(proxy.sql(bare)[0].n, 0, 'no complete row lacks its bodies');
      checked += delivered.length;
      const sample = delivered.filter((_, i) => i % 29 === 0).slice(0, 20);
      for (const model of sample) {
        const { response_render: render } = await proxy.captured(`model=${model}`);
        assert.equal(render.text.length > 0, true, 'the body is there');
      }
      const [hung] = proxy.sql(
        `select error, completed_us from requests where model = 'hang-${round}'`,
      );
      assert.equal(hung.error, INTERRUPTED);
      assert.ok(hung.completed_us > 0);
      assert.equal(
        proxy.sql('select count(*) as n from requests where completed_us is null')[0].n,
        0,
      );
      const ids = proxy.sql('select count(*) as n, count(distinct id) as d from requests')[0];
      assert.equal(ids.n, ids.d);
    });
  }
  t.diagnostic(`${checked} delivered answers checked over 3 kills`);
  await proxy.stop();
  integrity(proxy.database);
});

test('a clean stop under load loses nothing', async (t) => {
  const proxy = await start(t, { upstream: await quick(t) });
  const { done, stop } = load(proxy, 'clean', 4);
  await until(() => done.size > 100, '100 answers', ms(10000));
  await stop();
  const { code } = await proxy.stop();
  assert.equal(code, 0);
  integrity(proxy.database);
  const rows = sql(
    proxy.database,
    'select model from requests where completed_us is not null and error is null',
  );
  const stored = new Set(rows.map((row) => row.model));
  assert.deepEqual(
    [...done.keys()].filter((model) => !stored.has(model)),
    [],
  );
  assert.ok(
    !existsSync(`${proxy.database}-wal`) || statSync(`${proxy.database}-wal`).size === 0,
    'the WAL is written back',
  );
});

/** Send `n` requests one after another; gives the slowest in ms. */
async function series(proxy, prefix, n, pause) {
  let worst = 0;
  for (let i = 0; i < n; i++) {
    const from = performance.now();
    const answer = await proxy.send(proxy.post('/v1/embeddings', { model: `${prefix}-${i}` }));
    assert.equal(answer.status, 200);
    worst = Math.max(worst, performance.now() - from);
    await sleep(pause);
  }
  return worst;
}

const stored = (proxy, prefix) =>
  proxy.sql(
    `select count(*) as n from requests where model like '${prefix}-%' and completed_us is not null`,
  )[0].n;

test('a database that is locked for 10 s delays nobody and loses nothing', async (t) => {
  const proxy = await start(t, { upstream: await quick(t) });
  await series(proxy, 'before', 5, 0);
  const locker = spawn('sqlite3', [proxy.database], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => locker.kill('SIGKILL'));
  locker.stdin.write('.timeout 5000\nbegin exclusive;\nselect 1;\n');
  await new Promise((done) => locker.stdout.once('data', done));
  const from = performance.now();
  let worst = 0;
  for (let i = 0; performance.now() - from < 10000; i++)
    worst = Math.max(worst, await series(proxy, `locked-${i}`, 5, 20));
  const sent = proxy.options.upstream.requests.length - 5;
  assert.ok(worst < ms(200), `the slowest request took ${worst.toFixed(0)} ms`);
  await proxy.healthy();
  const { store } = await proxy.api('/api/live');
  assert.ok(store.queue_depth > 0, 'the queue holds them');
  assert.equal(store.lost_events, 0);
  locker.stdin.end('rollback;\n');
  await until(
    () => stored(proxy, 'locked') === sent,
    () => `${sent} rows, there are ${stored(proxy, 'locked')}`,
    ms(10000),
    100,
  );
  integrity(proxy.database);
});

test('a full disk fails no request, is counted, and is got over', async (t) => {
  const upstream = await quick(t);
  const big = () => randomBytes(100000).toString('base64'); /* cannot be compressed away */

  /** Fill up, look, make room, look. */
  async function scenario(proxy, free) {
    for (let i = 0; i < 60; i++) {
      const answer = await proxy.send(
        proxy.post('/v1/embeddings', { model: `full-${i}`, input: big() }),
      );
      assert.equal(answer.status, 200);
    }
    const state = await until(async () => {
      const now = await proxy.api('/api/status');
      /* What still waits would fill the room again that is about to be made. */
      return now.store.lost_events > 0 && now.store.queue_depth === 0 && now;
    }, 'lost captures to be counted', ms(8000), 100); // prettier-ignore
    assert.equal(state.status, 'degraded');
    assert.ok(state.store.last_error);
    await proxy.healthy();
    assert.match(proxy.child.err, /level=(warn|error)/, 'it is logged');
    await free();
    await until(async () => {
      await series(proxy, 'resumed', 1, 0);
      return stored(proxy, 'resumed') > 0;
    }, 'capture to go on without a restart', ms(12000), 300); // prettier-ignore
    const { code } = await proxy.stop();
    assert.ok([0, 6].includes(code), `exit status ${code}`);
    integrity(proxy.database);
  }

  await t.test('by a limit of file sizes', async (t) => {
    const proxy = await start(t, {
      upstream,
      wrap: ['prlimit', '--fsize=1500000:', '--'],
      exit: [0, 6],
    });
    await scenario(proxy, () =>
      spawnSync('prlimit', ['--pid', String(proxy.pid), '--fsize=unlimited:']),
    );
  });
  await t.test('by a small file system', async (t) => {
    const disk = folder(t);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', disk]).status === 0;
    if (!mounted) return t.skip('no right to mount');
    const filler = path.join(disk, 'filler');
    try {
      writeFileSync(filler, Buffer.alloc(2 << 20));
      await t.test('inside', async (t) => {
        const proxy = await start(t, {
          upstream,
          database: path.join(disk, 'x.sqlite3'),
          exit: [0, 6],
        });
        await scenario(proxy, () => rmSync(filler));
      });
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
  });
});

test('a database that is deleted comes back', async (t) => {
  const proxy = await start(t, { upstream: await quick(t) });
  await series(proxy, 'early', 3, 0);
  await until(() => stored(proxy, 'early') === 3, 'the first rows');
  for (const suffix of ['', '-wal', '-shm']) rmSync(proxy.database + suffix, { force: true });
  const worst = await series(proxy, 'gone', 10, 10);
  assert.ok(worst < ms(200), `the slowest request took ${worst.toFixed(0)} ms`);
  await until(async () => {
    await series(proxy, 'again', 1, 0);
    try {
      return existsSync(proxy.database) && stored(proxy, 'again') > 0;
    } catch (e) {
      if (/no such table/.test(e.message)) return false; /* it is being made */
      throw e;
    }
  }, 'a new database with rows', ms(16000), 500); // prettier-ignore
  assert.ok((await proxy.rows('model=again-0')).length > 0, 'the API sees them too');
});
