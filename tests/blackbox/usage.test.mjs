/* What answers say about themselves becomes columns: tokens, names, calls, images. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';

const JSON_TYPE = [['Content-Type', 'application/json']];
const STREAM_TYPE = [['Content-Type', 'text/event-stream']];
const CHAT = '/v1/chat/completions';
const sse = (...events) =>
  events.map((e) => `data: ${typeof e === 'string' ? e : JSON.stringify(e)}\n\n`).join('');
const USAGE = {
  prompt_tokens: 1200,
  completion_tokens: 34,
  total_tokens: 1234,
  prompt_tokens_details: { cached_tokens: 1000 },
  completion_tokens_details: { reasoning_tokens: 30 },
  cost: 0.0012345,
};
const PNG = 'iVBORw0KGgoAAAANSUhEUg==';

/** Send a request to an upstream that answers so; gives what was stored. */
async function asked(proxy, upstream, endpoint, type, answer, request = { model: 'm' }) {
  upstream.script(endpoint, (turn) => turn.answer(200, type, answer));
  await proxy.send(proxy.post(endpoint, request));
  const row = await proxy.row(endpoint);
  return (await proxy.detail(row.id)).record;
}

test('tokens of an answer are shown by the API, by lists and by show', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const answer = JSON.stringify({
    id: 'x-1',
    model: 'm-2026',
    service_tier: 'flex',
    choices: [{ message: { tool_calls: [{ id: 'a' }, { id: 'b' }] }, finish_reason: 'tool_calls' }],
    usage: USAGE,
  });
  const record = await asked(proxy, upstream, CHAT, JSON_TYPE, answer);
  assert.equal(record.tokens.input, 1200);
  assert.equal(record.tokens.cached_input, 1000);
  assert.equal(record.tokens.output, 34);
  assert.equal(record.tokens.total, 1234);
  assert.equal(record.reasoning_tokens, 30);
  assert.equal(record.cache_write_input_tokens, null);
  assert.equal(record.reported_cost_usd, 0.0012345);
  assert.equal(record.response_model, 'm-2026');
  assert.equal(record.response_id, 'x-1');
  assert.equal(record.service_tier, 'flex');
  assert.equal(record.finish_reason, 'tool_calls');
  assert.equal(record.tool_call_count, 2);
  assert.equal(record.has_tool_calls, true);
  const list = await run(['requests', 'list', '--url', proxy.url, '--columns', 'in,out,total']);
  assert.equal(list.code, 0, list.err);
  assert.match(list.out, /1200\t34\t1234/);
  const show = await run(['requests', 'show', String(record.id), '--url', proxy.url]);
  assert.match(show.out, /1,?200/);
});

test('sums that are too large to count are unknown, and say so', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const must = async (target, value) =>
    assert.equal((await proxy.send(proxy.post(target, value))).status, 200, target);
  await must('/admin/api/providers', { slug: 'lab', name: 'Lab', upstream_url: upstream.url });
  await must('/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'm', input_usd_per_million: 1e6, output_usd_per_million: 1e6,
  }); // prettier-ignore
  await must('/api/runs/start', { name: 'dear' });
  const usage = { prompt_tokens: 8e6, completion_tokens: 1e6, cost: 9e6 };
  for (const path of ['/v1/a', '/v1/b'])
    assert.equal(
      (await asked(proxy, upstream, path, JSON_TYPE, JSON.stringify({ usage }))).cost_usd,
      9e6,
    );
  const today = (await proxy.api('/admin/api/providers/usage')).find((p) => p.provider_slug === 'lab');
  assert.equal(today.requests_today, 2);
  assert.equal(today.estimated_cost_usd, null);
  assert.equal(today.cost_overflow, true);
  const { stats } = await proxy.api('/api/runs/1/stats');
  assert.equal(stats.cost_usd, null);
  assert.equal(stats.reported_cost_usd, null);
  assert.equal(stats.cost_overflow, true);
});

test('an answer that reports nothing has unknown tokens, not 0', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const record = await asked(proxy, upstream, CHAT, JSON_TYPE, '{"choices":[]}');
  for (const key of ['input', 'cached_input', 'output', 'total'])
    assert.equal(record.tokens[key], null, key);
  const read = await asked(proxy, upstream, '/v1/responses/r1/cancel', JSON_TYPE, JSON.stringify({ usage: USAGE }));
  assert.equal(read.tokens.total, null, 'a read of a stored answer consumes nothing');
});

test('the speed of a stream without usage is estimated from its content', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const word = sse({ choices: [{ index: 0, delta: { content: 'word ' } }] });
  upstream.script(CHAT, async (turn) => {
    turn.begin();
    for (let i = 0; i < 20; i++) turn.chunk(word);
    await new Promise((done) => setTimeout(done, 50));
    turn.chunk(sse({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }, '[DONE]'));
    turn.finish();
  });
  await proxy.send(proxy.post(CHAT, { model: 'm', stream: true }));
  const { id } = await proxy.row(CHAT);
  const { record } = await proxy.detail(id);
  assert.equal(record.tokens.output, null);
  assert.equal(record.tokens_per_second, null);
  assert.equal(record.generation_tps_estimated, true);
  const seconds = (record.duration_ms - record.ttft_ms) / 1000;
  assert.equal(record.generation_tps, (20 / seconds).toFixed(2));
  const show = await run(['requests', 'show', String(id), '--url', proxy.url]);
  assert.match(show.out, /~[\d.]+ tok\/s/);
});

test('a stream that is not stored whole is counted all the same', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { capture_max_response_bytes: 100 } });
  const call = (index, name) => ({
    choices: [{ index: 0, delta: { tool_calls: [{ index, function: { name } }] } }],
  });
  const words = Array.from({ length: 500 }, () => ({
    choices: [{ index: 0, delta: { content: 'word ' } }],
    usage: null,
  }));
  const record = await asked(
    proxy,
    upstream,
    CHAT,
    STREAM_TYPE,
    sse({ id: 's-1', model: 'm-s', choices: [] }, ...words, call(0, 'f'), call(1, 'g'), { choices: [], usage: USAGE }, '[DONE]'),
    { model: 'm', stream: true },
  );
  assert.equal(record.tokens.total, 1234);
  assert.equal(record.reasoning_tokens, 30);
  assert.equal(record.response_id, 's-1');
  assert.equal(record.response_model, 'm-s');
  assert.equal(record.tool_call_count, 2);
  const [stored] = proxy.sql('select response_body_truncated c from requests');
  assert.equal(stored.c, 1);
});

test('a client that goes away leaves the usage so far', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  upstream.script('/v1/messages', async (turn) => {
    await turn.begin();
    await turn.chunk(sse({ type: 'message_start', message: { id: 'msg_1', model: 'c', usage: { input_tokens: 50, output_tokens: 1 } } }));
    await turn.gone();
  });
  const wire = await proxy.connect();
  wire.send(proxy.post('/v1/messages', { model: 'c', stream: true }));
  const answer = await wire.head();
  await wire.wait(() => answer.body.includes('message_start'), 'the first event');
  wire.close();
  const row = await proxy.row('/v1/messages');
  assert.equal(row.terminated_by, 'client_disconnect');
  assert.equal(row.tokens.input, 50);
  assert.equal(row.response_model, 'c');
});

test('images of a request are listed once, by reference to its body', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const url = `data:image/png;base64,${PNG}`;
  const request = {
    model: 'm',
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }, { type: 'image_url', image_url: { url } }, { type: 'input_image', image_url: 'https://img.test/a.png' }] }],
  };
  const record = await asked(proxy, upstream, CHAT, JSON_TYPE, '{}', request);
  assert.equal(record.has_images, true);
  assert.equal(record.has_tool_calls, false);
  assert.deepEqual((await proxy.detail(record.id)).images, [
    { kind: 'data_url', mime_type: 'image/png', source: url, data_base64: PNG },
    { kind: 'url', mime_type: null, source: 'https://img.test/a.png', data_base64: null },
  ]);
  assert.deepEqual(
    proxy.sql('select kind, mime_type, source, data_base64 d from image_assets order by id').map((r) => [r.kind, r.source, r.d]),
    [['data_url', 'data:image/png;base64,', null], ['url', 'https://img.test/a.png', null]],
  );
});

test('images of a request whose body is not stored whole are stored themselves', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { capture_max_request_bytes: 10 } });
  const boundary = 'xyz';
  const body = `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nhello\r\n--${boundary}--\r\n`;
  upstream.script('/v1/images/edits', (turn) => turn.answer(200, JSON_TYPE, '{}'));
  await proxy.request('POST', '/v1/images/edits', {
    fields: [['Content-Type', `multipart/form-data; boundary=${boundary}`]],
    body,
  });
  const row = await proxy.row('/v1/images/edits');
  assert.equal(row.has_images, true);
  assert.deepEqual((await proxy.detail(row.id)).images, [
    { kind: 'upload', mime_type: 'image/png', source: 'multipart:image:a.png', data_base64: 'aGVsbG8=' },
  ]);
});

test('tools are seen in requests and in answers', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const asks = await asked(proxy, upstream, CHAT, JSON_TYPE, '{}', { model: 'm', messages: [{ role: 'tool', tool_call_id: 'a' }] });
  assert.equal(asks.has_tool_calls, true);
  const plain = await asked(proxy, upstream, '/v1/completions', JSON_TYPE, '{}', { model: 'm', prompt: 'about "tool_calls"' });
  assert.equal(plain.has_tool_calls, false);
});
