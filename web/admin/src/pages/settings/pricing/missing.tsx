/* Models that were used without a price. */
import { useSignal } from '@preact/signals';
import { send } from '../../../api';
import type { RequestRow } from '../../../api-types';
import { withQuery } from '../../../router';
import { useLoaded } from '../../../ui/loaded';
import { NEW } from './editor';
import type { Backfill } from './types';

const LOOKED_AT = 200;
const WHERE = encodeURIComponent('is:unpriced outcome:ok');

interface Pair {
  provider: string | null;
  model: string;
  requests: number;
}

function pairsOf(rows: RequestRow[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const row of rows) {
    const model = row.upstream_model ?? row.model;
    if (!model) continue;
    const key = JSON.stringify([row.provider_slug, model]);
    const pair = pairs.get(key) ?? { provider: row.provider_slug, model, requests: 0 };
    pair.requests++;
    pairs.set(key, pair);
  }
  return [...pairs.values()].sort((a, b) => b.requests - a.requests);
}

export function MissingPrices() {
  const busy = useSignal(false);
  const said = useSignal('');
  const error = useSignal('');
  const list = useLoaded<{ items: RequestRow[] }>(() => `/admin/api/requests?facets=0&per_page=${LOOKED_AT}&where=${WHERE}`);
  const rows = list.data.value?.items;
  const pairs = rows ? pairsOf(rows) : [];
  const reprice = async () => {
    busy.value = true;
    said.value = error.value = '';
    try {
      const { repriced, examined } = await send<Backfill>('POST', '/admin/api/pricing/reprice-missing', {});
      said.value = `${repriced.toLocaleString()} of ${examined.toLocaleString()} requests without a cost got one.`;
      await list.reload();
    } catch (caught) {
      error.value = (caught as Error).message;
    }
    busy.value = false;
  };
  return (
    <section class="card" aria-label="Missing prices">
      <header>
        <h2>Missing prices</h2>
        <span class="muted">{rows?.length === LOOKED_AT ? `in the last ${LOOKED_AT} requests without a cost` : 'models used without a price'}</span>
        <span class="right"><button disabled={busy.value} onClick={reprice}>{busy.value ? 'Repricing…' : 'Reprice missing'}</button></span>
      </header>
      {(error.value || list.error.value) && <p role="alert" class="alert">{error.value || list.error.value!.message}</p>}
      {said.value && <p role="status" class="notice">{said.value}</p>}
      {rows && pairs.length === 0 && <p class="muted">Every answered request has a cost.</p>}
      {pairs.length > 0 && (
        <div class="registry" role="region" aria-label="Models without a price" tabIndex={0}>
          <table>
            <thead><tr><th scope="col">Model</th><th scope="col">Provider</th><th scope="col" class="num">Requests</th><th scope="col"><span class="sr-only">Actions</span></th></tr></thead>
            <tbody>
              {pairs.map((pair) => (
                <tr key={`${pair.provider} ${pair.model}`}>
                  <th scope="row"><bdi>{pair.model}</bdi></th>
                  <td data-name="Provider"><bdi>{pair.provider ?? 'not known'}</bdi></td>
                  <td class="num" data-name="Requests">{pair.requests}</td>
                  <td class="acts"><a href={withQuery({ price: NEW, of: pair.provider, model: pair.model })} aria-label={`Create a price for ${pair.model}`}>Create price</a></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
