/* What is under way and what just happened: pending rows, lists, /api/live and /api/events. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, sleep, until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const event = (text) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const DONE = 'data: [DONE]\n\n';

/** A script that holds a request until it is let go. */
function gate(run) {
  let go;
  const opened = new Promise((done) => (go = done));
  return { go, script: (turn) => run(turn, opened) };
}

test('a request is visible while it runs', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const held = gate(async (turn, opened) => {
    await turn.begin();
    await turn.chunk(event('one') + event('two'));
    await opened;
    await turn.chunk(DONE);
    await turn.finish();
  });
  upstream.script(CHAT, held.script);
  const wire = await proxy.connect();
  wire.send(proxy.post(CHAT, { model: 'running', stream: true }), 'POST');
  const answer = await wire.head();
  await wire.wait(() => answer.size > 0, 'the first events');

  await t.test('as a pending row within a second', async () => {
    const [row] = await until(
      async () => {
        const rows = await proxy.rows('model=running');
        return rows.length && rows;
      },
      'a pending row',
      ms(1000),
    );
    assert.equal(row.status, null);
    assert.equal(row.status_label, 'pending');
    assert.equal(row.completed_at, null);
    assert.equal(row.duration_ms, null);
    assert.ok(row.duration_display_ms >= 0);
    assert.equal(row.duration_is_elapsed, true);
    assert.equal(row.outcome, null);
    assert.equal(row.preview, '');
    assert.deepEqual(proxy.sql('select completed_us, response_status from requests'), [
      { completed_us: null, response_status: null },
    ]);
    const { record } = await proxy.detail(row.id);
    assert.equal(record.model, 'running');
  });
  await t.test('in /api/live, with what has come so far', async () => {
    const live = await proxy.api('/api/live');
    assert.equal(live.inflight_total, 1);
    const [row] = live.inflight;
    assert.equal(row.model, 'running');
    assert.equal(row.endpoint, CHAT);
    assert.equal(row.state, 'streaming');
    assert.equal(row.is_stream, true);
    assert.equal(row.event_count, 2);
    assert.equal(row.response_bytes, answer.size);
    assert.ok(row.elapsed_ms > 0 && row.elapsed_ms < ms(20000));
    assert.ok(row.client.startsWith('127.0.0.1'));
    assert.equal(row.outcome, null);
    assert.equal(live.totals.inflight, 1);
    const later = await until(async () => {
      const [now] = (await proxy.api('/api/live')).inflight;
      return now.elapsed_ms > row.elapsed_ms && now;
    }, 'the elapsed time to grow');
    assert.equal(later.id, row.id);
  });
  await t.test('as stalled when it stays silent', async () => {
    await until(
      async () => (await proxy.api('/api/live')).inflight[0].state === 'stalled',
      'the state "stalled"',
      ms(6000),
      100,
    );
  });
  held.go();
  await wire.wait(() => answer.complete, 'the end');
  wire.close();

  await t.test('and finished when it is over', async () => {
    const { record } = await proxy.captured('model=running');
    assert.equal(record.outcome, 'ok');
    const live = await until(async () => {
      const now = await proxy.api('/api/live');
      return now.finished.length && now;
    }, 'a finished row in /api/live');
    assert.equal(live.inflight_total, 0);
    assert.equal(live.finished[0].id, record.id);
    assert.equal(live.finished[0].state, 'done');
    assert.equal(live.finished[0].outcome, 'ok');
    assert.equal(live.finished[0].status, 200);
    const since = await proxy.api(`/api/live?since=${live.rev}`);
    assert.deepEqual(since.finished, [], 'nothing is newer than rev');
    assert.equal(
      (await proxy.api('/api/live?since=999999999')).finished.length,
      1,
      'a larger value counts as 0',
    );
    assert.equal((await proxy.api('/api/live?rows=0')).finished.length, 0);
    assert.equal((await proxy.get('/api/live?rows=1001')).status, 422);
  });
});

test('states before anything has come', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const state = (wanted) =>
    until(
      async () => (await proxy.api('/api/live')).inflight.find((row) => row.state === wanted),
      `state ${wanted}`,
    );

  const wire = await proxy.connect();
  wire.send(`POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"a"`);
  const receiving = await state('receiving');
  assert.equal(receiving.endpoint, CHAT);
  upstream.script(CHAT, () => {});
  wire.send(':true}');
  await state('waiting');
  wire.close();
  await until(async () => (await proxy.api('/api/live')).inflight_total === 0, 'nothing in flight');
});

const LIVE_ROW = `id rev created_at completed_at method endpoint model upstream_model model_route upstream_url
  provider_slug provider_name status duration_ms is_stream has_images has_tool_calls task_run tokens
  tokens_per_second generation_tps generation_tps_estimated cost_usd response_was_rewritten compatibility_label error
  upstream_error_message ttft_ms first_byte_ms chunk_count event_count chunk_gap_avg_ms chunk_gap_p95_ms
  chunk_gap_max_ms client_lag_max_ms request_bytes response_bytes finish_reason tool_call_count
  reasoning_tokens terminated_by outcome state elapsed_ms gap_ms current_tps cost_estimated client`
  .split(/\s+/)
  .sort();

test('tokens, speed and cost of a request in flight are estimated', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const put = async (target, value) => {
    const answer = await proxy.send(proxy.post(target, value));
    assert.equal(answer.status, 200, answer.text);
  };
  await put('/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  await put('/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'priced', input_usd_per_million: 1000, output_usd_per_million: 2000,
  }); // prettier-ignore
  await put('/admin/api/routes', {
    model: 'priced', upstream_url: upstream.url, provider_slug: 'lab',
  }); // prettier-ignore
  const usage = (tokens) =>
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: tokens } })}\n\n`;
  const body = {
    model: 'priced',
    stream: true,
    messages: [{ role: 'user', content: 'one two three' }],
  };
  const ask = async () => {
    const wire = await proxy.connect();
    wire.send(proxy.post(CHAT, body), 'POST');
    return [wire, await wire.head()];
  };
  const flight = (fits) =>
    until(async () => {
      const [row] = (await proxy.api('/api/live')).inflight;
      return row && fits(row) && row;
    }, 'the row in flight');

  let turn;
  upstream.script(CHAT, async (given) => {
    turn = given;
    await turn.begin();
  });
  const [first, answer] = await ask();
  await until(() => turn, 'the request at the upstream');
  await turn.chunk(event('a') + event('b'));

  const row = await flight((now) => now.event_count === 2 && now.tokens.input !== null);
  assert.deepEqual(Object.keys(row).sort(), LIVE_ROW);
  assert.equal(row.tokens.output, 2, 'a token an event as long as nothing is known');
  assert.equal(row.tokens.output_estimated, true);
  assert.equal(row.tokens.input_estimated, true);
  assert.equal(row.tokens.total, row.tokens.input + 2);
  assert.equal(row.cost_estimated, true);
  assert.ok(Math.abs(row.cost_usd - (row.tokens.input * 0.001 + 2 * 0.002)) < 1e-9);
  assert.equal(row.provider_slug, 'lab');
  assert.ok(Number(row.current_tps) > 0 && Number(row.current_tps) <= 4, row.current_tps);
  assert.match(row.current_tps, /^\d+\.\d\d$/);
  await turn.chunk(usage(8) + DONE);
  await turn.finish();
  await first.wait(() => answer.complete, 'the end');
  first.close();
  const done = await until(
    async () => (await proxy.api('/api/live')).finished[0],
    'the finished row',
  );
  assert.deepEqual(Object.keys(done).sort(), LIVE_ROW);
  assert.equal(done.tokens.output, 8);
  assert.equal(done.tokens.output_estimated, false);
  assert.equal(done.cost_estimated, false);
  assert.ok(Math.abs(done.cost_usd - 0.023) < 1e-9);

  turn = null;
  const [second, later] = await ask();
  await until(() => turn, 'the request at the upstream');
  await turn.chunk(event('a') + event('b') + event('c'));
  assert.equal((await flight((now) => now.event_count === 3)).tokens.output, 12, 'four an event now');
  await turn.chunk(usage(5));
  const told = await flight((now) => now.event_count === 4);
  assert.equal(told.tokens.output, 5, 'what is reported counts');
  assert.equal(told.tokens.output_estimated, false);
  await turn.chunk(DONE);
  await turn.finish();
  await second.wait(() => later.complete, 'the end');
  second.close();
});

test('the text of a request as it arrives', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const turns = [];
  upstream.script(CHAT, async (turn) => (turns.push(turn), turn.begin()));
  const messages = [
    { role: 'user', content: 'first' },
    { role: 'assistant', content: 'answer' },
    { role: 'user', content: `Fix the test. ${'x'.repeat(600)}` },
  ];
  const wire = await proxy.connect();
  wire.send(proxy.post(CHAT, { model: 'm', stream: true, messages }), 'POST');
  const answer = await wire.head();
  const { id } = await until(
    async () => (await proxy.api('/api/live')).inflight[0],
    'the row in flight',
  );
  const text = (fits) =>
    until(async () => {
      const live = await proxy.api(`/api/live?text=${id}&parts=text`);
      assert.deepEqual(Object.keys(live).sort(), ['instance', 'now', 'rev', 'text']);
      return fits(live.text) && live.text;
    }, 'the text');
  const delta = (value) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: value }] })}\n\n`;
  const call = (args, more = {}) =>
    delta({ tool_calls: [{ index: 0, ...more, function: { ...more.function, arguments: args } }] });

  await turns[0].chunk(delta({ reasoning_content: 'Let me th' }) + delta({ reasoning_content: 'ink' }));
  const first = await text((now) => now.items.length === 1 && now.items[0].text === 'Let me think');
  assert.deepEqual(first.items, [{ kind: 'reasoning', text: 'Let me think', open: true }]);
  assert.equal(first.id, id);
  assert.equal(first.offset, 0);
  assert.equal(first.truncated, false);
  assert.equal(first.user, messages[2].content.slice(0, 500));
  assert.equal(first.gaps_ms.length, 1);

  const edit = call('{"pa', { id: 'c', type: 'function', function: { name: 'edit' } });
  await turns[0].chunk(Buffer.from(`${delta({ content: 'é🦦' })}${edit}data: {"cho`));
  assert.deepEqual((await text((now) => now.items.length === 3)).items, [
    { kind: 'reasoning', text: 'Let me think', open: false },
    { kind: 'text', text: 'é🦦', open: false },
    { kind: 'tool_call', name: 'edit', text: '{"pa', open: true },
  ]);
  await turns[0].chunk(`ices":[]}\n\n${delta({ content: 'y'.repeat(5000) })}`);
  const long = await text((now) => now.offset > 0);
  assert.equal(long.items.map((item) => [...item.text].length).reduce((a, b) => a + b), 4096);
  assert.equal(long.offset, 12 + 5002 + 4 - 4096);

  await turns[0].chunk(DONE);
  await turns[0].finish();
  await wire.wait(() => answer.complete, 'the end');
  wire.close();
  const done = await text((now) => now && now.items.every((item) => !item.open));
  assert.equal(done.offset, long.offset, 'the same from the database');
  assert.equal((await proxy.api('/api/live?text=987654321')).text, null);
  assert.equal((await proxy.get('/api/live?text=x')).status, 422);
});

/** What a stream says at its start, and with each piece of text. */
const DIALECTS = {
  [CHAT]: ['', event],
  '/v1/messages': [
    `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { role: 'assistant', content: [] } })}\n\nevent: content_block_start\ndata: ${JSON.stringify({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })}\n\n`,
    (text) =>
      `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}\n\n`,
  ],
  '/v1/responses': [
    `data: ${JSON.stringify({ type: 'response.created', response: { output: [] } })}\n\n`,
    (delta) =>
      `data: ${JSON.stringify({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta })}\n\n`,
  ],
};

test('the text of a long stream begins with a whole event', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [target, [head, piece]] of Object.entries(DIALECTS)) {
    await t.test(target, async () => {
      let turn;
      upstream.script(target, async (given) => ((turn = given), given.begin()));
      const wire = await proxy.connect();
      wire.send(proxy.post(target, { model: target, stream: true }), 'POST');
      const answer = await wire.head();
      const events = head + Array.from({ length: 4000 }, (_, i) => piece(`${i} `)).join('');
      await turn.chunk(events);
      await wire.wait(() => answer.size === events.length, 'the events');
      const row = await until(
        async () => (await proxy.api('/api/live')).inflight.find((r) => r.model === target),
        'the row in flight',
      );
      const { text } = await proxy.api(`/api/live?text=${row.id}`);
      assert.equal(text.truncated, true);
      assert.equal(text.items.length, 1);
      assert.match(text.items[0].text, /^ ?\d+ (\d+ )*3999 $/);
      assert.equal(text.gaps_ms.length, 96);
      wire.close();
    });
  }
});

test('parts of the answer', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const all = Object.keys(await proxy.api('/api/live'));
  const always = ['rev', 'now', 'instance'];
  for (const part of all.filter((name) => !always.includes(name) && !name.endsWith('_total')))
    assert.deepEqual(
      Object.keys(await proxy.api(`/api/live?parts=${part}`)).filter((n) => !n.endsWith('_total')),
      [...always, part],
    );
  assert.equal((await proxy.get('/api/live?parts=rates,nothing')).status, 422);
  assert.equal((await proxy.get('/api/live?series=301')).status, 422);
  const { series } = await proxy.api('/api/live?series=300');
  for (const [name, values] of Object.entries(series))
    if (Array.isArray(values)) assert.equal(values.length, 300, name);
  assert.deepEqual((await proxy.api('/api/live?series=0')).series.requests, []);
});

/** Reads an event stream. */
class Viewer {
  events = [];

  static async open(proxy, query = '') {
    const viewer = new Viewer();
    viewer.wire = await proxy.connect();
    viewer.wire.send(proxy.compose('GET', `/api/events${query}`), 'GET');
    viewer.answer = await viewer.wire.head();
    assert.equal(viewer.answer.status, 200);
    assert.match(viewer.answer.field('content-type'), /^text\/event-stream/);
    return viewer;
  }

  /** Events so far. */
  read() {
    const parts = this.answer.text.split('\n\n').slice(0, -1);
    return parts
      .filter((part) => /^event:/m.test(part))
      .map((part) => ({
        id: /^id: ?(.*)$/m.exec(part)?.[1],
        event: /^event: ?(.*)$/m.exec(part)[1],
        data: JSON.parse(/^data: ?(.*)$/m.exec(part)[1]),
      }));
  }

  /** Wait for an event. */
  saw(name, fits = () => true) {
    return this.wire.wait(
      () => this.read().find((e) => e.event === name && fits(e.data)),
      `event ${name}`,
      ms(5000),
    );
  }
}

test('/api/events tells what happens', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const viewer = await Viewer.open(proxy, '?kinds=change,finished');
  t.after(() => viewer.wire.close());

  const hello = await viewer.saw('hello');
  const live = await proxy.api('/api/live');
  assert.equal(hello.data.instance, live.instance);
  assert.equal(hello.data.server.pid, proxy.pid);
  assert.deepEqual(hello.data.kinds, ['change', 'finished']);
  assert.ok(hello.data.now);

  await proxy.send(proxy.post('/v1/embeddings', { model: 'told' }));
  const finished = await viewer.saw('finished', (row) => row.model === 'told');
  assert.equal(finished.data.status, 200);
  assert.equal(finished.data.outcome, 'ok');
  assert.ok(Number(finished.id) > 0, 'each event has an id');
  const change = await viewer.saw('change', (data) => data.request_ids.includes(finished.data.id));
  assert.ok(change.data.kinds.includes('requests'));
  assert.equal(change.data.truncated, false);

  await t.test('only the kinds that were asked for', async () => {
    const quiet = await Viewer.open(proxy);
    await proxy.send(proxy.post('/v1/embeddings', { model: 'again' }));
    await quiet.saw('change');
    assert.equal(quiet.read().filter((e) => e.event === 'finished').length, 0);
    quiet.wire.close();
  });
  await t.test('Last-Event-ID brings what was missed', async () => {
    const wire = await proxy.connect();
    wire.send(
      proxy.compose('GET', '/api/events?kinds=finished', {
        fields: [['Last-Event-ID', finished.id]],
      }),
      'GET',
    );
    const missed = new Viewer();
    missed.wire = wire;
    missed.answer = await wire.head();
    await missed.saw('finished', (row) => row.model === 'again');
    assert.equal(
      missed.read().filter((e) => e.data.model === 'told').length,
      0,
      'what is known is not repeated',
    );
    wire.close();
  });
  await t.test('a stopping server says goodbye', async () => {
    const stopped = proxy.stop();
    const bye = await viewer.saw('bye');
    assert.equal(bye.data.reason, 'shutdown');
    await viewer.wire.gone();
    assert.equal((await stopped).code, 0);
  });
});

test('/api/events tells what changed besides requests', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const viewer = await Viewer.open(proxy);
  t.after(() => viewer.wire.close());
  const put = async (target, value) => {
    const answer = await proxy.send(proxy.post(target, value));
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  await viewer.saw('hello');
  const before = (await proxy.api('/api/live')).rev;

  const { run } = await put('/api/runs/start', { name: 'r' });
  const started = await viewer.saw('change', (data) => data.run_ids.includes(run.id));
  assert.deepEqual(started.data.kinds, ['runs']);
  assert.ok(started.data.rev > before);
  await proxy.send(proxy.post('/v1/embeddings', { model: 'm' }));
  const used = await viewer.saw('change', (data) => data.request_ids.length > 0);
  assert.deepEqual(used.data.kinds, ['requests', 'runs']);
  assert.deepEqual(used.data.run_ids, [run.id]);

  await put('/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  await viewer.saw('change', (data) => data.kinds.includes('providers'));
  await put('/admin/api/routes', { model: 'm', upstream_url: upstream.url });
  const routes = await viewer.saw('change', (data) => data.kinds.includes('routes'));
  assert.ok(!routes.data.kinds.includes('requests'));
  await put('/admin/api/pricing/prices', { provider_slug: 'lab', model: 'm', input_usd_per_million: 1, output_usd_per_million: 1 }); // prettier-ignore
  await viewer.saw('change', (data) => data.kinds.includes('prices'));
  await put('/admin/api/settings/values', { shutdown_grace_ms: 500 });
  await viewer.saw('change', (data) => data.kinds.includes('settings'));
  const [id] = used.data.request_ids;
  await proxy.request('DELETE', `/admin/api/requests/${id}`);
  await viewer.saw('change', (data) => data.request_ids.includes(id) && data.rev > used.data.rev);

  const ids = viewer.read().map((e) => Number(e.id));
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
    'revs only grow',
  );
  assert.equal((await proxy.get('/api/events?interval_ms=99')).status, 422);
});

test('what the ring has lost is told', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const wire = await proxy.connect();
  const first = (await proxy.api('/api/live')).rev;
  const body = proxy.post('/v1/embeddings', { model: 'm' });
  let sent = 0;
  for (; sent < 1010; sent++) {
    wire.send(body, 'POST');
    const answer = await wire.head();
    await wire.wait(() => answer.complete, 'an answer');
  }
  const live = await until(async () => {
    const now = await proxy.api('/api/live?rows=1000');
    return now.totals.requests === sent && now.finished[0].id === sent && now;
  }, 'all rows');
  assert.equal(live.finished.length, 1000);
  assert.equal(live.finished_total, 1000);
  assert.equal(live.finished.at(-1).id, 11, 'the oldest ones went');
  const revs = live.finished.map((row) => row.rev);
  assert.deepEqual(
    revs,
    [...revs].sort((a, b) => b - a),
  );
  const since = await proxy.api(`/api/live?rows=1000&since=${revs[99]}`);
  assert.equal(since.finished.length, 99);
  assert.equal((await proxy.api(`/api/live?since=${revs[99]}&rows=7`)).finished_total, 99);

  wire.send(
    proxy.compose('GET', '/api/events?kinds=finished', { fields: [['Last-Event-ID', `${first}`]] }),
    'GET',
  );
  const viewer = new Viewer();
  viewer.wire = wire;
  viewer.answer = await wire.head();
  const change = await viewer.saw('change');
  assert.equal(change.data.truncated, true);
  await viewer.saw('finished', (row) => row.id === sent);
  assert.equal(viewer.read().filter((e) => e.event === 'finished').length, 1000);
  wire.close();

  await proxy.stop();
  await proxy.restart();
  const again = await proxy.api(`/api/live?since=${live.rev}`);
  assert.notEqual(again.instance, live.instance, 'viewers see that it is another one');
  assert.deepEqual(again.finished, []);
  assert.equal(again.totals.requests, sent);
});

test('no more than 32 viewers', async (t) => {
  const proxy = await start(t, { upstream: await scripted(t) });
  const viewers = [];
  t.after(() => viewers.forEach((viewer) => viewer.wire.close()));
  for (let i = 0; i < 32; i++) viewers.push(await Viewer.open(proxy));
  const wire = await proxy.connect();
  wire.send(proxy.compose('GET', '/api/events'), 'GET');
  const answer = await wire.head();
  assert.equal(answer.status, 503);
  assert.equal(answer.field('retry-after'), '5');
  wire.close();
});

test('lists: filters, order, pages', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  upstream.script('/v1/failing', (turn) => turn.json({ error: { message: 'm' } }, 500));
  upstream.script(
    '/v1/streaming',
    async (turn) => (await turn.begin(), await turn.chunk(DONE), turn.finish()),
  );
  for (let i = 0; i < 12; i++) {
    const target = ['/v1/embeddings', '/v1/failing', '/v1/streaming'][i % 3];
    await proxy.send(proxy.post(target, { model: `list-${i % 2}`, stream: i % 3 === 2 }));
  }
  await until(
    async () =>
      (await proxy.api('/api/requests')).items.filter((r) => r.completed_at).length === 12,
    '12 finished rows',
  );
  const list = (query) => proxy.api(`/api/requests?${query}`);
  const count = async (query) => (await list(query)).pagination.total;

  await t.test('newest first, the higher id first', async () => {
    const ids = (await list('')).items.map((row) => row.id);
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => b - a),
    );
  });
  const totals = [
    ['endpoint=EMBED', 4], ['endpoint=%25', 0], ['model=list-0', 6], ['model=LIST-0', 0], ['model=list', 0], ['status=500', 4],
    ['status=%20500%20', 4], ['status=', 12], ['stream=1', 4], ['stream=0', 12], ['stream=true', 12], ['error=1', 4],
    ['slow=1', 0], ['image=1', 0], ['tool=1', 0], ['error=1&model=list-1', 2], ['model=list-0&model=list-1', 6],
    ['unknown=1', 12], ['run=1', 0], ['route=x', 0],
  ]; // prettier-ignore
  for (const [query, total] of totals)
    await t.test(query, async () => assert.equal(await count(query), total));

  for (const query of ['status=abc', 'run=abc', 'status=99999999999999999999']) {
    await t.test(`${query} is refused`, async () => {
      const answer = await proxy.get(`/api/requests?${query}`);
      assert.equal(answer.status, 422);
      assert.match(JSON.parse(answer.text).detail, /must be an integer/);
    });
  }
  for (const [query, type] of [
    ['page=0', 'greater_than_equal'],
    ['per_page=201', 'less_than_equal'],
    ['page=x', 'int_parsing'],
    ['per_page=', 'int_parsing'],
  ]) {
    await t.test(`${query} is refused`, async () => {
      const answer = await proxy.get(`/api/requests?${query}`);
      assert.equal(answer.status, 422);
      assert.equal(JSON.parse(answer.text).detail[0].type, type);
    });
  }
  await t.test('pages', async () => {
    const page = await list('model=list-0&x=a%20b&per_page=4&page=2');
    assert.deepEqual(page.pagination, {
      page: 2, per_page: 4, total: 6, total_pages: 2, start: 5, end: 6, has_previous: true, has_next: false,
      previous_url: '/api/requests?model=list-0&x=a+b&per_page=4&page=1', next_url: null,
      pages: [
        { number: 1, url: '/api/requests?model=list-0&x=a+b&per_page=4&page=1', current: false },
        { number: 2, url: '/api/requests?model=list-0&x=a+b&per_page=4&page=2', current: true },
      ],
      display: { start: '5', end: '6', total: '6' },
    }); // prettier-ignore
    assert.equal(page.items.length, 2);
    assert.equal(
      (await list('per_page=5&page=99')).pagination.page,
      3,
      'a page past the end is the last',
    );
    const empty = (await list('model=none')).pagination;
    assert.deepEqual([empty.start, empty.end, empty.total_pages], [0, 0, 1]);
  });
  await t.test('what a list offers', async () => {
    const all = await list('error=1');
    assert.deepEqual(all.models, ['list-0', 'list-1']);
    assert.deepEqual(all.endpoints, ['/v1/embeddings', '/v1/failing', '/v1/streaming']);
    assert.equal(all.stats.total.value, 12);
    assert.equal(all.stats.errors.value, 4);
    assert.equal(all.stats.streams.value, 4);
    assert.equal(all.filters.error, true);
    assert.equal(all.filters.status, '');
    assert.equal(all.upstream_url, upstream.url);
    assert.equal(all.poll_interval_ms, 1000);
  });
  await t.test('newer and older than an id', async () => {
    const ids = (await list('')).items.map((row) => row.id).reverse();
    assert.deepEqual(
      (await list(`after=${ids[9]}`)).items.map((row) => row.id).sort(),
      ids.slice(10).sort(),
    );
    assert.deepEqual(
      (await list(`before=${ids[2]}`)).items.map((row) => row.id).sort(),
      ids.slice(0, 2).sort(),
    );
  });
  await t.test('summaries', async () => {
    const [failed] = (await list('status=500&per_page=1')).items;
    assert.match(failed.semantic_summary, /^Server error 500 · /);
    assert.equal(failed.signals.error, true);
    const [plain] = (await list('endpoint=embeddings&per_page=1')).items;
    assert.ok(plain.preview.length > 0);
  });
  await t.test('the twin under /admin', async () => {
    const twin = await proxy.api('/admin/api/requests?per_page=4');
    assert.equal(twin.pagination.next_url, '/admin/api/requests?per_page=4&page=2');
    assert.deepEqual(twin.items, (await list('per_page=4')).items);
  });
  await t.test('what is not there', async () => {
    const missing = await proxy.get('/api/requests/999999');
    assert.equal(missing.status, 404);
    assert.equal(missing.text, '{"detail":"Request not found."}');
    assert.equal((await proxy.get('/api/requests/abc')).status, 422);
    assert.equal((await proxy.get('/api/nothing')).text, '{"detail":"Not Found"}');
    const wrong = await proxy.request('POST', '/api/requests', { body: '{}' });
    assert.equal(wrong.status, 405);
    assert.match(wrong.field('allow'), /GET/);
    const head = await proxy.request('HEAD', '/api/requests');
    assert.equal(head.status, 200);
    assert.equal(head.size, 0);
  });
});

test('nothing happens to a stream while 24 viewers look', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const viewers = await Promise.all(
    Array.from({ length: 24 }, () => Viewer.open(proxy, '?kinds=change,finished')),
  );
  t.after(() => viewers.forEach((viewer) => viewer.wire.close()));
  upstream.script(CHAT, async (turn) => {
    await turn.begin();
    for (let i = 0; i < 60; i++) {
      await turn.chunk(event(`${i}`));
      await sleep(5);
    }
    await turn.chunk(DONE);
    await turn.finish();
  });
  const polls = setInterval(() => proxy.api('/api/live').catch(() => {}), 40);
  const wire = await proxy.connect();
  wire.send(proxy.post(CHAT, { model: 'watched', stream: true }), 'POST');
  const answer = await wire.response(ms(8000)).finally(() => clearInterval(polls));
  assert.equal(answer.text, Array.from({ length: 60 }, (_, i) => event(`${i}`)).join('') + DONE);
  wire.close();
  for (const viewer of viewers) await viewer.saw('finished', (row) => row.model === 'watched');
});
