import assert from 'node:assert/strict';
import test from 'node:test';
import { findNodes, isDoc, keyOf, parseJson, pathOf, prettyJson, rawOf, stringOf, visibleNodes, type JsonDoc } from '../../src/ui/jsontext';

function read(text: string): JsonDoc {
  const parsed = parseJson(text);
  assert.ok(isDoc(parsed), `${text.slice(0, 80)}: ${JSON.stringify(parsed).slice(0, 200)}`);
  return parsed;
}

test('keys keep their order and numbers their text', () => {
  const text = '{"b":1.0,"2":-0,"1":1e400,"a":12345678901234567890,"b":0.10}';
  const doc = read(text);
  assert.deepEqual([1, 2, 3, 4, 5].map((n) => [keyOf(doc, n), rawOf(doc, n)]),
    [['b', '1.0'], ['2', '-0'], ['1', '1e400'], ['a', '12345678901234567890'], ['b', '0.10']]);
  assert.equal(prettyJson(doc).replace(/\s/g, ''), text);
});

test('strings are read as JSON has them, also half of a surrogate pair', () => {
  const doc = read('["\\ud83d\\ude00","\\ud83d","\\u0000\\n\\"\\\\","<script>"]');
  assert.deepEqual([1, 2, 3, 4].map((n) => stringOf(doc, n)), ['😀', '\ud83d', '\0\n"\\', '<script>']);
});

test('what is no JSON is refused with the place of its first error', () => {
  const wrong: [string, number, string][] = [
    ['', 0, 'the text ends too early'], ['{', 1, 'a key is expected here'], ['{"a":1,}', 7, 'a key is expected here'],
    ['[1,]', 3, 'a value is expected here'], ['[1 2]', 3, '"," or "]" is expected here'], ['{"a" 1}', 5, 'a colon is expected here'],
    ['01', 1, 'something follows the value'], ['1.', 1, 'something follows the value'], ['"a', 2, 'a string has no end'],
    ['"\\x"', 1, 'this may not be in a string'], ['"\n"', 1, 'this may not be in a string'], ['[1]}', 3, 'something follows the value'],
    ['{"a":1]', 6, '"," or "}" is expected here'], ['nul', 0, 'a value is expected here'], ['[-]', 1, 'a value is expected here'],
    ['data: {}', 0, 'a value is expected here'],
  ];
  for (const [text, at, message] of wrong) {
    const parsed = parseJson(text);
    assert.ok(!isDoc(parsed), text);
    assert.deepEqual([parsed.at, parsed.message], [at, message], text);
    assert.throws(() => JSON.parse(text));
  }
  const third = parseJson('{\n "a": 1,\n "b": ?}');
  assert.ok(!isDoc(third));
  assert.deepEqual([third.line, third.column], [3, 7]);
});

test('it takes what JSON.parse takes, and nothing else', () => {
  const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-1.5e3', '0', 'true', 'null', ' ', '\\', 'e'];
  let seed = 1;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let i = 0; i < 20000; i++) {
    const text = Array.from({ length: 1 + random(8) }, () => pieces[random(pieces.length)]).join('');
    let fits = true;
    try {
      JSON.parse(text);
    } catch {
      fits = false;
    }
    assert.equal(isDoc(parseJson(text)), fits, JSON.stringify(text));
  }
});

test('nesting of any depth and ten megabytes are read in time', () => {
  const deep = read('['.repeat(200000) + ']'.repeat(200000));
  assert.equal(deep.count, 200000);
  assert.equal(visibleNodes(deep, new Set([1])).length, 2);
  const started = performance.now();
  const large = read(`[${'{"key":"some value","n":1.50},'.repeat(330000)}"${'x'.repeat(1e6)}"]`);
  assert.equal(large.count, 2 + 3 * 330000);
  assert.equal(parseJson(`"${'\\"'.repeat(3e6)}`) && true, true);
  assert.ok(performance.now() - started < 8000);
});

test('paths, what is seen, and what is found', () => {
  const doc = read('{"choices":[{"message":{"content":"Hello","odd key":[1,{"x":null}]}}],"empty":{}}');
  const paths = Array.from({ length: doc.count }, (_, n) => pathOf(doc, n));
  assert.deepEqual(paths, ['$', 'choices', 'choices[0]', 'choices[0].message', 'choices[0].message.content',
    'choices[0].message["odd key"]', 'choices[0].message["odd key"][0]', 'choices[0].message["odd key"][1]',
    'choices[0].message["odd key"][1].x', 'empty']);
  assert.deepEqual(visibleNodes(doc, new Set([3])), [0, 1, 2, 3, 9]);
  assert.deepEqual(findNodes(doc, 'hello'), [4]);
  assert.deepEqual(findNodes(doc, 'ODD'), [5]);
  assert.deepEqual(findNodes(doc, 'zebra'), []);
});
