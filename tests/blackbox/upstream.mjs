/* Upstreams for the tests: a scripted one over raw sockets, which records what it receives and
 * does whatever a script says, and ordinary Node servers for what needs a real library. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import zlib from 'node:zlib';
import { Changes, LIMIT, sleep, within } from './until.mjs';
import { bytes, chunk, LAST_CHUNK, message, Reader, reset } from './wire.mjs';

/** Content codings, as functions over a whole body. zstd only where the command exists. */
export const encoders = {
  gzip: (data) => zlib.gzipSync(data),
  deflate: (data) => zlib.deflateSync(data),
  'deflate without wrapper': (data) => zlib.deflateRawSync(data),
};
if (spawnSync('zstd', ['--version']).status === 0)
  encoders.zstd = (data) => spawnSync('zstd', ['-c', '-q'], { input: data, maxBuffer: 1e9 }).stdout;

/** Value of Content-Encoding for a name in `encoders`. */
export const coding = (name) => name.split(' ')[0];

/** One request and what the script does about it. */
class Turn {
  constructor(request, link) {
    this.request = request;
    this.link = link;
  }

  /** Raw bytes to the proxy. Gives a promise for "the system took them". */
  write(data) {
    return this.link.write(data);
  }

  /** A complete answer with Content-Length. */
  answer(status, fields, body = '') {
    const data = bytes(body);
    const length = [204, 304].includes(status) || fields.some(([n]) => /^content-length$/i.test(n));
    const framing = length ? [] : [['Content-Length', data.length]];
    const bodyless = this.request.method === 'HEAD' || [204, 304].includes(status);
    return this.write(
      message(`HTTP/1.1 ${status} Status`, [...fields, ...framing], bodyless ? '' : data),
    );
  }

  json(value, status = 200) {
    return this.answer(status, [['Content-Type', 'application/json']], JSON.stringify(value));
  }

  /** Head of a chunked answer; `chunk()` and `finish()` follow. */
  begin(fields = [['Content-Type', 'text/event-stream']], status = 200) {
    return this.write(
      message(`HTTP/1.1 ${status} Status`, [...fields, ['Transfer-Encoding', 'chunked']]),
    );
  }

  chunk(data) {
    return this.write(chunk(data));
  }

  finish() {
    return this.write(LAST_CHUNK);
  }

  /** Close in order, or with a reset. */
  cut() {
    this.link.socket.end();
  }

  reset() {
    reset(this.link.socket);
  }

  /** Wait until the proxy has closed the connection; gives the time it happened. */
  gone(limit = LIMIT) {
    return this.link.gone(limit);
  }

  get closed() {
    return this.link.closedAt !== null;
  }
}

/** One connection from the proxy. */
class Link {
  received = 0;
  closedAt = null;
  reader = new Reader('request');
  turns = 0;
  #changes = new Changes();

  constructor(socket, owner) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      this.received += data.length;
      this.reader.feed(data);
      owner.took(this);
    });
    const closed = () => {
      this.closedAt ??= performance.now();
      socket.destroy();
      this.#changes.ring();
    };
    for (const event of ['end', 'error', 'close']) socket.on(event, closed);
  }

  write(data) {
    return new Promise((done) => {
      if (this.socket.destroyed || !this.socket.writable) done(false);
      else this.socket.write(bytes(data), (error) => done(!error));
    });
  }

  gone(limit) {
    return this.#changes.wait(() => this.closedAt, 'the proxy to close its connection', limit);
  }
}

/** The scripted upstream: `script(path, run)` says what happens to requests of that path. */
class Scripted {
  links = [];
  requests = []; /* complete ones, in order of completion, of all connections */
  errors = []; /* what was not a request */
  #scripts = new Map();
  #changes = new Changes();

  constructor(server) {
    this.server = server;
    server.on('connection', (socket) => this.links.push(new Link(socket, this)));
  }

  get port() {
    return this.server.address().port;
  }

  /** The base URL to give to the proxy. */
  get url() {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** What to do for requests without a script; by default tells what was received. */
  fallback = (turn) => turn.json({ method: turn.request.method, target: turn.request.target });

  script(target, run) {
    this.#scripts.set(target, run);
    return this;
  }

  took(link) {
    const { reader } = link;
    if (reader.error && !link.failed) {
      link.failed = true;
      this.errors.push(reader.error);
    }
    while (reader.messages[link.turns]?.complete) {
      const request = reader.messages[link.turns++];
      request.link = this.links.indexOf(link);
      this.requests.push(request);
      const run = this.#scripts.get(request.target.split('?')[0]) ?? this.fallback;
      Promise.resolve(run(new Turn(request, link))).catch((error) => this.errors.push(error.stack));
    }
    this.#changes.ring();
  }

  /** Requests for a path (without query). */
  of(target) {
    return this.requests.filter((r) => r.target.split('?')[0] === target);
  }

  /** Wait for the first request of a path. */
  async saw(target, limit = LIMIT) {
    const what = () => `the upstream to receive ${target}; it has ${this.requests.length} requests`;
    return this.#changes.wait(() => this.of(target)[0], what, limit);
  }

  /** Cut every open connection. */
  drop() {
    for (const link of this.links) link.socket.destroy();
  }
}

function listen(server, options = {}) {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen({ port: 0, host: '127.0.0.1', ...options }, () => done(server));
  });
}

/** Start a scripted upstream that ends with the test. */
export async function scripted(t) {
  const server = await listen(net.createServer({ allowHalfOpen: true }));
  const upstream = new Scripted(server);
  t.after(() => {
    upstream.drop();
    server.close();
  });
  return upstream;
}

/** A base URL where nobody listens. */
export async function refusing() {
  const server = await listen(net.createServer());
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return `http://127.0.0.1:${port}/v1`;
}

/** A base URL whose port is bound, but whose queue of connections is full: connecting hangs. */
export async function deaf(t) {
  const program = `const s = require('net').createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('fs').writeSync(1, s.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const fillers = [];
  t.after(() => {
    fillers.forEach((socket) => socket.destroy());
    child.kill('SIGKILL');
  });
  const [port] = await within(
    new Promise((done) => createInterface(child.stdout).once('line', (line) => done([line]))),
    'the deaf server to start',
  );
  for (let i = 0; i < 16; i++) {
    const socket = net.connect({ port, host: '127.0.0.1' });
    fillers.push(socket.on('error', () => {}));
    const open = new Promise((done) => socket.once('connect', () => done(true)));
    if (!(await Promise.race([open, sleep(150)]))) return `http://127.0.0.1:${port}/v1`;
  }
  throw new Error('expected the queue of connections to fill up after 16');
}

/** A key, a certificate for localhost and 127.0.0.1, and the authority that signed it. */
export function certificate(t) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lop-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name) => path.join(folder, name);
  const openssl = (...args) => {
    const run = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`openssl ${args[0]} failed: ${run.stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2',
    '-subj', '/CN=test authority'); // prettier-ignore
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
    '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.pem'); // prettier-ignore
  return {
    ca: file('ca.pem'),
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.pem')),
  };
}

const KINDS = {
  http: (options, handler) => http.createServer(options, handler),
  https: (options, handler) => https.createServer(options, handler),
  http2: (options, handler) => http2.createSecureServer(options, handler),
};

/** An ordinary Node server: kind is http, https or http2. `handler(request, response)`. */
export async function served(t, kind, handler, options = {}) {
  const server = KINDS[kind](options, handler);
  const sockets = new Set();
  const sessions = new Set();
  server.on(kind === 'http' ? 'connection' : 'secureConnection', (socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session.on('error', () => {}));
    session.on('close', () => sessions.delete(session));
  });
  await listen(server);
  t.after(() => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const scheme = kind === 'http' ? 'http' : 'https';
  return {
    server,
    sockets,
    sessions,
    url: `${scheme}://localhost:${server.address().port}/v1`,
  };
}
