/* Providers to choose from. */
import { useLoaded } from '../../ui/loaded';
import type { SimplePage } from '../../ui/registry';
import type { ProviderOption } from './types';

export function useProviders(): ProviderOption[] {
  const list = useLoaded<SimplePage<ProviderOption>>(() => '/admin/api/providers?per_page=100');
  return list.data.value?.items ?? [];
}

export const optionsOf = (providers: ProviderOption[]): [string, string][] =>
  providers.map((p) => [p.slug, p.active ? p.name : `${p.name} (inactive)`]);
