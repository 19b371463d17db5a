/* A button that opens a list of actions, above everything else: also out of a box that scrolls. */
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { Icon } from './icons';

export type Action = { text: string; run(): void; danger?: boolean } | { text: string; href: string };

export function Menu(props: { label: string; actions: Action[]; children?: ComponentChildren }) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = () => {
    const at = button.current!.getBoundingClientRect();
    const panel = list.current!;
    const below = at.bottom + panel.offsetHeight < innerHeight;
    panel.style.top = `${below ? at.bottom : Math.max(0, at.top - panel.offsetHeight)}px`;
    panel.style.left = `${Math.max(8, at.right - panel.offsetWidth)}px`;
    panel.querySelector<HTMLElement>('a, button')?.focus();
  };
  const step = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const items = [...list.current!.querySelectorAll<HTMLElement>('a, button')];
    const next = items.indexOf(document.activeElement as HTMLElement) + by;
    items[(next + items.length) % items.length]!.focus();
  };
  const close = () => list.current!.hidePopover();
  return (
    <>
      <button ref={button} class="quiet" popovertarget={id} aria-label={props.label} title={props.label}>
        {props.children ?? <Icon name="menu" />}
      </button>
      <div ref={list} id={id} popover="auto" class="menu" role="group" aria-label={props.label}
        onToggle={(e) => e.newState === 'open' && place()} onKeyDown={step}>
        {props.actions.map((a) => 'href' in a
          ? <a key={a.text} href={a.href} onClick={close}>{a.text}</a>
          : <button key={a.text} class={a.danger ? 'bad' : ''} onClick={() => { close(); a.run(); }}>{a.text}</button>)}
      </div>
    </>
  );
}
