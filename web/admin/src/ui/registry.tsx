/* A table of things that can be edited: filters above it, in the address; pages below; the rows in
 * a box of their own, so that the page stays short. */
import type { ComponentChildren } from 'preact';
import { go, query, withQuery } from '../router';
import { SelectFilter, TextFilter } from './controls';
import { Pages } from './pages';
import { Skeleton } from './skeleton';

/** What lists of settings answer. */
export interface SimplePage<T> {
  items: T[];
  page: number;
  per_page: number;
  total: number;
  pages: number;
}

export interface Column<T> {
  name: string;
  show(row: T): ComponentChildren;
  class?: string; /* "num"; "minor" goes first when there is little room */
}

const SIZES = [25, 50, 100];

const value = (key: string) => query.value.get(key) ?? '';
const set = (key: string, to: string) => go(withQuery({ [key]: to || null, page: null }));

/** Filters by name of their parameter; the first is the search. */
export function RegistryFilters(props: {
  placeholder: string;
  selects: { name: string; label: string; any: string; options: [string, string][] }[];
}) {
  const on = ['search', ...props.selects.map((s) => s.name)].some(value);
  const none = Object.fromEntries(['search', 'page', ...props.selects.map((s) => s.name)].map((k) => [k, null]));
  return (
    <div class="registryfilters">
      <TextFilter label="Search" value={value('search')} change={(v) => set('search', v)} search wide
        placeholder={props.placeholder} />
      {props.selects.map((s) => (
        <SelectFilter key={s.name} label={s.label} any={s.any} options={s.options} value={value(s.name)}
          change={(v) => set(s.name, v)} />
      ))}
      {on && <button onClick={() => go(withQuery(none))}>Reset</button>}
    </div>
  );
}

/** The parameters of the address that a list of names takes, as a query. */
export function listQuery(names: string[], fixed: Record<string, string> = {}): string {
  const params = new URLSearchParams(fixed);
  for (const name of [...names, 'page', 'per_page']) if (value(name)) params.set(name, value(name));
  const text = params.toString();
  return text ? `?${text}` : '';
}

function Row<T>(props: { row: T; columns: Column<T>[]; href: string | null; on: boolean }) {
  const { row, href } = props;
  const [first, ...rest] = props.columns;
  const open = (event: MouseEvent) => {
    if (!href || (event.target as Element).closest('a, button, input, label')) return;
    if (getSelection()?.isCollapsed ?? true) go(href);
  };
  return (
    <tr class={props.on ? 'on' : ''} onClick={open}>
      <th scope="row">{href ? <a href={href} aria-current={props.on ? 'true' : undefined}>{first!.show(row)}</a> : first!.show(row)}</th>
      {rest.map((c) => <td key={c.name} class={c.class} data-name={c.name}>{c.show(row)}</td>)}
    </tr>
  );
}

export function Registry<T>(props: {
  label: string;
  list: SimplePage<T> | null;
  columns: Column<T>[];
  id(row: T): string;
  /** Where the editor of a row is; null: it has none. */
  href?(row: T): string | null;
  on?: string | null; /* the id of the row that is edited */
  empty: ComponentChildren;
}) {
  const { list } = props;
  if (!list) return <Skeleton rows={8} />;
  if (!list.items.length) return <div class="empty">{props.empty}</div>;
  const start = (list.page - 1) * list.per_page + 1;
  const pagination = {
    page: list.page, per_page: list.per_page, total: list.total, total_pages: list.pages, start,
    end: start + list.items.length - 1, has_previous: list.page > 1, has_next: list.page < list.pages,
  };
  return (
    <>
      <div class="registry" role="region" aria-label={props.label} tabIndex={0}>
        <table>
          <thead><tr>{props.columns.map((c) => <th key={c.name} scope="col" class={c.class}>{c.name}</th>)}</tr></thead>
          <tbody>
            {list.items.map((row) => (
              <Row key={props.id(row)} row={row} columns={props.columns} href={props.href?.(row) ?? null}
                on={props.id(row) === props.on} />
            ))}
          </tbody>
        </table>
      </div>
      <Pages p={pagination} sizes={SIZES} url={(page) => withQuery({ page: page > 1 ? page : null })}
        perPage={(n) => go(withQuery({ per_page: n === 25 ? null : n, page: null }))} />
    </>
  );
}
