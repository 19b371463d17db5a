/* What is stored, and how much of the disk it takes. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { send } from '../../api';
import * as format from '../../format';
import { visible } from '../../live';
import { confirmed } from '../../ui/dialog';
import { Facts } from '../../ui/facts';
import { useLoaded } from '../../ui/loaded';
import { Time } from '../../ui/time';
import { toast } from '../../ui/toast';
import { RetentionCard } from './retention';
import { SummaryCards, days, fallbackText, summary } from './summary';

interface Storage {
  database: string;
  rows: number;
  runs: number;
  images: number;
  oldest_at: string | null;
  newest_at: string | null;
  db_bytes: number | null;
  wal_bytes: number | null;
  free_bytes: number;
  body_bytes: number | null;
  stored_body_bytes: number | null;
  disk_free_bytes: number | null;
  rows_older_than_retention: number;
}

const REFRESH_MS = 10000;

const size = (n: number | null) =>
  n === null ? '-' : <span title={`${n.toLocaleString()} bytes`}>{format.bytes(n)}</span>;

function Stats({ s }: { s: Storage }) {
  return (
    <Facts rows={[
      ['Records', <span title={String(s.rows)}>{s.rows.toLocaleString()}</span>],
      ['Runs', s.runs.toLocaleString()],
      ['Images', s.images.toLocaleString()],
      ['Oldest record', <Time iso={s.oldest_at} />],
      ['Newest record', <Time iso={s.newest_at} />],
      ['Database file', size(s.db_bytes)],
      ['Write-ahead log', size(s.wal_bytes)],
      ['Free inside', size(s.free_bytes)],
      ['Bodies', s.body_bytes === null ? '-' : <>{size(s.body_bytes)}, stored as {size(s.stored_body_bytes)}</>],
      ['Free on the disk', size(s.disk_free_bytes)],
      ['Path', <bdi>{s.database}</bdi>],
    ]} />
  );
}

function Tasks({ storage, done }: { storage: Storage; done(): void }) {
  const busy = useSignal('');
  const said = useSignal('');
  const problem = useSignal('');
  const run = async (name: string, work: () => Promise<string>) => {
    busy.value = name;
    said.value = problem.value = '';
    try {
      said.value = await work();
      toast(said.value);
    } catch (error) {
      problem.value = (error as Error).message;
    }
    busy.value = '';
    done();
  };
  const vacuum = async () => {
    const yes = await confirmed({
      title: 'Compact the database?',
      text: `The file is written anew, which gives back ${format.bytes(storage.free_bytes)} and takes as much of the `
        + 'disk for a while. Nothing is deleted; what is captured meanwhile waits in memory.',
      verb: 'Compact database',
    });
    if (yes) await run('vacuum', async () => {
      await send('POST', '/admin/api/storage/vacuum');
      return 'The database is compact.';
    });
  };
  const check = () => run('check', async () => {
    const found = await send<{ ok: boolean; found: string | null }>('POST', '/admin/api/storage/check', { quick: true });
    if (!found.ok) throw new Error(`The database is damaged: ${found.found}`);
    return 'The database is sound.';
  });
  return (
    <>
      <div class="formend">
        <button disabled={busy.value !== ''} onClick={vacuum}>{busy.value === 'vacuum' ? 'Compacting…' : 'Compact (vacuum)'}</button>
        <button disabled={busy.value !== ''} onClick={check}>{busy.value === 'check' ? 'Checking…' : 'Check for damage'}</button>
        <span role="status">{said.value}</span>
      </div>
      {problem.value && <p role="alert" class="alert">{problem.value}</p>}
    </>
  );
}

export function Data() {
  const loaded = useLoaded<Storage>(() => `/admin/api/storage?days=${days()}`);
  useEffect(() => {
    const timer = setInterval(() => visible.value && loaded.refresh(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const s = loaded.data.value;
  return (
    <>
      <SummaryCards cards={[
        { label: 'Stored rows', value: s?.rows.toLocaleString() },
        { label: 'Database file', value: s && format.bytes(s.db_bytes), note: s && s.wal_bytes ? `and ${format.bytes(s.wal_bytes)} log` : undefined },
        { label: `Older than ${days()} days`, strong: true, value: s?.rows_older_than_retention.toLocaleString() },
        { label: 'Fallback', value: fallbackText(summary.value) },
      ]} />
      <div class="cards">
        <section class="card">
          <header><h2>Storage Stats</h2></header>
          {loaded.error.value && <p role="alert" class="alert">{loaded.error.value.message}</p>}
          {s ? <><Stats s={s} /><Tasks storage={s} done={loaded.refresh} /></> : <p class="loading">Loading…</p>}
        </section>
        <RetentionCard trimmed={loaded.refresh} />
        <section class="card full">
          <header><h2>Export</h2></header>
          <p>
            In a terminal, <code>llm-observe-proxy requests export --bodies -o requests.jsonl</code> writes one
            request a line, with headers and bodies; <code>--format csv</code> writes a table. All filters of the
            request browser are options of it.
          </p>
        </section>
      </div>
    </>
  );
}
