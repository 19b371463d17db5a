/* The bytes as they were, as text or in hex. */
import { query, go, withQuery } from '../../router';
import * as format from '../../format';
import { Chunks } from '../../ui/chunks';
import { Copy } from '../../ui/copy';
import { LongText } from '../../ui/longtext';
import { WithBody } from './gate';
import { bodyUrl, type Body, type Side } from './load';
import type { DetailRow } from './types';

const LINE = 16;

function hexLine(bytes: Uint8Array, at: number): string {
  const part = bytes.subarray(at, at + LINE);
  const hex = Array.from(part, (b, i) => b.toString(16).padStart(2, '0') + (i === 7 ? ' ' : '')).join(' ').padEnd(LINE * 3);
  const text = Array.from(part, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('');
  return `${at.toString(16).padStart(8, '0')}  ${hex}  ${text}`;
}

const BLOCK = 64; /* lines that are one text */

function Hex({ body }: { body: Body }) {
  const blocks = Array.from({ length: Math.ceil(body.bytes.length / (LINE * BLOCK)) }, (_, i) => i * LINE * BLOCK);
  const draw = (at: number) => {
    const lines = [];
    for (let i = at; i < Math.min(at + LINE * BLOCK, body.bytes.length); i += LINE) lines.push(hexLine(body.bytes, i));
    return <pre key={at}>{lines.join('\n')}</pre>;
  };
  return <div class="body hex" tabIndex={0} dir="ltr"><Chunks items={blocks} rowHeight={BLOCK * 19} draw={draw} /></div>;
}

function Side({ r, side, title }: { r: DetailRow; side: Side; title: string }) {
  const hex = query.value.get('hex') === '1';
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span class="right">
          <button class="tiny" aria-pressed={hex} onClick={() => go(withQuery({ hex: hex ? null : '1' }), true)}>Hex</button>
          <a class="button" href={bodyUrl(r.id, side)} download={`request-${r.id}-${side}`}>Download</a>
        </span>
      </header>
      <WithBody r={r} side={side}>
        {(body) => (
          <>
            <p class="muted">{format.bytes(body.bytes.length)} ({body.bytes.length.toLocaleString()} bytes) <Copy label="Copy text" text={body.text} /></p>
            {hex ? <Hex body={body} /> : <LongText text={body.text} />}
          </>
        )}
      </WithBody>
    </section>
  );
}

export function RawView({ r }: { r: DetailRow }) {
  return (
    <div class="sides">
      <Side r={r} side="request" title="Request" />
      <Side r={r} side="response" title="Response" />
      {r.response_was_rewritten && <Side r={r} side="upstream" title="Response of the upstream" />}
    </div>
  );
}
