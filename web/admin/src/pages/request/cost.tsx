/* What it cost, and by which prices. */
import * as format from '../../format';
import { JsonTree } from '../../ui/jsontree';
import type { DetailRow } from './types';

const perMillion = (cost: number | null, tokens: number | null) =>
  cost === null || !tokens ? '-' : `${format.usd((cost / tokens) * 1e6)}`;
const exact = (n: number | null) => (n === null ? '-' : n.toLocaleString());

function Snapshot({ json }: { json: string }) {
  let rows: [string, unknown][] = [];
  try {
    rows = Object.entries(JSON.parse(json) as Record<string, unknown>).filter(([, v]) => v !== null);
  } catch {
    /* shown as text below */
  }
  return (
    <>
      <table class="plain-table">
        <tbody>
          {rows.filter(([, v]) => typeof v !== 'object').map(([name, v]) => (
            <tr key={name}><th scope="row">{name.replaceAll('_', ' ')}</th><td dir="auto">{String(v)}</td></tr>
          ))}
        </tbody>
      </table>
      <details><summary>As JSON</summary><JsonTree text={json} /></details>
    </>
  );
}

export function CostView({ r }: { r: DetailRow }) {
  const t = r.tokens;
  const fresh = t.input === null ? null : t.input - (t.cached_input ?? 0) - (r.cache_write_input_tokens ?? 0);
  const rows: [string, number | null, number | null][] = [
    ['Input', fresh, r.billing_input_cost_usd],
    ['Cached input', t.cached_input, r.billing_cached_input_cost_usd],
    ...(r.cache_write_input_tokens ? [['Cache write', r.cache_write_input_tokens, null] as [string, number, null]] : []),
    ['Output', t.output, r.billing_output_cost_usd],
  ];
  const pending = r.completed_at === null;
  const missing = !pending && r.cost_usd === null;
  const price = `/admin/settings/pricing?model=${encodeURIComponent(r.upstream_model ?? r.model ?? '')}`;
  return (
    <div class="sides">
      <section class="card" aria-label="Cost estimate">
        <header><h2>Cost estimate</h2></header>
        <table class="plain-table">
          <thead><tr><th scope="col">Tokens</th><th scope="col" class="num">Number</th><th scope="col" class="num">A million</th><th scope="col" class="num">Cost</th></tr></thead>
          <tbody>
            {rows.map(([name, tokens, cost]) => (
              <tr key={name}><th scope="row">{name}</th><td class="num">{exact(tokens)}</td><td class="num">{perMillion(cost, tokens)}</td><td class="num" title={cost === null ? 'not known' : String(cost)}>{format.usd(cost)}</td></tr>
            ))}
          </tbody>
          <tfoot><tr><th scope="row">Total</th><td class="num">{exact(t.total)}</td><td /><td class="num" title={r.cost_usd === null ? 'not known' : String(r.cost_usd)}>{format.usd(r.cost_usd)}</td></tr></tfoot>
        </table>
        {r.reasoning_tokens ? <p class="muted">Of the output {exact(r.reasoning_tokens)} tokens are reasoning.</p> : null}
        {pending && <p class="muted">Not finished. Estimated input: ~{exact(r.estimated_input_tokens)} tokens, by {r.estimated_input_tokenizer ?? 'a guess'}.</p>}
        <p>Billed as <bdi>{r.billing_model ?? '-'}</bdi> by <bdi>{r.provider_name ?? 'no provider'}</bdi>.</p>
        {r.reported_cost_usd !== null && <p>The provider says {format.usd(r.reported_cost_usd)}, {format.delta(r.cost_usd ?? 0, r.reported_cost_usd)}.</p>}
        {missing && t.total === null && <p class="muted">The answer tells no token counts, so there is no cost.</p>}
        {missing && t.total !== null && <p>There is no price for <bdi>{r.provider_name ?? 'no provider'}/{r.upstream_model ?? r.model ?? '-'}</bdi>. <a href={price}>Add one</a></p>}
      </section>
      <section class="card" aria-label="Pricing snapshot">
        <header><h2>Pricing snapshot</h2></header>
        {r.pricing_snapshot_json ? <Snapshot json={r.pricing_snapshot_json} /> : <p class="muted">No price was applied.</p>}
      </section>
    </div>
  );
}
