/* Compatibility fixes: what clients get of an answer that needs one, and what the record tells. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import OpenAI from 'openai';
import { run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { ms } from './until.mjs';

const QWEN = 'qwen-tagged-tool-call-rewrite';
const THINK = 'reasoning-tags-to-reasoning-content';
const REPAIR = 'tool-arguments-json-repair';
const CHAT = '/v1/chat/completions';
const JSON_TYPE = [['Content-Type', 'application/json']];
const SSE = [['Content-Type', 'text/event-stream']];
const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'tide_table',
      parameters: {
        type: 'object',
        properties: { port: { type: 'string' }, days: { type: 'integer' } },
        required: ['port'],
      },
    },
  },
];
const BLOCK =
  '<tool_call>\n<function=tide_table>\n<parameter=port>\nRoscoff\n</parameter>\n' +
  '<parameter=days>3</parameter>\n</function>\n</tool_call>';
const request = { model: 'm', messages: [{ role: 'user', content: 'Tides?' }], tools: TOOLS };

const chunk = (delta, finish_reason = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason }],
});
const sse = (...events) =>
  events.map((e) => `data: ${typeof e === 'string' ? e : JSON.stringify(e)}\n\n`).join('');
const answer = (message, finish_reason = 'stop') =>
  JSON.stringify({ id: 'c1', choices: [{ index: 0, message, finish_reason }] });
const TAGGED = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ reasoning_content: 'Need it. ' }),
  chunk({ reasoning_content: BLOCK.slice(0, 5) }),
  chunk({ reasoning_content: BLOCK.slice(5, 40) }),
  chunk({ reasoning_content: BLOCK.slice(40) }),
  chunk({}, 'stop'),
  '[DONE]',
];

async function proxied(t, ...fixes) {
  const upstream = await scripted(t);
  const proxy = await start(t, {
    upstream,
    env: { LLM_OBSERVE_DEFAULT_FIXES_JSON: JSON.stringify(fixes) },
  });
  return { upstream, proxy };
}

async function detail(proxy) {
  const row = await proxy.row(CHAT);
  return proxy.detail(row.id);
}

const client = (proxy) =>
  new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'sk-test', maxRetries: 0, timeout: ms(20000) });

test('the SDK sees a tool call where the model wrote one as text', async (t) => {
  const { upstream, proxy } = await proxied(t, QWEN);
  upstream.script(CHAT, (turn) => turn.answer(200, JSON_TYPE, answer({ role: 'assistant', content: null, reasoning_content: BLOCK })));
  const { choices } = await client(proxy).chat.completions.create(request);
  const { record, raw_response_render: raw } = await detail(proxy);
  assert.equal(choices[0].finish_reason, 'tool_calls');
  assert.deepEqual(choices[0].message.tool_calls, [
    {
      id: `call_qwen_rewrite_${record.id}_0`,
      type: 'function',
      function: { name: 'tide_table', arguments: '{"port":"Roscoff","days":3}' },
    },
  ]);
  assert.equal(record.response_was_rewritten, true);
  assert.equal(record.compatibility_label, 'rewritten');
  assert.deepEqual(JSON.parse(record.compat_fixes_json), {
    applied: [{ action: 'promoted_qwen_tagged_tool_call', function: 'tide_table', id: QWEN }],
    configured: [QWEN],
  });
  assert.equal(record.compat_fix_errors_json, null);
  assert.match(raw.text, /<tool_call>/);
  const show = await run(['requests', 'show', String(record.id), '--url', proxy.url]);
  assert.match(show.out, /fixed +promoted_qwen_tagged_tool_call tide_table/);
}); // prettier-ignore

test('the SDK sees a tool call in a stream, in pieces and compressed', async (t) => {
  for (const zip of [false, true]) {
    const { upstream, proxy } = await proxied(t, QWEN);
    upstream.script(CHAT, async (turn) => {
      await turn.begin(zip ? [...SSE, ['Content-Encoding', 'gzip']] : SSE);
      const bytes = zip ? gzipSync(sse(...TAGGED)) : Buffer.from(sse(...TAGGED));
      for (let i = 0; i < bytes.length; i += 37) await turn.chunk(bytes.subarray(i, i + 37));
      await turn.finish();
    });
    const stream = client(proxy).chat.completions.stream({ ...request, stream: true });
    const { choices } = await stream.finalChatCompletion();
    assert.equal(choices[0].finish_reason, 'tool_calls');
    assert.equal(choices[0].message.tool_calls[0].function.arguments, '{"port":"Roscoff","days":3}');
    const { record } = await detail(proxy);
    assert.equal(record.response_was_rewritten, true);
    assert.equal(record.tool_call_count, 1);
    assert.equal(record.finish_reason, 'tool_calls');
  }
}); // prettier-ignore

test('what is doubtful passes unchanged, with a warning and the bytes of the upstream', async (t) => {
  const { upstream, proxy } = await proxied(t, QWEN);
  const body = sse(...TAGGED).replace('tide_table', 'open_valve');
  upstream.script(CHAT, (turn) => turn.answer(200, SSE, body));
  const reply = await proxy.send(proxy.post(CHAT, { ...request, stream: true }));
  assert.equal(reply.body.toString(), body);
  const { record, raw_response_render: raw } = await detail(proxy);
  assert.equal(record.response_was_rewritten, false);
  assert.equal(record.compatibility_label, 'warned');
  assert.deepEqual(JSON.parse(record.compat_fix_errors_json), {
    warnings: ["Qwen tool-call rewrite rejected: undeclared tool 'open_valve'."],
  });
  assert.equal(raw.text, body);
  const show = await run(['requests', 'show', String(record.id), '--url', proxy.url]);
  assert.match(show.out, /warned +Qwen tool-call rewrite rejected: undeclared tool 'open_valve'/);
});

test('reasoning tags and broken arguments are mended for the SDK', async (t) => {
  const { upstream, proxy } = await proxied(t, THINK, REPAIR);
  const call = (more) => chunk({ tool_calls: [{ index: 0, ...more }] });
  upstream.script(CHAT, (turn) =>
    turn.answer(
      200,
      SSE,
      sse(
        chunk({ role: 'assistant', content: '<thi' }),
        chunk({ content: 'nk>Hm.</think>\n\nHere' }),
        call({ id: 'x', type: 'function', function: { name: 'tide_table', arguments: '' } }),
        call({ function: { arguments: '{"port":' } }),
        call({ function: { arguments: '"Brest",' } }),
        chunk({}, 'tool_calls'),
        '[DONE]',
      ),
    ),
  );
  const stream = client(proxy).chat.completions.stream({ ...request, stream: true });
  let reasoning = '';
  stream.on('chunk', (c) => (reasoning += c.choices[0].delta.reasoning_content ?? ''));
  const { choices } = await stream.finalChatCompletion();
  assert.equal(reasoning, 'Hm.');
  assert.equal(choices[0].message.content, 'Here');
  assert.equal(choices[0].message.tool_calls[0].function.arguments, '{"port":"Brest"}');
  const { record } = await detail(proxy);
  assert.deepEqual(JSON.parse(record.compat_fixes_json), {
    applied: [
      { action: 'moved_reasoning_tags', id: THINK },
      { action: 'repaired_tool_arguments', function: 'tide_table', id: REPAIR },
    ],
    configured: [THINK, REPAIR],
  });
});

test('headers fit the body that was written anew', async (t) => {
  const { upstream, proxy } = await proxied(t, THINK);
  const say = (content) => (turn) =>
    turn.answer(200, [...JSON_TYPE, ['ETag', '"a"']], answer({ content }));
  upstream.script(CHAT, say('<think>a</think>b'));
  const changed = await proxy.send(proxy.post(CHAT, request));
  assert.equal(JSON.parse(changed.body).choices[0].message.reasoning_content, 'a');
  assert.equal(changed.field('etag'), undefined);
  upstream.script(CHAT, say('b'));
  const same = await proxy.send(proxy.post(CHAT, request));
  assert.equal(same.field('etag'), '"a"');
});

test('an upstream that fails inside a block loses nothing that came', async (t) => {
  const { upstream, proxy } = await proxied(t, QWEN);
  const part = sse(...TAGGED.slice(0, 4));
  upstream.script(CHAT, async (turn) => {
    await turn.begin(SSE);
    await turn.chunk(part);
    turn.cut();
  });
  const reply = await proxy.send(proxy.post(CHAT, { ...request, stream: true })).catch((e) => e);
  const { record, raw_response_render: raw, response_render: seen } = await detail(proxy);
  assert.ok(seen.text.startsWith(part), reply);
  assert.match(seen.text, /upstream_error/);
  assert.equal(raw.text, part);
  assert.equal(record.response_was_rewritten, false);
  assert.equal(record.compat_fix_errors_json, null);
});

test('a client that leaves inside a block leaves a record', async (t) => {
  const { upstream, proxy } = await proxied(t, QWEN);
  const gone = new AbortController();
  upstream.script(CHAT, async (turn) => {
    await turn.begin(SSE);
    await turn.chunk(sse(...TAGGED.slice(0, 4)));
    await turn.gone();
  });
  const stream = await client(proxy).chat.completions.create({ ...request, stream: true }, { signal: gone.signal });
  for await (const event of stream) if (event.choices[0].delta.reasoning_content) break;
  gone.abort();
  const { record, raw_response_render: raw } = await detail(proxy);
  assert.equal(record.terminated_by, 'client_disconnect');
  assert.match(raw.text, /<tool/);
}); // prettier-ignore

test('a body too large to be fixed passes with a warning', async (t) => {
  const { upstream, proxy } = await proxied(t, THINK);
  const body = answer({ content: `<think>${'x'.repeat(1100000)}</think>` });
  upstream.script(CHAT, (turn) => turn.answer(200, JSON_TYPE, body));
  const reply = await proxy.send(proxy.post(CHAT, request));
  assert.equal(reply.body.toString(), body);
  const { record } = await detail(proxy);
  assert.match(record.compat_fix_errors_json, /exceeds 1048576 bytes/);
});

test('errors that the proxy makes tell of no fix', async (t) => {
  const { upstream, proxy } = await proxied(t, QWEN);
  upstream.script(CHAT, (turn) => turn.reset());
  await proxy.send(proxy.post(CHAT, request));
  const { record } = await detail(proxy);
  assert.equal(record.status, 502);
  assert.equal(record.compat_fixes_json, null);
});
