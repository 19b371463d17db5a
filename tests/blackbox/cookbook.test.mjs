/* docs/cookbook.md does what it says: each recipe is run as it stands, in their order. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BINARY, folder, launch, mock, start } from './proxy.mjs';
import { ms, within } from './until.mjs';

const file = fileURLToPath(new URL('../../docs/cookbook.md', import.meta.url));

/* What a recipe must print. */
const PRINTS = {
  'Benchmark two models': /bench-glm-4\.7\t3\t0\t\d+\t0\.\d+.*\nbench-gpt-5\.4-mini\t3\t0\t/,
  'What would it have cost elsewhere': /openai:gpt-5\.5.*\n.*openai:gpt-5\.4-mini/s,
  'Stop before it gets expensive': /^$/,
  'The slowest requests': /model\t.*\n(\d+\t.*\n){5}\[\]/,
  'The cost of a run by model': /"model": "glm-4\.7",\s+"requests": 3,\s+"usd": 0\.\d+/,
  'The first token, by model': /^streamer\t1\t\d+\t\d+$/m,
  'What was really sent': /Tell me more.*\n(.*\n)*.*Tell me more/,
  'Send it once more': /\w+ \w+/,
  'What changed between two requests': /Count to 1.*(.*\n)*.*Count to 2/,
  'Find where a word was said': /^10\n(.*\n)*.*Count to 3/,
  'Watch what goes wrong': /"status":500/,
  'A status line': /^0 live {2}[\d.]+ tok\/s {2}\$[\d.e-]+\/min$/m,
  'Send one model somewhere else': /house-\*(.*\n)*.*gpu1\.lan/,
  'Keep a month, archive the rest': /"rows": 1\d/,
};

function recipes() {
  const found = readFileSync(file, 'utf8').matchAll(/^## (.*)\n(?:(?!^## )[^])*?^```sh\n([^]*?)^```$/gm);
  return [...found].map(([, name, script]) => ({ name, script }));
}

async function run(script, place, url) {
  const child = launch(['-euo', 'pipefail', '-c', script], {
    binary: '/bin/bash',
    cwd: place,
    env: { PATH: `${place}:${process.env.PATH}`, LLM_OBSERVE_URL: url, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
  });
  const { code } = await within(child.gone, () => `the recipe to end: ${child.out}${child.err}`, ms(20000));
  return { code, out: child.out, err: child.err };
}

test('every recipe of the cookbook works as it stands', async (t) => {
  const place = folder(t);
  const upstream = await mock(t, ['--ttft', '10ms', '--tps', '0', '--tokens', '20']);
  const models = ['gpt-5.4-mini', 'glm-4.7'];
  const providers = { 'gpt-5.4-mini': 'openai', 'glm-4.7': 'zai' };
  const proxy = await start(t, {
    upstream: upstream.url,
    env: {
      LLM_OBSERVE_MODELS_JSON: JSON.stringify(
        models.map((model) => ({ model, upstream_url: upstream.url, provider_slug: providers[model], auth_style: 'none' })),
      ),
    },
  });
  symlinkSync(BINARY, path.join(place, 'llm-observe-proxy'));
  const all = recipes();
  assert.deepEqual(all.map(({ name }) => name), Object.keys(PRINTS));

  for (const { name, script } of all) {
    if (name === 'The first token, by model') {
      const ask = (value) => proxy.send(proxy.post('/v1/chat/completions', value));
      await ask({ model: 'streamer', stream: true, messages: [{ role: 'user', content: 'Tell me' }] });
      await ask({ model: 'broken,status=500', messages: [{ role: 'user', content: 'Fail' }] });
      await ask({ model: 'talker', messages: [{ role: 'user', content: 'Tell me more' }] });
      await proxy.captured('model=talker');
    }
    const { code, out, err } = await run(script, place, proxy.url);
    assert.equal(code, 0, `${name}: ${out}${err}`);
    assert.match(out, PRINTS[name], `${name}: ${err}`);
  }
  assert(existsSync(path.join(place, 'older.jsonl')));
  assert(readFileSync(path.join(place, 'answer.bin')).length > 100);
});
