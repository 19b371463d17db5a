export interface Route {
  id: number | null;
  source: 'startup' | 'seeded' | 'ui';
  file?: string;
  api_key_state: string;
  updated_at: string | null;
  incoming_model: string;
  match_type: 'exact' | 'prefix';
  upstream_url: string | null;
  upstream_model: string;
  upstreams: { upstream_url: string | null; upstream_model: string | null; provider_slug: string | null; weight: number; active: boolean }[];
  strategy: string | null;
  retry_on: string[] | null;
  max_attempts: number | null;
  cooldown_ms: number | null;
  fail_threshold: number | null;
  max_retry_wait_ms: number | null;
  provider_slug: string | null;
  provider_name: string | null;
  api_key_env: string | null;
  auth_style: string | null;
  compatibility_fixes: string[];
  override_fallback: boolean;
  priority: number;
  active: boolean;
  status: 'active' | 'inactive';
  managed: boolean;
}

export const SOURCES = { startup: 'Startup', seeded: 'Seeded', ui: 'UI' };

const KEPT = ['upstreams', 'strategy', 'retry_on', 'max_attempts', 'cooldown_ms', 'fail_threshold',
  'max_retry_wait_ms', 'auth_style'] as const;

/** What a save must send of a route though no field of the editor shows it. */
export function kept(route: Route): Record<string, unknown> {
  return Object.fromEntries(KEPT.map((key) => [key, route[key]])
    .filter(([, value]) => value !== null && !(Array.isArray(value) && !value.length)));
}

/** A whole route as a save takes it. */
export function input(route: Route): Record<string, unknown> {
  const { incoming_model, match_type, upstream_url, upstream_model, provider_slug, api_key_env,
    compatibility_fixes, override_fallback, priority, active, updated_at } = route;
  return {
    incoming_model, match_type, upstream_model, provider_slug, api_key_env, compatibility_fixes,
    override_fallback, priority, active, updated_at, ...kept(route),
    ...(route.upstreams.length ? {} : { upstream_url }),
  };
}
