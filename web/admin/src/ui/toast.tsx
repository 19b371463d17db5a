/* Short messages in a corner; never the only place where an error appears. */
import { signal } from '@preact/signals';

interface Toast {
  id: number;
  text: string;
}
const toasts = signal<Toast[]>([]);
const SHOWN_MS = 6000;
let next = 1;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

const remove = (id: number) => {
  toasts.value = toasts.value.filter((t) => t.id !== id);
};
const start = (id: number) => timers.set(id, setTimeout(remove, SHOWN_MS, id));

export function toast(text: string) {
  const id = next++;
  toasts.value = [...toasts.value, { id, text }];
  start(id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map((t) => (
        <div key={t.id} class="toast" onMouseEnter={() => clearTimeout(timers.get(t.id))}
          onMouseLeave={() => start(t.id)}>{t.text}</div>
      ))}
    </div>
  );
}
