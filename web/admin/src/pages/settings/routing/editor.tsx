/* One route in the side sheet: an old one, a new one, or a new one that begins as a copy. */
import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { send } from '../../../api';
import { go, query, withQuery } from '../../../router';
import { CheckField, Form, SelectField, TextField, useForm } from '../../../ui/form';
import { useLoaded } from '../../../ui/loaded';
import { Sheet } from '../../../ui/sheet';
import { FixesField, fixIds, fixProblem, useFixes } from '../fixes';
import { optionsOf, useProviders } from '../providerlist';
import { TEST_KINDS, TestResult, useTest } from '../testupstream';
import type { UpstreamTest } from '../types';
import { keyState } from '../words';
import { kept, type Route } from './types';

const close = () => go(withQuery({ route: null, copy: null }));
const BLANK: Partial<Route> = { match_type: 'exact', priority: 50, active: true };

/* The server gives the requested model where no other is named. */
const renamed = (r: Partial<Route>) => (r.upstream_model && r.upstream_model !== r.incoming_model ? r.upstream_model : '');

function valuesOf(r: Partial<Route>) {
  return {
    incoming_model: r.incoming_model ?? '',
    match_type: r.match_type ?? 'exact',
    upstream_url: r.upstream_url ?? '',
    upstream_model: renamed(r),
    provider_slug: r.provider_slug ?? '',
    api_key_env: r.api_key_env ?? '',
    priority: String(r.priority ?? 50),
    fixes: (r.compatibility_fixes ?? []).join('\n'),
    override_fallback: r.override_fallback ?? false,
    active: r.active ?? true,
  };
}
type Fields = ReturnType<typeof valuesOf> & Record<string, string | boolean>;

function check(v: Fields, several: boolean) {
  const priority = Number(v.priority);
  const star = v.incoming_model.endsWith('*');
  return {
    incoming_model: !v.incoming_model.trim() ? 'A route needs a model.'
      : v.match_type === 'prefix' && !star ? 'A prefix ends with *.' : undefined,
    upstream_url: several || /^https?:\/\/.+\/v1\/*$/.test(v.upstream_url.trim()) ? undefined
      : 'An absolute URL that ends in /v1, such as http://localhost:8000/v1.',
    priority: /^\d+$/.test(v.priority.trim()) && priority >= 1 && priority <= 100 ? undefined : 'A whole number from 1 to 100.',
  };
}

const FIELDS: [RegExp, keyof Fields][] = [
  [/incoming model|already exists|prefix|match type/i, 'incoming_model'],
  [/priority/i, 'priority'],
  [/fix/i, 'fixes'],
  [/provider/i, 'provider_slug'],
  [/key|variable/i, 'api_key_env'],
  [/upstream model/i, 'upstream_model'],
  [/URL|\/v1/, 'upstream_url'],
];

function Sentence({ v, provider }: { v: Fields; provider: string }) {
  if (!v.incoming_model || !v.upstream_url) return null;
  const what = v.match_type === 'prefix' ? 'that begin so' : '';
  return (
    <p class="muted" role="status">
      Requests for <bdi>{v.incoming_model}</bdi> {what} go to <bdi>{v.upstream_url}</bdi>
      {v.upstream_model && <> as <bdi>{v.upstream_model}</bdi></>}{provider && <>, billed to {provider}</>}
      {v.active ? '.' : ', once the route is enabled.'}
    </p>
  );
}

function RouteTest({ id }: { id: number }) {
  const result = useSignal<UpstreamTest | null>(null);
  const test = useTest((found) => (result.value = found));
  const url = `/admin/api/routes/${id}/test`;
  const asked = query.value.get('test') !== null;
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!asked) return;
    go(withQuery({ test: null }), true);
    section.current!.scrollIntoView();
    test.run(url, { test_kind: 'simple' });
  }, [asked]);
  return (
    <section ref={section}>
      <h3>Test route</h3>
      <div class="formend">
        {TEST_KINDS.map(([kind, text]) => (
          <button key={kind} disabled={test.busy !== ''} onClick={() => test.run(url, { test_kind: kind })}>
            {test.busy === kind ? 'Waiting…' : text}
          </button>
        ))}
        {test.busy && <button onClick={test.stop}>Stop</button>}
      </div>
      <small>What is saved is tested, with a real request.</small>
      {test.problem && <p role="alert" class="alert">{test.problem}</p>}
      {result.value && <TestResult test={result.value} />}
    </section>
  );
}

function Several({ route }: { route: Route }) {
  return (
    <div class="field wide">
      <span>Route upstream URLs ({route.strategy ?? 'in order'})</span>
      <ol class="why-list">{route.upstreams.map((u, i) => <li key={i}><bdi>{u.upstream_url ?? u.provider_slug}</bdi></li>)}</ol>
      <small>Several upstreams are changed in a terminal, with routes edit; they stay as they are here.</small>
    </div>
  );
}

function RouteForm({ route, start, saved }: { route: Route | null; start: Partial<Route>; saved(): Promise<void> }) {
  const providers = useProviders();
  const available = useFixes().data.value?.available ?? [];
  const several = (start.upstreams?.length ?? 0) > 0;
  const made = useRef<number | null>(null);
  const form = useForm<Fields>(valuesOf(start) as Fields, {
    name: route ? `Route ${route.incoming_model}` : 'New route',
    within: 'route',
    fields: FIELDS,
    check: (v) => ({ ...check(v, several), fixes: available.length ? fixProblem(v.fixes, available) : undefined }),
    async save(v) {
      const body = {
        ...(route ? { updated_at: route.updated_at } : {}),
        ...(start.upstreams ? kept(start as Route) : {}),
        ...v,
        upstream_url: several ? undefined : v.upstream_url,
        priority: Number(v.priority),
        fixes: undefined,
        compatibility_fixes: fixIds(v.fixes),
      };
      const answer = route
        ? await send<Route>('PUT', `/admin/api/routes/${route.id}`, body)
        : await send<Route>('POST', '/admin/api/routes', body);
      made.current = answer.id;
      await saved();
    },
    done() {
      if (!route) go(withQuery({ route: made.current, copy: null }), true);
    },
  });
  const v = form.values;
  const provider = providers.find((p) => p.slug === v.provider_slug)?.name ?? v.provider_slug;
  return (
    <Form form={form} verb="Save route" more={<button type="button" onClick={close}>Close</button>}>
      {route?.managed && <p class="muted">This route comes from the default routes. Once saved here it is yours, and no refresh changes it.</p>}
      <TextField form={form} name="incoming_model" label="Incoming model" required />
      <div class="pair">
        <SelectField form={form} name="match_type" label="Match type" options={[['exact', 'Exact'], ['prefix', 'Prefix, ends with *']]} />
        <TextField form={form} name="priority" label="Priority" numeric help="1 to 100; the lowest wins" />
      </div>
      {several ? <Several route={start as Route} /> : (
        <TextField form={form} name="upstream_url" label="Route upstream URL" required placeholder="https://…/v1"
          suggestions={providers.flatMap((p) => p.upstream_url ?? [])} />
      )}
      <TextField form={form} name="upstream_model" label="Send as model" placeholder="The same model" />
      <SelectField form={form} name="provider_slug" label="Provider" options={[['', 'Auto, by upstream URL'], ...optionsOf(providers)]} />
      <TextField form={form} name="api_key_env" label="API key env var" placeholder="None: the client's own key is passed on"
        help={route ? `The key is ${keyState(route.api_key_state)}.` : 'The name of a variable, never a key'} />
      <details>
        <summary>Compatibility fixes ({fixIds(v.fixes).length})</summary>
        <FixesField form={form} available={available} />
        <CheckField form={form} name="override_fallback" label="Override fallback fixes" />
      </details>
      <CheckField form={form} name="active" label="Enabled" />
      <Sentence v={v} provider={provider} />
    </Form>
  );
}

/** Open while the address names a route: an id, or "new" with an id to copy or without. */
export function RouteEditor({ saved }: { saved(): Promise<void> }) {
  const named = query.value.get('route');
  const from = named === 'new' ? query.value.get('copy') : named;
  const id = from && /^\d+$/.test(from) ? from : null;
  const loaded = useLoaded<Route>(() => {
    const one = query.value.get('route') === 'new' ? query.value.get('copy') : query.value.get('route');
    return one && /^\d+$/.test(one) ? `/admin/api/routes/${one}` : null;
  });
  if (!named) return null;
  const found = id && String(loaded.data.value?.id) === id ? loaded.data.value : null;
  const isNew = named === 'new';
  const copy: Partial<Route> | null = found && { ...found, incoming_model: '', upstream_model: renamed(found) || found.incoming_model };
  const start = isNew ? (id ? copy : BLANK) : found;
  const done = async () => {
    await Promise.all([saved(), isNew ? null : loaded.reload()]);
  };
  return (
    <Sheet title={isNew ? 'New route' : found?.incoming_model ?? `Route ${named}`} close={close}>
      {loaded.error.value && id && <p role="alert" class="alert">{loaded.error.value.message}</p>}
      {!isNew && !id && <p role="alert" class="alert">There is no route “{named}”.</p>}
      {start
        ? <RouteForm key={`${named}-${from}`} route={isNew ? null : found} start={start} saved={done} />
        : id && !loaded.error.value && <p class="loading">Loading…</p>}
      {!isNew && found && <RouteTest key={id!} id={found.id!} />}
    </Sheet>
  );
}
