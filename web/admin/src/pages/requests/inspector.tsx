/* The selected request beside the list. */
import { useSignal } from '@preact/signals';
import { get } from '../../api';
import type { RequestRow } from '../../api-types';
import * as format from '../../format';
import { inspectorOpen } from '../../prefs';
import { Copy } from '../../ui/copy';
import { Icon } from '../../ui/icons';
import { SignalPills, StatusPill } from '../../ui/pill';
import { Tabs } from '../../ui/tabs';
import { Time, Took } from '../../ui/time';

const TABS = [['overview', 'Overview'], ['route', 'Route'], ['tokens', 'Tokens']] as const;
type Tab = (typeof TABS)[number][0];

export function Facts({ rows }: { rows: [string, preact.ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd dir="auto">{value ?? '-'}</dd></div>)}
    </dl>
  );
}

function Overview({ row }: { row: RequestRow }) {
  return (
    <>
      <Facts rows={[
        ['Time', <Time iso={row.created_at} />],
        ['Endpoint', `${row.method} ${row.endpoint}`],
        ['Model', row.model],
        ['Provider', row.provider_name ?? row.provider_slug],
        ['Run', row.task_run && <a href={`/admin/runs/${row.task_run.id}`}>{row.task_run.name}</a>],
        ['Duration', <Took ms={row.duration_ms} since={row.created_at} />],
        ['First token', format.duration(row.ttft_ms)],
        ['Tokens a second', format.rate(row.generation_tps ?? row.tokens_per_second)],
        ['Cost', format.usd(row.cost_usd)],
        ['Finish', row.finish_reason],
        ['Compatibility', row.compatibility_label],
      ]} />
      {(row.error ?? row.upstream_error_message) && (
        <p class="alert" dir="auto">{row.error ?? row.upstream_error_message}</p>
      )}
      <p><SignalPills signals={row.signals} /></p>
      <p class="quote" dir="auto">{row.semantic_summary}</p>
    </>
  );
}

function Route({ row }: { row: RequestRow }) {
  return (
    <Facts rows={[
      ['Asked for', row.model],
      ['Route', row.route_name],
      ['Provider', row.provider_name ?? row.provider_slug],
      ['Sent as', row.upstream_model],
      ['Upstream', row.upstream_url],
      ['Answered by', row.response_model],
    ]} />
  );
}

function TokenFacts({ row }: { row: RequestRow }) {
  const t = row.tokens;
  const exact = (n: number | null) => (n === null ? '-' : n.toLocaleString());
  return (
    <Facts rows={[
      [t.input_estimated ? 'Est. input' : 'Input', `${t.input_estimated ? '~' : ''}${exact(t.input)}`],
      ['of it cached', exact(t.cached_input)],
      ['Output', exact(t.output)],
      ['of it reasoning', exact(row.reasoning_tokens)],
      ['Total', exact(t.total)],
      ['Cost', format.usd(row.cost_usd)],
    ]} />
  );
}

const body = async (id: number, side: string) => {
  const response = await fetch(`/admin/api/requests/${id}/body?side=${side}`);
  if (!response.ok) throw new Error('Not kept');
  return response.text();
};

export function Inspector({ row, id }: { row: RequestRow | null; id: number | null }) {
  const tab = useSignal<Tab>('overview');
  const close = (
    <button class="quiet" title="Close" aria-label="Close the inspector" onClick={() => (inspectorOpen.value = 'no')}>
      <Icon name="close" />
    </button>
  );
  if (!row)
    return (
      <aside class="inspector" aria-label="Selected request">
        <div class="tools">{close}</div>
        <p class="muted">{id ? `Request #${id} is not on this page.` : 'Select a request.'}</p>
        {id && <a class="button" href={`/admin/requests/${id}`}>Open #{id}</a>}
      </aside>
    );
  return (
    <aside class="inspector" aria-label={`Request ${row.id}`}>
      <div class="tools">
        <h2>#{row.id}</h2>
        <StatusPill row={row} />
        <a class="quiet button" href={`/admin/requests/${row.id}`} title="Open" aria-label="Open full details"><Icon name="open" /></a>
        {close}
      </div>
      <div class="copies">
        <Copy label="Copy ID" text={String(row.id)} />
        <Copy label="Copy request" text={() => body(row.id, 'request')} />
        <Copy label="Copy response" text={() => body(row.id, 'response')} />
        <Copy label="Copy JSON" text={async () => JSON.stringify(await get(`/admin/api/requests/${row.id}`), null, 2)} />
      </div>
      <Tabs label="Request" tabs={TABS} on={tab.value} select={(t) => (tab.value = t)} />
      {tab.value === 'overview' && <Overview row={row} />}
      {tab.value === 'route' && <Route row={row} />}
      {tab.value === 'tokens' && <TokenFacts row={row} />}
    </aside>
  );
}
