/* The tiers of a price: other rates for other sizes of input. */
import { useSignal } from '@preact/signals';
import { send } from '../../../api';
import { confirmed } from '../../../ui/dialog';
import { Form, TextField, useForm, type Problems } from '../../../ui/form';
import { toast } from '../../../ui/toast';
import { RangeBar } from './rangebar';
import { rangeProblem, rangeText, rateProblem, rateShown, rateText, tokens, tokensProblem } from './rates';
import { MAIN_RATES, MORE_RATES, RATES, type Price, type RateName, type Tier } from './types';

type RateValues = Record<RateName, string>;

export const rateValues = (of: Price | Tier | null): RateValues =>
  Object.fromEntries(RATES.map(([name]) => [name, rateText(of?.[name])])) as RateValues;

export const rateProblems = (v: RateValues) =>
  Object.fromEntries(RATES.map(([name]) => [name, rateProblem(v[name], name === 'input_usd_per_million' || name === 'output_usd_per_million')]));

/** What the API says about rates names them. */
export const rateFields = RATES.map(([name]) => [new RegExp(`^${name}\\b`), name]) as [RegExp, RateName][];

interface Values extends RateValues {
  label: string;
  min_input_tokens: string;
  max_input_tokens: string;
  source_url: string;
  checked_at: string;
  release_date: string;
  notes: string;
  [key: string]: string;
}

const valuesOf = (tier: Tier | null, price: Price): Values => ({
  ...rateValues(tier),
  label: tier?.label ?? '',
  min_input_tokens: String(tier ? tier.min_input_tokens ?? '' : nextStart(price)),
  max_input_tokens: String(tier?.max_input_tokens ?? ''),
  source_url: tier?.source_url ?? '',
  checked_at: tier?.checked_at ?? '',
  release_date: tier?.release_date ?? '',
  notes: tier?.notes ?? '',
});

/* Where a new tier would go on. */
const nextStart = (price: Price) => price.tiers.reduce<number | ''>((at, t) => (t.max_input_tokens !== null && t.max_input_tokens > Number(at) ? t.max_input_tokens : at), '');

const rangeOf = (v: Values) => ({ min_input_tokens: tokens(v.min_input_tokens), max_input_tokens: tokens(v.max_input_tokens) });

function TierForm(props: { price: Price; tier: Tier | null; saved(): Promise<void>; close(): void }) {
  const { price, tier } = props;
  const others = price.tiers.filter((t) => t.id !== tier?.id);
  const check = (v: Values): Problems<Values> => {
    const found: Problems<Values> = {
      min_input_tokens: tokensProblem(v.min_input_tokens),
      max_input_tokens: tokensProblem(v.max_input_tokens),
      ...rateProblems(v),
    };
    if (!found.min_input_tokens && !found.max_input_tokens) found.max_input_tokens = rangeProblem(rangeOf(v), others);
    return found;
  };
  const form = useForm<Values>(valuesOf(tier, price), {
    name: tier ? `Tier ${tier.label ?? rangeText(tier)}` : 'New tier',
    within: 'price',
    check,
    fields: [[/^min_input/, 'min_input_tokens'], [/^max_input|overlap/, 'max_input_tokens'], ...rateFields],
    async save(v) {
      const body = { ...v, ...rangeOf(v), updated_at: price.updated_at ?? undefined };
      if (tier) await send('PUT', `/admin/api/pricing/tiers/${tier.id}`, body);
      else await send('POST', `/admin/api/pricing/prices/${price.id}/tiers`, body);
      await props.saved();
    },
    done: props.close,
  });
  return (
    <Form form={form} verb={tier ? 'Save tier' : 'Add tier'} more={!form.dirty && <button type="button" onClick={props.close}>Cancel</button>}>
      <TextField form={form} name="label" label="Label" placeholder="up to 128k" />
      <div class="pair">
        <TextField form={form} name="min_input_tokens" label="From input tokens" numeric placeholder="0" />
        <TextField form={form} name="max_input_tokens" label="Below input tokens" numeric placeholder="no end" />
      </div>
      <div class="pair">{MAIN_RATES.map(([name, text]) => (
        <TextField key={name} form={form} name={name} label={`${text} / 1M`} required={name !== 'cached_input_usd_per_million'} />
      ))}</div>
      <details>
        <summary>More rates, source and notes</summary>
        <div class="form">
          {MORE_RATES.map(([name, text]) => <TextField key={name} form={form} name={name} label={`${text} / 1M`} />)}
          <TextField form={form} name="source_url" label="Source URL" />
          <div class="pair">
            <TextField form={form} name="checked_at" label="Checked at" placeholder="2026-11-24" />
            <TextField form={form} name="release_date" label="Released" placeholder="2026-11-24" />
          </div>
          <TextField form={form} name="notes" label="Notes" lines={2} />
        </div>
      </details>
    </Form>
  );
}

export function Tiers({ price, saved }: { price: Price; saved(): Promise<void> }) {
  const open = useSignal<number | 'new' | null>(null);
  const remove = async (tier: Tier) => {
    const name = tier.label ?? rangeText(tier);
    const sure = await confirmed({
      title: 'Delete this tier?',
      text: <>“<bdi>{name}</bdi>” of <bdi>{price.model}</bdi>. What was priced with it keeps its cost.</>,
      verb: 'Delete tier',
      danger: true,
    });
    if (!sure) return;
    try {
      await send('DELETE', `/admin/api/pricing/tiers/${tier.id}`);
      toast(`Tier ${name} was deleted.`);
    } catch (error) {
      toast((error as Error).message);
    }
    await saved();
  };
  return (
    <section class="sheetpart" aria-label="Tiers">
      <h3>Tiers</h3>
      {price.tiers.length === 0
        ? <p class="muted">None: these rates count for every number of input tokens.</p>
        : <RangeBar price={price} on={typeof open.value === 'number' ? open.value : null} />}
      <ul class="tiers">
        {price.tiers.map((tier) => (
          <li key={tier.id} class={open.value === tier.id ? 'on' : ''}>
            <div class="bar">
              <b><bdi>{tier.label ?? rangeText(tier)}</bdi></b>
              <span class="right">
                <button class="quiet" aria-expanded={open.value === tier.id} aria-label={`Edit tier ${tier.label ?? rangeText(tier)}`}
                  onClick={() => (open.value = open.value === tier.id ? null : tier.id)}>Edit</button>
                <button class="quiet" aria-label={`Delete tier ${tier.label ?? rangeText(tier)}`} onClick={() => remove(tier)}>Delete</button>
              </span>
            </div>
            <small>{rangeText(tier)}</small>
            <span>{MAIN_RATES.map(([name, text]) => `${text} ${rateShown(tier[name])}`).join(' · ')}</span>
            <small>Checked {tier.checked_at ?? '-'}, released {tier.release_date ?? '-'}</small>
            {open.value === tier.id && <TierForm price={price} tier={tier} saved={saved} close={() => (open.value = null)} />}
          </li>
        ))}
      </ul>
      {open.value === 'new'
        ? <TierForm price={price} tier={null} saved={saved} close={() => (open.value = null)} />
        : <button type="button" onClick={() => (open.value = 'new')}>Add tier</button>}
    </section>
  );
}
