/* A long list of which only what is near the window is in the page. Heights need not be equal: a
 * part that has been seen keeps the height it had. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

const SIZE = 100;
const NEAR = '600px';

function Chunk(props: { rows: number; rowHeight: number; first: boolean; draw(): ComponentChildren }) {
  const ref = useRef<HTMLDivElement>(null);
  const near = useSignal(props.first);
  const height = useRef(props.rows * props.rowHeight);
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => {
      const last = entries[entries.length - 1]!;
      if (!last.isIntersecting && near.value) height.current = ref.current!.offsetHeight;
      near.value = last.isIntersecting;
    }, { rootMargin: NEAR });
    watch.observe(ref.current!);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={ref} role="none" class="chunk" style={near.value ? undefined : { height: `${height.current || props.rowHeight}px` }}>
      {near.value && props.draw()}
    </div>
  );
}

/** rowHeight: a guess, in pixels, for rows that have not been seen. */
export function Chunks<T>(props: { items: readonly T[]; rowHeight: number; draw(item: T, at: number): ComponentChildren }) {
  const chunks = [];
  for (let at = 0; at < props.items.length; at += SIZE) {
    const items = props.items.slice(at, at + SIZE);
    chunks.push(
      <Chunk key={at} rows={items.length} rowHeight={props.rowHeight} first={at === 0}
        draw={() => items.map((item, i) => props.draw(item, at + i))} />,
    );
  }
  return <>{chunks}</>;
}

/** Bring what has that id into view, in the part with that number of its list first. */
export function reveal(list: HTMLElement, row: number, id: string) {
  const at = Math.floor(row / SIZE);
  const chunk = list.querySelectorAll<HTMLElement>(':scope > .chunk')[at];
  if (!chunk) return;
  chunk.scrollIntoView({ block: 'nearest' });
  let tries = 10;
  const look = () => {
    const found = document.getElementById(id);
    if (found) {
      found.scrollIntoView({ block: 'center' });
      found.focus({ preventScroll: true });
    } else if (tries-- > 0) requestAnimationFrame(look);
  };
  look();
}
