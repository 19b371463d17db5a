/* The text of an answer that is on its way. The server gives its last characters only; what was
 * seen before stays. */

export interface Item {
  kind: string;
  name?: string | null;
  text: string;
  open: boolean;
}
export interface LiveText {
  id: number;
  offset: number; /* characters that come before the items */
  items: Item[];
  user: string | null;
  truncated: boolean;
}
export interface Grown {
  items: Item[];
  gap: boolean; /* something before the items is not known */
}

const chars = (text: string) => [...text].length;
const take = (text: string, n: number) => [...text].slice(0, n).join('');

/* The first n characters of items. */
function cut(items: Item[], n: number): { items: Item[]; left: number } {
  const out: Item[] = [];
  let left = n;
  for (const item of items) {
    if (left <= 0) break;
    const size = chars(item.text);
    out.push(size <= left ? item : { ...item, text: take(item.text, left) });
    left -= Math.min(size, left);
  }
  return { items: out, left };
}

/** What is known after another answer of the server. */
export function grow(known: Grown, fresh: LiveText): Grown {
  if (fresh.offset === 0 || fresh.truncated) return { items: fresh.items, gap: fresh.truncated };
  const before = cut(known.items, fresh.offset);
  if (known.gap || before.left > 0) return { items: fresh.items, gap: true };
  const last = before.items[before.items.length - 1];
  const first = fresh.items[0];
  if (last && first && last.kind === first.kind && (last.name ?? null) === (first.name ?? null))
    return { items: [...before.items.slice(0, -1), { ...first, text: last.text + first.text }, ...fresh.items.slice(1)], gap: false };
  return { items: [...before.items, ...fresh.items], gap: false };
}
