/* What the last checks of providers found; rows change one by one while checks run. */
import { useEffect } from 'preact/hooks';
import * as format from '../../../format';
import { Time } from '../../../ui/time';
import { authOf, check, checkAll, checking, healthError, loadHealth, results, stateOf } from './health';
import type { Health } from './types';

function Result({ h }: { h: Health }) {
  if (checking.value.has(h.provider_slug)) return <span class="pill pending"><span class="dot live" aria-hidden="true" />Checking…</span>;
  const [text, tone, message] = stateOf(h);
  return <><span class={`pill ${tone}`}>{text}</span> <small dir="auto">{message}</small></>;
}

function Row({ h }: { h: Health }) {
  return (
    <tr>
      <th scope="row"><a href={`/admin/settings/providers?provider=${h.provider_slug}`}><bdi>{h.provider_name}</bdi></a>{!h.active && <small> inactive</small>}</th>
      <td data-name="Last check">{h.checked_at ? <Time iso={h.checked_at} table /> : '-'}</td>
      <td class="num" data-name="Latency" title={h.latency_ms === null ? undefined : `${h.latency_ms} ms`}>{format.duration(h.latency_ms)}</td>
      <td data-name="Auth">{authOf(h)}</td>
      <td data-name="Result"><Result h={h} /></td>
      <td class="acts">
        <button class="quiet" disabled={checking.value.has(h.provider_slug)} aria-label={`Check ${h.provider_name}`}
          onClick={() => check(h.provider_slug).catch((e) => (healthError.value = e.message))}>Check</button>
      </td>
    </tr>
  );
}

export function HealthCard() {
  useEffect(() => { loadHealth(); }, []);
  const rows = results.value;
  const busy = checking.value.size;
  const never = rows?.every((h) => !h.checked_at) && !busy;
  return (
    <section class="card" aria-label="Provider health" aria-busy={busy > 0}>
      <header>
        <h2>Provider health</h2>
        <span class="muted" role="status">{busy ? `${busy} to go` : never ? 'No check has been run yet' : ''}</span>
        <span class="right"><button disabled={busy > 0 || !rows} onClick={checkAll}>{busy ? 'Checking…' : 'Run health checks'}</button></span>
      </header>
      {healthError.value && <p role="alert" class="alert">{healthError.value}</p>}
      <p class="muted">Each active provider is asked for its list of models. This costs nothing, and nothing is captured.</p>
      {rows && (
        <div class="registry" role="region" aria-label="Results of the checks" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Provider</th><th scope="col">Last check</th><th scope="col" class="num">Latency</th>
                <th scope="col">Auth</th><th scope="col">Result</th><th scope="col"><span class="sr-only">Actions</span></th>
              </tr>
            </thead>
            <tbody>{rows.map((h) => <Row key={h.provider_slug} h={h} />)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}
