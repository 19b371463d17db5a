/* What went wrong in a run, and what was slow. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get } from '../../api';
import type { RequestList, RequestRow } from '../../api-types';
import * as format from '../../format';
import { StatusPill } from '../../ui/pill';
import { Facts } from '../requests/inspector';
import { Count, Groups } from './parts';
import type { RunDetail } from './types';

/* Messages of the same failure differ in numbers and ids; without them they are one. */
const sameAs = (text: string) =>
  text.slice(0, 400).replace(/"[^"]{1,200}"|'[^']{1,200}'/g, '…').replace(/\b[\w-]*\d[\w.-]*\b/g, '#').slice(0, 160);

interface ErrorGroup {
  key: string;
  message: string;
  count: number;
  newest: RequestRow;
}

function grouped(rows: RequestRow[]): ErrorGroup[] {
  const groups = new Map<string, ErrorGroup>();
  for (const row of rows) {
    const message = row.error ?? row.upstream_error_message ?? '';
    const key = `${row.status_label} ${sameAs(message)}`;
    const known = groups.get(key);
    if (known) known.count++;
    else groups.set(key, { key, message, count: 1, newest: row });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

/* Rows that are asked for again when the run has more of them. */
function useRows(url: string | null): RequestRow[] | null {
  const list = useSignal<RequestRow[] | null>(null);
  useEffect(() => {
    if (!url) return;
    const abort = new AbortController();
    get<RequestList>(url, abort.signal).then((answer) => (list.value = answer.items), () => {});
    return () => abort.abort();
  }, [url]);
  return list.value;
}

const MOST = 200;

function Errors({ d }: { d: RunDetail }) {
  const n = d.stats.error_count;
  const rows = useRows(`/admin/api/requests?run=${d.run.id}&error=1&facets=0&per_page=${MOST}&page=1#${n}`);
  return (
    <section class="card">
      <header><h2>Errors</h2>{n > MOST && <span class="muted">of the newest {MOST}</span>}</header>
      <table class="errors">
        <tbody>
          {rows && grouped(rows).slice(0, 20).map((g) => (
            <tr key={g.key}>
              <td><StatusPill row={g.newest} /></td>
              <th scope="row" dir="auto" title={g.message}>{g.message || 'no message'}</th>
              <td class="num">{g.count} ×</td>
              <td><a href={`/admin/requests/${g.newest.id}`}>#{g.newest.id}</a></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const SLOWEST = 5;

/* Those from p95 on, of which there are few. */
function Slowest({ d }: { d: RunDetail }) {
  const p = d.stats.request_duration_ms;
  const from = p.count > MOST ? p.p95! : p.count <= SLOWEST * 2 ? 0 : p.p50!;
  const where = encodeURIComponent(`duration>=${from}ms`);
  const rows = useRows(`/admin/api/requests?run=${d.run.id}&where=${where}&facets=0&per_page=${MOST}#${p.count}`);
  const slowest = rows?.filter((r) => r.duration_ms !== null).sort((a, b) => b.duration_ms! - a.duration_ms!).slice(0, SLOWEST);
  return (
    <section class="card">
      <header><h2>Slowest</h2>{p.count > MOST * 20 && <span class="muted">of the newest that took {format.duration(from)} or longer</span>}</header>
      <table class="errors">
        <tbody>
          {slowest?.map((r) => (
            <tr key={r.id}>
              <td><a href={`/admin/requests/${r.id}`}>#{r.id}</a></td>
              <th scope="row" dir="auto" title={r.model ?? ''}>{r.model ?? '-'}</th>
              <td class="num" title={`${r.duration_ms} ms`}>{format.duration(r.duration_ms)}</td>
              <td class="num">{format.count(r.tokens.output)} tokens</td>
              <td><StatusPill row={r} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Diagnostics({ d }: { d: RunDetail }) {
  const { run, stats: s } = d;
  const times = (p: RunDetail['stats']['ttft_ms']) =>
    (p.count ? `p50 ${format.duration(p.p50)} · p95 ${format.duration(p.p95)} · p99 ${format.duration(p.p99)} · longest ${format.duration(p.max)} · ${format.count(p.count)} requests` : '-');
  return (
    <div class="sides wide">
      {s.error_count > 0 && <Errors d={d} />}
      {s.request_duration_ms.p95 !== null && <Slowest d={d} />}
      <section class="card">
        <header><h2>Status codes</h2></header>
        <Groups groups={s.statuses} of={s.request_count}
          link={(label) => (label === 'pending' ? `/admin?run=${run.id}&where=is:pending` : `/admin?run=${run.id}&status=${label}`)} />
      </section>
      <section class="card">
        <header><h2>Errors and times</h2></header>
        <Facts rows={[
          ['Errors', s.error_count ? <a href={`/admin?run=${run.id}&error=1`}><Count n={s.error_count} /></a> : '0'],
          ['Error rate', format.percent(s.error_rate)],
          ['Pending', <Count n={s.pending_count} />],
          ['Without a price', <Count n={s.unpriced_request_count} />],
          ['Slow from', <>10 s on, <a href={`/admin?run=${run.id}&slow=1`}>show them</a></>],
          ['Large from', <>10,000 tokens on, <a href={`/admin?run=${run.id}&large=1`}>show them</a></>],
          ['Duration', times(s.request_duration_ms)],
          ['First token', times(s.ttft_ms)],
        ]} />
      </section>
    </div>
  );
}
