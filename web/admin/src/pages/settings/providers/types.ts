/* What the API says of providers. */
export type KeyState = 'configured' | 'missing' | 'not configured';

export interface Provider {
  slug: string;
  name: string;
  upstream_url: string | null;
  currency: string;
  api_key_env: string | null;
  api_key_state: KeyState;
  auth_style: string | null;
  active: boolean;
  status: 'active' | 'inactive';
  is_default_fallback: boolean;
  capabilities: Partial<Record<Capability, boolean>>;
  model_count: number;
  route_count: number;
  updated_at: string | null;
}
export type Capability = 'text' | 'vision' | 'tool_calling';

/** The last check of a provider; nulls when there was none. */
export interface Health {
  provider_slug: string;
  provider_name: string;
  active: boolean;
  status: 'healthy' | 'warning' | null;
  latency_ms: number | null;
  auth_state: 'not_configured' | 'valid' | 'missing_key' | null;
  message: string | null;
  checked_at: string | null;
}

export interface ProviderUsage {
  provider_slug: string;
  provider_name: string;
  requests_today: number;
  estimated_cost_usd: number | null;
  cost_overflow?: boolean;
  active_routes: number;
}
