/* A run over its time. */
import { useEffect } from 'preact/hooks';
import { computed } from '@preact/signals';
import { useResource } from '../../hooks';
import { paused, visible } from '../../live';
import { Cost, Requests, Speed, Spread } from '../../ui/charts';
import type { Timeseries } from '../../ui/series';
import { place } from '../../router';
import { tab } from './tabs';
import type { RunDetail } from './types';

const REFRESH_MS = 15000;
const SMALL = 2000; /* requests that are counted quickly enough to follow each of them */

const url = computed(() => {
  const id = /^\/admin\/runs\/(\d+)$/.exec(place.value.pathname)?.[1];
  return id && ['overview', 'models'].includes(tab.value) ? `/admin/api/metrics/timeseries?run=${id}&buckets=60` : null;
});

/** The numbers of a run over time: with each request as long as there are few, then now and then. */
export function useSeries(d: RunDetail | null): Timeseries | null {
  const series = useResource<Timeseries>(() => url.value, { kinds: [], follows: () => false });
  const s = d?.stats;
  const small = !s || s.request_count <= SMALL;
  const open = d !== null && (d.run.status === 'active' || d.stats.pending_count > 0);
  useEffect(() => {
    if (s && small) series.refresh();
  }, [s && `${d.run.id} ${s.request_count} ${s.pending_count}`, small]);
  useEffect(() => {
    if (small || !open) return;
    const timer = setInterval(() => {
      if (visible.value && !paused.value) series.refresh();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [small, open]);
  return series.data.value;
}

export function RunCharts({ t }: { t: Timeseries | null }) {
  if (!t || t.total.request_count === 0) return null;
  return (
    <div class="charts">
      <Requests t={t} />
      <Cost t={t} />
      <Speed t={t} />
      <Spread t={t} of="request_duration_ms" title="Duration" />
    </div>
  );
}
