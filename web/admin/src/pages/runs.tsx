/* The runs: named spans of traffic, newest first. */
import { useSignal } from '@preact/signals';
import type { RunSummary } from '../api-types';
import * as format from '../format';
import { useResource, useTitle } from '../hooks';
import { go, query, withQuery } from '../router';
import { SelectFilter, TextFilter } from '../ui/controls';
import { RunButtons, useRunActions, type RunActions } from '../ui/runactions';
import { RunControl } from '../ui/runcontrol';
import { Skeleton } from '../ui/skeleton';
import { Time } from '../ui/time';
import { EditRun } from './runs/edit';
import { Chips, Count, Exact, OpenFor, RunStatus, Usd } from './runs/parts';
import type { RunItem, RunList, RunSignals } from './runs/types';

const SIGNALS = [
  ['streams', 'Stream', 'stream'], ['tools', 'Tool', 'tool'], ['images', 'Image', ''], ['errors', 'Error', 'bad'],
] as const;

export function RunSignalPills({ signals }: { signals: RunSignals }) {
  const some = SIGNALS.filter(([name]) => signals[name].value);
  if (!some.length) return <span class="muted" aria-label="no signals">–</span>;
  return <>{some.map(([name, text, tone]) => <span key={name} class={`pill ${tone}`}>{format.count(signals[name].value)} {text}</span>)}</>;
}

const COLUMNS: [string, string, ((run: RunItem) => number | string | null) | null, string?][] = [
  ['run', 'Run', (r) => r.started_at],
  ['status', 'Status', (r) => ['active', 'paused', 'complete'].indexOf(r.status)],
  ['requests', 'Requests', (r) => r.request_count, 'num'],
  ['open', 'Open for', (r) => r.open_duration_ms, 'num'],
  ['wall', 'LLM wall time', (r) => r.llm_wall_time_ms, 'num'],
  ['tokens', 'Total tokens', (r) => r.total_tokens, 'num'],
  ['cost', 'Cost', (r) => r.total_cost_usd, 'num'],
  ['tps', 'Output tok/s', (r) => (r.output_tokens_per_second === null ? null : Number(r.output_tokens_per_second)), 'num'],
  ['signals', 'Signals', null],
];

/* What is not known comes last, whichever way the rest is sorted. */
function sorted(items: RunItem[]): RunItem[] {
  const by = COLUMNS.find(([name]) => name === query.value.get('sort'))?.[2];
  if (!by) return items;
  const sign = query.value.get('order') === 'asc' ? 1 : -1;
  return items.toSorted((a, b) => {
    const [x, y] = [by(a), by(b)];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    return x < y ? -sign : x > y ? sign : 0;
  });
}

function matching(items: RunItem[]): RunItem[] {
  const text = (query.value.get('q') ?? '').toLowerCase();
  const status = query.value.get('status');
  return items.filter((r) =>
    (!status || r.status === status) && (!text || `${r.name} ${r.notes ?? ''} ${r.id}`.toLowerCase().includes(text)));
}

function Heads() {
  const on = query.value.get('sort');
  const up = query.value.get('order') === 'asc';
  return (
    <tr>
      {COLUMNS.map(([name, text, by, tone]) => (
        <th key={name} scope="col" class={`${name} ${tone ?? ''}`} aria-sort={by && on === name ? (up ? 'ascending' : 'descending') : undefined}>
          {by ? <a href={withQuery({ sort: name, order: on === name && !up ? 'asc' : null })}>{text}{on === name && (up ? ' ↑' : ' ↓')}</a> : text}
        </th>
      ))}
      <th scope="col">Actions</th>
    </tr>
  );
}

function Row(props: { run: RunItem; active: RunSummary | null; actions: RunActions; edit(): void }) {
  const { run } = props;
  return (
    <tr id={`run-${run.id}`}>
      <th scope="row" class="name">
        <a href={`/admin/runs/${run.id}`} title={run.notes ? `${run.name}\n${run.notes}` : run.name}><bdi>{run.name}</bdi></a>{' '}
        <small><Time iso={run.started_at} table /></small>
      </th>
      <td class="status"><RunStatus status={run.status} /></td>
      <td class="num"><Count n={run.request_count} /><span class="unit"> requests</span></td>
      <td class="num open"><OpenFor run={run} /></td>
      <td class="num wall"><span class="unit">LLM wall time </span><Exact n={run.llm_wall_time_ms} as={format.duration(run.llm_wall_time_ms)} /></td>
      <td class="num"><Count n={run.total_tokens} /><span class="unit"> tokens</span></td>
      <td class="num"><Usd n={run.total_cost_usd} /></td>
      <td class="num tps"><Exact n={run.output_tokens_per_second} as={format.rate(run.output_tokens_per_second)} /></td>
      <td class="signals"><RunSignalPills signals={run.signals} /></td>
      <td class="does">
        <a class="button" href={`/admin/runs/${run.id}`}>Open<span class="sr-only"> {run.name}</span></a>
        <button onClick={props.edit}>Edit<span class="sr-only"> {run.name}</span></button>
        <RunButtons run={run} active={props.active} actions={props.actions} />
      </td>
    </tr>
  );
}

function Table({ list, actions, refresh }: { list: RunList; actions: RunActions; refresh(): void }) {
  const edited = useSignal<RunItem | null>(null);
  const rows = sorted(matching(list.items));
  return (
    <>
      {rows.length === 0
        ? <section class="empty"><h2>No run matches</h2><p><a class="button" href="/admin/runs">Show all</a></p></section>
        : (
          <table class="runs">
            <thead><Heads /></thead>
            <tbody>
              {rows.map((run) => (
                <Row key={run.id} run={run} active={list.active_run} actions={actions} edit={() => (edited.value = run)} />
              ))}
            </tbody>
          </table>
        )}
      {edited.value && <EditRun key={edited.value.id} run={edited.value} close={() => (edited.value = null)} done={refresh} />}
    </>
  );
}

function Filters() {
  const set = (key: string, value: string) => go(withQuery({ [key]: value || null }), true);
  return (
    <div class="fields">
      <TextFilter label="Find" search value={query.value.get('q') ?? ''} change={(v) => set('q', v)} placeholder="Name or notes" />
      <SelectFilter label="Status" any="Any status" value={query.value.get('status') ?? ''} change={(v) => set('status', v)}
        options={[['active', 'active'], ['paused', 'paused'], ['complete', 'complete']]} />
    </div>
  );
}

export function RunsPage() {
  useTitle('Runs');
  const list = useResource<RunList>(() => '/admin/api/runs', { kinds: ['runs'] });
  const actions = useRunActions(list.refresh);
  const data = list.data.value;
  const error = list.error.value;
  const s = data?.stats;
  return (
    <div class="runspage">
      <div class="title">
        <div><div class="overline">Task benchmarking</div><h1>Runs</h1></div>
        {s && (
          <Chips label="All runs together" rows={[
            ['shown', <Count n={s.shown} />], ['active', s.active], ['paused', s.paused],
            ['requests', <Count n={s.total_requests} />], ['tokens', <Count n={s.total_tokens} />], ['cost', <Usd n={s.total_cost_usd} />],
          ]} />
        )}
      </div>
      <div class="starts card"><RunControl active={data?.active_run ?? null} notes done={list.refresh} /></div>
      {error && <p role="alert" class="alert">{error.message}</p>}
      {actions.error.value && <p role="alert" class="alert">{actions.error}</p>}
      {data && data.items.length > 0 && <Filters />}
      <section class="rows" aria-label="Runs">
        {!data && !error && <Skeleton rows={8} />}
        {data?.items.length === 0 && (
          <section class="empty">
            <h2>No runs yet</h2>
            <p>A run gives a name to all requests between its start and its end, so that a task has one
              cost, one duration and one list of requests. Give it a name above and start it.</p>
          </section>
        )}
        {data && data.items.length > 0 && <Table list={data} actions={actions} refresh={list.refresh} />}
      </section>
    </div>
  );
}
