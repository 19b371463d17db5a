/* Charts over a range of time. */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { serverNow } from '../api';
import { useResource, useTitle } from '../hooks';
import { paused, visible } from '../live';
import { go, query, withQuery } from '../router';
import { Skeleton } from '../ui/skeleton';
import { Time } from '../ui/time';
import { Breakdown, Cost, Requests, Speed, Spread, Tokens } from '../ui/charts';
import type { Timeseries } from '../ui/series';

const RANGES = [['-15m', '15 minutes', 900], ['-1h', 'Hour', 3600], ['-24h', '24 hours', 86400], ['-7d', '7 days', 604800]] as const;
const STANDARD = '-24h';
const REFRESH_MS = 15000;

/* Ranges that end now move on with it. */
const tick = signal(0);
const since = computed(() => query.value.get('since') ?? STANDARD);
const span = computed(() => RANGES.find(([name]) => name === since.value)?.[2]);
const url = computed(() => {
  void tick.value;
  const params = new URLSearchParams({ buckets: '120' });
  const until = query.value.get('until');
  const run = query.value.get('run');
  if (span.value && !until) params.set('since', new Date(serverNow() - span.value * 1000).toISOString());
  else params.set('since', since.value);
  if (until) params.set('until', until);
  if (run) params.set('run', run);
  return `/admin/api/metrics/timeseries?${params}`;
});

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const zoom = (from: number, to: number) => go(withQuery({ since: iso(from), until: iso(Math.max(to, from + 1)) }));

function Ranges() {
  const on = query.value.get('until') ? null : since.value;
  return (
    <div class="bar" role="group" aria-label="Range">
      {RANGES.map(([name, text]) => (
        <a key={name} class="button" href={withQuery({ since: name === STANDARD ? null : name, until: null })}
          aria-current={on === name ? 'true' : undefined}>{text}</a>
      ))}
    </div>
  );
}

function Charts({ t }: { t: Timeseries }) {
  const range = `since:${t.since} until:${t.until}`;
  const list = (more: Record<string, string>) => `/admin?${new URLSearchParams({ ...more, where: range })}`;
  return (
    <>
      <p class="muted">
        <Time iso={t.since} /> to <Time iso={t.until} />. Drag over a chart to look closer.{' '}
        <a href={list({})}>Open these requests</a>
        {query.value.get('until') && <> · <a href={withQuery({ since: null, until: null })}>Back to the last day</a></>}
      </p>
      {t.truncated && <p class="notice">There are more requests in this range; the newest 500,000 are counted.</p>}
      {t.total.request_count === 0
        ? <section class="empty"><h2>No requests in this range</h2></section>
        : (
          <>
            <div class="charts">
              <Requests t={t} zoom={zoom} />
              <Spread t={t} zoom={zoom} of="request_duration_ms" title="Duration" />
              <Spread t={t} zoom={zoom} of="ttft_ms" title="Time to the first token" />
              <Tokens t={t} zoom={zoom} />
              <Speed t={t} zoom={zoom} />
              <Cost t={t} zoom={zoom} />
            </div>
            <div class="sides">
              <Breakdown title="Models" rows={t.models} link={(model) => list({ model })} />
              <Breakdown title="Providers" rows={t.providers} link={(provider) => list({ provider })} />
              <Breakdown title="Routes" rows={t.routes} link={(route) => list({ route })} />
            </div>
          </>
        )}
    </>
  );
}

export function MetricsPage() {
  useTitle('Metrics');
  const series = useResource<Timeseries>(() => url.value, { kinds: [], follows: () => false });
  useEffect(() => {
    const timer = setInterval(() => {
      if (visible.value && !paused.value && !query.value.get('until')) tick.value++;
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const t = series.data.value;
  const error = series.error.value;
  return (
    <div class="metrics">
      <div class="title"><h1>Metrics</h1><Ranges /></div>
      {error && <p role="alert" class="alert">{error.message} <button onClick={series.refresh}>Try again</button></p>}
      {t ? <Charts t={t} /> : !error && <Skeleton rows={12} />}
    </div>
  );
}
