/* Streams: every chunk passes when it comes, unchanged; a cut looks cut; who leaves stops it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { start } from './proxy.mjs';
import { coding, encoders, scripted } from './upstream.mjs';
import { ms, sleep } from './until.mjs';
import { allBytes, bytes, message, pieces } from './wire.mjs';

const MIB = 1 << 20;
const CHAT = '/v1/chat/completions';
const JSON_TYPE = [['Content-Type', 'application/json']];

const delta = (text) =>
  `data: {"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"finish_reason":null}]}\n\n`;
const DONE = 'data: [DONE]\n\n';

/** Send a streaming chat request for a model; the model names the case. */
async function ask(proxy, target, model, version = '1.1') {
  const wire = await proxy.connect();
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hi' }] });
  const fields = [['Host', 'localhost'], ...JSON_TYPE, ['Content-Length', body.length]];
  wire.send(message(`POST ${target} HTTP/${version}`, fields, body), 'POST');
  return wire;
}

test('the first chunk reaches the client while the upstream holds the rest', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [version, framing] of [
    ['1.1', 'chunked'],
    ['1.0', 'close'],
  ]) {
    await t.test(`HTTP/${version}`, async () => {
      let go;
      const released = new Promise((done) => (go = done));
      upstream.script(CHAT, async (turn) => {
        await turn.begin();
        await turn.chunk(delta('a'));
        await released;
        await turn.chunk(delta('b') + DONE);
        await turn.finish();
      });
      const wire = await ask(proxy, CHAT, `hold-${version}`, version);
      const answer = await wire.head();
      assert.equal(answer.framing, framing);
      await wire.wait(() => answer.size > 0, 'the first chunk');
      assert.equal(answer.text, delta('a'));
      assert.equal(answer.complete, false);
      go();
      await wire.wait(() => answer.complete, 'the rest');
      assert.equal(answer.text, delta('a') + delta('b') + DONE);
      wire.close();
    });
  }

  await t.test('the head alone passes before any byte of the body', async () => {
    let go;
    const released = new Promise((done) => (go = done));
    upstream.script(CHAT, async (turn) => {
      await turn.begin();
      await released;
      await turn.chunk(DONE);
      await turn.finish();
    });
    const wire = await ask(proxy, CHAT, 'head-first');
    assert.equal((await wire.head()).status, 200);
    go();
    wire.close();
  });

  await t.test('each of 100 chunks arrives within a few milliseconds', async () => {
    const late = [];
    const wire = await ask(proxy, '/v1/paced', 'paced');
    let sent = 0;
    upstream.script('/v1/paced', async (turn) => {
      await turn.begin();
      for (let i = 0; i < 100; i++) {
        const from = performance.now();
        sent += delta(`${i}`).length;
        await turn.chunk(delta(`${i}`));
        await wire.wait(() => wire.reader.current?.size >= sent, `chunk ${i}`);
        late.push(performance.now() - from);
      }
      await turn.finish();
    });
    await wire.response(ms(10000));
    late.sort((a, b) => a - b);
    assert.ok(late[50] < ms(20), `the median chunk took ${late[50].toFixed(1)} ms`);
    assert.ok(late[95] < ms(100), `95 of 100 chunks took at most ${late[95].toFixed(1)} ms`);
    wire.close();
  });
  assert.deepEqual(upstream.errors, []);
});

const EVENTS = [
  ['LF', delta('a') + delta('b') + DONE],
  ['CRLF', 'event: x\r\ndata: {"a":1}\r\n\r\ndata: [DONE]\r\n\r\n'],
  ['CR', 'data: {"a":1}\r\rdata: [DONE]\r\r'],
  ['no space after the colon', 'data:{"a":1}\n\ndata:[DONE]\n\n'],
  ['several data lines', 'data: {"a":\ndata: 1}\n\n'],
  [
    'event, id and retry',
    'retry: 3\nid: 7\nevent: message_start\ndata: {"type":"message_start"}\n\n',
  ],
  ['comments', ': ping\n\n:\n\n' + delta('a') + ': end\n\n'],
  ['no final blank line', delta('a') + 'data: {"last":true}'],
  ['data after [DONE]', DONE + delta('late')],
  ['a byte order mark', '\ufeff' + delta('a')],
  ['UTF-8 of all lengths', delta('é€🦦\u2028\u0085') + DONE],
  ['invalid UTF-8', Buffer.from('data: {"a":"\xff\xc3"}\n\n', 'latin1')],
  ['NUL and controls', Buffer.concat([Buffer.from('data: '), allBytes(), Buffer.from('\n\n')])],
  ['no data', '\n\n\nevent: x\n\ndata\n\n'],
  ['an event of 3 MiB', delta('x'.repeat(3 * MIB)) + DONE],
  ['NDJSON', '{"a":1}\n{"b":2}\n'],
  ['nothing at all', ''],
];

test('every framing of events passes byte for byte, in whatever pieces', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [name, text] of EVENTS) {
    const data = Buffer.from(text);
    const sizes = data.length > 10000 ? [data.length, 65537] : [data.length || 1, 7, 1];
    for (const size of sizes) {
      await t.test(`${name}, ${size} at a time`, async () => {
        upstream.script(CHAT, async (turn) => {
          await turn.begin();
          for (const piece of pieces(data, size)) await turn.chunk(piece);
          await turn.finish();
        });
        const wire = await ask(proxy, CHAT, 'framing');
        const answer = await wire.response(ms(15000));
        assert.ok(answer.body.equals(data), `got ${answer.body.subarray(0, 300)}`);
        assert.equal(answer.framing, 'chunked');
        wire.close();
      });
    }
  }
  await t.test('an answer that ends with its connection is complete', async () => {
    upstream.script(CHAT, async (turn) => {
      await turn.write(message('HTTP/1.1 200 OK', [['Content-Type', 'text/event-stream']]));
      await turn.write(delta('a') + DONE);
      turn.cut();
    });
    const wire = await ask(proxy, CHAT, 'until-close');
    assert.equal((await wire.response()).text, delta('a') + DONE);
    wire.close();
  });
  await t.test('events with Content-Length', async () => {
    upstream.script(CHAT, (turn) =>
      turn.answer(200, [['Content-Type', 'text/event-stream']], delta('a') + DONE),
    );
    const wire = await ask(proxy, CHAT, 'length');
    assert.equal((await wire.response()).text, delta('a') + DONE);
    wire.close();
  });
  await t.test('a stream that was not asked for streams all the same', async () => {
    upstream.script('/v1/unasked', async (turn) => {
      await turn.begin([['Content-Type', 'text/event-stream; charset=utf-8']]);
      await turn.chunk(delta('a'));
      await turn.gone();
    });
    const wire = await proxy.connect();
    wire.send(proxy.post('/v1/unasked', { model: 'm' }), 'POST');
    const answer = await wire.head();
    await wire.wait(() => answer.text === delta('a'), 'the first chunk');
    wire.close();
    assert.equal((await proxy.row('/v1/unasked')).is_stream, true);
  });
  assert.deepEqual(upstream.errors, []);
});

test('compressed answers are decoded, streams chunk by chunk', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const plain = Buffer.from(
    Array.from({ length: 400 }, (_, i) => delta(`part ${i}`)).join('') + DONE,
  );

  for (const name of Object.keys(encoders)) {
    const coded = encoders[name](plain);
    for (const [type, model] of [
      ['text/event-stream', 'stream'],
      ['application/json', 'plain'],
    ]) {
      await t.test(`${name}, ${type}`, async () => {
        upstream.script(CHAT, async (turn) => {
          await turn.begin([
            ['Content-Type', type],
            ['Content-Encoding', coding(name)],
          ]);
          for (const piece of pieces(coded, 100)) await turn.chunk(piece);
          await turn.finish();
        });
        const wire = await ask(proxy, CHAT, model);
        const answer = await wire.response();
        assert.ok(answer.body.equals(plain), `got ${answer.body.subarray(0, 100)}`);
        assert.equal(answer.field('content-encoding'), undefined);
        wire.close();
      });
    }
  }
  await t.test('20 MiB that arrive in a few compressed packets', async () => {
    const large = Buffer.from(delta('many words '.repeat(50)).repeat(32768));
    upstream.script(CHAT, async (turn) => {
      await turn.begin([
        ['Content-Type', 'text/event-stream'],
        ['Content-Encoding', 'gzip'],
      ]);
      await turn.chunk(zlib.gzipSync(large));
      await turn.finish();
    });
    const wire = await ask(proxy, CHAT, 'inflated');
    const answer = await wire.response(ms(15000));
    assert.ok(answer.body.equals(large), `got ${answer.size} of ${large.length} bytes`);
    wire.close();
  });
  await t.test(
    'a flushed part of a compressed stream arrives before the next is sent',
    async () => {
      const zip = zlib.createGzip();
      const flushed = (text) =>
        new Promise((done) => {
          const parts = [];
          const more = (part) => parts.push(part);
          zip.on('data', more);
          zip.write(text);
          zip.flush(zlib.constants.Z_SYNC_FLUSH, () =>
            done((zip.off('data', more), Buffer.concat(parts))),
          );
        });
      let go;
      const released = new Promise((done) => (go = done));
      upstream.script(CHAT, async (turn) => {
        await turn.begin([
          ['Content-Type', 'text/event-stream'],
          ['Content-Encoding', 'gzip'],
        ]);
        await turn.chunk(await flushed(delta('first')));
        await released;
        await turn.chunk(await flushed(delta('second')));
        turn.cut();
      });
      const wire = await ask(proxy, CHAT, 'flush');
      const answer = await wire.head();
      await wire.wait(() => answer.text === delta('first'), 'the first event, decoded');
      go();
      await wire.gone();
      wire.close();
    },
  );
  await t.test('a compressed answer is stored decoded, its headers as they came', async () => {
    const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(5000) }));
    const coded = zlib.gzipSync(body);
    upstream.script('/v1/zip', (turn) =>
      turn.answer(200, [...JSON_TYPE, ['Content-Encoding', 'gzip']], coded),
    );
    const answer = await proxy.request('GET', '/v1/zip');
    assert.ok(answer.body.equals(body));
    const row = await proxy.row('/v1/zip');
    const headers = JSON.parse(row.response_headers_json);
    assert.equal(headers['content-encoding'], 'gzip');
    assert.equal(headers['content-length'], String(coded.length));
    assert.equal(row.response_bytes, body.length);
  });
  assert.deepEqual(upstream.errors, []);
});

/** [name, what the upstream sends before it breaks off, does an error event follow] */
const CUTS = [
  ['between events', delta('a'), true],
  ['between events with CRLF', 'data: {"a":1}\r\n\r\n', true],
  ['inside an event', delta('a') + 'data: {"choi', false],
  ['between the line and the blank line', delta('a').slice(0, -1), false],
  ['before any byte', '', null],
];

test('a stream that breaks off looks broken to the client', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const [name, sent, event] of CUTS) {
    for (const how of ['cut', 'reset']) {
      for (const target of [CHAT, '/v1/messages']) {
        await t.test(`${how} ${name} of ${target}`, async () => {
          const model = `${how}-${name}-${target}`.replace(/\W/g, '-');
          upstream.script(target, async (turn) => {
            await turn.begin();
            if (sent) await turn.chunk(sent);
            await sleep(30);
            turn[how]();
          });
          const wire = await ask(proxy, target, model);
          const answer = await wire.head();
          await wire.gone();
          wire.close();
          assert.equal(answer.complete, false, 'no terminating chunk');
          assert.equal(wire.reader.error, null, 'the framing up to the cut is intact');
          assert.ok(answer.text.startsWith(sent), `the client has what was sent: ${answer.text}`);
          const rest = answer.text.slice(sent.length);
          if (event === false) assert.equal(rest, '', 'nothing is put inside an event');
          else if (event) checkError(rest, target);
          const { record } = await proxy.captured(`model=${model}`);
          assert.equal(record.status, 200);
          assert.equal(record.terminated_by, 'upstream_error');
          assert.ok(record.error, 'the row has an error');
          assert.equal(record.response_bytes, answer.size);
        });
      }
    }
  }
});

/** The error event at the end of a broken stream. */
function checkError(text, target) {
  if (target === CHAT) {
    const data = /^data: (.*)\r?\n\r?\n$/.exec(text);
    assert.ok(data, `expected one error event, got ${JSON.stringify(text)}`);
    const { error } = JSON.parse(data[1]);
    assert.equal(error.type, 'upstream_error');
    assert.ok(error.message);
  } else {
    const data = /^event: error\r?\ndata: (.*)\r?\n\r?\n$/.exec(text);
    assert.ok(data, `expected one event "error", got ${JSON.stringify(text)}`);
    const body = JSON.parse(data[1]);
    assert.equal(body.type, 'error');
    assert.equal(body.error.type, 'api_error');
    assert.ok(body.error.message);
  }
}

test('a client that leaves stops the upstream', async (t) => {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  const cases = [
    ['before the head', null, 499],
    ['after the head', '', 200],
    ['in the middle', delta('a'), 200],
  ];
  for (const [name, sent, status] of cases) {
    for (const how of ['close', 'reset']) {
      await t.test(`${how} ${name}`, async () => {
        const model = `${how} ${name}`.replaceAll(' ', '-');
        const wire = await ask(proxy, CHAT, model);
        const running = new Promise((done) => {
          upstream.script(CHAT, async (turn) => {
            if (sent !== null) await turn.begin();
            if (sent) await turn.chunk(sent);
            done(turn);
          });
        });
        const turn = await running;
        if (sent !== null) await wire.head();
        if (sent) await wire.wait(() => wire.reader.current.size, 'the first chunk');
        const left = performance.now();
        wire[how]();
        const took = (await turn.gone(ms(2000))) - left;
        assert.ok(took < ms(500), `the upstream was closed after ${took.toFixed(0)} ms`);
        const { record } = await proxy.captured(`model=${model}`);
        assert.equal(record.status, status);
        assert.equal(record.terminated_by, 'client_disconnect');
        assert.equal(record.outcome, 'client_gone');
        const text =
          status === 499 ? 'client disconnected before the response' : 'client disconnected';
        assert.equal(record.error, text);
        if (status === 200) assert.equal(record.response_bytes, bytes(sent).length);
      });
    }
  }
});
