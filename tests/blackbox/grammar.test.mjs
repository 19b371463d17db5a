/* How a command line is read: commands, verbs, options and arguments in any order, other words for
 * them, and what is said about those that do not exist. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { BINARY, folder, run } from './proxy.mjs';

const ENV = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };

test('options stand anywhere, and arguments mix freely with them', async (t) => {
  const cwd = folder(t);
  const verbs = /^ {2}requests list/m;
  /* Without server and database a command line that was understood ends with 5. */
  const cases = [
    ['--json requests list', 5],
    ['requests --json list', 5],
    ['requests list --json', 5],
    ['-qv requests list', 5],
    ['req list --limit=5', 5],
    ['requests list --endpoint=', 5],
    ['requests tail -fn20', 5],
    ['requests tail -n 20 -f', 5],
    ['requests grep -i -- -x', 5],
    ['requests grep --limit 3 x -l', 5],
    ['requests show last --part head', 5],
    ['--color never requests --time utc list --no-pager', 5],
    ['--json version', 0, /^\{"name"/],
    ['version -q', 0, /^llm-observe-proxy /],
    ['--version --json', 0, /^\{"name"/],
    ['mock --color never --version', 0, /^llm-observe-proxy /],
    ['serve -V', 0, /^llm-observe-proxy /],
    ['help req list', 0, /^usage: llm-observe-proxy requests list /],
    ['-h requests list', 0, /^usage: llm-observe-proxy requests list /],
    ['requests list --json=help', 0, /^id$/m],
    ['requests show --json=help', 0, /^record$/m],
    ['requests', 2, verbs],
    ['requests -q', 2, verbs],
    ['requests --', 2, verbs],
  ];
  for (const [line, status, text] of cases) {
    const { code, out, err } = await run(line.split(' '), { cwd, env: ENV });
    assert.equal(code, status, `${line}: ${err}`);
    if (text) assert.match(out + err, text, line);
    if (code) assert.equal(out, '', line);
  }
});

test('what is not understood is exit 2, and the nearest names are told', async (t) => {
  const cwd = folder(t);
  const cases = [
    ['reqests', 'unknown command "reqests", did you mean "requests"?', ''],
    ['zzz', 'unknown command "zzz"', ''],
    ['--colour requests list', 'unknown option "--colour", did you mean "--color" or "--columns"?', ''],
    ['requests --quite list', 'unknown option "--quite", did you mean "--quiet"?', 'requests'],
    ['requests lsit', 'unknown verb "lsit" of requests, did you mean "list"?', 'requests'],
    ['db impotr', 'unknown verb "impotr" of db, did you mean "import"?', 'db'],
    ['help exitcodes', 'unknown topic "exitcodes", did you mean "exit-codes"?', ''],
    ['help db sarch', 'unknown verb "sarch" of db, did you mean "search"?', 'db'],
    ['requests list --stat 5', 'unknown option "--stat", did you mean "--status" or "--sort"?'],
    ['requests list --js', 'unknown option "--js"'],
    ['requests list -x', 'unknown option "-x"'],
    ['requests list --error=1', '--error takes no value'],
    ['requests list --json --json', '--json was given twice'],
    ['requests list --color blue', '--color: "blue" is none of auto, always, never'],
    ['requests show 1 2', 'unexpected argument "2"'],
    ['requests grep', 'PATTERN is missing'],
    ['requests grep x --side both', '--side: "both" is none of request, response'],
    ['requests list --columns cots',
      'unknown column "cots", did you mean "cost", "host" or "otps"?', 'requests list', /^columns: /m],
    ['db search maybe', '"maybe" is none of status, on, off, rebuild'],
    ['version x', 'unexpected argument "x"', 'version'],
    ['version --csv', '--csv has no meaning for version', 'version'],
    ['mock --json', '--json has no meaning for mock', 'mock'],
    ['serve --url http://x', '--url has no meaning for serve', 'serve'],
    ['--port 1 mock', '--port belongs to serve, not to mock', 'mock'],
    ['--set a=b --json requests list', '--set belongs to serve, not to requests', 'requests'],
  ];
  for (const [line, message, help = line.split(' ').slice(0, 2).join(' '), more] of cases) {
    const { code, out, err } = await run(line.split(' '), { cwd, env: ENV });
    const hint = `Try "${['llm-observe-proxy', help].filter(Boolean).join(' ')} --help".`;
    assert.equal(err.split('\n')[0], `llm-observe-proxy: ${message}`, line);
    if (!more) assert.equal(err, `llm-observe-proxy: ${message}\n${hint}\n`, line);
    assert.equal(code, 2, line);
    assert.equal(out, '', line);
  }
});

test('help goes through the pager on a terminal, and only there', async () => {
  const env = { ...ENV, TERM: 'dumb', LLM_OBSERVE_PAGER: 'sed s/^/page:/' };
  const typed = (words) => spawnSync('script', ['-qec', `'${BINARY}' ${words}`, '/dev/null'], {
    encoding: 'utf8', env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 20000,
  }).stdout;
  assert.match(typed('help formats'), /^page:On a terminal lists are tables/);
  assert.match(typed('help formats --no-pager'), /^On a terminal lists are tables/);
  assert.match((await run(['help', 'formats'], { env })).out, /^On a terminal lists are tables/);
});
