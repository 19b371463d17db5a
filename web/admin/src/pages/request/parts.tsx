/* The parts of a message: text, reasoning, calls and results, pictures. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import * as format from '../../format';
import { Copy } from '../../ui/copy';
import { JsonTree } from '../../ui/jsontree';
import { LongText } from '../../ui/longtext';
import { Prose } from '../../ui/prose';
import { problemsOf } from './schema';
import type { ImageFound, Part } from './types';

/** How many tokens a text may have: a guess, said as one. */
export const guessTokens = (text: string | undefined) => (text ? `~${format.count(Math.ceil(text.length / 4))} tok` : '');

/** Where a call's result is, and a result's call: message numbers. */
export interface Links {
  calls: Map<string, { message: number; part: Part }>;
  results: Map<string, { message: number; part: Part }>;
}
export interface Shown {
  plain: boolean;
  signs: boolean;
  links: Links;
  tools: Map<string, unknown>; /* schemas */
  images: Map<Part, ImageFound>;
}

/** A picture that is in the request is shown; one that is elsewhere is only named. */
export function Picture({ image, part }: { image: ImageFound | undefined; part?: Part }) {
  const large = useSignal(false);
  const size = useSignal('');
  const source = image?.source ?? part?.url ?? '';
  const facts = [image?.mime_type ?? part?.mime_type, size.value, part?.bytes != null && format.bytes(part.bytes), part?.detail && `detail ${part.detail}`]
    .filter(Boolean).join(' · ');
  if (/^data:image\/[\w.+-]+[;,]/i.test(source))
    return (
      <figure class="picture">
        <button class={large.value ? 'large' : ''} title={large.value ? 'Smaller' : 'Larger'} onClick={() => (large.value = !large.value)}>
          <img src={source} alt="Image in the request" onLoad={(e) => (size.value = `${e.currentTarget.naturalWidth} × ${e.currentTarget.naturalHeight}`)}
            onError={() => (size.value = 'cannot be shown')} />
        </button>
        <figcaption>{facts} <a href={source} download="image">Download</a></figcaption>
      </figure>
    );
  if (/^https?:/i.test(source))
    return (
      <p class="card remote">
        Image elsewhere, not loaded: <bdi class="json-string">{source.slice(0, 300)}</bdi>{' '}
        <a href={source} target="_blank" rel="noopener noreferrer">Open in a new tab</a>
      </p>
    );
  return <p class="card remote">Image {part?.file_id && <code>{part.file_id}</code>} {facts || source.slice(0, 200)}</p>;
}

function Arguments({ part, schema }: { part: Part; schema: unknown }) {
  const raw = part.arguments_raw ?? '';
  if (!raw.trim()) return <p class="muted">No arguments.</p>;
  return (
    <>
      {part.arguments === null && raw.trim() !== 'null' && <span class="pill bad">arguments are not JSON</span>}
      {part.arguments !== null && problemsOf(part.arguments, schema).map((text) => <p key={text} class="why">Against the schema: <bdi>{text}</bdi></p>)}
      {part.arguments === null ? <LongText text={raw} /> : <JsonTree text={raw} />}
    </>
  );
}

function ResultContent({ part, shown }: { part: Part; shown: Shown }) {
  const content = part.content ?? [];
  if (!content.length) return <p class="muted">An empty result.</p>;
  return <>{content.map((p, i) => (p.type === 'text' ? <ResultText key={i} text={p.text ?? ''} shown={shown} /> : <PartView key={i} part={p} shown={shown} />))}</>;
}

function ResultText({ text, shown }: { text: string; shown: Shown }) {
  const inner = text.trim();
  const json = /^[[{]/.test(inner) && /[\]}]$/.test(inner);
  if (json && !shown.plain) return <JsonTree text={text} />;
  return <div class="result-text"><Prose text={text} plain signs={shown.signs} fold={25} /></div>;
}

function Call({ part, shown }: { part: Part; shown: Shown }) {
  const result = part.id ? shown.links.results.get(part.id) : undefined;
  return (
    <div class="call">
      <div class="call-head">
        <span class="pill tool">tool call</span> <b><bdi>{part.name ?? '(no name)'}</bdi></b>
        {part.kind && part.kind !== 'function' && <small>{part.kind}</small>}
        {part.id && <small><code>{part.id.slice(0, 60)}</code></small>}
        <span class="right"><Copy label="Copy arguments" text={part.arguments_raw ?? ''} icon /></span>
      </div>
      <div class={result ? 'call-sides' : undefined}>
        <div><h4>Arguments</h4><Arguments part={part} schema={part.name ? shown.tools.get(part.name) : undefined} /></div>
        {result && (
          <div>
            <h4>Result <a href={`#m${result.message}`} onClick={jump}>in message {result.message + 1}</a></h4>
            <ResultContent part={result.part} shown={shown} />
          </div>
        )}
      </div>
    </div>
  );
}

/* Within the page the address keeps its query, and what is folded opens. */
export function jump(event: MouseEvent) {
  event.preventDefault();
  const target = document.getElementById((event.currentTarget as HTMLAnchorElement).hash.slice(1));
  target?.scrollIntoView({ block: 'start' });
  target?.focus({ preventScroll: true });
}

function Result({ part, shown }: { part: Part; shown: Shown }) {
  const call = part.tool_call_id ? shown.links.calls.get(part.tool_call_id) : undefined;
  const label = <><span class="pill tool">tool result</span> {call && <>of <b><bdi>{call.part.name}</bdi></b>, <a href={`#m${call.message}`} onClick={jump}>called in message {call.message + 1}</a></>}</>;
  if (!call) return <div class="call"><div class="call-head">{label} {part.tool_call_id && <small><code>{part.tool_call_id.slice(0, 60)}</code></small>}</div><ResultContent part={part} shown={shown} /></div>;
  return <details class="call"><summary>{label}</summary><ResultContent part={part} shown={shown} /></details>;
}

function Reasoning({ part, shown }: { part: Part; shown: Shown }) {
  const text = part.text ?? '';
  const notes = [part.summary && 'summary', part.encrypted && 'encrypted', guessTokens(text)].filter(Boolean).join(' · ');
  if (!text) return <p class="reasoning muted">Reasoning{part.encrypted ? ', encrypted: it cannot be read' : ', without text'}</p>;
  return (
    <details class="reasoning">
      <summary>Reasoning <small>{notes}</small></summary>
      <Prose text={text} plain={shown.plain} signs={shown.signs} />
    </details>
  );
}

function Media({ part }: { part: Part }) {
  const facts = [part.name, part.mime_type, part.file_id, part.bytes != null && format.bytes(part.bytes)].filter(Boolean).join(' · ');
  return (
    <div class="card remote">
      {part.type === 'audio' ? 'Audio' : 'File'} <bdi>{facts}</bdi>
      {part.transcript && <blockquote dir="auto">{part.transcript}</blockquote>}
    </div>
  );
}

export function PartView({ part, shown }: { part: Part; shown: Shown }): ComponentChildren {
  switch (part.type) {
    case 'text': return <Prose text={part.text ?? ''} plain={shown.plain} signs={shown.signs} />;
    case 'reasoning': return <Reasoning part={part} shown={shown} />;
    case 'refusal': return <div class="refusal"><span class="pill bad">refusal</span> <Prose text={part.text ?? ''} plain={shown.plain} signs={shown.signs} /></div>;
    case 'tool_call': return <Call part={part} shown={shown} />;
    case 'tool_result': return <Result part={part} shown={shown} />;
    case 'image': return <Picture image={shown.images.get(part)} part={part} />;
    case 'audio': case 'file': return <Media part={part} />;
    default: return (
      <details class="call">
        <summary>Something else: <bdi>{part.kind ?? 'unknown'}</bdi></summary>
        <JsonTree text={JSON.stringify(part.raw ?? null)} />
      </details>
    );
  }
}
