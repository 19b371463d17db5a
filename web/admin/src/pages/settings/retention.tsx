/* Deleting old requests: how many they are, then a tick, then a question. */
import { useSignal } from '@preact/signals';
import { send } from '../../api';
import { go, query, withQuery } from '../../router';
import { TextFilter } from '../../ui/controls';
import { confirmed } from '../../ui/dialog';
import { useLoaded } from '../../ui/loaded';
import { toast } from '../../ui/toast';
import { days, reloadSummary } from './summary';

const rowsOf = (n: number) => `${n.toLocaleString()} ${n === 1 ? 'record' : 'records'}`;

export function RetentionCard({ trimmed }: { trimmed?: () => void }) {
  const preview = useLoaded<{ days: number; rows: number }>(() => `/admin/api/settings/retention-preview?days=${days()}`);
  const sure = useSignal(false);
  const shrink = useSignal(false);
  const busy = useSignal(false);
  const said = useSignal('');
  const problem = useSignal('');
  const typed = query.value.get('days') ?? '30';
  const wrong = String(days()) === typed ? undefined : 'A whole number of days from 1 to 3650.';
  const current = preview.data.value?.days === days() ? preview.data.value : null;
  const rows = current?.rows ?? 0;

  const trim = async () => {
    const yes = await confirmed({
      title: `Trim ${rowsOf(rows)}?`,
      text: `Requests older than ${days()} days go, with their images. They cannot be brought back. Runs stay.`,
      verb: `Trim ${rowsOf(rows)}`,
      danger: true,
    });
    if (!yes) return;
    busy.value = true;
    problem.value = '';
    try {
      const done = await send<{ deleted: number }>('POST', '/admin/api/settings/trim',
        { days: days(), confirm: true, vacuum: shrink.value });
      said.value = `${rowsOf(done.deleted)} deleted.`;
      toast(said.value);
      sure.value = false;
    } catch (error) {
      problem.value = (error as Error).message;
    }
    busy.value = false;
    preview.refresh();
    reloadSummary();
    trimmed?.();
  };
  return (
    <section class="card danger">
      <header><h2>Data Retention</h2></header>
      <div class="form">
        <div class="inline">
          <TextFilter label="Retain days" numeric value={typed} problem={wrong}
            change={(v) => { sure.value = false; go(withQuery({ days: v.trim() === '30' ? null : v.trim() }), true); }} />
          <button onClick={() => preview.refresh()} disabled={preview.loading.value}>Refresh count</button>
        </div>
        <p role="status">
          {wrong ? '' : current ? `${rowsOf(rows)} older than ${days()} ${days() === 1 ? 'day' : 'days'}.` : 'Counting…'} {said.value}
        </p>
        <label class="check">
          <input type="checkbox" checked={shrink.value} onChange={(e) => (shrink.value = e.currentTarget.checked)} />
          Give their space back to the disk, too
        </label>
        <label class="check">
          <input type="checkbox" checked={sure.value} disabled={!!wrong || rows === 0}
            onChange={(e) => (sure.value = e.currentTarget.checked)} />
          I understand that they are deleted for good
        </label>
        <div class="formend">
          <button class="danger" disabled={!sure.value || !!wrong || rows === 0 || busy.value} onClick={trim}>
            {busy.value ? 'Deleting…' : 'Trim records'}
          </button>
          {!wrong && current && rows === 0 && <small>Nothing is that old, so there is nothing to delete.</small>}
        </div>
        {(problem.value || preview.error.value) && (
          <p role="alert" class="alert">{problem.value || preview.error.value!.message}</p>
        )}
      </div>
    </section>
  );
}
