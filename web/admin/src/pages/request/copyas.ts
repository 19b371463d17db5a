/* A request as a command or a program that sends it again. Secrets become variables: they were
 * masked before they were stored. */
import type { Body } from './load';
import { headersOf, isMasked } from './headers';
import type { DetailRow } from './types';

export const INLINE_MAX = 128 * 1024;

/* What the sender sets itself. */
const OWN = /^(host|connection|content-length|transfer-encoding|accept-encoding|expect|keep-alive|te|upgrade|proxy-connection)$/;

/** The variable that holds what a header names. */
export function variableOf(header: string, path: string): string {
  const anthropic = path.includes('/messages');
  switch (header) {
    case 'authorization': return anthropic ? 'ANTHROPIC_AUTH_TOKEN' : 'OPENAI_API_KEY';
    case 'x-api-key': return 'ANTHROPIC_API_KEY';
    case 'api-key': return 'AZURE_OPENAI_API_KEY';
    case 'x-goog-api-key': case 'key': return 'GEMINI_API_KEY';
    default: return header.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  }
}

interface Sent {
  method: string;
  url: string;
  path: string;
  headers: { name: string; value: string; variable: string | null }[];
  body: string | null;
}

function sent(r: DetailRow, body: Body | null, origin: string): Sent {
  const path = r.endpoint + (r.query_string ? `?${r.query_string}` : '');
  const headers = headersOf(r.request_headers_json).filter(([name]) => !OWN.test(name)).map(([name, value]) => ({
    name, value, variable: isMasked(value) ? variableOf(name, r.endpoint) : null,
  }));
  return { method: r.method, url: origin + path, path, headers, body: body && body.bytes.length ? body.text : null };
}

const shell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const inDouble = (text: string) => text.replace(/[\\"$`]/g, '\\$&');

/** Why the body cannot be in a text; "" when it can. */
export function notInline(body: Body | null): string {
  if (!body) return '';
  if (body.bytes.length > INLINE_MAX) return 'The body is above 128 KiB: download it, and send it from the file.';
  if (!body.isUtf8 || body.text.includes('\0')) return 'The body is not text: download it, and send it from the file.';
  return '';
}

export function asCurl(r: DetailRow, body: Body | null, origin: string, file?: string): string {
  const s = sent(r, body, origin);
  const lines = [`curl -X ${s.method} ${shell(s.url)}`];
  for (const h of s.headers)
    lines.push(h.variable
      ? `-H "${inDouble(`${h.name}: `)}${h.value.split('***').map(inDouble).join(`$${h.variable}`)}"`
      : `-H ${shell(`${h.name}: ${h.value}`)}`);
  if (file) lines.push(`--data-binary @${shell(file)}`);
  else if (s.body !== null) lines.push(`--data-binary ${shell(s.body)}`);
  return `${lines.join(' \\\n  ')}\n`;
}

/* JSON text is a string of both languages; JSON.stringify escapes all that could end it. */
const quoted = (text: string) => JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/* Python reads \ud83d\ude00 as two characters, so what is above U+FFFF is written in full. */
const python = (text: string) => JSON.stringify(text).replace(/[\u007f-\u{10ffff}]/gu, (c) => {
  const n = c.codePointAt(0)!;
  return n > 0xffff ? `\\U${n.toString(16).padStart(8, '0')}` : `\\u${n.toString(16).padStart(4, '0')}`;
});

function joined(value: string, variable: string, quote: (t: string) => string, read: string, plus: string): string {
  const [before = '', ...after] = value.split('***');
  return [before && quote(before), read.replace('NAME', variable), after.join('') && quote(after.join(''))].filter(Boolean).join(plus);
}

export function asPython(r: DetailRow, body: Body | null, origin: string): string {
  const s = sent(r, body, origin);
  const headers = s.headers.map((h) =>
    `    ${python(h.name)}: ${h.variable ? joined(h.value, h.variable, python, 'os.environ["NAME"]', ' + ') : python(h.value)},`);
  return [
    'import os', 'import urllib.request', '',
    'request = urllib.request.Request(',
    `    ${python(s.url)},`,
    `    method=${python(s.method)},`,
    '    headers={', ...headers.map((line) => `    ${line}`), '    },',
    ...(s.body === null ? [] : [`    data=${python(s.body)}.encode(),`]),
    ')',
    'with urllib.request.urlopen(request) as response:',
    '    for line in response:',
    '        print(line.decode(), end="")', '',
  ].join('\n');
}

export function asFetch(r: DetailRow, body: Body | null, origin: string): string {
  const s = sent(r, body, origin);
  const headers = s.headers.map((h) =>
    `    ${quoted(h.name)}: ${h.variable ? joined(h.value, h.variable, quoted, 'process.env.NAME', ' + ') : quoted(h.value)},`);
  return [
    `const response = await fetch(${quoted(s.url)}, {`,
    `  method: ${quoted(s.method)},`,
    '  headers: {', ...headers, '  },',
    ...(s.body === null ? [] : [`  body: ${quoted(s.body)},`]),
    '});',
    'console.log(response.status, await response.text());', '',
  ].join('\n');
}

export function asHttp(r: DetailRow, body: Body | null, origin: string): string {
  const s = sent(r, body, origin);
  const lines = [`${s.method} ${s.path} HTTP/1.1`, `host: ${new URL(origin).host}`];
  for (const h of s.headers) lines.push(`${h.name}: ${h.variable ? h.value.replaceAll('***', `$${h.variable}`) : h.value}`);
  if (body?.bytes.length) lines.push(`content-length: ${body.bytes.length}`);
  return `${lines.join('\r\n')}\r\n\r\n${s.body ?? ''}`;
}
