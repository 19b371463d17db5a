/* One run: what it cost, how fast it was, what it would have cost elsewhere. */
import { computed, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import * as format from '../format';
import { useKeys, useResource, useTitle } from '../hooks';
import type { Resource } from '../live';
import { go, place, query } from '../router';
import { RunButtons, useRunActions } from '../ui/runactions';
import { Skeleton } from '../ui/skeleton';
import { Tabs } from '../ui/tabs';
import { Time } from '../ui/time';
import { keepRows } from './requests/rows';
import { useSeries } from './runs/charts';
import { Diagnostics } from './runs/diagnostics';
import { EditRun } from './runs/edit';
import { Models } from './runs/models';
import { Overview } from './runs/overview';
import { Chips, OpenFor } from './runs/parts';
import { StatStrip } from './runs/strip';
import { TABS, tab, tabUrl, type Tab } from './runs/tabs';
import { Traffic } from './runs/traffic';
import type { RunDetail, WhatIf } from './runs/types';
import { Comparison } from './runs/whatif';

const STATES: Record<string, [string, string, string]> = {
  active: ['Run in progress', 'LIVE', 'ok'],
  paused: ['Paused run', 'PAUSED', 'warn'],
  complete: ['Completed run', 'DONE', ''],
};
const RECENT = 6;

const runId = computed(() => /^\/admin\/runs\/(\d+)$/.exec(place.value.pathname)?.[1] ?? null);
const detailUrl = computed(() => {
  if (!runId.value) return null;
  const page = query.value.get('page');
  const params = tab.value === 'traffic'
    ? new URLSearchParams({ ...(page && { page }), per_page: query.value.get('per_page') ?? '50' })
    : new URLSearchParams({ per_page: String(RECENT) });
  return `/admin/api/runs/${runId.value}?${params}`;
});
const whatIfUrl = computed(() => {
  if (!runId.value || (tab.value !== 'overview' && tab.value !== 'whatif')) return null;
  const keys = new URLSearchParams(query.value.getAll('key').map((key) => ['key', key]));
  return `/admin/api/runs/${runId.value}/what-if${keys.size ? `?${keys}` : ''}`;
});

/* Prices are applied again when the usage has changed, not with every request that begins. */
function useWhatIf(d: RunDetail | null): Resource<WhatIf> {
  const whatIf = useResource<WhatIf>(() => whatIfUrl.value, { kinds: [], follows: () => false });
  const usage = d && `${d.run.id} ${d.stats.tokens.input.value} ${d.stats.tokens.output.value} ${d.stats.cost_usd}`;
  const first = useRef(true);
  useEffect(() => {
    if (usage && !first.current) whatIf.refresh();
    if (usage) first.current = false;
  }, [usage]);
  return whatIf;
}

function Header({ d, refresh }: { d: RunDetail; refresh(): void }) {
  const { run, stats } = d;
  const actions = useRunActions(refresh);
  const editing = useSignal(false);
  const [overline, badge, tone] = STATES[run.status] ?? STATES.complete!;
  const chips: [string, ComponentChildren, string?][] = [
    ['started', <Time iso={run.started_at} />],
    [run.ended_at ? 'from start to end' : 'open', <OpenFor run={run} />],
    ['status', run.status],
  ];
  if (run.ended_at) chips.push(['ended', <Time iso={run.ended_at} />]);
  if (run.paused_at && !run.ended_at) chips.push(['paused since', <Time iso={run.paused_at} />]);
  if (stats.error_count) chips.push([stats.error_count === 1 ? 'error' : 'errors', format.count(stats.error_count), 'bad']);
  return (
    <>
      <div class="overline">{overline} <span class={`pill ${tone}`}>{badge}</span></div>
      <div class="title">
        <h1 title={run.name}>Run: <bdi>{run.name}</bdi></h1>
        <span class="right">
          <RunButtons run={run} active={d.active_run} actions={actions} />
          <button onClick={() => (editing.value = true)}>Edit</button>
          <a class="button" href={`/admin?run=${run.id}`}>Open in browser</a>
          <a class="button" href="/admin/runs">All runs</a>
        </span>
      </div>
      {run.notes && <p class="notes" dir="auto">{run.notes}</p>}
      <Chips label="About this run" rows={chips} />
      {run.status === 'paused' && (
        <p class="notice">This run is paused. Traffic is still captured, outside of this run, until it is resumed.</p>
      )}
      {actions.error.value && <p role="alert" class="alert">{actions.error}</p>}
      {editing.value && <EditRun run={run} close={() => (editing.value = false)} done={refresh} />}
    </>
  );
}

function Nothing({ d }: { d: RunDetail }) {
  return (
    <section class="empty">
      <h2>No requests yet</h2>
      <p>{d.run.status === 'active'
        ? <>Send traffic through the proxy at <code>{location.origin}/v1</code>; new requests attach to this run while it is active.</>
        : 'Requests attach to a run while it is active.'}</p>
    </section>
  );
}

export function RunPage({ id }: { id?: string }) {
  const detail = useResource<RunDetail>(() => detailUrl.value, {
    kinds: ['requests', 'runs'],
    follows: (d) => d.run.status !== 'complete' || d.stats.pending_count > 0,
    concerns: (change) => change.run_ids.includes(Number(runId.value)) || change.request_ids.length === 0,
    merge: (old, fresh) => ({ ...fresh, items: keepRows(old?.items, fresh.items) }),
  });
  const d = detail.data.value;
  const here = d && String(d.run.id) === id ? d : null;
  const whatIf = useWhatIf(here);
  const series = useSeries(here);
  const error = detail.error.value;
  useTitle(here ? `Run: ${here.run.name}` : 'Run');
  const select = (to: Tab) => go(tabUrl(to), true);
  useKeys((key) => {
    const to = key >= '1' && key <= '9' && TABS[Number(key) - 1];
    if (!to) return false;
    select(to[0]);
    return true;
  });

  if (error?.status === 404)
    return (
      <section class="empty">
        <h1>Run not found</h1>
        <p>There is no run {id} in this database. <a href="/admin/runs">Back to the runs</a></p>
      </section>
    );
  if (!here) return error ? <p role="alert" class="alert">{error.message}</p> : <Skeleton rows={12} />;
  const on = tab.value;
  return (
    <article class="run">
      <Header d={here} refresh={detail.refresh} />
      {error && error.status >= 400 && error.status < 500 && <p role="alert" class="alert">{error.message}</p>}
      <StatStrip d={here} />
      <Tabs label="Run" tabs={TABS} on={on} select={select} />
      <div role="tabpanel" aria-label={TABS.find(([name]) => name === on)![1]}>
        {here.stats.request_count === 0 && on !== 'whatif' ? <Nothing d={here} /> : (
          <>
            {on === 'overview' && <Overview d={here} whatIf={whatIf.data.value} series={series} />}
            {on === 'traffic' && <Traffic d={here} />}
            {on === 'whatif' && <Comparison d={here} whatIf={whatIf} />}
            {on === 'models' && <Models d={here} series={series} />}
            {on === 'diagnostics' && <Diagnostics d={here} />}
          </>
        )}
      </div>
    </article>
  );
}
