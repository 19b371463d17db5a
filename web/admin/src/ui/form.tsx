/* Forms. What a person types is theirs until they save, discard or leave it: news of the server
 * change a form only while nothing in it is changed. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { ApiError } from '../api';
import { forget, remember } from './unsaved';

export type Values = Record<string, string | boolean>;
export type Problems<T> = Partial<Record<keyof T | '', string>>; /* '': of no field */

export interface FormOptions<T> {
  name: string;
  /** Sends the values, and loads what is saved then; what it throws is shown. */
  save(values: T): Promise<void>;
  /** After a save, when nothing is unsaved any more. */
  done?(): void;
  /** What is wrong before anything is sent. */
  check?(values: T): Problems<T>;
  /** Which field a message of the server is about. */
  fields?: [RegExp, keyof T][];
  /** Names the parameter of the address that tells what is edited. */
  within?: string;
}

export interface FormState<T extends Values> {
  id: string;
  name: string;
  values: T;
  problems: Problems<T>;
  dirty: boolean;
  state: 'idle' | 'busy' | 'saved';
  set<K extends keyof T>(name: K, value: T[K]): void;
  discard(): void;
  submit(): Promise<void>;
}

const SAVED_MS = 2000;

function problemsOf<T>(error: unknown, values: T, fields: [RegExp, keyof T][]): Problems<T> {
  const text = error instanceof Error ? error.message : String(error);
  const named = error instanceof ApiError && /^(\w+): /.exec(text)?.[1];
  const found = fields.find(([about]) => about.test(text))?.[1];
  const field = found ?? (named && named in (values as object) ? (named as keyof T) : '');
  return { [field]: text } as Problems<T>;
}

export function useForm<T extends Values>(saved: T, options: FormOptions<T>): FormState<T> {
  const id = useId();
  const base = useRef(saved);
  const draft = useSignal<Partial<T>>({});
  const problems = useSignal<Problems<T>>({});
  const state = useSignal<'idle' | 'busy' | 'saved'>('idle');
  const dirty = Object.keys(draft.value).length > 0;
  if (!dirty) base.current = saved;
  useEffect(() => () => forget(id), []);

  const values = { ...base.current, ...draft.value };
  const change = (next: Partial<T>) => {
    draft.value = next;
    if (Object.keys(next).length) remember(id, { name: options.name, within: options.within });
    else forget(id);
  };
  const fail = (found: Problems<T>) => {
    problems.value = found;
    requestAnimationFrame(() =>
      document.getElementById(id)?.querySelector<HTMLElement>('[aria-invalid], .alert')?.focus());
  };
  return {
    id,
    name: options.name,
    values,
    problems: problems.value,
    dirty,
    state: state.value,
    set(name, value) {
      const next = { ...draft.value };
      if (value === base.current[name]) delete next[name];
      else next[name] = value;
      change(next);
      if (problems.value[name]) problems.value = { ...problems.value, [name]: undefined };
    },
    discard() {
      change({});
      problems.value = {};
    },
    async submit() {
      if (state.value === 'busy') return;
      const wrong = options.check?.(values) ?? {};
      if (Object.values(wrong).some(Boolean)) return fail(wrong);
      state.value = 'busy';
      problems.value = {};
      try {
        await options.save(values);
      } catch (error) {
        state.value = 'idle';
        return fail(problemsOf(error, values, options.fields ?? []));
      }
      change({});
      state.value = 'saved';
      setTimeout(() => state.value === 'saved' && (state.value = 'idle'), SAVED_MS);
      options.done?.();
    },
  };
}

/** The fields, what is wrong beyond them, and the button that saves. */
export function Form<T extends Values>(props: {
  form: FormState<T>;
  verb: string;
  children: ComponentChildren;
  more?: ComponentChildren; /* other buttons */
}) {
  const { form } = props;
  const text = { idle: props.verb, busy: 'Saving…', saved: 'Saved' }[form.state];
  return (
    <form id={form.id} class="form" noValidate aria-label={form.name} autocomplete="off"
      onSubmit={(e) => { e.preventDefault(); form.submit(); }}>
      {props.children}
      {form.problems[''] && <p class="alert" role="alert" tabIndex={-1}>{form.problems['']}</p>}
      <div class="formend">
        <button type="submit" class="primary" disabled={form.state === 'busy'}>{text}</button>
        {form.dirty && <button type="button" onClick={form.discard}>Discard</button>}
        {props.more}
        <span role="status" class={form.dirty ? 'unsaved' : 'sr-only'}>
          {form.dirty ? 'Unsaved changes' : form.state === 'saved' ? 'Saved' : ''}
        </span>
      </div>
    </form>
  );
}

interface FieldProps<T extends Values> {
  form: FormState<T>;
  name: keyof T & string;
  label: string;
  help?: ComponentChildren;
}

function describe<T extends Values>({ form, name, help }: FieldProps<T>) {
  const id = `${form.id}-${name}`;
  const problem = form.problems[name];
  const by = [help && `${id}-help`, problem && `${id}-why`].filter(Boolean).join(' ');
  return {
    problem,
    about: {
      id,
      name,
      'aria-invalid': problem ? (true as const) : undefined,
      'aria-describedby': by || undefined,
    },
  };
}

function Notes({ id, problem, help }: { id: string; problem: string | undefined; help: ComponentChildren }) {
  return (
    <>
      {help && <small id={`${id}-help`}>{help}</small>}
      {problem && <span class="why" id={`${id}-why`} role="alert">{problem}</span>}
    </>
  );
}

export function TextField<T extends Values>(props: FieldProps<T> & {
  numeric?: boolean;
  required?: boolean;
  readOnly?: boolean;
  placeholder?: string;
  suggestions?: string[];
  lines?: number; /* more than one: a text area */
  typed?(value: string): void;
}) {
  const { form, name } = props;
  const { problem, about } = describe(props);
  const change = (value: string) => {
    form.set(name, value as T[typeof name]);
    props.typed?.(value);
  };
  const common = {
    ...about,
    value: String(form.values[name]),
    placeholder: props.placeholder,
    readOnly: props.readOnly,
    required: props.required,
    spellcheck: false,
  };
  return (
    <div class="field wide">
      <label for={about.id}>{props.label}{props.required && <span aria-hidden="true"> *</span>}</label>
      {props.lines
        ? <textarea {...common} rows={props.lines} onInput={(e) => change(e.currentTarget.value)} />
        : (
          <input type="text" {...common} inputMode={props.numeric ? 'numeric' : undefined}
            list={props.suggestions ? `${about.id}-list` : undefined}
            onInput={(e) => change(e.currentTarget.value)} />
        )}
      {props.suggestions && (
        <datalist id={`${about.id}-list`}>{props.suggestions.map((s) => <option key={s} value={s} />)}</datalist>
      )}
      <Notes id={about.id} problem={problem} help={props.help} />
    </div>
  );
}

export function SelectField<T extends Values>(props: FieldProps<T> & { options: [string, string][] }) {
  const { form, name } = props;
  const { problem, about } = describe(props);
  const value = String(form.values[name]);
  const gone = !props.options.some(([known]) => known === value);
  return (
    <div class="field wide">
      <label for={about.id}>{props.label}</label>
      <select {...about} value={value} onChange={(e) => form.set(name, e.currentTarget.value as T[typeof name])}>
        {gone && <option value={value}>{value} (no longer present)</option>}
        {props.options.map(([known, text]) => <option key={known} value={known}>{text}</option>)}
      </select>
      <Notes id={about.id} problem={problem} help={props.help} />
    </div>
  );
}

export function CheckField<T extends Values>(props: FieldProps<T>) {
  const { form, name } = props;
  const { problem, about } = describe(props);
  return (
    <div class="field wide">
      <label class="check">
        <input type="checkbox" {...about} checked={Boolean(form.values[name])}
          onChange={(e) => form.set(name, e.currentTarget.checked as T[typeof name])} />
        {props.label}
      </label>
      <Notes id={about.id} problem={problem} help={props.help} />
    </div>
  );
}
