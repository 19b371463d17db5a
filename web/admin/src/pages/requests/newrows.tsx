/* New rows slide in only while the person looks at the top of the list and has nothing marked;
 * otherwise the list stands still and a button tells how many there are. */
import { signal } from '@preact/signals';
import type { RequestList } from '../../api-types';

const shown = signal<RequestList | null>(null);
const waiting = signal<RequestList | null>(null);
const asked = signal(0); /* how often somebody wanted to see what waits: the list is drawn anew */
let shownUrl = '';

const atRest = () => scrollY > 8 || !(getSelection()?.isCollapsed ?? true);

function newer(list: RequestList, than: RequestList): number {
  const top = than.items[0]?.id ?? 0;
  return list.items.filter((row) => row.id > top).length;
}

/* Rows that are shown, with what is new about them, and no others. */
function update(old: RequestList, fresh: RequestList): RequestList {
  const now = new Map(fresh.items.map((row) => [row.id, row]));
  return { ...fresh, items: old.items.map((row) => now.get(row.id) ?? row) };
}

export function heldBack(fresh: RequestList | null, url: string): RequestList | null {
  void asked.value;
  const old = shown.peek();
  if (!fresh) return url === shownUrl ? old : null;
  if (url !== shownUrl || !old || !atRest() || newer(fresh, old) === 0) {
    shownUrl = url;
    waiting.value = null;
    if (old !== fresh) shown.value = fresh;
    return fresh;
  }
  waiting.value = fresh;
  if (!(getSelection()?.isCollapsed ?? true)) return old;
  const updated = update(old, fresh);
  shown.value = updated;
  return updated;
}

export function showNew() {
  if (!waiting.value) return;
  shown.value = waiting.value;
  waiting.value = null;
  asked.value++;
  scrollTo(0, 0);
}

export function NewRows() {
  if (!waiting.value || !shown.value) return null;
  const n = newer(waiting.value, shown.value);
  return n === 0 ? null : (
    <button class="newrows" onClick={showNew}>{n} new {n === 1 ? 'request' : 'requests'} (.)</button>
  );
}
