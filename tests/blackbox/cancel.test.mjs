/* Cancelling a request in flight: what its client, the upstream and the database see of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { start } from './proxy.mjs';
import { deaf, scripted } from './upstream.mjs';
import { ms, until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const MESSAGE = 'Request cancelled by the operator.';
const content = (text) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const delta = (text) =>
  `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}\n\n`;

/** Wait for the only request in flight to be in a state. */
const inState = (proxy, state) =>
  until(
    async () => (await proxy.api('/api/live')).inflight.find((row) => row.state === state),
    `a request in state ${state}`,
  );

const cancel = (proxy, id, body) =>
  proxy.request('POST', `/api/requests/${id}/cancel`, {
    fields: body === undefined ? [] : [['Content-Type', 'application/json']],
    body: body === undefined ? undefined : JSON.stringify(body),
  });

/** Send a request, cancel it in a state; gives its answer, row, and when the cancel was answered. */
async function cancelled(proxy, state, { target = CHAT, value, raw, wait, reason }) {
  const wire = await proxy.connect();
  wire.send(raw ?? proxy.post(target, value), 'POST');
  const answer = wire.head();
  const row = await inState(proxy, state);
  if (wait) await wait(await answer, wire);
  const told = await cancel(proxy, row.id, reason && { reason });
  const at = performance.now();
  assert.equal(told.status, 200, told.text);
  assert.deepEqual(Object.keys(told.json).sort(), ['cancelled', 'elapsed_ms', 'id', 'state', 'tokens']);
  assert.equal(told.json.cancelled, true);
  assert.equal(told.json.id, row.id);
  assert.equal(told.json.state, state);
  const got = await answer;
  await wire.wait(() => got.complete || wire.closed, 'the end of the answer');
  const record = await until(async () => {
    const detail = await proxy.detail(row.id).catch(() => null);
    return detail?.record.completed_at && detail.record;
  }, 'the finished row');
  assert.equal(record.outcome, 'cancelled');
  assert.equal(record.terminated_by, 'cancelled');
  assert.equal(record.error, `cancelled by the operator${reason ? `: ${reason}` : ''}`);
  await until(async () => {
    const live = await proxy.api('/api/live');
    return live.inflight_total === 0 && live.totals.cancelled > 0;
  }, 'nothing in flight');
  const again = await cancel(proxy, row.id);
  assert.equal(again.status, 409);
  assert.deepEqual(again.json, { detail: 'Request is not in flight.' });
  wire.close();
  return { got, record, at };
}

function assertRefused({ got, record }, anthropic = false) {
  assert.equal(got.status, 499);
  assert.equal(got.field('x-should-retry'), 'false');
  assert.equal(got.json.error.message, MESSAGE);
  assert.equal(got.json.error.type, 'request_cancelled');
  assert.equal(got.json.type, anthropic ? 'error' : undefined);
  assert.equal(record.status, 499);
  assert.equal(record.response_bytes, got.size, 'what the client got is stored');
}

/** When the upstream saw its connection closed, behind the answer to the cancel. */
async function released(upstream, at) {
  const closed = await upstream.links.at(-1).gone();
  assert.ok(closed - at < ms(100), `the upstream was released after ${closed - at} ms`);
}

test('a request can be cancelled in each state', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });

  await t.test('while it arrives', async () => {
    const raw = `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"a"`;
    assertRefused(await cancelled(proxy, 'receiving', { raw, reason: 'too slow' }));
    assert.equal(upstream.requests.length, 0);
  });
  await t.test('while it waits for the head', async () => {
    upstream.script(CHAT, () => {});
    const done = await cancelled(proxy, 'waiting', { value: { model: 'm' } });
    assertRefused(done);
    await released(upstream, done.at);
  });
  await t.test('while a plain answer arrives', async () => {
    upstream.script(CHAT, async (turn) => {
      await turn.begin([['Content-Type', 'application/json']]);
      await turn.chunk('{"half":');
    });
    const done = await cancelled(proxy, 'streaming', { value: { model: 'm' } });
    assertRefused(done);
    await released(upstream, done.at);
  });
  await t.test('while it streams', async () => {
    upstream.script(CHAT, async (turn) => {
      await turn.begin();
      await turn.chunk(content('one') + content('two'));
    });
    const done = await cancelled(proxy, 'streaming', {
      value: { model: 'm', stream: true },
      wait: (answer, wire) => wire.wait(() => answer.text.includes('two'), 'the events'),
    });
    const told = `data: ${JSON.stringify({ error: { message: MESSAGE, type: 'request_cancelled' } })}\n\n`;
    assert.equal(done.got.text, content('one') + content('two') + told);
    assert.equal(done.got.complete, false, 'a cut answer looks cut');
    assert.equal(done.record.status, 200);
    assert.equal(done.record.response_bytes, done.got.size);
    await released(upstream, done.at);
  });
  await t.test('while it streams to an Anthropic client', async () => {
    upstream.script(MESSAGES, async (turn) => {
      await turn.begin();
      await turn.chunk(delta('one'));
    });
    const { got } = await cancelled(proxy, 'streaming', {
      target: MESSAGES,
      value: { model: 'm', stream: true },
      wait: (answer, wire) => wire.wait(() => answer.text.includes('one'), 'the events'),
    });
    const [, data] = /event: error\ndata: (.*)\n\n$/.exec(got.text);
    assert.deepEqual(JSON.parse(data), {
      type: 'error',
      error: { type: 'request_cancelled', message: MESSAGE },
    });
  });
  await t.test('and an Anthropic client gets its own kind of error', async () => {
    upstream.script(MESSAGES, () => {});
    const value = { model: 'm' };
    assertRefused(await cancelled(proxy, 'waiting', { target: MESSAGES, value }), true);
  });
  await t.test('the connection of the client serves on', async () => {
    upstream.script(CHAT, (turn) => turn.json({ ok: true }));
    assert.equal((await proxy.send(proxy.post(CHAT, { model: 'm' }))).status, 200);
  });
});

test('a request whose upstream cannot be reached can be cancelled', async (t) => {
  const proxy = await start(t, { upstream: await deaf(t) });
  assertRefused(await cancelled(proxy, 'waiting', { value: { model: 'm' } }));
});

test('a request that waits for its upstreams to cool down can be cancelled', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { default_routes: 0 } });
  upstream.script(CHAT, (turn) =>
    turn.answer(429, [['Retry-After', '20']], '{"error":{"message":"slow down"}}'),
  );
  const made = await proxy.request('POST', '/admin/api/routes', {
    fields: [['Content-Type', 'application/json']],
    body: JSON.stringify({
      model: 'several',
      upstreams: [{ upstream_url: upstream.url }, { upstream_url: `${upstream.url}/` }],
      max_retry_wait_ms: 30000,
    }),
  });
  assert.equal(made.status, 200, made.text);
  const wire = await proxy.connect();
  wire.send(proxy.post(CHAT, { model: 'several' }), 'POST');
  const answer = wire.head();
  const row = await inState(proxy, 'waiting');
  await until(() => upstream.of(CHAT).length >= 1, 'the first try');
  assert.equal((await cancel(proxy, row.id)).status, 200);
  assert.ok([429, 499].includes((await answer).status));
  wire.close();
  await until(async () => (await proxy.api('/api/live')).inflight_total === 0, 'nothing in flight');
});

test('what cannot be cancelled', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });

  await proxy.send(proxy.post('/v1/embeddings', { model: 'm' }));
  const { record } = await proxy.captured('model=m');
  assert.equal((await cancel(proxy, record.id)).status, 409);
  const unknown = await cancel(proxy, 987654321);
  assert.equal(unknown.status, 404);
  assert.deepEqual(unknown.json, { detail: 'Request not found.' });
  assert.equal((await cancel(proxy, record.id, ['no object'])).status, 422);

  const other = await start(t, { upstream, set: { allow_cancel: 0 } });
  const off = await cancel(other, 1);
  assert.equal(off.status, 403);
  assert.deepEqual(off.json, { detail: 'Cancelling is switched off.' });
});

test('the SDKs get one error and do not try again', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, args: ['--workers', '2'] });
  const openai = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'k', maxRetries: 2 });
  const anthropic = new Anthropic({ baseURL: proxy.url, apiKey: 'k', maxRetries: 2 });
  const messages = [{ role: 'user', content: 'x' }];
  const drain = async (stream) => {
    for await (const _ of await stream);
  };
  const started = `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [], model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } })}\n\n`;
  const cases = [
    ['openai', 'waiting', CHAT, () => {}, (model) => openai.chat.completions.create({ model, messages })],
    ['openai, streamed', 'streaming', CHAT, async (turn) => (await turn.begin(), turn.chunk(content('a'))), (model) => drain(openai.chat.completions.create({ model, messages, stream: true }))],
    ['anthropic', 'waiting', MESSAGES, () => {}, (model) => anthropic.messages.create({ model, messages, max_tokens: 9 })],
    ['anthropic, streamed', 'streaming', MESSAGES, async (turn) => (await turn.begin(), turn.chunk(started + delta('a'))), (model) => drain(anthropic.messages.create({ model, messages, max_tokens: 9, stream: true }))],
  ]; // prettier-ignore
  for (const [name, state, target, script, call] of cases) {
    await t.test(name, async () => {
      upstream.script(target, script);
      const before = upstream.requests.length;
      const failed = call(name).then(
        () => assert.fail('expected an error'),
        (error) => error,
      );
      const row = await inState(proxy, state);
      assert.equal((await cancel(proxy, row.id)).status, 200);
      const error = await failed;
      assert.match(JSON.stringify(error.error ?? error.message), /cancelled by the operator/);
      if (state === 'waiting') assert.equal(error.status, 499);
      await proxy.captured(`model=${encodeURIComponent(name)}`);
      assert.equal(upstream.requests.length, before + 1, 'it was asked once');
    });
  }
});
