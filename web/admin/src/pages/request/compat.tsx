/* What the proxy changed in the answer so that the client can read it, and what it could not. */
import { JsonTree } from '../../ui/jsontree';
import { ResponsePanel } from './split';
import type { DetailRow } from './types';

export const hasCompat = (r: DetailRow) => Boolean(r.compat_fixes_json || r.compat_fix_errors_json || r.response_was_rewritten);

function rowsOf(json: string): Record<string, unknown>[] {
  try {
    const value = JSON.parse(json) as unknown;
    return (Array.isArray(value) ? value : [value]).map((one) => (typeof one === 'object' && one !== null ? one : { fix: one }) as Record<string, unknown>);
  } catch {
    return [];
  }
}

const say = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function Fixes({ title, json }: { title: string; json: string | null }) {
  if (!json) return null;
  const rows = rowsOf(json);
  return (
    <section class="card" aria-label={title}>
      <header><h2>{title}</h2></header>
      <ul class="fixes">
        {rows.map((row, i) => (
          <li key={i}>{Object.entries(row).filter(([, v]) => v !== null && v !== '').map(([name, v]) => <span key={name}><small>{name.replaceAll('_', ' ')}</small> <bdi>{say(v)}</bdi></span>)}</li>
        ))}
      </ul>
      <details><summary>As JSON</summary><JsonTree text={json} /></details>
    </section>
  );
}

export function CompatView({ r }: { r: DetailRow }) {
  return (
    <>
      <div class="sides">
        <Fixes title="Compatibility fixes" json={r.compat_fixes_json} />
        <Fixes title="Compatibility warnings" json={r.compat_fix_errors_json} />
      </div>
      {r.response_was_rewritten
        ? <div class="sides"><ResponsePanel r={r} side="upstream" /><ResponsePanel r={r} side="response" /></div>
        : <p class="muted">The answer itself was not changed.</p>}
    </>
  );
}
