/* The requests of a run. */
import { signal } from '@preact/signals';
import { go, withQuery } from '../../router';
import { Pages } from '../../ui/pages';
import { useRowKeys } from '../requests/rows';
import { RequestTable } from '../requests/table';
import type { RunDetail } from './types';

const selected = signal<number | null>(null);

const NARROWED = [['error=1', 'Errors'], ['slow=1', 'Slow >10s'], ['stream=1', 'Streams'], ['tool=1', 'Tools']] as const;

export function Traffic({ d }: { d: RunDetail }) {
  useRowKeys(d.items, selected, true);
  return (
    <>
      <div class="bar">
        <span class="muted">Requests of this run in the browser:</span>
        <a class="button" href={`/admin?run=${d.run.id}`}>All</a>
        {NARROWED.map(([filter, text]) => <a key={filter} class="button" href={`/admin?run=${d.run.id}&${filter}`}>{text}</a>)}
      </div>
      <section class="rows" aria-label="Requests">
        <RequestTable rows={d.items} selected={selected} compact={false} ofRun />
        <Pages p={d.pagination} url={(page) => withQuery({ page: page > 1 ? page : null })}
          perPage={(n) => go(withQuery({ per_page: n === 50 ? null : n, page: null }))} />
      </section>
    </>
  );
}
