/* Fields that belong to the person from the first key on: what the server says changes them only
 * while they are untouched and unfocused. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

const TYPING_MS = 300;

interface FieldProps {
  label: string;
  value: string;
  change(value: string): void;
}

/** A text field that applies on Enter, on leaving, or when typing has stopped. */
export function TextFilter(props: FieldProps & {
  suggestions?: string[];
  numeric?: boolean;
  search?: boolean;
  wide?: boolean;
  placeholder?: string;
  problem?: string | undefined;
}) {
  const draft = useSignal<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const id = `f-${props.label.replace(/\W+/g, '-').toLowerCase()}`;
  const apply = () => {
    clearTimeout(timer.current);
    if (draft.value !== null && draft.value !== props.value) props.change(draft.value);
  };
  useEffect(() => {
    if (draft.value === props.value) draft.value = null;
  }, [props.value]);
  return (
    <label class={props.wide ? 'field wide' : 'field'}>
      <span>{props.label}</span>
      <input type="text" value={draft.value ?? props.value} list={props.suggestions ? `${id}-list` : undefined}
        data-search={props.search || undefined} placeholder={props.placeholder}
        inputMode={props.numeric ? 'numeric' : undefined} autocomplete="off" spellcheck={false}
        aria-invalid={props.problem ? true : undefined} aria-describedby={props.problem ? `${id}-why` : undefined}
        onInput={(e) => {
          draft.value = e.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(apply, TYPING_MS);
        }}
        onKeyDown={(e) => {
          if (e.key === 'Enter') apply();
          if (e.key === 'Escape') e.currentTarget.blur();
        }}
        onBlur={apply} />
      {props.suggestions && (
        <datalist id={`${id}-list`}>{props.suggestions.map((s) => <option key={s} value={s} />)}</datalist>
      )}
      {props.problem && <span class="why" id={`${id}-why`} role="alert">{props.problem}</span>}
    </label>
  );
}

/** A select whose options stay as they are while it has the focus. */
export function SelectFilter(props: FieldProps & { any: string; options: [string, string][] }) {
  const held = useSignal<[string, string][] | null>(null);
  const options = held.value ?? props.options;
  const gone = props.value !== '' && !options.some(([value]) => value === props.value);
  return (
    <label class="field">
      <span>{props.label}</span>
      <select value={props.value} onFocus={() => (held.value = props.options)} onBlur={() => (held.value = null)}
        onChange={(e) => props.change(e.currentTarget.value)}>
        <option value="">{props.any}</option>
        {gone && <option value={props.value}>{props.value} (no longer present)</option>}
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </label>
  );
}

export function Chip(props: { label: string; value?: string; title?: string; on: boolean; tone?: string; toggle(): void }) {
  return (
    <button class={`chip ${props.tone ?? ''}`} aria-pressed={props.on} title={props.title} onClick={props.toggle}>
      {props.value !== undefined && <b>{props.value}</b>} {props.label}
    </button>
  );
}
