/* The text of an answer that is on its way. The server gives the end of it; what was seen before
 * stays, and what both have in common shows where the new text goes on. */

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
  truncated: boolean; /* only the end of the answer was looked at */
}
export interface Grown {
  items: Item[];
  gap: boolean; /* what comes before the items is not known */
}

const PROBE = 8;

const join = (items: Item[]) => items.map((item) => item.text).join('');

/* The last characters of items, without joining all of them. */
function tailOf(items: Item[], length: number): string {
  let tail = '';
  for (let i = items.length - 1; i >= 0 && tail.length < length; i--) tail = items[i]!.text + tail;
  return tail.slice(-length);
}

/* How much of the start of fresh is the end of known; -1 when they have nothing in common. */
function overlap(known: string, fresh: string): number {
  const probe = known.slice(-PROBE);
  for (let at = fresh.lastIndexOf(probe); at >= 0 && probe; at = at > 0 ? fresh.lastIndexOf(probe, at - 1) : -1) {
    const size = at + probe.length;
    if (known.endsWith(fresh.slice(0, size))) return size;
  }
  return -1;
}

function append(known: Item[], fresh: Item[], from: number): Item[] {
  const out = [...known];
  let skip = from;
  for (const item of fresh) {
    const text = item.text.slice(skip);
    const goesOn = skip > 0 || out.length === 0;
    skip = Math.max(0, skip - item.text.length);
    const last = out[out.length - 1];
    if (last && goesOn && last.kind === item.kind) out[out.length - 1] = { ...last, text: last.text + text, open: item.open };
    else if (text) out.push({ ...item, text });
  }
  return out;
}

/** What is known after another answer of the server. */
export function grow(known: Grown, fresh: LiveText): Grown {
  if (fresh.offset === 0 && !fresh.truncated) return { items: fresh.items, gap: false };
  const text = join(fresh.items);
  const common = overlap(tailOf(known.items, text.length), text);
  if (common < 0) return { items: fresh.items, gap: true };
  return { items: append(known.items, fresh.items, common), gap: known.gap };
}
