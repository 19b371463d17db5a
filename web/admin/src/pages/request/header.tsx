/* What the request is, at a glance, and what can be done with it. */
import { useSignal } from '@preact/signals';
import { ApiError, send } from '../../api';
import * as format from '../../format';
import { useKeys } from '../../hooks';
import { go, query } from '../../router';
import { confirmed } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { SignalPills, StatusPill } from '../../ui/pill';
import { Time, Took } from '../../ui/time';
import { toast } from '../../ui/toast';
import { CopyMenu } from './copymenu';
import { neighbour } from './neighbours';
import type { DetailRow } from './types';
import { explain, finishInWords } from './words';

export const listUrl = () => {
  const from = query.value.get('from');
  return from ? `/admin?${from}` : '/admin';
};

function detailUrl(id: number): string {
  const params = new URLSearchParams();
  for (const key of ['view', 'mode', 'from', 'plain']) {
    const value = query.value.get(key);
    if (value) params.set(key, value);
  }
  const text = params.toString();
  return `/admin/requests/${id}${text ? `?${text}` : ''}`;
}

/** Previous and next: keys, and links that find their way when they are followed. */
export function Neighbours({ id }: { id: number }) {
  const said = useSignal('');
  const to = async (newer: boolean) => {
    said.value = '';
    try {
      const found = await neighbour(query.value.get('from'), id, newer);
      if (found !== null) go(detailUrl(found));
      else said.value = newer ? 'This is the newest.' : 'This is the oldest.';
    } catch (error) {
      said.value = error instanceof Error ? error.message : String(error);
    }
  };
  useKeys((key) => {
    if (key !== '[' && key !== ']') return false;
    to(key === ']');
    return true;
  });
  return (
    <>
      <span role="status" class="muted">{said.value}</span>
      <button title="Previous ([)" onClick={() => to(false)}><Icon name="left" /> Previous</button>
      <button title="Next (])" onClick={() => to(true)}>Next <Icon name="right" /></button>
    </>
  );
}

function Delete({ r }: { r: DetailRow }) {
  const error = useSignal('');
  const remove = async () => {
    const sure = await confirmed({
      title: `Delete request #${r.id}?`,
      text: 'What was captured of it is gone then: bodies, headers, times and costs. This cannot be undone.',
      verb: 'Delete request', danger: true,
    });
    if (!sure) return;
    try {
      await send('DELETE', `/admin/api/requests/${r.id}`);
      toast(`Request #${r.id} is deleted.`);
      go(listUrl());
    } catch (caught) {
      error.value = caught instanceof ApiError ? caught.message : String(caught);
    }
  };
  return (
    <>
      {error.value && <span role="alert" class="why">{error.value}</span>}
      <button aria-label="Delete" title="Delete" onClick={remove}><Icon name="trash" /></button>
    </>
  );
}

function Pills({ r }: { r: DetailRow }) {
  const t = r.tokens;
  const noPrice = r.completed_at !== null && r.cost_usd === null && t.total !== null;
  return (
    <ul class="meta" aria-label="Facts">
      <li><StatusPill row={r} /></li>
      <li><Took ms={r.duration_ms} since={r.created_at} /></li>
      <li><small>created</small> <Time iso={r.created_at} /></li>
      {r.completed_at && <li><small>completed</small> <Time iso={r.completed_at} /></li>}
      <li title={r.cost_usd === null ? undefined : `$${r.cost_usd}`}><small>cost</small> {format.usd(r.cost_usd)}{noPrice && <small> no price</small>}</li>
      <li><small>model</small> <bdi>{r.model ?? '-'}</bdi>{r.upstream_model && r.upstream_model !== r.model && <> → <bdi>{r.upstream_model}</bdi></>}</li>
      <li title={r.upstream_url}><small>route</small> <bdi>{r.route_name}</bdi>{r.provider_name && <> · <bdi>{r.provider_name}</bdi></>}</li>
      {r.task_run && <li><small>run</small> <a href={`/admin/runs/${r.task_run.id}`}><bdi>{r.task_run.name}</bdi></a></li>}
      {t.total !== null || t.input !== null ? <li title={`input ${t.input ?? '-'}, cached ${t.cached_input ?? '-'}, output ${t.output ?? '-'}`}><small>tokens</small> {t.input_estimated ? '~' : ''}{format.count(t.input)} → {format.count(t.output)}{t.cached_input && t.input ? <small> {format.percent(t.cached_input / t.input)} cached</small> : null}</li> : null}
      {r.ttft_ms !== null && <li><small>first token</small> {format.duration(r.ttft_ms)}</li>}
      {(r.generation_tps ?? r.tokens_per_second) && <li><small>tokens/s</small> {format.rate(r.generation_tps ?? r.tokens_per_second)}</li>}
      {r.finish_reason && <li title={finishInWords(r.finish_reason, t.output)}><small>finish</small> <bdi>{r.finish_reason}</bdi></li>}
      {r.compatibility_label !== 'none' && <li><span class="pill warn">{r.compatibility_label}</span></li>}
      <li><SignalPills signals={r.signals} /></li>
    </ul>
  );
}

export function Header({ r }: { r: DetailRow }) {
  const error = r.error ?? r.upstream_error_message;
  const why = r.signals.error ? explain(r) : null;
  return (
    <>
      <div class="bar">
        <div>
          <div class="overline">{r.method} <bdi>{r.endpoint}</bdi></div>
          <h1>Request #{r.id}</h1>
        </div>
        <span class="right actions-bar">
          <a class="button" href={listUrl()}>Back to list</a>
          <Neighbours id={r.id} />
          <CopyMenu r={r} />
          <Delete r={r} />
        </span>
      </div>
      <Pills r={r} />
      {(error || why) && (
        <div role="alert" class="alert">
          {error && <div dir="auto">{error.slice(0, 4000)}</div>}
          {why && <div class="explain">{why}</div>}
        </div>
      )}
    </>
  );
}
