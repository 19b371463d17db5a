/* Routes that the known prices give: what would come of them, and taking them. */
import { useSignal } from '@preact/signals';
import { send } from '../../../api';
import { confirmed } from '../../../ui/dialog';
import { optionsOf, useProviders } from '../providerlist';

interface Seeded {
  total_candidates: number;
  inserted: number;
  updated: number;
  skipped_existing: number;
  skipped_user: number;
  truncated: boolean;
  items: { incoming_model: string; upstream_url: string; upstream_model: string; provider_slug: string; status: string }[];
}

const ACTIONS: Record<string, [string, string]> = {
  insert: ['Insert', 'ok'],
  update_seeded_route: ['Update', 'stream'],
  skip_existing_seeded_route: ['Existing', ''],
  skip_user_route: ['Yours, stays', ''],
};

function Decisions({ s }: { s: Seeded }) {
  return (
    <div class="registry" role="region" aria-label="What would be done" tabIndex={0}>
      <table>
        <thead><tr>{['Model', 'Upstream', 'Send as model', 'Provider', 'Action'].map((n) => <th key={n} scope="col">{n}</th>)}</tr></thead>
        <tbody>
          {s.items.map((item) => (
            <tr key={item.incoming_model}>
              <th scope="row"><bdi>{item.incoming_model}</bdi></th>
              <td class="flex" data-name="Upstream" title={item.upstream_url}><bdi>{item.upstream_url}</bdi></td>
              <td class="flex" data-name="Send as model"><bdi>{item.upstream_model}</bdi></td>
              <td data-name="Provider">{item.provider_slug}</td>
              <td data-name="Action"><span class={`pill ${ACTIONS[item.status]?.[1] ?? ''}`}>{ACTIONS[item.status]?.[0] ?? item.status}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const counts = (s: Seeded) =>
  `${s.total_candidates} candidates: ${s.inserted} insert, ${s.updated} update, ${s.skipped_existing} existing, ${s.skipped_user} user-owned.`;

export function DiscoveryCard({ changed }: { changed(): Promise<void> }) {
  const providers = useProviders();
  const provider = useSignal('');
  const mode = useSignal('missing_only');
  const busy = useSignal('');
  const problem = useSignal('');
  const said = useSignal('');
  const preview = useSignal<Seeded | null>(null);
  const ask = (verb: string) =>
    send<Seeded>('POST', `/admin/api/routes/defaults/${verb}`, { provider_slug: provider.value || null, mode: mode.value });
  const run = async (name: string, work: () => Promise<void>) => {
    busy.value = name;
    problem.value = said.value = '';
    try {
      await work();
    } catch (error) {
      problem.value = (error as Error).message;
    }
    busy.value = '';
  };
  const look = () => run('preview', async () => { preview.value = await ask('preview'); });
  const apply = () => run('apply', async () => {
    const plan = (preview.value = await ask('preview'));
    const yes = await confirmed({
      title: 'Apply default routes?',
      text: `${plan.inserted} routes are added and ${plan.updated} changed. Your own ${plan.skipped_user} stay as they are.`,
      verb: 'Apply default routes',
    });
    if (!yes) return;
    const done = await ask('apply');
    said.value = `Applied. ${counts(done)}`;
    preview.value = null;
    await changed();
  });
  const change = (set: () => void) => {
    set();
    preview.value = null;
    said.value = '';
  };
  const s = preview.value;
  return (
    <section class="card">
      <header><h2>Default Route Discovery</h2></header>
      <form class="inline" aria-label="Default Route Discovery" onSubmit={(e) => { e.preventDefault(); look(); }}>
        <label class="field">
          <span>Provider</span>
          <select value={provider.value} onChange={(e) => change(() => (provider.value = e.currentTarget.value))}>
            <option value="">All</option>
            {optionsOf(providers).map(([slug, name]) => <option key={slug} value={slug}>{name}</option>)}
          </select>
        </label>
        <label class="field">
          <span>Mode</span>
          <select value={mode.value} onChange={(e) => change(() => (mode.value = e.currentTarget.value))}>
            <option value="missing_only">Missing routes only</option>
            <option value="refresh_seeded">Refresh seeded routes</option>
          </select>
        </label>
        <button disabled={busy.value !== ''}>{busy.value === 'preview' ? 'Looking…' : 'Preview'}</button>
        <button type="button" class="primary" disabled={busy.value !== ''} onClick={apply}>Apply</button>
      </form>
      {problem.value && <p role="alert" class="alert">{problem.value}</p>}
      <p role="status">{s ? counts(s) : said.value}</p>
      {s?.truncated && <p class="muted">Only the first {s.items.length} decisions are listed.</p>}
      {s && s.items.length > 0 && <Decisions s={s} />}
    </section>
  );
}
