/* The real binary on a free port with a database of its own, for one test. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { File } from 'node:buffer';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LIMIT, ms, SANITIZER, until, within } from './until.mjs';
import { exchange, message, Wire } from './wire.mjs';

globalThis.File ??= File; /* Node 18 has it, but not where the SDKs look for it */

const here = path.dirname(fileURLToPath(import.meta.url));

export const BINARY = path.resolve(
  here,
  process.env.LOP_BINARY ?? '../../build/release/llm-observe-proxy',
);

const running = new Set();

/* Whatever happens to this process, the children go with it. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** The environment of a started program: ours without what would configure it. */
function environment(extra) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(LLM_OBSERVE_|OTEL_|NOTIFY_SOCKET$|SSL_CERT_|NODE_)|_proxy$/i.test(name),
    ),
  );
  return { ...env, ...extra };
}

/** Start the binary, or another one; it is ended with this process at the latest. */
export function launch(args, { env = {}, cwd, wrap = [], binary = BINARY } = {}) {
  const command = [...wrap, binary, ...args];
  const child = spawn(command[0], command.slice(1), {
    cwd,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.out = '';
  child.err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (child.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (child.err += text));
  child.gone = new Promise((done) => {
    child.once('error', (error) => done({ code: null, signal: null, error }));
    child.once('close', (code, signal) => done({ code, signal }));
  }).then((how) => {
    running.delete(child);
    child.over = how;
    return how;
  });
  return child;
}

/** Run the binary to its end; gives code, out and err. */
export async function run(args, options = {}) {
  const child = launch(args, options);
  const started = performance.now();
  try {
    const how = await within(child.gone, `"${args.join(' ')}" to end`, options.limit ?? LIMIT);
    return { ...how, out: child.out, err: child.err, ms: performance.now() - started };
  } finally {
    if (!child.over) child.kill('SIGKILL');
  }
}

/** A folder that goes with the test. */
export function folder(t) {
  const made = mkdtempSync(path.join(os.tmpdir(), 'lop-test-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Wait for the line that tells the port. */
async function announced(child, pattern) {
  const line = await until(
    () => {
      if (child.over)
        throw new Error(
          `expected it to listen, but it ended: ${JSON.stringify(child.over)}\n${child.err}`,
        );
      return child.out.includes('\n') && child.out;
    },
    () => `a line on stdout; stderr: ${child.err}`,
    ms(10000),
  );
  const found = pattern.exec(line);
  if (!found) throw new Error(`expected ${pattern} on stdout, got ${JSON.stringify(line)}`);
  return Number(found[1]);
}

class Proxy {
  constructor(options) {
    this.options = options;
    this.database = options.database;
  }

  async boot() {
    this.killed = false;
    const { upstream, args = [], set = {}, env, wrap, cwd, listen = 0 } = this.options;
    const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const target = upstream ? ['--upstream-url', upstream.url ?? upstream] : [];
    const words = ['serve', '--port', String(listen), '--database-url', this.database];
    this.child = launch([...words, ...target, ...settings, ...args], { env, wrap, cwd });
    this.port = await announced(
      this.child,
      /^llm-observe-proxy \S+ listening on http:\/\/\S+:(\d+)\n/,
    );
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.child.pid;
  }

  /* -- talking to it -- */

  connect() {
    return Wire.open(this.port);
  }

  /** Send raw bytes on a connection of its own; gives the complete answer. */
  send(data, options) {
    return exchange(this.port, data, options);
  }

  /** One request, built from parts. Content-Length is added for a body. */
  request(method, target, { fields = [], body, limit } = {}) {
    return exchange(this.port, this.compose(method, target, { fields, body }), { method, limit });
  }

  /** The bytes of a request. */
  compose(method, target, { fields = [], body } = {}) {
    const own = [['Host', `localhost:${this.port}`]];
    const data = Buffer.from(body ?? '');
    if (body !== undefined) own.push(['Content-Length', data.length]);
    return message(`${method} ${target} HTTP/1.1`, [...own, ...fields], data);
  }

  /** A JSON request; `value` is the body. */
  post(target, value, fields = []) {
    return this.compose('POST', target, {
      fields: [['Content-Type', 'application/json'], ...fields],
      body: JSON.stringify(value),
    });
  }

  /** GET with Node's client; gives status, headers and text. */
  get(target, headers = {}) {
    const { port } = this;
    return within(
      new Promise((done, fail) => {
        const ask = http.get(
          { port, host: '127.0.0.1', path: target, headers, agent: false },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (part) => (text += part));
            answer.on('error', fail);
            answer.on('end', () =>
              done({ status: answer.statusCode, headers: answer.headers, text }),
            );
          },
        );
        ask.on('error', fail);
      }),
      () => `an answer to GET ${target}; stderr: ${this.child.err.slice(-2000)}`,
      ms(10000),
    );
  }

  /** GET an API path; gives its JSON and insists on 200. */
  async api(target) {
    const answer = await this.get(target);
    if (answer.status !== 200)
      throw new Error(
        `expected 200 from GET ${target}, got ${answer.status}: ${answer.text}\n${this.child.err.slice(-2000)}`,
      );
    return JSON.parse(answer.text);
  }

  async healthy() {
    const health = await this.api('/healthz');
    if (health.status !== 'ok') throw new Error(`expected a healthy server, got ${health.status}`);
  }

  /* -- what it captured -- */

  /** Rows of the list, newest first; `query` filters. */
  async rows(query = '') {
    return (await this.api(`/api/requests?per_page=200&facets=0${query && `&${query}`}`)).items;
  }

  async detail(id, mode = 'auto') {
    return this.api(`/api/requests/${id}?mode=${mode}`);
  }

  /** Wait for the only finished row that `query` finds; gives its detail. */
  async captured(query, limit = LIMIT) {
    let rows = [];
    await until(
      async () => {
        rows = await this.rows(query);
        if (rows.length > 1) throw new Error(`expected one row for ${query}, got ${rows.length}`);
        return rows.length && rows[0].completed_at !== null;
      },
      () => `one finished row for ${query}, got ${JSON.stringify(rows)}`,
      limit,
      25,
    );
    return this.detail(rows[0].id);
  }

  /** The row of an endpoint of which there is only one. */
  async row(endpoint, limit) {
    return (await this.captured(`endpoint=${encodeURIComponent(endpoint)}`, limit)).record;
  }

  /** Ask the database itself, read-only, with the sqlite3 program. */
  sql(query) {
    return sql(this.database, query);
  }

  /* -- what it uses -- */

  #status(name) {
    const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)[1]);
  }

  /** Resident memory in MiB: now, and at most so far. */
  rss() {
    return this.#status('VmRSS') / 1024;
  }

  peak() {
    return this.#status('VmHWM') / 1024;
  }

  threads() {
    return this.#status('Threads');
  }

  fds() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /* -- ending it -- */

  /** SIGTERM; gives code, signal and how long it took. */
  async stop(limit = ms(15000), signal = 'SIGTERM') {
    const from = performance.now();
    this.child.kill(signal);
    const how = await within(
      this.child.gone,
      () => `the proxy to stop after ${signal}; stderr: ${this.child.err.slice(-2000)}`,
      limit,
    );
    return { ...how, ms: performance.now() - from };
  }

  async kill9() {
    this.killed = true;
    this.child.kill('SIGKILL');
    await this.child.gone;
  }

  /** Start again on the same database (after stop() or kill9()). */
  async restart(changes = {}) {
    Object.assign(this.options, changes);
    return this.boot();
  }

  /** End it whatever its state; a crash or a dirty end is an error. */
  async finish() {
    const { child } = this;
    if (!child.over) {
      child.kill('SIGTERM');
      setTimeout(() => child.over || child.kill('SIGTERM'), 200).unref();
      setTimeout(() => child.over || child.kill('SIGKILL'), ms(12000)).unref();
      await child.gone;
    }
    const { code, signal } = child.over;
    const wanted = this.options.exit ?? [0];
    if (this.killed || wanted.includes(code)) return;
    throw new Error(
      `expected exit status ${wanted}, got ${code ?? signal}; stderr:\n${child.err.slice(-4000)}`,
    );
  }
}

/**
 * Start the proxy; it ends with the test `t`.
 *
 * options: upstream (URL, or something with a url), args, set (settings for this process), env,
 * database (a path; a new temporary one by default), wrap (a command in front of the binary),
 * exit (accepted exit statuses at the end of the test).
 */
export async function start(t, options = {}) {
  if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}; build it or set LOP_BINARY`);
  const own = options.database ? null : mkdtempSync(path.join(os.tmpdir(), 'lop-test-'));
  const database = options.database ?? path.join(own, 'traffic.sqlite3');
  const proxy = new Proxy({ ...options, database });
  t.after(async () => {
    const { child } = proxy;
    try {
      if (child) await proxy.finish();
    } finally {
      if (child && t.passed === false)
        console.error(`stderr of the proxy:\n${child.err.slice(-4000)}`);
      if (own) rmSync(own, { recursive: true, force: true });
    }
  });
  return proxy.boot();
}

/** The program's own mock upstream. */
export async function mock(t, args = []) {
  const child = launch(['mock', '--port', '0', ...args]);
  t.after(async () => {
    child.kill('SIGKILL');
    await child.gone;
  });
  const port = await announced(child, /^mock listening on http:\/\/\S+:(\d+)\/v1\n/);
  return { child, url: `http://127.0.0.1:${port}/v1` };
}

/** Ask a database file, read-only; gives the rows. */
export function sql(database, query) {
  const asked = spawnSync(
    'sqlite3',
    ['-readonly', '-json', '-cmd', '.timeout 5000', database, query],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  if (asked.status !== 0) throw new Error(`sqlite3 failed on ${query}: ${asked.stderr}`);
  return asked.stdout.trim() ? JSON.parse(asked.stdout) : [];
}

export { SANITIZER };
