/* Starting, pausing and ending runs. Only one is active at a time, and the buttons say so. */
import { useSignal } from '@preact/signals';
import { send } from '../api';
import type { RunSummary } from '../api-types';
import * as format from '../format';
import { now } from '../hooks';
import { go } from '../router';
import { confirmed } from './dialog';
import { RunButtons, useRunActions, type RunActions } from './runactions';

function Active({ active, actions }: { active: RunSummary; actions: RunActions }) {
  return (
    <div class="runcontrol">
      <span class="overline">Run in progress</span>
      <a href={`/admin/runs/${active.id}`} title={active.name}><bdi>{active.name}</bdi></a>
      <span class="muted">
        {format.count(active.request_count)} requests · {format.duration(Math.max(0, now.value - Date.parse(active.started_at)))}
        {active.total_cost_usd != null && <> · {format.usd(active.total_cost_usd)}</>}
      </span>
      <a class="button" href={`/admin/runs/${active.id}`}>Open<span class="sr-only"> {active.name}</span></a>
      <RunButtons run={active} active={active} actions={actions} />
      {actions.error.value && <span role="alert" class="why">{actions.error}</span>}
    </div>
  );
}

function Start(props: { active: RunSummary | null; notes?: boolean | undefined; actions: RunActions }) {
  const { active, actions } = props;
  const name = useSignal('');
  const notes = useSignal('');
  const start = async () => {
    const sure = !active || !name.value.trim() || await confirmed({
      title: 'Start another run?',
      text: <>Only one run is active: “<bdi>{active.name}</bdi>” ends, and cannot be resumed.</>,
      verb: 'Start run',
      danger: true,
    });
    if (!sure) return;
    await actions.run(async () => {
      const answer = await send<{ run: RunSummary }>('POST', '/admin/api/runs/start', { name: name.value, notes: notes.value || null });
      name.value = notes.value = '';
      go(`/admin/runs/${answer.run.id}`);
    });
  };
  const error = actions.error.value;
  return (
    <form class="runcontrol" onSubmit={(e) => { e.preventDefault(); start(); }}>
      <label class="sr-only" for="run-name">Run name</label>
      <input id="run-name" value={name.value} placeholder="Run name, such as bench-1" autocomplete="off"
        aria-invalid={error ? true : undefined} aria-describedby={error ? 'run-why' : undefined}
        onInput={(e) => (name.value = e.currentTarget.value)} />
      {props.notes && (
        <input aria-label="Notes" value={notes.value} placeholder="Notes" autocomplete="off"
          onInput={(e) => (notes.value = e.currentTarget.value)} />
      )}
      <button disabled={actions.busy.value}>
        Start run{active && <span class="ends"> (ends “<bdi>{active.name}</bdi>”)</span>}
      </button>
      {error && <span role="alert" class="why" id="run-why">{error}</span>}
    </form>
  );
}

/** The active run, or the form that starts one; with notes both, since its page is about runs. */
export function RunControl(props: { active: RunSummary | null; notes?: boolean; done(): void }) {
  const ofActive = useRunActions(props.done);
  const ofStart = useRunActions(props.done);
  return (
    <>
      {props.active && <Active active={props.active} actions={ofActive} />}
      {(!props.active || props.notes) && <Start active={props.active} notes={props.notes} actions={ofStart} />}
    </>
  );
}
