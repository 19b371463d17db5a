/* Does it work: checks of providers, tests of upstreams, where a model would go. */
import { remember } from './diagnostics/history';
import { RecentTests } from './diagnostics/recent';
import { results } from './providers/health';
import { HealthCard } from './providers/healthcard';
import { SimulatorCard } from './simulator';
import { summary, SummaryCards } from './summary';
import { TestCard } from './testupstream';

function checksDone(): string | undefined {
  const active = results.value?.filter((h) => h.active);
  return active && `${active.filter((h) => h.status === 'healthy').length} of ${active.length} healthy`;
}

export function Diagnostics() {
  const facts = summary.value;
  const { default_provider_name: provider, default_model: model, fallback_enabled: on } = facts?.upstream ?? {};
  return (
    <>
      <SummaryCards cards={[
        { label: 'Provider checks', value: checksDone() },
        { label: 'Active routes', value: facts && String(facts.active_routes) },
        { label: 'Fallback', value: facts && (on && provider && model ? `${provider} / ${model}` : 'Global upstream'), note: facts?.upstream.url, strong: true },
        { label: 'Stored rows', value: facts?.stored_rows.toLocaleString() },
      ]} />
      <HealthCard />
      <div class="cards">
        <TestCard title="Test upstream" done={remember} />
        <SimulatorCard />
      </div>
      <RecentTests />
    </>
  );
}
