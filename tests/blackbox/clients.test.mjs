/* The real SDKs: through the proxy they see exactly what they see without it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { mock, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms, until } from './until.mjs';
import { allBytes } from './wire.mjs';

const MOCK = ['--ttft', '5ms', '--tps', '2000', '--tokens', '30', '--seed', '7'];
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const openai = (url, more = {}) =>
  new OpenAI({ baseURL: url, apiKey: 'sk-test', maxRetries: 0, timeout: ms(20000), ...more });
const anthropic = (url, more = {}) =>
  new Anthropic({
    baseURL: url.replace(/\/v1$/, ''),
    apiKey: 'sk-ant-test',
    maxRetries: 0,
    timeout: ms(20000),
    ...more,
  });

const user = [{ role: 'user', content: 'Tell me about otters.' }];
const parameters = {
  type: 'object',
  properties: { command: { type: 'string' } },
  required: ['command'],
};

async function collect(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

/** Ids and times differ from answer to answer; nothing else may. */
function steady(value) {
  return JSON.parse(
    JSON.stringify(value, (key, v) =>
      /^(id|item_id|call_id|tool_call_id|response_id|created|created_at|completed_at|_request_id)$/.test(
        key,
      )
        ? typeof v
        : v,
    ),
  );
}

/** [name, client, call, stream?]; the model makes the row findable. */
const CASES = [
  ['chat', openai, (c, model) => c.chat.completions.create({ model, messages: user })],
  ['chat with options', openai, (c, model) => c.chat.completions.create({ model, messages: [{ role: 'system', content: 'Be brief. é🦦' }, ...user], temperature: 0.2, max_completion_tokens: 5, seed: 3 })],
  ['chat streamed', openai, (c, model) => collect(c.chat.completions.create({ model, messages: user, stream: true })), true],
  ['chat streamed with usage', openai, (c, model) => collect(c.chat.completions.create({ model, messages: user, stream: true, stream_options: { include_usage: true } })), true],
  ['chat with an image', openai, (c, model) => c.chat.completions.create({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: PIXEL } }] }] })],
  ['chat with tools', openai, (c, model) => c.chat.completions.create({ model: `${model},tool=bash`, messages: user, tools: [{ type: 'function', function: { name: 'bash', parameters } }] })],
  ['chat with tools, streamed', openai, (c, model) => collect(c.chat.completions.create({ model: `${model},tool=bash`, messages: user, stream: true, tools: [{ type: 'function', function: { name: 'bash', parameters } }] })), true],
  ['completions', openai, (c, model) => c.completions.create({ model, prompt: 'Once' })],
  ['completions streamed', openai, (c, model) => collect(c.completions.create({ model, prompt: 'Once', stream: true })), true],
  ['embeddings', openai, (c, model) => c.embeddings.create({ model, input: ['a', 'b'], encoding_format: 'float' })],
  ['embeddings in base64', openai, (c, model) => c.embeddings.create({ model, input: 'a' })],
  ['responses', openai, (c, model) => c.responses.create({ model, input: 'Hello' })],
  ['responses streamed', openai, (c, model) => collect(c.responses.create({ model, input: 'Hello', stream: true })), true],
  ['messages', anthropic, (c, model) => c.messages.create({ model, max_tokens: 100, messages: user })],
  ['messages streamed', anthropic, (c, model) => collect(c.messages.create({ model, max_tokens: 100, messages: user, stream: true })), true],
  ['messages with tools', anthropic, (c, model) => c.messages.create({ model: `${model},tool=bash`, max_tokens: 100, messages: user, tools: [{ name: 'bash', input_schema: parameters }] })],
  ['messages with tools, streamed', anthropic, (c, model) => c.messages.stream({ model: `${model},tool=bash`, max_tokens: 100, messages: user, tools: [{ name: 'bash', input_schema: parameters }] }).finalMessage(), 'folded'],
  ['messages with an image', anthropic, (c, model) => c.messages.create({ model, max_tokens: 50, messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL.split(',')[1] } }] }] })],
  ['count_tokens', anthropic, (c, model) => c.messages.countTokens({ model, messages: user })],
]; // prettier-ignore

/** JSON values of a captured event stream, without [DONE]. */
const events = (text) =>
  text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:') && !/^data: ?\[DONE\]/.test(line))
    .map((line) => JSON.parse(line.slice(5)));

test('SDKs get through the proxy what they get without it', async (t) => {
  const upstream = await mock(t, MOCK);
  const proxy = await start(t, { upstream });
  for (const [at, [name, make, call, streamed]] of CASES.entries()) {
    await t.test(name, async () => {
      const model = `case-${at}`;
      const wanted = await call(make(upstream.url), model);
      const got = await call(make(`${proxy.url}/v1`), model);
      assert.ok(!streamed || streamed === 'folded' || got.length > 2, `${got.length} events`);
      assert.deepEqual(steady(got), steady(wanted));

      const full = [model, `${model},tool=bash`].map(encodeURIComponent);
      await until(
        async () =>
          (await Promise.all(full.map((m) => proxy.rows(`model=${m}`))))
            .flat()
            .some((r) => r.completed_at),
        'a finished row',
      );
      const [{ id }] = (await Promise.all(full.map((m) => proxy.rows(`model=${m}`)))).flat();
      const {
        record,
        request_render: request,
        response_render: response,
      } = await proxy.detail(id, streamed ? 'sse' : 'json');
      assert.equal(record.status, 200);
      assert.equal(record.outcome, 'ok');
      assert.equal(record.is_stream, Boolean(streamed));
      assert.ok(JSON.parse(request.text).model.startsWith(model), 'the request is stored');
      assert.doesNotMatch(record.request_headers_json, /sk-(test|ant-test)/);
      if (!streamed) {
        if (name !== 'embeddings in base64')
          assert.deepEqual(steady(JSON.parse(response.text)), steady(withoutExtras(got)));
        return;
      }
      const stored = events(response.text);
      assert.ok(
        record.event_count >= 2 && record.event_count === stored.length,
        `${record.event_count} events, ${stored.length} stored`,
      );
      assert.equal(record.stream_done, true);
      assert.ok(record.ttft_ms !== null, 'the first token was timed');
      if (streamed === true && make === openai)
        assert.deepEqual(steady(stored), steady(withoutExtras(got)));
    });
  }
  await t.test('models', async () => {
    const wanted = await collect(openai(upstream.url).models.list());
    assert.deepEqual(
      steady(await collect(openai(`${proxy.url}/v1`).models.list())),
      steady(wanted),
    );
    assert.ok(wanted.length >= 1);
  });
  await t.test('many at once', async () => {
    const client = openai(`${proxy.url}/v1`);
    const one = () =>
      collect(client.chat.completions.create({ model: 'crowd', messages: user, stream: true }));
    const all = await Promise.all(Array.from({ length: 30 }, one));
    for (const got of all) assert.deepEqual(steady(got), steady(all[0]));
    await until(
      async () => (await proxy.rows('model=crowd')).filter((r) => r.completed_at).length === 30,
      '30 rows',
    );
  });
});

/** The SDK adds these to what was on the wire. */
function withoutExtras(value) {
  if (Array.isArray(value)) return value.map(withoutExtras);
  const { output_text: _, _request_id: __, parsed_output: ___, ...rest } = value;
  return rest;
}

test('SDKs see the errors of an upstream and of the proxy', async (t) => {
  const upstream = await mock(t, MOCK);
  const proxy = await start(t, { upstream });
  const chat = (url, model) => openai(url).chat.completions.create({ model, messages: user });
  const told = (error) => ({
    name: error.constructor.name,
    status: error.status,
    error: error.error,
    type: error.type,
  });

  await t.test('an HTTP error passes', async () => {
    const wanted = await chat(upstream.url, 'e,status=429').then(assert.fail, told);
    assert.deepEqual(await chat(`${proxy.url}/v1`, 'e,status=429').then(assert.fail, told), wanted);
    assert.equal(wanted.name, 'RateLimitError');
    const ant = (url) =>
      anthropic(url)
        .messages.create({ model: 'e,status=529', max_tokens: 9, messages: user })
        .then(assert.fail, told);
    assert.deepEqual(steady(await ant(`${proxy.url}/v1`)), steady(await ant(upstream.url)));
  });
  await t.test('a stream that breaks off throws', async () => {
    const cut = collect(
      openai(`${proxy.url}/v1`).chat.completions.create({
        model: 'e,cut',
        messages: user,
        stream: true,
      }),
    );
    await assert.rejects(cut);
    const ant = collect(
      anthropic(`${proxy.url}/v1`).messages.create({
        model: 'f,cut',
        max_tokens: 99,
        messages: user,
        stream: true,
      }),
    );
    await assert.rejects(ant);
  });
  await t.test('a stopped upstream is a 502 of the proxy', async () => {
    upstream.child.kill('SIGKILL');
    await upstream.child.gone;
    const error = await chat(`${proxy.url}/v1`, 'gone').then(assert.fail, (e) => e);
    assert.equal(error.status, 502);
    assert.equal(error.type, 'upstream_error');
    const ant = await anthropic(`${proxy.url}/v1`)
      .messages.create({ model: 'gone2', max_tokens: 9, messages: user })
      .then(assert.fail, (e) => e);
    assert.equal(ant.status, 502);
    assert.equal(ant.error.error.type, 'api_error');
  });
});

test('leaving a stream cancels it', async (t) => {
  const upstream = await mock(t, ['--ttft', '5ms', '--tps', '50', '--tokens', '2000']);
  const proxy = await start(t, { upstream });
  const stream = await openai(`${proxy.url}/v1`).chat.completions.create({
    model: 'left',
    messages: user,
    stream: true,
  });
  let seen = 0;
  for await (const _ of stream) if (++seen === 5) break;
  const { record } = await proxy.captured('model=left');
  assert.equal(record.outcome, 'client_gone');
  assert.ok(record.event_count >= 4);
});

test('uploads', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  upstream.script('/v1/audio/transcriptions', (turn) => turn.json({ text: 'a transcript' }));
  upstream.script('/v1/images/edits', (turn) =>
    turn.json({ created: 1, data: [{ b64_json: 'QUJD' }] }),
  );
  upstream.script('/v1/audio/speech', (turn) =>
    turn.answer(200, [['Content-Type', 'audio/mpeg']], allBytes(2000)),
  );
  const client = openai(`${proxy.url}/v1`);
  await t.test('audio', async () => {
    const file = await toFile(allBytes(200), 'speech.wav', { type: 'audio/wav' });
    const got = await client.audio.transcriptions.create({ file, model: 'whisper-1' });
    assert.equal(got.text, 'a transcript');
    assert.ok(upstream.of('/v1/audio/transcriptions')[0].body.includes(allBytes(200)));
    const row = await proxy.row('/v1/audio/transcriptions');
    assert.equal(row.model, 'whisper-1');
    const [{ parts }] = proxy.sql(
      `select request_parts_json as parts from requests where id = ${row.id}`,
    );
    const listed = JSON.parse(parts).find((part) => part.filename === 'speech.wav');
    assert.deepEqual(listed, {
      name: 'file',
      filename: 'speech.wav',
      content_type: 'audio/wav',
      size: 51200,
    });
  });
  await t.test('an image', async () => {
    const image = await toFile(allBytes(50), 'in.png', { type: 'image/png' });
    const got = await client.images.edit({ image, prompt: 'more otters', model: 'gpt-image-1' });
    assert.equal(got.data[0].b64_json, 'QUJD');
    assert.equal((await proxy.row('/v1/images/edits')).model, 'gpt-image-1');
  });
  await t.test('speech comes back byte for byte', async () => {
    const answer = await client.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input: 'hello',
    });
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(allBytes(2000)));
  });
});
