/* Compatibility fixes: which ones, in which order. A form keeps them as text, one id a line, so that
 * the list and the manual edit are the same. */
import { send } from '../../api';
import { Form, TextField, useForm, type FormState } from '../../ui/form';
import { useLoaded } from '../../ui/loaded';

export interface Fix {
  id: string;
  name: string;
  description: string;
  risk_note: string;
  endpoints: string[];
  supports_streaming: boolean;
  supports_non_streaming: boolean;
}
export interface FixesState {
  compatibility_fixes: string[];
  source: string;
  available: Fix[];
}
type WithFixes = { fixes: string } & Record<string, string | boolean>;

export const fixIds = (text: string) => text.split(/[\n,]/).map((id) => id.trim()).filter(Boolean);

export const useFixes = () => useLoaded<FixesState>(() => '/admin/api/settings/compat-fixes');

/** What is wrong with the ids, before they are sent. */
export function fixProblem(text: string, available: Fix[]): string | undefined {
  const ids = fixIds(text);
  const unknown = ids.find((id) => !available.some((fix) => fix.id === id));
  if (unknown) return `There is no fix “${unknown}”.`;
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  return twice ? `“${twice}” is named twice.` : undefined;
}

export function FixesField<T extends WithFixes>({ form, available }: { form: FormState<T>; available: Fix[] }) {
  const ids = fixIds(form.values.fixes);
  const write = (next: string[]) => form.set('fixes', next.join('\n') as T['fixes']);
  const move = (id: string, by: number) => {
    const at = ids.indexOf(id);
    const next = ids.filter((other) => other !== id);
    next.splice(at + by, 0, id);
    write(next);
  };
  const chosen = ids.map((id) => available.find((fix) => fix.id === id)).filter((fix) => fix !== undefined);
  const rest = available.filter((fix) => !ids.includes(fix.id));
  return (
    <>
      <ul class="fixes">
        {[...chosen, ...rest].map((fix) => {
          const at = ids.indexOf(fix.id);
          return (
            <li key={fix.id}>
              <label class="check">
                <input type="checkbox" checked={at >= 0}
                  onChange={(e) => write(e.currentTarget.checked ? [...ids, fix.id] : ids.filter((id) => id !== fix.id))} />
                <b>{fix.name}</b>
              </label>
              {at >= 0 && ids.length > 1 && (
                <span class="order">
                  <button type="button" class="quiet" disabled={at === 0} aria-label={`${fix.name}: earlier`} onClick={() => move(fix.id, -1)}>↑</button>
                  <button type="button" class="quiet" disabled={at === ids.length - 1} aria-label={`${fix.name}: later`} onClick={() => move(fix.id, 1)}>↓</button>
                </span>
              )}
              <p>{fix.description}.</p>
              <small>
                <code>{fix.id}</code> · Risk: {fix.risk_note}. · {fix.endpoints.join(', ')} ·{' '}
                {fix.supports_streaming ? 'also in streams' : 'not in streams'}
              </small>
            </li>
          );
        })}
      </ul>
      <details open={form.problems.fixes ? true : undefined}>
        <summary>Advanced manual edit</summary>
        <TextField form={form} name="fixes" label="Ids in their order, one a line" lines={3} />
      </details>
    </>
  );
}

export function FixesCard() {
  const loaded = useFixes();
  const state = loaded.data.value;
  const available = state?.available ?? [];
  const form = useForm<WithFixes>({ fixes: (state?.compatibility_fixes ?? []).join('\n') }, {
    name: 'Default compatibility fixes',
    fields: [[/fix/i, 'fixes']],
    check: (values) => ({ fixes: fixProblem(values.fixes, available) }),
    async save(values) {
      await send('POST', '/admin/api/settings/compat-fixes', { fixes: fixIds(values.fixes) });
      await loaded.reload();
    },
  });
  const on = (state?.compatibility_fixes.length ?? 0) > 0;
  return (
    <section class="card">
      <header>
        <h2>Default Compatibility Fixes</h2>
        <span class={`pill right ${on ? 'ok' : ''}`}>{on ? 'Configured' : 'Inactive'}</span>
      </header>
      <p class="muted">For what no route takes; routes have fixes of their own.</p>
      {loaded.error.value && <p role="alert" class="alert">{loaded.error.value.message}</p>}
      {state && <Form form={form} verb="Save fixes"><FixesField form={form} available={available} /></Form>}
    </section>
  );
}
