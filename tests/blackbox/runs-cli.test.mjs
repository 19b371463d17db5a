/* "runs" on the command line: with a server, and on its file without one. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { folder, run, start } from './proxy.mjs';
import { until } from './until.mjs';
import { scripted } from './upstream.mjs';

const UTF8 = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };
const JSON_TYPE = [['Content-Type', 'application/json']];
const CHAT = '/v1/chat/completions';

/* Two runs of a model with a price, and one without requests. */
async function scene(t) {
  const upstream = await scripted(t);
  upstream.fallback = (turn) =>
    turn.json({ choices: [], usage: { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100 } });
  const proxy = await start(t, { upstream });
  const post = async (target, value) => {
    const body = JSON.stringify(value ?? {});
    const answer = await proxy.request('POST', target, { fields: JSON_TYPE, body });
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text);
  };
  await post('/admin/api/providers', { name: 'Lab', slug: 'lab', base_url: upstream.url });
  await post('/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'priced', input_usd_per_million: 10000, output_usd_per_million: 10000,
  });
  const ask = (model = 'priced') => post(CHAT, { model });
  return { upstream, proxy, post, ask, database: `sqlite:////${proxy.database.slice(1)}` };
}

const at = (proxy) => (words, env = {}) =>
  run([...words.split(' ').filter(Boolean), '--url', proxy.url], { env: { ...UTF8, ...env } });

/* What differs from one moment to the next. */
const steady = (text) =>
  JSON.parse(text, (key, value) => (/open_duration|^upstream_url$/.test(key) ? undefined : value));

test('a run is started, looked at, ended and billed', async (t) => {
  const { proxy, ask } = await scene(t);
  const cli = at(proxy);
  const one = await cli('runs start bench-1');
  assert.deepEqual([one.code, one.out, one.err], [0, '1\n', 'run 1 "bench-1" started\n']);
  await ask();
  await ask('unknown');
  const two = await cli('runs start bench-2 --notes later');
  assert.deepEqual(
    [two.out, two.err],
    ['2\n', 'run 2 "bench-2" started, run 1 "bench-1" ended (2 requests, $1.00)\n'],
  );
  const refused = await cli('runs start bench-3 --no-replace');
  assert.deepEqual(
    [refused.code, refused.out, refused.err],
    [7, '', 'llm-observe-proxy: run 2 "bench-2" is active\n'],
  );
  await ask();
  const shown = await cli('runs show');
  assert.match(shown.out, /^run 2 {2}bench-2 {2}active/);
  assert.match(shown.out, /\n {2}notes {4}later\n/);
  assert.match(shown.out, /\n {2}requests 1: 1 ok, 0 failed, 0 pending\n {2}tokens {3}90 in, 10 out; total 100\n {2}cost {5}\$1\n/);
  assert.match(shown.out, /\nmodels\n {2}priced +1\n/);
  const ended = await cli('runs end --json=run.id,run.request_count,run.status');
  assert.equal(ended.out, '{"run.id":2,"run.request_count":1,"run.status":"complete"}\n');
  assert.match(
    ended.err,
    /^run 2 "bench-2" ended after \S+\n {2}1 request, 0 errors, 90 in, 10 out, \$1\.00\n {2}wall \S+, \S+ tok\/s\n$/,
  );
  const bill = await cli('runs show bench-1');
  assert.match(bill.out, /\n {2}cost {5}\$1 \(1 without price\)\n/);
});

test('each request of a run is ok, failed or pending', async (t) => {
  const { upstream, proxy, post } = await scene(t);
  upstream.script('/v1/cut', (turn) =>
    turn.json({ error: { message: 'no room' }, usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
  await post('/api/runs/start', { name: 'mixed' });
  await proxy.request('POST', '/v1/cut', { fields: [['Content-Type', 'application/json']], body: '{}' });
  await until(async () => (await proxy.rows())[0]?.completed_at, 'the row');
  const { out } = await at(proxy)('runs show');
  assert.match(out, /\n {2}requests 1: 0 ok, 1 failed, 0 pending\n/);
  const shown = await at(proxy)('requests show last --part head');
  assert.match(shown.out, /\n {2}upstream no room\n/);
});

test('words that name a run', async (t) => {
  const { proxy, post } = await scene(t);
  const cli = at(proxy);
  const begin = async (name) => (await post('/api/runs/start', { name })).run.id;
  for (const name of ['same', 'same', '7', 'active', 'paused one'])
    await begin(name);
  await post('/api/runs/pause');
  const names = [
    ['same', 2], ['1', 1], ['name:7', 3], ['name:active', 4], ['last', 5], ['paused', 5],
    ['name:same', 2], [undefined, 5],
  ];
  for (const [word, id] of names) {
    const { out } = await run(['runs', 'show', ...(word ? [word] : []), '--json=run.id', '--url', proxy.url]);
    assert.equal(out, `{"run.id":${id}}\n`, word);
  }
  for (const [word, why] of [
    ['nope', 'no run is called "nope"'], ['active', 'no run is active'], ['77', 'run 77: Run not found.'],
    ['name:5', 'no run is called "5"'],
  ]) {
    const { code, out, err } = await cli(`runs show ${word}`);
    assert.deepEqual([code, out, err], [3, '', `llm-observe-proxy: ${why}\n`]);
  }
  assert.equal((await cli('runs pause')).code, 3);
  assert.equal((await cli('runs end')).code, 3);
  const resumed = await cli('runs resume');
  assert.equal(resumed.err, 'run 5 "paused one" resumed\n');
  assert.equal((await cli('runs resume')).code, 3, 'none is paused any more');
  assert.equal((await cli('runs pause')).err, 'run 5 "paused one" paused\n');
  await begin('other');
  assert.equal((await cli('runs resume')).err, 'run 5 "paused one" resumed, run 6 "other" paused\n');
  const over = await cli('runs resume same');
  assert.deepEqual([over.code, over.out], [2, '']);
  assert.equal((await cli('runs end same')).code, 2);
});

test('the server and its file give the same answers', async (t) => {
  const { proxy, post, ask, database } = await scene(t);
  await post('/api/runs/start', { name: 'bench "1"\u202e\x1b[2J', notes: 'a\tb' });
  await ask();
  await ask('unknown');
  await post('/api/runs/start', { name: 'two' });
  const reads = [
    'runs list', 'runs list --json', 'runs list --csv', 'runs list --status active --jsonl', 'runs show 1',
    'runs show 1 --json', 'runs what-if 1 --key lab:priced', 'runs what-if 1 --key lab:priced --json',
    'runs list --json=id,name,total_cost_usd', 'runs list --columns id,errors,cost',
  ];
  const both = async (words, env) => {
    const ask1 = await run([...words.split(' '), '--url', proxy.url], { env: { ...UTF8, ...env } });
    const ask2 = await run([...words.split(' '), '--database-url', database], { env: { ...UTF8, ...env } });
    return [ask1, ask2];
  };
  for (const words of reads) {
    const [server, file] = await both(words);
    assert.deepEqual([server.code, file.code], [0, 0], words);
    assert.ok(server.out.length > 0, words);
    assert.doesNotMatch(server.out, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/, words);
    if (words.endsWith('--json')) assert.deepEqual(steady(file.out), steady(server.out), words);
    else if (/show|list$|csv|jsonl/.test(words))
      assert.deepEqual(file.out.split('\n').length, server.out.split('\n').length, words);
    else assert.equal(file.out, server.out, words);
  }
  const [json] = await both('runs list --json');
  assert.deepEqual(steady(json.out), steady(JSON.stringify((await proxy.api('/api/runs')).items)));
  const what = await both('runs what-if 1 --key lab:nope');
  for (const { code, out, err } of what) {
    assert.deepEqual([code, out], [3, '']);
    assert.match(err, /^llm-observe-proxy: No active model prices matched/);
  }
});

test('runs start and end on a file without a server', async (t) => {
  const { proxy, database } = await scene(t);
  await proxy.stop();
  const cli = (words) => run([...words.split(' '), '--database-url', database], { env: UTF8 });
  assert.equal((await cli('runs start alone')).out, '1\n');
  assert.equal((await cli('runs list --columns id,name,status')).out, '1\talone\tactive\n');
  assert.equal((await cli('runs pause --json=run.status')).out, '{"run.status":"paused"}\n');
  assert.equal((await cli('runs resume alone -q')).err, '');
  assert.match((await cli('runs end')).err, /^run 1 "alone" ended after /);
  const refused = await run(['runs', 'exec', '--database-url', database, 'true'], { env: UTF8 });
  assert.deepEqual([refused.code, refused.err], [125, 'llm-observe-proxy: runs exec needs a running server\n']);
  await proxy.restart();
  assert.equal((await proxy.api('/api/runs')).items[0].status, 'complete');
});

test('--dry-run changes nothing', async (t) => {
  const { proxy } = await scene(t);
  const cli = at(proxy);
  assert.deepEqual(
    [(await cli('runs start x --dry-run')).out, (await cli('runs start x --dry-run')).err],
    ['', 'would start a run "x"\n'],
  );
  await cli('runs start real');
  assert.equal((await cli('runs end --dry-run')).err, 'would end run 1 "real"\n');
  assert.equal((await cli('runs pause --dry-run')).err, 'would pause run 1 "real"\n');
  assert.equal((await proxy.api('/api/runs')).active_run.id, 1);
});

test('a table has the columns that fit', async (t) => {
  const { proxy, ask, post } = await scene(t);
  await post('/api/runs/start', { name: 'bench' });
  await ask();
  for (const width of [60, 80, 120]) {
    const { out } = await at(proxy)('runs list', { LLM_OBSERVE_FORCE_TTY: String(width) });
    const [head, row] = out.split('\n');
    assert.ok(head.length <= width && row.length <= width, `${width}: ${out}`);
    assert.match(head, /^ {3}ID NAME +STATUS/);
    assert.match(row, /^ {4}1 bench +active .*\$1\.00/);
  }
  const cwd = folder(t);
  for (const [line, why] of [
    ['runs', 'runs needs a verb'],
    ['runs strat x', 'unknown verb "strat" of runs, did you mean "start"?'],
    ['runs list --status open', '--status: "open" is none of active, paused, complete'],
    ['runs exec --budget -1 true', '--budget: "-1" is no amount above 0'],
    ['runs exec --max-time soon true', '--max-time: "soon" is no duration (30s, 10m, 2h)'],
    ['runs exec --env X true', '--env: "X" is not NAME=VALUE'],
    ['runs exec --csv true', '--csv has no meaning for runs exec'],
  ]) {
    const { code, out, err } = await run(line.split(' '), { cwd: path.resolve(cwd), env: UTF8 });
    assert.deepEqual([code, out], [2, ''], line);
    assert.equal(err.split('\n')[0], `llm-observe-proxy: ${why}`);
  }
});
