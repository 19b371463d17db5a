/* Tabs by the ARIA practice: arrows move, one of them is a tab stop. */
import { useEffect, useRef } from 'preact/hooks';

export function Tabs<T extends string>(props: {
  label: string;
  tabs: readonly (readonly [T, string])[];
  on: T;
  select(tab: T): void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = ref.current!;
    const tab = box.querySelector<HTMLElement>('[aria-selected="true"]');
    if (tab && tab.offsetLeft + tab.offsetWidth > box.offsetLeft + box.clientWidth + box.scrollLeft)
      box.scrollLeft = tab.offsetLeft - box.offsetLeft - 40;
  }, [props.on]);
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
