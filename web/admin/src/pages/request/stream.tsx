/* The events of a stream as a table, and one of them in full. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import * as format from '../../format';
import { query, go, withQuery } from '../../router';
import { Chunks } from '../../ui/chunks';
import { Copy } from '../../ui/copy';
import { JsonTree } from '../../ui/jsontree';
import { WithBody } from './gate';
import { parseEvents, type StreamEvent } from './sse';
import type { DetailRow } from './types';

const encoder = new TextEncoder();

function One({ e, close }: { e: StreamEvent; close(): void }) {
  return (
    <section class="card event" aria-label={`Event ${e.number}`}>
      <header>
        <h2>Event {e.number}</h2><small><bdi>{e.name || e.type}</bdi></small>
        <span class="right"><Copy label="Copy data" text={e.data} /><button onClick={close}>Close</button></span>
      </header>
      {e.broken && <p class="strip warn">This event could not be read.</p>}
      <JsonTree text={e.data} tools={!e.broken} />
    </section>
  );
}

function Events({ text }: { text: string }) {
  const events = useMemo(() => parseEvents(text), [text]);
  const chosen = useSignal(0);
  const kind = query.value.get('carries') ?? '';
  const kinds = useMemo(() => {
    const n = new Map<string, number>();
    for (const e of events) n.set(e.carries, (n.get(e.carries) ?? 0) + 1);
    return [...n];
  }, [events]);
  const shown = useMemo(() => (kind ? events.filter((e) => e.carries === kind) : events), [events, kind]);
  const broken = events.filter((e) => e.broken).length;
  if (!events.length) return <p class="muted">There are no events in this answer.</p>;
  const one = events[chosen.value - 1];
  return (
    <>
      <div class="chips" role="group" aria-label="What events carry">
        <button class="chip" aria-pressed={!kind} onClick={() => go(withQuery({ carries: null }), true)}><b>{events.length.toLocaleString()}</b> all</button>
        {kinds.map(([name, n]) => (
          <button key={name} class="chip" aria-pressed={kind === name} onClick={() => go(withQuery({ carries: kind === name ? null : name }), true)}><b>{n.toLocaleString()}</b> {name}</button>
        ))}
      </div>
      {broken > 0 && <p class="strip warn">{broken} of the events could not be read.</p>}
      <div class={one ? 'two events-two' : undefined}>
        <div class="events" role="table" aria-label="Events" aria-rowcount={shown.length + 1}>
          <div class="event-row head" role="row"><span role="columnheader">No.</span><span role="columnheader">Type</span><span role="columnheader">Carries</span><span role="columnheader">Size</span><span role="columnheader">Data</span></div>
          <Chunks items={shown} rowHeight={28} draw={(e) => (
            <div key={e.number} role="row" class={`event-row ${e.broken ? 'bad' : ''} ${e.number === chosen.value ? 'on' : ''}`}>
              <span role="cell"><button class="tiny" aria-label={`Event ${e.number}`} onClick={() => (chosen.value = e.number)}>{e.number}</button></span>
              <span role="cell"><bdi>{e.name || e.type}</bdi></span><span role="cell">{e.carries}</span>
              <span role="cell" class="num">{format.bytes(encoder.encode(e.data).length)}</span>
              <span role="cell" class="data" dir="auto">{e.data.slice(0, 300)}</span>
            </div>
          )} />
        </div>
        {one && <One e={one} close={() => (chosen.value = 0)} />}
      </div>
    </>
  );
}

export function StreamView({ r }: { r: DetailRow }) {
  return (
    <section aria-label="Stream events">
      <p class="muted">
        When single events came is not recorded. Gaps between chunks: mean {format.duration(r.chunk_gap_avg_ms)}, 95 % {format.duration(r.chunk_gap_p95_ms)}, largest {format.duration(r.chunk_gap_max_ms)}.
      </p>
      <WithBody r={r} side="response">{(body) => <Events text={body.text} />}</WithBody>
    </section>
  );
}
