/* A request and its answer as messages: what people and models said, and what tools did. */
import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { get } from '../../api';
import { go, query, withQuery } from '../../router';
import { Copy } from '../../ui/copy';
import { JsonTree } from '../../ui/jsontree';
import { Tabs } from '../../ui/tabs';
import { useGate, Waiting } from './gate';
import { InFlight } from './live';
import { drawnBytes, useLoaded } from './load';
import { messageText } from './asmarkdown';
import { guessTokens, PartView, Picture, type Links, type Shown } from './parts';
import type { Conversation, Detail, ImageFound, Message, Part } from './types';
import { brokenStream, finishInWords } from './words';

const MOST = 200; /* messages that are drawn before somebody asks for the others */

export const conversationUrl = (id: number) => `/admin/api/requests/${id}/conversation`;

function* allParts(messages: Message[]): Generator<[Message, Part]> {
  for (const m of messages)
    for (const part of m.parts) {
      yield [m, part];
      for (const inner of part.content ?? []) yield [m, inner];
    }
}

function linksOf(messages: Message[]): Links {
  const links: Links = { calls: new Map(), results: new Map() };
  for (const [m, part] of allParts(messages)) {
    if (part.type === 'tool_call' && part.id) links.calls.set(part.id, { message: m.index, part });
    if (part.type === 'tool_result' && part.tool_call_id) links.results.set(part.tool_call_id, { message: m.index, part });
  }
  return links;
}

/* The pictures of the request come in the order of its parts. */
function imagesOf(messages: Message[], found: ImageFound[]): Map<Part, ImageFound> {
  const parts = [...allParts(messages)].filter(([m, p]) => p.type === 'image' && m.origin === 'request').map(([, p]) => p);
  return parts.length === found.length ? new Map(parts.map((p, i) => [p, found[i]!])) : new Map();
}

function Param({ name, value }: { name: string; value: unknown }) {
  if (value !== null && typeof value === 'object')
    return <details class="param"><summary>{name}</summary><JsonTree text={JSON.stringify(value)} /></details>;
  return <span class="pill"><bdi>{name}</bdi>: <bdi>{String(value).slice(0, 200)}</bdi></span>;
}

function Tool({ tool }: { tool: Conversation['tools'][number] }) {
  return (
    <details class="param">
      <summary><bdi>{tool.name ?? '(no name)'}</bdi></summary>
      {tool.description && <p class="plain" dir="auto">{tool.description}</p>}
      {tool.parameters != null && <JsonTree text={JSON.stringify(tool.parameters)} />}
    </details>
  );
}

function Strip({ c }: { c: Conversation }) {
  const models = [c.model, c.upstream_model, c.response_model].filter((m, i, all) => m && m !== all[i - 1]);
  const params = Object.entries(c.params);
  return (
    <div class="strip-top">
      <span title="asked for → forwarded as → answered by">{models.length ? models.map((m, i) => <>{i > 0 && ' → '}<bdi>{m}</bdi></>) : 'no model named'}</span>
      {params.map(([name, value]) => <Param key={name} name={name} value={value} />)}
      {c.tools.length > 0 && (
        <details class="param"><summary>{c.tools.length} {c.tools.length === 1 ? 'tool' : 'tools'}</summary>{c.tools.map((t, i) => <Tool key={i} tool={t} />)}</details>
      )}
    </div>
  );
}

const isSystem = (m: Message) => m.role === 'system' || m.role === 'developer';

function MessageBlock(props: { m: Message; shown: Shown; fresh: boolean; notes?: string | null }) {
  const { m } = props;
  const own = useSignal<boolean | null>(null);
  const plain = own.value ?? props.shown.plain;
  const shown = { ...props.shown, plain };
  const text = useMemo(() => messageText(m), [m]);
  const open = useSignal(false);
  return (
    <section class={`msg ${m.origin} ${/^[a-z]+$/.test(m.role ?? '') ? `role-${m.role}` : ''} ${props.fresh ? 'fresh' : ''}`} id={`m${m.index}`} tabIndex={-1}
      aria-label={`Message ${m.index + 1}, ${m.role ?? 'no role'}`}>
      <header>
        <b><bdi>{m.role ?? '(no role)'}</bdi></b> {m.name && <bdi>{m.name}</bdi>}
        <span class="muted">{m.index + 1}</span> <small>{guessTokens(text)}</small>
        {props.fresh && <span class="pill stream">new</span>}
        <span class="right">
          <button class="tiny" aria-pressed={plain} title="As it came, not as Markdown" onClick={() => (own.value = !plain)}>Plain</button>
          <Copy label="Copy message" text={text} icon />
        </span>
      </header>
      {m.parts.length === 0 && <p class="muted">Empty.</p>}
      {isSystem(m) && !open.value && text.length > 240
        ? (
          <>
            <div class="folded three plain" dir="auto">{text.slice(0, 20000)}</div>
            <button class="tiny" onClick={() => (open.value = true)}>Show all {text.length.toLocaleString()} characters</button>
          </>
        )
        : m.parts.map((part, i) => <PartView key={i} part={part} shown={shown} />)}
      {props.notes && <p class="finish">{props.notes}</p>}
    </section>
  );
}

function Shared({ n, id, open }: { n: number; id: number; open: boolean }) {
  return (
    <p class="shared">
      {n} {n === 1 ? 'message' : 'messages'} shared with <a href={`/admin/requests/${id}`}>#{id}</a>
      {' '}<a href={withQuery({ shared: open ? null : 'show' })} class="button tiny">{open ? 'Hide' : 'Show'}</a>
    </p>
  );
}

function Answers({ c, shown }: { c: Conversation; shown: Shown }) {
  const answers = c.messages.filter((m) => m.origin === 'response');
  const on = useSignal(0);
  const at = Math.min(on.value, answers.length - 1);
  const broken = brokenStream(c);
  if (!answers.length) return broken ? <p class="alert">{broken}</p> : null;
  const m = answers[at]!;
  const choice = c.choices.find((one) => one.message === m.index);
  const reason = choice?.finish_reason;
  return (
    <>
      {answers.length > 1 && (
        <Tabs label="Answers" tabs={answers.map((_, i) => [String(i), `Answer ${i + 1}`] as const)} on={String(at)} select={(t) => (on.value = Number(t))} />
      )}
      <MessageBlock key={m.index} m={m} shown={shown} fresh={c.related !== null}
        notes={reason ? finishInWords(reason, c.usage.output) : null} />
      {broken && <p class="alert" role="note">{broken}</p>}
    </>
  );
}

function Oddities({ c }: { c: Conversation }) {
  const s = c.stream;
  return (
    <>
      {c.notice && <p class="strip warn">{c.notice}</p>}
      {c.omitted > 0 && <p class="strip warn">{c.omitted.toLocaleString()} more messages and parts are left out here; the raw body has them.</p>}
      {s && s.broken > 0 && <p class="strip warn">{s.broken} events could not be read.</p>}
      {s && s.unknown > 0 && (
        <details class="call"><summary>{s.unknown} events of unknown types</summary>{s.unknown_events.map((e, i) => <JsonTree key={i} text={JSON.stringify(e)} />)}</details>
      )}
    </>
  );
}

function Controls({ c, plain, signs }: { c: Conversation; plain: boolean; signs: boolean }) {
  const turn = (key: string, on: boolean) => go(withQuery({ [key]: on ? '1' : null }), true);
  return (
    <div class="bar conv-tools">
      <span class="muted">{c.messages.length} {c.messages.length === 1 ? 'message' : 'messages'}{c.stream ? ` · ${c.stream.events.toLocaleString()} events` : ''}</span>
      <span class="right">
        <button class="chip" aria-pressed={plain} onClick={() => turn('plain', !plain)}>Plain text</button>
        <button class="chip" aria-pressed={signs} title="Blanks and line ends as signs" onClick={() => turn('signs', !signs)}>Whitespace</button>
      </span>
    </div>
  );
}

export function Messages({ c, images, live }: { c: Conversation; images: ImageFound[]; live?: preact.ComponentChildren }) {
  const plain = query.value.get('plain') === '1';
  const signs = query.value.get('signs') === '1';
  const all = useSignal(false);
  const links = useMemo(() => linksOf(c.messages), [c]);
  const pictures = useMemo(() => imagesOf(c.messages, images), [c, images]);
  const tools = useMemo(() => new Map(c.tools.flatMap((t) => (t.name ? [[t.name, t.parameters] as const] : []))), [c]);
  const shown: Shown = { plain, signs, links, tools, images: pictures };
  const sent = c.messages.filter((m) => m.origin === 'request');
  const shared = Math.min(c.related?.shared_messages ?? 0, sent.length);
  const showShared = query.value.get('shared') === 'show';
  const start = showShared ? 0 : shared;
  const from = all.value ? start : Math.max(start, sent.length - MOST);
  return (
    <div class="conversation">
      <Strip c={c} />
      <Controls c={c} plain={plain} signs={signs} />
      <Oddities c={c} />
      {shared > 0 && <Shared n={shared} id={c.related!.previous_id} open={showShared} />}
      {from > start && <p class="shared">{(from - start).toLocaleString()} earlier messages <button class="tiny" onClick={() => (all.value = true)}>Show</button></p>}
      {sent.slice(from).map((m) => <MessageBlock key={m.index} m={m} shown={shown} fresh={c.related !== null && m.index >= shared} />)}
      {live ?? <Answers c={c} shown={shown} />}
      {c.error && <p class="alert" dir="auto">{[c.error.type, c.error.code, c.error.message].filter(Boolean).join(' · ')}</p>}
    </div>
  );
}

/** The whole view. As long as the answer arrives, and until it is read, its text stands there. */
export function ConversationView({ d }: { d: Detail }) {
  const r = d.record;
  const pending = r.completed_at === null;
  const last = useRef<Conversation | null>(null);
  const gate = useGate(drawnBytes(r), r.id);
  const loaded = useLoaded(gate.open ? `${r.id} ${r.completed_at}` : null,
    (signal) => get<Conversation>(conversationUrl(r.id), signal));
  const images = useLoaded(gate.open && d.images.length > 0 ? String(r.id) : null,
    async (signal) => (await get<Detail>(`/admin/api/requests/${r.id}?bodies=images`, signal)).images);
  const c = loaded.data ?? last.current;
  const live = pending || (!loaded.data && last.current) ? <InFlight r={r} /> : undefined;
  if (loaded.data) last.current = pending ? loaded.data : null;
  if (gate.button) return <>{gate.button}{live}</>;
  if (!c || loaded.error) return <><Waiting loaded={loaded} what="the conversation" />{live}</>;
  if (!c.format) return <><p class="strip warn">{c.notice ?? 'This could not be read as a conversation.'} <a href={withQuery({ view: 'split' })}>Show the request and the response</a></p>{live}</>;
  return <Messages c={c} images={images.data ?? []} live={live} />;
}

export function Gallery({ r, count }: { r: Detail['record']; count: number }) {
  const wanted = useSignal(false);
  const loaded = useLoaded(wanted.value ? String(r.id) : null,
    async (signal) => (await get<Detail>(`/admin/api/requests/${r.id}?bodies=images`, signal)).images);
  return (
    <details class="card" onToggle={(e) => (wanted.value ||= e.currentTarget.open)}>
      <summary>{count} {count === 1 ? 'image' : 'images'} sent</summary>
      {loaded.data ? <div class="gallery">{loaded.data.map((image, i) => <Picture key={i} image={image} />)}</div> : wanted.value && <Waiting loaded={loaded} what="the images" />}
    </details>
  );
}
