/* What people and models wrote: as Markdown or as it came, and folded when it is long. */
import type { ComponentType } from 'preact';
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { LongText } from './longtext';

export const MARKDOWN_BYTES = 128 * 1024; /* more is not read as Markdown unless asked for */
const FOLD_LINES = 40;
const FOLD_CHARS = 5000;

const Markdown = signal<ComponentType<{ text: string }> | null>(null);
let asked = false;

function loadMarkdown() {
  if (asked) return;
  asked = true;
  import('./markdown').then((m) => (Markdown.value = m.Markdown), () => (asked = false));
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/* Blanks and ends of lines as signs. */
const withSigns = (text: string) => text.replaceAll(' ', '·').replaceAll('\t', '→\t').replaceAll('\n', '↵\n');

export function Prose(props: { text: string; plain: boolean; signs?: boolean; fold?: number }) {
  const { text } = props;
  const open = useSignal(false);
  const forced = useSignal(false);
  const large = text.length > MARKDOWN_BYTES;
  const asMarkdown = !props.plain && !props.signs && (!large || forced.value);
  useEffect(() => {
    if (asMarkdown) loadMarkdown();
  }, [asMarkdown]);
  const lines = countLines(text);
  const most = props.fold ?? FOLD_LINES;
  const folded = (lines > most || text.length > FOLD_CHARS * (most / FOLD_LINES)) && !open.value;
  const Shown = Markdown.value;
  return (
    <>
      <div class={folded ? 'folded' : undefined} style={folded ? { maxHeight: `${most * 1.45}em` } : undefined}>
        {asMarkdown && Shown ? <Shown text={text} />
          : <div class="plain" dir="auto"><LongText inline text={props.signs ? withSigns(text) : text} /></div>}
      </div>
      {folded && <button class="tiny" onClick={() => (open.value = true)}>Show all {lines > most ? `${lines.toLocaleString()} lines` : `${text.length.toLocaleString()} characters`}</button>}
      {open.value && <button class="tiny" onClick={() => (open.value = false)}>Fold</button>}
      {large && !props.plain && !forced.value && (
        <button class="tiny" onClick={() => (forced.value = true)}>Show as Markdown</button>
      )}
    </>
  );
}
