/* Text of any length: only so much of it is put into the page before somebody asks for more. */
import { useSignal } from '@preact/signals';
import * as format from '../format';

const SHOWN = 128 * 1024;

export function LongText({ text, inline }: { text: string; inline?: boolean }) {
  const shown = useSignal(SHOWN);
  const rest = text.length - shown.value;
  const more = rest > 0 && (
    <button class="tiny" onClick={() => (shown.value *= 8)}>
      Show more ({format.bytes(rest)} are left)
    </button>
  );
  const part = rest > 0 ? text.slice(0, shown.value) : text;
  if (inline) return <>{part}{more}</>;
  return <><pre class="body" dir="auto" tabIndex={0}>{part}</pre>{more}</>;
}
