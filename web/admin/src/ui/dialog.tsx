/* One dialog that asks before something is deleted, spent or ended. */
import type { ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export interface Question {
  title: string;
  text: ComponentChildren;
  verb: string; /* "Delete route" */
  danger?: boolean;
}
const asked = signal<(Question & { answer(yes: boolean): void }) | null>(null);

/** True when the person said yes. */
export function confirmed(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer(yes) {
        asked.value = null;
        resolve(yes);
      },
    };
  });
}

/** A native dialog that is open while it is rendered; Escape and a click beside it close it. */
export function Dialog(props: { label: string; close(): void; class?: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    ref.current!.showModal();
    return () => opener?.focus?.();
  }, []);
  return (
    <dialog ref={ref} class={props.class} aria-label={props.label}
      onCancel={(event) => { event.preventDefault(); props.close(); }}
      onClick={(event) => event.target === ref.current && props.close()}>
      <div class="sheet">{props.children}</div>
    </dialog>
  );
}

export function ConfirmHost() {
  const q = asked.value;
  if (!q) return null;
  return (
    <Dialog label={q.title} close={() => q.answer(false)}>
      <h2>{q.title}</h2>
      <p>{q.text}</p>
      <div class="actions">
        <button autofocus onClick={() => q.answer(false)}>Cancel</button>
        <button class={q.danger ? 'danger' : 'primary'} onClick={() => q.answer(true)}>{q.verb}</button>
      </div>
    </Dialog>
  );
}
