/* Starting, pausing and ending runs. Only one is active at a time, and the buttons say so. */
import { useSignal } from '@preact/signals';
import { ApiError, send } from '../api';
import type { RunSummary } from '../api-types';
import * as format from '../format';
import { now } from '../hooks';
import { go } from '../router';
import { confirmed } from './dialog';
import { toast } from './toast';

export function RunControl(props: { active: RunSummary | null; notes?: boolean; done(): void }) {
  const name = useSignal('');
  const notes = useSignal('');
  const error = useSignal('');
  const busy = useSignal(false);
  const { active } = props;

  const run = async (work: () => Promise<unknown>) => {
    busy.value = true;
    error.value = '';
    try {
      await work();
      props.done();
    } catch (caught) {
      error.value = caught instanceof ApiError ? caught.message : String(caught);
    }
    busy.value = false;
  };
  const start = async () => {
    if (!name.value.trim()) {
      error.value = 'A run needs a name.';
      return;
    }
    await run(async () => {
      const answer = await send<{ run: RunSummary }>('POST', '/admin/api/runs/start', { name: name.value, notes: notes.value || null });
      name.value = notes.value = '';
      go(`/admin/runs/${answer.run.id}`);
    });
  };
  const end = async () => {
    const sure = await confirmed({
      title: 'End this run?',
      text: <>“<bdi>{active!.name}</bdi>” cannot be resumed after its end.</>,
      verb: 'End run',
      danger: true,
    });
    if (sure) await run(async () => { await send('POST', '/admin/api/runs/end'); toast(`Run ${active!.name} ended.`); });
  };
  const alert = error.value && <span role="alert" class="why">{error.value}</span>;

  if (active)
    return (
      <div class="runcontrol">
        <span class="overline">Run in progress</span>
        <a href={`/admin/runs/${active.id}`} title={active.name}><bdi>{active.name}</bdi></a>
        <span class="muted">
          {format.count(active.request_count)} requests · {format.duration(Math.max(0, now.value - Date.parse(active.started_at)))}
          {active.total_cost_usd != null && <> · {format.usd(active.total_cost_usd)}</>}
        </span>
        <button disabled={busy.value} onClick={() => run(() => send('POST', '/admin/api/runs/pause'))}>Pause</button>
        <button disabled={busy.value} onClick={end}>End run</button>
        {alert}
      </div>
    );
  return (
    <form class="runcontrol" onSubmit={(e) => { e.preventDefault(); start(); }}>
      <label class="sr-only" for="run-name">Run name</label>
      <input id="run-name" value={name.value} placeholder="Run name, such as bench-1" autocomplete="off"
        onInput={(e) => (name.value = e.currentTarget.value)} />
      {props.notes && (
        <input aria-label="Notes" value={notes.value} placeholder="Notes"
          onInput={(e) => (notes.value = e.currentTarget.value)} />
      )}
      <button disabled={busy.value}>Start run</button>
      {alert}
    </form>
  );
}
