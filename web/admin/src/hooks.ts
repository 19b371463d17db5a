/* Hooks that pages share. */
import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { follow, type Resource, type ResourceOptions } from './live';
import { serverNow } from './api';

/** follow() for as long as the component is there. url is read again when signals in it change. */
export function useResource<T>(url: () => string | null, options: ResourceOptions<T>): Resource<T> {
  const resource = useMemo(() => follow(url, options), []);
  useEffect(() => resource.stop, []);
  return resource;
}

/** The server's time in milliseconds, new each second while anything reads it. */
export const now = signal(serverNow());
setInterval(() => {
  if (!document.hidden) now.value = serverNow();
}, 1000);

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} - LLM Observe Proxy`;
  }, [title]);
}

/** Calls run with the key of each key press outside of fields. */
export function useKeys(run: (key: string, event: KeyboardEvent) => boolean | void) {
  useEffect(() => {
    const on = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('input, select, textarea, dialog, [contenteditable]')) return;
      if (run(event.key, event)) event.preventDefault();
    };
    addEventListener('keydown', on);
    return () => removeEventListener('keydown', on);
  });
}
