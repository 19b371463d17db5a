/* What the person prefers, kept in this browser; never captured content. */
import { effect, signal } from '@preact/signals';

function stored<T extends string>(key: string, values: readonly T[], standard: T) {
  let first = standard;
  try {
    const found = localStorage.getItem(`lop.${key}`) as T | null;
    if (found && values.includes(found)) first = found;
  } catch {
    /* storage is switched off: the choice lasts as long as the page */
  }
  const value = signal<T>(first);
  effect(() => {
    const now = value.value;
    try {
      localStorage.setItem(`lop.${key}`, now);
    } catch {
      /* as above */
    }
  });
  return value;
}

export const theme = stored('theme', ['system', 'light', 'dark'] as const, 'system');
export const density = stored('density', ['compact', 'comfortable'] as const, 'compact');
export const timeForm = stored('time', ['local', 'utc'] as const, 'local');
export const inspectorOpen = stored('inspector', ['yes', 'no'] as const, 'yes');
export const shortcuts = stored('shortcuts', ['on', 'off'] as const, 'on');

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme.value;
  root.dataset.density = density.value;
});
