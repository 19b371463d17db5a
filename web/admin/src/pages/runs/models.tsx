/* What was asked, and where. */
import { Breakdown } from '../../ui/charts';
import type { Timeseries } from '../../ui/series';
import { Groups } from './parts';
import type { RunDetail } from './types';

export function Models({ d, series }: { d: RunDetail; series: Timeseries | null }) {
  const { run, stats: s } = d;
  const link = (key: string) => (label: string) => `/admin?run=${run.id}&${key}=${encodeURIComponent(label)}`;
  return (
    <>
      <div class="sides">
        <section class="card"><header><h2>Models</h2></header><Groups groups={s.models} of={s.request_count} link={link('model')} /></section>
        <section class="card"><header><h2>Endpoints</h2></header><Groups groups={s.endpoints} of={s.request_count} link={link('endpoint')} /></section>
      </div>
      {series && (
        <div class="sides">
          <Breakdown title="By model" rows={series.models} link={link('model')} />
          <Breakdown title="By provider" rows={series.providers} link={link('provider')} />
          <Breakdown title="By route" rows={series.routes} link={link('route')} />
        </div>
      )}
    </>
  );
}
