/* top in a real terminal, and its snapshots without one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mock, run, start } from './proxy.mjs';
import { Terminal } from './terminal.mjs';
import { ms, SANITIZER, until } from './until.mjs';

/** A proxy before a mock; ask() sends a streaming request and gives a promise of its text. */
async function server(t) {
  const upstream = await mock(t, ['--ttft', '5ms', '--tps', '200', '--tokens', '20']);
  const proxy = await start(t, { upstream });
  proxy.ask = (model, text = 'Hello there') => {
    const request = http.request({
      port: proxy.port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/chat/completions',
      agent: false,
    });
    t.after(() => request.destroy());
    request.on('error', () => {});
    request.end(JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: text }] }));
    return new Promise((done) => {
      request.on('response', (answer) => {
        let body = '';
        answer.on('data', (part) => (body += part));
        answer.on('error', () => {});
        answer.on('close', () => done(body));
      });
    });
  };
  return proxy;
}

/** top in a terminal, showing its first picture. */
async function watch(t, proxy, { args = '', ...options } = {}) {
  const terminal = await Terminal.open(t, options);
  terminal.run(`"$TOP" top --url ${proxy.url} ${args}; echo "exit $?"`);
  await terminal.sees('LIVE');
  return terminal;
}

test('without a terminal top prints one snapshot: numbers, then rows', async (t) => {
  const proxy = await server(t);
  await proxy.ask('first');
  await until(async () => (await proxy.api('/api/live')).finished[0], 'a finished row');
  const plain = await run(['top', '--url', proxy.url], { env: { TZ: 'UTC' } });
  assert.equal(plain.code, 0);
  assert.equal(plain.err, '');
  const [head, rows] = plain.out.split('\n\n');
  assert.match(head, /^live 0$/m);
  assert.match(rows, /^1\t.*\t200\tok\t.*first/);
  const twice = await run(['top', '--url', proxy.url, '-n', '2', '-i', '0.1', '--json']);
  const [one, two] = twice.out.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(one.finished[0].id, 1);
  assert.ok(two.now > one.now);
  const fields = await run(['top', '--url', proxy.url, '--once', '--json=totals.inflight']);
  assert.equal(fields.out, '{"totals.inflight":0}\n');
  const none = await run(['top', '--url', proxy.url, '--once', '--where', 'model:second']);
  assert.equal(none.out.split('\n\n')[1], '');
});

test('mistakes on the command line are told with what is known', async () => {
  const cases = [
    ['--sort dura', /unknown column "dura", did you mean "dur"/],
    ['--where stauts>=400', /--where: unknown field "stauts".*\n {2}stauts>=400\n {2}\^{6}/],
    ['--interval 0.01', /--interval: "0.01" is not within 0.1 and 60/],
    ['--view nothing', /--view/],
    ['--port 1', /port/],
  ];
  for (const [args, message] of cases) {
    const got = await run(['top', '--url', 'http://127.0.0.1:9', ...args.split(' ')]);
    assert.equal(got.code, 2, args);
    assert.equal(got.out, '');
    assert.match(got.err, message);
  }
});

test('terminals on which nothing can be placed get a snapshot and a note', async (t) => {
  const proxy = await server(t);
  const terminal = await Terminal.open(t, { width: 120, height: 40 });
  for (const type of ['dumb', 'nothing-known']) {
    terminal.run(`clear; TERM=${type} "$TOP" top --url ${proxy.url} | cat; TERM=${type} "$TOP" top --url ${proxy.url}; echo "exit $?"`);
    const screen = await terminal.sees('exit 0');
    assert.match(screen, /note: .*printing one snapshot/);
    assert.match(screen, /^out_tok_per_s /m);
  }
});

test('a stream is seen growing, is chosen, filtered, sorted, and cancelled', async (t) => {
  const proxy = await server(t);
  const answer = proxy.ask('long,tokens=5000,tps=50', 'Tell me a long story');
  const terminal = await watch(t, proxy, { width: 120, height: 36, args: '-i 0.2' });
  await terminal.sees(/> +1 .* str chat +long,tokens=5000/);
  await terminal.sees(/user {2}Tell me a long story[\s\S]*asst> \S+[\s\S]*_\n/);
  await proxy.ask('short');
  await terminal.sees(/ 2 .* ok +chat +short/);

  terminal.keys('\\');
  terminal.type('model:short');
  await terminal.sees('filter: model:short');
  await until(() => !/ 1 .* str /.test(terminal.screen), 'the filter to hide the first request');
  terminal.type(' stauts:1');
  await terminal.sees(/\^{6} unknown field "stauts"/);
  terminal.keys('C-u', 'Enter');
  await terminal.sees(/ 1 .* str /);
  terminal.keys('\\');
  terminal.type('nothing-like-it');
  await terminal.sees('no requests match nothing-like-it');
  terminal.keys('Escape');
  await terminal.sees(/filter - .*[\s\S]* 1 .* str /);
  terminal.keys('I', 'f');
  await terminal.sees(/^> +2 .* short/m);
  terminal.keys('f', 'I');

  terminal.keys('F6');
  await terminal.sees('sort by');
  terminal.keys('Escape');
  terminal.keys('>');
  await terminal.sees(/sort ST\^/);
  terminal.keys('?');
  await terminal.sees('top: keys and states');
  terminal.keys('q');
  await terminal.sees('[1 Requests]');
  for (const [key, view] of [['2', 'Runs'], ['3', 'Models'], ['4', 'Upstreams'], ['Tab', 'Requests']]) {
    terminal.keys(key);
    await terminal.sees(new RegExp(`\\[\\d ${view}\\]`));
  }
  terminal.keys('p');
  await terminal.sees('PAUSED');
  terminal.keys('p');
  await terminal.sees('LIVE');

  terminal.keys('g', '/');
  terminal.type('long,');
  terminal.keys('Enter');
  await terminal.sees(/^> +1 /m);
  terminal.keys('K');
  await terminal.sees(/Cancel 1 long,tokens=5000,tps=50 on .*\[y\/N\]/);
  terminal.keys('n');
  await terminal.sees('nothing was changed');
  terminal.keys('K', 'y');
  await terminal.sees(/ 1 .* kil /);
  assert.match(await answer, /request_cancelled/);
  terminal.keys('Q');
  await terminal.sees('exit 0');
});

test('a tab chosen before the detail is there keeps its head', async (t) => {
  const proxy = await server(t);
  await proxy.ask('short');
  const terminal = await watch(t, proxy, { args: '-i 0.2' });
  await terminal.sees(/> +1 .* ok +short/);
  terminal.keys('Enter', '3');
  await terminal.sees(/^ request 1 {2}POST \/v1\/chat\/completions[\s\S]* request headers/);
  terminal.keys('q', '4');
  await terminal.sees('[4 Upstreams]');
  await terminal.sees(/^ HOST +PROVIDER +LIVE/m);
  terminal.keys('Q');
  await terminal.sees('exit 0');
});

test('runs are started, paused, resumed and ended', async (t) => {
  const proxy = await server(t);
  const terminal = await watch(t, proxy, { args: '-i 0.2' });
  await terminal.sees('no run is active (F7 starts one)');
  terminal.keys('F7', 's');
  await terminal.sees('run name:');
  terminal.type('bench-1');
  terminal.keys('Enter');
  await terminal.sees('notes:');
  terminal.keys('Enter');
  await terminal.sees('run bench-1  active');
  terminal.keys('R', 'p');
  await terminal.sees('no run is active');
  terminal.keys('2');
  await terminal.sees(/1 bench-1 +paused/);
  terminal.keys('R', 'r');
  await terminal.sees('resume a paused run');
  terminal.keys('Enter');
  await terminal.sees('run bench-1  active');
  terminal.keys('R', 'e');
  await terminal.sees('End run bench-1? [y/N]');
  terminal.keys('y');
  await terminal.sees('no run is active');
  const { items } = await proxy.api('/api/runs');
  assert.equal(items[0].status, 'complete');
});

test('a request is opened, paged, shown as curl and saved', async (t) => {
  const proxy = await server(t);
  await proxy.ask('first', 'What is this?');
  await proxy.ask('second', 'And this?');
  const terminal = await watch(t, proxy, { width: 100, height: 30, env: { PAGER: 'less' } });
  await terminal.sees(/ ok +second/);
  terminal.keys('Enter');
  await terminal.sees(/request 2 {2}POST \/v1\/chat\/completions[\s\S]*\[1 Chat\][\s\S]*And this\?/);
  terminal.keys(']');
  await terminal.sees(/request 1 [\s\S]*What is this\?/);
  terminal.keys('Tab');
  await terminal.sees(/\[2 Raw\][\s\S]*response \(b: next\)[\s\S]*data: /);
  terminal.keys('b', 'b');
  await terminal.sees(/request \(b: next\)[\s\S]*"messages"/);
  terminal.keys('s');
  await terminal.sees('save as: request-1-request');
  terminal.keys('Enter');
  await terminal.sees('saved as request-1-request');
  assert.match(readFileSync(path.join(terminal.home, 'request-1-request'), 'utf8'), /"model":"first"/);
  terminal.keys('s', 'Enter');
  await terminal.sees('request-1-request exists already');
  terminal.keys('3');
  await terminal.sees('request headers');
  terminal.keys('4');
  await terminal.sees(/whole +\|=+\|/);
  terminal.keys('5');
  await terminal.sees('billed model');
  terminal.keys('C');
  await terminal.sees(/^curl -N -X [\s\S]*"model":"first"/m);
  terminal.keys('q');
  await terminal.sees('[5 Cost]');
  terminal.keys('q');
  await terminal.sees('[1 Requests]');
  terminal.keys('y');
  await terminal.sees(/^\{\n {2}"record": \{/m);
  terminal.keys('q');
  await terminal.sees('[1 Requests]');
  terminal.keys('q');
  await terminal.sees('exit 0');
});

test('what top --json printed is played', async (t) => {
  const terminal = await Terminal.open(t, { width: 120, height: 36 });
  const play = path.join(path.dirname(fileURLToPath(import.meta.url)), '../screens/traffic.jsonl');
  terminal.run(`"$TOP" top --ascii --play ${play}; echo "exit $?"`);
  const screen = await terminal.sees(/PLAY[\s\S]*4127 .* pre messages/);
  assert.match(screen, /the end of the file|F1Help/);
  terminal.keys('p', 'q');
  await terminal.sees('exit 0');
});

test('with --read-only nothing can be changed', async (t) => {
  const proxy = await server(t);
  const terminal = await watch(t, proxy, { args: '--read-only' });
  terminal.keys('F7');
  await terminal.sees('--read-only: nothing can be changed');
});

test('any size is survived, and the picture is whole again', async (t) => {
  const proxy = await server(t);
  proxy.ask('long,tokens=20000,tps=100');
  const terminal = await watch(t, proxy, { args: '-i 0.1' });
  await terminal.sees(/ str /);
  let seed = 7;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let i = 0; i < 60; i++) {
    terminal.resize(1 + random(200), 1 + random(60));
    if (i % 4 === 0) terminal.keys(['1', '2', '3', '4', 't', '?', 'F6', 'Escape'][random(8)]);
  }
  terminal.resize(30, 6);
  await terminal.sees('window too small');
  terminal.resize(80, 24);
  terminal.keys('Escape', 'Escape', '1');
  await terminal.sees(/^ llm-observe-proxy .*LIVE[\s\S]*F10Quit/);
  terminal.keys('Q');
  await terminal.sees('exit 0');
});

test('a server that is gone is tried again, its file shown, and the server when it is back', async (t) => {
  const proxy = await server(t);
  await proxy.ask('kept');
  assert.equal((await run(['runs', 'start', 'bench-1', '--url', proxy.url])).code, 0);
  const terminal = await watch(t, proxy, { args: '-i 0.2' });
  await terminal.sees(/ ok +kept/);
  proxy.child.kill('SIGSTOP');
  terminal.keys('?');
  await terminal.sees('top: keys and states', ms(2000)); /* keys do not wait for the server */
  terminal.keys('q');
  proxy.child.kill('SIGCONT');
  await proxy.stop();
  await terminal.sees(/RETRY/);
  assert.match(terminal.screen, / ok +kept/);
  await terminal.sees('OFFLINE', ms(15000));
  await terminal.sees(/run bench-1  active[\s\S]* ok +kept/);
  await proxy.boot();
  await terminal.sees('LIVE', ms(15000));
  terminal.keys('q');
  await terminal.sees('exit 0');
});

test('the terminal is as before on every way out', async (t) => {
  const proxy = await server(t);
  const terminal = await Terminal.open(t);
  terminal.run('before=$(stty -g); echo before kept');
  await terminal.sees('before kept');
  const ways = [
    [() => terminal.keys('q'), /exit 0/],
    [() => terminal.keys('C-c'), /exit 0/],
    ...[['TERM', 143], ['HUP', 129], ['QUIT', 131], ['SEGV', 139], ['ABRT', 134]].map(([name, code]) => [
      () => terminal.kill(name),
      new RegExp(SANITIZER && name === 'SEGV' ? 'exit \\d' : `exit ${code}`),
      /* A sanitizer reports it, which is no failure here. */
      SANITIZER && name === 'SEGV' ? 'ASAN_OPTIONS=log_path=/dev/null TSAN_OPTIONS=log_path=/dev/null' : '',
    ]),
  ];
  terminal.kill = (name) => process.kill(Number(terminal.tmux('show-environment', '-g', 'TOP_PID').split('=')[1]), `SIG${name}`);
  for (const [leave, exit, options = ''] of ways) {
    terminal.run(
      'clear; sh -c \'tmux -S "$TMUX_SOCKET" set-environment -g TOP_PID $$; exec env $OPTIONS "$TOP" top --url "$URL"\'; echo "exit $?"; [ "$(stty -g)" = "$before" ] && echo same settings'
        .replace('$TMUX_SOCKET', terminal.socket)
        .replace('$OPTIONS', options)
        .replace('$URL', proxy.url),
    );
    await terminal.sees('LIVE');
    leave();
    const screen = await terminal.sees('same settings');
    assert.match(screen, exit);
    assert.doesNotMatch(screen, /F10Quit/); /* the main screen is back */
  }
});

test('stopped and continued it gives the terminal back and takes it again', async (t) => {
  const proxy = await server(t);
  const terminal = await Terminal.open(t);
  terminal.run('set -m');
  terminal.run(`"$TOP" top --url ${proxy.url}`);
  await terminal.sees('LIVE');
  terminal.keys('C-z');
  await terminal.sees('Stopped');
  terminal.run('echo shell again');
  await terminal.sees('shell again');
  terminal.run('fg');
  await terminal.sees(/LIVE[\s\S]*F10Quit/);
  terminal.keys('q');
  await until(() => !terminal.screen.includes('F10Quit'), 'the shell');
});

test('what was captured reaches the terminal harmless', async (t) => {
  const proxy = await server(t);
  await proxy.ask('evil\u001b]0;pwn\u0007\u202egpj\u0000,tokens=3', 'a\u001b[31mb');
  const terminal = await watch(t, proxy, { width: 120, height: 36 });
  await terminal.sees(/\\e\]0;pwn\\x07/);
  const title = terminal.tmux('display-message', '-p', '#{pane_title}');
  assert.doesNotMatch(title, /pwn/);
});
