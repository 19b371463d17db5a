/* Who serves models: the registry, what checks of them found, what they did today. */
import { computed } from '@preact/signals';
import { ApiError, send } from '../../api';
import { go, query, withQuery } from '../../router';
import { confirmed } from '../../ui/dialog';
import { Icon, type IconName } from '../../ui/icons';
import { useLoaded } from '../../ui/loaded';
import { listQuery, Registry, RegistryFilters, type Column, type SimplePage } from '../../ui/registry';
import { toast } from '../../ui/toast';
import { FallbackCard } from './fallback';
import { NEW, ProviderEditor } from './providers/editor';
import { loadHealth } from './providers/health';
import { HealthCard } from './providers/healthcard';
import type { Provider } from './providers/types';
import { UsageCard } from './providers/usagecard';
import { reloadSummary, summary, SummaryCards } from './summary';

const LOCAL = /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[::1\]|[^.]+$)|\.(local|internal|lan)$/;

/* What a provider seems to be, from its address and what is priced. */
function kindOf(p: Provider): [IconName, string] {
  const url = p.upstream_url && URL.canParse(p.upstream_url) ? new URL(p.upstream_url) : null;
  if (url && LOCAL.test(url.hostname)) return ['server', 'Local'];
  if (/router/.test(p.slug)) return ['route', 'Router'];
  return p.model_count > 0 ? ['cloud', 'Model vendor'] : ['data', 'Other'];
}

const plural = (n: number, one: string) => `${n} ${one}${n === 1 ? '' : 's'}`;

const COLUMNS: Column<Provider>[] = [
  {
    name: 'Provider',
    show: (p) => {
      const [icon, kind] = kindOf(p);
      return (
        <span class="named" title={kind}>
          <Icon name={icon} /> <bdi>{p.name}</bdi>
          {summary.value?.upstream.default_provider_slug === p.slug && <span class="pill ok">Default fallback</span>}
        </span>
      );
    },
  },
  { name: 'Slug', show: (p) => <code>{p.slug}</code> },
  { name: 'Base URL', class: 'flex minor', show: (p) => <span title={p.upstream_url ?? ''}>{p.upstream_url ?? '-'}</span> },
  { name: 'Currency', class: 'minor', show: (p) => p.currency },
  { name: 'Status', show: (p) => <span class={`pill ${p.active ? 'ok' : ''}`}>{p.active ? 'Active' : 'Inactive'}</span> },
  {
    name: 'Models / Routes',
    class: 'num',
    show: (p) => <span title={`${plural(p.model_count, 'price')}, ${plural(p.route_count, 'route')}`}>{p.model_count} / {p.route_count}</span>,
  },
];

const editing = computed(() => query.value.get('provider'));
const close = () => go(withQuery({ provider: null }));

export function Providers() {
  const list = useLoaded<SimplePage<Provider>>(() => `/admin/api/providers${listQuery(['search', 'status', 'currency'])}`);
  const error = list.error.value;
  const currencies = [...new Set(['USD', ...(list.data.value?.items ?? []).map((p) => p.currency)])];
  const facts = summary.value;

  const reload = async () => {
    await Promise.all([list.reload(), reloadSummary(), loadHealth()]);
  };
  const remove = async (p: Provider) => {
    const sure = await confirmed({
      title: 'Delete this provider?',
      text: <>“<bdi>{p.name}</bdi>” goes with its {plural(p.model_count, 'price')} and their tiers.{' '}
        {plural(p.route_count, 'route')} of it {p.route_count === 1 ? 'stays' : 'stay'}, without a provider. Captured requests stay.</>,
      verb: 'Delete provider',
      danger: true,
    });
    if (!sure) return;
    try {
      await send('DELETE', `/admin/api/providers/${encodeURIComponent(p.slug)}`);
      toast(`Provider ${p.name} was deleted.`);
      if (editing.value === p.slug) close();
    } catch (caught) {
      toast(caught instanceof ApiError ? caught.message : String(caught));
    }
    await reload();
  };
  const actions: Column<Provider> = {
    name: '',
    class: 'acts',
    show: (p) => (
      <>
        <a href={`/admin?provider=${encodeURIComponent(p.slug)}`} aria-label={`Requests of ${p.name}`}>Requests</a>
        <button class="quiet" aria-label={`Delete ${p.name}`} title="Delete" onClick={() => remove(p)}><Icon name="trash" /></button>
      </>
    ),
  };

  return (
    <>
      <SummaryCards cards={[
        { label: 'Active providers', value: facts && String(facts.active_providers) },
        { label: 'Default provider', value: facts && (facts.upstream.default_provider_name ?? facts.upstream.default_provider_slug ?? 'None'), strong: true },
        { label: 'Default model', value: facts && (facts.upstream.default_model ?? 'None') },
        { label: 'Stored rows', value: facts?.stored_rows.toLocaleString() },
      ]} />
      <div class="withsheet">
        <section class="card" aria-label="Provider registry">
          <header>
            <h2>Provider registry</h2>
            <span class="right"><a class="button" href={withQuery({ provider: NEW })}><Icon name="plus" /> Add provider</a></span>
          </header>
          <RegistryFilters placeholder="Name, slug, URL or currency" selects={[
            { name: 'status', label: 'Status', any: 'All', options: [['active', 'Active'], ['inactive', 'Inactive']] },
            { name: 'currency', label: 'Currency', any: 'All', options: currencies.map((c) => [c, c]) },
          ]} />
          {error && <p role="alert" class="alert">{error.message}</p>}
          <Registry label="Providers" list={list.data.value} columns={[...COLUMNS, actions]} id={(p) => p.slug}
            href={(p) => withQuery({ provider: p.slug })} on={editing.value}
            empty={<p>No provider is like that. <a href={withQuery({ provider: NEW })}>Add a provider</a></p>} />
        </section>
        {editing.value && <ProviderEditor key={editing.value} slug={editing.value} saved={reload} close={close} />}
      </div>
      <div class="cards">
        <div class="full"><HealthCard /></div>
        <FallbackCard title="Fallback defaults" />
        <UsageCard />
      </div>
    </>
  );
}
