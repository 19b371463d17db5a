/* The server itself: where it listens, where requests go that no route takes, what is kept. */
import { FallbackCard } from './fallback';
import { FixesCard } from './fixes';
import { RetentionCard } from './retention';
import { ListenerCard } from './server/listener';
import { ModelsCard } from './server/models';
import { SummaryCards, fallbackText, summary } from './summary';
import { TestCard } from './testupstream';

const AREAS = [
  ['/admin/settings/providers', 'Model Providers', 'Upstreams, their keys and health'],
  ['/admin/settings/pricing', 'Model Pricing', 'What tokens cost'],
  ['/admin/settings/routing', 'Model Routes', 'Which model goes where'],
] as const;

function AreasCard() {
  return (
    <section class="card">
      <header><h2>Settings Areas</h2></header>
      <ul class="areas">
        {AREAS.map(([href, name, what]) => <li key={href}><a href={href}>{name}</a> <small>{what}</small></li>)}
      </ul>
    </section>
  );
}

export function Server() {
  const facts = summary.value;
  if (!facts) return <p class="loading">Loading…</p>;
  return (
    <>
      <SummaryCards cards={[
        { label: 'Proxy listener', value: `${facts.listener.bound.host}:${facts.listener.bound.port}` },
        { label: 'Client base URL', value: facts.client_base_url },
        {
          label: 'Global fallback', strong: true, value: fallbackText(facts),
        },
        {
          label: 'Stored rows', value: facts.stored_rows.toLocaleString(),
          note: `${facts.rows_older_than_retention.toLocaleString()} older than ${facts.retention_days} days`,
        },
      ]} />
      <div class="cards">
        <div>
          <ListenerCard facts={facts} />
          <FixesCard />
        </div>
        <div>
          <FallbackCard withUrl title="Global Upstream Fallback Defaults" />
          <TestCard title="Test Route / Diagnostics" more={<a href="/admin/settings/diagnostics">Diagnostics</a>} />
          <AreasCard />
        </div>
        <ModelsCard />
        <RetentionCard />
      </div>
    </>
  );
}
