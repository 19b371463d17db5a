/* Completion: what shells are told, and what they do with it. bash and zsh run on a terminal of
 * their own, in which a function of the program's name prints the words it got. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { BINARY, SANITIZER, folder, run, start } from './proxy.mjs';
import { until } from './until.mjs';
import { scripted } from './upstream.mjs';

const UTF8 = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };
const MODELS = ['qwen3:8b', 'my model', `it's "so" $HOME`, 'a/b*c', 'plain', 'bell\x07model', 'rtl\u202e'];

/** What may stand for the last word. */
async function values(words, options = {}) {
  const { code, out, err } = await run(
    ['__complete', String(words.length), 'llm-observe-proxy', ...words],
    { env: UTF8, ...options, env: { ...UTF8, ...options.env } });
  assert.equal(err, '', words.join(' '));
  const lines = out.split('\n').filter(Boolean);
  for (const line of lines) assert.match(line, /^[^\t]+\t[^\t]*$/, words.join(' '));
  return { code, list: lines.map((line) => line.split('\t')[0]), lines };
}

async function served(t) {
  const upstream = await scripted(t);
  const proxy = await start(t, { upstream });
  for (const model of MODELS)
    await proxy.send(proxy.post('/v1/chat/completions', { model, messages: [] }));
  for (const name of ['night run', 'bench-1'])
    await proxy.send(proxy.post('/api/runs/start', { name }));
  await until(async () => (await values(['requests', 'list', '--model', ''],
    { env: { LLM_OBSERVE_URL: proxy.url } })).list.length >= 5 && true, 'the models to be known');
  return proxy;
}

test('every word is completed from the tables', async (t) => {
  const cwd = folder(t);
  const list = async (...words) => (await values(words, { cwd })).list;
  assert.deepEqual(await list('re'), ['requests']);
  assert((await list('')).includes('serve'));
  assert(!(await list('')).some((name) => name.startsWith('__')));
  assert.deepEqual(await list('req', 'sh'), ['show']);
  assert.deepEqual(await list('--json', 'requests', 'gr'), ['grep']);
  assert.deepEqual(await list('--url', 'x', 'requests', 'gr'), ['grep']);
  assert.deepEqual(await list('requests', 'list', '--rev'), ['--reverse']);
  assert.deepEqual(await list('requests', 'list', '--reverse', '--rev'), []);
  assert.deepEqual(await list('requests', 'show', '--csv'), []);
  assert.deepEqual(await list('requests', 'show', '1', '--mode', 'm'), ['markdown']);
  assert.deepEqual(await list('requests', 'show', '--mode=m'), ['--mode=markdown']);
  assert.deepEqual(await list('requests', 'list', '--sort', 'ttf'), ['ttft']);
  assert.deepEqual(await list('requests', 'list', '--columns', 'id,ttf'), ['id,ttft']);
  assert.deepEqual(await list('requests', 'list', '--json=id,tokens.outp'),
    ['--json=id,tokens.output', '--json=id,tokens.output_display']);
  assert.deepEqual(await list('requests', 'show', 'la'), ['last', 'last-error']);
  assert.deepEqual(await list('requests', 'show', '1', ''), []);
  assert.deepEqual(await list('top', '--where', 'ttf'), ['ttft:']);
  assert.deepEqual(await list('top', '--where', '(is:error or is:sl'), ['(is:error or is:slow']);
  assert.deepEqual(await list('top', '--where', 'model:x -outcome:client'), ['model:x -outcome:client_gone']);
  assert.deepEqual(await list('runs', 'exec', '--no-e'), ['--no-env']);
  assert.deepEqual(await list('runs', 'exec', 'make', '--no-e'), []);
  assert.deepEqual(await list('trim', '--day'), ['--days']);
  assert.deepEqual(await list('db', 'search', 'r'), ['rebuild']);
  assert.deepEqual(await list('serve', '--durability', 'f'), ['full']);
  assert.deepEqual(await list('--durability', 'f'), ['full']);
  assert.deepEqual(await list('mock', '--tt'), ['--ttft']);
  assert.deepEqual(await list('help', 'exit'), ['exit-codes']);
  assert.deepEqual(await list('help', 'requests', 't'), ['tail']);
  assert.deepEqual(await list('completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(await list('nosuch', ''), []);
  assert.deepEqual(await list('requests', 'list', '--', '--rev'), []);
  assert.deepEqual(await list('requests', 'list', '--nosuch', ''), []);
  assert.equal((await values(['requests', 'show', '1', '-o', ''], { cwd })).code, 1);
  assert.equal((await values(['db', 'import', ''], { cwd })).code, 1);
});

test('names come from the server, sanitised, and a silent server costs no time', async (t) => {
  const proxy = await served(t);
  const env = { LLM_OBSERVE_URL: proxy.url };
  const models = await values(['requests', 'list', '--model', ''], { env });
  assert.deepEqual([...models.list].sort(), MODELS.slice(0, 5).sort());
  assert.deepEqual((await values(['requests', 'list', '--run', 'n'], { env })).lines,
    ['night run\tcomplete']);
  const ids = (await values(['--url', proxy.url, 'requests', 'show', ''])).list;
  assert.deepEqual(ids.slice(0, 3), ['last', 'last-error', String(MODELS.length)]);
  assert((await values(['requests', 'list', '--provider', 'open'], { env })).lines
    .includes('openai\tOpenAI'));

  const first = async (...words) => (await values(words, { env })).list[0];
  assert.equal(await first('config', 'get', 'upstream_f'), 'upstream_first_byte_timeout_ms');
  assert.equal(await first('routes', 'rm', 'gpt-5.5'), 'gpt-5.5');
  assert.equal(await first('providers', 'set', 'anth'), 'anthropic');
  assert.match(await first('pricing', 'find', 'anthropic', 'claude-opus'), /^claude-opus-/);
  assert.match(await first('runs', 'what-if', '--key', 'anthropic:cl'), /^anthropic:claude-/);
  assert.match(await first('routes', 'add', '--fix', ''), /^[a-z]/);
  assert.equal(await first('pricing', 'sync', '--key', ''), undefined);

  const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  for (const url of [`http://127.0.0.1:${silent.address().port}`, 'http://127.0.0.1:1', 'x:/'])
    for (const words of [['requests', 'list', '--model', ''], ['requests', 'list', '--model', 'q']]) {
      const began = performance.now();
      assert.deepEqual((await values(words, { env: { LLM_OBSERVE_URL: url } })).list, []);
      const took = performance.now() - began;
      if (!SANITIZER) assert(took < 400, `${url}: ${took} ms`); /* 200, and a process start */
    }
});

/* Type keys into a shell on a terminal, once it has said READY; give the words that the function got. */
async function type(t, shell, args, setup, keys, env) {
  const dir = folder(t);
  const rc = path.join(dir, 'rc');
  writeFileSync(rc, setup);
  const child = spawn('script', ['-qec', `${shell} ${args}`, '/dev/null'], {
    cwd: dir,
    env: { ...process.env, ...UTF8, TERM: 'dumb', HOME: dir, ZDOTDIR: dir, RC: rc, INPUTRC: '/dev/null', ...env },
  });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (seen += text));
  t.after(() => child.kill('SIGKILL'));
  child.stdin.write('. "$RC"\n');
  await until(() => seen.includes('READY>'), () => `the prompt of ${shell}: ${seen}`);
  const got = [];
  for (const line of keys) {
    const from = seen.length;
    child.stdin.write(line);
    await until(() => /GOT.*END/s.test(seen.slice(from)), () => `what ${shell} made of ${JSON.stringify(line)}: ${seen.slice(from)}`);
    got.push(JSON.parse(/GOT(.*)END/s.exec(seen.slice(from))[1].replaceAll(/[\r\n]/g, '')));
  }
  child.stdin.end('exit\n');
  return got;
}

/* Prints its words as JSON, but asks the program when it is asked for completion. */
const STANDIN = (local) => `
llm-observe-proxy() {
    if [ "$1" = __complete ]; then '${BINARY}' "$@"; return; fi
    ${local} word text=
    for word in "$@"; do
        word=\${word//\\\\/\\\\\\\\}
        text="$text,\\"\${word//\\"/\\\\\\"}\\""
    done
    printf 'G%sEND\\n' "OT[\${text#,}]"
}
`;

const LINES = [
  ['llm-observe-proxy req\tli\t--rev\t\r', ['requests', 'list', '--reverse']],
  ['llm-observe-proxy requests list --model qw\t\r', ['requests', 'list', '--model', 'qwen3:8b']],
  ['llm-observe-proxy requests list --model=qwen3:\t\r', ['requests', 'list', '--model=qwen3:8b']],
  ['llm-observe-proxy requests list --model my\t\r', ['requests', 'list', '--model', 'my model']],
  ['llm-observe-proxy requests list --model "my m\t\r', ['requests', 'list', '--model', 'my model']],
  ["llm-observe-proxy requests list --model 'my m\t\r", ['requests', 'list', '--model', 'my model']],
  ['llm-observe-proxy requests list --model my\\ \t\r', ['requests', 'list', '--model', 'my model']],
  ['llm-observe-proxy requests list --model it\t\r', ['requests', 'list', '--model', `it's "so" $HOME`]],
  ['llm-observe-proxy requests list --model a/\t\r', ['requests', 'list', '--model', 'a/b*c']],
  ['llm-observe-proxy requests list --run night\t --csv=id,ttf\t\r',
    ['requests', 'list', '--run', 'night run', '--csv=id,ttft_ms']],
  ['llm-observe-proxy requests show 1 -o note\t\r', ['requests', 'show', '1', '-o', 'notes.txt']],
];

test('bash completes names with blanks, quotes and colons', async (t) => {
  const { url } = await served(t);
  const got = await type(t, 'bash', '--norc --noprofile -i', `PS1='READY>'
bind 'set bell-style none' 2>/dev/null
touch notes.txt
${STANDIN('local')}
source <('${BINARY}' completion bash)
`, LINES.map(([keys]) => keys), { LLM_OBSERVE_URL: url });
  LINES.forEach(([keys, words], i) => assert.deepEqual(got[i], words, keys));
});

test('zsh completes names with blanks, quotes and colons', async (t) => {
  const { url } = await served(t);
  const got = await type(t, 'zsh', '-f -i', `PS1='READY>'
unsetopt zle_bracketed_paste beep 2>/dev/null; setopt no_prompt_cr no_prompt_sp
touch notes.txt
autoload -Uz compinit && compinit -u -d "$HOME/dump"
${STANDIN('local')}
source <('${BINARY}' completion zsh)
`, LINES.map(([keys]) => keys), { LLM_OBSERVE_URL: url });
  LINES.forEach(([keys, words], i) => assert.deepEqual(got[i], words, keys));
});

test('fish completes words with explanations', async (t) => {
  const { url } = await served(t);
  const dir = folder(t);
  writeFileSync(path.join(dir, 'notes.txt'), '');
  const ask = (line) => {
    const { stdout, stderr, status } = spawnSync('fish', ['--no-config', '-c',
      `function llm-observe-proxy; '${BINARY}' $argv; end
       '${BINARY}' completion fish | source
       complete -C $argv[1]`, line],
      { encoding: 'utf8', timeout: 20000, cwd: dir, env: { ...process.env, ...UTF8, HOME: dir, LLM_OBSERVE_URL: url } });
    assert.equal(stderr, '', line);
    assert.equal(status, 0, line);
    return stdout.split('\n').filter(Boolean);
  };
  assert.deepEqual(ask('llm-observe-proxy requests li'), ['list\tlist captured requests, newest first']);
  assert.deepEqual(ask('llm-observe-proxy requests list --rev').map((l) => l.split('\t')[0]), ['--reverse']);
  for (const line of ['--model my', '--model "my m', "--model 'my m", '--model my\\ m'])
    assert.deepEqual(ask(`llm-observe-proxy requests list ${line}`).map((l) => l.split('\t')[0]), ['my model'], line);
  assert.deepEqual(ask('llm-observe-proxy requests list --model=qwen3').map((l) => l.split('\t')[0]),
    ['--model=qwen3:8b']);
  assert.deepEqual(ask('llm-observe-proxy requests show 1 -o note').map((l) => l.split('\t')[0]), ['notes.txt']);
});

test('scripts are printed whole, and only for shells there are', async (t) => {
  const file = path.join(folder(t), 'script');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out, err } = await run(['completion', shell]);
    assert.equal(code, 0);
    assert.equal(err, '');
    writeFileSync(file, out);
    assert.equal(spawnSync(shell, ['-n', file], { encoding: 'utf8' }).stderr, '');
  }
  const { code, err } = await run(['completion', 'tcsh']);
  assert.equal(code, 2);
  assert.match(err, /"tcsh" is none of bash, zsh, fish/);
});
