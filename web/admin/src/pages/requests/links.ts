/* Links that know the list they are in. */
import { place, query } from '../../router';

/** The page of a request, with the way back to this list and through it. */
export function detailUrl(id: number): string {
  if (!/^\/admin\/?$/.test(place.value.pathname)) return `/admin/requests/${id}`; /* no list of all */
  const from = new URLSearchParams(query.value);
  from.delete('page');
  const text = from.toString();
  return `/admin/requests/${id}${text ? `?from=${encodeURIComponent(text)}` : ''}`;
}
