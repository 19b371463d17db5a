/* What the API says of prices. Rates are dollars for a million tokens. */
export const RATES = [
  ['input_usd_per_million', 'Input'],
  ['cached_input_usd_per_million', 'Cached input'],
  ['output_usd_per_million', 'Output'],
  ['cache_write_usd_per_million', 'Cache write'],
  ['cache_write_1h_usd_per_million', 'Cache write, 1 hour'],
  ['reasoning_usd_per_million', 'Reasoning'],
] as const;
export const MAIN_RATES = RATES.slice(0, 3);
export const MORE_RATES = RATES.slice(3);
export type RateName = (typeof RATES)[number][0];

export type Rates = Record<RateName, number | null>;
export type RateTexts = Record<RateName, string | null>;

interface Source {
  source_url: string | null;
  checked_at: string | null;
  release_date: string | null;
  notes: string | null;
}

export interface Tier extends Rates, Source {
  id: number;
  label: string | null;
  min_input_tokens: number | null;
  max_input_tokens: number | null;
}

export interface Price extends Rates, Source {
  id: number;
  key: string;
  provider_slug: string;
  provider_name: string;
  model: string;
  display_name: string | null;
  aliases: string[];
  context_length: number | null;
  active: boolean;
  status: 'active' | 'inactive';
  seeded: boolean;
  edited: boolean;
  updated_at: string | null;
  tiers: Tier[];
}

export interface CatalogItem extends RateTexts {
  key: string;
  provider_slug: string;
  model: string;
  display_name: string | null;
  stored: RateTexts | null;
  checked_at: string | null;
  row_kind: 'base' | 'provider';
  external_provider: string | null;
  context_length: number | null;
  supports_tools: boolean | null;
  status: 'new' | 'update' | 'unchanged';
  selected: boolean;
  edited: boolean;
}

export interface CatalogPreview {
  source: string;
  items: CatalogItem[];
  total: number;
  counts: Record<CatalogItem['status'], number>;
  preview_id?: string;
}

export interface CatalogApplied {
  applied: number;
  created: number;
  updated: number;
  unchanged: number;
  repriced_missing: number;
  warnings: string[];
  preview: CatalogPreview;
}

export interface Backfill {
  repriced: number;
  examined: number;
}
