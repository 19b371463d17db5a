/* What routes did on this day, as the viewer counts days. */
import type { Resource } from '../../../live';
import { Time } from '../../../ui/time';

export interface Usage {
  route: string;
  requests_today: number;
  last_matched_at: string;
}

export function UsageCard({ usage }: { usage: Resource<Usage[]> }) {
  const list = usage.data.value;
  return (
    <section class="card">
      <header>
        <h2>Recent Route Usage</h2>
        <a class="button right" href="/admin">View requests</a>
      </header>
      {usage.error.value && <p role="alert" class="alert">{usage.error.value.message}</p>}
      {list && !list.length && <p class="muted">No route was used today.</p>}
      {list && list.length > 0 && (
        <div class="registry" role="region" aria-label="Recent Route Usage" tabIndex={0}>
          <table>
            <thead><tr><th scope="col">Route</th><th scope="col" class="num">Requests today</th><th scope="col">Last matched</th></tr></thead>
            <tbody>
              {list.map((u) => (
                <tr key={u.route}>
                  <th scope="row"><a href={`/admin?route=${encodeURIComponent(u.route)}`}><bdi>{u.route}</bdi></a></th>
                  <td class="num" data-name="Requests today">{u.requests_today.toLocaleString()}</td>
                  <td data-name="Last matched"><Time iso={u.last_matched_at} table /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
