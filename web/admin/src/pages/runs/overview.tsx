/* A run at a glance. */
import { signal } from '@preact/signals';
import * as format from '../../format';
import { Time } from '../../ui/time';
import { Facts } from '../requests/inspector';
import { useRowKeys } from '../requests/rows';
import { RequestTable } from '../requests/table';
import type { Named, Timeseries } from '../../ui/series';
import { RunCharts } from './charts';
import { Count, Groups, Usd } from './parts';
import { tabUrl } from './tabs';
import type { RunDetail, WhatIf } from './types';

const TOP = 4;
const SCENARIOS = 2;
const selected = signal<number | null>(null);

function Health({ d }: { d: RunDetail }) {
  const s = d.stats;
  const tone = s.success_rate === null ? '' : s.error_count === 0 ? 'ok' : s.success_rate < 0.9 ? 'bad' : 'warn';
  return (
    <section class="card">
      <header><h2>Run health</h2><span class={`pill ${tone}`}>{format.percent(s.success_rate)} success</span></header>
      <Facts rows={[
        ['Success rate', `${format.percent(s.success_rate)}, ${format.count(s.success_count)} of ${format.count(s.request_count)}`],
        ['In flight', <Count n={s.pending_count} />],
        ['Streams', <Count n={s.signals.streams.value} />],
        ['Tool calls', <Count n={s.signals.tools.value} />],
        ['With images', <Count n={s.signals.images.value} />],
        ['Last activity', <Time iso={s.last_activity} />],
      ]} />
    </section>
  );
}

function Signals({ d }: { d: RunDetail }) {
  const s = d.stats.signals;
  const groups = [
    { label: 'Streams', count: s.streams.value ?? 0 }, { label: 'Tools', count: s.tools.value ?? 0 },
    { label: 'Images', count: s.images.value ?? 0 }, { label: 'Errors', count: s.errors.value ?? 0 },
  ];
  return <section class="card"><header><h2>Signals</h2></header><Groups groups={groups} of={d.stats.request_count} /></section>;
}

function Costs({ whatIf }: { whatIf: WhatIf | null }) {
  const base = whatIf?.baseline;
  const cost = base?.total_cost_usd ?? null;
  return (
    <section class="card">
      <header><h2>What it would have cost</h2><span class="right"><a href={tabUrl('whatif')}>Compare</a></span></header>
      {!whatIf ? <p class="muted">Loading…</p> : (
        <table class="costs">
          <tbody>
            <tr>
              <th scope="row">{base?.label ?? 'Current run'} <small><bdi>{base ? `${base.provider_name} / ${base.model}` : 'no request has a price'}</bdi></small></th>
              <td class="num"><Usd n={cost} /></td><td class="num muted">baseline</td>
            </tr>
            {whatIf.scenarios.slice(0, SCENARIOS).map((s) => (
              <tr key={s.key}>
                <th scope="row" title={s.key}><bdi>{s.label}</bdi> <small>{s.provider_name}</small></th>
                <td class="num"><Usd n={s.total_cost_usd} /></td>
                <td class="num">{cost !== null && s.total_cost_usd !== null ? format.delta(cost, s.total_cost_usd) : '-'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const LIVE: Record<string, string> = {
  active: 'takes traffic now', paused: 'paused, takes no traffic', complete: 'ended',
};

/* What most of the requests have in common; unknown when that is nothing. */
const top = (list: Named[] | undefined, none: string) =>
  list?.[0] && `${list[0].label ?? none}, ${format.count(list[0].request_count)} requests`;

function Insights({ d, series }: { d: RunDetail; series: Timeseries | null }) {
  const s = d.stats;
  const busiest = s.models[0];
  return (
    <section class="card">
      <header><h2>Run insights</h2></header>
      <Facts rows={[
        ['Top route', top(series?.routes, 'global fallback')],
        ['Top provider', top(series?.providers, 'not known')],
        ['Busiest model', busiest && `${busiest.label}, ${format.count(busiest.count)} of ${format.count(s.request_count)}`],
        ['Error rate', format.percent(s.error_rate)],
        ['Reasoning', <><Count n={s.reasoning_tokens} /> tokens</>],
        ['Live state', LIVE[d.run.status]],
      ]} />
    </section>
  );
}

export function Overview({ d, whatIf, series }: { d: RunDetail; whatIf: WhatIf | null; series: Timeseries | null }) {
  const { run, stats: s } = d;
  const recent = d.items.slice(0, 6);
  useRowKeys(recent, selected, true);
  return (
    <>
      <div class="cards">
        <Health d={d} />
        <section class="card">
          <header><h2>Top models</h2><span class="right"><a href={tabUrl('models')}>All</a></span></header>
          <Groups groups={s.models} of={s.request_count} most={TOP} link={(m) => `/admin?run=${run.id}&model=${encodeURIComponent(m)}`} />
        </section>
        <section class="card">
          <header><h2>Status codes</h2><span class="right"><a href={tabUrl('diagnostics')}>All</a></span></header>
          <Groups groups={s.statuses} of={s.request_count} most={TOP} />
        </section>
        <Signals d={d} />
        <Costs whatIf={whatIf} />
        <Insights d={d} series={series} />
      </div>
      <RunCharts t={series} />
      <section class="rows" aria-label="Recent traffic">
        <header class="bar"><h2>Recent traffic</h2><a class="button" href={tabUrl('traffic')}>View all</a></header>
        <RequestTable rows={recent} selected={selected} compact ofRun />
      </section>
    </>
  );
}
