/* Where models go: one that is typed, and those of the last days. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../../../api';
import { go, query, withQuery } from '../../../router';
import { Facts } from '../../../ui/facts';
import { useLoaded } from '../../../ui/loaded';
import { Time } from '../../../ui/time';
import { SampleCode } from '../simulator';
import { days } from '../summary';
import type { Decision, Sample } from '../types';
import { State, keyState } from '../words';

interface Lookup extends Omit<Decision, 'status' | 'matched_route'> {
  status: string;
  route: string | null;
  sample_request: Sample;
}
interface RecentModel extends Decision {
  model: string;
  requests: number;
  last_used_at: string;
}

const TYPING_MS = 160;
const looked = () => query.value.get('model') ?? '';

function LookupForm() {
  const draft = useSignal(looked());
  const suggestions = useSignal<string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => { clearTimeout(timer.current); abort.current?.abort(); }, []);
  const look = () => go(withQuery({ model: draft.value.trim() || null }), true);
  const suggest = async () => {
    abort.current?.abort();
    const mine = (abort.current = new AbortController());
    try {
      const q = encodeURIComponent(draft.value);
      const found = await get<{ items: { model: string }[] }>(`/api/models/suggest?limit=10&q=${q}`, mine.signal);
      suggestions.value = found.items.map((s) => s.model);
      if (suggestions.value.includes(draft.value)) look();
    } catch {
      /* without suggestions one can type on */
    }
  };
  return (
    <form class="inline" aria-label="Look up a model" onSubmit={(e) => { e.preventDefault(); look(); }}>
      <label class="field wide">
        <span>Model, as a client names it</span>
        <input value={draft.value} list="model-suggestions" autocomplete="off" spellcheck={false}
          onInput={(e) => {
            draft.value = e.currentTarget.value;
            clearTimeout(timer.current);
            timer.current = setTimeout(suggest, TYPING_MS);
          }} />
      </label>
      <datalist id="model-suggestions">{suggestions.value.map((s) => <option key={s} value={s} />)}</datalist>
      <button>Look up</button>
    </form>
  );
}

function Found({ found }: { found: Lookup }) {
  return (
    <div class="result" role="status">
      <Facts rows={[
        ['Status', <State of={found.status} />],
        ['Route', found.route && <><bdi>{found.route}</bdi> ({found.match_type})</>],
        ['Goes to', <><bdi>{found.upstream_url ?? 'the global upstream'}</bdi> as <bdi>{found.upstream_model ?? looked()}</bdi></>],
        ['Provider', found.provider_name ?? found.provider_slug],
        ['API key', keyState(found.api_key_state)],
      ]} />
      <SampleCode sample={found.sample_request} />
    </div>
  );
}

function Recent({ models }: { models: RecentModel[] }) {
  return (
    <div class="registry" role="region" aria-label="Recently used models" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {['Requested model', 'Requests', 'Last used', 'Route', 'Send as model', 'Provider', 'API key', 'Status']
              .map((name) => <th key={name} scope="col" class={name === 'Requests' ? 'num' : undefined}>{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {models.map((m) => (
            <tr key={m.model}>
              <th scope="row"><a href={withQuery({ model: m.model })} title={m.model}><bdi>{m.model}</bdi></a></th>
              <td class="num" data-name="Requests">{m.requests.toLocaleString()}</td>
              <td data-name="Last used"><Time iso={m.last_used_at} table /></td>
              <td class="flex" data-name="Route">{m.matched_route ? <><bdi>{m.matched_route}</bdi> <small>{m.match_type}</small></> : '-'}</td>
              <td class="flex" data-name="Send as model"><bdi>{m.upstream_model ?? m.model}</bdi></td>
              <td data-name="Provider">{m.provider_name ?? m.provider_slug ?? '-'}</td>
              <td data-name="API key">{keyState(m.api_key_state)}</td>
              <td data-name="Status"><State of={m.status} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function ModelsCard() {
  const lookup = useLoaded<Lookup>(() => (looked() ? `/api/models/lookup?model=${encodeURIComponent(looked())}` : null));
  const recent = useLoaded<{ items: RecentModel[] }>(() => `/admin/api/routes/recent-models?limit=10&days=${days()}`);
  const items = recent.data.value?.items;
  const error = lookup.error.value ?? recent.error.value;
  return (
    <section class="card full">
      <header>
        <h2>Model Routes Summary</h2>
        <a class="button right" href="/admin/settings/routing">Manage routes</a>
      </header>
      <LookupForm key={looked()} />
      {error && <p role="alert" class="alert">{error.message}</p>}
      {looked() && lookup.data.value && <Found found={lookup.data.value} />}
      <h3>Models of the last {days()} {days() === 1 ? 'day' : 'days'}</h3>
      {items && (items.length ? <Recent models={items} /> : <p class="muted">No model was asked for in this time.</p>)}
    </section>
  );
}
