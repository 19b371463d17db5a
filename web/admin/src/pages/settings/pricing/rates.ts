/* Rates as texts. Digits pass through as they are: no rate is computed with here. */
import type { Tier } from './types';

/** A rate without superfluous zeros and without an exponent; '' when it is not known. */
export function rateText(rate: number | string | null | undefined): string {
  if (rate === null || rate === undefined) return '';
  const text = typeof rate === 'number' && /e/.test(String(rate)) ? rate.toFixed(6) : String(rate);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** As money: at least two decimals, "-" when it is not known. */
export function rateShown(rate: number | string | null | undefined): string {
  const text = rateText(rate);
  if (!text) return '-';
  const [whole, part = ''] = text.split('.');
  return `$${whole}.${part.padEnd(2, '0')}`;
}

export const rateChanged = (from: string | null | undefined, to: string | null) => rateText(from) !== rateText(to);

/** Why this is no rate; '' when it is one. */
export function rateProblem(text: string, needed: boolean): string {
  const value = text.trim();
  if (!value) return needed ? 'A rate is needed.' : '';
  if (!/^(\d+\.?\d*|\.\d+)$/.test(value)) return 'Digits with a point, such as 0.25.';
  return Number(value) > 1_000_000 ? 'At most 1000000.' : '';
}

/** Why this is no number of tokens; '' when it is one, or empty. */
export const tokensProblem = (text: string) =>
  /^\d*$/.test(text.trim().replace(/[,_ ]/g, '')) ? '' : 'A whole number, or nothing.';

export const tokens = (text: string): number | null => {
  const digits = text.trim().replace(/[,_ ]/g, '');
  return digits ? Number(digits) : null;
};

type Range = Pick<Tier, 'min_input_tokens' | 'max_input_tokens'>;
const from = (range: Range) => range.min_input_tokens ?? 0;
const to = (range: Range) => range.max_input_tokens ?? Infinity;

export function rangeText(range: Range): string {
  const first = from(range).toLocaleString('en-US');
  if (range.max_input_tokens === null) return `${first}+ input tokens`;
  return `${first}-${(range.max_input_tokens - 1).toLocaleString('en-US')} input tokens`;
}

/** Why a tier cannot have this range beside the others; '' when it can. */
export function rangeProblem(range: Range, others: (Range & { label: string | null })[]): string {
  if (to(range) <= from(range)) return 'The end must be above the start.';
  const other = others.find((o) => from(range) < to(o) && from(o) < to(range));
  return other ? `This overlaps ${other.label ?? rangeText(other)}.` : '';
}

export interface Segment<T> {
  tier: T | null; /* null: no tier, so the price itself counts */
  from: number;
  to: number; /* Infinity: without end */
}

/** All numbers of tokens cut into the ranges of the tiers and the gaps between them. */
export function segments<T extends Range>(tiers: T[]): Segment<T>[] {
  const out: Segment<T>[] = [];
  let at = 0;
  for (const tier of [...tiers].sort((a, b) => from(a) - from(b))) {
    if (from(tier) > at) out.push({ tier: null, from: at, to: from(tier) });
    out.push({ tier, from: from(tier), to: to(tier) });
    at = Math.max(at, to(tier));
  }
  if (at !== Infinity) out.push({ tier: null, from: at, to: Infinity });
  return out;
}
