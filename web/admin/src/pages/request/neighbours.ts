/* The requests before and after one in the list it was opened from. */
import { get } from '../../api';
import type { RequestList } from '../../api-types';

const WIDTHS = [1, 20, 200, 2000, 20000, 200000, 2000000];

/* Newest first, of the ids between the two. */
async function between(list: URLSearchParams, after: number, before: number, count: number): Promise<number[]> {
  const params = new URLSearchParams(list);
  for (const [key, value] of Object.entries({ after, before, per_page: count, facets: 0 })) params.set(key, String(value));
  params.delete('page');
  const answer = await get<RequestList>(`/admin/api/requests?${params}`);
  return answer.items.map((row) => row.id);
}

/* The lowest id above: a window of ids that has one, halved until there is none below. */
async function above(list: URLSearchParams, id: number): Promise<number | null> {
  let found: number | null = null;
  for (const width of WIDTHS) {
    found = (await between(list, id, id + width + 1, 1))[0] ?? null;
    if (found !== null) break;
  }
  let low = id;
  while (found !== null && found - low > 1) {
    const middle: number = Math.ceil((low + found) / 2);
    const lower: number | undefined = (await between(list, low, middle + (middle === found ? 0 : 1), 1))[0];
    if (lower === undefined) low = middle;
    else found = lower;
  }
  return found;
}

/** from: the query of that list, null for all requests. */
export async function neighbour(from: string | null, id: number, newer: boolean): Promise<number | null> {
  const list = new URLSearchParams(from ?? '');
  return newer ? above(list, id) : ((await between(list, 0, id, 1))[0] ?? null);
}
