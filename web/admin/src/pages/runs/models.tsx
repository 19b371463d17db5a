/* What was asked, and where. */
import { Groups } from './parts';
import type { RunDetail } from './types';

export function Models({ d }: { d: RunDetail }) {
  const { run, stats: s } = d;
  const link = (key: string) => (label: string) => `/admin?run=${run.id}&${key}=${encodeURIComponent(label)}`;
  return (
    <div class="sides">
      <section class="card"><header><h2>Models</h2></header><Groups groups={s.models} of={s.request_count} link={link('model')} /></section>
      <section class="card"><header><h2>Endpoints</h2></header><Groups groups={s.endpoints} of={s.request_count} link={link('endpoint')} /></section>
    </div>
  );
}
