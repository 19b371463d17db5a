/* What is around all sections of the settings. */
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useTitle } from '../../hooks';
import { go } from '../../router';
import { Icon, type IconName } from '../../ui/icons';
import { lazy } from '../../ui/lazy';
import { useLoaded } from '../../ui/loaded';
import { days, summary } from './summary';
import type { Summary } from './types';

interface Section {
  name: string;
  icon: IconName;
  page: ComponentType;
}

const SECTIONS: Record<string, Section> = {
  server: { name: 'Server', icon: 'server', page: lazy(async () => (await import('./server')).Server) },
  routing: { name: 'Routing', icon: 'route', page: lazy(async () => (await import('./routing')).Routing) },
  providers: { name: 'Providers', icon: 'cloud', page: lazy(async () => (await import('./providers')).Providers) },
  pricing: { name: 'Pricing', icon: 'price', page: lazy(async () => (await import('./pricing')).Pricing) },
  diagnostics: { name: 'Diagnostics', icon: 'probe', page: lazy(async () => (await import('./diagnostics')).Diagnostics) },
  data: { name: 'Data', icon: 'data', page: lazy(async () => (await import('./data')).Data) },
};

function Environment({ listener, version }: Summary) {
  const { bound } = listener;
  const differs = bound.host !== listener.host || bound.port !== listener.port;
  return (
    <dl class="environment">
      <div><dt>Listens at</dt><dd>{bound.host}:{bound.port}</dd></div>
      {differs && <div><dt>At the next start</dt><dd>{listener.host}:{listener.port}</dd></div>}
      <div><dt>Version</dt><dd>{version}</dd></div>
    </dl>
  );
}

export function Settings({ id }: { id?: string }) {
  useTitle('Settings');
  useEffect(() => {
    if (!id) go('/admin/settings/server', true);
  }, [id]);
  const loaded = useLoaded<Summary>(() => `/admin/api/settings/summary?days=${days()}`);
  useEffect(() => {
    if (loaded.data.value) summary.value = loaded.data.value;
  }, [loaded.data.value]);
  const tabs = useRef<HTMLElement>(null);
  useEffect(() => {
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [id]);
  const here = SECTIONS[id ?? ''];
  if (!here) return null;
  const facts = summary.value;
  const error = loaded.error.value;
  const Page = here.page;
  return (
    <div class="settings">
      <div class="rail">
        <nav aria-label="Sections of the settings" ref={tabs}>
          {Object.entries(SECTIONS).map(([slug, section]) => (
            <a key={slug} href={`/admin/settings/${slug}`} aria-current={slug === id ? 'page' : undefined}>
              <Icon name={section.icon} /> {section.name}
            </a>
          ))}
        </nav>
        {facts && <Environment {...facts} />}
      </div>
      <div class="section">
        <header class="hero">
          <span class="overline">Admin</span>
          <h1>Settings</h1>
          <span class="pill">{here.name}</span>
          {facts && <span class="pill">{facts.stored_rows.toLocaleString()} stored {facts.stored_rows === 1 ? 'row' : 'rows'}</span>}
        </header>
        {error && <p role="alert" class="alert">{error.message} <button onClick={() => loaded.refresh()}>Try again</button></p>}
        <Page key={id} />
      </div>
    </div>
  );
}
