/* One provider in the side sheet. */
import { useSignal } from '@preact/signals';
import { ApiError, get, send } from '../../../api';
import { go, withQuery } from '../../../router';
import { CheckField, Form, SelectField, TextField, useForm, type Problems } from '../../../ui/form';
import { useLoaded } from '../../../ui/loaded';
import { Sheet } from '../../../ui/sheet';
import { check, stateOf, authOf } from './health';
import * as format from '../../../format';
import type { Health, Provider } from './types';

/** In place of a slug: one that is not there yet. */
export const NEW = '*';

const STYLES: [string, string][] = [
  ['', 'As the client sends it, or Bearer'], ['bearer', 'Authorization: Bearer'], ['x-api-key', 'x-api-key'],
  ['api-key', 'api-key'], ['none', 'None'],
];
const KEY_STATE = { configured: 'is set', missing: 'is not set in the environment of the proxy', 'not configured': '' };

const slugOf = (name: string) => name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 64);

const valuesOf = (p: Provider | null) => ({
  name: p?.name ?? '',
  slug: p?.slug ?? '',
  upstream_url: p?.upstream_url ?? '',
  currency: p?.currency ?? 'USD',
  api_key_env: p?.api_key_env ?? '',
  auth_style: p?.auth_style ?? '',
  active: p?.active ?? true,
  is_default_fallback: p?.is_default_fallback ?? false,
  text: p?.capabilities.text ?? !p,
  vision: p?.capabilities.vision ?? false,
  tool_calling: p?.capabilities.tool_calling ?? false,
});
type Values = ReturnType<typeof valuesOf>;

function problemsOf(v: Values): Problems<Values> {
  const url = v.upstream_url.trim();
  return {
    name: v.name.trim() ? '' : 'A name is needed.',
    slug: /^[a-z0-9][a-z0-9_-]{0,63}$/.test(v.slug.trim()) ? '' : 'Letters a-z, digits, _ and -, at most 64.',
    upstream_url: !url || /^https?:\/\/[^/]/i.test(url) ? '' : 'An absolute URL, such as https://api.example.com/v1.',
    is_default_fallback: v.is_default_fallback && !v.active ? 'The default must be active.' : '',
  };
}

async function isTaken(slug: string): Promise<boolean> {
  try {
    await get(`/admin/api/providers/${encodeURIComponent(slug)}`);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

function bodyOf(v: Values, p: Provider | null) {
  const { text, vision, tool_calling, ...rest } = v;
  return { ...rest, capabilities: { text, vision, tool_calling }, updated_at: p?.updated_at ?? undefined };
}

function Tester({ slug, dirty }: { slug: string; dirty: boolean }) {
  const busy = useSignal(false);
  const found = useSignal<Health | null>(null);
  const error = useSignal('');
  const run = async () => {
    busy.value = true;
    error.value = '';
    try {
      found.value = await check(slug);
    } catch (caught) {
      error.value = (caught as Error).message;
    }
    busy.value = false;
  };
  const [text, tone, message] = found.value ? stateOf(found.value) : ['', '', ''];
  return (
    <div class="tester">
      <button type="button" disabled={busy.value || dirty} onClick={run} title={dirty ? 'Save first: what is saved is tested' : undefined}>
        {busy.value ? 'Testing…' : 'Test provider'}
      </button>
      {dirty && <small>Tests what is saved.</small>}
      <p role="status">
        {found.value && !busy.value && (
          <><span class={`pill ${tone}`}>{text}</span> {message}, {format.duration(found.value.latency_ms)}, {authOf(found.value).toLowerCase()}</>
        )}
      </p>
      {error.value && <p role="alert" class="alert">{error.value}</p>}
    </div>
  );
}

function ProviderForm(props: { provider: Provider | null; saved(slug: string): Promise<void> }) {
  const { provider } = props;
  const form = useForm<Values>(valuesOf(provider), {
    name: provider ? `Provider ${provider.name}` : 'New provider',
    within: 'provider',
    check: problemsOf,
    fields: [
      [/slug/i, 'slug'], [/provider name/i, 'name'], [/URL/, 'upstream_url'], [/currency/i, 'currency'],
      [/API key env/i, 'api_key_env'], [/auth style/i, 'auth_style'], [/default fallback/i, 'is_default_fallback'],
    ],
    async save(v) {
      const slug = v.slug.trim();
      if (!provider && (await isTaken(slug))) throw new ApiError(400, `The slug ${slug} is another provider’s.`);
      await send<Provider>(provider ? 'PUT' : 'POST', provider ? `/admin/api/providers/${slug}` : '/admin/api/providers', bodyOf(v, provider));
      await props.saved(slug);
    },
    done() {
      if (!provider) go(withQuery({ provider: form.values.slug.trim() }), true);
    },
  });
  const v = form.values;
  const named = (name: string) => {
    if (!provider && (v.slug === '' || v.slug === slugOf(v.name))) form.set('slug', slugOf(name));
  };
  return (
    <>
      <Form form={form} verb="Save provider">
        <TextField form={form} name="name" label="Provider name" required typed={named} />
        <TextField form={form} name="slug" label="Slug" required readOnly={!!provider}
          help={provider ? 'Prices and routes name it, so it stays.' : 'Made of the name; it cannot be changed later.'} />
        <TextField form={form} name="upstream_url" label="Base URL" placeholder="https://api.example.com/v1" />
        <TextField form={form} name="api_key_env" label="API key env var" placeholder="EXAMPLE_API_KEY"
          help={provider?.api_key_env && provider.api_key_env === v.api_key_env.trim()
            ? `${provider.api_key_env} ${KEY_STATE[provider.api_key_state]}.` : 'The name of a variable, never a key.'} />
        <div class="pair">
          <SelectField form={form} name="auth_style" label="Key is sent as" options={STYLES} />
          <TextField form={form} name="currency" label="Currency" />
        </div>
        <fieldset class="checks">
          <legend>Capabilities</legend>
          <CheckField form={form} name="text" label="Text" />
          <CheckField form={form} name="vision" label="Vision" />
          <CheckField form={form} name="tool_calling" label="Tool calling" />
        </fieldset>
        <div class="checks">
          <CheckField form={form} name="active" label="Active" />
          <CheckField form={form} name="is_default_fallback" label="Default for fallback" />
        </div>
      </Form>
      {provider && <Tester slug={provider.slug} dirty={form.dirty} />}
    </>
  );
}

export function ProviderEditor(props: { slug: string; saved(): Promise<void>; close(): void }) {
  const isNew = props.slug === NEW;
  const one = useLoaded<Provider>(() => (isNew ? null : `/admin/api/providers/${encodeURIComponent(props.slug)}`));
  const provider = one.data.value;
  const error = one.error.value;
  const saved = async () => {
    await Promise.all([isNew ? null : one.reload(), props.saved()]);
  };
  return (
    <Sheet title={isNew ? 'New provider' : provider?.name ?? props.slug} close={props.close}>
      {error && <p role="alert" class="alert">{error.status === 404 ? `There is no provider ${props.slug}.` : error.message}</p>}
      {(isNew || provider) && <ProviderForm provider={provider} saved={saved} />}
    </Sheet>
  );
}
