import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { grow, type Grown } from '../../src/pages/request/livetext';
import { parseEvents } from '../../src/pages/request/sse';
import { asCurl, asFetch, asHttp, asPython, notInline } from '../../src/pages/request/copyas';
import { brokenStream, explain, finishInWords } from '../../src/pages/request/words';
import { conversationMarkdown } from '../../src/pages/request/asmarkdown';
import { problemsOf } from '../../src/pages/request/schema';
import type { Conversation, DetailRow } from '../../src/pages/request/types';

test('the text of an answer grows by what is new', () => {
  const full = Array.from({ length: 400 }, (_, i) => `word${i} `).join('');
  let known: Grown = { items: [], gap: false };
  for (let end = 100; end <= full.length; end += 90) {
    const from = Math.max(0, end - 300);
    known = grow(known, { id: 1, offset: from, truncated: from > 0, user: null, items: [{ kind: 'text', text: full.slice(from, end), open: true }] });
    assert.equal(known.items.map((i) => i.text).join(''), full.slice(0, end));
    assert.equal(known.gap, false);
  }
  const late = grow({ items: [], gap: false }, { id: 1, offset: 5, truncated: true, user: null, items: [{ kind: 'text', text: 'end', open: true }] });
  assert.deepEqual([late.gap, late.items[0]!.text], [true, 'end']);
});

test('a part that begins while text grows is a part of its own', () => {
  const first = grow({ items: [], gap: false }, { id: 1, offset: 0, truncated: false, user: null, items: [{ kind: 'reasoning', text: 'I think about it', open: true }] });
  const then = grow(first, { id: 1, offset: 2, truncated: false, user: null, items: [{ kind: 'reasoning', text: 'think about it', open: false }, { kind: 'text', text: 'Yes', open: true }] });
  assert.deepEqual(then.items.map((i) => [i.kind, i.text]), [['reasoning', 'I think about it'], ['text', 'Yes']]);
});

test('events of all APIs say what they carry, and broken ones are marked', () => {
  const events = parseEvents([
    '\ufeffdata: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"a"}}]}', '',
    ': comment', 'event: content_block_delta', 'data: {"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"x"}}', '',
    'data: {"type":"response.function_call_arguments.delta","delta":"{"}', '', 'data: {"type":"response.output_text.delta","delta":"t"}', '',
    'data: {"choices":[{"delta":{},"finish_reason":"stop"}],', 'data: "usage":{"total_tokens":1}}', '', 'data: [DONE]', '', 'data: {"cut',
  ].join('\r\n'));
  assert.deepEqual(events.map((e) => e.carries), ['text', 'reasoning', 'tool arguments', 'text', 'finish, usage', 'done', 'not JSON']);
  assert.deepEqual(events.map((e) => e.broken), [false, false, false, false, false, false, true]);
  assert.deepEqual(parseEvents(''), []);
});

const row = (extra: Partial<DetailRow> = {}) => ({
  id: 7, method: 'POST', endpoint: '/v1/chat/completions', query_string: '',
  request_headers_json: '{"authorization":"Bearer ***","content-length":"9","content-type":"application/json","host":"x","x-api-key":"***","x-odd":"a\'b$(c)`d"}',
  ...extra,
}) as DetailRow;
const BODY = '{"a":"it\'s $HOME `x` \\" \\n é 😀"}\n';
const bytes = new TextEncoder().encode(BODY);
const body = { bytes, text: BODY, isUtf8: true };

test('curl sends the same bytes, and secrets are variables', () => {
  const text = asCurl(row(), body, 'http://localhost:1');
  assert.doesNotMatch(text, /\*\*\*|content-length|: x$/m);
  const args = execFileSync('bash', ['-c', `curl() { printf '%s\\0' "$@"; }\n${text}`], { env: { PATH: process.env.PATH, OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'k 2' } })
    .toString().split('\0');
  assert.deepEqual(args.slice(0, -1), ['-X', 'POST', 'http://localhost:1/v1/chat/completions', '-H', 'authorization: Bearer sk-1', '-H',
    'content-type: application/json', '-H', 'x-api-key: k 2', '-H', "x-odd: a'b$(c)`d", '--data-binary', BODY]);
});

test('the other forms hold the body and no secret either', () => {
  for (const make of [asPython, asFetch, asHttp]) {
    const text = make(row(), body, 'http://localhost:1');
    assert.doesNotMatch(text, /\*\*\*/);
    assert.match(text, /OPENAI_API_KEY/);
  }
  assert.match(asPython(row(), body, 'http://localhost:1'), /"Bearer " \+ os\.environ\["OPENAI_API_KEY"\]/);
  const source = asFetch(row(), body, 'http://localhost:1');
  const sent: unknown[] = [];
  const run = new Function('fetch', 'process', 'console', `return (async () => { ${source} })()`) as (...a: unknown[]) => Promise<void>;
  return run(async (...args: unknown[]) => { sent.push(...args); return { status: 1, text: async () => '' }; },
    { env: { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'k' } }, { log() {} }).then(() => {
    const [url, options] = sent as [string, { body: string; headers: Record<string, string> }];
    assert.equal(url, 'http://localhost:1/v1/chat/completions');
    assert.equal(options.body, BODY);
    assert.equal(options.headers.authorization, 'Bearer sk-1');
  });
});

test('what cannot be in a text says so', () => {
  assert.equal(notInline(body), '');
  assert.match(notInline({ bytes: new Uint8Array(200000), text: 'x', isUtf8: true }), /above 128 KiB/);
  assert.match(notInline({ bytes, text: 'a\0b', isUtf8: true }), /not text/);
  assert.match(notInline({ bytes, text: BODY, isUtf8: false }), /not text/);
  assert.match(asCurl(row(), null, 'http://h', 'file'), /--data-binary @'file'/);
});

test('codes are told in words', () => {
  assert.equal(finishInWords('length', 1024), 'The answer stopped at the output limit, after 1,024 tokens.');
  assert.equal(finishInWords('odd', null), 'It ended with “odd”.');
  assert.match(explain(row({ status: 429 }))!, /Too many requests/);
  assert.match(explain(row({ status: 400, upstream_error_message: 'maximum context length is 4' }))!, /longer than the model/);
  assert.match(explain(row({ status: 502, error: 'connect to x: connection refused' }))!, /Nothing listens/);
  const c = { terminated_by: 'client_disconnect', stream: { state: 'stopped', events: 3, inside_event: true, last_message: 1, last_part: 'text' } } as unknown as Conversation;
  assert.equal(brokenStream(c), 'The stream broke off after 3 events, in the text of message 2, within an event: the client hung up.');
});

test('a conversation as Markdown has fences that its text cannot end', () => {
  const c = { id: 1, model: 'm', messages: [{ role: 'tool', name: null, parts: [{ type: 'tool_result', tool_call_id: 'c', content: [{ type: 'text', text: 'a\n````\nb' }] }] }] } as unknown as Conversation;
  assert.match(conversationMarkdown(c), /`````\na\n````\nb\n`````/);
});

test('arguments that break their schema are told in words', () => {
  const schema = { type: 'object', required: ['path', 'n'], additionalProperties: false,
    properties: { path: { type: 'string' }, n: { type: 'number' }, how: { enum: ['a', 'b'] }, deep: { type: 'object', required: ['x'] } } };
  assert.deepEqual(problemsOf({ path: 'a', n: 1, how: 'a', deep: { x: 1 } }, schema), []);
  assert.deepEqual(problemsOf({ path: 1, how: 'c', odd: 1, deep: {} }, schema),
    ['n is missing', 'path: integer in place of string', 'how: none of ["a","b"]', 'odd is not declared', 'deep.x is missing']);
  assert.deepEqual(problemsOf([], schema), ['the arguments: array in place of object']);
  assert.deepEqual(problemsOf({ a: 1 }, null), []);
});
