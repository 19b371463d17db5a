/* The command "pricing": what tokens cost, over a server and over a file. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { both, commands, MODES, OBEYED } from './commands.mjs';
import { mock, run, start } from './proxy.mjs';
import { scripted } from './upstream.mjs';

both(test, 'a price is added, changed and deleted, and its digits stay', async (cmd) => {
  const added = await cmd('pricing', 'set', 'OpenAI', 'tiny', '--input', '0.123456', '--output', '1.10');
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /^\d+\n$/, 'the id alone is on stdout');
  assert.equal(added.err, 'added the price of OpenAI:tiny\n');
  const row = await cmd.json('pricing', 'set', 'openai', 'tiny', '--cached-input', '0.000001', '--alias', 'a', '--alias', 'b', '--notes', 'n');
  assert.deepEqual([row.key, row.aliases, row.notes, row.active], ['openai:tiny', ['a', 'b'], 'n', true]);
  const kept = await cmd('pricing', 'set', 'openai', 'tiny', '--inactive', '--json=input_usd_per_million,output_usd_per_million,cached_input_usd_per_million,active');
  assert.equal(
    kept.out.trim(),
    '{"input_usd_per_million":0.123456,"output_usd_per_million":1.1,"cached_input_usd_per_million":0.000001,"active":false}',
  );
  const same = await cmd('pricing', 'set', 'openai', 'tiny', '--input', '0.123456');
  assert.deepEqual([same.code, same.err], [0, 'nothing to change\n']);
  const dry = await cmd('pricing', 'set', 'openai', 'tiny', '--active', '--no-aliases', '--dry-run');
  assert.match(dry.err, /aliases: \["a","b"\] -> \[\]\n {2}active: false -> true\n/);
  const cleared = await cmd.json('pricing', 'set', 'openai', 'tiny', '--notes', '', '--no-aliases', '--active');
  assert.deepEqual([cleared.notes, cleared.aliases], [null, []]);

  for (const [words, code, message] of [
    [['set', 'openai', 'tiny', '--input', 'abc'], 2, /must be a decimal number/],
    [['set', 'openai', 'other', '--input', '1'], 2, /output_usd_per_million is required/],
    [['set', 'nosuch', 'm', '--input', '1', '--output', '1'], 2, /Provider not found/],
    [['rm', 'openai', 'tiny'], 2, /refusing to delete the price of openai:tiny without --yes/],
    [['rm', 'openai', 'other', '-y'], 3, /there is no price of openai:other/],
    [['find', 'openai', 'other'], 3, /No price/],
  ]) {
    const got = await cmd('pricing', ...words);
    assert.deepEqual([got.code, got.out], [code, ''], words.join(' '));
    assert.match(got.err, message);
  }
  assert.equal((await cmd('pricing', 'rm', 'openai', 'tiny', '--dry-run')).code, 0);
  assert.deepEqual(await cmd.json('pricing', 'rm', 'openai', 'tiny', '-y'), { deleted: true });
  assert.equal((await cmd('pricing', 'rm', 'openai', 'tiny', '-y')).code, 3);
});

both(test, 'tiers that are given replace all, others stay', async (cmd) => {
  const tiers = ['--tier', ':1000:1:2', '--tier', '1000::0.5:1:0.1'];
  await cmd('pricing', 'set', 'openai', 'tiny', '--input', '3', '--output', '4', ...tiers);
  const stay = await cmd.json('pricing', 'set', 'openai', 'tiny', '--input', '5');
  assert.deepEqual(
    stay.tiers.map((t) => [t.min_input_tokens, t.max_input_tokens, t.input_usd_per_million, t.cached_input_usd_per_million]),
    [[null, 1000, 1, null], [1000, null, 0.5, 0.1]],
  ); // prettier-ignore
  const found = await cmd('pricing', 'find', 'openai', 'tiny');
  assert.match(found.out, /^found by +exact\n/m);
  assert.match(found.out, /^tier +1000 to any tokens: input 0\.5, output 1\n/m);
  const list = await cmd('pricing', 'list', '--search', 'tiny');
  assert.equal(list.out.split('\t')[5], '2', 'the number of tiers');
  const one = await cmd.json('pricing', 'set', 'openai', 'tiny', '--tier', '::7:8');
  assert.equal(one.tiers.length, 1);
  assert.deepEqual((await cmd.json('pricing', 'set', 'openai', 'tiny', '--no-tiers')).tiers, []);
  assert.equal((await cmd('pricing', 'set', 'openai', 'tiny', '--tier', '5:1:1:1')).code, 2);
});

both(test, 'an estimate shows the equation, and the API object as JSON', async (cmd) => {
  const words = ['pricing', 'estimate', 'openai', 'gpt-5.4', '--input', '10k', '--output', '500'];
  assert.equal((await cmd.json(...words)).cost_usd, 0.0325);
  const text = await cmd(...words, '--cached', '4000');
  assert.match(text.out, /^input +6000 tokens at 2\.500000$/m);
  assert.match(text.out, /^cached +4000 tokens at 0\.250000$/m);
  assert.match(text.out, /^cost +0\.016 \+ 0\.0075 = 0\.0235 USD$/m);
  assert.equal((await cmd('pricing', 'estimate', 'openai', 'x', '--input', '1', '--output', '1')).code, 3);
  assert.equal((await cmd('pricing', 'estimate', 'openai', 'gpt-5.4', '--input', '-1', '--output', '1')).code, 2);
});

for (const mode of MODES)
  test(`prices of a router are previewed, taken, and price what had none (${mode})`, async (t) => {
    const router = await scripted(t);
    router.script('/api/v1/models', (turn) =>
      turn.json({
        data: [
          { id: 'a/b', name: 'x\x1b]0;pwn\x07y', pricing: { prompt: '0.000001', completion: '0.000002' } },
          { id: 'a/c', name: 'C', pricing: { prompt: '0.000003', completion: '0.000004' } },
        ],
      }),
    );
    const upstream = await mock(t, ['--ttft', '0', '--tps', '0']);
    const env = { LLM_OBSERVE_CATALOG_URL: new URL(router.url).origin };
    const proxy = await start(t, { upstream, env });
    const cmd = await commands(t, 'server', { proxy });
    await cmd('providers', 'set', 'openrouter', '--upstream-url', upstream.url);
    await proxy.request('POST', '/v1/chat/completions', {
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify({ model: 'a/b', messages: [{ role: 'user', content: 'hi' }] }),
    });
    await proxy.captured('endpoint=chat');
    const ask = mode === 'server' ? cmd : await commands(t, mode, { proxy });
    const sync = (...words) => ask('pricing', 'sync', 'openrouter', '--no-providers', ...words, { env });

    const dry = await sync('--dry-run', '--json');
    assert.equal(dry.code, 0, dry.err);
    assert.equal(JSON.parse(dry.out).counts.new, 2);
    const table = await sync('--dry-run');
    assert.match(table.out, /^new\topenrouter:a\/b\t1\.?0*\t\t/m);
    const refused = await sync();
    assert.deepEqual([refused.code, refused.out], [2, '']);
    assert.match(refused.err, /refusing to store 2 prices without --yes/);
    assert.equal((await sync('--key', 'openrouter:no', '-y')).code, 3);
    const one = await sync('--key', 'openrouter:a/b', '--yes', '--json');
    assert.equal(one.code, 0, one.err);
    assert.deepEqual([JSON.parse(one.out).applied, JSON.parse(one.out).repriced_missing], [1, 1]);
    assert.match(one.err, /added 1 price, changed 0; repriced 1 request\n/);

    await ask('pricing', 'set', 'openrouter', 'a/c', '--input', '9', '--output', '9');
    const edited = await sync('--dry-run', { env: { ...env, LLM_OBSERVE_FORCE_TTY: '100' } });
    assert.equal(edited.out, '', 'what a person has edited is not taken');
    const old = await ask('pricing', 'sync', 'openrouter', '--no-providers', '--dry-run', '--key', 'openrouter:a/c', {
      env: { ...env, LLM_OBSERVE_FORCE_TTY: '120' },
    });
    assert.match(old.out, /openrouter:a\/c +9(\.0+)? -> 3/);
    for (const words of [['list', '--search', 'a/b', '--json'], ['list', '--columns=name'], ['find', 'openrouter', 'a/b']]) {
      const { out, err } = await ask('pricing', ...words);
      assert(!OBEYED.test(out + err), JSON.stringify(out + err));
    }
  });

both(test, 'a backfill tells how many requests it priced', async (cmd) => {
  const done = await cmd('pricing', 'backfill', 'missing');
  assert.deepEqual([done.code, done.out], [0, 'repriced 0 requests\n']);
  assert.deepEqual(await cmd.json('pricing', 'backfill', 'cached'), { kind: 'cached', repriced: 0, examined: 0 });
});

test('mistakes on the command line are exit status 2, and say what is meant', async () => {
  for (const [words, message] of [
    [['pricing', 'fnd'], /did you mean "find"/],
    [['prices', 'list', '--serch', 'x'], /did you mean "--search"/],
    [['pricing', 'backfill'], /cached/],
    [['pricing', 'backfill', 'all'], /"all" is none of cached, missing/],
    [['pricing', 'set', 'p'], /MODEL is missing/],
    [['pricing', 'set', 'p', 'm', '--tier', '1:2'], /is no MIN:MAX:INPUT:OUTPUT/],
    [['pricing', 'set', 'p', 'm', '--tier', '1:2:3:4', '--no-tiers'], /exclude each other/],
    [['pricing', 'estimate', 'p', 'm', '--input', '1'], /needs --input and --output/],
    [['cost', 'p', 'm', '--input', 'x', '--output', '1'], /--input: "x" is no whole number/],
    [['pricing', 'sync', 'openrouter', '--limit', '0'], /--limit/],
    [['pricing', 'find', 'p', 'm', '--csv'], /--csv has no meaning for pricing find/],
  ]) {
    const { code, out, err } = await run(words);
    assert.deepEqual([code, out], [2, ''], `${words.join(' ')}: ${err}`);
    assert.match(err, message);
  }
});
