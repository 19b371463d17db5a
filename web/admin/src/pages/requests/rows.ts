/* Lists of requests: what stays as it is, and the keys that walk through them. */
import type { Signal } from '@preact/signals';
import type { RequestRow } from '../../api-types';
import { useKeys } from '../../hooks';
import { shortcuts } from '../../prefs';
import { detailUrl } from './links';
import { go } from '../../router';

/** Rows that did not change stay the same objects, so that only what changed is drawn. */
export function keepRows(old: RequestRow[] | undefined, fresh: RequestRow[]): RequestRow[] {
  if (!old) return fresh;
  const before = new Map(old.map((row) => [row.id, row]));
  return fresh.map((row) => {
    const known = before.get(row.id);
    return known && known.completed_at && JSON.stringify(known) === JSON.stringify(row) ? known : row;
  });
}

const STEPS: Record<string, number> = {
  j: 1, k: -1, ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -1e6, End: 1e6,
};

function move(rows: RequestRow[], selected: Signal<number | null>, by: number) {
  const at = rows.findIndex((row) => row.id === selected.value);
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  if (!next) return;
  selected.value = next.id;
  document.getElementById(`row-${next.id}`)?.focus();
}

/** beside: there is more on the page than the rows, and keys that scroll it do so outside of them. */
export function useRowKeys(rows: RequestRow[], selected: Signal<number | null>, beside = false) {
  useKeys((key, event) => {
    const at = event.target as Element;
    const link = at.closest('a, button, summary');
    const steps = key.length > 1 ? !beside || at.closest('table.requests') : shortcuts.value === 'on';
    if (key in STEPS && steps) move(rows, selected, STEPS[key]!);
    else if ((key === 'Enter' || key === 'o') && selected.value && !(key === 'Enter' && link))
      go(detailUrl(selected.value));
    else return false;
    return true;
  });
}
