/* docs/walkthrough.sh does what it says, against the real program on free ports. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { BINARY, folder, sql } from './proxy.mjs';
import { ms, within } from './until.mjs';

const script = fileURLToPath(new URL('../../docs/walkthrough.sh', import.meta.url));

/** Run the script to its end in a folder; gives its output. */
async function walk(t, place) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^LLM_OBSERVE_|_proxy$/i.test(name)),
  );
  const child = spawn('bash', [script, place], {
    env: { ...env, LOP: BINARY },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, /* a group of its own, with all that it starts */
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  const gone = new Promise((done) => child.once('close', done));
  t.after(() => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      /* it is over */
    }
  });
  const code = await within(gone, () => `the walkthrough to end: ${out}${err}`, ms(30000));
  assert.equal(code, 0, out + err);
  assert.equal(err, '');
  return out;
}

test('the walkthrough of the documents works as it stands', async (t) => {
  const place = folder(t);
  const out = await walk(t, place);
  const read = (name) => readFileSync(path.join(place, name), 'utf8');

  const { stats } = JSON.parse(read('stats.json'));
  assert.deepEqual([stats.request_count, stats.success_count, stats.error_count], [8, 8, 0]);
  const lines = read('requests.jsonl').trim().split('\n').map((line) => JSON.parse(line));
  const page = JSON.parse(read('requests.json')).items;
  assert.deepEqual(lines.map(({ id }) => id), page.map(({ id }) => id));
  assert.equal(lines.length, 8);

  const rows = sql(
    path.join(place, 'walkthrough.sqlite3'),
    'select model, billing_input_tokens i, billing_output_tokens o, billing_total_cost_pusd cost, attempt_count n from requests order by id',
  );
  const rates = { small: [0.1, 0.4], medium: [1, 4], large: [5, 25] };
  rows.forEach(({ model, i, o, cost }, at) => {
    const [input, output] = at === 7 ? [2, 8] : rates[model];
    assert.equal(cost, Math.round(1e6 * (i * input + o * output)), `${model}, request ${at + 1}`);
  });
  assert.equal(rows.find(({ model }) => model === 'large').n, 2, 'it failed over');
  const sum = rows.reduce((all, { cost }) => all + cost, 0);
  assert.equal(Math.round(stats.cost_usd * 1e12), sum);

  const { baseline, scenarios } = JSON.parse(read('what-if.json'));
  assert.equal(Math.round(baseline.total_cost_usd * 1e12), sum);
  for (const { model, total_cost_usd: cost } of scenarios) {
    const [input, output] = model === 'medium' ? [2, 8] : rates[model];
    const all = rows.reduce((total, { i, o }) => total + i * input + o * output, 0);
    assert.equal(Math.round(cost * 1e12), Math.round(1e6 * all), `as if all were ${model}`);
  }
  assert.match(out, /"status":"complete","request_count":8/);
});
