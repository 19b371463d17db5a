/* What the API answers about runs. */
import type { Pagination, RequestRow, RunSummary } from '../../api-types';
import type { Percentiles } from '../../ui/series';

export interface Value {
  value: number | null;
}
export interface Group {
  label: string;
  count: number;
}
export type RunSignals = Record<'streams' | 'images' | 'tools' | 'errors', Value>;

export interface RunItem extends RunSummary {
  llm_wall_time_ms: number | null;
  total_tokens: number | null;
  total_cost_usd: number | null;
  output_tokens_per_second: string | null;
  signals: RunSignals;
}
export interface RunList {
  items: RunItem[];
  active_run: RunSummary | null;
  stats: Record<'shown' | 'active' | 'paused' | 'total_requests' | 'total_tokens' | 'total_cost_usd', number>;
}

export interface RunStats {
  request_count: number;
  success_count: number;
  error_count: number;
  pending_count: number;
  success_rate: number | null;
  error_rate: number | null;
  last_activity: string | null;
  llm_wall_time_ms: number | null;
  total_request_duration_ms: number;
  tokens: Record<'input' | 'output' | 'total', Value>;
  cost_usd: number | null;
  throughput: { output_observed: { value: string | null } };
  models: Group[];
  endpoints: Group[];
  statuses: Group[];
  signals: RunSignals;
  unpriced_request_count: number;
  cached_input_tokens: number | null;
  reasoning_tokens: number | null;
  ttft_ms: Percentiles;
  request_duration_ms: Percentiles;
}
export interface RunDetail {
  run: RunSummary;
  stats: RunStats;
  items: RequestRow[];
  pagination: Pagination;
  active_run: RunSummary | null;
}

export interface Scenario {
  key: string;
  label: string;
  provider_name: string;
  model: string;
  input_usd_per_million: number | null;
  cached_input_usd_per_million: number | null;
  output_usd_per_million: number | null;
  mixed_tiers: boolean;
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  input_cost_usd: number | null;
  output_cost_usd: number | null;
  total_cost_usd: number | null;
  included_request_count: number;
  missing_usage_request_count: number;
  notes: string | null;
}
export interface PriceOption {
  key: string;
  provider_name: string;
  model: string;
  label: string;
  search_text: string;
}
export interface WhatIf {
  options: PriceOption[];
  baseline: { label: string; provider_name: string; model: string; total_cost_usd: number | null } | null;
  scenarios: Scenario[];
  selected_keys: string[];
  compared_count: number;
  message: string | null;
}
