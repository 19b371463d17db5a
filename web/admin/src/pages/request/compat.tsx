/* What the proxy changed in the answer so that the client can read it, and what it could not. */
import { JsonTree } from '../../ui/jsontree';
import { ResponsePanel } from './split';
import type { DetailRow } from './types';

interface Told {
  rows: Record<string, unknown>[];
  configured: string[];
}

/* {"applied": [...], "configured": [...]}, {"warnings": [...]}, or a list. */
function read(json: string | null): Told {
  try {
    const value = JSON.parse(json ?? 'null') as { applied?: unknown; warnings?: unknown; configured?: unknown } | unknown[] | null;
    const list = Array.isArray(value) ? value : ([value?.applied, value?.warnings].find(Array.isArray) ?? (value ? [value] : []));
    const configured = Array.isArray(value) ? [] : value?.configured;
    return {
      rows: list.map((one: unknown) => (typeof one === 'object' && one !== null ? one : { fix: one }) as Record<string, unknown>),
      configured: Array.isArray(configured) ? configured.map(String) : [],
    };
  } catch {
    return { rows: [], configured: [] };
  }
}

export const hasCompat = (r: DetailRow) =>
  r.response_was_rewritten || read(r.compat_fixes_json).rows.length > 0 || Boolean(r.compat_fix_errors_json);

const say = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function Fixes({ title, json }: { title: string; json: string | null }) {
  if (!json) return null;
  const { rows, configured } = read(json);
  return (
    <section class="card" aria-label={title}>
      <header><h2>{title}</h2></header>
      <ul class="fixes">
        {rows.map((row, i) => (
          <li key={i}>{Object.entries(row).filter(([, v]) => v !== null && v !== '').map(([name, v]) => <span key={name}><small>{name.replaceAll('_', ' ')}</small> <bdi>{say(v)}</bdi></span>)}</li>
        ))}
      </ul>
      {configured.length > 0 && <p class="muted">Switched on: <bdi>{configured.join(', ')}</bdi></p>}
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
