/* The request browser: what passes through the proxy, newest first. */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { RequestList, RequestRow } from '../api-types';
import * as format from '../format';
import { useKeys, useResource, useTitle } from '../hooks';
import { inspectorOpen, shortcuts } from '../prefs';
import { go, place, query, withQuery } from '../router';
import { Filters, FilterPills } from './requests/filters';
import { Inspector } from './requests/inspector';
import { detailUrl } from './requests/links';
import { NewRows, heldBack, showNew } from './requests/newrows';
import { RequestTable } from './requests/table';
import { RunControl } from '../ui/runcontrol';
import { Pages } from '../ui/pages';
import { Skeleton } from '../ui/skeleton';

const selectedId = signal<number | null>(null);

const listUrl = computed(() => {
  const params = new URLSearchParams(query.value);
  params.delete('columns');
  const text = params.toString();
  return `/admin/api/requests${text ? `?${text}` : ''}`;
});

/* Rows that did not change stay the same objects, so that only what changed is drawn. */
function mergeRows(old: RequestList | null, fresh: RequestList): RequestList {
  if (!old) return fresh;
  const before = new Map(old.items.map((row) => [row.id, row]));
  const items = fresh.items.map((row) => {
    const known = before.get(row.id);
    return known && known.completed_at && JSON.stringify(known) === JSON.stringify(row) ? known : row;
  });
  return { ...fresh, items };
}

function Empty({ list, filtered }: { list: RequestList; filtered: boolean }) {
  if (filtered)
    return (
      <section class="empty">
        <h2>No request matches</h2>
        <FilterPills list={list} />
        <p><a class="button" href="/admin">Show all</a></p>
      </section>
    );
  const base = `${location.origin}/v1`;
  return (
    <section class="empty">
      <h2>Waiting for the first request…</h2>
      <p>Point a client at <code>{base}</code>. For example:</p>
      <pre>{`curl ${base}/chat/completions \\\n  -H 'Content-Type: application/json' \\\n  -d '{"model":"MODEL","messages":[{"role":"user","content":"Hello"}]}'`}</pre>
      <pre>{`from openai import OpenAI\nclient = OpenAI(base_url="${base}")`}</pre>
    </section>
  );
}

function move(rows: RequestRow[], by: number) {
  const at = rows.findIndex((row) => row.id === selectedId.value);
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  if (!next) return;
  selectedId.value = next.id;
  document.getElementById(`row-${next.id}`)?.focus();
}

const STEPS: Record<string, number> = {
  j: 1, k: -1, ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -1e6, End: 1e6,
};

export function Requests() {
  useTitle('Request Browser');
  const list = useResource<RequestList>(() => listUrl.value, { kinds: ['requests', 'runs'], merge: mergeRows });
  const data = list.data.value;
  const error = list.error.value;
  const held = heldBack(data, listUrl.value);
  const rows = held?.items ?? [];
  const filtered = [...query.value.keys()].some((key) => !['page', 'per_page', 'columns'].includes(key));
  const withInspector = inspectorOpen.value === 'yes';
  const selected = rows.find((row) => row.id === selectedId.value) ?? null;

  useKeys((key) => {
    if (key in STEPS && (key.length > 1 || shortcuts.value === 'on')) move(rows, STEPS[key]!);
    else if ((key === 'Enter' || key === 'o') && selectedId.value) go(detailUrl(selectedId.value));
    else if (key === '.') showNew();
    else if (key === 'Escape' && selectedId.value) selectedId.value = null;
    else if (key === 'Escape' && withInspector) inspectorOpen.value = 'no';
    else return false;
    return true;
  });
  useEffect(() => {
    if (selectedId.value === null && rows[0] && withInspector) selectedId.value = rows[0].id;
  }, [rows.length > 0]);

  return (
    <div class={withInspector ? 'browser with-inspector' : 'browser'}>
      <div class="title">
        <h1>Request Browser</h1>
        <RunControl active={data?.active_run ?? null} done={list.refresh} />
      </div>
      {error && error.status >= 400 && error.status < 500 && (
        <p role="alert" class="alert">{error.message} <a href={place.value.pathname}>Show all requests</a></p>
      )}
      <Filters list={data} error={error} />
      <FilterPills list={data} />
      <NewRows />
      <div class="split">
        <section class="rows" aria-label="Requests">
          {!held && <Skeleton rows={18} />}
          {held && rows.length === 0 && <Empty list={held} filtered={filtered} />}
          {held && rows.length > 0 && (
            <>
              <RequestTable rows={rows} selected={selectedId} compact={withInspector} />
              <Pages p={held.pagination} url={(page) => withQuery({ page: page > 1 ? page : null })}
                perPage={(n) => go(withQuery({ per_page: n === 50 ? null : n, page: null }))} />
            </>
          )}
        </section>
        {withInspector
          ? <Inspector row={selected} id={selectedId.value} />
          : (
            <button class="reopen" title="Show the inspector" aria-label="Show the inspector"
              onClick={() => (inspectorOpen.value = 'yes')}>‹</button>
          )}
      </div>
      <p class="sr-only" aria-live="polite">{data ? `${format.count(data.pagination.total)} requests` : ''}</p>
    </div>
  );
}
