/* Bodies that nobody would send, as requests and as answers of every API: what passes is what came,
 * and every face of the record can be looked at. */
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';
import { SANITIZER, until } from './until.mjs';

const CHAT = '/v1/chat/completions';
const ENDPOINTS = [CHAT, '/v1/responses', '/v1/messages', '/v1/completions', '/v1/embeddings'];
const MODES = ['auto', 'json', 'text', 'markdown', 'tool', 'sse'];
const FIXES = ['reasoning-tags-to-reasoning-content', 'qwen-tagged-tool-call-rewrite', 'tool-arguments-json-repair'];
const nest = (n) => '['.repeat(n) + ']'.repeat(n);
const objects = (n) => '{"a":'.repeat(n) + '1' + '}'.repeat(n);
const BIG = '12345678901234567890';

/** JSON texts, some of which are none. `tools` and text are there, so that fixes have work. */
const TEXTS = {
  'nothing': '',
  'a word': 'null',
  'deep lists': `{"model":"m","messages":${nest(400)},"choices":${nest(400)},"output":${nest(400)},"content":${nest(400)}}`,
  'objects too deep': `{"model":"m","messages":[{"role":"user","content":${objects(600)}}],"tools":${objects(300)}}`,
  'brackets without end': '['.repeat(200000),
  'objects without end': '{"choices":[{"delta":'.repeat(20000),
  'lone surrogates': '{"model":"\\ud800","messages":[{"role":"\\udfff","content":"a\\ud83d b\\udc00"}],"choices":[{"message":{"content":"\\ud800<think>\\ud83d</think>"}}],"content":[{"type":"text","text":"\\udead"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
  'NUL': '{"model":"m\\u0000n","messages":[{"role":"user\\u0000","content":"a\\u0000b"}],"tools":[{"type":"function","function":{"name":"f\\u0000"}}],"choices":[{"message":{"content":"\\u0000","tool_calls":[{"id":"\\u0000","function":{"name":"f\\u0000","arguments":"{\\u0000"}}]}}],"x\\u0000":1}',
  'raw NUL': 'a\0b{"model":"m"}\0',
  'duplicate keys': '{"model":"a","model":"b","messages":5,"messages":[{"role":"x","role":"user","content":"1","content":"2"}],"choices":1,"choices":[{"message":{"content":"x"},"message":{"content":"y"}}],"usage":{"prompt_tokens":1,"prompt_tokens":2,"completion_tokens":3}}',
  'long integers': `{"model":"m","n":${BIG},"max_tokens":${BIG},"messages":[{"role":"user","content":[{"type":"text","text":"t","x":-${BIG}}]}],"choices":[{"index":${BIG},"message":{"tool_calls":[{"index":${BIG},"function":{"arguments":"1,"}}]}}],"output_index":${BIG},"usage":{"prompt_tokens":${BIG},"completion_tokens":-1,"total_tokens":1e400}}`,
  'cut': '{"model":"m","messages":[{"role":"user","content":"Hello","tool_calls":[{"function":{"arguments":"{\\"a\\":[1,',
  'odd values': '{"model":{},"messages":[1,null,"x",[],{"role":5,"content":{"text":7}},{"content":[null,5,[],{"type":[]},{"type":"tool_result","content":[{"type":"tool_result"}]}]}],"tools":[null,{},{"function":[]}],"input":[[],5],"choices":[null,[],{"message":[]},{"delta":5,"message":{"tool_calls":{},"content":[5]}}],"output":[null,5],"content":[[]],"error":[],"usage":[]}',
  'not UTF-8': Buffer.from('{"model":"m\xff","messages":[{"role":"user","content":"\xc3\x28 \xed\xa0\x80 \xf8\x88"}],"choices":[{"message":{"content":"\xfe"}}]}', 'latin1'),
  'controls': '{"model":"\\u001b]0;x\\u0007","messages":[{"role":"user","content":"\\u001b[2J\\u202e\\u2028"}],"choices":[{"message":{"content":"\\u001b[31m<script>alert(1)</script>[x](javascript:1)"}}]}',
  'a mark in front': '\ufeff{"model":"m","messages":[{"role":"user","content":"x"}],"choices":[]}',
}; // prettier-ignore

const event = (value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const large = 'x'.repeat(1 << 20);
const delta = (value) => event({ choices: [{ index: 0, delta: value }] });
const STREAMS = {
  'events of each text': Buffer.concat(Object.values(TEXTS).flatMap((text) => [Buffer.from('data: '), Buffer.from(text), Buffer.from('\n\n')])),
  'an event of a megabyte': delta({ content: large }),
  'a line of a megabyte that never ends': `data: {"choices":[{"delta":{"content":"${large}`,
  'many choices and calls': Array.from({ length: 3000 }, (_, i) => event({ choices: [{ index: i, delta: { tool_calls: [{ index: i * 7, id: `c${i}`, function: { name: 'f', arguments: '{' } }] } }] })).join(''),
  'numbers out of all proportion': [`{"choices":[{"index":${BIG},"delta":{"content":"a","tool_calls":[{"index":-${BIG},"function":{"arguments":"{"}}]}}]}`, `{"type":"content_block_start","index":${BIG},"content_block":{"type":"tool_use","name":"f","input":{}}}`, `{"type":"response.output_item.added","output_index":${BIG},"item":{"type":"function_call","name":"f"}}`].map(event).join(''),
  'tags and blocks without end': delta({ content: '<think>' }) + Array.from({ length: 2000 }, () => delta({ content: '</thin', reasoning_content: '<tool_call>\n<function=' })).join(''),
  'line ends of all kinds': 'data: {"choices":\r\rdata: 1}\n\r\n\rdata\ndata:\n:\nid\n\n\u2028data: {}\x0b\n\x85\n',
  'only ends': '\r\n'.repeat(10000) + '\n'.repeat(10000) + '\r'.repeat(10000),
  'data lines': 'data: [\n'.repeat(50000),
}; // prettier-ignore

/* A chat may start so: the tags go, and the client gets the rest. */
const REWRITTEN = /^tags/;
const ASKED = Buffer.from(
  JSON.stringify({ model: 'm', stream: true, tools: [{ type: 'function', function: { name: 'f' } }] }),
);

/** All that shows a record answers, and answers with JSON. */
async function look(proxy, id) {
  for (const mode of MODES) assert.equal((await proxy.detail(id, mode)).record.id, id);
  assert.ok(Array.isArray((await proxy.api(`/api/requests/${id}/conversation`)).messages));
}

test('hostile bodies pass as they are, and can be looked at', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, env: { LLM_OBSERVE_DEFAULT_FIXES_JSON: JSON.stringify(FIXES) } });
  const bodies = [
    ...Object.entries(TEXTS).map(([name, body]) => [name, body, 'application/json']),
    ...Object.entries(TEXTS).map(([name, body]) => [`${name}, said to be a stream`, body, 'text/event-stream']),
    ...Object.entries(STREAMS).map(([name, body]) => [name, body, 'text/event-stream']),
    ...Object.entries(STREAMS).map(([name, body]) => [`${name}, said to be JSON`, body, 'application/json']),
  ]; // prettier-ignore
  const fields = [['Content-Type', 'application/json']];
  for (const [i, [name, body, type]] of bodies.entries()) {
    const data = Buffer.from(body);
    const endpoint = ENDPOINTS[i % ENDPOINTS.length];
    upstream.script(endpoint, (turn) => turn.answer(200, [['Content-Type', type]], data));
    const asked = name in TEXTS ? data : ASKED; /* with those fixes have something to do */
    const answer = await proxy.request('POST', endpoint, { fields, body: asked });
    assert.equal(answer.status, 200, name);
    if (!REWRITTEN.test(name)) assert.ok(answer.body.equals(data), `${name}: the answer is another one`);
    assert.ok(upstream.of(endpoint).at(-1).body.equals(asked), `${name}: the request is another one`);
  }
  const complete = async () => (await proxy.rows()).filter((row) => row.completed_at).length;
  await until(async () => (await complete()) === bodies.length, 'all rows');
  for (const row of await proxy.rows()) await look(proxy, row.id);
  for (const q of ['Hello', '"x y"', 'think*']) await proxy.api(`/api/requests?q=${encodeURIComponent(q)}`);
  const controls = String(Object.keys(TEXTS).indexOf('controls') + 1);
  for (const args of [['grep', '[a-z]'], ['show', controls], ['show', controls, '--part', 'conversation']]) {
    const shown = await run(['requests', ...args, '--url', proxy.url]);
    assert.equal(shown.code, 0, shown.err);
    assert.ok(!['\x1b', '\u202e', '\0'].some((c) => shown.out.includes(c)), args.join(' '));
  }
  await proxy.healthy();
});

test('a request whose body is a bomb costs no more than its limit', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream, set: { max_request_body_bytes: 4 << 20 } });
  const bomb = zlib.gzipSync(Buffer.alloc(64 << 20));
  const before = proxy.peak();
  const fields = [['Content-Type', 'application/json'], ['Content-Encoding', 'gzip']];
  const answer = await proxy.request('POST', CHAT, { fields, body: bomb });
  assert.equal(answer.status, 200, answer.text);
  assert.ok(upstream.of(CHAT)[0].body.equals(bomb));
  const { id } = await proxy.row(CHAT);
  await look(proxy, id);
  if (!SANITIZER) assert.ok(proxy.peak() - before < 32, `${proxy.peak() - before} MiB`);
});
