/* The selected request beside the list. */
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { get } from '../../api';
import type { RequestRow } from '../../api-types';
import * as format from '../../format';
import { inspectorOpen } from '../../prefs';
import { Copy } from '../../ui/copy';
import { Icon } from '../../ui/icons';
import { SignalPills, StatusPill } from '../../ui/pill';
import { Tabs } from '../../ui/tabs';
import { Time, Took } from '../../ui/time';
import { detailUrl } from './links';

const TABS = [['overview', 'Overview'], ['route', 'Route'], ['tokens', 'Tokens'], ['preview', 'Preview']] as const;
type Tab = (typeof TABS)[number][0];

export function Facts({ rows }: { rows: [string, preact.ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd dir="auto">{value ?? '-'}</dd></div>)}
    </dl>
  );
}

/* Waiting and generating on one line. */
function TimeBar({ row }: { row: RequestRow }) {
  const first = row.ttft_ms ?? row.first_byte_ms;
  if (row.duration_ms === null || first === null || row.duration_ms <= 0) return null;
  const share = Math.min(100, (first / row.duration_ms) * 100);
  const text = `Waiting ${format.duration(first)}, then ${format.duration(row.duration_ms - first)}`;
  return (
    <div class="timebar" role="img" aria-label={text} title={text}>
      <span style={{ width: `${share}%` }} /><span style={{ width: `${100 - share}%` }} />
    </div>
  );
}

/* Input, cached input, reasoning and other output, as shares. */
function TokenBar({ row }: { row: RequestRow }) {
  const t = row.tokens;
  const cached = t.cached_input ?? 0;
  const reasoning = row.reasoning_tokens ?? 0;
  const parts: [string, number][] = [
    ['input', (t.input ?? 0) - cached], ['cached', cached], ['reasoning', reasoning], ['output', (t.output ?? 0) - reasoning],
  ];
  const total = parts.reduce((sum, [, n]) => sum + Math.max(0, n), 0);
  if (!total) return null;
  const text = parts.filter(([, n]) => n > 0).map(([name, n]) => `${name} ${n.toLocaleString()}`).join(', ');
  return (
    <div class="tokenbar" role="img" aria-label={text} title={text}>
      {parts.map(([name, n]) => n > 0 && <span key={name} class={name} style={{ width: `${(n / total) * 100}%` }} />)}
    </div>
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
    <>
    <TokenBar row={row} />
    <Facts rows={[
      [t.input_estimated ? 'Est. input' : 'Input', `${t.input_estimated ? '~' : ''}${exact(t.input)}`],
      ['of it cached', exact(t.cached_input)],
      ['Output', exact(t.output)],
      ['of it reasoning', exact(row.reasoning_tokens)],
      ['Total', exact(t.total)],
      ['Cost', format.usd(row.cost_usd)],
    ]} />
    </>
  );
}

/* Comes with the page of a request, when somebody looks at it. */
function Preview({ row }: { row: RequestRow }) {
  const Loaded = useSignal<ComponentType<{ row: RequestRow }> | null>(null);
  useEffect(() => {
    import('../request/preview').then((m) => (Loaded.value = m.Preview));
  }, []);
  const Shown = Loaded.value;
  return Shown ? <Shown row={row} /> : <p class="muted">Loading…</p>;
}

const curl = async (id: number) => (await import('../request/copymenu')).curlOf(id);

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
        {id && <a class="button" href={detailUrl(id)}>Open #{id}</a>}
      </aside>
    );
  return (
    <aside class="inspector" aria-label={`Request ${row.id}`}>
      <div class="tools">
        <h2>#{row.id}</h2>
        <StatusPill row={row} />
        <a class="quiet button" href={detailUrl(row.id)} title="Open" aria-label="Open full details"><Icon name="open" /></a>
        {close}
      </div>
      <div class="copies">
        <Copy label="Copy ID" text={String(row.id)} />
        <Copy label="Copy request" text={() => body(row.id, 'request')} />
        <Copy label="Copy response" text={() => body(row.id, 'response')} />
        <Copy label="Copy as curl" text={() => curl(row.id)} />
        <Copy label="Copy JSON" text={async () => JSON.stringify(await get(`/admin/api/requests/${row.id}`), null, 2)} />
      </div>
      <TimeBar row={row} />
      <Tabs label="Request" tabs={TABS} on={tab.value} select={(t) => (tab.value = t)} />
      {tab.value === 'overview' && <Overview row={row} />}
      {tab.value === 'route' && <Route row={row} />}
      {tab.value === 'tokens' && <TokenFacts row={row} />}
      {tab.value === 'preview' && <Preview key={row.id} row={row} />}
    </aside>
  );
}
