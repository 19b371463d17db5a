/* What the API answers about settings, as far as more than one section reads it. */
export interface Summary {
  version: string;
  database_path: string;
  listener: {
    host: string;
    port: number;
    expose_all_ips: boolean;
    overridden_by: string | null;
    bound: { host: string; port: number; url: string };
  };
  client_base_url: string;
  upstream: {
    url: string;
    default_provider_slug: string | null;
    default_provider_name: string | null;
    default_model: string | null;
    fallback_enabled: boolean;
    failover_to_fallback: boolean;
    overridden_by?: string | null;
  };
  stored_rows: number;
  active_routes: number;
  active_providers: number;
  retention_days: number;
  rows_older_than_retention: number;
}

export interface Sample {
  model: string;
  curl: string;
  python: string;
  upstream_preview: { url: string | null; headers: Record<string, string>; body: unknown };
}
export interface Decision {
  status: 'matched' | 'fallback' | 'no_match' | 'missing_api_key';
  matched_route: string | null;
  match_type: string | null;
  upstream_url: string | null;
  upstream_model: string | null;
  provider_slug: string | null;
  provider_name: string | null;
  api_key_state: string;
  compatibility_fixes: string[];
}
export interface Candidate {
  route: string;
  match_type: string;
  source: string;
  priority: number;
  upstream_url: string | null;
  verdict: string;
}
export interface Simulation extends Decision {
  upstreams: { order: number; upstream_url: string | null; provider_slug: string | null; state: string }[];
  candidates?: Candidate[];
  sample_request: Sample;
}
export interface UpstreamTest {
  kind: string;
  url: string;
  ok: boolean;
  duration_ms: number;
  model_route: string | null;
  upstream_model: string | null;
  status_code?: number;
  content_type?: string;
  body?: string;
  error?: string;
}
export interface ProviderOption {
  slug: string;
  name: string;
  upstream_url: string | null;
  api_key_env: string | null;
  active: boolean;
}
