/* The rows. One that did not change is not drawn again. */
import type { Signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { RequestRow } from '../../api-types';
import * as format from '../../format';
import { go, query, withQuery } from '../../router';
import { SignalPills, StatusPill } from '../../ui/pill';
import { Time, Took } from '../../ui/time';
import { detailUrl } from './links';

const SHORT: Record<string, string> = { '/v1/chat/completions': 'chat', '/v1/completions': 'complete' };
const shortEndpoint = (path: string) => SHORT[path] ?? path.replace(/^\/v1\//, '');

function Tokens({ row }: { row: RequestRow }) {
  const t = row.tokens;
  const title = `input ${t.input ?? '-'}, cached ${t.cached_input ?? '-'}, output ${t.output ?? '-'}`;
  return (
    <span title={title}>
      {t.input_estimated && t.input !== null ? '~' : ''}{format.count(t.input)} → {format.count(t.output)}
    </span>
  );
}

interface Look {
  compact: boolean; /* without signals and summary */
  ofRun?: boolean; /* all of one run: no column for it, and a click opens the request */
}

/* A click on a row, but not on a link in it, nor one that marks text. */
function open(event: MouseEvent, id: number) {
  if ((event.target as Element).closest('a') || !(getSelection()?.isCollapsed ?? true)) return;
  go(detailUrl(id));
}

function Row(props: Look & { row: RequestRow; on: boolean; first: boolean; select(): void }) {
  const { row } = props;
  const slow = row.signals.slow ? 'slow' : '';
  const kind = row.status === null ? 'waiting' : row.signals.error ? 'failed' : '';
  return (
    <tr id={`row-${row.id}`} class={`${kind} ${props.on ? 'on' : ''}`} aria-selected={props.on}
      tabIndex={props.on || props.first ? 0 : -1} onFocus={props.select}
      onClick={(e) => (props.ofRun ? open(e, row.id) : props.select())} onDblClick={() => go(detailUrl(row.id))}>
      <th scope="row">
        <a href={detailUrl(row.id)}>#{row.id}</a> <Time iso={row.created_at} table />
      </th>
      <td class="flex endpoint" title={`${row.method} ${row.endpoint}`}>{shortEndpoint(row.endpoint)}</td>
      <td class="flex model" title={`${row.model ?? '-'}\n${row.provider_name ?? ''} ${row.route_name}`}>
        <bdi>{row.model ?? '-'}</bdi> <small>{row.provider_name ?? row.provider_slug ?? ''}</small>
      </td>
      {!props.ofRun && (
        <td class="flex run">
          {row.task_run
            ? <a href={withQuery({ run: row.task_run.id, page: null })} title={row.task_run.name}><bdi>{row.task_run.name}</bdi></a>
            : '-'}
        </td>
      )}
      <td class="status"><StatusPill row={row} /></td>
      <td class={`num ${slow}`}><Took ms={row.duration_ms} since={row.created_at} /></td>
      <td class="num tps" title="tokens a second, over the whole request">{format.rate(row.tokens_per_second)}</td>
      <td class="num"><Tokens row={row} /></td>
      <td class="num" title={row.cost_usd === null ? 'not known' : String(row.cost_usd)}>{format.usd(row.cost_usd)}</td>
      {!props.compact && <td class="signals"><SignalPills signals={row.signals} /></td>}
      {!props.compact && <td class="flex summary"><bdi>{row.semantic_summary}</bdi></td>}
    </tr>
  );
}

export function RequestTable(props: Look & { rows: RequestRow[]; selected: Signal<number | null> }) {
  const drawn = useRef(new Map<number, { row: RequestRow; key: string; node: VNode }>());
  const selected = props.selected.value;
  const anyOn = props.rows.some((row) => row.id === selected);
  const next = new Map<number, { row: RequestRow; key: string; node: VNode }>();
  const nodes = props.rows.map((row, i) => {
    const on = row.id === selected;
    const first = !anyOn && i === 0;
    const key = `${on} ${first} ${props.compact} ${query.value}`;
    const known = drawn.current.get(row.id);
    const node = known && known.row === row && known.key === key ? known.node : (
      <Row key={row.id} row={row} on={on} first={first} compact={props.compact} ofRun={props.ofRun}
        select={() => (props.selected.value = row.id)} />
    );
    next.set(row.id, { row, key, node });
    return node;
  });
  drawn.current = next;
  return (
    <table class="requests">
      <thead>
        <tr>
          <th scope="col">Request</th><th scope="col">Endpoint</th><th scope="col">Model / Provider</th>
          {!props.ofRun && <th scope="col">Run</th>}<th scope="col">Status</th><th scope="col" class="num">Duration</th>
          <th scope="col" class="num">TPS</th><th scope="col" class="num">Tokens</th>
          <th scope="col" class="num">Cost</th>
          {!props.compact && <th scope="col" class="signals">Signals</th>}
          {!props.compact && <th scope="col">Summary</th>}
        </tr>
      </thead>
      <tbody>{nodes}</tbody>
    </table>
  );
}
