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
