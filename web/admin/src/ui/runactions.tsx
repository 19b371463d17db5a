/* What can be done with a run; what goes wrong is kept for the page to show. */
import { useSignal } from '@preact/signals';
import { ApiError, send } from '../api';
import type { RunSummary } from '../api-types';
import { confirmed } from './dialog';
import { toast } from './toast';

export function useRunActions(done: () => void) {
  const error = useSignal('');
  const busy = useSignal(false);

  /** True when it went well. */
  const run = async (work: () => Promise<unknown>) => {
    busy.value = true;
    error.value = '';
    try {
      await work();
      done();
    } catch (caught) {
      error.value = caught instanceof ApiError ? caught.message : String(caught);
    }
    busy.value = false;
    return error.value === '';
  };
  const pause = () => run(() => send('POST', '/admin/api/runs/pause'));
  const end = async (one: RunSummary) => {
    const sure = await confirmed({
      title: 'End this run?',
      text: <>“<bdi>{one.name}</bdi>” cannot be resumed after its end.</>,
      verb: 'End run',
      danger: true,
    });
    if (sure && await run(() => send('POST', `/admin/api/runs/${one.id}/end`))) toast(`Run ${one.name} ended.`);
  };
  const resume = async (one: RunSummary, active: RunSummary | null) => {
    const sure = !active || active.id === one.id || await confirmed({
      title: 'Resume this run?',
      text: <>Only one run takes traffic: “<bdi>{active.name}</bdi>” is paused, and “<bdi>{one.name}</bdi>” goes on.</>,
      verb: 'Resume run',
    });
    if (sure) await run(() => send('POST', `/admin/api/runs/${one.id}/resume`));
  };
  return { error, busy, run, pause, end, resume };
}
export type RunActions = ReturnType<typeof useRunActions>;

/** The buttons that the state of a run allows. */
export function RunButtons(props: { run: RunSummary; active: RunSummary | null; actions: RunActions }) {
  const { run, actions } = props;
  if (run.status === 'complete') return null;
  const of = <span class="sr-only"> {run.name}</span>;
  const disabled = actions.busy.value;
  return (
    <>
      {run.status === 'active'
        ? <button disabled={disabled} onClick={actions.pause}>Pause{of}</button>
        : <button disabled={disabled} onClick={() => actions.resume(run, props.active)}>Resume{of}</button>}
      <button disabled={disabled} onClick={() => actions.end(run)}>End run{of}</button>
    </>
  );
}
