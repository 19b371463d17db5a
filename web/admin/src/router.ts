/* Every state has a URL: the path chooses the page, the query its state. Links are real ones; a
 * click on one of ours changes the address without loading the page anew. */
import { computed, signal } from '@preact/signals';

export const place = signal(new URL(location.href));
export const query = computed(() => place.value.searchParams);

/** Set while something is not saved: asks before that goes; false stays where we are. */
export const leaving: { ask: ((to: URL) => Promise<boolean>) | null } = { ask: null };

export function go(to: string, replace = false) {
  const url = new URL(to, location.href);
  if (url.href === location.href) return;
  if (leaving.ask) leaving.ask(url).then((yes) => yes && move(url, replace));
  else move(url, replace);
}

function move(url: URL, replace: boolean) {
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  const moved = url.pathname !== place.value.pathname;
  place.value = url;
  if (moved) scrollTo(0, 0);
}

/** The present address with other parameters; null takes one away. Unknown ones stay. */
export function withQuery(changes: Record<string, string | number | null | string[]>): string {
  const params = new URLSearchParams(query.value);
  for (const [key, value] of Object.entries(changes)) {
    params.delete(key);
    if (Array.isArray(value)) for (const one of value) params.append(key, one);
    else if (value !== null && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return place.value.pathname + (text ? `?${text}` : '');
}

const isOurs = (url: URL) =>
  url.origin === location.origin && /^\/admin(\/|$)/.test(url.pathname) &&
  !url.pathname.startsWith('/admin/api/') && !url.pathname.startsWith('/admin/static/');

export function startRouter() {
  addEventListener('popstate', async () => {
    const to = new URL(location.href);
    if (leaving.ask) {
      history.pushState(null, '', place.value); /* until it is answered */
      if (!(await leaving.ask(to))) return;
      leaving.ask = null;
      history.back();
    } else {
      place.value = to;
    }
  });
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.('a');
    if (!link || event.defaultPrevented || event.button !== 0 || link.target || link.download) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    if (!isOurs(url)) return;
    event.preventDefault();
    go(url.href);
  });
}
