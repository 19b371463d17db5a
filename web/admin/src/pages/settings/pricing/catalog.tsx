/* Prices of the routers: fetched, compared with what is stored, and taken row by row. */
import { signal, useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { ask } from '../../../api';
import { PreviewTable } from './previewtable';
import type { CatalogApplied, CatalogPreview } from './types';

const SOURCES: [string, string][] = [['huggingface-router', 'Hugging Face Router'], ['openrouter', 'OpenRouter']];

/* Kept while the person looks at another section. */
const source = signal(SOURCES[0]![0]);
const search = signal('');
const limit = signal('25');
const base = signal(true);
const provider = signal(true);
const reprice = signal(true);
const preview = signal<CatalogPreview | null>(null);
const ticked = signal<ReadonlySet<string>>(new Set());

const plural = (n: number, one: string) => `${n.toLocaleString()} ${one}${n === 1 ? '' : 's'}`;

function show(fresh: CatalogPreview) {
  preview.value = fresh;
  ticked.value = new Set(fresh.items.filter((item) => item.selected).map((item) => item.key));
}

const summaryOf = (a: CatalogApplied) =>
  `${plural(a.applied, 'price')} applied: ${a.created} created, ${a.updated} updated, ${a.unchanged} unchanged. ` +
  `${plural(a.repriced_missing, 'request')} got a cost.`;

function Check({ label, value }: { label: string; value: typeof base }) {
  return (
    <label class="check">
      <input type="checkbox" checked={value.value} onChange={(e) => (value.value = e.currentTarget.checked)} /> {label}
    </label>
  );
}

export function CatalogSync({ applied }: { applied(): Promise<void> }) {
  const busy = useSignal<'preview' | 'apply' | null>(null);
  const error = useSignal('');
  const said = useSignal('');
  const abort = useRef<AbortController | null>(null);
  const wrongLimit = !/^\d+$/.test(limit.value.trim()) || Number(limit.value) < 1 || Number(limit.value) > 100;

  const call = async <T,>(what: 'preview' | 'apply', body: unknown): Promise<T | null> => {
    const mine = (abort.current = new AbortController());
    busy.value = what;
    error.value = said.value = '';
    try {
      return (await ask<T>('POST', `/admin/api/pricing/catalog/${what}`, { body, signal: mine.signal })).data;
    } catch (caught) {
      error.value = mine.signal.aborted ? 'Stopped. Nothing was stored.' : (caught as Error).message;
      return null;
    } finally {
      busy.value = null;
    }
  };
  const fetchRows = async () => {
    const found = await call<CatalogPreview>('preview', {
      source: source.value,
      search: search.value,
      limit: Number(limit.value),
      include_base_rows: base.value,
      include_provider_rows: provider.value,
    });
    if (found) show(found);
  };
  const apply = async () => {
    const done = await call<CatalogApplied>('apply', {
      keys: [...ticked.value],
      preview_id: preview.value!.preview_id,
      reprice_missing: reprice.value,
    });
    if (!done) return;
    show({ ...done.preview, preview_id: preview.value!.preview_id });
    said.value = [summaryOf(done), ...done.warnings].join(' ');
    await applied();
  };

  const rows = preview.value;
  return (
    <section class="card" aria-label="Catalog sync" aria-busy={busy.value !== null}>
      <header><h2>Catalog sync</h2><span class="muted">fetches a public list of prices; nothing is stored before you apply it</span></header>
      <form class="fields" onSubmit={(e) => { e.preventDefault(); if (!busy.value && !wrongLimit) fetchRows(); }}>
        <label class="field"><span>Source</span>
          <select value={source.value} onChange={(e) => (source.value = e.currentTarget.value)}>
            {SOURCES.map(([slug, name]) => <option key={slug} value={slug}>{name}</option>)}
          </select>
        </label>
        <label class="field grow"><span>Search</span>
          <input value={search.value} placeholder="qwen3" autocomplete="off" spellcheck={false} onInput={(e) => (search.value = e.currentTarget.value)} />
        </label>
        <label class="field"><span>Model limit</span>
          <input value={limit.value} inputMode="numeric" size={5} aria-invalid={wrongLimit || undefined} aria-describedby="limit-why"
            onInput={(e) => (limit.value = e.currentTarget.value)} />
          {wrongLimit && <span class="why" id="limit-why" role="alert">1 to 100</span>}
        </label>
        <Check label="Base rows" value={base} />
        <Check label="Provider rows" value={provider} />
        <button class="primary" disabled={busy.value !== null || wrongLimit}>{busy.value === 'preview' ? 'Fetching…' : 'Preview'}</button>
        {busy.value === 'preview' && <button type="button" onClick={() => abort.current?.abort()}>Stop</button>}
      </form>
      {error.value && <p role="alert" class="alert">{error.value}</p>}
      {said.value && <p role="status" class="notice">{said.value}</p>}
      {rows && rows.total === 0 && <p class="muted">No priced model of this source is like that.</p>}
      {rows && rows.total > 0 && (
        <>
          <PreviewTable preview={rows} ticked={ticked} />
          <div class="bar">
            <button class="primary" disabled={busy.value !== null || ticked.value.size === 0} onClick={apply}>
              {busy.value === 'apply' ? 'Applying…' : ticked.value.size ? `Apply ${ticked.value.size} selected` : 'Apply selected'}
            </button>
            <Check label="Reprice missing: requests without a cost get one" value={reprice} />
          </div>
        </>
      )}
    </section>
  );
}
