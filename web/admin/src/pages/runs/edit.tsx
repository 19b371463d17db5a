/* Another name and other notes for a run. What is typed stays until it is saved or given up. */
import { useSignal } from '@preact/signals';
import { send } from '../../api';
import type { RunSummary } from '../../api-types';
import { Dialog } from '../../ui/dialog';
import { useRunActions } from '../../ui/runactions';
import { toast } from '../../ui/toast';

export function EditRun(props: { run: RunSummary; close(): void; done(): void }) {
  const name = useSignal(props.run.name);
  const notes = useSignal(props.run.notes ?? '');
  const { run, error, busy } = useRunActions(props.done);
  const save = async () => {
    const saved = await run(() =>
      send('PATCH', `/api/runs/${props.run.id}`, { name: name.value, notes: notes.value || null }));
    if (!saved) return;
    toast('Run saved.');
    props.close();
  };
  return (
    <Dialog label="Edit run" close={props.close}>
      <form class="editrun" onSubmit={(e) => { e.preventDefault(); save(); }}>
        <h2>Edit run</h2>
        <label class="field">
          <span>Name</span>
          <input value={name.value} dir="auto" autofocus autocomplete="off" aria-invalid={error.value ? true : undefined}
            aria-describedby={error.value ? 'edit-why' : undefined} onInput={(e) => (name.value = e.currentTarget.value)} />
        </label>
        <label class="field">
          <span>Notes</span>
          <textarea value={notes.value} dir="auto" rows={4} onInput={(e) => (notes.value = e.currentTarget.value)} />
        </label>
        {error.value && <p role="alert" class="why" id="edit-why">{error}</p>}
        <div class="actions">
          <button type="button" onClick={props.close}>Cancel</button>
          <button class="primary" disabled={busy.value}>Save</button>
        </div>
      </form>
    </Dialog>
  );
}
