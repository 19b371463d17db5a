/* "runs exec": real children, measured through the proxy. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { BINARY, folder, launch, mock, run, start } from './proxy.mjs';
import { ms, until, within } from './until.mjs';
import { Terminal } from './terminal.mjs';
import { scripted } from './upstream.mjs';

const UTF8 = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };
const HERE = path.dirname(fileURLToPath(import.meta.url));
const alive = (pid) => {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !readFileSync(file, 'utf8').includes(') Z ');
};

/** Run "runs exec" with these words in front of a shell script. */
const exec = (proxy, words, script, options = {}) =>
  run(['runs', 'exec', ...words, '--url', proxy.url, '--', 'sh', '-c', script], {
    env: { ...UTF8, ...options.env }, ...options,
  });

async function setUp(t, options = {}) {
  const upstream = await scripted(t);
  upstream.fallback = (turn) =>
    turn.json({ choices: [], usage: { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100 } });
  const proxy = await start(t, { upstream, ...options });
  return { upstream, proxy };
}

const lastRun = async (proxy) => (await proxy.api('/api/runs')).items[0];

test('a real SDK in a child is measured', async (t) => {
  const upstream = await mock(t, ['--ttft', '5ms', '--tps', '2000', '--tokens', '30', '--seed', '7']);
  const proxy = await start(t, { upstream });
  const script = path.join(folder(t), 'agent.mjs');
  writeFileSync(script, `
    import { createRequire } from 'node:module';
    import { File } from 'node:buffer';
    globalThis.File ??= File;
    const OpenAI = createRequire(${JSON.stringify(`${HERE}/`)})('openai').default;
    const client = new OpenAI({ apiKey: 'sk-test' });
    const messages = [{ role: 'user', content: 'hi' }];
    await client.chat.completions.create({ model: 'm1', messages });
    const stream = await client.chat.completions.create({ model: 'm1', messages, stream: true });
    for await (const part of stream) if (!part) process.exit(1);
    console.log('said', process.env.LLM_OBSERVE_RUN_NAME, process.env.LLM_OBSERVE_RUN_ID);
    process.exit(3);
  `);
  const { code, out, err } = await run(
    ['runs', 'exec', '--name', 'agent', '--url', proxy.url, process.execPath, script, '--json'],
    { env: UTF8, limit: ms(20000) },
  );
  assert.deepEqual([code, out], [3, 'said agent 1\n'], err);
  const bill = err.split('\n');
  assert.equal(bill[0], 'run 1 "agent" started');
  assert.match(bill[1], /^run 1 "agent" ended after \S+, command exited 3$/);
  assert.match(bill[2], /^ {2}2 requests, 0 errors, \S+ in, \S+ out \(2 without price\)$/);
  const made = await lastRun(proxy);
  assert.deepEqual([made.status, made.request_count], ['complete', 2]);
  assert.equal(made.signals.streams.value, 1);
});

test('the child gets an environment, and its streams are its own', async (t) => {
  const { proxy } = await setUp(t);
  const show = 'for n in OPENAI_BASE_URL OPENAI_API_BASE ANTHROPIC_BASE_URL LLM_OBSERVE_URL LLM_OBSERVE_RUN_ID ' +
    'LLM_OBSERVE_RUN_NAME X Y; do eval "echo $n=\\$$n"; done; echo to-stderr >&2';
  const { out, err } = await exec(proxy, ['--name', 'n 1', '--env', 'X=a=b', '--env', 'Y='], show);
  assert.deepEqual(out.trim().split('\n'), [
    `OPENAI_BASE_URL=${proxy.url}/v1`, `OPENAI_API_BASE=${proxy.url}/v1`, `ANTHROPIC_BASE_URL=${proxy.url}`,
    `LLM_OBSERVE_URL=${proxy.url}`, 'LLM_OBSERVE_RUN_ID=1', 'LLM_OBSERVE_RUN_NAME=n 1', 'X=a=b', 'Y=',
  ]);
  assert.match(err, /^run 1 "n 1" started\nto-stderr\nrun 1 "n 1" ended/);
  const bare = await exec(proxy, ['--no-env', '--quiet'], 'echo "[$OPENAI_BASE_URL$LLM_OBSERVE_RUN_ID]"');
  assert.deepEqual([bare.out, bare.err], ['[]\n', '']);
  assert.match((await lastRun(proxy)).name, /^sh \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
});

test('exit codes are those of the child, or say why there was none', async (t) => {
  const { proxy } = await setUp(t);
  const plain = path.join(folder(t), 'plain');
  writeFileSync(plain, 'no program');
  for (const [script, code] of [['exit 0', 0], ['exit 7', 7], ['kill -9 $$', 137], ['kill -TERM $$', 143]])
    assert.equal((await exec(proxy, ['-q'], script)).code, code, script);
  assert.match((await exec(proxy, [], 'kill -9 $$')).err, /command ended by signal 9 \(Killed\)/);
  const runs = (await proxy.api('/api/runs')).items.length;
  const words = (...command) => run(['runs', 'exec', '--url', proxy.url, ...command], { env: UTF8 });
  for (const [command, code, why] of [
    ['no-such-command', 127, 'no-such-command: command not found'],
    [plain, 126, `${plain}: Permission denied`],
    ['/tmp', 126, '/tmp: Is a directory'],
  ]) {
    const got = await words(command);
    assert.deepEqual([got.code, got.out, got.err], [code, '', `llm-observe-proxy: ${why}\n`]);
  }
  assert.equal((await proxy.api('/api/runs')).items.length, runs, 'no run was started');
  const away = await run(['runs', 'exec', '--url', 'http://127.0.0.1:1', 'true'], { env: UTF8 });
  assert.equal(away.code, 125);
  await exec(proxy, ['--keep-running', '-q'], 'exit 0');
  assert.equal((await lastRun(proxy)).status, 'active');
  const refused = await exec(proxy, ['--no-replace'], 'exit 0');
  assert.equal(refused.code, 125);
  assert.match(refused.err, /is active\n$/);
});

test('exactly its run is ended, whatever became of it meanwhile', async (t) => {
  const { proxy } = await setUp(t);
  const cli = `${BINARY} runs`;
  const replaced = await exec(proxy, ['--name', 'a'], `${cli} start other`);
  assert.match(replaced.err, /\nrun 1 "a" was ended meanwhile\nrun 1 "a" ended after/);
  let items = (await proxy.api('/api/runs')).items;
  assert.deepEqual(items.map((r) => [r.name, r.status]), [['other', 'active'], ['a', 'complete']]);
  const paused = await exec(proxy, ['--name', 'b'], `${cli} pause && ${cli} start c`);
  assert.match(paused.err, /\nrun 3 "b" was paused meanwhile\nrun 3 "b" ended after/);
  items = (await proxy.api('/api/runs')).items;
  assert.deepEqual(items.map((r) => [r.name, r.status]).slice(0, 2), [['c', 'active'], ['b', 'complete']]);
});

test('requests in flight are waited for before the bill', async (t) => {
  const { upstream, proxy } = await setUp(t);
  let release;
  const held = new Promise((done) => (release = done));
  upstream.script('/v1/slow', async (turn) => {
    await held;
    await turn.json({ usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 } });
  });
  const child = launch(['runs', 'exec', '--url', proxy.url, '--name', 'slow', '--', 'sh', '-c',
    'curl -s -o /dev/null "$OPENAI_BASE_URL/slow" -d "{}" & while ! test -e "$0"; do sleep 0.02; done',
    path.join(folder(t), 'never')], { env: UTF8 });
  t.after(() => child.kill('SIGKILL'));
  await upstream.saw('/v1/slow');
  child.kill('SIGTERM'); /* passed on: shell and curl end, the request is cut off */
  const how = await within(child.gone, () => `it to end: ${child.err}`);
  release();
  assert.equal(how.code, 143);
  assert.match(child.err, /ended after \S+, command ended by signal 15/);
});

test('signals are passed on to all that the command started', async (t) => {
  const { proxy } = await setUp(t);
  for (const [signal, code] of [['SIGTERM', 5], ['SIGHUP', 6], ['SIGINT', 7]]) {
    const child = launch(['runs', 'exec', '--url', proxy.url, '--', 'bash', '-c',
      'trap "exit 5" TERM; trap "exit 6" HUP; trap "exit 7" INT; sleep 100 & echo $!; wait'], { env: UTF8 });
    t.after(() => child.kill('SIGKILL'));
    const sleeper = Number(await until(() => child.out.includes('\n') && child.out, 'the pid'));
    await until(() => readFileSync(`/proc/${sleeper}/comm`, 'utf8') === 'sleep\n', 'the grandchild');
    child.kill(signal);
    await until(() => /ended after/.test(child.err), () => `the bill: ${child.err}`);
    if (signal === 'SIGINT') process.kill(sleeper, 'SIGKILL'); /* shells keep it from background commands */
    assert.equal((await within(child.gone, () => `it to end: ${child.err}`)).code, code);
    await until(() => !alive(sleeper), `${signal} to reach the grandchild`);
    assert.equal((await lastRun(proxy)).status, 'complete');
  }
});

test('a limit of time or cost stops the command', async (t) => {
  const { upstream, proxy } = await setUp(t);
  const late = await exec(proxy, ['--max-time', '300ms'], 'sleep 100 & sleep 100');
  assert.equal(late.code, 124);
  assert.ok(late.ms < ms(3000));
  assert.match(late.err, /, command stopped by --max-time 300ms\n/);
  const post = (target, value) =>
    proxy.request('POST', target, { fields: [['Content-Type', 'application/json']], body: JSON.stringify(value) });
  await post('/admin/api/providers', { name: 'Lab', slug: 'lab', base_url: upstream.url });
  await post('/admin/api/pricing/prices', {
    provider_slug: 'lab', model: 'priced', input_usd_per_million: 10000, output_usd_per_million: 10000,
  });
  const ask = (model) => `curl -s -o /dev/null "$OPENAI_BASE_URL/chat/completions" -d '{"model":"${model}"}';`;
  const spent = await exec(proxy, ['--budget', '2'], `${ask('priced')}${ask('other')}${ask('priced')}sleep 100`);
  assert.equal(spent.code, 124);
  assert.match(spent.err, /, command stopped by --budget 2\n {2}3 requests, .*\$2\.00 \(1 without price\)\n/);
  const under = await exec(proxy, ['--budget', '2'], `${ask('priced')}sleep 1.3`);
  assert.equal(under.code, 0);
});

test('a server that goes away does not change what the command did', async (t) => {
  const { proxy } = await setUp(t, { exit: [0, null] });
  proxy.killed = true;
  const { code, err } = await exec(proxy, ['--budget', '1'], `kill -9 ${proxy.pid}; sleep 1.2; exit 9`, { limit: ms(10000) });
  assert.equal(code, 9);
  assert.match(err, /run 1 cost cannot be compared with --budget: .*\n.*run 1 could not be ended: .*no server answers/);
});

/* ---- in a terminal ---- */

const terminal = (t, proxy) => Terminal.open(t, { width: 100, height: 30, env: { LLM_OBSERVE_URL: proxy.url } });

test('Ctrl-C and Ctrl-Z in a terminal are for the command', async (t) => {
  const { proxy } = await setUp(t);
  const term = await terminal(t, proxy);
  const file = path.join(folder(t), 'got');
  term.run(`${BINARY} runs exec --name tty -- bash -c 'trap "echo int >>${file}; exit 4" INT; ` +
    `echo wai''ting; while :; do sleep 0.05; done'`);
  await term.sees(/^waiting$/m);
  term.keys('C-z');
  await term.sees(/Stopped/);
  assert.equal((await lastRun(proxy)).status, 'active');
  term.run('echo the sh""ell');
  await term.sees(/^the shell$/m);
  term.run('clear');
  await until(() => !/the shell/.test(term.screen), 'a clear screen');
  term.run('fg');
  await term.sees(/runs exec/);
  term.keys('C-c');
  await term.sees(/command exited 4[^]*^ready\$$/m);
  term.run('echo co""de $?');
  await term.sees(/^code 4$/m);
  assert.equal(readFileSync(file, 'utf8'), 'int\n', 'it came once');
  assert.equal((await lastRun(proxy)).status, 'complete');
  term.run('clear; stty -a | grep -o " echo "; echo fi""ne');
  await term.sees(/^fine$/m);
  assert.match(term.screen, /^ echo$/m);
});

test('the command reads from the terminal, and a killed one leaves it usable', async (t) => {
  const { proxy } = await setUp(t);
  const term = await terminal(t, proxy);
  term.run(`${BINARY} runs exec -q -- bash -c 'read -p name? x; echo "got [$x]"; stty -echo raw; kill -9 $$'; echo co''de $?`);
  await term.sees(/^name\?$/m);
  term.run('Ada');
  await term.sees(/^got \[Ada\]$/m);
  await term.sees(/^code 137$/m);
  term.run('echo us""able');
  await term.sees(/echo us""able\n[^]*usable/);
});
