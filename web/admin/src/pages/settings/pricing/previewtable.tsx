/* The rows of a catalogue beside what is stored, and which of them are taken. */
import type { Signal } from '@preact/signals';
import * as format from '../../../format';
import { rateChanged, rateShown, rateText } from './rates';
import { MAIN_RATES, MORE_RATES, type CatalogItem, type CatalogPreview, type RateName } from './types';

const TONE = { new: 'ok', update: 'stream', unchanged: '' };

function Rate({ item, name }: { item: CatalogItem; name: RateName }) {
  const old = item.stored?.[name] ?? null;
  const fresh = item[name];
  if (!item.stored || !rateChanged(old, fresh)) return <span title={rateText(fresh) || 'not known'}>{rateShown(fresh)}</span>;
  return (
    <span class="changed" title={`${rateText(old) || 'not known'} → ${rateText(fresh) || 'not known'}`}>
      <del>{rateShown(old)}</del> → <ins>{rateShown(fresh)}</ins>
    </span>
  );
}

/* Changes of rates that have no column of their own. */
function MoreRates({ item }: { item: CatalogItem }) {
  const changed = MORE_RATES.filter(([name]) => item.stored && rateChanged(item.stored[name], item[name]));
  return <>{changed.map(([name, text]) => <div key={name}><small>{text}</small> <Rate item={item} name={name} /></div>)}</>;
}

function Row({ item, on, toggle }: { item: CatalogItem; on: boolean; toggle(): void }) {
  return (
    <tr class={on ? 'on' : ''}>
      <td class="tick"><label><input type="checkbox" checked={on} onChange={toggle} aria-label={`Apply ${item.key}`} /></label></td>
      <td data-name="Status">
        <span class={`pill ${TONE[item.status]}`}>{item.status}</span>
        {item.edited && <span class="pill warn" title="You changed this price by hand. It is not ticked, so that your change stays.">edited by you</span>}
      </td>
      <th scope="row"><bdi>{item.model}</bdi>{item.display_name && <small><br /><bdi>{item.display_name}</bdi></small>}</th>
      <td data-name="Endpoint">{item.external_provider ? <bdi>{item.external_provider}</bdi> : <span class="muted">{item.row_kind}</span>}</td>
      {MAIN_RATES.map(([name, text]) => (
        <td key={name} class="num" data-name={`${text} / 1M`}>
          <Rate item={item} name={name} />
          {name === 'output_usd_per_million' && <MoreRates item={item} />}
        </td>
      ))}
      <td class="num" data-name="Context" title={item.context_length === null ? undefined : String(item.context_length)}>{format.count(item.context_length)}</td>
      <td data-name="Tools">{item.supports_tools === null ? '-' : item.supports_tools ? 'Yes' : 'No'}</td>
      <td data-name="Checked">{item.checked_at ?? '-'}</td>
    </tr>
  );
}

const of = (items: CatalogItem[], wanted: (item: CatalogItem) => boolean) => new Set(items.filter(wanted).map((item) => item.key));

export function PreviewTable({ preview, ticked }: { preview: CatalogPreview; ticked: Signal<ReadonlySet<string>> }) {
  const { items, counts } = preview;
  const toggle = (key: string) => {
    const next = new Set(ticked.value);
    if (!next.delete(key)) next.add(key);
    ticked.value = next;
  };
  return (
    <>
      <div class="bar">
        <span role="status"><b>{preview.total}</b> rows: {counts.new} new, {counts.update} updates, {counts.unchanged} unchanged</span>
        <span class="right" role="group" aria-label="Select">
          <button onClick={() => (ticked.value = of(items, () => true))}>All</button>
          <button onClick={() => (ticked.value = new Set())}>None</button>
          <button onClick={() => (ticked.value = of(items, (item) => item.status === 'update'))}>Only updates</button>
        </span>
      </div>
      <div class="registry" tabIndex={0} role="region" aria-label="Rows of the catalogue">
        <table>
          <thead>
            <tr>
              <th scope="col">Apply</th><th scope="col">Status</th><th scope="col">Model</th><th scope="col">Endpoint</th>
              {MAIN_RATES.map(([name, text]) => <th key={name} scope="col" class="num">{text} / 1M</th>)}
              <th scope="col" class="num">Context</th><th scope="col">Tools</th><th scope="col">Checked</th>
            </tr>
          </thead>
          <tbody>{items.map((item) => <Row key={item.key} item={item} on={ticked.value.has(item.key)} toggle={() => toggle(item.key)} />)}</tbody>
        </table>
      </div>
    </>
  );
}
