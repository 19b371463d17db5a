/* Settings in short, which all sections show parts of. */
import type { ComponentChildren } from 'preact';
import { signal, useSignal } from '@preact/signals';
import { get } from '../../api';
import { query } from '../../router';
import type { Summary } from './types';

export const summary = signal<Summary | null>(null);

/** Days of the retention preview and of what counts as recent, from the address. */
export function days(): number {
  const n = Number(query.value.get('days') ?? 30);
  return Number.isInteger(n) && n >= 1 && n <= 3650 ? n : 30;
}

export async function reloadSummary() {
  summary.value = await get<Summary>(`/admin/api/settings/summary?days=${days()}`);
}

export interface SummaryCard {
  label: string;
  value: string | null | undefined;
  note?: ComponentChildren;
  strong?: boolean;
}

const SAID_MS = 1200;

function Card(props: SummaryCard) {
  const said = useSignal('');
  const text = props.value || '-';
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.value = 'Copied';
    } catch {
      said.value = 'Not copied';
    }
    setTimeout(() => (said.value = ''), SAID_MS);
  };
  return (
    <div class={props.strong ? 'sum strong' : 'sum'}>
      <dt>{props.label}</dt>
      <dd>
        <button class="value" title={`${text}\nClick to copy`} onClick={copy}><bdi>{said.value || text}</bdi></button>
        {props.note && <small>{props.note}</small>}
      </dd>
    </div>
  );
}

/** The fallback in a few words. */
export function fallbackText(facts: Summary | null): string | undefined {
  if (!facts) return undefined;
  const { default_provider_name: provider, default_model: model } = facts.upstream;
  return provider || model ? `${provider ?? 'no provider'} / ${model ?? 'no model'}` : 'None';
}

/** The four numbers at the top of a section. */
export function SummaryCards({ cards }: { cards: SummaryCard[] }) {
  return <dl class="sums">{cards.map((c) => <Card key={c.label} {...c} />)}</dl>;
}
