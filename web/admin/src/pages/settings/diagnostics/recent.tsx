/* The last tests of this browser session. */
import * as format from '../../../format';
import { Time } from '../../../ui/time';
import { TEST_KINDS, TestResult } from '../testupstream';
import type { UpstreamTest } from '../types';
import { tests } from './history';

const KIND_NAMES: Record<string, string> = { ...Object.fromEntries(TEST_KINDS), simple: 'Simple message' };

function Status({ test }: { test: UpstreamTest }) {
  return <span class={`pill ${test.ok ? 'ok' : 'bad'}`}>{test.ok ? 'OK' : 'Failed'} {test.status_code ?? ''}</span>;
}

export function RecentTests() {
  const list = tests.value;
  return (
    <section class="card" aria-label="Recent test results">
      <header>
        <h2>Recent test results</h2>
        <span class="muted">the last 20 of this browser session</span>
        {list.length > 0 && <span class="right"><button onClick={() => (tests.value = [])}>Clear</button></span>}
      </header>
      {list.length === 0 && <p class="muted">No test has been run yet.</p>}
      <ul class="tests">
        {list.map(({ id, at, model, result }) => (
          <li key={id}>
            <details>
              <summary>
                <Time iso={at} table /> <span>{KIND_NAMES[result.kind]}</span> <bdi>{model}</bdi>
                <bdi class="muted">{result.model_route ?? 'Global fallback'}</bdi>
                <Status test={result} /> <span>{format.duration(result.duration_ms)}</span>
              </summary>
              <TestResult test={result} />
              {!result.error && result.body === undefined && <p class="muted">The answer itself was shown until the page was loaded again.</p>}
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}
