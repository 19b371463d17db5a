/* The usage of a run at other prices. What is compared is in the address. */
import { useSignal } from '@preact/signals';
import * as format from '../../format';
import type { Resource } from '../../live';
import { go, query, withQuery } from '../../router';
import { Copy } from '../../ui/copy';
import { Skeleton } from '../../ui/skeleton';
import { Count, Usd } from './parts';
import type { PriceOption, RunDetail, Scenario, WhatIf } from './types';

const compare = (keys: string[]) => go(withQuery({ key: keys.length ? keys : [''] }));

/* By its key or name, or as the only one that has all the words. */
function find(options: PriceOption[], text: string): PriceOption | undefined {
  const wanted = text.trim().toLowerCase();
  const exact = options.find((o) => [o.key, o.label, o.model].some((name) => name.toLowerCase() === wanted));
  if (exact || !wanted) return exact;
  const words = wanted.split(/\s+/);
  const some = options.filter((o) => words.every((word) => o.search_text.toLowerCase().includes(word)));
  return some.length === 1 ? some[0] : undefined;
}

function Picker({ data }: { data: WhatIf }) {
  const text = useSignal('');
  const why = useSignal('');
  const add = () => {
    const found = find(data.options, text.value);
    if (!found) why.value = 'Choose one of the active prices.';
    else if (data.selected_keys.includes(found.key)) why.value = `${found.label} is already compared.`;
    else {
      text.value = why.value = '';
      compare([...data.selected_keys, found.key]);
    }
  };
  return (
    <form class="bar picker" onSubmit={(e) => { e.preventDefault(); add(); }}>
      <label class="field wide">
        <span>Model to compare with</span>
        <input value={text.value} list="prices" placeholder="Name, provider or model" autocomplete="off"
          disabled={data.options.length === 0} aria-invalid={why.value ? true : undefined} aria-describedby="picker-hint"
          onInput={(e) => { text.value = e.currentTarget.value; why.value = ''; }} />
      </label>
      <datalist id="prices">
        {data.options.map((o) => <option key={o.key} value={o.key}>{o.label}, {o.provider_name}</option>)}
      </datalist>
      <button class="primary" disabled={data.options.length === 0}>Compare</button>
      <span class="muted">{data.compared_count} compared</span>
      <span id="picker-hint" class={why.value ? 'why' : 'muted'} role={why.value ? 'alert' : undefined}>
        {why.value || 'The tokens of this run, priced request by request; stored costs do not change.'}
      </span>
    </form>
  );
}

const HEADS = [
  'Scenario', 'Input tokens', 'Cached input', 'Output tokens', 'Input / 1M', 'Cached / 1M', 'Output / 1M', 'Input cost',
  'Output cost', 'Total cost', 'Difference', 'Included', 'Missing usage',
];

function Rates({ s }: { s: Scenario }) {
  if (s.mixed_tiers) return <td class="num" colSpan={3} title="The tier depended on the size of the request">Mixed tiers</td>;
  return (
    <>
      <td class="num"><Usd n={s.input_usd_per_million} /></td>
      <td class="num"><Usd n={s.cached_input_usd_per_million} /></td>
      <td class="num"><Usd n={s.output_usd_per_million} /></td>
    </>
  );
}

function Row(props: { s: Scenario; baseline: number | null; remove(): void }) {
  const { s, baseline } = props;
  return (
    <tr>
      <th scope="row" title={s.notes ?? undefined}>
        <bdi>{s.label}</bdi> <small><bdi>{s.provider_name} / {s.model}</bdi></small>
        <button class="quiet" onClick={props.remove}>Remove<span class="sr-only"> {s.label}</span></button>
      </th>
      <td class="num"><Count n={s.input_tokens} /></td>
      <td class="num"><Count n={s.cached_input_tokens} /></td>
      <td class="num"><Count n={s.output_tokens} /></td>
      <Rates s={s} />
      <td class="num"><Usd n={s.input_cost_usd} /></td>
      <td class="num"><Usd n={s.output_cost_usd} /></td>
      <td class="num"><b><Usd n={s.total_cost_usd} /></b></td>
      <td class="num">{baseline !== null && s.total_cost_usd !== null ? format.delta(baseline, s.total_cost_usd) : '-'}</td>
      <td class="num"><Count n={s.included_request_count} /></td>
      <td class="num"><Count n={s.missing_usage_request_count} /></td>
    </tr>
  );
}

function Baseline({ d, data }: { d: RunDetail; data: WhatIf }) {
  const s = d.stats;
  const base = data.baseline;
  const priced = s.request_count - s.pending_count - s.unpriced_request_count;
  return (
    <tr class="baseline">
      <th scope="row">
        {base?.label ?? 'Current run'} <small><bdi>{base ? `${base.provider_name} / ${base.model}` : 'no request has a price'}</bdi></small>
      </th>
      <td class="num"><Count n={s.tokens.input.value} /></td>
      <td class="num"><Count n={s.cached_input_tokens} /></td>
      <td class="num"><Count n={s.tokens.output.value} /></td>
      <td class="num" colSpan={3}>as stored</td>
      <td class="num">-</td>
      <td class="num">-</td>
      <td class="num"><b><Usd n={base?.total_cost_usd ?? null} /></b></td>
      <td class="num">baseline</td>
      <td class="num"><Count n={priced} /></td>
      <td class="num"><Count n={s.unpriced_request_count} /></td>
    </tr>
  );
}

/* Numbers as they are, texts in quotes. */
function csv(d: RunDetail, data: WhatIf): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const cell = (value: string | number | null) => (typeof value === 'string' ? quoted(value) : value ?? '');
  const base = data.baseline?.total_cost_usd ?? null;
  const t = d.stats.tokens;
  const lines: (string | number | null)[][] = [
    ['Scenario', 'Provider', 'Model', ...HEADS.slice(1)],
    ['Current run', data.baseline?.provider_name ?? '', data.baseline?.model ?? '', t.input.value, d.stats.cached_input_tokens,
      t.output.value, null, null, null, null, null, base, null, d.stats.request_count - d.stats.pending_count - d.stats.unpriced_request_count,
      d.stats.unpriced_request_count],
    ...data.scenarios.map((s) => [
      s.label, s.provider_name, s.model, s.input_tokens, s.cached_input_tokens, s.output_tokens,
      ...(s.mixed_tiers ? ['Mixed tiers', 'Mixed tiers', 'Mixed tiers']
        : [s.input_usd_per_million, s.cached_input_usd_per_million, s.output_usd_per_million]),
      s.input_cost_usd, s.output_cost_usd, s.total_cost_usd,
      base !== null && s.total_cost_usd !== null ? Number((s.total_cost_usd - base).toPrecision(12)) : null,
      s.included_request_count, s.missing_usage_request_count,
    ]),
  ];
  return lines.map((line) => line.map(cell).join(',')).join('\r\n') + '\r\n';
}

/* What the server says of the selection, but nobody asked when the last one was taken away. */
function message(data: WhatIf): string | null {
  const keys = query.value.getAll('key');
  if (data.options.length && keys.length && keys.every((key) => !key)) return 'Nothing is compared. Choose a model above.';
  return data.message;
}

export function Comparison({ d, whatIf }: { d: RunDetail; whatIf: Resource<WhatIf> }) {
  const data = whatIf.data.value;
  const error = whatIf.error.value;
  if (error && !data)
    return (
      <p role="alert" class="alert">
        The comparison is not available: {error.message} <button onClick={whatIf.refresh}>Try again</button>
      </p>
    );
  if (!data) return <Skeleton rows={4} />;
  const said = message(data);
  return (
    <>
      <Picker data={data} />
      {error && <p role="alert" class="alert">The comparison could not be renewed: {error.message}</p>}
      {said && <p class="notice" role="status">{said}</p>}
      <section class="rows box" aria-label="Comparison" tabIndex={0}>
        <table class="whatif">
          <thead><tr>{HEADS.map((head, i) => <th key={head} scope="col" class={i ? 'num' : ''}>{head}</th>)}</tr></thead>
          <tbody>
            <Baseline d={d} data={data} />
            {data.scenarios.map((s) => (
              <Row key={s.key} s={s} baseline={data.baseline?.total_cost_usd ?? null}
                remove={() => compare(data.selected_keys.filter((key) => key !== s.key))} />
            ))}
          </tbody>
        </table>
      </section>
      <div class="bar"><Copy label="Copy as CSV" text={() => csv(d, data)} /></div>
    </>
  );
}
