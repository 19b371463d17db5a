/* What providers did since the day began for the one who looks. */
import * as format from '../../../format';
import { useLoaded } from '../../../ui/loaded';
import type { ProviderUsage } from './types';

const startOfDay = () => new Date(new Date().setHours(0, 0, 0, 0)).toISOString();

function Rows({ rows, since }: { rows: ProviderUsage[]; since: string }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Provider</th><th scope="col" class="num">Requests today</th>
          <th scope="col" class="num">Estimated cost</th><th scope="col" class="num">Active routes</th>
          <th scope="col"><span class="sr-only">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        {rows.map((u) => (
          <tr key={u.provider_slug}>
            <th scope="row"><bdi>{u.provider_name}</bdi></th>
            <td class="num" data-name="Requests today" title={String(u.requests_today)}>{format.count(u.requests_today)}</td>
            <td class="num" data-name="Estimated cost" title={u.cost_overflow ? 'too much to tell' : String(u.estimated_cost_usd ?? 'not known')}>{format.usd(u.estimated_cost_usd)}</td>
            <td class="num" data-name="Active routes">{u.active_routes}</td>
            <td class="acts"><a href={`/admin?provider=${encodeURIComponent(u.provider_slug)}&where=${encodeURIComponent(`since:${since}`)}`} aria-label={`View requests of ${u.provider_name}`}>View requests</a></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function UsageCard() {
  const since = startOfDay();
  const usage = useLoaded<ProviderUsage[]>(() => `/admin/api/providers/usage?since=${encodeURIComponent(since)}`);
  const all = usage.data.value;
  const error = usage.error.value;
  const busy = all?.filter((u) => u.requests_today > 0) ?? [];
  const idle = all?.filter((u) => u.requests_today === 0) ?? [];
  return (
    <section class="card" aria-label="Recent provider usage">
      <header>
        <h2>Recent provider usage</h2>
        <span class="muted">since midnight, local time</span>
        <span class="right"><button onClick={usage.refresh}>Refresh</button></span>
      </header>
      {error && <p role="alert" class="alert">{error.message}</p>}
      {all && busy.length === 0 && <p class="muted">No request was sent to a known provider today.</p>}
      {busy.length > 0 && <div class="registry" role="region" aria-label="Providers with traffic" tabIndex={0}><Rows rows={busy} since={since} /></div>}
      {idle.length > 0 && (
        <details>
          <summary>{idle.length} {idle.length === 1 ? 'provider' : 'providers'} without traffic today</summary>
          <div class="registry" role="region" aria-label="Providers without traffic" tabIndex={0}><Rows rows={idle} since={since} /></div>
        </details>
      )}
    </section>
  );
}
