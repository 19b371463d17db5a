/* Where requests go that no route takes. */
import { send } from '../../api';
import { CheckField, Form, SelectField, TextField, useForm } from '../../ui/form';
import { optionsOf, useProviders } from './providerlist';
import { reloadSummary, summary } from './summary';
import type { Summary } from './types';

interface Fallback {
  [name: string]: string | boolean;
  upstream_url: string;
  default_provider_slug: string;
  default_model: string;
  fallback_enabled: boolean;
}

const isComplete = (v: Fallback) => v.fallback_enabled && v.default_provider_slug && v.default_model;

function Effect({ v, provider }: { v: Fallback; provider: string }) {
  if (isComplete(v))
    return <p class="muted">A model that no route takes goes to {provider} as <bdi>{v.default_model}</bdi>.</p>;
  return (
    <p class="muted">
      {v.fallback_enabled && 'The fallback needs a provider and a model. '}
      A model that no route takes goes to <bdi>{v.upstream_url}</bdi> as it is.
    </p>
  );
}

function FallbackForm(props: { facts: Summary; withUrl: boolean; title: string }) {
  const { upstream } = props.facts;
  const providers = useProviders();
  const form = useForm<Fallback>({
    upstream_url: upstream.url,
    default_provider_slug: upstream.default_provider_slug ?? '',
    default_model: upstream.default_model ?? '',
    fallback_enabled: upstream.fallback_enabled,
  }, {
    name: props.title,
    fields: [[/provider/i, 'default_provider_slug'], [/model/i, 'default_model'], [/URL|\/v1/, 'upstream_url']],
    check: (v) => ({ upstream_url: v.upstream_url.trim() ? undefined : 'Say where requests go.' }),
    async save(values) {
      await send('POST', '/admin/api/settings/upstream-defaults', values);
      await reloadSummary();
    },
  });
  const v = form.values;
  const provider = providers.find((p) => p.slug === v.default_provider_slug)?.name ?? v.default_provider_slug;
  const on = upstream.fallback_enabled && upstream.default_provider_slug && upstream.default_model;
  return (
    <section class="card">
      <header>
        <h2>{props.title}</h2>
        <span class={`pill right ${on ? 'ok' : ''}`}>{on ? 'Enabled' : 'Inactive'}</span>
      </header>
      <Form form={form} verb="Save fallback">
        {props.withUrl && (
          <TextField form={form} name="upstream_url" label="Global upstream URL" required
            help={upstream.overridden_by
              ? `The running program was told another one (${upstream.overridden_by}); what is saved counts when it is started without that.`
              : 'Absolute, and ends in /v1'} />
        )}
        <div class="pair">
          <SelectField form={form} name="default_provider_slug" label="Default provider"
            options={[['', 'No default provider'], ...optionsOf(providers)]} />
          <TextField form={form} name="default_model" label="Default model" />
        </div>
        <CheckField form={form} name="fallback_enabled" label="Enable fallback routing" />
        <Effect v={v} provider={provider} />
      </Form>
    </section>
  );
}

export function FallbackCard({ withUrl, title }: { withUrl?: boolean; title: string }) {
  return summary.value && <FallbackForm facts={summary.value} withUrl={withUrl ?? false} title={title} />;
}
