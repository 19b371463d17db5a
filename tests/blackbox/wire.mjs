/* HTTP/1.1 as bytes: what the tests send and read, with no HTTP library in between. */
import net from 'node:net';
import { Changes, LIMIT } from './until.mjs';

const CRLF = Buffer.from('\r\n');

/** Bytes of a text in ISO-8859-1, so that every byte value can be written; buffers pass. */
export const bytes = (data) => (typeof data === 'string' ? Buffer.from(data, 'latin1') : data);

/** Every byte value, `times` times over. */
export const allBytes = (times = 1) =>
  Buffer.concat(Array(times).fill(Buffer.from(Array.from({ length: 256 }, (_, i) => i))));

/** Reset a connection. resetAndDestroy() would send an orderly end first. */
export function reset(socket) {
  socket._handle?.reset(() => {});
  socket.destroy();
}

/** Cut a buffer into pieces of n bytes. */
export function pieces(buffer, n) {
  const out = [];
  for (let at = 0; at < buffer.length; at += n) out.push(buffer.subarray(at, at + n));
  return out;
}

/** One chunk of a chunked body. */
export const chunk = (data) =>
  Buffer.concat([Buffer.from(`${bytes(data).length.toString(16)}\r\n`), bytes(data), CRLF]);

export const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** A message as text: first line, `Name: value` lines, empty line, body. */
export function message(first, fields = [], body = '') {
  const head = [first, ...fields.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  return Buffer.concat([bytes(head), bytes(body)]);
}

/** A received message: its parts as they were on the wire. */
export class Message {
  fields = [];
  pieces = []; /* of the body, as they were read */
  size = 0; /* bytes of the body so far */
  chunks = 0;
  complete = false;
  startedAt = performance.now();
  framing = null; /* none, length, chunked, close */

  get body() {
    return Buffer.concat(this.pieces);
  }

  get text() {
    return this.body.toString();
  }

  get json() {
    return JSON.parse(this.text);
  }

  /** All values of a field, in order. */
  all(name) {
    return this.fields.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, v]) => v);
  }

  /** The only value of a field, or undefined; repeated fields are an error. */
  field(name) {
    const values = this.all(name);
    if (values.length > 1) throw new Error(`field ${name} came ${values.length} times: ${values}`);
    return values[0];
  }
}

/** Cuts a byte stream into messages. Strict: what is not HTTP/1.x becomes `error`. */
export class Reader {
  messages = [];
  error = null;
  methods = []; /* of the requests whose responses are read; for HEAD */
  #kind;
  #held = Buffer.alloc(0);
  #state = 'head';
  #left = 0;

  /** kind: 'request' or 'response'. */
  constructor(kind) {
    this.#kind = kind;
  }

  get current() {
    return this.messages.at(-1);
  }

  feed(data) {
    if (this.error) return;
    this.#held = this.#held.length ? Buffer.concat([this.#held, data]) : data;
    try {
      while (this.#step());
    } catch (error) {
      this.error = error.message;
    }
  }

  /** The peer closed: ends a body that is delimited so. */
  end() {
    if (this.#state === 'until-close') this.#finish();
  }

  #step() {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'length':
        return this.#fixed();
      case 'until-close':
        return this.#take(this.#held.length) && false;
      case 'size':
        return this.#size();
      case 'chunk':
        return this.#chunk();
      case 'trailer':
        return this.#trailer();
      default:
        return false;
    }
  }

  #line() {
    const at = this.#held.indexOf(CRLF);
    if (at < 0) return null;
    const line = this.#held.subarray(0, at).toString('latin1');
    this.#held = this.#held.subarray(at + 2);
    return line;
  }

  #head() {
    const at = this.#held.indexOf('\r\n\r\n');
    if (at < 0) return false;
    const lines = this.#held.subarray(0, at).toString('latin1').split('\r\n');
    const m = new Message();
    m.head = this.#held.subarray(0, at + 4).toString('latin1');
    this.#held = this.#held.subarray(at + 4);
    this.#first(m, lines[0]);
    for (const line of lines.slice(1)) {
      const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(line);
      if (!field || /[\r\n\0]/.test(line))
        throw new Error(`not a field line: ${JSON.stringify(line)}`);
      m.fields.push([field[1], field[2]]);
    }
    this.messages.push(m);
    this.#frame(m);
    return true;
  }

  #first(m, line) {
    const form =
      this.#kind === 'request'
        ? /^([A-Z]+) (\S+) (HTTP\/1\.[01])$/
        : /^(HTTP\/1\.[01]) (\d{3}) (.*)$/;
    const part = form.exec(line);
    if (!part) throw new Error(`not a ${this.#kind}: ${JSON.stringify(line)}`);
    if (this.#kind === 'request') [, m.method, m.target, m.version] = part;
    else [m.version, m.status, m.reason] = [part[1], Number(part[2]), part[3]];
  }

  #frame(m) {
    const coding = m.all('transfer-encoding');
    const length = m.all('content-length');
    const request = this.#kind === 'request';
    let bodyless = request && !coding.length && !length.length;
    if (!request && m.status >= 200) bodyless = this.methods.shift() === 'HEAD';
    if (!request && (m.status < 200 || m.status === 204 || m.status === 304)) bodyless = true;
    if (coding.length && length.length) throw new Error('both framings in one message');
    if (bodyless) this.#frameAs(m, 'none', 'head');
    else if (coding.length) this.#frameAs(m, 'chunked', 'size');
    else if (length.length) this.#frameLength(m, length);
    else this.#frameAs(m, 'close', 'until-close');
  }

  #frameAs(m, framing, state) {
    m.framing = framing;
    this.#state = state;
    if (state === 'head') m.complete = true;
  }

  #frameLength(m, values) {
    if (values.length > 1 || !/^\d+$/.test(values[0])) throw new Error(`bad length ${values}`);
    this.#left = Number(values[0]);
    this.#frameAs(m, 'length', this.#left ? 'length' : 'head');
  }

  #take(n) {
    if (!n) return false;
    this.current.pieces.push(Buffer.from(this.#held.subarray(0, n)));
    this.current.size += n;
    this.#held = this.#held.subarray(n);
    return true;
  }

  #finish() {
    this.current.complete = true;
    this.#state = 'head';
  }

  #fixed() {
    const n = Math.min(this.#left, this.#held.length);
    if (!this.#take(n)) return false;
    this.#left -= n;
    if (!this.#left) this.#finish();
    return true;
  }

  #size() {
    const line = this.#line();
    if (line === null) return false;
    const size = /^([0-9a-fA-F]+)(;.*)?$/.exec(line);
    if (!size) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    this.#left = parseInt(size[1], 16);
    this.#state = this.#left ? 'chunk' : 'trailer';
    if (this.#left) this.current.chunks++;
    return true;
  }

  #chunk() {
    if (this.#left) {
      const n = Math.min(this.#left, this.#held.length);
      if (!this.#take(n)) return false;
      this.#left -= n;
      return true;
    }
    if (this.#held.length < 2) return false;
    if (this.#held[0] !== 13 || this.#held[1] !== 10) throw new Error('a chunk without line end');
    this.#held = this.#held.subarray(2);
    this.#state = 'size';
    return true;
  }

  #trailer() {
    const line = this.#line();
    if (line === null) return false;
    if (line === '') this.#finish();
    else (this.current.trailers ??= []).push(line);
    return true;
  }
}

/** A client's connection: writes what it is told, reads answers. */
export class Wire {
  reader = new Reader('response');
  received = 0;
  closed = null; /* 'end' (orderly) or an error code, once the peer has closed */
  #changes = new Changes();
  #next = 0;

  constructor(socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      this.received += data.length;
      this.reader.feed(data);
      this.#changes.ring();
    });
    socket.on('end', () => this.#close('end'));
    socket.on('error', (error) => this.#close(error.code));
    socket.on('close', () => this.#close('end'));
  }

  #close(how) {
    this.closed ??= how;
    this.closedAt ??= performance.now();
    this.reader.end();
    this.#changes.ring();
  }

  /** Connect to a port of this machine. It stays half open until ended by us. */
  static open(port, host = '127.0.0.1') {
    return new Promise((done, fail) => {
      const socket = net.connect({ port, host, allowHalfOpen: true });
      socket.once('error', fail);
      socket.once('connect', () => {
        socket.off('error', fail);
        done(new Wire(socket));
      });
    });
  }

  /** Write; `method` of each request that gets an answer matters for HEAD only. */
  send(data, ...methods) {
    this.reader.methods.push(...methods);
    this.socket.write(bytes(data));
    return this;
  }

  /** Write in pieces, each in a packet of its own as far as the system allows. */
  async sendPieces(list) {
    for (const piece of list) {
      if (this.closed) return;
      await new Promise((done) => this.socket.write(bytes(piece), done));
    }
  }

  /** Wait for anything about this connection. */
  wait(condition, what, limit = LIMIT) {
    return this.#changes.wait(
      () => condition(this),
      () => `${what}; ${this.describe()}`,
      limit,
    );
  }

  describe() {
    const seen = this.reader.messages.map(
      (m) => `${m.status}${m.complete ? '' : ' (incomplete)'} ${m.body.subarray(0, 200)}`,
    );
    const state = this.closed ? `closed (${this.closed})` : 'open';
    return `got [${seen.join(' | ')}] ${this.reader.error ?? ''} and the connection is ${state}`;
  }

  /** The next final response, as soon as its head is there. */
  async head(limit = LIMIT) {
    const at = this.#next;
    const found = await this.wait(
      ({ reader }) => {
        if (reader.error) throw new Error(`the answer is no HTTP: ${reader.error}`);
        const finals = reader.messages.filter((m) => m.status >= 200);
        if (finals.length <= at && this.closed)
          throw new Error(`expected a response, but the connection was closed (${this.closed})`);
        return finals[at];
      },
      'a response',
      limit,
    );
    this.#next++;
    return found;
  }

  /** The next final response, complete. */
  async response(limit = LIMIT) {
    const m = await this.head(limit);
    await this.wait(
      ({ reader }) => {
        if (!m.complete && (this.closed || reader.error))
          throw new Error(`expected a complete response; ${this.describe()}`);
        return m.complete;
      },
      'a complete response',
      limit,
    );
    return m;
  }

  /** Interim (1xx) responses so far. */
  get interim() {
    return this.reader.messages.filter((m) => m.status < 200);
  }

  /** Wait for the peer to close; gives 'end' or an error code. */
  gone(limit = LIMIT) {
    return this.wait(() => this.closed, 'the connection to be closed', limit);
  }

  /** Leave: orderly, or with a reset. */
  close() {
    this.socket.destroy();
  }

  reset() {
    reset(this.socket);
  }
}

/** Send one request on a connection of its own; gives the complete response. */
export async function exchange(port, data, { method = 'GET', limit = LIMIT } = {}) {
  const wire = await Wire.open(port);
  try {
    wire.send(data, method);
    const answer = await wire.response(limit);
    answer.interim = wire.interim;
    return answer;
  } finally {
    wire.close();
  }
}
