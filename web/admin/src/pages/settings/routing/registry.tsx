/* All routes, those of the configuration too. */
import { useSignal } from '@preact/signals';
import { send } from '../../../api';
import type { Resource } from '../../../live';
import { go, query, withQuery } from '../../../router';
import { confirmed } from '../../../ui/dialog';
import { Icon } from '../../../ui/icons';
import { Menu, type Action } from '../../../ui/menu';
import { Registry, RegistryFilters, listQuery, type Column, type SimplePage } from '../../../ui/registry';
import { toast } from '../../../ui/toast';
import { optionsOf, useProviders } from '../providerlist';
import { State } from '../words';
import { RouteEditor } from './editor';
import { SOURCES, input, type Route } from './types';

const upstreamText = (r: Route) =>
  r.upstreams.length ? `${r.upstreams.length} upstreams` : r.upstream_url ?? '-';

const COLUMNS: Column<Route>[] = [
  { name: 'Incoming model', show: (r) => <><bdi title={r.incoming_model}>{r.incoming_model}</bdi> <small title={r.file}>{SOURCES[r.source]}</small></> },
  { name: 'Match', class: 'minor', show: (r) => r.match_type },
  { name: 'Route upstream URL', class: 'flex', show: (r) => <bdi title={r.upstreams.map((u) => u.upstream_url).join('\n') || r.upstream_url || ''}>{upstreamText(r)}</bdi> },
  { name: 'Send as model', class: 'flex', show: (r) => <bdi title={r.upstream_model}>{r.upstream_model}</bdi> },
  { name: 'Provider', class: 'minor', show: (r) => r.provider_name ?? r.provider_slug ?? 'Auto' },
  { name: 'Fallback', class: 'minor', show: (r) => (r.override_fallback ? 'Override' : 'Default') },
  { name: 'Priority', class: 'num minor', show: (r) => r.priority },
  { name: 'Status', show: (r) => <State of={r.status} /> },
];

export const routesUrl = () =>
  `/admin/api/routes${listQuery(['search', 'status', 'provider'], { include_startup: '1' })}`;

export function RouteRegistry({ list, changed }: { list: Resource<SimplePage<Route>>; changed(): Promise<void> }) {
  const providers = useProviders();
  const problem = useSignal('');
  const attempt = async (work: () => Promise<unknown>, said: string) => {
    problem.value = '';
    try {
      await work();
      toast(said);
    } catch (error) {
      problem.value = (error as Error).message;
    }
    await changed();
  };
  const remove = async (r: Route) => {
    const yes = await confirmed({
      title: 'Delete this route?',
      text: <>Requests for <bdi>{r.incoming_model}</bdi> take the next route that matches, or the fallback. Those that were captured stay.</>,
      verb: 'Delete route',
      danger: true,
    });
    if (!yes) return;
    await attempt(() => send('DELETE', `/admin/api/routes/${r.id}`), `Route ${r.incoming_model} deleted.`);
    if (query.value.get('route') === String(r.id)) go(withQuery({ route: null }));
  };
  const toggle = (r: Route) => attempt(
    () => send('PUT', `/admin/api/routes/${r.id}`, { ...input(r), active: !r.active }),
    `Route ${r.incoming_model} ${r.active ? 'disabled' : 'enabled'}.`,
  );
  const actions = (r: Route): Action[] => [
    { text: 'Edit', href: withQuery({ route: r.id, copy: null }) },
    { text: 'Duplicate', href: withQuery({ route: 'new', copy: r.id }) },
    { text: r.active ? 'Disable' : 'Enable', run: () => toggle(r) },
    { text: 'Test', href: withQuery({ route: r.id, copy: null, test: 1 }) },
    { text: 'Requests that used it', href: `/admin?route=${encodeURIComponent(r.incoming_model)}` },
    { text: 'Delete', run: () => remove(r), danger: true },
  ];
  const columns: Column<Route>[] = [...COLUMNS, {
    name: 'Actions',
    show: (r) => (r.id === null
      ? <span class="pill" title={`It is written in ${r.file ?? 'the configuration'}.`}>Locked</span>
      : <Menu label={`Actions for ${r.incoming_model}`} actions={actions(r)} />),
  }];
  const filtered = ['search', 'status', 'provider'].some((key) => query.value.get(key));
  const error = problem.value || list.error.value?.message;
  return (
    <section class="card">
      <header>
        <h2>Route Registry</h2>
        <a class="button right" href={withQuery({ route: 'new', copy: null })}><Icon name="plus" /> Add route</a>
      </header>
      <RegistryFilters placeholder="Model, upstream URL or provider" selects={[
        { name: 'status', label: 'Status', any: 'All', options: [['active', 'Active'], ['inactive', 'Inactive']] },
        { name: 'provider', label: 'Provider', any: 'Any provider', options: optionsOf(providers) },
      ]} />
      {error && <p role="alert" class="alert">{error}</p>}
      <div class="withsheet">
        <div>
          <Registry label="Routes" list={list.data.value} columns={columns} id={(r) => String(r.id ?? r.incoming_model)}
            href={(r) => (r.id === null ? null : withQuery({ route: r.id, copy: null }))} on={query.value.get('route')}
            empty={filtered ? <p>No route matches these filters.</p>
              : <p>No routes are configured. Everything goes to the fallback. Add one, or take the default routes.</p>} />
        </div>
        <RouteEditor saved={changed} />
      </div>
    </section>
  );
}
