/* Data that changes seldom: it is asked for when the page opens, after own changes, and when the
 * person comes back after a minute. */
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useResource } from '../hooks';
import { visible, type Resource } from '../live';

const OLD_MS = 60000;

export function useLoaded<T>(url: () => string | null): Resource<T> {
  const resource = useResource<T>(url, { kinds: [], follows: () => false });
  const at = useRef(Date.now());
  useEffect(() => effect(() => {
    if (!visible.value) at.current = Date.now();
    else if (Date.now() - at.current > OLD_MS) resource.refresh();
  }), []);
  return resource;
}
