/* Which model goes where. */
import { useLoaded } from '../../ui/loaded';
import type { SimplePage } from '../../ui/registry';
import { FallbackCard } from './fallback';
import { DiscoveryCard } from './routing/discovery';
import { RouteRegistry, routesUrl } from './routing/registry';
import type { Route } from './routing/types';
import { UsageCard, type Usage } from './routing/usage';
import { SimulatorCard } from './simulator';
import { SummaryCards, reloadSummary, summary } from './summary';
import { today } from './words';

export function Routing() {
  const list = useLoaded<SimplePage<Route>>(routesUrl);
  const usage = useLoaded<Usage[]>(() => `/admin/api/routes/usage?since=${today()}`);
  const changed = async () => {
    await Promise.all([list.reload(), usage.reload(), reloadSummary()]);
  };
  const facts = summary.value;
  return (
    <>
      <SummaryCards cards={[
        { label: 'Active routes', value: facts?.active_routes.toLocaleString() },
        { label: 'Default provider', value: facts && (facts.upstream.default_provider_name ?? 'None'), strong: true },
        { label: 'Default model', value: facts && (facts.upstream.default_model ?? 'None') },
        { label: 'Stored rows', value: facts?.stored_rows.toLocaleString() },
      ]} />
      <RouteRegistry list={list} changed={changed} />
      <div class="cards">
        <div>
          <SimulatorCard />
          <UsageCard usage={usage} />
        </div>
        <div>
          <DiscoveryCard changed={changed} />
          <FallbackCard title="Fallback Routing Behavior" />
        </div>
      </div>
    </>
  );
}
