/* Rules of what is stored: reported errors, secrets, limits, refusals. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { until } from './until.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];
const CHAT = '/v1/chat/completions';
const sse = (...events) =>
  events.map((e) => `data: ${typeof e === 'string' ? e : JSON.stringify(e)}\n\n`).join('');
const content = (text, finish = null) => ({
  choices: [{ index: 0, delta: { content: text }, finish_reason: finish }],
});

/** [name, status, content type, body, [type, code, message]] */
const ERRORS = [
  ['an object', 400, 'application/json', '{"error":{"type":"t","code":"c","message":"m"}}', ['t', 'c', 'm']],
  ['a number as code', 429, 'application/json', '{"error":{"type":"t","code":429,"message":"m"}}', ['t', '429', 'm']],
  ['status in place of type', 400, 'application/json', '[{"error":{"code":400,"message":"m","status":"INVALID"}}]', ['INVALID', '400', 'm']],
  ['a string', 500, 'application/json', '{"error":"broken"}', [null, null, 'broken']],
  ['detail', 422, 'application/json', '{"detail":"missing"}', [null, null, 'missing']],
  ['message', 404, 'application/json', '{"message":"gone"}', [null, null, 'gone']],
  ['text', 503, 'text/plain', 'x'.repeat(300), [null, null, 'x'.repeat(200)]],
  ['in a 200', 200, 'application/json', '{"error":{"message":"late"}}', [null, null, 'late']],
  ['in an event', 200, 'text/event-stream', sse(content('a'), { error: { code: 502, message: 'provider' } }, { error: { message: 'second' } }, '[DONE]'), [null, '502', 'provider']],
  ['response.failed', 200, 'text/event-stream', sse({ type: 'response.failed', response: { error: { code: 'server_error', message: 'failed' } } }), [null, 'server_error', 'failed']],
  ['event: error', 200, 'text/event-stream', `event: error\n${sse({ type: 'error', error: { type: 'overloaded_error', message: 'busy' } })}`, ['overloaded_error', null, 'busy']],
  ['none', 200, 'application/json', '{"message":"fine","detail":"fine"}', [null, null, null]],
]; // prettier-ignore

test('errors that the upstream reports', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [at, [name, status, type, body, wanted]] of ERRORS.entries()) {
    await t.test(name, async () => {
      upstream.script(`/v1/told-${at}-`, (turn) =>
        turn.answer(status, [['Content-Type', type]], body),
      );
      await proxy.request('POST', `/v1/told-${at}-`, { fields: JSON_TYPE, body: '{"model":"m"}' });
      const row = await proxy.row(`/v1/told-${at}-`);
      const [stored] = proxy.sql(
        `select upstream_error_type t, upstream_error_code c, upstream_error_message m from requests where id=${row.id}`,
      );
      assert.deepEqual([stored.t, stored.c, stored.m], wanted);
      assert.equal(row.error, null, 'error is for the transport');
      assert.equal(row.upstream_error_message, wanted[2]);
      if (status === 200 && wanted[2]) assert.equal(row.outcome, 'upstream_error');
    });
  }
});

test('secrets are masked before they are stored', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const secrets = [
    ['Authorization', 'Bearer geheim-1', 'Bearer ***'], ['X-Api-Key', 'geheim-2', '***'], ['api-key', 'geheim-3', '***'],
    ['x-goog-api-key', 'geheim-4', '***'], ['Cookie', 'sid=geheim-5', '***'], ['X-Access-Token', 'geheim-6', '***'],
    ['X-Client-Secret', 'geheim-7', '***'], ['Proxy-Authorization', 'Basic geheim-8', 'Basic ***'],
    ['x_password', 'geheim-9', '***'], ['X-Amz-Security-Token', 'geheim-10', '***'],
    ['Idempotency-Key', 'kept', 'kept'], ['X-RateLimit-Remaining-Tokens', '5', '5'],
  ]; // prettier-ignore
  upstream.script('/v1/secret', (turn) =>
    turn.answer(200, [['Set-Cookie', 'a=geheim-11'], ['Set-Cookie', 'b=2'], ...JSON_TYPE], '{}'),
  );
  await proxy.request('POST', '/v1/secret?key=geheim-12&api_key=geheim-13&access_token=geheim-14&token=geheim-15&x=1', {
    fields: secrets.map(([name, value]) => [name, value]), body: '{}',
  }); // prettier-ignore
  const [seen] = upstream.of('/v1/secret');
  assert.equal(seen.field('x-api-key'), 'geheim-2', 'forwarding is not changed');
  assert.match(seen.target, /key=geheim-12/);
  const detail = await proxy.captured('endpoint=/v1/secret');
  const { record } = detail;
  const headers = JSON.parse(record.request_headers_json);
  for (const [name, , masked] of secrets) assert.equal(headers[name.toLowerCase()], masked, name);
  assert.equal(JSON.parse(record.response_headers_json)['set-cookie'], '***, ***');
  assert.equal(record.query_string, 'key=***&api_key=***&access_token=***&token=***&x=1');
  assert.ok(record.upstream_url.endsWith('?key=***&api_key=***&access_token=***&token=***&x=1'));
  assert.doesNotMatch(JSON.stringify(detail), /geheim/);
  assert.doesNotMatch(proxy.child.err, /geheim/, 'nor in the log');
  await proxy.stop();
  assert.ok(!readFileSync(proxy.database).includes('geheim'), 'nor anywhere in the file');
});

test('secrets are stored when that is asked for, but served masked', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { store_secrets: 1 } });
  const fields = [['Authorization', 'Bearer geheim']];
  await proxy.request('POST', '/v1/clear', { fields, body: '{}' });
  const { record } = await proxy.captured('endpoint=/v1/clear');
  assert.equal(JSON.parse(record.request_headers_json).authorization, 'Bearer ***');
  const [stored] = proxy.sql('select request_headers_json as headers from request_bodies');
  assert.equal(JSON.parse(stored.headers).authorization, 'Bearer geheim');
});

test('stored copies are limited, forwarding is not', async (t) => {
  const upstream = await scripted(t);
  const set = { capture_max_request_bytes: 1000, capture_max_response_bytes: 2000 };
  const proxy = await start(t, { upstream, set });
  const answer = JSON.stringify({ text: 'y'.repeat(5000) });
  upstream.script('/v1/large', (turn) => turn.answer(200, JSON_TYPE, answer));
  const body = JSON.stringify({ model: 'large', text: 'x'.repeat(3000) });
  assert.equal(
    (await proxy.request('POST', '/v1/large', { fields: JSON_TYPE, body })).text,
    answer,
  );
  assert.equal(upstream.of('/v1/large')[0].text, body);
  const detail = await proxy.captured('model=large');
  assert.equal(detail.record.request_bytes, body.length);
  assert.equal(detail.record.response_bytes, answer.length);
  assert.ok(detail.request_render.text.length <= 1100, 'a prefix is stored');
  assert.ok(detail.response_render.text.length <= 2100, 'a prefix is stored');
  const [row] = proxy.sql(
    'select request_body_truncated a, response_body_truncated b from requests',
  );
  assert.deepEqual(row, { a: 1, b: 1 });

  await t.test('facts of a stream are right all the same', async () => {
    upstream.script(CHAT, async (turn) => {
      await turn.begin();
      for (let i = 0; i < 50; i++) await turn.chunk(sse(content('word '.repeat(20))));
      await turn.chunk(sse(content('', 'length'), '[DONE]'));
      await turn.finish();
    });
    await proxy.send(proxy.post(CHAT, { model: 'long', stream: true }));
    const { record } = await proxy.captured('model=long');
    assert.equal(record.event_count, 51);
    assert.equal(record.finish_reason, 'length');
    assert.equal(record.stream_done, true);
  });
});

test('what is refused under /v1 is captured too', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  await proxy.request('POST', '/v1/refused/../x', { body: '{}' });
  await until(async () => (await proxy.rows()).length === 1, 'a row of the refused request');
  const [row] = await proxy.rows();
  assert.equal(row.status, 400);
  assert.equal(row.terminated_by, 'refused');
  assert.ok(row.error);
  assert.ok(row.completed_at);
});

test('a message that is refused before it is a request leaves a row as well', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const wire = await proxy.connect();
  wire.send('POST /v1/refused-head?key=geheim HTTP/1.1\r\nHost: localhost\r\nBad Name: 1\r\n\r\n', 'POST');
  const answer = await wire.response();
  assert.equal(answer.status, 400);
  const { record, response_render: render } = await proxy.captured('endpoint=/v1/refused-head');
  assert.equal(record.method, 'POST');
  assert.equal(record.status, 400);
  assert.equal(record.terminated_by, 'refused');
  assert.equal(record.query_string, 'key=***');
  assert.ok(record.error.includes('header name'), record.error);
  assert.deepEqual(JSON.parse(render.text), answer.json);
  assert.equal(record.response_bytes, answer.size);
});
