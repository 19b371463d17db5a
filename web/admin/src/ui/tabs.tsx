/* Tabs by the ARIA practice: arrows move, one of them is a tab stop. */
import { useRef } from 'preact/hooks';

export function Tabs<T extends string>(props: {
  label: string;
  tabs: readonly (readonly [T, string])[];
  on: T;
  select(tab: T): void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const step = (by: number) => {
    const at = props.tabs.findIndex(([name]) => name === props.on);
    const next = (at + by + props.tabs.length) % props.tabs.length;
    props.select(props.tabs[next]![0]);
    (ref.current!.children[next] as HTMLElement).focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={props.label} ref={ref}>
      {props.tabs.map(([name, text]) => (
        <button key={name} role="tab" aria-selected={props.on === name} tabIndex={props.on === name ? 0 : -1}
          onClick={() => props.select(name)}
          onKeyDown={(e) => {
            const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
            if (!by) return;
            e.preventDefault();
            step(by);
          }}>{text}</button>
      ))}
    </div>
  );
}
