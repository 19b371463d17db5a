/* One request: what was sent, what came back. */
import { useEffect } from 'preact/hooks';
import { computed } from '@preact/signals';
import type { RequestRow } from '../api-types';
import * as format from '../format';
import { useKeys, useResource, useTitle } from '../hooks';
import { go, place, query, withQuery } from '../router';
import { Copy } from '../ui/copy';
import { SignalPills, StatusPill } from '../ui/pill';
import { Tabs } from '../ui/tabs';
import { Time, Took } from '../ui/time';
import { Facts } from './requests/inspector';

interface Render {
  mode: string;
  title: string;
  text: string;
}
export interface Detail {
  record: RequestRow & {
    request_headers_json: string | null;
    response_headers_json: string | null;
    pricing_snapshot_json: string | null;
    request_content_type: string | null;
    response_content_type: string | null;
    billing_input_cost_usd: number | null;
    billing_cached_input_cost_usd: number | null;
    billing_output_cost_usd: number | null;
  };
  request_render: Render;
  response_render: Render;
  raw_response_render: Render | null;
  mode: string;
}

const MODES = ['auto', 'json', 'text', 'markdown', 'tool', 'sse'] as const;
const VIEWS = [['split', 'Request and response'], ['timing', 'Timing'], ['cost', 'Cost'], ['headers', 'Headers']] as const;
type View = (typeof VIEWS)[number][0];

function Body({ title, side, render, id }: { title: string; side: string; render: Render | null; id: number }) {
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span class="muted">{render?.title}</span>
        <span class="right"><a href={`/admin/api/requests/${id}/body?side=${side}`} download={`request-${id}-${side}`}>Download</a></span>
      </header>
      {render?.text ? <pre class="body" dir="auto">{render.text}</pre> : <p class="muted">Nothing was kept.</p>}
    </section>
  );
}

function Headers({ title, json }: { title: string; json: string | null }) {
  const rows = json ? Object.entries(JSON.parse(json) as Record<string, string | string[]>) : [];
  return (
    <section class="card" aria-label={title}>
      <header><h2>{title}</h2>{json && <span class="right"><Copy label="Copy all" text={json} /></span>}</header>
      {rows.length === 0 ? <p class="muted">None were kept.</p> : (
        <table class="headers">
          <tbody>
            {rows.flatMap(([name, values]) => [values].flat().map((value, i) => (
              <tr key={`${name}${i}`}><th scope="row">{name}</th><td dir="auto">{value}</td></tr>
            )))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Split({ d }: { d: Detail }) {
  const { id } = d.record;
  return (
    <>
      <div class="bar" role="group" aria-label="How the answer is shown">
        {MODES.map((mode) => (
          <a key={mode} class="button" href={withQuery({ mode: mode === 'auto' ? null : mode })}
            aria-current={d.mode === mode ? 'true' : undefined}>{mode}</a>
        ))}
      </div>
      <div class="sides">
        <Body title="Request" side="request" render={d.request_render} id={id} />
        <Body title="Response" side="response" render={d.response_render} id={id} />
      </div>
      {d.raw_response_render && <Body title="Response of the upstream, before fixes" side="upstream" render={d.raw_response_render} id={id} />}
    </>
  );
}

function Timing({ r }: { r: Detail['record'] }) {
  const ms = (n: number | null) => (n === null ? 'not recorded' : format.duration(n));
  return (
    <section class="card">
      <Facts rows={[
        ['Created', <Time iso={r.created_at} />],
        ['Completed', <Time iso={r.completed_at} />],
        ['Connect', r.upstream_connect_ms === 0 ? 'connection reused' : ms(r.upstream_connect_ms)],
        ['Response head', ms(r.upstream_headers_ms)],
        ['First byte', ms(r.first_byte_ms)],
        ['First token', ms(r.ttft_ms)],
        ['End', ms(r.duration_ms)],
        ['Events', r.event_count?.toLocaleString()],
        ['Gap p95, largest', `${ms(r.chunk_gap_p95_ms)}, ${ms(r.chunk_gap_max_ms)}`],
        ['Generation', r.generation_tps && `${r.generation_tps} tokens/s`],
      ]} />
    </section>
  );
}

function Cost({ r }: { r: Detail['record'] }) {
  const snapshot = r.pricing_snapshot_json ? JSON.parse(r.pricing_snapshot_json) as Record<string, unknown> : null;
  return (
    <div class="sides">
      <section class="card">
        <header><h2>Cost</h2></header>
        <Facts rows={[
          ['Input', `${format.count(r.tokens.input)} tokens, ${format.usd(r.billing_input_cost_usd)}`],
          ['of it cached', `${format.count(r.tokens.cached_input)} tokens, ${format.usd(r.billing_cached_input_cost_usd)}`],
          ['Output', `${format.count(r.tokens.output)} tokens, ${format.usd(r.billing_output_cost_usd)}`],
          ['Total', format.usd(r.cost_usd)],
          ['Priced as', r.billing_model],
        ]} />
      </section>
      <section class="card">
        <header><h2>Pricing snapshot</h2></header>
        {snapshot
          ? <Facts rows={Object.entries(snapshot).filter(([, v]) => v !== null).map(([k, v]) => [k.replaceAll('_', ' '), String(v)])} />
          : <p class="muted">There was no price for {r.upstream_model ?? r.model ?? 'this model'}.</p>}
      </section>
    </div>
  );
}

export function RequestPage({ id }: { id?: string }) {
  useTitle(`Request #${id}`);
  const url = computed(() => {
    const wanted = /^\/admin\/requests\/(\d+)$/.exec(place.value.pathname)?.[1];
    return wanted ? `/admin/api/requests/${wanted}?mode=${query.value.get('mode') ?? 'auto'}` : null;
  });
  const detail = useResource<Detail>(() => url.value, {
    kinds: ['requests'],
    follows: (d) => d.record.status === null || !d.record.completed_at,
    concerns: (change) => change.request_ids.includes(Number(id)),
  });
  const d = detail.data.value;
  const error = detail.error.value;
  const view = (query.value.get('view') ?? 'split') as View;
  const select = (to: View) => go(withQuery({ view: to === 'split' ? null : to }), true);

  useKeys((key) => {
    if (key === '[' || key === ']') go(`/admin/requests/${Number(id) + (key === '[' ? -1 : 1)}`);
    else if (key >= '1' && key <= '9' && VIEWS[Number(key) - 1]) select(VIEWS[Number(key) - 1]![0]);
    else return false;
    return true;
  });
  useEffect(() => detail.refresh(), [id]);

  if (error?.status === 404)
    return (
      <section class="empty">
        <h1>Request not found</h1>
        <p>There is no request #{id} in this database. <a href="/admin">Back to the requests</a></p>
      </section>
    );
  if (!d || String(d.record.id) !== id) return error ? <p role="alert" class="alert">{error.message}</p> : <p class="loading">Loading…</p>;
  const r = d.record;
  return (
    <article class="detail">
      <div class="overline">{r.method} {r.endpoint}</div>
      <div class="bar">
        <h1>Request #{r.id}</h1>
        <span class="right">
          <a class="button" href={`/admin/requests/${r.id - 1}`} rel="prev">Previous</a>
          <a class="button" href={`/admin/requests/${r.id + 1}`} rel="next">Next</a>
          <a class="button" href="/admin">Back to list</a>
        </span>
      </div>
      <div class="pills">
        <StatusPill row={r} /> <Took ms={r.duration_ms} since={r.created_at} /> · <Time iso={r.created_at} />
        {' '}· {format.usd(r.cost_usd)} · <bdi>{r.model ?? '-'}</bdi>
        {r.upstream_model && r.upstream_model !== r.model && <> → <bdi>{r.upstream_model}</bdi></>}
        {' '}· {r.route_name}
        {r.task_run && <> · <a href={`/admin/runs/${r.task_run.id}`}><bdi>{r.task_run.name}</bdi></a></>}
        {r.finish_reason && <> · {r.finish_reason}</>} <SignalPills signals={r.signals} />
      </div>
      {(r.error ?? r.upstream_error_message) && <p role="alert" class="alert" dir="auto">{r.error ?? r.upstream_error_message}</p>}
      <Tabs label="View" tabs={VIEWS} on={view} select={select} />
      {view === 'split' && <Split d={d} />}
      {view === 'timing' && <Timing r={r} />}
      {view === 'cost' && <Cost r={r} />}
      {view === 'headers' && (
        <div class="sides">
          <Headers title="Request headers" json={r.request_headers_json} />
          <Headers title="Response headers" json={r.response_headers_json} />
        </div>
      )}
    </article>
  );
}
