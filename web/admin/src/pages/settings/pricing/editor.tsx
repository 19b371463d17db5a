/* One price and its tiers in the side sheet. */
import { get, send } from '../../../api';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { go, query, withQuery } from '../../../router';
import { CheckField, Form, SelectField, TextField, useForm, type Problems } from '../../../ui/form';
import { useLoaded } from '../../../ui/loaded';
import { Sheet } from '../../../ui/sheet';
import type { Provider } from '../providers/types';
import { rateFields, rateProblems, rateValues, Tiers } from './tiers';
import { MAIN_RATES, MORE_RATES, type Price } from './types';

export const NEW = 'new';

const valuesOf = (p: Price | null, providers: Provider[]) => ({
  ...rateValues(p),
  provider_slug: p?.provider_slug ?? query.value.get('of') ?? providers[0]?.slug ?? '',
  model: p?.model ?? query.value.get('model') ?? '',
  display_name: p?.display_name ?? '',
  aliases: p?.aliases.join('\n') ?? '',
  notes: p?.notes ?? '',
  active: p?.active ?? true,
});
type Values = ReturnType<typeof valuesOf>;

const problemsOf = (v: Values): Problems<Values> => ({
  ...rateProblems(v),
  model: v.model.trim() ? '' : 'A model is needed.',
  provider_slug: v.provider_slug ? '' : 'A provider is needed.',
});

/* Requests that went to this provider with this model, or a name of it. */
const usesOf = (p: Price) =>
  `provider:${JSON.stringify(p.provider_slug)} (${[p.model, ...p.aliases].map((m) => `sent:${JSON.stringify(m)}`).join(' or ')})`;

function Uses({ price }: { price: Price }) {
  const text = useSignal('');
  const where = encodeURIComponent(usesOf(price));
  useEffect(() => {
    get<{ pagination: { total: number; total_is_minimum?: boolean } }>(`/admin/api/requests?facets=0&per_page=1&where=${where}`).then(
      ({ pagination: { total, total_is_minimum } }) =>
        (text.value = `${total.toLocaleString()}${total_is_minimum ? ' or more' : ''} ${total === 1 ? 'request' : 'requests'}`),
      () => (text.value = 'requests'));
  }, [where]);
  return <>Used by <a href={`/admin?where=${where}`}>{text.value || '…'}</a></>;
}

const isLink = (url: string) => /^https?:\/\//i.test(url);

function Origin({ price: p }: { price: Price }) {
  return (
    <dl class="facts">
      <div><dt>Source</dt><dd>{p.source_url
        ? isLink(p.source_url) ? <a href={p.source_url} target="_blank" rel="noopener noreferrer"><bdi>{p.source_url}</bdi></a> : <bdi>{p.source_url}</bdi>
        : p.seeded ? 'comes with the program' : '-'}</dd></div>
      <div><dt>Checked</dt><dd>{p.checked_at ?? '-'}</dd></div>
      <div><dt>Released</dt><dd>{p.release_date ?? '-'}</dd></div>
      <div><dt>Use</dt><dd><Uses price={p} /></dd></div>
      {p.edited && <div><dt>Edited</dt><dd>by hand; a catalogue changes it only when you tick it</dd></div>}
    </dl>
  );
}

function PriceForm(props: { price: Price | null; providers: Provider[]; saved(): Promise<void> }) {
  const { price, providers } = props;
  const made = useSignal<number | null>(null);
  const form = useForm<Values>(valuesOf(price, providers), {
    name: price ? `Price of ${price.model}` : 'New price',
    within: 'price',
    check: problemsOf,
    fields: [[/provider/i, 'provider_slug'], [/^model\b|exists already|Another price/i, 'model'], [/alias/i, 'aliases'], ...rateFields],
    async save(v) {
      const body = { ...v, updated_at: price?.updated_at ?? undefined };
      const stored = await send<Price>(price ? 'PUT' : 'POST', `/admin/api/pricing/prices${price ? `/${price.id}` : ''}`, body);
      made.value = stored.id;
      await props.saved();
    },
    done() {
      if (!price) go(withQuery({ price: made.value, of: null, model: null }), true);
    },
  });
  return (
    <Form form={form} verb="Save price">
      <SelectField form={form} name="provider_slug" label="Provider" options={providers.map((p) => [p.slug, p.name])} />
      <TextField form={form} name="model" label="Model" required />
      <TextField form={form} name="display_name" label="Display name" />
      <div class="pair">{MAIN_RATES.map(([name, text]) => (
        <TextField key={name} form={form} name={name} label={`${text}, USD / 1M`} required={name !== 'cached_input_usd_per_million'} />
      ))}</div>
      <details>
        <summary>More rates</summary>
        <div class="pair">{MORE_RATES.map(([name, text]) => <TextField key={name} form={form} name={name} label={`${text}, USD / 1M`} />)}</div>
      </details>
      <TextField form={form} name="aliases" label="Aliases" lines={3} help="Other names of the model, one a line." />
      <TextField form={form} name="notes" label="Notes" lines={2} />
      <CheckField form={form} name="active" label="Active" />
    </Form>
  );
}

export function PriceEditor(props: { id: string; providers: Provider[]; saved(): Promise<void>; close(): void }) {
  const isNew = props.id === NEW;
  const one = useLoaded<Price>(() => (isNew ? null : `/admin/api/pricing/prices/${encodeURIComponent(props.id)}`));
  const price = one.data.value;
  const error = one.error.value;
  const saved = async () => {
    await Promise.all([isNew ? null : one.reload(), props.saved()]);
  };
  return (
    <Sheet title={isNew ? 'New price' : price ? `${price.provider_name}: ${price.model}` : 'Price'} close={props.close}>
      {error && <p role="alert" class="alert">{error.status === 404 ? 'There is no such price.' : error.message}</p>}
      {price && <Origin price={price} />}
      {(isNew || price) && props.providers.length > 0 && <PriceForm price={price} providers={props.providers} saved={saved} />}
      {price && <Tiers price={price} saved={saved} />}
    </Sheet>
  );
}
