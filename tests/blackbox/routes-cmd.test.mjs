/* The commands "routes" and "providers": where models go, over a server and over a file. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { both, commands, EVIL, OBEYED } from './commands.mjs';
import { folder, run } from './proxy.mjs';
import { until } from './until.mjs';
import { refusing, scripted } from './upstream.mjs';

const URL = 'http://localhost:9/v1';
const NO_SEED = { set: { default_routes: 0 } };

both(test, 'a route is added, changed, resolved and deleted', async (cmd) => {
  const added = await cmd('routes', 'add', 'tiny-*', URL, '--priority', '7', '--key-env', 'LOP_NO_KEY');
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /^\d+\n$/, 'the id alone is on stdout');
  assert.match(added.err, /^added route \d+: tiny-\* to /);
  const id = added.out.trim();

  const again = await cmd('routes', 'add', 'tiny-*', URL);
  assert.deepEqual([again.code, again.out], [7, '']);
  assert.match(again.err, new RegExp(`route ${id} for "tiny-\\*" exists already\n.*routes set ${id}`));

  const dry = await cmd('routes', 'set', 'tiny-*', '--upstream-model', 'q4', '--dry-run');
  assert.deepEqual([dry.code, dry.out], [0, '']);
  assert.match(dry.err, /would change route \d+:\n {2}upstream_model: tiny-\* -> q4\n/);
  const row = await cmd.json('routes', 'set', id, '--priority', '9', '--upstream-model', 'q4');
  assert.deepEqual(
    [row.incoming_model, row.match_type, row.upstream_model, row.priority, row.api_key_env],
    ['tiny-*', 'prefix', 'q4', 9, 'LOP_NO_KEY'],
    'what is not given stays',
  );
  const same = await cmd('routes', 'set', id, '--priority', '9');
  assert.deepEqual([same.code, same.err], [0, 'nothing to change\n']);
  const wrong = await cmd('routes', 'set', id, '--priority', '900');
  assert.deepEqual([wrong.code, wrong.out], [2, '']);
  assert.match(wrong.err, /Priority must be between 1 and 100/);

  const why = await cmd('routes', 'resolve', 'tiny-a');
  assert.equal(why.code, 1, 'the key is missing');
  assert.match(why.out, /^status +missing_api_key$/m);
  await cmd('routes', 'set', id, '--key-env', '');
  assert.deepEqual(await cmd.json('routes', 'resolve', 'tiny-a').then((o) => [o.status, o.matched_route]), [
    'matched', 'tiny-*',
  ]); // prettier-ignore
  assert.equal((await cmd('routes', 'resolve', 'unheard-of')).code, 0);
  assert.equal((await cmd('routes', 'resolve', 'unheard-of', '--strict')).code, 1);
  const forced = await cmd.json('routes', 'resolve', 'gpt-9', '--provider', 'local-llm');
  assert.deepEqual([forced.provider_slug, forced.status], ['local-llm', 'matched']);
  const sample = await cmd('routes', 'resolve', 'tiny-a', '--sample', 'curl');
  assert.match(sample.out, /^curl http:\/\/localhost:\d+\/v1\/chat\/completions /);

  const refused = await cmd('routes', 'rm', id);
  assert.deepEqual([refused.code, refused.err], [
    2, 'llm-observe-proxy: refusing to delete 1 route without --yes\n',
  ]); // prettier-ignore
  assert.equal((await cmd('routes', 'rm', id, '--dry-run')).err, 'would delete 1 route\n');
  assert.deepEqual(await cmd.json('routes', 'rm', 'tiny-*', id, '--yes'), { deleted: true });
  for (const words of [['rm', id, '-y'], ['set', id, '--active'], ['test', 'tiny-*', '-y']])
    assert.equal((await cmd('routes', ...words)).code, 3, words[0]);
}, NO_SEED);

both(test, 'a model with a star is a prefix unless it is said to be exact', async (cmd) => {
  for (const words of [['a*'], ['b*', '--match', 'exact'], ['c']])
    assert.equal((await cmd('routes', 'add', words[0], URL, ...words.slice(1))).code, 0);
  const kinds = (await cmd.json('routes', 'list')).map((r) => [r.incoming_model, r.match_type]);
  assert.deepEqual(kinds, [['a*', 'prefix'], ['b*', 'exact'], ['c', 'exact']]);
  assert.equal((await cmd.json('routes', 'set', 'a*', '--model', 'a')).match_type, 'exact');
  assert.equal((await cmd.json('routes', 'set', 'a', '--model', 'z')).upstream_model, 'z');
  const fixed = await cmd.json('routes', 'set', 'c', '--fix', 'qwen-tagged-tool-call-rewrite', '--inactive');
  assert.deepEqual([fixed.compatibility_fixes, fixed.active], [['qwen-tagged-tool-call-rewrite'], false]);
  const back = await cmd.json('routes', 'set', 'c', '--no-fixes', '--active');
  assert.deepEqual([back.compatibility_fixes, back.active], [[], true]);
}, NO_SEED);

test('routes of the models file are listed, and changed there', async (t) => {
  const file = path.join(folder(t), 'models.json');
  writeFileSync(file, JSON.stringify([{ model: 'one', upstream_url: URL }, { model: 'two', upstream_url: URL }]));
  const cmd = await commands(t, 'server', { ...NO_SEED, args: ['--models-file', file] });
  const rows = await cmd.json('routes', 'list');
  assert.deepEqual(rows.map((r) => [r.id, r.source]), [[null, 'startup'], [null, 'startup']]);
  for (const words of [['set', 'two', '--inactive'], ['rm', 'two', '-y']]) {
    const { code, out, err } = await cmd('routes', ...words);
    assert.deepEqual([code, out], [2, '']);
    assert.equal(err, `llm-observe-proxy: route "two" comes from ${file}, entry 2; edit that file\n`);
  }
  assert.equal((await cmd('routes', 'add', 'one', URL)).code, 7);
  await cmd.proxy.stop();
  const env = { LLM_OBSERVE_MODELS_JSON: JSON.stringify([{ model: 'three', upstream_url: URL }]) };
  const { code, err } = await run(['routes', 'rm', 'three', '-y', '--database-url', cmd.proxy.database], { env });
  assert.equal(code, 2);
  assert.match(err, /comes from LLM_OBSERVE_MODELS_JSON, entry 1; edit that variable/);
});

both(test, 'lists are TSV in a pipe, and the same objects as the API in JSON', async (cmd, t, mode) => {
  const rows = await cmd.json('routes', 'list', '--provider', 'openai', '--usage');
  assert(rows.length > 3);
  assert.deepEqual([rows[0].requests_today, rows[0].last_matched_at], [0, null]);
  const tsv = await cmd('routes', 'list', '--provider', 'openai');
  const lines = tsv.out.trimEnd().split('\n').map((line) => line.split('\t'));
  assert.deepEqual(lines.map((cells) => cells[1]), rows.map((r) => r.incoming_model));
  assert.equal(lines[0].length, 11);
  const some = await cmd('routes', 'list', '--search', 'gpt-5.4-mini', '--json=id,source');
  assert.deepEqual(Object.keys(JSON.parse(some.out)[0]), ['id', 'source']);
  if (mode === 'server') {
    const page = await cmd.proxy.api('/admin/api/routes?per_page=100&include_startup=1');
    const all = await cmd.json('routes', 'list');
    assert(all.length > 100, 'all pages');
    assert.deepEqual(all.slice(0, 100), page.items);
  }
  const table = await cmd('routes', 'list', '--provider', 'openai', { env: { LLM_OBSERVE_FORCE_TTY: '120' } });
  assert.match(table.out, /^ +ID MODEL .*SOURCE *\n/);
  assert.match(table.out, /OPENAI_API_KEY \(missing\)/);
  assert.deepEqual(await cmd('routes', 'list', '--search', 'nothing', { env: { LLM_OBSERVE_FORCE_TTY: '80' } })
    .then((r) => [r.code, r.out, r.err]), [0, '', 'no routes match\n']); // prettier-ignore
});

both(test, 'routes that prices give are previewed, and stored when that is confirmed', async (cmd) => {
  assert.equal((await cmd('routes', 'seed', '--provider', 'openai')).code, 2, 'nobody to ask');
  const dry = await cmd.json('routes', 'seed', '--provider', 'openai', '--dry-run');
  assert.equal(dry.inserted, dry.items.length);
  const list = await cmd('routes', 'seed', '--provider', 'openai', '--dry-run');
  assert.equal(list.out.trimEnd().split('\n').length, dry.inserted);
  assert.deepEqual(await cmd.json('routes', 'list'), []);
  const done = await cmd('routes', 'seed', '--provider', 'openai', '--yes');
  assert.match(done.err, new RegExp(`^added ${dry.inserted} routes`));
  assert.equal((await cmd.json('routes', 'list')).length, dry.inserted);
  assert.equal((await cmd('routes', 'seed', '--provider', 'openai')).code, 0, 'nothing to ask about');
}, NO_SEED);

test('a route is tested with a real request that is not captured', async (t) => {
  const upstream = await scripted(t);
  upstream.script('/v1/chat/completions', (turn) => turn.json({ said: EVIL }));
  const cmd = await commands(t, 'server', NO_SEED);
  await cmd('routes', 'add', 'mine', upstream.url);
  assert.equal((await cmd('routes', 'test', 'mine')).code, 2, 'it may cost money');
  const good = await cmd('routes', 'test', 'mine', '--prompt', 'Say hi', '--yes');
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /^status +200$/m);
  assert(!OBEYED.test(good.out));
  assert.match(upstream.requests[0].body.toString(), /Say hi/);
  const gone = await refusing(t);
  await cmd('routes', 'set', 'mine', '--upstream-url', `${gone.url ?? gone}`);
  const bad = await cmd('routes', 'test', '--model', 'mine', '--kind', 'tools', '--json', '--yes');
  assert.deepEqual([bad.code, JSON.parse(bad.out).ok], [1, false]);
  assert.equal((await cmd('routes', 'test')).code, 2);
  assert.deepEqual(await cmd.proxy.rows(), []);
  assert.deepEqual((await cmd.json('routes', 'recent')), []);
});

both(test, 'on a terminal deleting asks, and only yes deletes', async (cmd) => {
  await cmd('routes', 'add', 'mine', URL);
  const answer = (text) =>
    cmd('routes', 'rm', 'mine', {
      wrap: ['sh', '-c', `printf '${text}' | script -qefc "$0 $*" /dev/null`],
      env: { SHELL: '/bin/sh' },
    });
  for (const text of ['n\\n', '\\n', 'yellow\\n', '\\004']) {
    const { code, out } = await answer(text);
    assert.match(out, /Delete 1 route\? \[y\/N\] /);
    assert.match(out, /nothing was changed/);
    assert.equal(code, 1);
  }
  assert.equal((await cmd.json('routes', 'list')).length, 1);
  const yes = await answer('y\\n');
  assert.equal(yes.code, 0, yes.out);
  assert.match(yes.out, /deleted 1 route\r?\n/);
  assert.deepEqual(await cmd.json('routes', 'list'), []);
}, NO_SEED);

both(test, 'names that a terminal would obey are never printed raw', async (cmd) => {
  assert.equal((await cmd('routes', 'add', EVIL, URL)).code, 0);
  for (const words of [
    ['list'], ['list', '--csv'], ['list', '--json'], ['list', '--usage', '--jsonl'],
    ['set', EVIL, '--priority', '3'], ['resolve', EVIL], ['resolve', EVIL, '--json'], ['rm', EVIL, '-y'],
    ['rm', EVIL, '-y'], ['resolve', EVIL, '--sample', 'python'],
  ]) {
    for (const env of [{}, { LLM_OBSERVE_FORCE_TTY: '100' }]) {
      const { out, err } = await cmd('routes', ...words, { env });
      assert(!OBEYED.test(out) && !OBEYED.test(err), `${words.join(' ')}: ${JSON.stringify(out + err)}`);
    }
  }
}, NO_SEED); // prettier-ignore

both(test, 'a provider is added, changed and deleted', async (cmd) => {
  assert.deepEqual(await cmd('providers', 'set', 'lab').then((r) => [r.code, r.out]), [2, '']);
  const added = await cmd('providers', 'set', 'Lab', '--name', 'Lab', '--upstream-url', URL, '--capability', 'text,vision');
  assert.deepEqual([added.code, added.out, added.err], [0, 'lab\n', 'added provider lab\n']);
  const row = await cmd.json('providers', 'set', 'lab', '--key-env', 'LOP_NO_KEY', '--default');
  assert.deepEqual(
    [row.name, row.upstream_url, row.capabilities, row.api_key_state, row.is_default_fallback],
    ['Lab', URL, { text: true, vision: true }, 'missing', true],
  );
  const dry = await cmd('providers', 'set', 'lab', '--capability', '', '--no-default', '--dry-run');
  assert.match(dry.err, /is_default_fallback: true -> false/);
  assert.equal((await cmd('providers', 'set', 'lab', '--capability', 'speech')).code, 2);
  await cmd('routes', 'add', 'm', URL, '--provider', 'lab');
  await cmd('pricing', 'set', 'lab', 'm', '--input', '1', '--output', '2');
  const [found] = await cmd.json('providers', 'list', '--search', 'lab', '--usage', '--status', 'active');
  assert.deepEqual(
    [found.slug, found.model_count, found.route_count, found.requests_today, found.estimated_cost_usd],
    ['lab', 1, 1, 0, 0],
  );
  const refused = await cmd('providers', 'rm', 'lab');
  assert.deepEqual([refused.code, refused.out], [2, '']);
  assert.match(refused.err, /refusing to delete 1 provider with 1 price without --yes/);
  for (const words of [['set', ''], ['rm', '', '-y'], ['check', '']])
    assert.deepEqual(await cmd('providers', ...words).then((r) => [r.code, r.err]), [
      2, 'llm-observe-proxy: SLUG is empty\n',
    ]); // prettier-ignore
  assert.match((await cmd('providers', 'rm', 'lab', '--dry-run')).err, /1 route loses its provider/);
  assert.equal((await cmd('providers', 'rm', 'lab', 'nosuch', '-y')).code, 3, 'all are looked up before');
  assert.deepEqual(await cmd.json('providers', 'rm', 'lab', '-y'), { deleted: true });
  assert.deepEqual(await cmd.json('pricing', 'list', '--provider', 'lab'), []);
}, NO_SEED);

both(test, 'providers are checked, and one that is not well is exit status 1', async (cmd, t) => {
  const upstream = await scripted(t);
  upstream.script('/v1/models', (turn) => turn.json({ data: [] }));
  await cmd('providers', 'set', 'well', '--name', 'Well', '--upstream-url', upstream.url);
  await cmd('providers', 'set', 'keyless', '--name', 'K', '--upstream-url', upstream.url.replace('/v1', '/v2'), '--key-env', 'LOP_NO_KEY');
  const good = await cmd('providers', 'check', 'well');
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /^well\thealthy\t\d+\tnot_configured\tHTTP 200\n$/);
  const bad = await cmd('providers', 'check', 'well', 'keyless', '--json');
  assert.equal(bad.code, 1);
  assert.deepEqual(JSON.parse(bad.out).map((r) => [r.provider_slug, r.status, r.auth_state]), [
    ['well', 'healthy', 'not_configured'], ['keyless', 'warning', 'missing_key'],
  ]); // prettier-ignore
  assert.equal((await cmd('providers', 'check', 'nosuch')).code, 3);
}, NO_SEED);

test('what is read is the same from a server and from its file', async (t) => {
  const upstream = await scripted(t);
  const cmd = await commands(t, 'server', { upstream });
  await cmd('routes', 'add', EVIL, URL, '--fix', 'qwen-tagged-tool-call-rewrite');
  await cmd('pricing', 'set', 'openai', 'tiny', '--input', '0.123456', '--output', '1e-6', '--tier', ':5:1:2');
  for (const model of ['gpt-5.5', 'other'])
    await cmd.proxy.request('POST', '/v1/chat/completions', {
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify({ model }),
    });
  await until(() => cmd.proxy.sql('SELECT count(completed_us) n FROM requests')[0].n === 2);
  const verbs = [
    'routes list', 'routes list --usage --search gpt', 'routes recent', 'routes resolve gpt-5.5',
    'routes resolve gpt-5.5 --provider openrouter', 'routes seed --mode refresh_seeded --dry-run',
    'providers list --usage', 'pricing list', 'pricing find openai tiny', 'db check', 'db check --quick',
    'pricing estimate openai tiny --input 7 --output 1M --service-tier flex',
  ].map((line) => line.split(' '));
  const answers = async (ask) => {
    const list = [];
    for (const words of verbs) {
      const { code, out } = await ask(...words, '--json');
      list.push([words.join(' '), code, out.replaceAll(/localhost:\d+\/v1/g, 'localhost/v1')]);
    }
    return list;
  };
  const first = await answers(cmd);
  assert(first.every(([, code, out]) => code < 2 && out.length > 2), JSON.stringify(first));
  assert.deepEqual(await answers(await commands(t, 'file', { proxy: cmd.proxy })), first);
});

test('mistakes on the command line are exit status 2, and say what is meant', async () => {
  for (const [words, message] of [
    [['routes'], /routes VERB|routes list/],
    [['routes', 'lst'], /unknown verb "lst" of routes, did you mean "list"/],
    [['routes', 'list', '--provder', 'x'], /did you mean "--provider"/],
    [['routes', 'list', '--status', 'on'], /--status: "on" is none of active, inactive/],
    [['routes', 'list', '--json=idd'], /unknown field "idd"/],
    [['routes', 'list', 'x'], /unexpected argument "x"/],
    [['routes', 'add', 'm'], /URL is missing/],
    [['routes', 'list', '--dry-run'], /--dry-run has no meaning for routes list/],
    [['routes', 'rm'], /ROUTE/],
    [['routes', 'seed', '--mode', 'all'], /missing_only/],
    [['routes', 'recent', '--days', '0'], /--days: 0 is not within/],
    [['routes', 'set', 'x', '--fix', 'a', '--no-fixes'], /exclude each other/],
    [['providers', 'set', 'x', '--capability', 'speech'], /none of text, vision, tool_calling/],
    [['providers', 'check', '--csv', '--json'], /exclude each other/],
  ]) {
    const { code, out, err } = await run(words);
    assert.equal(code, 2, `${words.join(' ')}: ${err}`);
    assert.equal(out, '', words.join(' '));
    assert.match(err, message);
  }
});

test('without a server and a database it says so, and a full disk is no success', async (t) => {
  const { code, out } = await run(['routes', 'list'], {
    cwd: folder(t), env: { LLM_OBSERVE_INCOMING_PORT: '1' },
  }); // prettier-ignore
  assert.deepEqual([code, out], [5, '']);
  const cmd = await commands(t, 'server');
  const full = await cmd('routes', 'list', { wrap: ['sh', '-c', 'exec "$0" "$@" >/dev/full'] });
  assert.equal(full.code, 1);
  assert.match(full.err, /No space left/);
});
