/* What tokens cost: the prices, and where they come from. */
import { computed } from '@preact/signals';
import { send } from '../../api';
import { go, query, withQuery } from '../../router';
import { confirmed } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { useLoaded } from '../../ui/loaded';
import { listQuery, Registry, RegistryFilters, type Column, type SimplePage } from '../../ui/registry';
import { toast } from '../../ui/toast';
import { CatalogSync } from './pricing/catalog';
import { NEW, PriceEditor } from './pricing/editor';
import { MissingPrices } from './pricing/missing';
import { rateShown, rateText } from './pricing/rates';
import { MAIN_RATES, type Price } from './pricing/types';
import type { Provider } from './providers/types';
import { summary, SummaryCards } from './summary';

const COLUMNS: Column<Price>[] = [
  { name: 'Model', show: (p) => <bdi>{p.model}</bdi> },
  { name: 'Provider', class: 'flex', show: (p) => <bdi title={p.provider_name}>{p.provider_name}</bdi> },
  { name: 'Display name', class: 'flex minor', show: (p) => <bdi title={p.display_name ?? ''}>{p.display_name ?? '-'}</bdi> },
  ...MAIN_RATES.map(([rate, text]): Column<Price> => ({
    name: `${text} / 1M`,
    class: 'num',
    show: (p) => <span title={rateText(p[rate]) || 'not known'}>{rateShown(p[rate])}</span>,
  })),
  { name: 'Aliases', class: 'num minor', show: (p) => <span title={p.aliases.join('\n')}>{p.aliases.length || '-'}</span> },
  { name: 'Tiers', class: 'num', show: (p) => p.tiers.length || '-' },
  { name: 'Active', class: 'minor', show: (p) => <span class={`pill ${p.active ? 'ok' : ''}`}>{p.active ? 'Active' : 'Inactive'}</span> },
];

const editing = computed(() => query.value.get('price'));
const close = () => go(withQuery({ price: null, of: null, model: null }));

export function Pricing() {
  const list = useLoaded<SimplePage<Price>>(() => `/admin/api/pricing/prices${listQuery(['search', 'provider', 'status'])}`);
  const known = useLoaded<SimplePage<Provider>>(() => '/admin/api/providers?per_page=100');
  const all = useLoaded<SimplePage<Price>>(() => '/admin/api/pricing/prices?per_page=1');
  const providers = known.data.value?.items ?? [];
  const error = list.error.value;
  const facts = summary.value;

  const reload = async () => {
    await Promise.all([list.reload(), all.reload(), known.reload()]);
  };
  const remove = async (p: Price) => {
    const sure = await confirmed({
      title: 'Delete this price?',
      text: <>“<bdi>{p.key}</bdi>” goes{p.tiers.length > 0 && ` with its ${p.tiers.length} ${p.tiers.length === 1 ? 'tier' : 'tiers'}`}.
        Requests that have a cost keep it; new ones of this model have none.</>,
      verb: 'Delete price',
      danger: true,
    });
    if (!sure) return;
    try {
      await send('DELETE', `/admin/api/pricing/prices/${p.id}`);
      toast(`The price of ${p.key} was deleted.`);
      if (editing.value === String(p.id)) close();
    } catch (caught) {
      toast((caught as Error).message);
    }
    await reload();
  };
  const actions: Column<Price> = {
    name: '',
    class: 'acts',
    show: (p) => <button class="quiet" aria-label={`Delete the price of ${p.key}`} title="Delete" onClick={() => remove(p)}><Icon name="trash" /></button>,
  };

  return (
    <>
      <SummaryCards cards={[
        { label: 'Pricing rows', value: all.data.value?.total.toLocaleString() },
        { label: 'Providers', value: known.data.value && String(known.data.value.total) },
        { label: 'Default provider', value: facts && (facts.upstream.default_provider_name ?? facts.upstream.default_provider_slug ?? 'None'), strong: true },
        { label: 'Stored rows', value: facts?.stored_rows.toLocaleString() },
      ]} />
      <CatalogSync applied={reload} />
      <div class="withsheet">
        <section class="card" aria-label="Model pricing">
          <header>
            <h2>Model pricing</h2><span class="muted">US dollars for a million tokens</span>
            <span class="right">
              <a class="button" href="/admin/api/pricing/catalog/export" download="prices.json">Export</a>{' '}
              <a class="button" href={withQuery({ price: NEW })}><Icon name="plus" /> Add price</a>
            </span>
          </header>
          <RegistryFilters placeholder="Model, alias or provider" selects={[
            { name: 'provider', label: 'Provider', any: 'All', options: providers.map((p) => [p.slug, p.name]) },
            { name: 'status', label: 'Status', any: 'All', options: [['active', 'Active'], ['inactive', 'Inactive']] },
          ]} />
          {error && <p role="alert" class="alert">{error.message}</p>}
          <Registry label="Prices" list={list.data.value} columns={[...COLUMNS, actions]} id={(p) => String(p.id)}
            href={(p) => withQuery({ price: p.id, of: null, model: null })} on={editing.value}
            empty={<p>No price is like that. <a href={withQuery({ price: NEW })}>Add a price</a></p>} />
        </section>
        {editing.value && <PriceEditor key={editing.value} id={editing.value} providers={providers} saved={reload} close={close} />}
      </div>
      <MissingPrices />
    </>
  );
}
