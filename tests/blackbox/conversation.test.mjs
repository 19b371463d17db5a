/* A request and its answer as messages: what the SDKs see is what the conversation says. */
import assert from 'node:assert/strict';
import test from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { mock, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms } from './until.mjs';

const MOCK = ['--ttft', '5ms', '--tps', '2000', '--tokens', '30', '--seed', '7'];
const user = [{ role: 'user', content: 'Tell me about otters.' }];
const parameters = { type: 'object', properties: { command: { type: 'string' } } };
const LIMITS = { maxRetries: 0, timeout: ms(20000) };

async function collect(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

const answered = (c) => c.messages.at(-1).parts;
const texts = (parts) => parts.filter((p) => p.type === 'text').map((p) => p.text).join('');

/** [name, format, model, call]; the call gives what the SDK made of the answer. */
const openai = (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-test', ...LIMITS });
const anthropic = (url) => new Anthropic({ baseURL: url, apiKey: 'sk-test', ...LIMITS });
const TOOLS = [{ type: 'function', function: { name: 'bash', parameters } }];
const textOf = (chunks) => chunks.map((c) => c.choices[0]?.delta?.content ?? '').join('');
const CASES = [
  ['chat', 'chat', async (url, model) => (await openai(url).chat.completions.create({ model, messages: user })).choices[0].message.content],
  ['chat, streamed', 'chat', async (url, model) => textOf(await collect(openai(url).chat.completions.create({ model, messages: user, stream: true })))],
  ['completions', 'completions', async (url, model) => (await openai(url).completions.create({ model, prompt: 'Once' })).choices[0].text],
  ['completions, streamed', 'completions', async (url, model) => (await collect(openai(url).completions.create({ model, prompt: 'Once', stream: true }))).map((c) => c.choices[0]?.text ?? '').join('')],
  ['responses', 'responses', async (url, model) => (await openai(url).responses.create({ model, input: 'Hello' })).output_text],
  ['responses, streamed', 'responses', async (url, model) => (await openai(url).responses.stream({ model, input: 'Hello' }).finalResponse()).output.flatMap((i) => i.content ?? []).map((c) => c.text).join('')],
  ['messages', 'messages', async (url, model) => (await anthropic(url).messages.create({ model, max_tokens: 100, messages: user })).content[0].text],
  ['messages, streamed', 'messages', async (url, model) => anthropic(url).messages.stream({ model, max_tokens: 100, messages: user }).finalText()],
]; // prettier-ignore

/** What was called, as the SDK has it. */
const CALLS = [
  ['chat', async (url, model) => (await openai(url).chat.completions.create({ model, messages: user, tools: TOOLS })).choices[0].message.tool_calls[0].function.arguments],
  ['chat, streamed', async (url, model) => (await openai(url).chat.completions.stream({ model, messages: user, tools: TOOLS }).finalChatCompletion()).choices[0].message.tool_calls[0].function.arguments],
  ['messages, streamed', async (url, model) => JSON.stringify((await anthropic(url).messages.stream({ model, max_tokens: 100, messages: user, tools: [{ name: 'bash', input_schema: parameters }] }).finalMessage()).content.find((c) => c.type === 'tool_use').input)],
]; // prettier-ignore

async function conversationOf(proxy, model) {
  const { record } = await proxy.captured(`model=${encodeURIComponent(model)}`);
  const answer = await proxy.api(`/api/requests/${record.id}/conversation`);
  const twin = await proxy.api(`/admin/api/requests/${record.id}/conversation`);
  assert.deepEqual(twin, answer);
  assert.equal(answer.id, record.id);
  assert.equal(answer.usage.output, record.tokens.output);
  return answer;
}

test('the conversation has the text that SDKs get', async (t) => {
  const proxy = await start(t, { upstream: await mock(t, MOCK) });
  for (const [at, [name, format, call]] of CASES.entries()) {
    await t.test(name, async () => {
      const model = `case-${at}`;
      const wanted = await call(proxy.url, model);
      const got = await conversationOf(proxy, model);
      assert.ok(wanted.length > 0);
      assert.equal(got.format, format);
      assert.equal(got.model, model);
      assert.equal(got.notice, null);
      assert.equal(got.messages[0].parts[0].text.length > 0, true);
      assert.equal(texts(answered(got)), wanted);
      assert.equal(got.choices.length, 1);
      assert.ok(got.choices[0].finish_reason);
      if (!name.endsWith('streamed')) return assert.equal(got.stream, null);
      assert.equal(got.stream.state, 'complete');
      assert.equal(got.stream.unknown, 0);
    });
  }
});

test('the conversation has the calls that SDKs get', async (t) => {
  const proxy = await start(t, { upstream: await mock(t, MOCK) });
  for (const [at, [name, call]] of CALLS.entries()) {
    await t.test(name, async () => {
      const model = `call-${at},tool=bash`;
      const wanted = JSON.parse(await call(proxy.url, model));
      const got = await conversationOf(proxy, model);
      const part = answered(got).find((p) => p.type === 'tool_call');
      assert.equal(part.name, 'bash');
      assert.ok(part.id);
      assert.deepEqual(part.arguments, wanted);
      assert.deepEqual(JSON.parse(part.arguments_raw), wanted);
      assert.equal(got.tools[0].name, 'bash');
      assert.deepEqual(got.tools[0].parameters, parameters);
    });
  }
});

test('a stream that breaks off says where', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const endpoint = '/v1/chat/completions';
  const delta = (d) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: d }] })}\n\n`;
  const body = `${delta({ content: 'Ott' })}${delta({ content: 'ers' })}data: {"choices":[{"in`;
  upstream.script(endpoint, (turn) =>
    turn.answer(200, [['Content-Type', 'text/event-stream']], body),
  );
  await proxy.send(proxy.post(endpoint, { model: 'cut', messages: user, stream: true }));
  const got = await conversationOf(proxy, 'cut');
  assert.equal(texts(answered(got)), 'Otters');
  assert.equal(got.choices[0].finish_reason, null);
  assert.equal(got.stream.state, 'stopped');
  assert.equal(got.stream.inside_event, true);
  assert.deepEqual(got.stream.unknown_events, [{ event: 2, raw: '{"choices":[{"in' }]);
});

test('a request that goes on with another one names it', async (t) => {
  const proxy = await start(t, { upstream: await mock(t, MOCK) });
  const say = (model, messages) =>
    openai(proxy.url).chat.completions.create({ model, messages });
  await say('other', [{ role: 'user', content: 'Something else.' }]);
  await say('first', user);
  const first = await conversationOf(proxy, 'first');
  assert.equal(first.related, null);
  await say('second', [...user, { role: 'assistant', content: 'a' }, { role: 'user', content: 'b' }]);
  const second = await conversationOf(proxy, 'second');
  assert.deepEqual(second.related, { previous_id: first.id, shared_messages: 1 });
});

test('what has no conversation is told', async (t) => {
  const proxy = await start(t, { upstream: await mock(t, MOCK) });
  await proxy.send(proxy.post('/v1/embeddings', { model: 'none', input: 'x' }));
  const got = await conversationOf(proxy, 'none');
  assert.equal(got.format, null);
  assert.match(got.notice, /no conversation/);
  const missing = await proxy.get('/api/requests/999999/conversation');
  assert.equal(missing.status, 404);
  assert.equal(JSON.parse(missing.text).detail, 'Request not found.');
});

test('show prints the conversation, from the proxy and from the file', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const endpoint = '/v1/chat/completions';
  const message = {
    role: 'assistant',
    content: 'Two\u001b[31m otters.',
    reasoning_content: 'Count.',
    tool_calls: [{ id: 'c1', function: { name: 'count', arguments: '{"what": 1}' } }],
  };
  const answer = JSON.stringify({ choices: [{ message, finish_reason: 'tool_calls' }] });
  upstream.script(endpoint, (turn) =>
    turn.answer(200, [['Content-Type', 'application/json']], answer),
  );
  await proxy.send(proxy.post(endpoint, { model: 'talk', messages: user }));
  const { id } = await conversationOf(proxy, 'talk');
  const show = ['requests', 'show', String(id), '--part', 'conversation'];
  const served = await run([...show, '--url', proxy.url]);
  assert.equal(served.code, 0, served.err);
  assert.match(served.out, /^user\nTell me about otters\.\n\nassistant\n/);
  assert.match(served.out, /\[reasoning\]\nCount\.\nTwo\\e\[31m otters\.\n/);
  assert.match(served.out, /\[tool_call function count c1\]\n\{"what": 1\}\n\nfinish  tool_calls\n$/);
  const json = await run([...show, '--url', proxy.url, '--json=format,choices']);
  assert.equal(json.code, 0, json.err);
  assert.equal(JSON.parse(json.out).format, 'chat');
  const both = await run([...show.slice(0, 4), 'head,conversation', '--url', proxy.url]);
  assert.equal(both.code, 2);
  assert.match(both.err, /no other part/);
  await proxy.stop();
  const stored = await run([...show, '--database-url', `sqlite:///${proxy.database}`]);
  assert.equal(stored.code, 0, stored.err);
  assert.equal(stored.out, served.out);
});
