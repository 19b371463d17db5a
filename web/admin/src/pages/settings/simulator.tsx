/* Where a model would go, and why. Nothing is sent anywhere. */
import { useSignal } from '@preact/signals';
import { send } from '../../api';
import { Code } from '../../ui/code';
import { Facts } from '../../ui/facts';
import type { Candidate, Sample, Simulation } from './types';
import { State, keyState } from './words';

const WHY: Record<string, string> = {
  missing_api_key: 'The variable that should hold its key is not set.',
  fallback: 'No route matches, so the fallback provider takes it.',
  no_match: 'No route matches and there is no fallback, so it goes to the global upstream as it is.',
  matched: 'A route matches.',
};

function Candidates({ list }: { list: Candidate[] }) {
  return (
    <>
      <h3>Why</h3>
      <ol class="why-list">
        {list.map((c, i) => (
          <li key={i}>
            <bdi>{c.route}</bdi> <small>{c.match_type}, {c.source}, priority {c.priority}</small>: {c.verdict}
          </li>
        ))}
      </ol>
    </>
  );
}

export function SampleCode({ sample }: { sample: Sample }) {
  return (
    <>
      <Code label="curl" text={sample.curl} />
      <Code label="Python" text={sample.python} />
    </>
  );
}

function Preview({ sample }: { sample: Sample }) {
  const { url, headers, body } = sample.upstream_preview;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return <Code label="What is forwarded" text={`POST ${url ?? '-'}\n${lines.join('\n')}\n\n${JSON.stringify(body, null, 2)}`} />;
}

function Result({ s }: { s: Simulation }) {
  return (
    <div class="result">
      <p><State of={s.status} /> {WHY[s.status]}</p>
      <Facts rows={[
        ['Route', s.matched_route && <><bdi>{s.matched_route}</bdi> ({s.match_type})</>],
        ['Upstream', s.upstream_url && <bdi>{s.upstream_url}</bdi>],
        ['Sent as', s.upstream_model && <bdi>{s.upstream_model}</bdi>],
        ['Provider', s.provider_name ?? s.provider_slug],
        ['API key', keyState(s.api_key_state)],
        ['Fixes', s.compatibility_fixes.join(', ') || 'none'],
        ...(s.upstreams.length ? [['Tried in order', s.upstreams.map((u) => `${u.upstream_url} (${u.state})`).join(', ')] as [string, string]] : []),
      ]} />
      {s.candidates && s.candidates.length > 0 && <Candidates list={s.candidates} />}
      <details>
        <summary>Sample request</summary>
        <SampleCode sample={s.sample_request} />
        <Preview sample={s.sample_request} />
      </details>
    </div>
  );
}

export function SimulatorCard() {
  const model = useSignal('');
  const result = useSignal<Simulation | null>(null);
  const problem = useSignal('');
  const busy = useSignal(false);
  const run = async () => {
    if (!model.value.trim()) {
      problem.value = 'Name a model.';
      return;
    }
    busy.value = true;
    problem.value = '';
    try {
      result.value = await send<Simulation>('POST', '/admin/api/routes/simulate', { model: model.value });
    } catch (error) {
      problem.value = (error as Error).message;
    }
    busy.value = false;
  };
  return (
    <section class="card">
      <header><h2>Route Simulator</h2></header>
      <form class="inline" aria-label="Route Simulator" onSubmit={(e) => { e.preventDefault(); run(); }}>
        <label class="field wide">
          <span>Model, as a client names it</span>
          <input value={model.value} spellcheck={false} autocomplete="off" aria-invalid={problem.value ? true : undefined}
            onInput={(e) => (model.value = e.currentTarget.value)} />
        </label>
        <button class="primary" disabled={busy.value}>Simulate</button>
      </form>
      {problem.value && <p role="alert" class="why">{problem.value}</p>}
      {result.value && <Result s={result.value} />}
    </section>
  );
}
