/* The frame around all pages, and which page an address shows. Pages but the first are loaded when
 * they are opened. */
import type { ComponentType } from 'preact';
import { boot } from './boot';
import { useKeys, useTitle } from './hooks';
import { connection, failure, paused } from './live';
import { shortcuts } from './prefs';
import { go, place } from './router';
import { Requests } from './pages/requests';
import { ConfirmHost } from './ui/dialog';
import { Help, helpOpen } from './ui/help';
import { Icon, type IconName } from './ui/icons';
import { lazy } from './ui/lazy';
import { MainMenu, HealthMenu } from './ui/mainmenu';
import { Toasts } from './ui/toast';

type Page = ComponentType<{ id?: string }>;

const Request = lazy<{ id?: string }>(async () => (await import('./pages/request')).RequestPage);
const Settings = lazy<{ id?: string }>(async () => (await import('./pages/settings/frame')).Settings);
const Metrics = lazy<{ id?: string }>(async () => (await import('./pages/metrics')).MetricsPage);
const Runs = lazy<{ id?: string }>(async () => (await import('./pages/runs')).RunsPage);
const Run = lazy<{ id?: string }>(async () => (await import('./pages/run')).RunPage);

function NotFound() {
  useTitle('Page not found');
  return (
    <section class="empty">
      <h1>Page not found</h1>
      <p>There is nothing at this address. <a href="/admin">Go to the requests</a>.</p>
    </section>
  );
}

const routes: [RegExp, Page][] = [
  [/^\/admin\/?$/, Requests],
  [/^\/admin\/requests\/(\d+)$/, Request],
  [/^\/admin\/settings(?:\/(server|routing|providers|pricing|diagnostics|data))?$/, Settings],
  [/^\/admin\/runs\/?$/, Runs],
  [/^\/admin\/metrics\/?$/, Metrics],
  [/^\/admin\/runs\/(\d+)$/, Run],
];

function page() {
  const path = place.value.pathname;
  for (const [pattern, Page] of routes) {
    const found = pattern.exec(path);
    if (found) return found[1] ? <Page key={Page} id={found[1]} /> : <Page key={Page} />;
  }
  return <NotFound />;
}

function NavLink(props: { to: string; icon: IconName; text: string }) {
  const path = place.value.pathname;
  const here = props.to === '/admin' ? /^\/admin(\/?$|\/requests)/.test(path) : path.startsWith(props.to);
  return (
    <a href={props.to} aria-current={here ? 'page' : undefined}>
      <Icon name={props.icon} /> <span>{props.text}</span>
    </a>
  );
}

const STATES = {
  live: ['Live', 'ok'],
  polling: ['Live', 'ok'],
  failed: ['Reconnecting', 'bad'],
  paused: ['Paused', 'warn'],
} as const;

function LiveStatus() {
  const [text, tone] = STATES[paused.value ? 'paused' : connection.value];
  return (
    <div class="live">
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span role="status" title={failure.value || undefined}>{text}</span>
      <button class="quiet" aria-pressed={paused.value} title={paused.value ? 'Go on (p)' : 'Pause (p)'}
        aria-label={paused.value ? 'Go on with live updates' : 'Pause live updates'}
        onClick={() => (paused.value = !paused.value)}>
        <Icon name={paused.value ? 'play' : 'pause'} />
      </button>
    </div>
  );
}

let pendingKey = '';
const PLACES: Record<string, string> = { r: '/admin', u: '/admin/runs', m: '/admin/metrics', s: '/admin/settings/server' };

function onKey(key: string): boolean {
  if (shortcuts.value === 'off') return false;
  if (pendingKey === 'g' && PLACES[key]) {
    go(PLACES[key]!);
    pendingKey = '';
    return true;
  }
  pendingKey = key === 'g' ? 'g' : '';
  if (key === 'p') paused.value = !paused.value;
  else if (key === '?') helpOpen.value = true;
  else if (key === '/') {
    const box = document.querySelector<HTMLInputElement>('[data-search]');
    if (box) box.focus();
    else go('/admin');
  } else return false;
  return true;
}

export function App() {
  useKeys(onKey);
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top">
        <a class="brand" href="/admin">
          <img src="/admin/static/icon.svg" alt="" width="28" height="28" />
          <span class="name">LLM Observe Proxy</span>
          <span class="sub" title={boot.upstream_url}>{boot.upstream_url}</span>
        </a>
        <nav aria-label="Main">
          <NavLink to="/admin" icon="list" text="Requests" />
          <NavLink to="/admin/runs" icon="run" text="Runs" />
          <NavLink to="/admin/metrics" icon="probe" text="Metrics" />
          <NavLink to="/admin/settings" icon="gear" text="Settings" />
          <HealthMenu />
        </nav>
        <LiveStatus />
        <MainMenu />
      </header>
      {boot.exposed && (
        <p class="strip warn">
          Other machines can reach this proxy, and it asks nobody for a password.{' '}
          <a href="/admin/settings/server">Where it listens</a>
        </p>
      )}
      <main id="main" tabIndex={-1}>{page()}</main>
      <Toasts />
      <ConfirmHost />
      <Help />
    </>
  );
}
