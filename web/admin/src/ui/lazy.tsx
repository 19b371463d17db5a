/* A component of its own file, which is loaded when it is first shown. */
import type { ComponentType } from 'preact';
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const loaded = signal<ComponentType<P> | null>(null);
  const failed = signal(false);
  return function Lazy(props: P) {
    useEffect(() => {
      if (!loaded.value) load().then((page) => (loaded.value = page), () => (failed.value = true));
    }, []);
    const Loaded = loaded.value;
    if (Loaded) return <Loaded {...props} />;
    return failed.value ? <p role="alert" class="alert">This page could not be loaded. Reload it.</p>
      : <p class="loading">Loading…</p>;
  };
}
