/* An editor beside the table it belongs to. On a wide screen the table stays at hand; on a narrow
 * one the editor lies over it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons';

export function Sheet(props: { title: string; close(): void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    if (matchMedia('(min-width: 1180px)').matches) ref.current!.show();
    else ref.current!.showModal();
    return () => opener?.focus?.();
  }, []);
  return (
    <dialog ref={ref} class="side" aria-label={props.title}
      onCancel={(e) => { e.preventDefault(); props.close(); }}
      onKeyDown={(e) => {
        if (e.key !== 'Escape') return;
        e.preventDefault();
        props.close();
      }}>
      <header>
        <h2 tabIndex={-1} autofocus><bdi>{props.title}</bdi></h2>
        <button class="quiet" aria-label="Close" title="Close (Esc)" onClick={props.close}><Icon name="close" /></button>
      </header>
      {props.children}
    </dialog>
  );
}
