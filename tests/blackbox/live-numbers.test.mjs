/* The numbers of /api/live, worked out again from the rows of a load; and what viewers cost. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { sleep, until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const FAILING = '/v1/failing';
const EMBEDDINGS = '/v1/embeddings';
const content = (text) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const usage = (input, cached, output) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
});

/** Nearest rank. */
function percentiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (p) => (sorted.length < 5 ? null : sorted[Math.ceil((p / 100) * sorted.length) - 1]);
  return { count: sorted.length, p50: at(50), p95: at(95), p99: at(99), max: sorted.at(-1) ?? null };
}

const sum = (values) => values.reduce((a, b) => a + b, 0);
const known = (values) => values.filter((value) => value !== null);
const near = (a, b, what) => assert.ok(Math.abs(a - b) < 1e-9, `${what}: ${a} and ${b}`);

test('rates, percentiles, series, models and upstreams follow from the rows', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const put = async (target, value) => {
    const answer = await proxy.send(proxy.post(target, value));
    assert.equal(answer.status, 200, answer.text);
  };
  await put('/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  await put('/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'priced', input_usd_per_million: 100, output_usd_per_million: 200,
  }); // prettier-ignore
  await put('/admin/api/routes', {
    model: 'priced', upstream_url: upstream.url, provider_slug: 'lab',
  }); // prettier-ignore
  let calls = 0;
  upstream.script(CHAT, async (turn) => {
    const n = ++calls;
    await turn.begin();
    for (let i = 0; i < 3; i++) {
      await sleep(n % 4);
      await turn.chunk(content('a'));
    }
    await turn.chunk(`data: ${JSON.stringify({ choices: [], usage: usage(100 + n, n, 6) })}\n\ndata: [DONE]\n\n`);
    await turn.finish();
  });
  upstream.script(EMBEDDINGS, (turn) => turn.json({ data: [], usage: { prompt_tokens: 9 } }));
  upstream.script(FAILING, (turn) => turn.json({ error: { message: 'slow down.' } }, 429));
  const load = [
    ...Array(12).fill([CHAT, { model: 'priced', stream: true }]),
    ...Array(4).fill([EMBEDDINGS, { model: 'embed' }]),
    ...Array(3).fill([FAILING, { model: 'failing' }]),
  ];
  for (const [target, body] of load) await proxy.send(proxy.post(target, body));
  await until(
    async () => (await proxy.api('/api/live?rows=0')).totals.requests === load.length,
    'all rows',
  );
  await sleep(1100); /* a full second is over behind the last one */
  const live = await proxy.api('/api/live?series=300&rows=1000');
  const rows = await proxy.rows();
  assert.equal(rows.length, load.length);
  const streams = rows.filter((row) => row.is_stream);
  const failed = rows.filter((row) => row.status >= 400);
  const end = Date.parse(live.series.end);
  const second = (time) => 299 - Math.floor((end - 1 - Math.floor(Date.parse(time))) / 1000);
  const perSecond = (list, time, value) => {
    const out = Array(300).fill(0);
    for (const row of list) out[second(row[time])] += value(row);
    return out;
  };

  await t.test('recent', () => {
    const r = live.recent;
    assert.equal(r.window_ms, 300000);
    assert.equal(r.finished, rows.length);
    assert.equal(r.errors, failed.length);
    assert.equal(r.unpriced, rows.filter((row) => row.cost_usd === null).length);
    near(r.error_rate, Math.round((failed.length / rows.length) * 1e4) / 1e4, 'error rate');
    const both = rows.filter((row) => known([row.tokens.input, row.tokens.cached_input]).length === 2);
    const share = sum(both.map((row) => row.tokens.cached_input)) / sum(both.map((row) => row.tokens.input));
    near(r.cached_share, Math.round(share * 1e4) / 1e4, 'cached share');
    assert.deepEqual(r.ttft_ms, percentiles(known(streams.map((row) => row.ttft_ms))));
    assert.deepEqual(r.duration_ms, percentiles(known(rows.map((row) => row.duration_ms))));
    const gaps = percentiles(known(streams.map((row) => row.chunk_gap_avg_ms)));
    assert.deepEqual(r.gap_ms, {
      ...gaps,
      p95: percentiles(known(streams.map((row) => row.chunk_gap_p95_ms))).p95,
      p99: null,
      max: Math.max(...known(streams.map((row) => row.chunk_gap_max_ms))),
    });
  });
  await t.test('minute', () => {
    near(live.minute.cost_usd, sum(known(rows.map((row) => row.cost_usd))), 'cost');
    assert.equal(live.minute.finished, rows.length);
    assert.equal(live.minute.unpriced, live.recent.unpriced);
  });
  await t.test('series', () => {
    const s = live.series;
    assert.deepEqual(s.requests, perSecond(rows, 'created_at', () => 1));
    assert.deepEqual(s.errors, perSecond(failed, 'completed_at', () => 1));
    assert.deepEqual(s.input_tokens, perSecond(rows, 'completed_at', (row) => row.tokens.input ?? 0));
    assert.equal(sum(s.response_bytes), sum(rows.map((row) => row.response_bytes)));
    near(sum(s.cost_usd), live.minute.cost_usd, 'cost');
    assert.ok(Math.max(...s.inflight) >= 1);
    /* The first stream counts a token an event; two are known by the end of it. */
    const tokens = sum(s.output_tokens);
    assert.ok(tokens >= 3 + 11 * 6 - 3 && tokens <= 12 * 6, `${tokens} tokens`);
  });
  await t.test('rates', () => {
    const last10 = (name) => sum(live.series[name].slice(-10)) / 10;
    near(Number(live.rates.requests_per_second), last10('requests'), 'requests');
    near(Number(live.rates.input_tokens_per_second), last10('input_tokens'), 'input');
    near(Number(live.rates.response_bytes_per_second), last10('response_bytes'), 'bytes');
    assert.ok(Math.abs(Number(live.rates.output_tokens_per_second) - last10('output_tokens')) < 1);
  });
  await t.test('models', () => {
    assert.deepEqual(
      live.models.map((m) => [m.model, m.provider_slug, m.requests, m.errors, m.unpriced]),
      [['priced', 'lab', 12, 0, 0], ['embed', null, 4, 0, 4], ['failing', null, 3, 3, 3]],
    ); // prettier-ignore
    const [m] = live.models;
    assert.equal(m.tokens.input, sum(streams.map((row) => row.tokens.input)));
    assert.equal(m.tokens.cached_input, sum(streams.map((row) => row.tokens.cached_input)));
    assert.equal(m.tokens.output, 72);
    near(m.cost_usd, live.minute.cost_usd, 'cost');
    const ttft = percentiles(known(streams.map((row) => row.ttft_ms)));
    assert.equal(m.ttft_ms_p50, ttft.p50);
    assert.equal(m.ttft_ms_p95, ttft.p95);
    assert.equal(live.models[2].tokens.output, null);
  });
  await t.test('upstreams', () => {
    const host = new URL(upstream.url).host;
    const of = (slug) => live.upstreams.find((u) => u.provider_slug === slug);
    assert.equal(live.upstreams.length, 2);
    assert.equal(of('lab').host, host);
    assert.equal(of('lab').base_url, upstream.url);
    assert.equal(of('lab').requests, 12);
    assert.equal(of('lab').state, 'ok');
    assert.equal(of(null).rate_limited, 3);
    assert.equal(of(null).state, 'limited');
    assert.equal(of(null).last_error, 'slow down.');
  });
  await t.test('problems', () => {
    assert.deepEqual(
      live.problems.map((p) => p.text),
      Array(3).fill('failing: slow down, client got 429'),
    );
    assert.deepEqual(
      live.problems.map((p) => p.id),
      failed.map((row) => row.id).reverse(),
    );
  });
});

test('an upstream that fails is shown as failing', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  upstream.fallback = (turn) => turn.json({}, 500);
  for (let i = 0; i < 5; i++) await proxy.send(proxy.post(EMBEDDINGS, { model: 'm' }));
  const failing = () =>
    until(async () => {
      const [u] = (await proxy.api('/api/live')).upstreams;
      return u && u.state;
    }, 'the upstream');
  await until(async () => (await failing()) === 'failing', 'five of ten');
  upstream.fallback = (turn) => turn.json({});
  for (let i = 0; i < 6; i++) await proxy.send(proxy.post(EMBEDDINGS, { model: 'm' }));
  await until(async () => (await failing()) === 'ok', 'four of ten');
});

test('a stream is the same with 24 viewers', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const events = Array.from({ length: 60 }, (_, i) => content(`${i} `));
  upstream.script(CHAT, async (turn) => {
    await turn.begin();
    for (const one of events) {
      await turn.chunk(one);
      await sleep(10);
    }
    await turn.finish();
  });
  let watching = true;
  let looks = 0;
  const watch = async (i) => {
    for (; watching; looks++) {
      const live = await proxy.api(`/api/live?since=${i}&text=1&rows=100`);
      assert.ok(live.rev >= 0);
      await sleep(50);
    }
  };
  const viewers = Array.from({ length: 24 }, (_, i) => watch(i));
  const answer = await proxy.send(proxy.post(CHAT, { model: 'm', stream: true }), { limit: 20000 });
  watching = false;
  await Promise.all(viewers);
  assert.equal(answer.text, events.join(''));
  assert.ok(looks > 24, `${looks} looks`);
  const { record } = await proxy.captured('model=m');
  assert.equal(record.outcome, 'cut', 'no end marker was sent');
  assert.equal(record.client_lag_max_ms, null, 'the client never waited');
});
