/* "Showing 1–50 of 12,345", and links to other pages. */
import type { Pagination } from '../api-types';

const SIZES = [25, 50, 100, 200];

export function Pages(props: { p: Pagination; sizes?: number[]; url(page: number): string; perPage(n: number): void }) {
  const { p, sizes = SIZES } = props;
  const around = [];
  for (let n = Math.max(1, p.page - 2); n <= Math.min(p.total_pages, p.page + 2); n++) around.push(n);
  return (
    <nav class="pages" aria-label="Pages">
      <span>Showing {p.start.toLocaleString()}–{p.end.toLocaleString()} of {p.total.toLocaleString()}</span>
      <label>
        <select value={String(p.per_page)} onChange={(e) => props.perPage(Number(e.currentTarget.value))}>
          {(sizes.includes(p.per_page) ? sizes : [...sizes, p.per_page]).map((n) => <option key={n} value={String(n)}>{n}</option>)}
        </select> a page
      </label>
      <span class="links">
        {p.page > 3 && <a href={props.url(1)}>1 …</a>}
        {p.has_previous && <a href={props.url(p.page - 1)} rel="prev">Previous</a>}
        {around.map((n) => <a key={n} href={props.url(n)} aria-current={n === p.page ? 'page' : undefined}>{n}</a>)}
        {p.has_next && <a href={props.url(p.page + 1)} rel="next">Next</a>}
        {p.page < p.total_pages - 2 && <a href={props.url(p.total_pages)}>… {p.total_pages.toLocaleString()}</a>}
      </span>
    </nav>
  );
}
