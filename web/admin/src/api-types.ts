/* What the API answers, as far as the pages read it. */

export interface ServerFacts {
  version: string;
  url: string;
  upstream_url: string;
  client_base_url: string;
  database: string;
  instance: string;
  uptime_ms: number;
}
export interface Status {
  status: 'ok' | 'degraded';
  server: ServerFacts;
  store: {
    queue_depth: number;
    queue_limit: number;
    lost_events: number;
    rows: number;
    db_bytes: number;
    last_error: string | null;
  };
}

export interface Tokens {
  input: number | null;
  cached_input: number | null;
  output: number | null;
  total: number | null;
  input_estimated: boolean;
}
export interface Signals {
  stream: boolean;
  image: boolean;
  tool: boolean;
  error: boolean;
  slow: boolean;
  large: boolean;
}
export type SignalName = keyof Signals;

export interface RequestRow {
  id: number;
  created_at: string;
  completed_at: string | null;
  method: string;
  endpoint: string;
  model: string | null;
  upstream_model: string | null;
  model_route: string | null;
  route_name: string;
  upstream_url: string;
  status: number | null;
  status_label: string;
  duration_ms: number | null;
  task_run: { id: number; name: string } | null;
  tokens: Tokens;
  tokens_per_second: string | null;
  generation_tps: string | null;
  cost_usd: number | null;
  provider_name: string | null;
  provider_slug: string | null;
  billing_model: string | null;
  response_was_rewritten: boolean;
  compatibility_label: string;
  error: string | null;
  upstream_error_message: string | null;
  signals: Signals;
  semantic_summary: string;
  ttft_ms: number | null;
  first_byte_ms: number | null;
  upstream_connect_ms: number | null;
  upstream_headers_ms: number | null;
  chunk_gap_p95_ms: number | null;
  chunk_gap_max_ms: number | null;
  event_count: number | null;
  request_bytes: number | null;
  response_bytes: number | null;
  response_model: string | null;
  finish_reason: string | null;
  tool_call_count: number | null;
  reasoning_tokens: number | null;
  cache_write_input_tokens: number | null;
  outcome: string | null;
}

export interface Pagination {
  page: number;
  per_page: number;
  total: number;
  total_pages: number;
  start: number;
  end: number;
  has_previous: boolean;
  has_next: boolean;
}
export interface Option {
  value: string;
  label: string;
}
export interface Stat {
  value: number;
}

export interface RunSummary {
  id: number;
  name: string;
  notes: string | null;
  status: string;
  started_at: string;
  ended_at: string | null;
  paused_at: string | null;
  open_duration_ms: number;
  request_count: number | null;
  total_tokens?: number | null;
  total_cost_usd?: number | null;
}

export interface RequestList {
  items: RequestRow[];
  models: string[];
  endpoints: string[];
  provider_options: Option[];
  route_options: string[];
  run_options: RunSummary[];
  active_run: RunSummary | null;
  stats: Record<'total' | 'streams' | 'images' | 'tools' | 'errors' | 'slow' | 'large', Stat>;
  pagination: Pagination;
  upstream_url: string;
}
