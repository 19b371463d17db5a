/* The mock upstream: what real clients read from it, and that the proxy changes nothing. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { folder, launch, mock, run, start } from './proxy.mjs';
import { ms, until, within } from './until.mjs';

const FAST = ['--ttft', '0', '--tps', '0'];
const messages = [{ role: 'user', content: 'Say something, please.' }];
const schema = {
  type: 'object',
  properties: { command: { type: 'string' }, times: { type: 'integer' } },
  required: ['command'],
};

async function clients(t, args = FAST) {
  const upstream = await mock(t, args);
  return {
    upstream,
    openai: new OpenAI({ baseURL: upstream.url, apiKey: 'none', maxRetries: 0 }),
    anthropic: new Anthropic({
      baseURL: upstream.url.replace(/\/v1$/, ''),
      apiKey: 'none',
      maxRetries: 0,
    }),
  };
}

test('the openai client reads chat answers, whole and streamed', async (t) => {
  const { openai } = await clients(t);
  const ask = { model: 'm,tokens=30,cached=50', messages };
  const whole = await openai.chat.completions.create(ask);
  assert.equal(whole.choices[0].finish_reason, 'stop');
  assert.equal(whole.usage.completion_tokens, 30);
  assert.equal(whole.usage.prompt_tokens_details.cached_tokens, whole.usage.prompt_tokens >> 1);
  const stream = openai.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
  const streamed = await stream.finalChatCompletion();
  assert.equal(streamed.usage.completion_tokens, 30);
  assert.equal(streamed.choices[0].message.content.split(' ').length, 30);
  assert.deepEqual((await openai.models.list()).data.map((model) => model.id), ['mock']);
});

test('the openai client reads responses, whole and streamed', async (t) => {
  const { openai } = await clients(t);
  const ask = { model: 'm,tokens=12,reasoning=5', input: 'Say something.' };
  const whole = await openai.responses.create(ask);
  assert.equal(whole.output_text.split(' ').length, 12);
  assert.equal(whole.usage.output_tokens_details.reasoning_tokens, 5);
  const stream = openai.responses.stream(ask);
  let text = '';
  stream.on('response.output_text.delta', (event) => (text += event.delta));
  const streamed = await stream.finalResponse();
  assert.equal(streamed.output_text, text);
  assert.equal(streamed.usage.output_tokens, 17);
});

test('the anthropic client reads messages, whole and streamed', async (t) => {
  const { anthropic } = await clients(t);
  const ask = { model: 'm,tokens=12,reasoning=5', max_tokens: 100, messages };
  const whole = await anthropic.messages.create(ask);
  assert.deepEqual(whole.content.map((block) => block.type), ['thinking', 'text']);
  assert.equal(whole.usage.output_tokens, 17);
  const streamed = await anthropic.messages.stream(ask).finalMessage();
  assert.deepEqual(streamed.content.map((block) => block.type), ['thinking', 'text']);
  assert.equal(streamed.usage.output_tokens, 17);
  assert.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
  assert.equal(streamed.stop_reason, 'end_turn');
  const count = await anthropic.messages.countTokens({ model: 'm', messages });
  assert.equal(count.input_tokens, whole.usage.input_tokens);
});

test('declared tools are called, streamed or not', async (t) => {
  const { openai, anthropic } = await clients(t, [...FAST, '--tool', 'bash']);
  const chat = {
    model: 'm',
    messages,
    tools: [{ type: 'function', function: { name: 'bash', parameters: schema } }],
  };
  for (const answer of [
    await openai.chat.completions.create(chat),
    await openai.chat.completions.stream(chat).finalChatCompletion(),
  ]) {
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(answer.choices[0].finish_reason, 'tool_calls');
    assert.equal(call.function.name, 'bash');
    const given = JSON.parse(call.function.arguments);
    assert.equal(typeof given.command, 'string');
    assert(Number.isInteger(given.times));
  }
  const ask = {
    model: 'm',
    max_tokens: 100,
    messages,
    tools: [{ name: 'bash', input_schema: schema }],
  };
  for (const answer of [
    await anthropic.messages.create(ask),
    await anthropic.messages.stream(ask).finalMessage(),
  ]) {
    assert.equal(answer.stop_reason, 'tool_use');
    assert.equal(answer.content[0].name, 'bash');
    assert.equal(typeof answer.content[0].input.command, 'string');
  }
  const response = await openai.responses
    .stream({
      model: 'm',
      input: 'x',
      tools: [{ type: 'function', name: 'bash', parameters: schema, strict: false }],
    })
    .finalResponse();
  assert.equal(response.output[0].type, 'function_call');
  assert.equal(typeof JSON.parse(response.output[0].arguments).command, 'string');
});

test('embeddings and transcriptions are answered', async (t) => {
  const { openai } = await clients(t);
  const ask = { model: 'm', input: ['same', 'other', 'same'], dimensions: 64 };
  const packed = await openai.embeddings.create(ask);
  const plain = await openai.embeddings.create({ ...ask, encoding_format: 'float' });
  const [first, second, third] = packed.data.map((item) => [...item.embedding]);
  assert.equal(first.length, 64);
  assert.deepEqual(first, third);
  assert.notDeepEqual(first, second);
  assert.deepEqual(first.map(Math.fround), plain.data[0].embedding.map(Math.fround));
  assert(Math.abs(first.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-5);
  const heard = await openai.audio.transcriptions.create({
    model: 'm,tokens=8',
    file: await toFile(Buffer.from('sound'), 'a.wav'),
  });
  assert.equal(heard.text.split(' ').length, 8);
});

test('errors come in the shape of each API', async (t) => {
  const { openai, anthropic } = await clients(t);
  const limited = await openai.chat.completions
    .create({ model: 'm,status=429,retry-after=7', messages })
    .catch((error) => error);
  assert(limited instanceof OpenAI.RateLimitError);
  assert.equal(limited.code, 'rate_limit_exceeded');
  assert.equal(limited.headers.get('retry-after'), '7');
  const overloaded = await anthropic.messages
    .create({ model: 'm,status=529', max_tokens: 9, messages })
    .catch((error) => error);
  assert.equal(overloaded.status, 529);
  assert.equal(overloaded.error.error.type, 'overloaded_error');
  const unknown = await openai.chat.completions
    .create({ model: 'm,tokem=5', messages })
    .catch((error) => error);
  assert(unknown instanceof OpenAI.BadRequestError);
  assert.match(unknown.message, /unknown option "tokem" .*did you mean "tokens"\?/);
  const cut = openai.chat.completions.stream({ model: 'm,tokens=20,cut', messages });
  await assert.rejects(cut.finalChatCompletion());
});

test('a share of requests fails', async (t) => {
  const { openai } = await clients(t, [...FAST, '--status', '500:0.3']);
  let failed = 0;
  for (let i = 0; i < 200; i++)
    await openai.chat.completions.create({ model: 'm,tokens=1', messages }).catch(() => failed++);
  assert(failed > 30 && failed < 90, `${failed} of 200`);
});

test('through the proxy every byte is the same', async (t) => {
  const upstream = await mock(t, FAST);
  const proxy = await start(t, { upstream });
  const asked = [
    ['/chat/completions', { model: 'm,tokens=20', stream: true, messages }],
    ['/chat/completions', { model: 'm,status=404', messages }],
    ['/responses', { model: 'm,tokens=20', stream: true, input: 'x' }],
    ['/messages', { model: 'm,tokens=20', max_tokens: 9, messages }],
    ['/embeddings', { model: 'm', input: 'x' }],
  ];
  for (const [path, body] of asked) {
    const get = async (base) => {
      const answer = await fetch(base + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return [answer.status, answer.headers.get('content-type'), await answer.text()];
    };
    assert.deepEqual(await get(`${proxy.url}/v1`), await get(upstream.url), path);
  }
});

test('tokens come at the pace that was asked for', async (t) => {
  const { openai } = await clients(t, ['--ttft', '150ms', '--tps', '100', '--tokens', '21']);
  const from = performance.now();
  const stream = await openai.chat.completions.create({ model: 'm', stream: true, messages });
  const seen = [];
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) seen.push(performance.now());
  assert(seen[0] - from >= 145, `first token after ${seen[0] - from} ms`);
  assert(seen.at(-1) - from >= 345, `last token after ${seen.at(-1) - from} ms`);
  assert(new Set(seen.map((at) => Math.round(at / 10))).size >= 5, 'they come one by one');
});

test('a signal ends it at once', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const { child, url } = await mock(t, ['--stall', '1h', '--ttft', '0']);
    const answer = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true, messages }),
    });
    child.kill(signal);
    assert.deepEqual(await within(child.gone, 'the mock to end', ms(2000)), { code: 0, signal: null });
    await assert.rejects(answer.text());
  }
});

test('mistakes on the command line are told', async () => {
  const wrong = await run(['mock', '--tps', 'fast']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--tps: "fast" is not/);
  assert.equal(wrong.out, '');
  const missing = await run(['mock', '--text', '/nowhere/at/all']);
  assert.equal(missing.code, 2);
  const help = await run(['mock', '--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /--qwen-tags/);
});

test('options of one request may come in a header, where the model has to keep its name', async (t) => {
  const { openai } = await clients(t);
  const ask = (options) =>
    openai.chat.completions.create({ model: 'gpt-x', messages }, { headers: { 'x-mock-options': options } });
  const answer = await ask('tokens=3');
  assert.equal(answer.usage.completion_tokens, 3);
  assert.equal(answer.model, 'gpt-x');
  await assert.rejects(ask('tokens=3,wrong=1'), { status: 400 });
});

test('serve --demo has one request of each kind to show', async (t) => {
  const proxy = await start(t, { args: ['--demo'] });
  assert.equal((await proxy.api('/admin/api/routes')).total, 0, 'nothing is stored for the demo');
  for (const endpoint of ['/v1/messages', '/v1/responses']) {
    const row = await proxy.row(endpoint, ms(10000));
    assert.equal(row.status, 200);
    assert(row.ttft_ms >= 90, `ttft ${row.ttft_ms}`);
  }
  const failed = await proxy.captured('status=429', ms(10000));
  assert.match(failed.record.upstream_error_message, /Rate limit/);
});

test('serve --demo leaves no file behind', async (t) => {
  const tmp = folder(t);
  const child = launch(['serve', '--port', '0', '--demo'], { env: { TMPDIR: tmp }, cwd: tmp });
  await until(() => child.out.includes(' listening on '), 'the server to listen', ms(10000));
  const [made] = readdirSync(tmp);
  assert.match(made, /^llm-observe-proxy-demo\./);
  assert(readdirSync(path.join(tmp, made)).includes('demo.sqlite3'));
  child.kill('SIGTERM');
  assert.deepEqual(await within(child.gone, 'the server to end', ms(15000)), { code: 0, signal: null });
  assert.deepEqual(readdirSync(tmp), []);
});
