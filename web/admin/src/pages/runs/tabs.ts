/* The tabs of a run, and their addresses. */
import { computed } from '@preact/signals';
import { query, withQuery } from '../../router';

export const TABS = [
  ['overview', 'Overview'], ['traffic', 'Traffic'], ['whatif', 'Cost what-if'], ['models', 'Models'],
  ['diagnostics', 'Diagnostics'],
] as const;
export type Tab = (typeof TABS)[number][0];

export const tab = computed<Tab>(() => {
  const asked = query.value.get('tab');
  return TABS.find(([name]) => name === asked)?.[0] ?? 'overview';
});

export const tabUrl = (to: Tab) => withQuery({ tab: to === 'overview' ? null : to, page: null, per_page: null });
