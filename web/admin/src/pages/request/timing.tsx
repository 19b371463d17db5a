/* Where the time went: the phases that were measured, on one scale. */
import * as format from '../../format';
import { Time } from '../../ui/time';
import type { Attempt, DetailRow } from './types';

interface Phase {
  name: string;
  tone: string;
  from: number;
  to: number;
  note?: string;
}

/* What lies between two marks; what was not measured is left out. */
function phasesOf(r: DetailRow): Phase[] {
  const phases: Phase[] = [];
  let at = 0;
  const until = (name: string, tone: string, to: number | null, note?: string) => {
    if (to === null || to < at) return;
    phases.push({ name, tone, from: at, to, ...(note ? { note } : {}) });
    at = to;
  };
  until('Connect', 'connect', r.upstream_connect_ms, r.upstream_connect_ms === 0 ? 'connection reused' : undefined);
  until('Waiting for the head', 'wait', r.upstream_headers_ms);
  until('To the first byte', 'wait', r.first_byte_ms);
  until('To the first token', 'wait', r.ttft_ms);
  until(r.ttft_ms !== null ? 'Generating' : 'Receiving', 'generate', r.duration_ms);
  return phases;
}

const NAMES: [keyof DetailRow & ('upstream_connect_ms' | 'upstream_headers_ms' | 'first_byte_ms' | 'ttft_ms'), string][] = [
  ['upstream_connect_ms', 'connect'], ['upstream_headers_ms', 'response head'], ['first_byte_ms', 'first byte'], ['ttft_ms', 'first token'],
];

const percentOf = (ms: number, total: number) => (total > 0 ? `${(ms / total) * 100}%` : '0');

function Bars({ phases, total }: { phases: Phase[]; total: number }) {
  return (
    <div class="waterfall" aria-hidden="true">
      {phases.map((p) => (
        <div key={p.name} class="lane">
          <span class="lane-name">{p.name}</span>
          <span class="lane-track">
            <span class={`lane-bar ${p.tone}`} style={{ left: percentOf(p.from, total), width: percentOf(p.to - p.from, total) }} />
          </span>
          <span class="lane-ms">{p.note ?? format.duration(p.to - p.from)}</span>
        </div>
      ))}
    </div>
  );
}

function Attempts({ attempts }: { attempts: Attempt[] }) {
  if (!attempts.length) return null;
  return (
    <section class="card" aria-label="Attempts">
      <header><h2>Attempts</h2></header>
      <table class="plain-table">
        <thead><tr><th scope="col">Number</th><th scope="col">Upstream</th><th scope="col">Model</th><th scope="col">Status</th><th scope="col" class="num">Head</th><th scope="col" class="num">Took</th><th scope="col">Error</th></tr></thead>
        <tbody>
          {attempts.map((a) => (
            <tr key={a.number}>
              <th scope="row">{a.number}</th><td><bdi>{a.upstream_url ?? '-'}</bdi></td><td><bdi>{a.upstream_model ?? '-'}</bdi></td><td>{a.status ?? '-'}</td>
              <td class="num">{format.duration(a.headers_ms)}</td><td class="num">{format.duration(a.duration_ms)}</td><td dir="auto">{a.error ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function TimingView({ r }: { r: DetailRow }) {
  const phases = phasesOf(r);
  const total = r.duration_ms ?? phases[phases.length - 1]?.to ?? 0;
  const missing = NAMES.filter(([key]) => r[key] === null).map(([, name]) => name);
  const facts: [string, string][] = [
    ['Chunks', r.chunk_count?.toLocaleString() ?? '-'],
    ['Events', r.event_count?.toLocaleString() ?? '-'],
    ['Gap between chunks: mean', format.duration(r.chunk_gap_avg_ms)],
    ['Gap between chunks: 95 %', format.duration(r.chunk_gap_p95_ms)],
    ['Gap between chunks: largest', format.duration(r.chunk_gap_max_ms)],
    ['Client behind by at most', format.duration(r.client_lag_max_ms)],
    ['Tokens a second, generating', format.rate(r.generation_tps)],
    ['Tokens a second, in all', format.rate(r.tokens_per_second)],
  ];
  return (
    <>
      <section class="card" aria-label="Timing">
        <header><h2>Timing</h2><span class="muted"><Time iso={r.created_at} /> – {r.completed_at ? <Time iso={r.completed_at} /> : 'not finished'}</span></header>
        {phases.length > 0 && <Bars phases={phases} total={total} />}
        <table class="plain-table">
          <thead><tr><th scope="col">Phase</th><th scope="col" class="num">From</th><th scope="col" class="num">To</th><th scope="col" class="num">Took</th></tr></thead>
          <tbody>
            {phases.map((p) => (
              <tr key={p.name}><th scope="row">{p.name}{p.note && <small> {p.note}</small>}</th><td class="num">{format.duration(p.from)}</td><td class="num">{format.duration(p.to)}</td><td class="num">{format.duration(p.to - p.from)}</td></tr>
            ))}
            <tr><th scope="row">In all</th><td class="num">0 ms</td><td class="num">{format.duration(r.duration_ms)}</td><td class="num">{format.duration(r.duration_ms)}</td></tr>
          </tbody>
        </table>
        {missing.length > 0 && <p class="muted">Not recorded: {missing.join(', ')}.</p>}
        {(r.chunk_gap_max_ms ?? 0) >= 1000 && <p class="strip warn">The stream stalled: its largest gap was {format.duration(r.chunk_gap_max_ms)}.</p>}
      </section>
      <section class="card" aria-label="Speed">
        <dl class="facts wide">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      </section>
      <Attempts attempts={r.attempts} />
    </>
  );
}
