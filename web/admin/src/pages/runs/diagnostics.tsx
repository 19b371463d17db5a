/* What went wrong in a run, and what was slow. */
import * as format from '../../format';
import { Facts } from '../requests/inspector';
import { Count, Groups } from './parts';
import type { RunDetail } from './types';

export function Diagnostics({ d }: { d: RunDetail }) {
  const { run, stats: s } = d;
  const times = (p: RunDetail['stats']['ttft_ms']) =>
    p.count ? `${format.duration(p.p50)}, ${format.duration(p.p95)}, ${format.duration(p.p99)}, ${format.duration(p.max)} (${format.count(p.count)} requests)` : '-';
  return (
    <div class="sides">
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
          ['Duration', <span title="p50, p95, p99, longest">{times(s.request_duration_ms)}</span>],
          ['First token', <span title="p50, p95, p99, longest">{times(s.ttft_ms)}</span>],
        ]} />
      </section>
    </div>
  );
}
