/* The menu of preferences, and what the server says of itself. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ReadonlySignal, Signal } from '@preact/signals';
import { get } from '../api';
import type { Status } from '../api-types';
import { boot } from '../boot';
import * as format from '../format';
import { density, theme, timeForm } from '../prefs';
import { helpOpen } from './help';
import { Icon } from './icons';
import { Popover } from './popover';

function Choice<T extends string>(props: { name: string; value: Signal<T>; options: Record<T, string> }) {
  return (
    <fieldset class="choice">
      <legend>{props.name}</legend>
      {(Object.entries(props.options) as [T, string][]).map(([value, text]) => (
        <label key={value}>
          <input type="radio" name={props.name} checked={props.value.value === value}
            onChange={() => (props.value.value = value)} /> {text}
        </label>
      ))}
    </fieldset>
  );
}

export function MainMenu() {
  return (
    <Popover label="Menu" button={<Icon name="menu" />}>
      {(close) => (
        <>
          <Choice name="Theme" value={theme} options={{ system: 'System', light: 'Light', dark: 'Dark' }} />
          <Choice name="Rows" value={density} options={{ compact: 'Compact', comfortable: 'Comfortable' }} />
          <Choice name="Times" value={timeForm} options={{ local: 'Local', utc: 'UTC' }} />
          <button class="line" onClick={() => { close(); helpOpen.value = true; }}>Keys</button>
          <a class="line" href="/api/docs" target="_blank">API reference</a>
          <a class="line" href="/admin/static/LICENSES.txt" target="_blank">Licences</a>
          <p class="about">llm-observe-proxy {boot.version}</p>
        </>
      )}
    </Popover>
  );
}

function Facts({ status }: { status: Status }) {
  const { server, store } = status;
  const rows: [string, string][] = [
    ['Status', status.status],
    ['Up', format.duration(server.uptime_ms)],
    ['Version', server.version],
    ['Listens at', server.url],
    ['Waiting to be stored', `${store.queue_depth} of ${store.queue_limit}`],
    ['Lost', String(store.lost_events)],
    ['Database', format.bytes(store.db_bytes)],
  ];
  if (store.last_error) rows.push(['Last error', String(store.last_error)]);
  return (
    <dl class="facts">
      {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

function HealthPanel({ status }: { status: ReadonlySignal<Status | null> }) {
  return status.value ? <Facts status={status.value} /> : <p>The server does not answer.</p>;
}

const CHECK_MS = 15000;

export function HealthMenu() {
  const status = useSignal<Status | null>(null);
  const bad = useSignal(false);
  useEffect(() => {
    const load = async () => {
      if (document.hidden) return;
      try {
        status.value = await get<Status>('/admin/api/status');
        bad.value = status.value.status !== 'ok';
      } catch {
        bad.value = true;
      }
    };
    load();
    const timer = setInterval(load, CHECK_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <Popover label={bad.value ? 'Health: there is a problem' : 'Health'} class="nav"
      button={<><Icon name="heart" /> <span>Health</span>{bad.value && <span class="dot bad" />}</>}>
      {() => <><HealthPanel status={status} /><p><a href="/healthz" target="_blank">/healthz</a></p></>}
    </Popover>
  );
}
