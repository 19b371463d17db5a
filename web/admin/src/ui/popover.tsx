/* A button that opens a small panel; Escape and a click elsewhere close it. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export function Popover(props: {
  label: string;
  button: ComponentChildren;
  class?: string;
  children(close: () => void): ComponentChildren;
}) {
  const open = useSignal(false);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const away = (event: Event) => {
      if (!ref.current!.contains(event.target as Node)) open.value = false;
    };
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !open.value) return;
      open.value = false;
      ref.current!.querySelector('button')!.focus();
      event.preventDefault();
    };
    document.addEventListener('pointerdown', away);
    ref.current!.addEventListener('keydown', key);
    return () => document.removeEventListener('pointerdown', away);
  }, []);
  return (
    <div class="popover" ref={ref}>
      <button class={props.class ?? 'quiet'} aria-expanded={open.value} aria-label={props.label}
        onClick={() => (open.value = !open.value)}>{props.button}</button>
      {open.value && (
        <div class="panel" role="group" aria-label={props.label}>
          {props.children(() => (open.value = false))}
        </div>
      )}
    </div>
  );
}
