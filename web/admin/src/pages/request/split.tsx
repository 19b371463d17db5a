/* Request and response beside each other, the response in the mode that is asked for. Texts of
 * streams are those of the answer put together, not of its pieces. */
import { useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { get } from '../../api';
import { query, withQuery } from '../../router';
import { Copy } from '../../ui/copy';
import { isDoc, parseJson } from '../../ui/jsontext';
import { JsonTree } from '../../ui/jsontree';
import { LongText } from '../../ui/longtext';
import { Prose } from '../../ui/prose';
import { messageText } from './asmarkdown';
import { conversationUrl } from './conversation';
import { WithBody } from './gate';
import { bodyUrl, drawnBytes, LARGE_BYTES, useLoaded, type Body, type Side } from './load';
import { PartView, type Shown } from './parts';
import { isChatLike, type Conversation, type Detail, type DetailRow, type Part } from './types';

const MODES = ['auto', 'json', 'text', 'markdown', 'tool', 'sse'] as const;
type Mode = (typeof MODES)[number];

const isStream = (r: DetailRow, body: Body) =>
  /event-stream/i.test(r.response_content_type ?? '') || /^\ufeff?(?:data|event|id|retry|:)[^\n]*\n/.test(body.text.slice(0, 4096));
const looksLikeMarkdown = (text: string) => /^(#{1,6} |[-*] |\d+\. |```|> |\|.+\|)|\*\*[^*]+\*\*/m.test(text.slice(0, 20000));

const answersOf = (c: Conversation) => c.messages.filter((m) => m.origin === 'response');
const callsOf = (c: Conversation): Part[] =>
  c.messages.flatMap((m) => m.parts).filter((p) => p.type === 'tool_call' || p.type === 'tool_result');
const NO_LINKS: Shown = { plain: true, signs: false, links: { calls: new Map(), results: new Map() }, tools: new Map(), images: new Map() };

/* What "auto" means for that body. */
function resolve(r: DetailRow, body: Body, c: Conversation | null): Mode {
  if (c && answersOf(c).some((m) => m.parts.some((p) => p.type === 'tool_call'))) return 'tool';
  if (isStream(r, body)) return 'sse';
  if (isDoc(parseJson(body.text))) return 'json';
  return looksLikeMarkdown(body.text) ? 'markdown' : 'text';
}

/* The answer without its parts of a stream. */
const whole = (c: Conversation) => JSON.stringify(c.stream
  ? { messages: answersOf(c), choices: c.choices, usage: c.usage, stream: c.stream, error: c.error } : answersOf(c));

function InMode(props: { r: DetailRow; body: Body; c: Conversation | null; mode: Mode }): ComponentChildren {
  const { body, c, mode } = props;
  const stream = isStream(props.r, body);
  const said = c ? answersOf(c).map(messageText).filter(Boolean).join('\n\n') : '';
  switch (mode) {
    case 'json': return stream && c ? <JsonTree text={whole(c)} tools /> : <JsonTree text={body.text} tools />;
    case 'text': return <LongText text={said || body.text} />;
    case 'markdown': return <Prose text={said || body.text} plain={false} />;
    case 'tool': {
      const calls = c ? callsOf(c) : [];
      return calls.length
        ? <>{calls.map((part, i) => <PartView key={i} part={part} shown={NO_LINKS} />)}</>
        : <p class="muted">No tool calls and no results of tools.</p>;
    }
    default: return <LongText text={body.text} />;
  }
}

function ModeLinks({ on }: { on: Mode }) {
  return (
    <div class="modes" role="group" aria-label="How the answer is shown">
      {MODES.map((mode) => (
        <a key={mode} class="button tiny" href={withQuery({ mode: mode === 'auto' ? null : mode })}
          aria-current={mode === on ? 'true' : undefined}>{mode}</a>
      ))}
    </div>
  );
}

function useConversation(r: DetailRow): Conversation | null {
  const wanted = isChatLike(r.endpoint) && drawnBytes(r) <= LARGE_BYTES ? `${r.id} ${r.completed_at}` : null;
  return useLoaded(wanted, (abort) => get<Conversation>(conversationUrl(r.id), abort)).data;
}

function AnswerBody({ r, body, asked }: { r: DetailRow; body: Body; asked: Mode }) {
  const c = useConversation(r);
  const mode = asked === 'auto' ? resolve(r, body, c) : asked;
  return <><ModeLinks on={mode} /><InMode r={r} body={body} c={c?.format ? c : null} mode={mode} /></>;
}

function Panel(props: { r: DetailRow; title: string; side: Side; type: string | null; children: ComponentChildren }) {
  return (
    <section class="card" aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        <small><bdi>{props.type ?? ''}</bdi></small>
        <span class="right">
          <Copy label="Copy" text={async () => (await fetch(bodyUrl(props.r.id, props.side))).text()} />
          <a class="button" href={bodyUrl(props.r.id, props.side)} download={`request-${props.r.id}-${props.side}`}>Download</a>
        </span>
      </header>
      {props.children}
    </section>
  );
}

export function RequestPanel({ r }: { r: DetailRow }) {
  return (
    <Panel r={r} title="Request" side="request" type={r.request_content_type}>
      <WithBody r={r} side="request">
        {(body) => <JsonTree text={body.text} tools />}
      </WithBody>
    </Panel>
  );
}

export function ResponsePanel({ r, side }: { r: DetailRow; side: 'response' | 'upstream' }) {
  const wanted = query.value.get('mode') as Mode | null;
  const asked: Mode = wanted && MODES.includes(wanted) ? wanted : 'auto';
  return (
    <Panel r={r} title={side === 'response' ? 'Response' : 'Response of the upstream, before compatibility fixes'} side={side} type={r.response_content_type}>
      {r.completed_at === null
        ? <p class="muted">The answer is not there yet. What has arrived is in the conversation.</p>
        : <WithBody r={r} side={side}>{(body) => <AnswerBody r={r} body={body} asked={asked} />}</WithBody>}
    </Panel>
  );
}

const share = signal(50);

/** Both, with a divider that can be moved. */
export function Split({ d }: { d: Detail }) {
  const ref = useRef<HTMLDivElement>(null);
  const move = (to: number) => (share.value = Math.min(80, Math.max(20, to)));
  const drag = (event: PointerEvent) => {
    if (event.buttons !== 1) return;
    const box = ref.current!.getBoundingClientRect();
    move(((event.clientX - box.left) / box.width) * 100);
  };
  return (
    <div class="two" ref={ref} style={{ '--share': `${share.value}%` }}>
      <RequestPanel r={d.record} />
      <div class="divider" role="separator" aria-orientation="vertical" aria-label="Width of the request" tabIndex={0}
        aria-valuenow={Math.round(share.value)} aria-valuemin={20} aria-valuemax={80}
        onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)} onPointerMove={drag}
        onDblClick={() => move(50)}
        onKeyDown={(e) => { if (e.key === 'ArrowLeft') move(share.value - 5); else if (e.key === 'ArrowRight') move(share.value + 5); }} />
      <ResponsePanel r={d.record} side="response" />
    </div>
  );
}
