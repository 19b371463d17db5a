/* Requests over time as the API gives them, and as charts want them: a value for each bucket. */

export interface Percentiles {
  count: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  max: number | null;
}
export interface Sums {
  request_count: number;
  error_count: number;
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
}
export interface Times extends Sums {
  ttft_ms: Percentiles;
  request_duration_ms: Percentiles;
}
export interface Named extends Sums {
  label: string | null;
}
export interface Timeseries {
  since: string;
  until: string;
  bucket_ms: number;
  truncated: boolean;
  total: Times;
  buckets: (Times & { start: string })[];
  models: Named[];
  providers: Named[];
  routes: Named[];
}

/** Fewer samples than these tell nothing of how they are spread. */
export const SAMPLES_MIN = 5;

export const starts = (t: Timeseries): number[] => {
  const first = Date.parse(t.since);
  const n = Math.max(1, Math.ceil((Date.parse(t.until) - first) / t.bucket_ms));
  return Array.from({ length: n }, (_, i) => (first + i * t.bucket_ms) / 1000);
};

/** One value for each bucket; empty where it has no request. */
export function values(t: Timeseries, of: (b: Times) => number | null, empty: number | null): (number | null)[] {
  const first = Date.parse(t.since);
  const list = starts(t).map(() => empty);
  for (const b of t.buckets) list[Math.round((Date.parse(b.start) - first) / t.bucket_ms)] = of(b);
  return list;
}

export function cumulative(list: (number | null)[]): number[] {
  let sum = 0;
  return list.map((n) => (sum += n ?? 0));
}

export const percentile = (of: 'ttft_ms' | 'request_duration_ms', p: 'p50' | 'p95' | 'p99') => (b: Times) =>
  (b[of].count < SAMPLES_MIN ? null : b[of][p]);
