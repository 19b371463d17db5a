/* The ranges of tiers as a bar, small numbers of tokens as wide as large ones. */
import * as format from '../../../format';
import { rangeText, rateShown, segments } from './rates';
import type { Price, Tier } from './types';

const WIDTH = 1000;
const FLOOR = 1000; /* tokens below which the bar does not tell apart */

/* Where a number of tokens is on the bar: logarithmic, with room for what has no end. */
function scale(tiers: Tier[]): (tokens: number) => number {
  const most = Math.max(FLOOR, ...tiers.flatMap((t) => [t.min_input_tokens ?? 0, t.max_input_tokens ?? 0]));
  const last = Math.log10((most / FLOOR) * 4);
  return (n) => {
    if (n === Infinity) return WIDTH;
    const at = n <= 0 ? 0 : 0.15 + 0.85 * (Math.log10(Math.max(1, n / FLOOR)) / last);
    return Math.min(WIDTH, at * WIDTH);
  };
}

export function RangeBar({ price, on }: { price: Price; on?: number | null }) {
  const parts = segments(price.tiers);
  const place = scale(price.tiers);
  const name = (tier: Tier | null) => (tier ? tier.label ?? rangeText(tier) : 'The price itself');
  return (
    <figure class="rangebar">
      <svg viewBox={`0 0 ${WIDTH} 30`} preserveAspectRatio="none" role="img" aria-label="Ranges of input tokens">
        {parts.map((part, i) => (
          <rect key={i} x={place(part.from)} y="2" height="26" width={Math.max(2, place(part.to) - place(part.from) - 3)}
            class={`${part.tier ? `tier tier${i % 2}` : 'none'} ${part.tier && part.tier.id === on ? 'on' : ''}`} />
        ))}
      </svg>
      <figcaption>
        {parts.map((part) => (
          <span key={part.from} class={part.tier ? '' : 'muted'}>
            <b>{part.from.toLocaleString('en-US')}{part.to === Infinity ? '+' : ` to ${format.count(part.to)}`}</b>{' '}
            <bdi>{name(part.tier)}</bdi>: {rateShown((part.tier ?? price).input_usd_per_million)} in,{' '}
            {rateShown((part.tier ?? price).output_usd_per_million)} out
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
