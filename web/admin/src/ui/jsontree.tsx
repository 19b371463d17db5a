/* JSON to read: opens and closes, searches, copies paths and values, and shows JSON and pictures
 * that are inside strings. */
import { useSignal, type Signal } from '@preact/signals';
import { useId, useMemo, useRef } from 'preact/hooks';
import * as format from '../format';
import { Chunks, reveal } from './chunks';
import { Copy } from './copy';
import { findNodes, isDoc, keyOf, parseJson, pathOf, prettyJson, rawOf, stringOf, visibleNodes, type JsonDoc } from './jsontext';
import { LongText } from './longtext';

const OPEN_NODES = 2000; /* more are not opened at first */
const FOLD_CHARS = 400;
const ROW_PX = 21;
const TYPING_MS = 250;
const MAX_INDENT = 40;

const isContainer = (doc: JsonDoc, n: number) => doc.kind[n] === 'object' || doc.kind[n] === 'array';

/* Containers at that depth and below. */
function closedFrom(doc: JsonDoc, depth: number): Set<number> {
  const closed = new Set<number>();
  for (let n = 0; n < doc.count; n++) if (doc.depth[n]! >= depth && isContainer(doc, n) && doc.size[n]) closed.add(n);
  return closed;
}

function firstClosed(doc: JsonDoc): Set<number> {
  if (doc.count <= OPEN_NODES) return new Set();
  for (let depth = 4; depth > 1; depth--) {
    const closed = closedFrom(doc, depth);
    if (visibleNodes(doc, closed).length <= OPEN_NODES) return closed;
  }
  return closedFrom(doc, 1);
}

interface Tree {
  doc: JsonDoc;
  id: string;
  closed: Signal<ReadonlySet<number>>;
  chosen: Signal<number>;
  unfolded: Signal<ReadonlySet<number>>;
}

function looksLikeJson(text: string): boolean {
  const inner = text.trim();
  const ends = (inner[0] ?? '') + (inner[inner.length - 1] ?? '');
  return inner.length > 1 && (ends === '{}' || ends === '[]');
}
const imageUrl = /^data:image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml);base64,/i;

function StringValue({ t, n }: { t: Tree; n: number }) {
  const inner = useSignal(false);
  const text = stringOf(t.doc, n);
  const open = t.unfolded.value.has(n);
  const picture = imageUrl.test(text);
  const long = text.length > (picture ? 60 : FOLD_CHARS);
  const toggle = () => {
    const next = new Set(t.unfolded.value);
    if (!next.delete(n)) next.add(n);
    t.unfolded.value = next;
  };
  return (
    <>
      <span class="json-string" dir="auto">"{open || !long ? <LongText text={text} inline /> : text.slice(0, picture ? 40 : 120)}{!open && long ? '…' : ''}"</span>
      {long && <button class="tiny" onClick={toggle}>{open ? 'fold' : `${text.length.toLocaleString()} characters`}</button>}
      {(picture || looksLikeJson(text)) && (
        <button class="tiny" aria-expanded={inner.value} onClick={() => (inner.value = !inner.value)}>{picture ? 'image' : 'as JSON'}</button>
      )}
      {inner.value && (picture ? <img class="thumb" src={text} alt="Image in this string" /> : <div class="json-inner"><JsonTree text={text} /></div>)}
    </>
  );
}

function Row({ t, n }: { t: Tree; n: number }) {
  const { doc } = t;
  const key = keyOf(doc, n);
  const container = isContainer(doc, n);
  const open = !t.closed.value.has(n);
  const toggle = (all: boolean) => {
    const next = new Set(t.closed.value);
    const last = all ? doc.next[n]! : n + 1;
    for (let m = n; m < last; m++) {
      if (!isContainer(doc, m) || !doc.size[m]) continue;
      if (open) next.add(m);
      else next.delete(m);
    }
    t.closed.value = next;
  };
  const brackets = doc.kind[n] === 'object' ? '{}' : '[]';
  return (
    <div id={`${t.id}-${n}`} class={t.chosen.value === n ? 'json-row on' : 'json-row'} role="treeitem"
      aria-level={doc.depth[n]! + 1} aria-expanded={container && doc.size[n] ? open : undefined}
      aria-selected={t.chosen.value === n} data-node={n} tabIndex={t.chosen.value === n ? 0 : -1}
      style={{ paddingLeft: `${Math.min(doc.depth[n]!, MAX_INDENT) * 16 + 18}px` }}>
      {container && doc.size[n]! > 0 && (
        <button class="twist" tabIndex={-1} aria-hidden="true" title={`${open ? 'Close' : 'Open'} (Alt: all in it)`}
          onClick={(e) => toggle(e.altKey)}>{open ? '▾' : '▸'}</button>
      )}
      {key !== null && <bdi class="json-key">{key.length > 200 ? `${key.slice(0, 200)}…` : key}</bdi>}
      {key === null && doc.parent[n]! >= 0 && <span class="json-place">{doc.place[n]}</span>}
      {doc.parent[n]! >= 0 && ': '}
      {container
        ? <span class="json-size">{doc.size[n] ? `${brackets[0]}${doc.size[n]!.toLocaleString()}${brackets[1]}` : brackets}</span>
        : doc.kind[n] === 'string' ? <StringValue t={t} n={n} />
          : <span class={`json-${doc.kind[n] === 'number' ? 'number' : 'word'}`}>{rawOf(doc, n)}</span>}
    </div>
  );
}

function Search({ t, show }: { t: Tree; show(n: number): void }) {
  const words = useSignal('');
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const at = useSignal(0);
  const all = () => (words.value ? findNodes(t.doc, words.value) : []);
  const known = useMemo(() => ({ words: words.value, nodes: all() }), [words.value, t.doc]);
  const found = known.nodes;
  const step = (by: number) => {
    const found = known.words === words.value ? known.nodes : all();
    if (!found.length) return;
    at.value = (at.value + by + found.length) % found.length;
    show(found[at.value]!);
  };
  return (
    <span class="json-search">
      <input type="search" aria-label="Search in this JSON" placeholder="Search" value={words.value}
        onInput={(e) => {
          const typed = e.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => { words.value = typed; at.value = -1; }, TYPING_MS);
        }}
        onKeyDown={(e) => {
          if (e.key !== 'Enter') return;
          clearTimeout(timer.current);
          if (words.value !== e.currentTarget.value) {
            words.value = e.currentTarget.value;
            at.value = -1;
          }
          step(e.shiftKey ? -1 : 1);
        }} />
      {words.value && (
        <>
          <span role="status" class="muted">{found.length ? `${at.value < 0 ? '' : `${at.value + 1} of `}${found.length.toLocaleString()}` : 'not there'}</span>
          <button class="tiny" disabled={!found.length} onClick={() => step(1)}>next</button>
        </>
      )}
    </span>
  );
}

function Tools({ t, show, asText }: { t: Tree; show(n: number): void; asText: Signal<boolean> }) {
  const n = t.chosen.value;
  const depth = (levels: number) => (t.closed.value = levels ? closedFrom(t.doc, levels) : new Set());
  return (
    <div class="json-tools">
      {!asText.value && (
        <>
          <Search t={t} show={show} />
          <span role="group" aria-label="Open to depth">
            {[1, 2, 3].map((d) => <button key={d} class="tiny" title={`Open ${d} levels`} onClick={() => depth(d)}>{d}</button>)}
            <button class="tiny" title="Open everything" onClick={() => depth(0)}>all</button>
          </span>
          <code class="json-path" title={pathOf(t.doc, n)}>{pathOf(t.doc, n)}</code>
          <Copy label="Copy path" text={() => pathOf(t.doc, n)} />
          <Copy label="Copy value" text={() => (t.doc.kind[n] === 'string' ? stringOf(t.doc, n) : rawOf(t.doc, n))} />
        </>
      )}
      <button class="tiny" aria-pressed={asText.value} onClick={() => (asText.value = !asText.value)}>Text</button>
    </div>
  );
}

function Nodes({ doc, tools }: { doc: JsonDoc; tools: boolean }) {
  const id = useId();
  const closed = useSignal<ReadonlySet<number>>(new Set());
  const unfolded = useSignal<ReadonlySet<number>>(new Set());
  const chosen = useSignal(0);
  const asText = useSignal(false);
  const list = useRef<HTMLDivElement>(null);
  useMemo(() => {
    closed.value = firstClosed(doc);
    chosen.value = 0;
  }, [doc]);
  const t: Tree = { doc, id, closed, chosen, unfolded };
  const nodes = useMemo(() => visibleNodes(doc, closed.value), [doc, closed.value]);
  const show = (n: number) => {
    const next = new Set(closed.value);
    for (let p = doc.parent[n]!; p >= 0; p = doc.parent[p]!) next.delete(p);
    closed.value = next;
    chosen.value = n;
    const row = visibleNodes(doc, next).indexOf(n);
    requestAnimationFrame(() => list.current && reveal(list.current, row, `${id}-${n}`));
  };
  const onKey = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest('input, .json-inner') || event.altKey || event.ctrlKey) return;
    const at = nodes.indexOf(chosen.value);
    const n = chosen.value;
    const shut = closed.value.has(n);
    let to = -1;
    if (event.key === 'ArrowDown') to = nodes[at + 1] ?? -1;
    else if (event.key === 'ArrowUp') to = nodes[at - 1] ?? -1;
    else if (event.key === 'ArrowRight' && isContainer(doc, n) && shut) closed.value = new Set([...closed.value].filter((m) => m !== n));
    else if (event.key === 'ArrowRight' && isContainer(doc, n) && doc.size[n]) to = n + 1;
    else if (event.key === 'ArrowLeft' && isContainer(doc, n) && !shut && doc.size[n]) closed.value = new Set([...closed.value, n]);
    else if (event.key === 'ArrowLeft') to = doc.parent[n]!;
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= 0) show(to);
  };
  const choose = (event: Event) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('.json-row');
    if (row && row.closest('.json') === list.current) chosen.value = Number(row.dataset.node);
  };
  return (
    <>
      {tools && <Tools t={t} show={show} asText={asText} />}
      {asText.value ? <LongText text={prettyJson(doc)} /> : (
        <div class="json" role="tree" aria-label={`JSON, ${format.count(doc.count)} values`} ref={list} onClick={choose} onKeyDown={onKey}>
          <Chunks items={nodes} rowHeight={ROW_PX} draw={(n) => <Row key={n} t={t} n={n} />} />
        </div>
      )}
    </>
  );
}

/** tools: with search, depths and copying. What is no JSON is shown as text, with what is wrong. */
export function JsonTree({ text, tools }: { text: string; tools?: boolean }) {
  const parsed = useMemo(() => parseJson(text), [text]);
  if (isDoc(parsed)) return <Nodes doc={parsed} tools={tools ?? false} />;
  return (
    <>
      <p class="muted">Not JSON: {parsed.message} (line {parsed.line}, column {parsed.column}).</p>
      <LongText text={text} />
    </>
  );
}
