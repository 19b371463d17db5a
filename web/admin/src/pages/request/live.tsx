/* A request in flight: how far it is, and its answer as it arrives. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect } from 'preact/hooks';
import { ApiError, get, send } from '../../api';
import * as format from '../../format';
import { paused, visible } from '../../live';
import { confirmed } from '../../ui/dialog';
import { LongText } from '../../ui/longtext';
import { Took } from '../../ui/time';
import { toast } from '../../ui/toast';
import { grow, type Grown, type LiveText } from './livetext';
import type { DetailRow } from './types';

interface Flight {
  id: number;
  state: string;
  elapsed_ms: number;
  gap_ms: number | null;
  ttft_ms: number | null;
  current_tps: string | null;
  tokens: { input: number | null; output: number | null };
  response_bytes: number | null;
}
interface Answer {
  inflight: Flight[];
  text: LiveText | null;
}

const ASK_MS = 500;
const SILENT_MS = 10000;
const AT_END_PX = 80;

const PHASES: Record<string, string> = {
  receiving: 'receiving the request', connecting: 'connecting to the upstream', waiting: 'waiting for the first token',
  streaming: 'the answer arrives', stalled: 'stalled',
};

function useLive(id: number) {
  const flight = useSignal<Flight | null>(null);
  const grown = useSignal<Grown>({ items: [], gap: false });
  const problem = useSignal('');
  useEffect(() => {
    if (!visible.value || paused.value) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const answer = await get<Answer>(`/admin/api/live?text=${id}&parts=text,inflight&where=id%3D${id}`, abort.signal);
        flight.value = answer.inflight[0] ?? null;
        if (answer.text && (getSelection()?.isCollapsed ?? true)) grown.value = grow(grown.value, answer.text);
        problem.value = '';
      } catch (error) {
        if (!abort.signal.aborted) problem.value = error instanceof Error ? error.message : String(error);
      }
      if (!abort.signal.aborted) timer = setTimeout(ask, ASK_MS);
    };
    ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, visible.value, paused.value]);
  return { flight: flight.value, grown: grown.value, problem: problem.value };
}

/* The page stays at its end until somebody scrolls up. */
function useFollow(changed: unknown) {
  const on = useSignal(true);
  const end = () => document.documentElement.scrollHeight - innerHeight;
  useEffect(() => {
    let last = scrollY;
    const scrolled = () => {
      if (scrollY < last - 2) on.value = false;
      else if (scrollY >= end() - AT_END_PX) on.value = true;
      last = scrollY;
    };
    addEventListener('scroll', scrolled, { passive: true });
    return () => removeEventListener('scroll', scrolled);
  }, []);
  useLayoutEffect(() => {
    if (on.value) scrollTo({ top: end() });
  }, [changed]);
  return on;
}

async function cancel(id: number) {
  const sure = await confirmed({
    title: `Cancel request #${id}?`,
    text: 'The connection to the upstream is closed, and the client gets what has arrived so far. What was generated is still billed.',
    verb: 'Cancel request',
    danger: true,
  });
  if (!sure) return;
  try {
    await send('POST', `/admin/api/requests/${id}/cancel`, {});
    toast(`Request #${id} is cancelled.`);
  } catch (error) {
    return error instanceof ApiError ? error.message : String(error);
  }
  return '';
}

function Counters({ r, f }: { r: DetailRow; f: Flight | null }) {
  const error = useSignal('');
  return (
    <div class="flight" role="group" aria-label="Progress">
      <span class="dot live" aria-hidden="true" />
      <span role="status">{f ? (PHASES[f.state] ?? f.state) : 'finishing'}</span>
      <Took ms={null} since={r.created_at} />
      {f && (
        <>
          <span>first token {format.duration(f.ttft_ms)}</span>
          <span>~{format.count(f.tokens.output)} tokens</span>
          {f.current_tps && <span>{f.current_tps} tokens/s</span>}
          <span>{format.bytes(f.response_bytes)}</span>
          {(f.gap_ms ?? 0) > SILENT_MS && <span class="pill warn">silent for {format.duration(f.gap_ms)}</span>}
          <button class="danger" onClick={async () => (error.value = (await cancel(r.id)) ?? '')}>Cancel…</button>
        </>
      )}
      {error.value && <span role="alert" class="why">{error.value}</span>}
    </div>
  );
}

export function InFlight({ r }: { r: DetailRow }) {
  const { flight, grown, problem } = useLive(r.id);
  const following = useFollow(grown);
  return (
    <section class="msg response role-assistant arriving" aria-label="The answer as it arrives">
      <header><b>assistant</b> <Counters r={r} f={flight} /></header>
      {problem && <p role="alert" class="why">{problem}</p>}
      {grown.gap && <p class="muted">… what came before is shown when the answer is complete.</p>}
      {grown.items.length === 0 && <p class="muted">Nothing has arrived yet.</p>}
      {grown.items.map((item, i) => (
        <div key={i} class={item.kind === 'reasoning' ? 'reasoning' : item.kind === 'tool_call' ? 'call' : undefined}>
          {item.kind !== 'text' && <small class="muted">{item.kind.replace('_', ' ')} <bdi>{item.name ?? ''}</bdi></small>}
          <div class="plain" dir="auto"><LongText inline text={item.text} />{item.open && <span class="caret" aria-hidden="true" />}</div>
        </div>
      ))}
      {!following.value && <button class="follow primary" onClick={() => { following.value = true; scrollTo({ top: document.documentElement.scrollHeight }); }}>Follow</button>}
    </section>
  );
}
