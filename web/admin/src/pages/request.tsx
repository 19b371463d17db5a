/* One request: what was sent, what came back, how long it took and what it cost. */
import { useEffect } from 'preact/hooks';
import { computed } from '@preact/signals';
import { useKeys, useResource, useTitle } from '../hooks';
import { go, place, query, withQuery } from '../router';
import { Tabs } from '../ui/tabs';
import { CompatView, hasCompat } from './request/compat';
import { ConversationView, Gallery } from './request/conversation';
import { CostView } from './request/cost';
import { Header, listUrl, Neighbours } from './request/header';
import { HeadersView } from './request/headers';
import { InFlight } from './request/live';
import { RawView } from './request/raw';
import { RequestPanel, ResponsePanel, Split } from './request/split';
import { StreamView } from './request/stream';
import { TimingView } from './request/timing';
import { isChatLike, type Detail } from './request/types';

const VIEWS = [
  ['conversation', 'Conversation'], ['split', 'Split'], ['request', 'Request'], ['response', 'Response'], ['stream', 'Events'],
  ['timing', 'Timing'], ['cost', 'Cost'], ['headers', 'Headers'], ['compat', 'Compatibility'], ['raw', 'Raw'], ['all', 'Everything'],
] as const;
type View = (typeof VIEWS)[number][0];

function viewsOf(d: Detail): (readonly [View, string])[] {
  const r = d.record;
  return VIEWS.filter(([name]) => {
    if (name === 'conversation') return isChatLike(r.endpoint);
    if (name === 'stream') return r.signals.stream;
    return name !== 'compat' || hasCompat(r);
  });
}

function Shown({ view, d }: { view: View; d: Detail }) {
  const r = d.record;
  const live = r.completed_at === null ? <InFlight r={r} /> : undefined;
  switch (view) {
    case 'conversation': return <ConversationView d={d} live={live} />;
    case 'split': return <>{live}<Split d={d} />{d.images.length > 0 && <Gallery r={r} count={d.images.length} />}</>;
    case 'request': return <RequestPanel r={r} />;
    case 'response': return live ?? <ResponsePanel r={r} side="response" />;
    case 'stream': return <StreamView r={r} />;
    case 'timing': return <TimingView r={r} />;
    case 'cost': return <CostView r={r} />;
    case 'headers': return <HeadersView r={r} />;
    case 'compat': return <CompatView r={r} />;
    case 'raw': return <RawView r={r} />;
    case 'all': return <>{viewsOf(d).filter(([name]) => !['all', 'request', 'response'].includes(name)).map(([name, title]) => (
      <section key={name} class="whole"><h2>{title}</h2><Shown view={name} d={d} /></section>
    ))}</>;
  }
}

function NotFound({ id }: { id: number }) {
  return (
    <section class="empty">
      <h1>Request not found</h1>
      <p>There is no request #{id} in this database. It may have been deleted.</p>
      <p class="bar"><a class="button" href={listUrl()}>Back to the requests</a> <Neighbours id={id} /></p>
    </section>
  );
}

export function RequestPage({ id }: { id?: string }) {
  useTitle(`Request #${id}`);
  const url = computed(() => {
    const wanted = /^\/admin\/requests\/(\d+)$/.exec(place.value.pathname)?.[1];
    return wanted ? `/admin/api/requests/${wanted}?bodies=none` : null;
  });
  const detail = useResource<Detail>(() => url.value, {
    kinds: ['requests'],
    follows: (d) => d.record.completed_at === null || String(d.record.id) !== id,
    concerns: (change) => change.request_ids.includes(Number(id)),
  });
  const d = detail.data.value;
  const error = detail.error.value;
  const views = d ? viewsOf(d) : [];
  const asked = query.value.get('view');
  const standard = views[0]?.[0] ?? 'split';
  const view = views.find(([name]) => name === asked)?.[0] ?? standard;
  const select = (to: View) => go(withQuery({ view: to === standard ? null : to }));

  useKeys((key) => {
    const chosen = key >= '1' && key <= '9' ? views[Number(key) - 1] : undefined;
    if (chosen) select(chosen[0]);
    return Boolean(chosen);
  });
  useEffect(() => {
    if (d && String(d.record.id) !== id) detail.refresh();
  }, [id]);

  if (error?.status === 404) return <NotFound id={Number(id)} />;
  if (!d || String(d.record.id) !== id) return error ? <p role="alert" class="alert">{error.message}</p> : <p class="loading">Loading…</p>;
  return (
    <article class="detail">
      <Header r={d.record} />
      <Tabs label="View" tabs={views} on={view} select={select} />
      <Shown key={`${id} ${view}`} view={view} d={d} />
    </article>
  );
}
