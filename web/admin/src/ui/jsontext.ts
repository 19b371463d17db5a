/* JSON as it was written: the order of keys and the text of numbers stay. A text becomes a flat
 * list of values in document order; nothing recurses, so no nesting is too deep. */

export type Kind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

export interface JsonDoc {
  text: string;
  count: number;
  kind: Kind[];
  start: number[]; /* of the value, in text */
  end: number[];
  next: number[]; /* the first node behind what is in this one */
  parent: number[]; /* -1 for the first */
  depth: number[];
  key: (readonly [number, number] | null)[]; /* with its quotes */
  place: number[]; /* among the children of its parent */
  size: number[]; /* children */
}
export interface JsonError {
  at: number;
  line: number;
  column: number;
  message: string;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const LITERALS = ['true', 'false', 'null'] as const;

function skipBlanks(text: string, at: number): number {
  for (;;) {
    const c = text.charCodeAt(at);
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return at;
    at++;
  }
}

/* Behind the string that begins at, or minus the place of what is wrong with it, minus one. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 34) return i + 1;
    if (c < 32) return -i - 1;
    if (c === 92) {
      ESCAPE.lastIndex = i;
      if (!ESCAPE.test(text)) return -i - 1;
      i = ESCAPE.lastIndex - 1;
    }
  }
  return -text.length - 1;
}

class Wrong extends Error {
  constructor(readonly at: number, message: string) {
    super(message);
  }
}

function stringAt(text: string, at: number): number {
  const end = stringEnd(text, at);
  if (end < 0) throw new Wrong(-end - 1, -end - 1 === text.length ? 'a string has no end' : 'this may not be in a string');
  return end;
}

function scalar(text: string, at: number): [Kind, number] {
  if (text[at] === '"') return ['string', stringAt(text, at)];
  for (const word of LITERALS) if (text.startsWith(word, at)) return [word, at + word.length];
  NUMBER.lastIndex = at;
  if (NUMBER.test(text)) return ['number', NUMBER.lastIndex];
  throw new Wrong(at, at >= text.length ? 'the text ends too early' : 'a value is expected here');
}

function scan(text: string): JsonDoc {
  const doc: JsonDoc = { text, count: 0, kind: [], start: [], end: [], next: [], parent: [], depth: [], key: [], place: [], size: [] };
  let open = -1; /* the container that the next value goes into */
  let key: readonly [number, number] | null = null;
  let at = skipBlanks(text, text.charCodeAt(0) === 0xfeff ? 1 : 0);
  const add = (kind: Kind, end: number) => {
    const n = doc.count++;
    doc.kind.push(kind);
    doc.start.push(at);
    doc.end.push(end);
    doc.next.push(n + 1);
    doc.parent.push(open);
    doc.depth.push(open < 0 ? 0 : doc.depth[open]! + 1);
    doc.key.push(key);
    doc.place.push(open < 0 ? 0 : doc.size[open]!);
    doc.size.push(0);
    if (open >= 0) doc.size[open]!++;
    key = null;
    return n;
  };
  const readKey = () => {
    if (text[at] !== '"') throw new Wrong(at, 'a key is expected here');
    const end = stringAt(text, at);
    key = [at, end];
    at = skipBlanks(text, end);
    if (text[at] !== ':') throw new Wrong(at, 'a colon is expected here');
    at = skipBlanks(text, at + 1);
  };
  for (;;) {
    const c = text[at];
    let closed = true; /* a value ends here */
    if (c === '{' || c === '[') {
      open = add(c === '{' ? 'object' : 'array', at);
      at = skipBlanks(text, at + 1);
      closed = text[at] === (c === '{' ? '}' : ']');
      if (!closed && c === '{') readKey();
      if (!closed) continue;
    } else {
      const [kind, end] = scalar(text, at);
      add(kind, end);
      at = skipBlanks(text, end);
    }
    /* what may follow a value: the end of its container, or a comma and the next one */
    while (open >= 0) {
      const close = doc.kind[open] === 'object' ? '}' : ']';
      if (text[at] === close) {
        doc.end[open] = at + 1;
        doc.next[open] = doc.count;
        open = doc.parent[open]!;
        at = skipBlanks(text, at + 1);
        continue;
      }
      if (text[at] !== ',') throw new Wrong(at, at >= text.length ? 'the text ends too early' : `"," or "${close}" is expected here`);
      at = skipBlanks(text, at + 1);
      if (doc.kind[open] === 'object') readKey();
      break;
    }
    if (open < 0) {
      if (at < text.length) throw new Wrong(at, 'something follows the value');
      return doc;
    }
  }
}

/** The values of a text, or what is wrong with it. Linear. */
export function parseJson(text: string): JsonDoc | JsonError {
  try {
    return scan(text);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    const before = text.slice(0, error.at);
    const line = before.split('\n').length;
    return { at: error.at, line, column: error.at - before.lastIndexOf('\n'), message: error.message };
  }
}

export const isDoc = (parsed: JsonDoc | JsonError): parsed is JsonDoc => 'count' in parsed;

/** The text of a value as it stands there. */
export const rawOf = (doc: JsonDoc, n: number) => doc.text.slice(doc.start[n]!, doc.end[n]!);
export const stringOf = (doc: JsonDoc, n: number) => JSON.parse(rawOf(doc, n)) as string;

export function keyOf(doc: JsonDoc, n: number): string | null {
  const key = doc.key[n];
  return key ? (JSON.parse(doc.text.slice(key[0], key[1])) as string) : null;
}

/** "choices[0].message.content" */
export function pathOf(doc: JsonDoc, n: number): string {
  const steps: string[] = [];
  for (let at = n; doc.parent[at]! >= 0; at = doc.parent[at]!) {
    const key = keyOf(doc, at);
    if (key === null) steps.push(`[${doc.place[at]}]`);
    else steps.push(/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
  }
  return steps.reverse().join('').replace(/^\./, '') || '$';
}

/** The nodes that are seen when those of closed are closed. */
export function visibleNodes(doc: JsonDoc, closed: ReadonlySet<number>): number[] {
  const out: number[] = [];
  for (let n = 0; n < doc.count; n = closed.has(n) ? doc.next[n]! : n + 1) out.push(n);
  return out;
}

/* What a scalar says; most strings have no escapes, and need no parser. */
const plain = (raw: string): string =>
  raw[0] !== '"' ? raw : raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);

/** Nodes with the words in their key or in their own value. */
export function findNodes(doc: JsonDoc, words: string): number[] {
  const wanted = words.toLowerCase();
  const found: number[] = [];
  for (let n = 0; n < doc.count; n++) {
    const own = doc.kind[n] === 'object' || doc.kind[n] === 'array' ? ''
      : plain(rawOf(doc, n));
    const key = doc.key[n];
    if (own.toLowerCase().includes(wanted) || (key && plain(doc.text.slice(key[0], key[1])).toLowerCase().includes(wanted))) found.push(n);
  }
  return found;
}

/** The same value over lines, every key, number and string as it was written. */
export function prettyJson(doc: JsonDoc): string {
  const out: string[] = [];
  const open: number[] = [];
  const pad = (n: number) => '  '.repeat(Math.min(n, 100));
  const close = (until: number) => {
    while (open.length && doc.next[open[open.length - 1]!]! <= until) {
      const n = open.pop()!;
      out.push(`\n${pad(open.length)}${doc.kind[n] === 'object' ? '}' : ']'}`);
    }
  };
  for (let n = 0; n < doc.count; n++) {
    close(n);
    if (doc.parent[n]! >= 0) out.push(`${doc.place[n] ? ',' : ''}\n${pad(open.length)}`);
    const key = doc.key[n];
    if (key) out.push(doc.text.slice(key[0], key[1]), ': ');
    if (doc.kind[n] !== 'object' && doc.kind[n] !== 'array') out.push(rawOf(doc, n));
    else if (doc.size[n] === 0) out.push(doc.kind[n] === 'object' ? '{}' : '[]');
    else {
      out.push(doc.kind[n] === 'object' ? '{' : '[');
      open.push(n);
    }
  }
  close(doc.count);
  return out.join('');
}
