/* What the API answers about one request. */
import type { RequestRow } from '../../api-types';

export interface Attempt {
  number: number;
  upstream_url: string | null;
  upstream_model: string | null;
  provider_slug: string | null;
  status: number | null;
  error: string | null;
  started_at: string;
  headers_ms: number | null;
  duration_ms: number | null;
}
export interface ImageFound {
  kind: string;
  mime_type: string | null;
  source?: string;
}
export interface DetailRow extends RequestRow {
  query_string: string;
  request_headers_json: string | null;
  response_headers_json: string | null;
  request_content_type: string | null;
  response_content_type: string | null;
  pricing_snapshot_json: string | null;
  billing_provider_slug: string | null;
  billing_input_cost_usd: number | null;
  billing_cached_input_cost_usd: number | null;
  billing_output_cost_usd: number | null;
  billing_total_cost_usd: number | null;
  reported_cost_usd: number | null;
  reported_cost_difference_usd: number | null;
  estimated_input_tokens: number | null;
  estimated_input_tokenizer: string | null;
  compat_fixes_json: string | null;
  compat_fix_errors_json: string | null;
  chunk_count: number | null;
  chunk_gap_avg_ms: number | null;
  client_lag_max_ms: number | null;
  stream_done: boolean | null;
  terminated_by: string | null;
  upstream_error_type: string | null;
  upstream_error_code: string | null;
  upstream_request_id: string | null;
  response_id: string | null;
  service_tier: string | null;
  attempt_count: number | null;
  attempts: Attempt[];
}
export interface Detail {
  record: DetailRow;
  images: ImageFound[];
}

export type PartType =
  | 'text' | 'reasoning' | 'image' | 'audio' | 'file' | 'tool_call' | 'tool_result' | 'refusal' | 'unknown';
export interface Part {
  type: PartType;
  text?: string;
  summary?: boolean;
  encrypted?: boolean;
  id?: string | null;
  name?: string | null;
  kind?: string | null;
  arguments_raw?: string;
  arguments?: unknown;
  tool_call_id?: string | null;
  content?: Part[];
  url?: string | null;
  mime_type?: string | null;
  file_id?: string | null;
  detail?: string | null;
  bytes?: number | null;
  transcript?: string | null;
  raw?: unknown;
}
export interface Message {
  index: number;
  role: string | null;
  name: string | null;
  origin: 'request' | 'response';
  parts: Part[];
}
export interface Choice {
  index: number;
  finish_reason: string | null;
  message: number;
}
export interface StreamFacts {
  state: 'complete' | 'failed' | 'cut' | 'stopped';
  events: number;
  broken: number;
  unknown: number;
  inside_event: boolean;
  last_message: number | null;
  last_part: PartType | null;
  unknown_events: unknown[];
}
export interface Conversation {
  id: number;
  format: string | null;
  model: string | null;
  upstream_model: string | null;
  response_model: string | null;
  status: number | null;
  terminated_by: string | null;
  params: Record<string, unknown>;
  tools: { name: string | null; description: string | null; parameters: unknown }[];
  messages: Message[];
  choices: Choice[];
  stream: StreamFacts | null;
  error: { type: string | null; code: string | null; message: string | null } | null;
  omitted: number;
  notice: string | null;
  usage: Record<'input' | 'cached_input' | 'cache_write_input' | 'output' | 'reasoning' | 'total', number | null>;
  related: { previous_id: number; shared_messages: number } | null;
}

/** The endpoints whose requests are conversations. */
export const isChatLike = (endpoint: string) => /\/(chat\/completions|completions|responses|messages)\/?$/.test(endpoint);
